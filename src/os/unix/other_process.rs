//! Another process that this one serves: when it ends, where it is, and what it writes. Linux.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

use super::from_bytes;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

/// Another process. Becomes readable when it ends.
#[derive(Debug)]
pub(crate) struct OtherProcess {
    number: u32,
    descriptor: OwnedFd,
}

impl OtherProcess {
    /// The process with a number.
    pub(crate) fn open(number: u32) -> io::Result<Self> {
        // SAFETY: the system call takes two numbers.
        let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, number, 0) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        let descriptor = RawFd::try_from(descriptor).map_err(io::Error::other)?;
        // SAFETY: the system has just opened it, for nobody else.
        let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
        Ok(OtherProcess { number, descriptor })
    }

    /// Waits until it has ended, or somebody connects to a socket. Returns whether it has ended first.
    pub(crate) fn ends_before(&self, socket: &impl AsFd) -> io::Result<bool> {
        let mut both = [self.as_fd(), socket.as_fd()].map(|it| PollFd::new(it, PollFlags::POLLIN));
        while let Err(error) = poll(&mut both, PollTimeout::NONE) {
            if error != Errno::EINTR {
                return Err(error.into());
            }
        }
        Ok(!both[1].any().unwrap_or_default())
    }

    /// Its number.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// Its current directory.
    pub(crate) fn current_dir(&self) -> io::Result<PathBuf> {
        std::fs::read_link(format!("/proc/{}/cwd", self.number))
    }

    /// The environment with which it was started.
    pub(crate) fn first_environment(&self) -> io::Result<Vec<(OsString, OsString)>> {
        let bytes = std::fs::read(format!("/proc/{}/environ", self.number))?;
        Ok(variables(&bytes))
    }

    /// The words of its command line.
    pub(crate) fn command_line(&self) -> io::Result<Vec<String>> {
        let bytes = std::fs::read(format!("/proc/{}/cmdline", self.number))?;
        let words = bytes.split(|byte| *byte == 0);
        Ok(words.map(|word| String::from_utf8_lossy(word).into_owned()).collect())
    }
}

impl AsRawFd for OtherProcess {
    fn as_raw_fd(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }
}

impl AsFd for OtherProcess {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// The variables of an environment in which each ends with a zero.
pub(crate) fn variables(bytes: &[u8]) -> Vec<(OsString, OsString)> {
    let variables = bytes.split(|byte| *byte == 0).filter_map(|variable| {
        let at = variable.iter().skip(1).position(|byte| *byte == b'=')? + 1;
        let text = |bytes: &[u8]| from_bytes(bytes.to_vec());
        Some((text(&variable[..at]), text(&variable[at + 1..])))
    });
    variables.collect()
}

/// Files that others finish writing in a directory. Becomes readable with each.
#[derive(Debug)]
pub(crate) struct Arrivals(Inotify);

impl Arrivals {
    /// Watches a directory.
    pub(crate) fn in_dir(dir: &Path) -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        inotify.add_watch(dir, AddWatchFlags::IN_CLOSE_WRITE)?;
        Ok(Arrivals(inotify))
    }

    /// Forgets what has arrived so far.
    pub(crate) fn forget(&mut self) {
        while self.0.read_events().is_ok_and(|events| !events.is_empty()) {}
    }
}

impl AsRawFd for Arrivals {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl AsFd for Arrivals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Locks a file as CMake's `file(LOCK)` does. The lock goes when any descriptor of the file is
/// closed, or with this process.
pub(crate) fn lock(file: &File) -> io::Result<()> {
    let whole = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_SETLK(&whole))?;
    Ok(())
}

/// Makes a named pipe that only this user can open.
pub(crate) fn make_pipe(path: &Path) -> io::Result<()> {
    use nix::sys::stat::Mode;
    nix::unistd::mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR)?;
    Ok(())
}

/// Whether a path is a link, or one of several names of a file.
pub(crate) fn has_other_names(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::symlink_metadata(path)
        .is_ok_and(|it| it.is_symlink() || it.is_file() && it.nlink() > 1)
}

/// The process that has started this one.
pub(crate) fn parent() -> u32 {
    std::os::unix::process::parent_id()
}

/// The process that has started another one.
pub(crate) fn parent_of(process: i32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before the state may contain anything, even parentheses.
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(1)?.parse().ok()
}

/// The user whose rights this process has.
pub(crate) fn user() -> u32 {
    nix::unistd::geteuid().as_raw()
}

/// Puts this process into a session of its own, which no terminal ends.
pub(crate) fn leave_session() -> io::Result<()> {
    nix::unistd::setsid()?;
    Ok(())
}

/// Standard output until it is dropped, which closes it: whoever reads it then sees its end.
pub(crate) fn lent_stdout() -> impl io::Write {
    // SAFETY: nothing else in this process uses the descriptor.
    File::from(unsafe { OwnedFd::from_raw_fd(libc::STDOUT_FILENO) })
}

/// Ends this process by a signal, without a core dump. Returns if the signal does not end it.
pub(crate) fn end_by_signal(number: i32) {
    use nix::sys::resource::{Resource, setrlimit};
    use nix::sys::signal::{SigHandler, Signal, raise, signal};
    let Ok(number) = Signal::try_from(number) else { return };
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    // SAFETY: the default action runs no handler.
    let _ = unsafe { signal(number, SigHandler::SigDfl) };
    let _ = raise(number);
}
