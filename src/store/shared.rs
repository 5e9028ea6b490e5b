//! Answers of other machines: taken from a remote store, and given to it.
//!
//! A pack is a segment whose sights are foreign (`deps/foreign.rs`), so that nothing in it holds by stamps.
//! It stays in memory. An answer that holds here is copied into the draft, with the stamps of this
//! machine; so all that comes into the local store has been found to hold.

use std::collections::HashSet;
use std::rc::Rc;
use std::time::SystemTime;

use super::draft::{Draft, Numbers};
use super::merge::new_id;
use super::open::OpenSegment;
use super::segment::Segment;
use super::{Key, Store, Stored, Variables};
use crate::deps::foreign::{Foreign, is_foreign};
use crate::deps::world::World;
use crate::remote::{self, Remote, Trouble};

/// A larger record does not travel, in bytes.
const LARGEST: u32 = 256 << 10;

/// What a store shares with others.
#[derive(Debug, Default)]
pub(super) struct Shared {
    remote: Option<Remote>,
    /// Why there is none although the user wants one.
    unusable: Option<Trouble>,
    pack: Option<Pack>,
    /// The keys of all answers that were used, and whether they were kept then.
    used: Vec<(Key, bool)>,
    /// How many answers have come from others.
    given: usize,
}

/// What has come.
#[derive(Debug)]
struct Pack {
    segment: Segment<Vec<u8>>,
    /// The numbers in the draft of its sights.
    numbers: Numbers,
}

impl Store {
    /// The store with a remote one behind it.
    pub(crate) fn before(mut self, remote: Result<Option<Remote>, Trouble>) -> Store {
        match remote {
            Ok(remote) => self.shared.remote = remote.filter(|_| self.place.dir.is_ok()),
            Err(trouble) => self.shared.unusable = Some(trouble),
        }
        self
    }

    /// Begins to fetch what others know of a step.
    pub(crate) fn begin_step(&mut self, name: impl FnOnce() -> Option<Key>) {
        if let Some(remote) = &mut self.shared.remote
            && let Some(name) = name()
        {
            remote.begin(name);
        }
    }

    /// How many answers have come from others, if any have, for people.
    pub(crate) fn given(&self) -> Option<String> {
        let Shared { remote, given, .. } = &self.shared;
        let answers = if *given == 1 { "answer" } else { "answers" };
        let remote = remote.as_ref().filter(|_| *given > 0)?;
        Some(format!("{given} {answers} came from {}", remote.place()))
    }

    /// What is wrong with the remote store, for people.
    pub(super) fn remote_trouble(&self) -> Option<String> {
        let Shared { unusable, remote, .. } = &self.shared;
        unusable.as_ref().map(Trouble::to_string).or_else(|| remote.as_ref()?.trouble())
    }

    /// An answer of others, if it holds.
    pub(super) fn find_shared(
        &mut self,
        key: &Key,
        world: &mut World,
        env: &Variables,
    ) -> Option<Rc<Stored>> {
        self.take_pack();
        let now = self.now();
        let Store { shared, draft, .. } = self;
        let Pack { segment, numbers } = shared.pack.as_mut()?;
        let at = segment.entries(key).find(|at| segment.answer(*at, key, world, env).is_some())?;
        draft.copy(segment, at, numbers, now, |sight| Some(world.present(sight)))?;
        shared.given += 1;
        let drafted = self.draft.with_key(key).next()?;
        self.drafted(drafted)
    }

    /// Notes that an answer was used, or kept.
    pub(super) fn note_use(&mut self, key: &Key, is_kept: bool) {
        if self.shared.remote.as_ref().is_some_and(Remote::writes) {
            self.shared.used.push((*key, is_kept));
        }
    }

    /// What happened last with a remote store, for people, and when.
    pub(crate) fn last_shared(&mut self) -> Option<(String, SystemTime)> {
        self.load();
        self.directory.as_ref()?.noted()
    }

    /// Sends what this process has used, if that is more than others know.
    pub(crate) fn share(&mut self, world: &mut World) {
        let note = self.given().or_else(|| self.remote_trouble());
        if let (Some(note), Some(directory)) = (note, &self.directory) {
            directory.note(&note);
        }
        if !self.shared.remote.as_ref().is_some_and(Remote::writes) {
            return;
        }
        self.load();
        self.take_pack();
        let Shared { remote, pack, used, .. } = &mut self.shared;
        let Some(remote) = remote.as_ref().filter(|remote| remote.may_send()) else { return };
        let is_known =
            |key: &Key| pack.as_ref().is_some_and(|pack| !pack.segment.entries(key).is_empty());
        if !used.iter().any(|(key, is_kept)| *is_kept || !is_known(key)) {
            return;
        }
        let used: Vec<Key> = std::mem::take(used).into_iter().map(|(key, _)| key).collect();
        let pack = pack.take();
        // What others know besides, unless that is too much.
        let body = packed(&mut self.segments, &used, pack, world);
        let body = body.or_else(|| packed(&mut self.segments, &used, None, world));
        // If this fails, others do without.
        let _ = body.map(|body| remote.send(&body));
    }

    fn take_pack(&mut self) {
        let body = self.shared.remote.as_mut().and_then(Remote::arrived);
        if let Some(body) = body {
            self.shared.pack = open(body);
        }
    }
}

/// The body of a pack: an answer to each key, after those of another pack. `None` if it would be
/// too long.
fn packed(
    segments: &mut [OpenSegment],
    keys: &[Key],
    before: Option<Pack>,
    world: &mut World,
) -> Option<Vec<u8>> {
    let mut draft = Draft::default();
    if let Some(Pack { mut segment, .. }) = before {
        let mut numbers = Numbers::default();
        for at in (0..segment.len()).rev() {
            let used = segment.entry(at).used;
            let _ = draft.copy(&mut segment, at, &mut numbers, used, |it| Some(it.clone()));
        }
    }
    let mut foreign = Foreign::default();
    let mut done = HashSet::new();
    for OpenSegment { segment, .. } in segments {
        let mut numbers = Numbers::default();
        for key in keys {
            if done.contains(key) {
                continue;
            }
            // What a step has made and removed again counts, too: then, the latest was used.
            let mut entries = segment.entries(key);
            let current = entries.clone().find(|at| segment.is_current(*at, key, world));
            let Some(at) = current.or_else(|| entries.find(|at| segment.is_answer(*at, key)))
            else {
                continue;
            };
            if segment.entry(at).extent.len > LARGEST {
                continue;
            }
            let used = segment.entry(at).used;
            let copied = draft.copy(segment, at, &mut numbers, used, |it| foreign.sight(it));
            if copied.is_some() {
                done.insert(*key);
            }
        }
    }
    let body = draft.write(new_id())?;
    (body.len() <= remote::MOST).then_some(body)
}

/// The segment in a body. `None` if this is not one that others may have sent.
fn open(body: Vec<u8>) -> Option<Pack> {
    let mut segment = Segment::open(body)?;
    let are_foreign = segment.first_sights(usize::MAX).all(is_foreign);
    are_foreign.then(|| Pack { segment, numbers: Numbers::default() })
}
