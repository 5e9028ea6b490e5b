//! Runs a plan. Each question is answered once, as soon as a check that asks it is ready and a slot
//! is free.
//!
//! ```text
//!         a check that asks it is ready      a job answers it
//!   New ────────────────────> Open ──────────────────────────────────────> Done
//!                              │                                            ^
//!                              │  waits for others to share commands with   │
//!                              │  waits in the queue for a slot             │
//!                              │  runs, alone or in a batch                 │
//!                              └──── a no whose arguments the compiler ─────┘
//!                                    may reject waits for their trial
//! ```
//!
//! Each turn of the loop
//!
//! 1. takes every ready check to its question: a new question joins [`Sharing`] or the [`Queue`], a
//!    done one answers the check at once;
//! 2. makes batches of the questions that wait to share commands, unless a question that runs or is
//!    queued may add to them;
//! 3. starts jobs from the queue while slots are free;
//! 4. waits for a job to end, or for another slot. The outcome of a question answers all checks
//!    that ask it, and the checks that waited for these become ready.

pub(crate) mod answer;
mod argument_trials;
mod output;
mod queue;
mod sharing;
mod verify;

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Instant;

use tokio::task::JoinSet;

use crate::batch::BatchOutcome;
use crate::check::Outcome;
use crate::check::context::Context;
use crate::check::probe;
use crate::compiler::verdict::Verdict;
use crate::exec::slots::{Slot, Slots};
use crate::plan::ids::{CheckId, QuestionId, Table};
use crate::protocol::response::{Answer, How, Status, Summary};

use answer::{make_duplicate, milliseconds, remark_on_no, skipped, to_answer};
use argument_trials::ArgumentTrials;
use output::OutputBudget;
use queue::{Ended, Job, Queue};
use sharing::Sharing;

/// How to run a plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// Whether questions may share commands.
    pub share: bool,
    /// Whether every check then runs again, alone. An answer that differs becomes an error.
    pub verify: bool,
}

/// Runs a plan to its end. `None` if the run was stopped.
pub(crate) async fn run(
    context: Rc<Context>,
    slots: Slots,
    options: Options,
) -> Option<(Vec<Answer>, Summary)> {
    let started = Instant::now();
    let Options { share, verify } = options;
    let mut schedule = Schedule::new(context.clone(), slots, share, !verify);
    schedule.run().await;
    if context.runner.is_stopping() {
        return None;
    }
    let jobs = schedule.slots.width();
    drop(schedule.slots);
    let answers = schedule.answers.into_iter();
    let mut answers: Vec<_> =
        answers.map(|answer| answer.expect("without circular needs, every check ends")).collect();
    if verify {
        verify::verify(&context, &mut answers).await;
    }
    let cost = &context.runner.cost;
    let mut summary = Summary {
        processes: cost.processes.get(),
        wall_ms: milliseconds(started.elapsed()),
        cpu_ms: milliseconds(cost.cpu.get()),
        jobs,
        ..Summary::default()
    };
    answers.iter().for_each(|answer| summary.count(answer));
    (!context.runner.is_stopping()).then_some((answers, summary))
}

struct Schedule {
    context: Rc<Context>,
    slots: Slots,
    /// Whether the observer hears of each answer when it is final.
    reports: bool,
    /// Checks whose needs are met, and that are not with their question yet.
    ready: BTreeSet<CheckId>,
    checks: Table<CheckId, CheckState>,
    answers: Table<CheckId, Option<Answer>>,
    questions: Table<QuestionId, QuestionState>,
    /// How many checks ask each question.
    askers: Table<QuestionId, usize>,
    /// The questions that run alone, queued ones included.
    alone: BTreeSet<QuestionId>,
    sharing: Sharing,
    queue: Queue,
    argument_trials: ArgumentTrials,
    running: JoinSet<(Ended, Slot)>,
    output_budget: OutputBudget,
}

/// The needs of a check, and the checks that need it.
#[derive(Default)]
struct CheckState {
    /// How many of its needs have no answer yet.
    open_needs: usize,
    /// The checks that need it.
    needed_by: Vec<CheckId>,
}

/// The state of a question.
enum QuestionState {
    New,
    /// It waits for its outcome, which will answer these checks.
    Open {
        checks: Vec<CheckId>,
    },
    /// It has its outcome. `first` is the check that asked it first.
    Done {
        first: CheckId,
        /// `None` if no other check asks.
        outcome: Option<Box<Outcome>>,
    },
}

