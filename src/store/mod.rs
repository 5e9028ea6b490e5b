//! The store: answers of the compiler with everything they rest on, kept between runs.
//!
//! An answer is used as long as each path that its commands looked at is as it was, and each
//! variable that they read has the same value. Everything in the store is checked and nothing in
//! it is needed: what is damaged, foreign or gone is asked again. A store that cannot be used or
//! written never fails a run; [`Store::trouble`] says why.
//!
//! * `place`: where the store is and how large it may become
//! * `directory`: the files and who may have written them
//! * `format`, `segment`, `draft`: the file format, reading and writing
//! * `variables`: environments, compared by digests
//! * `merge`: fewer and larger files
//! * `shared`: what comes from other machines, and goes to them
//! * `report`: what people want to know of a store
//!
//! docs/design/store.md has the reasons.

mod directory;
mod draft;
mod format;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzed;
mod key;
mod merge;
mod open;
mod place;
mod report;
mod segment;
mod shared;
#[cfg(test)]
mod tests;
mod variables;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::deps::sight::{Gap, Seen, Sight, SightId, Sights};
use crate::deps::world::World;
use crate::os::Contents;
use directory::{Directory, Listed};
use draft::{Draft, DraftBody, DraftRecord, Numbers};
use format::Extent;
use open::OpenSegment;
use segment::{Answer, Segment};
use shared::Shared;
use variables::VariablesSeen;

pub(crate) use directory::Unusable;
pub(crate) use place::{Place, parse_size};
pub(crate) use report::{Entry, EntryBody, PathChange, State};
pub(crate) use variables::{VariableChange, Variables};

/// An answer that is used this long after it was written is written again, so that the latest
/// segments hold what was used last. In seconds.
const PROMOTE_AFTER: u32 = 86_400;

/// The most segments that are open at once. There are only more if many processes wrote at once,
/// and then merging makes them fewer.
const MAX_OPEN: usize = 100;

/// Write the draft once it has this many bytes. Bounds the memory.
const MAX_DRAFT: u64 = 8 << 20;

/// In how many pages of how many segments the contents of compilers are looked for, before they are
/// hashed again. The first commands of a run look at these files first.
const LEARNED_PAGES: usize = 4;
const LEARNED_SEGMENTS: usize = 16;

/// A larger answer is not kept.
const MAX_PAYLOAD: usize = 4 << 20;

/// Identifies a question and all of its circumstances: a hash, computed by the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key(pub [u8; 32]);

/// An answer from the store.
#[derive(Debug)]
pub(crate) struct Stored {
    /// What the engine wrote.
    pub payload: Rc<[u8]>,
    basis: Basis,
}

/// What the commands behind an answer saw.
#[derive(Debug)]
pub(crate) struct Evidence<'a> {
    /// The numbers of the sights, and what else.
    pub seen: &'a Rc<Seen>,
    /// The same table in all calls.
    pub sights: &'a Sights,
    /// Reads the contents of the files.
    pub world: &'a mut World,
}

/// Where to find what an answer rests on.
#[derive(Debug)]
enum Basis {
    Draft { generation: usize, list: usize, variables: usize },
    Segment { name: Rc<str>, list: Extent, variables: Extent },
}

/// The store of one process. Files that others have added since it was loaded are seen after
/// [`Store::refresh`] or [`Store::commit`].
#[derive(Debug)]
pub(crate) struct Store {
    place: Place,
    directory: Option<Directory>,
    is_loaded: bool,
    /// The latest first.
    segments: Vec<OpenSegment>,
    /// Files that are not valid segments.
    damaged: Vec<Listed>,
    draft: Draft,
    /// How many drafts have been written.
    generation: usize,
    /// The numbers in the draft of this run's sights, for answers for which other files with the
    /// same contents will do, and for those for which they will not.
    numbers: [Numbers; 2],
    /// Sights of precompiled headers and modules.
    dated: HashSet<SightId>,
    /// Whether the segments have said what files contain.
    has_learned: bool,
    /// The lists in the draft of what was seen, by the address of what holds them.
    lists: HashMap<*const Seen, (Rc<Seen>, usize)>,
    trouble: Option<Unusable>,
    clock: fn() -> SystemTime,
    shared: Shared,
}

impl Store {
    /// The store at a place. Files are opened when they are needed.
    pub(crate) fn open(place: Place) -> Store {
        Store {
            place,
            directory: None,
            is_loaded: false,
            segments: Vec::new(),
            damaged: Vec::new(),
            draft: Draft::default(),
            generation: 0,
            numbers: Default::default(),
            dated: HashSet::new(),
            has_learned: false,
            lists: HashMap::new(),
            trouble: None,
            clock: SystemTime::now,
            shared: Shared::default(),
        }
    }

    /// Why the store is not used, or was not written; for people. `None` if all is well so far.
    pub(crate) fn trouble(&self) -> Option<String> {
        match (&self.place.dir, &self.trouble) {
            (Err(reason), _) => Some(reason.to_string()),
            (_, Some(reason)) => Some(reason.to_string()),
            _ => None,
        }
    }

