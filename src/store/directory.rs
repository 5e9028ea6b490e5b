//! The directory with the segment files: who may have written it, which files count, and how they
//! come and go.
//!
//! A file appears under its name by a rename, complete, and never changes after that. There is no
//! lock, so no process ever waits for another or for one that was killed, and network file systems
//! need not have locks.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::os::{self, DirOwner};

/// The directory's name, which changes with the format.
const VERSION: &str = "v2";

const SEGMENT: &str = ".seg";
const TEMPORARY: &str = ".tmp";
const MERGING: &str = "merging.tmp";
const NOTE: &str = "remote";

/// A temporary file that has not been written to for this long belongs to a killed process. If not,
/// its owner fails to rename it, and its answers are lost.
const ABANDONED: Duration = Duration::from_secs(3600);

/// No merge takes that long. If one does, two processes merge, which only costs time.
const MERGE_TIME: Duration = Duration::from_secs(10);

/// Why a store cannot be used, or not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    /// Another user could have written what is in it.
    #[error("{0} or the link to it belongs to another user")]
    Others(PathBuf),
    /// Other users may write to it.
    #[error("other users may write to {0}")]
    Open(PathBuf),
    /// It is something else.
    #[error("{0} is not a directory")]
    NotADirectory(PathBuf),
    /// It would be made in the directory of another user, as `sudo` without `-H` does.
    #[error("{0} does not exist, and its parent belongs to another user")]
    OthersParent(PathBuf),
    /// The system said no.
    #[error("{path}: {error}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// What is to be kept is larger than the whole store may be.
    #[error("its bound of {0} bytes is too small")]
    Bound(u64),
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Unusable {
    let path = path.to_owned();
    move |error| Unusable::Io { path, error }
}

/// A file of the store.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub name: Rc<str>,
    /// Its length in bytes.
    pub bytes: u64,
    /// When it was written, in milliseconds since 1970, if it is a segment.
    pub written: Option<u64>,
    modified: SystemTime,
}

/// The directory with the segment files.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
}

impl Directory {
    /// Opens the directory of a store. `None` if there is none yet.
    pub(super) fn open(store: &Path) -> Result<Option<Directory>, Unusable> {
        let path = store.join(VERSION);
        let found = is_ours(store, true)? && is_ours(&path, false)?;
        if found {
            os::make_private(&path);
        }
        Ok(found.then_some(Directory { path }))
    }

