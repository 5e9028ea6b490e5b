//! What of an answer is about the directories of the command: the one in which it ran, and those of its
//! inputs. An answer that rests on nothing there holds in other directories, too, with the paths of their
//! files in its messages.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use serde::{Deserialize, Serialize};

use super::files::After;
use super::wire::{Answer, Request};
use crate::bytes;
use crate::deps::sight::Sight;
use crate::os::{self, Found, Look};

/// A text in which paths may stand.
pub(super) type Text = Vec<Part>;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Part {
    /// Text.
    Text(Vec<u8>),
    /// The path at a place of the command, by its number.
    Place(u32),
}

/// A word of a command, without the directory of the path in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Word<'a> {
    /// As it is.
    Same(&'a [u8]),
    /// What stands before the path, the number of the directory, and the path below it.
    Below(&'a [u8], usize, &'a [u8]),
}

impl Request {
    /// The directories whose names may not matter: the current one, and those of inputs that are given by
    /// absolute paths.
    pub(super) fn dirs(&self) -> Vec<&[u8]> {
        let mut dirs = vec![&self.dir[..]];
        for (word, start) in &self.places {
            let path = self.words.get(*word as usize).and_then(|word| word.get(*start as usize..));
            let Some(path) = path.filter(|path| path.starts_with(b"/")) else { continue };
            let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
            let is_known = dirs.iter().any(|dir| path[..end].starts_with(dir));
            if end > 1 && !is_known && self.inputs.iter().any(|input| input.path == path) {
                dirs.push(&path[..end]);
            }
        }
        dirs
    }

    /// A path at a place in one of these directories.
    fn below(&self, place: (u32, u32), dirs: &[&[u8]]) -> Option<Word<'_>> {
        let (before, path) =
            self.words.get(place.0 as usize)?.split_at_checked(place.1 as usize)?;
        let is_plain = |part: &[u8]| !part.is_empty() && part != b"." && part != b"..";
        dirs.iter().enumerate().find_map(|(number, dir)| {
            let below = path.strip_prefix(*dir)?.strip_prefix(b"/")?;
            let is_plain = below.split(|byte| *byte == b'/').all(is_plain);
            is_plain.then_some(Word::Below(before, number, below))
        })
    }

    /// The words without directories in paths. `None` if one of the directories stands elsewhere, too.
    pub(super) fn words_without_dirs(&self) -> Option<Vec<Word<'_>>> {
        let dirs = self.dirs();
        let mut words: Vec<_> = self.words.iter().map(|word| Word::Same(word)).collect();
        for place in &self.places {
            if let Some(word) = self.below(*place, &dirs) {
                words[place.0 as usize] = word;
            }
        }
        let names = |text: &[u8]| dirs.iter().any(|dir| is_in(dir, text));
        let is_clean = |word: &Word<'_>| match word {
            Word::Same(word) => !names(word),
            Word::Below(before, _, below) => !names(before) && !names(below),
        };
        words.iter().all(is_clean).then_some(words)
    }

    /// The absolute paths at places in these directories, with the numbers of the places.
    fn paths_below(&self, dirs: &[&[u8]]) -> Vec<(u32, &[u8])> {
        let paths = (0u32..).zip(&self.places).filter_map(|(number, place)| {
            self.below(*place, dirs)?;
            Some((number, &self.words[place.0 as usize][place.1 as usize..]))
        });
        let mut paths: Vec<_> = paths.collect();
        paths.sort_unstable_by_key(|(_, path)| std::cmp::Reverse(path.len()));
        paths
    }

    /// A text in which the paths of the command's files are replaced by their places. `None` if a directory
    /// or `pwd` is in what remains.
    fn without_dirs(&self, text: &[u8], pwd: Option<&[u8]>) -> Option<Text> {
        let dirs = self.dirs();
        let paths = self.paths_below(&dirs);
        let (mut parts, mut plain, mut rest) = (Vec::new(), Vec::new(), text);
        while let Some((first, after)) = rest.split_first() {
            match paths.iter().find(|(_, path)| rest.starts_with(path)) {
                Some((number, path)) => {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                    parts.push(Part::Place(*number));
                    rest = &rest[path.len()..];
                }
                None => {
                    plain.push(*first);
                    rest = after;
                }
            }
        }
        parts.push(Part::Text(plain));
        let names = |part: &Part| {
            let Part::Text(text) = part else { return false };
            dirs.iter().copied().chain(pwd).any(|dir| is_in(dir, text))
        };
        (!parts.iter().any(names)).then_some(parts)
    }

    /// What a text says in the directory of this command. `None` if the command has no such place.
    fn with_dirs(&self, text: &Text) -> Option<Vec<u8>> {
        let mut all = Vec::new();
        for part in text {
            match part {
                Part::Text(text) => all.extend_from_slice(text),
                Part::Place(number) => {
                    let (word, start) = *self.places.get(*number as usize)?;
                    all.extend_from_slice(self.words.get(word as usize)?.get(start as usize..)?);
                }
            }
        }
        Some(all)
    }
}

