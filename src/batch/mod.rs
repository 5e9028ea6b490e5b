//! Techniques by which checks share commands, each with what may take part, what is compiled, how
//! it runs, and what counts as proof.

pub(crate) mod ledger;
pub(crate) mod unity;
pub(crate) mod variants;

use crate::check::Outcome;
use crate::plan::ids::QuestionId;

/// What came of questions that shared commands.
#[derive(Debug, Default)]
pub(crate) struct BatchOutcome {
    /// The questions that are answered.
    pub answered: Vec<(QuestionId, Outcome)>,
    /// The questions that are to be answered alone.
    pub alone: Vec<QuestionId>,
    /// Smaller batches that may do better.
    pub again: Vec<unity::Batch>,
}
