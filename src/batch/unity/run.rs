//! Runs a batch of questions that share commands.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::HashSet;
use std::ffi::OsString;

use tokio::time::Instant;

use crate::batch::BatchOutcome;
use crate::batch::ledger::{self, Ledger};
use crate::batch::unity::evidence::{self, Diagnostics, Linked};
use crate::batch::unity::part::DecidedBy;
use crate::batch::unity::source::{Unit, macro_mark};
use crate::batch::unity::{self, Batch, Candidate, MIN_QUESTIONS};
use crate::bytes;
use crate::check::context::Context;
use crate::check::{Attempt, CheckRun, Command, Outcome, reported_argv};
use crate::compiler::diagnostics::STOPPED_AT_LIMIT;
use crate::compiler::dialect::Stage;
use crate::compiler::value::{self, Found};
use crate::compiler::verdict::Verdict;
use crate::os::OutputMode;
use crate::plan::ids::QuestionId;
use crate::protocol::code::{Code, Reason};
use crate::protocol::response::{How, Value};

/// How often a unit, and then what remains of it, is compiled.
const ROUNDS: usize = 4;

/// Up to this many parts that keep a unit from compiling are compiled again with the rest of the
/// unit by one command, each in a unit of its own. More would keep one core busy and leave others
/// idle.
const MAX_SINGLES: usize = 4;

/// The state of a batch.
#[derive(Default)]
struct BatchProgress {
    answered: Vec<(QuestionId, Outcome)>,
    /// Whether most parts of a unit failed, so that smaller batches would do no better.
    parts_failed: bool,
    /// Whether the link of all units proved nothing. A link of fewer units may.
    link_failed: bool,
}

/// Answers the questions of a batch, as far as the output proves the answers.
pub(crate) async fn answer(context: &Context, ledger: &Ledger, batch: Batch) -> BatchOutcome {
    // Answers count only if the toolchain works. Its probes started long ago.
    let links = batch.units.iter().flatten().any(|candidate| candidate.links());
    let stage = if links { Stage::Link } else { Stage::Compile };
    if context.probes[batch.toolchain].failure(stage).await.is_some() {
        return BatchOutcome { alone: batch.questions().collect(), ..BatchOutcome::default() };
    }
    let mut progress = BatchProgress::default();
    if let Some(run) = UnityRun::new(context, ledger, &batch) {
        run.answer(&mut progress).await;
    }
    let BatchProgress { answered, parts_failed, link_failed } = progress;
    let done: HashSet<QuestionId> = answered.iter().map(|(question, _)| *question).collect();
    let may_do_better = link_failed || done.is_empty() && !parts_failed;
    let left = remaining(batch, &done);
    let may_try = may_do_better && !ledger.is_exhausted();
    if may_try && left.questions().count() >= 2 * MIN_QUESTIONS {
        BatchOutcome { answered, alone: Vec::new(), again: halves(left) }
    } else {
        BatchOutcome { answered, alone: left.questions().collect(), again: Vec::new() }
    }
}

/// A batch without the questions that are done.
fn remaining(mut batch: Batch, done: &HashSet<QuestionId>) -> Batch {
    for unit in &mut batch.units {
        unit.retain(|candidate| !done.contains(&candidate.question));
    }
    batch.units.retain(|unit| !unit.is_empty());
    batch
}

/// Both halves of a batch. A unit is split only if it is the only one.
fn halves(batch: Batch) -> Vec<Batch> {
    let Batch { toolchain, mut units } = batch;
    let second = match units.as_mut_slice() {
        [unit] => vec![unit.split_off(unit.len() / 2)],
        _ => units.split_off(units.len() / 2),
    };
    vec![Batch { toolchain, units }, Batch { toolchain, units: second }]
}

/// A batch that runs.
struct UnityRun<'a> {
    run: CheckRun<'a>,
    ledger: &'a Ledger,
    units: Vec<Unit>,
    started: Instant,
    /// The number for the next unit.
    next_number: Cell<usize>,
    /// Whether the compiler has stopped at an error limit, which shows that it is Clang.
    knows_a_limit: Cell<bool>,
}

