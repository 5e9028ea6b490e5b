//! One command of a check: it produces a file from a source, and its end means something.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::command::command_line;
use super::files::source_text;
use super::{CheckRun, Outcome};
use crate::compiler::dialect::Stage;
use crate::compiler::verdict::{self, Verdict};
use crate::exec::process::{Exit, Finished};
use crate::os::{OutputMode, Start};
use crate::plan::toolchain;
use crate::source::Source;

/// A command that produces a file.
pub(crate) struct Command<'a> {
    /// The name of the program in messages.
    pub(crate) what: &'a str,
    /// The path of the program.
    pub(crate) program: &'a Path,
    /// Its arguments, starting with its own name.
    pub(crate) argv: Vec<OsString>,
    /// The files that the command reads, named as on its command line.
    pub(crate) reads: Vec<OsString>,
    /// The file that it produces.
    pub(crate) product: Option<PathBuf>,
    /// How its output comes back.
    pub(crate) mode: OutputMode,
}

/// One command of a check after it ended.
pub(crate) struct Attempt {
    /// What its end means.
    pub(crate) verdict: Verdict,
    /// Its arguments, for reports.
    pub(crate) command: Vec<String>,
    /// Its exit status, if it ended by itself.
    pub(crate) exit_code: Option<i32>,
    /// The diagnostics.
    pub(crate) messages: String,
    /// Whether the middle of the diagnostics is missing.
    pub(crate) cut: bool,
    /// The preprocessor's standard output.
    pub(super) preprocessed: String,
    /// The file that the command produced.
    pub(crate) product: Option<PathBuf>,
}

impl Attempt {
    /// The outcome of a question that this command decides.
    pub(crate) fn outcome(self, source: Option<Source>) -> Outcome {
        Outcome {
            command: self.command,
            exit_code: self.exit_code,
            output: self.messages,
            cut: self.cut,
            source: source.map(|source| source.text),
            ..Outcome::of(self.verdict)
        }
    }
}

impl CheckRun<'_> {
    /// Runs the compiler on a file, as far as a stage needs.
    pub(crate) async fn compile(&self, stage: Stage, file: &OsStr) -> Attempt {
        let (argv, product) = command_line(self.toolchain, self.question, stage, file);
        let product = product.map(|name| self.dir.path().join(name));
        let mode = if stage == Stage::Preprocess { OutputMode::Apart } else { OutputMode::Merged };
        let (what, program, reads) = ("the compiler", self.program, vec![file.to_owned()]);
        let command = Command { what, program, argv, reads, product, mode };
        self.attempt(command, file).await
    }

    /// Runs a command that produces a file from a source.
    pub(crate) async fn attempt(&self, command: Command<'_>, file: &OsStr) -> Attempt {
        let Command { what, program, argv, reads, product, mode } = command;
        let mut env = self.toolchain.env.clone();
        if !self.toolchain.sets("PWD") {
            toolchain::set(&mut env, "PWD", self.dir.path());
        }
        if self.toolchain.private_temp {
            toolchain::set(&mut env, "TMPDIR", self.dir.path());
        }
        let check_dir = self.dir.path();
        let start = Start { program, argv: &argv, env: &env, dir: check_dir, check_dir, mode };
        let finished = self.watched(start, product.as_deref()).await;
        let (messages, preprocessed) = match mode {
            OutputMode::Apart => (&finished.stderr, finished.stdout.text()),
            OutputMode::Merged => (&finished.stdout, String::new()),
        };
        let (messages, cut) = (messages.text(), messages.is_cut());
        let source = || source_text(&self.dir.path().join(file));
        let (timeout, context) = (self.question.timeout, self.command_context());
        let product_file = product.as_deref();
        let judged =
            verdict::compiler(what, &finished, &messages, product_file, source, timeout, context);
        let is_there = |name: &OsString| self.dir.path().join(name).exists();
        let verdict = match (self.toolchain.replaced(), judged) {
            (Some(program), _) => verdict::replaced(program),
            // A script that is gone may have started without being read.
            (None, Verdict::No) if let Some(program) = self.toolchain.missing() => {
                verdict::replaced(program)
            }
            // Something removed the files before the compiler could read them.
            (None, Verdict::No) if !reads.iter().all(is_there) => verdict::removed(),
            (None, judged) => judged,
        };
        Attempt {
            verdict,
            command: reported_argv(&argv),
            exit_code: exit_code(&finished),
            messages,
            cut,
            preprocessed,
            product,
        }
    }
}

/// The exit status of a command that ended by itself.
pub(crate) fn exit_code(finished: &Finished) -> Option<i32> {
    match finished.exit {
        Exit::Code(code) => Some(code),
        _ => None,
    }
}

/// A command's arguments as text, for reports.
pub(crate) fn reported_argv(argv: &[OsString]) -> Vec<String> {
    argv.iter().map(|word| word.to_string_lossy().into_owned()).collect()
}
