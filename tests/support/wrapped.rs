//! The fake compiler as a wrapper of a real one. The environment controls it, so that the request
//! and the right answers stay the same.
//!
//! * `FAKE_REAL`: the real compiler, which runs at the end unless a request ends the process first.
//! * `FAKE_REQUESTS`: requests without `--fake-`, one per line.
//! * `FAKE_WHEN`: misbehave only for sources that contain this word.
//! * `FAKE_BUDGET`: a directory; each misbehaviour consumes a file in it, and stops when there is
//!   none.

use std::ffi::CString;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

/// The environment's requests for a call with these arguments.
pub fn requests(args: &[String]) -> Vec<String> {
    let Ok(requests) = std::env::var("FAKE_REQUESTS") else { return Vec::new() };
    if let Ok(word) = std::env::var("FAKE_WHEN")
        && !sources(args).any(|text| text.contains(&word))
    {
        return Vec::new();
    }
    if let Ok(budget) = std::env::var("FAKE_BUDGET") {
        let mut files = fs::read_dir(budget).into_iter().flatten().flatten();
        // If several processes want the same file, only one gets it.
        if !files.any(|file| fs::remove_file(file.path()).is_ok()) {
            return Vec::new();
        }
    }
    requests.lines().map(|line| format!("--fake-{line}")).collect()
}

fn sources(args: &[String]) -> impl Iterator<Item = String> {
    let endings = [".c", ".C", ".cpp", ".cxx", ".f90", ".F90"];
    let named = args.iter().filter(move |arg| endings.iter().any(|end| arg.ends_with(end)));
    named.filter_map(|name| fs::read(name).ok()).map(|text| String::from_utf8_lossy(&text).into())
}

/// Runs the real compiler and returns its status. Dies by the same signal.
pub fn run(real: &str, args: &[String]) -> i32 {
    let own = args.iter().filter(|arg| !arg.starts_with("--fake-"));
    let status = Command::new(real).args(own).status().expect("FAKE_REAL is a compiler");
    if let Some(signal) = status.signal() {
        crate::send_oneself(signal);
    }
    status.code().unwrap_or(1)
}

/// Truncates the output file to this percentage.
pub fn truncate(output: Option<&Path>, percent: u64) {
    let Some(file) = output.and_then(|path| File::options().write(true).open(path).ok()) else {
        return;
    };
    let length = file.metadata().unwrap().len();
    file.set_len((length * percent / 100).max(1)).unwrap();
}

/// Makes the output file a terabyte long and sparse.
pub fn stretch(output: Option<&Path>) {
    if let Some(file) = output.and_then(|path| File::options().write(true).open(path).ok()) {
        file.set_len(1 << 40).unwrap();
    }
}

/// Creates a named pipe instead of the output; reading it blocks forever.
pub fn leave_a_pipe(output: Option<&Path>) {
    let Some(output) = output else { return };
    let path = CString::new(output.as_os_str().as_bytes()).unwrap();
    // SAFETY: the path is NUL-terminated.
    unsafe { libc::mkfifo(path.as_ptr(), 0o600) };
}

/// Creates an inaccessible directory with a file in it.
pub fn seal() {
    fs::create_dir_all("sealed/inner").unwrap();
    fs::write("sealed/inner/file", "x").unwrap();
    for directory in ["sealed/inner", "sealed"] {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o000)).unwrap();
    }
}

/// Allocates this much memory and touches all of it.
pub fn eat(bytes: u64) {
    let memory = vec![1u8; usize::try_from(bytes).unwrap()];
    assert!(std::hint::black_box(memory).iter().all(|&byte| byte == 1));
}
