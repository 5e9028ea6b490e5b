//! How commands run: one process with its limits, the slots that they share, the directories that
//! they run in, and when each ran.

pub mod process;
pub mod scratch;
pub mod slots;
pub mod trace;
