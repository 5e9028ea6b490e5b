//! Mounts over directories.

use std::ffi::CString;
use std::io;
use std::path::Path;
use std::ptr;

fn text(path: &Path) -> CString {
    CString::new(path.to_str().expect("paths of the world are text")).expect("without NUL")
}

/// Mounts a directory over another one.
pub fn bind(what: &Path, over: &Path) -> io::Result<()> {
    let (what, over) = (text(what), text(over));
    // SAFETY: both strings are NUL-terminated and alive; a bind mount needs neither type nor data.
    let done = unsafe {
        libc::mount(what.as_ptr(), over.as_ptr(), ptr::null(), libc::MS_BIND, ptr::null())
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Takes the last mount off a directory.
pub fn unmount(place: &Path) -> io::Result<()> {
    let place = text(place);
    // SAFETY: the string is NUL-terminated and alive.
    let done = unsafe { libc::umount2(place.as_ptr(), libc::MNT_DETACH) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Takes all mounts off a directory. Without any, nothing happens. Links are not followed.
pub fn unmount_all(place: &Path) {
    while !place.is_symlink() && unmount(place).is_ok() {}
}
