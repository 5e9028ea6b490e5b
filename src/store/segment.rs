//! Reads a segment file. Nothing in it is trusted: whatever does not fit is not there.

use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::rc::Rc;

use super::Key;
use super::format::{
    Body, CHECKSUM, ENTRY, Entry, Extent, HEAD, Id, MAGIC, MAX_FILE, PAGE, PAGE_ENTRY, Record,
    TAIL, WrittenSight, checksum, number, numbers, prefix,
};
use super::variables::{Variables, VariablesSeen};
use crate::deps::identity::Pairs;
use crate::deps::sight::Sight;
use crate::deps::world::{Likeness, World};
use crate::os;

/// How much of the end of a file is read at first, in bytes. The index of most segments fits.
const END: u64 = 16 << 10;

/// What a segment is read from.
pub(super) trait Source {
    /// The length in bytes, if it is known.
    fn size(&self) -> Option<u64>;
    /// Fills a buffer from an offset on. Whether that worked.
    fn fill(&self, offset: u64, buffer: &mut [u8]) -> bool;
}

impl Source for File {
    fn size(&self) -> Option<u64> {
        self.metadata().ok().map(|metadata| metadata.len())
    }

    fn fill(&self, offset: u64, buffer: &mut [u8]) -> bool {
        os::read_at(self, offset, buffer).is_ok()
    }
}

/// For tests.
impl Source for Vec<u8> {
    fn size(&self) -> Option<u64> {
        u64::try_from(self.len()).ok()
    }

    fn fill(&self, offset: u64, buffer: &mut [u8]) -> bool {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let part = start.checked_add(buffer.len()).and_then(|end| self.get(start..end));
        part.inspect(|part| buffer.copy_from_slice(part)).is_some()
    }
}

/// An open segment.
#[derive(Debug)]
pub(super) struct Segment<S = File> {
    source: S,
    id: Id,
    size: u64,
    /// Where the blobs end and the index begins.
    index_offset: u32,
    /// The entries of the index, sorted.
    index: Vec<u8>,
    answers: u32,
    sights: u32,
    pages: Vec<Slot>,
    /// The lists of variables that were needed, by offset.
    variables: HashMap<u32, Option<Rc<VariablesSeen>>>,
    /// Whether lists of variables hold, by offset and environment.
    environments: HashMap<(u32, u64), bool>,
    /// The lists of sights that were looked at in a world, by offset, and whether they all hold.
    lists: HashMap<u32, bool>,
    /// The moment of that world.
    moment: u64,
}

/// An answer, and where to find what it rests on.
#[derive(Debug)]
pub(super) struct Answer {
    pub payload: Rc<[u8]>,
    /// The list of sights.
    pub sights: Extent,
    /// The list of variables.
    pub variables: Extent,
}

/// A page of sights.
#[derive(Debug)]
enum Slot {
    /// Not needed yet.
    Unread(Extent),
    Read(Box<Page>),
    Damaged,
}

impl Slot {
    fn sights(&self) -> Option<&[Sight]> {
        match self {
            Slot::Read(page) => Some(&page.sights),
            _ => None,
        }
    }
}

#[derive(Debug)]
struct Page {
    sights: Vec<Sight>,
    /// How each sight compares with what is there, if it was looked at.
    likeness: [Option<Likeness>; PAGE],
}

impl<S: Source> Segment<S> {
    /// Opens a segment. `None` if this is not one, or if it is damaged.
    pub(super) fn open(source: S) -> Option<Segment<S>> {
        let size = source.size()?;
        if size < (HEAD + TAIL) as u64 || size > MAX_FILE {
            return None;
        }
        let mut head = [0; HEAD];
        if !source.fill(0, &mut head) || head[..MAGIC.len()] != MAGIC {
            return None;
        }
        let id: Id = head[MAGIC.len()..].try_into().ok()?;
        let mut end = vec![0; usize::try_from(size.min(END)).ok()?];
        source.fill(size - end.len() as u64, &mut end).then_some(())?;

        let tail = &end[end.len() - TAIL..];
        let [index_offset, entries, answers, sights] = [0, 4, 8, 12].map(|at| number(tail, at));
        let pages = (sights as usize).div_ceil(PAGE);
        let pages_offset = u64::from(index_offset) + entries as u64 * ENTRY as u64;
        let fits = pages_offset + pages as u64 * PAGE_ENTRY as u64 + TAIL as u64 == size;
        if !fits || (index_offset as usize) < HEAD || answers > entries {
            return None;
        }
        let length = usize::try_from(size - u64::from(index_offset)).ok()?;
        if length > end.len() {
            end = vec![0; length];
            source.fill(index_offset.into(), &mut end).then_some(())?;
        } else {
            end.drain(..end.len() - length);
        }
        let rest = end.split_off(entries as usize * ENTRY);
        let (covered, sum) = rest.split_at(rest.len() - CHECKSUM);
        if checksum(&id, u32::try_from(pages_offset).ok()?, covered) != sum {
            return None;
        }
        let slot = |bytes| Slot::Unread(Extent { offset: number(bytes, 0), len: number(bytes, 4) });
        let pages = covered.chunks_exact(PAGE_ENTRY).take(pages).map(slot).collect();
        Some(Segment {
            id,
            size,
            index_offset,
            index: end,
            answers,
            sights,
            pages,
            source,
            variables: HashMap::new(),
            environments: HashMap::new(),
            lists: HashMap::new(),
            moment: 0,
        })
    }

