//! `tryall` answers a batch of compiler checks: does this header exist, does this function link, how
//! large is this type?
//!
//! The one rule: no answer ever differs from the one that the compiler would have given alone. If the
//! compiler gave no answer, the result is an `error`, never a `no`.
//!
//! ```
//! use std::rc::Rc;
//!
//! use tryall::{Options, Request, Response, Silent, Status};
//!
//! let request = Request::from_json(
//!     br#"{"checks": [{"id": "HAVE_STDIO_H", "kind": "header", "header": "stdio.h"}]}"#,
//! )?;
//! match tryall::run(request, &Options::default(), Rc::new(Silent)) {
//!     Response::Answered(answers) => assert_eq!(answers.results[0].status, Status::Yes),
//!     Response::Refused(refusal) => panic!("{}", refusal.error),
//! }
//! # Ok::<(), tryall::BadRequest>(())
//! ```
//!
//! ARCHITECTURE.md shows how the modules fit together.

#![warn(unreachable_pub)]

// Request and response.
mod protocol;

// What to run.
mod plan;
mod source;

// How to run it.
mod again;
mod batch;
mod bytes;
mod check;
mod compiler;
mod deps;
mod engine;
mod exec;
mod os;
mod remote;
mod schedule;
mod store;

// Output formats.
mod report;

// Callers.
mod bench;
#[doc(hidden)]
pub mod cli;
mod meson;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod session;
mod why;

#[cfg(any(test, fuzzing))]
#[path = "../fuzz/bodies/mod.rs"]
pub mod fuzz_bodies;
#[cfg(test)]
mod tests;

pub use check::context::{Observer, Silent};
pub use engine::{Options, run};
pub use protocol::Kind;
pub use protocol::code::Code;
pub use protocol::language::Language;
pub use protocol::location::{BadRequest, Location};
pub use protocol::request::{Check, HeaderStage, Request, Seconds, Toolchain};
pub use protocol::response::{
    Answer, Answers, How, Refusal, Response, Status, Step, Summary, Value,
};
