//! Builds the answer to a check from the outcome of its question.

use std::time::Duration;

use super::output::OutputBudget;
use crate::check::Outcome;
use crate::compiler::diagnostics::has_unknown_argument;
use crate::compiler::options::include_a_file;
use crate::compiler::verdict::Verdict;
use crate::plan::Plan;
use crate::plan::ids::QuestionId;
use crate::protocol::code::{Code, Reason};
use crate::protocol::language::Language;
use crate::protocol::response::{Answer, How, Status, Step, Value};

/// The remark on a no for which [`lacks_header`] holds.
pub(crate) const NO_HEADER: &str = "no header was given; name the one that declares it, in \"headers\" or after \
                             an @, as in fork@unistd.h";

/// Whether a question is about a declaration and includes no header.
pub(crate) fn lacks_header(plan: &Plan, question: QuestionId) -> bool {
    let question = &plan.questions[question];
    let toolchain = &plan.toolchains[question.toolchain];
    question.subject.wants_a_declaration()
        && question.has_no_header()
        && !include_a_file(&toolchain.args)
        && toolchain.language != Language::Fortran
}

/// Why a no may not answer what the user meant.
pub(super) fn remark_on_no(plan: &Plan, question: QuestionId, output: &str) -> Option<Reason> {
    if lacks_header(plan, question) {
        return Some(Reason::new(Code::NoHeader, NO_HEADER));
    }
    let question = &plan.questions[question];
    let toolchain = &plan.toolchains[question.toolchain];
    let has_args = !question.args.is_empty() || !question.link_args.is_empty();
    let text = "the compiler does not know one of the arguments; see its message in the output";
    (has_args && toolchain.commands.is_none() && has_unknown_argument(output))
        .then(|| Reason::new(Code::UnknownArgument, text))
}

/// The answer to a check that was skipped because of a need.
pub(super) fn skipped(id: &str, need: &Answer) -> Answer {
    Answer {
        id: id.into(),
        status: Status::Skipped,
        value: None,
        how: How::Run,
        duration_ms: 0.0,
        command: Vec::new(),
        exit_code: None,
        output: String::new(),
        output_truncated: false,
        reason: Some(format!("needs {}, which is {}", need.id, need.status.name())),
        code: Some(Code::NeedNotMet),
        source: None,
        steps: Vec::new(),
    }
}

/// Marks an answer as the duplicate of another check's.
pub(super) fn make_duplicate(answer: &mut Answer, first: &str) {
    answer.how = How::Duplicate;
    answer.duration_ms = 0.0;
    let same = format!("the same question as {first}");
    answer.reason = Some(match answer.reason.take() {
        Some(reason) => format!("{same}: {reason}"),
        None => same,
    });
}

/// The answer to the check with this id.
pub(super) fn to_answer(id: &str, outcome: Outcome, budget: &mut OutputBudget) -> Answer {
    let (status, reason) = match outcome.verdict {
        Verdict::Yes => (Status::Yes, None),
        Verdict::No => (Status::No, outcome.remark),
        Verdict::Error(reason) => (Status::Error, Some(reason)),
    };
    let (code, reason) = reason.map(|reason| (reason.code, reason.text)).unzip();
    let (output, truncated) = budget.cut(outcome.output);
    let mut output_truncated = truncated || outcome.cut;
    let mut value = outcome.value;
    if let Some(Value::Program { stdout, .. }) = &mut value {
        let (kept, cut) = budget.cut(std::mem::take(stdout));
        *stdout = kept;
        output_truncated |= cut;
    }
    let mut reported = |step: Step| {
        let (output, cut) = budget.cut(step.output);
        output_truncated |= cut;
        Step { output, ..step }
    };
    let steps = outcome.steps.into_iter().map(&mut reported).collect();
    Answer {
        id: id.into(),
        status,
        value,
        how: outcome.how,
        duration_ms: milliseconds(outcome.duration),
        command: outcome.command,
        exit_code: outcome.exit_code,
        output,
        output_truncated,
        reason,
        code,
        source: outcome.source,
        steps,
    }
}

/// A duration in milliseconds, rounded to a microsecond.
pub(super) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
