//! Answers one question: writes its source, drives the compiler as far as the question needs, and
//! reads the result.

pub(crate) mod asked;
mod attempt;
mod caller_file;
pub(crate) mod command;
pub(crate) mod context;
mod explicit_commands;
mod files;
pub(crate) mod links;
pub(crate) mod probe;
mod program;
pub(crate) mod recall;
pub(crate) mod stored;
pub(crate) mod toolchain_probe;
mod values;

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use crate::check::context::Context;
use crate::check::files::copy_file;
use crate::check::stored::Product;
use crate::compiler::causes;
use crate::compiler::causes::CommandContext;
use crate::compiler::diagnostics::{says_unknown_flag, without_escapes};
use crate::compiler::dialect::Stage;
use crate::compiler::value;
use crate::compiler::verdict::Verdict;
use crate::deps::sight::Seen;
use crate::exec::scratch::{CheckDir, Scratch};
use crate::plan::ids::QuestionId;
use crate::plan::question::{Question, Subject};
use crate::plan::toolchain::Toolchain;
use crate::protocol::code::{Code, Reason};
use crate::protocol::response::{How, Step, Value};
use crate::source::{self, Form, Source};

pub(crate) use attempt::{Attempt, Command, exit_code, reported_argv};

/// The result of a question.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// The answer.
    pub verdict: Verdict,
    /// The value, if the kind has one.
    pub value: Option<Value>,
    /// Why the verdict is no, if the exit status does not show it.
    pub remark: Option<Reason>,
    /// The compiler command that decided.
    pub command: Vec<String>,
    /// The exit status of the command that decided.
    pub exit_code: Option<i32>,
    /// The output of that command.
    pub output: String,
    /// Whether the middle of the output is missing.
    pub cut: bool,
    /// The source that was compiled.
    pub source: Option<String>,
    /// The commands that ran, if the toolchain has explicit commands.
    pub steps: Vec<Step>,
    /// How long it took.
    pub duration: Duration,
    /// How it was found.
    pub how: How,
    /// What the commands behind it looked at; `None` unless that was watched.
    pub seen: Option<Rc<Seen>>,
    /// The file that was copied to the caller, if answers are kept.
    pub product: Option<Product>,
}

impl Outcome {
    /// An error before any command ran.
    pub(crate) fn error(reason: Reason) -> Self {
        Outcome::of(Verdict::Error(reason))
    }

    /// An outcome with a verdict and nothing else.
    pub(crate) fn of(verdict: Verdict) -> Self {
        Outcome {
            verdict,
            value: None,
            remark: None,
            command: Vec::new(),
            exit_code: None,
            output: String::new(),
            cut: false,
            source: None,
            steps: Vec::new(),
            duration: Duration::ZERO,
            how: How::Run,
            seen: None,
            product: None,
        }
    }
}

/// Answers a question. The answer counts only if the toolchain works.
pub(crate) async fn outcome_if_toolchain_works(context: &Context, question: QuestionId) -> Outcome {
    let question = &context.plan.questions[question];
    let probe = &context.probes[question.toolchain];
    if let Some(failure) = probe.known_failure() {
        return Outcome::error(failure);
    }
    let mut outcome = outcome(context, question).await;
    if probe::is_probed(context, question.toolchain)
        && let Some(failure) = probe.failure(question.subject.stage()).await
    {
        outcome.verdict = Verdict::Error(failure);
        outcome.value = None;
    }
    outcome
}

/// Answers a question.
pub(crate) async fn outcome(context: &Context, question: &Question) -> Outcome {
    let toolchain = &context.plan.toolchains[question.toolchain];
    let program = match &toolchain.program {
        Ok(program) => program,
        Err(why) => return Outcome::error(why.clone()),
    };
    let scratch = match &*context.scratch {
        Ok(scratch) => scratch,
        Err(why) => return Outcome::error(why.clone()),
    };
    let dir = match scratch.check_dir() {
        Ok(dir) => dir,
        Err(error) => return Outcome::error(cannot_write(context, &error)),
    };
    let started = Instant::now();
    let run = CheckRun {
        context,
        question,
        toolchain,
        program,
        dir,
        deadline: started + question.timeout,
        sources: 1,
        seen: RefCell::default(),
    };
    let mut outcome = match source::form(question, toolchain.language) {
        Form::File(path) => run.verdict(path.as_os_str(), None).await,
        Form::Verdict(source) => match run.write(&source) {
            Ok(name) => run.verdict(&name, Some(source)).await,
            Err(why) => Outcome::error(why),
        },
        Form::Presence(source) => run.presence(source).await,
        Form::Expansion(source) => run.expansion(source).await,
        Form::Integer(source) => run.integer(source).await,
        Form::ByteOrder(source) => run.byte_order(source).await,
    };
    run.finish(&mut outcome).await;
    outcome.duration = started.elapsed();
    outcome.seen = run.seen();
    outcome
}

