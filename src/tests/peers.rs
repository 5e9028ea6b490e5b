//! Every peer gives the same answers as tryall to the checks of the examples, except for known
//! differences with a reason.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::rc::Rc;

use serde_json::{Value, json};

use super::{root, tools, venv, write};
use crate::bench::peer::{Peer, answers};
use crate::check::context::Silent;
use crate::engine::{self, Options};
use crate::plan::Plan;
use crate::protocol::Request;
use crate::protocol::response::Response;

fn read_request(request: &Value) -> Request {
    serde_json::from_value(request.clone()).unwrap()
}

/// Requires a compiler and returns its name.
fn need(program: &str) -> String {
    assert!(which::which(program).is_ok(), "{program} is missing; run tests/install");
    program.into()
}

/// A PATH that starts with the CMake, Meson and Ninja of tests/install.
fn path() -> OsString {
    let rest = std::env::var_os("PATH").unwrap();
    let dirs = [tools()];
    std::env::join_paths(dirs.into_iter().chain(std::env::split_paths(&rest))).unwrap()
}

fn options(base: &Path) -> Options {
    Options { base: Some(base.into()), ..Options::default() }
}

/// The plan of a request whose relative paths start from a directory.
fn planned(request: &Value, base: &Path) -> Plan {
    engine::plan_of(read_request(request), &options(base)).unwrap().0
}

/// Runs a plan with a peer, `repeat` times. Returns its answers and the number of checks it ran.
fn run_peer(peer: Peer, plan: &Plan, repeat: usize) -> (BTreeMap<String, bool>, usize) {
    let dir = tempfile::tempdir().unwrap();
    let count = peer.project(dir.path(), plan, repeat).unwrap();
    let mut command = peer.command(dir.path(), 2).unwrap();
    let ran = command.env("PATH", path()).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    (answers(dir.path()).unwrap().into_iter().collect(), count)
}

/// Compares each peer with the engine. `known` lists the expected differences. Relative paths start
/// from `base`.
fn compare(request: &Value, base: &Path, known: &[(Peer, &str, &str)]) {
    let response = engine::run(read_request(request), &options(base), Rc::new(Silent));
    let Response::Answered(ours) = response else { panic!("{response:?}") };
    let plan = planned(request, base);
    for peer in Peer::ALL {
        peer.find_on(&path()).unwrap();
        let (answers, count) = run_peer(peer, &plan, 1);
        let mut differing = Vec::new();
        for result in &ours.results {
            let (id, status) = (result.id.as_str(), result.status.name());
            let answer = match (answers.get(id), status) {
                (None, "skipped") => continue,
                // The Python loop ignores needs and runs every command.
                (Some(_), "skipped") if peer == Peer::Python => continue,
                (None, _) => "skipped",
                (Some(true), _) => "yes",
                (Some(false), _) => "no",
            };
            if answer != status {
                differing.push((id, answer));
            }
        }
        let known: Vec<_> = known
            .iter()
            .filter(|(whose, ..)| *whose == peer)
            .map(|(_, id, answer)| (*id, *answer))
            .collect();
        // Projects contain checks with needs, even if the needed check is omitted.
        let needy =
            |id: &str| plan.checks.iter().any(|check| check.id == id && !check.needs.is_empty());
        let left_out = known.iter().filter(|(id, answer)| *answer == "skipped" && !needy(id));
        let left_out = left_out.count();
        assert_eq!(count, plan.checks.len() - left_out, "{}", peer.name());
        assert_eq!(differing, known, "{}", peer.name());
    }
}

fn example(file: &str, language: &str, command: &str) -> Value {
    let mut request: Value =
        serde_json::from_str(&std::fs::read_to_string(root().join(file)).unwrap()).unwrap();
    request["toolchains"] = json!({language: {"command": [need(command)]}});
    request
}

#[test]
#[ignore = "takes minutes; tests/run runs it"]
fn posix_with_gcc() {
    compare(&example("examples/posix.json", "c", "gcc"), root(), &[]);
}

#[test]
#[ignore = "takes minutes; tests/run runs it"]
fn fortran_with_gfortran() {
    compare(&example("examples/fortran.json", "fortran", "gfortran"), root(), &[]);
}

