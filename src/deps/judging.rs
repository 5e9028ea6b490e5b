//! What one note about a command means by itself, whatever else was noted.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::rc::Rc;

use super::log::{Kind, Record};
use super::programs::{self, Special};
use super::recorder::{Known, Place};
use super::sight::SightId;
use crate::os::{self, Found, Look};

/// The most links on the way to a file.
const MOST_LINKS: u32 = 40;

/// What a note means by itself.
#[derive(Debug, Default)]
pub(super) struct Noted {
    pub sights: Vec<(Place, SightId)>,
    pub whole_environment: bool,
    pub gap: Option<String>,
    /// The path, if it says what machine this is.
    pub about_machine: Option<OsString>,
}

/// What a note about a path means.
pub(super) fn judge(record: &Record<'_>, known: &mut Known) -> Noted {
    let (path, second) = record.pair();
    let mut noted = Noted::default();
    let special = programs::special(path);
    let shown = || shown(path);
    match (record.kind, special) {
        (Kind::Written, _) => {
            noted.gap = Some(format!("the command writes files of its own: {}", shown()));
        }
        (Kind::Removed, _) => noted.gap = Some(format!("the command removes files: {}", shown())),
        (Kind::Failed, _) => {
            let error = std::io::Error::from_raw_os_error(record.error);
            noted.gap = Some(format!("the command could not look at {}: {error}", shown()));
        }
        (Kind::Changing, _) => {
            noted.gap = Some(format!("{} changed while the command ran", shown()));
        }
        (_, Some(Special::Harmless)) | (Kind::Link, Some(Special::Descriptor)) => {}
        (_, Some(Special::Descriptor)) => {
            noted.gap = Some(format!("the command reads an open file: {}", shown()));
        }
        _ if record.found.is_some_and(|stamp| programs::is_common_device(path, &stamp)) => {}
        _ if record.found.is_some_and(|stamp| stamp.is_pipe()) => {
            noted.gap = Some(format!("{} is a pipe or socket, and others may answer", shown()));
        }
        (_, Some(Special::Environment)) => noted.whole_environment = true,
        (_, Some(Special::Machine)) => {
            noted.about_machine = Some(OsStr::from_bytes(path).to_os_string());
        }
        (kind, Some(Special::Unknown)) if !has_contents(kind, record) => {
            noted.sights.push(known.sight(
                OsStr::from_bytes(path).into(),
                Look::Follow,
                found(record),
            ));
        }
        (_, Some(Special::Unknown)) => noted.gap = Some(format!("the command reads {}", shown())),
        (Kind::RealPath, None) => {
            let result = (record.error == 0).then_some(second);
            match walk(path, result, known) {
                Some(sights) => noted.sights = sights,
                None => noted.gap = Some(format!("{} changed while the command ran", shown())),
            }
        }
        (kind, None) => {
            let look = match kind {
                Kind::Link => Look::Link,
                Kind::List => Look::List,
                _ => Look::Follow,
            };
            noted.sights.push(known.sight(OsStr::from_bytes(path).into(), look, found(record)));
        }
    }
    noted
}

/// Whether the look showed more than whether something is there.
fn has_contents(kind: Kind, record: &Record<'_>) -> bool {
    kind != Kind::Follow || record.found.is_some_and(|stamp| !stamp.is_dir())
}

fn found(record: &Record<'_>) -> Found {
    match (record.found, record.error) {
        (Some(stamp), _) => Found::Stamp(stamp),
        (None, libc::ENOENT) => Found::Nothing,
        (None, error) => Found::Denied(error),
    }
}

/// Walks along all links of a path, as `realpath` does. Returns `None` if it does not come to the
/// same result.
pub(super) fn walk(
    path: &[u8],
    result: Option<&[u8]>,
    known: &mut Known,
) -> Option<Vec<(Place, SightId)>> {
    let mut sights = Vec::new();
    let mut links = 0;
    let mut at = PathBuf::from("/");
    let components = |path: &[u8]| {
        let parts =
            path.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".");
        parts.rev().map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    let mut ahead = components(path);
    while let Some(part) = ahead.pop() {
        if part == b".." {
            at.pop();
            continue;
        }
        let next = at.join(OsString::from_vec(part));
        let found = os::look(next.as_os_str(), Look::Link);
        let next_path: Rc<OsStr> = next.as_os_str().into();
        sights.push(known.sight(next_path, Look::Link, found));
        match found {
            Found::Stamp(stamp) if stamp.is_link() => {
                links += 1;
                let target = std::fs::read_link(&next).ok().filter(|_| links <= MOST_LINKS)?;
                if target.is_absolute() {
                    at = PathBuf::from("/");
                }
                ahead.extend(components(target.as_os_str().as_bytes()));
            }
            Found::Stamp(_) => at = next,
            _ => return result.is_none().then_some(sights),
        }
    }
    match result {
        Some(result) => (at.as_os_str().as_bytes() == result).then_some(sights),
        // It failed although everything is there: a file in the place of a directory.
        None => path.ends_with(b"/").then_some(sights),
    }
}

/// What is said of a function whose looks cannot be seen.
pub(super) fn unseen(name: &str) -> String {
    match name {
        "connect" | "sendto" => {
            "the command talks to another process, which may look at files".into()
        }
        "native" => "the command asks the processor what it is (native)".into(),
        "LOCPATH" | "GCONV_PATH" | "OUTPUT_CHARSET" => {
            format!("{name} changes where languages come from")
        }
        "ctime" | "ctime_r" | "localtime" | "localtime_r" | "tzset" | "mktime" => {
            "the command asks for the time".into()
        }
        "load" => "the C library loaded another library".into(),
        "dlopen" => "the command loads a library by its name alone".into(),
        _ => format!("the command may look at files that were not seen ({name})"),
    }
}

/// What is said of a program that called a function whose answer is different at every moment.
pub(super) fn momentary(function: &[u8]) -> &'static str {
    match function {
        b"statfs" => "asks how full a file system is",
        b"sysinfo" => "asks how busy the system is",
        b"kill" => "asks whether a process is there",
        _ => "asks for the time",
    }
}

/// A path, for people.
pub(super) fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}
