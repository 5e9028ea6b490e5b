//! Standard input of a compiler.

use std::fs::File;
use std::io::{self, PipeReader, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd};
use std::os::unix::fs::MetadataExt;

use super::files::Given;
use crate::os;

/// The most bytes of standard input that are read: as many as a pipe holds, so that they can be given to
/// the compiler without a second process.
const MOST_STDIN: usize = 32 << 10;

/// What is on standard input.
pub(super) enum Stdin {
    /// It is not read, or not by us.
    Untouched,
    /// A file, which ends there.
    File(u64),
    /// These bytes, which are not in the pipe any more.
    Taken(Vec<u8>),
}

impl Stdin {
    /// Reads all of it. Fails with the reason why nothing is to be done with the command; then nothing was
    /// taken.
    pub(super) fn take(&mut self) -> Result<Given, &'static str> {
        let mut file = standard_input();
        let found = file.metadata().map_err(|_| "unreadable input")?;
        let mut bytes = Vec::new();
        if found.is_file() {
            let start = file.stream_position().map_err(|_| "unreadable input")?;
            let length = found.len().saturating_sub(start);
            if length > MOST_STDIN as u64 {
                return Err("large input");
            }
            let read = file.read_to_end(&mut bytes);
            let back = file.seek(SeekFrom::Start(start));
            if read.is_err() || back.is_err() {
                return Err("unreadable input");
            }
            *self = Stdin::File(start + bytes.len() as u64);
            return Ok(Given::of(&bytes));
        }
        let is_null = std::fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == found.rdev());
        if found.mode() & libc::S_IFMT == libc::S_IFCHR && is_null {
            return Ok(Given::Null);
        }
        if found.mode() & libc::S_IFMT != libc::S_IFIFO {
            return Err("input that is not a file");
        }
        // Nothing is taken before all is there: a pipe cannot take anything back.
        if !os::holds_all(file.as_fd(), MOST_STDIN).map_err(|_| "unreadable input")? {
            return Err("large input");
        }
        file.read_to_end(&mut bytes).map_err(|_| "unreadable input")?;
        let given = Given::of(&bytes);
        *self = Stdin::Taken(bytes);
        Ok(given)
    }

    /// Goes to where the compiler would have stopped reading.
    pub(super) fn skip(&self) {
        if let Stdin::File(end) = self {
            let _ = standard_input().seek(SeekFrom::Start(*end));
        }
    }

    /// A pipe that holds what was taken. It fits into it.
    pub(super) fn pipe(&self) -> io::Result<Option<PipeReader>> {
        let Stdin::Taken(bytes) = self else { return Ok(None) };
        let (reader, mut writer) = io::pipe()?;
        writer.write_all(bytes)?;
        Ok(Some(reader))
    }
}

/// Standard input without a buffer. It is not closed.
fn standard_input() -> std::mem::ManuallyDrop<File> {
    // SAFETY: the descriptor is open, and not closed here.
    std::mem::ManuallyDrop::new(unsafe { File::from_raw_fd(io::stdin().as_raw_fd()) })
}
