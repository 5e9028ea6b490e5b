//! Runs a plan and writes the results.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use super::CheckArgs;
use super::output;
use super::progress::{Progress, tell};
use super::stream::Stream;
use crate::check::context::Observer;
use crate::engine::{End, Engine, Launch, Ran, resource_error};
use crate::exec::slots::Inherited;
use crate::exec::trace::{Span, chrome_trace};
use crate::os::{self, HeldBack};
use crate::plan::{self, Plan};
use crate::protocol::code::Reason;
use crate::protocol::response::{Answer, Status, Summary};
use crate::remote::Remote;
use crate::report::{self, Format};
use crate::schedule;
use crate::store::{Place, Store};

/// How often to check whether the reader of the results has gone away.
const READER_POLL: Duration = Duration::from_millis(100);

/// How long a stopped run waits for the reader to take the answers so far. A stuck reader must not
/// keep the program alive.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// How much of the results is written at once: as much as a pipe takes.
const OUTPUT_BUFFER: usize = 64 << 10;

/// A plan and the requested number of slots.
pub(super) struct Prepared {
    pub plan: Plan,
    pub jobs: Option<NonZeroUsize>,
}

/// Reports results as they arrive.
struct Reporter {
    progress: Progress,
    /// The output of a streaming format.
    stream: Option<Stream>,
}

impl Observer for Reporter {
    fn answered(&self, answer: &Answer) {
        self.progress.answered(answer);
        if let Some(stream) = &self.stream {
            let mut line = Vec::new();
            report::write_line(answer, &mut line).expect("memory takes all");
            stream.send(line);
        }
    }

    fn notice(&self, notice: &str) {
        self.progress.tell(notice);
    }
}

/// Why there are no results.
#[derive(Debug)]
pub(super) enum Failure {
    /// The checks could not be run.
    Run(Reason),
    /// The results could not be written.
    Write(io::Error),
}

/// Why a run stopped early.
enum Stopped {
    /// A signal; SIGPIPE stands for a reader that went away.
    By(i32),
    CannotWrite(io::Error),
    /// Some of the results may have been written.
    CannotRun(io::Error),
}

/// Runs the plan and writes the results.
pub(super) fn execute(
    args: &CheckArgs,
    prepared: Prepared,
    inherited: Inherited,
) -> Result<ExitCode, Failure> {
    let (Ran { end, plan, commands }, reporter) = run_plan(args, prepared, &inherited)?;
    let traced = args.trace.as_ref().map_or(Ok(()), |file| write_trace(file, &commands));
    match end {
        End::Stopped(Stopped::By(signal)) => {
            if let Some(stream) = reporter.stream {
                stream.finish_within(FLUSH_TIMEOUT);
            }
            Ok(output::ended_by(signal))
        }
        End::Stopped(Stopped::CannotWrite(error)) => Err(Failure::Write(in_output(args, error))),
        End::Stopped(Stopped::CannotRun(error)) => {
            if let Some(stream) = reporter.stream {
                // Flush the lines first; the error message follows them.
                stream.finish().map_err(|error| Failure::Write(in_output(args, error)))?;
            }
            Err(Failure::Run(resource_error(error)))
        }
        End::Done { answers, summary, held } => {
            held.let_through();
            let status = exit_status(&plan, &answers);
            if !matches!(args.format, Format::Json | Format::Ndjson) {
                warn_about_missing_headers(&plan, &answers);
            }
            write_results(args, &plan, answers, summary, reporter.stream)
                .map_err(Failure::Write)?;
            Ok(traced.map_or_else(
                |error| {
                    tell(&format!("cannot write the trace: {error}"));
                    ExitCode::from(3)
                },
                |()| status,
            ))
        }
    }
}

/// Runs a plan and returns its answers, or the exit status if it was stopped. Afterwards signals
/// have their default action again: if one ends a later run, the reaper cleans up.
pub(super) fn answers(
    prepared: Prepared,
    inherited: &Inherited,
) -> Result<Result<Vec<Answer>, ExitCode>, Failure> {
    // The defaults don't stream, and watch the reader of standard output.
    let args = CheckArgs::default();
    match run_plan(&args, prepared, inherited)?.0.end {
        End::Stopped(Stopped::By(signal)) => Ok(Err(output::ended_by(signal))),
        End::Stopped(Stopped::CannotWrite(error)) => Err(Failure::Write(error)),
        End::Stopped(Stopped::CannotRun(error)) => Err(Failure::Run(resource_error(error))),
        End::Done { answers, held, .. } => {
            held.let_through();
            Ok(Ok(answers))
        }
    }
}

