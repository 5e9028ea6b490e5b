//! Compilers and programs that hang, die, crash, flood and leave processes behind. None of these is
//! ever a no or blocks the batch.

use crate::processes::*;
use crate::support::*;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

/// The time limit, in seconds, of hanging compilers. They write the ids of their children first.
const SOON: u32 = 3;

/// A check with the fake compiler and these requests.
fn with(id: &str, requests: &[&str]) -> Value {
    json!({"id": id, "kind": "compiles", "source": "x", "args": requests})
}

/// The reason of a result that must be an error.
fn error(ran: &Ran, id: &str) -> String {
    let result = ran.result(id);
    assert_eq!(result["status"], "error", "{result}");
    assert_eq!(result["value"], Value::Null, "{result}");
    result["reason"].as_str().unwrap_or_else(|| panic!("no reason: {result}")).into()
}

/// Runs a compiler that never ends, next to a check that gives the toolchain probe enough time, and
/// asserts that no process of the group is left.
fn assert_stopped(requests: &[&str]) {
    let temp = tempfile::tempdir().unwrap();
    let pid_file = temp.path().join("pids");
    let fork = format!("--fake-fork={}", pid_file.display());
    let mut hanging = with("HANGS", &[requests, &[&fork, "--fake-hang"]].concat());
    hanging["timeout"] = json!(SOON);
    let ran = fake(json!([hanging, with("QUICK", &[])]));

    assert_eq!(ran.code(), 3);
    let reason = error(&ran, "HANGS");
    assert!(reason.contains("3 s") && reason.contains("\"timeout\""), "{reason}");
    assert_eq!(ran.result("HANGS")["exit_code"], Value::Null);
    assert_eq!(ran.answer("QUICK"), "yes");
    let grandchild = pids(&pid_file)[0];
    assert!(comes_true(|| !is_alive(grandchild)), "the group outlived its time limit");
}

#[test]
fn a_hanging_compiler_is_stopped_with_its_children() {
    assert_stopped(&[]);
}

#[test]
fn a_compiler_that_ignores_term_is_killed_with_its_children() {
    assert_stopped(&["--fake-deaf"]);
}

#[test]
fn a_compiler_that_stops_itself_is_killed() {
    let mut stopped = with("STOPPED", &["--fake-signal=19"]);
    stopped["timeout"] = json!(SOON);
    let ran = fake(json!([stopped, with("QUICK", &[])]));
    assert!(error(&ran, "STOPPED").contains("3 s"));
    assert_eq!(ran.answer("QUICK"), "yes");
}

#[test]
fn output_before_a_timeout_is_kept() {
    let mut hanging = with("A", &["--fake-say=not yet", "--fake-hang"]);
    hanging["timeout"] = json!(SOON);
    let ran = fake(json!([hanging, with("QUICK", &[])]));
    error(&ran, "A");
    assert_eq!(ran.result("A")["output"], "not yet\n");
}

#[test]
fn a_compiler_killed_by_a_signal_gives_no_answer() {
    use Signal::*;
    let signals = [
        SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1, SIGSEGV,
        SIGPIPE, SIGALRM, SIGTERM, SIGXCPU, SIGXFSZ,
    ];
    let checks: Vec<_> = signals
        .iter()
        .map(|&signal| with(signal.as_str(), &[&format!("--fake-signal={}", signal as i32)]))
        .collect();
    let ran = fake(json!(checks));
    assert_eq!(ran.code(), 3);
    for signal in signals {
        let reason = error(&ran, signal.as_str());
        assert!(reason.contains(signal.as_str()), "{reason}");
        assert_eq!(ran.result(signal.as_str())["exit_code"], Value::Null);
    }
}

#[test]
fn a_crash_is_an_error_and_a_plain_failure_is_a_no() {
    let ran = fake(json!([
        with("CRASH", &["--fake-crash"]),
        with("FAILS", &["--fake-say=conftest.c:1:1: error: nonsense", "--fake-status=4"]),
        with("SILENT", &["--fake-status=4"]),
    ]));
    assert!(error(&ran, "CRASH").contains("internal compiler error"));
    assert_eq!(ran.result("CRASH")["exit_code"], 4);
    assert_eq!(ran.answer("FAILS"), "no");
    // A compiler that rejects a source prints a reason; a driver that cannot load its compiler
    // prints nothing.
    assert!(error(&ran, "SILENT").contains("printed no reason"));
}