    /// Makes the directory of a store.
    pub(super) fn create(store: &Path) -> Result<Directory, Unusable> {
        if !is_ours(store, true)? {
            let existing = store.ancestors().skip(1).find(|dir| dir.exists());
            if !existing.is_some_and(os::is_own_or_roots) {
                return Err(Unusable::OthersParent(store.into()));
            }
            store.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed(store))?;
            make(store)?;
        }
        make(&store.join(VERSION))?;
        let made = Directory::open(store)?;
        made.ok_or_else(|| failed(store)(io::ErrorKind::NotFound.into()))
    }

    /// Its segments and temporary files, the latest segment first. Whatever has another name does
    /// not belong to the store.
    pub(super) fn list(&self) -> Result<Vec<Listed>, Unusable> {
        let entries = fs::read_dir(&self.path).map_err(failed(&self.path))?;
        let mut files: Vec<Listed> = entries.filter_map(|entry| listed(&entry.ok()?)).collect();
        // A clock that was wrong must not make a file the latest for years.
        let tomorrow = milliseconds(SystemTime::now() + Duration::from_secs(86_400));
        let time = |file: &Listed| file.written.filter(|time| *time < tomorrow);
        files.sort_by(|a, b| (time(b), &b.name).cmp(&(time(a), &a.name)));
        Ok(files)
    }

    /// Opens a segment. `None` if it is gone, or not a file that only this user has written.
    pub(super) fn file(&self, name: &str) -> Option<File> {
        os::open_own(&self.path.join(name)).ok()
    }

    /// Writes a segment and makes room for it. The time is that of its content, if it has one, in
    /// milliseconds since 1970.
    pub(super) fn put(
        &self,
        bytes: &[u8],
        written: Option<u64>,
        bound: u64,
    ) -> Result<Listed, Unusable> {
        if bytes.len() as u64 > bound {
            return Err(Unusable::Bound(bound));
        }
        let mut temporary = tempfile::Builder::new()
            .prefix("")
            .suffix(TEMPORARY)
            .rand_bytes(RANDOM)
            .tempfile_in(&self.path)
            .map_err(failed(&self.path))?;
        let file = temporary.as_file_mut();
        file.write_all(bytes).and_then(|()| file.flush()).map_err(failed(&self.path))?;
        let metadata = file.metadata().map_err(failed(&self.path))?;
        // The clock of the file server, the same for all machines.
        let now = metadata.modified().unwrap_or_else(|_| SystemTime::now());
        // The temporary file counts already. So the store is never larger than its bound and the
        // files that are being written just now.
        self.shrink(bound, now)?;
        let random = temporary.path().file_stem().unwrap_or_default().to_string_lossy();
        let written = written.unwrap_or_else(|| milliseconds(now));
        let name: Rc<str> = format!("{written:012x}-{random}{SEGMENT}").into();
        // On some network file systems only closing a file sends it to the server.
        let temporary = temporary.into_temp_path();
        let path = self.path.join(&*name);
        temporary.persist(&path).map_err(|error| failed(&path)(error.error))?;
        let bytes = bytes.len() as u64;
        Ok(Listed { name, bytes, written: Some(written), modified: now })
    }

    /// Removes what killed processes have left, then the oldest segments until the rest is within
    /// a bound.
    pub(super) fn shrink(&self, bound: u64, now: SystemTime) -> Result<(), Unusable> {
        let mut files = self.list()?;
        files.retain(|file| {
            let is_abandoned = file.written.is_none() && age(file.modified, now) > ABANDONED;
            !(is_abandoned && self.remove(&file.name))
        });
        let mut total: u64 = files.iter().map(|file| file.bytes).sum();
        for file in files.iter().rev().filter(|file| file.written.is_some()) {
            if total <= bound {
                break;
            }
            if self.remove(&file.name) {
                total -= file.bytes;
            }
        }
        Ok(())
    }

    /// Removes all files of the store, and the directory itself if nothing else is in it.
    pub(super) fn clear(self, store: &Path) -> Result<(), Unusable> {
        for file in self.list()? {
            let path = self.path.join(&*file.name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed(&path)(error));
                }
                _ => {}
            }
        }
        self.remove(NOTE);
        if fs::remove_dir(&self.path).is_ok() {
            let _ = fs::remove_dir(store);
        }
        Ok(())
    }

    /// Removes a file. Whether it is gone.
    pub(super) fn remove(&self, name: &str) -> bool {
        match fs::remove_file(self.path.join(name)) {
            Ok(()) => true,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// Notes for people what happened last with the remote store.
    pub(super) fn note(&self, text: &str) {
        // It is of no other use.
        let _ = fs::write(self.path.join(NOTE), text);
    }

    /// The note, and when it was written.
    pub(super) fn noted(&self) -> Option<(String, SystemTime)> {
        let path = self.path.join(NOTE);
        Some((fs::read_to_string(&path).ok()?, fs::metadata(&path).ok()?.modified().ok()?))
    }

    /// Merges, unless another process does so. That is only a courtesy: merging twice is harmless.
    pub(super) fn merge_alone(&self, now: SystemTime, merge: impl FnOnce()) {
        let path = self.path.join(MERGING);
        let modified = |metadata: fs::Metadata| metadata.modified();
        if let Ok(since) = fs::symlink_metadata(&path).and_then(modified) {
            if age(since, now) > MERGE_TIME {
                self.remove(MERGING);
            }
        } else if File::options().write(true).create_new(true).open(&path).is_ok() {
            merge();
            self.remove(MERGING);
        }
    }
}

impl Listed {
    /// When the file was written, by the clock of the file server.
    pub(super) fn modified(&self) -> SystemTime {
        self.modified
    }
}

/// How many random characters a name has.
const RANDOM: usize = 12;

/// Whether a directory is there. Refuses one that others may have written.
fn is_ours(path: &Path, follow: bool) -> Result<bool, Unusable> {
    match os::dir_owner(path, follow).map_err(failed(path))? {
        DirOwner::User => Ok(true),
        DirOwner::Missing => Ok(false),
        DirOwner::Everybody => Err(Unusable::Open(path.into())),
        DirOwner::Other => Err(Unusable::Others(path.into())),
        DirOwner::NotADirectory => Err(Unusable::NotADirectory(path.into())),
    }
}

fn make(dir: &Path) -> Result<(), Unusable> {
    match os::private_dir(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(dir)(error)),
        _ => Ok(()),
    }
}

fn listed(entry: &fs::DirEntry) -> Option<Listed> {
    let name = entry.file_name().into_string().ok()?;
    let written = written(&name);
    if written.is_none() && !name.ends_with(TEMPORARY) {
        return None;
    }
    let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
    let modified = metadata.modified().ok()?;
    Some(Listed { name: name.into(), bytes: metadata.len(), written, modified })
}

/// The time in the name of a segment. `None` if it is not one.
fn written(name: &str) -> Option<u64> {
    let (time, random) = name.strip_suffix(SEGMENT)?.split_once('-')?;
    let is_random = random.len() == RANDOM && random.bytes().all(|c| c.is_ascii_alphanumeric());
    if time.len() != 12 || !is_random {
        return None;
    }
    u64::from_str_radix(time, 16).ok()
}

/// How far a time is from now, in either direction: clocks may have been set.
fn age(time: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(time).unwrap_or_else(|error| error.duration())
}

/// Milliseconds since 1970.
fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