    /// The length of the file, in bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// How many records it has.
    pub(super) fn len(&self) -> usize {
        self.index.len() / ENTRY
    }

    /// How many of its records are answers.
    pub(super) fn answers(&self) -> usize {
        self.answers as usize
    }

    /// An entry of the index.
    pub(super) fn entry(&self, at: usize) -> Entry {
        let mut entry = [0; ENTRY];
        entry.copy_from_slice(&self.index[at * ENTRY..(at + 1) * ENTRY]);
        Entry::decode(&entry)
    }

    /// The prefix of an entry of the index.
    fn prefix(&self, at: usize) -> u64 {
        let mut prefix = [0; 8];
        prefix.copy_from_slice(&self.index[at * ENTRY..at * ENTRY + 8]);
        u64::from_le_bytes(prefix)
    }

    /// The entries that may belong to a key. Only the records know.
    pub(super) fn entries(&self, key: &Key) -> Range<usize> {
        let prefix = prefix(key);
        let first = |is_before: &dyn Fn(u64) -> bool| {
            let (mut low, mut high) = (0, self.len());
            while low < high {
                let middle = low.midpoint(high);
                if is_before(self.prefix(middle)) { low = middle + 1 } else { high = middle }
            }
            low
        };
        let start = first(&|other| other < prefix);
        start..start.max(first(&|other| other <= prefix))
    }

    /// The bytes of a blob. `None` if it is damaged.
    pub(super) fn blob(&self, extent: Extent) -> Option<Vec<u8>> {
        let start = extent.offset as usize;
        let length = (extent.len as usize).checked_add(CHECKSUM)?;
        if start < HEAD || start.checked_add(length)? > self.index_offset as usize {
            return None;
        }
        let mut bytes = vec![0; length];
        self.source.fill(extent.offset.into(), &mut bytes).then_some(())?;
        let sum = bytes.split_off(extent.len as usize);
        (checksum(&self.id, extent.offset, &bytes) == *sum).then_some(bytes)
    }

    /// A list of sights: their numbers, ascending. `None` if it is damaged.
    pub(super) fn sight_numbers(&self, list: Extent) -> Option<Vec<u32>> {
        parse_numbers(&self.blob(list)?, self.sights)
    }

    /// A sight. `None` if it is damaged.
    pub(super) fn sight(&mut self, number: u32) -> Option<&Sight> {
        self.page(number)?.sights.get(number as usize % PAGE)
    }

    /// The sights of the first pages.
    pub(super) fn first_sights(&mut self, pages: usize) -> impl Iterator<Item = &Sight> {
        for page in 0..pages.min(self.pages.len()) {
            self.page(u32::try_from(page * PAGE).unwrap_or(u32::MAX));
        }
        self.pages.iter().take(pages).filter_map(Slot::sights).flatten()
    }

    /// A list of variables. `None` if it is damaged.
    pub(super) fn variables(&mut self, list: Extent) -> Option<Rc<VariablesSeen>> {
        if let Some(known) = self.variables.get(&list.offset) {
            return known.clone();
        }
        let variables = self.blob(list).and_then(|bytes| parse_variables(&bytes)).map(Rc::new);
        self.variables.insert(list.offset, variables.clone());
        variables
    }

    /// An answer, if it belongs to a key and rests on nothing that has changed.
    pub(super) fn answer(
        &mut self,
        entry: usize,
        key: &Key,
        world: &mut World,
        env: &Variables,
    ) -> Option<Answer> {
        let bytes = self.blob(self.entry(entry).extent)?;
        let record: Record = postcard::from_bytes(&bytes).ok()?;
        let Body::Answer { sights, variables, payload } = record.body else { return None };
        let holds = record.key == key.0
            && self.variables_hold(variables, env)
            && self.sights_hold(sights, world);
        holds.then(|| Answer { payload: payload.into(), sights, variables })
    }

