//! What the recorder sees, with strace as the judge: every path that a command looks at outside of
//! its own directory must be in the list, as found or as missing.

mod compilers;
mod gaps;
mod judge;
mod languages;
mod linkers;
mod sources;
mod surroundings;
