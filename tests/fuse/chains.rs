//! Empty programs behind more and more headers are compiled as one source, with exactly the answers of
//! separate compiles.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::*;
use crate::variants::asked;

/// Like `check_include_files`, once for each header, behind all headers before it.
fn chain(headers: &[&str], main: &str) -> Vec<Value> {
    let link = |count: usize| {
        let lines = headers[..count].iter().map(|header| format!("#include <{header}>\n"));
        let source = format!("/* */\n{}\n\n{main}\n", lines.collect::<String>());
        json!({"id": headers[count - 1], "kind": "links", "source": source})
    };
    (1..=headers.len()).map(link).collect()
}

const MAIN: &str = "int main(void){return 0;}";
const THERE: [&str; 6] =
    ["stdio.h", "sys/types.h", "errno.h", "sys/socket.h", "netinet/in.h", "pthread.h"];

/// Asks for a chain of headers with these texts, found as headers of the system. Returns the ids of the
/// answers that were shared.
fn of_texts(flags: &[&str], texts: &[&str]) -> Vec<String> {
    let temporary = tempfile::tempdir().unwrap();
    let names: Vec<_> = (0..texts.len()).map(|n| format!("h{n}.h")).collect();
    for (name, text) in names.iter().zip(texts) {
        write(temporary.path(), name, text);
    }
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    in_dir("-isystem", temporary.path(), flags, &chain(&names, MAIN))
}

fn in_dir(option: &str, dir: &Path, flags: &[&str], checks: &[Value]) -> Vec<String> {
    // The link command has nothing of it.
    let mut checks = checks.to_vec();
    for check in &mut checks {
        check["args"] = json!([option, dir]);
    }
    asked("gcc", flags, &checks).0
}

#[test]
fn headers_that_are_there_share_one_command() {
    let main_on_lines = "int main()\n{\n  return 0;\n}";
    for (flags, main) in [
        (vec![], MAIN),
        (vec!["-O2", "-Wall", "-Wextra", "-Wpedantic", "-std=c99"], MAIN),
        (vec!["-g", "-fPIC", "-Wmissing-prototypes", "-Wredundant-decls"], MAIN),
        (vec!["-O1"], main_on_lines),
    ] {
        let (shared, processes) = asked("gcc", &flags, &chain(&THERE, main));
        // The longest runs alone, so that there is a link.
        assert_eq!(shared, THERE[..5], "{flags:?}");
        assert!(processes < 10, "{processes} for {flags:?}");
    }
    let (shared, _) = asked("clang", &[], &chain(&THERE, MAIN));
    assert_eq!(shared, [""; 0]);
}

#[test]
fn a_header_that_is_missing_does_not_share() {
    let mut checks = chain(&THERE, MAIN);
    checks.extend(chain(&["stdio.h", "sys/types.h", "none.h"], MAIN).pop());
    let (shared, _) = asked("gcc", &[], &checks);
    assert_eq!(shared, THERE[..5]);
    // What stands before it is shared, but nothing behind it.
    let with_none = |before: usize| [&THERE[..before], &["none.h", "fcntl.h"]].concat();
    assert_eq!(asked("gcc", &[], &chain(&with_none(6), MAIN)).0, THERE[..5]);
    assert_eq!(asked("gcc", &[], &chain(&with_none(2), MAIN)).0, [""; 0]);
    // Nor behind an error in a header.
    let error = "#include <stdio.h>\n#error said\n";
    assert_eq!(of_texts(&[], &["", "", "", error, "", ""]), ["h0.h", "h1.h"]);
}

#[test]
fn headers_of_the_project_do_not_share() {
    let temporary = tempfile::tempdir().unwrap();
    for name in ["a.h", "b.h", "c.h", "d.h"] {
        write(temporary.path(), name, "");
    }
    let checks = chain(&["a.h", "b.h", "c.h", "d.h"], MAIN);
    assert_eq!(in_dir("-I", temporary.path(), &[], &checks), [""; 0]);
    assert_eq!(in_dir("-isystem", temporary.path(), &[], &checks), ["a.h", "b.h", "c.h"]);
    // Here there are warnings that nobody sees in the shared source.
    let used = "static int f(void);\nstatic inline int g(void) { return f(); }\n";
    write(temporary.path(), "b.h", used);
    write(temporary.path(), "c.h", "static int f(void) { return 0; }\n");
    assert_eq!(in_dir("-I", temporary.path(), &[], &checks), [""; 0]);
    in_dir("-isystem", temporary.path(), &[], &checks);
    in_dir("-isystem", temporary.path(), &["-Wsystem-headers"], &checks);
    in_dir("-isystem", temporary.path(), &["-Werror", "-Wall"], &checks);
}

