//! `tryall` answers a batch of compiler checks: is this header there, does this link, how
//! large is this type. Data flows one way, and the modules stand in that order:
//!
//! [`request`] → [`plan`] → [`run`] → [`judge`] → [`report`]
//!
//! The one rule: no answer ever differs from the one that the compiler would have given
//! alone. What is not an answer of the compiler is an `error`, never a `no`.

pub mod cli;
pub mod code;
pub mod request;

pub mod anchor;
pub mod dialect;
pub mod language;
pub mod source;
pub mod template;
pub mod toolchain;

pub mod plan;

pub mod fuse;

pub mod meson;

pub mod elf;
pub mod inventory;
pub mod links;
pub mod process;
pub mod run;
pub mod scratch;
pub mod slots;

pub mod judge;
pub mod value;

pub mod progress;
pub mod report;
pub mod response;
pub mod schema;
pub mod trace;

pub mod os;

pub mod bench;
