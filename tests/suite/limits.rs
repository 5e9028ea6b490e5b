//! Limits of the system, above all on open files: they bound what runs at once, and what they
//! make impossible is an error.

use crate::processes::*;
use crate::slots::{Fifo, assert_complete, request};
use crate::support::*;
use serde_json::json;
use std::os::unix::process::CommandExt;

/// A limit on open files, which can be raised again up to `most`.
fn open_files(now: u64, most: u64) -> libc::rlimit {
    libc::rlimit { rlim_cur: now, rlim_max: most }
}

/// Gives a call so many open files.
fn limited(mut call: Call, files: u64) -> Call {
    // SAFETY: setrlimit is async-signal-safe, and the limit outlives the call.
    unsafe {
        call.command.pre_exec(move || {
            let limit = open_files(files, files);
            match libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        });
    }
    call
}

#[test]
fn no_more_run_at_once_than_may_have_their_files_open() {
    for (files, expected) in [(64, 8), (35, 1)] {
        let temp = tempfile::tempdir().unwrap();
        let log = temp.path().join("log");
        let (call, stdin) = Call::check(&request(&log, expected, 40));
        let ran = limited(call.arg("-j2000"), files).run_with(&stdin);
        assert_complete(&ran, 40);
        assert_eq!(most_at_once(&log), expected);
        assert_eq!(ran.json()["summary"]["jobs"], expected);
        assert_eq!(ran.stderr, "");
    }
}

#[test]
fn a_jobserver_lends_no_more_than_may_have_their_files_open() {
    let server = Fifo::new(b"abcdefghijklmnopqrst");
    let temp = tempfile::tempdir().unwrap();
    let log = temp.path().join("log");
    let (call, stdin) = Call::check(&request(&log, 8, 40));
    let call = call.env("MAKEFLAGS", server.flags());
    let ran = limited(call, 64).run_with(&stdin);
    assert_complete(&ran, 40);
    assert_eq!(most_at_once(&log), 8);
    assert_eq!((server.tokens().as_str(), ran.stderr.as_str()), ("abcdefghijklmnopqrst", ""));
}

#[test]
fn many_jobs_on_few_files_are_all_answered() {
    let temp = tempfile::tempdir().unwrap();
    let log = temp.path().join("log");
    let mut request = request(&log, 56, 300);
    request["jobs"] = json!(2000);
    let (call, stdin) = Call::check(&request);
    assert_complete(&limited(call, 256).run_with(&stdin), 300);
}

/// Runs a batch of one program, for whose start there are no descriptors until `give_back`
/// returns.
fn starved(give_back: impl FnOnce()) -> Ran {
    let temp = tempfile::tempdir().unwrap();
    let log = temp.path().join("log");
    let args = [format!("--fake-log={}", log.display()), "--fake-slow=300".into()];
    let request = json!({
        "jobs": 1,
        "toolchains": {"c": {"command": [fakecc()], "args": args}},
        "checks": [{"id": "A", "kind": "runs", "source": "x"}],
    });
    let (mut call, stdin) = Call::check(&request);
    let child = call.start(&stdin);
    let set = |limit: libc::rlimit| {
        let pid = child.id().cast_signed();
        // SAFETY: the new limit is a live variable, and the old one is not asked for.
        let done = unsafe {
            libc::prlimit(pid, libc::RLIMIT_NOFILE, &raw const limit, std::ptr::null_mut())
        };
        assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
    };
    let ended = || {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        text.lines().filter(|line| line.starts_with("end")).count()
    };
    // The probes of compiling and of linking, and the check's own compiler.
    assert!(comes_true(|| starts(&log) == 3));
    set(open_files(3, 256));
    assert!(comes_true(|| ended() == 3));
    give_back();
    set(open_files(256, 256));
    let ran = Ran::from(child.wait_with_output().unwrap());
    call.assert_clean();
    ran
}

#[test]
fn a_start_that_lacks_descriptors_is_tried_again() {
    let ran = starved(|| std::thread::sleep(std::time::Duration::from_millis(500)));
    assert_eq!(ran.result("A")["value"], json!({"exit_status": 0, "stdout": "hello\n"}), "{ran:?}");
}

#[test]
fn a_start_that_goes_on_lacking_descriptors_is_an_error() {
    let ran = starved(|| std::thread::sleep(std::time::Duration::from_secs(4)));
    assert_eq!((ran.code(), ran.answer("A").as_str()), (3, "error"), "{ran:?}");
    let result = ran.result("A");
    let reason = result["reason"].as_str().unwrap();
    assert!(reason.contains("could not be started"), "{reason}");
    assert!(reason.contains("Too many open files"), "{reason}");
}
