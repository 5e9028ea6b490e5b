//! Sights that travel between machines.
//!
//! Numbers of devices and inodes and times mean nothing on another machine, and must not be equal there by
//! accident. So a sight travels without them. What [`Pairs`](super::identity::Pairs) needs stays: which
//! names were one file, and which files had one time.

use std::collections::HashMap;
use std::ffi::OsStr;

use super::sight::Sight;
use crate::os::{self, Digest, Found, Stamp};

/// The device of all that was seen on another machine. No file system has this number.
const DEVICE: u64 = u64::MAX;

/// Makes the sights of one machine foreign, all in the same way.
#[derive(Debug, Default)]
pub(crate) struct Foreign {
    files: HashMap<(u64, u64), u64>,
    times: HashMap<(Digest, i64), u64>,
}

impl Foreign {
    /// A sight as it travels. `None` if its contents are not known, without which no other machine could
    /// compare it.
    pub(crate) fn sight(&mut self, sight: &Sight) -> Option<Sight> {
        let Found::Stamp(stamp) = sight.found else { return Some(sight.clone()) };
        let digest = sight.contents?;
        let number = number(&sight.path);
        let inode = *self.files.entry((stamp.device, stamp.inode)).or_insert(number);
        let time = *self.times.entry((digest, stamp.modified.0)).or_insert(number);
        let foreign = Stamp {
            device: DEVICE,
            inode,
            mode: stamp.mode,
            size: if stamp.is_dir() { 0 } else { stamp.size },
            modified: if stamp.is_file() { (time.cast_signed(), 0) } else { (0, 0) },
            changed: (0, 0),
        };
        Some(Sight { found: Found::Stamp(foreign), ..sight.clone() })
    }
}

/// The number of a file that was seen first at a path: on all machines the same, so that what they send has
/// each sight once. Few bytes suffice, for if two were equal, an answer would only not be found.
fn number(path: &OsStr) -> u64 {
    let mut bytes = [0; 8];
    bytes[..5].copy_from_slice(&blake3::hash(os::bytes_of(path)).as_bytes()[..5]);
    u64::from_le_bytes(bytes)
}

/// Whether a sight could have come from another machine: it rests on nothing but contents.
pub(crate) fn is_foreign(sight: &Sight) -> bool {
    match sight.found {
        Found::Stamp(stamp) => stamp.device == DEVICE && sight.contents.is_some(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::Look;

    fn sight(path: &str, inode: u64, time: i64) -> Sight {
        let stamp = Stamp {
            device: 7,
            inode,
            mode: 0o100_644,
            size: 5,
            modified: (time, 1),
            changed: (time, 1),
        };
        let (found, contents) = (Found::Stamp(stamp), Some([1; 16]));
        Sight { path: OsStr::new(path).into(), look: Look::Follow, found, contents }
    }

    #[test]
    fn only_what_means_something_elsewhere_travels() {
        let mut foreign = Foreign::default();
        let mut stamp = |sight: &Sight| match foreign.sight(sight).unwrap() {
            abroad if !is_foreign(&abroad) => panic!("{abroad:?}"),
            Sight { found: Found::Stamp(stamp), .. } => stamp,
            other => panic!("{other:?}"),
        };
        let one = stamp(&sight("/a", 1000, 77));
        let same = stamp(&sight("/b", 1000, 77));
        let other = stamp(&sight("/c", 1001, 78));
        assert_eq!(one, same);
        assert_eq!((one.size, one.mode), (5, 0o100_644));
        assert!(one.inode != other.inode && one.modified != other.modified);
        assert!(one.inode != 1000 && one.modified.0 != 77 && one.changed == (0, 0));

        assert!(!is_foreign(&sight("/a", 1000, 77)));
        let unknown = Sight { contents: None, ..sight("/a", 1000, 77) };
        assert_eq!(foreign.sight(&unknown), None);
        let missing = Sight { found: Found::Nothing, ..unknown };
        assert_eq!(foreign.sight(&missing), Some(missing));
    }
}
