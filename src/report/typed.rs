//! Lines with type, id and value for the Meson wrapper, because Meson cannot parse JSON. The
//! wrapper converts them to booleans, integers and strings.

use std::io::{self, Write};

use crate::plan::Plan;
use crate::protocol::response::{Answer, Status, Value};
use crate::protocol::{BadRequest, Kind};

use super::one_line;

/// An answer with its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Typed {
    /// Yes or no.
    Bool(bool),
    /// A number.
    Integer(serde_json::Number),
    /// Text.
    Text(String),
    /// No answer, and the reason.
    Error(String),
    /// A required check that was not yes.
    Missing,
}

/// Writes the lines of all answers. A skipped check counts as no; see [`absent`].
pub(crate) fn lines(plan: &Plan, answers: &[Answer], out: &mut dyn Write) -> io::Result<()> {
    for (check, answer) in std::iter::zip(&plan.checks, answers) {
        line(&check.id, &typed(check.kind, answer), out)?;
    }
    Ok(())
}

/// Converts an answer to a typed value.
pub(crate) fn typed(kind: Kind, answer: &Answer) -> Typed {
    match (answer.status, &answer.value) {
        (Status::Error, _) => Typed::Error(answer.reason.clone().unwrap_or_default()),
        (Status::Yes, Some(Value::Integer(number))) => Typed::Integer(number.clone()),
        (Status::Yes, Some(Value::Text(text))) => Typed::Text(text.clone()),
        (Status::Yes, _) => Typed::Bool(true),
        (Status::No | Status::Skipped, _) => absent(kind),
    }
}

/// A no has the same type as a yes, because Meson cannot compare values of different types. `-1`
/// and the empty string are the results of Meson's own `sizeof()` and `get_define()`.
fn absent(kind: Kind) -> Typed {
    match kind {
        Kind::Sizeof | Kind::Alignment | Kind::ComputeInt => Typed::Integer((-1).into()),
        Kind::Define | Kind::Endian => Typed::Text(String::new()),
        _ => Typed::Bool(false),
    }
}

/// Writes `TYPE ID VALUE`, separated by tabs.
pub(crate) fn line(id: &str, typed: &Typed, out: &mut dyn Write) -> io::Result<()> {
    match typed {
        Typed::Bool(value) => writeln!(out, "bool\t{id}\t{value}"),
        Typed::Integer(number) => writeln!(out, "int\t{id}\t{number}"),
        Typed::Text(text) => writeln!(out, "text\t{id}\t{}", escaped(text)),
        Typed::Error(reason) => writeln!(out, "error\t{id}\t{}", one_line(reason)),
        Typed::Missing => writeln!(out, "missing\t{id}\t"),
    }
}

/// Why the request is unusable.
pub(crate) fn refusal(error: &BadRequest, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "error\t\t{}", one_line(&error.to_string()))
}

/// Escapes line breaks and tabs.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t").replace('\r', "\\r")
}
