//! The benchmark mode: how much faster checks run when they run concurrently, by which
//! technique, and how close that is to what the machine can do.

mod format;
pub mod result;
#[cfg(test)]
mod sample;
pub mod strategy;
pub mod suite;
pub mod svg;
pub mod table;
pub mod task;
pub mod trace;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use result::{Bench, CommandLine, Limit, Machine, Report, Round, Row, RowKind, Spread};
use strategy::{Performed, Strategy, Work};
use suite::Suite;
use task::Task;
use trace::Span;

use crate::os;
use crate::slots::cores;

/// The version of the exported format.
pub const VERSION: u32 = 1;

/// A row whose rounds differ by more than this much of their median is not to be trusted.
const NOISY: f64 = 0.2;

/// What a gcc, clang or gfortran takes while it runs, generously. All commands at once must
/// fit into memory.
const MEMORY_OF_A_COMPILER: u64 = 64 << 20;

/// What to measure.
pub struct Plan {
    /// The suites, each with its compiler.
    pub suites: Vec<Suite>,
    /// How often each check is made in a round; without it 8 for the Fortran suite, as in the
    /// benchmark that this one repeats, else 1.
    pub repeat: Option<usize>,
    /// Rounds that count, after one that does not.
    pub rounds: usize,
    /// How many commands at once; several for the scaling.
    pub widths: Vec<usize>,
    /// The strategies, `serial` first.
    pub strategies: Vec<Strategy>,
    /// The command line, for the record.
    pub command: Vec<String>,
}

impl Plan {
    /// How often each check of a suite is made in a round.
    fn repeat(&self, suite: &Suite) -> usize {
        self.repeat.unwrap_or(if suite.name == "fortran" { 8 } else { 1 })
    }

    /// How many tasks there are in all.
    pub fn steps(&self) -> usize {
        let tasks: usize =
            self.suites.iter().map(|suite| suite.tasks.len() * self.repeat(suite)).sum();
        tasks * self.widths.len() * self.strategies.len() * (self.rounds + 1)
    }
}

/// Who is told how far it has come.
pub trait Progress: Sync {
    /// Something new is measured.
    fn begin(&self, what: &str);
    /// A task more is done.
    fn advance(&self);
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Two ways of asking had different answers: one of them is wrong.
    #[error("{check}: {first} answers {one} and {second} answers {other}; one of them is wrong")]
    Difference {
        /// The check.
        check: String,
        /// The strategy that was first.
        first: String,
        /// What it found.
        one: String,
        /// The strategy that differs.
        second: String,
        /// What it found.
        other: String,
    },
    /// Something could not be run.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Measures. With the report come the processes of the first round that counts.
pub fn run(
    plan: &Plan,
    progress: &dyn Progress,
    interrupted: &AtomicBool,
) -> Result<(Report, Vec<Span>), Failure> {
    os::raise_file_limit();
    let mut benches = Vec::new();
    let mut spans = Vec::new();
    for suite in &plan.suites {
        for &jobs in &plan.widths {
            let mut measurement = Measurement::new(plan, suite, jobs)?;
            measurement.run(plan.rounds, progress, interrupted, &mut spans)?;
            benches.push(measurement.bench());
        }
    }
    let report = Report {
        version: VERSION,
        tryall: env!("CARGO_PKG_VERSION").into(),
        command: plan.command.clone(),
        machine: machine(),
        benches,
        interrupted: interrupted.load(Ordering::Relaxed),
    };
    Ok((report, spans))
}

fn machine() -> Machine {
    Machine {
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        processor: os::processor(),
        cores: cores(),
    }
}

/// One suite at one width.
struct Measurement<'a> {
    suite: &'a Suite,
    repeat: usize,
    jobs: usize,
    tasks: Vec<Task>,
    rows: Vec<Row>,
    strategies: Vec<Option<Strategy>>,
    /// Exit statuses of the first strategy, which all others must have too.
    reference: Option<(String, Vec<Option<i32>>)>,
    /// CPU time of the bare commands, for each round.
    bare: Vec<f64>,
    /// A directory, the request in it, and rooms for commands.
    dir: tempfile::TempDir,
    request: PathBuf,
}

