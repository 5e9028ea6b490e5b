//! Each peer, asked every check of an example, answers as tryall does; where one does not, the
//! difference is known and has a reason.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::rc::Rc;

use serde_json::{Value, json};
use tryall::bench::peer::{Peer, answers};
use tryall::plan::{self, Origin, Plan};
use tryall::request;
use tryall::toolchain::Surroundings;

use crate::support::*;

/// A PATH on which CMake, Meson and Ninja stand as tests/install puts them.
fn path() -> OsString {
    let rest = std::env::var_os("PATH").unwrap();
    let dirs = [root().join("target/venv/bin")];
    std::env::join_paths(dirs.into_iter().chain(std::env::split_paths(&rest))).unwrap()
}

/// The plan of a request whose relative paths start from a directory.
fn planned(request: &Value, base: &Path) -> Plan {
    let bytes = request.to_string().into_bytes();
    let (request, text) = request::parse::parse(&bytes).unwrap();
    let base = Rc::new(base.to_path_buf());
    let origins = (0..request.checks.len())
        .map(|index| Origin {
            path: request::Path::root().key("checks").index(index),
            base: base.clone(),
        })
        .collect();
    let surroundings = Surroundings::of_process().unwrap();
    plan::plan(plan::Input {
        request,
        origins,
        text: Some(text),
        base: &base,
        timeout: None,
        surroundings: &surroundings,
    })
    .unwrap()
}

/// What a peer answers to a request, asked so many times.
fn asked(peer: Peer, request: &Value, base: &Path, repeat: usize) -> BTreeMap<String, bool> {
    let dir = tempfile::tempdir().unwrap();
    let plan = planned(request, base);
    let count = peer.project(dir.path(), &plan, repeat).unwrap();
    assert_eq!(count, plan.asks.len() * repeat, "{} can be asked all", peer.name());
    let mut command = peer.command(dir.path(), 2).unwrap();
    let output = command.env("PATH", path()).output().unwrap();
    let ran = Ran::from(output);
    assert_eq!(ran.code(), 0, "{ran:?}");
    answers(dir.path()).unwrap().into_iter().collect()
}

/// Compares each peer with `tryall check`; `known` are the peers and checks that differ.
fn compare(request: &Value, known: &[(Peer, &str, &str)]) {
    let results = check(request).json()["results"].as_array().unwrap().clone();
    for peer in Peer::ALL {
        peer.find_on(&path()).unwrap();
        let answers = asked(peer, request, root(), 1);
        let mut differing = Vec::new();
        for result in &results {
            let (id, status) = (result["id"].as_str().unwrap(), result["status"].as_str().unwrap());
            let answer = match (answers.get(id), status) {
                (None, "skipped") => continue,
                // The loop runs every command of the plan, whatever came of the others.
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
        assert_eq!(differing, known, "{}", peer.name());
    }
}

fn example(file: &str, language: &str, command: &str) -> Value {
    let mut request: Value = serde_json::from_str(&read(file)).unwrap();
    request["toolchains"] = json!({language: {"command": [need(command)]}});
    request
}

#[test]
fn posix_with_gcc() {
    compare(&example("examples/posix.json", "c", "gcc"), &[]);
}

#[test]
fn fortran_with_gfortran() {
    // Its program calls a procedure that nobody defines: it compiles, but check_source_compiles
    // links it too.
    let known = [(Peer::Cmake, "F2003_ABSTRACT_INTERFACE", "no")];
    compare(&example("examples/fortran.json", "fortran", "gfortran"), &known);
}

/// Every kind, and text that each peer's language would read as its own if it were not quoted.
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
            {"id": "ARGS", "kind": "compiles", "args": ["-DA=b c;d", "-DQ=\"it's $x\"", "-Wall"],
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
