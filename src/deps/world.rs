//! Whether what was seen is still so.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::grain;
use super::identity::Pairs;
use super::sight::Sight;
use crate::os::{self, Contents, Digest, Found, Look, Stamp, View, Watch};

/// The files as this run sees them. Each path is looked at once: a batch is one moment.
#[derive(Debug)]
pub(crate) struct World {
    seen: HashMap<Rc<OsStr>, View>,
    moment: u64,
    /// How many moments there have been after the first.
    moments: u32,
    /// What notices changes, if there is more than one moment.
    watch: Option<Watch>,
    /// What is watched, and has not changed.
    steady: HashMap<Rc<OsStr>, View>,
    /// The contents of regular files. They are the same as long as the stamp is.
    contents: HashMap<Stamp, Contents>,
}

impl Default for World {
    fn default() -> Self {
        World {
            seen: HashMap::new(),
            moment: new_number(),
            moments: 0,
            watch: None,
            steady: HashMap::new(),
            contents: HashMap::new(),
        }
    }
}

/// How what is at a path compares with what a command found there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// It is the same, unchanged.
    Same,
    /// It has the same contents, which will do if all other files fit, too: see [`Pairs`].
    Alike,
    /// It is something else.
    Other,
}

/// A number that differs from all others of this process, and is not zero.
pub(crate) fn new_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// In so many moments, all files are looked at again. To begin to watch a directory may take as long as some
/// hundred looks, and a small project is through before that pays.
const PATIENCE: u32 = 12;

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
        self.moments += 1;
        if self.watch.is_none() && self.moments > PATIENCE {
            self.watch = Watch::new().ok();
        }
        if self.watch.as_mut().is_none_or(Watch::has_changed) {
            self.steady.clear();
        }
    }

    /// What is at a path.
    pub(crate) fn look(&mut self, path: &Rc<OsStr>, look: Look) -> Found {
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

    /// How what is at the path of a sight compares with what was found there.
    pub(crate) fn compare(&mut self, sight: &Sight) -> Likeness {
        let Sight { path, look, found: was, contents } = sight;
        let is = self.look(path, *look);
        match (was, is, contents) {
            _ if *was == is => {
                self.learn(sight);
                Likeness::Same
            }
            (Found::Stamp(was), Found::Stamp(is), Some(digest))
                if was.mode == is.mode
                    && (was.is_dir() || was.size == is.size)
                    && self.contents(path, *look, &is) == Contents::Digest(*digest) =>
            {
                Likeness::Alike
            }
            _ => Likeness::Other,
        }
    }

    /// Remembers which contents belong to the stamp of a sight.
    pub(crate) fn learn(&mut self, sight: &Sight) {
        if let (Found::Stamp(stamp), Some(digest)) = (sight.found, sight.contents)
            && stamp.is_file()
        {
            self.contents.insert(stamp, Contents::Digest(digest));
        }
    }

    /// Whether everything that was seen is as it was, or as good.
    pub(crate) fn holds<'a>(&mut self, sights: impl Iterator<Item = &'a Sight> + Clone) -> bool {
        let mut is_same = true;
        for sight in sights.clone() {
            match self.compare(sight) {
                Likeness::Same => {}
                Likeness::Alike => is_same = false,
                Likeness::Other => return false,
            }
        }
        let mut pairs = Pairs::default();
        is_same || sights.into_iter().all(|sight| self.pairs(sight, &mut pairs))
    }

    /// Adds what was and what is at the path of a sight. Returns whether they fit.
    pub(crate) fn pairs(&mut self, sight: &Sight, pairs: &mut Pairs) -> bool {
        match (&sight.found, self.look(&sight.path, sight.look)) {
            (Found::Stamp(was), Found::Stamp(is)) => pairs.add(was, sight.contents, &is),
            _ => true,
        }
    }

    /// A sight with what is there now, if that is as good.
    pub(crate) fn present(&mut self, sight: &Sight) -> Sight {
        let mut sight = sight.clone();
        if self.compare(&sight) == Likeness::Alike
            && let found @ Found::Stamp(stamp) = self.look(&sight.path, sight.look)
            && self.lasting_contents(&sight.path, sight.look, &stamp).is_ok()
        {
            sight.found = found;
        }
        sight
    }

    /// What was in a file, link or directory when a command saw it.
    pub(crate) fn contents_seen(&mut self, sight: &Sight) -> Contents {
        match (sight.contents, &sight.found) {
            (Some(digest), _) => Contents::Digest(digest),
            (None, Found::Stamp(stamp)) => {
                self.lasting_contents(&sight.path, sight.look, stamp).unwrap_or(Contents::Unknown)
            }
            _ => Contents::Unknown,
        }
    }

    /// What is in a file, link or directory now, if it still has this stamp.
    fn contents(&mut self, path: &OsStr, look: Look, stamp: &Stamp) -> Contents {
        match self.contents.get(stamp) {
            Some(known) => *known,
            None => self.lasting_contents(path, look, stamp).unwrap_or_else(|now| now),
        }
    }

    /// The same, as long as the stamp stays. `Err` if it may change without a change of the stamp.
    pub(crate) fn lasting_contents(
        &mut self,
        path: &OsStr,
        look: Look,
        stamp: &Stamp,
    ) -> Result<Contents, Contents> {
        if let Some(known) = self.contents.get(stamp) {
            return Ok(*known);
        }
        let is_passed = stamp.is_dir() && look != Look::List;
        // The time before it is read counts.
        let lasts = is_passed || grain::is_over(stamp.changed_at());
        let contents = os::contents(path, look, stamp);
        if lasts && stamp.is_file() && contents != Contents::Unknown {
            self.contents.insert(*stamp, contents);
        }
        if lasts { Ok(contents) } else { Err(contents) }
    }

    /// The contents of a file that a question names, or nothing if they cannot be read.
    pub(crate) fn text(&mut self, path: &Rc<OsStr>) -> Option<Digest> {
        let Found::Stamp(stamp) = self.look(path, Look::Follow) else { return None };
        match self.contents(path, Look::Follow, &stamp) {
            Contents::Digest(digest) if stamp.is_file() => Some(digest),
            _ => None,
        }
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