/// Each of these has an answer alone that differs from that of the longest source.
#[test]
fn what_a_header_leaves_open_is_not_completed_by_the_next() {
    for flags in [&["-std=c90", "-Wpedantic"][..], &["-O2", "-Wall", "-Wextra"]] {
        for texts in [
            // A declaration without an end.
            ["", "static", ""],
            ["", "inline", ""],
            ["", "long", ""],
            ["", "void", ""],
            ["", "__attribute__((section(\"x\")))", ""],
            ["", "typedef", ""],
            ["", "struct s {", "};"],
            ["", "void f(void) {", "}"],
            ["", "int f(void) { return ({", "0; }); }"],
            ["", "int f(a)", ";"],
            ["", "int x =", "1;"],
            ["", "#define F(x) x\nF(", ")"],
            ["", "#define F(x)\nF(", ")"],
            ["", "#if 1", "#endif"],
            ["", "#if 0", "#endif"],
            ["", "/*", "*/"],
            ["", "const char *s = R\"x(", ")x\";"],
            // What only the end of a source shows.
            ["", "static struct s x;", "struct s { int a; };"],
            ["", "struct s x;", "struct s { int a; };"],
            ["", "static enum e x;", "enum e { a };"],
            ["", "int x[];", "int x[2];"],
            ["", "static void f(void) __attribute__((alias(\"g\")));", "static void g(void) {}"],
            ["", "extern int x; static int *p __attribute__((used)) = &x;", "int x;"],
            ["", "extern int x; static int *p __attribute__((used)) = &x;", "__asm__(\"x = 0\");"],
            ["", "__asm__(\".if 1\");", "__asm__(\".endif\");"],
            ["", "__asm__(\".if 0\");", "__asm__(\".endif\");"],
            ["", "__asm__(\".macro m\");", "__asm__(\".endm\");"],
            ["", "inline int f(void);", "inline int f(void) { return 0; }"],
            ["", "static int f(void);", "static int f(void) { return 0; }"],
            [
                "",
                "static int f(void);\nstatic inline int g(void) { return f(); }",
                "static int f(void) { return 0; }",
            ],
            ["", "static int f(void) { return 0; }", "static inline int g(void) { return f(); }"],
            ["", "static int x;", "static inline int g(void) { return x; }"],
        ] {
            of_texts(flags, &[texts[0], texts[1], texts[2], ""]);
        }
    }
}

#[test]
fn headers_that_concern_main_have_no_effect_on_others() {
    for flags in [&[][..], &["-O2", "-Wall", "-Wextra", "-Wpedantic"]] {
        for texts in [
            ["", "#define main other", "#undef main"],
            ["#define main other", "", "#undef main"],
            ["", "#define int long", "#undef int"],
            ["", "#define return", "#undef return"],
            ["", "#define void int x", "#undef void"],
            ["", "int main(int);", ""],
            ["", "int main(void);", ""],
            ["", "static int main(void);", ""],
            ["", "int main(void) __asm__(\"other\");", ""],
            ["", "#pragma redefine_extname main other", ""],
            ["", "#pragma redefine_extname main other", "#pragma redefine_extname main main"],
            ["", "#pragma weak main", ""],
            ["", "typedef int main;", ""],
            ["", "enum { main };", ""],
            ["", "#pragma GCC poison main", ""],
            ["", "#pragma GCC poison int", ""],
            ["", "#pragma push_macro(\"main\")", "#pragma pop_macro(\"main\")"],
            [
                "#define main x\n#pragma push_macro(\"main\")\n#undef main",
                "#pragma pop_macro(\"main\")",
                "#undef main",
            ],
            ["", "_Pragma(\"GCC visibility push(hidden)\")", "#pragma GCC visibility pop"],
            ["", "#pragma GCC optimize(\"O3\")", "#pragma GCC reset_options"],
            [
                "",
                "#pragma GCC diagnostic error \"-Wmissing-prototypes\"",
                "#pragma GCC diagnostic pop",
            ],
            [
                "#pragma GCC diagnostic push",
                "#pragma GCC diagnostic error \"-Wold-style-definition\"",
                "#pragma GCC diagnostic pop",
            ],
        ] {
            of_texts(flags, &[texts[0], texts[1], texts[2], ""]);
        }
    }
}

