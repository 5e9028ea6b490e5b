//! The source tree that a project is configured from: a copy, so that what a project writes into
//! its own sources cannot reach the next run.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cmake_harness::content;

/// What changes with a file: inode, mode, size, and the times of its content and status, which no
/// program can set back.
type Stamp = (u64, u32, u64, i64, i64);

pub struct Source {
    pristine: PathBuf,
    pub copy: PathBuf,
    stamps: BTreeMap<PathBuf, Stamp>,
}

impl Source {
    pub fn new(pristine: PathBuf, copy: PathBuf) -> Source {
        let mut source = Source { pristine, copy, stamps: BTreeMap::new() };
        source.make();
        source
    }

    fn make(&mut self) {
        let _ = fs::remove_dir_all(&self.copy);
        fs::create_dir_all(self.copy.parent().expect("it is below target")).unwrap();
        let copied = Command::new("cp")
            .args(["-a", "--reflink=auto"])
            .arg(self.pristine.canonicalize().unwrap())
            .arg(&self.copy)
            .status();
        assert!(copied.unwrap().success(), "{} cannot be copied", self.pristine.display());
        self.stamps = stamps(&self.copy);
    }

    /// The files that were made, changed or removed since the copy was made. If there are any, the
    /// copy is made again.
    pub fn changes(&mut self) -> BTreeMap<String, String> {
        let now = stamps(&self.copy);
        let changed = now.iter().filter(|(path, stamp)| self.stamps.get(*path) != Some(stamp));
        let removed = self.stamps.keys().filter(|path| !now.contains_key(*path));
        let mut changes = BTreeMap::new();
        for path in changed.map(|(path, _)| path).chain(removed) {
            let name = path.strip_prefix(&self.copy).unwrap().display();
            let now = match path.symlink_metadata() {
                Err(_) => "removed".into(),
                Ok(_) => content(path),
            };
            changes.insert(format!("(source tree)/{name}"), now);
        }
        if !changes.is_empty() {
            self.make();
        }
        changes
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.copy);
    }
}

/// The stamps of all files below a directory. A directory itself also changes with a file that was
/// there only for a while: it only has to exist.
fn stamps(directory: &Path) -> BTreeMap<PathBuf, Stamp> {
    let mut all = BTreeMap::new();
    let mut waiting = vec![directory.to_path_buf()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let found = path.symlink_metadata().unwrap();
            if found.is_dir() {
                all.insert(path.clone(), (0, found.mode(), 0, 0, 0));
                waiting.push(path);
            } else {
                let status = found.ctime() * 1_000_000_000 + found.ctime_nsec();
                let modified = found.mtime() * 1_000_000_000 + found.mtime_nsec();
                all.insert(path, (found.ino(), found.mode(), found.size(), modified, status));
            }
        }
    }
    all
}