/// Every kind, with text that has a meaning in each peer's language unless quoted.
fn odd_request(dir: &Path) -> Value {
    std::fs::create_dir(dir.join("a dir")).unwrap();
    write(dir, "a dir/own.h", "#define OWN \"${OWN};'@OWN@'\"\nenum { OWN_ENUM };\n");
    write(dir, "beside.h", "#define BESIDE 1\n");
    write(dir, "file.c", "#include \"beside.h\"\nint main(void) { return !BESIDE; }\n");
    let needed = "NEEDED LATER; \"${x}\" it's [=[";
    json!({
        "toolchains": {
            "c": {"command": [need("gcc"), "-pipe"], "args": ["-DTOOL=\"a b\""],
                  "link_args": ["-Wl,--as-needed", "-lm"], "env": {"OWN_VARIABLE": "a = b"}},
            "c++": {"command": [need("g++")]},
        },
        "checks": [
            {"id": "NEEDS_IN_VAIN", "kind": "header", "header": "stdio.h", "needs": [needed, "NOT"]},
            {"id": "NEEDS", "kind": "header", "header": "stdio.h", "needs": [needed]},
            {"id": needed, "kind": "compiles", "include_dirs": ["a dir"], "headers": ["own.h"],
             "source": "char s[] = OWN \"\\n\\\"]==]';${CMAKE_VERSION}@0@\";\nint main(void) { return 0; }\n"},
            {"id": "NOT", "kind": "header", "header": "none.h"},
            {"id": "ARGS", "kind": "compiles", "args": ["-DA=b c", "-DQ=\"it's $x\"", "-Wall"],
             "source": "#define S(x) #x\nchar a[sizeof Q == 8 ? 1 : -1], t[] = TOOL;\nint main(void) { return 0; }\n"},
            {"id": "FLAG", "kind": "compiler_flag", "flags": ["-Wall", "-DX=\"a b\""]},
            {"id": "NO_FLAG", "kind": "compiler_flag", "flags": ["-fno-such-flag"]},
            {"id": "LINK_FLAG", "kind": "linker_flag", "flags": ["-Wl,-z,now"], "args": ["-O1"]},
            {"id": "NO_LINK_FLAG", "kind": "linker_flag", "flags": ["-Wl,--no-such-flag"]},
            {"id": "COS", "kind": "links", "source": "double cos(double);\nint main(int argc, char **argv) { (void)argv; return cos(argc) > 2; }\n"},
            {"id": "NO_LINK", "kind": "links", "link_args": ["-lnone"], "source": "int main(void) { return 0; }\n"},
            {"id": "FILE", "kind": "runs", "file": "file.c"},
            {"id": "NO_RUN", "kind": "runs", "source": "int main(void) { return 3; }\n"},
            {"id": "VARIABLE", "kind": "runs", "headers": ["stdlib.h", "string.h"],
             "source": "int main(void) { return strcmp(getenv(\"OWN_VARIABLE\"), \"a = b\"); }\n"},
            {"id": "PREFIX", "kind": "type", "type": "t", "prefix": "typedef struct { int x; } t;"},
            {"id": "NO_TYPE", "kind": "sizeof", "type": "struct none"},
            {"id": "NO_ALIGNMENT", "kind": "alignment", "type": "t", "headers": ["stddef.h"]},
            {"id": "NO_INT", "kind": "compute_int", "expression": "none + 1"},
            {"id": "INT", "kind": "compute_int", "expression": "sizeof(\"a;b\") + 'c'"},
            {"id": "NO_DEFINE", "kind": "define", "name": "NONE", "headers": ["none.h"]},
            {"id": "EMPTY_DEFINE", "kind": "define", "name": "E", "prefix": "#define E"},
            {"id": "PRESENT", "kind": "header", "header": "own.h", "stage": "preprocess", "include_dirs": ["a dir"]},
            {"id": "PREPROCESSES", "kind": "preprocesses", "source": "#if TWO != 2\n#error\n#endif\n", "args": ["-DTWO=2"]},
            {"id": "MODULE", "kind": "compiles", "source": "int x;\n"},
            {"id": "PATTERN", "kind": "compiles", "fail_patterns": ["warning: .*\"hey;you\""],
             "source": "#warning \"hey;you\"\nint main(void) { return 0; }\n"},
            {"id": "LIBRARY", "kind": "library", "library": "m"},
            {"id": "NO_LIBRARY", "kind": "library", "library": "none", "function": "f"},
            {"id": "VOID", "kind": "prototype", "function": "abort", "return_type": "void", "arguments": [], "headers": ["stdlib.h"]},
            {"id": "STRUCT", "kind": "prototype", "function": "div", "return_type": "div_t", "arguments": ["int", "int"], "headers": ["stdlib.h"]},
            {"id": "CALLBACK", "kind": "prototype", "function": "atexit", "return_type": "int", "arguments": ["void (*)(void)"], "headers": ["stdlib.h"]},
            {"id": "MEMBER", "kind": "member", "type": "struct tm", "member": "tm_year", "headers": ["time.h"]},
            {"id": "CXX_HEADER", "kind": "header", "header": "vector", "language": "c++"},
            {"id": "CXX_TYPE", "kind": "sizeof", "type": "std::pair<int, char>", "headers": ["utility"], "language": "c++"},
            {"id": "CXX_FUNCTION", "kind": "function", "function": "getenv", "language": "c++"},
            {"id": "CXX_SYMBOL", "kind": "symbol", "symbol": "std::getenv", "headers": ["cstdlib"], "language": "c++"},
            {"id": "CXX_SOURCE", "kind": "runs", "language": "c++", "source": "#include <string>\nint main() { return std::string(\"\").size(); }\n"},
            {"id": "CXX_FLAG", "kind": "compiler_flag", "flags": ["-std=c++17"], "language": "c++"},
        ],
    })
}

