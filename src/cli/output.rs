//! Writes results to standard output, or to a file that is replaced atomically.

use std::fs::{File, Permissions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::progress::tell;
use crate::os;

/// The longest chain of symbolic links to follow; about the limit of operating systems.
const MOST_LINKS: usize = 40;

/// Whether an option's FILE means standard output. Opening `/dev/stdout` by name would truncate a
/// file that standard output is redirected to.
pub(super) fn is_stdout(file: &Path) -> bool {
    ["-", "/dev/stdout"].iter().any(|name| file == Path::new(name))
}

/// Prints to standard output and returns the exit status.
pub(super) fn print(bytes: &[u8]) -> ExitCode {
    match write(bytes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => write_failure(&error),
    }
}

/// Writes to standard output.
pub(super) fn write(bytes: &[u8]) -> io::Result<()> {
    os::Stdout::open()?.write_all(bytes)
}

/// The exit status when results could not be written.
pub(super) fn write_failure(error: &io::Error) -> ExitCode {
    if error.kind() == io::ErrorKind::BrokenPipe {
        // The reader has read enough.
        return ended_by(os::BROKEN_PIPE);
    }
    tell(&format!("cannot write the results: {error}"));
    ExitCode::from(3)
}

/// The exit status of a program that a signal ended.
pub(super) fn ended_by(signal: i32) -> ExitCode {
    ExitCode::from(u8::try_from(128 + signal).unwrap_or(u8::MAX))
}

/// Replaces a file atomically, or leaves it alone if it already has these contents: a new time
/// stamp would cause rebuilds.
pub(super) fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let path = without_links(path)?;
    let there = std::fs::metadata(&path).ok();
    if there.as_ref().is_some_and(|meta| !meta.is_file()) {
        // For example a named pipe.
        return File::options().write(true).open(&path)?.write_all(contents);
    }
    if std::fs::read(&path).is_ok_and(|old| old == contents) {
        return Ok(());
    }
    // A signal must not leave the file behind under its temporary name.
    let held = os::hold_interrupts();
    let written = put_in_place(&path, contents, there.map(|meta| meta.permissions()));
    held.let_through();
    written
}

/// Opens an empty file to append to. Two writers would mix their lines, so the second one is
/// refused.
pub(super) fn open_stream(path: &Path) -> io::Result<File> {
    let file = File::options().write(true).create(true).truncate(false).open(path)?;
    if file.metadata()?.is_file() {
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(io::Error::new(
                io::ErrorKind::ResourceBusy,
                "another tryall is writing to it; wait until it ends, or name another file",
            ));
        }
        file.set_len(0)?;
    }
    Ok(file)
}

/// Resolves symbolic links, even if the target does not exist yet.
fn without_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match (std::fs::canonicalize(&path), std::fs::read_link(&path)) {
            (Ok(file), _) => return Ok(file),
            // A relative target is relative to the directory of the link.
            (Err(_), Ok(target)) => path = path.parent().unwrap_or(Path::new("")).join(target),
            (Err(_), Err(_)) => return Ok(path),
        }
    }
    std::fs::canonicalize(path)
}

/// Writes a temporary file in the same directory and renames it. It gets the given permissions, or
/// those of a new file.
pub(super) fn put_in_place(
    path: &Path,
    contents: &[u8],
    permissions: Option<Permissions>,
) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::metadata(dir)?;
    // tempfile's errors name the temporary file; the caller adds the name of the real one.
    let made = tempfile::Builder::new().prefix(".tryall-").tempfile_in(dir);
    let mut file = made.map_err(|error| io::Error::from(error.kind()))?;
    file.as_file_mut().write_all(contents)?;
    match permissions {
        Some(permissions) => file.as_file().set_permissions(permissions)?,
        None => os::with_default_permissions(file.as_file())?,
    }
    file.persist(path).map_err(|failure| failure.error)?;
    Ok(())
}
