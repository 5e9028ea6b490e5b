//! When questions are asked together.

use std::collections::BTreeSet;

use super::{Job, Progress, Schedule, fused, siblings};
use crate::fuse::siblings::Family;
use crate::fuse::{self, Batch, Candidate};
use crate::plan::Plan;

/// Questions on their way to be asked together.
pub(super) struct Fusing {
    /// The questions that may share a unit, until they are looked at.
    candidates: Vec<Option<Candidate>>,
    /// Those whose turn has come, and that wait for more.
    waiting: Vec<Candidate>,
    /// What can start.
    batches: Vec<Batch>,
    /// Which questions may have siblings, until they are looked at.
    siblings: Vec<bool>,
    /// Those whose turn has come, and that wait for more.
    waiting_siblings: Vec<usize>,
    /// Families that can start.
    families: Vec<Family>,
    /// Whether one of them runs.
    pub(super) a_family_runs: bool,
    /// Those that are to be asked alone after all.
    alone: BTreeSet<usize>,
}

impl Fusing {
    pub(super) fn new(plan: &Plan, enabled: bool) -> Self {
        let count = plan.questions.len();
        let (candidates, siblings) = match enabled {
            true => (fuse::guard::candidates(plan), fuse::siblings::candidates(plan)),
            false => (vec![None; count], vec![false; count]),
        };
        Fusing {
            candidates,
            waiting: Vec::new(),
            batches: Vec::new(),
            siblings,
            waiting_siblings: Vec::new(),
            families: Vec::new(),
            a_family_runs: false,
            alone: BTreeSet::new(),
        }
    }

    /// Takes a question whose turn has come, if it is to wait for others.
    pub(super) fn takes(&mut self, question: usize) -> bool {
        if let Some(candidate) = self.candidates[question].take() {
            self.waiting.push(candidate);
            return true;
        }
        let waits = std::mem::take(&mut self.siblings[question]);
        if waits {
            self.waiting_siblings.push(question);
        }
        waits
    }

    /// Makes families of these, and leaves those with too few siblings to be asked alone.
    fn take_siblings(&mut self, plan: &Plan, questions: Vec<usize>) {
        let (families, alone) = fuse::siblings::families(plan, questions);
        self.families.extend(families);
        self.alone.extend(alone);
    }

    /// Leaves all to be asked alone.
    fn give_up(&mut self) {
        self.candidates.fill(None);
        let batches = std::mem::take(&mut self.batches);
        self.alone.extend(batches.iter().flat_map(Batch::questions));
        let waiting = std::mem::take(&mut self.waiting);
        self.alone.extend(waiting.into_iter().map(|candidate| candidate.question));
    }
}

impl Schedule {
    /// Where no check waits for another, all that have siblings are known from the start. They go
    /// first: what a family finds out about a link, others need.
    pub(super) fn start_with_families(&mut self) {
        if !self.fusing.siblings.contains(&true) {
            return;
        }
        let asks = &self.context.plan.asks;
        let mut with_siblings = Vec::new();
        for index in self.ready.clone() {
            let question = asks[index].question;
            let is_new = matches!(self.progress[question], Progress::New);
            if is_new && std::mem::take(&mut self.fusing.siblings[question]) {
                with_siblings.push(question);
                self.ready.remove(&index);
                self.progress[question] = Progress::Running { askers: vec![index] };
            }
        }
        self.fusing.take_siblings(&self.context.plan, with_siblings);
    }

    /// Starts a family if none runs: the next would wait, with a slot in its hand, for what the
    /// first finds out. Whether there was a slot for it.
    pub(super) fn start_families(&mut self) -> bool {
        if self.fusing.a_family_runs || self.fusing.families.is_empty() {
            return true;
        }
        let Some(slot) = self.slots.take() else { return false };
        self.fusing.a_family_runs = true;
        let family = self.fusing.families.remove(0);
        let context = self.context.clone();
        self.tasks.spawn_local(async move {
            let fused = Box::new(siblings::answer(&context, family).await);
            (Job::Family(fused), slot)
        });
        true
    }

    /// Whether checks that wait for this one may still share commands.
    fn brings_more(&self, question: usize) -> bool {
        let asks = &self.context.plan.asks;
        let is_open = |&check: &usize| {
            self.answers[check].is_none()
                && matches!(self.progress[asks[check].question], Progress::New)
        };
        match &self.progress[question] {
            Progress::Running { askers } => {
                askers.iter().any(|&check| self.needed_by[check].iter().any(is_open))
            }
            _ => false,
        }
    }

    /// Starts batches, and what they have left, when nothing else is to be started: what runs may
    /// bring more that can share their commands.
    pub(super) fn start_what_is_fused(&mut self) -> bool {
        let some_wait = !self.fusing.waiting.is_empty() || !self.fusing.waiting_siblings.is_empty();
        if some_wait && !self.alone.iter().any(|&question| self.brings_more(question)) {
            let waiting = std::mem::take(&mut self.fusing.waiting);
            let siblings = std::mem::take(&mut self.fusing.waiting_siblings);
            let width = self.slots.width().max(1);
            let others = siblings.len() + self.fusing.alone.len();
            let (batches, alone) = fuse::batches(&self.context.plan, waiting, width, others);
            self.fusing.batches.extend(batches);
            self.fusing.alone.extend(alone);
            self.fusing.take_siblings(&self.context.plan, siblings);
        }
        while let Some(&question) = self.fusing.alone.first() {
            let Some(slot) = self.slots.take() else { return true };
            self.fusing.alone.pop_first();
            self.start(question, slot);
        }
        while !self.fusing.batches.is_empty() {
            let Some(slot) = self.slots.take() else { return true };
            let batch = self.fusing.batches.remove(0);
            let context = self.context.clone();
            self.tasks.spawn_local(async move {
                let fused = Box::new(fused::answer(&context, batch).await);
                (Job::Fused(fused), slot)
            });
        }
        !self.start_families()
    }

    /// Takes the answers of a batch, and what it has left.
    pub(super) fn settle_fused(&mut self, fused: fused::Fused) {
        for (question, outcome) in fused.answered {
            self.settle(question, outcome);
        }
        self.fusing.alone.extend(fused.alone);
        self.fusing.batches.extend(fused.again);
        if self.context.ledger.is_exhausted() {
            self.fusing.give_up();
        }
    }
}
