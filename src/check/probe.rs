//! Probes whether a toolchain works at all. Only then does its no mean anything.
//!
//! At the start of a batch, each toolchain compiles the empty program, and links it if any check
//! links. The first checks run at the same time; their answers wait for the probes.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::watch;

use crate::check::context::Context;
use crate::check::{self, Outcome};
use crate::compiler::causes::{Cause, CommandContext};
use crate::compiler::diagnostics::missing_linker_line;
use crate::compiler::dialect::Stage;
use crate::compiler::verdict::Verdict;
use crate::exec::scratch::Scratch;
use crate::plan::Plan;
use crate::plan::ids::ToolchainId;
use crate::plan::question::{CallerSource, Question, Subject};
use crate::plan::toolchain::Toolchain;
use crate::protocol::code::{self, Reason};

/// The probes of one toolchain.
#[derive(Debug)]
pub(crate) struct ToolchainProbe {
    compile: watch::Sender<Option<Rc<Outcome>>>,
    link: watch::Sender<Option<Rc<Outcome>>>,
}

/// A probe to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProbeJob {
    /// The toolchain.
    pub toolchain: ToolchainId,
    /// [`Stage::Compile`] or [`Stage::Link`].
    pub stage: Stage,
}

/// Whether a toolchain is probed. Without a compiler, or without a directory for files, every check
/// reports that itself. The caller vouches for explicit commands.
pub(crate) fn is_probed(context: &Context, toolchain: ToolchainId) -> bool {
    let toolchain = &context.plan.toolchains[toolchain];
    context.scratch.is_ok() && toolchain.program.is_ok() && toolchain.commands.is_none()
}

/// The probes that a run needs.
pub(crate) fn jobs(context: &Context) -> Vec<ProbeJob> {
    let plan = &context.plan;
    let mut jobs = Vec::new();
    for toolchain in plan.toolchains.ids().filter(|&toolchain| is_probed(context, toolchain)) {
        // In this order, because a failed link waits to hear whether compiling works.
        jobs.push(ProbeJob { toolchain, stage: Stage::Compile });
        let links = |question: &Question| {
            question.toolchain == toolchain && question.subject.stage() >= Stage::Link
        };
        if plan.questions.iter().any(links) {
            jobs.push(ProbeJob { toolchain, stage: Stage::Link });
        }
    }
    jobs
}

impl Default for ToolchainProbe {
    fn default() -> Self {
        ToolchainProbe { compile: watch::Sender::new(None), link: watch::Sender::new(None) }
    }
}

impl ToolchainProbe {
    fn sender(&self, stage: Stage) -> &watch::Sender<Option<Rc<Outcome>>> {
        if stage >= Stage::Link { &self.link } else { &self.compile }
    }

    async fn outcome(&self, stage: Stage) -> Rc<Outcome> {
        let mut receiver = self.sender(stage).subscribe();
        let outcome = receiver.wait_for(Option::is_some).await.expect("the sender is not dropped");
        outcome.clone().expect("the probe has an outcome")
    }

    /// The compiler's output for the empty program.
    pub(crate) async fn output(&self, stage: Stage) -> String {
        self.outcome(stage).await.output.clone()
    }

    /// Why answers of a stage do not count; `None` if they do.
    pub(crate) async fn failure(&self, stage: Stage) -> Option<Reason> {
        // If the toolchain cannot compile, do not report that it cannot link.
        let mut stages = vec![Stage::Compile];
        stages.extend((stage >= Stage::Link).then_some(Stage::Link));
        for stage in stages {
            if let Some(failure) = failure(&*self.outcome(stage).await, stage) {
                return Some(failure);
            }
        }
        None
    }

    /// Why the toolchain cannot compile, if that is already known.
    pub(crate) fn known_failure(&self) -> Option<Reason> {
        self.compile.borrow().as_ref().and_then(|outcome| failure(outcome, Stage::Compile))
    }
}

fn failure(outcome: &Outcome, stage: Stage) -> Option<Reason> {
    let verb = if stage >= Stage::Link { "link" } else { "compile" };
    let Reason { code, text } = failure_reason(outcome, code::Code::ToolchainBroken)?;
    Some(Reason::new(code, format!("the toolchain cannot {verb} an empty program: {text}")))
}

