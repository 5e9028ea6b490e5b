//! Each kind of check, put to every compiler under several sets of flags. It takes minutes, so that
//! `cargo test --test kinds` runs it.

#[path = "../suite/support.rs"]
#[allow(dead_code, reason = "the suite has more use for it")]
mod support;
mod table;

mod cross;
mod fortran;
mod hidden_values;
mod kinds_c;
mod warnings;
