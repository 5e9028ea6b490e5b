//! The parts of a segment file and how they are written.
//!
//! ```text
//! magic, 16 bytes · number of the segment, 16 random bytes
//! blobs: pages of sights, lists of sights, lists of variables, records
//! index: 20 bytes for each record, sorted
//! pages: 8 bytes for each page of sights, where it is
//! tail: offset of the index, records, answers, sights: 4 bytes each · checksum, 16 bytes
//! ```
//!
//! A blob is encoded with postcard and followed by a checksum of 16 bytes. That of the tail covers
//! the pages as well. Each checksum covers the number of the segment and the offset too: a blob of
//! another segment, or one in another place, does not fit. The index needs no checksum, and reading
//! it costs nothing else: it only says where a record may be, and the record says which key it
//! belongs to. Numbers outside blobs are little-endian.

use serde::{Deserialize, Serialize};

use super::Key;
use crate::os::{Digest, Found, Look};

/// The beginning of each file. Changes with the format, as does the name of the directory.
pub(super) const MAGIC: [u8; 16] = *b"tryall store v2\n";

/// The length of magic and number.
pub(super) const HEAD: usize = 32;

/// The length of the tail.
pub(super) const TAIL: usize = 32;

/// The length of a checksum.
pub(super) const CHECKSUM: usize = 16;

/// The length of a record's entry in the index.
pub(super) const ENTRY: usize = 20;

/// The length of a page's entry in the list of pages.
pub(super) const PAGE_ENTRY: usize = 8;

/// How many sights a page has. An answer rests on a few hundred, mostly neighbours.
pub(super) const PAGE: usize = 64;

/// No file may be longer, in bytes.
pub(super) const MAX_FILE: u64 = 256 << 20;

/// The number of a segment.
pub(super) type Id = [u8; 16];

/// Where a blob is: its offset in the file, and its length without the checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Extent {
    pub offset: u32,
    pub len: u32,
}

/// What a segment says about a key.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record<'a> {
    pub key: [u8; 32],
    /// The id of the check that asked first.
    pub label: &'a str,
    /// When the compiler gave the answer, in seconds since 1970.
    pub when: u64,
    #[serde(borrow)]
    pub body: Body<'a>,
}

/// An answer, or why there is none.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Body<'a> {
    /// An answer.
    Answer {
        /// The list of the sights it rests on.
        sights: Extent,
        /// The variables it rests on.
        variables: Extent,
        /// What the engine wrote.
        #[serde(with = "byte_slice")]
        payload: &'a [u8],
    },
    /// The answer could not be kept.
    NotKept {
        /// Why, for people.
        reason: &'a str,
    },
}

/// A sight as a page holds it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WrittenSight<'a> {
    #[serde(with = "byte_slice")]
    pub path: &'a [u8],
    pub look: Look,
    pub found: Found,
    pub contents: Option<Digest>,
}

/// A record's entry in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// The first 8 bytes of the key.
    pub prefix: u64,
    /// Where the record is.
    pub extent: Extent,
    /// When the record was written or, after that, promoted: in seconds since 1970.
    pub used: u32,
}

impl Entry {
    pub(super) fn encode(self) -> [u8; ENTRY] {
        let mut bytes = [0; ENTRY];
        bytes[..8].copy_from_slice(&self.prefix.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.extent.offset.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.extent.len.to_le_bytes());
        bytes[16..].copy_from_slice(&self.used.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8; ENTRY]) -> Entry {
        Entry {
            prefix: u64::from(number(bytes, 0)) | u64::from(number(bytes, 4)) << 32,
            extent: Extent { offset: number(bytes, 8), len: number(bytes, 12) },
            used: number(bytes, 16),
        }
    }
}

/// The number at an offset, which is inside the bytes.
pub(super) fn number(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}

/// The part of a key that the index holds. Records hold all of it.
pub(super) fn prefix(key: &Key) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&key.0[..8]);
    u64::from_be_bytes(eight)
}

/// The checksum of what stands at an offset of a segment.
pub(super) fn checksum(id: &Id, offset: u32, bytes: &[u8]) -> [u8; CHECKSUM] {
    // As a key and not before the bytes: BLAKE3 is several times as fast on whole chunks.
    let mut key = [0; 32];
    key[..16].copy_from_slice(id);
    key[16..20].copy_from_slice(&offset.to_le_bytes());
    short(&blake3::keyed_hash(&key, bytes))
}

/// The first half of a hash: enough against accidents, and against collisions of variables' values.
pub(super) fn short(hash: &blake3::Hash) -> [u8; CHECKSUM] {
    let mut half = [0; CHECKSUM];
    half.copy_from_slice(&hash.as_bytes()[..CHECKSUM]);
    half
}

/// The numbers of sights, ascending, as differences to the number before.
pub(super) fn differences(numbers: &[u32]) -> Vec<u32> {
    let before = std::iter::once(0).chain(numbers.iter().copied());
    numbers.iter().zip(before).map(|(number, before)| number - before).collect()
}

/// The reverse of [`differences`]. `None` if a number is not below the bound.
pub(super) fn numbers(differences: &[u32], bound: u32) -> Option<Vec<u32>> {
    let mut last = 0u32;
    let next = |difference: &u32| {
        last = last.checked_add(*difference)?;
        (last < bound).then_some(last)
    };
    differences.iter().map(next).collect()
}

/// Bytes that are borrowed from what is decoded, and written in one go.
mod byte_slice {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<&'a [u8], D::Error> {
        <&[u8]>::deserialize(from)
    }
}
