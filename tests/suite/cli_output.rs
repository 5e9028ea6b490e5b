//! The output: formats, files, and terminals.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::support::*;
use serde_json::{Value, json};

/// A batch with every status and every type of value, with two different compilers.
fn batch() -> Value {
    json!({
        "toolchains": {
            "c": {"command": [need("gcc")], "args": ["-DTEXT=\"a $b\" + c"]},
            "none": {"command": ["tryall-no-such-compiler"]},
        },
        "checks": [
            {"id": "HAVE_STDIO_H", "kind": "header", "header": "stdio.h"},
            {"id": "HAVE_NO_H", "kind": "header", "header": "no/such.h"},
            {"id": "HAVE_COS", "kind": "symbol", "symbol": "EOF", "headers": ["stdio.h"]},
            {"id": "SIZEOF_CHAR", "kind": "sizeof", "type": "char[3]"},
            {"id": "SIZEOF_NO", "kind": "sizeof", "type": "no_t"},
            {"id": "NEGATIVE", "kind": "compute_int", "expression": "-3"},
            {"id": "TEXT", "kind": "define", "name": "TEXT"},
            {"id": "NO_TEXT", "kind": "define", "name": "NO_TEXT"},
            {"id": "EMPTY", "kind": "define", "name": "EMPTY", "args": ["-DEMPTY="]},
            {"id": "BIG", "kind": "endian"},
            {"id": "PROTOTYPE", "kind": "prototype", "function": "abs", "return_type": "long",
             "arguments": ["int"], "headers": ["stdlib.h"]},
            {"id": "RUNS", "kind": "runs", "source": "int main(void) { return 7; }"},
            {"id": "SKIPPED", "kind": "type", "type": "int", "needs": ["RUNS"]},
            {"id": "ERROR", "kind": "type", "type": "int", "toolchain": "none"},
        ],
    })
}

fn printed(format: &str) -> String {
    let ran = Call::new(["check", "--no-fuse", "--format", format])
        .run_with(batch().to_string().as_bytes());
    assert_eq!((ran.code(), ran.stderr.as_str()), (3, ""), "{ran:?}");
    ran.stdout
}

const REASON: &str =
    "the compiler tryall-no-such-compiler is not on PATH; install it or name another one";

const NO_HEADER: &str = "no header was given; name the one that declares it, in \"headers\" or \
                         after an @, as in fork@unistd.h";

#[test]
fn cmake_scripts_set_what_its_modules_set() {
    let expected = format!(
        r##"# Written by tryall. Sets what CMake's check modules would set.
set(HAVE_STDIO_H "1" CACHE INTERNAL "Have include stdio.h")
set(HAVE_NO_H "" CACHE INTERNAL "Have include no/such.h")
set(HAVE_COS "1" CACHE INTERNAL "Have symbol EOF")
set(HAVE_SIZEOF_CHAR "TRUE" CACHE INTERNAL "Result of TRY_COMPILE")
set(SIZEOF_CHAR "3" CACHE INTERNAL "CHECK_TYPE_SIZE: sizeof(char[3])")
set(SIZEOF_CHAR_CODE "#define SIZEOF_CHAR 3")
set(HAVE_SIZEOF_NO "FALSE" CACHE INTERNAL "Result of TRY_COMPILE")
set(SIZEOF_NO "" CACHE INTERNAL "CHECK_TYPE_SIZE: no_t unknown")
set(SIZEOF_NO_CODE "/* #undef SIZEOF_NO */")
set(NEGATIVE "-3" CACHE INTERNAL "Value of -3")
set(TEXT "\"a \$b\" + c" CACHE INTERNAL "Expansion of TEXT")
set(NO_TEXT "" CACHE INTERNAL "Expansion of NO_TEXT")
set(EMPTY "" CACHE INTERNAL "Expansion of EMPTY")
set(BIG "0" CACHE INTERNAL "Result of TEST_BIG_ENDIAN")
set(PROTOTYPE "0" CACHE INTERNAL "Have correct prototype for abs")
set(RUNS "" CACHE INTERNAL "Test RUNS")
set(RUNS_COMPILED "TRUE" CACHE INTERNAL "Result of TRY_COMPILE")
set(RUNS_EXITCODE "7" CACHE INTERNAL "Result of try_run()")
# SKIPPED: skipped, needs RUNS, which is no
message(SEND_ERROR "tryall: ERROR: {REASON}")
"##
    );
    assert_eq!(printed("cmake"), expected);
}

