//! The remote store: two "machines" (two stores) behind real servers, and behind one that misbehaves. Slow;
//! run with `cargo test --test remote`.

#[path = "../suite/support.rs"]
#[allow(dead_code, reason = "the suite uses all of it")]
mod support;

mod fake;
mod faults;
mod guide;
mod machine;
mod real;
mod servers;
mod steps;
#[cfg(feature = "tls")]
mod tls;
mod trust;
mod world;
