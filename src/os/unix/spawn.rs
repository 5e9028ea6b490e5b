//! Starts a process: becomes the leader of a new group, in a directory, with these three files.
//!
//! On Linux the child borrows this process's memory until it becomes the program, as it does in
//! the C library's `posix_spawn`. A `fork` copies the page tables first, and both sides then pay
//! for it: a third of a millisecond for each compiler. `posix_spawn` itself cannot run what the
//! guard needs, which is that the child writes its own number into a pipe before it becomes the
//! program. Elsewhere the standard library forks.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use libc::{c_char, c_int};
use nix::unistd::Pid;

/// All that the child needs, made before it is there: it must not allocate.
pub(super) struct Image {
    path: CString,
    argv: Vec<*const c_char>,
    env: Vec<*const c_char>,
    dir: CString,
    guard: Option<RawFd>,
    /// What the pointers point into.
    _strings: Vec<CString>,
}

// SAFETY: the pointers are into `_strings`, which nobody changes.
unsafe impl Send for Image {}
// SAFETY: as above.
unsafe impl Sync for Image {}

/// The standard files of the child.
pub(super) struct Files {
    pub(super) stdin: OwnedFd,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
}

impl Image {
    /// Of a program, its arguments, environment and directory; and where the child writes its
    /// number.
    pub(super) fn new(
        program: &Path,
        argv: &[OsString],
        env: &[(OsString, OsString)],
        dir: &Path,
        guard: Option<RawFd>,
    ) -> io::Result<Self> {
        let mut strings = Vec::with_capacity(argv.len() + env.len());
        for argument in argv {
            strings.push(c_string(&[argument])?);
        }
        for (name, value) in env {
            strings.push(c_string(&[name, OsStr::new("="), value])?);
        }
        // The bytes of a CString stay where they are when it moves.
        let terminated = |strings: &[CString]| -> Vec<*const c_char> {
            strings.iter().map(|s| s.as_ptr()).chain([std::ptr::null()]).collect()
        };
        let (arguments, variables) = strings.split_at(argv.len());
        Ok(Image {
            path: c_string(&[program.as_os_str()])?,
            argv: terminated(arguments),
            env: terminated(variables),
            dir: c_string(&[dir.as_os_str()])?,
            guard,
            _strings: strings,
        })
    }

    /// Becomes the program, in the child. Returns only if that fails.
    ///
    /// By `execve` and not by `execvp`, which hands a file that is no program to `/bin/sh`: a
    /// program for another machine must be told from one that fails.
    fn enter(&self) -> io::Error {
        // SAFETY: getpid is always sound.
        let own = unsafe { libc::getpid() };
        // A guard that was killed must not take the compiler with it.
        // SAFETY: neither action runs a handler.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
        self.tell_guard(own);
        // SAFETY: as above.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        // SAFETY: both arrays end in a null pointer and their strings are alive.
        unsafe { libc::execve(self.path.as_ptr(), self.argv.as_ptr(), self.env.as_ptr()) };
        let error = io::Error::last_os_error();
        // SAFETY: as above.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
        self.tell_guard(-own);
        error
    }

    fn tell_guard(&self, group: i32) {
        if let Some(guard) = self.guard {
            let message = group.to_ne_bytes();
            // SAFETY: the buffer is as long as said. A guard that is gone is no reason not to
            // start, so the result is of no interest.
            unsafe { libc::write(guard, message.as_ptr().cast(), message.len()) };
        }
    }
}

fn c_string(parts: &[&OsStr]) -> io::Result<CString> {
    let bytes = parts.iter().map(|part| part.as_bytes()).collect::<Vec<_>>().concat();
    CString::new(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a NUL byte"))
}

/// Starts the process. An error means that no such program runs.
#[cfg(not(target_os = "linux"))]
pub(super) fn spawn(image: Image, files: Files) -> io::Result<Pid> {
    use std::os::unix::process::CommandExt;
    let dir = Path::new(OsStr::from_bytes(image.dir.as_bytes())).to_path_buf();
    let mut command = std::process::Command::new(OsStr::from_bytes(image.path.as_bytes()));
    command.stdin(files.stdin).stdout(files.stdout).stderr(files.stderr);
    command.current_dir(dir).process_group(0);
    // SAFETY: `enter` only makes system calls that are async-signal-safe.
    unsafe { command.pre_exec(move || Err(image.enter())) };
    let child = command.spawn()?;
    Ok(Pid::from_raw(i32::try_from(child.id()).expect("process ids are positive")))
}

/// What the child finds in the memory that it borrows.
#[cfg(target_os = "linux")]
struct Borrowed<'a> {
    image: &'a Image,
    files: [RawFd; 3],
    /// Why it did not become the program.
    failure: c_int,
}

