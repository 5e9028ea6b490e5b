//! Kinds that answer with a value: sizeof, alignment, compute_int, define, endian.

use crate::support::*;
use crate::table::*;
use serde_json::{Value, json};

fn sizeof(name: &str, prefix: &str) -> Value {
    json!({"kind": "sizeof", "type": name, "prefix": prefix})
}

fn alignment(name: &str, prefix: &str) -> Value {
    json!({"kind": "alignment", "type": name, "prefix": prefix})
}

fn compute(expression: &str, prefix: &str) -> Value {
    json!({"kind": "compute_int", "expression": expression, "prefix": prefix})
}

#[test]
fn sizes() {
    let mut rows = vec![
        is(sizeof("char", ""), 1),
        is(sizeof("int", ""), 4),
        is(sizeof("long", ""), 8),
        is(sizeof("long double", ""), 16),
        is(sizeof("void *", ""), 8),
        is(sizeof("void (*)(int)", ""), 8),
        is(sizeof("int (*(*)(void))[3]", ""), 8),
        is(sizeof("struct tested", "struct tested { char c; double d; };"), 16),
        is(sizeof("tested", "typedef union { char c[9]; short s; } tested;"), 10),
        is(sizeof("struct stat", "#include <sys/stat.h>"), 144),
        is(json!({"kind": "sizeof", "type": "struct stat", "headers": ["sys/stat.h"]}), 144),
        // CMake's check_type_size accepts expressions, too.
        is(sizeof("((struct tested *)0)->member", "struct tested { short member; };"), 2),
        no(sizeof("struct tested", "struct tested;")),
        no(sizeof("tested", "")),
        no(sizeof("struct tested", "")),
        no(json!({"kind": "sizeof", "type": "int", "headers": ["not_there.h"]})),
    ];
    for size in [3u64, 5, 255, 256, 4097, 65535, 65536, 65537, 1 << 20, (1 << 31) - 1, 1 << 40] {
        rows.push(is(sizeof(&format!("char[{size}]"), ""), size));
    }
    assert_answers(C_AND_CXX, &rows);
    assert_answers(
        CXX,
        &[
            is(sizeof("tested", "class tested { tested(); virtual ~tested(); int x; };"), 16),
            is(
                sizeof(
                    "tested<int, char>",
                    "template <class A, class B> struct tested { A a; B b; };",
                ),
                8,
            ),
            is(sizeof("tested", "struct tested { virtual void f() = 0; };"), 8),
            is(sizeof("tested", "struct tested { };"), 1),
            is(sizeof("bool", ""), 1),
        ],
    );
    assert_answers(
        C,
        &[is(sizeof("_Bool", ""), 1), is(sizeof("struct { int x; char y; }", ""), 8)],
    );
    // An extension of C that -pedantic warns about.
    assert_answers(
        C,
        &[
            is(sizeof("struct tested", "struct tested { };"), 0).not_neutral(),
            is(sizeof("struct tested", "struct tested { int x[0]; };"), 0).not_neutral(),
        ],
    );
}

#[test]
fn alignments() {
    let bits = "struct tested { char c; int bits : 3; };";
    assert_answers(
        C_AND_CXX,
        &[
            is(alignment("char", ""), 1),
            is(alignment("short", ""), 2),
            is(alignment("int", ""), 4),
            is(alignment("double", ""), 8),
            is(alignment("long double", ""), 16),
            is(alignment("void *", ""), 8),
            is(alignment("char[5]", ""), 1),
            is(alignment("int[5]", ""), 4),
            is(alignment("void (*)(int)", ""), 8),
            is(alignment("struct tested", bits), 4),
            is(alignment("struct tested", "struct tested { char c[3]; };"), 1),
            is(alignment("tested", "typedef double tested[4];"), 8),
            is(alignment("tested", "typedef char tested __attribute__((aligned(64)));"), 64),
            is(
                alignment(
                    "struct tested",
                    "struct tested { char c; double d; } __attribute__((packed));",
                ),
                1,
            ),
            no(alignment("struct tested", "struct tested;")),
            no(alignment("tested", "")),
            no(alignment("tested", "extern int tested;")),
        ],
    );
    assert_answers(
        CXX,
        &[
            is(alignment("tested", "struct tested { explicit tested(int); double d; };"), 8),
            // Not a standard-layout type, for which offsetof is intended.
            is(alignment("tested", "struct tested { virtual ~tested() { } double d; };"), 8),
            is(alignment("int &", ""), 8),
            is(
                alignment(
                    "tested<int, char>",
                    "template <class A, class B> struct tested { A a; B b; };",
                ),
                4,
            ),
        ],
    );
    // The alignment of a separate variable on this machine is twice as large.
    let on_i386 = |name: &str| {
        let mut check = alignment(name, "");
        check["args"] = json!(["-m32"]);
        is(check, 4)
    };
    assert_answers(C_AND_CXX, &[on_i386("double"), on_i386("double[2]")]);
}

