//! Every kind in C and C++, with GCC and Clang.

mod flags;
mod presence;
mod sources;
mod values;
