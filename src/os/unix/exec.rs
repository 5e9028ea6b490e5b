//! Replaces this process by another program, which finds everything as the caller left it.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::{execv, execve};

/// Whether the caller ignores SIGPIPE.
static PIPE_WAS_IGNORED: AtomicBool = AtomicBool::new(false);

/// Which of the three standard streams the caller has closed, as bits.
static WAS_CLOSED: AtomicU8 = AtomicU8::new(0);

/// Runs before Rust's runtime, which ignores SIGPIPE and opens closed streams. Programs would inherit
/// that.
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
        // SAFETY: this only asks for a flag of a descriptor.
        let is_closed = |stream| unsafe { libc::fcntl(stream, libc::F_GETFD) } == -1;
        let closed = (0..3).filter(|stream| is_closed(*stream)).map(|stream| 1u8 << stream).sum();
        WAS_CLOSED.store(closed, Ordering::Relaxed);
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
    if variables.is_empty() {
        let words = match zero_ended(words) {
            Ok(words) => words,
            Err(error) => return error,
        };
        restore_pipe_signal();
        let Err(error) = execv(&words[0], &words);
        return error.into();
    }
    let own = std::env::vars_os().filter(|(name, _)| variables.iter().all(|it| it.0 != name));
    let more = variables.iter().map(|(name, value)| (OsString::from(name), value.clone()));
    become_command(program, words, own.chain(more))
}

/// Replaces this process by a program with these words, its name included, and this environment. Streams
/// that the caller has closed are closed again. Returns only on failure.
pub(crate) fn become_command<'a>(
    program: &Path,
    words: impl Iterator<Item = &'a OsStr>,
    env: impl Iterator<Item = (OsString, OsString)>,
) -> io::Error {
    let texts = env.map(|(mut text, value)| {
        text.push("=");
        text.push(value);
        text
    });
    let texts = Vec::from_iter(texts);
    let env = zero_ended(texts.iter().map(OsString::as_os_str));
    let program = zero_ended([program.as_os_str()].into_iter());
    let (program, words, env) = match (program, zero_ended(words), env) {
        (Ok(program), Ok(words), Ok(env)) => (program, words, env),
        (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => return error,
    };
    restore_pipe_signal();
    for stream in (0..3).filter(|stream| was_closed(*stream)) {
        // SAFETY: nothing in this process uses it: Rust's runtime has opened /dev/null there.
        unsafe { libc::close(stream) };
    }
    let Err(error) = execve(&program[0], &words, &env);
    error.into()
}

fn zero_ended<'a>(texts: impl Iterator<Item = &'a OsStr>) -> io::Result<Vec<CString>> {
    Ok(texts.map(|text| CString::new(text.as_bytes())).collect::<Result<_, _>>()?)
}

/// Whether the caller has closed a standard stream.
pub(crate) fn was_closed(stream: i32) -> bool {
    WAS_CLOSED.load(Ordering::Relaxed) & 1 << stream != 0
}

/// Gives SIGPIPE the meaning back that it had for the caller. Safe between fork and exec.
pub(crate) fn restore_pipe_signal() {
    let action = if PIPE_WAS_IGNORED.load(Ordering::Relaxed) {
        SigHandler::SigIgn
    } else {
        SigHandler::SigDfl
    };
    // SAFETY: neither action runs code of ours.
    let _ = unsafe { signal(Signal::SIGPIPE, action) };
}
