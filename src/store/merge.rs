//! Fewer and larger segments, and what else is tidied up after writing.
//!
//! Each run that learns something writes a segment, and each look-up asks all of them. Neighbours
//! in time of about the same length are therefore made one, as in a log-structured merge tree:
//! each answer is copied a few times at most, and the order in time stays, which decides what is
//! removed first when space is short.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use super::draft::{Draft, Numbers};
use super::format::Id;
use super::{OpenSegment, Store};

/// At least this many neighbours are merged.
const NEIGHBOURS: usize = 6;

/// The length of segments of the lowest level, in bytes. Those of the next are four times as long.
const LOWEST: u64 = 64 << 10;

/// No merged segment is much longer than this, in bytes, or than a part of the bound.
const LONGEST: u64 = 32 << 20;

/// Into how many segments of the greatest length a store is divided at least.
const PARTS: u64 = 16;

/// A damaged file that is older than this did not just appear on a slow file system.
const DAMAGED_FOR: Duration = Duration::from_secs(3600);

/// The number of a new segment.
pub(super) fn new_id() -> Id {
    // Only has to differ from others. The standard library seeds its hashers at random.
    use std::hash::{BuildHasher, RandomState};
    let half = || RandomState::new().hash_one((std::process::id(), SystemTime::now()));
    let mut id = [0; 16];
    id[..8].copy_from_slice(&half().to_le_bytes());
    id[8..].copy_from_slice(&half().to_le_bytes());
    id
}

/// Which neighbours to merge, given the lengths of all segments in the order of time. The smallest
/// come first, and none makes up more than half of the result: with each copy, an answer's segment
/// becomes twice as long at least.
fn neighbours(lengths: &[u64], longest: u64) -> Option<Range<usize>> {
    let mut level = LOWEST.min(longest);
    loop {
        for start in 0..lengths.len() {
            let mut sum = 0;
            let fits = |length: &&u64| {
                sum += **length;
                **length <= level && sum <= longest
            };
            let count = lengths[start..].iter().take_while(fits).count();
            let is_even = |count: &usize| {
                let window = &lengths[start..start + count];
                window.iter().sum::<u64>() >= 2 * window.iter().max().copied().unwrap_or_default()
            };
            if let Some(count) = (NEIGHBOURS..=count).rev().find(is_even) {
                return Some(start..start + count);
            }
        }
        if level >= longest {
            return None;
        }
        level = (level * 4).min(longest);
    }
}

impl Store {
    /// Merges segments if there are many. Failures are of no account: nothing is removed unless
    /// its copy is written.
    pub(super) fn merge(&mut self, now: SystemTime) {
        let longest = LONGEST.min(self.place.bound / PARTS);
        let lengths: Vec<u64> = self.segments.iter().map(|open| open.segment.size()).collect();
        let range = neighbours(&lengths, longest);
        let Some(directory) = &self.directory else { return };
        for file in &self.damaged {
            if now.duration_since(file.modified()).is_ok_and(|age| age > DAMAGED_FOR) {
                directory.remove(&file.name);
            }
        }
        let Some(range) = range else { return };
        directory.merge_alone(now, || {
            let merged = &mut self.segments[range];
            let Some(bytes) = together(merged).write(new_id()) else { return };
            let oldest = merged.last().and_then(|open| open.file.written);
            if directory.put(&bytes, oldest, self.place.bound).is_ok() {
                for open in merged {
                    directory.remove(&open.file.name);
                }
            }
        });
        self.refresh();
    }
}

/// The content of segments that stand in the order of time, the latest first.
fn together(segments: &mut [OpenSegment]) -> Draft {
    let mut draft = Draft::default();
    for open in segments.iter_mut().rev() {
        let mut entries: Vec<usize> = (0..open.segment.len()).collect();
        // The order in which they were added.
        entries.sort_unstable_by_key(|at| open.segment.entry(*at).extent.offset);
        let mut numbers = Numbers::default();
        for at in entries {
            let used = open.segment.entry(at).used;
            // What is damaged is left behind.
            let _ = draft.copy(&mut open.segment, at, &mut numbers, used, |it| Some(it.clone()));
        }
    }
    draft
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: u64 = 1024;

    #[test]
    fn small_neighbours_are_merged_first() {
        let long = 1 << 20;
        assert_eq!(neighbours(&[KIB; 5], long), None);
        assert_eq!(neighbours(&[KIB; 6], long), Some(0..6));
        let small_in_the_middle = [[200 * KIB; 6].as_slice(), &[KIB; 7], &[2 * long; 9]].concat();
        assert_eq!(neighbours(&small_in_the_middle, 2 * long), Some(6..13));
        assert_eq!(neighbours(&[2 * long; 100], long), None);
    }

    #[test]
    fn nothing_is_copied_often() {
        for longest in [1 << 20, LONGEST] {
            let (mut lengths, mut written, mut copied) = (Vec::new(), 0, 0);
            for run in 0..5000 {
                let length = 10 * KIB + run * 7919 % (90 * KIB);
                written += length;
                lengths.insert(0, length);
                if let Some(range) = neighbours(&lengths, longest) {
                    let sum: u64 = lengths[range.clone()].iter().sum();
                    copied += sum;
                    lengths.splice(range, [sum]);
                }

                let long = lengths.iter().filter(|length| **length > longest / 2).count();
                assert!(lengths.len() - long <= 30, "{lengths:?}");
            }

            assert!(copied < 6 * written, "{copied} of {written}");
        }
    }
}
