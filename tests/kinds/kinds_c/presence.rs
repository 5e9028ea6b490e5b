//! Contents of headers and libraries: headers, functions, types, members, prototypes.

use crate::support::*;
use crate::table::*;
use serde_json::{Value, json};

/// A directory with headers for the tests.
fn headers() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "needs_size_t.h", "size_t of_something(void);\n");
    write(dir.path(), "refuses.h", "#error \"not on this machine\"\n");
    write(dir.path(), "good.h", "#define GOOD 1\n");
    std::fs::create_dir(dir.path().join("a b")).unwrap();
    write(dir.path(), "a b/c-d+e.h", "\n");
    dir
}

#[test]
fn headers_that_compile_and_headers_that_only_exist() {
    let dir = headers();
    let dirs = json!([dir.path()]);
    let mut rows = Vec::new();
    for stage in ["compile", "preprocess"] {
        let ask = |header: &str| json!({"kind": "header", "header": header, "stage": stage, "include_dirs": dirs});
        rows.extend([
            yes(ask("stdio.h")),
            yes(ask("sys/stat.h")),
            yes(ask("good.h")),
            yes(ask("a b/c-d+e.h")),
            no(ask("tryall/not_there.h")),
            no(json!({"kind": "header", "header": "good.h", "stage": stage})),
            no(json!({"kind": "header", "header": "stdio.h", "headers": ["not_there.h"], "stage": stage})),
        ]);
    }
    let alone = |header: &str, stage: &str| json!({"kind": "header", "header": header, "include_dirs": dirs, "stage": stage});
    let after = |field: &str, what: Value| {
        let mut check = alone("needs_size_t.h", "compile");
        check[field] = what;
        check
    };
    rows.extend([
        yes(alone("needs_size_t.h", "preprocess")),
        no(alone("needs_size_t.h", "compile")),
        yes(after("headers", json!(["stddef.h"]))),
        yes(after("prefix", json!("typedef unsigned long size_t;"))),
        yes(alone("refuses.h", "preprocess")),
        no(alone("refuses.h", "compile")),
    ]);
    assert_answers(C_AND_CXX, &rows);
    let cxx_only = |stage: &str| json!({"kind": "header", "header": "vector", "stage": stage});
    assert_answers(CXX, &[yes(cxx_only("compile")), yes(cxx_only("preprocess"))]);
    assert_answers(C, &[no(cxx_only("compile")), no(cxx_only("preprocess"))]);
}

#[test]
fn functions() {
    let ask = |function: &str| json!({"kind": "function", "function": function});
    let with = |headers: &[&str], function: &str| json!({"kind": "function", "function": function, "headers": headers});
    let prefix = |prefix: &str| json!({"kind": "function", "function": "tested", "prefix": prefix});
    let maths = |check: Value| {
        let mut check = check;
        check["link_args"] = json!(["-lm"]);
        check
    };
    let mut rows = Vec::new();
    // These include builtins, whose types the compilers know.
    for there in
        ["printf", "strlen", "abs", "fork", "memcpy", "exit", "alloca_is_no", "setjmp_is_no"]
    {
        match there.strip_suffix("_is_no") {
            Some(_) => rows.push(no(ask(there))),
            None => rows.push(yes(ask(there))),
        }
    }
    // Stubs in glibc, which always fail.
    for stub in ["sigreturn", "stty", "revoke", "fchflags"] {
        rows.push(no(ask(stub)));
        rows.push(no(with(&["stdlib.h"], stub)));
    }
    rows.extend([
        yes(maths(ask("cosl"))),
        yes(maths(ask("cos"))),
        no(maths(ask("cos_of_tryall"))),
        yes(with(&["stdio.h"], "printf")),
        yes(with(&["string.h"], "strlen")),
        yes(with(&["stdlib.h"], "exit")),
        yes(with(&["unistd.h", "stdio.h"], "fork")),
        no(with(&["stdio.h"], "fork")),
        no(with(&["not_there.h"], "printf")),
        // A macro with the function's name, and the function itself.
        yes(json!({"kind": "function", "function": "putc"})),
        yes(json!({"kind": "function", "function": "puts", "prefix": "#define puts(x) nothing"}))
            .not_neutral(),
        // A prototype that differs from the generated one.
        yes(json!({"kind": "function", "function": "puts", "prefix": "int puts(const char *);"})),
        // A macro alone is not a function.
        no(prefix("#define tested(x) ((x) + 1)")),
        no(json!({"kind": "function", "function": "tested", "headers": ["stdio.h"],
                  "prefix": "#define tested(x) ((x) + 1)"})),
        // A prototype alone is not a function either.
        no(json!({"kind": "function", "function": "tested", "headers": ["stdio.h"],
                  "prefix": "int tested(int);"})),
        yes(json!({"kind": "function", "function": "tested", "headers": ["stdio.h"],
                   "prefix": "static int tested(int x) { return x; }"})),
        // The prefix may include headers, in any spelling.
        yes(prefix("#include <stdio.h>\nstatic int tested(int x) { return x; }")),
        yes(prefix("  # \tinclude <stdio.h>\nstatic int tested(int x) { return x; }")),
    ]);
    assert_answers(C_AND_CXX, &rows);
    // C++ always links libm.
    assert_answers(C, &[no(ask("cosl")), no(ask("cos"))]);
    // With headers, an overloaded function has no single address.
    let overloads =
        "static int tested(int x) { return x; } static int tested(char x) { return x; }";
    assert_answers(
        CXX,
        &[
            yes(ask("cosl")),
            yes(ask("cos")),
            no(with(&["stdlib.h"], "abs")),
            no(json!({"kind": "function", "function": "tested", "headers": ["stdio.h"],
                      "prefix": overloads})),
        ],
    );
    // Even for builtins, the library must have the function.
    assert_answers(C_AND_CXX, &[no(ask("__builtin_tryall")), no(ask("tryall_memcpy"))]);
}

