//! What is in a file, a link or a directory.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;

use super::look::{Look, Stamp, look, stamp};
use crate::bytes::contains;
use crate::os::Found;

/// The first half of a BLAKE3 hash of contents.
pub(crate) type Digest = [u8; 16];

/// What is known of contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contents {
    /// Nothing: it is no file, link or directory, cannot be read, or changes.
    Unknown,
    /// Their digest.
    Digest(Digest),
    /// A precompiled header or module. Clang compares the times of files with those in it.
    Dated,
}

impl Contents {
    /// The digest, if it is known.
    pub(crate) fn digest(self) -> Option<Digest> {
        match self {
            Contents::Digest(digest) => Some(digest),
            _ => None,
        }
    }
}

/// How precompiled headers and modules of Clang and GCC begin.
const DATED: [&[u8]; 2] = [b"CPCH", b"gpch"];

/// The end of the name of the section in which they are, if Clang wraps them in an object file
/// (`-gmodules`, `-fmodule-format=obj`): `__clangast`, or `clangast` for Windows.
const WRAPPED: &[u8] = b"clangast";

/// Larger files are compared by their stamps alone. The library of Clang has 120 MiB, and hashing it
/// takes as long as two checks.
const MOST: u64 = 256 << 20;

/// How much is read at once, in bytes. BLAKE3 is fastest on a few chunks of 1024 bytes.
const PIECE: usize = 64 << 10;

/// The contents of what is at a path, if it still has this stamp.
///
/// Of a directory that is not listed, nothing counts. Of one that is listed, the names and types
/// count, in the order in which the system tells them.
pub(crate) fn contents(path: &OsStr, how: Look, is: &Stamp) -> Contents {
    let digest = if is.is_file() {
        return of_file(path, is).unwrap_or(Contents::Unknown);
    } else if is.is_link() {
        std::fs::read_link(path).map(|target| digest(target.as_os_str().as_bytes()))
    } else if is.is_dir() && how != Look::List {
        return Contents::Digest(digest(b""));
    } else if is.is_dir() {
        of_listing(path)
    } else {
        return Contents::Unknown;
    };
    match digest {
        Ok(digest) if look(path, how) == Found::Stamp(*is) => Contents::Digest(digest),
        _ => Contents::Unknown,
    }
}

fn of_file(path: &OsStr, is: &Stamp) -> io::Result<Contents> {
    // A named pipe that has taken its place would block.
    let mut file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; PIECE.min(usize::try_from(is.size).unwrap_or(PIECE).max(1))];
    let is_it = |file: &File| Ok::<_, io::Error>(stamp(&file.metadata()?) == *is);
    if !is_it(&file)? {
        return Ok(Contents::Unknown);
    }
    let mut count = 0;
    let mut wrapping = None;
    loop {
        let length = file.read(&mut piece)?;
        if length == 0 {
            break;
        }
        let piece = &piece[..length];
        if count == 0 {
            if DATED.iter().any(|start| piece.starts_with(start)) {
                return Ok(Contents::Dated);
            }
            wrapping = may_be_object(piece).then(Vec::new);
        }
        if is.size > MOST {
            return Ok(Contents::Unknown);
        }
        if let Some(seam) = &mut wrapping {
            seam.extend_from_slice(&piece[..length.min(WRAPPED.len())]);
            if contains(piece, WRAPPED) || contains(seam, WRAPPED) {
                return Ok(Contents::Dated);
            }
            *seam = piece[length.saturating_sub(WRAPPED.len())..].to_vec();
        }
        hasher.update(piece);
        count += length as u64;
    }
    match count == is.size && is_it(&file)? {
        true => Ok(Contents::Digest(half(&hasher.finalize()))),
        false => Ok(Contents::Unknown),
    }
}

/// Whether a file that begins like this may be an object file: it is no text, and no program or shared
/// library of ELF, among them Clang itself.
fn may_be_object(start: &[u8]) -> bool {
    // The type of the file, in either order of bytes.
    let is_image = |kind: &[u8]| kind != [1, 0] && kind != [0, 1];
    let is_elf_image = start.starts_with(b"\x7fELF") && start.get(16..18).is_some_and(is_image);
    start.contains(&0) && !is_elf_image
}

fn of_listing(path: &OsStr) -> io::Result<Digest> {
    let mut hasher = blake3::Hasher::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        hasher.update(entry.file_name().as_bytes());
        hasher.update(&[0, u8::from(kind.is_dir()) | u8::from(kind.is_symlink()) << 1]);
    }
    Ok(half(&hasher.finalize()))
}

fn digest(bytes: &[u8]) -> Digest {
    half(&blake3::hash(bytes))
}

fn half(hash: &blake3::Hash) -> Digest {
    let mut half = [0; 16];
    half.copy_from_slice(&hash.as_bytes()[..16]);
    half
}
