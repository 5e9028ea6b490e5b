//! Headers and prefixes that do more than declare.

use super::random_batches::pools::ODD;
use super::*;

/// Checks of all kinds with a header of this text, next to some checks without it.
fn behind(text: &str, is_prefix: bool, args: &[&str], compilers: &[(&str, &str)]) {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "odd.h", text);
    let mut ids = 0;
    let mut ask = |mut check: Value| {
        ids += 1;
        check["id"] = json!(format!("{ids} {}", check["kind"].as_str().unwrap()));
        if is_prefix {
            check["prefix"] = json!(text);
        } else {
            check["headers"] = json!(["odd.h"]);
        }
        check["include_dirs"] = json!([dir.path()]);
        check["args"] = json!(args);
        check
    };
    let mut checks = Vec::new();
    for name in ["fork", "odd_function", "odd_variable", "nope", "odd_inline"] {
        checks.push(ask(json!({"kind": "symbol", "symbol": name})));
        checks.push(ask(json!({"kind": "function", "function": name})));
    }
    for of in ["int", "struct odd", "nope"] {
        checks.push(ask(json!({"kind": "type", "type": of})));
        checks.push(ask(json!({"kind": "sizeof", "type": of})));
    }
    checks.push(ask(json!({"kind": "member", "type": "struct odd", "member": "x"})));
    checks.push(ask(json!({"kind": "compute_int", "expression": "ODD"})));
    for name in ["getpid", "odd_function", "odd_defined", "nope"] {
        checks.push(json!({"id": name, "kind": "function", "function": name, "args": args}));
    }
    for (language, compiler) in compilers {
        same_with(language, compiler, json!(checks));
    }
}

/// GCC, alternating with one of the other compilers.
fn compilers(turn: usize) -> [(&'static str, &'static str); 2] {
    [COMPILERS[0], COMPILERS[1 + turn % 3]]
}

#[test]
fn headers_that_do_more_than_declare() {
    for (turn, text) in ODD[..12].iter().enumerate() {
        behind(text, false, &[], &compilers(turn));
    }
}

#[test]
fn headers_that_leave_things_open() {
    for (turn, text) in ODD[12..].iter().enumerate() {
        behind(text, false, &[], &compilers(turn));
    }
}

#[test]
fn headers_that_end_in_the_middle_of_a_declaration() {
    let checks = [
        json!({"kind": "sizeof", "type": "int"}),
        json!({"kind": "sizeof", "type": "long"}),
        json!({"kind": "compute_int", "expression": "3"}),
        json!({"kind": "type", "type": "int"}),
        json!({"kind": "type", "type": "struct tail"}),
        json!({"kind": "alignment", "type": "int"}),
        json!({"kind": "alignment", "type": "long"}),
        json!({"kind": "prototype", "function": "declared", "return_type": "int",
               "arguments": []}),
        json!({"kind": "endian"}),
        json!({"kind": "symbol", "symbol": "declared"}),
        json!({"kind": "function", "function": "getpid"}),
        json!({"kind": "function", "function": "getppid"}),
    ];
    for tail in ["unsigned", "const", "inline", "extern \"C\""] {
        with_header(&format!("int declared(void);\nstruct tail {{ int x; }};\n{tail}\n"), &checks);
    }
}

#[test]
fn prefixes_that_do_more_than_declare() {
    let args = ["-O2", "-Wall", "-Wextra", "-Wmissing-prototypes"];
    for (turn, text) in ODD.iter().step_by(3).enumerate() {
        behind(text, true, &args, &compilers(turn)[turn % 2..][..1]);
    }
}

#[test]
fn weak_thread_local_and_constant_symbols() {
    let text = "#pragma weak odd_function\nextern int odd_function(void);\n\
                extern __thread int odd_variable;\nextern const int odd_constant;\n\
                extern int fork_(void) __asm__(\"fork\");\n#pragma weak getpid\nextern int getpid(void);\n\
                extern __attribute__((weak)) int nope(void);\nstatic const int odd_inline = 3;\n";
    behind(text, false, &[], &COMPILERS[..2]);
    behind(text, false, &["-O2", "-fPIC"], &COMPILERS[..1]);
}

/// Runs checks with a header of this text; all known compilers must answer as without sharing.
fn with_header(text: &str, checks: &[Value]) {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "odd.h", text);
    let with_header = |(number, check): (usize, &Value)| {
        let mut check = check.clone();
        check["id"] = json!(format!("{number}"));
        check["headers"] = json!(["odd.h"]);
        check["include_dirs"] = json!([dir.path()]);
        check
    };
    let checks: Value = checks.iter().enumerate().map(with_header).collect();
    for (language, compiler) in COMPILERS {
        same_with(language, compiler, checks.clone());
    }
}

#[test]
fn a_macro_that_redefines_another_one_affects_no_other_check() {
    let text = "#define ODD 1\n#pragma push_macro(\"ODD\")\n#undef ODD\n#define ODD 2\n\
                #define turns _Pragma(\"pop_macro(\\\"ODD\\\")\") 5\n\
                #define turned _Pragma(\"pop_macro(\\\"ODD\\\")\") int\n";
    let integer = |expression: &str| json!({"kind": "compute_int", "expression": expression});
    let size = |of: &str| json!({"kind": "sizeof", "type": of});
    let define = |name: &str| json!({"kind": "define", "name": name});
    with_header(text, &[integer("turns"), integer("ODD"), size("int"), size("long")]);
    with_header(text, &[size("turned"), size("char[ODD]"), size("int"), size("long")]);
    with_header(text, &[define("turns"), define("ODD"), define("EOF")]);
    let text = "#define f(x) x\n#define opens ) f (\n#define closes ) (\n";
    with_header(text, &[define("opens"), define("closes"), define("f")]);
}