#[test]
fn libraries() {
    need("ar");
    let dir = tempfile::tempdir().unwrap();
    let source = write(dir.path(), "part.c", "int tryall_part(void) { return 1; }\n");
    let object = dir.path().join("part.o");
    let archive = dir.path().join("libpart.a");
    command("gcc", &["-c".as_ref(), source.as_os_str(), "-o".as_ref(), object.as_os_str()]);
    command("ar", &["rc".as_ref(), archive.as_os_str(), object.as_os_str()]);

    let ask = |library: &str, function: &str| json!({"kind": "library", "library": library, "function": function});
    let archive = archive.to_str().unwrap();
    let found = |function: &str| {
        let mut check = ask("part", function);
        check["link_args"] = json!([format!("-L{}", dir.path().display())]);
        check
    };
    assert_answers(
        C_AND_CXX,
        &[
            yes(ask("m", "cos")),
            yes(ask("m", "cosl")),
            no(ask("m", "tryall_part")),
            yes(json!({"kind": "library", "library": "m"})),
            no(json!({"kind": "library", "library": "tryall_not_there"})),
            no(ask("tryall_not_there", "printf")),
            yes(ask(archive, "tryall_part")),
            no(ask(archive, "tryall_other_part")),
            yes(json!({"kind": "library", "library": archive})),
            no(ask(&format!("{archive}.not_there"), "tryall_part")),
            // Without its directory.
            no(ask("part", "tryall_part")),
            yes(found("tryall_part")),
            no(found("tryall_other_part")),
        ],
    );
}

/// Runs a command that must succeed.
fn command(program: &str, args: &[&std::ffi::OsStr]) {
    let status = std::process::Command::new(need(program)).args(args).status().unwrap();
    assert!(status.success(), "{program} {args:?}");
}

