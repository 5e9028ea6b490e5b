//! CMake with cmake/TryallDropIn.cmake and without it, on small projects. It takes minutes, so that
//! `cargo test --test drop_in` runs it.

#[path = "../suite/support.rs"]
#[allow(dead_code, reason = "the suite has more use for it")]
mod support;

mod doors_cmake;
mod dropin;
mod dropin_commands;
mod dropin_failures;
mod dropin_futures;
mod dropin_guess;
mod dropin_kinds;
mod dropin_log;
mod dropin_old;
mod dropin_recipes;
mod dropin_surroundings;
mod fallback;
