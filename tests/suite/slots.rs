//! The number of concurrent compilers, set by the caller, the request, or make's jobserver, which
//! gets every token back.

use crate::processes::*;
use crate::support::*;
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A request whose compilers write a log and continue only after `meet` of them have run
/// concurrently.
pub fn request(log: &Path, meet: usize, checks: usize) -> Value {
    let checks: Vec<_> = (0..checks)
        .map(|n| json!({"id": n.to_string(), "kind": "compiles", "source": n.to_string()}))
        .collect();
    let log = format!("--fake-log={}", log.display());
    let meet = format!("--fake-meet={meet}");
    let args = [log.as_str(), &meet, "--fake-slow=20"];
    json!({"toolchains": {"c": {"command": [fakecc()], "args": args}}, "checks": checks})
}

/// Whether all checks were answered yes.
pub fn assert_complete(ran: &Ran, checks: usize) {
    assert_eq!(ran.code(), 0, "{ran:?}");
    assert_eq!(ran.json()["summary"]["yes"], checks, "{ran:?}");
}

#[test]
fn the_command_line_overrides_the_jobs_of_the_request() {
    for (option, in_request, expected) in [
        (None, Some(3), 3),
        (Some("-j2"), None, 2),
        (Some("-j4"), Some(2), 4),
        (Some("-j1"), Some(4), 1),
    ] {
        let temp = tempfile::tempdir().unwrap();
        let log = temp.path().join("log");
        let mut request = request(&log, expected, 12);
        if let Some(jobs) = in_request {
            request["jobs"] = json!(jobs);
        }
        let (mut call, stdin) = Call::check(&request);
        call.command.args(option);
        let ran = call.run_with(&stdin);
        assert_complete(&ran, 12);
        assert_eq!(most_at_once(&log), expected);
        assert_eq!(ran.json()["summary"]["jobs"], expected);
    }
}

#[test]
fn an_explicit_number_overrides_the_jobserver() {
    let server = Fifo::new(b"");
    let temp = tempfile::tempdir().unwrap();
    let log = temp.path().join("log");
    let (mut call, stdin) = Call::check(&request(&log, 3, 9));
    call.command.arg("-j3");
    let ran = call.env("MAKEFLAGS", server.flags()).run_with(&stdin);
    assert_complete(&ran, 9);
    assert_eq!((most_at_once(&log), ran.stderr.as_str()), (3, ""));
}

/// Runs GNU make on a makefile in which `TRYALL` and `BATCH` are replaced.
fn make(option: &str, makefile: &str, request: &Value) -> Ran {
    let temp = tempfile::tempdir().unwrap();
    let batch = write(temp.path(), "batch.json", &request.to_string());
    let makefile = makefile.replace("TRYALL", TRYALL).replace("BATCH", batch.to_str().unwrap());
    write(temp.path(), "Makefile", &makefile);
    let mut call = Call::new([] as [&str; 0]);
    let mut command = Command::new(need("make"));
    command.args(["-s", option, "-C"]).arg(temp.path()).env_remove("MAKEFLAGS");
    command.env("TMPDIR", call.temp.path()).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    call.command = command;
    call.run()
}

#[test]
fn slots_of_make_are_used_and_returned() {
    let temp = tempfile::tempdir().unwrap();
    let log = temp.path().join("log");
    let request = request(&log, 3, 12);
    let ran = make("-j3", "all:\n\t+TRYALL check BATCH\n", &request);
    assert_complete(&ran, 12);
    assert_eq!(most_at_once(&log), 3);
    // Make counts its tokens at the end and reports missing or extra ones.
    assert!(!ran.stderr.contains("token"), "{}", ran.stderr);
}

#[test]
fn two_batches_share_the_slots_of_one_make() {
    let temp = tempfile::tempdir().unwrap();
    let log = temp.path().join("log");
    let makefile = "all: a b\na b:\n\t+TRYALL check BATCH --output $@.json\n\
                    \tgrep -q '\"yes\": *12' $@.json || cat $@.json\n";
    let ran = make("-j3", makefile, &request(&log, 2, 12));
    assert_eq!((ran.code(), ran.stdout.as_str()), (0, ""), "{ran:?}");
    assert!(!ran.stderr.contains("token"), "{}", ran.stderr);
    assert_eq!(starts(&log), 2 * 13);
    assert!(most_at_once(&log) <= 3);
}

#[test]
fn a_missing_plus_in_the_makefile_is_reported_once() {
    let temp = tempfile::tempdir().unwrap();
    let log = temp.path().join("log");
    let ran = make("-j3", "all:\n\tTRYALL check BATCH\n", &request(&log, 1, 4));
    assert_complete(&ran, 4);
    assert_eq!(ran.stderr.matches("cannot be used").count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("Put a + before the command"), "{}", ran.stderr);
}

