//! Prototypes, alignments and byte orders in a shared source.

use super::*;

/// Compares checks with a header of this text with single checks, using both C compilers. Returns
/// the number shared with GCC.
fn behind(text: &str, checks: &[Value]) -> usize {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "odd.h", text);
    let ask = |(number, check): (usize, &Value)| {
        let mut check = check.clone();
        check["id"] = json!(format!("{number:02} {}", check["kind"].as_str().unwrap()));
        check["headers"] = json!(["odd.h"]);
        check["include_dirs"] = json!([dir.path()]);
        check
    };
    let checks: Value = checks.iter().enumerate().map(ask).collect();
    same_with("c", "clang", checks.clone());
    fused(&same_with("c", "gcc", checks))
}

fn prototype(return_type: &str, function: &str, arguments: &[&str]) -> Value {
    json!({"kind": "prototype", "return_type": return_type, "function": function,
           "arguments": arguments})
}

fn alignment(of: &str) -> Value {
    json!({"kind": "alignment", "type": of})
}

fn integer(expression: &str) -> Value {
    json!({"kind": "compute_int", "expression": expression})
}

#[test]
fn prototypes_that_agree_and_disagree_share_a_source() {
    let checks = [
        prototype("char *", "strerror_r", &["int", "char *", "size_t"]),
        prototype("int", "strerror_r", &["int", "char *", "size_t"]),
        prototype("size_t", "strlen", &["const char *"]),
        prototype("size_t", "strlen", &["char *"]),
        prototype("void *", "memcpy", &["void *", "const void *", "size_t"]),
        prototype("int", "nope", &[]),
        prototype("int", "strcmp", &["const char *", "const char *"]),
    ];
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "odd.h", "#include <string.h>\n");
    let ask = |(number, check): (usize, &Value)| {
        let mut check = check.clone();
        check["id"] = json!(number.to_string());
        check["headers"] = json!(["odd.h"]);
        check["include_dirs"] = json!([dir.path()]);
        check["args"] = json!(["-D_GNU_SOURCE"]);
        check
    };
    let checks: Value = checks.iter().enumerate().map(ask).collect();
    for compiler in ["gcc", "clang"] {
        let results = same_with("c", compiler, checks.clone());
        let status = |id: &str| results[id]["status"].as_str().unwrap().to_owned();
        assert_eq!(["0", "1", "2", "3", "5"].map(status), ["yes", "no", "yes", "no", "no"]);
        // All that agree share a source. The answer to each shows its own part.
        for (id, function) in
            [("0", "strerror_r"), ("2", "strlen"), ("4", "memcpy"), ("6", "strcmp")]
        {
            assert_eq!(results[id]["how"], "fused", "{compiler}: {function}");
            assert_eq!(results[id]["command"], results["0"]["command"], "{compiler}: {function}");
            let source = results[id]["source"].as_str().unwrap();
            assert!(source.contains(&format!("({function})")), "{compiler}: {source}");
            assert_eq!(source.matches("int tryall_part_").count(), 2, "{compiler}: {source}");
        }
    }
}

#[test]
fn declarations_that_mean_something_else_in_a_block_run_alone() {
    let text = "int plain(int);\nint other(void);\nint third(long);\n\
                typedef int number;\nextern int (*pointer)(int);\nstatic int (*hidden)(int);\n\
                extern number count;\nint twice(int);\n\
                #define points *pointer\n#define hides *hidden\n\
                #define shadows typedef int\n#define local static int\n#define more int count, *\n\
                #define calls plain\n#define weak __attribute__((weak)) int\n\
                #define closes int (plain)(int); } int leaves(void) { extern int\n\
                #define renamed plain\n";
    let fused = behind(
        text,
        &[
            prototype("int", "plain", &["int"]),
            prototype("int", "other", &[]),
            prototype("int", "third", &["long"]),
            prototype("shadows", "plain", &["int"]),
            prototype("typedef int", "plain", &["int"]),
            prototype("local", "plain", &["int"]),
            prototype("static int", "other", &[]),
            prototype("auto int", "plain", &["int"]),
            prototype("register int", "plain", &["int"]),
            prototype("more", "plain", &["int"]),
            prototype("calls", "count", &[]),
            prototype("plain", "count", &[]),
            prototype("weak", "third", &["long"]),
            prototype("closes", "twice", &["int"]),
            prototype("int", "points", &["int"]),
            prototype("int", "hides", &["int"]),
            prototype("int", "renamed", &["int"]),
            prototype("int", "twice", &["int a[count]"]),
            prototype("int", "twice", &["struct later *"]),
            json!({"kind": "type", "type": "struct later"}),
            json!({"kind": "symbol", "symbol": "leaves"}),
        ],
    );
    assert!(fused >= 3, "{fused}");
}