#[test]
fn error_words_in_the_source_are_harmless() {
    let says = |text: &str| vec![format!("--fake-say={text}"), "--fake-status=1".into()];
    let located = says("conftest.c:1:2: error: \"internal compiler error\"");
    let quoted = says("  x = \"No space left on device\";");
    let real = says("cc1: fatal error: out of memory allocating 64 bytes");
    let ran = fake(json!([
        {"id": "LOCATED", "kind": "compiles", "source": "x", "args": located},
        {"id": "QUOTED", "kind": "compiles", "source": "x = \"No space left on device\";", "args": quoted},
        {"id": "REAL", "kind": "compiles", "source": "x", "args": real},
    ]));
    assert_eq!(
        (ran.answer("LOCATED"), ran.answer("QUOTED")),
        ("no".into(), "no".into()),
        "{ran:?}"
    );
    assert!(error(&ran, "REAL").contains("out of memory"));
}

#[test]
fn patterns_apply_to_every_kind_and_to_program_output() {
    let ran = fake(json!([
        {"id": "PROGRAM", "kind": "runs", "source": "x", "fail_patterns": ["^hello"]},
        {"id": "OTHER", "kind": "runs", "source": "x", "fail_patterns": ["^ello"]},
    ]));
    assert_eq!(ran.answer("PROGRAM"), "no");
    assert_eq!(ran.answer("OTHER"), "yes");
    let sizes = check_with(
        "c",
        &[&need("gcc")],
        json!([
            {"id": "SIZE", "kind": "sizeof", "type": "int", "prefix": "#warning one\n#warning two",
             "fail_patterns": ["one.*two"]},
            {"id": "PLAIN", "kind": "sizeof", "type": "int", "prefix": "#warning one", "fail_patterns": ["two"]},
        ]),
    );
    assert_eq!(sizes.answer("SIZE"), "no");
    assert_eq!(sizes.result("SIZE")["value"], Value::Null);
    assert_eq!(sizes.result("PLAIN")["value"], 4);
}

#[test]
fn success_without_an_output_file_is_an_error() {
    let ran = fake(json!([
        with("OBJECT", &["--fake-lie"]),
        {"id": "PROGRAM", "kind": "links", "source": "x", "args": ["--fake-lie"]},
        {"id": "RUN", "kind": "runs", "source": "x", "args": ["--fake-lie"]},
        {"id": "SIZE", "kind": "sizeof", "type": "int", "args": ["--fake-lie"]},
        {"id": "PREPROCESSED", "kind": "preprocesses", "source": "x", "args": ["--fake-lie"]},
    ]));
    for id in ["OBJECT", "PROGRAM", "RUN", "SIZE"] {
        assert!(error(&ran, id).contains("wrote no output file"));
    }
    assert_eq!(ran.answer("PREPROCESSED"), "yes", "it has no output file");
}

#[test]
fn exit_statuses_of_failed_wrappers_are_errors() {
    for status in [126, 127, 139, 255] {
        let ran = fake(json!([with("A", &[&format!("--fake-status={status}")])]));
        assert!(error(&ran, "A").contains(&status.to_string()));
        assert_eq!(ran.result("A")["exit_code"], status);
    }
}

#[test]
fn excessive_output_is_cut_in_the_middle() {
    const FLOOD: usize = 50_000_000;
    let flood = format!("--fake-flood={FLOOD}");
    let mut searched = with("SEARCHED", &[&flood]);
    searched["fail_patterns"] = json!(["no such text"]);
    let ran =
        fake(json!([with("A", &[&flood]), with("FAILS", &[&flood, "--fake-status=1"]), searched]));
    for (id, status) in [("A", "yes"), ("FAILS", "no")] {
        let result = ran.result(id);
        assert_eq!(result["status"], status);
        assert_eq!(result["output_truncated"], true);
        let output = result["output"].as_str().unwrap();
        assert!(output.starts_with("the start\nxxx") && output.ends_with("xxx\nthe end\n"));
        let (head, rest) = output.split_once("\n[... ").unwrap();
        let (cut, tail) = rest.split_once(" bytes cut ...]\n").unwrap();
        let whole = FLOOD + "the start\n\nthe end\n".len();
        assert_eq!(head.len() + cut.parse::<usize>().unwrap() + tail.len(), whole);
    }
    // The truncated part may have contained a match.
    assert!(error(&ran, "SEARCHED").contains("too long"));
}