/// The child's stack. It needs a few hundred bytes.
#[cfg(target_os = "linux")]
const STACK: usize = 64 << 10;

/// Starts the process. An error means that no such program runs.
#[cfg(target_os = "linux")]
pub(super) fn spawn(image: Image, files: Files) -> io::Result<Pid> {
    let mut stack = vec![0u128; STACK / size_of::<u128>()];
    let mut borrowed = Borrowed {
        image: &image,
        files: [files.stdin.as_raw_fd(), files.stdout.as_raw_fd(), files.stderr.as_raw_fd()],
        failure: 0,
    };
    // SAFETY: all zeros is a valid set of signals, and both are filled before they are used.
    let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = unsafe { std::mem::zeroed() };
    // A handler of ours that ran in the child would write into our memory.
    // SAFETY: both point to live sets.
    unsafe {
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
    }
    // SAFETY: the child runs on a stack of its own, which is aligned and outlives it, as does
    // what it borrows: with CLONE_VFORK this thread goes on only when the child has become the
    // program or has ended.
    let (child, error) = unsafe {
        let top = stack.as_mut_ptr().add(stack.len());
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        let child = libc::clone(child_main, top.cast(), flags, (&raw mut borrowed).cast());
        (child, io::Error::last_os_error())
    };
    // SAFETY: the set was filled above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut()) };
    if child == -1 {
        return Err(error);
    }
    let child = Pid::from_raw(child);
    if borrowed.failure != 0 {
        let _ = nix::sys::wait::waitpid(child, None);
        return Err(io::Error::from_raw_os_error(borrowed.failure));
    }
    Ok(child)
}

/// What the child does. It shares this process's memory, so it only makes system calls.
#[cfg(target_os = "linux")]
extern "C" fn child_main(borrowed: *mut libc::c_void) -> c_int {
    // SAFETY: `spawn` passes this, and waits.
    let borrowed = unsafe { &mut *borrowed.cast::<Borrowed<'_>>() };
    let error = match prepare(borrowed) {
        Ok(()) => borrowed.image.enter(),
        Err(error) => error,
    };
    borrowed.failure = error.raw_os_error().unwrap_or(libc::EIO);
    // SAFETY: without the exit handlers, which are the parent's.
    unsafe { libc::_exit(127) }
}

/// Signals for which this program may have handlers: tokio's, the jobserver's, Rust's own, and
/// one for the size of files.
#[cfg(target_os = "linux")]
const HANDLED: [c_int; 9] = [
    libc::SIGCHLD,
    libc::SIGINT,
    libc::SIGTERM,
    libc::SIGHUP,
    libc::SIGQUIT,
    libc::SIGUSR1,
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGXFSZ,
];

#[cfg(target_os = "linux")]
fn prepare(borrowed: &Borrowed<'_>) -> io::Result<()> {
    let done = |result: c_int| if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) };
    // SAFETY: all pointers are to live variables; dup2, setpgid and chdir take any argument.
    unsafe {
        for signal in HANDLED {
            let mut action: libc::sigaction = std::mem::zeroed();
            done(libc::sigaction(signal, std::ptr::null(), &raw mut action))?;
            // What the caller of this program has ignored stays ignored.
            if action.sa_sigaction != libc::SIG_IGN {
                action = std::mem::zeroed();
                action.sa_sigaction = libc::SIG_DFL;
                done(libc::sigaction(signal, &raw const action, std::ptr::null_mut()))?;
            }
        }
        for (number, file) in borrowed.files.iter().enumerate() {
            done(libc::dup2(*file, number as c_int))?;
        }
        done(libc::setpgid(0, 0))?;
        done(libc::chdir(borrowed.image.dir.as_ptr()))?;
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        done(libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut()))
    }
}
