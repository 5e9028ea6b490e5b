//! Rewrites serde's errors in terms of JSON instead of Rust, and assigns codes to them. The only
//! module that knows serde's messages.

use serde::Deserialize;
use serde::de::value::{Error as ValueError, StrDeserializer};
use serde_json::Value;

use super::nearest::nearest;
use crate::protocol::code::{Code, Reason};

/// Separates the code from the message in this program's own errors, because serde passes on only
/// text.
const BEHIND_CODE: char = '\0';

/// An error of this program that serde passes on. Errors without a code are about a value that is
/// not valid for its field.
pub(super) fn own_complaint<E: serde::de::Error>(code: Code, message: &str) -> E {
    E::custom(format!("{code}{BEHIND_CODE}{message}"))
}

/// serde's message without the position.
fn message(error: &serde_json::Error) -> String {
    let mut message = error.to_string();
    message.truncate(message.rfind(" at line ").unwrap_or(message.len()));
    message
}

/// The reason for an error about valid JSON that does not match its type. `value` is the value in
/// question.
pub(super) fn of_data(error: &serde_json::Error, value: Option<&Value>) -> Reason {
    let message = message(error);
    if let Some((code, message)) = message.split_once(BEHIND_CODE)
        && let Ok(code) = Code::deserialize(StrDeserializer::<ValueError>::new(code))
    {
        return Reason::new(code, message);
    }
    if let Some(fields) = message.strip_prefix("unknown field `") {
        let text = unknown_field(fields).unwrap_or_else(|| message.clone());
        return Reason::new(Code::UnknownField, text);
    }
    let of_field = |start: &str| message.strip_prefix(start)?.strip_suffix('`');
    if let Some(field) = of_field("missing field `") {
        return Reason::new(Code::MissingField, format!("the field {field:?} is missing"));
    }
    if let Some(field) = of_field("duplicate field `") {
        return Reason::new(
            Code::DuplicateField,
            format!("the field {field:?} appears twice here"),
        );
    }
    let starts = [("invalid type: ", Code::WrongType), ("invalid value: ", Code::InvalidValue)];
    let unexpected = starts.iter().find_map(|(start, code)| {
        let (_, expected) = message.strip_prefix(start)?.rsplit_once(", expected ")?;
        Some((*code, expected))
    });
    let Some((code, expected)) = unexpected else {
        return Reason::new(Code::InvalidValue, message);
    };
    let text = match value {
        Some(value) => {
            format!("expected {}, not {}", what_is_expected(expected, value), shown(value))
        }
        None => format!("expected {}", what_is_expected(expected, &Value::Null)),
    };
    Reason::new(code, text)
}

/// Translates what serde expects at a place.
fn what_is_expected(expected: &str, value: &Value) -> String {
    match expected {
        "a sequence" => match value {
            Value::String(text) => {
                let words = shlex::split(text).unwrap_or_else(|| vec![text.clone()]);
                let words: Vec<_> = words.iter().map(|word| format!("{word:?}")).collect();
                format!("a list, such as [{}]", words.join(", "))
            }
            _ => "a list".into(),
        },
        "a boolean" => "true or false".into(),
        "f64" => "a number".into(),
        "u32" | "usize" => "a whole number".into(),
        "a nonzero usize" => "a whole number above 0".into(),
        "a map" => "an object".into(),
        "a borrowed string" | "string" | "str" => "a string".into(),
        other => other.into(),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
        Value::String(text) => format!("the string {text:?}"),
        other => other.to_string(),
    }
}

/// The message for an unknown field, with the field that was probably meant instead of a list of
/// all fields.
fn unknown_field(message: &str) -> Option<String> {
    let (field, rest) = message.split_once("`, expected ")?;
    let known: Vec<_> = rest.split('`').skip(1).step_by(2).collect();
    Some(match nearest(field, known.iter().copied()) {
        Some(meant) => format!("unknown field {field:?}; did you mean {meant:?}?"),
        None => format!("unknown field {field:?}; known: {}", known.join(", ")),
    })
}

/// The message for invalid JSON. `rest` is the rest of the line, from the offending character on.
pub(super) fn of_syntax(error: &serde_json::Error, rest: &str) -> String {
    let message = message(error);
    if let Some(within) = message.strip_prefix("EOF while parsing ") {
        return format!("the JSON ends too early, within {}", article(within));
    }
    format!("not JSON: {}", not_json(&message, rest))
}

fn article(what: &str) -> String {
    let article = if what.starts_with("object") || what.starts_with("an ") { "an" } else { "a" };
    match what.starts_with("a ") || what.starts_with("an ") {
        true => what.into(),
        false => format!("{article} {what}"),
    }
}

fn not_json(message: &str, rest: &str) -> String {
    let word =
        |words: &[&str]| words.iter().any(|word| rest.trim_start_matches('-').starts_with(word));
    let remedy = match message {
        _ if rest.starts_with(['/', '#']) => "JSON has no comments; remove this one",
        _ if rest.starts_with('\'') => "strings are in double quotes, not in single quotes",
        _ if word(&["NaN", "nan", "Infinity", "inf", "Inf"]) => "JSON has no such number",
        _ if word(&["True", "False", "None", "undefined"]) => {
            "JSON writes true, false and null in lower case"
        }
        "trailing comma" => "a trailing comma; remove the comma before this",
        "trailing characters" => "trailing characters; nothing may follow the request",
        "key must be a string" => "the name of a field must be in double quotes",
        "expected `:`" => "expected a colon after the name of the field",
        "expected `,` or `]`" => "expected a comma or the end of the list",
        "expected `,` or `}`" => "expected a comma or the end of the object",
        "expected value" | "expected ident" => {
            "expected a value: an object, a list, a string, a number, true, false or null"
        }
        "invalid escape" => "invalid escape; write \\\\ for a backslash",
        "recursion limit exceeded" => "it is nested too deeply",
        "invalid number" | "number out of range" => "it is not a valid JSON number",
        _ if message.starts_with("control character") => {
            "a string must end on its line; write \\n for a line break and \\t for a tab"
        }
        other => return other.into(),
    };
    remedy.into()
}
