//! Looks at a path as a compiler would.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use nix::errno::Errno;
use serde::{Deserialize, Serialize};

/// How a command looked at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Look {
    /// It followed links, as `stat`, `access`, `open` and `exec` do.
    Follow,
    /// It looked at the last link itself, as `lstat` and `readlink` do.
    Link,
    /// It listed the directory.
    List,
}

/// What a look at a path found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Found {
    /// Nothing: there was no such file or directory (ENOENT).
    Nothing,
    /// Another error, with its number: EACCES, or ENOTDIR, which compilers distinguish from ENOENT.
    Denied(i32),
    /// Something with this stamp.
    Stamp(Stamp),
}

/// Identifies a file, and changes when its contents or attributes do.
///
/// Of a directory that was not listed, only device, inode and mode count; the other fields are
/// zero. A directory whose contents change is still the same directory to whoever only passes
/// through. The same holds for devices and pipes, whose times change with every use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// The number of the device.
    pub device: u64,
    /// The number of the inode.
    pub inode: u64,
    /// The type and the permissions, as in `st_mode`.
    pub mode: u32,
    /// The size in bytes.
    pub size: u64,
    /// When the contents changed: seconds and nanoseconds since 1970.
    pub modified: (i64, u32),
    /// When contents or attributes changed: seconds and nanoseconds since 1970.
    pub changed: (i64, u32),
}

impl Stamp {
    /// When contents or attributes changed.
    pub(crate) fn changed_at(&self) -> SystemTime {
        let (seconds, nanoseconds) = self.changed;
        let seconds = u64::try_from(seconds).unwrap_or_default();
        SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds)
    }

    /// The bits of the mode that hold the type; the same on every Unix.
    const TYPE: u32 = 0o170_000;

    /// Whether it is a regular file.
    pub(crate) fn is_file(&self) -> bool {
        self.mode & Self::TYPE == 0o100_000
    }

    /// Whether it is a directory.
    pub(crate) fn is_dir(&self) -> bool {
        self.mode & Self::TYPE == 0o040_000
    }

    /// Whether it is a character device.
    pub(crate) fn is_device(&self) -> bool {
        self.mode & Self::TYPE == 0o020_000
    }

    /// Whether it is a named pipe or a socket.
    pub(crate) fn is_pipe(&self) -> bool {
        [0o010_000, 0o140_000].contains(&(self.mode & Self::TYPE))
    }

    /// Whether it is a symbolic link.
    pub(crate) fn is_link(&self) -> bool {
        self.mode & Self::TYPE == 0o120_000
    }
}

/// What all looks at a path find.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    /// What is there itself, with the contents of a directory.
    itself: Found,
    /// Where links lead, with the contents of a directory.
    target: Found,
}

impl View {
    /// Nothing is there.
    pub(crate) const NOTHING: View = View { itself: Found::Nothing, target: Found::Nothing };

    /// What is at a path now. Most paths are no links, and take one system call.
    pub(crate) fn of(path: &OsStr) -> View {
        let itself = found(std::fs::symlink_metadata(path));
        let is_link = matches!(itself, Found::Stamp(stamp) if stamp.is_link());
        View { itself, target: if is_link { found(std::fs::metadata(path)) } else { itself } }
    }

    /// What one look finds.
    pub(crate) fn found(&self, look: Look) -> Found {
        match look {
            Look::Follow => passing(self.target),
            Look::Link => passing(self.itself),
            Look::List => self.target,
        }
    }
}

/// What is at a path.
pub(crate) fn look(path: &OsStr, look: Look) -> Found {
    match look {
        Look::Follow => passing(found(std::fs::metadata(path))),
        Look::Link => passing(found(std::fs::symlink_metadata(path))),
        Look::List => found(std::fs::metadata(path)),
    }
}

/// What was found, with everything that the system says of it.
fn found(metadata: std::io::Result<Metadata>) -> Found {
    match metadata {
        Ok(metadata) => Found::Stamp(stamp(&metadata)),
        Err(error) => match error.raw_os_error() {
            Some(libc::ENOENT) => Found::Nothing,
            error => Found::Denied(error.unwrap_or(Errno::UnknownErrno as i32)),
        },
    }
}

/// What counts of it for whoever does not list it.
fn passing(found: Found) -> Found {
    match found {
        Found::Stamp(stamp) if !stamp.is_file() && !stamp.is_link() => {
            Found::Stamp(Stamp { size: 0, modified: (0, 0), changed: (0, 0), ..stamp })
        }
        found => found,
    }
}

pub(super) fn stamp(metadata: &Metadata) -> Stamp {
    let time =
        |seconds, nanoseconds: i64| (seconds, u32::try_from(nanoseconds).unwrap_or_default());
    Stamp {
        device: metadata.dev(),
        inode: metadata.ino(),
        mode: metadata.mode(),
        size: metadata.size(),
        modified: time(metadata.mtime(), metadata.mtime_nsec()),
        changed: time(metadata.ctime(), metadata.ctime_nsec()),
    }
}

/// When a file's contents or attributes changed.
pub(crate) fn changed(metadata: &Metadata) -> SystemTime {
    stamp(metadata).changed_at()
}
