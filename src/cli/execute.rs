//! Runs a plan and writes the results.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::LocalSet;

use super::CheckArgs;
use super::output;
use super::stream::Stream;
use crate::check::context::{Context, Observer};
use crate::cli::progress::{Progress, tell};
use crate::exec::process::Runner;
use crate::exec::scratch::{self, Scratch};
use crate::exec::slots::{Inherited, Slots};
use crate::exec::trace::chrome_trace;
use crate::os::{self, Guard, HeldBack};
use crate::plan::{self, Plan};
use crate::protocol::code::{Code, Reason};
use crate::protocol::response::{Answer, Status, Summary};
use crate::report::{self, Format};
use crate::schedule::{self, Options};

/// How often it is looked whether anybody still reads the results.
const READER_POLL: Duration = Duration::from_millis(100);

/// When a run is stopped, answers that have come in have this long to be read. A reader that
/// is stuck must not keep the program.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A plan and the number of slots that was asked for.
pub struct Prepared {
    pub plan: Plan,
    pub jobs: Option<NonZeroUsize>,
}

/// Who is told of results as they come in.
struct Reporter {
    progress: Progress,
    /// Where each result is written at once, for a format that streams.
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
pub enum Failure {
    /// The checks could not be run.
    Run(Reason),
    /// The results could not be written.
    Write(io::Error),
}

/// How a run ended.
enum End {
    /// Signals that come from here on are held back.
    Done(Vec<Answer>, Summary, Box<HeldBack>),
    /// By a signal, or because nobody reads the results any more.
    Stopped(i32),
    CannotWrite(io::Error),
    /// Some of the results may have been written.
    CannotRun(io::Error),
}

/// Runs the plan and writes the results.
pub fn execute(
    args: &CheckArgs,
    prepared: Prepared,
    inherited: Inherited,
) -> Result<ExitCode, Failure> {
    let Ran { end, plan, reporter, traced } = run_plan(args, prepared, &inherited)?;
    match end {
        End::Stopped(signal) => {
            if let Some(stream) = reporter.stream {
                stream.finish_within(LAST_WORDS);
            }
            Ok(output::ended_by(signal))
        }
        End::CannotWrite(error) => Err(Failure::Write(in_output(args, error))),
        End::CannotRun(error) => {
            if let Some(stream) = reporter.stream {
                // Why there are no more lines comes after them.
                stream.finish().map_err(|error| Failure::Write(in_output(args, error)))?;
            }
            Err(cannot_run(error))
        }
        End::Done(answers, summary, held) => {
            held.let_through();
            let status = exit_status(&plan, &answers);
            if !matches!(args.format, Format::Json | Format::Ndjson) {
                tell_of_missing_headers(&plan, &answers);
            }
            write_results(args, &plan, answers, summary, reporter.stream)
                .map_err(Failure::Write)?;
            Ok(traced.map_or_else(
                |error| {
                    tell(&format!("the trace could not be written: {error}"));
                    ExitCode::from(3)
                },
                |()| status,
            ))
        }
    }
}

/// Runs the plan; its answers, or the exit status if it was stopped. Once one has been run, signals
/// have their default action, and what then ends a later one leaves the cleaning to the guard.
pub fn ask(
    prepared: Prepared,
    inherited: &Inherited,
) -> Result<Result<Vec<Answer>, ExitCode>, Failure> {
    // Nothing is streamed, and the reader of standard output is watched.
    let args = CheckArgs::default();
    match run_plan(&args, prepared, inherited)?.end {
        End::Stopped(signal) => Ok(Err(output::ended_by(signal))),
        End::CannotWrite(error) => Err(Failure::Write(error)),
        End::CannotRun(error) => Err(cannot_run(error)),
        End::Done(answers, _, held) => {
            held.let_through();
            Ok(Ok(answers))
        }
    }
}

/// A plan that was run.
struct Ran {
    end: End,
    plan: Plan,
    reporter: Reporter,
    /// Whether the trace was written, if one is wanted.
    traced: io::Result<()>,
}

/// Runs a plan, and cleans up behind it.
fn run_plan(args: &CheckArgs, prepared: Prepared, inherited: &Inherited) -> Result<Ran, Failure> {
    let Prepared { plan, jobs } = prepared;
    os::room_for_a_command().map_err(cannot_run)?;
    os::survive_file_size_limit();
    // The guard is forked off while there is one thread, and before there is anything to guard.
    let place = scratch::choose();
    let guard = place.as_ref().ok().map(|place| Guard::new(place));
    let scratch = place.and_then(Scratch::new);
    if let (Err(_), Some(Ok(guard))) = (&scratch, &guard) {
        // What stands there is somebody else's.
        guard.remove_nothing();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(cannot_run)?;
    let streamed_to: Option<Box<dyn Write + Send>> = match (&args.output, args.format.streams()) {
        (_, false) => None,
        (None, true) => Some(Box::new(os::Stdout::open().map_err(Failure::Write)?)),
        (Some(file), true) => {
            let opened = output::open_stream(file);
            Some(Box::new(opened.map_err(|error| Failure::Write(named(file, error)))?))
        }
    };
    let (slots, warning) = Slots::new(jobs, inherited);
    let reporter = Rc::new(Reporter {
        progress: Progress::new(plan.checks.len()),
        stream: streamed_to.map(Stream::start).transpose().map_err(no_thread)?,
    });
    let guard = match guard {
        Some(Err(error)) => {
            reporter.notice(&format!("if this is killed, compilers may stay: {error}"));
            None
        }
        guard => guard.and_then(Result::ok),
    };
    if let Some(warning) = warning {
        reporter.notice(&warning);
    }
    let runner = Runner::new(guard);
    let runner = if args.trace.is_some() { runner.recording() } else { runner };
    let context = Rc::new(Context::new(plan, runner, scratch, reporter.clone()));

    let watch_reader = args.output.is_none();
    let options = Options { fuse: !args.no_fuse, verify: args.verify };
    let end = LocalSet::new()
        .block_on(&runtime, run_or_stop(&context, slots, options, watch_reader, &reporter));
    // What is left of a stopped run is killed here, and its files go: the results may have to
    // wait for their reader, and nothing else is to wait with them.
    drop(runtime);
    let context = Rc::into_inner(context).expect("all tasks have ended");
    let Context { plan, runner, scratch, observer, .. } = context;
    let spans = runner.recorded();
    drop((runner, scratch, observer));
    let reporter = Rc::into_inner(reporter).expect("nobody is left to report");
    reporter.progress.finish();
    let traced = args.trace.as_ref().map_or(Ok(()), |file| {
        let trace = chrome_trace(&spans).to_string();
        let written = match output::is_stdout(file) {
            true => output::write(trace.as_bytes()),
            false => std::fs::write(file, trace),
        };
        written.map_err(|error| named(file, error))
    });

    Ok(Ran { end, plan, reporter, traced })
}

/// Tells whoever types checks that a no may only mean that no header was given, where the results have no
/// reasons in them.
fn tell_of_missing_headers(plan: &Plan, answers: &[Answer]) {
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

/// What the program itself needs and the system does not give: mostly because of a limit.
fn cannot_run(error: io::Error) -> Failure {
    Failure::Run(Reason::new(Code::of_start(&error, Code::LimitReached), error.to_string()))
}

/// A thread that could not be started.
fn no_thread(error: io::Error) -> Failure {
    let message =
        format!("no thread could be started ({error}); raise the limit on processes (ulimit -u)");
    cannot_run(io::Error::new(error.kind(), message))
}

/// Runs the plan until it ends, or a signal or the reader of the results ends it.
async fn run_or_stop(
    context: &Rc<Context>,
    slots: Slots,
    options: Options,
    watch_reader: bool,
    reporter: &Reporter,
) -> End {
    let mut running = pin!(schedule::run(context.clone(), slots, options));
    let mut interrupted = pin!(os::interrupted());
    let end = tokio::select! {
        done = &mut running => {
            let held = os::hold_interrupts();
            if let Some(signal) = has_come(interrupted).await {
                return signal.map_or_else(End::CannotRun, End::Stopped);
            }
            let (answers, summary) = done.expect("nobody has stopped it");
            return End::Done(answers, summary, Box::new(held));
        }
        signal = &mut interrupted => signal.map_or_else(End::CannotRun, End::Stopped),
        error = nobody_reads(watch_reader, reporter) => match error {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => End::CannotWrite(error),
            _ => End::Stopped(os::BROKEN_PIPE),
        },
    };
    // Compilers get a moment to remove their own files.
    context.runner.stop();
    running.await;
    end
}

/// What a future gives without waiting, once the runtime has looked at all that has happened.
async fn has_come<T>(mut future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    let look = async {
        // The runtime looks when its tasks yield. The second time is for what the first woke.
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
    };
    tokio::select! {
        biased;
        value = &mut future => Some(value),
        () = look => None,
    }
}

/// Waits until results can no longer be written; the error, if one was met.
async fn nobody_reads(watch_reader: bool, reporter: &Reporter) -> Option<io::Error> {
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
            let mut out = io::BufWriter::new(os::Stdout::open()?);
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

/// An error that names the file that the results go to, if they go to one.
fn in_output(args: &CheckArgs, error: io::Error) -> io::Error {
    match &args.output {
        Some(file) => named(file, error),
        None => error,
    }
}

/// An error that names the file.
fn named(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// An error goes before a required check that was not yes: without an answer nobody knows.
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
