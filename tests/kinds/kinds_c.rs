//! Every kind in C and C++, with GCC and Clang.

mod flags;
mod names;
mod presence;
mod sources;
mod values;
