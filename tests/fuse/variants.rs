//! Sources that differ in one text are compiled as one file, with exactly the answers of separate
//! compiles.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::*;

/// A short version of check_function_exists.
const FUNCTION: &str = "char NAME(void);\nint main(int ac, char *av[])\n{\n  NAME();\n  \
                        if (ac > 1000) {\n    return *av[0];\n  }\n  return 0;\n}\n";

/// Like check_symbol_exists.
fn symbol(headers: &str, name: &str) -> String {
    format!(
        "/* */\n{headers}\nint main(int argc, char** argv)\n{{\n  (void)argv;\n#ifndef {name}\n  \
         return ((int*)(&{name}))[argc];\n#else\n  (void)argc;\n  return 0;\n#endif\n}}\n"
    )
}

/// A short version of check_type_size.
fn size(headers: &str, name: &str) -> String {
    format!(
        "{headers}\n#undef KEY\n#if defined(__x86_64)\n# define KEY 'k','e','y'\n#endif\n\
         #define SIZE (sizeof({name}))\nstatic char info_size[] =  {{'s','i','z','e','[',\n  \
         ('0' + ((SIZE / 10)%10)),\n  ('0' +  (SIZE    % 10)),\n  ']',\n#ifdef KEY\n  ' ', KEY,\n\
         #endif\n  '\\0'}};\nint main(int argc, char *argv[])\n{{\n  int require = 0;\n  \
         require += info_size[argc];\n  (void)argv;\n  return require;\n}}\n"
    )
}

/// Writes a header and returns the line that includes it.
fn include(dir: &Path, name: &str, text: &str) -> String {
    format!("#include \"{}\"\n", write(dir, name, text).display())
}

fn functions(names: &[&str]) -> Vec<Value> {
    let of = |name: &&str| {
        json!({"id": name, "kind": "links", "source": FUNCTION, "word": name,
               "own_names": ["main"], "definitions": ["-DA=1", format!("-DNAME={name}")]})
    };
    names.iter().map(of).collect()
}

fn symbols(headers: &str, names: &[&str]) -> Vec<Value> {
    let of = |name: &&str| {
        json!({"id": name, "kind": "links", "source": symbol(headers, name), "word": name,
               "own_names": ["main"]})
    };
    names.iter().map(of).collect()
}

fn sizes(headers: &str, names: &[&str]) -> Vec<Value> {
    let of = |(n, name): (usize, &&str)| {
        json!({"id": name, "kind": "links", "source": size(headers, name),
               "word": format!("(sizeof({name}))"), "own_names": ["main", "info_size"],
               "product": format!("{n}.bin"), "product_is_data": true})
    };
    names.iter().enumerate().map(of).collect()
}

/// Runs checks with and without sharing and asserts that nothing differs. Returns the shared
/// answers.
fn shared(compiler: &str, flags: &[&str], checks: &[Value]) -> Vec<String> {
    asked(compiler, flags, checks).0
}

/// The same, and the number of commands. The first variant that links runs alone: it shows what the
/// link command finds.
pub fn asked(compiler: &str, flags: &[&str], checks: &[Value]) -> (Vec<String>, u64) {
    asked_with(compiler, flags, &[], checks)
}

