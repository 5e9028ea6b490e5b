//! The benchmark mode: how much faster checks run when they run concurrently, by which
//! technique, and how close that is to what the machine can do.

pub mod peer;
pub mod result;
pub mod trace;
