//! One command of a suite, as every strategy runs it: in a temporary directory, which receives the
//! source and is removed afterwards.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::check::command::command_line;
use crate::compiler::dialect::{STEM, Stage};
use crate::plan::Plan;
use crate::plan::ids::QuestionId;
use crate::plan::question::Subject;
use crate::source::{self, Form};

/// A compiler command, and whether to run the program that it creates.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    /// The check.
    pub id: String,
    /// The compiler's file.
    pub program: String,
    /// The command, for display.
    pub command: Vec<String>,
    /// The compiler's whole environment but `TMPDIR`.
    pub env: Vec<(String, String)>,
    /// Name and text of the source, unless it is the caller's file.
    pub source: Option<(String, String)>,
    /// Arguments for the linked program, if it is to be run.
    pub run: Option<Vec<String>>,
}

/// The result of a task.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Done {
    /// The exit status of the last command. `None` if a signal ended it or it did not run.
    pub exit: Option<i32>,
    /// The number of commands started.
    pub processes: u64,
    /// Start of the first command, in seconds since the epoch.
    pub start: f64,
    /// End of the last command.
    pub end: f64,
}

/// The name of the program that a task links.
pub(crate) const LINKED: &str = "conftest.exe";

/// The tasks of a plan: one for each check, without sharing or skipping.
pub(crate) fn tasks(plan: &Plan) -> Result<Vec<Task>, String> {
    plan.checks.iter().map(|check| task(plan, check.question, &check.id)).collect()
}

fn task(plan: &Plan, question: QuestionId, id: &str) -> Result<Task, String> {
    let question = &plan.questions[question];
    let toolchain = &plan.toolchains[question.toolchain];
    if toolchain.commands.is_some() {
        return Err(format!(
            "{id} has separate compile and link commands; the benchmark compares single commands"
        ));
    }
    let program = toolchain.program.clone().map_err(|why| why.text)?;
    let (file, source) = match source::form(question, toolchain.language) {
        Form::File(path) => (path.into_os_string(), None),
        Form::Verdict(source)
        | Form::Presence(source)
        | Form::Expansion(source)
        | Form::Integer(source)
        | Form::ByteOrder(source) => {
            let name = format!("{STEM}.{}", source.extension);
            (name.clone().into(), Some((name, source.text)))
        }
    };
    let (command, _) = command_line(toolchain, question, question.subject.stage(), &file);
    let text = |word: std::ffi::OsString| {
        word.into_string().map_err(|word| format!("{} is not UTF-8", word.display()))
    };
    Ok(Task {
        id: id.into(),
        program: text(program.into_os_string())?,
        command: command.into_iter().map(text).collect::<Result<_, _>>()?,
        // Compilers ignore variables that are not UTF-8.
        env: toolchain
            .env
            .iter()
            .filter_map(|(name, value)| Some((name.to_str()?.into(), value.to_str()?.into())))
            .collect(),
        source,
        run: match &question.subject {
            Subject::Source { stage: Stage::Run, run_args, .. } => Some(run_args.clone()),
            _ => None,
        },
    })
}

/// The time in seconds since the epoch, which is comparable between processes.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

impl Task {
    /// Creates the directory and writes the source.
    pub(crate) fn prepare(&self, room: &Path) -> io::Result<()> {
        crate::os::private_dir(room)?;
        match &self.source {
            Some((name, text)) => std::fs::write(room.join(name), text),
            None => Ok(()),
        }
    }

    /// Runs the task and blocks until each command ends.
    pub(crate) fn perform(&self, room: &Path) -> io::Result<Done> {
        let start = now();
        self.prepare(room)?;
        let mut processes = 1;
        let mut exit = wait(self, Path::new(&self.program), &self.command[1..], room)?;
        if let (Some(0), Some(args)) = (exit, &self.run) {
            processes += 1;
            exit = wait(self, &room.join(LINKED), args, room)?;
        }
        std::fs::remove_dir_all(room)?;
        Ok(Done { exit, processes, start, end: now() })
    }
}

fn wait(task: &Task, program: &Path, args: &[String], room: &Path) -> io::Result<Option<i32>> {
    let mut command = Command::new(program);
    command.args(args).current_dir(room).stdin(Stdio::null());
    command
        .env_clear()
        .envs(task.env.iter().map(|(name, value)| (name, value)))
        .env("TMPDIR", room);
    Ok(command.output()?.status.code())
}
