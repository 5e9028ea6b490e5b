//! What this program knows about compilers: options, diagnostics, output files, and what
//! the end of a command means.

pub(crate) mod causes;
pub(crate) mod diagnostics;
pub(crate) mod dialect;
pub(crate) mod linker_trace;
pub(crate) mod object_file;
pub(crate) mod options;
pub(crate) mod value;
pub(crate) mod verdict;
