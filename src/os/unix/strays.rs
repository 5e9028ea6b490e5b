//! Processes that have left the group in which they were started: a shell script may put its
//! commands into groups of their own, as GNU timeout does. Linux; other systems cannot find them.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpid, getsid};

/// How often to look for strays, which may start others meanwhile.
const ROUNDS: usize = 20;

/// Kills all processes of this session that belong to a directory: it is their `TMPDIR`, or they
/// run in it. A process that left the session, such as a compiler's server, intends to live on.
pub(crate) fn kill_strays(dir: &Path) {
    let Ok(session) = getsid(None) else { return };
    for _ in 0..ROUNDS {
        let strays: Vec<_> = processes()
            .filter(|&pid| pid != getpid() && getsid(Some(pid)) == Ok(session))
            .filter(|&pid| belongs_to(pid, dir))
            .collect();
        if strays.is_empty() {
            return;
        }
        for stray in strays {
            let _ = kill(stray, Signal::SIGKILL);
        }
    }
}

/// Whether a process of this session that belongs to a directory has work to do: it runs, waits to
/// be scheduled, or waits for the disk.
pub(crate) fn is_busy(dir: &Path) -> bool {
    let Ok(session) = getsid(None) else { return false };
    processes().any(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name before the state may contain anything, even parentheses.
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['R', 'D']))
            && pid != getpid()
            && getsid(Some(pid)) == Ok(session)
            && belongs_to(pid, dir)
    })
}

fn processes() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| Some(Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)))
}

/// Whether a process belongs to a directory. A zombie belongs to none.
fn belongs_to(pid: Pid, dir: &Path) -> bool {
    if fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|place| place.starts_with(dir)) {
        return true;
    }
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let mut variables = environment.split(|byte| *byte == 0);
    variables.any(|variable| {
        variable
            .strip_prefix(b"TMPDIR=")
            .is_some_and(|place| Path::new(OsStr::from_bytes(place)).starts_with(dir))
    })
}
