//! Whether other files with the same contents will do.
//!
//! Compilers and linkers use a file's device, inode and times for two things only:
//!
//! * They recognize a file or directory that they know by another name, by device and inode: GCC
//!   a directory that is searched twice, Clang a header that is included again, linkers a shared
//!   library that another one needs. So what was one must be one, and what was two must be two.
//! * For `#pragma once` and `#import`, GCC takes two files for one if size, time of modification
//!   in seconds, and contents are equal. So of files with the same contents, those whose times were
//!   equal must have equal times, and the others different ones.
//!
//! Precompiled headers and modules hold times of other files. Answers that rest on one never get here,
//! and neither do those of unknown programs.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use crate::os::{Digest, Stamp};

/// Pairs each file that was seen with the one that is there now.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    inodes: OneToOne<(u64, u64)>,
    times: OneToOne<(Digest, i64)>,
    /// The sizes of files whose contents are not known, and of those that are other files now.
    unknown: HashSet<u64>,
    replaced: HashSet<u64>,
}

impl Pairs {
    /// Adds a file or directory. Returns whether it can stand in the place of what was there.
    pub(crate) fn add(&mut self, was: &Stamp, contents: Option<Digest>, is: &Stamp) -> bool {
        // Nobody asks for the inode of a link, only what it is and where it leads.
        if was.is_link() {
            return true;
        }
        if !self.inodes.add((was.device, was.inode), (is.device, is.inode)) {
            return false;
        }
        if !was.is_file() {
            return true;
        }
        match contents {
            Some(digest) => {
                if was != is {
                    self.replaced.insert(was.size);
                }
                self.times.add((digest, was.modified.0), (digest, is.modified.0))
                    && !self.unknown.contains(&was.size)
            }
            None => {
                self.unknown.insert(was.size);
                !self.replaced.contains(&was.size)
            }
        }
    }
}

/// Pairs of which no two share one side only.
#[derive(Debug)]
struct OneToOne<T> {
    forth: HashMap<T, T>,
    back: HashMap<T, T>,
}

impl<T> Default for OneToOne<T> {
    fn default() -> Self {
        OneToOne { forth: HashMap::new(), back: HashMap::new() }
    }
}

impl<T: Eq + Hash + Copy> OneToOne<T> {
    fn add(&mut self, was: T, is: T) -> bool {
        *self.forth.entry(was).or_insert(is) == is && *self.back.entry(is).or_insert(was) == was
    }
}
