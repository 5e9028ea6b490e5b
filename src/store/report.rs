//! What people want to know of a store, and what they can do to it.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::rc::Rc;

use super::directory::{Directory, Unusable};
use super::draft::DraftBody;
use super::format::{Body, Record, checksum};
use super::variables::{VariableChange, Variables, VariablesSeen};
use super::{Key, Store};
use crate::deps::identity::Pairs;
use crate::deps::sight::Sight;
use crate::deps::world::{Likeness, World};
use crate::os::{Found, Look};

/// The size of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stats {
    /// How many answers it has, those that no longer hold included.
    pub answers: usize,
    /// How many notes it has of answers that could not be kept.
    pub not_kept: usize,
    /// How many segments it has.
    pub segments: usize,
    /// How many files are damaged.
    pub damaged: usize,
    /// The length of all files together, in bytes. What killed processes have left counts.
    pub bytes: u64,
    /// How many bytes it may have.
    pub bound: u64,
    /// When the oldest segment was written, in seconds since 1970.
    pub oldest: Option<u64>,
}

/// Something that the store has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Identifies the question.
    pub key: Key,
    /// The id of the check that asked first.
    pub label: String,
    /// When the compiler gave the answer, in seconds since 1970.
    pub when: u64,
    /// What it is.
    pub body: EntryBody,
    position: Position,
}

/// What an entry of the store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EntryBody {
    /// An answer, as the engine wrote it.
    Answer(Rc<[u8]>),
    /// Why there is none.
    NotKept(String),
}

/// Whether an answer can be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Everything is as it was. The number of paths that it rests on.
    Holds(usize),
    /// Something has changed.
    Changed {
        /// The first paths that changed.
        paths: Vec<PathChange>,
        /// The number of all paths that changed.
        changed: usize,
        /// The variables that changed.
        variables: Vec<VariableChange>,
    },
    /// There is no answer.
    NotKept,
    /// What it rests on cannot be read.
    Damaged,
}

/// A path that changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PathChange {
    /// The path.
    pub path: Rc<OsStr>,
    /// How it was looked at.
    pub look: Look,
    /// What was there.
    pub was: Found,
    /// What is there.
    pub is: Found,
}

/// Where an entry is: in the draft, or in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    Draft(usize),
    Segment(usize, usize),
}

impl Store {
    /// The size of the store.
    pub(crate) fn stats(&mut self) -> Stats {
        self.refresh();
        let directory = self.directory.as_ref();
        let files = directory.and_then(|directory| directory.list().ok()).unwrap_or_default();
        let answers = self.segments.iter().map(|open| open.segment.answers()).sum();
        let records: usize = self.segments.iter().map(|open| open.segment.len()).sum();
        Stats {
            answers,
            not_kept: records - answers,
            segments: files.iter().filter(|file| file.written.is_some()).count(),
            damaged: self.damaged.len(),
            bytes: files.iter().map(|file| file.bytes).sum(),
            bound: self.place.bound,
            oldest: files.iter().filter_map(|file| file.written).min().map(|time| time / 1000),
        }
    }

    /// Passes all entries to a function, the latest first, each once.
    pub(crate) fn entries(&mut self, mut visit: impl FnMut(Entry)) {
        let mut passed = HashSet::new();
        for position in self.positions() {
            let Some(entry) = self.entry(position) else { continue };
            let content = match &entry.body {
                EntryBody::Answer(payload) => payload,
                EntryBody::NotKept(reason) => reason.as_bytes(),
            };
            let mut id = [0; 16];
            id.copy_from_slice(&entry.key.0[..16]);
            if passed.insert((entry.key, checksum(&id, 0, content))) {
                visit(entry);
            }
        }
    }

    /// The entries with a key, the latest first.
    pub(crate) fn with_key(&mut self, key: &Key) -> Vec<Entry> {
        let positions = self.positions_of(key).into_iter();
        let entries = positions.filter_map(|position| self.entry(position));
        entries.filter(|entry| entry.key == *key).collect()
    }

    /// Whether an entry can be used, or another one that says the same. Lists at most `max_paths` changed
    /// paths.
    pub(crate) fn state(
        &mut self,
        entry: &Entry,
        world: &mut World,
        env: &Variables,
        max_paths: usize,
    ) -> State {
        if matches!(entry.body, EntryBody::NotKept(_)) {
            return State::NotKept;
        }
        let mut state = State::Damaged;
        for same in self.with_key(&entry.key).iter().rev().filter(|it| it.body == entry.body) {
            state = self.own_state(same, world, env, max_paths);
            if let State::Holds(_) = state {
                break;
            }
        }
        state
    }

    /// Whether an entry can be used, whatever others say.
    pub(crate) fn own_state(
        &mut self,
        entry: &Entry,
        world: &mut World,
        env: &Variables,
        max_paths: usize,
    ) -> State {
        match (&entry.body, self.basis(entry.position)) {
            (EntryBody::NotKept(_), _) => State::NotKept,
            (_, Some((sights, variables))) => changes(sights, variables, world, env, max_paths),
            (_, None) => State::Damaged,
        }
    }