    /// What the user should know if the store that they named cannot be used, or the remote one.
    pub(crate) fn complaint(&self) -> Option<String> {
        let Some(why) = self.trouble().filter(|_| self.place.is_named) else {
            return self.remote_trouble();
        };
        Some(format!(
            "answers are not kept: {why}; set TRYALL_STORE to the absolute path of a directory that \
             belongs to you, or to \"off\""
        ))
    }

    /// The latest answer under a key that rests on nothing that has changed. The variables are
    /// those of the commands that would be run.
    pub(crate) fn find(
        &mut self,
        key: &Key,
        world: &mut World,
        env: &Variables,
    ) -> Option<Rc<Stored>> {
        let own = self.find_own(key, world, env);
        let found = own.or_else(|| self.find_shared(key, world, env))?;
        self.note_use(key, false);
        Some(found)
    }

    fn find_own(&mut self, key: &Key, world: &mut World, env: &Variables) -> Option<Rc<Stored>> {
        self.load();
        let in_draft = |at: &usize| match &self.draft.record(*at).body {
            DraftBody::Answer { list, variables, .. } => {
                self.draft.variables_of(*variables).holds(env) && self.draft.holds(*list, world)
            }
            DraftBody::NotKept { .. } => false,
        };
        if let Some(at) = self.draft.with_key(key).find(in_draft) {
            return self.drafted(at);
        }
        for at in 0..self.segments.len() {
            for entry in self.segments[at].segment.entries(key) {
                let OpenSegment { file, segment, .. } = &mut self.segments[at];
                if let Some(answer) = segment.answer(entry, key, world, env) {
                    let Answer { payload, sights: list, variables } = answer;
                    let basis = Basis::Segment { name: file.name.clone(), list, variables };
                    self.promote(at, entry);
                    return Some(Rc::new(Stored { payload, basis }));
                }
            }
        }
        None
    }

    /// What an answer that was just found rests on, given what numbers sights. `None` if its file was
    /// removed meanwhile.
    pub(crate) fn seen(
        &mut self,
        stored: &Stored,
        world: &mut World,
        mut id: impl FnMut(Sight) -> SightId,
    ) -> Option<Seen> {
        let mut id = |sight: &Sight| id(world.present(sight));
        let (mut seen, variables) = match &stored.basis {
            Basis::Draft { generation, .. } if *generation != self.generation => return None,
            Basis::Draft { list, variables, .. } => {
                let ids = self.draft.sights_of(*list).map(&mut id);
                (ids.collect::<Vec<_>>(), self.draft.variables_of(*variables).clone())
            }
            Basis::Segment { name, list, variables } => {
                let mut open = self.segments.iter_mut();
                let segment = &mut open.find(|open| open.file.name == *name)?.segment;
                let numbers = segment.sight_numbers(*list)?;
                let id = |number| Some(id(segment.sight(number)?));
                let ids: Option<Vec<_>> = numbers.into_iter().map(id).collect();
                (ids?, segment.variables(*variables)?)
            }
        };
        seen.sort_unstable();
        let (variables, whole_environment) = variables.names();
        Some(Seen { sights: seen, variables, whole_environment, gap: None })
    }

    /// Keeps an answer for this run, and for others once it is committed. An answer that may rest on
    /// more than was seen is not kept.
    pub(crate) fn keep(
        &mut self,
        key: Key,
        label: &str,
        payload: Rc<[u8]>,
        evidence: Evidence<'_>,
        env: &Variables,
    ) {
        let Evidence { seen, sights, world } = evidence;
        if self.place.dir.is_err() {
            return;
        }
        if let Some(Gap(reason)) = &seen.gap {
            return self.keep_not(key, label, reason);
        }
        if seen.sights.is_empty() {
            return self.keep_not(key, label, "it is not known what the commands looked at");
        }
        if payload.len() > MAX_PAYLOAD {
            return self.keep_not(key, label, "the answer is too large");
        }
        let list = match self.lists.get(&Rc::as_ptr(seen)) {
            Some((_, list)) => *list,
            None => {
                let list = self.list(seen, sights, world);
                self.lists.insert(Rc::as_ptr(seen), (seen.clone(), list));
                list
            }
        };
        let variables = VariablesSeen::new(&seen.variables, seen.whole_environment, env);
        let variables = self.draft.variables(variables);
        self.note_use(&key, true);
        self.add(key, label, DraftBody::Answer { list, variables, payload });
    }

    /// The list in the draft of what was seen.
    fn list(&mut self, seen: &Seen, sights: &Sights, world: &mut World) -> usize {
        let Store { draft, numbers: [by_contents, by_stamp], dated, has_learned, segments, .. } =
            self;
        if !seen.whole_environment {
            if !std::mem::replace(has_learned, true) {
                for open in segments.iter_mut().take(LEARNED_SEGMENTS) {
                    open.segment.first_sights(LEARNED_PAGES).for_each(|sight| world.learn(sight));
                }
            }
            let contents = |id| {
                let contents = world.contents_seen(sights.get(id));
                if contents == Contents::Dated {
                    dated.insert(id);
                }
                contents.digest()
            };
            let list = draft.list(&seen.sights, sights, by_contents, contents);
            if !seen.sights.iter().any(|id| dated.contains(id)) {
                return list;
            }
        }
        // Unknown programs may compare anything, and precompiled headers hold times.
        draft.list(&seen.sights, sights, by_stamp, |_| None)
    }

