//! Missing compilers and broken toolchains: an error with a remedy for each of their checks, and
//! answers for all other checks.

use crate::support::*;
use serde_json::{Value, json};
use std::os::unix::fs::{PermissionsExt, symlink};

/// Runs one check with a broken compiler next to one with a working compiler. Returns the reason of
/// the error.
fn reason_of(compiler: &str) -> String {
    let ran = check(&json!({
        "toolchains": {"broken": {"command": [compiler]}, "works": {"command": [fakecc()]}},
        "checks": [
            {"id": "A", "kind": "compiles", "source": "x", "toolchain": "broken"},
            {"id": "NO", "kind": "links", "source": "REJECT", "toolchain": "broken"},
            {"id": "WORKS", "kind": "compiles", "source": "x", "toolchain": "works"},
        ],
    }));
    assert_eq!(ran.code(), 3);
    assert_eq!(ran.answer("WORKS"), "yes");
    assert_eq!(ran.answer("NO"), "error");
    let result = ran.result("A");
    assert_eq!(result["status"], "error");
    result["reason"].as_str().unwrap().into()
}

#[test]
fn a_missing_compiler_is_an_error_that_names_it() {
    let reason = reason_of("no-such-compiler");
    assert!(reason.contains("no-such-compiler is not on PATH; install it"), "{reason}");
    let reason = reason_of("/no/such/compiler");
    assert!(reason.contains("/no/such/compiler does not exist; install it"), "{reason}");
}

#[test]
fn a_directory_is_not_a_compiler() {
    let temp = tempfile::tempdir().unwrap();
    let reason = reason_of(temp.path().to_str().unwrap());
    assert!(reason.contains("is a directory; name the program in it"), "{reason}");
}

#[test]
fn a_file_that_is_not_executable_is_not_a_compiler() {
    let temp = tempfile::tempdir().unwrap();
    let file = write(temp.path(), "cc", "#!/bin/sh\nexit 0\n");
    let reason = reason_of(file.to_str().unwrap());
    assert!(reason.contains("is not executable; set its permissions"), "{reason}");
}

#[test]
fn a_script_without_a_shebang_is_not_run_by_a_shell() {
    let temp = tempfile::tempdir().unwrap();
    // A shell would run it, and it would reject every source.
    let file = write(temp.path(), "cc", "exit 1\n");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    let reason = reason_of(file.to_str().unwrap());
    assert!(reason.contains("could not be started"), "{reason}");
}

#[test]
fn a_missing_interpreter_is_an_error() {
    let temp = tempfile::tempdir().unwrap();
    let file = write(temp.path(), "cc", "#!/no/such/interpreter\n");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    let reason = reason_of(file.to_str().unwrap());
    assert!(reason.contains("could not be started"), "{reason}");
}

#[test]
fn a_compiler_that_disappears_causes_errors_and_no_noes() {
    let temp = tempfile::tempdir().unwrap();
    let compiler = temp.path().join("cc");
    symlink(fakecc(), &compiler).unwrap();
    let ran = check_apart(&json!({
        "toolchains": {"c": {"command": [compiler]}},
        "checks": [
            {"id": "BEFORE", "kind": "compiles", "source": "REJECT"},
            {"id": "DELETES", "kind": "compiles", "source": "x", "args": ["--fake-delete"]},
            {"id": "AFTER", "kind": "compiles", "source": "REJECT", "prefix": "y", "needs": ["DELETES"]},
        ],
        "jobs": 1,
    }));
    assert_eq!(ran.answer("BEFORE"), "no");
    assert_eq!(ran.answer("DELETES"), "yes");
    let after = ran.result("AFTER");
    assert_eq!(after["status"], "error");
    assert!(after["reason"].as_str().unwrap().contains("could not be started"), "{after}");
}

/// Checks of a toolchain with these arguments, and one of a working toolchain.
fn broken(args: &[&str]) -> Ran {
    check(&json!({
        "toolchains": {
            "broken": {"language": "c", "command": [fakecc()], "args": args},
            "works": {"language": "c", "command": [fakecc()]},
        },
        "checks": [
            {"id": "YES", "kind": "compiles", "source": "x", "toolchain": "broken"},
            {"id": "NO", "kind": "compiles", "source": "REJECT", "toolchain": "broken"},
            {"id": "PREPROCESSED", "kind": "preprocesses", "source": "x", "toolchain": "broken"},
            {"id": "LINKED", "kind": "links", "source": "x", "toolchain": "broken"},
            {"id": "RUN", "kind": "runs", "source": "x", "toolchain": "broken"},
            {"id": "OTHER", "kind": "links", "source": "x", "toolchain": "works"},
            {"id": "OTHER_NO", "kind": "links", "source": "REJECT", "toolchain": "works"},
        ],
    }))
}

fn statuses(ran: &Ran) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_string();
    let results = ran.json()["results"].as_array().unwrap().clone();
    results.iter().map(|result| (text(&result["id"]), text(&result["status"]))).collect()
}

fn expected(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|&(id, status)| (id.into(), status.into())).collect()
}