#[test]
#[ignore = "takes minutes; tests/run runs it"]
fn all_request_fields_reach_the_compiler_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    compare(&odd_request(dir.path()), dir.path(), &[]);
}

/// Checks that mean something else to a peer, as described in docs/protocol.md, or that it cannot
/// express.
#[test]
#[ignore = "takes minutes; tests/run runs it"]
fn known_differences_between_peers() {
    let request = json!({
        "toolchains": {"c": {"command": [need("gcc")]}},
        "checks": [
            {"id": "BIT_FIELD", "kind": "member", "type": "struct s", "member": "b", "headers": ["bits.h"]},
            {"id": "ENUMERATOR", "kind": "symbol", "symbol": "E", "headers": ["bits.h"]},
            {"id": "STUB", "kind": "function", "function": "revoke"},
            {"id": "BUILTIN", "kind": "function", "function": "alloca"},
            {"id": "VARIABLE", "kind": "type", "type": "x", "headers": ["bits.h"]},
            {"id": "NO_WARNING", "kind": "compiler_flag", "flags": ["-Wno-such-warning"]},
            {"id": "UNLINKED", "kind": "compiles", "source": "void f(void);\nint main(void) { f(); return 0; }\n"},
            {"id": "SEMICOLON", "kind": "compiles", "args": ["-DA=b;c"], "source": "int main(void) { return 0; }\n"},
            {"id": "RUN_ARGS", "kind": "runs", "run_args": ["x"], "source": "int main(int c, char **v) { (void)v; return c - 2; }\n"},
            {"id": "AFTER", "kind": "endian", "needs": ["RUN_ARGS"]},
        ],
    });
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "bits.h", "struct s { int b : 1; };\nenum { E };\nextern int x;\n");
    let mut request = request;
    for check in request["checks"].as_array_mut().unwrap() {
        check["include_dirs"] = json!(["."]);
    }
    let known = [
        // CMake checks sizeof(member), which is invalid for a bit-field.
        (Peer::Cmake, "BIT_FIELD", "no"),
        // CMake accepts functions that glibc implements as a stub.
        (Peer::Cmake, "STUB", "yes"),
        // sizeof also accepts expressions.
        (Peer::Cmake, "VARIABLE", "yes"),
        // GCC silently accepts -Wno- with an unknown warning.
        (Peer::Cmake, "NO_WARNING", "yes"),
        // check_source_compiles links.
        (Peer::Cmake, "UNLINKED", "no"),
        // The argument would become two list elements.
        (Peer::Cmake, "SEMICOLON", "skipped"),
        // check_source_runs has no arguments, so checks that need this one are omitted, too.
        (Peer::Cmake, "RUN_ARGS", "skipped"),
        (Peer::Cmake, "AFTER", "skipped"),
        // Meson compiles the name as an expression.
        (Peer::Meson, "ENUMERATOR", "yes"),
        // Meson accepts compiler builtins that do not link.
        (Peer::Meson, "BUILTIN", "yes"),
        (Peer::Meson, "VARIABLE", "yes"),
        (Peer::Meson, "RUN_ARGS", "skipped"),
        (Peer::Meson, "AFTER", "skipped"),
    ];
    compare(&request, dir.path(), &known);
}

