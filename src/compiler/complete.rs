//! Whether a compiler has written all of its output. One that says so, and has not, leaves an
//! object file that does not link or a program that dies, and both would pass for a no.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// How much there is of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// All that can be told, which of a file that is not ELF is nothing.
    All,
    /// Less than it says of itself.
    Part,
    /// No file, or an empty one.
    Nothing,
}

const MAGIC: [u8; 4] = *b"\x7fELF";

/// The sizes of an entry in the table of sections, of 32 and of 64 bits.
const SECTION_SIZES: [u64; 2] = [40, 64];

/// Looks at a file. What is no plain file has no length, and so is nothing.
pub fn look(path: &Path) -> Written {
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_file() && meta.len() > 0 => {}
        _ => return Written::Nothing,
    }
    match File::open(path).and_then(|mut file| is_whole(&mut file)) {
        Ok(true) => Written::All,
        Ok(false) => Written::Part,
        // It cannot be read, but the caller's program need not be readable.
        Err(_) => Written::All,
    }
}

/// Whether all sections and segments that an ELF file says it has are there.
fn is_whole(file: &mut File) -> io::Result<bool> {
    let length = file.metadata()?.len();
    let mut head = Vec::new();
    file.take(64).read_to_end(&mut head)?;
    if !head.starts_with(&MAGIC[..head.len().min(4)]) {
        return Ok(true);
    }
    let Some(header) = Header::read(&head) else { return Ok(false) };
    let fits = |start: u64, size: u64| start.checked_add(size).is_some_and(|end| end <= length);
    // All are of 16 bits, so that the products are small.
    let sections = header.section_size * header.sections;
    let segments = header.segment_size * header.segments;
    if !fits(header.sections_at, sections) || !fits(header.segments_at, segments) {
        return Ok(false);
    }
    if header.sections == 0 || !SECTION_SIZES.contains(&header.section_size) {
        return Ok(true);
    }
    file.seek(SeekFrom::Start(header.sections_at))?;
    let mut table = Vec::new();
    file.take(sections).read_to_end(&mut table)?;
    let entry = if header.is_64 { 64 } else { 40 };
    Ok(table.chunks_exact(entry).all(|entry| {
        header.section(entry).is_some_and(|(kind, at, size)| kind == NO_BITS || fits(at, size))
    }))
}

/// The kind of a section that takes no room in the file.
const NO_BITS: u64 = 8;

/// What is needed of a file's header.
struct Header {
    is_64: bool,
    is_little: bool,
    sections_at: u64,
    section_size: u64,
    sections: u64,
    segments_at: u64,
    segment_size: u64,
    segments: u64,
}

impl Header {
    fn read(head: &[u8]) -> Option<Self> {
        let is_64 = *head.get(4)? == 2;
        let is_little = *head.get(5)? == 1;
        let number = |at, size| number(head, at, size, is_little);
        let (word, start) = if is_64 { (8, 0x20) } else { (4, 0x1c) };
        let counts = if is_64 { 0x36 } else { 0x2a };
        Some(Header {
            is_64,
            is_little,
            segments_at: number(start, word)?,
            sections_at: number(start + word, word)?,
            segment_size: number(counts, 2)?,
            segments: number(counts + 2, 2)?,
            section_size: number(counts + 4, 2)?,
            sections: number(counts + 6, 2)?,
        })
    }

    /// The kind of a section, where it begins, and its size.
    fn section(&self, entry: &[u8]) -> Option<(u64, u64, u64)> {
        let number = |at, size| number(entry, at, size, self.is_little);
        let (word, at) = if self.is_64 { (8, 0x18) } else { (4, 0x10) };
        Some((number(4, 4)?, number(at, word)?, number(at + word, word)?))
    }
}

fn number(bytes: &[u8], at: usize, size: usize, is_little: bool) -> Option<u64> {
    let bytes = bytes.get(at..at + size)?;
    let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    Some(if is_little { bytes.iter().rev().fold(0, fold) } else { bytes.iter().fold(0, fold) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_whole_and_no_part_of_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("program");
        let whole = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(look(&path), Written::Nothing);
        std::fs::write(&path, &whole).unwrap();
        assert_eq!(look(&path), Written::All);
        for length in [whole.len() - 1, whole.len() / 2, 1000, 64, 63, 20, 5, 4, 3, 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(look(&path), Written::Part, "{length}");
        }
        for (text, expected) in
            [("", Written::Nothing), ("#!/bin/sh\n", Written::All), ("E", Written::All)]
        {
            std::fs::write(&path, text).unwrap();
            assert_eq!(look(&path), expected, "{text:?}");
        }
    }
}
