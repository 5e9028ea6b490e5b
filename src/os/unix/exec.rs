//! Replaces this process by another program, which finds everything as the caller left it.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::{execv, execve};

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

/// Replaces this process by a program with these arguments after its name, and these variables after
/// those that this process was started with. Returns only on failure.
///
/// The standard library's `exec` would also unblock signals that the caller has blocked.
pub(crate) fn become_program(
    program: &Path,
    args: &[OsString],
    variables: &[(&'static str, OsString)],
) -> io::Error {
    let words = [program.as_os_str()].into_iter().chain(args.iter().map(OsString::as_os_str));
    let argv = match zero_ended(words) {
        Ok(argv) => argv,
        Err(error) => return error,
    };
    let own = std::env::vars_os().filter(|(name, _)| variables.iter().all(|it| it.0 != name));
    let more = variables.iter().map(|(name, value)| (OsString::from(name), value.clone()));
    let texts: Vec<_> = own
        .chain(more)
        .map(|(mut text, value)| {
            text.push("=");
            text.push(value);
            text
        })
        .collect();
    let env = match zero_ended(texts.iter().map(OsString::as_os_str)) {
        Ok(env) => env,
        Err(error) => return error,
    };
    if !PIPE_WAS_IGNORED.load(Ordering::Relaxed) {
        // SAFETY: the default action runs no code of ours.
        let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) };
    }
    let Err(error) =
        if variables.is_empty() { execv(&argv[0], &argv) } else { execve(&argv[0], &argv, &env) };
    error.into()
}

fn zero_ended<'a>(texts: impl Iterator<Item = &'a OsStr>) -> io::Result<Vec<CString>> {
    Ok(texts.map(|text| CString::new(text.as_bytes())).collect::<Result<_, _>>()?)
}
