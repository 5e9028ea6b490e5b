//! The protocol: what a request and a response hold, and the rules for every field.
//!
//! [`request`] and [`response`] are the types on the wire, from which the JSON Schemas are made.
//! [`parse`] reads a request and says where it is wrong; [`command_line`] makes the same checks of
//! options.

pub(crate) mod code;
pub(crate) mod command_line;
pub(crate) mod fragment;
pub(crate) mod kind;
pub(crate) mod location;
pub(crate) mod parse;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod schema;
pub(crate) mod slips;
mod wording;

pub use kind::Kind;
pub(crate) use location::{BadRequest, Fault, Location};
pub(crate) use request::*;
