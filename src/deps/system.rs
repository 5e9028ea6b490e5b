//! What commands ask the system besides files and variables, and what answers rest on like on a
//! variable: the names of the machine, and who the user is.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::os;

/// Stands for the names of the machine and its kernel among the variables. No variable has a "="
/// there. The same as in `preload/other.c`.
const HOST: &str = "host=";
/// Stands for what the system knows of the user who runs the command.
const USER: &str = "user=";

/// All such names.
pub(crate) const ALL: [&str; 2] = [HOST, USER];

/// Whether a name among the variables stands for something else.
pub(crate) fn is_asked(name: &[u8]) -> bool {
    ALL.iter().any(|it| it.as_bytes() == name)
}

/// What the system says now. `None` if the name is one of a variable.
pub(crate) fn asked(name: &[u8]) -> Option<OsString> {
    match name {
        _ if name == HOST.as_bytes() => Some(os::host_names().join(OsStr::from_bytes(b"\n"))),
        _ if name == USER.as_bytes() => Some(os::user_entry()),
        _ => None,
    }
}

/// The variable or what its name stands for, for people.
pub(crate) fn shown(name: &OsStr) -> String {
    match name.as_bytes() {
        name if name == HOST.as_bytes() => "the name or kernel of the machine".into(),
        name if name == USER.as_bytes() => "the user's entry in the system's list of users".into(),
        _ => format!("the variable {}", name.to_string_lossy()),
    }
}
