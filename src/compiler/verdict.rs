//! Interprets the end of a command: yes, no, or not an answer.
//!
//! A compiler says no only by exiting with an ordinary nonzero status. Anything else (it is
//! missing, was killed, crashed, or ran out of time, memory or disk) is an error with a reason and
//! a remedy.

use std::path::Path;
use std::time::Duration;

use crate::exec::process::{Exit, Finished};
use crate::os;
use crate::protocol::code::{Code, Reason};

use super::causes::{self, Cause, CommandContext};
use super::diagnostics;
use super::object_file::{self, Completeness};

/// What the end of a command means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The command succeeded.
    Yes,
    /// The command judged its input, and rejected it.
    No,
    /// The command did not judge: what happened, and what to do.
    Error(Reason),
}

impl Verdict {
    /// The verdict that a command did not judge.
    pub(crate) fn error(code: Code, text: impl Into<String>) -> Self {
        Verdict::Error(Reason::new(code, text))
    }
}

/// Shells and `env` exit with this status or a higher one if they could not run a command, or if a
/// signal ended it. No compiler uses such a status for an error in the source.
const FIRST_STATUS_OF_WRAPPERS: i32 = 126;

/// The verdict of a compiler, or of another program that produces files; messages call it `what`.
/// `product` is the file that it should have written, if any; `source` returns the text of the
/// source; `timeout` was its time limit.
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
        // A program that keeps writing to a full disk may die from any signal.
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
                    "{what} reported success but did not write its whole output file, and the disk is full; {remedy}"
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
                    "{what} reported success but wrote only part of its output file; check whether a \
                     disk is full, then run it again"
                );
                Verdict::error(Code::CompilerMisbehaved, text)
            }
        };
    }
    failed(what, code, messages, product.is_some(), &source(), context)
}

/// The verdict on a command that failed with this status and these messages. `writes` says whether
/// it should have written a file.
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
            "{what} exited with status {code}, which means that something could not be run; \
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
        // A driver that cannot load its cc1 or as fails like this, too.
        let text = format!(
            "{what} failed with status {code} and printed no reason; a compiler that rejects a source \
             says why, so check what the command really runs"
        );
        return Verdict::error(Code::CompilerMisbehaved, text);
    }
    Verdict::No
}

/// The verdict on a no of a compiler whose input files are gone.
pub(crate) fn removed() -> Verdict {
    let text = "the check's temporary files were removed while it ran; find out what cleans up \
                there, or set TMPDIR to another directory";
    Verdict::error(Code::TempUnusable, text)
}

/// The verdict on a compiler that was replaced, whose answers no longer count.
pub(crate) fn replaced(program: &Path) -> Verdict {
    let text = format!(
        "{} was replaced or removed while the checks ran; try again when the installation is complete",
        program.display()
    );
    Verdict::error(Code::CompilerReplaced, text)
}

/// The verdict of a check's program: yes if it exited with 0. `emulator` is the program that ran
/// it, if any; `errors` is its standard error.
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

/// The message or status with which an emulator says that it failed itself, rather than its
/// program. It uses the same statuses as a shell. QEMU uses another status, but prefixes messages
/// with its name.
fn emulator_failure(emulator: &Path, code: i32, errors: &str) -> Option<String> {
    let name = format!("{}: ", emulator.file_name()?.to_string_lossy());
    let line = errors.lines().find(|line| line.starts_with(&name));
    let wrapper = [FIRST_STATUS_OF_WRAPPERS, FIRST_STATUS_OF_WRAPPERS + 1]
        .contains(&code)
        .then(|| format!("status {code}"));
    line.map(|line| line.trim().to_string()).or(wrapper)
}

fn timed_out(what: &str, timeout: Duration) -> Reason {
    let text = format!(
        "{what} did not end within {} s and was stopped; raise the \"timeout\" if it needs more time",
        timeout.as_secs_f64()
    );
    Reason::new(Code::TimedOut, text)
}
