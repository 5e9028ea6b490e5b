//! The jobs that wait for a slot.

use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use super::argument_trials::{self, Refusal, TrialId};
use crate::batch::BatchOutcome;
use crate::batch::chains::{self, Chain};
use crate::batch::ledger::Ledger;
use crate::batch::unity::{self, Batch};
use crate::batch::variants::{self, VariantGroup};
use crate::check::context::Context;
use crate::check::probe::{self, ProbeJob};
use crate::check::{self, Outcome};
use crate::plan::ids::QuestionId;

/// What runs in a slot. The queue starts jobs in this order.
pub(super) enum Job {
    /// Probes a toolchain.
    Probe(ProbeJob),
    /// Answers variants, which share one source.
    Variants(VariantGroup),
    /// Answers a chain, which shares one source.
    Chain(Chain),
    /// Answers one question alone.
    Check(QuestionId),
    /// Answers a unity batch.
    Unity(Batch),
    /// Tries the arguments of some checks with an empty program.
    Arguments(TrialId, argument_trials::Call),
}

/// The result of a job.
pub(super) enum Ended {
    Probe,
    Variants(BatchOutcome),
    Chain(BatchOutcome),
    Check(QuestionId, Outcome),
    Unity(BatchOutcome),
    Arguments(TrialId, Option<Refusal>),
}

impl Job {
    /// Runs the job in its slot.
    pub(super) async fn run(self, context: &Context, ledger: &Ledger) -> Ended {
        match self {
            Job::Probe(job) => {
                probe::run(context, job).await;
                Ended::Probe
            }
            Job::Variants(group) => {
                Ended::Variants(variants::run::answer(context, ledger, group).await)
            }
            Job::Chain(chain) => Ended::Chain(chains::run::answer(context, ledger, chain).await),
            Job::Check(question) => {
                Ended::Check(question, check::outcome_if_toolchain_works(context, question).await)
            }
            Job::Unity(batch) => Ended::Unity(unity::run::answer(context, ledger, batch).await),
            Job::Arguments(trial, call) => {
                Ended::Arguments(trial, argument_trials::refusal(context, call).await)
            }
        }
    }
}

/// The jobs that are ready to start.
pub(super) struct Queue {
    probes: VecDeque<ProbeJob>,
    variants: VecDeque<VariantGroup>,
    /// Whether a group of variants runs. The next one would occupy a slot while it waits for what
    /// the first finds out about the linker.
    variants_run: bool,
    chains: VecDeque<Chain>,
    checks: BTreeSet<QuestionId>,
    batches: VecDeque<Batch>,
    arguments: VecDeque<(TrialId, argument_trials::Call)>,
    /// The account of what batches gain and lose.
    pub(super) ledger: Rc<Ledger>,
}

impl Queue {
    /// A queue with the probes of a run.
    pub(super) fn new(context: &Context) -> Self {
        Queue {
            probes: probe::jobs(context).into(),
            variants: VecDeque::new(),
            variants_run: false,
            chains: VecDeque::new(),
            checks: BTreeSet::new(),
            batches: VecDeque::new(),
            arguments: VecDeque::new(),
            ledger: Rc::new(Ledger::of_plan(&context.plan)),
        }
    }

    /// Queues a question to run alone.
    pub(super) fn push_check(&mut self, question: QuestionId) {
        self.checks.insert(question);
    }

    /// Queues groups of variants.
    pub(super) fn push_variants(&mut self, groups: Vec<VariantGroup>) {
        self.variants.extend(groups);
    }

    /// Queues chains.
    pub(super) fn push_chains(&mut self, chains: Vec<Chain>) {
        self.chains.extend(chains);
    }

    /// Queues unity batches.
    pub(super) fn push_batches(&mut self, batches: Vec<Batch>) {
        self.batches.extend(batches);
    }

    /// Queues a trial of arguments.
    pub(super) fn push_arguments(&mut self, trial: TrialId, call: argument_trials::Call) {
        self.arguments.push_back((trial, call));
    }

    /// How many questions are queued to run alone.
    pub(super) fn checks(&self) -> usize {
        self.checks.len()
    }

    /// Whether [`Queue::pop`] would return a job.
    pub(super) fn has_job(&self) -> bool {
        !self.probes.is_empty()
            || !self.variants_run && !self.variants.is_empty()
            || !self.chains.is_empty()
            || !self.checks.is_empty()
            || !self.batches.is_empty()
            || !self.arguments.is_empty()
    }

    /// Takes the next job.
    pub(super) fn pop(&mut self) -> Option<Job> {
        if let Some(probe) = self.probes.pop_front() {
            return Some(Job::Probe(probe));
        }
        if !self.variants_run
            && let Some(group) = self.variants.pop_front()
        {
            self.variants_run = true;
            return Some(Job::Variants(group));
        }
        let chain = self.chains.pop_front().map(Job::Chain);
        chain
            .or_else(|| self.checks.pop_first().map(Job::Check))
            .or_else(|| self.batches.pop_front().map(Job::Unity))
            .or_else(|| self.arguments.pop_front().map(|(trial, call)| Job::Arguments(trial, call)))
    }

    /// Records that the running group of variants ended, so that the next one may start.
    pub(super) fn variants_ended(&mut self) {
        self.variants_run = false;
    }

    /// Removes all batches and returns their questions, which must run alone.
    pub(super) fn split_batches(&mut self) -> Vec<QuestionId> {
        self.batches.drain(..).flat_map(|batch| batch.questions().collect::<Vec<_>>()).collect()
    }
}