/// Why a flag is a no although the compiler succeeds.
pub(crate) fn unknown_flag() -> Reason {
    Reason::new(Code::UnknownFlag, "the output says that the flag is unknown or unused")
}

fn not_preprocessed() -> Verdict {
    let text = "the compiler did not preprocess the source; check its arguments";
    Verdict::error(Code::CompilerMisbehaved, text)
}

fn cannot_write(context: &Context, error: &std::io::Error) -> Reason {
    let temp = context.scratch.as_ref().as_ref().map_or(Path::new(""), Scratch::base);
    causes::not_written("the source", error, temp)
}

/// One question while it is being answered.
pub(crate) struct CheckRun<'a> {
    /// The state of the whole run.
    pub(crate) context: &'a Context,
    /// The question.
    pub(crate) question: &'a Question,
    /// The toolchain of the question.
    pub(crate) toolchain: &'a Toolchain,
    /// The path of the compiler.
    pub(crate) program: &'a Path,
    /// The directory in which the commands run.
    pub(crate) dir: CheckDir,
    /// When the time limit expires.
    pub(crate) deadline: Instant,
    /// How many questions a command serves, each with a part of the source. The limit on its output
    /// grows with them.
    pub(crate) sources: usize,
    /// What its commands have looked at so far.
    pub(super) seen: RefCell<Seen>,
}

impl<'a> CheckRun<'a> {
    /// Prepares a question, in a directory of its own. `None` if there is no compiler, or the
    /// directory cannot be made; answering the question alone reports why.
    pub(crate) fn begin(context: &'a Context, question: &'a Question) -> Option<Self> {
        let toolchain = &context.plan.toolchains[question.toolchain];
        let program = toolchain.program.as_ref().ok()?;
        let dir = context.scratch.as_ref().as_ref().ok()?.check_dir().ok()?;
        let deadline = Instant::now() + question.timeout;
        let seen = RefCell::default();
        Some(CheckRun { context, question, toolchain, program, dir, deadline, sources: 1, seen })
    }

    /// What the commands have looked at so far; `None` if no answers are kept.
    pub(crate) fn seen(&self) -> Option<Rc<Seen>> {
        self.context.recall.as_ref().map(|_| Rc::new(self.seen.borrow().clone()))
    }

    /// Adds what other commands have looked at, on which this run's answers rest too.
    pub(crate) fn rests_also_on(&self, seen: Option<&Seen>) {
        if let Some(seen) = seen {
            self.seen.borrow_mut().add(seen);
        }
    }

