//! A source file of the caller. Build systems write the same file again for each check, so its
//! contents are part of the question.

use std::path::Path;
use std::rc::Rc;

use super::files::source_bytes;
use crate::deps::world::World;
use crate::os::{self, Digest, Look};
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
    /// Its text.
    pub(super) text: String,
    /// The digest of its contents.
    pub(super) contents: Option<Digest>,
}

impl CallerFile {
    /// Reads a file. `None` if it changes meanwhile.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let stamp = || os::look(path.as_os_str(), Look::Follow);
        let before = stamp();
        let text = String::from_utf8_lossy(&source_bytes(path)).into_owned();
        let contents = digest(path, &mut World::default());
        (stamp() == before).then_some(CallerFile { text, contents })
    }
}

/// The digest of a file's contents, or nothing if it cannot be read.
pub(super) fn digest(path: &Path, world: &mut World) -> Option<Digest> {
    let path: Rc<_> = path.as_os_str().into();
    world.text(&path)
}
