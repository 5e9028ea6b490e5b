//! Request files without the program: CMake alone produces the same cache, for every kind.

use crate::dropin::*;
use crate::support::*;

fn project(languages: &str, request: &str) -> Project {
    let lists = format!(
        "cmake_minimum_required(VERSION 3.19)\nproject(p {languages})\ninclude(\"{}\")\n\
         tryall_check(FILE checks.json)\nmessage(\"codes ${{LONG_CODE}} ${{NO_SIZE_CODE}}\")\n",
        root().join("cmake/Tryall.cmake").display()
    );
    Project::of(&lists).file("checks.json", request)
}

/// With the program and without it. CMake alone sets no help texts.
fn same(project: &Project, cmake: &(std::path::PathBuf, &str)) -> Configured {
    let mut ours = project.configure(cmake, &[&format!("-DTRYALL_EXECUTABLE={TRYALL}")]);
    let mut alone = project.configure(cmake, &[]);
    assert!(ours.succeeded && alone.succeeded, "{}\n{}", ours.text, alone.text);
    let notice = alone.text.lines().filter(|line| line.contains("cargo install tryall")).count();
    assert_eq!(notice, 1, "{}", alone.text);
    alone.text = alone
        .text
        .lines()
        .filter(|line| !line.contains("cargo install"))
        .map(|line| format!("{line}\n"))
        .collect();
    for configured in [&mut ours, &mut alone] {
        let cache = configured.whole.files.get_mut("CMakeCache.txt").unwrap();
        let entries = cache.lines().filter(|line| !line.starts_with("//"));
        *cache = entries.map(|line| format!("{line}\n")).collect();
    }
    ours.assert_same_as(&alone);
    alone
}

