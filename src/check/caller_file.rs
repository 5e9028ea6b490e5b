//! A source file of the caller. Build systems write the same file again for each check, so its
//! contents count, not which file it is and when it was written.

use std::ffi::OsStr;
use std::path::Path;
use std::rc::Rc;

use super::files::source_bytes;
use crate::deps::recorder::Recorder;
use crate::deps::sight::{Seen, Sight, SightId};
use crate::os::{self, Found, Look};
use crate::plan::question::{CallerSource, Question, Subject};

/// The path of a question's source, if that is a file.
pub(super) fn path(question: &Question) -> Option<&Path> {
    match &question.subject {
        Subject::Source { code: CallerSource::File(path), .. } => Some(path),
        _ => None,
    }
}

/// A source file as it is after the commands that read it.
pub(super) struct CallerFile {
    path: Rc<OsStr>,
    /// Its stamp, the same before and after it was read.
    stamp: Found,
    bytes: Vec<u8>,
    /// The digest of its contents.
    pub(super) contents: Found,
}

impl CallerFile {
    /// Reads a file. `None` if it changes meanwhile.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let look = |look| os::look(path.as_os_str(), look);
        let stamp = look(Look::Follow);
        let (bytes, contents) = (source_bytes(path), look(Look::Contents));
        let path = path.as_os_str().into();
        (look(Look::Follow) == stamp).then_some(CallerFile { path, stamp, bytes, contents })
    }

    /// Its text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Whether it may have a `#pragma once`. A word may be split between lines, also by a trigraph.
    fn may_say_once(&self) -> bool {
        let splits = |byte: &u8| byte.is_ascii_whitespace() || b"\\?/".contains(byte);
        let joined: Vec<u8> = self.bytes.iter().copied().filter(|byte| !splits(byte)).collect();
        joined.windows(4).any(|word| word == b"once")
    }

    /// What was seen, with the contents in the place of the stamp that the commands saw.
    ///
    /// The recorder does not hand out a file until every later change of it shows in its stamp, so
    /// a command that saw this stamp has read these contents. Which file it is and when it was
    /// written does not matter to known compilers, with two exceptions: `__TIMESTAMP__`, with which
    /// no answer is kept, and `#pragma once`, for which GCC compares times. Another program may
    /// compare anything; it also counts as one that reads the whole environment. The path stays in
    /// the key, so what the file includes is looked for in the same places. Whether it is a link
    /// stays, too: those have no contents.
    pub(super) fn by_contents(&self, seen: &Rc<Seen>, recorder: &Recorder) -> Rc<Seen> {
        if seen.whole_environment
            || self.may_say_once()
            || !matches!(self.contents, Found::Contents(_))
        {
            return seen.clone();
        }
        let is_it = |id: &SightId| {
            let sights = recorder.sights();
            let Sight { path, look, found } = sights.get(*id);
            *path == self.path && *look != Look::List && *found == self.stamp
        };
        let mut seen = Seen::clone(seen);
        seen.sights.retain(|id| !is_it(id));
        let (path, look, found) = (self.path.clone(), Look::Contents, self.contents);
        seen.sights.push(recorder.id(Sight { path, look, found }));
        seen.sights.sort_unstable();
        Rc::new(seen)
    }
}
