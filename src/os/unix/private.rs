//! Directories and files that only this user can have written.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Who can change what is in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DirOwner {
    /// Only this user.
    User,
    /// Other users too: they may write to it.
    Everybody,
    /// Another user owns it, or owns the link that leads to it.
    Other,
    /// There is a file in its place.
    NotADirectory,
    /// There is nothing.
    Missing,
}

/// Who can change what is in a directory. A link to it is followed if `follow` is set, and then
/// must belong to this user or to root.
///
/// # Errors
///
/// If the path cannot be looked at.
pub(crate) fn dir_owner(path: &Path, follow: bool) -> io::Result<DirOwner> {
    let mut entry = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(DirOwner::Missing),
        entry => entry?,
    };
    if entry.is_symlink() && follow {
        if !is_own(&entry) && entry.uid() != 0 {
            return Ok(DirOwner::Other);
        }
        entry = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(DirOwner::NotADirectory);
            }
            entry => entry?,
        };
    }
    Ok(match () {
        () if !entry.is_dir() => DirOwner::NotADirectory,
        () if !is_own(&entry) => DirOwner::Other,
        () if entry.mode() & 0o022 != 0 => DirOwner::Everybody,
        () => DirOwner::User,
    })
}

/// Takes all permissions on a directory from other users, if it belongs to this user.
pub(crate) fn make_private(dir: &Path) {
    if fs::symlink_metadata(dir).is_ok_and(|entry| is_own(&entry) && entry.mode() & 0o077 != 0) {
        let _ = fs::set_permissions(dir, fs::Permissions::from_mode(0o700));
    }
}

/// Whether a directory belongs to this user or to root. Files that root makes in a directory of
/// another user would get in that user's way.
pub(crate) fn is_own_or_roots(dir: &Path) -> bool {
    fs::metadata(dir).is_ok_and(|entry| is_own(&entry) || entry.uid() == 0)
}

/// Opens a file for reading that no other user can have written. Does not follow a link and does
/// not wait for the other end of a pipe.
///
/// # Errors
///
/// If the file cannot be opened, is not a regular file, belongs to another user, or may be written
/// by others.
pub(crate) fn open_own(path: &Path) -> io::Result<File> {
    let flags = libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let entry = file.metadata()?;
    if entry.is_file() && is_own(&entry) && entry.mode() & 0o022 == 0 {
        Ok(file)
    } else {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

/// Reads a part of a file.
///
/// # Errors
///
/// If the file cannot be read or ends before the buffer is full.
pub(crate) fn read_at(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
    file.read_exact_at(buffer, offset)
}

/// The bytes of a path or of a variable, as this system spells them.
pub(crate) fn bytes_of(text: &OsStr) -> &[u8] {
    text.as_bytes()
}

/// A path or a variable from its bytes.
pub(crate) fn from_bytes(bytes: Vec<u8>) -> OsString {
    OsString::from_vec(bytes)
}

/// Whether a file belongs to the effective user.
pub(crate) fn is_own(entry: &Metadata) -> bool {
    entry.uid() == nix::unistd::geteuid().as_raw()
}
