//! tryall's generated text causes no warnings: with all warning flags of GCC and Clang and
//! `-Werror`, each check has the same answer as without them.

use std::process::Command;

use crate::support::*;
use crate::table::*;
use serde_json::{Value, json};

/// Checks of all kinds with generated sources.
fn questions(compiler: Compiler) -> Vec<Value> {
    let own = |name: &str| format!("#include <unistd.h>\n#define {name} {name}\n");
    let mut questions = vec![
        json!({"kind": "header", "header": "stdio.h"}),
        json!({"kind": "header", "header": "stdlib.h", "headers": ["stdio.h"]}),
        json!({"kind": "header", "header": "stdio.h", "stage": "preprocess"}),
        json!({"kind": "symbol", "symbol": "fork", "headers": ["unistd.h"]}),
        json!({"kind": "symbol", "symbol": "fork", "prefix": own("fork")}),
        json!({"kind": "symbol", "symbol": "EOF", "headers": ["stdio.h"]}),
        json!({"kind": "symbol", "symbol": "tryst", "headers": ["stdio.h"]}),
        json!({"kind": "function", "function": "fork"}),
        json!({"kind": "function", "function": "_exit"}),
        json!({"kind": "function", "function": "__fpurge"}),
        json!({"kind": "function", "function": "memcpy"}),
        json!({"kind": "function", "function": "printf"}),
        json!({"kind": "function", "function": "fork", "prefix": "#define fork fork\n"}),
        json!({"kind": "function", "function": "fork", "headers": ["unistd.h"]}),
        json!({"kind": "function", "function": "fork", "prefix": own("fork")}),
        json!({"kind": "function", "function": "malloc", "headers": ["stdlib.h"]}),
        json!({"kind": "function", "function": "optarg", "headers": ["unistd.h"]}),
        json!({"kind": "type", "type": "size_t", "headers": ["stddef.h"]}),
        json!({"kind": "type", "type": "struct stat", "headers": ["sys/stat.h"]}),
        json!({"kind": "type", "type": "struct tryst"}),
        json!({"kind": "member", "type": "struct stat", "member": "st_mtim.tv_nsec", "headers": ["sys/stat.h"]}),
        json!({"kind": "member", "type": "struct a", "member": "b",
               "prefix": "struct a { unsigned b : 16; unsigned c : 16; };"}),
        json!({"kind": "prototype", "function": "fork", "return_type": "pid_t", "arguments": [],
               "headers": ["unistd.h"]}),
        json!({"kind": "prototype", "function": "memcpy", "return_type": "void *",
               "arguments": ["void *", "const void *", "size_t"], "headers": ["string.h"]}),
        json!({"kind": "define", "name": "EOF", "headers": ["stdio.h"]}),
        json!({"kind": "endian"}),
        json!({"kind": "library", "library": "m"}),
        json!({"kind": "library", "library": "m", "function": "tgamma"}),
        json!({"kind": "compiler_flag", "flags": ["-g"]}),
        json!({"kind": "linker_flag", "flags": ["-Wl,-O1"]}),
    ];
    let types = ["int", "double", "long double", "char[7]", "int (*)(void)", "FILE", "struct stat"];
    let headers = json!(["stdio.h", "sys/stat.h"]);
    for kind in ["sizeof", "alignment"] {
        let of = |name: &&str| json!({"kind": kind, "type": name, "headers": headers});
        questions.extend(types.iter().map(of));
    }
    for expression in
        ["-7", "0u", "1 == 1", "1 << 4", "'a'", "INT_MIN", "UINT_MAX", "sizeof(long) * 8"]
    {
        questions.push(
            json!({"kind": "compute_int", "expression": expression, "headers": ["limits.h"]}),
        );
    }
    if compiler.language == "c++" {
        questions.push(json!({"kind": "symbol", "symbol": "std::fopen", "headers": ["cstdio"]}));
        for kind in ["type", "sizeof", "alignment"] {
            questions.push(json!({"kind": kind, "type": "std::string", "headers": ["string"]}));
        }
    }
    for (index, question) in questions.iter_mut().enumerate() {
        question["id"] = format!("{index} {question}").into();
    }
    questions
}

/// The status and value of each answer, in the order of the checks.
fn answers(compiler: Compiler, args: &[String]) -> Vec<(String, Value)> {
    let toolchain =
        json!({"language": compiler.language, "command": compiler.command, "args": args});
    let ran = check(&json!({
        "toolchains": {compiler.language: toolchain},
        "checks": questions(compiler).into_iter().map(|mut question| {
            question["language"] = compiler.language.into();
            question
        }).collect::<Vec<_>>(),
    }));
    let results = ran.json()["results"].as_array().cloned().unwrap_or_else(|| panic!("{ran:?}"));
    results
        .into_iter()
        .map(|result| {
            let shown = format!("{} is {} {}", result["id"], result["status"], result["value"]);
            (shown, result["output"].clone())
        })
        .collect()
}

