//! What is known of compilers: their languages and options, what they say, what they write, and
//! what the end of a command means.

pub mod causes;
pub mod diagnostics;
pub mod dialect;
pub mod language;
pub mod object_file;
pub mod value;
pub mod verdict;
