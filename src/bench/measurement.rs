//! Measures one suite at one width: in each round, every row takes its turn and must give the same
//! answers.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::comparison::Comparison;
use super::peer::{self, Peer};
use super::result::{Bench, CommandLine, Limit, Round, Row, RowKind, Spread};
use super::strategy::{Performed, Strategy, Work, ask_engine, wait_unless_interrupted};
use super::suite::Suite;
use super::task::{Done, Task};
use super::{Failure, Plan, Progress};
use crate::exec::slots::cores;
use crate::exec::trace::Span;
use crate::os;
use crate::protocol::Request;

/// Warn if the rounds of a row differ by more than this fraction of their median.
const NOISY: f64 = 0.2;

/// A generous estimate of the memory of one gcc, clang or gfortran. All concurrent commands must
/// fit into memory.
const MEMORY_OF_A_COMPILER: u64 = 64 << 20;

/// One suite at one width.
pub(super) struct Measurement<'a> {
    suite: &'a Suite,
    repeat: usize,
    jobs: usize,
    tasks: Vec<Task>,
    /// The same as a request.
    request: Request,
    rows: Vec<(Row, Contestant)>,
    /// The answers so far.
    found: Comparison,
    /// CPU times of the bare commands, by strategy and round.
    bare: HashMap<usize, Vec<f64>>,
    /// Directories for commands, and the projects of the peers.
    dir: tempfile::TempDir,
}

/// What a row measures.
#[derive(Debug, Clone)]
enum Contestant {
    Strategy(Strategy),
    /// A peer, and its project.
    Peer(Peer, PathBuf),
}

/// The cost of a round.
struct Spent {
    wall: Duration,
    own: Duration,
    children: Duration,
    processes: Option<u64>,
}

impl<'a> Measurement<'a> {
    /// Creates directories and the peers' projects.
    pub(super) fn new(plan: &Plan, suite: &'a Suite, jobs: usize) -> Result<Self, Failure> {
        let repeat = plan.repeat(suite);
        let tasks = suite.repeated_tasks(repeat);
        let dir = tempfile::Builder::new().prefix("tryall-bench-").tempdir_in(os::scratch_base())?;
        let request = suite.repeated_request(repeat);
        let mut rows: Vec<_> =
            plan.strategies.iter().map(|&strategy| of_strategy(strategy, tasks.len())).collect();
        for &peer in &plan.peers {
            rows.push(of_peer(peer, suite, repeat, dir.path().join(peer.name()))?);
        }
        Ok(Measurement {
            suite,
            repeat,
            jobs,
            tasks,
            request,
            rows,
            found: Comparison::default(),
            bare: HashMap::new(),
            dir,
        })
    }

    /// Runs the warm-up round and the measured rounds. The rows take turns in each round, starting
    /// with a different one each time, so that a machine that slows down affects all rows.
    pub(super) fn run(
        &mut self,
        rounds: usize,
        progress: &dyn Progress,
        interrupted: &AtomicBool,
        spans: &mut Vec<Span>,
    ) -> Result<(), Failure> {
        for round in 0..=rounds {
            for turn in 0..self.rows.len() {
                // The warm-up round follows the order of the table: all other rows are compared
                // with the first one.
                let index = (turn + round) % self.rows.len();
                if self.rows[index].0.missing.is_some() {
                    continue;
                }
                progress.begin(&self.title(index));
                let spent = match self.rows[index].1.clone() {
                    Contestant::Strategy(strategy) => {
                        self.strategy(strategy, index, round, progress, interrupted, spans)?
                    }
                    Contestant::Peer(peer, project) => {
                        self.peer(peer, &project, index, round, progress, interrupted)?
                    }
                };
                let Some(spent) = spent.filter(|_| !interrupted.load(Ordering::Relaxed)) else {
                    return Ok(());
                };
                if round > 0 {
                    self.count(index, &spent);
                }
            }
        }
        Ok(())
    }

    fn title(&self, index: usize) -> String {
        let name = &self.rows[index].0.name;
        format!("{} {} -j{} {name}", self.suite.compiler.join(" "), self.suite.name, self.jobs)
    }