#[test]
fn keyval_lines_are_keys_and_values() {
    let expected = format!(
        "HAVE_STDIO_H=1\nHAVE_NO_H=0\nHAVE_COS=1\nSIZEOF_CHAR=3\nSIZEOF_NO=\nNEGATIVE=-3\n\
         TEXT='\"a $b\" + c'\nNO_TEXT=\nEMPTY=\nBIG=0\nPROTOTYPE=0\nRUNS=0\nSKIPPED=0\n\
         # ERROR: error: {REASON}\n"
    );
    assert_eq!(printed("keyval"), expected);
}

#[test]
fn headers_match_autoconf() {
    let expected = format!(
        r#"/* Written by tryall. */
#define HAVE_STDIO_H 1
/* #undef HAVE_NO_H */
#define HAVE_COS 1
#define SIZEOF_CHAR 3
/* #undef SIZEOF_NO */
#define NEGATIVE -3
#define TEXT "a $b" + c
/* #undef NO_TEXT */
#define EMPTY
/* #undef BIG */
/* #undef PROTOTYPE */
/* #undef RUNS */
/* #undef SKIPPED */
#error "tryall: ERROR: {REASON}"
"#
    );
    assert_eq!(printed("header"), expected);
}

/// Removes everything that depends on time and machine.
fn golden(result: &Value) -> Value {
    assert!(result["duration_ms"].as_f64().is_some_and(|time| time >= 0.0), "{result}");
    json!([
        result["id"],
        result["status"],
        result["value"],
        result["how"],
        result["exit_code"],
        result["reason"]
    ])
}

fn golden_results() -> Value {
    let run = |id: &str, status: &str, value: Value, exit_code: i32| {
        json!([id, status, value, "run", exit_code, null])
    };
    json!([
        run("HAVE_STDIO_H", "yes", Value::Null, 0),
        run("HAVE_NO_H", "no", Value::Null, 1),
        run("HAVE_COS", "yes", Value::Null, 0),
        run("SIZEOF_CHAR", "yes", json!(3), 0),
        ["SIZEOF_NO", "no", null, "run", 1, NO_HEADER],
        run("NEGATIVE", "yes", json!(-3), 0),
        run("TEXT", "yes", json!("\"a $b\" + c"), 0),
        ["NO_TEXT", "no", null, "run", 0, "the macro is not defined"],
        run("EMPTY", "yes", json!(""), 0),
        run("BIG", "yes", json!("little"), 0),
        run("PROTOTYPE", "no", Value::Null, 1),
        run("RUNS", "no", json!({"exit_status": 7, "stdout": ""}), 7),
        ["SKIPPED", "skipped", null, "run", null, "needs RUNS, which is no"],
        ["ERROR", "error", null, "run", null, REASON],
    ])
}

fn assert_summary(summary: &Value) {
    for (field, count) in [("yes", 7), ("no", 5), ("skipped", 1), ("error", 1)] {
        assert_eq!(summary[field], count, "{field}: {summary}");
    }
}

#[test]
fn json_is_one_document_with_a_line_for_each_result() {
    let text = printed("json");
    let document: Value = serde_json::from_str(&text).unwrap();
    let results: Vec<_> = document["results"].as_array().unwrap().iter().map(golden).collect();
    assert_eq!(Value::from(results), golden_results());
    assert_eq!(document["version"], 1);
    assert_summary(&document["summary"]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!((lines.len(), lines[0]), (14 + 2, r#"{"version":1,"results":["#));
    assert!(lines[15].starts_with(r#"],"summary":{"yes":7,"#) && text.ends_with("}\n"), "{text}");
    let error = &document["results"][13];
    assert_eq!((&error["command"], &error["source"]), (&json!([]), &Value::Null));
    assert_eq!(
        document["results"][0]["command"],
        json!(["gcc", "-DTEXT=\"a $b\" + c", "-c", "conftest.c", "-o", "conftest.o"])
    );
}

#[test]
fn ndjson_has_the_same_results_one_per_line() {
    let text = printed("ndjson");
    let mut lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_summary(&lines.pop().unwrap()["summary"]);
    let mut results: Vec<_> = lines.iter().map(golden).collect();
    let expected = golden_results();
    let place = |result: &Value| {
        expected.as_array().unwrap().iter().position(|other| other[0] == result[0])
    };
    // Results arrive in the order in which they are answered.
    results.sort_by_key(place);
    assert_eq!(Value::from(results), expected);
}

fn keyval(output: &std::path::Path) -> Call {
    Call::new(["check", "--compiler", "gcc", "--sizeof=char", "--format=keyval", "--output"])
        .arg(output)
}

#[test]
fn an_output_file_is_replaced_atomically() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "results", "old");
    let other_name = dir.path().join("other");
    std::fs::hard_link(&file, &other_name).unwrap();
    let ran = keyval(&file).run();
    assert_eq!((ran.code(), ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""), "{ran:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "SIZEOF_CHAR=1\n");
    // A reader that has the old file open can still read all of it.
    assert_eq!(std::fs::read_to_string(&other_name).unwrap(), "old");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is left beside it");
}

#[test]
fn an_output_file_that_would_not_change_keeps_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "results", "SIZEOF_CHAR=1\n");
    let past = SystemTime::now() - Duration::from_secs(86400);
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(past).unwrap();
    let before = file.metadata().unwrap();
    assert_eq!(keyval(&file).run().code(), 0);
    let after = file.metadata().unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
    assert_eq!(before.ino(), after.ino());
}

#[test]
fn an_output_link_stays_a_link() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "results", "old");
    let link = dir.path().join("link");
    std::os::unix::fs::symlink("results", &link).unwrap();
    assert_eq!(keyval(&link).run().code(), 0);
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "SIZEOF_CHAR=1\n");
}

