//! Whether what was seen is still so.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::os::{self, Found, Look};

/// The files as this run sees them. Each path is looked at once: a batch is one moment.
#[derive(Debug)]
pub(crate) struct World {
    seen: HashMap<(Rc<OsStr>, Look), Found>,
    moment: u64,
}

impl Default for World {
    fn default() -> Self {
        World { seen: HashMap::new(), moment: next_moment() }
    }
}

/// A number that no world of this process has had.
fn next_moment() -> u64 {
    static MOMENTS: AtomicU64 = AtomicU64::new(1);
    MOMENTS.fetch_add(1, Ordering::Relaxed)
}

impl World {
    /// A number that differs between worlds. As long as it stays the same, so does what a look at a
    /// path finds, and conclusions from it can be remembered.
    pub(crate) fn moment(&self) -> u64 {
        self.moment
    }

    /// What is at a path.
    pub(crate) fn look(&mut self, path: &Rc<OsStr>, look: Look) -> Found {
        *self.seen.entry((path.clone(), look)).or_insert_with(|| os::look(path, look))
    }
}
