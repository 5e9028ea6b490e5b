//! The Tiny C Compiler, whose messages and options tryall does not know, gives the same answers as
//! GCC.

use crate::support::*;
use crate::table::*;
use serde_json::{Value, json};

const TCC: Compiler = Compiler { command: &["tcc"], language: "c" };

fn with(kind: &str, fields: Value) -> Value {
    let mut check = json!({"kind": kind});
    for (field, value) in fields.as_object().unwrap() {
        check[field] = value.clone();
    }
    check
}

#[test]
fn an_unknown_compiler_gives_the_same_answers() {
    let header =
        |header: &str, stage: &str| json!({"kind": "header", "header": header, "stage": stage});
    let symbol = |symbol: &str, headers: &[&str]| json!({"kind": "symbol", "symbol": symbol, "headers": headers});
    let function = |function: &str, headers: &[&str]| json!({"kind": "function", "function": function, "headers": headers});
    let type_named =
        |name: &str, prefix: &str| json!({"kind": "type", "type": name, "prefix": prefix});
    let sizeof =
        |name: &str, prefix: &str| json!({"kind": "sizeof", "type": name, "prefix": prefix});
    let alignment = |name: &str| json!({"kind": "alignment", "type": name});
    let compute = |expression: &str| json!({"kind": "compute_int", "expression": expression});
    let tested = "struct tested { int x; unsigned bits : 3; struct { char deep; } inner; };";
    let member = |member: &str| json!({"kind": "member", "type": "struct tested", "member": member, "prefix": tested});
    let define = |prefix: &str| json!({"kind": "define", "name": "TESTED", "prefix": prefix});
    let prototype = |returns: &str, arguments: &[&str]| {
        json!({"kind": "prototype", "function": "tested", "return_type": returns,
               "arguments": arguments, "prefix": "int tested(long x, char *y);"})
    };
    let hello = "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n";
    let rows = [
        yes(header("stdio.h", "compile")),
        yes(header("stdio.h", "preprocess")),
        no(header("not_there.h", "compile")),
        no(header("not_there.h", "preprocess")),
        yes(symbol("EOF", &["stdio.h"])),
        yes(symbol("fopen", &["stdio.h"])),
        yes(symbol("stdin", &["stdio.h"])),
        no(symbol("nothing_of_the_kind", &["stdio.h"])),
        yes(function("printf", &[])),
        yes(function("printf", &["stdio.h"])),
        no(function("nothing_of_the_kind", &[])),
        no(function("nothing_of_the_kind", &["stdio.h"])),
        no(function("sigreturn", &[])),
        yes(json!({"kind": "library", "library": "m", "function": "cos"})),
        no(json!({"kind": "library", "library": "m", "function": "nothing_of_the_kind"})),
        no(json!({"kind": "library", "library": "tryall_not_there"})),
        yes(type_named("long long", "")),
        yes(type_named("struct tested", tested)),
        no(type_named("struct tested", "struct tested;")),
        no(type_named("tested", "extern int tested;")),
        no(type_named("tested", "")),
        yes(member("x")),
        yes(member("bits")),
        yes(member("inner.deep")),
        no(member("not_there")),
        is(sizeof("long double", ""), 16),
        is(sizeof("struct tested", "struct tested { char x; double y; };"), 16),
        is(sizeof("char[65537]", ""), 65537),
        no(sizeof("struct tested", "struct tested;")),
        is(alignment("double"), 8),
        is(alignment("char[3]"), 1),
        is(alignment("void (*)(int)"), 8),
        no(alignment("struct tested")),
        no(json!({"kind": "alignment", "type": "tested", "prefix": "extern int tested;"})),
        is(compute("-7"), -7),
        is(compute("~0ull"), u64::MAX),
        is(compute("-9223372036854775807ll - 1"), i64::MIN),
        is(compute("sizeof(long) * 8"), 64),
        no(compute("nothing_of_the_kind")),
        is(define("#define TESTED \"a b\""), "\"a b\""),
        is(define("#define TESTED"), ""),
        no(define("")),
        yes(prototype("int", &["long", "char *"])),
        no(prototype("int", &["int", "char *"])),
        no(prototype("char *", &["long", "char *"])),
        yes(with("compiler_flag", json!({"flags": ["-g"]}))),
        no(with("compiler_flag", json!({"flags": ["--bogus"]}))),
        yes(with("linker_flag", json!({"flags": ["-rdynamic"]}))),
        no(with("linker_flag", json!({"flags": ["-Wl,--bogus"]}))),
        is(with("endian", json!({})), "little"),
        yes(with("preprocesses", json!({"source": hello}))),
        no(with("preprocesses", json!({"source": "#error \"no\"\n"}))),
        yes(with("compiles", json!({"source": hello}))),
        no(with("compiles", json!({"source": "int x = ;\n"}))),
        yes(with("links", json!({"source": hello}))),
        no(with("links", json!({"source": "int f(void); int main(void) { return f(); }\n"}))),
        is(with("runs", json!({"source": hello})), json!({"exit_status": 0, "stdout": "hello\n"})),
    ];
    need("tcc");
    assert_plain_answers(GCC, &rows);
    assert_plain_answers(TCC, &rows);
}
