//! `tryall` answers a batch of compiler checks: is this header there, does this link, how
//! large is this type. Data flows one way, and the modules stand in that order.
//!
//! The one rule: no answer ever differs from the one that the compiler would have given
//! alone. What is not an answer of the compiler is an `error`, never a `no`.

pub mod cli;
pub mod protocol;

pub mod plan;
pub mod source;

pub mod batch;
pub mod check;
pub mod compiler;
pub mod exec;
pub mod os;
pub mod schedule;

pub mod report;

pub mod bench;
pub mod meson;