/// A jobserver with a named pipe, as in GNU make 4.4 and later.
pub struct Fifo {
    pipe: File,
    path: PathBuf,
    _dir: tempfile::TempDir,
}

impl Fifo {
    pub fn new(tokens: &[u8]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fifo");
        mkfifo(&path, Mode::S_IRWXU).unwrap();
        let mut pipe = File::options()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(&path)
            .unwrap();
        pipe.write_all(tokens).unwrap();
        Fifo { pipe, path, _dir: dir }
    }

    pub fn flags(&self) -> String {
        format!(" -j --jobserver-auth=fifo:{}", self.path.display())
    }

    /// The available tokens, sorted.
    pub fn tokens(mut self) -> String {
        let mut tokens = vec![0; 100];
        let count = self.pipe.read(&mut tokens).unwrap_or(0);
        tokens.truncate(count);
        tokens.sort_unstable();
        String::from_utf8(tokens).unwrap()
    }
}

#[test]
fn tokens_of_a_named_pipe_are_returned_unchanged() {
    let server = Fifo::new(b"abc");
    let temp = tempfile::tempdir().unwrap();
    let log = temp.path().join("log");
    let (call, stdin) = Call::check(&request(&log, 4, 20));
    let ran = call.env("MAKEFLAGS", server.flags()).run_with(&stdin);
    assert_complete(&ran, 20);
    assert_eq!(most_at_once(&log), 4, "three tokens, and the one that everybody has");
    assert_eq!(ran.json()["summary"]["jobs"], 4);
    assert_eq!((server.tokens().as_str(), ran.stderr.as_str()), ("abc", ""));
}

#[test]
fn unneeded_tokens_are_returned_immediately() {
    let server = Fifo::new(b"abc");
    let temp = tempfile::tempdir().unwrap();
    let log = temp.path().join("log");
    let mut request = request(&log, 1, 8);
    // It continues alone until the tokens are back.
    let forever =
        json!({"id": "LAST", "kind": "compiles", "source": "last", "args": ["--fake-hang"]});
    request["checks"].as_array_mut().unwrap().push(forever);
    let (call, stdin) = Call::check(&request);
    let mut call = call.env("MAKEFLAGS", server.flags());
    let child = call.start(&stdin);
    let ended = || {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        text.lines().filter(|line| line.starts_with("end")).count()
    };
    assert!(comes_true(|| ended() == 1 + 8));
    // The rest runs in one slot: its own, or one of the three while that one is idle.
    let available = || {
        let mut count: libc::c_int = 0;
        // SAFETY: the request writes one int.
        unsafe { libc::ioctl(server.pipe.as_raw_fd(), libc::FIONREAD, &raw mut count) };
        count
    };
    assert!(comes_true(|| available() >= 2), "{} tokens are there", available());
    signal(&child, Signal::SIGTERM);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143));
    assert_eq!(server.tokens(), "abc");
}

#[test]
fn an_interrupted_batch_returns_its_tokens() {
    for signal_sent in [Signal::SIGINT, Signal::SIGTERM] {
        let server = Fifo::new(b"abc");
        let temp = tempfile::tempdir().unwrap();
        let log = temp.path().join("log");
        let mut request = request(&log, 4, 20);
        request["toolchains"]["c"]["args"].as_array_mut().unwrap().push(json!("--fake-hang"));
        let (call, stdin) = Call::check(&request);
        let mut call = call.env("MAKEFLAGS", server.flags());
        let child = call.start(&stdin);
        assert!(comes_true(|| starts(&log) == 4));
        signal(&child, signal_sent);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(128 + signal_sent as i32));
        call.assert_clean();
        assert_eq!(server.tokens(), "abc");
    }
}

#[test]
fn without_tokens_one_command_runs_at_a_time() {
    let server = Fifo::new(b"");
    let temp = tempfile::tempdir().unwrap();
    let log = temp.path().join("log");
    let (call, stdin) = Call::check(&request(&log, 1, 6));
    let ran = call.env("MAKEFLAGS", server.flags()).run_with(&stdin);
    assert_complete(&ran, 6);
    assert_eq!(most_at_once(&log), 1);
    assert_eq!((server.tokens().as_str(), ran.stderr.as_str()), ("", ""));
}

#[test]
fn an_abandoned_named_pipe_does_not_block() {
    let server = Fifo::new(b"");
    let flags = server.flags();
    drop(server.pipe);
    let temp = tempfile::tempdir().unwrap();
    let (call, stdin) = Call::check(&request(&temp.path().join("log"), 1, 6));
    assert_complete(&call.env("MAKEFLAGS", flags).run_with(&stdin), 6);
}

