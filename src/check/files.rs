//! Files of the caller's, or of a compiler, that may be something else than plain ones.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// So much of a source is compared with the compiler's words.
const MOST_SOURCE: u64 = 16 << 20;

/// Copies a file. To a named pipe it would wait for a reader, and everything else with it.
pub(crate) fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    if fs::metadata(to).is_ok_and(|there| !there.is_file()) {
        return Err(io::Error::other("it is no plain file"));
    }
    fs::copy(from, to).map(drop)
}

/// The text of a source, which may be a file of the caller's: a named pipe, or one without an end.
pub(crate) fn source_text(path: &Path) -> String {
    let is_plain = fs::metadata(path).is_ok_and(|meta| meta.is_file());
    let mut bytes = Vec::new();
    if is_plain && let Ok(file) = File::open(path) {
        let _ = file.take(MOST_SOURCE).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
