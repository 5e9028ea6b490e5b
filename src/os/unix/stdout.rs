//! Standard output, in whatever state the caller left it.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::write;

/// Unbuffered standard output. A caller may have made it non-blocking, often unintentionally,
/// because that is a property of the pipe or terminal rather than of a process. A write blocks
/// nevertheless.
#[derive(Debug)]
pub(crate) struct Stdout(());

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let stdout = io::stdout();
        loop {
            match write(stdout.as_fd(), bytes) {
                Err(Errno::EAGAIN) => {
                    let mut watched = [PollFd::new(stdout.as_fd(), PollFlags::POLLOUT)];
                    match poll(&mut watched, PollTimeout::NONE) {
                        // The next write reports what happened.
                        Ok(_) | Err(Errno::EINTR) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                written => return Ok(written?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether the caller closed standard output.
static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Runs before Rust's runtime, which opens /dev/null in place of a closed descriptor. After that,
/// the descriptor looks like a /dev/null that the caller opened for reading and writing, as
/// Python's `subprocess.DEVNULL` does.
#[used]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
static LOOK_AT_START: extern "C" fn() = {
    extern "C" fn look() {
        // SAFETY: this only reads flags.
        let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
        WAS_CLOSED.store(flags == -1, Ordering::Relaxed);
    }
    look
};

impl Stdout {
    /// Opens standard output. Fails if the caller closed it, because output would be lost.
    pub(crate) fn open() -> io::Result<Self> {
        if WAS_CLOSED.load(Ordering::Relaxed) {
            return Err(io::Error::other("standard output is closed"));
        }
        Ok(Stdout(()))
    }
}

/// Whether the reader of standard output is gone.
pub(crate) fn reader_gone() -> bool {
    let stdout = io::stdout();
    let mut watched = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
    let answered = poll(&mut watched, PollTimeout::ZERO);
    // POLLERR on the writing end of a pipe or socket is what a write would report as EPIPE.
    // A terminal that hangs up sends SIGHUP, and reports POLLHUP only.
    matches!(answered, Ok(1..))
        && watched[0].revents().is_some_and(|is| is.contains(PollFlags::POLLERR))
}
