//! Batches that end early: by a signal, because the reader goes away, or by KILL. No process keeps
//! running and no file is left.

use crate::processes::*;
use crate::support::*;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ExitStatus};

/// A running batch of the fake compiler.
struct Batch {
    call: Call,
    child: Child,
    /// The directory of the test's own files, such as the compilers' log.
    own: tempfile::TempDir,
}

impl Batch {
    /// Starts checks of a toolchain with these arguments, in which `LOG`, `PIDS` and `GO_ON` are
    /// replaced by file names.
    fn start(args: &[&str], toolchain_args: &[&str], checks: usize) -> Self {
        Batch::start_as(args, toolchain_args, checks, |_| {})
    }

    fn start_as(
        args: &[&str],
        toolchain_args: &[&str],
        checks: usize,
        change: impl FnOnce(&mut Call),
    ) -> Self {
        let own = tempfile::tempdir().unwrap();
        let file = |name: &str| own.path().join(name).to_str().unwrap().to_string();
        let toolchain_args: Vec<_> = toolchain_args
            .iter()
            .map(|arg| arg.replace("LOG", &file("log")).replace("PIDS", &file("pids")))
            .map(|arg| arg.replace("GO_ON", &file("go-on")))
            .collect();
        let checks: Vec<_> = (0..checks)
            .map(|n| json!({"id": n.to_string(), "kind": "runs", "source": n.to_string()}))
            .collect();
        let request = json!({
            "toolchains": {"c": {"command": [fakecc()], "args": toolchain_args}},
            "checks": checks,
        });
        let mut call = Call::new([&["check", "-"], args].concat());
        change(&mut call);
        let child = call.start(request.to_string().as_bytes());
        Batch { call, child, own }
    }

    fn log(&self) -> PathBuf {
        self.own.path().join("log")
    }

    /// Waits until this many compilers have started.
    fn wait_for_starts(&self, count: usize) {
        assert!(comes_true(|| starts(&self.log()) >= count), "the compilers do not start");
    }

    /// Creates the file that compilers wait for.
    fn go_on(&self) {
        std::fs::write(self.own.path().join("go-on"), "").unwrap();
    }

    /// Waits for the end and asserts that nothing is left.
    fn end(mut self) -> (ExitStatus, Self) {
        let status = self.child.wait().unwrap();
        self.assert_nothing_left();
        (status, self)
    }

    /// After KILL, the reaper needs a moment for this.
    fn assert_nothing_left(&self) {
        let left = || with_in_environment(self.call.temp.path());
        assert!(comes_true(|| left().is_empty()), "these run on: {:?}", left());
        for pid in pids(&self.own.path().join("pids")) {
            assert!(comes_true(|| !is_alive(pid)), "{pid} runs on");
        }
        self.call.assert_clean();
    }

    fn stderr(&mut self) -> String {
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }
}

/// Requests for a compiler that never ends and has children.
const HANG: [&str; 3] = ["--fake-log=LOG", "--fake-fork=PIDS", "--fake-hang"];

#[test]
fn a_signal_ends_the_batch_and_all_its_processes() {
    for (signal_sent, expected) in [
        (Signal::SIGINT, 130),
        (Signal::SIGTERM, 143),
        (Signal::SIGHUP, 129),
        (Signal::SIGQUIT, 131),
    ] {
        let batch = Batch::start(&["-j3"], &HANG, 5);
        batch.wait_for_starts(3);
        signal(&batch.child, signal_sent);
        let (status, mut batch) = batch.end();
        assert_eq!(status.code(), Some(expected), "{signal_sent}");
        assert_eq!(starts(&batch.log()), 3, "no compiler was started after the signal");
        let mut stdout = String::new();
        batch.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        assert_eq!(stdout, "", "half an answer is none");
    }
}

#[test]
fn a_signal_ends_compilers_that_ignore_it() {
    let batch = Batch::start(&["-j2"], &[&["--fake-deaf"], &HANG[..]].concat(), 3);
    batch.wait_for_starts(2);
    signal(&batch.child, Signal::SIGTERM);
    // More signals change nothing.
    signal(&batch.child, Signal::SIGTERM);
    assert_eq!(batch.end().0.code(), Some(143));
}

