//! Resource limits, above all on open files: they bound concurrency, and checks that they prevent
//! are errors.

use crate::processes::*;
use crate::protocol::{assert_valid, schema};
use crate::slots::{Fifo, assert_complete, request};
use crate::support::*;
use serde_json::json;
use std::os::unix::process::CommandExt;
use std::time::Duration;

/// A limit on open files, which can be raised to `most`.
fn open_files(now: u64, most: u64) -> libc::rlimit {
    libc::rlimit { rlim_cur: now, rlim_max: most }
}

/// Limits the open files of a call.
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
fn the_limit_on_open_files_bounds_concurrency() {
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
fn the_limit_on_open_files_bounds_jobserver_tokens() {
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

/// Runs a batch whose only program lacks descriptors to start, temporarily or permanently.
fn starved(time: Option<Duration>) -> Ran {
    let temp = tempfile::tempdir().unwrap();
    let (log, go_on) = (temp.path().join("log"), temp.path().join("go-on"));
    let request = json!({
        "jobs": 1,
        "toolchains": {"c": {
            "command": [fakecc()],
            "args": [format!("--fake-log={}", log.display())],
        }},
        "checks": [{
            "id": "A",
            "kind": "runs",
            "source": "x",
            "args": [format!("--fake-await={}", go_on.display())],
        }],
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
    // The compile and link probes, and the check's own compiler.
    assert!(comes_true(|| starts(&log) == 3));
    set(open_files(3, 256));
    std::fs::write(go_on, "").unwrap();
    if let Some(time) = time {
        std::thread::sleep(time);
        set(open_files(256, 256));
    }
    let ran = Ran::from(child.wait_with_output().unwrap());
    call.assert_clean();
    ran
}

#[test]
fn a_start_without_free_descriptors_is_retried() {
    // This lasts for two seconds.
    let ran = starved(Some(Duration::from_millis(100)));
    assert_eq!(ran.result("A")["value"], json!({"exit_status": 0, "stdout": "hello\n"}), "{ran:?}");
}

#[test]
fn a_start_that_never_gets_descriptors_is_an_error() {
    let ran = starved(None);
    assert_eq!((ran.code(), ran.answer("A").as_str()), (3, "error"), "{ran:?}");
    let result = ran.result("A");
    let reason = result["reason"].as_str().unwrap();
    assert!(reason.contains("could not be started"), "{reason}");
    assert!(reason.contains("Too many open files"), "{reason}");
}

#[test]
fn too_few_open_files_are_reported() {
    let request = json!({
        "toolchains": {"c": {"command": [fakecc()]}},
        "checks": [
            {"id": "A", "kind": "runs", "source": "x"},
            {"id": "B", "kind": "define", "name": "X"},
            {"id": "C", "kind": "compiles", "source": "REJECT"},
        ],
    });
    let response = schema("response");
    let mut answered = 0;
    for files in 4..48 {
        for format in ["json", "ndjson"] {
            let dir = tempfile::tempdir().unwrap();
            let call = Call::new(["check", "-", "--format", format]).dir(dir.path());
            let ran = limited(call, files).run_with(request.to_string().as_bytes());
            match ran.code() {
                0 => {
                    let count = |status: &str| {
                        ran.stdout.matches(&format!("\"status\":\"{status}\"")).count()
                    };
                    // The fake compiler does not expand macros.
                    assert_eq!((count("yes"), count("no")), (1, 2), "{ran:?}");
                    assert_eq!(ran.stderr, "", "{files}");
                    answered += 1;
                }
                code => {
                    assert_eq!(code, 3, "{files}: {ran:?}");
                    assert!(
                        ran.stderr.starts_with("tryall: the checks could not be run"),
                        "{ran:?}"
                    );
                    assert!(ran.stderr.contains("ulimit -n"), "{ran:?}");
                    assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
                    assert_valid(&response, &ran.json(), format);
                    let told = ran.json()["error"]["message"].as_str().unwrap().to_string();
                    assert_eq!(ran.stderr, format!("tryall: {told}\n"));
                }
            }
        }
    }
    assert!(answered > 40, "the limits that are enough are used: {answered}");
}

/// Standard output alone must show that there are no answers.
#[test]
fn too_few_open_files_are_reported_in_every_format() {
    for (format, told) in [
        ("keyval", "# error: "),
        ("meson", "error\t\t"),
        ("header", "#error \"tryall: "),
        ("cmake", "message(FATAL_ERROR \"tryall: "),
        ("cmake-variables", "message(FATAL_ERROR \"tryall: "),
    ] {
        let call =
            Call::new(["check", "--compiler", &fakecc(), "--header=a.h", "--format", format]);
        let ran = limited(call, 10).run();
        let expected = format!("{told}the checks could not be run: Too many open files");
        assert!(ran.code() == 3 && ran.stdout.starts_with(&expected), "{ran:?}");
    }
    let gcc = format!("command:{}", need("gcc"));
    let words =
        ["meson", "meson:1.4.0", "batch:c", "language:c", "compiler-id:gcc", &gcc, "sizeof:X::int"];
    let ran = limited(Call::new(words), 10).run();
    assert!(ran.stdout.starts_with("error\t\tthe checks could not be run"), "{ran:?}");
}

#[test]
fn too_few_open_files_leave_an_output_file_alone() {
    let dir = tempfile::tempdir().unwrap();
    for format in ["json", "ndjson"] {
        let out = write(dir.path(), "out", "old");
        let call = Call::new(["check", "--compiler", &fakecc(), "--header=a.h", "--output"]);
        let ran = limited(call.arg(&out).arg("--format").arg(format), 10).run();
        assert_eq!((ran.code(), ran.stdout.as_str()), (3, ""), "{ran:?}");
        assert_eq!(std::fs::read_to_string(&out).unwrap(), "old");
    }
}