    fn count(&mut self, index: usize, spent: &Spent) {
        let (row, _) = &mut self.rows[index];
        if row.kind == RowKind::Strategy {
            self.bare.entry(index).or_default().push(spent.children.as_secs_f64());
        }
        row.rounds.push(Round {
            wall_s: spent.wall.as_secs_f64(),
            cpu_s: (spent.own + spent.children).as_secs_f64(),
            processes: spent.processes,
        });
    }

    /// A strategy's turn.
    fn strategy(
        &mut self,
        strategy: Strategy,
        index: usize,
        round: usize,
        progress: &dyn Progress,
        interrupted: &AtomicBool,
        spans: &mut Vec<Span>,
    ) -> Result<Option<Spent>, Failure> {
        let directories = self.dir.path().join("directories");
        std::fs::create_dir(&directories)?;
        let advance = || progress.advance();
        let work = Work {
            tasks: &self.tasks,
            jobs: self.jobs,
            request: &self.request,
            base: &self.suite.dir,
            dir: &directories,
            progress: &advance,
            interrupted,
        };
        let clock = Clock::start();
        let performed = strategy.perform(&work)?;
        let mut spent = clock.stop();
        std::fs::remove_dir_all(&directories)?;
        let Some(performed) = performed else { return Ok(None) };
        spent.processes = Some(performed.processes);
        let name = self.rows[index].0.name.clone();
        match strategy {
            Strategy::Tryall => {
                if !self.ask_alone(interrupted)? {
                    return Ok(None);
                }
                self.found.answers(&name, &performed.answers)?;
            }
            _ => self.found.exits(&self.tasks, &name, &performed.done)?,
        }
        if round == 1 {
            spans.extend(self.spans(index, &performed));
        }
        Ok(Some(spent))
    }

    /// A peer's turn.
    fn peer(
        &mut self,
        peer: Peer,
        project: &std::path::Path,
        index: usize,
        round: usize,
        progress: &dyn Progress,
        interrupted: &AtomicBool,
    ) -> Result<Option<Spent>, Failure> {
        let mut command = peer.command(project, self.jobs)?;
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let clock = Clock::start();
        let succeeded = wait_unless_interrupted(command.spawn()?, interrupted)?;
        let spent = clock.stop();
        if interrupted.load(Ordering::Relaxed) {
            return Ok(None);
        }
        self.tasks.iter().for_each(|_| progress.advance());
        if !succeeded {
            self.rows[index].0.missing = Some(format!("{} failed on this suite", peer.name()));
            return Ok(Some(spent));
        }
        if round == 0 {
            let theirs = peer::answers(project)?;
            if !self.ask_alone(interrupted)? {
                return Ok(None);
            }
            self.found.peer(peer, theirs);
        }
        Ok(Some(spent))
    }

    /// Runs each check once in the engine, without sharing, unless that is done; untimed. Returns
    /// `false` if interrupted.
    fn ask_alone(&mut self, interrupted: &AtomicBool) -> Result<bool, Failure> {
        if self.found.has_alone() {
            return Ok(true);
        }
        let work = Work {
            tasks: &self.suite.tasks,
            jobs: self.jobs,
            request: self.suite.request(),
            base: &self.suite.dir,
            dir: self.dir.path(),
            progress: &|| (),
            interrupted,
        };
        let Some(answers) = ask_engine(&work, false)? else {
            return Ok(false);
        };
        self.found.alone(&self.suite.tasks, answers.answers.results)?;
        Ok(true)
    }

    fn spans(&self, index: usize, performed: &Performed) -> Vec<Span> {
        let row = self.title(index);
        let done = self.tasks.iter().zip(&performed.done);
        done.filter_map(|(task, done)| {
            let Done { start, end, .. } = (*done)?;
            Some(Span { row: row.clone(), id: task.id.clone(), start, end })
        })
        .chain(performed.commands.iter().map(|span| Span { row: row.clone(), ..span.clone() }))
        .collect()
    }

