//! Whether what was seen is still so.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::os::{self, Found, Look, View, Watch};

/// The files as this run sees them. Each path is looked at once: a batch is one moment.
#[derive(Debug)]
pub(crate) struct World {
    seen: HashMap<Rc<OsStr>, View>,
    contents: HashMap<Rc<OsStr>, Found>,
    moment: u64,
    /// What notices changes, if there is more than one moment.
    watch: Option<Watch>,
    /// What is watched, and has not changed.
    steady: HashMap<Rc<OsStr>, View>,
}

impl Default for World {
    fn default() -> Self {
        World {
            seen: HashMap::new(),
            contents: HashMap::new(),
            moment: new_number(),
            watch: None,
            steady: HashMap::new(),
        }
    }
}

/// A number that differs from all others of this process, and is not zero.
pub(crate) fn new_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl World {
    /// A number that differs between worlds. As long as it stays the same, so does what a look at a
    /// path finds, and conclusions from it can be remembered.
    pub(crate) fn moment(&self) -> u64 {
        self.moment
    }

    /// The files as they are now. What is watched and has not changed is not looked at again.
    pub(crate) fn next_moment(&mut self) {
        self.moment = new_number();
        self.seen.clear();
        self.contents.clear();
        if self.watch.is_none() {
            self.watch = Watch::new().ok();
        }
        if self.watch.as_mut().is_none_or(Watch::has_changed) {
            self.steady.clear();
        }
    }

    /// What is at a path.
    pub(crate) fn look(&mut self, path: &Rc<OsStr>, look: Look) -> Found {
        if look == Look::Contents {
            let read = || os::look(path, look);
            return *self.contents.entry(path.clone()).or_insert_with(read);
        }
        if let Some(view) = self.steady.get(path).or_else(|| self.seen.get(path)) {
            return view.found(look);
        }
        // Before the look: what changes after it is noticed.
        let is_watched = self.watch.as_mut().is_some_and(|watch| watch.covers(path));
        let view = if self.is_below_nothing(path) { View::NOTHING } else { View::of(path) };
        let views = if is_watched { &mut self.steady } else { &mut self.seen };
        views.insert(path.clone(), view);
        view.found(look)
    }

    /// Whether the directory of a path does not exist. Compilers look for many files in each of
    /// their directories, and most of these directories are missing.
    fn is_below_nothing(&mut self, path: &OsStr) -> bool {
        let bytes = path.as_encoded_bytes();
        let Some(end) = bytes.iter().rposition(|byte| *byte == b'/').filter(|end| *end > 0) else {
            return false;
        };
        let dir = os::from_bytes(bytes[..end].to_vec());
        let view = match self.seen.get(&*dir) {
            Some(view) => *view,
            None => *self.seen.entry(dir.as_os_str().into()).or_insert(View::of(&dir)),
        };
        view.found(Look::Follow) == Found::Nothing
    }
}
