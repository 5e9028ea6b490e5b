//! The bodies of the fuzz targets, with their assertions. src/tests/fuzzed.rs also runs them on the
//! corpora and on seeded mutations.

pub mod diagnostics;
pub mod request;
pub mod sources;
pub mod store;
