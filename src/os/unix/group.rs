//! A started process and everything that it starts, as one Unix process group.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use tokio::net::unix::pipe;
use tokio::signal::unix::{SignalKind, signal};

use super::reaper::Reaper;

/// A process to start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start<'a> {
    /// The path of the program, which is never searched on PATH.
    pub program: &'a Path,
    /// Its arguments. The first is its own name.
    pub argv: &'a [OsString],
    /// Its whole environment.
    pub env: &'a [(OsString, OsString)],
    /// The directory in which it runs.
    pub dir: &'a Path,
    /// The directory of its check. Processes that belong to it end with it, even in other groups.
    pub check_dir: &'a Path,
    /// How its output comes back.
    pub mode: OutputMode,
}

/// How the output of a process comes back. Its standard input is always empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputMode {
    /// Standard output and standard error on one pipe, in the order of the writes.
    Merged,
    /// Standard output and standard error on separate pipes.
    Apart,
}

/// The reading ends of a group's pipes.
#[derive(Debug)]
pub(crate) struct Pipes {
    /// Standard output, including standard error if the mode is [`OutputMode::Merged`].
    pub stdout: pipe::Receiver,
    /// Standard error, if the mode is [`OutputMode::Apart`].
    pub stderr: Option<pipe::Receiver>,
}

/// A running process group. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Group {
    leader: Pid,
    reaped: bool,
    child_signal: tokio::signal::unix::Signal,
    reaper: Option<Rc<Reaper>>,
}

/// How the leader of a group ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    /// Its exit status, or the number of the signal that ended it.
    pub status: Result<i32, i32>,
    /// The CPU time of the leader and of all processes that it waited for.
    pub cpu: Duration,
}

/// Starts a process as the leader of a new group. An error means that the process does not run.
///
/// Nothing here may require a `fork`, as `pre_exec` does: the standard library would then use
/// `execvp` instead of `posix_spawn`, and `execvp` passes a file that is not a program to
/// `/bin/sh`. A program for another machine must not look like one that fails.
pub(crate) fn start(what: Start<'_>, reaper: Option<&Rc<Reaper>>) -> io::Result<(Group, Pipes)> {
    start_prepared(what, reaper, |_| {})
}

/// Starts a process as [`start`] does, with a command that the caller changes first.
pub(super) fn start_prepared(
    what: Start<'_>,
    reaper: Option<&Rc<Reaper>>,
    prepare: impl FnOnce(&mut Command),
) -> io::Result<(Group, Pipes)> {
    // The caller may have blocked SIGCHLD, and processes inherit the signal mask.
    SigSet::from(Signal::SIGCHLD).thread_unblock()?;
    // Register before the start: a short-lived child's signal could be missed otherwise.
    let child_signal = signal(SignalKind::child())?;
    let (out_reader, out_writer) = io::pipe()?;
    let (err_writer, err_reader) = match what.mode {
        OutputMode::Merged => (out_writer.try_clone()?, None),
        OutputMode::Apart => {
            let (reader, writer) = io::pipe()?;
            (writer, Some(reader))
        }
    };
    let mut command = command(what)?;
    command.stdin(Stdio::null()).stdout(out_writer).stderr(err_writer);
    prepare(&mut command);
    let leader = Pid::from_raw(command.spawn()?.id().cast_signed());
    // It holds the writing ends of the pipes.
    drop(command);
    if let Some(reaper) = reaper {
        reaper.started(leader);
    }
    let group = Group { leader, reaped: false, child_signal, reaper: reaper.cloned() };
    let receiver = |reader| pipe::Receiver::from_owned_fd(OwnedFd::from(reader));
    let stderr = err_reader.map(receiver).transpose()?;
    Ok((group, Pipes { stdout: receiver(out_reader)?, stderr }))
}

fn command(what: Start<'_>) -> io::Result<Command> {
    let (name, arguments) = what.argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(what.program);
    command.arg0(name).args(arguments).current_dir(what.dir).process_group(0);
    command.env_clear().envs(what.env.iter().map(|(name, value)| (name, value)));
    Ok(command)
}

impl Group {
    /// Waits until the leader has ended. The leader stays a zombie, so that its process id (and the
    /// group's) cannot be reused before [`Group::reap`].
    pub(crate) async fn leader_exited(&mut self) {
        while !self.has_exited() {
            self.child_signal.recv().await;
        }
    }

    /// Whether the leader has ended.
    pub(crate) fn has_exited(&self) -> bool {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        !matches!(
            waitid(Id::Pid(self.leader), flags),
            Ok(WaitStatus::StillAlive) | Err(Errno::EINTR)
        )
    }

    /// Sends SIGTERM to every process of the group, including stopped ones.
    pub(crate) fn terminate(&self) {
        let _ = killpg(self.leader, Signal::SIGTERM);
        let _ = killpg(self.leader, Signal::SIGCONT);
    }

    /// Sends SIGKILL to every process of the group.
    pub(crate) fn kill(&self) {
        let _ = killpg(self.leader, Signal::SIGKILL);
    }

    /// Kills what is left of the group, and returns how the leader ended.
    pub(crate) fn reap(mut self) -> Ended {
        self.reap_now()
    }

    /// Gives up on a process that even SIGKILL did not end, such as one that waits for a dead file
    /// server.
    pub(crate) fn abandon(mut self) {
        self.reaped = true;
    }

    fn reap_now(&mut self) -> Ended {
        self.kill();
        self.reaped = true;
        let mut status = 0;
        // SAFETY: all zeros is a valid rusage.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: both pointers are to live variables of the right types.
        while unsafe { libc::wait4(self.leader.as_raw(), &raw mut status, 0, &raw mut usage) } == -1
            && Errno::last() == Errno::EINTR
        {}
        if let Some(reaper) = &self.reaper {
            reaper.ended(self.leader);
        }
        let status = if libc::WIFSIGNALED(status) {
            Err(libc::WTERMSIG(status))
        } else {
            Ok(libc::WEXITSTATUS(status))
        };
        Ended { status, cpu: duration(usage.ru_utime) + duration(usage.ru_stime) }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.reaped {
            self.reap_now();
        }
    }
}

#[allow(clippy::unnecessary_cast, reason = "the widths differ between systems")]
fn duration(time: libc::timeval) -> Duration {
    Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000)
}
