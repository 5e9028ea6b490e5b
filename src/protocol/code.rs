//! Codes: what programs act on where people read a reason. They are part of the protocol and stay as
//! they are; a reason may be worded anew.

use std::fmt;
use std::io;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::os::{self, StartFailure};

// Of each code the first paragraph says what has happened, and the second what to do. The tables in
// docs/protocol.md have the same words.
/// Why a check has no answer, was skipped or was answered no, or why there are no results. More codes
/// may come: a program that does not know one goes by the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The compiler is not there.
    ///
    /// Install it, or name another one.
    CompilerMissing,
    /// The compiler, or a part of it, is there and could not be started.
    ///
    /// Repair it: its permissions, its interpreter, its libraries, or the machine that it is for.
    CompilerNotStarted,
    /// The linker or the assembler is not there.
    ///
    /// Install it, or put it on `PATH`.
    LinkerMissing,
    /// What starts the compiler, such as ccache, failed.
    ///
    /// See its message in `output`, or ask without it.
    LauncherFailed,
    /// The emulator is not there, or could not run the program.
    ///
    /// Correct the toolchain's `emulator`.
    EmulatorFailed,
    /// The compiler or its linker crashed.
    ///
    /// Report it to its makers, or use another version.
    CompilerCrashed,
    /// Something else ended the compiler, or a part of it, by a signal.
    ///
    /// Look for a lack of memory or for the sender, then ask again.
    CompilerKilled,
    /// A file of the compiler was replaced or removed while the checks ran.
    ///
    /// Ask again when the installation is complete.
    CompilerReplaced,
    /// The compiler did what no compiler does: it succeeded without its output, or failed without a
    /// word.
    ///
    /// Look at what the command really runs.
    CompilerMisbehaved,
    /// The compiler has no license to run.
    ///
    /// See its message in `output`.
    NoLicense,
    /// The compiler cannot compile or link an empty program.
    ///
    /// Correct the arguments of the toolchain, or repair its installation.
    ToolchainBroken,
    /// With the check's `args` and `link_args` the compiler cannot compile or link an empty program.
    ///
    /// Correct them.
    ArgumentsRefused,
    /// A command did not end within the time limit.
    ///
    /// Raise `timeout`, or look for what hangs.
    TimedOut,
    /// The program of the check could not be started.
    ///
    /// Give the toolchain an `emulator`, or set `TMPDIR` to a directory where programs may run.
    ProgramNotStarted,
    /// Something else ended the program of the check by a signal.
    ///
    /// Look for a lack of memory or for the sender, then ask again.
    ProgramKilled,
    /// There is no room left on the disk, or none of the user's share of it.
    ///
    /// Make room, or set `TMPDIR` to another directory.
    DiskFull,
    /// Temporary files could not be written, or were removed while a command ran.
    ///
    /// Set `TMPDIR` to another directory.
    TempUnusable,
    /// Memory ran out.
    ///
    /// Raise the limits that are set, or ask again with fewer jobs.
    OutOfMemory,
    /// A limit of the system was reached, such as that on open files or on the size of a file.
    ///
    /// Raise it, or ask again with fewer jobs.
    LimitReached,
    /// More was written than can be kept, and the rest may be what the answer depends on.
    ///
    /// Silence the warnings in it.
    OutputTooLong,
    /// The compiler accepts the question, but its value cannot be read or is too large.
    ///
    /// Ask in another way, and for each architecture alone.
    ValueUnreadable,
    /// The `product` could not be copied.
    ///
    /// Make its directory, and room in it.
    ProductNotCopied,
    /// Under `--verify` the check has another answer alone.
    ///
    /// Report it.
    VerificationFailed,

    /// A check in `needs` did not answer yes.
    ///
    /// See the result of that check.
    NeedNotMet,

    /// The output matches one of `fail_patterns`.
    ///
    /// Nothing: it is the answer.
    FailPattern,
    /// The compiler succeeds, and says that it does not know or use the flag in question.
    ///
    /// Nothing: it is the answer.
    UnknownFlag,
    /// The macro is not defined.
    ///
    /// Nothing: it is the answer.
    NotDefined,
    /// The preprocessor does not find the header, or the linker the name. Only a command that checks
    /// share tells so.
    ///
    /// Nothing: it is the answer.
    NotFound,
    /// A fault such as SIGSEGV ended the program.
    ///
    /// Nothing: it is the answer.
    ProgramCrashed,
    /// The check is about a declaration, and names no header.
    ///
    /// Name the header that has it.
    NoHeader,
    /// The compiler does not know one of the arguments.
    ///
    /// Correct it, unless it is the question.
    UnknownArgument,

    /// The request cannot be read.
    ///
    /// Name a file that is there.
    RequestUnreadable,
    /// The request is larger than 64 MiB.
    ///
    /// Split it.
    RequestTooLarge,
    /// The request is not JSON, or not in UTF-8.
    ///
    /// Correct it at `line` and `column`.
    InvalidJson,
    /// The request is of another version of the protocol.
    ///
    /// Use another version of tryall.
    UnsupportedVersion,
    /// There is no such field, or this kind does not have it.
    ///
    /// Leave it out.
    UnknownField,
    /// A field is missing.
    ///
    /// Add it.
    MissingField,
    /// A field, or a name in an object, stands twice.
    ///
    /// Leave one of them out.
    DuplicateField,
    /// The value is of another type than its field.
    ///
    /// See the schema.
    WrongType,
    /// The value is of the right type, and its field cannot have it.
    ///
    /// Correct it.
    InvalidValue,
    /// There is no such kind of check.
    ///
    /// Use a newer tryall, or ask in another way.
    UnknownKind,
    /// Fields that are right each on its own do not go together.
    ///
    /// Leave one of them out.
    ConflictingFields,
    /// The id is another check's, or would lead to the same variable in the output.
    ///
    /// Rename one of the two checks.
    DuplicateId,
    /// No check has the id in `needs`.
    ///
    /// Add that check, or leave the need out.
    UnknownNeed,
    /// Checks need each other in a circle.
    ///
    /// Leave one of the needs out.
    NeedsCircle,
    /// No toolchain has the name.
    ///
    /// Add it to `toolchains`, or name another one.
    UnknownToolchain,
    /// The `product` of another check goes to the same place.
    ///
    /// Give each a place of its own.
    ProductTaken,
    /// A file or directory that the request names is not there.
    ///
    /// Name one that is.
    FileMissing,
    /// A variable of the environment, or the current directory, cannot be used.
    ///
    /// Correct it.
    InvalidEnvironment,
    /// An option of the command line cannot be understood, or does not go with the others.
    ///
    /// See `tryall check --help`.
    InvalidOption,
}

impl Code {
    /// Of what could not be started: a limit or a lack of memory if that was the cause, else this one.
    pub fn of_start(error: &io::Error, otherwise: Code) -> Self {
        match os::start_failure(error) {
            StartFailure::TooLong | StartFailure::Limit(_) => Code::LimitReached,
            StartFailure::Memory => Code::OutOfMemory,
            _ => otherwise,
        }
    }

    /// Of a temporary file that could not be written.
    pub fn of_writing(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::FileTooLarge => Code::LimitReached,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::DiskFull,
            _ => Code::of_start(error, Code::TempUnusable),
        }
    }
}

/// As it is written.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Why something is as it is: for programs, and for people.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Reason {
    /// For programs.
    pub code: Code,
    /// For people: what has happened, and what to do.
    pub text: String,
}

impl Reason {
    /// A code and the text for it.
    pub(crate) fn new(code: Code, text: impl Into<String>) -> Self {
        Reason { code, text: text.into() }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
