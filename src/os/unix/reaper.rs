//! A second process that cleans up if this one is killed.
//!
//! SIGKILL leaves a process no chance to end its compilers or to remove its files. So this program
//! forks a second process at the start, which only waits for the end of a pipe. This program writes
//! each process group to the pipe as soon as it has started it, and again when the group has ended.
//! When the pipe closes, the reaper kills all groups that have not ended and removes the scratch
//! directory.
//!
//! If this program is killed between starting a compiler and writing its group, the reaper does not
//! know the group. The new process holds the pipe open until it executes the compiler. So the
//! reaper only looks for strays after the pipe has closed, and finds the compiler by its directory.
//! Where strays cannot be found, the compiler runs to its end.
//!
//! Rejected: PR_SET_PDEATHSIG. It exists on Linux only, reaches the compiler's driver but not the
//! cc1 below it, and fires when a thread ends.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{SigHandler, Signal, killpg, signal};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, dup2_stderr, dup2_stdin, dup2_stdout, fork, setpgid};

use super::files::remove_all;
use super::strays::kill_strays;

/// The reaper, as its parent holds it. Dropping this ends the reaper.
#[derive(Debug)]
pub(crate) struct Reaper {
    /// `None` only while dropping.
    pipe: Option<PipeWriter>,
    process: Pid,
}

/// One message: a process group, positive when it starts, negative when it has ended. Writes of
/// this size are atomic, because it is far below PIPE_BUF.
type Message = [u8; size_of::<i32>()];

/// The last message of a program that has cleaned up itself.
const ALL_IS_WELL: i32 = 0;

/// The message of a program that could not make the scratch directory.
const REMOVE_NOTHING: i32 = i32::MIN;

impl Reaper {
    /// Starts the reaper for a scratch directory, which must not exist yet: a kill between making
    /// the directory and starting the reaper would leave it. Must be called while the process has
    /// one thread, because the forked child keeps running Rust code.
    pub(crate) fn new(scratch: &Path) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        // SAFETY: the process has one thread, so the child's memory is consistent.
        match unsafe { fork() }? {
            ForkResult::Parent { child } => Ok(Reaper { pipe: Some(writer), process: child }),
            ForkResult::Child => {
                drop(writer);
                let status = match detach(reader) {
                    Ok(reader) => {
                        wait_and_clean(reader, scratch);
                        0
                    }
                    Err(_) => 1,
                };
                // Skip the parent's exit handlers and buffers.
                // SAFETY: _exit is always sound.
                unsafe { libc::_exit(status) }
            }
        }
    }

    /// Tells the reaper that a group was started.
    pub(super) fn started(&self, group: Pid) {
        self.tell(group.as_raw());
    }

    /// Tells the reaper that a group has ended.
    pub(super) fn ended(&self, group: Pid) {
        self.tell(-group.as_raw());
    }

    /// Tells the reaper not to remove the scratch directory, because it could not be made.
    pub(crate) fn remove_nothing(&self) {
        self.tell(REMOVE_NOTHING);
    }

    fn tell(&self, message: i32) {
        // Go on without the reaper if it was killed.
        let _ = self.pipe.as_ref().expect("open until dropped").write_all(&message.to_ne_bytes());
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.tell(ALL_IS_WELL);
        drop(self.pipe.take());
        let _ = waitpid(self.process, None);
    }
}

/// Detaches the reaper from everything that it shares with its parent: the terminal's process
/// group, which Ctrl-C ends, and all open files, which other processes may be waiting to see
/// closed.
fn detach(reader: PipeReader) -> io::Result<PipeReader> {
    setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
    for ignored in
        [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGPIPE]
    {
        // SAFETY: ignoring a signal runs no handler.
        unsafe { signal(ignored, SigHandler::SigIgn) }?;
    }
    let null = File::options().read(true).write(true).open("/dev/null")?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    std::env::set_current_dir("/")?;
    let kept = reader.as_raw_fd();
    close_range(FIRST_AFTER_STDERR, kept - 1);
    close_range(kept + 1, RawFd::MAX);
    // `close_range` has closed this descriptor, and another file may get its number. Dropping it
    // would close that file.
    std::mem::forget(null);
    Ok(reader)
}

const FIRST_AFTER_STDERR: RawFd = 3;

/// Closes all descriptors from `first` to `last`.
fn close_range(first: RawFd, last: RawFd) {
    if first > last {
        return;
    }
    #[cfg(target_os = "linux")]
    {
        // Use the system call, because not every C library has a wrapper for it.
        // SAFETY: nothing in this process uses these descriptors any more.
        if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } == 0 {
            return;
        }
    }
    // SAFETY: sysconf only reads a setting.
    let limit = unsafe { libc::sysconf(libc::_SC_OPEN_MAX) };
    for descriptor in first..=last.min(RawFd::try_from(limit).unwrap_or(1024)) {
        // SAFETY: as above.
        unsafe { libc::close(descriptor) };
    }
}

fn wait_and_clean(mut pipe: PipeReader, scratch: &Path) {
    let mut running = HashSet::new();
    let (mut all_is_well, mut is_made) = (false, true);
    let mut message = Message::default();
    while pipe.read_exact(&mut message).is_ok() {
        match i32::from_ne_bytes(message) {
            ALL_IS_WELL => all_is_well = true,
            REMOVE_NOTHING => is_made = false,
            group if group > 0 => drop(running.insert(group)),
            group => drop(running.remove(&-group)),
        };
    }
    for group in running {
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
    if !all_is_well {
        kill_strays(scratch);
    }
    if is_made {
        remove(scratch);
    }
}

/// Removes the scratch directory. Retries, because a dying compiler may still write to it.
fn remove(scratch: &Path) {
    for _ in 0..100 {
        match remove_all(scratch) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                std::thread::sleep(Duration::from_millis(20));
            }
            _ => return,
        }
    }
}