/// Why an empty program failed, in the compiler's own words if there are any. `refused` is the code
/// for an ordinary error.
pub(crate) fn failure_reason(outcome: &Outcome, refused: code::Code) -> Option<Reason> {
    Some(match &outcome.verdict {
        Verdict::Yes => return None,
        Verdict::No => {
            // The driver's summary adds nothing to the linker's messages.
            let summaries = ["ld returned", "linker command failed", "warning:"];
            let lines =
                || outcome.output.lines().filter(|l| !summaries.iter().any(|s| l.contains(s)));
            let first = lines()
                .find(|line| line.contains("error"))
                .or(lines().next())
                .or(outcome.output.lines().next());
            Reason::new(refused, first.unwrap_or("it printed nothing").trim())
        }
        Verdict::Error(error) => error.clone(),
    })
}

/// The question whether a toolchain accepts the empty program with its own arguments only.
pub(crate) fn empty_program(toolchain: &Toolchain, id: ToolchainId, stage: Stage) -> Question {
    let subject = Subject::Source {
        stage,
        code: CallerSource::Text {
            source: toolchain.language.empty_program().into(),
            extension: None,
        },
        run_args: Vec::new(),
        merge_output: false,
        run_dir: None,
    };
    Question { toolchain: id, ..Question::about(subject) }
}

/// The outcome of an empty program. Users read its output, so the names of check directories are
/// removed.
pub(crate) async fn readable_outcome(context: &Context, question: &Question) -> Outcome {
    let mut outcome = check::outcome(context, question).await;
    if let Ok(scratch) = &context.scratch {
        outcome.output = scratch.without_check_dirs(&outcome.output);
    }
    outcome
}

/// Runs a probe, and sends a notice if the toolchain does not work.
pub(crate) async fn run(context: &Context, job: ProbeJob) {
    let toolchain = &context.plan.toolchains[job.toolchain];
    let [args, link_args] = toolchain.trial_args.clone();
    let question = Question {
        args,
        link_args,
        timeout: timeout(&context.plan, job.toolchain),
        ..empty_program(toolchain, job.toolchain, job.stage)
    };
    let mut outcome = readable_outcome(context, &question).await;
    if outcome.verdict == Verdict::No
        && let Some(line) = missing_linker_line(&outcome.output)
    {
        let nowhere = Path::new("");
        let temp = context.scratch.as_ref().map_or(nowhere, Scratch::base);
        let context = CommandContext { check_dir: temp, temp, path: toolchain.path() };
        outcome.verdict = Verdict::Error(Cause::NoBinutils.message(line, context));
    }
    let compiles = job.stage == Stage::Compile || outcome.verdict == Verdict::Yes;
    // Report a failed link only if compiling works, which the other probe tells.
    let failure = match compiles {
        true => failure(&outcome, job.stage),
        false => match context.probes[job.toolchain].failure(Stage::Compile).await {
            None => failure(&outcome, job.stage),
            Some(_) => None,
        },
    };
    if let Some(failure) = failure
        && !context.runner.is_stopping()
    {
        context.observer.notice(&notice(&failure.text, &outcome));
    }
    context.probes[job.toolchain].sender(job.stage).send_replace(Some(Rc::new(outcome)));
}

/// The time limit of a probe: the longest of any check that uses the toolchain.
fn timeout(plan: &Plan, toolchain: ToolchainId) -> Duration {
    let questions = plan.questions.iter().filter(|question| question.toolchain == toolchain);
    questions.map(|question| question.timeout).max().unwrap_or_default()
}

/// A notice with the compiler's output and everything needed to reproduce it.
pub(crate) fn notice(failure: &str, outcome: &Outcome) -> String {
    let command = shlex::try_join(outcome.command.iter().map(String::as_str)).unwrap_or_default();
    let source = outcome.source.as_deref().unwrap_or_default();
    format!("{failure}\ncommand: {command}\nsource:\n{source}output:\n{}", outcome.output)
}