/// Clang's default error limit.
const CLANG_ERROR_LIMIT: usize = 20;

/// A unit after its compile, with its diagnostics.
struct Compiled {
    unit: Unit,
    diagnostics: Diagnostics,
    object: Vec<u8>,
    exit_code: Option<i32>,
}

impl<'a> UnityRun<'a> {
    fn new(context: &'a Context, ledger: &'a Ledger, batch: &Batch) -> Option<Self> {
        let question = &context.plan.questions[batch.questions().next()?];
        let started = Instant::now();
        let timeout = batch.questions().map(|index| context.plan.questions[index].timeout).min()?;
        let deadline = started + timeout;
        let sources = batch.questions().count();
        let run = CheckRun { deadline, sources, ..CheckRun::begin(context, question)? };
        let units = batch.units.iter().cloned().enumerate();
        let units: Vec<_> =
            units.map(|(number, unit)| Unit::new(&context.plan, number, unit)).collect();
        let next_number = Cell::new(units.len());
        Some(UnityRun { run, ledger, units, started, next_number, knows_a_limit: Cell::new(false) })
    }

    async fn answer(self, progress: &mut BatchProgress) {
        let ledger = self.ledger;
        let mut good = Vec::new();
        // Each unit with the number of times it was compiled. Units with the most questions gain
        // the most and go first.
        let mut waiting: Vec<_> = self.units.iter().map(|unit| (unit.clone(), 0)).collect();
        waiting.sort_by_key(|(unit, _)| Reverse(unit.candidates.len()));
        let mut likely = Vec::new();
        let mut expected = 0;
        loop {
            let staked = ledger.stake(waiting.len()).await;
            let tried = likely.drain(..).chain(waiting.drain(..staked));
            let (units, rounds): (Vec<_>, Vec<usize>) = tried.unzip();
            if units.is_empty() {
                break;
            }
            let answered = progress.answered.len();
            let compiled = self.compile(&units).await;
            let is_compiled = compiled.is_some();
            let mut saved = 0;
            for (compiled, rounds) in std::iter::zip(compiled.unwrap_or_default(), rounds) {
                match self.judge(compiled, progress) {
                    Judgement::Good(compiled) => {
                        saved += self.cost_alone(&compiled.unit);
                        good.push(*compiled);
                    }
                    Judgement::Retry { rest, singles } if rounds + 1 < ROUNDS => {
                        let again = |unit| (unit, rounds + 1);
                        waiting.extend(singles.into_iter().map(again));
                        match rest {
                            Some((unit, true)) => likely.push(again(unit)),
                            Some((unit, false)) => waiting.insert(0, again(unit)),
                            None => {}
                        }
                    }
                    Judgement::Retry { .. } | Judgement::Done => {}
                }
            }
            expected += saved;
            ledger.settle(staked, units.len(), saved + progress.answered.len() - answered);
            if !is_compiled {
                break;
            }
        }
        let compiled = self.run.seen();
        let answered = progress.answered.len();
        let linked = self.link(&good).await;
        progress.link_failed =
            linked.is_none() && good.iter().any(|compiled| compiled.unit.links());
        for compiled in &good {
            self.record_answers(compiled, linked.as_ref(), progress);
        }
        let plan = &self.run.context.plan;
        let answered = progress.answered[answered..].iter();
        let saved: usize =
            answered.map(|(question, _)| ledger::cost(&plan.questions[*question])).sum();
        let linked = self.run.seen();
        for (question, outcome) in &mut progress.answered {
            let stage = plan.questions[*question].subject.stage();
            outcome.seen.clone_from(if stage >= Stage::Link { &linked } else { &compiled });
        }
        let links = good.iter().any(|compiled| compiled.unit.links());
        ledger.spend(expected - saved + if links { ledger::LINK } else { 0 });
    }

