//! What an answer rests on: everything that the commands behind it looked at.

pub(crate) mod foreign;
mod grain;
pub(crate) mod identity;
mod judging;
pub(crate) mod loader;
pub(crate) mod locale;
mod log;
pub(crate) mod programs;
mod reading;
pub(crate) mod recorder;
pub(crate) mod sight;
pub(crate) mod system;
pub(crate) mod world;
