//! Techniques that let checks share commands. Each module holds its eligibility rules, its sources,
//! its run, and the evidence it accepts.

pub(crate) mod chains;
pub(crate) mod ledger;
mod linked;
pub(crate) mod unity;
pub(crate) mod variants;

use crate::check::Outcome;
use crate::plan::ids::QuestionId;

/// The result of a batch of questions that shared commands.
#[derive(Debug, Default)]
pub(crate) struct BatchOutcome {
    /// The questions with an answer.
    pub answered: Vec<(QuestionId, Outcome)>,
    /// The questions that must run alone.
    pub alone: Vec<QuestionId>,
    /// Smaller batches that may answer more.
    pub again: Vec<unity::Batch>,
}
