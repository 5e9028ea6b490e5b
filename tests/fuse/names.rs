//! Names with a special meaning: macros, keywords, builtins.

use super::*;

#[test]
fn macros_keywords_builtins_and_reserved_names() {
    let long = "x".repeat(3000);
    let names = [
        "unix",
        "linux",
        "errno",
        "assert",
        "int",
        "while",
        "inline",
        "restrict",
        "main",
        "defined",
        "include",
        "GCC",
        "pragma",
        "memcpy",
        "printf",
        "__builtin_memcpy",
        "alloca",
        "abort",
        "setjmp",
        "__fork",
        "_Exit",
        "_exit",
        "__stub_gtty",
        "gtty",
        "lchmod",
        "sigreturn",
        "fork",
        "nope",
        "etext",
        "_end",
        "environ",
        "stdout",
        "NULL",
        "__func__",
        "a$b",
        "atexit",
        "_start",
        "conftest0",
        "_GLOBAL_OFFSET_TABLE_",
        long.as_str(),
    ];
    // Some of these prevent others from linking. In a larger set, smaller batches may be tried.
    let more: Vec<_> = (0..30).map(|n| format!("nope_{n}")).collect();
    let names: Vec<_> = names.into_iter().chain(more.iter().map(String::as_str)).collect();
    for (language, compiler) in COMPILERS {
        let results = same_with(language, compiler, functions(&names, &json!({})));
        assert!(fused(&results) >= 8, "{compiler}: {}", fused(&results));
        let fused_reserved = results["__fork"]["how"] == "fused";
        assert!(!fused_reserved, "{compiler}: {:#?}", results["__fork"]);
    }
}

#[test]
fn symbols_that_are_macros_functions_variables_or_nothing() {
    let names = [
        "EOF",
        "stdout",
        "printf",
        "getc",
        "nope",
        "FILE",
        "int",
        "SEEK_SET",
        "putchar_unlocked",
        "stdin",
        "BUFSIZ",
        "__func__",
        "sizeof",
        "stdio",
    ];
    for (language, compiler) in COMPILERS {
        let symbol = |headers: &'static str| {
            move |name: &&str| {
                json!({"id": format!("{headers} {name}"), "kind": "symbol", "symbol": name,
                       "headers": [headers]})
            }
        };
        let io = names.iter().map(symbol("stdio.h"));
        let others = ["pthread_self", "pthread_nope"].iter().map(symbol("pthread.h"));
        let more = ["errno", "ENOENT", "program_invocation_name"].iter().map(symbol("errno.h"));
        let math = ["cos", "isnan", "signgam"].iter().map(symbol("math.h"));
        // Alone, a check is in a function with this name.
        let own = ["main"].iter().map(symbol("stddef.h"));
        let checks: Value = io.chain(others).chain(more).chain(math).chain(own).collect();
        let results = same_with(language, compiler, checks);
        assert!(fused(&results) >= 6, "{compiler}: {}", fused(&results));
    }
}

#[test]
fn a_function_with_its_own_prototype_is_not_one_without() {
    for (language, compiler) in COMPILERS {
        let mut checks =
            functions(&["qsort", "abs", "nope", "malloc"], &json!({"headers": ["stdlib.h"]}));
        let without = functions(&["exit", "isfinite", "strlen", "toupper"], &json!({}));
        checks.as_array_mut().unwrap().extend(without.as_array().unwrap().clone());
        let results = same_with(language, compiler, checks);
        assert!(fused(&results) >= 4, "{compiler}: {results:#?}");
    }
}

#[test]
fn declarations_of_one_check_are_invisible_to_others() {
    let checks = json!([
        {"id": "pointer", "kind": "sizeof", "type": "struct later *"},
        {"id": "declares", "kind": "sizeof", "type": "struct later { int x; }"},
        {"id": "later", "kind": "sizeof", "type": "struct later"},
        {"id": "enum", "kind": "compute_int", "expression": "sizeof(enum { tryal_one = 3 })"},
        {"id": "enumerator", "kind": "compute_int", "expression": "tryal_one"},
        {"id": "implicit", "kind": "sizeof", "type": "__typeof__(undeclared(1))"},
        {"id": "implicit symbol", "kind": "symbol", "symbol": "undeclared"},
        {"id": "member", "kind": "member", "type": "struct later", "member": "x"},
        {"id": "type", "kind": "type", "type": "struct later"},
        {"id": "int", "kind": "sizeof", "type": "int"},
        {"id": "local", "kind": "compute_int", "expression": "sizeof(tryal_argc)"},
        {"id": "ours", "kind": "compute_int", "expression": "sizeof(tryall_argc)"},
        {"id": "our macro", "kind": "symbol", "symbol": "TRYALL_Q0"},
    ]);
    for (language, compiler) in COMPILERS {
        let results = same_with(language, compiler, checks.clone());
        if language == "c" {
            assert_eq!(results["later"]["status"], "no", "{compiler}");
        }
    }
}

#[test]
fn source_positions_are_those_of_the_single_source() {
    let prefix = "#define LINE __LINE__\n#define FILE_LENGTH sizeof(__FILE__)\n\
                  #define COUNT __COUNTER__\n#define NAME sizeof(__func__)\n\
                  typedef char at_line[__LINE__];\n";
    let ask = |expression: &str| json!({"id": expression, "kind": "compute_int", "expression": expression, "prefix": prefix});
    let mut checks: Vec<_> =
        ["LINE", "FILE_LENGTH", "COUNT", "COUNT + 0", "NAME", "1", "2"].map(ask).into();
    for of in ["char[LINE]", "at_line", "int", "char[COUNT + 1]"] {
        checks.push(json!({"id": of, "kind": "sizeof", "type": of, "prefix": prefix}));
    }
    for compiler in ["gcc", "clang"] {
        same_with("c", compiler, json!(checks));
    }
}

#[test]
fn overloads_namespaces_and_mangled_names() {
    let prefix = "#include <cstdlib>\nnamespace space { int inner(int); int twice(); int twice(int); }\n\
                  int mangled(int); extern \"C\" int fork(); template <class T> T made(T);\n\
                  struct cls { static int member(); int field; };\n";
    let symbols = [
        "space::inner",
        "space::twice",
        "mangled",
        "fork",
        "made",
        "made<int>",
        "cls::member",
        "std::malloc",
        "malloc",
        "std::abs",
        "cls",
        "nope",
    ];
    let ask = |name: &&str| json!({"id": name, "kind": "symbol", "symbol": name, "prefix": prefix});
    for compiler in ["g++", "clang++"] {
        let mut checks: Vec<_> = symbols.iter().map(ask).collect();
        for name in ["mangled", "fork", "malloc"] {
            checks.push(json!({"id": format!("function {name}"), "kind": "function",
                               "function": name, "prefix": prefix}));
        }
        same_with("c++", compiler, json!(checks));
    }
}
