//! Incomplete toolchains, and Objective-C.

use crate::support::*;
use crate::table::*;
use serde_json::{Value, json};

const INTERFACE: &str = "@interface Tested { int x; }\n- (int)x;\n@end\n";

const OBJC: Compiler = Compiler { command: &["gcc"], language: "objc" };

#[test]
fn objective_c() {
    let compiles = |source: &str| json!({"kind": "compiles", "source": source});
    assert_answers(
        &[OBJC],
        &[
            yes(compiles(INTERFACE)),
            no(compiles("@interface Tested\n")),
            yes(json!({"kind": "header", "header": "stdio.h"})),
            yes(json!({"kind": "header", "header": "objc/objc.h"})),
            no(json!({"kind": "header", "header": "not_there.h"})),
            yes(json!({"kind": "type", "type": "id", "headers": ["objc/objc.h"]})),
            is(json!({"kind": "sizeof", "type": "id", "headers": ["objc/objc.h"]}), 8),
            is(json!({"kind": "define", "name": "__OBJC__"}), "1"),
            is(json!({"kind": "compute_int", "expression": "-3"}), -3),
            yes(json!({"kind": "function", "function": "printf"})),
            yes(json!({"kind": "library", "library": "objc", "function": "objc_lookUpClass"})),
            yes(json!({"kind": "symbol", "symbol": "EOF", "headers": ["stdio.h"]})),
            yes(json!({"kind": "member", "type": "struct tested", "member": "x",
                       "prefix": "struct tested { int x; };"})),
        ],
    );
    // C does not accept an interface, so the language was used.
    assert_plain_answers(GCC, &[no(compiles(INTERFACE))]);
    let both = format!("{INTERFACE}template <class T> struct both {{ T x; }};\n");
    let cxx = Compiler { command: &["g++"], language: "objc++" };
    if lacks(&["g++"], "cc1objplus") {
        assert_broken(
            cxx.command,
            "objc++",
            json!([{"id": "A", "kind": "compiles", "source": both}]),
            "cc1objplus",
        );
    } else {
        assert_plain_answers(cxx, &[yes(compiles(&both)), no(compiles("@interface"))]);
    }
}

/// Whether a GCC driver lacks one of its compilers.
fn lacks(command: &[&str], part: &str) -> bool {
    let mut ask = std::process::Command::new(need(command[0]));
    let said = ask.arg(format!("-print-prog-name={part}")).output().unwrap().stdout;
    !String::from_utf8(said).unwrap().contains('/')
}

/// Asserts that every check is an error with these words in its reason.
fn assert_broken(command: &[&str], language: &str, mut checks: Value, words: &str) {
    for check in checks.as_array_mut().unwrap() {
        check["language"] = language.into();
    }
    let ran = check_with(language, command, checks.clone());
    for check in checks.as_array().unwrap() {
        let result = ran.result(check["id"].as_str().unwrap());
        assert_eq!(result["status"], "error", "{command:?} {result}");
        let reason = result["reason"].as_str().unwrap();
        assert!(reason.contains(words), "{command:?}: {reason}");
    }
    assert_eq!(ran.code(), 3);
    assert!(ran.stderr.contains(words), "people are told too: {ran:?}");
}

#[test]
fn a_compiler_without_a_language_gives_no_answers_in_it() {
    let checks = json!([
        {"id": "YES", "kind": "compiles", "source": INTERFACE},
        {"id": "NO", "kind": "header", "header": "not_there.h"},
        {"id": "SIZE", "kind": "sizeof", "type": "long"},
        {"id": "LINKS", "kind": "function", "function": "not_there"},
    ]);
    need("tcc");
    assert_broken(&["tcc"], "objc", checks.clone(), "cannot compile an empty program");
    // Cross toolchains rarely include it.
    let cross = ["aarch64-linux-gnu-gcc"];
    if lacks(&cross, "cc1obj") {
        assert_broken(&cross, "objc", checks, "cc1obj");
    }
}