#[test]
fn a_signal_ends_programs_that_are_run() {
    let program = "--fake-program=sleep 3600 & echo $! >> PIDS; wait";
    let batch = Batch::start(&["-j2"], &["--fake-log=LOG", program], 2);
    let running = || pids(&batch.own.path().join("pids")).len();
    assert!(comes_true(|| running() == 2), "the programs do not start");
    signal(&batch.child, Signal::SIGINT);
    assert_eq!(batch.end().0.code(), Some(130));
}

#[test]
fn a_streamed_answer_before_a_signal_is_complete() {
    let args = ["--format=ndjson", "-j2"];
    let mut batch = Batch::start(&args, &["--fake-log=LOG", "--fake-slow=20"], 500);
    batch.wait_for_starts(20);
    signal(&batch.child, Signal::SIGINT);
    let stdout = batch.child.stdout.take().unwrap();
    let lines: Vec<_> = BufReader::new(stdout).lines().map(Result::unwrap).collect();
    assert!(!lines.is_empty());
    for line in lines {
        let line: Value = serde_json::from_str(&line).expect("whole lines");
        assert_eq!(line["status"], "yes", "no answer is made up for the others");
    }
    let (status, mut batch) = batch.end();
    assert_eq!(status.code(), Some(130));
    assert_eq!(batch.stderr(), "");
}

#[test]
fn a_signal_during_verification_is_not_a_difference() {
    // After the probes and the checks, verification is running.
    let batch = Batch::start(&["--verify"], &["--fake-log=LOG", "--fake-enough=11"], 8);
    batch.wait_for_starts(2 + 8 + 2);
    signal(&batch.child, Signal::SIGINT);
    let (status, mut batch) = batch.end();
    assert_eq!((status.code(), batch.stderr().as_str()), (Some(130), ""));
}

#[test]
fn the_batch_ends_when_its_reader_goes_away() {
    let mut batch = Batch::start(&["-j3"], &HANG, 5);
    batch.wait_for_starts(3);
    drop(batch.child.stdout.take());
    let (status, mut batch) = batch.end();
    assert_eq!(status.code(), Some(141));
    assert_eq!(batch.stderr(), "", "that is nothing to complain about");
}

#[test]
fn the_batch_ends_when_a_stream_reader_has_seen_enough() {
    let mut batch = Batch::start(&["--format=ndjson"], &["--fake-log=LOG", "--fake-slow=20"], 1000);
    let mut line = String::new();
    BufReader::new(batch.child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let first: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(first["status"], "yes");
    let (status, mut batch) = batch.end();
    assert_eq!(status.code(), Some(141));
    assert!(starts(&batch.log()) < 1000, "it went on for nobody");
    assert_eq!(batch.stderr(), "");
}

#[test]
fn a_batch_that_writes_a_file_needs_no_reader() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("answers.json");
    let args = ["--output", file.to_str().unwrap()];
    let mut batch = Batch::start(&args, &["--fake-log=LOG", "--fake-await=GO_ON"], 2);
    drop(batch.child.stdout.take());
    // By now the program has polled whether there is a reader.
    std::thread::sleep(std::time::Duration::from_millis(400));
    batch.go_on();
    assert_eq!(batch.end().0.code(), Some(0));
    let answers: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(answers["summary"]["yes"], 2);
}

#[test]
fn kill_at_any_moment_leaves_nothing() {
    // The scheduler varies the timing, so that no two rounds are alike.
    for round in 0..40 {
        let requests = ["--fake-log=LOG", "--fake-fork=PIDS", "--fake-slow=15"];
        let mut batch = Batch::start(&["-j4"], &requests, 1000);
        batch.wait_for_starts(1);
        std::thread::sleep(std::time::Duration::from_micros(round * 7_900));
        batch.child.kill().unwrap();
        let (status, _) = batch.end_of_killed();
        assert_eq!(status.code(), None, "it was still running in round {round}");
    }
}

#[test]
fn kill_leaves_no_compiler_that_ignores_signals() {
    let mut batch = Batch::start(&["-j2"], &[&["--fake-deaf"], &HANG[..]].concat(), 3);
    batch.wait_for_starts(2);
    batch.child.kill().unwrap();
    batch.end_of_killed();
}