#[test]
fn a_dangling_output_link_creates_its_target() {
    for format in ["keyval", "ndjson"] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        let links =
            [("first", "sub/second"), ("sub/second", "../sub/third"), ("sub/third", "file")];
        for (link, target) in links {
            std::os::unix::fs::symlink(target, dir.path().join(link)).unwrap();
        }
        let args = ["check", "--compiler", "gcc", "--sizeof=char", "--output=first", "--format"];
        let ran = Call::new(args).arg(format).dir(dir.path()).run();
        assert_eq!((ran.code(), ran.stderr.as_str()), (0, ""), "{format}");
        for (link, target) in links {
            let there = std::fs::read_link(dir.path().join(link)).expect("a link stays a link");
            assert_eq!(there.to_str(), Some(target));
        }
        let text = std::fs::read_to_string(dir.path().join("sub/file")).unwrap();
        assert!(text.contains("SIZEOF_CHAR"), "{text}");
        assert_eq!(std::fs::read_dir(dir.path().join("sub")).unwrap().count(), 3);
    }
}

#[test]
fn cyclic_output_links_cannot_be_written() {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("b", dir.path().join("a")).unwrap();
    std::os::unix::fs::symlink("a", dir.path().join("b")).unwrap();
    let ran = keyval(&dir.path().join("a")).run();
    assert_eq!((ran.code(), ran.stdout.as_str()), (3, ""), "{ran:?}");
    assert!(ran.stderr.contains("symbolic links"), "{ran:?}");
    assert!(dir.path().join("a").is_symlink() && dir.path().join("b").is_symlink());
}

#[test]
fn a_new_output_file_has_the_permissions_of_the_umask() {
    for (umask, mode) in [("022", 0o644), ("077", 0o600), ("002", 0o664)] {
        let dir = tempfile::tempdir().unwrap();
        let script =
            format!("umask {umask}; exec '{TRYALL}' check --compiler gcc --endian --output out");
        let ran =
            Command::new("sh").args(["-c", &script]).current_dir(dir.path()).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
        let file = dir.path().join("out").metadata().unwrap();
        assert_eq!(file.permissions().mode() & 0o777, mode, "{umask}");
    }
}

#[test]
fn an_output_file_that_is_replaced_keeps_its_permissions() {
    let dir = tempfile::tempdir().unwrap();
    let out = write(dir.path(), "out", "old");
    std::fs::set_permissions(&out, std::fs::Permissions::from_mode(0o640)).unwrap();
    let ran = Call::new(["check", "--compiler", "gcc", "--endian", "--output"]).arg(&out).run();
    assert_eq!(ran.code(), 0, "{ran:?}");
    assert_ne!(std::fs::read_to_string(&out).unwrap(), "old");
    assert_eq!(out.metadata().unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn an_unwritable_output_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("no/such/results");
    for (format, output) in
        [("json", &missing), ("ndjson", &missing), ("keyval", &dir.path().into())]
    {
        let ran =
            Call::new(["check", "--compiler", "gcc", "--endian", "--format", format, "--output"])
                .arg(output)
                .run();
        assert_eq!((ran.code(), ran.stdout.as_str()), (3, ""), "{ran:?}");
        assert!(ran.stderr.contains(output.to_str().unwrap()), "{ran:?}");
        assert!(ran.stderr.contains("cannot write the results"), "{ran:?}");
    }
}

#[test]
fn output_to_dev_stdout_is_standard_output() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["/dev/stdout", "-"] {
        let ran = keyval(name.as_ref()).dir(dir.path()).run();
        assert_eq!((ran.code(), ran.stdout.as_str()), (0, "SIZEOF_CHAR=1\n"));
    }
    let trace = ["check", "--compiler", "gcc", "--endian", "--output", "answers", "--trace", "-"];
    let ran = Call::new(trace).dir(dir.path()).run();
    assert_eq!((ran.code(), ran.json()["displayTimeUnit"].as_str()), (0, Some("ms")));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no file with the name -");
    // Earlier contents of the file are kept.
    for format in ["keyval", "ndjson"] {
        let script = format!(
            "{{ echo before; '{TRYALL}' check --compiler gcc --sizeof=char --format {format} \
             --output /dev/stdout; echo behind; }} > {format}"
        );
        let ran =
            Command::new("sh").args(["-c", &script]).current_dir(dir.path()).output().unwrap();
        assert!(ran.status.success() && ran.stderr.is_empty(), "{ran:?}");
        let text = std::fs::read_to_string(dir.path().join(format)).unwrap();
        assert!(text.starts_with("before\n") && text.ends_with("\nbehind\n"), "{text}");
        assert!(text.contains("SIZEOF_CHAR"), "{text}");
    }
}

