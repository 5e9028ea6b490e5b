//! `tryall check`: request → plan → run → report.

use std::cell::RefCell;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path as FilePath;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::LocalSet;

use super::CheckArgs;
use super::output;
use crate::language::Language;
use crate::os::{self, Guard};
use crate::plan::{self, Origin, Plan};
use crate::process::Runner;
use crate::progress::Progress;
use crate::report;
use crate::request::flags::{self, Shared};
use crate::request::{self, BadRequest, Path, Request};
use crate::response::{Answer, Status, Summary};
use crate::run::{self, Context, Observer};
use crate::scratch::Scratch;
use crate::slots::{Inherited, Slots};
use crate::toolchain::Surroundings;

/// How often it is looked whether anybody still reads the results.
const READER_POLL: Duration = Duration::from_millis(100);

/// Runs the command.
pub fn run(mut args: CheckArgs, inherited: Inherited) -> ExitCode {
    // Opened by its name, a file that stands there would be written from its start again.
    args.output = args.output.filter(|file| file != FilePath::new("/dev/stdout"));
    let plan_and_jobs = match prepare(&args) {
        Ok(prepared) => prepared,
        Err(error) => return refuse(&args, &error),
    };
    match execute(&args, plan_and_jobs, inherited) {
        Ok(status) => status,
        Err(error) => output::write_failure(&error),
    }
}

/// Says that the request is unusable: to the reader of the results and to people.
fn refuse(args: &CheckArgs, error: &BadRequest) -> ExitCode {
    eprintln!("tryall: {error}");
    // An output file is left alone: nothing was run, so what it holds is as good as before.
    if args.output.is_none() {
        let mut stdout = io::stdout().lock();
        let written =
            report::write_refusal(args.format, error, &mut stdout).and_then(|()| stdout.flush());
        if let Err(error) = written {
            return output::write_failure(&error);
        }
    }
    ExitCode::from(2)
}

/// A plan and the number of slots that was asked for.
struct Prepared {
    plan: Plan,
    jobs: Option<std::num::NonZeroUsize>,
}

/// Reads the request and plans it.
fn prepare(args: &CheckArgs) -> Result<Prepared, BadRequest> {
    let surroundings = Surroundings::of_process().map_err(|error| {
        BadRequest::whole(format!("the current directory cannot be used: {error}"))
    })?;
    let on_command_line = flags::checks(&args.checks, &shared(args))?;
    let bytes = match (&args.file, on_command_line.is_empty()) {
        (Some(file), _) if file.as_os_str() != "-" => Some(read_file(file)?),
        (None, false) => None,
        _ => Some(read_stdin()?),
    };
    let (mut request, text) = match &bytes {
        Some(bytes) => request::parse::parse(bytes).map(|(request, text)| (request, Some(text)))?,
        None => (Request::default(), None),
    };
    // The same file serves callers with other current directories.
    let file = args.file.as_deref().filter(|file| file.as_os_str() != "-");
    let dir = file
        .and_then(FilePath::parent)
        .map_or(surroundings.dir.clone(), |dir| surroundings.dir.join(dir));
    let (dir, here) = (Rc::new(dir), Rc::new(surroundings.dir.clone()));
    let mut origins: Vec<_> = (0..request.checks.len())
        .map(|index| Origin { path: Path::root().key("checks").index(index), base: dir.clone() })
        .collect();
    for (path, check) in on_command_line {
        origins.push(Origin { path, base: here.clone() });
        request.checks.push(check);
    }
    apply_toolchain_options(args, &mut request)?;
    for (check, origin) in std::iter::zip(&request.checks, &origins) {
        if let Some(why) = args.format.refuses_id(&check.id) {
            return Err(BadRequest::at(why, &origin.path.clone().key("id"), text));
        }
    }
    let jobs = args.jobs.or(request.jobs);
    let plan = plan::plan(plan::Input {
        request,
        origins,
        text,
        base: &dir,
        timeout: args.timeout,
        surroundings: &surroundings,
    })?;
    Ok(Prepared { plan, jobs })
}

