//! A process between the harness and the program under test. As a subreaper it adopts processes
//! that the program leaves behind, and learns how they end. It is this test program again.

use std::ffi::{CString, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use nix::sys::signal::Signal;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};

use crate::call::{Call, Workspace};
use crate::sandbox;
use crate::support::TRYALL;

/// The variable with the name of the file that records orphans and how they ended.
const ORPHANS: &str = "HOSTILE_ORPHANS";

/// The variable with the file of a control group for the command, but not for its watcher.
pub const GROUP: &str = "HOSTILE_GROUP";

impl Workspace {
    /// `tryall check -` with more arguments under a watcher, and the file that lists survivors.
    pub fn watched(&self, args: &[&str]) -> (Call, PathBuf) {
        let orphans = self.own("orphans");
        let mut call = self.call(std::env::current_exe().unwrap());
        call.command.env(ORPHANS, &orphans).arg(TRYALL).args(["check", "-"]).args(args);
        (call, orphans)
    }
}

/// Whether a process with this name survived and was then killed.
pub fn killed(orphans: &Path, name: &str) -> bool {
    let told = fs::read_to_string(orphans).expect("the watcher writes it");
    told.lines().any(|line| line == format!("{name} SIGKILL"))
}

/// The command to watch, if this process is a watcher.
pub fn command() -> Option<Vec<OsString>> {
    std::env::var_os(ORPHANS)?;
    Some(std::env::args_os().skip(1).collect())
}

/// Runs it, waits for all processes that it leaves behind, and ends the same way as it.
pub fn watch(command: Vec<OsString>) -> ExitCode {
    let mut told = fs::File::create(std::env::var_os(ORPHANS).unwrap()).unwrap();
    nix::sys::prctl::set_child_subreaper(true).unwrap();
    let mut watched = Command::new(&command[0]);
    watched.args(&command[1..]).env_remove(ORPHANS);
    if let Some(group) = std::env::var_os(GROUP) {
        sandbox::enter_groups(&mut watched, vec![CString::new(group.into_vec()).unwrap()]);
    }
    let status = watched.spawn().unwrap().wait().unwrap();
    while let Ok(ended) = waitid(Id::All, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) {
        let pid = ended.pid().unwrap();
        // The name of a zombie is still available.
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap();
        if let WaitStatus::Signaled(_, signal, _) = waitpid(pid, None).unwrap() {
            writeln!(told, "{} {}", name.trim_end(), signal.as_str()).unwrap();
        }
    }
    if let Some(signal) = status.signal() {
        nix::sys::signal::raise(Signal::try_from(signal).unwrap()).unwrap();
    }
    ExitCode::from(u8::try_from(status.code().unwrap_or(255)).unwrap())
}
