//! When questions are asked together.

use std::collections::{BTreeSet, HashMap};

use super::{Job, Progress, Schedule, beside, flags, fused, presence, siblings};
use crate::fuse::siblings::Family;
use crate::fuse::{self, Batch, Candidate};
use crate::plan::Plan;
use crate::plan::question::Subject;
use crate::response::Status;

/// What one command tells of many questions.
#[derive(Debug, Clone, Copy)]
pub(super) enum Look {
    /// Whether headers are there, and what macros expand to.
    Preprocessor,
    /// Whether flags are known.
    Flags,
}

/// Questions on their way to be asked together.
pub(super) struct Fusing {
    /// The questions that may be, until they are looked at.
    pub(super) candidates: Vec<Option<Candidate>>,
    /// What one command is asked of many, by checks that need no other.
    pub(super) looks: Vec<(Look, Vec<usize>)>,
    /// Those whose turn has come, and that wait for more.
    pub(super) waiting: Vec<Candidate>,
    /// What can start.
    pub(super) batches: Vec<Batch>,
    /// Which questions may have siblings.
    siblings: Vec<bool>,
    /// Families that can start.
    families: Vec<Family>,
    /// Whether one of them runs.
    pub(super) a_family_runs: bool,
    /// Which questions may be compiled beside others.
    beside: Vec<bool>,
    /// Those of them that wait for others.
    apart: Vec<usize>,
    /// What can start of them.
    rows: Vec<Vec<usize>>,
    /// Those that are to be asked alone after all.
    pub(super) alone: BTreeSet<usize>,
}

impl Fusing {
    pub(super) fn new(plan: &Plan, enabled: bool) -> Self {
        let candidates = match enabled {
            true => fuse::guard::candidates(plan),
            false => vec![None; plan.questions.len()],
        };
        let mut looks = Vec::new();
        if enabled {
            // The last is taken first.
            let groups = [
                (Look::Flags, fuse::flags::groups(plan)),
                (Look::Preprocessor, fuse::guard::looks(plan)),
            ];
            for (look, groups) in groups {
                looks.extend(groups.into_iter().map(|group| (look, group)));
            }
        }
        let beside = match enabled {
            true => fuse::beside::candidates(plan),
            false => vec![false; plan.questions.len()],
        };
        let siblings = fuse::siblings::candidates(plan, &beside);
        let families = Vec::new();
        let (waiting, batches, alone) = (Vec::new(), Vec::new(), BTreeSet::new());
        let (apart, rows) = (Vec::new(), Vec::new());
        Fusing {
            candidates,
            looks,
            waiting,
            batches,
            siblings,
            families,
            a_family_runs: false,
            beside,
            apart,
            rows,
            alone,
        }
    }

    /// Takes a question whose turn has come, if it is to wait for others.
    pub(super) fn takes(&mut self, question: usize) -> bool {
        if let Some(candidate) = self.candidates[question].take() {
            self.waiting.push(candidate);
            return true;
        }
        let waits = self.beside[question];
        if waits {
            self.apart.push(question);
        }
        waits
    }

    /// Takes those that can share no more than a command, or not even that.
    fn take_apart(&mut self, questions: impl IntoIterator<Item = usize>) {
        for question in questions {
            if self.beside[question] {
                self.apart.push(question);
            } else {
                self.alone.insert(question);
            }
        }
    }

    /// Makes families and rows of those that can share no unit. Each gets into a family once, and
    /// into a row once. No rows if too much was lost by them.
    fn split_apart(&mut self, plan: &Plan, width: usize, with_rows: bool) {
        let apart = std::mem::take(&mut self.apart);
        let (with_siblings, mut others): (Vec<_>, Vec<_>) =
            apart.into_iter().partition(|&question| std::mem::take(&mut self.siblings[question]));
        let (families, without) = fuse::siblings::families(plan, with_siblings);
        self.families.extend(families);
        others.extend(without);
        others.sort_unstable();
        others.iter().for_each(|&question| self.beside[question] = false);
        if with_rows {
            let (rows, alone) = fuse::beside::groups(plan, others, width);
            self.rows.extend(rows);
            self.alone.extend(alone);
        } else {
            self.alone.extend(others);
        }
    }

    /// Leaves all to be asked alone, or beside others.
    fn give_up(&mut self) {
        self.candidates.fill(None);
        self.looks.clear();
        let batches = std::mem::take(&mut self.batches);
        let waiting = std::mem::take(&mut self.waiting);
        self.take_apart(batches.iter().flat_map(Batch::questions));
        self.take_apart(waiting.into_iter().map(|candidate| candidate.question));
    }
}

impl Schedule {
    /// Starts what is asked of many at once. Whether there were slots for it.
    pub(super) fn start_looks(&mut self) -> bool {
        while let Some((look, group)) = self.fusing.looks.pop() {
            if !self.look(look, &group) {
                self.fusing.looks.push((look, group));
                return false;
            }
        }
        true
    }