fn shared(args: &CheckArgs) -> Shared {
    Shared {
        language: args.language,
        toolchain: args.toolchain.clone(),
        headers: args.headers.clone(),
        prefix: args.prefix.clone(),
        args: args.args.clone(),
        link_args: args.link_args.clone(),
        include_dirs: args.include_dirs.clone(),
        fail_patterns: args.fail_patterns.clone(),
        required: args.required,
    }
}

/// `--compiler` and `--emulator` go before what the request says of the language's toolchain.
fn apply_toolchain_options(args: &CheckArgs, request: &mut Request) -> Result<(), BadRequest> {
    let words = |option: &str, text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => match shlex::split(text).filter(|words| !words.is_empty()) {
            Some(words) => Ok(Some(words)),
            None => Err(BadRequest::at(
                "an unclosed quote, or nothing at all",
                &Path::flag(option),
                None,
            )),
        },
    };
    let compiler = words("--compiler", &args.compiler)?;
    let emulator = words("--emulator", &args.emulator)?;
    if compiler.is_none() && emulator.is_none() {
        return Ok(());
    }
    let language = args.language.unwrap_or_default();
    let name = match &args.toolchain {
        Some(name) => name.clone(),
        None => {
            let mut names = request.toolchains.keys();
            let known = names.find(|name| Language::from_name(name) == Some(language));
            known.cloned().unwrap_or_else(|| language.name().into())
        }
    };
    let toolchain = request.toolchains.entry(name).or_default();
    toolchain.command = compiler.or(toolchain.command.take());
    toolchain.emulator = emulator.unwrap_or(std::mem::take(&mut toolchain.emulator));
    Ok(())
}

fn read_file(path: &FilePath) -> Result<Vec<u8>, BadRequest> {
    let file = std::fs::File::open(path);
    file.and_then(read_bounded).map_err(|error| {
        BadRequest::whole(format!("the request {} cannot be read: {error}", path.display()))
    })
}

fn read_stdin() -> Result<Vec<u8>, BadRequest> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        eprintln!(
            "tryall: reading a request from the terminal; `tryall --help` tells what else there is"
        );
    }
    read_bounded(stdin.lock()).map_err(|error| {
        BadRequest::whole(format!("the request cannot be read from standard input: {error}"))
    })
}