#[test]
fn types() {
    let ask = |name: &str, prefix: &str| json!({"kind": "type", "type": name, "prefix": prefix});
    let header =
        |name: &str, header: &str| json!({"kind": "type", "type": name, "headers": [header]});
    assert_answers(
        C_AND_CXX,
        &[
            yes(ask("int", "")),
            yes(ask("unsigned long", "")),
            yes(ask("const char *", "")),
            yes(header("struct stat", "sys/stat.h")),
            yes(header("off_t", "sys/types.h")),
            yes(header("FILE", "stdio.h")),
            yes(ask("int[3]", "")),
            yes(ask("void (*)(int)", "")),
            yes(ask("tested", "typedef int tested[7];")),
            yes(ask("tested", "typedef void (*tested)(void);")),
            yes(ask("struct tested", "struct tested { int x; };")),
            yes(ask("union tested", "union tested { int x; char y; };")),
            yes(ask("const int", "")),
            yes(ask("enum tested", "enum tested { one };")),
            no(ask("struct tested", "struct tested;")),
            no(ask("tested", "typedef struct other tested;")),
            no(ask("tested", "extern int tested;")),
            no(ask("tested", "int tested(void);")),
            no(ask("tested", "enum { tested };")),
            no(ask("tested", "#define tested 3")),
            no(ask("tested", "")),
            no(ask("struct tested", "")),
            no(header("struct stat", "stdio.h")),
            no(ask("3", "")),
        ],
    );
    assert_answers(
        CXX,
        &[
            yes(json!({"kind": "type", "type": "std::map<int, std::vector<char> >",
                       "headers": ["map", "vector"]})),
            yes(ask("tested", "class tested { tested(); int x; };")),
            yes(ask(
                "tested<int, char>",
                "template <class A, class B> struct tested { A a; B b; };",
            )),
            no(ask("tested<int, char>", "template <class A, class B> struct tested;")),
            no(ask("tested", "class tested;")),
            // There are no objects of an abstract class, but it is a type.
            yes(ask("tested", "struct tested { virtual void f() = 0; };")),
            yes(ask("bool", "")),
            yes(ask("int &", "")),
        ],
    );
    assert_answers(
        C,
        &[yes(ask("struct { int x; }", "")), yes(ask("_Bool", "")), no(ask("bool", ""))],
    );
}

#[test]
fn members() {
    let prefix = "struct inner { int deep; }; \
                  struct tested { int plain; unsigned bits : 3; char array[4]; \
                  struct inner nested; struct inner *pointer; void (*call)(int); \
                  const int constant; volatile int changing; };";
    let ask = |member: &str| json!({"kind": "member", "type": "struct tested", "member": member, "prefix": prefix});
    let mut rows = Vec::new();
    for there in [
        "plain",
        "bits",
        "array",
        "array[1]",
        "nested",
        "nested.deep",
        "pointer",
        "pointer->deep",
        "call",
        "constant",
        "changing",
    ] {
        rows.push(yes(ask(there)));
    }
    for missing in ["not_there", "nested.not_there", "deep", "plain.deep"] {
        rows.push(no(ask(missing)));
    }
    let of = |name: &str, member: &str, headers: &[&str], prefix: &str| json!({"kind": "member", "type": name, "member": member, "headers": headers, "prefix": prefix});
    rows.extend([
        yes(of("struct stat", "st_size", &["sys/stat.h"], "")),
        yes(of("struct stat", "st_mtim.tv_nsec", &["sys/stat.h"], "")).not_neutral(),
        no(of("struct stat", "st_not_there", &["sys/stat.h"], "")),
        no(of("struct stat", "st_size", &["stdio.h"], "")),
        yes(of("union tested", "x", &[], "union tested { int x; char y; };")),
        yes(of("tested", "x", &[], "typedef struct { int x; } tested;")),
        no(of("struct tested", "x", &[], "struct tested;")),
        no(of("int", "x", &[], "")),
    ]);
    assert_answers(C_AND_CXX, &rows);
    assert_answers(
        CXX,
        &[
            yes(of(
                "tested",
                "x",
                &[],
                "class tested { tested(); public: explicit tested(int); int x; };",
            )),
            no(of("tested", "x", &[], "class tested { int x; };")),
            yes(of(
                "tested<int, char>",
                "x",
                &[],
                "template <class A, class B> struct tested { A x; B y; };",
            )),
            yes(of("tested", "x", &[], "struct tested { virtual void f() = 0; static int x; };")),
            yes(of("tested", "x", &[], "struct base { int x; }; struct tested : base { };")),
            yes(of("tested", "x", &[], "struct tested { int &x; };")),
        ],
    );
}