#[test]
fn a_prototype_does_not_declare_its_function_for_the_next_check() {
    let text = "int open_ended();\nint other();\n";
    let takes = |of: &str| format!("__builtin_types_compatible_p(__typeof__(open_ended), {of})");
    let fused = behind(
        text,
        &[
            prototype("int", "open_ended", &["long"]),
            prototype("int", "open_ended", &["int"]),
            prototype("int", "other", &["char *"]),
            integer(&takes("int (int)")),
            integer(&takes("int (long)")),
            integer(&takes("int (char *)")),
        ],
    );
    assert!(fused >= 4, "{fused}");
}

#[test]
fn alignments_are_the_same_as_at_file_scope() {
    let text = "extern int variable;\nstruct known { char x; };\nenum { three = 3 };\n\
                typedef int list[];\n#define opens int)0); } struct later { int x; }; \
                int odd(void) { (void)((int\n";
    let fused = behind(
        text,
        &[
            alignment("long"),
            alignment("int[]"),
            alignment("list"),
            alignment("int[variable]"),
            alignment("int (*)[variable]"),
            alignment("char[three]"),
            alignment("struct known"),
            alignment("struct later *"),
            alignment("union later *"),
            alignment("int (int)"),
            alignment("void"),
            alignment("nope"),
            alignment("opens"),
            json!({"kind": "type", "type": "struct later"}),
            json!({"kind": "sizeof", "type": "struct known"}),
        ],
    );
    assert!(fused >= 2, "{fused}");
    // Alone, <stddef.h> follows the headers.
    behind("#define size_t unsigned\n", &[alignment("long"), alignment("short"), alignment("int")]);
    let text = "#include <stddef.h>\n#undef offsetof\n#define offsetof(a, b) 3\n";
    behind(text, &[alignment("long"), alignment("short"), alignment("int")]);
    let text = "#define max_align_t long\n#define short long\n#define wchar_t odd\n";
    behind(text, &[alignment("long"), alignment("short"), alignment("max_align_t")]);
}

#[test]
fn byte_orders_share_a_source() {
    let others = [integer("1"), integer("2"), json!({"kind": "endian"}), alignment("long")];
    assert!(behind("struct odd { int x; };\n", &others) >= 3);
    behind("#define short long\n", &others);
    behind("#define unsigned struct odd { int x; } signed\n", &others);
    behind("#error no\n", &others);
}

/// In C++ the size of a type may depend on earlier types, so each type has its own source.
#[test]
fn a_cxx_type_leaves_nothing_behind_for_the_next_check() {
    let text = "struct flag { friend constexpr auto made(flag); };\n\
                template <class t> struct makes { friend constexpr auto made(flag) { return 0; } };\n\
                template <class t, class u = decltype(made(t()))> \
                constexpr int size(int) { return 7; }\n\
                template <class t> constexpr int size(...) { return 3; }\n\
                typedef makes<int> first;\n\
                template <class t> struct depends { char x[size<t>(0)]; };\n\
                typedef depends<flag> second;\n";
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "odd.h", text);
    let ask = |id: &str, expression: &str| {
        json!({"id": id, "kind": "compute_int", "expression": expression, "headers": ["odd.h"],
               "args": ["-std=c++17"], "include_dirs": [dir.path()]})
    };
    let checks = json!([
        ask("other", "1"),
        ask("first", "sizeof(first)"),
        ask("second", "sizeof(second)"),
        // In a shared source the second one would be different.
        ask("both", "sizeof(first) + 0 * sizeof(second) + sizeof(depends<flag>)"),
    ]);
    for compiler in ["g++", "clang++"] {
        let results = same_with("c++", compiler, checks.clone());
        let values = ["first", "second", "both"].map(|id| results[id]["value"].as_i64().unwrap());
        assert_eq!(values, [1, 3, 8], "{compiler}");
    }
}
