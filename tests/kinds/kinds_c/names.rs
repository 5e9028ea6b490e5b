//! Symbols of every sort, and identifiers that generated sources must not use.

use crate::table::*;
use serde_json::{Value, json};

#[test]
fn symbols() {
    let ask = |headers: &[&str], symbol: &str| json!({"kind": "symbol", "headers": headers, "symbol": symbol});
    let local = |prefix: &str| json!({"kind": "symbol", "prefix": prefix, "symbol": "tested"});
    let scoped =
        |prefix: &str, symbol: &str| json!({"kind": "symbol", "prefix": prefix, "symbol": symbol});
    assert_answers(
        C_AND_CXX,
        &[
            yes(ask(&["stdio.h"], "EOF")),
            yes(ask(&["stdio.h"], "fopen")),
            yes(ask(&["stdio.h"], "printf")),
            yes(ask(&["stdio.h"], "stdin")),
            yes(ask(&["stdlib.h"], "malloc")),
            yes(ask(&["string.h"], "strcpy")),
            yes(ask(&["errno.h"], "errno")),
            no(ask(&["stdio.h"], "malloc_of_tryall")),
            no(ask(&["stdio.h"], "sigaction")),
            no(ask(&[], "printf")),
            // Declared, but not in any library.
            no(local("int tested(void);")),
            no(local("extern int tested;")),
            // It has no address; use compute_int.
            no(local("enum { tested = 1 };")),
            no(local("typedef int tested;")),
            no(local("struct tested { int x; };")),
            // Expressions that are not symbols.
            no(ask(&[], "sizeof(int)")),
            no(ask(&[], "3")),
            no(scoped("static int tested;", "tested + 1")),
            yes(local("#define tested(x) ((x) + 1)")),
            yes(local("#define tested")),
            yes(local("static int tested(void) { return 1; }")),
            yes(local("extern int tested; int tested = 3;")),
            yes(local("extern const double tested[2]; const double tested[2] = { 1, 2 };")),
            yes(local("extern volatile int tested; volatile int tested;")),
            yes(local("struct pair { int x; int y; }; static struct pair tested;")),
        ],
    );
    assert_answers(
        CXX,
        &[
            yes(ask(&["cstdio"], "std::fopen")),
            yes(ask(&["cstdio"], "std::printf")),
            yes(ask(&["iostream"], "std::cout")),
            yes(scoped("namespace ns { void tested() { } }", "ns::tested")),
            yes(scoped("namespace ns { int tested; }", "::ns::tested")),
            yes(scoped("struct ns { static int tested; }; int ns::tested;", "ns::tested")),
            yes(scoped("template <class T> T tested(T x) { return x; }", "tested<int>")),
            no(ask(&["cstdio"], "std::fopen_of_tryall")),
            no(ask(&["cstdio"], "tryall::fopen")),
            // Declared, but not in any library.
            no(scoped("namespace ns { void tested(); }", "ns::tested")),
            no(scoped("namespace ns { extern int tested; }", "ns::tested")),
            no(scoped("struct ns { static int tested; };", "ns::tested")),
            no(scoped("template <class T> T tested(T x);", "tested<int>")),
            // Types and non-static members have no address.
            no(scoped("struct ns { int tested; };", "ns::tested")),
            no(scoped("struct ns { void tested() { } };", "ns::tested")),
            no(scoped("namespace ns { typedef int tested; }", "ns::tested")),
            // An overloaded function has no single address.
            no(scoped("namespace ns { void tested(int) { } void tested(char) { } }", "ns::tested")),
            no(scoped("static void tested(int) { }\nstatic void tested(char) { }", "tested")),
        ],
    );
    // Declared only with a feature macro.
    let environ = json!({"kind": "symbol", "headers": ["unistd.h"], "symbol": "environ", "args": ["-D_GNU_SOURCE"]});
    assert_answers(C_AND_CXX, &[yes(environ)]);
}

/// Identifiers that a generated source might use.
const OTHERS: [&str; 8] = ["address", "argc", "argv", "word", "before", "member", "quotient", "T"];

#[test]
fn identifiers_of_the_generated_source_are_not_symbols() {
    let rows: Vec<_> =
        OTHERS.iter().map(|name| no(json!({"kind": "symbol", "symbol": name}))).collect();
    assert_answers(C_AND_CXX, &rows);
}

/// A header may define macros with any name that does not start with `tryall_`.
#[test]
fn macros_do_not_collide_with_identifiers_of_the_source() {
    let macros: String =
        OTHERS.iter().map(|name| format!("#define {name} not an identifier\n")).collect();
    let declared =
        "int tested(void);\nint tested(void) { return 1; }\nstruct pair { int x; double y; };\n";
    let ask = |mut check: Value| {
        check["prefix"] = format!("{declared}{macros}").into();
        check
    };
    assert_answers(
        C_AND_CXX,
        &[
            yes(ask(json!({"kind": "header", "header": "stdio.h"}))),
            yes(ask(json!({"kind": "symbol", "symbol": "tested"}))),
            yes(ask(json!({"kind": "function", "function": "fork"}))),
            yes(ask(json!({"kind": "function", "function": "tested", "headers": ["stdio.h"]}))),
            yes(ask(json!({"kind": "type", "type": "struct pair"}))),
            yes(ask(json!({"kind": "member", "type": "struct pair", "member": "x"}))),
            is(ask(json!({"kind": "sizeof", "type": "struct pair"})), 16),
            is(ask(json!({"kind": "alignment", "type": "struct pair"})), 8),
            is(ask(json!({"kind": "compute_int", "expression": "-3"})), -3),
            is(ask(json!({"kind": "define", "name": "argc"})), "not an identifier"),
            yes(ask(json!({"kind": "prototype", "function": "tested", "return_type": "int",
                           "arguments": []}))),
            is(ask(json!({"kind": "endian"})), "little"),
        ],
    );
}
