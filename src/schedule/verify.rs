//! Runs every check again, alone and one at a time, and compares the answers. An answer from a
//! batch, or from another check, must be the one that the compiler gives alone.

use super::answer::to_answer;
use super::output::OutputBudget;
use crate::check;
use crate::check::context::Context;
use crate::plan::ids::{CheckId, Id};
use crate::protocol::code::Code;
use crate::protocol::response::{Answer, Status};

/// Verifies the answers. One that differs becomes an error that names both.
pub(super) async fn verify(context: &Context, answers: &mut [Answer]) {
    context.links.distrust();
    if let Some(recall) = &context.recall {
        recall.distrust();
    }
    let mut budget = OutputBudget::default();
    for (index, answer) in answers.iter_mut().enumerate() {
        if matches!(answer.status, Status::Yes | Status::No) {
            let question =
                &context.plan.questions[context.plan.checks[CheckId::at(index)].question];
            let outcome = check::outcome(context, question).await;
            if context.runner.is_stopping() {
                return;
            }
            let alone = to_answer(&answer.id, outcome, &mut budget);
            if (alone.status, &alone.value) != (answer.status, &answer.value) {
                let reason = difference(answer, &alone);
                context.observer.notice(&format!("{}: {reason}", answer.id));
                answer.status = Status::Error;
                answer.value = None;
                answer.reason = Some(reason);
                answer.code = Some(Code::VerificationFailed);
            }
        }
        context.observer.answered(answer);
    }
}

/// The message for an answer that differs.
fn difference(batch: &Answer, alone: &Answer) -> String {
    format!(
        "verification failed: {} in the batch ({}), {} alone ({}); please report this",
        batch.status_and_value(),
        command(batch),
        alone.status_and_value(),
        command(alone)
    )
}

fn command(answer: &Answer) -> String {
    shlex::try_join(answer.command.iter().map(String::as_str)).unwrap_or_default()
}
