//! A script to `include()`, which leaves behind what CMake's own modules would: the same cache
//! entries with the same values and descriptions.

use std::collections::HashMap;
use std::io::{self, Write};

use crate::compiler::dialect::Stage;
use crate::plan::Plan;
use crate::plan::question::Subject;
use crate::protocol::response::{Answer, Status, Value};
use crate::protocol::{BadRequest, Kind};

use super::one_line;

/// How the name of a variable is made from an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Name {
    before: &'static str,
    behind: &'static str,
}

const ID: Name = Name { before: "", behind: "" };
const HAVE: Name = Name { before: "HAVE_", behind: "" };
const CODE: Name = Name { before: "", behind: "_CODE" };
const COMPILED: Name = Name { before: "", behind: "_COMPILED" };
const EXITCODE: Name = Name { before: "", behind: "_EXITCODE" };

impl Name {
    fn of(self, id: &str) -> String {
        format!("{}{id}{}", self.before, self.behind)
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

/// The first check that sets a variable of one before it, and why that cannot be. Equal ids
/// are not the subject here.
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
pub(super) fn refusal(error: &BadRequest, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "message(FATAL_ERROR {})", quoted(&format!("tryall: {error}")))
}

fn reason(answer: &Answer) -> String {
    one_line(answer.reason.as_deref().unwrap_or_default())
}

/// Where the variables of one answer are set.
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
        // No module asks these; the value is as useful as the size of a type.
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
        // CheckSourceCompiles, on which CheckStructHasMember and the flag checks rest.
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

/// A value as text; empty without one.
fn value(answer: &Answer) -> String {
    match &answer.value {
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Program { .. }) | None => String::new(),
    }
}

/// A quoted argument, which CMake takes as it is.
pub(super) fn quoted(text: &str) -> String {
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