/// The same, with more words in the link command.
fn asked_with(
    compiler: &str,
    flags: &[&str],
    linking: &[&str],
    checks: &[Value],
) -> (Vec<String>, u64) {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    need(compiler);
    let compile =
        [&[compiler, "{definitions}", "{args}"], flags, &["-o", "{object}", "-c", "{source}"]]
            .concat();
    let link = [&[compiler], linking, flags, &["{object}", "-o", "{program}"]].concat();
    let ask = |name: &str, args: &[&str]| {
        let to = dir.join(name);
        std::fs::create_dir_all(&to).unwrap();
        let mut checks = checks.to_vec();
        for check in &mut checks {
            if let Some(product) = check["product"].as_str() {
                check["product"] = json!(to.join(product));
            }
        }
        let request = json!({
            "toolchains": {"c": {"compile": compile, "link": link}},
            "checks": checks,
        });
        run_check(&request, args)
    };
    let together = ask("together", &[]);
    let alone = ask("alone", &["--no-fuse"]);
    let mut shared = Vec::new();
    for check in checks {
        let id = check["id"].as_str().unwrap();
        let without = in_no_room(alone.result(id));
        let with = in_no_room(together.result(id));
        for field in
            ["status", "output", "exit_code", "command", "reason", "code", "source", "value"]
        {
            assert_eq!(with[field], without[field], "{field} of {id} by {compiler} {flags:?}");
        }
        for field in ["command", "exit_code", "output"] {
            let of = |result: &Value| -> Vec<Value> {
                let steps = result["steps"].as_array().unwrap();
                steps.iter().map(|step| step[field].clone()).collect()
            };
            assert_eq!(of(&with), of(&without), "{field} of {id} by {compiler} {flags:?}");
        }
        if with["how"] == "fused" && without["status"] == "yes" {
            shared.push(id.to_string());
        }
        if let Some(product) = check["product"].as_str() {
            let data = |name: &str| {
                let file = std::fs::read(dir.join(name).join(product)).ok()?;
                let at = file.windows(5).position(|window| window == b"size[")?;
                Some(file[at..at + 8].to_vec())
            };
            assert_eq!(data("together"), data("alone"), "{id} by {compiler} {flags:?}");
        }
    }
    (shared, together.json()["summary"]["processes"].as_u64().unwrap())
}

/// CMake before 3.26 names the function in its link command, too.
#[test]
fn definitions_in_the_link_command_change_nothing() {
    for compiler in ["gcc", "clang"] {
        let checks = functions(&["fork", "getpid", "chown", "link", "no_such_function"]);
        let plain = asked(compiler, &["-Wall"], &checks);
        assert!(plain.0.len() > 2, "{plain:?}");
        assert_eq!(asked_with(compiler, &["-Wall"], &["{definitions}"], &checks), plain);
    }
}

