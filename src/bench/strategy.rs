//! The techniques: ways to run exactly the same commands.

use std::cell::RefCell;
use std::io::{self, BufRead, BufReader, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::task::{JoinSet, LocalSet};

use super::task::{Done, LINKED, Task, now};
use crate::check::context::Silent;
use crate::engine::{self, Answered, Options};
use crate::exec::process::{Exit, Runner};
use crate::exec::trace::Span;
use crate::os::{OutputMode, Start};
use crate::protocol::Request;
use crate::protocol::response::Answer;

/// A technique.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Strategy {
    /// One command after another.
    Serial,
    /// A pool of threads, each waiting for its command.
    Threads,
    /// A pool of worker processes, each waiting for its command.
    Processes,
    /// One thread with an event loop, one command per slot.
    Async,
    /// One thread with an event loop, all commands at once.
    AsyncUnbounded,
    /// The engine with all optimizations.
    Tryall,
}

/// The work of a strategy.
pub(crate) struct Work<'a> {
    /// The commands.
    pub tasks: &'a [Task],
    /// The number of concurrent commands.
    pub jobs: usize,
    /// The same commands as a request, for the engine.
    pub request: &'a Request,
    /// Where the request's relative paths start.
    pub base: &'a Path,
    /// The parent of the commands' directories.
    pub dir: &'a Path,
    /// Called after each task.
    pub progress: &'a (dyn Fn() + Sync),
    /// Set when the user interrupts.
    pub interrupted: &'a AtomicBool,
}

/// The results of a strategy.
#[derive(Debug, Clone)]
pub(crate) struct Performed {
    /// The result of each task, in order. Empty for the engine, which shares commands.
    pub done: Vec<Option<Done>>,
    /// The engine's answers, in the order of the tasks.
    pub answers: Vec<Answer>,
    /// The number of processes started.
    pub processes: u64,
    /// When the engine's commands ran, in seconds from the first. One may serve several tasks.
    pub commands: Vec<Span>,
}

impl Strategy {
    /// All strategies, in display order.
    pub(crate) const ALL: [Strategy; 6] = [
        Strategy::Serial,
        Strategy::Threads,
        Strategy::Processes,
        Strategy::Async,
        Strategy::AsyncUnbounded,
        Strategy::Tryall,
    ];

    /// The name of its row.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Strategy::Serial => "serial",
            Strategy::Threads => "threads",
            Strategy::Processes => "processes",
            Strategy::Async => "async",
            Strategy::AsyncUnbounded => "async-unbounded",
            Strategy::Tryall => "tryall",
        }
    }

    /// What it does, in a few words.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Strategy::Serial => "one command after another",
            Strategy::Threads => "a pool of threads",
            Strategy::Processes => "a pool of worker processes",
            Strategy::Async => "an event loop, bounded by the jobs",
            Strategy::AsyncUnbounded => "an event loop, all commands at once",
            Strategy::Tryall => "the engine, each check once",
        }
    }

    /// Does the work. Returns `None` if interrupted.
    pub(crate) fn perform(self, work: &Work<'_>) -> io::Result<Option<Performed>> {
        let performed = match self {
            Strategy::Serial => {
                pool(work, 1, |_| Ok(|task: &Task, room: &Path| task.perform(room)))?
            }
            Strategy::Threads => {
                pool(work, work.jobs, |_| Ok(|task: &Task, room: &Path| task.perform(room)))?
            }
            Strategy::Processes => {
                let mut performed = pool(work, work.jobs, |_| {
                    let mut worker = Worker::start()?;
                    Ok(move |task: &Task, room: &Path| worker.perform(task, room))
                })?;
                performed.processes += work.jobs as u64;
                performed
            }
            Strategy::Async => event_loop(work, work.jobs)?,
            Strategy::AsyncUnbounded => event_loop(work, work.tasks.len())?,
            Strategy::Tryall => engine(work)?,
        };
        Ok((!work.interrupted.load(Ordering::Relaxed)).then_some(performed))
    }
}

fn performed(done: Vec<Option<Done>>) -> Performed {
    let processes = done.iter().flatten().map(|done| done.processes).sum();
    Performed { done, answers: Vec::new(), processes, commands: Vec::new() }
}

/// Threads that take tasks until none is left. `make` creates the function that runs them. With one
/// job the calling thread does the work, as in a serial program.
fn pool<F: FnMut(&Task, &Path) -> io::Result<Done>>(
    work: &Work<'_>,
    width: usize,
    make: impl Fn(usize) -> io::Result<F> + Sync,
) -> io::Result<Performed> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(vec![None; work.tasks.len()]);
    let one = |number| -> io::Result<()> {
        let mut perform = make(number)?;
        while !work.interrupted.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(task) = work.tasks.get(index) else { break };
            let outcome = perform(task, &work.dir.join(index.to_string()))?;
            done.lock().expect("no thread panics")[index] = Some(outcome);
            (work.progress)();
        }
        Ok(())
    };
    if width == 1 {
        one(0)?;
    } else {
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..width).map(|number| scope.spawn(move || one(number))).collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("no thread panics"))
        })?;
    }
    Ok(performed(done.into_inner().expect("no thread panics")))
}

/// A worker process, which runs the tasks written to its standard input.
struct Worker {
    process: Child,
    answers: BufReader<std::process::ChildStdout>,
}

