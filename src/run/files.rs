//! The files of a command: what it is given, what is where it will write, and what it leaves there.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::os::{self, Found, Look};
use crate::source::words;

/// The largest input that is text.
const LARGEST_TEXT: u64 = 64 << 10;

/// The largest input that is an object file, an archive or a library.
const LARGEST_OBJECT: u64 = 1 << 20;

/// The largest product that is kept.
const LARGEST_PRODUCT: u64 = 3 << 20;

/// A file that a command is given.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Given {
    /// There is none.
    Nothing,
    /// The device without contents.
    Null,
    /// A file with contents of this digest.
    Contents {
        /// The BLAKE3 digest.
        digest: [u8; 32],
        /// What the text says.
        says: Says,
    },
}

/// Words of a text that mean something else at another time or place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Says {
    /// It may ask for the time, for the times of files, or for what is open.
    pub time: bool,
    /// It may ask for the name of a file.
    pub place: bool,
}

impl Given {
    /// Contents.
    pub(super) fn of(bytes: &[u8]) -> Given {
        Given::Contents { digest: *blake3::hash(bytes).as_bytes(), says: Says::of(bytes) }
    }

    /// Reads an input. Fails with the reason why nothing is to be done with the command.
    pub(super) fn read(path: &Path) -> Result<Given, &'static str> {
        let found = match fs::metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Given::Nothing),
            Err(_) => return Err("unreadable input"),
        };
        if found.file_type().is_char_device() && path == Path::new("/dev/null") {
            return Ok(Given::Null);
        }
        if !found.is_file() {
            return Err("input that is not a file");
        }
        let most = if is_object(path) { LARGEST_OBJECT } else { LARGEST_TEXT };
        if found.len() > most {
            return Err("large input");
        }
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
        match read {
            Ok(length) if length as u64 <= most => Ok(Given::of(&bytes)),
            Ok(_) => Err("large input"),
            Err(_) => Err("unreadable input"),
        }
    }

    /// What its text says.
    pub(super) fn says(&self) -> Says {
        match self {
            Given::Contents { says, .. } => *says,
            _ => Says::default(),
        }
    }
}

impl Says {
    fn of(bytes: &[u8]) -> Says {
        let text = String::from_utf8_lossy(bytes);
        // A word may be split between lines. `#pragma once` compares times.
        let joined = text.replace("\\\n", "").replace("\\\r\n", "").replace("??/\n", "");
        let has = |word: &str| joined.contains(word);
        let time = words::OF_TIME.iter().any(|word| has(word))
            || has("once") && has("pragma")
            || has("/dev/stdin")
            || has("/dev/fd")
            || has("/proc/self");
        let place = words::of_time_or_place(&joined).is_some()
            || has("__builtin_") && has("FILE")
            || has("source_location");
        Says { time, place }
    }
}

fn is_object(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    ["o", "a", "so", "lo", "obj", "dylib"].contains(&extension) || name.contains(".so.")
}

/// What is where a command will write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Before {
    /// Nothing, in a directory in which files can be made.
    Nothing,
    /// A regular file that can be replaced.
    File {
        /// Its permissions.
        mode: u32,
        /// Whether it has no contents: linkers keep such a file, and replace others.
        is_empty: bool,
    },
}

impl Before {
    /// Looks where a command will write. Fails with the reason why nothing is to be done with it.
    pub(super) fn look(path: &Path) -> Result<Before, &'static str> {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        if !dir.is_some_and(os::can_make_files) {
            return Err("output in a directory that cannot be written");
        }
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Before::Nothing),
            Ok(found) if is_replaceable(&found) => {
                Ok(Before::File { mode: found.mode() & 0o7777, is_empty: found.len() == 0 })
            }
            _ => Err("output that is not a plain file"),
        }
    }
}

/// Whether nobody can tell if a file is written anew or replaced.
fn is_replaceable(found: &Metadata) -> bool {
    let is_writable = found.mode() & 0o200 != 0 && found.mode() & 0o7000 == 0;
    found.is_file() && found.nlink() == 1 && is_writable && os::is_own(found)
}

/// What a command did with one of its outputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum After {
    /// Nothing.
    AsBefore,
    /// It removed the file.
    Nothing,
    /// It wrote the file.
    File {
        /// The contents.
        bytes: Vec<u8>,
        /// The permissions.
        mode: u32,
    },
}

/// Tells whether a file is still the same.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mark(Found);

impl Mark {
    /// Marks the file at a path.
    pub(super) fn of(path: &Path) -> Mark {
        Mark(os::look(path.as_os_str(), Look::Link))
    }
}

impl After {
    /// What was done with an output since it was marked. `None` if that cannot be kept.
    pub(super) fn look(path: &Path, before: &Mark) -> Option<After> {
        if Mark::of(path) == *before {
            return Some(After::AsBefore);
        }
        let found = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Some(After::Nothing),
            found => found
                .ok()
                .filter(|found| is_replaceable(found) && found.len() <= LARGEST_PRODUCT)?,
        };
        let bytes = fs::read(path).ok()?;
        Some(After::File { bytes, mode: found.mode() & 0o7777 })
    }

    /// Does the same again. If it fails, the command itself must run, which finds the output as before or
    /// missing.
    pub(super) fn put(&self, path: &Path) -> io::Result<()> {
        if let After::AsBefore = self {
            return Ok(());
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let After::File { bytes, mode } = self else { return Ok(()) };
        os::write_new(path, bytes, *mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_says_is_found_across_lines() {
        let says = |text: &str| Says::of(text.as_bytes());
        assert_eq!(says("int main(void){return 0;}"), Says::default());
        assert!(says("char *a = __DA\\\nTE__;").time);
        assert!(says("#pragma once").time);
        let place = says("char *a = __FILE__;");
        assert!(place.place && !place.time);
    }

    #[test]
    fn outputs_are_put_as_they_were_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let mark = Mark::of(&path);
        assert_eq!(After::look(&path, &mark), Some(After::AsBefore));
        let file = After::File { bytes: b"abc".to_vec(), mode: 0o751 };
        file.put(&path).unwrap();
        assert_eq!(After::look(&path, &mark), Some(file));
        assert_eq!(Before::look(&path), Ok(Before::File { mode: 0o751, is_empty: false }));
        let mark = Mark::of(&path);
        After::Nothing.put(&path).unwrap();
        assert_eq!(After::look(&path, &mark), Some(After::Nothing));
        assert_eq!(Before::look(&path), Ok(Before::Nothing));
    }

    #[test]
    fn links_and_missing_directories_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("link");
        std::os::unix::fs::symlink("x", &path).unwrap();
        assert!(Before::look(&path).is_err());
        assert!(Before::look(&dir.path().join("no/x")).is_err());
        let (one, two) = (dir.path().join("one"), dir.path().join("two"));
        fs::write(&one, "").unwrap();
        fs::hard_link(&one, &two).unwrap();
        assert!(Before::look(&one).is_err());
    }
}
