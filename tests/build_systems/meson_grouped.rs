//! Grouped items of Meson batches have the same answers as each item alone, also in batches that
//! cannot be grouped.

use std::collections::BTreeMap;

use crate::support::*;

/// The answers of `tryall meson` to batches given as words.
fn answers(batches: &[Vec<String>]) -> BTreeMap<String, String> {
    let mut words = vec!["meson".to_string(), "--".into(), "meson:1.12.1".into()];
    for batch in batches {
        words.push("batch:".into());
        words.extend(batch.iter().cloned());
    }
    let ran = Call::new(words).run();
    assert_eq!(ran.code(), 0, "{ran:?}");
    let mut found = BTreeMap::new();
    for line in ran.stdout.lines() {
        let parts: Vec<_> = line.split('\t').collect();
        if !["batch", "answers"].contains(&parts[0]) {
            let answer = format!("{} {}", parts[0], parts[2]);
            assert_eq!(found.insert(parts[1].into(), answer), None, "duplicate {line}");
        }
    }
    found
}

/// Compares the answers to items in one batch with those to each item in its own batch, which has
/// no groups.
fn same_alone(settings: &[&str], items: &[String]) -> BTreeMap<String, String> {
    let settings: Vec<_> = ["language:c", "compiler-id:gcc", "linker-id:ld.bfd", "command:gcc"]
        .iter()
        .chain(settings)
        .map(|word| word.to_string())
        .collect();
    let together = answers(&[[settings.as_slice(), items].concat()]);
    let alone: Vec<_> = items
        .iter()
        .map(|item| [settings.as_slice(), std::slice::from_ref(item)].concat())
        .collect();
    assert_eq!(together, answers(&alone), "{settings:?}");
    assert_eq!(together.len(), items.len());
    together
}

fn items(method: &str, subjects: &[&str]) -> Vec<String> {
    let word = |(index, subject)| format!("{method}:{method}{index}::{subject}");
    subjects.iter().enumerate().map(word).collect()
}

const FUNCTIONS: [&str; 16] = [
    "fork",
    "exit",
    "abort",
    "no_such",
    "__no_such",
    "memcpy",
    "printf",
    "alloca",
    "link",
    "main2",
    "fattach",
    "poll",
    "_exit",
    "longjmp",
    "strlcpy",
    "cos",
];

#[test]
fn functions() {
    for settings in [
        &[][..],
        // The linker discards unreachable sections, and with them undefined references.
        &["option-arg:-ffunction-sections", "option-link-arg:-Wl,--gc-sections"],
        &["option-arg:-O2", "option-arg:-flto"],
        &["option-arg:-Werror", "option-arg:-Wall"],
        &["prefix:#define _GNU_SOURCE\n#define fork no_such"],
        &["prefix:static int fork(void) { return 0; }"],
        &["prefix:#error nothing compiles"],
        &["arg:-lm"],
        &["arg:-nostdlib"],
        &["arg:-fno-builtin"],
    ] {
        let found = same_alone(settings, &items("has_function", &FUNCTIONS));
        assert_eq!(found["has_function3"], "bool false", "{settings:?}");
    }
    let found = same_alone(&[], &items("has_function", &FUNCTIONS));
    assert_eq!(found["has_function0"], "bool true");
    assert_eq!(found["has_function7"], "bool true", "alloca is a builtin");
    assert_eq!(found["has_function15"], "bool true", "cos is a builtin");
}

#[test]
fn headers() {
    let names = ["stdio.h", "no.h", "sys/epoll.h", "sys/event.h", "linux/magic.h"];
    let found = same_alone(&[], &items("has_header", &names));
    assert_eq!(found["has_header0"], "bool true");
    assert_eq!(found["has_header1"], "bool false");
    for prefix in ["prefix:#error no", "prefix:#include <no.h>", "prefix:#undef __has_include"] {
        same_alone(&[prefix], &items("has_header", &names));
    }
}

#[test]
fn types_members_and_sizes() {
    let types = ["int", "no_such_t", "struct stat", "struct no_such", "size_t", "void", "int *"];
    let members =
        ["struct stat.st_size", "struct stat.no", "struct no.no", "struct stat.st_mtim.tv_nsec"];
    for prefix in
        ["prefix:", "prefix:#include <sys/stat.h>", "prefix:#error no", "prefix:int f(void) {"]
    {
        let all = [
            items("has_type", &types),
            items("has_member", &members),
            items("sizeof", &types),
            items("alignment", &["int", "char", "struct stat", "double"]),
        ]
        .concat();
        same_alone(&[prefix], &all);
        same_alone(&[prefix, "option-arg:-Werror", "option-arg:-Wextra"], &all);
        same_alone(&[prefix, "cross:true"], &all);
    }
}