#[derive(Serialize, Deserialize)]
struct Order {
    task: Task,
    room: PathBuf,
}

impl Worker {
    fn start() -> io::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("bench-worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let answers = BufReader::new(process.stdout.take().expect("it is piped"));
        Ok(Worker { process, answers })
    }

    fn perform(&mut self, task: &Task, room: &Path) -> io::Result<Done> {
        let mut line = serde_json::to_vec(&Order { task: task.clone(), room: room.into() })?;
        line.push(b'\n');
        self.process.stdin.as_mut().expect("it is piped").write_all(&line)?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        Ok(serde_json::from_str(&answer)?)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The worker exits at the end of its input.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// The main loop of a worker process: reads a task per line and writes its result as a line.
pub(crate) fn work() -> io::Result<()> {
    for line in io::stdin().lines() {
        let order: Order = serde_json::from_str(&line?)?;
        let mut answer = serde_json::to_vec(&order.task.perform(&order.room)?)?;
        answer.push(b'\n');
        io::stdout().write_all(&answer)?;
        io::stdout().flush()?;
    }
    Ok(())
}

/// One thread that starts commands while there are free slots, and is woken when one ends.
fn event_loop(work: &Work<'_>, slots: usize) -> io::Result<Performed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let runner = Rc::new(Runner::new(None));
    let done = Rc::new(RefCell::new(vec![None; work.tasks.len()]));
    let result = LocalSet::new().block_on(&runtime, async {
        let mut running = JoinSet::new();
        let mut waiting = work.tasks.iter().enumerate();
        loop {
            while running.len() < slots && !work.interrupted.load(Ordering::Relaxed) {
                let Some((index, task)) = waiting.next() else { break };
                let (task, room) = (task.clone(), work.dir.join(index.to_string()));
                let (runner, done) = (runner.clone(), done.clone());
                running.spawn_local(async move {
                    let outcome = perform_async(&runner, &task, &room).await?;
                    done.borrow_mut()[index] = Some(outcome);
                    io::Result::Ok(())
                });
            }
            match running.join_next().await {
                Some(ended) => ended.expect("no task panics")?,
                None => return io::Result::Ok(()),
            }
            (work.progress)();
        }
    });
    result?;
    Ok(performed(Rc::into_inner(done).expect("all tasks have ended").into_inner()))
}

/// Longer than any command of a suite. The user can interrupt a stuck one.
const LONG: Duration = Duration::from_secs(24 * 3600);

async fn perform_async(runner: &Runner, task: &Task, room: &Path) -> io::Result<Done> {
    let start = now();
    task.prepare(room)?;
    let mut env: Vec<_> =
        task.env.iter().map(|(name, value)| (name.into(), value.into())).collect();
    env.push(("TMPDIR".into(), room.into()));
    let mut processes = 1;
    let run = async |program: &Path, argv: &[std::ffi::OsString]| {
        let start = Start {
            program,
            argv,
            env: &env,
            dir: room,
            check_dir: room,
            mode: OutputMode::Merged,
        };
        match runner.run(start, tokio::time::Instant::now() + LONG).await.exit {
            Exit::Code(code) => Some(code),
            _ => None,
        }
    };
    let argv: Vec<_> = task.command.iter().map(Into::into).collect();
    let mut exit = run(Path::new(&task.program), &argv).await;
    if let (Some(0), Some(args)) = (exit, &task.run) {
        processes += 1;
        let program = room.join(LINKED);
        let argv: Vec<_> = [program.clone().into_os_string()]
            .into_iter()
            .chain(args.iter().map(Into::into))
            .collect();
        exit = run(&program, &argv).await;
    }
    std::fs::remove_dir_all(room)?;
    Ok(Done { exit, processes, start, end: now() })
}

/// The engine.
fn engine(work: &Work<'_>) -> io::Result<Performed> {
    let Some(Answered { answers, commands }) = ask_engine(work, true)? else {
        return Ok(performed(Vec::new()));
    };
    (0..work.tasks.len()).for_each(|_| (work.progress)());
    let processes = answers.summary.processes;
    Ok(Performed { done: Vec::new(), answers: answers.results, processes, commands })
}

/// The engine's answers to the request. `share` allows checks to share commands. Returns `None` if
/// interrupted.
pub(crate) fn ask_engine(work: &Work<'_>, share: bool) -> io::Result<Option<Answered>> {
    let options = Options {
        jobs: NonZeroUsize::new(work.jobs),
        base: Some(work.base.into()),
        share,
        ..Options::default()
    };
    let interrupted = async {
        while !work.interrupted.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let request = work.request.clone();
    engine::answers(request, &options, Rc::new(Silent), interrupted)
        .map_err(|error| io::Error::other(error.to_string()))
}

/// Waits for a process, and kills it when the user interrupts.
pub(crate) fn wait_unless_interrupted(
    mut child: Child,
    interrupted: &AtomicBool,
) -> io::Result<bool> {
    // A blocking wait could not be interrupted. The pause is negligible here.
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if interrupted.load(Ordering::Relaxed) {
            let _ = child.kill();
            child.wait()?;
            return Ok(false);
        }
        let pause = if started.elapsed() < Duration::from_millis(50) { 200 } else { 1000 };
        std::thread::sleep(Duration::from_micros(pause));
    }
}
