//! Each kind of check, with every compiler and several sets of flags. Slow; run with
//! `cargo test --test kinds`.

#[path = "../suite/support.rs"]
#[allow(dead_code, reason = "the suite uses all of it")]
mod support;
mod table;

mod cross;
mod fortran;
mod hidden_values;
mod kinds_c;
mod warnings;
