//! Files: how to tell whether one was replaced, and how to remove directories with restricted
//! permissions.

use std::ffi::CStr;
use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// Changes when a file is replaced or written. Excludes the inode number, because some network file
/// systems change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    size: u64,
    modified: (i64, i64),
}

/// The identity of a file, following links; `None` if there is no such file.
pub(crate) fn file_identity(path: &Path) -> Option<FileIdentity> {
    let meta = fs::metadata(path).ok()?;
    Some(FileIdentity { size: meta.size(), modified: (meta.mtime(), meta.mtime_nsec()) })
}

/// Removes a directory and everything in it, even what a program has made inaccessible to its
/// owner.
pub(crate) fn remove_all(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let _ = unlock(dir);
            fs::remove_dir_all(dir)
        }
        removed => removed,
    }
}

/// Gives the owner all permissions on a directory and its subdirectories. Does not follow links.
fn unlock(dir: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(dir)?.is_dir() {
        return Ok(());
    }
    fs::set_permissions(dir, Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(dir)? {
        let _ = unlock(&entry?.path());
    }
    Ok(())
}

/// Whether a path names a pipe.
pub(crate) fn is_named_pipe(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.file_type().is_fifo())
}

/// Whether every user may rename or replace the files of others in a directory.
pub(crate) fn is_open_to_all(dir: &Metadata) -> bool {
    dir.mode() & 0o1002 == 0o002
}

/// A file that exists only in memory. Linux.
pub(crate) fn memory_file(name: &CStr) -> io::Result<File> {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::memfd::{MFdFlags, memfd_create};
        Ok(memfd_create(name, MFdFlags::MFD_CLOEXEC)?.into())
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = name;
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// The directory of this process's descriptors, as other processes see it. Linux.
pub(crate) fn descriptors() -> io::Result<String> {
    // The number of this process where /proc is mounted, which may be another namespace.
    let process = fs::read_link("/proc/self")?;
    let dir = format!("/proc/{}/fd", process.display());
    // Whether /proc is there, and shows this process to others.
    fs::metadata(&dir)?;
    Ok(dir)
}