const EVERY_KIND: &str = r##"{"toolchains": {"c": {"args": ["-DTC=1"]}, "opt": {"language": "c", "args": ["-O2", "-flto"]}},
"checks": [
{"id": "HEADER", "kind": "header", "header": "sys/epoll.h"}, {"id": "NO_HEADER", "kind": "header", "header": "nope.h"},
{"id": "PRESENT", "kind": "header", "header": "unistd.h", "stage": "preprocess"},
{"id": "NOT_PRESENT", "kind": "header", "header": "nope.h", "stage": "preprocess"},
{"id": "OWN", "kind": "header", "header": "own.h", "include_dirs": ["inc"]}, {"id": "NOT_OWN", "kind": "header", "header": "own.h"},
{"id": "OWN_ARG", "kind": "header", "header": "own.h", "args": ["-Iinc"], "prefix": "#ifdef OWN_H\n#error\n#endif"},
{"id": "MACRO", "kind": "symbol", "symbol": "EAGAIN", "headers": ["errno.h"]},
{"id": "NO_MACRO", "kind": "symbol", "symbol": "ENOPE", "headers": ["errno.h"]},
{"id": "SYMBOL", "kind": "symbol", "symbol": "printf", "headers": ["stdio.h"]}, {"id": "NO_SYMBOL", "kind": "symbol", "symbol": "printf"},
{"id": "FUNCTION", "kind": "function", "function": "fork"}, {"id": "NO_FUNCTION", "kind": "function", "function": "kqueue"},
{"id": "DECLARED", "kind": "function", "function": "fork", "headers": ["unistd.h"]},
{"id": "UNDECLARED", "kind": "function", "function": "fork", "headers": ["stdio.h"]},
{"id": "STUB", "kind": "function", "function": "gtty"}, {"id": "LINKED", "kind": "function", "function": "cos", "link_args": ["-lm"]},
{"id": "LIBRARY", "kind": "library", "library": "m", "function": "cos"}, {"id": "NO_LIBRARY", "kind": "library", "library": "nope"},
{"id": "JUST_LIBRARY", "kind": "library", "library": "m"},
{"id": "TYPE", "kind": "type", "type": "pid_t", "headers": ["sys/types.h"]}, {"id": "NO_TYPE", "kind": "type", "type": "nope_t"},
{"id": "MEMBER", "kind": "member", "type": "struct stat", "member": "st_mtim", "headers": ["sys/stat.h"]},
{"id": "NO_MEMBER", "kind": "member", "type": "struct stat", "member": "st_nope", "headers": ["sys/stat.h"]},
{"id": "LONG", "kind": "sizeof", "type": "long"}, {"id": "NO_SIZE", "kind": "sizeof", "type": "nope_t"},
{"id": "LTO", "kind": "sizeof", "type": "long", "toolchain": "opt"},
{"id": "ALIGNMENT", "kind": "alignment", "type": "double"}, {"id": "NO_ALIGNMENT", "kind": "alignment", "type": "nope_t"},
{"id": "NEGATIVE", "kind": "compute_int", "expression": "-5"}, {"id": "LARGE", "kind": "compute_int", "expression": "18446744073709551615u"},
{"id": "SMALLEST", "kind": "compute_int", "expression": "-9223372036854775807L-1"}, {"id": "NO_INT", "kind": "compute_int", "expression": "nope"},
{"id": "FROM_TOOLCHAIN", "kind": "compute_int", "expression": "TC"}, {"id": "LONG_INT", "kind": "compute_int", "expression": "12345678901234567"},
{"id": "DEFINE", "kind": "define", "name": "__SIZEOF_LONG__"}, {"id": "NO_DEFINE", "kind": "define", "name": "NOPE"},
{"id": "TEXT", "kind": "define", "name": "X", "args": ["-DX=\"a b\" + (1)"]},
{"id": "PROTOTYPE", "kind": "prototype", "function": "getpid", "return_type": "pid_t", "arguments": [], "headers": ["unistd.h"]},
{"id": "NO_PROTOTYPE", "kind": "prototype", "function": "getpid", "return_type": "char *", "arguments": ["int"], "headers": ["unistd.h"]},
{"id": "FLAG", "kind": "compiler_flag", "flags": ["-Wall", "-Wextra"]}, {"id": "NO_FLAG", "kind": "compiler_flag", "flags": ["-Wnope-nope"]},
{"id": "NO_NO_FLAG", "kind": "compiler_flag", "flags": ["-Wno-nope-nope"]}, {"id": "CXX_FLAG", "kind": "compiler_flag", "flags": ["-fno-rtti"]},
{"id": "LINKER", "kind": "linker_flag", "flags": ["-Wl,-z,now"]}, {"id": "NO_LINKER", "kind": "linker_flag", "flags": ["-Wl,--nope-nope"]},
{"id": "IGNORED", "kind": "linker_flag", "flags": ["-Wl,-z,nopenope"]}, {"id": "BIG", "kind": "endian"},
{"id": "PREPROCESSES", "kind": "preprocesses", "source": "this is no C"}, {"id": "NO_PREPROCESSES", "kind": "preprocesses", "source": "#error no"},
{"id": "COMPILES", "kind": "compiles", "source": "int f(void); int main(void) { return f(); }"}, {"id": "NO_COMPILES", "kind": "compiles", "source": "nope"},
{"id": "FILE", "kind": "compiles", "file": "inc/a.c"},
{"id": "WARNS", "kind": "compiles", "source": "int main(void) { return nope_(); }", "fail_patterns": ["implicit.*declaration"]},
{"id": "LINKS", "kind": "links", "source": "int main(void) { return 0; }"}, {"id": "NO_LINKS", "kind": "links", "source": "int f(void); int main(void) { return f(); }"},
{"id": "RUNS", "kind": "runs", "source": "int main(void) { return 0; }"}, {"id": "NO_RUNS", "kind": "runs", "source": "int main(void) { return 3; }"},
{"id": "RUNS_NOT", "kind": "runs", "source": "nope"}, {"id": "ABORTS", "kind": "runs", "source": "#include <stdlib.h>\nint main(void) { abort(); }"},
{"id": "ARGUMENTS", "kind": "runs", "source": "int main(int c, char **v) { return c - 2; }", "run_args": ["x"]},
{"id": "SKIPPED", "kind": "header", "header": "stdio.h", "needs": ["NO_RUNS"]},
{"id": "NEEDS_LATER", "kind": "header", "header": "stdio.h", "needs": ["NEEDED", "RUNS"]}, {"id": "NEEDED", "kind": "header", "header": "stdlib.h", "required": true},
{"id": "VECTOR", "kind": "header", "header": "vector", "language": "c++"},
{"id": "VECTOR_SIZE", "kind": "sizeof", "type": "std::vector<int>", "headers": ["vector"], "language": "c++"},
{"id": "CXX_PROTOTYPE", "kind": "prototype", "function": "atoi", "return_type": "int", "arguments": ["const char *"], "headers": ["stdlib.h"], "language": "c++"},
{"id": "CXX_FUNCTION", "kind": "function", "function": "fork", "language": "cxx"},
{"id": "BLOCK", "kind": "compiles", "language": "fortran", "source": "block\n real :: a\n a = 0.\nend block\nend\n"},
{"id": "NO_FORTRAN", "kind": "compiles", "language": "fortran", "source": "nope\nend\n"},
{"id": "REAL", "kind": "type", "type": "real(8)", "language": "fortran"},
{"id": "FORTRAN_FLAG", "kind": "compiler_flag", "flags": ["-fbackslash"], "language": "fortran"}
]}"##;

