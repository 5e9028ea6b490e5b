//! Tests of the store with real files.

mod contents;
mod damage;
mod files;
mod lookups;
mod others;
mod soak;

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tempfile::TempDir;

use super::{Evidence, Key, Place, Store, Variables};
use crate::deps::sight::{Gap, Seen, Sight, SightId, Sights};
use crate::deps::world::World;
use crate::os::Look;

/// The bound of stores in tests.
const BOUND: u64 = 8 << 20;

/// A directory with a store in it and room for files that answers rest on.
struct Room {
    dir: TempDir,
}

/// A run: a store, and the sights of its commands.
struct Run {
    store: Store,
    sights: Sights,
    env: Variables,
}

impl Room {
    fn new() -> Room {
        Room { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// The directory with the files of the store.
    fn files(&self) -> PathBuf {
        self.path("store/v2")
    }

    /// The segments.
    fn segments(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.files()).map(|entries| entries.map(|e| e.unwrap().path()));
        let mut paths: Vec<_> = entries.into_iter().flatten().collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "seg"));
        paths.sort();
        paths
    }

    fn run(&self) -> Run {
        self.run_with(BOUND)
    }

    fn run_with(&self, bound: u64) -> Run {
        Run::at(&self.path("store"), bound)
    }
}

impl Run {
    fn at(store: &Path, bound: u64) -> Run {
        let store = Store::open(Place { dir: Ok(store.into()), is_named: true, bound });
        Run { store, sights: Sights::default(), env: Variables::default() }
    }

    fn see(&mut self, path: &Path, look: Look) -> SightId {
        let path: Rc<_> = path.as_os_str().into();
        let found = World::default().look(&path, look);
        self.sights.id(Sight { path, look, found, contents: None })
    }

    /// What a command saw that followed these paths.
    fn seen(&mut self, paths: &[&Path]) -> Seen {
        let mut sights: Vec<_> = paths.iter().map(|path| self.see(path, Look::Follow)).collect();
        sights.sort_unstable();
        Seen { sights, ..Seen::default() }
    }

    fn keep_seen(&mut self, number: u64, payload: &str, seen: Seen) {
        let Run { store, sights, env } = self;
        let (payload, seen) = (payload.as_bytes().into(), Rc::new(seen));
        let evidence = Evidence { seen: &seen, sights, world: &mut World::default() };
        store.keep(key(number), "LABEL", payload, evidence, env);
    }

    fn keep(&mut self, number: u64, payload: &str, paths: &[&Path]) {
        let seen = self.seen(paths);
        self.keep_seen(number, payload, seen);
    }

    fn find(&mut self, number: u64) -> Option<String> {
        let found = self.store.find(&key(number), &mut World::default(), &self.env)?;
        Some(String::from_utf8(found.payload.to_vec()).unwrap())
    }
}

fn key(number: u64) -> Key {
    Key(*blake3::hash(&number.to_le_bytes()).as_bytes())
}

fn gap(reason: &str) -> Seen {
    Seen { gap: Some(Gap(reason.into())), ..Seen::default() }
}

fn answer(text: &str) -> Option<String> {
    Some(text.into())
}