/// Removes the names of temporary files: directories, which linkers print if there is debug information,
/// and what assemblers read.
fn in_no_room(result: Value) -> Value {
    let room =
        regex_lite::Regex::new(r#"/[^ `'"\\]*/tryall-[0-9a-f]+/[0-9]+/|cc[A-Za-z0-9]{6}\.s"#)
            .unwrap();
    serde_json::from_str(&room.replace_all(&result.to_string(), "")).unwrap()
}

fn run_check(request: &Value, args: &[&str]) -> Ran {
    let (call, stdin) = Call::check(request);
    call.args(args).run_with(&stdin)
}

const COMPILERS: [&str; 2] = ["gcc", "clang"];
const THERE: [&str; 6] = ["getpid", "nanosleep", "lstat", "gettimeofday", "sigaction", "pread"];

#[test]
fn functions_share_a_file() {
    let checks = functions(&[&THERE[..], &["kqueue", "no_such_function"]].concat());
    for compiler in COMPILERS {
        for flags in [&[][..], &["-O2", "-g"], &["-Wall", "-Wextra", "-Werror"], &["-O2", "-fPIC"]]
        {
            let (shared, commands) = asked(compiler, flags, &checks);
            assert_eq!(shared, THERE[1..], "{compiler} {flags:?}");
            // Two for all, two for each missing function, two for the first, and two for the
            // inventory.
            assert_eq!(commands, 10, "{compiler} {flags:?}");
        }
    }
}

#[test]
fn symbols_share_the_headers() {
    let headers = "#include <stdio.h>\n#include <string.h>\n#include <unistd.h>\n";
    let there = ["EOF", "fopen", "memmem", "strerror", "stdin", "getpid", "SEEK_SET"];
    let not = ["no_such_name", "kqueue"];
    let checks = symbols(headers, &[&there[..], &not].concat());
    for compiler in COMPILERS {
        for flags in [
            &["-D_GNU_SOURCE"][..],
            &["-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", "-O2"],
            &["-D_GNU_SOURCE", "-Wall", "-Wpedantic", "-Wmissing-prototypes", "-Wshadow", "-g"],
        ] {
            let (shared, commands) = asked(compiler, flags, &checks);
            assert!(shared.len() >= 5, "{compiler} {flags:?}: {shared:?}");
            assert!(commands <= 12, "{compiler} {flags:?}: {commands} commands");
            assert!(shared.iter().all(|name| there.contains(&name.as_str())), "{shared:?}");
        }
    }
}

#[test]
fn sizes_share_a_file_with_separate_data() {
    let there = ["char", "short", "long", "long long", "void*", "size_t", "struct timespec"];
    let checks = sizes("#include <time.h>\n", &[&there[..], &["struct none", "nonsense"]].concat());
    for compiler in COMPILERS {
        for flags in [&[][..], &["-g"]] {
            assert_eq!(shared(compiler, flags, &checks), there[1..], "{compiler} {flags:?}");
        }
        // With optimization, compilers merge equal data, so it is unknown to which check it
        // belongs.
        let shared_when_optimized = shared(compiler, &["-O2", "-g"], &checks);
        for name in ["short", "struct timespec"] {
            assert!(
                shared_when_optimized.iter().any(|shared| shared == name),
                "{compiler}: {name}"
            );
        }
        // Plain object files are recognized on x86-64 only.
        shared(compiler, &["-m32"], &checks);
    }
}

/// With these, nothing is known about the link or the object file.
#[test]
fn other_links_run_alone() {
    let checks = functions(&THERE);
    for flags in [
        &["-flto"][..],
        &["-static"],
        &["-fsanitize=address"],
        &["-nostdlib"],
        &["-pg"],
        &["-fno-plt", "-Wl,-z,defs"],
        &["-std=c99", "-pedantic-errors"],
        &["-Wunused-macros", "-Werror"],
    ] {
        for compiler in COMPILERS {
            shared(compiler, flags, &checks);
        }
    }
}

/// Each of these has a different answer if its siblings, or the headers, are seen differently
/// than alone.
#[test]
fn variants_do_not_see_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let known = "int getpid(void); int fork(void); int pause(void); int close(int);";
    let names = ["getpid", "fork", "pause", "close", "later"];
    for (name, text) in [
        // Declares something else the second time.
        ("again.h", format!("#ifndef A\n#define A\n{known}\n#else\nint later(void);\n#endif\n")),
        ("counts.h", format!("{known}\nenum {{ later = __COUNTER__ }};\n")),
        ("main.h", format!("{known}\n#define main its_main\nint later(void);\n")),
        ("static.h", format!("{known}\nint later(void);\nstatic")),
        ("weak.h", format!("{known}\nint later(void);\n__attribute__((weak))")),
        ("comment.h", format!("{known}\n/* open\n")),
        ("brace.h", format!("{known}\nint later(void) {{\n")),
        ("poison.h", format!("{known}\nint later(void);\n#pragma GCC poison pause\n")),
        ("undone.h", format!("{known}\n#define later 1\n#undef later\n")),
        ("inline.h", format!("{known}\nstatic inline int later(void) {{ return kill_me(); }}\n")),
        ("defines.h", format!("{known}\nint later(void) {{ return 0; }}\n")),
        ("renames.h", format!("{known}\nint later(void) __asm__(\"getpid\");\n")),
        ("warns.h", format!("{known}\n#warning \"old\"\nint later(void);\n")),
        ("pragma.h", format!("{known}\n#pragma GCC diagnostic error \"-Wpedantic\"\nint later;\n")),
        ("thread.h", format!("{known}\nextern __thread int later;\n")),
        ("variable.h", format!("{known}\nextern int later;\nextern char **environ;\n")),
        ("weird.h", format!("{known}\n#line 7 \"confte03.c\"\nint later(void);\n")),
    ] {
        let include = include(dir.path(), name, &text);
        let checks = symbols(&include, &names);
        shared("clang", &[], &checks);
        for flags in [&[][..], &["-Wall", "-Wpedantic", "-O2"]] {
            shared("gcc", flags, &checks);
        }
    }
}

/// Declarations, calls and ends in one size are invisible to the next.
#[test]
fn types_that_declare_have_the_same_answers() {
    let names = [
        "struct new *",
        "struct new",
        "union new *",
        "enum new",
        "called(1)",
        "&called",
        "struct { int a; }",
        "int[__COUNTER__ + 1]",
        "int[__LINE__]",
        "SIZE",
        "main",
        "char[info_size]",
        "long",
        "int",
    ];
    let headers = "#include <stddef.h>\n#include <stdint.h>\n";
    let mut checks = sizes(headers, &names);
    // A request may declare any expression as the varying text.
    for check in &mut checks {
        let id = check["id"].as_str().unwrap();
        assert!(!id.contains('"'));
    }
    for compiler in COMPILERS {
        for flags in [&["-w"][..], &["-std=gnu89", "-w"], &[]] {
            shared(compiler, flags, &checks);
        }
    }
    checks.truncate(2);
    assert!(shared("gcc", &[], &checks).is_empty(), "two are no family");
}

