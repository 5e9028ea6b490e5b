//! A script to `include()` that sets the same cache entries as CMake's own modules, with the same
//! values and descriptions.

use std::collections::HashMap;
use std::io::{self, Write};

use crate::compiler::dialect::Stage;
use crate::plan::Plan;
use crate::plan::question::Subject;
use crate::protocol::response::{Answer, Status, Value};
use crate::protocol::{BadRequest, Kind};

use super::one_line;

/// How to derive a variable's name from an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Name {
    prefix: &'static str,
    suffix: &'static str,
}

const ID: Name = Name { prefix: "", suffix: "" };
const HAVE: Name = Name { prefix: "HAVE_", suffix: "" };
const CODE: Name = Name { prefix: "", suffix: "_CODE" };
const COMPILED: Name = Name { prefix: "", suffix: "_COMPILED" };
const EXITCODE: Name = Name { prefix: "", suffix: "_EXITCODE" };

impl Name {
    fn of(self, id: &str) -> String {
        format!("{}{id}{}", self.prefix, self.suffix)
    }
}

/// All variables that an answer to a check of this kind may set.
fn names(kind: Kind) -> &'static [Name] {
    match kind {
        // CheckTypeSize
        Kind::Sizeof => &[HAVE, ID, CODE],
        // CheckSourceRuns
        Kind::Runs => &[ID, COMPILED, EXITCODE],
        _ => &[ID],
    }
}

/// The first check that sets a variable of an earlier check, and a message. Equal ids are reported
/// elsewhere.
pub(super) fn clash<'a>(checks: impl Iterator<Item = (&'a str, Kind)>) -> Option<(usize, String)> {
    let mut set_by = HashMap::new();
    for (index, (id, kind)) in checks.enumerate() {
        for name in names(kind) {
            let variable = name.of(id);
            let message = |other| {
                format!(
                    "{id:?} and {other:?} would both set the CMake variable {variable}; rename one of them"
                )
            };
            match set_by.get(&variable) {
                Some(&other) if other != id => return Some((index, message(other))),
                _ => set_by.insert(variable, id),
            };
        }
    }
    None
}

/// The script.
pub(super) fn script(plan: &Plan, answers: &[Answer], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# Written by tryall. Sets what CMake's check modules would set.")?;
    for (check, answer) in std::iter::zip(&plan.checks, answers) {
        match answer.status {
            Status::Yes | Status::No => {
                let mut variables = Variables { kind: check.kind, id: &answer.id, out };
                entries(&plan.questions[check.question].subject, answer, &mut variables)?;
            }
            // CMake, too, sets no variable for a check that did not run.
            Status::Skipped => {
                writeln!(out, "# {}: skipped, {}", answer.id, reason(answer))?;
            }
            // An unset variable would look like a no. SEND_ERROR reports all errors before the
            // configure step fails.
            Status::Error => {
                let message = quoted(&format!("tryall: {}: {}", answer.id, reason(answer)));
                writeln!(out, "message(SEND_ERROR {message})")?;
            }
        }
    }
    Ok(())
}

/// Why the request is unusable.
pub(super) fn refusal(error: &BadRequest, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "message(FATAL_ERROR {})", quoted(&format!("tryall: {error}")))
}

fn reason(answer: &Answer) -> String {
    one_line(answer.reason.as_deref().unwrap_or_default())
}

/// Writes the variables of one answer.
struct Variables<'a> {
    kind: Kind,
    id: &'a str,
    out: &'a mut dyn Write,
}

impl Variables<'_> {
    /// Sets a cache entry.
    fn entry(&mut self, name: Name, value: &str, about: &str) -> io::Result<()> {
        let variable = self.name(name);
        writeln!(self.out, "set({variable} {} CACHE INTERNAL {})", quoted(value), quoted(about))
    }

    /// Sets a variable of the directory.
    fn plain(&mut self, name: Name, value: &str) -> io::Result<()> {
        let variable = self.name(name);
        writeln!(self.out, "set({variable} {})", quoted(value))
    }

    fn name(&self, name: Name) -> String {
        debug_assert!(names(self.kind).contains(&name), "{:?} sets {name:?}", self.kind);
        name.of(self.id)
    }
}

