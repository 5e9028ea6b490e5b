//! Runs a plan: every question as soon as what its check needs has answered yes and a slot is
//! free, each once.

mod argument_trials;
mod asking;
pub mod command;
mod files;
mod fused;
mod fusing;
mod in_full;
mod inventory;
mod ledger;
mod output;
mod probe;
mod program;
mod siblings;
mod values;
mod verify;

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Instant;

use tokio::task::JoinSet;

use crate::code::{Code, Reason};
use crate::judge::Verdict;
use crate::judge::messages::says_unknown_flag;
use crate::language::Language;
use crate::links::Links;
use crate::plan::Plan;
use crate::plan::question::includes_a_file;
use crate::process::Runner;
use crate::response::{Answer, How, Status, Step, Summary, Value};
use crate::scratch::Scratch;
use crate::slots::{Slot, Slots};

use argument_trials::{ArgumentTrials, Refusal};
use asking::Outcome;
use fusing::Fusing;
use ledger::Ledger;
use output::OutputBudget;
use probe::{Probe, Trial};

/// What all parts of a run share.
pub struct Context {
    /// What is to be asked.
    pub plan: Plan,
    /// What runs commands.
    pub runner: Runner,
    /// Where they run, or why there is no such place.
    pub scratch: Result<Scratch, Reason>,
    /// What is told while it happens.
    pub observer: Rc<dyn Observer>,
    /// Links that need not be run again.
    pub links: Links,
    /// Held while a program runs in a directory that is not its own.
    shared_dirs: tokio::sync::Mutex<()>,
    /// Whether each toolchain works.
    probes: Vec<Probe>,
    /// What sharing sources has gained and lost.
    ledger: Ledger,
}

/// Who is told what happens during a run.
pub trait Observer {
    /// A result is final.
    fn answered(&self, answer: &Answer);
    /// Something that people should know.
    fn notice(&self, notice: &str);
}

impl Context {
    /// A run of a plan.
    pub fn new(
        plan: Plan,
        runner: Runner,
        scratch: Result<Scratch, Reason>,
        observer: Rc<dyn Observer>,
    ) -> Self {
        let probes = plan.toolchains.iter().map(|_| Probe::default()).collect();
        let links = Links::kept_in(plan.known_links.clone());
        let shared_dirs = tokio::sync::Mutex::default();
        let ledger = Ledger::of_plan(&plan);
        Context { plan, runner, scratch, observer, links, shared_dirs, probes, ledger }
    }
}

/// How a plan is run.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Whether questions may share commands.
    pub fuse: bool,
    /// Whether every check is then asked again, alone; an answer that differs becomes an error.
    pub verify: bool,
}

/// Runs the plan to its end. `None` if the run was stopped.
pub async fn run(
    context: Rc<Context>,
    slots: Slots,
    options: Options,
) -> Option<(Vec<Answer>, Summary)> {
    let started = Instant::now();
    let Options { fuse, verify } = options;
    let mut schedule = Schedule::new(context.clone(), slots, fuse, !verify);
    schedule.run().await;
    if context.runner.is_stopping() {
        return None;
    }
    let jobs = schedule.slots.width();
    drop(schedule.slots);
    let mut answers: Vec<_> = schedule
        .answers
        .into_iter()
        .map(|answer| answer.expect("a plan without circles ends"))
        .collect();
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
    answers.iter().for_each(|answer| summary.count(answer.status));
    (!context.runner.is_stopping()).then_some((answers, summary))
}

