//! `tryall check`: reads the request and plans it.

use std::io::{self, IsTerminal, Read};
use std::path::Path as FilePath;
use std::process::ExitCode;
use std::rc::Rc;

use super::CheckArgs;
use super::execute::{Failure, Prepared, execute};
use super::output;
use crate::cli::progress::tell;
use crate::engine::{cannot_run, no_directory, plan_without_slips};
use crate::exec::slots::Inherited;
use crate::os;
use crate::plan::toolchain::Environment;
use crate::plan::{self, Origin};
use crate::protocol::code::Code;
use crate::protocol::command_line::{self, Shared};
use crate::protocol::language::Language;
use crate::protocol::parse;
use crate::protocol::{BadRequest, Location, Request, Toolchain};
use crate::report;

/// Runs the command.
pub(super) fn run(mut args: CheckArgs, inherited: Inherited) -> ExitCode {
    args.output = args.output.filter(|file| !output::is_stdout(file));
    // Don't run anything if the results cannot be written.
    if args.output.is_none()
        && let Err(error) = os::Stdout::open()
    {
        return output::write_failure(&error);
    }
    if args.output.is_none() && args.trace.as_deref().is_some_and(output::is_stdout) {
        let message = "standard output already receives the answers; name a file";
        let place = Location::flag("--trace -");
        return refuse(&args, &BadRequest::at(Code::InvalidOption, message, &place, None));
    }
    let prepared = match prepare(&args) {
        Ok(prepared) => prepared,
        Err(error) => return refuse(&args, &error),
    };
    execute(&args, prepared, inherited).unwrap_or_else(|failure| failed(&args, &failure))
}

/// Reports why there are no results.
pub(super) fn failed(args: &CheckArgs, failure: &Failure) -> ExitCode {
    match failure {
        Failure::Write(error) => output::write_failure(error),
        Failure::Run(reason) => tell_no_results(args, &cannot_run(reason.clone()), 3),
    }
}

/// Reports that the request is unusable.
pub(super) fn refuse(args: &CheckArgs, error: &BadRequest) -> ExitCode {
    tell_no_results(args, error, 2)
}

/// Reports why there are no results, both on standard error and in the output format.
fn tell_no_results(args: &CheckArgs, error: &BadRequest, status: u8) -> ExitCode {
    tell(&error.to_string());
    // Leave an output file alone: nothing was run, so its contents are still valid.
    if args.output.is_none() {
        let mut written = Vec::new();
        report::write_refusal(args.format, error, &mut written).expect("memory takes all");
        if let Err(error) = output::write(&written) {
            return output::write_failure(&error);
        }
    }
    ExitCode::from(status)
}

/// Reads the request and plans it.
fn prepare(args: &CheckArgs) -> Result<Prepared, BadRequest> {
    let environment = Environment::of_process().map_err(no_directory)?;
    let on_command_line = command_line::checks(&args.checks, shared(args))?;
    let bytes = match (&args.file, on_command_line.is_empty()) {
        (Some(file), _) if file.as_os_str() != "-" => Some(read_file(file)?),
        (None, false) => None,
        _ => Some(read_stdin()?),
    };
    let (mut request, text) = match &bytes {
        Some(bytes) => parse::parse(bytes).map(|(request, text)| (request, Some(text)))?,
        None => (Request::default(), None),
    };
    // Paths in a request file are relative to the file, not to the current directory.
    let file = args.file.as_deref().filter(|file| file.as_os_str() != "-");
    let dir = file
        .and_then(FilePath::parent)
        .map_or(environment.dir.clone(), |dir| environment.dir.join(dir));
    let (dir, here) = (Rc::new(dir), Rc::new(environment.dir.clone()));
    let mut origins = Origin::of_request(&request, &dir);
    for (option, check) in on_command_line {
        origins.push(Origin::of_option(option, here.clone()));
        request.checks.push(check);
    }
    apply_toolchain_options(args, &mut request)?;
    for (check, origin) in std::iter::zip(&request.checks, &origins) {
        if let Some(why) = args.format.refuses_id(&check.id) {
            let place = origin.path.clone().key("id");
            return Err(BadRequest::at(Code::InvalidValue, why, &place, text));
        }
    }
    let checks = request.checks.iter().map(|check| (check.id.as_str(), check.kind));
    if let Some((index, why)) = args.format.clash(checks) {
        let place = origins[index].path.clone().key("id");
        return Err(BadRequest::at(Code::DuplicateId, why, &place, text));
    }
    let jobs = args.jobs.or(request.jobs);
    let plan = plan_without_slips(plan::Input {
        request,
        origins,
        text,
        base: &dir,
        timeout: args.timeout,
        environment: &environment,
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

/// `--compiler` and `--emulator` override the toolchains of the request. The compiler belongs to
/// one language; the emulator runs the programs of all languages.
fn apply_toolchain_options(args: &CheckArgs, request: &mut Request) -> Result<(), BadRequest> {
    if let Some(command) = words("--compiler", args.compiler.as_deref())? {
        toolchain(args, request, args.language.unwrap_or_default()).command = Some(command);
    }
    if let Some(emulator) = words("--emulator", args.emulator.as_deref())? {
        for language in Language::all() {
            toolchain(args, request, language).emulator = emulator.clone();
        }
    }
    Ok(())
}

/// The toolchain named by `--toolchain`, or else the one for a language.
fn toolchain<'a>(
    args: &CheckArgs,
    request: &'a mut Request,
    language: Language,
) -> &'a mut Toolchain {
    let mut names = request.toolchains.keys();
    let of_language = |name: &&String| Language::from_name(name) == Some(language);
    let name = args.toolchain.clone().or_else(|| names.find(of_language).cloned());
    request.toolchains.entry(name.unwrap_or_else(|| language.name().into())).or_default()
}

/// Splits an option's command into words, as a shell would.
fn words(option: &str, text: Option<&str>) -> Result<Option<Vec<String>>, BadRequest> {
    let Some(text) = text else { return Ok(None) };
    let words = shlex::split(text).filter(|words| !words.is_empty());
    words.map(Some).ok_or_else(|| {
        let message = "the command is empty or has an unclosed quote";
        BadRequest::at(Code::InvalidOption, message, &Location::flag(option), None)
    })
}

fn read_file(path: &FilePath) -> Result<Vec<u8>, BadRequest> {
    let file = std::fs::File::open(path);
    file.and_then(read_bounded).map_err(|error| {
        let is_header =
            path.extension().is_some_and(|it| ["h", "hh", "hpp"].iter().any(|h| it == *h));
        let remedy = match is_header {
            true => format!("; to check for a header, write --header {}", path.display()),
            false => String::new(),
        };
        let message = format!("the request {} cannot be read: {error}{remedy}", path.display());
        BadRequest::whole(Code::RequestUnreadable, message)
    })
}

fn read_stdin() -> Result<Vec<u8>, BadRequest> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        tell("reading a request from the terminal; see `tryall --help` for other ways");
    }
    read_bounded(stdin.lock()).map_err(|error| {
        let message = format!("the request cannot be read from standard input: {error}");
        BadRequest::whole(Code::RequestUnreadable, message)
    })
}

/// Reads one byte more than the limit at most, so that the parser can reject larger requests.
fn read_bounded(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(parse::MOST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
