//! An open segment of the store's directory.

use super::Key;
use super::directory::Listed;
use super::draft::Numbers;
use super::format::{Body, Record};
use super::segment::Segment;

/// A segment, and where it is from.
#[derive(Debug)]
pub(super) struct OpenSegment {
    pub file: Listed,
    pub segment: Segment,
    /// The numbers in the draft of its sights.
    pub numbers: Numbers,
}

impl OpenSegment {
    /// Whether a record says that the answer to a key is not kept for a reason.
    pub(super) fn says(&self, entry: usize, key: &Key, reason: &str) -> bool {
        let Some(bytes) = self.segment.blob(self.segment.entry(entry).extent) else { return false };
        postcard::from_bytes::<Record>(&bytes).is_ok_and(|record| {
            record.key == key.0
                && matches!(record.body, Body::NotKept { reason: other } if other == reason)
        })
    }
}
