//! What techniques have in common whose shared object file shows that each question links.

use std::rc::Rc;

use crate::check::links::inventory::Inventory;
use crate::check::{self, CheckRun, Outcome, reported_argv};
use crate::compiler::dialect::STEM;
use crate::compiler::verdict::Verdict;
use crate::plan::ids::QuestionId;
use crate::plan::question::{CallerSource, Question, Subject};
use crate::plan::toolchain::Commands;
use crate::protocol::response::{How, Step};

/// The most questions that run alone to get a link for the inventory.
const SAMPLES: usize = 2;

/// The source of a question that hands over its text.
pub(super) fn source(question: &Question) -> Option<&str> {
    match &question.subject {
        Subject::Source { code: CallerSource::Text { source, .. }, .. } => Some(source),
        _ => None,
    }
}

/// The name of a shared C source.
pub(super) fn source_name() -> String {
    format!("{STEM}.c")
}

/// The inventory of the link command that these questions share. If the command has linked nothing
/// yet, the first of them run alone.
pub(super) async fn inventory(
    run: &CheckRun<'_>,
    commands: &Commands,
    object: &[u8],
    members: &[QuestionId],
    answered: &mut Vec<(QuestionId, Outcome)>,
) -> Option<Rc<Inventory>> {
    let name = source_name();
    let (template, linker) = commands.link.as_ref()?;
    let linker = linker.as_ref().ok()?;
    let link = run.link_of(template, &commands.compile, name.as_ref(), object)?;
    let mut samples = members.iter().take(SAMPLES);
    while !run.context.links.has_linked(&link, 1) {
        let &member = samples.next()?;
        if answered.iter().all(|(done, _)| *done != member) {
            let outcome = check::outcome(run.context, &run.context.plan.questions[member]).await;
            answered.push((member, outcome));
        }
    }
    run.inventory(&link, template, linker).await
}

/// The outcome of a question that is known to compile with these diagnostics and to link without any.
/// `run` is its own.
pub(super) fn yes(run: &CheckRun<'_>, commands: &Commands, diagnostics: &str) -> Option<Outcome> {
    let name = source_name();
    let (link, _) = commands.link.as_ref()?;
    let compiled = Step {
        command: reported_argv(&run.argv(&commands.compile, name.as_ref())),
        exit_code: Some(0),
        output: diagnostics.into(),
        known: false,
    };
    let steps = vec![compiled, run.skipped_link_step(link, name.as_ref())];
    Some(Outcome {
        command: steps[1].command.clone(),
        exit_code: Some(0),
        source: Some(source(run.question)?.into()),
        steps,
        how: How::Fused,
        ..Outcome::of(Verdict::Yes)
    })
}
