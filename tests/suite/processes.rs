//! Finds processes and their descendants.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Whether a condition becomes true within minutes.
pub fn comes_true(mut what: impl FnMut() -> bool) -> bool {
    let patience = Instant::now() + Duration::from_secs(300);
    loop {
        if what() {
            return true;
        }
        if Instant::now() > patience {
            return false;
        }
        sleep(Duration::from_millis(5));
    }
}

/// Whether a process is running. Zombies are not.
pub fn is_alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name before the state may contain anything, even parentheses.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

pub fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id() as i32), signal).unwrap();
}

/// The process ids in a file written by the fake compiler.
pub fn pids(file: &Path) -> Vec<i32> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

/// The ids of all processes with this text in their environment: with the name of a call's
/// temporary directory, these are the call and all processes that it started.
pub fn with_in_environment(text: &Path) -> Vec<i32> {
    let text = text.as_os_str().as_bytes();
    let names = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
    let numbers = names.filter_map(|name| name.to_str()?.parse().ok());
    numbers
        .filter(|pid| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.windows(text.len()).any(|part| part == text)
        })
        .collect()
}

/// The number of fake compilers in a log.
pub fn starts(log: &Path) -> usize {
    let text = fs::read_to_string(log).unwrap_or_default();
    text.lines().filter(|line| line.starts_with("start")).count()
}

/// The maximum number of concurrent fake compilers in a log.
pub fn most_at_once(log: &Path) -> usize {
    let (mut now, mut most) = (0usize, 0);
    for line in fs::read_to_string(log).unwrap().lines() {
        if line.starts_with("start") {
            now += 1;
        } else {
            now -= 1;
        }
        most = most.max(now);
    }
    most
}
