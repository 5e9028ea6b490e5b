//! `tryall why`: how the variables of a build directory of CMake got their values, and whether the answers
//! behind them still hold.
//!
//! * `log`: what sessions note of each check, and what is read here
//! * `cache`: the entries of CMakeCache.txt
//! * `kept`: answers in the store
//! * `text`: explanations for people
//!
//! docs/design/why.md has the reasons.

mod cache;
mod kept;
pub(crate) mod log;
pub(crate) mod text;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::deps::world::World;
use crate::protocol::nearest::nearest;
use crate::store::{Entry, Key, Store};
use cache::CacheEntry;
use kept::{Holding, Kept, Reader};
use log::{Noted, Origin};

/// What is known of a name.
#[derive(Debug, Serialize)]
pub(crate) struct Explanation {
    /// The name.
    pub name: String,
    /// The check that set it.
    pub check: Option<Asked>,
    /// The entries of the name and of its check in CMakeCache.txt.
    pub cache: Vec<CacheEntry>,
    /// The command that has the next configure step ask again. Empty if it does that anyway.
    pub ask_again: Vec<String>,
    /// Without a check in the build directory: answers in the store under this id.
    pub stored: Vec<Kept>,
    /// If nothing is known: a name that is known, and similar.
    pub nearest: Option<String>,
}

impl Explanation {
    /// Whether there is anything to say.
    pub(crate) fn is_known(&self) -> bool {
        self.check.is_some() || !self.cache.is_empty() || !self.stored.is_empty()
    }
}

/// A check of a configure step.
#[derive(Debug, Serialize)]
pub(crate) struct Asked {
    /// What was noted when it was answered.
    #[serde(flatten)]
    pub noted: Noted,
    /// The first line of the list file that has the name in it, and its number.
    pub line: Option<(usize, String)>,
    /// How often it was asked in that configure step. This is the last time.
    pub times: usize,
    /// The answer in the store; nothing if it is not there any more.
    pub kept: Option<Kept>,
    /// The answer that was there before, if this one had to be asked of the compiler.
    pub earlier: Option<Kept>,
}

/// A build directory.
#[derive(Debug)]
pub(crate) struct Build {
    dir: PathBuf,
    /// `None` if it has none.
    cache: Option<Vec<CacheEntry>>,
    /// `None` if no session has written any.
    log: Option<Vec<Vec<Noted>>>,
}

impl Build {
    /// The build directory at a path.
    pub(crate) fn at(dir: &Path) -> Build {
        let log = log::read(&dir.join("CMakeFiles"));
        Build { dir: dir.into(), cache: cache::read(dir), log }
    }

    /// Whether CMake has configured anything there.
    pub(crate) fn is_configured(&self) -> bool {
        self.cache.is_some() || self.log.is_some()
    }

    /// Whether there is a log.
    pub(crate) fn has_log(&self) -> bool {
        self.log.is_some()
    }

    /// Explains a name.
    pub(crate) fn explain(&self, name: &str, store: &mut Store, is_full: bool) -> Explanation {
        let mut reader = Reader { store, world: World::default(), is_full };
        let check = self.check(name).map(|(noted, times)| {
            let (kept, earlier) = stored(&noted, &mut reader);
            Asked { line: line(&noted.list_file, name), noted, times, kept, earlier }
        });
        let of_check = |entry: &CacheEntry| {
            check.iter().flat_map(|check| check.noted.variables()).any(|it| it == entry.name)
        };
        let entries = self.cache.iter().flatten();
        let entries = entries.filter(|entry| entry.name == name || of_check(entry));
        let cache: Vec<_> = entries.cloned().collect();
        let ask_again = match (&check, &cache[..]) {
            (None, _) | (_, []) => Vec::new(),
            _ => {
                let undone = cache.iter().flat_map(|entry| ["-U".into(), entry.name.clone()]);
                let dir = self.dir.display().to_string();
                std::iter::once("cmake".into()).chain(undone).chain([dir]).collect()
            }
        };
        let stored = if check.is_none() { of_id(name, &mut reader) } else { Vec::new() };
        let mut explanation =
            Explanation { name: name.into(), check, cache, ask_again, stored, nearest: None };
        if !explanation.is_known() {
            explanation.nearest = self.nearest(name, reader.store);
        }
        explanation
    }