/// Rounded to a microsecond; more digits would only be noise.
fn milliseconds(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

struct Schedule {
    context: Rc<Context>,
    slots: Slots,
    /// Whether answers are told as they come in.
    tell: bool,
    trials: Vec<Trial>,
    /// Checks whose needs are met and that have not been looked at, in request order.
    ready: BTreeSet<usize>,
    /// For each check, how many of its needs are open, and who needs it.
    open_needs: Vec<usize>,
    needed_by: Vec<Vec<usize>>,
    progress: Vec<Progress>,
    answers: Vec<Option<Answer>>,
    fusing: Fusing,
    /// The questions that run alone now.
    alone: BTreeSet<usize>,
    tasks: JoinSet<(Job, Slot)>,
    argument_trials: ArgumentTrials,
    output_budget: OutputBudget,
}

/// Where a question stands.
enum Progress {
    New,
    /// The checks that ask, in the order in which they came.
    Running {
        askers: Vec<usize>,
    },
    /// The check that asked first.
    Done {
        first: usize,
        outcome: Rc<Outcome>,
    },
}

/// A task that has ended.
enum Job {
    Trial,
    Arguments(usize, Option<Refusal>),
    Question(usize, Box<Outcome>),
    Fused(Box<fused::Fused>),
    Family(Box<fused::Fused>),
}

impl Schedule {
    fn new(context: Rc<Context>, slots: Slots, fuse: bool, tell: bool) -> Self {
        let asks = &context.plan.asks;
        let mut needed_by = vec![Vec::new(); asks.len()];
        for (index, ask) in asks.iter().enumerate() {
            ask.needs.iter().for_each(|&need| needed_by[need].push(index));
        }
        let open_needs: Vec<_> = asks.iter().map(|ask| ask.needs.len()).collect();
        Schedule {
            slots,
            tell,
            // The last is taken first.
            trials: probe::trials(&context).into_iter().rev().collect(),
            ready: (0..asks.len()).filter(|&index| open_needs[index] == 0).collect(),
            open_needs,
            needed_by,
            progress: context.plan.questions.iter().map(|_| Progress::New).collect(),
            answers: vec![None; asks.len()],
            fusing: Fusing::new(&context.plan, fuse),
            alone: BTreeSet::new(),
            tasks: JoinSet::new(),
            argument_trials: ArgumentTrials::new(&context),
            output_budget: OutputBudget::default(),
            context,
        }
    }

    async fn run(&mut self) {
        if self.needed_by.iter().all(Vec::is_empty) {
            self.start_with_families();
        }
        loop {
            let starved = self.start_what_can_start();
            if !starved {
                self.slots.release_spare();
                if self.tasks.is_empty() {
                    return;
                }
            }
            tokio::select! {
                Some(ended) = self.tasks.join_next() => {
                    let (job, slot) = ended.expect("tasks do not panic and are not cancelled");
                    self.slots.give_back(slot);
                    // What a stop has ended has no outcome of its own.
                    if !self.context.runner.is_stopping() {
                        match job {
                            Job::Trial => {}
                            Job::Arguments(trial, refusal) => {
                                self.settle_argument_trial(trial, refusal);
                            }
                            Job::Question(question, outcome) => self.settle(question, *outcome),
                            Job::Fused(fused) => self.settle_fused(*fused),
                            Job::Family(fused) => {
                                self.fusing.a_family_runs = false;
                                self.settle_fused(*fused);
                            }
                        }
                    }
                }
                // Also when nothing waits any more: a token that comes late goes back.
                warning = self.slots.more() => {
                    if let Some(warning) = warning {
                        self.context.observer.notice(&warning);
                    }
                }
            }
        }
    }

    /// Starts jobs until there are none or no slot is left. Whether a job waits for a slot.
    fn start_what_can_start(&mut self) -> bool {
        if self.context.runner.is_stopping() {
            return false;
        }
        while let Some(&trial) = self.trials.last() {
            let Some(slot) = self.slots.take() else { return true };
            self.trials.pop();
            let context = self.context.clone();
            self.tasks.spawn_local(async move {
                probe::run(&context, trial).await;
                (Job::Trial, slot)
            });
        }
        if !self.start_families() {
            return true;
        }
        while let Some(&index) = self.ready.first() {
            let question = self.context.plan.asks[index].question;
            match &mut self.progress[question] {
                Progress::Running { askers } => {
                    askers.push(index);
                    self.ready.pop_first();
                }
                Progress::Done { first, outcome } => {
                    let (first, outcome) = (*first, outcome.clone());
                    self.ready.pop_first();
                    self.answer(index, Some(first), &outcome);
                }
                Progress::New => {
                    let running = Progress::Running { askers: vec![index] };
                    if !self.fusing.takes(question) {
                        let Some(slot) = self.slots.take() else { return true };
                        self.start(question, slot);
                    }
                    self.ready.pop_first();
                    self.progress[question] = running;
                }
            }
        }
        self.start_what_is_fused() || !self.start_argument_trials()
    }

    /// Whether a question was started and has no answer.
    fn is_running(&self, question: usize) -> bool {
        matches!(self.progress[question], Progress::Running { .. })
    }

    /// Starts a question alone.
    fn start(&mut self, question: usize, slot: Slot) {
        self.alone.insert(question);
        let context = self.context.clone();
        self.tasks.spawn_local(async move {
            let outcome = Box::new(answer_if_toolchain_works(&context, question).await);
            (Job::Question(question, outcome), slot)
        });
    }

    /// Hands an outcome to everybody who asked.
    fn settle_for_good(&mut self, question: usize, outcome: Outcome) {
        let outcome = Rc::new(outcome);
        let Progress::Running { askers } = &mut self.progress[question] else {
            unreachable!("only a running question ends");
        };
        let askers = std::mem::take(askers);
        let first = askers[0];
        self.progress[question] = Progress::Done { first, outcome: outcome.clone() };
        for asker in askers {
            self.answer(asker, (asker != first).then_some(first), &outcome);
        }
    }

    /// Records an answer, and looks at those who waited for it.
    fn answer(&mut self, index: usize, asked_first: Option<usize>, outcome: &Outcome) {
        let asks = &self.context.plan.asks;
        let mut answer = to_answer(&asks[index].id, outcome, &mut self.output_budget);
        if answer.status == Status::No && answer.reason.is_none() {
            let remark = remark_on_no(&self.context.plan, asks[index].question, &outcome.output);
            answer.code = remark.as_ref().map(|remark| remark.code);
            answer.reason = remark.map(|remark| remark.text);
        }
        if let Some(first) = asked_first {
            answer.how = How::Duplicate;
            answer.duration_ms = 0.0;
            let same = format!("the same question as {}", asks[first].id);
            answer.reason = Some(match answer.reason {
                Some(reason) => format!("{same}: {reason}"),
                None => same,
            });
        }
        self.record(index, answer);
    }

    /// Records an answer, and skips or readies those who waited for it. With a list of its
    /// own: a chain of skipped checks may be as long as the request.
    fn record(&mut self, index: usize, answer: Answer) {
        let mut recorded = vec![(index, answer)];
        while let Some((index, answer)) = recorded.pop() {
            if self.answers[index].is_some() {
                // Skipped before, for another of its needs.
                continue;
            }
            for &waiting in &self.needed_by[index] {
                let ask = &self.context.plan.asks[waiting];
                let is_alternative = ask.alternative_to == Some(index);
                let wanted = if is_alternative { Status::No } else { Status::Yes };
                self.open_needs[waiting] -= 1;
                if answer.status != wanted {
                    recorded.push((waiting, skipped(&ask.id, &answer)));
                } else if self.open_needs[waiting] == 0 && self.answers[waiting].is_none() {
                    self.ready.insert(waiting);
                }
            }
            if self.tell {
                self.context.observer.answered(&answer);
            }
            self.answers[index] = Some(answer);
        }
    }
}

/// Asks a question, and lets the answer count only if the toolchain works.
async fn answer_if_toolchain_works(context: &Context, question: usize) -> Outcome {
    let question = &context.plan.questions[question];
    let probe = &context.probes[question.toolchain];
    if let Some(failure) = probe.known_failure() {
        return Outcome::error(failure);
    }
    let mut outcome = asking::ask(context, question).await;
    if probe::is_tried(context, question.toolchain)
        && let Some(failure) = probe.failure(question.subject.stage()).await
    {
        outcome.verdict = Verdict::Error(failure);
        outcome.value = None;
    }
    outcome
}

/// What to do about a no for which [`lacks_header`].
pub const NO_HEADER: &str = "no header was given; name the one that declares it, in \"headers\" or behind \
                             an @, as in fork@unistd.h";

/// Whether a question is about what a header declares, and has none.
pub fn lacks_header(plan: &Plan, question: usize) -> bool {
    let question = &plan.questions[question];
    let toolchain = &plan.toolchains[question.toolchain];
    question.subject.wants_a_declaration()
        && question.has_no_header()
        && !toolchain.args.iter().any(includes_a_file)
        && toolchain.language != Language::Fortran
}

/// What may make a no another one than was meant.
fn remark_on_no(plan: &Plan, question: usize, output: &str) -> Option<Reason> {
    if lacks_header(plan, question) {
        return Some(Reason::new(Code::NoHeader, NO_HEADER));
    }
    let question = &plan.questions[question];
    let toolchain = &plan.toolchains[question.toolchain];
    let has_args = !question.args.is_empty() || !question.link_args.is_empty();
    let errors = || output.lines().filter(|line| line.contains("error:"));
    let text = "the compiler does not know one of the arguments; see its message in the output";
    (has_args && toolchain.commands.is_none() && errors().any(|line| says_unknown_flag(line, "")))
        .then(|| Reason::new(Code::UnknownArgument, text))
}

fn skipped(id: &str, need: &Answer) -> Answer {
    Answer {
        id: id.into(),
        status: Status::Skipped,
        value: None,
        how: How::Run,
        duration_ms: 0.0,
        command: Vec::new(),
        exit_code: None,
        output: String::new(),
        output_truncated: false,
        reason: Some(format!("needs {}, which is {}", need.id, need.status.name())),
        code: Some(Code::NeedNotMet),
        source: None,
        steps: Vec::new(),
    }
}

fn to_answer(id: &str, outcome: &Outcome, budget: &mut OutputBudget) -> Answer {
    let (status, reason) = match &outcome.verdict {
        Verdict::Yes => (Status::Yes, None),
        Verdict::No => (Status::No, outcome.remark.clone()),
        Verdict::Error(reason) => (Status::Error, Some(reason.clone())),
    };
    let (code, reason) = reason.map(|reason| (reason.code, reason.text)).unzip();
    let (output, truncated) = budget.cut(&outcome.output);
    let mut output_truncated = truncated || outcome.cut;
    let mut value = outcome.value.clone();
    if let Some(Value::Program { stdout, .. }) = &mut value {
        let (kept, cut) = budget.cut(stdout);
        *stdout = kept;
        output_truncated |= cut;
    }
    let mut reported = |step: &Step| {
        let (output, cut) = budget.cut(&step.output);
        output_truncated |= cut;
        Step { output, ..step.clone() }
    };
    let steps = outcome.steps.iter().map(&mut reported).collect();
    Answer {
        id: id.into(),
        status,
        value,
        how: if outcome.fused { How::Fused } else { How::Run },
        duration_ms: milliseconds(outcome.duration),
        command: outcome.command.clone(),
        exit_code: outcome.exit_code,
        output,
        output_truncated,
        reason,
        code,
        source: outcome.source.clone(),
        steps,
    }
}