#[test]
fn a_toolchain_that_cannot_link_still_compiles() {
    for (command, words) in [
        (&["gcc", "-B/not/there", "-Wl,--bogus"][..], "--bogus"),
        (&["gcc", "-nostdlib", "-Wl,-e,nowhere", "-Wl,--fatal-warnings"], "nowhere"),
        (&["clang", "-fuse-ld=bogus"], "bogus"),
        (&["clang", "--target=aarch64-none-elf", "-fuse-ld=/not/there"], "/not/there"),
        (&["gcc", "-L/not/there", "-ltryall_not_there"], "-ltryall_not_there"),
    ] {
        let checks = json!([
            {"id": "LINKS", "kind": "links", "source": "int main(void) { return 0; }\n"},
            {"id": "RUNS", "kind": "runs", "source": "int main(void) { return 0; }\n"},
            {"id": "FUNCTION", "kind": "function", "function": "not_there"},
            {"id": "SYMBOL", "kind": "symbol", "symbol": "not_there"},
            {"id": "LIBRARY", "kind": "library", "library": "not_there"},
            {"id": "FLAG", "kind": "linker_flag", "flags": ["-Wl,--other-bogus"]},
        ]);
        assert_broken(command, "c", checks, words);
        let command: &'static [&'static str] = Vec::leak(command.to_vec());
        assert_plain_answers(
            Compiler { command, language: "c" },
            &[
                is(json!({"kind": "sizeof", "type": "long"}), 8),
                no(json!({"kind": "header", "header": "not_there.h"})),
                no(json!({"kind": "type", "type": "not_there"})),
            ],
        );
    }
}

/// The other word size of the machine, whose libraries are rarely installed.
#[test]
fn a_word_size_without_libraries() {
    let command = ["gcc", "-m32"];
    let dir = tempfile::tempdir().unwrap();
    let source = write(dir.path(), "tested.c", "int main(void) { return 0; }\n");
    let mut link = std::process::Command::new(need("gcc"));
    link.args(["-m32".as_ref(), source.as_os_str(), "-o".as_ref()]).arg(dir.path().join("tested"));
    let links = link.output().unwrap().status.success();
    let checks = json!([
        {"id": "FUNCTION", "kind": "function", "function": "printf"},
        {"id": "LINKS", "kind": "links", "source": "int main(void) { return 0; }\n"},
        {"id": "NOWHERE", "kind": "function", "function": "not_there"},
    ]);
    if links {
        let ran = check_with("c", &command, checks);
        assert_eq!((ran.answer("LINKS"), ran.answer("NOWHERE")), ("yes".into(), "no".into()));
    } else {
        assert_broken(&command, "c", checks, "ld: ");
    }
    let rows = [
        is(json!({"kind": "sizeof", "type": "long"}), 4),
        is(json!({"kind": "sizeof", "type": "void *"}), 4),
        is(json!({"kind": "alignment", "type": "double"}), 4),
        is(json!({"kind": "compute_int", "expression": "~0ull"}), u64::MAX),
        is(json!({"kind": "compute_int", "expression": "-0x7fffffffffffffffll - 1"}), i64::MIN),
        is(json!({"kind": "endian"}), "little"),
        yes(json!({"kind": "type", "type": "long long"})),
    ];
    assert_plain_answers(Compiler { command: &["gcc", "-m32"], language: "c" }, &rows);
    assert_plain_answers(Compiler { command: &["clang", "-m32"], language: "c" }, &rows);
}

#[test]
fn a_freestanding_toolchain() {
    let freestanding = Compiler { command: &["gcc", "-ffreestanding"], language: "c" };
    assert_plain_answers(
        freestanding,
        &[
            is(json!({"kind": "define", "name": "__STDC_HOSTED__"}), "0"),
            is(json!({"kind": "sizeof", "type": "size_t", "headers": ["stddef.h"]}), 8),
            is(json!({"kind": "alignment", "type": "double"}), 8),
            is(json!({"kind": "endian"}), "little"),
            yes(json!({"kind": "header", "header": "stdint.h"})),
            yes(json!({"kind": "function", "function": "memcpy"})),
        ],
    );
    // Without the library there are no functions, and that is the correct answer.
    let bare = Compiler { command: &["gcc", "-nostdlib"], language: "c" };
    assert_plain_answers(
        bare,
        &[
            yes(json!({"kind": "links", "source": "int main(void) { return 0; }\n"})),
            no(json!({"kind": "function", "function": "printf"})),
            no(json!({"kind": "function", "function": "memcpy"})),
            yes(json!({"kind": "symbol", "symbol": "tested", "prefix": "static int tested;"})),
            is(json!({"kind": "sizeof", "type": "long"}), 8),
        ],
    );
}
