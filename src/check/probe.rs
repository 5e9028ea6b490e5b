//! Probes whether a toolchain works at all. Only then does its no mean anything.
//!
//! At the start of a batch, each toolchain compiles the empty program, and links it if any check
//! links. The first checks run at the same time; their answers wait for the probes.

use std::path::Path;
use std::time::Duration;

use crate::check::context::Context;
use crate::check::toolchain_probe::failure;
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

/// The probes that a run needs, without those whose outcome the store holds.
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
    jobs.retain(|&job| !recall(context, job));
    jobs
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
    if let Ok(scratch) = &*context.scratch {
        outcome.output = scratch.without_check_dirs(&outcome.output);
    }
    outcome
}

/// The outcome of an empty program, from the store if it holds it.
pub(crate) async fn recalled_outcome(context: &Context, question: &Question) -> Outcome {
    let Some(recall) = &context.recall else { return readable_outcome(context, question).await };
    if let Some(outcome) = recall.find(&context.plan, question) {
        return outcome;
    }
    let outcome = readable_outcome(context, question).await;
    recall.keep(&context.plan, question, EMPTY_PROGRAM, &outcome);
    outcome
}

/// The name of an empty program in the store.
pub(super) const EMPTY_PROGRAM: &str = "(empty program)";

/// The question of a probe.
fn question(context: &Context, job: ProbeJob) -> Question {
    let toolchain = &context.plan.toolchains[job.toolchain];
    let [args, link_args] = toolchain.trial_args.clone();
    Question {
        args,
        link_args,
        timeout: timeout(&context.plan, job.toolchain),
        ..empty_program(toolchain, job.toolchain, job.stage)
    }
}

/// Takes the outcome of a probe from the store. Returns whether it is there.
fn recall(context: &Context, job: ProbeJob) -> bool {
    let question = question(context, job);
    let outcome =
        context.recall.as_ref().and_then(|it| it.find_with_seen(&context.plan, &question));
    let is_there = outcome.is_some();
    if let Some(outcome) = outcome {
        context.probes[job.toolchain].finish(job.stage, outcome);
    }
    is_there
}

/// Runs a probe, and sends a notice if the toolchain does not work.
pub(crate) async fn run(context: &Context, job: ProbeJob) {
    let toolchain = &context.plan.toolchains[job.toolchain];
    let question = question(context, job);
    let mut outcome = readable_outcome(context, &question).await;
    if outcome.verdict == Verdict::No
        && let Some(line) = missing_linker_line(&outcome.output)
    {
        let nowhere = Path::new("");
        let temp = context.scratch.as_ref().as_ref().map_or(nowhere, Scratch::base);
        let context = CommandContext { check_dir: temp, temp, path: toolchain.path() };
        outcome.verdict = Verdict::Error(Cause::NoBinutils.message(line, context));
    }
    let compiles = job.stage == Stage::Compile || outcome.verdict == Verdict::Yes;
    // Report a failed link only if compiling works, as the other probe reports.
    let failure = match compiles {
        true => failure(&outcome, job.stage),
        false => match context.probes[job.toolchain].failure(Stage::Compile).await {
            None => failure(&outcome, job.stage),
            Some(_) => None,
        },
    };
    if outcome.verdict == Verdict::Yes
        && let Some(recall) = &context.recall
    {
        // Only a yes: whether a toolchain that did not work does so now is asked each time.
        recall.keep(&context.plan, &question, EMPTY_PROGRAM, &outcome);
    }
    if let Some(failure) = failure
        && !context.runner.is_stopping()
    {
        context.observer.notice(&notice(&failure.text, &outcome));
    }
    context.probes[job.toolchain].finish(job.stage, outcome);
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