#[test]
fn output_that_only_looks_truncated_is_complete() {
    let ran = fake(json!([with("A", &["--fake-say=a\n[... 5 bytes cut ...]\n"])]));
    assert_eq!(ran.result("A")["output_truncated"], false);
}

#[test]
fn invalid_utf_8_and_escapes_are_preserved() {
    let mut coloured = with("FOUND", &["--fake-noise"]);
    // Patterns match the text without colours.
    coloured["fail_patterns"] = json!([" red\u{7} "]);
    let ran = fake(json!([with("A", &["--fake-noise"]), coloured]));
    let expected = "caf\u{fffd} \u{fffd}\u{fffd} \u{1b}[1;31mred\u{1b}[0m\u{7} \0 end\n";
    assert_eq!(ran.result("A")["output"], expected);
    assert_eq!(ran.answer("A"), "yes");
    assert_eq!(ran.answer("FOUND"), "no");
}

#[test]
fn children_left_behind_by_a_compiler_are_killed() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("pids");
    let fork = format!("--fake-fork={}", file.display());
    let ran = fake(json!([with("A", &["--fake-say=said", &fork])]));
    assert_eq!(ran.answer("A"), "yes");
    assert_eq!(ran.result("A")["output"], "said\n");
    let grandchild = pids(&file)[0];
    assert!(comes_true(|| !is_alive(grandchild)));
}

#[test]
fn a_daemon_that_keeps_the_output_open_does_not_block() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("pids");
    let fork = format!("--fake-daemon={}", file.display());
    let (mut call, stdin) = Call::check(&json!({
        "toolchains": {"c": {"command": [fakecc()]}},
        "checks": [with("A", &["--fake-say=said", &fork]), with("B", &[])],
    }));
    let mut child = call.start(&stdin);
    let ends = comes_true(|| child.try_wait().unwrap().is_some());
    let daemon = pids(&file)[0];
    // A compiler's server serves other processes, so it is not killed.
    let lives = is_alive(daemon);
    kill(Pid::from_raw(daemon), Signal::SIGKILL).unwrap();
    assert!(ends && lives, "ends: {ends}, the daemon lives: {lives}");
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code(), ran.answer("A").as_str()), (0, "yes"));
    assert_eq!(ran.result("A")["output"], "said\n");
}

/// A check that runs a program of the fake compiler.
fn running(id: &str, program: &str, requests: &[&str]) -> Value {
    let program = format!("--fake-program={program}");
    let requests = [&[program.as_str()], requests].concat();
    json!({"id": id, "kind": "runs", "source": "x", "args": requests})
}

#[test]
fn a_program_that_is_open_for_writing_is_retried() {
    let ran = fake(json!([running("A", "echo ran", &["--fake-busy=300"])]));
    assert_eq!(ran.result("A")["value"], json!({"exit_status": 0, "stdout": "ran\n"}), "{ran:?}");
    assert_eq!(ran.answer("A"), "yes");
}

#[test]
fn a_program_that_stays_open_for_writing_is_an_error() {
    let ran = fake(json!([running("A", "echo ran", &["--fake-busy"])]));
    assert!(error(&ran, "A").contains("could not be started"));
}

#[test]
fn only_its_own_exit_is_a_programs_answer() {
    let mut hanging = running("HANGS", "exec sleep 3600", &[]);
    hanging["timeout"] = json!(SOON);
    let ran = fake(json!([
        hanging,
        running("STATUS", "echo three; echo four >&2; exit 3", &[]),
        running("SEGV", "echo out; kill -SEGV $$", &[]),
        running("KILL", "kill -KILL $$", &[]),
        running("TERM", "kill -TERM $$", &[]),
        running("WRAPPER", "exit 127", &[]),
    ]));
    assert_eq!(ran.code(), 3);
    let reason = error(&ran, "HANGS");
    assert!(reason.contains("the program") && reason.contains("3 s"), "{reason}");

    let status = ran.result("STATUS");
    assert_eq!(status["status"], "no");
    assert_eq!(status["value"], json!({"exit_status": 3, "stdout": "three\n"}));
    assert_eq!((&status["exit_code"], &status["output"]), (&json!(3), &json!("four\n")));

    let segv = ran.result("SEGV");
    assert_eq!(segv["status"], "no", "a fault of its own");
    assert_eq!(segv["value"], json!({"exit_status": null, "stdout": "out\n", "signal": 11}));
    assert!(segv["reason"].as_str().unwrap().contains("SIGSEGV"));

    for id in ["KILL", "TERM"] {
        let result = ran.result(id);
        assert_eq!(result["status"], "error", "somebody else's doing: {result}");
        assert!(result["reason"].as_str().unwrap().contains(&format!("SIG{id}")));
    }
    assert_eq!(ran.answer("WRAPPER"), "no", "a program may have any status");
}

