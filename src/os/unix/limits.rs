//! The limits that this program and its commands have, above all on open files.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::signal::Signal;

/// Descriptors that are not a command's: those of the runtime, the guard and the jobserver, and
/// what the caller has left open.
const OTHERS: u64 = 32;

/// Descriptors of one command. While it runs there are at most two, while it is started more.
const PER_COMMAND: u64 = 4;

/// Descriptors without which not even one command can be run. About 15 are needed; the rest is
/// for a jobserver and an output file.
const LEAST: usize = 20;

/// Whether one command at least can be run. tokio panics where it finds no room for its own
/// descriptors, which is no way to tell people.
pub(crate) fn check_descriptor_limit() -> io::Result<()> {
    let stderr = io::stderr();
    let opened: io::Result<Vec<OwnedFd>> =
        (0..LEAST).map(|_| stderr.as_fd().try_clone_to_owned()).collect();
    opened.map(drop).map_err(|error| {
        let message = format!(
            "{error}; tryall needs {LEAST} more than are open now: raise the limit (ulimit -n)"
        );
        io::Error::new(error.kind(), message)
    })
}

/// How many commands can run at once. The limit is not raised, because programs would inherit
/// what their caller did not give them.
pub(crate) fn most_commands() -> usize {
    // SAFETY: all zeros is a valid rlimit.
    let mut limit: libc::rlimit = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live variable.
    let asked = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    if asked != 0 || limit.rlim_cur == libc::RLIM_INFINITY {
        return usize::MAX;
    }
    let commands = limit.rlim_cur.saturating_sub(OTHERS) / PER_COMMAND;
    usize::try_from(commands).unwrap_or(usize::MAX).max(1)
}

/// Whether a start failed for want of something that others may give back at any moment.
pub(crate) fn is_short_of_resources(error: &io::Error) -> bool {
    let wants = [Errno::EMFILE, Errno::ENFILE, Errno::EAGAIN];
    error.raw_os_error().is_some_and(|number| wants.contains(&Errno::from_raw(number)))
}

/// A limit that a caller can set for all that it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// On the size of a file.
    FileSize,
    /// On CPU time.
    CpuTime,
    /// On open files.
    OpenFiles,
    /// On the processes of a user, or of a control group.
    Processes,
    /// On address space.
    Memory,
    /// On data.
    Data,
    /// On the stack.
    Stack,
}

impl Limit {
    /// What it is on.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Limit::FileSize => "the size of a file",
            Limit::CpuTime => "CPU time",
            Limit::OpenFiles => "open files",
            Limit::Processes => "processes",
            Limit::Memory => "memory",
            Limit::Data => "data",
            Limit::Stack => "the stack",
        }
    }

    /// The option of the shell's `ulimit` that sets it.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Limit::FileSize => "-f",
            Limit::CpuTime => "-t",
            Limit::OpenFiles => "-n",
            Limit::Processes => "-u",
            Limit::Memory => "-v",
            Limit::Data => "-d",
            Limit::Stack => "-s",
        }
    }

    fn resource(self) -> Resource {
        match self {
            Limit::FileSize => Resource::RLIMIT_FSIZE,
            Limit::CpuTime => Resource::RLIMIT_CPU,
            Limit::OpenFiles => Resource::RLIMIT_NOFILE,
            Limit::Processes => Resource::RLIMIT_NPROC,
            Limit::Memory => Resource::RLIMIT_AS,
            Limit::Data => Resource::RLIMIT_DATA,
            Limit::Stack => Resource::RLIMIT_STACK,
        }
    }
}

/// A stack as small as this is nobody's default.
const SMALL_STACK: u64 = 1 << 20;

/// The limits that are set and of which a program may die without a word.
pub(crate) fn set_limits() -> impl Iterator<Item = Limit> {
    let is_set = |limit: &Limit| {
        let (now, _) = getrlimit(limit.resource()).unwrap_or((libc::RLIM_INFINITY, 0));
        now != libc::RLIM_INFINITY && (*limit != Limit::Stack || now < SMALL_STACK)
    };
    [Limit::Memory, Limit::Data, Limit::Stack, Limit::CpuTime].into_iter().filter(is_set)
}

/// The limit that a signal stands for.
pub(crate) fn limit_behind(signal: i32) -> Option<Limit> {
    match Signal::try_from(signal) {
        Ok(Signal::SIGXFSZ) => Some(Limit::FileSize),
        Ok(Signal::SIGXCPU) => Some(Limit::CpuTime),
        _ => None,
    }
}

/// Why a program was not started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartFailure {
    /// It may not be run.
    Denied,
    /// It is no program of this machine.
    NoProgram,
    /// It, or what runs it, is not there.
    Missing,
    /// What it is given is too long.
    TooLong,
    /// A limit.
    Limit(Limit),
    /// There is no memory.
    Memory,
    /// Anything else.
    Other,
}

/// What an error of a start says.
pub(crate) fn start_failure(error: &io::Error) -> StartFailure {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EACCES | Errno::EPERM) => StartFailure::Denied,
        Some(Errno::ENOEXEC) => StartFailure::NoProgram,
        Some(Errno::ENOENT | Errno::ENOTDIR) => StartFailure::Missing,
        Some(Errno::E2BIG) => StartFailure::TooLong,
        Some(Errno::EAGAIN) => StartFailure::Limit(Limit::Processes),
        Some(Errno::EMFILE | Errno::ENFILE) => StartFailure::Limit(Limit::OpenFiles),
        Some(Errno::ENOMEM) => StartFailure::Memory,
        _ => StartFailure::Other,
    }
}
