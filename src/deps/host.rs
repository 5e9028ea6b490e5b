//! The names of the machine, as a variable that answers rest on.

use std::ffi::{OsStr, OsString};

use crate::os;

/// Stands for the names of the machine and its kernel among the variables. No variable has a "="
/// there. The same as in `preload/other.c`.
pub(crate) const HOST: &str = "host=";

/// What `uname` says, under [`HOST`].
pub(crate) fn variable() -> (OsString, OsString) {
    (HOST.into(), os::host_names().join(OsStr::new("\n")))
}

/// A variable that an answer rests on, for people.
pub(crate) fn shown(name: &OsStr) -> String {
    if name == HOST {
        "the name or kernel of the machine".into()
    } else {
        format!("the variable {}", name.to_string_lossy())
    }
}
