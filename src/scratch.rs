//! The temporary files of a batch: one directory that nobody else can enter, with a directory
//! for each question in it.

use std::cell::Cell;
use std::io;
use std::path::{Path, PathBuf};

use crate::os;

/// The directory of a batch. It is removed when this is dropped.
#[derive(Debug)]
pub struct Scratch {
    dir: tempfile::TempDir,
    next: Cell<u64>,
}

impl Scratch {
    /// Makes the directory.
    pub fn new() -> io::Result<Self> {
        let base = os::scratch_base();
        let made = tempfile::Builder::new()
            .prefix("tryall-")
            .permissions(os::private_permissions())
            .tempdir_in(&base);
        let dir = made.map_err(|error| {
            let kind = error.kind();
            io::Error::new(
                kind,
                format!("cannot make a temporary directory in {}: {error}; set TMPDIR to one that can be written to", base.display()),
            )
        })?;
        Ok(Scratch { dir, next: Cell::new(0) })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Makes a directory in it. Directories are numbered: an id may hold anything, and so is
    /// no name for a file.
    pub fn room(&self) -> io::Result<Room> {
        let number = self.next.get();
        self.next.set(number + 1);
        let path = self.path().join(number.to_string());
        os::private_dir(&path)?;
        Ok(Room { path })
    }
}

/// The directory of one question. It is removed when this is dropped.
#[derive(Debug)]
pub struct Room {
    path: PathBuf,
}

impl Room {
    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // What cannot be removed now goes with the whole.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