    /// The cost of answering the questions of a unit alone, in compiles.
    fn cost_alone(&self, unit: &Unit) -> usize {
        let question = |candidate: &Candidate| &self.run.context.plan.questions[candidate.question];
        unit.candidates.iter().map(question).map(ledger::cost).sum()
    }

    /// Compiles units by one command. `None` if the output cannot be assigned to the units.
    async fn compile(&self, units: &[Unit]) -> Option<Vec<Compiled>> {
        let path = |name: String| self.run.dir.path().join(name);
        for unit in units {
            // Remove the output of an earlier command, so that it cannot pass for this one's.
            let _ = std::fs::remove_file(path(unit.object_name()));
            std::fs::write(path(unit.source_name()), &unit.text).ok()?;
        }
        let mut argv = self.command();
        argv.push("-c".into());
        if self.knows_a_limit.get() {
            // One compile should report an error for each question. But one question may cause many
            // long messages, and without a limit these could take longer than the questions alone.
            let most = units.iter().map(|unit| unit.candidates.len()).max().unwrap_or_default();
            argv.push(format!("-ferror-limit={}", most.max(CLANG_ERROR_LIMIT)).into());
        }
        argv.extend(units.iter().map(|unit| OsString::from(unit.source_name())));
        let attempt = self.run(argv, None, &units[0]).await?;
        if attempt.messages.contains(STOPPED_AT_LIMIT) {
            self.knows_a_limit.set(true);
        }
        let diagnostics =
            evidence::diagnostics_by_unit(&attempt.messages, &units.iter().collect::<Vec<_>>())?;
        let compiled =
            std::iter::zip(units.iter().cloned(), diagnostics).map(|(unit, diagnostics)| {
                let object = value::read_product(&path(unit.object_name())).unwrap_or_default();
                // The exit status of the command also depends on the other units.
                let exit_code = if object.is_empty() { attempt.exit_code } else { Some(0) };
                Compiled { unit, diagnostics, object, exit_code }
            });
        let compiled: Vec<_> = compiled.collect();
        // Either all object files exist, or the command reports a failure.
        let all = compiled.iter().all(|compiled| !compiled.object.is_empty());
        (all == (attempt.verdict == Verdict::Yes)).then_some(compiled)
    }

    /// Decides what to do with a compiled unit: use it, compile a part of it again, or give up.
    fn judge(&self, compiled: Compiled, progress: &mut BatchProgress) -> Judgement {
        let Compiled { unit, diagnostics, object, .. } = &compiled;
        let is_there = !object.is_empty() && diagnostics.errors.is_empty();
        let plan = &self.run.context.plan;
        let escaping = if is_there { unit.escaping(plan, object) } else { Vec::new() };
        if is_there && escaping.is_empty() && (unit.is_single() || diagnostics.is_silent()) {
            return Judgement::Good(Box::new(compiled));
        }
        let first_error = diagnostics.errors.first().copied();
        let in_common =
            diagnostics.is_fatal && first_error.is_some_and(|line| line <= unit.common_lines);
        let in_the_part = unit.is_single()
            && first_error.is_some()
            && diagnostics.errors.iter().all(|line| unit.bodies[0].contains(line));
        if object.is_empty() && (in_common || in_the_part) {
            for candidate in 0..unit.candidates.len() {
                let reduced = unit.reduced_to(plan, candidate);
                let mut outcome = self.outcome(&compiled, &reduced, Verdict::No);
                outcome.command = reported_argv(&self.compile_alone(unit));
                outcome.output = diagnostics.output.clone();
                progress.answered.push((unit.candidates[candidate].question, outcome));
            }
            return Judgement::Done;
        }
        if diagnostics.elsewhere || unit.is_single() {
            return Judgement::Done;
        }
        let mentioned = |candidate: &usize| {
            diagnostics
                .mentioned
                .iter()
                .chain(&diagnostics.noted)
                .any(|line| unit.lines[*candidate].contains(line))
        };
        let unit_size = unit.candidates.len();
        let all = 0..unit_size;
        let of = |place: usize| unit.candidates[place].clone();
        let is_quiet = |place: &usize| !mentioned(place) && !escaping.contains(place);
        let rest: Vec<_> = all.clone().filter(is_quiet).map(of).collect();
        progress.parts_failed |= rest.len() * 2 < unit.candidates.len();
        if rest.len() == unit.candidates.len() {
            return Judgement::Done;
        }
        let number = || self.next_number.replace(self.next_number.get() + 1);
        let unit = |parts| Unit::new(plan, number(), parts);
        // A unit of its own would not help a part whose macros may reach beyond it.
        let mut singles: Vec<_> =
            all.filter(|place| mentioned(place) && !escaping.contains(place)).collect();
        if singles.len() > MAX_SINGLES {
            singles.clear();
        }
        let singles: Vec<_> = singles.into_iter().map(|place| unit(vec![of(place)])).collect();
        let has_gain = unity::has_gain(&rest) || !singles.is_empty() && !rest.is_empty();
        // Nothing is known about the parts behind the error at which the compiler stopped.
        let is_likely = !diagnostics.is_stopped && ledger::is_likely(rest.len(), unit_size);
        Judgement::Retry { rest: has_gain.then(|| (unit(rest), is_likely)), singles }
    }

