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
    /// Whether each question may have variants, until a check asks it.
    may_be_variants: Table<QuestionId, bool>,
    /// Those that a check has asked.
    waiting_variants: Vec<QuestionId>,
    /// Whether each question may be in a chain, until a check asks it.
    may_be_linked: Table<QuestionId, bool>,
    /// Those that a check has asked.
    waiting_for_chains: Vec<QuestionId>,
}

impl Sharing {
    /// The questions of a plan that may share commands; none unless `enabled`.
    pub(super) fn new(plan: &Plan, enabled: bool) -> Self {
        let none = || plan.questions.map(|_| false);
        let (may_be_parts, may_be_variants, may_be_linked) = match enabled {
            true => (
                plan.toolchains.map(toolchain_fits),
                variants::candidates(plan),
                chains::candidates(plan),
            ),
            false => (plan.toolchains.map(|_| false), none(), none()),
        };
        Sharing {
            may_be_parts,
            waiting: Vec::new(),
            may_be_variants,
            waiting_variants: Vec::new(),
            may_be_linked,
            waiting_for_chains: Vec::new(),
        }
    }

    /// Takes a question that a check asks, if it may share commands. Takes each question once.
    pub(super) fn takes(&mut self, plan: &Plan, question: QuestionId) -> bool {
        if self.may_be_parts[plan.questions[question].toolchain]
            && let Some(candidate) = candidate(plan, question)
        {
            self.waiting.push(candidate);
            return true;
        }
        self.takes_as_variant(question) || self.takes_for_chain(question)
    }

    /// Whether any question may have variants.
    pub(super) fn has_variants(&self) -> bool {
        self.may_be_variants.iter().any(|may_be| *may_be)
    }

    /// Takes a question if it may have variants. Takes each question once.
    pub(super) fn takes_as_variant(&mut self, question: QuestionId) -> bool {
        let takes = std::mem::take(&mut self.may_be_variants[question]);
        if takes {
            self.waiting_variants.push(question);
        }
        takes
    }

    fn takes_for_chain(&mut self, question: QuestionId) -> bool {
        let takes = std::mem::take(&mut self.may_be_linked[question]);
        if takes {
            self.waiting_for_chains.push(question);
        }
        takes
    }

    /// Whether any question waits for others.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
            || !self.waiting_variants.is_empty()
            || !self.waiting_for_chains.is_empty()
    }

    /// Queues the waiting questions in batches and groups, and returns those that must run alone.
    pub(super) fn queue_waiting(
        &mut self,
        plan: &Plan,
        width: usize,
        queue: &mut Queue,
    ) -> Vec<QuestionId> {
        let waiting = std::mem::take(&mut self.waiting);
        let variants = std::mem::take(&mut self.waiting_variants);
        let linked = std::mem::take(&mut self.waiting_for_chains);
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
