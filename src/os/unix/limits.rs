//! How many files this program may have open.

use std::io;

use nix::errno::Errno;

/// Descriptors that are not a command's: those of the runtime, the guard and the jobserver, and
/// what the caller has left open.
const OTHERS: u64 = 32;

/// Descriptors of one command. While it runs there are at most two, while it is started more.
const PER_COMMAND: u64 = 4;

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