    /// Whether an entry is the answer to a key, and the files that it rests on are as they were.
    pub(super) fn is_current(&mut self, entry: usize, key: &Key, world: &mut World) -> bool {
        self.sights_of(entry, key).is_some_and(|sights| self.sights_hold(sights, world))
    }

    /// Whether an entry is an answer to a key.
    pub(super) fn is_answer(&self, entry: usize, key: &Key) -> bool {
        self.sights_of(entry, key).is_some()
    }

    /// The sights of an entry, if it is an answer to a key.
    fn sights_of(&self, entry: usize, key: &Key) -> Option<Extent> {
        let bytes = self.blob(self.entry(entry).extent)?;
        let record: Record = postcard::from_bytes(&bytes).ok()?;
        match record.body {
            Body::Answer { sights, .. } if record.key == key.0 => Some(sights),
            _ => None,
        }
    }

    /// Whether the variables of a list are as they were.
    fn variables_hold(&mut self, list: Extent, env: &Variables) -> bool {
        let known = (list.offset, env.id());
        if let Some(holds) = self.environments.get(&known) {
            return *holds;
        }
        let holds = self.variables(list).is_some_and(|variables| variables.holds(env));
        self.environments.insert(known, holds);
        holds
    }

    /// Whether everything in a list of sights is as it was.
    fn sights_hold(&mut self, list: Extent, world: &mut World) -> bool {
        if self.moment != world.moment() {
            self.moment = world.moment();
            self.lists.clear();
            for slot in &mut self.pages {
                if let Slot::Read(page) = slot {
                    page.likeness = [None; PAGE];
                }
            }
        }
        if let Some(known) = self.lists.get(&list.offset) {
            return *known;
        }
        let numbers = self.sight_numbers(list);
        let holds = numbers.is_some_and(|numbers| self.all_hold(&numbers, world));
        self.lists.insert(list.offset, holds);
        holds
    }

    fn all_hold(&mut self, numbers: &[u32], world: &mut World) -> bool {
        let mut is_same = true;
        for number in numbers {
            match self.compare(*number, world) {
                Likeness::Same => {}
                Likeness::Alike => is_same = false,
                Likeness::Other => return false,
            }
        }
        let mut pairs = Pairs::default();
        let mut fits =
            |number: &u32| self.sight(*number).is_some_and(|sight| world.pairs(sight, &mut pairs));
        is_same || numbers.iter().all(&mut fits)
    }

    fn compare(&mut self, number: u32, world: &mut World) -> Likeness {
        let Some(page) = self.page(number) else { return Likeness::Other };
        let at = number as usize % PAGE;
        let Some(sight) = page.sights.get(at) else { return Likeness::Other };
        *page.likeness[at].get_or_insert_with(|| world.compare(sight))
    }

    fn page(&mut self, number: u32) -> Option<&mut Page> {
        let at = number as usize / PAGE;
        if let Slot::Unread(extent) = *self.pages.get(at)? {
            let sights = self.blob(extent).and_then(|bytes| parse_page(&bytes));
            let page = |sights| Slot::Read(Box::new(Page { sights, likeness: [None; PAGE] }));
            self.pages[at] = sights.map_or(Slot::Damaged, page);
        }
        match &mut self.pages[at] {
            Slot::Read(page) => Some(page),
            _ => None,
        }
    }
}

/// The sights of a page. `None` if it is damaged.
pub(super) fn parse_page(bytes: &[u8]) -> Option<Vec<Sight>> {
    let sights: Vec<WrittenSight> = postcard::from_bytes(bytes).ok()?;
    let sight = |sight: WrittenSight| Sight {
        path: os::from_bytes(sight.path.to_vec()).into(),
        look: sight.look,
        found: sight.found,
        contents: sight.contents,
    };
    (sights.len() <= PAGE).then(|| sights.into_iter().map(sight).collect())
}

/// The numbers of a list of sights, all below a bound. `None` if it is damaged.
pub(super) fn parse_numbers(bytes: &[u8], bound: u32) -> Option<Vec<u32>> {
    numbers(&postcard::from_bytes::<Vec<u32>>(bytes).ok()?, bound)
}

/// A list of variables. `None` if it is damaged.
pub(super) fn parse_variables(bytes: &[u8]) -> Option<VariablesSeen> {
    postcard::from_bytes(bytes).ok()
}