/// Reads no more than shows that it is too much.
fn read_bounded(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(request::parse::MOST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Who is told of results as they come in.
struct Reporter {
    progress: Progress,
    /// Where each result is written at once, for a format that streams.
    stream: Option<RefCell<Box<dyn Write>>>,
    failure: RefCell<Option<io::Error>>,
}

impl Observer for Reporter {
    fn answered(&self, answer: &Answer) {
        self.progress.answered(answer);
        if let Some(stream) = &self.stream {
            let mut stream = stream.borrow_mut();
            let written = report::write_line(answer, &mut *stream).and_then(|()| stream.flush());
            if let Err(error) = written {
                self.failure.borrow_mut().get_or_insert(error);
            }
        }
    }

    fn notice(&self, notice: &str) {
        self.progress.print(&format!("tryall: {notice}"));
    }
}

/// How a run ended.
enum End {
    Done(Vec<Answer>, Summary),
    /// By a signal, or because nobody reads the results any more.
    Stopped(i32),
    CannotWrite(io::Error),
}

/// Runs the plan and writes the results.
fn execute(args: &CheckArgs, prepared: Prepared, inherited: Inherited) -> io::Result<ExitCode> {
    let Prepared { plan, jobs } = prepared;
    let stream: Option<Box<dyn Write>> = match (&args.output, args.format.streams()) {
        (_, false) => None,
        (None, true) => Some(Box::new(io::stdout())),
        (Some(file), true) => {
            let created = std::fs::File::create(file).map_err(|error| named(file, &error))?;
            Some(Box::new(io::BufWriter::new(created)))
        }
    };
    let reporter = Rc::new(Reporter {
        progress: Progress::new(plan.asks.len()),
        stream: stream.map(RefCell::new),
        failure: RefCell::new(None),
    });
    let scratch = Scratch::new().map_err(|error| error.to_string());
    // The guard is forked off while there is one thread.
    let guard = scratch.as_ref().ok().and_then(|scratch| {
        let guard = Guard::new(scratch.path());
        guard
            .inspect_err(|error| {
                reporter.notice(&format!("if this is killed, compilers may stay: {error}"));
            })
            .ok()
    });
    let (slots, warning) = Slots::new(jobs, inherited);
    if let Some(warning) = warning {
        reporter.notice(&warning);
    }
    let context = Rc::new(Context::new(plan, Runner::new(guard), scratch, reporter.clone()));

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let watch_reader = args.output.is_none();
    let end = LocalSet::new()
        .block_on(&runtime, run_or_stop(&context, slots, args.verify, watch_reader, &reporter));
    // What is left of a stopped run is killed here, and its files go.
    drop(runtime);
    reporter.progress.finish();

    match end? {
        End::Stopped(signal) => Ok(output::ended_by(signal)),
        End::CannotWrite(error) => Err(error),
        End::Done(answers, summary) => {
            let status = exit_status(&context.plan, &answers);
            write_results(args, &context.plan, answers, summary, &reporter)?;
            Ok(status)
        }
    }
}

/// Runs the plan until it ends, or a signal or the reader of the results ends it.
async fn run_or_stop(
    context: &Rc<Context>,
    slots: Slots,
    verify: bool,
    watch_reader: bool,
    reporter: &Reporter,
) -> io::Result<End> {
    let mut running = std::pin::pin!(run::run(context.clone(), slots, verify));
    let end = tokio::select! {
        done = &mut running => {
            let (answers, summary) = done.expect("nobody has stopped it");
            return Ok(End::Done(answers, summary));
        }
        signal = os::interrupted() => End::Stopped(signal?),
        error = nobody_reads(watch_reader, reporter) => match error {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => End::CannotWrite(error),
            _ => End::Stopped(os::BROKEN_PIPE),
        },
    };
    // Compilers get a moment to remove their own files.
    context.runner.stop();
    running.await;
    Ok(end)
}

/// Waits until results can no longer be written; the error, if one was met.
async fn nobody_reads(watch_reader: bool, reporter: &Reporter) -> Option<io::Error> {
    loop {
        tokio::time::sleep(READER_POLL).await;
        if let Some(error) = reporter.failure.borrow_mut().take() {
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
    reporter: &Reporter,
) -> io::Result<()> {
    if let Some(error) = reporter.failure.borrow_mut().take() {
        return Err(error);
    }
    if let Some(stream) = &reporter.stream {
        let mut stream = stream.borrow_mut();
        report::write(args.format, plan, answers, summary, &mut *stream)?;
        return stream.flush();
    }
    match &args.output {
        None => {
            let mut out = io::BufWriter::new(io::stdout().lock());
            report::write(args.format, plan, answers, summary, &mut out)?;
            out.flush()
        }
        Some(path) => {
            let mut contents = Vec::new();
            report::write(args.format, plan, answers, summary, &mut contents)?;
            output::replace(path, &contents).map_err(|error| named(path, &error))
        }
    }
}

/// An error that names the file.
fn named(path: &FilePath, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// An error goes before a required check that was not yes: without an answer nobody knows.
fn exit_status(plan: &Plan, answers: &[Answer]) -> ExitCode {
    if answers.iter().any(|answer| answer.status == Status::Error) {
        return ExitCode::from(3);
    }
    let unmet = |(ask, answer): (&plan::Ask, &Answer)| ask.required && answer.status != Status::Yes;
    if std::iter::zip(&plan.asks, answers).any(unmet) {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    }
}
