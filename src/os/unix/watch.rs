//! Notices changes of what is at a path, without looking again. Linux.
//!
//! The kernel queues an event before the call that made a change returns, so a change that anybody
//! on this machine has made is in the queue when it is asked for. What that does not hold for is not
//! watched: files of other machines, files with several names, and whatever lies in a directory in
//! which something has happened already.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};
use nix::sys::statfs::{
    BTRFS_SUPER_MAGIC, EXT4_SUPER_MAGIC, FsType, OVERLAYFS_SUPER_MAGIC, TMPFS_MAGIC,
    XFS_SUPER_MAGIC, statfs,
};

/// File systems on which nobody but this machine changes anything.
const LOCAL: [FsType; 5] =
    [EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, TMPFS_MAGIC, OVERLAYFS_SUPER_MAGIC];

/// Links on the way to a file, at most.
const MOST_LINKS: usize = 40;

/// Watches directories.
#[derive(Debug)]
pub(crate) struct Watch {
    events: Inotify,
    /// Becomes readable when a file system is mounted or unmounted.
    mounts: File,
    /// Whether each directory, and each file with several names, is watched; by its path without links.
    places: HashMap<PathBuf, bool>,
    numbers: HashMap<WatchDescriptor, PathBuf>,
    /// What has changed before.
    restless: HashSet<PathBuf>,
}

impl Watch {
    /// Watches nothing yet.
    pub(crate) fn new() -> io::Result<Self> {
        let watch = Watch {
            events: inotify()?,
            mounts: File::open("/proc/self/mountinfo")?,
            places: HashMap::new(),
            numbers: HashMap::new(),
            restless: HashSet::new(),
        };
        watch.has_new_mounts();
        Ok(watch)
    }

    /// Whether anything that is watched has changed since the last call. Then nothing is watched any
    /// more.
    pub(crate) fn has_changed(&mut self) -> bool {
        let mut has_changed = self.has_new_mounts();
        loop {
            match self.events.read_events() {
                Ok(events) => {
                    has_changed = true;
                    for event in events {
                        // One without a number: the queue was too long.
                        self.restless.extend(self.numbers.get(&event.wd).cloned());
                    }
                }
                Err(nix::errno::Errno::EINTR) => (),
                Err(nix::errno::Errno::EAGAIN) => break,
                Err(_) => {
                    has_changed = true;
                    break;
                }
            }
        }
        if has_changed {
            self.places.clear();
            self.numbers.clear();
            match inotify() {
                Ok(events) => self.events = events,
                // As if everything were restless.
                Err(_) => drop(self.places.insert(PathBuf::from("/"), false)),
            }
        }
        has_changed
    }

    fn has_new_mounts(&self) -> bool {
        let mut mounts = [PollFd::new(self.mounts.as_fd(), PollFlags::POLLPRI)];
        match poll(&mut mounts, PollTimeout::ZERO) {
            Ok(_) => mounts[0].revents().is_none_or(|events| !events.is_empty()),
            Err(_) => true,
        }
    }

    /// Watches what is at a path, and all links on the way. Returns whether a change will be noticed; what
    /// was found before this call may be older.
    pub(crate) fn covers(&mut self, path: &OsStr) -> bool {
        let mut place = PathBuf::from("/");
        let mut rest: Vec<OsString> = parts(Path::new(path));
        let mut links = 0;
        while let Some(name) = rest.pop() {
            if name == ".." {
                place.pop();
                continue;
            }
            if !self.watches(&place) {
                return false;
            }
            let next = place.join(&name);
            let Ok(metadata) = std::fs::symlink_metadata(&next) else {
                // It is missing, or nobody can look: what changes that happens in this directory.
                return true;
            };
            if metadata.is_symlink() {
                links += 1;
                let Ok(target) = std::fs::read_link(&next) else { return false };
                if links > MOST_LINKS {
                    return false;
                }
                if target.is_absolute() {
                    place = PathBuf::from("/");
                }
                rest.extend(parts(&target));
            } else if metadata.is_dir() {
                place = next;
            } else {
                return metadata.is_file() && (metadata.nlink() == 1 || self.watches(&next));
            }
        }
        self.watches(&place)
    }

    /// Watches a directory or file, given without links.
    fn watches(&mut self, place: &Path) -> bool {
        if let Some(known) = self.places.get(place) {
            return *known;
        }
        let is_watched =
            !self.restless.contains(place) && is_local(place) && self.add(place).is_ok();
        self.places.insert(place.to_owned(), is_watched);
        is_watched
    }