/// Sets the variables of one answer.
fn entries(subject: &Subject, answer: &Answer, set: &mut Variables<'_>) -> io::Result<()> {
    let id = &answer.id;
    let yes = answer.status == Status::Yes;
    let one_or_empty = if yes { "1" } else { "" };
    match subject {
        // CheckIncludeFile
        Subject::Header { header, .. } => {
            set.entry(ID, one_or_empty, &format!("Have include {header}"))
        }
        // CheckSymbolExists
        Subject::Symbol(symbol) => set.entry(ID, one_or_empty, &format!("Have symbol {symbol}")),
        // CheckFunctionExists
        Subject::Function(function) => {
            set.entry(ID, one_or_empty, &format!("Have function {function}"))
        }
        // CheckLibraryExists
        Subject::Library { library, .. } => {
            set.entry(ID, one_or_empty, &format!("Have library {library}"))
        }
        // CheckPrototypeDefinition, whose no is 0.
        Subject::Prototype { function, .. } => set.entry(
            ID,
            if yes { "1" } else { "0" },
            &format!("Have correct prototype for {function}"),
        ),
        // CheckTypeSize
        Subject::Sizeof(name) => {
            set.entry(HAVE, if yes { "TRUE" } else { "FALSE" }, "Result of TRY_COMPILE")?;
            let (size, about) = match integer(answer) {
                Some(size) => (size, format!("CHECK_TYPE_SIZE: sizeof({name})")),
                None => (String::new(), format!("CHECK_TYPE_SIZE: {name} unknown")),
            };
            set.entry(ID, &size, &about)?;
            let code =
                if yes { format!("#define {id} {size}") } else { format!("/* #undef {id} */") };
            set.plain(CODE, &code)
        }
        // CMake has no modules for these; set the value, as for the size of a type.
        Subject::Alignment(name) => set.entry(ID, &value(answer), &format!("Alignment of {name}")),
        Subject::ComputeInt(expression) => {
            set.entry(ID, &value(answer), &format!("Value of {expression}"))
        }
        Subject::Define(name) => set.entry(ID, &value(answer), &format!("Expansion of {name}")),
        // TestBigEndian
        Subject::Endian => {
            let big = answer.value == Some(Value::Text("big".into()));
            set.entry(ID, if big { "1" } else { "0" }, "Result of TEST_BIG_ENDIAN")
        }
        // CheckSourceRuns
        Subject::Source { stage: Stage::Run, .. } => {
            set.entry(ID, one_or_empty, &format!("Test {id}"))?;
            let (compiled, status) = match &answer.value {
                Some(Value::Program { exit_status, .. }) => {
                    ("TRUE", exit_status.map(|status| status.to_string()))
                }
                _ => ("FALSE", None),
            };
            set.entry(COMPILED, compiled, "Result of TRY_COMPILE")?;
            if compiled == "TRUE" {
                let status = status.unwrap_or_else(|| "FAILED_TO_RUN".into());
                set.entry(EXITCODE, &status, "Result of try_run()")?;
            }
            Ok(())
        }
        // CheckSourceCompiles, which CheckStructHasMember and the flag checks use.
        Subject::Type(_)
        | Subject::Member { .. }
        | Subject::CompilerFlag(_)
        | Subject::LinkerFlag(_)
        | Subject::Source { .. } => set.entry(ID, one_or_empty, &format!("Test {id}")),
    }
}

fn integer(answer: &Answer) -> Option<String> {
    match &answer.value {
        Some(Value::Integer(number)) => Some(number.to_string()),
        _ => None,
    }
}

/// The value as text, or an empty string.
fn value(answer: &Answer) -> String {
    match &answer.value {
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Program { .. }) | None => String::new(),
    }
}

/// A quoted argument that CMake reads verbatim.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        // Don't escape semicolons: in a quoted argument the backslash would be kept.
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