impl<'a> Measurement<'a> {
    fn new(plan: &Plan, suite: &'a Suite, jobs: usize) -> io::Result<Self> {
        let repeat = plan.repeat(suite);
        let tasks = suite.repeated_tasks(repeat);
        let dir = tempfile::Builder::new().prefix("tryall-bench-").tempdir_in(os::scratch_base())?;
        let request = dir.path().join("request.json");
        std::fs::write(&request, suite.repeated_request(repeat).to_string())?;
        let rows = plan.strategies.iter().map(|strategy| row(*strategy, tasks.len())).collect();
        let strategies = plan.strategies.iter().copied().map(Some).collect();
        Ok(Measurement {
            suite,
            repeat,
            jobs,
            tasks,
            rows,
            strategies,
            reference: None,
            bare: Vec::new(),
            dir,
            request,
        })
    }

    /// A round that does not count, and those that do. In each round the rows take turns, and
    /// another one is first, so that a machine that slows down slows all of them.
    fn run(
        &mut self,
        rounds: usize,
        progress: &dyn Progress,
        interrupted: &AtomicBool,
        spans: &mut Vec<Span>,
    ) -> Result<(), Failure> {
        for round in 0..=rounds {
            for turn in 0..self.rows.len() {
                let index = (turn + round) % self.rows.len();
                if self.rows[index].missing.is_some() {
                    continue;
                }
                if interrupted.load(Ordering::Relaxed) {
                    return Ok(());
                }
                let name = self.rows[index].name.clone();
                progress.begin(&format!(
                    "{} {} -j{} {name}",
                    self.suite.compiler.join(" "),
                    self.suite.name,
                    self.jobs
                ));
                self.measure(index, round, progress, interrupted, spans)?;
            }
        }
        Ok(())
    }

    fn measure(
        &mut self,
        index: usize,
        round: usize,
        progress: &dyn Progress,
        interrupted: &AtomicBool,
        spans: &mut Vec<Span>,
    ) -> Result<(), Failure> {
        let Some(strategy) = self.strategies[index] else { return Ok(()) };
        let rooms = self.dir.path().join("rooms");
        std::fs::create_dir(&rooms)?;
        let advance = || progress.advance();
        let work = Work {
            tasks: &self.tasks,
            jobs: self.jobs,
            request: &self.request,
            dir: &rooms,
            progress: &advance,
            interrupted,
        };
        let before = os::cpu_spent();
        let started = Instant::now();
        let performed = strategy.perform(&work)?;
        let wall = started.elapsed();
        let spent = os::cpu_spent();
        std::fs::remove_dir_all(&rooms)?;
        let Some(performed) = performed else { return Ok(()) };

        let name = self.rows[index].name.clone();
        self.compare(&name, &performed)?;
        if round == 0 {
            return Ok(());
        }
        if round == 1 {
            spans.extend(self.spans(&name, &performed));
        }
        if strategy == Strategy::Serial {
            self.bare.push(seconds(spent.children - before.children));
        }
        self.rows[index].rounds.push(Round {
            wall_s: seconds(wall),
            cpu_s: seconds(spent.own - before.own + spent.children - before.children),
            processes: Some(performed.processes),
        });
        Ok(())
    }

    /// All must have found the same.
    fn compare(&mut self, name: &str, performed: &Performed) -> Result<(), Failure> {
        let exits: Vec<_> = performed.done.iter().map(|done| done.map(|done| done.exit)).collect();
        let Some((first, expected)) = &self.reference else {
            self.reference = Some((name.into(), exits.into_iter().map(Option::flatten).collect()));
            return Ok(());
        };
        for ((task, one), other) in self.tasks.iter().zip(expected).zip(exits) {
            // What the engine had no need to run, it cannot have found otherwise.
            if let Some(other) = other
                && other != *one
            {
                let told = |exit: Option<i32>| {
                    exit.map_or("nothing".into(), |exit| format!("status {exit}"))
                };
                return Err(Failure::Difference {
                    check: task.id.clone(),
                    first: first.clone(),
                    one: told(*one),
                    second: name.into(),
                    other: told(other),
                });
            }
        }
        Ok(())
    }