/// A macro may contain anything: a declaration, a pragma, or the end of the surrounding text.
#[test]
fn macros_of_headers_do_not_affect_the_next_variant() {
    let dir = tempfile::tempdir().unwrap();
    let names = ["long", "short", "makes_it", "struct made", "made_t", "char"];
    for (name, text) in [
        ("declares.h", "#define makes_it struct made { int a; }\ntypedef int made_t;\n"),
        ("leaves.h", "#define makes_it int)]; typedef int made_t; char x[sizeof(int\n"),
        ("poisons.h", "typedef int made_t;\n#define makes_it int _Pragma(\"GCC poison made_t\")\n"),
        (
            "returns.h",
            "typedef int made_t;\n#define return _Pragma(\"GCC poison made_t\") return\n",
        ),
        ("sizes.h", "typedef int made_t;\n#define SIZE 7\n"),
        ("plain.h", "typedef int made_t;\n#define makes_it long\nstruct made { int a; };\n"),
    ] {
        let checks = sizes(&include(dir.path(), name, text), &names);
        for compiler in COMPILERS {
            shared(compiler, &["-w"], &checks);
        }
    }
    let checks = functions(&THERE);
    let flags = ["-w", "-Dgetpid=fork(void); int more", "-Dlstat=more"];
    assert!(shared("gcc", &flags, &checks).len() < THERE.len());
}

/// Sources whose differences exceed the varying text do not share a file.
#[test]
fn texts_that_affect_the_rest_of_a_file_run_alone() {
    for text in [
        "#pragma pack(1)\nchar NAME(void);\nint main(void) { return NAME(); }\n",
        "char NAME(void);\nint main(void) { return NAME() + __COUNTER__; }\n",
        "char NAME(void);\nint at = __LINE__;\nint main(void) { return NAME(); }\n",
        "#define PASTE(a) a##NAME\nchar NAME(void);\nint main(void) { return NAME(); }\n",
        "char NAME(void);\n#include <stdlib.h>\nint main(void) { return NAME(); }\n",
        "int main(void) { NAME(); return main == 0; }\n",
    ] {
        let checks: Vec<_> = functions(&THERE)
            .into_iter()
            .map(|mut check| {
                check["source"] = json!(text);
                check
            })
            .collect();
        let shared = shared("gcc", &["-w"], &checks);
        let is_plain = text.starts_with("int main");
        assert_eq!(shared.is_empty(), !is_plain, "{text}: {shared:?}");
    }
}

#[test]
fn the_varying_text_must_be_declared_and_stay_in_place() {
    for (change, field) in [
        (json!({"own_names": null}), "word"),
        (json!({"word": null}), "own_names"),
        (json!({"word": "a) + (b"}), "word"),
        (json!({"own_names": ["a b"]}), "own_names"),
    ] {
        let mut check = functions(&["getpid"]).remove(0);
        for (name, value) in change.as_object().unwrap() {
            check[name] = value.clone();
        }
        let request = json!({
            "toolchains": {"c": {"compile": ["cc", "{definitions}", "-c", "{source}", "-o", "{object}"],
                                 "link": ["cc", "{object}", "-o", "{program}"]}},
            "checks": [check],
        });
        let ran = run_check(&request, &[]);
        assert_eq!(ran.code(), 2, "{change}");
        assert!(ran.stderr.contains(field), "{change}: {}", ran.stderr);
    }
}

/// Each variant keeps as much output as a single check; all of it together would be truncated.
#[test]
fn variants_with_long_diagnostics_compile_once() {
    let unused: String =
        (0..40).map(|n| format!("  int unused_{n}_{};\n", "long_".repeat(50))).collect();
    let mut checks = functions(&THERE);
    for check in &mut checks {
        check["source"] = json!(FUNCTION.replace("  NAME();\n", &format!("  NAME();\n{unused}")));
    }
    let (shared, commands) = asked("gcc", &["-Wall"], &checks);
    assert_eq!((shared.as_slice(), commands), (&THERE.map(String::from)[1..], 5));
}
