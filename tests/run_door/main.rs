//! `tryall run`: build systems as they are. Slow; run with `cargo test --test run_door`. With
//! `TRYALL_RANDOM=2000`, as many random commands are tried instead of some.

#[path = "../suite/support.rs"]
#[allow(dead_code, reason = "the suite uses all of it")]
mod support;

#[path = "../support/random.rs"]
mod random_numbers;

mod calls;
mod configure;
mod faults;
mod meson;
mod random;
mod stage;
mod stale;
