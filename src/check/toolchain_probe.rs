//! What the probes of a toolchain have found.

use std::rc::Rc;

use tokio::sync::watch;

use super::Outcome;
use crate::compiler::diagnostics::telling_line;
use crate::compiler::dialect::Stage;
use crate::compiler::verdict::Verdict;
use crate::protocol::code::{Code, Reason};

/// The probes of one toolchain.
#[derive(Debug)]
pub(crate) struct ToolchainProbe {
    compile: watch::Sender<Option<Rc<Outcome>>>,
    link: watch::Sender<Option<Rc<Outcome>>>,
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

    /// Hands the outcome of a stage to all that wait for it.
    pub(super) fn finish(&self, stage: Stage, outcome: Outcome) {
        self.sender(stage).send_replace(Some(Rc::new(outcome)));
    }

    /// The outcome of the empty program.
    pub(super) async fn outcome(&self, stage: Stage) -> Rc<Outcome> {
        let mut receiver = self.sender(stage).subscribe();
        let outcome = receiver.wait_for(Option::is_some).await.expect("the sender is not dropped");
        outcome.clone().expect("the probe has an outcome")
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

    /// Whether it is already known that answers of a stage count.
    pub(crate) fn is_known_to_work(&self, stage: Stage) -> bool {
        let works = |stage| {
            let outcome = self.sender(stage).borrow();
            outcome.as_ref().is_some_and(|outcome| outcome.verdict == Verdict::Yes)
        };
        works(Stage::Compile) && (stage < Stage::Link || works(Stage::Link))
    }

    /// Why the toolchain cannot compile, if that is already known.
    pub(crate) fn known_failure(&self) -> Option<Reason> {
        self.compile.borrow().as_ref().and_then(|outcome| failure(outcome, Stage::Compile))
    }
}

pub(super) fn failure(outcome: &Outcome, stage: Stage) -> Option<Reason> {
    let verb = if stage >= Stage::Link { "link" } else { "compile" };
    let Reason { code, text } = failure_reason(outcome, Code::ToolchainBroken)?;
    Some(Reason::new(code, format!("the toolchain cannot {verb} an empty program: {text}")))
}

/// Why an empty program failed, in the compiler's own words if there are any. `refused` is the code
/// for an ordinary error.
pub(crate) fn failure_reason(outcome: &Outcome, refused: Code) -> Option<Reason> {
    Some(match &outcome.verdict {
        Verdict::Yes => return None,
        Verdict::No => {
            let first = telling_line(&outcome.output);
            Reason::new(refused, first.unwrap_or("it printed nothing").trim())
        }
        Verdict::Error(error) => error.clone(),
    })
}
