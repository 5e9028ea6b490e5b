//! What an answer rests on: everything that the commands behind it looked at.

pub(crate) mod host;
mod loader;
mod locale;
mod log;
mod programs;
mod reading;
pub(crate) mod recorder;
pub(crate) mod sight;
pub(crate) mod world;
