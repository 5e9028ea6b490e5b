//! Compilers for other machines, compilers that lack a part, and one that nobody here has
//! heard of.

mod foreign;
mod partial;
mod unknown;