    /// The directories and the search path of the check's commands.
    pub(crate) fn command_context(&self) -> CommandContext<'_> {
        let check_dir = self.dir.path();
        let temp = self.context.scratch.as_ref().as_ref().map_or(check_dir, Scratch::base);
        CommandContext { check_dir, temp, path: self.toolchain.path() }
    }

    /// Writes a source into the check's directory and returns its name there.
    pub(crate) fn write(&self, source: &Source) -> Result<OsString, Reason> {
        let name = source.name();
        match std::fs::write(self.dir.path().join(&name), &source.text) {
            Ok(()) => Ok(name),
            Err(error) => Err(cannot_write(self.context, &error)),
        }
    }

    /// Answers a question that the exit status of the compiler, or of the program, decides.
    async fn verdict(&self, file: &OsStr, source: Option<Source>) -> Outcome {
        let stage = self.question.subject.stage();
        let mut outcome = match self.recalled_program() {
            Some(outcome) => outcome,
            None => {
                let mut outcome = match &self.toolchain.commands {
                    Some(commands) => self.explicit_commands(commands, file, source).await,
                    None => self.compile(stage, file).await.outcome(source),
                };
                self.keep_program(&mut outcome);
                outcome
            }
        };
        if stage == Stage::Run && outcome.verdict == Verdict::Yes {
            self.run_program(&mut outcome).await;
        }
        outcome
    }

    /// The path of the file that a stage produces, if it produces one.
    pub(crate) fn product_path(&self, stage: Stage) -> Option<PathBuf> {
        self.toolchain.dialect.product(stage).map(|name| self.dir.path().join(name))
    }

    /// Turns a yes into a no if a pattern says so, and otherwise copies the product.
    pub(crate) async fn finish(&self, outcome: &mut Outcome) {
        if outcome.verdict == Verdict::Yes {
            self.apply_patterns(outcome).await;
        }
        if outcome.verdict == Verdict::Yes {
            self.copy_product(outcome);
        }
    }

    /// Copies the check's product to where the request wants it.
    fn copy_product(&self, outcome: &mut Outcome) {
        let mut made = self.product_path(self.question.subject.stage());
        if self.question.product_is_data && made.as_ref().is_some_and(|made| !made.exists()) {
            // The link was known to succeed, and did not run.
            made = self.product_path(Stage::Compile);
        }
        if let (Some(product), Some(made)) = (&self.question.product, &made)
            && let Err(error) = copy_file(made, product)
        {
            let text = format!(
                "the product could not be copied to {} ({error}); its directory must exist and have \
                 free space",
                product.display()
            );
            outcome.verdict = Verdict::error(Code::ProductNotCopied, text);
            outcome.value = None;
        } else if let (Some(_), Some(made), Some(_)) =
            (&self.question.product, made, &self.context.recall)
        {
            outcome.product = Product::read(&made);
        }
    }

    /// Turns a yes into a no if the output matches a pattern or rejects the flag.
    async fn apply_patterns(&self, outcome: &mut Outcome) {
        let subject = &self.question.subject;
        let is_flag = matches!(subject, Subject::CompilerFlag(_) | Subject::LinkerFlag(_));
        let text = without_escapes(&outcome.output);
        let stdout = match &outcome.value {
            Some(Value::Program { stdout, .. }) => stdout,
            _ => "",
        };
        let steps = || outcome.steps.iter().map(|step| without_escapes(&step.output));
        let matches = |pattern: &&String| {
            let regex = &self.context.plan.patterns[*pattern];
            let found_in_step = || steps().any(|text| regex.is_match(&text));
            regex.is_match(&text) || regex.is_match(stdout) || found_in_step()
        };
        let remark = if let Some(pattern) = self.question.fail_patterns.iter().find(matches) {
            Reason::new(
                Code::FailPattern,
                format!("the output matches the fail pattern {pattern:?}"),
            )
        } else if is_flag && says_unknown_flag(&text, &self.baseline().await) {
            unknown_flag()
        } else {
            if outcome.cut && (is_flag || !self.question.fail_patterns.is_empty()) {
                outcome.verdict = Verdict::error(
                    Code::OutputTooLong,
                    "the output is too long to search all of it for patterns; silence the warnings in it",
                );
            }
            return;
        };
        outcome.verdict = Verdict::No;
        outcome.remark = Some(remark);
        if subject.stage() != Stage::Run {
            outcome.value = None;
        }
    }

    /// The toolchain's output for an empty program.
    async fn baseline(&self) -> String {
        let probe = &self.context.probes[self.question.toolchain];
        let empty = probe.outcome(self.question.subject.stage()).await;
        self.rests_also_on(empty.seen.as_deref());
        empty.output.clone()
    }

    /// Answers a question that the exit status of the preprocessor decides.
    async fn presence(&self, source: Source) -> Outcome {
        let name = match self.write(&source) {
            Ok(name) => name,
            Err(why) => return Outcome::error(why),
        };
        let attempt = self.compile(Stage::Preprocess, &name).await;
        let preprocessed = value::was_preprocessed(&attempt.preprocessed);
        let mut outcome = attempt.outcome(Some(source));
        if outcome.verdict == Verdict::Yes && !preprocessed {
            outcome.verdict = not_preprocessed();
        }
        outcome
    }

    /// Answers a question from the preprocessor's output.
    async fn expansion(&self, source: Source) -> Outcome {
        let name = match self.write(&source) {
            Ok(name) => name,
            Err(why) => return Outcome::error(why),
        };
        let mut attempt = self.compile(Stage::Preprocess, &name).await;
        let preprocessed = std::mem::take(&mut attempt.preprocessed);
        let mut outcome = attempt.outcome(Some(source));
        if outcome.verdict == Verdict::Yes && !value::was_preprocessed(&preprocessed) {
            outcome.verdict = not_preprocessed();
        }
        if outcome.verdict == Verdict::Yes {
            match value::expansion(&preprocessed) {
                Some(expansion) => outcome.value = Some(Value::Text(expansion)),
                None if preprocessed.contains(value::EXPANSION_MARKS.1) => {
                    let text = "the macro expands to more than can be kept";
                    outcome.verdict = Verdict::error(Code::OutputTooLong, text);
                }
                None => {
                    outcome.verdict = Verdict::No;
                    outcome.remark = Some(value::not_defined());
                }
            }
        }
        outcome
    }
}
