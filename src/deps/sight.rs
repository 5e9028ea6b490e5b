//! What commands looked at, and what they found there.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::rc::Rc;

use crate::os::{Digest, Found, Look};

/// One path that a command looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Sight {
    /// The absolute path as the command spelled it, `..` included.
    pub path: Rc<OsStr>,
    /// How it looked.
    pub look: Look,
    /// What it found.
    pub found: Found,
    /// What was in it, if anything with the same contents will do. `None` if it must be the same
    /// file, unchanged.
    pub contents: Option<Digest>,
}

/// The number of a sight in [`Sights`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SightId(pub u32);

/// All sights of a run, each once. Thousands of answers rest on the same few hundred.
#[derive(Debug, Default)]
pub(crate) struct Sights {
    all: Vec<Sight>,
    known: HashMap<Sight, SightId>,
}

impl Sights {
    /// The number of a sight, which is new unless the same was seen before.
    pub(crate) fn id(&mut self, sight: Sight) -> SightId {
        *self.known.entry(sight).or_insert_with_key(|sight| {
            self.all.push(sight.clone());
            SightId(u32::try_from(self.all.len() - 1).expect("memory holds fewer sights"))
        })
    }

    /// All sights, in the order of their numbers.
    pub(crate) fn all(&self) -> &[Sight] {
        &self.all
    }

    /// The sight with a number.
    pub(crate) fn get(&self, id: SightId) -> &Sight {
        &self.all[id.0 as usize]
    }
}

/// What one command, or all commands behind an answer, looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The paths, sorted by number, each once.
    pub sights: Vec<SightId>,
    /// The names of the environment variables that were read, sorted, each once.
    pub variables: Vec<OsString>,
    /// Whether the whole environment may have been read.
    pub whole_environment: bool,
    /// Why this may not be everything. Answers that rest on it are not kept.
    pub gap: Option<Gap>,
}

/// Why a command may have looked at more than was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gap(pub String);

impl Seen {
    /// Adds what another command looked at.
    pub(crate) fn add(&mut self, other: &Seen) {
        merge(&mut self.sights, &other.sights);
        merge(&mut self.variables, &other.variables);
        self.whole_environment |= other.whole_environment;
        if self.gap.is_none() {
            self.gap.clone_from(&other.gap);
        }
    }
}

fn merge<T: Ord + Clone>(into: &mut Vec<T>, other: &[T]) {
    if other.iter().all(|item| into.binary_search(item).is_ok()) {
        return;
    }
    into.extend_from_slice(other);
    into.sort_unstable();
    into.dedup();
}
