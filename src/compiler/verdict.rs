//! What the end of a command means: yes, no, or no answer at all.
//!
//! A compiler answers no by exiting with a status that says so, and in no other way. Whatever
//! else happened (it is missing, it was killed, it crashed, it ran out of time, memory or
//! disk) is an error with a reason and a remedy.

use std::path::Path;
use std::time::Duration;

use crate::exec::process::{Exit, Finished};
use crate::os;
use crate::protocol::code::{Code, Reason};

use super::causes::{self, CommandContext, Cause};
use super::diagnostics;
use super::object_file::{self, Completeness};

/// The meaning of a command's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It succeeded.
    Yes,
    /// It failed, and by its own judgement.
    No,
    /// It did not judge: what happened and what to do.
    Error(Reason),
}

impl Verdict {
    /// That it did not judge.
    pub(crate) fn error(code: Code, text: impl Into<String>) -> Self {
        Verdict::Error(Reason::new(code, text))
    }
}

/// Shells and `env` exit with such statuses when they could not run a command or when a signal
/// ended it. No compiler uses them for an error in the source.
const FIRST_STATUS_OF_WRAPPERS: i32 = 126;

/// The verdict of a compiler, or of `what` else makes a file. `product` is the file that it was to
/// write, if one; `source` gives the source's text; `timeout` is the time that it had.
pub(crate) fn compiler(
    what: &str,
    finished: &Finished,
    messages: &str,
    product: Option<&Path>,
    source: impl FnOnce() -> String,
    timeout: Duration,
    context: CommandContext<'_>,
) -> Verdict {
    let code = match &finished.exit {
        Exit::Code(code) => *code,
        Exit::NotStarted(error) => {
            return Verdict::Error(causes::compiler_not_started(what, error));
        }
        Exit::TimedOut => return Verdict::Error(timed_out(what, timeout)),
        // What writes on where it cannot may end by any signal.
        Exit::Signal(signal) => {
            return Verdict::Error(match diagnostics::trouble(messages, &source()) {
                Some((cause, line)) if cause != Cause::Crash => cause.message(&line, context),
                _ if product.is_some() && os::is_full(context.check_dir) => {
                    let name = os::describe_signal(*signal);
                    let remedy = causes::full(context.temp);
                    let text =
                        format!("{what} was ended by {name}, and the disk is full; {remedy}");
                    Reason::new(Code::DiskFull, text)
                }
                _ => causes::compiler_signal(what, *signal),
            });
        }
    };
    if code == 0 {
        let Some(file) = product else { return Verdict::Yes };
        return match object_file::completeness(file) {
            Completeness::Whole => Verdict::Yes,
            _ if os::is_full(context.check_dir) => {
                let remedy = causes::full(context.temp);
                let text = format!(
                    "{what} reported success but did not write all of its output file, and the disk is full; {remedy}"
                );
                Verdict::error(Code::DiskFull, text)
            }
            Completeness::Nothing => {
                let text = format!(
                    "{what} reported success but wrote no output file; check what the command really runs"
                );
                Verdict::error(Code::CompilerMisbehaved, text)
            }
            Completeness::Part => {
                let text = format!(
                    "{what} reported success but wrote only a part of its output file; look for a full \
                     disk, then ask again"
                );
                Verdict::error(Code::CompilerMisbehaved, text)
            }
        };
    }
    failed(what, code, messages, product.is_some(), &source(), context)
}

/// What it means that a command, which was to write a file or not, has failed with this status and
/// these messages.
pub(crate) fn failed(
    what: &str,
    code: i32,
    messages: &str,
    writes: bool,
    source: &str,
    context: CommandContext<'_>,
) -> Verdict {
    if let Some((cause, line)) = diagnostics::trouble(messages, source) {
        return Verdict::Error(cause.message(&line, context));
    }
    if code >= FIRST_STATUS_OF_WRAPPERS {
        let text = format!(
            "{what} exited with status {code}, which says that something could not be run; \
             see its message in the output"
        );
        return Verdict::error(Code::CompilerNotStarted, text);
    }
    if writes && os::is_full(context.check_dir) {
        let remedy = causes::full(context.temp);
        let text = format!("{what} failed, and the disk is full; {remedy}");
        return Verdict::error(Code::DiskFull, text);
    }
    if messages.trim().is_empty() {
        // A driver whose cc1 or as could not be loaded fails like this, too.
        let text = format!(
            "{what} failed with status {code} and did not say why; a compiler that says no tells \
             what is wrong with the source, so look at what the command really runs"
        );
        return Verdict::error(Code::CompilerMisbehaved, text);
    }
    Verdict::No
}

/// Why a no of a compiler whose files are gone does not count.
pub(crate) fn removed() -> Verdict {
    let text = "the check's temporary files were removed while it ran; look for what cleans up \
                there, or set TMPDIR to another directory";
    Verdict::error(Code::TempUnusable, text)
}

/// Why nothing that a compiler says counts any more.
pub(crate) fn replaced(program: &Path) -> Verdict {
    let text = format!(
        "{} was replaced or removed while the checks ran; ask again when the installation is complete",
        program.display()
    );
    Verdict::error(Code::CompilerReplaced, text)
}

/// The verdict of a program that was run: whether it exited with 0. An emulator is given by its
/// command; `errors` is what was written to standard error.
pub(crate) fn program(
    exit: &Exit,
    emulator: Option<&Path>,
    errors: &str,
    timeout: Duration,
    context: CommandContext<'_>,
) -> Verdict {
    let code = match exit {
        Exit::Code(code) => *code,
        Exit::Signal(signal) if os::is_own_fault(*signal) => return Verdict::No,
        Exit::Signal(signal) => return Verdict::Error(causes::program_signal(*signal)),
        Exit::TimedOut => return Verdict::Error(timed_out("the program", timeout)),
        Exit::NotStarted(error) => {
            return Verdict::Error(match emulator {
                Some(_) => Reason::new(
                    Code::of_start(error, Code::EmulatorFailed),
                    format!(
                        "the emulator could not be started ({error}); check the toolchain's \"emulator\""
                    ),
                ),
                None => causes::program_not_started(error, context),
            });
        }
    };
    match emulator.and_then(|emulator| emulator_failure(emulator, code, errors)) {
        Some(line) if code != 0 => {
            let text =
                format!("the emulator could not run the program ({line}); check its arguments");
            Verdict::error(Code::EmulatorFailed, text)
        }
        _ if code == 0 => Verdict::Yes,
        _ => Verdict::No,
    }
}

/// What an emulator says of itself, when its status is not the program's. It is a wrapper, whose
/// statuses are those of shells; QEMU has another one, but names itself.
fn emulator_failure(emulator: &Path, code: i32, errors: &str) -> Option<String> {
    let name = format!("{}: ", emulator.file_name()?.to_string_lossy());
    let line = errors.lines().find(|line| line.starts_with(&name));
    let wrapper = [126, 127].contains(&code).then(|| format!("status {code}"));
    line.map(|line| line.trim().to_string()).or(wrapper)
}

fn timed_out(what: &str, timeout: Duration) -> Reason {
    let text = format!(
        "{what} did not end within {} s and was stopped; raise the \"timeout\" if it needs more",
        timeout.as_secs_f64()
    );
    Reason::new(Code::TimedOut, text)
}