/// An answer as the store holds it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    status: i32,
    out: Text,
    err: Text,
    after: Vec<After>,
    /// What it rests on in the directories of the command.
    own: Vec<Own>,
}

/// What was missing in one of the directories of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Own {
    /// The number of the directory.
    dir: u32,
    /// The path below it.
    below: Vec<u8>,
    look: Look,
}

impl Own {
    /// A sight as one in these directories. `None` if it would not mean the same elsewhere.
    pub(super) fn of(sight: &Sight, dirs: &[&[u8]]) -> Option<Own> {
        let Sight { path, look, found, .. } = sight;
        let is_plain = |part: &[u8]| !part.is_empty() && part != b"." && part != b"..";
        let below = |(_, dir): (usize, &&[u8])| {
            Some(path.as_bytes().strip_prefix(*dir)?.strip_prefix(b"/")?.to_vec())
        };
        let all = dirs
            .iter()
            .enumerate()
            .filter_map(|(number, dir)| Some((number, below((number, dir))?)));
        // The directory that is furthest down.
        let (number, below) = all.min_by_key(|(_, below)| below.len())?;
        let means_the_same = *found == Found::Nothing;
        let is_plain = below.split(|byte| *byte == b'/').all(is_plain);
        let dir = u32::try_from(number).ok()?;
        (means_the_same && is_plain).then_some(Own { dir, below, look: *look })
    }

    /// Whether it is the same in these directories.
    fn holds(&self, dirs: &[&[u8]]) -> bool {
        let Some(dir) = dirs.get(self.dir as usize) else { return false };
        let path = [dir, &b"/"[..], &self.below].concat();
        os::look(OsStr::from_bytes(&path), self.look) == Found::Nothing
    }
}

impl Kept {
    /// An answer for this directory.
    pub(super) fn here(answer: &Answer) -> Kept {
        let text = |bytes: &Vec<u8>| vec![Part::Text(bytes.clone())];
        let (out, err) = (text(&answer.out), text(&answer.err));
        Kept { status: answer.status, out, err, after: answer.after.clone(), own: Vec::new() }
    }

    /// An answer for all directories. `None` if it names one of the command's, or the one that `PWD`
    /// names.
    pub(super) fn anywhere(
        answer: &Answer,
        request: &Request,
        pwd: Option<&[u8]>,
        own: Vec<Own>,
    ) -> Option<Kept> {
        let names = |after: &After| {
            let After::File { bytes, .. } = after else { return false };
            request.dirs().into_iter().chain(pwd).any(|dir| is_in(dir, bytes))
        };
        if answer.after.iter().any(names) {
            return None;
        }
        let out = request.without_dirs(&answer.out, pwd)?;
        let err = request.without_dirs(&answer.err, pwd)?;
        Some(Kept { status: answer.status, out, err, after: answer.after.clone(), own })
    }

    /// The answer for a command, if what it rests on in its directories is the same.
    pub(super) fn answer(self, request: &Request) -> Option<Answer> {
        let dirs = request.dirs();
        let holds = self.own.iter().all(|own| own.holds(&dirs));
        if !holds || self.after.len() != request.outputs.len() {
            return None;
        }
        let (out, err) = (request.with_dirs(&self.out)?, request.with_dirs(&self.err)?);
        Some(Answer { status: self.status, out, err, after: self.after })
    }
}

/// Whether the path of a directory is in a text.
fn is_in(dir: &[u8], text: &[u8]) -> bool {
    // The root is in every path.
    dir.len() <= 1 || bytes::contains(text, dir)
}
