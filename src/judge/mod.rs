//! What the end of a command means: yes, no, or no answer at all.
//!
//! A compiler answers no by exiting with a status that says so, and in no other way. Whatever
//! else happened (it is missing, it was killed, it crashed, it ran out of time, memory or
//! disk) is an error with a reason and a remedy.

mod elf;
pub mod messages;

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::os;
use crate::process::{Exit, Finished};

use elf::Written;

/// The meaning of a command's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It succeeded.
    Yes,
    /// It failed, and by its own judgement.
    No,
    /// It did not judge: what happened and what to do.
    Error(String),
}

/// Shells and `env` exit with such statuses when they could not run a command or when a signal
/// ended it. No compiler uses them for an error in the source.
const FIRST_STATUS_OF_WRAPPERS: i32 = 126;

/// The verdict of a compiler, or of `what` else makes a file. `product` is the file that it was to write, if one; `source` gives
/// the source's text; `timeout` is the time that it had.
pub fn compiler(
    what: &str,
    finished: &Finished,
    messages: &str,
    product: Option<&Path>,
    source: impl FnOnce() -> String,
    timeout: Duration,
) -> Verdict {
    let code = match not_by_itself(&finished.exit, what, timeout) {
        Ok(code) => code,
        Err(error) => return Verdict::Error(error),
    };
    if code == 0 {
        let Some(file) = product else { return Verdict::Yes };
        return match elf::look(file) {
            Written::Nothing => Verdict::Error(format!(
                "{what} reported success but wrote no output file; check what the command really runs"
            )),
            Written::Part => Verdict::Error(format!(
                "{what} reported success but wrote only a part of its output file; look for a full \
                 disk, then ask again"
            )),
            Written::All => Verdict::Yes,
        };
    }
    failed(what, code, messages, product.and_then(Path::parent), &source())
}

/// What it means that a command has failed with this status and these messages. `dir` is where it
/// was to write.
pub fn failed(what: &str, code: i32, messages: &str, dir: Option<&Path>, source: &str) -> Verdict {
    if let Some(trouble) = messages::trouble(messages, source) {
        return Verdict::Error(trouble);
    }
    if code >= FIRST_STATUS_OF_WRAPPERS {
        return Verdict::Error(format!(
            "{what} exited with status {code}, which says that something could not be run; \
             see its message in the output"
        ));
    }
    if dir.is_some_and(os::is_full) {
        return Verdict::Error(format!(
            "{what} failed and the temporary space is full; make room, or set TMPDIR"
        ));
    }
    if messages.trim().is_empty() {
        // A driver whose cc1 or as could not be loaded fails like this, too.
        return Verdict::Error(format!(
            "{what} failed with status {code} and did not say why; a compiler that says no tells \
             what is wrong with the source, so look at what the command really runs"
        ));
    }
    Verdict::No
}

/// Why a no of a compiler that was to read these files does not count.
pub const REMOVED: &str = "the check's temporary files were removed while it ran; look for what \
                           cleans up there, or set TMPDIR to another directory";

/// Why nothing that a compiler says counts any more.
pub fn replaced(program: &Path) -> String {
    format!(
        "{} was replaced or removed while the checks ran; ask again when the installation is complete",
        program.display()
    )
}

/// The verdict of a program that was run: whether it exited with 0. An emulator is given by its
/// command; `errors` is what was written to standard error.
pub fn program(exit: &Exit, emulator: Option<&Path>, errors: &str, timeout: Duration) -> Verdict {
    if let Exit::Signal(signal) = exit
        && os::is_own_fault(*signal)
    {
        return Verdict::No;
    }
    if let Exit::NotStarted(error) = exit {
        return Verdict::Error(match emulator {
            Some(_) => format!("the emulator could not be started ({error}); check the toolchain's \"emulator\""),
            None if os::is_foreign_program(error) => {
                "the program is for another machine; give the toolchain an \"emulator\" that runs it".into()
            }
            // Its loader, most likely.
            None if error.kind() == io::ErrorKind::NotFound => format!(
                "the program could not be started ({error}); for another machine's programs, \
                 give the toolchain an \"emulator\""
            ),
            None => format!("the program could not be started ({error}); check the system's limits"),
        });
    }
    match not_by_itself(exit, "the program", timeout) {
        Err(error) => Verdict::Error(error),
        Ok(0) => Verdict::Yes,
        Ok(code)
            if let Some(said) = emulator.and_then(|emulator| own_words(emulator, code, errors)) =>
        {
            Verdict::Error(format!(
                "the emulator could not run the program ({said}); check its arguments"
            ))
        }
        Ok(_) => Verdict::No,
    }
}

/// What an emulator says of itself, when its status is not the program's. It is a wrapper, whose
/// statuses are those of shells; QEMU has another one, but names itself.
fn own_words(emulator: &Path, code: i32, errors: &str) -> Option<String> {
    let name = format!("{}: ", emulator.file_name()?.to_string_lossy());
    let line = errors.lines().find(|line| line.starts_with(&name));
    let wrapper = [126, 127].contains(&code).then(|| format!("status {code}"));
    line.map(|line| line.trim().to_string()).or(wrapper)
}

/// The exit status of a command that ended by itself, or why there is none.
fn not_by_itself(exit: &Exit, what: &str, timeout: Duration) -> Result<i32, String> {
    match exit {
        Exit::Code(code) => Ok(*code),
        Exit::Signal(signal) => Err(format!(
            "{what} was ended by {}; look for a lack of memory or for whoever sent it, then ask again",
            os::describe_signal(*signal)
        )),
        Exit::TimedOut => Err(format!(
            "{what} did not end within {} s and was stopped; raise the \"timeout\" if it needs more",
            timeout.as_secs_f64()
        )),
        Exit::NotStarted(error) => Err(format!(
            "{what} could not be started ({error}); check the toolchain's command and the system's limits"
        )),
    }
}