#[test]
fn sizes_and_alignments_match_a_running_program() {
    let prefix = "#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n\
                  #include <sys/stat.h>\n#include <time.h>\n#include <setjmp.h>\n\
                  struct odd { char a; short b; char c[5]; long double d; char e; };\n\
                  struct bits { int a : 3; int b : 30; };\n\
                  union both { char a[7]; short b; };\nenum letters { A, B };\n";
    let types = [
        "char",
        "signed char",
        "short",
        "unsigned short",
        "int",
        "unsigned",
        "long",
        "long long",
        "float",
        "double",
        "long double",
        "void *",
        "char[3]",
        "char[5]",
        "char[4097]",
        "char[1 << 20]",
        "double[7]",
        "int[2][3]",
        "void (*)(void)",
        "int (*)[4]",
        "size_t",
        "ptrdiff_t",
        "wchar_t",
        "intmax_t",
        "uint8_t",
        "int_fast16_t",
        "uintptr_t",
        "FILE",
        "fpos_t",
        "struct stat",
        "struct tm",
        "struct timespec",
        "time_t",
        "clock_t",
        "jmp_buf",
        "struct odd",
        "struct bits",
        "union both",
        "enum letters",
    ];
    for compiler in C_AND_CXX {
        let lines: String = types
            .iter()
            .enumerate()
            .map(|(index, name)| {
                // A member of a struct, for every form of declarator.
                format!(
                    "{{ struct s{index} {{ char c; __typeof__({name}) m; }}; \
                         printf(\"%zu %zu\\n\", sizeof({name}), offsetof(struct s{index}, m)); }}\n"
                )
            })
            .collect();
        let dir = tempfile::tempdir().unwrap();
        let name = if compiler.language == "c" { "native.c" } else { "native.cpp" };
        let source =
            write(dir.path(), name, &format!("{prefix}int main(void) {{\n{lines}return 0; }}\n"));
        let program = dir.path().join("native");
        let mut compile = std::process::Command::new(need(compiler.command[0]));
        assert!(compile.arg(source).arg("-o").arg(&program).status().unwrap().success());
        let printed = std::process::Command::new(&program).output().unwrap().stdout;
        let printed = String::from_utf8(printed).unwrap();
        let mut rows = Vec::new();
        for (name, line) in std::iter::zip(types, printed.lines()) {
            let (size, aligned) = line.split_once(' ').unwrap();
            rows.push(is(sizeof(name, prefix), size.parse::<u64>().unwrap()));
            rows.push(is(alignment(name, prefix), aligned.parse::<u64>().unwrap()));
        }
        assert_eq!(rows.len(), 2 * types.len());
        assert_plain_answers(*compiler, &rows);
    }
}

#[test]
fn integers() {
    let rows = [
        is(compute("0", ""), 0),
        is(compute("-1", ""), -1),
        is(compute("1", ""), 1),
        is(compute("15", ""), 15),
        is(compute("-16", ""), -16),
        is(compute("6 * 7", ""), 42),
        is(compute("1 ? 2 : 3", ""), 2),
        is(compute("'a'", ""), 97),
        is(compute("'\\n'", ""), 10),
        is(compute("'\\''", ""), 39),
        is(compute("sizeof(long) * 8", ""), 64),
        is(compute("(unsigned char)-1", ""), 255),
        is(compute("(signed char)-128", ""), -128),
        is(compute("~0", ""), -1),
        is(compute("~0u", ""), u32::MAX),
        is(compute("~0ul", ""), u64::MAX),
        is(compute("~0ul / 2 + 1", ""), 1u64 << 63),
        is(compute("-9223372036854775807l - 1", ""), i64::MIN),
        is(compute("-9223372036854775807l", ""), -i64::MAX),
        is(compute("9223372036854775807l", ""), i64::MAX),
        is(compute("-2147483647 - 1", ""), i32::MIN),
        is(compute("1l << 40", ""), 1u64 << 40),
        is(compute("tested", "enum { tested = -7 };"), -7),
        is(compute("tested", "enum { tested = 2147483647 };"), i32::MAX),
        is(compute("tested", "#define tested (1 << 20)\n"), 1 << 20),
        // Without parentheses, and with a comparison.
        is(compute("tested", "#define tested 1 + 2\n"), 3),
        is(compute("sizeof(int) > 2", ""), 1),
        is(compute("sizeof(struct { char x; int y; })", ""), 8),
        is(
            json!({"kind": "compute_int", "expression": "INT_MIN", "headers": ["limits.h"]}),
            i32::MIN,
        ),
        is(
            json!({"kind": "compute_int", "expression": "ULONG_MAX", "headers": ["limits.h"]}),
            u64::MAX,
        ),
        is(json!({"kind": "compute_int", "expression": "EOF", "headers": ["stdio.h"]}), -1),
        is(
            json!({"kind": "compute_int", "expression": "offsetof(struct tested, b)", "headers": ["stddef.h"],
                  "prefix": "struct tested { int a; char b; };"}),
            4,
        ),
        is(compute("(int)3.9", ""), 3),
        no(compute("tested", "extern int tested;")),
        no(compute("tested()", "int tested(void);")),
        no(compute("tested", "")),
        no(compute("1 / 0", "")),
        no(compute("3 +", "")),
        no(compute("1.5", "")),
        no(compute("\"text\"", "")),
    ];
    // C++ does not allow type definitions in sizeof.
    let in_c_only = |row: &Row| row.check["expression"].as_str().unwrap().contains("{ char x");
    let (c_only, both): (Vec<_>, Vec<_>) = rows.into_iter().partition(in_c_only);
    assert_answers(C_AND_CXX, &both);
    assert_answers(C, &c_only);
}

