//! Collects what will become a segment file.

use std::collections::HashMap;
use std::hash::Hash;
use std::rc::Rc;

use super::Key;
use super::format::{
    Body, Entry, Extent, Id, MAGIC, PAGE, Record, WrittenSight, checksum, differences, prefix,
};
use super::segment::{Segment, Source};
use super::variables::VariablesSeen;
use crate::deps::sight::{Sight, SightId, Sights};
use crate::deps::world::World;
use crate::os::{self, Digest};

/// How many answers to a question are kept at most. Each rests on another state of the world.
const MAX_PER_KEY: usize = 8;

/// Things that are written once, however many answers share them.
#[derive(Debug)]
struct Table<T> {
    all: Vec<Rc<T>>,
    known: HashMap<Rc<T>, usize>,
}

impl<T: Hash + Eq> Table<T> {
    fn id(&mut self, item: T) -> usize {
        if let Some(id) = self.known.get(&item) {
            return *id;
        }
        let item = Rc::new(item);
        self.all.push(item.clone());
        self.known.insert(item, self.all.len() - 1);
        self.all.len() - 1
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { all: Vec::new(), known: HashMap::new() }
    }
}

/// Answers that are not yet in a file.
#[derive(Debug, Default)]
pub(super) struct Draft {
    sights: Sights,
    lists: Table<Vec<u32>>,
    variables: Table<VariablesSeen>,
    records: Vec<DraftRecord>,
    by_key: HashMap<Key, Vec<usize>>,
    bytes: usize,
}

/// A record that is not yet in a file.
#[derive(Debug)]
pub(super) struct DraftRecord {
    pub key: Key,
    pub label: String,
    pub when: u64,
    pub used: u32,
    pub body: DraftBody,
}

/// What such a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DraftBody {
    /// An answer, with the ids of its lists.
    Answer { list: usize, variables: usize, payload: Rc<[u8]> },
    /// Why there is none.
    NotKept { reason: String },
}

/// The numbers in a draft of the sights of a run or of a segment, by their numbers there.
#[derive(Debug, Default)]
pub(super) struct Numbers(Vec<Option<SightId>>);

impl Numbers {
    fn get(&self, number: u32) -> Option<SightId> {
        self.0.get(number as usize).copied().flatten()
    }

    fn set(&mut self, number: u32, id: SightId) {
        let at = number as usize;
        if at >= self.0.len() {
            self.0.resize(at + 1, None);
        }
        self.0[at] = Some(id);
    }
}

impl Draft {
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// About how long the file would be, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// A record.
    pub(super) fn record(&self, at: usize) -> &DraftRecord {
        &self.records[at]
    }

    /// The records, the earliest first.
    pub(super) fn records(&self) -> impl DoubleEndedIterator<Item = (usize, &DraftRecord)> {
        let is_left = |(at, record): &(usize, &DraftRecord)| self.by_key[&record.key].contains(at);
        self.records.iter().enumerate().filter(is_left)
    }

    /// The records with a key, the latest first.
    pub(super) fn with_key(&self, key: &Key) -> impl Iterator<Item = usize> {
        self.by_key.get(key).into_iter().flatten().rev().copied()
    }

    /// The id of a list of sights of a run. `contents` says what counts of each.
    pub(super) fn list(
        &mut self,
        ids: &[SightId],
        all: &Sights,
        numbers: &mut Numbers,
        mut contents: impl FnMut(SightId) -> Option<Digest>,
    ) -> usize {
        let mut list = Vec::with_capacity(ids.len());
        for id in ids {
            let number = numbers.get(id.0).unwrap_or_else(|| {
                self.sights.id(Sight { contents: contents(*id), ..all.get(*id).clone() })
            });
            numbers.set(id.0, number);
            list.push(number.0);
        }
        self.list_of_numbers(list)
    }

    fn list_of_numbers(&mut self, mut list: Vec<u32>) -> usize {
        list.sort_unstable();
        list.dedup();
        let before = self.lists.all.len();
        let length = list.len();
        let id = self.lists.id(list);
        self.bytes += if id == before { length + length / 4 } else { 0 };
        id
    }

    /// The id of a list of variables.
    pub(super) fn variables(&mut self, variables: VariablesSeen) -> usize {
        self.variables.id(variables)
    }

    /// Adds a record. It replaces those with the same key and the same foundation, and the earliest
    /// of too many.
    pub(super) fn add(&mut self, record: DraftRecord) {
        let others = self.by_key.entry(record.key).or_default();
        others.retain(|other| !record.body.replaces(&self.records[*other].body));
        if others.len() == MAX_PER_KEY {
            others.remove(0);
        }
        others.push(self.records.len());
        self.bytes += 150 + record.label.len();
        self.bytes += match &record.body {
            DraftBody::Answer { payload, .. } => payload.len(),
            DraftBody::NotKept { reason } => reason.len(),
        };
        self.records.push(record);
    }

