//! What a command started by `tryall run` and its shims need of Linux.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{AccessFlags, Pid, access};

/// Whether files can be made and removed in a directory.
pub(crate) fn can_make_files(dir: &Path) -> bool {
    access(dir, AccessFlags::W_OK | AccessFlags::X_OK).is_ok() && dir.is_dir()
}

/// The limits of this process that can change what a compiler does, soft and hard.
pub(crate) fn limits() -> Vec<(u64, u64)> {
    use nix::sys::resource::{Resource, getrlimit};
    let all = [
        Resource::RLIMIT_AS,
        Resource::RLIMIT_CPU,
        Resource::RLIMIT_DATA,
        Resource::RLIMIT_FSIZE,
        Resource::RLIMIT_NOFILE,
        Resource::RLIMIT_STACK,
    ];
    all.map(|limit| getrlimit(limit).unwrap_or((0, 0))).to_vec()
}

/// What tells whether two processes see the same files under the same paths: device and inode of the root
/// directory, and the name space of mounts.
pub(crate) fn sees_same_files() -> (u64, u64, Vec<u8>) {
    let root = std::fs::metadata("/").map(|it| (it.dev(), it.ino())).unwrap_or_default();
    let mounts = std::fs::read_link("/proc/self/ns/mnt").unwrap_or_default();
    (root.0, root.1, mounts.as_os_str().as_bytes().to_vec())
}

/// Whether two descriptors write to one place: what is written to one comes behind what was written to the
/// other. `None` if that cannot be told.
pub(crate) fn are_one_file(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> Option<bool> {
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    use nix::sys::stat::fstat;
    /// Compares open files.
    const KCMP_FILE: libc::c_int = 0;
    let stats = (fstat(one).ok()?, fstat(other).ok()?);
    if (stats.0.st_dev, stats.0.st_ino) != (stats.1.st_dev, stats.1.st_ino) {
        return Some(false);
    }
    if stats.0.st_mode & libc::S_IFMT != libc::S_IFREG {
        return Some(true);
    }
    let process = std::process::id();
    let (first, second) = (one.as_raw_fd(), other.as_raw_fd());
    // SAFETY: the system call takes numbers.
    let order =
        unsafe { libc::syscall(libc::SYS_kcmp, process, process, KCMP_FILE, first, second) };
    let appends = |file| {
        fcntl(file, FcntlArg::F_GETFL)
            .is_ok_and(|flags| OFlag::from_bits_truncate(flags).contains(OFlag::O_APPEND))
    };
    (order == 0 || appends(one) && appends(other)).then_some(true)
}

/// Waits until a pipe has nobody left to write to it. Whether it then holds at most so many bytes; `false`
/// as soon as it holds more.
pub(crate) fn holds_all(pipe: BorrowedFd<'_>, most: usize) -> io::Result<bool> {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    loop {
        // Only that all writers are gone ends this early: what they write does not.
        let mut ends = [PollFd::new(pipe, PollFlags::empty())];
        poll(&mut ends, PollTimeout::from(1u8))?;
        let mut held: libc::c_int = 0;
        // SAFETY: the request writes a number to the live variable.
        let result = unsafe { libc::ioctl(pipe.as_raw_fd(), libc::FIONREAD, &raw mut held) };
        nix::errno::Errno::result(result)?;
        if usize::try_from(held).unwrap_or_default() > most {
            return Ok(false);
        }
        if ends[0].revents().is_some_and(|events| events.contains(PollFlags::POLLHUP)) {
            return Ok(true);
        }
    }
}

/// Has this process end if its parent does. Safe between fork and exec.
pub(crate) fn die_with_parent() {
    let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGTERM);
}

/// The signals that a command gets which this process has started: those that were sent to this process.
/// Becomes readable with each. What comes from the terminal, the command gets without us.
#[derive(Debug)]
pub(crate) struct Passing {
    descriptor: SignalFd,
    before: SigSet,
}

impl Passing {
    /// From now on, these signals do nothing else here.
    pub(crate) fn start() -> io::Result<Passing> {
        use Signal::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
        let signals = SigSet::from_iter([SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2]);
        let before = signals.thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK)?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        Ok(Passing { descriptor: SignalFd::with_flags(&signals, flags)?, before })
    }

    /// The signals that were blocked before; for the command.
    pub(crate) fn before(&self) -> SigSet {
        self.before
    }

    /// Passes on what has arrived.
    pub(crate) fn pass_on(&self, to: u32) {
        /// A signal of the kernel, such as for a key.
        const FROM_KERNEL: i32 = 0x80;
        while let Ok(Some(arrived)) = self.descriptor.read_signal() {
            let signal = Signal::try_from(arrived.ssi_signo.cast_signed());
            if let (Ok(signal), true) = (signal, arrived.ssi_code != FROM_KERNEL) {
                let _ = kill(Pid::from_raw(to.cast_signed()), signal);
            }
        }
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        // What has arrived was for the command, which has ended.
        while self.descriptor.read_signal().is_ok_and(|signal| signal.is_some()) {}
        let _ = self.before.thread_set_mask();
    }
}

impl AsRawFd for Passing {
    fn as_raw_fd(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }
}

impl AsFd for Passing {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
