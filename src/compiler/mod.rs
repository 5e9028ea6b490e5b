//! What is known of compilers: their languages and options, what they say, what they write, and
//! what the end of a command means.

pub(crate) mod causes;
pub(crate) mod diagnostics;
pub(crate) mod dialect;
pub(crate) mod language;
pub(crate) mod object_file;
pub(crate) mod options;
pub(crate) mod value;
pub(crate) mod verdict;
