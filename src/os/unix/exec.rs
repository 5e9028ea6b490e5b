//! Replaces this process by another program, which finds everything as the caller left it.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::execv;

/// Whether the caller ignores SIGPIPE.
static PIPE_WAS_IGNORED: AtomicBool = AtomicBool::new(false);

/// Runs before Rust's runtime, which ignores SIGPIPE. Programs would inherit that.
#[used]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
static LOOK_AT_START: extern "C" fn() = {
    extern "C" fn look() {
        // SAFETY: all zeros is a valid action.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        // SAFETY: this only reads the action, into a live variable.
        let result = unsafe { libc::sigaction(libc::SIGPIPE, std::ptr::null(), &raw mut action) };
        let ignored = result == 0 && action.sa_sigaction == libc::SIG_IGN;
        PIPE_WAS_IGNORED.store(ignored, Ordering::Relaxed);
    }
    look
};

/// Replaces this process by a program with these arguments after its name. Returns only on failure.
///
/// The standard library's `exec` would also unblock signals that the caller has blocked.
pub(crate) fn become_program(program: &Path, args: &[OsString]) -> io::Error {
    let words = [program.as_os_str()].into_iter().chain(args.iter().map(OsString::as_os_str));
    let argv: Result<Vec<_>, _> = words.map(|word: &OsStr| CString::new(word.as_bytes())).collect();
    let argv = match argv {
        Ok(argv) => argv,
        Err(error) => return error.into(),
    };
    if !PIPE_WAS_IGNORED.load(Ordering::Relaxed) {
        // SAFETY: the default action runs no code of ours.
        let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) };
    }
    let Err(error) = execv(&argv[0], &argv);
    error.into()
}
