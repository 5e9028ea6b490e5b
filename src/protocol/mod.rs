//! The protocol: the contents of requests and responses, and the rules for every field.
//!
//! [`request`] and [`response`] contain the types of the protocol, from which the JSON Schemas are
//! generated. [`parse`] reads a request and locates its errors. [`command_line`] builds checks from
//! options.

pub(crate) mod code;
pub(crate) mod command_line;
pub(crate) mod fragment;
pub(crate) mod kind;
pub(crate) mod language;
pub(crate) mod location;
pub(crate) mod nearest;
pub(crate) mod parse;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod slips;
mod wording;

pub use kind::Kind;
pub(crate) use location::{BadRequest, Fault, Location};
pub(crate) use request::*;