    fn spans(&self, name: &str, performed: &Performed) -> Vec<Span> {
        let row =
            format!("{} {} -j{} {name}", self.suite.compiler.join(" "), self.suite.name, self.jobs);
        let done = self.tasks.iter().zip(&performed.done);
        done.filter_map(|(task, done)| {
            let done = done.filter(|done| done.end > 0.0)?;
            Some(Span { row: row.clone(), id: task.id.clone(), start: done.start, end: done.end })
        })
        .collect()
    }

    /// The figures of all rounds.
    fn bench(mut self) -> Bench {
        let cpu_s = Spread::of(self.bare.iter().copied()).median;
        let limit = Limit { cpu_s, wall_s: cpu_s / self.jobs.min(cores()) as f64 };
        let serial = self.rows[0].rounds.clone();
        for row in &mut self.rows {
            row.wall_s = Spread::of(row.rounds.iter().map(|round| round.wall_s));
            row.cpu_s = Spread::of(row.rounds.iter().map(|round| round.cpu_s));
            row.speedup =
                Spread::of(serial.iter().zip(&row.rounds).map(|(s, r)| s.wall_s / r.wall_s));
            if row.wall_s.median > 0.0 {
                row.share_of_limit = limit.wall_s / row.wall_s.median;
            }
        }
        let commands = self
            .suite
            .tasks
            .iter()
            .map(|task| CommandLine { id: task.id.clone(), command: task.command.clone() });
        Bench {
            suite: self.suite.name.clone(),
            compiler: self.suite.compiler.clone(),
            compiler_version: self.suite.version.clone(),
            checks: self.suite.tasks.len(),
            repeat: self.repeat,
            jobs: self.jobs,
            commands: commands.collect(),
            warnings: warnings(&self.rows, &self.bare),
            rows: self.rows,
            limit,
        }
    }
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

fn row(strategy: Strategy, tasks: usize) -> Row {
    let kind = if strategy == Strategy::Tryall { RowKind::Engine } else { RowKind::Strategy };
    let missing = (strategy == Strategy::AsyncUnbounded).then(|| too_many_at_once(tasks)).flatten();
    empty_row(strategy.name(), kind, strategy.about(), missing)
}

fn empty_row(name: &str, kind: RowKind, about: &str, missing: Option<String>) -> Row {
    Row {
        name: name.into(),
        kind,
        about: about.into(),
        missing,
        rounds: Vec::new(),
        wall_s: Spread::default(),
        cpu_s: Spread::default(),
        speedup: Spread::default(),
        share_of_limit: 0.0,
    }
}

/// Why this many commands cannot run at once.
fn too_many_at_once(tasks: usize) -> Option<String> {
    let wanted = tasks as u64 * MEMORY_OF_A_COMPILER;
    let free = os::available_memory()?;
    (wanted > free).then(|| {
        format!("{tasks} compilers at once may need {} GiB of memory; lower -n", wanted >> 30)
    })
}

/// What makes the figures less certain.
fn warnings(rows: &[Row], bare: &[f64]) -> Vec<String> {
    let mut warnings = Vec::new();
    let noisy: Vec<_> = rows
        .iter()
        .filter(|row| row.wall_s.max - row.wall_s.min > NOISY * row.wall_s.median)
        .map(|row| row.name.as_str())
        .collect();
    if !noisy.is_empty() {
        warnings.push(format!(
            "the rounds of {} differ by more than {:.0} %: close other programs, or ask for more rounds with --rounds",
            noisy.join(", "),
            NOISY * 100.0
        ));
    }
    let speed = Spread::of(bare.iter().copied());
    if speed.max - speed.min > NOISY / 2.0 * speed.median {
        warnings.push(
            "the same commands took different CPU time from round to round: the processor changes its speed, \
             or others use it; trust the ratios, not the seconds"
                .into(),
        );
    }
    if rows.first().is_some_and(|row| (1..3).contains(&row.rounds.len())) {
        warnings.push("fewer than three rounds tell little of the spread: use --rounds 5".into());
    }
    warnings
}
