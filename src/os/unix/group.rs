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

/// What to start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start<'a> {
    /// The program: a path, never looked up.
    pub program: &'a Path,
    /// Its arguments, the first of which is its own name.
    pub argv: &'a [OsString],
    /// Its whole environment.
    pub env: &'a [(OsString, OsString)],
    /// The directory it runs in.
    pub dir: &'a Path,
    /// The directory of its check: what belongs to it ends with it, also in other groups.
    pub check_dir: &'a Path,
    /// How its output comes back.
    pub mode: OutputMode,
}

/// How the output of a process comes back. Its standard input is always empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputMode {
    /// Output and errors on one pipe, in the order in which they were written.
    Merged,
    /// Output and errors apart.
    Apart,
}

/// The reading ends of a group's pipes.
#[derive(Debug)]
pub(crate) struct Pipes {
    /// Standard output, with standard error if they are [`OutputMode::Merged`].
    pub stdout: pipe::Receiver,
    /// Standard error if it is apart.
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
    /// CPU time of the leader and of all that it has waited for.
    pub cpu: Duration,
}

/// Starts a process as the leader of a new group. An error means that no such program runs.
pub(crate) fn start(what: Start<'_>, reaper: Option<&Rc<Reaper>>) -> io::Result<(Group, Pipes)> {
    // A caller may have blocked it, and a mask is inherited.
    SigSet::from(Signal::SIGCHLD).thread_unblock()?;
    // Before the start, or the signal of a short-lived child could be missed.
    let child_signal = signal(SignalKind::child())?;
    let (out_reader, out_writer) = io::pipe()?;
    let (err_writer, err_reader) = match what.mode {
        OutputMode::Merged => (out_writer.try_clone()?, None),
        OutputMode::Apart => {
            let (reader, writer) = io::pipe()?;
            (writer, Some(reader))
        }
    };
    let leader = spawn(what, out_writer.into(), err_writer.into())?;
    if let Some(reaper) = reaper {
        reaper.started(leader);
    }
    let group = Group { leader, reaped: false, child_signal, reaper: reaper.cloned() };
    let receiver = |reader| pipe::Receiver::from_owned_fd(OwnedFd::from(reader));
    let stderr = err_reader.map(receiver).transpose()?;
    Ok((group, Pipes { stdout: receiver(out_reader)?, stderr }))
}

/// Starts the process. Nothing here may need a `fork`, as a `pre_exec` would: the standard library
/// then turns from `posix_spawn` to `execvp`, which hands a file that is no program to `/bin/sh`. A
/// program for another machine must be told from one that fails.
fn spawn(what: Start<'_>, stdout: Stdio, stderr: Stdio) -> io::Result<Pid> {
    let (name, arguments) = what.argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(what.program);
    command.arg0(name).args(arguments).current_dir(what.dir).process_group(0);
    command.env_clear().envs(what.env.iter().map(|(name, value)| (name, value)));
    let child = command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn()?;
    Ok(Pid::from_raw(child.id().cast_signed()))
}

impl Group {
    /// Waits until the leader has ended. It is kept as a zombie, so that its number (and so
    /// the group's) cannot be given to another process before [`Group::reap`].
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

    /// Asks every process of the group to end, stopped ones too.
    pub(crate) fn terminate(&self) {
        let _ = killpg(self.leader, Signal::SIGTERM);
        let _ = killpg(self.leader, Signal::SIGCONT);
    }

    /// Ends every process of the group.
    pub(crate) fn kill(&self) {
        let _ = killpg(self.leader, Signal::SIGKILL);
    }

    /// Kills what is left of the group and takes the leader's status. It must have ended, or
    /// it does so now.
    pub(crate) fn reap(mut self) -> Ended {
        self.reap_now()
    }

    /// Gives up on a process that not even KILL has ended, such as one that waits for a dead
    /// file server.
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