    fn add(&mut self, place: &Path) -> nix::Result<()> {
        let changes = AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_MOVE
            | AddWatchFlags::IN_MODIFY
            | AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_ATTRIB
            | AddWatchFlags::IN_DELETE_SELF
            | AddWatchFlags::IN_MOVE_SELF;
        let number = self.events.add_watch(place, changes)?;
        self.numbers.insert(number, place.to_owned());
        Ok(())
    }
}

fn inotify() -> io::Result<Inotify> {
    Ok(Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?)
}

/// The parts of a path, the first one last.
fn parts(path: &Path) -> Vec<OsString> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    let mut parts: Vec<_> = parts.collect();
    parts.reverse();
    parts
}

fn is_local(place: &Path) -> bool {
    statfs(place).is_ok_and(|system| LOCAL.contains(&system.filesystem_type()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use super::*;

    /// A directory that is not below one in which others write, as they do in /tmp, where this checkout may
    /// be; and what keeps the other tests here from making theirs beside it.
    fn place() -> (tempfile::TempDir, MutexGuard<'static, ()>) {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        (tempfile::tempdir_in("/var/tmp").unwrap(), alone)
    }

    #[test]
    fn every_change_is_noticed() {
        let (place, _alone) = place();
        let dir = fs::canonicalize(place.path()).unwrap().join("dir");
        let (file, missing, link) = (dir.join("file"), dir.join("missing"), dir.join("link"));
        let elsewhere = place.path().join("elsewhere");
        let below = dir.join("below/deep/file");
        let changes: [(&Path, &dyn Fn()); 9] = [
            (&file, &|| fs::write(&file, "new").unwrap()),
            (&file, &|| fs::remove_file(&file).unwrap()),
            (&missing, &|| fs::write(&missing, "new").unwrap()),
            (&missing, &|| fs::rename(&file, &missing).unwrap()),
            (&link, &|| fs::write(&elsewhere, "new").unwrap()),
            (&link, &|| fs::remove_file(&link).unwrap()),
            (&below, &|| fs::create_dir(dir.join("below")).unwrap()),
            (&file, &|| fs::rename(&dir, place.path().join("moved")).unwrap()),
            (&dir, &|| fs::write(dir.join("other"), "new").unwrap()),
        ];
        for (number, (path, change)) in changes.iter().enumerate() {
            fs::create_dir(&dir).unwrap();
            fs::write(&file, "old").unwrap();
            fs::write(&elsewhere, "old").unwrap();
            symlink("../elsewhere", &link).unwrap();
            let mut watch = Watch::new().unwrap();
            assert!(watch.covers(path.as_os_str()), "{number}");
            assert!(!watch.has_changed(), "{number}");
            change();
            assert!(watch.has_changed(), "{number}");
            assert!(!watch.has_changed(), "{number}");
            let _ = fs::remove_dir_all(&dir);
            let _ = fs::remove_dir_all(place.path().join("moved"));
        }
    }

    #[test]
    fn a_change_by_another_name_is_noticed() {
        let (place, _alone) = place();
        let (dir, other) = (place.path().join("dir"), place.path().join("other"));
        fs::create_dir(&dir).unwrap();
        let file = dir.join("file");
        fs::write(&file, "old").unwrap();
        fs::hard_link(&file, &other).unwrap();
        let changes: [&dyn Fn(); 3] = [
            &|| fs::write(&other, "new").unwrap(),
            &|| fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap(),
            &|| fs::remove_file(&other).unwrap(),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut watch = Watch::new().unwrap();
            assert!(watch.covers(file.as_os_str()), "{number}");
            assert!(!watch.has_changed(), "{number}");
            change();
            assert!(watch.has_changed(), "{number}");
        }
    }

    #[test]
    fn what_cannot_be_noticed_is_not_covered() {
        let (place, _alone) = place();
        let mut watch = Watch::new().unwrap();
        // A file of the kernel.
        assert!(!watch.covers(OsStr::new("/proc/self/status")));
        // A directory in which something happened is not watched again.
        assert!(watch.covers(place.path().join("missing").as_os_str()));
        fs::write(place.path().join("missing"), "").unwrap();
        assert!(watch.has_changed());
        assert!(!watch.covers(place.path().join("missing").as_os_str()));
    }
}
