//! Failures that are not caused by the source: the message has the cause, its location, and a
//! remedy.

use std::os::unix::fs::PermissionsExt;

use crate::isolation::on_a_disk;
use crate::support::*;
use serde_json::{Value, json};

/// The reason of a result that must be an error.
fn reason(ran: &Ran, id: &str) -> String {
    let result = ran.result(id);
    assert_eq!(result["status"], "error", "{result}");
    result["reason"].as_str().unwrap_or_else(|| panic!("no reason: {result}")).into()
}

fn assert_told(reason: &str, told: &[&str]) {
    for text in told {
        assert!(reason.contains(text), "{text:?} is missing: {reason}");
    }
    assert!(!reason.contains("tryall-"), "a temporary name: {reason}");
}

fn request(compiler: &str) -> Value {
    json!({
        "toolchains": {"c": {"command": [compiler]}},
        "checks": [
            {"id": "COMPILES", "kind": "header", "header": "stdio.h"},
            {"id": "LINKS", "kind": "function", "function": "fork"},
            {"id": "RUNS", "kind": "runs", "source": "int main(void) { return 0; }\n"},
        ],
    })
}

#[test]
fn a_temporary_directory_without_programs_is_named() {
    let ran = on_a_disk("noexec", &request(&need("gcc")));
    assert_eq!((ran.answer("COMPILES"), ran.answer("LINKS")), ("yes".into(), "yes".into()));
    assert_told(&reason(&ran, "RUNS"), &["DISK", "mounted noexec", "set TMPDIR"]);
}

#[test]
fn a_disk_that_is_full_is_named_by_every_compiler() {
    // The first two disks have room for the source but not for the program; the last one lacks
    // inodes.
    for (compiler, options) in [
        ("gcc", "size=16k"),
        ("clang", "size=16k"),
        ("gcc", "size=1m,nr_inodes=5"),
        ("clang", "size=1m,nr_inodes=5"),
        ("tcc", "size=1m,nr_inodes=4"),
    ] {
        let ran = on_a_disk(options, &request(&need(compiler)));
        let told = reason(&ran, "LINKS");
        assert_told(&told, &["free space in", "DISK", "set TMPDIR"]);
        if options.contains("inodes") && told.contains("source could not be written") {
            assert_told(&told, &["no inodes left"]);
        }
    }
}

#[test]
fn a_compiler_that_dies_where_its_disk_is_full_has_not_crashed() {
    let says = "--fake-say=LLVM ERROR: IO failure on output stream: No space left on device";
    let abort = format!("--fake-signal={}", libc::SIGABRT);
    let ran = fake(json!([
        {"id": "FULL", "kind": "compiles", "source": "x", "args": [says, abort]},
        {"id": "DIED", "kind": "compiles", "source": "x", "args": [abort]},
    ]));
    assert_told(&reason(&ran, "FULL"), &["the disk is full (LLVM ERROR", "free space in"]);
    assert_told(&reason(&ran, "DIED"), &["SIGABRT", "check whether memory ran out"]);
}

#[test]
fn without_path_the_remedy_is_path() {
    for compiler in ["gcc", "cc"] {
        let (mut call, stdin) = Call::check(&request(&need(compiler)));
        call.command.env_remove("PATH");
        let ran = call.run_with(&stdin);
        assert_told(&reason(&ran, "LINKS"), &["PATH is not set"]);
    }
    let gcc = which::which(need("gcc")).unwrap();
    let (mut call, stdin) = Call::check(&request(gcc.to_str().unwrap()));
    call.command.env("PATH", "/no/such/directory");
    let told = reason(&call.run_with(&stdin), "LINKS");
    assert_told(&told, &["cannot find its linker or assembler", "install binutils"]);
}

#[test]
fn a_file_size_limit_is_named() {
    for (compiler, blocks, id) in [
        // The program's own output is limited, too.
        ("gcc", 0, "COMPILES"),
        ("gcc", 1, "COMPILES"),
        ("clang", 1, "LINKS"),
        ("tcc", 1, "LINKS"),
    ] {
        let ran = limited(&format!("-f {blocks}"), &request(&need(compiler)));
        assert_eq!(ran.code(), 3, "{ran:?}");
        assert_told(&reason(&ran, id), &["the size of a file (ulimit -f)"]);
    }
}

#[test]
fn limits_are_named_when_a_compiler_dies() {
    let ran = limited("-v 60000", &request(&need("clang")));
    assert_told(&reason(&ran, "COMPILES"), &["ran out of memory", "ulimit -v"]);
    let killed = |number: i32| {
        let args = [format!("--fake-signal={number}")];
        json!({
            "toolchains": {"c": {"command": [fakecc()]}},
            "checks": [{"id": "A", "kind": "compiles", "source": "x", "args": args}],
        })
    };
    let ran = limited("-t 100", &killed(libc::SIGKILL));
    assert_told(&reason(&ran, "A"), &["SIGKILL", "ulimit -t"]);
    let ran = check(&killed(libc::SIGXCPU));
    assert_told(&reason(&ran, "A"), &["SIGXCPU", "CPU time (ulimit -t)"]);
    let ran = check(&killed(libc::SIGKILL));
    assert_told(&reason(&ran, "A"), &["SIGKILL", "check whether memory ran out"]);
}

#[test]
fn a_compiler_that_cannot_start_has_a_remedy_for_its_error() {
    let dir = tempfile::tempdir().unwrap();
    for (text, told) in [
        ("exit 1\n", &["another machine", "#!/bin/sh"][..]),
        ("#!/no/such/interpreter\n", &["interpreter", "first line"]),
        ("#!/etc/passwd\n", &["permissions", "noexec"]),
    ] {
        let file = write(dir.path(), "cc", text);
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
        let ran = check(&request(file.to_str().unwrap()));
        assert_told(&reason(&ran, "COMPILES"), told);
        std::fs::remove_file(file).unwrap();
    }
    let ran = check(&request("gcc -m32"));
    assert_told(&reason(&ran, "COMPILES"), &["[\"gcc\", \"-m32\"]"]);
}

#[test]
fn only_the_unwritable_output_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "file", "");
    let output = file.join("results");
    let ran = Call::new(["check", "--compiler", "gcc", "--endian", "--output"]).arg(&output).run();
    assert_eq!(ran.code(), 3, "{ran:?}");
    assert!(ran.stderr.contains(output.to_str().unwrap()), "{ran:?}");
    assert!(!ran.stderr.contains(".tryall-"), "{ran:?}");
    let output = dir.path().join("no/such/results");
    let ran = Call::new(["check", "--compiler", "gcc", "--endian", "--output"]).arg(&output).run();
    assert!(ran.stderr.contains("No such file or directory"), "{ran:?}");
}
