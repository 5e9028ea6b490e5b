//! A script to `include()` that sets plain variables with every field of each result, for CMake
//! code that processes them. CMake reads back every byte of the values, and the script is cheap to
//! parse.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};

use crate::protocol::response::{Answer, Status, Step, Summary, Value};

use super::cmake::quoted;

/// Infixes after an id, because of which two ids may share a variable.
const INFIXES: [&str; 3] = ["_RUN", "_COMPILE", "_LINK"];

/// Why an id cannot be part of a variable's name, if so.
pub(super) fn refuses_id(id: &str) -> Option<String> {
    let good = |c: char| c == '_' || c.is_ascii_alphanumeric();
    (!id.chars().all(good) || id.starts_with(|c: char| c.is_ascii_digit())).then(|| {
        format!(
            "{id:?} is not an identifier of ASCII letters, digits and underscores, which this \
             format needs"
        )
    })
}

/// The first check that may set a variable of an earlier check, and a message.
pub(super) fn clash<'a>(ids: impl Iterator<Item = &'a str>) -> Option<(usize, String)> {
    let ids: Vec<_> = ids.collect();
    let places: HashMap<_, _> = std::iter::zip(ids.iter().copied(), 0..).collect();
    let clashes = ids.iter().enumerate().filter_map(|(index, id)| {
        let shorter = INFIXES.iter().find_map(|infix| id.strip_suffix(infix))?;
        let other = *places.get(shorter)?;
        let message =
            format!("{id:?} and {shorter:?} would set the same variables; rename one of them");
        Some((index.max(other), message))
    });
    clashes.min_by_key(|(index, _)| *index)
}

/// The script.
pub(super) fn script(answers: &[Answer], summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# Written by tryall.")?;
    for answer in answers {
        let mut result = Variables { id: &answer.id, out };
        result.of(answer)?;
    }
    writeln!(out, "set(TRYALL_PROCESSES {})", summary.processes)?;
    writeln!(out, "set(TRYALL_WALL_MS {})", summary.wall_ms)?;
    writeln!(out, "set(TRYALL_CPU_MS {})", summary.cpu_ms)
}

/// Writes the variables of one result.
struct Variables<'a> {
    id: &'a str,
    out: &'a mut dyn Write,
}

impl Variables<'_> {
    fn of(&mut self, answer: &Answer) -> io::Result<()> {
        self.word("STATUS", Some(answer.status.name()))?;
        self.text("REASON", answer.reason.as_deref().unwrap_or_default())?;
        self.word("REASON_CODE", answer.code)?;
        self.word("EXIT_CODE", answer.exit_code)?;
        match &answer.value {
            Some(Value::Program { exit_status, stdout, signal }) => {
                self.word("RUN_EXIT_CODE", *exit_status)?;
                self.word("RUN_SIGNAL", *signal)?;
                self.text("STDOUT", stdout)?;
            }
            Some(Value::Integer(number)) => self.word("VALUE", Some(number))?,
            Some(Value::Text(text)) => self.text("VALUE", text)?,
            None => {}
        }
        if let Some(step) = answer.steps.first() {
            self.step(["COMPILE_COMMAND", "COMPILE_OUTPUT", "COMPILE_EXIT_CODE"], step)?;
        }
        if let Some(step) = answer.steps.get(1) {
            self.step(["LINK_COMMAND", "LINK_OUTPUT", "LINK_EXIT_CODE"], step)?;
        }
        if let Some(step) = answer.steps.get(2) {
            self.text("STDERR", &step.output)?;
        }
        self.word("OUTPUT_TRUNCATED", answer.output_truncated.then_some(1))?;
        if answer.status != Status::Skipped {
            self.word("DURATION_MS", Some(answer.duration_ms))?;
        }
        Ok(())
    }

    fn step(&mut self, [command, output, exit_code]: [&str; 3], step: &Step) -> io::Result<()> {
        let words = shlex::try_join(step.command.iter().map(String::as_str));
        self.text(command, &words.unwrap_or_default())?;
        self.text(output, &step.output)?;
        self.word(exit_code, step.exit_code)
    }

    /// Sets a value that needs no quoting.
    fn word(&mut self, name: &str, value: Option<impl std::fmt::Display>) -> io::Result<()> {
        match value {
            Some(value) => writeln!(self.out, "set({}_{name} {value})", self.id),
            None => Ok(()),
        }
    }

    /// Sets an arbitrary value, unless it is empty.
    fn text(&mut self, name: &str, value: &str) -> io::Result<()> {
        match value {
            "" => Ok(()),
            // set() treats these as keywords, even as bracket arguments.
            "PARENT_SCOPE" | "CACHE" => {
                writeln!(self.out, "string(CONCAT {}_{name} {value})", self.id)
            }
            _ => writeln!(self.out, "set({}_{name} {})", self.id, argument(value)),
        }
    }
}

/// An argument that CMake reads verbatim.
fn argument(value: &str) -> Cow<'_, str> {
    // CMake variables cannot contain NUL.
    let value = match value.contains('\0') {
        true => Cow::Owned(value.replace('\0', "\u{fffd}")),
        false => Cow::Borrowed(value),
    };
    if value.contains('\r') {
        // CMake converts CR LF to LF before parsing.
        return quoted(&value).replace('\r', "\\r").into();
    }
    let level = "=".repeat(level(&value));
    // CMake skips a line feed after the opening bracket.
    format!("[{level}[\n{value}]{level}]").into()
}

/// The number of equals signs for a bracket argument with this text.
fn level(text: &str) -> usize {
    // Runs of equals signs after a bracket, including one at the end, before the closing bracket.
    let mut taken = Vec::new();
    for behind in text.split(']').skip(1) {
        let rest = behind.trim_start_matches('=');
        taken.push(behind.len() - rest.len());
    }
    (1..).find(|level| !taken.contains(level)).expect("there are more numbers than brackets")
}
