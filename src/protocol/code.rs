//! Codes: reasons in machine-readable form. They are part of the protocol and stable; the text of a
//! reason may change.

use std::fmt;
use std::io;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::os::{self, StartFailure};

// The first paragraph of each code says what happened, and the second what to do. The tables in
// docs/protocol.md repeat them word for word.
/// Why a check has no answer, was skipped or was answered no, or why there are no results. More
/// codes may be added: a program that does not know one should use the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The compiler does not exist.
    ///
    /// Install it, or name another one.
    CompilerMissing,
    /// The compiler, or a part of it, exists but could not be started.
    ///
    /// Repair it: check its permissions, interpreter, libraries, and target machine.
    CompilerNotStarted,
    /// The linker or the assembler does not exist.
    ///
    /// Install it, or put it on `PATH`.
    LinkerMissing,
    /// The program that starts the compiler, such as ccache, failed.
    ///
    /// See its message in `output`, or run without it.
    LauncherFailed,
    /// The emulator does not exist, or could not run the program.
    ///
    /// Correct the toolchain's `emulator`.
    EmulatorFailed,
    /// The compiler or its linker crashed.
    ///
    /// Report the crash to its developers, or use another version.
    CompilerCrashed,
    /// A signal from outside ended the compiler, or a part of it.
    ///
    /// Check whether memory ran out or who sent the signal, then run the check again.
    CompilerKilled,
    /// A file of the compiler was replaced or removed while the checks ran.
    ///
    /// Try again when the installation is complete.
    CompilerReplaced,
    /// The compiler did what no compiler does: it succeeded without its output file, or failed
    /// without a message.
    ///
    /// Check which program the command starts.
    CompilerMisbehaved,
    /// The compiler has no license.
    ///
    /// See its message in `output`.
    NoLicense,
    /// The compiler cannot compile or link an empty program.
    ///
    /// Correct the arguments of the toolchain, or repair its installation.
    ToolchainBroken,
    /// The compiler cannot compile or link an empty program with the check's `args` and
    /// `link_args`.
    ///
    /// Correct them.
    ArgumentsRefused,
    /// A command did not end within the time limit.
    ///
    /// Raise `timeout`, or find out what hangs.
    TimedOut,
    /// The program of the check could not be started.
    ///
    /// Give the toolchain an `emulator`, or set `TMPDIR` to a directory where programs may run.
    ProgramNotStarted,
    /// A signal from outside ended the program of the check.
    ///
    /// Check whether memory ran out or who sent the signal, then run the check again.
    ProgramKilled,
    /// The disk is full, or the user's disk quota is used up.
    ///
    /// Free space, or set `TMPDIR` to another directory.
    DiskFull,
    /// Temporary files could not be written, or were removed while a command ran.
    ///
    /// Set `TMPDIR` to another directory.
    TempUnusable,
    /// Memory ran out.
    ///
    /// Raise the limits that are set, or use fewer jobs.
    OutOfMemory,
    /// A limit of the system was reached, such as the one on open files or on file sizes.
    ///
    /// Raise it, or use fewer jobs.
    LimitReached,
    /// The output is longer than what is kept, and the answer may depend on the rest.
    ///
    /// Silence the warnings in it.
    OutputTooLong,
    /// The compiler accepts the source, but the value cannot be read or is too large.
    ///
    /// Use another kind of check, and check each architecture separately.
    ValueUnreadable,
    /// The `product` could not be copied.
    ///
    /// Make its directory, or free space in it.
    ProductNotCopied,
    /// Under `--verify`, the check gave another answer when run alone.
    ///
    /// Report it.
    VerificationFailed,

    /// A check in `needs` did not answer yes.
    ///
    /// See the result of that check.
    NeedNotMet,

    /// The output matches one of `fail_patterns`.
    ///
    /// Nothing to do: this is the answer.
    FailPattern,
    /// The compiler succeeds, but says that the flag is unknown or unused.
    ///
    /// Nothing to do: this is the answer.
    UnknownFlag,
    /// The macro is not defined.
    ///
    /// Nothing to do: this is the answer.
    NotDefined,
    /// The linker does not find the name. Only links that checks share report this code.
    ///
    /// Nothing to do: this is the answer.
    NotFound,
    /// A fault such as SIGSEGV ended the program.
    ///
    /// Nothing to do: this is the answer.
    ProgramCrashed,
    /// The check is about a declaration, but includes no header.
    ///
    /// Name the header that contains the declaration.
    NoHeader,
    /// The compiler does not know one of the arguments.
    ///
    /// Correct it, unless it is what the check is about.
    UnknownArgument,

    /// The request cannot be read.
    ///
    /// Name an existing file.
    RequestUnreadable,
    /// The request is larger than 64 MiB.
    ///
    /// Split it.
    RequestTooLarge,
    /// The request is not JSON, or not UTF-8.
    ///
    /// Correct it at `line` and `column`.
    InvalidJson,
    /// The request is for another version of the protocol.
    ///
    /// Use another version of tryall.
    UnsupportedVersion,
    /// The field does not exist, or this kind does not have it.
    ///
    /// Remove it.
    UnknownField,
    /// A field is missing.
    ///
    /// Add it.
    MissingField,
    /// A field, or a name in an object, appears twice.
    ///
    /// Remove one of them.
    DuplicateField,
    /// The value has the wrong type for its field.
    ///
    /// See the schema.
    WrongType,
    /// The value has the right type, but is not valid for its field.
    ///
    /// Correct it.
    InvalidValue,
    /// The kind of check does not exist.
    ///
    /// Use a newer tryall, or another kind.
    UnknownKind,
    /// Fields that are each valid contradict each other.
    ///
    /// Remove one of them.
    ConflictingFields,
    /// Another check has the id, or the id would lead to the same variable in the output.
    ///
    /// Rename one of the two checks.
    DuplicateId,
    /// No check has the id in `needs`.
    ///
    /// Add that check, or remove the need.
    UnknownNeed,
    /// Checks need each other in a cycle.
    ///
    /// Remove one of the needs.
    NeedsCycle,
    /// No toolchain has the name.
    ///
    /// Add it to `toolchains`, or name another one.
    UnknownToolchain,
    /// The `product` of another check has the same path.
    ///
    /// Give each product its own path.
    ProductTaken,
    /// A file or directory that the request names does not exist.
    ///
    /// Name an existing one.
    FileMissing,
    /// An environment variable or the current directory cannot be used.
    ///
    /// Correct it.
    InvalidEnvironment,
    /// A command-line option cannot be understood, or contradicts another one.
    ///
    /// See `tryall check --help`.
    InvalidOption,
}

impl Code {
    /// The code for a failed start: that of a limit or of memory if one was the cause, or else
    /// `otherwise`.
    pub(crate) fn of_start(error: &io::Error, otherwise: Code) -> Self {
        match os::start_failure(error) {
            StartFailure::TooLong | StartFailure::Limit(_) => Code::LimitReached,
            StartFailure::Memory => Code::OutOfMemory,
            _ => otherwise,
        }
    }

    /// The code for a temporary file that could not be written.
    pub(crate) fn of_writing(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::FileTooLarge => Code::LimitReached,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::DiskFull,
            _ => Code::of_start(error, Code::TempUnusable),
        }
    }
}

/// The name in the protocol.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Why an answer is what it is, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Reason {
    /// The code for programs.
    pub code: Code,
    /// The text for people: what happened, and what to do.
    pub text: String,
}

impl Reason {
    /// A reason with this code and text.
    pub(crate) fn new(code: Code, text: impl Into<String>) -> Self {
        Reason { code, text: text.into() }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
