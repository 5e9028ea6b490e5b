//! What CMake, Meson and a shell make of request files and lists of checks. It takes minutes, so that
//! `cargo test --test build_systems` runs it.

#[path = "../suite/support.rs"]
#[allow(dead_code, reason = "the suite has more use for it")]
mod support;

mod integration;
mod meson;
mod meson_differs;
mod meson_docs;
mod meson_slips;
mod meson_together;
