//! A session answers the checks of one configure step of CMake, each at the moment CMake asks.
//!
//! ```text
//!   try_compile in CMake ── ask.N ──> ask, call     what is asked
//!                                     surroundings  what decides about CMake's commands
//!                                     recipe        the two commands, learned from CMake's output
//!                                     answer        from the store, or from the compiler
//!   try_compile in CMake <─ reply.N ─ reply         CMake code that sets the answer
//! ```
//!
//! Whatever a session does not understand, CMake answers by itself. docs/design/session.md has the
//! reasons.

mod answer;
mod ask;
mod asking;
mod call;
mod calls;
mod cmake_flags;
mod counts;
mod desk;
mod early;
mod guess;
mod insertions;
mod names;
mod note;
mod programs;
mod question;
mod recipe;
mod recipes;
mod record;
mod refusal;
mod reply;
mod scout;
mod serve;
mod start;
mod surroundings;
mod turns;
mod words;

pub(crate) use early::start_early;
pub(crate) use serve::{Caller, serve};
pub(crate) use start::{end_like, run, start, write_environment};
