//! How many files this program may have open.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;

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
pub fn room_for_a_command() -> io::Result<()> {
    let stderr = io::stderr();
    let opened: io::Result<Vec<OwnedFd>> =
        (0..LEAST).map(|_| stderr.as_fd().try_clone_to_owned()).collect();
    opened.map(drop).map_err(|error| {
        let message = format!(
            "{error}; this needs room for {LEAST} more than are open already. Raise the limit (ulimit -n)"
        );
        io::Error::new(error.kind(), message)
    })
}

/// How many commands can run at once. The limit is not raised, because programs would inherit
/// what their caller did not give them.
pub fn most_commands() -> usize {
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
pub fn is_short_of_resources(error: &io::Error) -> bool {
    let wants = [Errno::EMFILE, Errno::ENFILE, Errno::EAGAIN];
    error.raw_os_error().is_some_and(|number| wants.contains(&Errno::from_raw(number)))
}