impl Batch {
    /// Waits for the reaper, which removes the files after the compilers have ended.
    fn end_of_killed(mut self) -> (ExitStatus, Self) {
        let status = self.child.wait().unwrap();
        let is_empty = || std::fs::read_dir(self.call.temp.path()).unwrap().next().is_none();
        assert!(comes_true(is_empty), "the scratch directory stays");
        self.assert_nothing_left();
        (status, self)
    }
}

/// Starts a batch with some signals ignored, as `nohup` and the shell's `trap ''` do. It continues
/// when the file exists.
fn start_ignoring(signals: &[Signal]) -> Batch {
    let signals = signals.to_vec();
    Batch::start_as(&["-j2"], &["--fake-log=LOG", "--fake-await=GO_ON"], 8, |call| {
        // SAFETY: `signal` is async-signal-safe, and ignoring one runs no handler.
        unsafe {
            call.command.pre_exec(move || {
                for signal in &signals {
                    libc::signal(*signal as i32, libc::SIG_IGN);
                }
                Ok(())
            });
        }
    })
}

#[test]
fn signals_that_were_ignored_at_the_start_stay_ignored() {
    use Signal::*;
    for signals in [&[SIGINT][..], &[SIGHUP], &[SIGINT, SIGTERM, SIGHUP, SIGQUIT]] {
        let batch = start_ignoring(signals);
        batch.wait_for_starts(1);
        for &ignored in signals {
            signal(&batch.child, ignored);
        }
        batch.go_on();
        let (status, batch) = batch.end();
        assert_eq!(status.code(), Some(0), "{signals:?}");
        // The compile and link probes, and the checks.
        assert_eq!(starts(&batch.log()), 2 + 8);
    }
}

#[test]
fn other_signals_work_when_one_is_ignored() {
    let batch = start_ignoring(&[Signal::SIGINT]);
    batch.wait_for_starts(1);
    signal(&batch.child, Signal::SIGINT);
    signal(&batch.child, Signal::SIGTERM);
    assert_eq!(batch.end().0.code(), Some(143));
}

#[test]
fn a_caller_that_ignores_or_blocks_sigchld_still_gets_answers() {
    for block in [false, true] {
        let mut batch = Batch::start_as(&[], &["--fake-log=LOG"], 3, |call| {
            // SAFETY: these are async-signal-safe, and the set is initialised before it is used.
            unsafe {
                call.command.pre_exec(move || {
                    if block {
                        let mut set = std::mem::zeroed();
                        libc::sigemptyset(&raw mut set);
                        libc::sigaddset(&raw mut set, libc::SIGCHLD);
                        libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
                    } else {
                        libc::signal(libc::SIGCHLD, libc::SIG_IGN);
                    }
                    Ok(())
                });
            }
        });
        let ends = comes_true(|| batch.child.try_wait().unwrap().is_some());
        if !ends {
            batch.child.kill().unwrap();
        }
        assert!(ends, "it waits for a signal that does not come (blocked: {block})");
        assert_eq!(batch.end().0.code(), Some(0));
    }
}

#[test]
fn processes_that_left_their_process_group_end_too() {
    for sent in [Signal::SIGINT, Signal::SIGKILL] {
        let batch =
            Batch::start(&["-j2"], &["--fake-log=LOG", "--fake-stray=PIDS", "--fake-hang"], 3);
        batch.wait_for_starts(2);
        assert!(comes_true(|| pids(&batch.own.path().join("pids")).len() == 2));
        signal(&batch.child, sent);
        if sent == Signal::SIGKILL {
            batch.end_of_killed();
        } else {
            assert_eq!(batch.end().0.code(), Some(130));
        }
    }
}

#[test]
fn a_killed_reaper_changes_no_answer() {
    let batch = Batch::start(&["-j2"], &["--fake-log=LOG", "--fake-await=GO_ON"], 12);
    batch.wait_for_starts(1);
    let own = i32::try_from(batch.child.id()).unwrap();
    let is_guard = |pid: &i32| {
        let program = std::fs::read_link(format!("/proc/{pid}/exe"));
        *pid != own && program.is_ok_and(|program| program.as_os_str() == TRYALL)
    };
    let guard = with_in_environment(batch.call.temp.path()).into_iter().find(is_guard).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(guard), Signal::SIGKILL).unwrap();
    batch.go_on();
    assert_eq!(batch.end().0.code(), Some(0));
}
