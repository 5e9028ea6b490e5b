//! CMake with and without cmake/TryallDropIn.cmake, on small projects. Slow; run with
//! `cargo test --test drop_in`.

#[path = "../support/configured.rs"]
#[allow(dead_code, reason = "other tests use all of it")]
mod configured;
#[path = "../support/frames.rs"]
mod frames;
#[path = "../suite/processes.rs"]
#[allow(dead_code, reason = "the suite uses all of it")]
mod processes;
#[path = "../support/summary.rs"]
mod summary;
#[path = "../suite/support.rs"]
#[allow(dead_code, reason = "the suite uses all of it")]
mod support;

mod cases;
mod cmd_cmake;
mod cmd_cmake_places;
mod detection;
mod dropin;
mod dropin_changes;
mod dropin_commands;
mod dropin_failures;
mod dropin_kinds;
mod dropin_log;
mod dropin_moments;
mod dropin_old;
mod dropin_places;
mod dropin_recipes;
mod dropin_settings;
mod dropin_store;
mod fallback;
mod scout;
mod session_faults;
mod why;