#[test]
fn every_kind_has_the_same_answer_without_the_program() {
    let project = project("C CXX Fortran", EVERY_KIND)
        .file("inc/own.h", "#define OWN_H 1\n")
        .file("inc/a.c", "int main(void) { return 0; }\n");
    for cmake in cmakes() {
        let alone = same(&project, &cmake);
        assert_eq!((alone.value("LONG"), alone.value("LARGE")), ("8", "18446744073709551615"));
        assert!(!alone.cache.contains_key("SKIPPED") && alone.cache.contains_key("NEEDS_LATER"));
    }
}

#[test]
fn the_example_has_the_same_answers_without_the_program() {
    let project = project("C", &read("examples/posix.json"));
    for cmake in cmakes() {
        same(&project, &cmake);
    }
}

#[test]
fn verification_against_cmake_finds_no_difference() {
    let request = r#"{"checks": [{"id": "LONG", "kind": "sizeof", "type": "long"}, {"id": "NO_SIZE", "kind": "sizeof", "type": "nope"}]}"#;
    let project = project("C", request);
    for cmake in cmakes() {
        let verified = project
            .configure(&cmake, &[&format!("-DTRYALL_EXECUTABLE={TRYALL}"), "-DTRYALL_VERIFY=ON"]);
        assert!(verified.succeeded && verified.value("LONG") == "8", "{}", verified.text);
    }
}

#[test]
fn unsupported_checks_are_errors_with_a_remedy() {
    for (request, says) in [
        (
            r#"{"toolchains": {"c": {"command": ["tcc"]}}, "checks": [{"id": "A", "kind": "endian"}]}"#,
            "\"command\" of the toolchain \"c\"",
        ),
        (r#"{"checks": [{"id": "A", "kind": "endian", "language": "c++"}]}"#, "CXX is not enabled"),
        (r#"{"checks": [{"id": "A", "kind": "heder"}]}"#, "unknown kind \"heder\""),
        (r#"{"checks": [{"id": "A", "kind": "header"}]}"#, "needs the field \"header\""),
        (r#"{"checks": [{"id": "A", "kind": "header", "header": "a.h", "nope": 1}]}"#, "\"nope\""),
        (r#"{"checks": [{"id": "A", "kind": "endian", "needs": ["A"]}]}"#, "in a circle"),
        (
            r#"{"checks": [{"id": "A", "kind": "compiles", "source": "", "fail_patterns": ["\\d"]}]}"#,
            "regular expressions",
        ),
        (
            r#"{"checks": [{"id": "A", "kind": "header", "header": "no.h", "required": true}]}"#,
            "was not answered yes",
        ),
        ("{", "checks.json"),
    ] {
        for cmake in cmakes() {
            let configured = project("C", request).configure(&cmake, &[]);
            let text = configured.text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(!configured.succeeded && text.contains(says), "{request}: {text}");
        }
    }
}
