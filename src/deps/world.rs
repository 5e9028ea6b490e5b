//! Whether what was seen is still so.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::rc::Rc;

use crate::os::{self, Found, Look};

/// The files as this run sees them. Each path is looked at once: a batch is one moment.
#[derive(Debug, Default)]
pub(crate) struct World {
    seen: HashMap<(Rc<OsStr>, Look), Found>,
}

impl World {
    /// What is at a path.
    pub(crate) fn look(&mut self, path: &Rc<OsStr>, look: Look) -> Found {
        *self.seen.entry((path.clone(), look)).or_insert_with(|| os::look(path, look))
    }
}