    /// Links all good units that contain link questions. `None` if the link proves nothing.
    async fn link(&self, good: &[Compiled]) -> Option<(Linked, Attempt)> {
        let units: Vec<_> = good.iter().map(|c| &c.unit).filter(|unit| unit.links()).collect();
        let argv = self.link_command(&units, Unit::object_name);
        let first = units.first()?;
        let attempt = self.run(argv, Some(Stage::Link), first).await?;
        if attempt.verdict != Verdict::Yes || attempt.cut {
            return None;
        }
        let linked = evidence::parse_link_output(&attempt.messages)?;
        units.iter().all(|unit| linked.is_sound(unit)).then_some((linked, attempt))
    }

    /// Records the answers that a compiled unit and the link prove.
    fn record_answers(
        &self,
        compiled: &Compiled,
        linked: Option<&(Linked, Attempt)>,
        progress: &mut BatchProgress,
    ) {
        let unit = &compiled.unit;
        for (index, candidate) in unit.candidates.iter().enumerate() {
            let question = candidate.question;
            let reduced = unit.reduced_to(&self.run.context.plan, index);
            let mut outcome = self.outcome(compiled, &reduced, Verdict::Yes);
            outcome.command = reported_argv(&self.compile_alone(unit));
            outcome.output = compiled.diagnostics.output.clone();
            match &candidate.part.decided_by {
                DecidedBy::Compiles => {}
                DecidedBy::Integer => {
                    let open = value::open_numbered(question);
                    let Found::One(number) = value::integer_behind(&compiled.object, &open) else {
                        continue;
                    };
                    outcome.value = serde_json::Number::from_i128(number).map(Value::Integer);
                }
                DecidedBy::ByteOrder => {
                    let Found::One(order) = value::byte_order(&compiled.object) else { continue };
                    outcome.value = Some(Value::Text(order.into()));
                }
                DecidedBy::Links { name, may_be_macro } => {
                    let Some((linked, attempt)) = linked else { continue };
                    let mark = [macro_mark(question).as_bytes(), b"\0"].concat();
                    let is_macro = *may_be_macro
                        && linked.is_silent_on(unit, index)
                        && bytes::contains(&compiled.object, &mark);
                    let verdict = linked.verdict(unit, index);
                    outcome.verdict = match verdict {
                        _ if is_macro => Verdict::Yes,
                        Some(evidence::LinkVerdict::Present) => Verdict::Yes,
                        Some(evidence::LinkVerdict::Missing) => Verdict::No,
                        None => continue,
                    };
                    if outcome.verdict == Verdict::No {
                        let text = format!("the linker does not find {name}");
                        outcome.remark = Some(Reason::new(Code::NotFound, text));
                    }
                    outcome.command =
                        reported_argv(&self.link_command(&[&reduced], Unit::source_name));
                    outcome.exit_code = attempt.exit_code;
                    outcome.output = linker_lines_about(&attempt.messages, unit, question, name);
                }
            }
            progress.answered.push((question, outcome));
        }
    }

