//! The benchmark mode: how much faster checks run when they run concurrently, by which
//! technique, and how close that is to what the machine can do.

mod format;
pub mod result;
#[cfg(test)]
mod sample;
pub mod svg;
pub mod table;
pub mod trace;