impl Schedule {
    fn new(context: Rc<Context>, slots: Slots, share: bool, reports: bool) -> Self {
        let plan = &context.plan;
        let mut checks: Table<CheckId, CheckState> = plan
            .checks
            .map(|check| CheckState { open_needs: check.needs.len(), needed_by: Vec::new() });
        for (id, check) in plan.checks.enumerate() {
            check.needs.iter().for_each(|&need| checks[need].needed_by.push(id));
        }
        let mut askers: Table<QuestionId, usize> = plan.questions.map(|_| 0);
        plan.checks.iter().for_each(|check| askers[check.question] += 1);
        Schedule {
            slots,
            reports,
            ready: plan.checks.ids().filter(|&id| checks[id].open_needs == 0).collect(),
            checks,
            answers: plan.checks.map(|_| None),
            questions: plan.questions.map(|_| QuestionState::New),
            askers,
            alone: BTreeSet::new(),
            sharing: Sharing::new(plan, share),
            queue: Queue::new(&context),
            argument_trials: ArgumentTrials::new(&context),
            running: JoinSet::new(),
            output_budget: OutputBudget::default(),
            context,
        }
    }

    async fn run(&mut self) {
        self.start_with_variants();
        loop {
            let waits_for_slot = self.start_jobs();
            if !waits_for_slot {
                self.slots.release_spare();
                if self.running.is_empty() {
                    return;
                }
            }
            tokio::select! {
                Some(ended) = self.running.join_next() => {
                    let (ended, slot) = ended.expect("jobs do not panic and are not cancelled");
                    self.slots.give_back(slot);
                    // A job that a stop ended has no outcome of its own.
                    if !self.context.runner.is_stopping() {
                        self.settle_job(ended);
                    }
                }
                // Wait for it even if no job needs a slot, because a late token must go back.
                warning = self.slots.more() => {
                    if let Some(warning) = warning {
                        self.context.observer.notice(&warning);
                    }
                }
            }
        }
    }

    /// If no check waits for another, all variants are known from the start. They run first,
    /// because other questions need what they find out about the linker.
    fn start_with_variants(&mut self) {
        let context = self.context.clone();
        let plan = &context.plan;
        if !self.sharing.has_variants() || plan.checks.iter().any(|check| !check.needs.is_empty()) {
            return;
        }
        for check in self.ready.clone() {
            let question = plan.checks[check].question;
            if !matches!(self.questions[question], QuestionState::New) {
                continue;
            }
            let recalled = self.recalled(question);
            if recalled.is_some() || self.sharing.takes_as_variant(question) {
                self.ready.remove(&check);
                self.questions[question] = QuestionState::Open { checks: vec![check] };
            }
            if let Some(outcome) = recalled {
                self.settle(question, outcome);
            }
        }
        self.queue_waiting();
    }

    /// Starts jobs while there are jobs and free slots. Returns whether a job waits for a slot.
    fn start_jobs(&mut self) -> bool {
        if self.context.runner.is_stopping() {
            return false;
        }
        self.take_ready();
        if self.sharing.has_waiting()
            && !self.alone.iter().any(|&question| self.brings_more(question))
        {
            self.queue_waiting();
        }
        loop {
            if !self.queue.has_job() {
                let Some(trial) = self.argument_trials.due(&self.questions) else { return false };
                let call = self.argument_trials.start(trial);
                self.queue.push_arguments(trial, call);
            }
            let Some(slot) = self.slots.take() else { return true };
            let job = self.queue.pop().expect("it has a job");
            self.start(job, slot);
        }
    }

    fn start(&mut self, job: Job, slot: Slot) {
        let (context, ledger) = (self.context.clone(), self.queue.ledger.clone());
        self.running.spawn_local(async move { (job.run(&context, &ledger).await, slot) });
    }

    /// Takes every ready check to its question.
    fn take_ready(&mut self) {
        while let Some(check) = self.ready.pop_first() {
            let question = self.context.plan.checks[check].question;
            match &mut self.questions[question] {
                QuestionState::Open { checks } => checks.push(check),
                QuestionState::Done { first, outcome } => {
                    let (first, outcome) = (*first, outcome.clone());
                    let outcome = outcome.expect("it is kept for all that ask");
                    self.answer(check, Some(first), *outcome);
                }
                QuestionState::New => {
                    self.questions[question] = QuestionState::Open { checks: vec![check] };
                    if let Some(outcome) = self.recalled(question) {
                        self.settle(question, outcome);
                    } else if !self.sharing.takes(&self.context.plan, question) {
                        self.queue_alone([question]);
                    }
                }
            }
        }
    }

    /// The stored outcome of a question. It counts only if the toolchain is known to work.
    fn recalled(&self, question: QuestionId) -> Option<Outcome> {
        let Context { plan, probes, recall, .. } = &*self.context;
        let question = &plan.questions[question];
        let is_probed = probe::is_probed(&self.context, question.toolchain);
        let works = || probes[question.toolchain].is_known_to_work(question.subject.stage());
        recall.as_ref().filter(|_| !is_probed || works())?.find(plan, question)
    }

    fn queue_alone(&mut self, questions: impl IntoIterator<Item = QuestionId>) {
        for question in questions {
            self.alone.insert(question);
            self.queue.push_check(question);
        }
    }

    fn queue_waiting(&mut self) {
        let (plan, width) = (&self.context.plan, self.slots.width());
        let alone = self.sharing.queue_waiting(plan, width, &mut self.queue);
        self.queue_alone(alone);
    }

