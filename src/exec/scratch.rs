//! The temporary files of a batch: one private directory, with a subdirectory for each check.

use std::cell::Cell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};

use crate::os;
use crate::protocol::code::{Code, Reason};

/// The private directory of a batch. Dropping this removes it.
#[derive(Debug)]
pub(crate) struct Scratch {
    dir: PathBuf,
    next: Cell<u64>,
}

/// Chooses a path for the directory that no other process uses. The path is known before the
/// directory exists, so that the reaper can start first.
pub(crate) fn choose() -> Result<PathBuf, Reason> {
    // The reaper and the compilers have other current directories.
    let unusable = |text: String| Reason::new(Code::TempUnusable, text);
    let base =
        std::path::absolute(os::scratch_base()).map_err(|error| unusable(error.to_string()))?;
    if std::fs::metadata(&base).is_ok_and(|dir| os::is_open_to_all(&dir)) {
        // Others could move our directory away and put another one in its place.
        return Err(unusable(format!(
            "everybody can replace the contents of {}; set its sticky bit (chmod +t), or set TMPDIR to another directory",
            base.display()
        )));
    }
    // The standard library seeds each hasher at random.
    let random = RandomState::new().build_hasher().finish();
    Ok(base.join(format!("tryall-{random:016x}")))
}

impl Scratch {
    /// Makes the directory. It is an error if the path already exists.
    pub(crate) fn new(dir: PathBuf) -> Result<Self, Reason> {
        os::private_dir(&dir).map_err(|error| {
            let base = dir.parent().unwrap_or(&dir).display();
            let message = format!("cannot make a temporary directory in {base}: {error}; set TMPDIR to a writable directory");
            Reason::new(Code::of_writing(&error), message)
        })?;
        Ok(Scratch { dir, next: Cell::new(0) })
    }

    /// The path of the directory.
    pub(crate) fn path(&self) -> &Path {
        &self.dir
    }

    /// The parent of the directory, whose name users know.
    pub(crate) fn base(&self) -> &Path {
        self.dir.parent().unwrap_or(&self.dir)
    }

    /// Text without the names of check directories, which mean nothing to users.
    pub(crate) fn without_check_dirs(&self, text: &str) -> String {
        let own = format!("{}/", self.dir.display());
        let mut parts = text.split(&own);
        let first = parts.next().unwrap_or_default().to_string();
        parts.fold(first, |shown, part| {
            let number = part.trim_start_matches(|c: char| c.is_ascii_digit());
            shown + number.strip_prefix('/').unwrap_or(number)
        })
    }

    /// Makes a directory for a check. The directories are numbered, because a check's id may
    /// contain characters that a file name cannot.
    pub(crate) fn check_dir(&self) -> io::Result<CheckDir> {
        let number = self.next.get();
        self.next.set(number + 1);
        let path = self.path().join(number.to_string());
        os::private_dir(&path)?;
        Ok(CheckDir { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // If there is a reaper, it has already removed the directory.
        let _ = os::remove_all(&self.dir);
    }
}

/// The directory of one check. Dropping this removes it.
#[derive(Debug)]
pub(crate) struct CheckDir {
    path: PathBuf,
}

impl CheckDir {
    /// The path of the directory.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for CheckDir {
    fn drop(&mut self) {
        // Whatever cannot be removed now goes with the directory of the batch.
        let _ = os::remove_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_dirs_are_removed_from_messages() {
        let scratch = Scratch { dir: "/no/such/tryall-1f".into(), next: Cell::new(0) };
        for (text, shown) in [
            ("ld: /no/such/tryall-1f/12/ccX.o: in main", "ld: ccX.o: in main"),
            ("/no/such/tryall-1f/0/a /no/such/tryall-1f/1/b", "a b"),
            ("/no/such/x", "/no/such/x"),
        ] {
            assert_eq!(scratch.without_check_dirs(text), shown);
        }
    }
}
