//! Request files and lists of checks in CMake, Meson and the shell. Slow; run with
//! `cargo test --test build_systems`.

#[path = "../suite/support.rs"]
#[allow(dead_code, reason = "the suite uses all of it")]
mod support;

mod integration;
mod meson;
mod meson_differs;
mod meson_docs;
mod meson_grouped;
mod meson_kinds;
mod meson_slips;
mod meson_store;