/// If standard error is a terminal, it shows a bar, which never appears in the results.
#[test]
fn a_terminal_gets_a_progress_bar_but_a_file_only_results() {
    need("script");
    let on_terminal = |command: &str, dir: &std::path::Path| {
        let script = format!("'{TRYALL}' check --compiler gcc --sizeof=char --endian {command}");
        let out = Command::new("script")
            .args(["-qec", &script, "/dev/null"])
            .env("TERM", "xterm")
            .current_dir(dir)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(out.status.success(), "{out:?}");
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    let dir = tempfile::tempdir().unwrap();
    let results = || std::fs::read_to_string(dir.path().join("results")).unwrap();
    let seen = on_terminal("> results", dir.path());
    assert!(seen.contains("2/2 checks"), "no bar: {seen:?}");
    assert!(!seen.contains("\"status\""), "results beside the bar: {seen:?}");
    let document: Value = serde_json::from_str(&results()).unwrap();
    assert_eq!(document["results"].as_array().unwrap().len(), 2);
    let seen = on_terminal("--format ndjson 2> results", dir.path());
    assert_eq!(results(), "", "no bar without a terminal");
    assert_eq!(seen.matches("\"status\":\"yes\"").count(), 2, "{seen:?}");
}

#[test]
fn a_closed_standard_output_is_reported_before_anything_runs() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let script = |call: &str| {
        let compiler = format!("{} --fake-log={}", fakecc(), log.display());
        let script = format!("'{TRYALL}' {call}").replace("COMPILER", &format!("'{compiler}'"));
        let mut command = Command::new("sh");
        command.args(["-c", &script]).current_dir(dir.path()).stdin(Stdio::null());
        Ran::from(command.output().unwrap())
    };
    for call in [
        "check --compiler COMPILER --header=a.h >&-",
        "check --compiler COMPILER --header=a.h --format ndjson >&-",
        "check --compiler COMPILER --header=a.h --output /dev/stdout >&-",
        "check --compiler COMPILER --header=a.h <&- >&-",
        "schema request >&-",
        "man >&-",
    ] {
        let ran = script(call);
        assert_eq!(ran.code(), 3, "{call}: {ran:?}");
        assert!(ran.stderr.contains("standard output is closed"), "{call}: {ran:?}");
        assert_eq!(ran.stderr.lines().count(), 1, "{call}: {ran:?}");
        assert!(!log.exists(), "{call}: something was run");
    }
    // Results go to /dev/null or a file as requested. Python opens /dev/null for reading and
    // writing.
    for call in [
        "check --compiler COMPILER --header=a.h >/dev/null",
        "check --compiler COMPILER --header=a.h 1<>/dev/null",
        "check --compiler COMPILER --header=a.h --format ndjson 1<>/dev/null",
        "check --compiler COMPILER --header=a.h --output results >&-",
        "schema request >/dev/null",
    ] {
        let ran = script(call);
        assert_eq!((ran.code(), ran.stderr.as_str()), (0, ""), "{call}: {ran:?}");
    }
    let results = std::fs::read_to_string(dir.path().join("results")).unwrap();
    assert!(results.contains("\"yes\""), "{results}");
}

#[test]
fn an_unwritable_trace_does_not_lose_the_results() {
    for format in ["json", "ndjson"] {
        let call =
            Call::new(["check", "--compiler", &fakecc(), "--header=a.h", "--format", format]);
        let ran = call.args(&["--trace", "/no/such/dir/trace.json"]).run();
        assert_eq!(ran.code(), 3, "{ran:?}");
        assert!(ran.stdout.contains("\"status\":\"yes\""), "{ran:?}");
        let told = "tryall: cannot write the trace: /no/such/dir/trace.json: ";
        assert!(ran.stderr.starts_with(told), "{ran:?}");
    }
}