    /// The last check that set a variable, and how often it was asked in that configure step.
    fn check(&self, name: &str) -> Option<(Noted, usize)> {
        let sets = |noted: &&Noted| noted.variables().any(|variable| variable == name);
        // CMake's modules put the answer into a variable of another name.
        let names = [format!("HAVE_{name}"), format!("{name}_COMPILED")];
        let is_behind = |noted: &&Noted| names.contains(&noted.variable);
        let last = |is_it: &dyn Fn(&&Noted) -> bool| {
            self.log.iter().flatten().find_map(|step| {
                let found: Vec<_> = step.iter().filter(is_it).collect();
                Some(((*found.last()?).clone(), found.len()))
            })
        };
        last(&sets).or_else(|| last(&is_behind))
    }

    fn nearest(&self, name: &str, store: &mut Store) -> Option<String> {
        let noted = self.log.iter().flatten().flatten();
        let cached = self.cache.iter().flatten().map(|entry| &*entry.name);
        let all = noted.flat_map(Noted::variables).chain(cached);
        let mut known: BTreeSet<String> = all.map(str::to_owned).collect();
        if !self.is_configured() {
            store.entries(|entry| known.extend([entry.label]));
        }
        nearest(name, known.iter().map(String::as_str)).map(str::to_owned)
    }
}

/// The first line of a list file that has a word in it, and neither a comment nor a condition.
fn line(file: &str, word: &str) -> Option<(usize, String)> {
    let text = String::from_utf8_lossy(&fs::read(file).ok()?).into_owned();
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim().to_owned()));
    lines.find(|(_, line)| {
        let mut parts = line.split(|c| !is_part(c));
        let command = parts.next().unwrap_or_default().to_ascii_lowercase();
        !line.starts_with('#') && !command.ends_with("if") && parts.any(|part| part == word)
    })
}

/// The answer in the store behind a check, and the one before it if the compiler was asked.
fn stored(noted: &Noted, reader: &mut Reader<'_>) -> (Option<Kept>, Option<Kept>) {
    let Some(key) = noted.key.as_deref().and_then(Key::from_hex) else { return (None, None) };
    let mut env: Vec<_> = std::env::vars_os().collect();
    for (name, value) in &noted.environment {
        env.retain(|(other, _)| other.as_os_str() != name.as_str());
        env.extend(value.iter().map(|value| (OsString::from(name), value.into())));
    }
    // It was written before it was noted.
    let all = reader.store.with_key(&key).into_iter().filter(|entry| entry.when <= noted.time + 1);
    let mut all: Vec<_> = all.map(|entry| reader.kept(entry, env.clone(), true)).collect();
    let is_stored = noted.origin == Origin::Stored;
    let says_it = |kept: &Kept| kept.answer.is_some() && kept.answer == noted.answer;
    // Of several stored answers that say the same, the one that holds was used, or the latest.
    let is_it = |kept: &Kept| is_stored && kept.state == Holding::Holds && says_it(kept);
    let at = all.iter().position(is_it).or_else(|| all.iter().position(says_it));
    let at = at.or_else(|| all.iter().position(|kept| kept.state == Holding::NotKept));
    let Some(at) = at else { return (None, None) };
    let mut before = all.split_off(at + 1).into_iter().filter(|kept| kept.answer.is_some());
    (all.pop(), before.next().filter(|_| !is_stored))
}

/// The answers in the store under an id: of a check, or of a command of `tryall run`.
fn of_id(id: &str, reader: &mut Reader<'_>) -> Vec<Kept> {
    let mut entries: Vec<Entry> = Vec::new();
    reader.store.entries(|entry| {
        if entry.label == id {
            entries.push(entry);
        }
    });
    let env: Vec<_> = std::env::vars_os().collect();
    entries.into_iter().map(|entry| reader.kept(entry, env.clone(), false)).collect()
}
