//! Turns the results of composed checks into Meson's answers.

use crate::protocol::response::{Answer, Status, Value};
use crate::report::typed::{Typed, typed};

use super::compose::{Entry, Reading};

/// Meson's answer.
pub(crate) fn answer(entry: &Entry, answers: &[Answer]) -> Typed {
    let alternative = entry.alternative.map(|index| &answers[index]);
    let decisive = alternative.filter(|answer| answer.status != Status::Skipped);
    let answer = decisive.unwrap_or(&answers[entry.check]);
    let error = |message: &str| Typed::Error(message.into());
    match (entry.reading, answer.status, &answer.value) {
        (Reading::RequestCheck { required: true, .. }, Status::No | Status::Skipped, _) => {
            Typed::Missing
        }
        (Reading::RequestCheck { kind, .. }, ..) => typed(kind, answer),
        (Reading::Accepted { unless }, Status::Error, _) if answer.exit_code == Some(0) => {
            Typed::Bool(unless.is_none_or(|words| !answer.output.contains(words)))
        }
        (_, Status::Error, _) => error(answer.reason.as_deref().unwrap_or_default()),
        (Reading::Bool | Reading::Accepted { .. }, status, _) => Typed::Bool(status == Status::Yes),
        (Reading::Printed | Reading::PrintedAlways, Status::Yes, Some(value)) => {
            let Value::Program { stdout, .. } = value else { unreachable!("these are run") };
            match stdout.trim().parse::<i64>() {
                Ok(0) if entry.reading == Reading::PrintedAlways => error("the alignment is zero"),
                Ok(number) => Typed::Integer(number.into()),
                Err(_) => error("the program did not print a number"),
            }
        }
        (Reading::Printed | Reading::PrintedAlways, _, Some(_)) => {
            error("the program that prints the value failed")
        }
        (Reading::PrintedAlways, ..) => error(&format!(
            "no alignment could be determined: {}",
            answer.output.lines().find(|line| line.contains("error")).unwrap_or_default()
        )),
        (Reading::Constant, Status::Yes, Some(Value::Integer(number))) => {
            Typed::Integer(number.clone())
        }
        (Reading::Printed | Reading::Constant, ..) => Typed::Integer((-1).into()),
        (Reading::Macro, Status::Yes, Some(Value::Text(text))) => {
            Typed::Text(joined_literals(text))
        }
        // If preprocessing failed, the macro's value is unknown.
        (Reading::Macro, _, _) if answer.exit_code != Some(0) => error(&format!(
            "the compiler could not preprocess the source: {}",
            answer.output.lines().find(|line| line.contains("error")).unwrap_or_default()
        )),
        (Reading::Macro, ..) => Typed::Text(String::new()),
    }
}

/// Joins adjacent string literals, as Meson does.
fn joined_literals(text: &str) -> String {
    let mut joined = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('"') {
        let Some(length) = literal(&rest[start..]) else { break };
        let end = start + length;
        joined.push_str(&rest[..end]);
        rest = &rest[end..];
        while rest.starts_with(char::is_whitespace) {
            let next = rest.trim_start();
            let Some(length) = next.starts_with('"').then(|| literal(next)).flatten() else {
                break;
            };
            joined.pop();
            joined.push_str(&next[1..length]);
            rest = &next[length..];
        }
    }
    joined + rest
}

/// The length of the string literal at the start of a text. `None` if it is unterminated.
fn literal(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjacent_literals_are_joined() {
        for (text, expected) in [
            (r#""a" "b""#, r#""ab""#),
            (r#""a"   "b" "c""#, r#""abc""#),
            (r#"1 "a\"" "b" 2"#, r#"1 "a\"b" 2"#),
            (r#""a" b "c""#, r#""a" b "c""#),
            (r#""a""b""#, r#""a""b""#),
            ("plain 12", "plain 12"),
            (r#""open"#, r#""open"#),
        ] {
            assert_eq!(joined_literals(text), expected, "{text}");
        }
    }
}