#[test]
fn headers_that_count_share_if_nothing_between_them_counts() {
    let asserts = |n: usize| {
        format!(
            "_Static_assert(__COUNTER__ == {n} && __INCLUDE_LEVEL__ == 1 && __LINE__ == 1, \"\");\n"
        )
    };
    let texts = [asserts(0), asserts(1), asserts(2), asserts(3)];
    let shared = of_texts(&[], &texts.each_ref().map(String::as_str));
    assert_eq!(shared, ["h0.h", "h1.h", "h2.h"]);
    // A header that may be included only once, and is included by the next one, too.
    let once = "#ifdef ONCE\n#error twice\n#endif\n#define ONCE\n";
    assert_eq!(of_texts(&[], &["", once, "", "", ""]).len(), 4);
    of_texts(&[], &["", once, "#include <h1.h>\n", "", ""]);
    // One that differs by what was defined before.
    of_texts(&[], &["", "#define A\n", "#ifdef A\nint x\n#endif\n", "", ""]);
    of_texts(&["-DA"], &["", "#ifndef A\n#error\n#endif\n", "", "", ""]);
    of_texts(&[], &["", "int x;\n", "", ""]);
    of_texts(&[], &["", "static int f(void) { return 0; }\n", "", ""]);
    of_texts(&[], &["", "#warning said\n", "", ""]);
    of_texts(&[], &["", "register int r __asm__(\"r12\");\n", "", ""]);
}

/// Chains of headers of the system and odd ones, drawn by a number.
#[test]
fn random_chains_have_the_answers_of_single_sources() {
    const OF_SYSTEM: [&str; 10] = [
        "stdio.h",
        "sys/types.h",
        "unistd.h",
        "netdb.h",
        "pthread.h",
        "wchar.h",
        "math.h",
        "net/if.h",
        "arpa/inet.h",
        "none.h",
    ];
    const ODD: [&str; 16] = [
        "#undef stdin\n",
        "#define main other\n",
        "#undef main\n",
        "static\n",
        "inline\n",
        "int h(void);\n",
        "static int h(void) { return 0; }\n",
        "extern inline int i(void);\ninline int i(void) { return 0; }\n",
        "#pragma GCC diagnostic push\n#pragma GCC diagnostic error \"-Wall\"\n",
        "#pragma GCC diagnostic pop\n",
        "#pragma GCC visibility push(hidden)\n",
        "#pragma GCC visibility pop\n",
        "#ifdef _STDIO_H\nstruct unfinished\n#endif\n",
        "_Static_assert(__COUNTER__ < 2, \"\");\n",
        "typedef int again;\n",
        "#ifdef TWICE\n#error twice\n#endif\n#define TWICE\n",
    ];
    const FLAGS: [&[&str]; 4] = [
        &[],
        &["-O2", "-Wall", "-Wextra"],
        &["-std=c11", "-Wpedantic", "-O1"],
        &["-g", "-fPIC", "-DTWICE"],
    ];
    let temporary = tempfile::tempdir().unwrap();
    let made: Vec<_> = (0..ODD.len()).map(|n| format!("odd{n}.h")).collect();
    for (name, text) in made.iter().zip(ODD) {
        write(temporary.path(), name, text);
    }
    let mut state: u64 = 1;
    let mut draw = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut shared = 0;
    for _ in 0..12 {
        let mut headers: Vec<&str> = Vec::new();
        while headers.len() < 7 {
            let header = match draw(3) {
                0 => &made[draw(made.len())],
                _ => OF_SYSTEM[draw(OF_SYSTEM.len())],
            };
            if !headers.contains(&header) {
                headers.push(header);
            }
        }
        let flags = FLAGS[draw(FLAGS.len())];
        shared += in_dir("-isystem", temporary.path(), flags, &chain(&headers, MAIN)).len();
    }
    assert!(shared > 0);
}