    /// Whether checks that wait for this question may add to the questions that share commands.
    fn brings_more(&self, question: QuestionId) -> bool {
        let QuestionState::Open { checks } = &self.questions[question] else { return false };
        let is_new = |&check: &CheckId| {
            let question = self.context.plan.checks[check].question;
            self.answers[check].is_none() && matches!(self.questions[question], QuestionState::New)
        };
        checks.iter().any(|&check| self.checks[check].needed_by.iter().any(is_new))
    }

    fn settle_job(&mut self, ended: Ended) {
        match ended {
            Ended::Probe => {}
            Ended::Check(question, outcome) => self.settle(question, outcome),
            Ended::Chain(outcome) | Ended::Unity(outcome) => self.settle_batch(outcome),
            Ended::Variants(outcome) => {
                self.queue.variants_ended();
                self.settle_batch(outcome);
            }
            Ended::Arguments(trial, refusal) => {
                if let Some(refusal) = &refusal
                    && self.argument_trials.is_news(refusal)
                {
                    self.context.observer.notice(&refusal.notice);
                }
                for (question, outcome) in self.argument_trials.settle(trial, refusal) {
                    self.settle(question, outcome);
                }
            }
        }
    }

    /// Records the answers of a batch, and queues the questions that it left. If batches have
    /// reached the loss limit, all remaining questions run alone.
    fn settle_batch(&mut self, batch: BatchOutcome) {
        for (question, outcome) in batch.answered {
            self.settle(question, outcome);
        }
        self.queue_alone(batch.alone);
        self.queue.push_batches(batch.again);
        if self.queue.ledger.is_exhausted() {
            let given_up = [self.sharing.give_up(), self.queue.split_batches()].concat();
            self.queue_alone(given_up);
        }
    }

    /// Takes the outcome of a question, unless the trial of its arguments must come first.
    fn settle(&mut self, question: QuestionId, outcome: Outcome) {
        self.alone.remove(&question);
        let plan = &self.context.plan;
        if outcome.how != How::Stored
            && let Some(recall) = &self.context.recall
            && let QuestionState::Open { checks } = &self.questions[question]
        {
            recall.keep_check(plan, checks[0], &outcome);
        }
        for (question, outcome) in self.argument_trials.judge(question, outcome) {
            self.settle_for_good(question, outcome);
        }
    }

    /// Answers all checks that ask a question.
    fn settle_for_good(&mut self, question: QuestionId, outcome: Outcome) {
        let QuestionState::Open { checks } = &mut self.questions[question] else {
            unreachable!("only an open question gets an outcome");
        };
        let checks = std::mem::take(checks);
        let first = checks[0];
        if self.askers[question] == 1 {
            // Nobody else will ask. Ten thousand outcomes are too large to keep.
            self.questions[question] = QuestionState::Done { first, outcome: None };
            return self.answer(first, None, outcome);
        }
        self.questions[question] =
            QuestionState::Done { first, outcome: Some(outcome.clone().into()) };
        for check in checks {
            self.answer(check, (check != first).then_some(first), outcome.clone());
        }
    }

    /// Records the answer to a check. `original` is the check that asked the same question first.
    fn answer(&mut self, id: CheckId, original: Option<CheckId>, outcome: Outcome) {
        let plan = &self.context.plan;
        let check = &plan.checks[id];
        let remark = match outcome.verdict {
            Verdict::No => remark_on_no(plan, check.question, &outcome.output),
            _ => None,
        };
        let mut answer = to_answer(&check.id, outcome, &mut self.output_budget);
        if answer.status == Status::No && answer.reason.is_none() {
            answer.code = remark.as_ref().map(|remark| remark.code);
            answer.reason = remark.map(|remark| remark.text);
        }
        if let Some(first) = original {
            make_duplicate(&mut answer, &plan.checks[first].id);
        }
        self.record(id, answer);
    }

    /// Records an answer, and makes the checks that waited for it ready or skips them. Keeps a list
    /// instead of recursing, because a chain of skipped checks may be as long as the request.
    fn record(&mut self, id: CheckId, answer: Answer) {
        let mut recorded = vec![(id, answer)];
        while let Some((id, answer)) = recorded.pop() {
            if self.answers[id].is_some() {
                // It was skipped before, because of another need.
                continue;
            }
            for waiting in self.checks[id].needed_by.clone() {
                let check = &self.context.plan.checks[waiting];
                let is_alternative = check.alternative_to == Some(id);
                let wanted = if is_alternative { Status::No } else { Status::Yes };
                self.checks[waiting].open_needs -= 1;
                if answer.status != wanted {
                    recorded.push((waiting, skipped(&check.id, &answer)));
                } else if self.checks[waiting].open_needs == 0 && self.answers[waiting].is_none() {
                    self.ready.insert(waiting);
                }
            }
            if self.reports {
                self.context.observer.answered(&answer);
            }
            self.answers[id] = Some(answer);
        }
    }
}