    /// An outcome with this verdict for a question of a compiled unit. `reduced` has its part only.
    fn outcome(&self, compiled: &Compiled, reduced: &Unit, verdict: Verdict) -> Outcome {
        Outcome {
            exit_code: compiled.exit_code,
            source: Some(reduced.text.clone()),
            duration: self.started.elapsed(),
            how: How::Fused,
            ..Outcome::of(verdict)
        }
    }

    /// Runs a command. `None` if it did not judge, or its output was cut.
    async fn run(&self, argv: Vec<OsString>, stage: Option<Stage>, unit: &Unit) -> Option<Attempt> {
        let product = stage.and_then(|stage| self.run.product_path(stage));
        let program = self.run.program;
        let what = "the compiler";
        let reads = vec![unit.source_name().into()];
        let command = Command { what, program, argv, reads, product, mode: OutputMode::Merged };
        let attempt = self.run.attempt(command, unit.source_name().as_ref()).await;
        (!attempt.cut && !matches!(attempt.verdict, Verdict::Error(_))).then_some(attempt)
    }

    /// The start of every command of the batch: the compiler and its arguments.
    fn command(&self) -> Vec<OsString> {
        let CheckRun { toolchain, question, .. } = &self.run;
        [&toolchain.command[..], &toolchain.args, &question.args].concat()
    }

    /// The command that compiles one unit with the arguments of the shared command.
    fn compile_alone(&self, unit: &Unit) -> Vec<OsString> {
        let mut argv = self.command();
        argv.extend(["-c".into(), unit.source_name().into()]);
        argv
    }

    /// The command that links units, either their object files or their sources.
    fn link_command(&self, units: &[&Unit], file: fn(&Unit) -> String) -> Vec<OsString> {
        let mut argv = self.command();
        argv.extend(units.iter().map(|unit| OsString::from(file(unit))));
        let product =
            self.run.toolchain.dialect.product(Stage::Link).expect("a link writes a file");
        argv.extend(["-o".into(), product.into(), "-Wl,--warn-unresolved-symbols".into()]);
        let mut trace = String::from("-Wl");
        let mut seen = HashSet::new();
        for unit in units {
            let own = [unit.names().first(), unit.names().absent()];
            let is_member =
                unit.candidates.iter().filter_map(|candidate| match &candidate.part.decided_by {
                    DecidedBy::Links { name, .. } => Some(name.clone()),
                    _ => None,
                });
            for name in own.into_iter().chain(is_member).filter(|name| seen.insert(name.clone())) {
                trace.push_str(",-y,");
                trace.push_str(&name);
            }
        }
        argv.push(trace.into());
        argv
    }
}

/// What to do with a compiled unit.
enum Judgement {
    /// Use it: it compiled without unexpected diagnostics.
    Good(Box<Compiled>),
    /// Compile parts of it again.
    Retry {
        /// The parts without diagnostics, and whether they are likely to compile.
        rest: Option<(Unit, bool)>,
        /// The parts with diagnostics, each in a unit of its own.
        singles: Vec<Unit>,
    },
    /// Nothing: its questions are answered or must run alone.
    Done,
}

/// The lines of the linker's output that are about a question.
fn linker_lines_about(output: &str, unit: &Unit, question: QuestionId, name: &str) -> String {
    let function = format!("`{}'", unity::source::function(question));
    let (after, quoted) = (format!(" of {name}"), format!("`{name}'"));
    let reference = format!("{}: reference to {name}", unit.object_name());
    let lines = output.lines().filter(|line| {
        line.contains(&function)
            || line.ends_with(&after)
            || line.ends_with(&quoted)
            || line.ends_with(&reference)
    });
    lines.map(|line| format!("{line}\n")).collect()
}