#[test]
fn prototypes() {
    let ask =
        |headers: &[&str], prefix: &str, function: &str, returns: &str, arguments: &[&str]| {
            json!({"kind": "prototype", "headers": headers, "prefix": prefix, "function": function,
               "return_type": returns, "arguments": arguments})
        };
    let local = |prefix: &str, returns: &str, arguments: &[&str]| {
        ask(&[], prefix, "tested", returns, arguments)
    };
    let handler = "void tested(int number, void (*handler)(int));";
    assert_answers(
        C_AND_CXX,
        &[
            yes(local("int tested(void);", "int", &[])),
            no(local("long tested(void);", "int", &[])),
            yes(local("int tested(int x);", "int", &["int"])),
            no(local("int tested(int x);", "int", &["long"])),
            no(local("int tested(int x);", "int", &["int", "int"])),
            no(local("int tested(int x);", "int", &[])),
            no(local("", "int", &["int"])),
            no(local("#define tested(x) (x)", "int", &["int"])),
            yes(local("int tested(int x);\n#define tested(x) (x)", "int", &["int"])),
            yes(local("int tested(const char *format, ...);", "int", &["const char *", "..."])),
            no(local("int tested(const char *format, ...);", "int", &["const char *"])),
            yes(local(handler, "void", &["int", "void (*)(int)"])),
            no(local(handler, "void", &["int", "void (*)(long)"])),
            no(local("extern int tested;", "int", &[])),
            yes(local("const char *tested(void);", "const char *", &[])),
            no(local("const char *tested(void);", "char *", &[])),
            yes(ask(&["stdlib.h"], "", "malloc", "void *", &["size_t"])).not_neutral(),
            no(ask(&["stdlib.h"], "", "malloc", "char *", &["size_t"])),
            no(ask(&["stdlib.h"], "", "malloc_of_tryall", "void *", &["size_t"])),
            yes(ask(&["unistd.h"], "", "fork", "pid_t", &[])).not_neutral(),
        ],
    );
    let overloads = "void tested(int); int tested(double, char);";
    assert_answers(
        CXX,
        &[
            yes(local(overloads, "void", &["int"])),
            yes(local(overloads, "int", &["double", "char"])),
            no(local(overloads, "int", &["int"])),
            no(local(overloads, "void", &["char"])),
        ],
    );
}

/// -Werror turns each use of a deprecated function into an error.
#[test]
fn deprecated_functions_exist() {
    let mark = "__attribute__((deprecated))";
    let local = |kind: &str, fields: Value, prefix: &str| {
        let mut check = fields;
        check["kind"] = kind.into();
        check["prefix"] = prefix.replace("OLD", mark).into();
        check
    };
    let function = "static int tested(int x) OLD; static int tested(int x) { return x; }";
    let name = "typedef int tested OLD;";
    let of = json!({"type": "struct tested", "member": "x"});
    assert_answers(
        C_AND_CXX,
        &[
            yes(local("symbol", json!({"symbol": "tested"}), function)),
            yes(local(
                "function",
                json!({"function": "tested", "headers": ["stddef.h"]}),
                function,
            )),
            yes(local("type", json!({"type": "tested"}), name)),
            is(local("sizeof", json!({"type": "tested"}), name), 4),
            is(local("alignment", json!({"type": "tested"}), name), 4),
            yes(local("member", of, "struct tested { int x OLD; };")),
            yes(local(
                "prototype",
                json!({"function": "tested", "return_type": "int", "arguments": ["int"]}),
                "int tested(int) OLD;",
            )),
        ],
    );
}

/// With headers a function has to be declared, without them it does not.
#[test]
fn a_header_is_included_wherever_the_compiler_says_so() {
    // A variable of the C library that <unistd.h> declares only with a feature macro.
    let ask = |prefix: &str| json!({"kind": "function", "function": "environ", "prefix": prefix});
    for included in [
        "/* x */ #include <unistd.h>\n",
        "#/**/include <unistd.h>\n",
        "# \\\ninclude <unistd.h>\n",
        "%:include <unistd.h>\n",
        "/* x\n*/#include_next <unistd.h>\n",
    ] {
        assert_answers(C, &[no(ask(included))]);
    }
    for not_included in ["/* x\n#include <unistd.h>\n*/\n", "// x \\\n#include <unistd.h>\n\n"] {
        assert_plain_answers(GCC, &[yes(ask(not_included))]);
        assert_plain_answers(CLANG, &[yes(ask(not_included))]);
    }
}

/// A prefix is a separate text: its ends do not merge with the surrounding text.
#[test]
fn a_prefix_does_not_merge_with_the_source() {
    for prefix in
        ["int a; // x \\", "int a; // x \\\n", "#define A 1 \\", "\u{feff}#include <unistd.h>\n"]
    {
        assert_plain_answers(
            GCC,
            &[
                yes(json!({"kind": "function", "function": "fork", "prefix": prefix})),
                yes(json!({"kind": "header", "header": "stdlib.h", "prefix": prefix})),
                yes(
                    json!({"kind": "header", "header": "stdlib.h", "stage": "preprocess", "prefix": prefix}),
                ),
                is(json!({"kind": "sizeof", "type": "int", "prefix": prefix}), 4),
            ],
        );
    }
}
