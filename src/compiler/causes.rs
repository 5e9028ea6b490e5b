//! Why a command did not judge its source: the code and the message for each cause. Messages say
//! what to do, and name the directory, limit or variable in question.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use crate::os::{self, Limit, StartFailure};
use crate::protocol::code::{Code, Reason};

/// What went wrong apart from the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The compiler has a bug.
    Crash,
    /// A part of the compiler was killed.
    Killed,
    /// A part of the compiler was not found or could not be run.
    NotStarted,
    /// The compiler did not find its linker or assembler.
    NoBinutils,
    /// The disk is full.
    DiskFull,
    /// The user's disk quota is used up.
    Quota,
    /// Files could not be written for another reason.
    Unwritable,
    /// Memory ran out.
    Memory,
    /// A limit of the process was reached.
    Limit(Limit),
    /// A part of the compiler is being written.
    Busy,
    /// The linker failed, but not because of its input.
    LinkerFailed,
    /// The compiler has no license.
    NoLicense,
    /// The program that starts the compiler failed.
    Launcher,
}

/// The directories and the search path of a command, for messages about its failure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CommandContext<'a> {
    /// The directory of its check, whose name means nothing to users.
    pub check_dir: &'a Path,
    /// The directory for temporary files.
    pub temp: &'a Path,
    /// The `PATH` of the command, if it is set.
    pub path: Option<&'a OsStr>,
}

const SEE_OUTPUT: &str = "see its message in the output";

impl Cause {
    /// The reason for an error with this cause: the cause, the compiler's own words, and the
    /// remedy.
    pub(crate) fn message(self, line: &str, context: CommandContext<'_>) -> Reason {
        let own = format!("{}/", context.check_dir.display());
        let line = line.trim().replace(&own, "");
        let cause = match self {
            Cause::Unwritable if os::is_full(context.temp) => Cause::DiskFull,
            cause => cause,
        };
        let text = format!("{} ({line}); {}", cause.description(), cause.remedy(&line, context));
        Reason::new(cause.code(), text)
    }

    fn code(self) -> Code {
        match self {
            Cause::Crash | Cause::LinkerFailed => Code::CompilerCrashed,
            Cause::Killed => Code::CompilerKilled,
            Cause::NotStarted => Code::CompilerNotStarted,
            Cause::NoBinutils => Code::LinkerMissing,
            Cause::DiskFull | Cause::Quota => Code::DiskFull,
            Cause::Unwritable => Code::TempUnusable,
            Cause::Memory => Code::OutOfMemory,
            Cause::Limit(_) => Code::LimitReached,
            Cause::Busy => Code::CompilerReplaced,
            Cause::NoLicense => Code::NoLicense,
            Cause::Launcher => Code::LauncherFailed,
        }
    }

    fn description(self) -> &'static str {
        match self {
            Cause::Crash => "the compiler crashed",
            Cause::Killed => "a part of the compiler was killed by a signal",
            Cause::NotStarted => "a part of the compiler could not be started",
            Cause::NoBinutils => "the compiler cannot find its linker or assembler",
            Cause::DiskFull => "the disk is full",
            Cause::Quota => "the disk quota is used up",
            Cause::Unwritable => "the compiler could not write its files",
            Cause::Memory => "the compiler ran out of memory",
            Cause::Limit(_) => "the compiler ran into a limit of the system",
            Cause::Busy => "a file of the compiler is being replaced",
            Cause::LinkerFailed => "the linker failed",
            Cause::NoLicense => "the compiler has no license to run",
            Cause::Launcher => "the launcher failed",
        }
    }

    fn remedy(self, line: &str, context: CommandContext<'_>) -> String {
        match self {
            Cause::Crash => {
                raise_limits_or("report it to the compiler's developers, or use another version")
            }
            Cause::Killed => raise_limits_or("check whether memory ran out, then run it again"),
            Cause::Memory => raise_limits_or("use fewer jobs"),
            Cause::NotStarted | Cause::NoBinutils if context.path.is_none() => {
                "PATH is not set, and the compiler looks there for its parts; set PATH".into()
            }
            Cause::NotStarted if line.contains("shared libraries") => {
                raise_limits_or("install the library, or set LD_LIBRARY_PATH")
            }
            Cause::NotStarted => {
                "reinstall the compiler, or install the package of this language".into()
            }
            Cause::NoBinutils => "install binutils, or put them on PATH".into(),
            Cause::DiskFull => full(context.temp),
            Cause::Quota => {
                format!("remove files from {}, or {OTHER_TMPDIR}", context.temp.display())
            }
            Cause::Unwritable => {
                format!("its temporary directory is in {}; {OTHER_TMPDIR}", context.temp.display())
            }
            Cause::Limit(limit) => raise(limit),
            Cause::Busy => "try again when the installation is complete".into(),
            Cause::LinkerFailed | Cause::NoLicense => SEE_OUTPUT.into(),
            Cause::Launcher => format!("{SEE_OUTPUT}, or do without it"),
        }
    }
}

