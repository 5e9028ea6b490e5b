//! The notes that the preloaded library takes, in a file in memory that the processes of one
//! command share. `preload/log.c` writes it; both must change together.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::os::{self, Stamp};

/// The first bytes of a log.
const MAGIC: u64 = 0x3130_4e45_4553_5254;
/// The size of a log. Only what is written takes memory.
const SIZE: u64 = 8 << 20;
/// Where the names of the command's own directories are, and how much space there is for them.
const OWN: u64 = 32;
const OWN_SIZE: usize = (8 << 10) - 32;
/// Where the records begin, after a table that only the writers use.
const FIRST: u64 = (8 << 10) + 8 * 4096;
/// The size of a record without its text.
const RECORD: usize = 72;

/// The log of one command.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
}

/// What a log holds after the command has ended.
#[derive(Debug)]
pub(super) struct Notes {
    /// How many programs were to start.
    pub expected: u32,
    /// How many programs started with the library.
    pub arrived: u32,
    /// Whether notes are missing because the log was full, or because a process was killed while
    /// it wrote one.
    pub is_cut: bool,
    records: Vec<u8>,
}

/// What a record says. The numbers are those of `preload/seen.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Follow = 1,
    Link,
    List,
    RealPath,
    Created,
    Written,
    Removed,
    Variable,
    Image,
    Mapped,
    Started,
    Unseen,
    Failed,
    Changing,
    Libraries,
    Locale,
    Languages,
    Domain,
    /// A program called a function whose answer is different at every moment. Compilers do, and only
    /// measure with it.
    Moment,
}

impl Kind {
    fn of(number: u32) -> Option<Self> {
        use Kind::*;
        let all = [
            Follow, Link, List, RealPath, Created, Written, Removed, Variable, Image, Mapped,
            Started, Unseen, Failed, Changing, Libraries, Locale, Languages, Domain, Moment,
        ];
        all.into_iter().find(|kind| *kind as u32 == number)
    }
}

/// One note.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    /// What it says.
    pub kind: Kind,
    /// The error's number, or 0.
    pub error: i32,
    /// What was found.
    pub found: Option<Stamp>,
    /// The program that it belongs to, for programs and their libraries.
    pub image: u32,
    /// The path, or two of them with NUL between, or a name.
    pub text: &'a [u8],
    /// The whole record, without its size: equal notes are equal bytes.
    pub bytes: &'a [u8],
}

impl Record<'_> {
    /// The two paths of the text.
    pub(super) fn pair(&self) -> (&[u8], &[u8]) {
        let end = self.text.iter().position(|byte| *byte == 0).unwrap_or(self.text.len());
        (&self.text[..end], self.text.get(end + 1..).unwrap_or_default())
    }
}

impl Log {
    /// An empty log for a command with these directories of its own.
    pub(super) fn new(own: &[&Path]) -> io::Result<Self> {
        let file = os::memory_file(c"tryall-seen")?;
        file.set_len(SIZE)?;
        let mut names = Vec::new();
        for dir in own {
            names.extend_from_slice(dir.as_os_str().as_bytes());
            names.push(0);
        }
        if names.len() >= OWN_SIZE {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        file.write_all_at(&names, OWN)?;
        // The command itself is expected.
        let mut head = Vec::from(MAGIC.to_ne_bytes());
        head.extend(FIRST.to_ne_bytes());
        head.extend(1u32.to_ne_bytes());
        file.write_all_at(&head, 0)?;
        Ok(Log { file })
    }

    /// The number of its descriptor.
    pub(super) fn descriptor(&self) -> i32 {
        self.file.as_raw_fd()
    }

    /// Reads everything.
    pub(super) fn read(&self) -> io::Result<Notes> {
        let mut head = [0; OWN as usize];
        self.file.read_exact_at(&mut head, 0)?;
        let used = u64_at(&head, 8);
        let end = used.clamp(FIRST, SIZE);
        let mut records = vec![0; usize::try_from(end - FIRST).expect("a log is small")];
        self.file.read_exact_at(&mut records, FIRST)?;
        let is_cut = used != end || u32_at(&head, 24) != 0 || !is_whole(&records);
        let (expected, arrived) = (u32_at(&head, 16), u32_at(&head, 20));
        Ok(Notes { expected, arrived, is_cut, records })
    }
}

impl Notes {
    /// The notes up to the first incomplete one.
    pub(super) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        let mut rest = self.records.as_slice();
        std::iter::from_fn(move || {
            let (record, after) = split(rest)?;
            rest = after;
            Some(record)
        })
    }
}

fn is_whole(mut records: &[u8]) -> bool {
    while !records.is_empty() {
        let Some((_, rest)) = split(records) else { return false };
        records = rest;
    }
    true
}

/// Splits the first record off, if it is complete.
fn split(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    if bytes.len() < RECORD {
        return None;
    }
    let size = u32_at(bytes, 0) as usize;
    let length = u32_at(bytes, 64) as usize;
    if size < RECORD || size > bytes.len() || RECORD + length > size {
        return None;
    }
    let (record, rest) = bytes.split_at(size);
    let mode = u32_at(record, 12);
    let found = (mode != 0).then(|| Stamp {
        device: u64_at(record, 16),
        inode: u64_at(record, 24),
        mode,
        size: u64_at(record, 32),
        modified: (u64_at(record, 40).cast_signed(), u32_at(record, 56)),
        changed: (u64_at(record, 48).cast_signed(), u32_at(record, 60)),
    });
    let record = Record {
        kind: Kind::of(u32_at(record, 4))?,
        error: u32_at(record, 8).cast_signed(),
        found,
        image: u32_at(record, 68),
        text: &record[RECORD..RECORD + length],
        bytes: &record[4..],
    };
    Some((record, rest))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four bytes are four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight bytes are eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_log_expects_the_command_and_holds_nothing() {
        let log = Log::new(&[Path::new("/own")]).unwrap();
        let notes = log.read().unwrap();
        assert_eq!((notes.expected, notes.arrived, notes.is_cut), (1, 0, false));
        assert_eq!(notes.records().count(), 0);
    }

    #[test]
    fn an_incomplete_record_is_noticed() {
        let log = Log::new(&[]).unwrap();
        log.file.write_all_at(&(FIRST + 80).to_ne_bytes(), 8).unwrap();
        assert!(log.read().unwrap().is_cut);
        log.file.write_all_at(&80u32.to_ne_bytes(), FIRST).unwrap();
        assert!(log.read().unwrap().is_cut, "it has a size, but no kind yet");
        log.file.write_all_at(&(Kind::Started as u32).to_ne_bytes(), FIRST + 4).unwrap();
        log.file.write_all_at(&3u32.to_ne_bytes(), FIRST + 64).unwrap();
        log.file.write_all_at(b"/ab", FIRST + 72).unwrap();
        let notes = log.read().unwrap();
        let record = notes.records().next().unwrap();
        assert_eq!((notes.is_cut, record.kind, record.text), (false, Kind::Started, &b"/ab"[..]));
    }
}
