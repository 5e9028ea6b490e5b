//! Programs and object files that a check saves for the caller.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::bad_input::assert_refused_at;
use crate::support::*;
use serde_json::{Value, json};

/// Equivalent toolchains with one command and with two.
fn both(compiler: &str) -> [Value; 2] {
    [
        json!({"command": [compiler]}),
        json!({
            "compile": [compiler, "{args}", "-c", "{source}", "-o", "{object}"],
            "link": [compiler, "{object}", "-o", "{program}"],
        }),
    ]
}

fn run(toolchain: &Value, checks: &Value, args: &[&str]) -> Ran {
    let request = json!({"toolchains": {"c": toolchain}, "checks": checks});
    Call::new(["check", "-"]).args(args).run_with(request.to_string().as_bytes())
}

#[test]
fn products_go_where_the_check_says() {
    const SOURCE: &str = "#include <stdio.h>\nint main(void) { return puts(\"made\") < 0; }\n";
    for toolchain in both(&need("gcc")) {
        for verify in [&[][..], &["--verify"]] {
            let dir = tempfile::tempdir().unwrap();
            let path = |name: &str| dir.path().join(name);
            fs::write(path("links"), "old").unwrap();
            let check_of = |kind: &str| json!({"id": kind, "kind": kind, "source": SOURCE, "product": path(kind)});
            let checks = json!([check_of("compiles"), check_of("links"), check_of("runs")]);
            let ran = run(&toolchain, &checks, verify);
            assert_eq!(ran.code(), 0, "{ran:?}");
            for kind in ["links", "runs"] {
                let said = Command::new(path(kind)).output().unwrap();
                assert_eq!(said.stdout, b"made\n", "{kind}");
            }
            // An object file that can be linked.
            let object = path("compiles.o");
            fs::copy(path("compiles"), &object).unwrap();
            let linked =
                Command::new("gcc").arg("-o").arg(path("linked")).arg(&object).status().unwrap();
            assert!(linked.success(), "{ran:?}");
            let mode = fs::metadata(path("compiles")).unwrap().permissions().mode();
            assert_eq!(mode & 0o111, 0, "{mode:o}");
        }
    }
}

#[test]
fn only_a_yes_has_a_product() {
    for toolchain in both(&fakecc()) {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let ran = run(
            &toolchain,
            &json!([
                {"id": "NO", "kind": "links", "source": "REJECT", "product": path("no")},
                {"id": "PATTERN", "kind": "links", "source": "x", "args": ["--fake-say=bad"],
                 "fail_patterns": ["bad"], "product": path("pattern")},
                {"id": "RUN", "kind": "runs", "source": "x", "args": ["--fake-signal=9"], "product": path("run")},
                {"id": "YES", "kind": "links", "source": "x", "product": path("yes")},
            ]),
            &[],
        );
        let made: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(made, ["yes"], "{ran:?}");
    }
}

#[test]
fn equal_checks_get_their_own_products() {
    for toolchain in both(&fakecc()) {
        let dir = tempfile::tempdir().unwrap();
        let check_of = |id: &str, name: &str| json!({"id": id, "kind": "links", "source": "x", "product": dir.path().join(name)});
        let checks = json!([check_of("A", "a"), check_of("B", "b"), check_of("C", "a")]);
        let ran = run(&toolchain, &checks, &[]);
        assert_eq!(ran.code(), 0, "{ran:?}");
        assert!(dir.path().join("a").exists() && dir.path().join("b").exists());
        assert_eq!(
            (&ran.result("B")["how"], &ran.result("C")["how"]),
            (&json!("run"), &json!("duplicate"))
        );
    }
}

#[test]
fn an_uncopyable_product_is_an_error_that_names_it() {
    for toolchain in both(&fakecc()) {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing/a");
        let ran = run(
            &toolchain,
            &json!([
                {"id": "MISSING", "kind": "runs", "source": "x", "product": missing},
                {"id": "DIRECTORY", "kind": "compiles", "source": "x", "product": dir.path()},
            ]),
            &[],
        );
        assert_eq!(ran.code(), 3, "{ran:?}");
        for (id, path) in [("MISSING", missing.as_path()), ("DIRECTORY", dir.path())] {
            let result = ran.result(id);
            assert_eq!((&result["status"], &result["value"]), (&json!("error"), &Value::Null));
            let reason = result["reason"].as_str().unwrap();
            assert!(reason.contains(path.to_str().unwrap()), "{reason}");
        }
    }
}

#[test]
fn products_are_relative_to_the_request_file() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("out")).unwrap();
    let request = json!({"toolchains": {"c": {"command": [fakecc()]}}, "checks": [
        {"id": "A", "kind": "compiles", "source": "x", "product": "out/a.o"}]});
    let batch = write(dir.path(), "batch.json", &request.to_string());
    let ran = Call::new(["check"]).arg(batch).run();
    assert_eq!(ran.answer("A"), "yes", "{ran:?}");
    assert!(dir.path().join("out/a.o").exists());
}

#[test]
fn meaningless_products_are_refused() {
    let check_of = |rest: &str| format!("{{\"checks\": [\n{{\"id\": \"A\", {rest}}}]}}");
    for (rest, message) in [
        ("\"kind\": \"endian\", \"product\": ¦\"a\"", "no field \"product\""),
        (
            "\"kind\": \"preprocesses\", \"source\": \"x\", \"product\": ¦\"a\"",
            "no field \"product\"",
        ),
        ("\"kind\": \"links\", \"source\": \"x\", \"product\": ¦\"\"", "empty"),
        ("\"kind\": \"links\", \"source\": \"x\", \"product\": ¦\"a\\u0000\"", "NUL"),
    ] {
        assert_refused_at(&check_of(rest), Some("checks[0].product"), message);
    }
    assert_refused_at(
        "{\"checks\": [{\"id\": \"A\", \"kind\": \"links\", \"source\": \"x\", \"product\": \"a\"},\n\
         {\"id\": \"B\", \"kind\": \"links\", \"source\": \"y\", \"product\": ¦\"a\"}]}",
        Some("checks[1].product"),
        "the product of checks[0] is already copied to",
    );
}

#[test]
fn a_product_cannot_be_a_named_pipe() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let ran = fake(json!([{"id": "A", "kind": "links", "source": "x", "product": pipe}]));
    let result = ran.result("A");
    assert_eq!(result["status"], "error", "{result}");
    assert!(result["reason"].as_str().unwrap().contains("not a regular file"), "{result}");
}
