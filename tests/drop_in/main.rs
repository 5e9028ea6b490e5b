//! CMake with and without cmake/TryallDropIn.cmake, on small projects. Slow; run with
//! `cargo test --test drop_in`.

#[path = "../suite/support.rs"]
#[allow(dead_code, reason = "the suite uses all of it")]
mod support;

mod cmd_cmake;
mod dropin;
mod dropin_commands;
mod dropin_failures;
mod dropin_futures;
mod dropin_guess;
mod dropin_kinds;
mod dropin_log;
mod dropin_old;
mod dropin_recipes;
mod dropin_settings;
mod dropin_store;
mod fallback;