#[test]
fn values_that_do_not_fit_are_errors() {
    for compiler in C {
        let ran = check_with(
            "c",
            compiler.command,
            json!([
                {"id": "ABOVE", "kind": "compute_int", "expression": "(__int128)1 << 64"},
                {"id": "BELOW", "kind": "compute_int", "expression": "-((__int128)1 << 63) - 1"},
                {"id": "FITS", "kind": "compute_int", "expression": "-((__int128)1 << 63)"},
            ]),
        );
        assert_eq!(ran.answer("ABOVE"), "error", "{ran:?}");
        assert_eq!(ran.answer("BELOW"), "error", "{ran:?}");
        assert_eq!(ran.result("FITS")["value"], i64::MIN, "{ran:?}");
        assert_eq!(ran.code(), 3);
    }
}

#[test]
fn expansions_of_macros() {
    let ask = |prefix: &str| json!({"kind": "define", "name": "TESTED", "prefix": prefix});
    let of =
        |name: &str, headers: &[&str]| json!({"kind": "define", "name": name, "headers": headers});
    let long = "x".repeat(100_000);
    assert_answers(
        C_AND_CXX,
        &[
            is(ask("#define TESTED 1"), "1"),
            is(ask("#define TESTED"), ""),
            is(ask("#define TESTED \"a  b\""), "\"a  b\""),
            is(ask("#define TESTED \"# not a marker\""), "\"# not a marker\""),
            is(ask("#define TESTED (1 + OTHER)\n#define OTHER 2"), "(1 + 2)"),
            is(ask("#define TESTED TESTED"), "TESTED"),
            is(ask("#define TESTED \"caf\u{e9}\""), "\"caf\u{e9}\""),
            // Without arguments it is not expanded.
            is(ask("#define TESTED(x) ((x) + 1)"), "TESTED"),
            is(ask(&format!("#define TESTED {long}")), long),
            no(ask("")),
            no(ask("int TESTED;")),
            no(ask("#define TESTED 1\n#undef TESTED")),
            is(of("EOF", &["stdio.h"]), "(-1)"),
            is(of("CHAR_BIT", &["limits.h"]), "8"),
            is(of("O_RDWR", &["fcntl.h"]), "02"),
            no(of("EOF", &["limits.h"])),
            no(of("EOF", &["not_there.h"])),
            is(
                json!({"kind": "define", "name": "TESTED", "args": ["-DTESTED=from the args"]}),
                "from the args",
            ),
        ],
    );
}

#[test]
fn byte_order() {
    assert_answers(C_AND_CXX, &[is(json!({"kind": "endian"}), "little")]);
}

/// The casts in generated sources are not the caller's.
#[test]
fn a_warning_about_old_casts_changes_no_answer() {
    let with = |check: Value| {
        let mut check = check;
        check["args"] = json!(["-Wold-style-cast", "-Werror"]);
        check
    };
    assert_answers(
        CXX,
        &[
            is(with(sizeof("long", "")), 8),
            is(with(alignment("long", "")), 8),
            is(with(compute("-3", "")), -3),
            yes(with(
                json!({"kind": "symbol", "symbol": "tested", "prefix": "static int tested;"}),
            )),
            yes(with(json!({"kind": "member", "type": "struct tested", "member": "x",
                            "prefix": "struct tested { int x; };"}))),
            yes(with(json!({"kind": "function", "function": "fork", "headers": ["unistd.h"]}))),
        ],
    );
}

/// Sources mention the type or expression several times, but declarations in it must appear only
/// once per scope.
#[test]
fn a_type_may_declare_enumerators_and_tags() {
    let texts = [
        "enum { A1, B1 }",
        "enum tested { A1, B1 }",
        "struct tested { enum { A1 } a; }",
        "union { int A1; }",
    ];
    for text in texts {
        assert_answers(
            C,
            &[
                yes(json!({"kind": "type", "type": text})),
                is(sizeof(text, ""), 4),
                is(alignment(text, ""), 4),
                is(compute(&format!("sizeof({text})"), ""), 4),
                is(compute(&format!("sizeof({text}) + sizeof(int)"), ""), 8),
                yes(json!({"kind": "member", "type": "struct { enum { A1 } a; }", "member": "a"})),
            ],
        );
    }
}
