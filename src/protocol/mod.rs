//! The protocol: what a request and a response hold, and the rules for every field.
//!
//! [`request`] and [`response`] are the types on the wire, from which the JSON Schemas are made.
//! [`parse`] reads a request and says where it is wrong; [`command_line`] makes the same checks of
//! options.

pub mod code;
pub mod command_line;
pub mod fragment;
pub mod kind;
pub mod location;
pub mod parse;
pub mod request;
pub mod response;
pub mod schema;
pub mod slips;
mod wording;

pub use kind::Kind;
pub use location::{BadRequest, Fault, Path};
pub use request::*;