#[test]
fn commands_that_end_while_tryall_is_stopped_do_not_time_out() {
    let own = tempfile::tempdir().unwrap();
    let log = own.path().join("log");
    let count = |what: &str| {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        text.lines().filter(|line| line.starts_with(what)).count()
    };
    let checks: Vec<_> = (0..7)
        .map(|n| json!({"id": n.to_string(), "kind": "compiles", "source": n.to_string()}))
        .collect();
    let go_on = own.path().join("go-on");
    let args =
        [format!("--fake-log={}", log.display()), format!("--fake-await={}", go_on.display())];
    let request = json!({
        "jobs": 8,
        "timeout": 5,
        "toolchains": {"c": {"command": [fakecc()], "args": args}},
        "checks": checks,
    });
    let (mut call, stdin) = Call::check(&request);
    let child = call.start(&stdin);
    // The probe, too: everything started later is late.
    assert!(comes_true(|| count("start") == 1 + 7));
    signal(&child, Signal::SIGSTOP);
    std::fs::write(go_on, "").unwrap();
    assert!(comes_true(|| count("end") == 1 + 7));
    std::thread::sleep(std::time::Duration::from_secs(5));
    signal(&child, Signal::SIGCONT);
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code(), ran.stderr.as_str()), (0, ""), "{ran:?}");
    call.assert_clean();
}

/// A call whose compiler runs gcc, and misbehaves for sources that contain a word.
fn wrapped(requests: &[&str], checks: Value) -> Ran {
    let (call, stdin) =
        Call::check(&json!({"toolchains": {"c": {"command": [fakecc()]}}, "checks": checks}));
    let call = call.env("FAKE_REAL", need("gcc")).env("FAKE_REQUESTS", requests.join("\n"));
    call.env("FAKE_WHEN", "WORD").run_with(&stdin)
}

#[test]
fn a_truncated_object_file_or_program_is_not_an_answer() {
    let empty = "int main(void) { return 0; } /* WORD */\n";
    for percent in [1, 40, 99] {
        let ran = wrapped(
            &["real", &format!("truncate={percent}")],
            json!([
                {"id": "OBJECT", "kind": "compiles", "source": empty},
                {"id": "PROGRAM", "kind": "links", "source": empty},
                {"id": "RUN", "kind": "runs", "source": empty},
                {"id": "SIZE", "kind": "sizeof", "type": "int", "prefix": "/* WORD */"},
                {"id": "WHOLE", "kind": "runs", "source": "int main(void) { return 0; }\n"},
            ]),
        );
        for id in ["OBJECT", "PROGRAM", "RUN", "SIZE"] {
            assert!(error(&ran, id).contains("wrote only part"), "{percent}");
        }
        assert_eq!(ran.answer("WHOLE"), "yes");
    }
}

#[test]
fn a_child_in_its_own_process_group_ends_at_the_compilers_timeout() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("pids");
    let stray = format!("--fake-stray={}", file.display());
    let mut hanging = with("HANGS", &[&stray, "--fake-hang"]);
    hanging["timeout"] = json!(SOON);
    let ran = fake(json!([hanging, with("QUICK", &[])]));
    error(&ran, "HANGS");
    assert!(comes_true(|| !is_alive(pids(&file)[0])), "it outlives the time limit");
    // It keeps the output of a finished compiler open.
    let ran = fake(json!([with("A", &["--fake-say=said", &stray])]));
    assert_eq!(ran.answer("A"), "yes");
    assert!(comes_true(|| !is_alive(pids(&file)[1])), "it outlives the batch");
}

#[test]
fn processes_that_outlive_the_compiler_can_finish_their_work() {
    let ran = fake(json!([with("A", &["--fake-say=early", "--fake-late=late"])]));
    assert_eq!(ran.result("A")["output"], "early\nlate\n", "{ran:?}");
}
