//! An open segment of the store's directory.

use super::directory::Listed;
use super::draft::Numbers;
use super::format::{Body, Record};
use super::segment::Segment;
use super::variables::Variables;
use super::{Basis, Key, Stored};
use crate::deps::world::World;

/// A segment, and where it is from.
#[derive(Debug)]
pub(super) struct OpenSegment {
    pub file: Listed,
    pub segment: Segment,
    /// The numbers in the draft of its sights.
    pub numbers: Numbers,
}

impl OpenSegment {
    /// An answer, if it belongs to a key and rests on nothing that has changed.
    pub(super) fn stored(
        &mut self,
        entry: usize,
        key: &Key,
        world: &mut World,
        env: &Variables,
    ) -> Option<Stored> {
        let bytes = self.segment.blob(self.segment.entry(entry).extent)?;
        let record: Record = postcard::from_bytes(&bytes).ok()?;
        let Body::Answer { sights: list, variables, payload } = record.body else { return None };
        let holds = record.key == key.0
            && self.segment.variables(variables)?.holds(env)
            && self.segment.holds(list, world);
        holds.then(|| Stored {
            payload: payload.into(),
            basis: Basis::Segment { name: self.file.name.clone(), list, variables },
        })
    }

    /// Whether a record says that the answer to a key is not kept for a reason.
    pub(super) fn says(&self, entry: usize, key: &Key, reason: &str) -> bool {
        let Some(bytes) = self.segment.blob(self.segment.entry(entry).extent) else { return false };
        postcard::from_bytes::<Record>(&bytes).is_ok_and(|record| {
            record.key == key.0
                && matches!(record.body, Body::NotKept { reason: other } if other == reason)
        })
    }
}