#[test]
fn a_toolchain_that_compiles_nothing_answers_nothing() {
    let ran = broken(&["--fake-say=cc: error: no license found", "--fake-status=1"]);
    assert_eq!(ran.code(), 3);
    let answers = [
        ("YES", "error"),
        ("NO", "error"),
        ("PREPROCESSED", "error"),
        ("LINKED", "error"),
        ("RUN", "error"),
        ("OTHER", "yes"),
        ("OTHER_NO", "no"),
    ];
    assert_eq!(statuses(&ran), expected(&answers));
    for (id, _) in &answers[..5] {
        let reason = ran.result(id)["reason"].clone();
        let reason = reason.as_str().unwrap();
        assert!(reason.contains("cannot compile an empty program: cc: error: no license found"));
    }
    // The message appears once, in the compiler's words, and says how to reproduce it.
    assert_eq!(ran.stderr.matches("an empty program").count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("output:\ncc: error: no license found"), "{}", ran.stderr);
    assert!(ran.stderr.contains("'--fake-status=1' -c conftest.c"), "{}", ran.stderr);
}

#[test]
fn a_toolchain_that_only_compiles_answers_checks_without_links() {
    let ran = broken(&["--fake-nolink"]);
    assert_eq!(ran.code(), 3);
    let answers = [
        ("YES", "yes"),
        ("NO", "no"),
        ("PREPROCESSED", "yes"),
        ("LINKED", "error"),
        ("RUN", "error"),
        ("OTHER", "yes"),
        ("OTHER_NO", "no"),
    ];
    assert_eq!(statuses(&ran), expected(&answers));
    let reason = ran.result("LINKED")["reason"].clone();
    assert!(reason.as_str().unwrap().contains("cannot link an empty program: ld: error:"));
    assert_eq!(ran.stderr.matches("an empty program").count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("output:\nld: error: cannot find crt1.o"), "{}", ran.stderr);
}

#[test]
fn a_toolchain_that_always_crashes_gives_no_answers() {
    for request in ["--fake-signal=9", "--fake-crash", "--fake-lie", "--fake-status=127"] {
        let ran = broken(&[request]);
        for id in ["YES", "NO", "LINKED", "RUN"] {
            assert_eq!(ran.answer(id), "error", "{request}");
        }
        assert_eq!((ran.answer("OTHER"), ran.answer("OTHER_NO")), ("yes".into(), "no".into()));
    }
}

/// A compiler that runs gcc, except for sources that contain a word, for which it runs this script.
fn script(dir: &std::path::Path, with_word: &str) -> String {
    let text = format!(
        "#!/bin/sh\nif grep -q WORD conftest.c 2>/dev/null; then\n{with_word}\nfi\nexec gcc \"$@\"\n"
    );
    let file = write(dir, "cc", &text);
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    file.to_str().unwrap().into()
}

#[test]
fn a_compiler_replaced_during_the_batch_gives_no_more_answers() {
    let temp = tempfile::tempdir().unwrap();
    let other = write(temp.path(), "other", "#!/bin/sh\necho error: nope\nexit 1\n");
    std::fs::set_permissions(&other, PermissionsExt::from_mode(0o755)).unwrap();
    let compiler = script(temp.path(), &format!("mv '{}' \"$0\"", other.display()));
    let ran = check_apart(&json!({
        "toolchains": {"c": {"command": [compiler]}},
        "checks": [
            {"id": "BEFORE", "kind": "compiles", "source": "int x;\n"},
            {"id": "REPLACES", "kind": "compiles", "source": "int y; /* WORD */\n"},
            {"id": "AFTER", "kind": "compiles", "source": "int z;\n", "needs": ["BEFORE"]},
        ],
        "jobs": 1,
    }));
    assert_eq!(ran.answer("BEFORE"), "yes");
    for id in ["REPLACES", "AFTER"] {
        let result = ran.result(id);
        assert_eq!(result["status"], "error", "{result}");
        assert!(result["reason"].as_str().unwrap().contains("was replaced"), "{result}");
    }
}

#[test]
fn a_removed_source_file_is_not_a_no() {
    let temp = tempfile::tempdir().unwrap();
    let compiler = script(temp.path(), "rm conftest.c");
    let ran = check(&json!({
        "toolchains": {"c": {"command": [compiler]}},
        "checks": [{"id": "A", "kind": "compiles", "source": "int x; /* WORD */\n"}],
    }));
    let result = ran.result("A");
    assert_eq!(result["status"], "error", "{result}");
    assert!(result["reason"].as_str().unwrap().contains("were removed"), "{result}");
}

#[test]
fn arguments_that_name_endless_files_do_not_block() {
    let temp = tempfile::tempdir().unwrap();
    let pipe = temp.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let often = temp.path().join("often");
    write(temp.path(), "often", &format!("@{0} @{0} @{0}", often.display()));
    for argument in
        ["@/dev/zero".into(), format!("@{}", pipe.display()), format!("@{}", often.display())]
    {
        let ran = fake(json!([{"id": "A", "kind": "compiles", "source": "x", "args": [argument]}]));
        assert_eq!(ran.answer("A"), "yes", "{argument}");
    }
}
