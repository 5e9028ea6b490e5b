//! The limits of this program and its commands, in particular the one on open files.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::signal::Signal;

/// Descriptors that do not belong to commands: those of the runtime, the reaper and the jobserver,
/// and those that the caller left open.
const OTHER_DESCRIPTORS: u64 = 32;

/// Descriptors per command. A running command uses at most two, a starting one more.
const DESCRIPTORS_PER_COMMAND: u64 = 4;

/// The fewest free descriptors with which a command can run. About 15 are needed; the rest is for a
/// jobserver and an output file.
const MIN_DESCRIPTORS: usize = 20;

/// Fails if there are too few descriptors for even one command. tokio would panic instead of
/// reporting that.
pub(crate) fn check_descriptor_limit() -> io::Result<()> {
    let stderr = io::stderr();
    let opened: io::Result<Vec<OwnedFd>> =
        (0..MIN_DESCRIPTORS).map(|_| stderr.as_fd().try_clone_to_owned()).collect();
    opened.map(drop).map_err(|error| {
        let message = format!(
            "{error}; tryall needs {MIN_DESCRIPTORS} more open files: raise the limit (ulimit -n)"
        );
        io::Error::new(error.kind(), message)
    })
}

/// How many commands the limit on open files allows at once. Does not raise the limit, because
/// programs would inherit one that their caller did not set.
pub(crate) fn max_commands() -> usize {
    // SAFETY: all zeros is a valid rlimit.
    let mut limit: libc::rlimit = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live variable.
    let result = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    if result != 0 || limit.rlim_cur == libc::RLIM_INFINITY {
        return usize::MAX;
    }
    let commands = limit.rlim_cur.saturating_sub(OTHER_DESCRIPTORS) / DESCRIPTORS_PER_COMMAND;
    usize::try_from(commands).unwrap_or(usize::MAX).max(1)
}

/// Whether a start failed for lack of a resource that other processes may release at any moment.
pub(crate) fn is_short_of_resources(error: &io::Error) -> bool {
    let wants = [Errno::EMFILE, Errno::ENFILE, Errno::EAGAIN];
    error.raw_os_error().is_some_and(|number| wants.contains(&Errno::from_raw(number)))
}

/// A limit that a caller can set for the processes that it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// The size of a file.
    FileSize,
    /// CPU time.
    CpuTime,
    /// The number of open files.
    OpenFiles,
    /// The number of processes of a user or a cgroup.
    Processes,
    /// The size of the address space.
    Memory,
    /// The size of the data segment.
    Data,
    /// The size of the stack.
    Stack,
}

impl Limit {
    /// What is limited, for messages.
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

/// A smaller stack limit than any system's default, in bytes.
const SMALL_STACK: u64 = 1 << 20;

/// Limits that are set and can kill a program without a message.
pub(crate) fn set_limits() -> impl Iterator<Item = Limit> {
    let is_set = |limit: &Limit| {
        let (now, _) = getrlimit(limit.resource()).unwrap_or((libc::RLIM_INFINITY, 0));
        now != libc::RLIM_INFINITY && (*limit != Limit::Stack || now < SMALL_STACK)
    };
    [Limit::Memory, Limit::Data, Limit::Stack, Limit::CpuTime].into_iter().filter(is_set)
}

/// The limit that a signal enforces.
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
    /// It must not be executed.
    Denied,
    /// It is not a program for this machine.
    NoProgram,
    /// It, its interpreter or its loader does not exist.
    Missing,
    /// Its arguments and environment are too long.
    TooLong,
    /// A limit is reached.
    Limit(Limit),
    /// Memory ran out.
    Memory,
    /// Anything else.
    Other,
}

/// The reason for the error of a failed start.
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