/// A macro can close the surrounding function and declare the subject of the next item.
#[test]
fn macros_of_headers_do_not_affect_the_next_item() {
    let dir = tempfile::tempdir().unwrap();
    for (number, text) in [
        "#define makes int); } struct made { int a; }; typedef int made_t; void more(void) { (void)(0\n",
        "#define makes struct made { int a; }\ntypedef int made_t;\n",
        "#define makes int _Pragma(\"GCC poison made_t\")\ntypedef int made_t;\n",
        "#define return _Pragma(\"GCC poison made_t\") return\ntypedef int made_t;\n",
        "#define int long\ntypedef int made_t; struct made { char a[9]; };\n",
    ]
    .iter()
    .enumerate()
    {
        let header = write(dir.path(), &format!("odd{number}.h"), text);
        let prefix = format!("prefix:#include \"{}\"", header.display());
        let subjects = ["int", "makes", "struct made", "made_t", "long"];
        let mut all = items("has_type", &subjects);
        all.extend(items("sizeof", &subjects));
        all.extend(items("alignment", &subjects));
        all.extend(items("has_member", &["struct made.a", "makes.a", "struct none.b"]));
        same_alone(&[&prefix], &all);
    }
}

#[test]
fn grouping_needs_few_processes() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let script = format!("#!/bin/sh\necho . >>{}\nexec gcc \"$@\"\n", log.display());
    let cc = write(dir.path(), "cc", &script);
    std::fs::set_permissions(&cc, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut batch: Vec<String> =
        ["language:c", "compiler-id:gcc", "linker-id:ld.bfd"].map(String::from).into();
    batch.push(format!("command:{}", cc.display()));
    batch.extend(items("has_header", &["a.h", "b.h", "stdio.h", "stdlib.h", "sys/stat.h"]));
    batch.extend(items("has_function", &["fork", "poll", "dup", "read", "write", "no_such"]));
    batch.extend(items("sizeof", &["int", "long", "char", "short"]));
    answers(&[batch]);
    let processes = std::fs::read_to_string(&log).unwrap().lines().count();
    // Two probes in each of two rounds; headers, builtins, functions and sizes; the remaining
    // functions; and the failed one alone, which is known not to be a builtin.
    assert!(processes <= 10, "{processes}");
}

#[test]
fn lines_of_a_request_have_types() {
    let checks = r##"{"checks": [
        {"id": "A b", "kind": "header", "header": "stdio.h"},
        {"id": "SIZE", "kind": "sizeof", "type": "char"},
        {"id": "NONE", "kind": "sizeof", "type": "no_such_t"},
        {"id": "TEXT", "kind": "define", "name": "X", "prefix": "#define X \"a\\n\" \\ 'b'"},
        {"id": "SKIPPED", "kind": "endian", "needs": ["NONE"]},
        {"id": "RUN", "kind": "runs", "source": "int main(void) { return 0; }"}]}"##;
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "checks.json", checks);
    let ran = Call::new(["check", "--compiler=gcc", "--format=meson"]).arg(&file).run();
    let expected = "bool\tA b\ttrue\nint\tSIZE\t1\nint\tNONE\t-1\n\
                    text\tTEXT\t\"a\\\\n\" \\\\ 'b'\ntext\tSKIPPED\t\nbool\tRUN\ttrue\n";
    assert_eq!(ran.stdout, expected, "{ran:?}");
}

/// GCC warns that the batch's own argument is for another language, next to any tested argument.
#[test]
fn an_argument_of_another_language_next_to_the_tested_one() {
    for (own, expected) in [("-Wmissing-prototypes", "false"), ("-Wall", "true")] {
        let option = format!("option-arg:{own}");
        let mut batch: Vec<_> =
            ["language:cpp", "compiler-id:gcc", "linker-id:ld.bfd", "command:g++", &option]
                .map(String::from)
                .into();
        batch.extend(["has_argument:::-fsyntax-only", "has_argument:::-O1"].map(String::from));
        let found = answers(&[batch]);
        for argument in ["-fsyntax-only", "-O1"] {
            assert_eq!(found[argument], format!("argument {expected}"), "{own} {argument}");
        }
    }
}
