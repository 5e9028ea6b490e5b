//! A script around `asyncio.create_subprocess_exec`: runs exactly the compiler commands of the
//! plan, one for each check, limited by a semaphore.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use serde_json::json;

use super::{all_utf8, unsupported};
use crate::check::command::command_line;
use crate::compiler::dialect::{STEM, Stage};
use crate::compiler::value;
use crate::plan::Plan;
use crate::plan::question::Subject;
use crate::source::{self, Form};

/// The script.
pub(super) const SCRIPT: &str = "loop.py";

/// Writes the script and the file of its commands.
pub(super) fn project(dir: &Path, plan: &Plan, repeat: usize) -> io::Result<usize> {
    let mut checks = Vec::with_capacity(plan.checks.len());
    for ask in &plan.checks {
        let question = &plan.questions[ask.question];
        let toolchain = &plan.toolchains[question.toolchain];
        if let Err(why) = &toolchain.program {
            return Err(unsupported(why.text.clone()));
        }
        let (file, text, mark) = match source::form(question, toolchain.language) {
            Form::File(path) => (path.into_os_string(), None, None),
            Form::Expansion(source) => {
                (written(&source.extension), Some(source.text), Some(value::EXPANSION_MARKS.0))
            }
            Form::Verdict(source)
            | Form::Presence(source)
            | Form::Integer(source)
            | Form::ByteOrder(source) => (written(&source.extension), Some(source.text), None),
        };
        let stage = question.subject.stage();
        let (command, product) = command_line(toolchain, question, stage, &file);
        let mut program: Vec<OsString> = Vec::new();
        if let (Stage::Run, Some(product), Subject::Source { run_args, .. }) =
            (stage, product, &question.subject)
        {
            if let Some((emulator, _)) = &toolchain.emulator {
                program.clone_from(emulator);
            }
            program.push(format!("./{product}").into());
            program.extend(run_args.iter().map(OsString::from));
        }
        checks.push(json!({
            "id": ask.id,
            "file": all_utf8(&[file])?[0],
            "source": text,
            "command": all_utf8(&command)?,
            "program": all_utf8(&program)?,
            "mark": mark,
            "fail_patterns": question.fail_patterns,
        }));
    }
    let asked = checks.len() * repeat;
    let batch = json!({"repeat": repeat, "checks": checks});
    std::fs::write(dir.join("checks.json"), batch.to_string())?;
    std::fs::write(dir.join(SCRIPT), include_str!("loop.py"))?;
    Ok(asked)
}

/// The name of a source in its directory.
fn written(extension: &str) -> OsString {
    format!("{STEM}.{extension}").into()
}
