//! Checks that wait for headers only are asked beside them, and count when they are met.

use super::*;

fn request(checks: Value) -> Value {
    need("gcc");
    json!({"toolchains": {"c": {"command": ["gcc"]}}, "checks": checks})
}

fn asked(request: &Value) -> Ran {
    let (call, stdin) = Call::check(request);
    call.arg("-j2").run_with(&stdin)
}

#[test]
fn what_waits_for_a_header_shares_its_commands() {
    let checks = json!([
        {"id": "h", "kind": "header", "header": "dirent.h"},
        {"id": "a", "kind": "symbol", "symbol": "opendir", "headers": ["dirent.h"], "needs": ["h"]},
        {"id": "b", "kind": "member", "type": "struct dirent", "member": "d_name",
         "headers": ["dirent.h"], "needs": ["h"]},
        {"id": "c", "kind": "sizeof", "type": "DIR *", "headers": ["dirent.h"], "needs": ["h"]},
        {"id": "f", "kind": "function", "function": "getpid"},
    ]);
    let ran = asked(&request(checks));
    assert_eq!(ran.json()["summary"]["yes"], 5, "{ran:?}");
    // Two try the toolchain; the header, and the others with a compile for each unit and one link.
    assert_eq!(ran.json()["summary"]["processes"], 6, "{ran:?}");
    assert_eq!(ran.result("c")["how"], "fused");
}

#[test]
fn what_waits_for_a_header_that_does_not_compile_is_skipped() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "broken.h", "int there;\n#error no\n");
    let mut checks = json!([
        {"id": "h", "kind": "header", "header": "broken.h"},
        {"id": "absent", "kind": "header", "header": "no/such.h"},
        {"id": "a", "kind": "symbol", "symbol": "there", "headers": ["broken.h"], "needs": ["h"]},
        {"id": "b", "kind": "sizeof", "type": "int", "needs": ["h"]},
        {"id": "c", "kind": "function", "function": "getpid", "needs": ["absent"]},
        {"id": "d", "kind": "function", "function": "getuid", "needs": ["b"]},
        // It asks what one that is skipped asks.
        {"id": "same", "kind": "sizeof", "type": "int"},
        {"id": "e", "kind": "function", "function": "fork"},
    ]);
    for check in checks.as_array_mut().unwrap() {
        check["args"] = json!(["-I", dir.path()]);
    }
    let ran = asked(&request(checks));
    for id in ["a", "b", "c", "d"] {
        assert_eq!(ran.answer(id), "skipped", "{id}: {ran:?}");
    }
    assert_eq!(ran.result("a")["reason"], "needs h, which is no");
    assert_eq!(ran.result("same")["value"], 4, "{ran:?}");
    assert_eq!(ran.result("same")["how"], "fused", "{ran:?}");
}

#[test]
fn nothing_is_run_ahead_and_nothing_is_asked_alone_ahead() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "broken.h", "#error no\n");
    let mark = dir.path().join("ran");
    let source = format!(
        "#include <stdio.h>\nint main(void) {{ return !fopen(\"{}\", \"w\"); }}\n",
        mark.display()
    );
    let checks = json!([
        {"id": "h", "kind": "header", "header": "broken.h", "args": ["-I", dir.path()]},
        {"id": "r", "kind": "runs", "source": source, "needs": ["h"]},
        {"id": "l", "kind": "library", "library": "m", "needs": ["h"]},
        {"id": "t", "kind": "type", "type": "int", "needs": ["h"]},
    ]);
    let ran = asked(&request(checks));
    assert_eq!(ran.json()["summary"]["skipped"], 3, "{ran:?}");
    assert!(!mark.exists());
    // Two try the toolchain.
    assert_eq!(ran.json()["summary"]["processes"], 3, "{ran:?}");
}

#[test]
fn what_waits_for_anything_else_waits() {
    let checks = json!([
        {"id": "l", "kind": "library", "library": "no_such_library"},
        {"id": "t1", "kind": "type", "type": "int", "needs": ["l"]},
        {"id": "t2", "kind": "type", "type": "long", "needs": ["l"]},
        {"id": "t3", "kind": "type", "type": "char", "needs": ["l"]},
    ]);
    let ran = asked(&request(checks));
    assert_eq!(ran.json()["summary"]["skipped"], 3, "{ran:?}");
    assert_eq!(ran.json()["summary"]["processes"], 3, "{ran:?}");
}
