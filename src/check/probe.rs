//! Whether a toolchain works at all. Only then does a no of it mean anything.
//!
//! The empty program is compiled, and linked if any check links, at the start of the batch and
//! beside its first checks; their answers wait for it.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::watch;

use crate::check::context::Context;
use crate::check::{self, Outcome};
use crate::compiler::causes::{CommandContext, Cause};
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

/// A probe to be run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProbeJob {
    /// The toolchain.
    pub toolchain: ToolchainId,
    /// [`Stage::Compile`] or [`Stage::Link`].
    pub stage: Stage,
}

/// Whether a toolchain is tried. Without a compiler, or without a place for files, every check
/// says so by itself; for commands that are given in full the caller vouches.
pub(crate) fn is_probed(context: &Context, toolchain: ToolchainId) -> bool {
    let toolchain = &context.plan.toolchains[toolchain];
    context.scratch.is_ok() && toolchain.program.is_ok() && toolchain.commands.is_none()
}

/// The probes that a run needs.
pub(crate) fn jobs(context: &Context) -> Vec<ProbeJob> {
    let plan = &context.plan;
    let mut jobs = Vec::new();
    for toolchain in plan.toolchains.ids().filter(|&toolchain| is_probed(context, toolchain)) {
        // In this order: the failure of a link waits to hear whether compiling works.
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
        let outcome = receiver.wait_for(Option::is_some).await.expect("the sender is here");
        outcome.clone().expect("waited for")
    }

    /// What the compiler writes for the empty program.
    pub(crate) async fn output(&self, stage: Stage) -> String {
        self.outcome(stage).await.output.clone()
    }

    /// Why answers of a stage do not count; `None` if they do.
    pub(crate) async fn failure(&self, stage: Stage) -> Option<Reason> {
        // A toolchain that cannot compile is not said to be unable to link.
        let mut stages = vec![Stage::Compile];
        stages.extend((stage >= Stage::Link).then_some(Stage::Link));
        for stage in stages {
            if let Some(failure) = failure(&*self.outcome(stage).await, stage) {
                return Some(failure);
            }
        }
        None
    }

    /// Whether it is known already that the toolchain compiles nothing.
    pub(crate) fn known_failure(&self) -> Option<Reason> {
        self.compile.borrow().as_ref().and_then(|outcome| failure(outcome, Stage::Compile))
    }
}

fn failure(outcome: &Outcome, stage: Stage) -> Option<Reason> {
    let verb = if stage >= Stage::Link { "link" } else { "compile" };
    let Reason { code, text } = failure_reason(outcome, code::Code::ToolchainBroken)?;
    Some(Reason::new(code, format!("the toolchain cannot {verb} an empty program: {text}")))
}

/// Why an empty program has failed, in the compiler's words if it has any. If the compiler refuses it,
/// the code is this one.
pub(crate) fn failure_reason(outcome: &Outcome, refused: code::Code) -> Option<Reason> {
    Some(match &outcome.verdict {
        Verdict::Yes => return None,
        Verdict::No => {
            // What the driver adds behind the linker's words says nothing more.
            let summaries = ["ld returned", "linker command failed", "warning:"];
            let line =
                || outcome.output.lines().filter(|l| !summaries.iter().any(|s| l.contains(s)));
            let first = line()
                .find(|line| line.contains("error"))
                .or(line().next())
                .or(outcome.output.lines().next());
            Reason::new(refused, first.unwrap_or("it says nothing").trim())
        }
        Verdict::Error(error) => error.clone(),
    })
}

/// The question whether a toolchain takes the empty program, with nothing but its own arguments.
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

/// What came of an empty program. People read the compiler's words, in which nothing is temporary.
pub(crate) async fn readable_outcome(context: &Context, question: &Question) -> Outcome {
    let mut outcome = check::outcome(context, question).await;
    if let Ok(scratch) = &context.scratch {
        outcome.output = scratch.without_check_dirs(&outcome.output);
    }
    outcome
}

/// Runs a probe, and says so if the toolchain does not work.
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
    // A failed link is told of only if compiling works, which is the other probe's to say.
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

/// A probe may take as long as any check of its toolchain.
fn timeout(plan: &Plan, toolchain: ToolchainId) -> Duration {
    let questions = plan.questions.iter().filter(|question| question.toolchain == toolchain);
    questions.map(|question| question.timeout).max().unwrap_or_default()
}

/// The compiler's own words, and how to hear them again.
pub(crate) fn notice(failure: &str, outcome: &Outcome) -> String {
    let command = shlex::try_join(outcome.command.iter().map(String::as_str)).unwrap_or_default();
    let source = outcome.source.as_deref().unwrap_or_default();
    format!("{failure}\ncommand: {command}\nsource:\n{source}output:\n{}", outcome.output)
}