    /// Notes why an answer is not kept.
    pub(crate) fn keep_not(&mut self, key: Key, label: &str, reason: &str) {
        if self.place.dir.is_err() {
            return;
        }
        self.load();
        let body = DraftBody::NotKept { reason: reason.into() };
        let is_drafted = self.draft.with_key(&key).any(|at| self.draft.record(at).body == body);
        let is_known =
            |open: &OpenSegment| open.segment.entries(&key).any(|at| open.says(at, &key, reason));
        if !is_drafted && !self.segments.iter().any(is_known) {
            self.add(key, label, body);
        }
    }

    /// Writes what was kept since the last time, and tidies up.
    pub(crate) fn commit(&mut self) {
        if self.draft.is_empty() {
            return;
        }
        match self.write() {
            Ok(file) => {
                self.trouble = None;
                self.new_draft();
                self.refresh();
                self.merge(file.modified());
            }
            Err(trouble) => {
                self.trouble = Some(trouble);
                if self.draft.bytes() as u64 > self.max_draft() {
                    self.new_draft();
                }
            }
        }
    }

    /// Sees what other processes have added and removed.
    pub(crate) fn refresh(&mut self) {
        self.is_loaded = true;
        let Ok(store) = &self.place.dir else { return };
        let listed = Directory::open(store).and_then(|directory| {
            let Some(directory) = directory else { return Ok(None) };
            let files = directory.list()?;
            Ok(Some((directory, files)))
        });
        let (directory, files) = match listed {
            Ok(Some(listed)) => listed,
            other => {
                self.segments.clear();
                self.trouble = other.err();
                return;
            }
        };
        let mut open = std::mem::take(&mut self.segments);
        self.damaged.clear();
        for file in files.into_iter().filter(|file| file.written.is_some()) {
            if let Some(at) = open.iter().position(|open| open.file.name == file.name) {
                self.segments.push(open.swap_remove(at));
            } else if self.segments.len() < MAX_OPEN {
                match directory.file(&file.name).and_then(Segment::open) {
                    Some(segment) => {
                        self.segments.push(OpenSegment {
                            file,
                            segment,
                            numbers: Numbers::default(),
                        });
                    }
                    None => self.damaged.push(file),
                }
            }
        }
        self.directory = Some(directory);
    }

    fn load(&mut self) {
        if !self.is_loaded {
            self.refresh();
        }
    }

    fn write(&mut self) -> Result<Listed, Unusable> {
        let Ok(store) = &self.place.dir else { return Err(Unusable::Bound(0)) };
        let directory = Directory::create(store)?;
        let too_long = || Unusable::Bound(format::MAX_FILE);
        let bytes = self.draft.write(merge::new_id()).ok_or_else(too_long)?;
        let file = directory.put(&bytes, None, self.place.bound)?;
        self.directory = Some(directory);
        Ok(file)
    }

    fn new_draft(&mut self) {
        self.draft = Draft::default();
        self.generation += 1;
        self.numbers = Default::default();
        self.dated.clear();
        self.lists.clear();
        self.segments.iter_mut().for_each(|open| open.numbers = Numbers::default());
    }

    fn add(&mut self, key: Key, label: &str, body: DraftBody) {
        let when = self.now();
        self.draft.add(DraftRecord {
            key,
            label: label.into(),
            when: when.into(),
            used: when,
            body,
        });
        self.commit_if_large();
    }

    fn commit_if_large(&mut self) {
        if self.draft.bytes() as u64 > self.max_draft() {
            self.commit();
        }
    }

    /// Several segments fit into the bound, so that the oldest can go and the rest stays.
    fn max_draft(&self) -> u64 {
        MAX_DRAFT.min(self.place.bound / 8)
    }

    /// Writes an answer again that was just used and has been in its segment for long.
    fn promote(&mut self, at: usize, entry: usize) {
        let now = self.now();
        let open = &mut self.segments[at];
        // A time in the future is from a clock that was wrong.
        if open.segment.entry(entry).used.abs_diff(now) > PROMOTE_AFTER {
            let same = |sight: &Sight| Some(sight.clone());
            self.draft.copy(&mut open.segment, entry, &mut open.numbers, now, same);
            self.commit_if_large();
        }
    }

    fn drafted(&self, at: usize) -> Option<Rc<Stored>> {
        let DraftRecord { body, .. } = self.draft.record(at);
        let DraftBody::Answer { list, variables, payload } = body else { return None };
        let (generation, list, variables) = (self.generation, *list, *variables);
        Some(Rc::new(Stored {
            payload: payload.clone(),
            basis: Basis::Draft { generation, list, variables },
        }))
    }

    /// Seconds since 1970.
    fn now(&self) -> u32 {
        let since = (self.clock)().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        u32::try_from(since.as_secs()).unwrap_or(u32::MAX)
    }
}
