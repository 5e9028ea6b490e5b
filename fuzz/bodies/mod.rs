//! What the fuzz targets do with their input, and what must be true then. The suite does the same
//! with the corpora and seeded changes of them (src/tests/fuzzed.rs).

pub mod diagnostics;
pub mod request;
pub mod sources;
