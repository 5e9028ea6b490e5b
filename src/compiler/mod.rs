//! What this program knows about compilers: languages, options, diagnostics, output files, and what
//! the end of a command means.

pub(crate) mod causes;
pub(crate) mod diagnostics;
pub(crate) mod dialect;
pub(crate) mod language;
pub(crate) mod object_file;
pub(crate) mod options;
pub(crate) mod value;
pub(crate) mod verdict;