    /// Removes the oldest segments until the rest is within a bound.
    ///
    /// # Errors
    ///
    /// If the store cannot be used.
    pub(crate) fn trim(&mut self, bound: u64) -> Result<(), Unusable> {
        self.refresh();
        if let Some(trouble) = self.trouble.take() {
            return Err(trouble);
        }
        if let Some(directory) = &self.directory {
            directory.shrink(bound, (self.clock)())?;
        }
        self.refresh();
        Ok(())
    }

    /// Removes everything, what was not yet committed included.
    ///
    /// # Errors
    ///
    /// If the store cannot be used, or something cannot be removed.
    pub(crate) fn clear(&mut self) -> Result<(), Unusable> {
        self.new_draft();
        self.segments.clear();
        self.directory = None;
        let Ok(store) = &self.place.dir else { return Ok(()) };
        if let Some(directory) = Directory::open(store)? {
            directory.clear(store)?;
        }
        Ok(())
    }

    /// The paths that an answer rests on, and the names of the variables. `None` if it is damaged or
    /// gone.
    pub(crate) fn rests_on(&mut self, entry: &Entry) -> Option<(Vec<Sight>, Vec<OsString>)> {
        let (sights, variables) = self.basis(entry.position)?;
        Some((sights, variables.names().0))
    }

    /// Where entries may be that have a key, the latest first.
    fn positions_of(&mut self, key: &Key) -> Vec<Position> {
        self.load();
        let drafted = self.draft.with_key(key).map(Position::Draft);
        let in_segments = self.segments.iter().enumerate().flat_map(|(at, open)| {
            open.segment.entries(key).map(move |entry| Position::Segment(at, entry))
        });
        drafted.chain(in_segments).collect()
    }

    fn positions(&mut self) -> Vec<Position> {
        self.load();
        let drafted = self.draft.records().rev().map(|(at, _)| Position::Draft(at));
        let in_segments = self.segments.iter().enumerate().flat_map(|(at, open)| {
            (0..open.segment.len()).map(move |entry| Position::Segment(at, entry))
        });
        drafted.chain(in_segments).collect()
    }

    /// An entry. `None` if it is damaged.
    fn entry(&self, position: Position) -> Option<Entry> {
        match position {
            Position::Draft(at) => {
                let record = self.draft.record(at);
                let body = match &record.body {
                    DraftBody::Answer { payload, .. } => EntryBody::Answer(payload.clone()),
                    DraftBody::NotKept { reason } => EntryBody::NotKept(reason.clone()),
                };
                Some(Entry {
                    key: record.key,
                    label: record.label.clone(),
                    when: record.when,
                    body,
                    position,
                })
            }
            Position::Segment(at, entry) => {
                let segment = &self.segments[at].segment;
                let bytes = segment.blob(segment.entry(entry).extent)?;
                let record: Record = postcard::from_bytes(&bytes).ok()?;
                let body = match record.body {
                    Body::Answer { payload, .. } => EntryBody::Answer(payload.into()),
                    Body::NotKept { reason } => EntryBody::NotKept(reason.into()),
                };
                let (key, label) = (Key(record.key), record.label.into());
                Some(Entry { key, label, when: record.when, body, position })
            }
        }
    }

    /// What an answer rests on. `None` if it is damaged.
    fn basis(&mut self, position: Position) -> Option<(Vec<Sight>, Rc<VariablesSeen>)> {
        match position {
            Position::Draft(at) => {
                let DraftBody::Answer { list, variables, .. } = &self.draft.record(at).body else {
                    return None;
                };
                let sights = self.draft.sights_of(*list).cloned().collect();
                Some((sights, self.draft.variables_of(*variables).clone()))
            }
            Position::Segment(at, entry) => {
                let segment = &mut self.segments[at].segment;
                let bytes = segment.blob(segment.entry(entry).extent)?;
                let record: Record = postcard::from_bytes(&bytes).ok()?;
                let Body::Answer { sights, variables, .. } = record.body else { return None };
                let numbers = segment.sight_numbers(sights)?.into_iter();
                let sights: Option<Vec<_>> =
                    numbers.map(|number| segment.sight(number).cloned()).collect();
                Some((sights?, segment.variables(variables)?))
            }
        }
    }
}

/// Whether everything is as it was.
fn changes(
    sights: Vec<Sight>,
    variables: Rc<VariablesSeen>,
    world: &mut World,
    env: &Variables,
    max_paths: usize,
) -> State {
    let all = sights.len();
    let variables = variables.changes(env);
    let likeness: Vec<_> = sights.iter().map(|sight| world.compare(sight)).collect();
    let is_same = likeness.iter().all(|likeness| *likeness == Likeness::Same);
    let mut pairs = Pairs::default();
    let change = |(sight, likeness): (Sight, Likeness)| {
        let fits = likeness != Likeness::Other && (is_same || world.pairs(&sight, &mut pairs));
        let Sight { path, look, found: was, .. } = sight;
        let is = world.look(&path, look);
        (!fits).then_some(PathChange { path, look, was, is })
    };
    let mut paths: Vec<_> = std::iter::zip(sights, likeness).filter_map(change).collect();
    if paths.is_empty() && variables.is_empty() {
        return State::Holds(all);
    }
    let changed = paths.len();
    paths.truncate(max_paths);
    State::Changed { paths, changed, variables }
}