const OTHER_TMPDIR: &str = "set TMPDIR to another directory";

/// What to do about a full disk.
pub(crate) fn full(temp: &Path) -> String {
    let inodes = if os::has_no_inodes(temp) { ", which has no inodes left" } else { "" };
    format!("free space in {}{inodes}, or {OTHER_TMPDIR}", temp.display())
}

/// Why this program could not write a temporary file, and what to do.
pub(crate) fn not_written(what: &str, error: &io::Error, temp: &Path) -> Reason {
    let remedy = match error.kind() {
        io::ErrorKind::FileTooLarge => raise(Limit::FileSize),
        io::ErrorKind::StorageFull => full(temp),
        _ => format!("its directory is in {}; {OTHER_TMPDIR}", temp.display()),
    };
    let text = format!("{what} could not be written ({error}); {remedy}");
    Reason::new(Code::of_writing(error), text)
}

fn raise(limit: Limit) -> String {
    let jobs = match limit {
        Limit::OpenFiles | Limit::Processes => ", or use fewer jobs",
        _ => "",
    };
    format!("raise the limit on {} (ulimit {}){jobs}", limit.name(), limit.option())
}

/// A remedy that first suggests to raise the limits that are set, because they may be the cause.
fn raise_limits_or(otherwise: &str) -> String {
    let set: Vec<_> = os::set_limits().map(|limit| limit.option()).collect();
    match set.as_slice() {
        [] => otherwise.into(),
        set => format!("raise the limits that are set (ulimit {}), or {otherwise}", set.join(", ")),
    }
}

/// Why a signal ended a compiler, or another program that produces files (`what`), and what to do.
pub(crate) fn compiler_signal(what: &str, signal: i32) -> Reason {
    let is_crash = os::is_own_fault(signal);
    let code = if is_crash { Code::CompilerCrashed } else { Code::CompilerKilled };
    ended_by(what, signal, code)
}

/// Why a signal from outside ended the program of a check, and what to do.
pub(crate) fn program_signal(signal: i32) -> Reason {
    ended_by("the program", signal, Code::ProgramKilled)
}

fn ended_by(what: &str, signal: i32, code: Code) -> Reason {
    let name = os::describe_signal(signal);
    let (code, remedy) = match os::limit_behind(signal) {
        Some(limit) => (Code::LimitReached, raise(limit)),
        None => {
            let remedy = "check whether memory ran out or who sent the signal, then run it again";
            (code, raise_limits_or(remedy))
        }
    };
    Reason::new(code, format!("{what} was ended by {name}; {remedy}"))
}

/// Why a compiler was not started, and what to do.
pub(crate) fn compiler_not_started(what: &str, error: &io::Error) -> Reason {
    let code = Code::of_start(error, Code::CompilerNotStarted);
    Reason::new(code, not_started(what, error))
}

fn not_started(what: &str, error: &io::Error) -> String {
    let remedy = match os::start_failure(error) {
        StartFailure::Denied => "check its permissions, those of its interpreter, and whether its \
                                 file system is mounted noexec"
            .into(),
        StartFailure::NoProgram => {
            "it is a program for another machine, or a script without a first line such as \
             #!/bin/sh; name another compiler"
                .into()
        }
        StartFailure::Missing => {
            "the file, its interpreter or its loader does not exist; check its first line".into()
        }
        StartFailure::TooLong => "its arguments and environment are too long; shorten them".into(),
        StartFailure::Limit(limit) => raise(limit),
        StartFailure::Memory => raise_limits_or("use fewer jobs"),
        StartFailure::Other => "check the toolchain's command and the system's limits".into(),
    };
    format!("{what} could not be started ({error}); {remedy}")
}

/// Why the program that a check has just linked was not started, and what to do.
pub(crate) fn program_not_started(error: &io::Error, context: CommandContext<'_>) -> Reason {
    let emulator = "give the toolchain an \"emulator\" that runs it";
    let text = match os::start_failure(error) {
        StartFailure::NoProgram => format!("the program is for another machine; {emulator}"),
        // The loader is missing, most likely.
        StartFailure::Missing => format!(
            "the program could not be started ({error}); if it is for another machine, {emulator}"
        ),
        StartFailure::Denied => {
            let temp = context.temp.display();
            let noexec = if os::is_noexec(context.temp) { ", which is mounted noexec" } else { "" };
            format!(
                "the program could not be started ({error}) in {temp}{noexec}; set TMPDIR to a \
                 directory where programs can run"
            )
        }
        _ => not_started("the program", error),
    };
    Reason::new(Code::of_start(error, Code::ProgramNotStarted), text)
}
