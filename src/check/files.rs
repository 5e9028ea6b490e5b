//! Reads and copies files that may not be regular files.

use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// No more of a source is read, in bytes.
const MOST_SOURCE: u64 = 16 << 20;

/// Copies a file. Refuses a named pipe, because opening one would block until it has a reader.
pub(crate) fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    refuse_special(to)?;
    fs::copy(from, to).map(drop)
}

/// Writes a file with these permissions, as [`copy_file`] would.
pub(crate) fn write_file(to: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    refuse_special(to)?;
    fs::write(to, bytes)?;
    fs::set_permissions(to, Permissions::from_mode(mode))
}

fn refuse_special(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(there) if !there.is_file() => Err(io::Error::other("it is not a regular file")),
        _ => Ok(()),
    }
}

/// The beginning of a source; empty if it is not a regular file. The caller's file may be a named
/// pipe or endless.
pub(crate) fn source_bytes(path: &Path) -> Vec<u8> {
    let is_plain = fs::metadata(path).is_ok_and(|meta| meta.is_file());
    let mut bytes = Vec::new();
    if is_plain && let Ok(file) = File::open(path) {
        let _ = file.take(MOST_SOURCE + 1).read_to_end(&mut bytes);
    }
    bytes
}

/// The same as text.
pub(crate) fn source_text(path: &Path) -> String {
    String::from_utf8_lossy(&source_bytes(path)).into_owned()
}