    /// Adds a record of a segment, with each sight as `sight` has it. `None` if it is damaged, or if a
    /// sight has no such form.
    pub(super) fn copy<S: Source>(
        &mut self,
        from: &mut Segment<S>,
        at: usize,
        numbers: &mut Numbers,
        used: u32,
        mut sight: impl FnMut(&Sight) -> Option<Sight>,
    ) -> Option<()> {
        let bytes = from.blob(from.entry(at).extent)?;
        let record: Record = postcard::from_bytes(&bytes).ok()?;
        let key = Key(record.key);
        let body = match record.body {
            Body::Answer { sights, variables, payload } => {
                let variables = self.variables(VariablesSeen::clone(&*from.variables(variables)?));
                let mut list = Vec::new();
                for number in from.sight_numbers(sights)? {
                    let id = match numbers.get(number) {
                        Some(id) => id,
                        None => self.sights.id(sight(from.sight(number)?)?),
                    };
                    numbers.set(number, id);
                    list.push(id.0);
                }
                let list = self.list_of_numbers(list);
                DraftBody::Answer { list, variables, payload: payload.into() }
            }
            Body::NotKept { reason } => DraftBody::NotKept { reason: reason.into() },
        };
        self.add(DraftRecord { key, label: record.label.into(), when: record.when, used, body });
        Some(())
    }

    /// Whether everything in a list of sights is as it was.
    pub(super) fn holds(&self, list: usize, world: &mut World) -> bool {
        world.holds(self.sights_of(list))
    }

    /// The sights of a list.
    pub(super) fn sights_of(&self, list: usize) -> impl Iterator<Item = &Sight> + Clone {
        self.lists.all[list].iter().map(|number| self.sights.get(SightId(*number)))
    }

    /// A list of variables.
    pub(super) fn variables_of(&self, variables: usize) -> &Rc<VariablesSeen> {
        &self.variables.all[variables]
    }

    /// The segment file. `None` if it would be too long.
    pub(super) fn write(&self, id: Id) -> Option<Vec<u8>> {
        let mut file = Writer { bytes: Vec::with_capacity(self.bytes), id };
        file.bytes.extend_from_slice(&MAGIC);
        file.bytes.extend_from_slice(&id);
        let pages = self.sights.all().chunks(PAGE);
        let pages: Option<Vec<_>> =
            pages.map(|page| file.blob(&page.iter().map(written).collect::<Vec<_>>())).collect();
        let lists = self.lists.all.iter();
        let lists: Option<Vec<_>> = lists.map(|list| file.blob(&differences(list))).collect();
        let variables = self.variables.all.iter();
        let variables: Option<Vec<_>> = variables.map(|list| file.blob(&**list)).collect();
        let (pages, lists, variables) = (pages?, lists?, variables?);

        let mut entries = Vec::with_capacity(self.records.len());
        let mut answers = 0u32;
        for DraftRecord { key, label, when, used, body } in self.records().map(|(_, record)| record)
        {
            let body = match body {
                DraftBody::Answer { list, variables: names, payload } => {
                    answers += 1;
                    Body::Answer { sights: lists[*list], variables: variables[*names], payload }
                }
                DraftBody::NotKept { reason } => Body::NotKept { reason },
            };
            let extent = file.blob(&Record { key: key.0, label, when: *when, body })?;
            entries.push(Entry { prefix: prefix(key), extent, used: *used });
        }
        // Of records with the same key, the latest first, as everywhere.
        entries.reverse();
        entries.sort_by_key(|entry| entry.prefix);

        let index_offset = u32::try_from(file.bytes.len()).ok()?;
        entries.iter().for_each(|entry| file.bytes.extend_from_slice(&entry.encode()));
        let pages_offset = u32::try_from(file.bytes.len()).ok()?;
        for page in pages {
            file.number(page.offset);
            file.number(page.len);
        }
        file.number(index_offset);
        file.number(u32::try_from(entries.len()).ok()?);
        file.number(answers);
        file.number(u32::try_from(self.sights.all().len()).ok()?);
        file.seal(pages_offset);
        (file.bytes.len() as u64 <= super::format::MAX_FILE).then_some(file.bytes)
    }
}

impl DraftBody {
    /// Whether an earlier record with the same key is of no use beside this one.
    fn replaces(&self, earlier: &DraftBody) -> bool {
        match (self, earlier) {
            (
                DraftBody::Answer { list, variables, .. },
                DraftBody::Answer { list: other_list, variables: other_variables, .. },
            ) => list == other_list && variables == other_variables,
            (one, other) => one == other,
        }
    }
}

fn written(sight: &Sight) -> WrittenSight<'_> {
    WrittenSight {
        path: os::bytes_of(&sight.path),
        look: sight.look,
        found: sight.found,
        contents: sight.contents,
    }
}

/// The bytes of a segment in the making.
struct Writer {
    bytes: Vec<u8>,
    id: Id,
}

impl Writer {
    fn blob<T: serde::Serialize>(&mut self, value: &T) -> Option<Extent> {
        let offset = u32::try_from(self.bytes.len()).ok()?;
        let bytes = std::mem::take(&mut self.bytes);
        self.bytes = postcard::to_extend(value, bytes).ok()?;
        let len = u32::try_from(self.bytes.len()).ok()? - offset;
        self.seal(offset);
        Some(Extent { offset, len })
    }

    fn number(&mut self, number: u32) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    /// Appends the checksum of everything from an offset on.
    fn seal(&mut self, offset: u32) {
        let sum = checksum(&self.id, offset, &self.bytes[offset as usize..]);
        self.bytes.extend_from_slice(&sum);
    }
}