    /// The figures of all rounds.
    pub(super) fn bench(self) -> Bench {
        // The same commands may take less CPU time at another time, or when run concurrently. The
        // lowest value measured is the limit.
        let medians = self.bare.values().map(|rounds| Spread::of(rounds.iter().copied()).median);
        let cpu_s = Spread::of(medians).min;
        let serial_cpu = self.bare.get(&0).cloned().unwrap_or_default();
        let limit = Limit { cpu_s, wall_s: cpu_s / self.jobs.min(cores()) as f64 };
        let mut rows: Vec<_> = self.rows.into_iter().map(|(row, _)| row).collect();
        let serial = rows[0].rounds.clone();
        for row in &mut rows {
            row.wall_s = Spread::of(row.rounds.iter().map(|round| round.wall_s));
            row.cpu_s = Spread::of(row.rounds.iter().map(|round| round.cpu_s));
            row.speedup =
                Spread::of(serial.iter().zip(&row.rounds).map(|(s, r)| s.wall_s / r.wall_s));
            if row.wall_s.median > 0.0 {
                row.share_of_limit = limit.wall_s / row.wall_s.median;
            }
        }
        let tasks = self.suite.tasks.iter();
        let commands =
            tasks.map(|task| CommandLine { id: task.id.clone(), command: task.command.clone() });
        Bench {
            suite: self.suite.name.clone(),
            compiler: self.suite.compiler.clone(),
            compiler_version: self.suite.version.clone(),
            checks: self.suite.tasks.len(),
            repeat: self.repeat,
            jobs: self.jobs,
            commands: commands.collect(),
            warnings: [warnings(&rows, &serial_cpu), self.found.differences()].concat(),
            rows,
            limit,
        }
    }
}

/// Measures the cost between two points in time.
struct Clock {
    started: Instant,
    before: os::CpuSpent,
}

impl Clock {
    fn start() -> Self {
        Clock { before: os::cpu_spent(), started: Instant::now() }
    }

    fn stop(self) -> Spent {
        let wall = self.started.elapsed();
        let after = os::cpu_spent();
        Spent {
            wall,
            own: after.own - self.before.own,
            children: after.children - self.before.children,
            processes: None,
        }
    }
}

fn of_strategy(strategy: Strategy, tasks: usize) -> (Row, Contestant) {
    let kind = if strategy == Strategy::Tryall { RowKind::Engine } else { RowKind::Strategy };
    let missing = (strategy == Strategy::AsyncUnbounded).then(|| too_many_at_once(tasks)).flatten();
    (row(strategy.name(), kind, strategy.about().into(), missing), Contestant::Strategy(strategy))
}

fn of_peer(
    peer: Peer,
    suite: &Suite,
    repeat: usize,
    project: PathBuf,
) -> io::Result<(Row, Contestant)> {
    let (about, missing) = match peer.find() {
        Err(missing) => (peer.name().into(), Some(missing)),
        Ok(found) => {
            std::fs::create_dir(&project)?;
            match peer.project(&project, &suite.plan, repeat) {
                Ok(_) => (found.version, None),
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                    (found.version, Some(error.to_string()))
                }
                Err(error) => return Err(error),
            }
        }
    };
    Ok((row(peer.name(), RowKind::Peer, about, missing), Contestant::Peer(peer, project)))
}

fn row(name: &str, kind: RowKind, about: String, missing: Option<String>) -> Row {
    Row {
        name: name.into(),
        kind,
        about,
        missing,
        rounds: Vec::new(),
        wall_s: Spread::default(),
        cpu_s: Spread::default(),
        speedup: Spread::default(),
        share_of_limit: 0.0,
    }
}

/// Why this many commands cannot run at once, if so.
fn too_many_at_once(tasks: usize) -> Option<String> {
    let wanted = tasks as u64 * MEMORY_OF_A_COMPILER;
    let free = os::available_memory()?;
    (wanted > free).then(|| {
        format!("{tasks} compilers at once may need {} GiB of memory; lower -n", wanted >> 30)
    })
}

/// Warnings about unreliable results.
fn warnings(rows: &[Row], bare: &[f64]) -> Vec<String> {
    let mut warnings = Vec::new();
    let noisy =
        rows.iter().filter(|row| row.wall_s.max - row.wall_s.min > NOISY * row.wall_s.median);
    let noisy: Vec<_> = noisy.map(|row| row.name.as_str()).collect();
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
        warnings.push("fewer than three rounds say little about the spread: use --rounds 5".into());
    }
    warnings
}