/// A compiler that counts its starts.
fn counting(dir: &Path) -> Value {
    let script = format!(
        "#!/bin/sh\necho >> '{}'\nexec {} \"$@\"\n",
        dir.join("count").display(),
        need("gcc")
    );
    let compiler = write(dir, "counting", &script);
    std::fs::set_permissions(&compiler, std::fs::Permissions::from_mode(0o755)).unwrap();
    json!([compiler])
}

#[test]
#[ignore = "takes minutes; tests/run runs it"]
fn every_repetition_runs_the_compiler() {
    let dir = tempfile::tempdir().unwrap();
    let header = |id: &str| json!({"id": id, "kind": "header", "header": "stddef.h"});
    let request = json!({
        "toolchains": {"c": {"command": counting(dir.path())}},
        "checks": [
            header("A"),
            header("SAME"),
            {"id": "SIZE", "kind": "sizeof", "type": "size_t", "headers": ["stddef.h"]},
            {"id": "DEFINE", "kind": "define", "name": "NULL", "headers": ["stddef.h"]},
            {"id": "INT", "kind": "compute_int", "expression": "1 + 1"},
            {"id": "FLAG", "kind": "compiler_flag", "flags": ["-O1"]},
            {"id": "LINK_FLAG", "kind": "linker_flag", "flags": ["-Wl,-z,now"]},
            {"id": "SYMBOL", "kind": "symbol", "symbol": "puts", "headers": ["stdio.h"]},
            {"id": "RUNS", "kind": "runs", "source": "int main(void) { return 0; }\n"},
        ],
    });
    let plan = planned(&request, dir.path());
    for peer in Peer::ALL {
        let started = [1, 2, 3].map(|repeat| {
            let _ = std::fs::remove_file(dir.path().join("count"));
            let (answers, count) = run_peer(peer, &plan, repeat);
            assert!(answers.values().all(|yes| *yes), "{}: {answers:?}", peer.name());
            assert_eq!((answers.len(), count), (plan.checks.len(), plan.checks.len() * repeat));
            std::fs::read(dir.path().join("count")).unwrap().len()
        });
        let more = started[1] - started[0];
        assert!(more >= plan.checks.len(), "{}: {started:?}", peer.name());
        assert_eq!(started[2] - started[1], more, "{}", peer.name());
    }
}

#[test]
#[ignore = "takes minutes; tests/run runs it"]
fn unsupported_plans_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let check =
        |toolchain: &str| json!({"id": toolchain, "kind": "endian", "toolchain": toolchain});
    for (toolchains, peers, words) in [
        (
            json!({"a": {"command": [need("gcc")]}, "b": {"command": [need("clang")]}}),
            [true, true, false],
            "one compiler for c",
        ),
        (
            json!({"a": {"emulator": ["env"]}, "b": {"emulator": ["env"]}}),
            [true, true, false],
            "an emulator",
        ),
        (
            json!({"a": {"command": ["/none"]}, "b": {"command": ["/none"]}}),
            [true, true, true],
            "/none does not exist",
        ),
        (
            json!({"a": {"env": {"X": "1"}}, "b": {"env": {"X": "2"}}}),
            [true, true, true],
            "X differs",
        ),
    ] {
        let request = json!({"toolchains": toolchains, "checks": [check("a"), check("b")]});
        let plan = planned(&request, dir.path());
        for (peer, refuses) in Peer::ALL.into_iter().zip(peers) {
            match peer.project(dir.path(), &plan, 1) {
                Ok(2) => assert!(!refuses, "{}: {words}", peer.name()),
                Ok(count) => panic!("{}: {count}", peer.name()),
                Err(error) => {
                    assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
                    assert!(refuses && error.to_string().contains(words), "{error}");
                }
            }
        }
    }
}

#[test]
#[ignore = "takes minutes; tests/run runs it"]
fn versions_are_reported() {
    for (peer, start, second) in [
        (Peer::Cmake, "cmake ", ", ninja "),
        (Peer::Meson, "meson ", ", ninja "),
        (Peer::Python, "python3 3.", ""),
    ] {
        let version = peer.find_on(&path()).unwrap().version;
        assert!(version.starts_with(start) && version.contains(second), "{version}");
    }
    // CMake without Ninja.
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(venv("cmake"), dir.path().join("cmake")).unwrap();
    let why = Peer::Cmake.find_on(dir.path().as_os_str()).unwrap_err();
    assert_eq!(why, "ninja is not on PATH");
}