#[test]
fn a_macro_that_escapes_its_function_affects_no_other_check() {
    let size = |of: &str| json!({"kind": "sizeof", "type": of});
    let function = |name: &str| json!({"kind": "function", "function": name});
    let text = "#define opens int)0); } struct later { int x; }; int odd(char **tryall_argv) { \
                (void)((struct later\n";
    let member = json!({"kind": "member", "type": "opens", "member": "x"});
    with_header(text, &[member, size("struct later"), size("long")]);
    let text = "#define opens getpid; } extern int getppid(void); int odd(void) {\n\
                int getpid(void);\n";
    with_header(text, &[function("opens"), function("getppid"), function("getpid")]);
    // Identifiers of the generated source.
    let text = "#define __builtin_types_compatible_p(a, b) 1; } struct later { int x; }; \
                int odd(void) { (void)1\n";
    let int = json!({"kind": "type", "type": "int"});
    with_header(text, &[int, size("struct later"), size("int")]);
    let text = "#define return extern int getppid(void); return\nint getpid(void);\n";
    with_header(text, &[function("getpid"), function("getppid"), function("nope")]);
}

#[test]
fn a_macro_with_line_expands_as_in_the_single_source() {
    let function = |name: &str| json!({"kind": "function", "function": name});
    for line in 16..26 {
        let text = format!(
            "extern int getpid(void);\nextern int nope(void);\n\
             #define getpid *_Generic((char (*)[__LINE__ > {line} ? 2 : 1])0, \\\n\
             char (*)[2]: &getpid, default: &nope)\n"
        );
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "odd.h", &text);
        let mut checks = json!([function("getpid"), function("fork"), function("nope")]);
        for (number, check) in checks.as_array_mut().unwrap().iter_mut().enumerate() {
            check["id"] = json!(number.to_string());
            check["include_dirs"] = json!([dir.path()]);
        }
        checks[0]["headers"] = json!(["odd.h"]);
        same_with("c", "gcc", checks);
    }
}

#[test]
fn macros_for_values_and_names_share_a_source() {
    let text = "#include <stdio.h>\n#include <sys/stat.h>\n#include <limits.h>\n\
                #define minus(x) (-(x))\n";
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "odd.h", text);
    let ask = |kind: &str, field: &str, words: &str| {
        json!({"id": format!("{kind} {words}"), "kind": kind, field: words, "headers": ["odd.h"],
               "include_dirs": [dir.path()]})
    };
    let mut checks: Vec<_> = ["EOF", "INT_MAX", "minus(3)", "S_ISREG(1)", "sizeof(stdin)"]
        .iter()
        .map(|expression| ask("compute_int", "expression", expression))
        .collect();
    for of in ["char[BUFSIZ]", "int (*)(int, int)", "struct { int x, y; } *"] {
        checks.push(ask("sizeof", "type", of));
    }
    let mut member = ask("member", "member", "st_mtime");
    member["type"] = json!("struct stat");
    checks.push(member);
    for compiler in ["gcc", "clang"] {
        let results = same_with("c", compiler, json!(checks));
        // The one with braces is not shared.
        assert_eq!(fused(&results), checks.len() - 1, "{compiler}: {results:#?}");
    }
}

#[test]
fn a_missing_header_is_a_no_for_every_check_that_includes_it() {
    let checks = json!([
        {"id": "1", "kind": "symbol", "symbol": "a", "headers": ["no/such.h"]},
        {"id": "2", "kind": "symbol", "symbol": "b", "headers": ["no/such.h"]},
        {"id": "3", "kind": "type", "type": "int", "headers": ["no/such.h"]},
        {"id": "4", "kind": "sizeof", "type": "int", "headers": ["no/such.h"]},
        {"id": "5", "kind": "symbol", "symbol": "EOF", "headers": ["stdio.h"]},
    ]);
    for compiler in ["gcc", "clang"] {
        let results = same_with("c", compiler, checks.clone());
        assert_eq!(fused(&results), 5, "{compiler}: {results:#?}");
        assert!(results["3"]["output"].as_str().unwrap().contains("no/such.h"));
    }
}

#[test]
fn a_prefix_that_breaks_half_the_checks() {
    let prefix = "#include <stdio.h>\n#define broken )(\n#define gone\n";
    let ask = |kind: &str, field: &str, name: &str| json!({"id": format!("{kind} {name}"), "kind": kind, field: name, "prefix": prefix});
    let mut checks = Vec::new();
    for name in ["broken", "int", "gone", "FILE", "broken *", "fpos_t"] {
        checks.push(ask("type", "type", name));
        checks.push(ask("sizeof", "type", name));
        checks.push(ask("compute_int", "expression", &format!("sizeof({name})")));
    }
    for compiler in ["gcc", "clang"] {
        let results = same_with("c", compiler, json!(checks));
        assert!(fused(&results) >= 6, "{compiler}: {results:#?}");
    }
}
