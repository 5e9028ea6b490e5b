//! How commands run: one process with its limits, the slots that they share, the directories that
//! they run in, and when each ran.

pub(crate) mod process;
pub(crate) mod scratch;
pub(crate) mod slots;
pub(crate) mod trace;