fn assert_no_flag_matters(compiler: Compiler, flags: &[String]) {
    let mut args = flags.to_vec();
    args.push("-Werror".into());
    let pairs = std::iter::zip(answers(compiler, &[]), answers(compiler, &args));
    let differ: Vec<_> = pairs
        .filter(|((without, _), (with, _))| without != with)
        .map(|((without, _), (with, output))| {
            format!("* {without}, and with the flags {with}:\n{}", output.as_str().unwrap_or(""))
        })
        .collect();
    assert!(differ.is_empty(), "{compiler:?}:\n{}", differ.join("\n"));
}

/// All warning flags of a GCC, with values that cause as many warnings as possible.
fn listed_flags(compiler: Compiler) -> Vec<String> {
    let mut command = Command::new(need(compiler.command[0]));
    let output = command.args(["--help=warnings"]).env("LC_ALL", "C").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut flags = Vec::new();
    for line in text.lines() {
        let Some(flag) = line.strip_prefix("  -W").and_then(|rest| rest.split(' ').next()) else {
            continue;
        };
        let Some((name, value)) = flag.split_once('=') else {
            flags.push(format!("-W{flag}"));
            continue;
        };
        // A choice of names, a range, a number, or one name.
        match value.chars().next() {
            Some('[') => {
                let names = value.trim_matches(['[', ']']).split('|');
                flags.extend(names.map(|value| format!("-W{name}={value}")));
            }
            Some('<') => {
                let most =
                    value.trim_matches(['<', '>']).split_once(',').map_or("1", |(_, most)| most);
                flags.push(format!("-W{name}={most}"));
            }
            _ => flags.push(format!("-W{flag}")),
        }
    }
    flags.sort();
    flags.dedup();
    flags.retain(|flag| !flag.starts_with("-Werror") && flag != "-Wfatal-errors");
    flags
}

/// The flags that cause no warning in an empty program. The others belong to other languages or
/// warn about every program. `-Wsystem-headers`, which warns about the headers, is also excluded.
fn quiet_flags(compiler: Compiler) -> Vec<String> {
    let flags = listed_flags(compiler);
    let checks: Vec<_> = flags
        .iter()
        .map(|flag| {
            json!({"id": flag, "kind": "compiles", "language": compiler.language, "args": [flag],
                   "source": "int main(void) { return 0; }\n", "fail_patterns": ["warning: "]})
        })
        .collect();
    let command =
        json!({compiler.language: {"language": compiler.language, "command": compiler.command}});
    let ran = check(&json!({"toolchains": command, "checks": checks}));
    let results = ran.json()["results"].as_array().cloned().unwrap_or_else(|| panic!("{ran:?}"));
    let quiet = std::iter::zip(flags, results)
        .filter(|(flag, result)| result["status"] == "yes" && flag != "-Wsystem-headers");
    quiet.map(|(flag, _)| flag).collect()
}

#[test]
fn gcc_has_no_warnings_about_generated_text() {
    for compiler in [GCC, GXX] {
        let flags = quiet_flags(compiler);
        assert!(flags.len() > 200, "{} flags only: {flags:?}", flags.len());
        for known in ["-Wunused-macros", "-Wpadded", "-Wredundant-decls", "-Wstack-protector"] {
            assert!(flags.iter().any(|flag| flag == known), "{known} is not among {flags:?}");
        }
        assert_no_flag_matters(compiler, &flags);
    }
}

#[test]
fn clang_has_no_warnings_about_generated_text() {
    for compiler in [CLANG, CLANGXX] {
        assert_no_flag_matters(compiler, &["-Weverything".into()]);
    }
}

/// With `-Werror`, warnings about the caller's own text are the compiler's answer.
#[test]
fn a_warning_about_the_question_is_a_no() {
    let strict = |flag: &str| json!(["-Werror", flag]);
    for compiler in [GCC, CLANG] {
        assert_plain_answers(
            compiler,
            &[
                no(json!({"kind": "sizeof", "type": "void", "args": strict("-Wpointer-arith")})),
                no(json!({"kind": "type", "type": "void", "args": strict("-Wpointer-arith")})),
                no(
                    json!({"kind": "sizeof", "type": "long long", "args": ["-std=c89", "-Werror", "-pedantic"]}),
                ),
                no(json!({"kind": "compute_int", "expression": "sizeof(long long)",
                          "args": ["-std=c89", "-Werror", "-pedantic"]})),
                no(
                    json!({"kind": "alignment", "type": "long long", "args": ["-std=c89", "-Werror", "-pedantic"]}),
                ),
            ],
        );
    }
}

/// If `size_t` is a `long long`, C89 has no such type.
#[test]
fn symbols_exist_where_pointers_are_wider_than_c89_integers() {
    const MINGW: Compiler = Compiler { command: &["x86_64-w64-mingw32-gcc"], language: "c" };
    let symbol = |args: Value| json!({"kind": "symbol", "symbol": "printf", "headers": ["stdio.h"], "args": args});
    assert_plain_answers(
        MINGW,
        &[
            yes(symbol(json!(["-std=c89", "-pedantic-errors"]))),
            yes(symbol(json!(["-Wlong-long", "-Werror"]))),
        ],
    );
}
