//! `tryall store verify`: which answers it asks again, and what it says of a store that lies.

use std::os::unix::process::CommandExt;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};

use crate::store::{Place, of, of_gcc, program, size};
use crate::support::*;

/// Limits the CPU time of a call, which is more than it takes. A compiler may ask for the limit, and
/// that is not seen: the store believes that nothing has changed if another one holds.
fn with_limit(mut call: Call, seconds: u64) -> Call {
    let limit = move || {
        let (_, most) = getrlimit(Resource::RLIMIT_CPU)?;
        Ok(setrlimit(Resource::RLIMIT_CPU, seconds, most)?)
    };
    // SAFETY: it only makes system calls.
    unsafe { call.command.pre_exec(limit) };
    call
}

/// Asks a compiler that is this script with one limit, and verifies the answer with another one.
fn lie(script: &str, check: Value) -> Ran {
    let place = Place::new();
    let compiler =
        program(&place.path("cc"), &format!("#!/bin/sh\nlimit=$(ulimit -t)\n{script}\n"));
    let request = of(&[&compiler], check).to_string();
    for how in ["run", "stored"] {
        let call = with_limit(place.call(&["check", "-"]), 50_000);
        assert_eq!(call.run_with(request.as_bytes()).result("A")["how"], how);
    }
    with_limit(place.call(&["store", "verify"]), 60_000).run()
}

fn assert_told(verified: &Ran, what: &str) {
    assert_eq!(verified.code(), 1, "{verified:?}");
    assert!(
        verified.stdout.starts_with("1 answers asked again, 1 differ, 0 failed\n"),
        "{verified:?}"
    );
    assert!(verified.stderr.contains(&format!("A: the store says {what}; please")), "{verified:?}");
}

#[test]
fn lies_are_told() {
    let value = json!({"id": "A", "kind": "compute_int", "expression": "LIMIT"});
    let verified = lie("exec gcc -DLIMIT=$limit \"$@\"", value);
    assert_told(&verified, "yes, 50000, the compiler says yes 60000");
    let missing = json!({"id": "A", "kind": "header", "header": "no/such.h"});
    let status = "gcc \"$@\" && exit; [ $limit = 50000 ] && exit 1; exit 2";
    let verified = lie(status, missing.clone());
    assert_told(&verified, "exit status 1, the compiler says exit status 2");
    let output = "gcc \"$@\" && exit; echo; echo it is $limit >&2; exit 1";
    let verified = lie(output, missing);
    assert_told(&verified, "\"it is 50000\", the compiler says \"it is 60000\"");
}

#[test]
fn what_the_compiler_does_not_repeat_is_not_compared() {
    let verified = lie("echo $$; exec gcc \"$@\"", size());
    assert_eq!(verified.code(), 0, "{verified:?}");
    assert!(
        verified.stdout.starts_with("1 answers asked again, 0 differ, 0 failed\n"),
        "{verified:?}"
    );
}

#[test]
fn what_is_not_asked_again_is_counted() {
    let place = Place::new();
    let header = |id: &str, name: &str| json!({"id": id, "kind": "header", "header": name, "include_dirs": [place.path("include")]});
    let here = of_gcc(&[size(), header("B", "b.h")]);
    assert_eq!(place.ask(&here).answer("B"), "no");
    let call = place.call(&["check", "-"]).env("CPATH", place.path("elsewhere"));
    let check = json!({"id": "C", "kind": "sizeof", "type": "int"});
    call.run_with(of_gcc(&[check]).to_string().as_bytes());
    std::fs::create_dir(place.path("include")).unwrap();
    std::fs::write(place.path("include/b.h"), "").unwrap();
    let run = place.call(&["run", "--", "gcc", "-fsyntax-only", "-xc", "/dev/null"]).run();
    assert_eq!(run.code(), 0, "{run:?}");
    let verified = place.tool(&["verify"]);
    assert_eq!(verified.code(), 0, "{verified:?}");
    let mut lines: Vec<_> = verified.stdout.lines().collect();
    assert_eq!(lines.remove(0), "1 answers asked again, 0 differ, 0 failed");
    for line in [
        "1 not asked: commands of tryall run, which compares them with --verify, and of CMake",
        "1 not asked: something that they rest on has changed",
        "1 not asked: they rest on other environment variables",
    ] {
        assert!(lines.contains(&line), "{line}: {verified:?}");
    }
    assert!(lines.iter().any(|line| line.contains(" not asked: parts of answers")), "{verified:?}");
}