/// Runs a plan until it is done, a signal arrives, or the reader of the results goes away. Signals
/// that arrive after the last answer are held back.
fn run_plan(
    args: &CheckArgs,
    prepared: Prepared,
    inherited: &Inherited,
) -> Result<(Ran<Stopped, HeldBack>, Reporter), Failure> {
    let Prepared { plan, jobs } = prepared;
    let engine = Engine::new(true).map_err(Failure::Run)?;
    let streamed_to: Option<Box<dyn Write + Send>> = match (&args.output, args.format.streams()) {
        (_, false) => None,
        (None, true) => Some(Box::new(os::Stdout::open().map_err(Failure::Write)?)),
        (Some(file), true) => {
            let opened = output::open_stream(file);
            Some(Box::new(opened.map_err(|error| Failure::Write(named(file, error)))?))
        }
    };
    let reporter = Rc::new(Reporter {
        progress: Progress::new(plan.checks.len()),
        stream: streamed_to.map(Stream::start).transpose().map_err(no_thread)?,
    });
    let schedule = schedule::Options { share: !args.no_fuse, verify: args.verify };
    let records = args.trace.is_some();
    let store = store_of_user(args.no_store, &reporter.progress);
    let launch = Launch { plan, jobs, inherited, schedule, records, store };
    let stop = stopped(args.output.is_none(), reporter.clone());
    let ran = engine.run(launch, reporter.clone(), stop, os::hold_interrupts);
    let reporter = Rc::into_inner(reporter).expect("the engine has dropped its reporter");
    reporter.progress.finish();
    Ok((ran, reporter))
}

/// The user's store, unless there is to be none.
fn store_of_user(no_store: bool, progress: &Progress) -> Option<Store> {
    if no_store {
        return None;
    }
    let place = Place::chosen(|name| std::env::var_os(name));
    let is_there = place.dir.is_ok();
    let get = |name: &str| std::env::var_os(name);
    let store = Store::open(place).before(Remote::chosen(get));
    if !is_there {
        store.complaint().iter().for_each(|complaint| progress.tell(complaint));
    }
    is_there.then_some(store)
}

fn write_trace(file: &Path, commands: &[Span]) -> io::Result<()> {
    let trace = chrome_trace(commands).to_string();
    let written = match output::is_stdout(file) {
        true => output::write(trace.as_bytes()),
        false => std::fs::write(file, trace),
    };
    written.map_err(|error| named(file, error))
}

/// Warns if a check on the command line was answered no, probably because it names no header. Only
/// for formats without reasons.
fn warn_about_missing_headers(plan: &Plan, answers: &[Answer]) {
    for ((given, check), answer) in std::iter::zip(&plan.given, &plan.checks).zip(answers) {
        let is_typed = given.origin.option.is_some();
        if is_typed
            && answer.status == Status::No
            && schedule::answer::lacks_header(plan, check.question)
        {
            tell(&format!("{}: {}", answer.id, schedule::answer::NO_HEADER));
        }
    }
}

/// The failure to start a thread.
fn no_thread(error: io::Error) -> Failure {
    let message =
        format!("cannot start a thread ({error}); raise the limit on processes (ulimit -u)");
    Failure::Run(resource_error(io::Error::new(error.kind(), message)))
}

/// Waits for a reason to stop the run.
async fn stopped(watch_reader: bool, reporter: Rc<Reporter>) -> Stopped {
    tokio::select! {
        signal = os::interrupted() => signal.map_or_else(Stopped::CannotRun, Stopped::By),
        error = reader_gone(watch_reader, &reporter) => match error {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Stopped::CannotWrite(error),
            _ => Stopped::By(os::BROKEN_PIPE),
        },
    }
}

/// Waits until results can no longer be written. Returns the write error, if any.
async fn reader_gone(watch_reader: bool, reporter: &Reporter) -> Option<io::Error> {
    loop {
        tokio::time::sleep(READER_POLL).await;
        if let Some(error) = reporter.stream.as_ref().and_then(Stream::failure) {
            return Some(error);
        }
        if watch_reader && os::reader_gone() {
            return None;
        }
    }
}

fn write_results(
    args: &CheckArgs,
    plan: &Plan,
    answers: Vec<Answer>,
    summary: Summary,
    stream: Option<Stream>,
) -> io::Result<()> {
    match (stream, &args.output) {
        (Some(stream), _) => {
            let mut last = Vec::new();
            report::write(args.format, plan, answers, summary, &mut last)?;
            stream.send(last);
            stream.finish().map_err(|error| in_output(args, error))
        }
        (None, None) => {
            let mut out = io::BufWriter::with_capacity(OUTPUT_BUFFER, os::Stdout::open()?);
            report::write(args.format, plan, answers, summary, &mut out)?;
            out.flush()
        }
        (None, Some(path)) => {
            let mut contents = Vec::new();
            report::write(args.format, plan, answers, summary, &mut contents)?;
            output::replace(path, &contents).map_err(|error| named(path, error))
        }
    }
}

/// Adds the name of the output file, if any, to an error.
fn in_output(args: &CheckArgs, error: io::Error) -> io::Error {
    match &args.output {
        Some(file) => named(file, error),
        None => error,
    }
}

/// Adds the name of a file to an error.
fn named(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// An error takes precedence over a required check that was not yes, which may have failed because
/// of it.
fn exit_status(plan: &Plan, answers: &[Answer]) -> ExitCode {
    if answers.iter().any(|answer| answer.status == Status::Error) {
        return ExitCode::from(3);
    }
    let unmet = |(check, answer): (&plan::PlannedCheck, &Answer)| {
        check.required && answer.status != Status::Yes
    };
    if std::iter::zip(&plan.checks, answers).any(unmet) {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    }
}
