//! A process that runs beside this one, and outlives it. Linux.

use std::io::{self, PipeWriter, Read};

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, dup2_stderr, dup2_stdin, dup2_stdout, fork, setsid};

/// Starts a process that goes on with this program's code, and returns the text that it writes. It
/// is nobody's child, belongs to no terminal, and has no standard streams. `run` must drop what it
/// gets once it has written.
///
/// Must be called while this process has one thread, because the new one keeps running Rust code.
pub(crate) fn start_beside(run: impl FnOnce(PipeWriter)) -> io::Result<String> {
    let (mut reader, writer) = io::pipe()?;
    // SAFETY: the process has one thread, so the child's memory is consistent.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => {
            drop(writer);
            let _ = waitpid(child, None);
            let mut text = String::new();
            reader.read_to_string(&mut text)?;
            Ok(text)
        }
        ForkResult::Child => {
            drop(reader);
            // SAFETY: as above.
            if matches!(unsafe { fork() }, Ok(ForkResult::Child)) && detach().is_ok() {
                run(writer);
            }
            // Skip the parent's exit handlers and buffers.
            // SAFETY: _exit is always sound.
            unsafe { libc::_exit(0) }
        }
    }
}

/// Detaches this process from everything that it shares with its parent.
fn detach() -> io::Result<()> {
    setsid()?;
    let null = std::fs::File::options().read(true).write(true).open("/dev/null")?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    std::env::set_current_dir("/")
}
