//! Slow or stuck readers of the results: they block only the writing, and a signal still ends the
//! program.

use crate::processes::*;
use crate::support::*;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};

/// A request whose results exceed the capacity of a pipe.
fn request(log: &Path, checks: usize) -> Value {
    let filling = "x".repeat(2000);
    let checks: Vec<_> = (0..checks)
        .map(
            |n| json!({"id": n.to_string(), "kind": "compiles", "source": format!("{n}{filling}")}),
        )
        .collect();
    let args = [format!("--fake-log={}", log.display())];
    json!({"toolchains": {"c": {"command": [fakecc()], "args": args}}, "checks": checks})
}

/// The number of unread bytes in a pipe.
fn waiting(pipe: &impl AsRawFd) -> usize {
    let mut count: libc::c_int = 0;
    // SAFETY: the request writes one int.
    unsafe { libc::ioctl(pipe.as_raw_fd(), libc::FIONREAD, &raw mut count) };
    usize::try_from(count).unwrap()
}

/// The exit status after a signal; the program must end.
fn ends_by(mut child: Child, sent: Signal) -> ExitStatus {
    signal(&child, sent);
    let ends = comes_true(|| child.try_wait().unwrap().is_some());
    if !ends {
        child.kill().unwrap();
    }
    assert!(ends, "it lives on after {sent}");
    child.wait().unwrap()
}

#[test]
fn a_signal_ends_a_run_whose_results_are_not_read() {
    for sent in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
        for format in ["json", "ndjson"] {
            let own = tempfile::tempdir().unwrap();
            let log = own.path().join("log");
            let mut call = Call::new(["check", "-", "--format", format]);
            let child = call.start(request(&log, 100).to_string().as_bytes());
            let stdout = child.stdout.as_ref().unwrap();
            let is_done = || std::fs::read_dir(call.temp.path()).unwrap().next().is_none();
            // The probe and the checks are done, their files are gone, and results are being
            // written.
            assert!(comes_true(|| starts(&log) == 101 && is_done() && waiting(stdout) > 0));
            let status = ends_by(child, sent);
            assert_eq!(status.signal(), Some(sent as i32), "{format} {status:?}");
            call.assert_clean();
        }
    }
}

#[test]
fn a_signal_ignored_at_the_start_does_not_stop_writing() {
    use std::os::unix::process::CommandExt;
    let own = tempfile::tempdir().unwrap();
    let log = own.path().join("log");
    let mut call = Call::new(["check", "-"]);
    // SAFETY: `signal` is async-signal-safe, and ignoring one runs no handler.
    unsafe {
        call.command.pre_exec(|| {
            libc::signal(libc::SIGINT, libc::SIG_IGN);
            Ok(())
        });
    }
    let child = call.start(request(&log, 100).to_string().as_bytes());
    let stdout = child.stdout.as_ref().unwrap();
    assert!(comes_true(|| waiting(stdout) > 0));
    signal(&child, Signal::SIGINT);
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code(), &ran.json()["summary"]["yes"]), (0, &json!(100)));
}

#[test]
fn a_stuck_stream_reader_does_not_block_the_batch() {
    let own = tempfile::tempdir().unwrap();
    let log = own.path().join("log");
    let mut request = request(&log, 200);
    let last = json!({"id": "LAST", "kind": "compiles", "source": "last", "args": ["--fake-hang"]});
    request["checks"].as_array_mut().unwrap().push(last);
    let mut call = Call::new(["check", "-", "--format", "ndjson", "-j4"]);
    let mut child = call.start(request.to_string().as_bytes());
    let stdout = child.stdout.take().unwrap();
    assert!(comes_true(|| starts(&log) == 1 + 201), "only {} were started", starts(&log));
    assert_eq!(ends_by(child, Signal::SIGINT).code(), Some(130));
    assert!(waiting(&stdout) > 0);
    let left = with_in_environment(call.temp.path());
    assert!(left.is_empty(), "these run on: {left:?}");
    call.assert_clean();
}

#[test]
fn a_slow_stream_reader_gets_everything() {
    let own = tempfile::tempdir().unwrap();
    let log = own.path().join("log");
    let mut call = Call::new(["check", "-", "--format", "ndjson"]);
    let mut child = call.start(request(&log, 100).to_string().as_bytes());
    let mut stdout = child.stdout.take().unwrap();
    // Everything else is done before the first byte is read.
    let is_done = || std::fs::read_dir(call.temp.path()).unwrap().next().is_none();
    assert!(comes_true(|| starts(&log) == 101 && is_done()));
    let mut text = String::new();
    stdout.read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[100]["summary"]["yes"]), (101, &json!(100)));
}

#[test]
fn a_nonblocking_pipe_gets_everything() {
    for format in ["json", "ndjson"] {
        let own = tempfile::tempdir().unwrap();
        let log = own.path().join("log");
        let (mut reader, writer) = std::io::pipe().unwrap();
        fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        let mut call = Call::new(["check", "-", "--format", format]);
        call.command.stdout(writer);
        let mut child = call.start(request(&log, 100).to_string().as_bytes());
        // Until then the command holds a writing end, too.
        call.command.stdout(Stdio::null());
        // It fills the pipe before anything is read. The number of bytes depends on the sizes of
        // the writes.
        let mut before = 0;
        assert!(comes_true(|| {
            std::thread::sleep(std::time::Duration::from_millis(100));
            let now = waiting(&reader);
            std::mem::replace(&mut before, now) == now && now > 10_000
        }));
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""), "{format}");
        let last = text.lines().last().unwrap();
        assert!(last.contains("\"yes\":100") && text.ends_with("}\n"), "{last}");
        call.assert_clean();
    }
}

#[test]
fn messages_may_remain_unread() {
    let script = format!(
        "exec '{TRYALL}' check --compiler /no/such/cc --endian 2>&1 >/dev/null | true; '{TRYALL}' check --compiler /no/such/cc --endian 2>/dev/full >/dev/null"
    );
    let ran = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(ran.status.code(), Some(3), "{ran:?}");
    let refused = format!("'{TRYALL}' check /no/such/file 2>/dev/full >/dev/null");
    let ran = std::process::Command::new("sh").args(["-c", &refused]).output().unwrap();
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
}

#[test]
fn only_one_run_at_a_time_can_stream_to_a_file() {
    let own = tempfile::tempdir().unwrap();
    let (log, file) = (own.path().join("log"), own.path().join("answers"));
    let mut first = Call::new(["check", "-", "--format=ndjson", "--output"]).arg(&file);
    let mut request = request(&log, 2);
    let go_on = own.path().join("go-on");
    request["checks"][0]["args"] = json!([format!("--fake-await={}", go_on.display())]);
    let child = first.start(request.to_string().as_bytes());
    assert!(comes_true(|| starts(&log) >= 2));
    let second = Call::new(["check", "--compiler", &fakecc(), "--header=a.h", "--format=ndjson"]);
    let second = second.arg("--output").arg(&file).run();
    assert_eq!(second.code(), 3, "{second:?}");
    assert!(second.stderr.contains("another tryall is writing to it"), "{second:?}");
    std::fs::write(go_on, "").unwrap();
    assert_eq!(Ran::from(child.wait_with_output().unwrap()).code(), 0);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().count(), 3, "the first one's answers: {text}");
}
