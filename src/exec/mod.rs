//! Runs commands: one process with its limits, the slots that commands share, the directories they
//! run in, and a trace of when each ran.

pub(crate) mod process;
pub(crate) mod scratch;
pub(crate) mod slots;
pub(crate) mod trace;
