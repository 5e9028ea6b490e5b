//! A script to `include()`, which leaves behind what CMake's own modules would: the same cache
//! entries with the same values and descriptions.

use std::io::{self, Write};

use crate::dialect::Stage;
use crate::plan::Plan;
use crate::plan::question::Subject;
use crate::request::BadRequest;
use crate::response::{Answer, Status, Value};

use super::one_line;

/// The script.
pub fn script(plan: &Plan, answers: &[Answer], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# Written by tryall. Sets what CMake's check modules would set.")?;
    for (ask, answer) in std::iter::zip(&plan.asks, answers) {
        match answer.status {
            Status::Yes | Status::No => {
                entries(&plan.questions[ask.question].subject, answer, out)?;
            }
            // Whoever asked nothing has no variable, in CMake too.
            Status::Skipped => {
                writeln!(out, "# {}: skipped, {}", answer.id, reason(answer))?;
            }
            // Left unset, the variable would read as a no. SEND_ERROR tells all errors before
            // the configure step fails.
            Status::Error => {
                let message = quoted(&format!("tryall: {}: {}", answer.id, reason(answer)));
                writeln!(out, "message(SEND_ERROR {message})")?;
            }
        }
    }
    Ok(())
}

/// Why the request is unusable.
pub fn refusal(error: &BadRequest, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "message(FATAL_ERROR {})", quoted(&format!("tryall: {error}")))
}

fn reason(answer: &Answer) -> String {
    one_line(answer.reason.as_deref().unwrap_or_default())
}

/// The cache entries of one answer.
fn entries(subject: &Subject, answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    let id = &answer.id;
    let yes = answer.status == Status::Yes;
    let one_or_empty = if yes { "1" } else { "" };
    match subject {
        // CheckIncludeFile
        Subject::Header { header, .. } => {
            entry(out, id, one_or_empty, &format!("Have include {header}"))
        }
        // CheckSymbolExists
        Subject::Symbol(symbol) => entry(out, id, one_or_empty, &format!("Have symbol {symbol}")),
        // CheckFunctionExists
        Subject::Function(function) => {
            entry(out, id, one_or_empty, &format!("Have function {function}"))
        }
        // CheckLibraryExists
        Subject::Library { library, .. } => {
            entry(out, id, one_or_empty, &format!("Have library {library}"))
        }
        // CheckPrototypeDefinition, whose no is 0.
        Subject::Prototype { function, .. } => entry(
            out,
            id,
            if yes { "1" } else { "0" },
            &format!("Have correct prototype for {function}"),
        ),
        // CheckTypeSize
        Subject::Sizeof(name) => {
            entry(
                out,
                &format!("HAVE_{id}"),
                if yes { "TRUE" } else { "FALSE" },
                "Result of TRY_COMPILE",
            )?;
            let (size, about) = match integer(answer) {
                Some(size) => (size, format!("CHECK_TYPE_SIZE: sizeof({name})")),
                None => (String::new(), format!("CHECK_TYPE_SIZE: {name} unknown")),
            };
            entry(out, id, &size, &about)?;
            let code =
                if yes { format!("#define {id} {size}") } else { format!("/* #undef {id} */") };
            writeln!(out, "set({id}_CODE {})", quoted(&code))
        }
        // No module asks these; the value is as useful as the size of a type.
        Subject::Alignment(name) => entry(out, id, &value(answer), &format!("Alignment of {name}")),
        Subject::ComputeInt(expression) => {
            entry(out, id, &value(answer), &format!("Value of {expression}"))
        }
        Subject::Define(name) => entry(out, id, &value(answer), &format!("Expansion of {name}")),
        // TestBigEndian
        Subject::Endian => {
            let big = answer.value == Some(Value::Text("big".into()));
            entry(out, id, if big { "1" } else { "0" }, "Result of TEST_BIG_ENDIAN")
        }
        // CheckSourceRuns
        Subject::Source { stage: Stage::Run, .. } => {
            entry(out, id, one_or_empty, &format!("Test {id}"))?;
            let (compiled, status) = match &answer.value {
                Some(Value::Program { exit_status, .. }) => {
                    ("TRUE", exit_status.map(|status| status.to_string()))
                }
                _ => ("FALSE", None),
            };
            entry(out, &format!("{id}_COMPILED"), compiled, "Result of TRY_COMPILE")?;
            if compiled == "TRUE" {
                let status = status.unwrap_or_else(|| "FAILED_TO_RUN".into());
                entry(out, &format!("{id}_EXITCODE"), &status, "Result of try_run()")?;
            }
            Ok(())
        }
        // CheckSourceCompiles, on which CheckStructHasMember and the flag checks rest.
        Subject::Type(_)
        | Subject::Member { .. }
        | Subject::CompilerFlag(_)
        | Subject::LinkerFlag(_)
        | Subject::Source { .. } => entry(out, id, one_or_empty, &format!("Test {id}")),
    }
}

fn integer(answer: &Answer) -> Option<String> {
    match &answer.value {
        Some(Value::Integer(number)) => Some(number.to_string()),
        _ => None,
    }
}

/// A value as text; empty without one.
fn value(answer: &Answer) -> String {
    match &answer.value {
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Program { .. }) | None => String::new(),
    }
}

fn entry(out: &mut dyn Write, name: &str, value: &str, about: &str) -> io::Result<()> {
    writeln!(out, "set({name} {} CACHE INTERNAL {})", quoted(value), quoted(about))
}

/// A quoted argument, which CMake takes as it is.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        // A semicolon stands for itself in a quoted argument, and an escaped one would not.
        if ['\\', '"', '$', '@'].contains(&c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    #[test]
    fn quotes_for_cmake() {
        assert_eq!(super::quoted(r#"a "b" ${c} \d; @e@"#), r#""a \"b\" \${c} \\d; \@e\@""#);
    }
}
