//! The questions that wait for others to share commands with.

use crate::batch::chains;
use crate::batch::unity::eligibility::{candidate, toolchain_fits};
use crate::batch::unity::{self, Candidate};
use crate::batch::variants;
use crate::plan::Plan;
use crate::plan::ids::{QuestionId, Table, ToolchainId};

use super::queue::Queue;

/// The questions of a run that may share commands.
pub(super) struct Sharing {
    /// Whether questions of each toolchain may be parts of a unit.
    may_be_parts: Table<ToolchainId, bool>,
    /// The parts of those that a check has asked.
    waiting: Vec<Candidate>,
    variants: Line,
    chains: Line,
}

/// Questions that may share commands in one way.
struct Line {
    /// Whether each question may, until a check asks it.
    may_share: Table<QuestionId, bool>,
    /// Those that a check has asked.
    waiting: Vec<QuestionId>,
}

impl Line {
    fn new(may_share: Table<QuestionId, bool>) -> Self {
        Line { may_share, waiting: Vec::new() }
    }

    /// Takes a question if it may share commands. Takes each question once.
    fn takes(&mut self, question: QuestionId) -> bool {
        let takes = std::mem::take(&mut self.may_share[question]);
        if takes {
            self.waiting.push(question);
        }
        takes
    }
}

impl Sharing {
    /// The questions of a plan that may share commands; none unless `enabled`.
    pub(super) fn new(plan: &Plan, enabled: bool) -> Self {
        let none = || plan.questions.map(|_| false);
        let (may_be_parts, variants, chains) = if enabled {
            let fit = variants::fit(plan);
            let (variants, chains) =
                (variants::candidates(plan, &fit), chains::candidates(plan, &fit));
            (plan.toolchains.map(toolchain_fits), variants, chains)
        } else {
            (plan.toolchains.map(|_| false), none(), none())
        };
        let (variants, chains) = (Line::new(variants), Line::new(chains));
        Sharing { may_be_parts, waiting: Vec::new(), variants, chains }
    }

    /// Takes a question that a check asks, if it may share commands. Takes each question once.
    pub(super) fn takes(&mut self, plan: &Plan, question: QuestionId) -> bool {
        if self.may_be_parts[plan.questions[question].toolchain]
            && let Some(candidate) = candidate(plan, question)
        {
            self.waiting.push(candidate);
            return true;
        }
        self.variants.takes(question) || self.chains.takes(question)
    }

    /// Whether any question may have variants.
    pub(super) fn has_variants(&self) -> bool {
        self.variants.may_share.iter().any(|may| *may)
    }

    /// Takes a question if it may have variants. Takes each question once.
    pub(super) fn takes_as_variant(&mut self, question: QuestionId) -> bool {
        self.variants.takes(question)
    }

    /// Whether any question waits for others.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
            || !self.variants.waiting.is_empty()
            || !self.chains.waiting.is_empty()
    }

    /// Queues the waiting questions in batches and groups, and returns those that must run alone.
    pub(super) fn queue_waiting(
        &mut self,
        plan: &Plan,
        width: usize,
        queue: &mut Queue,
    ) -> Vec<QuestionId> {
        let waiting = std::mem::take(&mut self.waiting);
        let variants = std::mem::take(&mut self.variants.waiting);
        let linked = std::mem::take(&mut self.chains.waiting);
        let others = variants.len() + linked.len() + queue.checks();
        let (batches, mut alone) = unity::batches(plan, waiting, width.max(1), others);
        queue.push_batches(batches);
        let (groups, too_few) = variants::groups(plan, variants);
        queue.push_variants(groups);
        alone.extend(too_few);
        let (chains, in_none) = chains::chains(plan, linked);
        queue.push_chains(chains);
        alone.extend(in_none);
        alone
    }

    /// Stops using units, and returns the questions that waited for one.
    pub(super) fn give_up(&mut self) -> Vec<QuestionId> {
        self.may_be_parts = self.may_be_parts.map(|_| false);
        self.waiting.drain(..).map(|candidate| candidate.question).collect()
    }
}