#[test]
fn an_invalid_jobserver_is_reported_once_and_ignored() {
    let temp = tempfile::tempdir().unwrap();
    let file = write(temp.path(), "file", "");
    let fifo_is_a_directory = format!("fifo:{}", temp.path().display());
    for value in [
        "fifo:",
        "fifo:/no/such/pipe",
        &fifo_is_a_directory,
        "98,99",
        "x,y",
        "3",
        "3,",
        "-2,-2",
        "99999999999,4",
        "",
    ] {
        let log = temp.path().join(format!("log{}", value.len()));
        let (call, stdin) = Call::check(&request(&log, 1, 3));
        let ran = call.env("MAKEFLAGS", format!("-j --jobserver-auth={value}")).run_with(&stdin);
        assert_complete(&ran, 3);
        assert_eq!(ran.stderr.lines().count(), 1, "{value}: {}", ran.stderr);
        assert!(ran.stderr.starts_with("tryall: the jobserver in MAKEFLAGS cannot be used"));
    }
    assert_eq!(read(file.to_str().unwrap()), "");
}

#[test]
fn makeflags_without_a_jobserver_are_ignored() {
    for flags in ["", "k", " -k -- X=1", "-n --no-print-directory"] {
        let temp = tempfile::tempdir().unwrap();
        let (call, stdin) = Call::check(&request(&temp.path().join("log"), 1, 3));
        let ran = call.env("MAKEFLAGS", flags).run_with(&stdin);
        assert_complete(&ran, 3);
        assert_eq!(ran.stderr, "", "{flags}");
    }
}

/// Runs a batch with these as descriptors 97 and 98, which MAKEFLAGS names.
fn with_descriptors(read: OwnedFd, write: OwnedFd) -> Ran {
    let temp = tempfile::tempdir().unwrap();
    let (mut call, stdin) = Call::check(&request(&temp.path().join("log"), 1, 6));
    let numbers = [(read.as_raw_fd(), 97), (write.as_raw_fd(), 98)];
    // SAFETY: dup2 is async-signal-safe, and the child does not use these numbers otherwise.
    unsafe {
        call.command.pre_exec(move || {
            for (from, to) in numbers {
                nix::errno::Errno::result(libc::dup2(from, to))?;
            }
            Ok(())
        });
    }
    let ran = call.env("MAKEFLAGS", "-j --jobserver-auth=97,98").run_with(&stdin);
    assert_complete(&ran, 6);
    ran
}

#[test]
fn a_dead_jobserver_is_reported_once_and_ignored() {
    let (at_end, _) = std::io::pipe().unwrap();
    let (_kept, writer) = std::io::pipe().unwrap();
    let ran = with_descriptors(at_end.into(), writer.into());
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.starts_with("tryall: the jobserver in MAKEFLAGS cannot be used"));
}

#[test]
fn files_with_the_jobservers_descriptors_are_left_alone() {
    let temp = tempfile::tempdir().unwrap();
    let path = write(temp.path(), "file", "precious");
    let open = || File::options().read(true).write(true).open(&path).unwrap();
    let ran = with_descriptors(open().into(), open().into());
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot be used"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn a_regular_file_named_as_a_pipe_is_left_alone() {
    let temp = tempfile::tempdir().unwrap();
    let path = write(temp.path(), "file", "precious");
    let (call, stdin) = Call::check(&request(&temp.path().join("log"), 1, 3));
    let flags = format!("-j --jobserver-auth=fifo:{}", path.display());
    let ran = call.env("MAKEFLAGS", flags).run_with(&stdin);
    assert_complete(&ran, 3);
    assert!(ran.stderr.contains("is not a named pipe"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn a_full_pipe_does_not_block() {
    let mut server = Fifo::new(b"");
    while server.pipe.write(&[b'x'; 4096]).is_ok() {}
    let flags = server.flags();
    let temp = tempfile::tempdir().unwrap();
    let log = temp.path().join("log");
    let (call, stdin) = Call::check(&request(&log, 2, 12));
    let mut call = call.env("MAKEFLAGS", flags);
    let mut child = call.start(&stdin);
    let mut ends = false;
    assert!(comes_true(|| {
        // The pipe has no room for returned tokens.
        let _ = server.pipe.write(b"x");
        ends = child.try_wait().unwrap().is_some();
        ends
    }));
    assert_complete(&Ran::from(child.wait_with_output().unwrap()), 12);
    call.assert_clean();
}
