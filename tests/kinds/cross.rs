//! Cross compilers, incomplete toolchains, and a compiler unknown to tryall.

mod foreign;
mod partial;
mod unknown;