    /// Asks, if all of a group are ready; not if there is no slot.
    fn look(&mut self, look: Look, group: &[usize]) -> bool {
        let asks = &self.context.plan.asks;
        let askers = self.ready.iter().rev().map(|&index| (asks[index].question, index));
        let first: HashMap<_, _> = askers.collect();
        let ready: Vec<_> = group.iter().filter_map(|&q| Some((q, *first.get(&q)?))).collect();
        if ready.len() < group.len() {
            return true;
        }
        let Some(slot) = self.slots.take() else { return false };
        for (question, first) in ready {
            self.ready.remove(&first);
            self.alone.insert(question);
            self.progress[question] = Progress::Running { askers: vec![first] };
        }
        let (context, group) = (self.context.clone(), group.to_vec());
        self.tasks.spawn_local(async move {
            let fused = match look {
                Look::Preprocessor => presence::look(&context, group).await,
                Look::Flags => flags::answer(&context, group).await,
            };
            (Job::Fused(Box::new(fused)), slot)
        });
        true
    }

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
        let (families, without) = fuse::siblings::families(&self.context.plan, with_siblings);
        self.fusing.families = families;
        self.fusing.apart.extend(without);
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

    /// Takes questions whose checks wait for nothing but headers: they share the commands of the
    /// others, and no core waits for what the other one finds. What is not there has mostly been
    /// found out before, and costs little. Their answers count when all needs are met, and are
    /// dropped when they are not. Nothing is run for it that does more than compile and link.
    fn take_ahead(&mut self) {
        let context = self.context.clone();
        let asks = &context.plan.asks;
        let is_header = |subject: &Subject| matches!(subject, Subject::Header { .. });
        for (index, ask) in asks.iter().enumerate() {
            let is_likely = |&need: &usize| match &self.answers[need] {
                Some(answer) => answer.status == Status::Yes,
                None => is_header(&context.plan.questions[asks[need].question].subject),
            };
            let is_next = self.answers[index].is_none()
                && self.open_needs[index] > 0
                && ask.alternative_to.is_none()
                && ask.needs.iter().all(is_likely);
            let is_new = matches!(self.progress[ask.question], Progress::New);
            if is_next && is_new && self.fusing.takes(ask.question) {
                self.progress[ask.question] = Progress::Running { askers: Vec::new() };
            }
        }
    }

    /// Starts batches, and what they have left, when nothing else is to be started: what runs may
    /// bring more that can share their commands.
    pub(super) fn start_what_is_fused(&mut self) -> bool {
        let some_wait = !self.fusing.waiting.is_empty() || !self.fusing.apart.is_empty();
        if some_wait && !self.alone.iter().any(|&question| self.brings_more(question)) {
            self.take_ahead();
            let waiting = std::mem::take(&mut self.fusing.waiting);
            let width = self.slots.width().max(1);
            let others = self.fusing.apart.len() + self.fusing.alone.len();
            let (batches, alone) = fuse::batches(&self.context.plan, waiting, width, others);
            self.fusing.batches.extend(batches);
            self.fusing.take_apart(alone);
            let may_lose = !self.context.rows.is_exhausted();
            self.fusing.split_apart(&self.context.plan, width, may_lose);
        }
        while let Some(&question) = self.fusing.alone.first() {
            if let Progress::Running { askers } = &self.progress[question]
                && askers.is_empty()
            {
                // Ahead of its checks it is asked only with others.
                self.fusing.alone.pop_first();
                self.progress[question] = Progress::New;
                continue;
            }
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
        if !self.start_families() {
            return true;
        }
        while !self.fusing.rows.is_empty() {
            let Some(slot) = self.slots.take() else { return true };
            let row = self.fusing.rows.remove(0);
            self.alone.extend(&row);
            let context = self.context.clone();
            self.tasks.spawn_local(async move {
                let fused = Box::new(beside::answer(&context, row).await);
                (Job::Fused(fused), slot)
            });
        }
        false
    }

    /// Takes the answers of a batch, and what it has left.
    pub(super) fn settle_fused(&mut self, fused: fused::Fused) {
        for (question, outcome) in fused.answered {
            self.settle(question, outcome);
        }
        for question in &fused.alone {
            // It runs no more, for now.
            self.alone.remove(question);
        }
        self.fusing.take_apart(fused.alone);
        self.fusing.batches.extend(fused.again);
        if self.context.ledger.is_exhausted() {
            self.fusing.give_up();
        }
        if self.context.rows.is_exhausted() {
            let rows = std::mem::take(&mut self.fusing.rows);
            self.fusing.alone.extend(rows.into_iter().flatten());
        }
    }
}
