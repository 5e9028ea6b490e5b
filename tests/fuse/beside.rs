//! Sources that are compiled beside each other, and macros that are expanded together.

use super::*;

/// What looks for its neighbours, or for its own name, or may not say whose error it is.
const CURIOUS: [&str; 12] = [
    "#include \"confte00.c\"\n",
    "#include \"conftest.c\"\n",
    "#include __FILE__\n",
    "int of[sizeof(__FILE__) == 11 ? 1 : -1];\n",
    "#if __has_include(\"confte01.c\")\n#error no\n#endif\n",
    "#line 7 \"confte01.c\"\nint main(void) { return nope; }\n",
    "# 7 \"other.c\"\nint main(void) { return nope; }\n",
    "__asm__(\".incbin \\\"confte00.c\\\"\");\n",
    "__asm__(\".error \\\"no\\\"\");\n",
    "#if 0\n",
    "/* open\n",
    "int main(void) {\n",
];

const PLAIN: [&str; 8] = [
    "int main(void) { return 0; }\n",
    "int main(void) { return nope; }\n",
    "#error no\n",
    "#include <stdio.h>\nint main(void) { return puts(\"\"); }\n",
    "#include <nope.h>\n",
    "int f(int x) { int y; return x; }\n",
    "#warning careful\nint x;\n",
    "static int unused;\n",
];

pub(super) fn sources(all: &[&str]) -> Value {
    let checks = all.iter().enumerate().map(
        |(n, source)| json!({"id": n.to_string(), "kind": "compiles", "source": source, "args": ["-Wall"]}),
    );
    checks.collect()
}

#[test]
fn each_source_has_its_own_answer_and_its_own_words() {
    for (language, compiler) in COMPILERS {
        let checks = with_language(language, sources(&PLAIN));
        let request = json!({"toolchains": {language: {"language": language, "command": [need(compiler)]}},
                             "checks": checks});
        let results = same(&request);
        assert_eq!(fused(&results), PLAIN.len(), "{compiler}: {results:#?}");
        let alone = check_apart(&request);
        for (id, result) in &results {
            let alone = alone.result(id);
            for field in ["output", "command", "source", "exit_code", "reason"] {
                assert_eq!(result[field], alone[field], "{compiler}: {field} of {id}");
            }
        }
    }
}

#[test]
fn a_source_that_looks_for_its_neighbours_has_none() {
    for (language, compiler) in COMPILERS {
        let results = same_with(language, compiler, sources(&[&CURIOUS[..], &PLAIN[..4]].concat()));
        for n in 0..8 {
            assert_eq!(results[&n.to_string()]["how"], "run", "{compiler}: {}", CURIOUS[n]);
        }
        assert_eq!(results["12"]["how"], "fused", "{compiler}");
    }
}

#[test]
fn arguments_tell_a_source_nothing_of_its_neighbours() {
    for (definition, source) in [
        ("-DX=\"confte01.c\"", "#include X\n"),
        ("-DX=__FILE__", "_Static_assert(__builtin_strcmp(X, \"conf\" \"test.c\") == 0, \"\");\n"),
    ] {
        let mut checks = sources(&[&[source][..], &PLAIN[..4]].concat());
        for check in checks.as_array_mut().unwrap() {
            check["args"] = json!([definition]);
        }
        for compiler in ["gcc", "clang"] {
            let results = same_with("c", compiler, checks.clone());
            assert_eq!(fused(&results), 0, "{compiler}: {definition}");
        }
    }
}

#[test]
fn what_is_compiled_beside_others_needs_few_processes() {
    let all: Vec<_> = (0..16).map(|n| format!("int f(void) {{ return {n}; }}\n")).collect();
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    let (call, stdin) = Call::check(
        &json!({"toolchains": {"c": {"command": [need("gcc")]}}, "checks": sources(&all)}),
    );
    let ran = call.arg("-j2").run_with(&stdin);
    // One of them tries the toolchain.
    assert_eq!(ran.json()["summary"]["processes"], 3);
}

/// As the door for CMake asks: each check with a toolchain of its own, by commands in full.
#[test]
fn commands_in_full_are_told_as_they_would_have_been_run() {
    let words = |text: &str| text.split(' ').map(String::from).collect::<Vec<_>>();
    for compiler in ["gcc", "clang"] {
        need(compiler);
        let mut toolchains = serde_json::Map::new();
        let mut checks = Vec::new();
        for (n, source) in PLAIN.iter().enumerate() {
            let name = format!("t{n}");
            toolchains.insert(name.clone(), json!({
                "language": "c",
                "compile": words(&format!("{compiler} {{definitions}} -Wall {{args}} -o {{object}} -c {{source}}")),
                "link": words(&format!("{compiler} -Wall {{object}} -o {{program}}")),
            }));
            checks.push(
                json!({"id": n.to_string(), "kind": "links", "toolchain": name, "source": source,
                               "definitions": ["-DX=1"]}),
            );
        }
        let request = json!({"toolchains": toolchains, "checks": checks});
        let results = same(&request);
        assert_eq!(fused(&results), PLAIN.len(), "{compiler}: {results:#?}");
        let alone = check_apart(&request);
        for (id, result) in &results {
            let alone = alone.result(id);
            for field in ["steps", "output", "command", "source", "exit_code", "reason"] {
                assert_eq!(result[field], alone[field], "{compiler}: {field} of {id}");
            }
        }
    }
}

#[test]
fn a_definition_is_left_out_only_where_the_source_cannot_see_it() {
    let words = |text: &str| text.split(' ').map(String::from).collect::<Vec<_>>();
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "sees.h", "#ifdef OWN_2\n#error seen\n#endif\n");
    let sources = [
        ("OWN_0", "int main(void) { return 0; }\n", "yes"),
        ("OWN_1", "#ifdef OWN_1\n#error seen\n#endif\nint main(void) { return 0; }\n", "no"),
        ("OWN_2", "#include <sees.h>\nint main(void) { return 0; }\n", "no"),
        ("OWN_3", "#define P(a, b) a##b\nint main(void) { return P(OWN, _3); }\n", "yes"),
        ("OWN_4", "#ifdef OWN_0\n#error seen\n#endif\nint main(void) { return 0; }\n", "yes"),
        ("OWN_5", "#ifdef OW\\\nN_5\n#error seen\n#endif\nint main(void) { return 0; }\n", "no"),
        ("OWN_6=1+", "int main(void) { return 0; }\n", "yes"),
        ("OWN_7", "int main(void) { return 7; }\n", "yes"),
    ];
    for compiler in ["gcc", "clang"] {
        need(compiler);
        let compile = format!("{compiler} {{definitions}} {{args}} -o {{object}} -c {{source}}");
        let toolchain = json!({"language": "c", "compile": words(&compile),
                               "link": words(&format!("{compiler} {{object}} -o {{program}}"))});
        let ask = |(definition, source, _): &(&str, &str, &str)| {
            json!({"id": definition, "kind": "links", "source": source, "args": ["-I", dir.path()],
                   "definitions": [format!("-D{definition}")]})
        };
        let checks: Vec<_> = sources.iter().map(ask).collect();
        let results = same(&json!({"toolchains": {"c": toolchain}, "checks": checks}));
        for (id, source, expected) in sources {
            assert_eq!(results[id]["status"], expected, "{compiler}: {source}");
        }
        for id in ["OWN_0", "OWN_4", "OWN_7"] {
            assert_eq!(results[id]["how"], "fused", "{compiler}: {id}");
            let command = results[id]["steps"][0]["command"].to_string();
            assert!(command.contains(&format!("-D{id}")), "{command}");
        }
    }
}

#[test]
fn a_pattern_finds_only_what_is_said_of_its_own_source() {
    const WARNS: &str = "int main(void) { int unused; return 0; }\n";
    const QUIET: &str = "int main(void) { return 0; }\n";
    let ask = |(n, source): (usize, &&str)| {
        json!({"id": n.to_string(), "kind": "compiles", "source": format!("/* {n} */ {source}"),
               "args": ["-Wall"], "fail_patterns": ["unused"]})
    };
    let checks = |all: &[&str]| all.iter().enumerate().map(ask).collect::<Value>();
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "prints.h", "__asm__(\".print \\\"unused\\\"\");\n");
    for (language, compiler) in COMPILERS {
        let told = [QUIET, WARNS, QUIET, WARNS, QUIET, WARNS, QUIET];
        let results = same_with(language, compiler, checks(&told));
        assert_eq!(fused(&results), told.len(), "{compiler}: {results:#?}");
        for (n, source) in told.iter().enumerate() {
            let expected = if *source == WARNS { "no" } else { "yes" };
            assert_eq!(results[&n.to_string()]["status"], expected, "{compiler}: {n}");
        }
        // An assembler does not say of which source it speaks, and may say anything.
        for odd in [
            "__asm__(\".warning \\\"unused\\\"\"); int main(void) { return 0; }\n",
            "__asm__(\".print \\\"unused\\\"\"); int main(void) { return 0; }\n",
            "__asm__(\".print \\\"    1 | unused\\\"\"); int main(void) { return 0; }\n",
            "\n#include <prints.h>\nint main(void) { return 0; }\n",
        ] {
            if language != "c" {
                continue;
            }
            for place in [0, 3, 6] {
                let mut sources = told;
                sources[place] = odd;
                let mut checks = checks(&sources);
                for check in checks.as_array_mut().unwrap() {
                    check["include_dirs"] = json!([dir.path()]);
                }
                let results = same_with(language, compiler, checks);
                for (n, source) in sources.iter().enumerate() {
                    let expected = if *source == QUIET { "yes" } else { "no" };
                    let status = &results[&n.to_string()]["status"];
                    assert_eq!(*status, expected, "{compiler}: {n} beside {odd} at {place}");
                }
            }
        }
    }
}

#[test]
fn a_source_beside_one_that_prints_has_its_own_patterns() {
    let dir = tempfile::tempdir().unwrap();
    let text = "int main(void) { return 0; }\n";
    let prints = format!("__asm__(\".print \\\"unused\\\"\"); {text}");
    let ask = |n: usize, source: &str| {
        json!({"id": n.to_string(), "kind": "compiles", "source": format!("/* {n} */ {source}"),
               "args": ["-Wall"], "include_dirs": [dir.path()]})
    };
    for (language, compiler) in COMPILERS {
        let warns = "int main(void) { int used_not; return 0; }\n";
        let mut checks = vec![ask(0, warns), ask(1, &prints), ask(2, text), ask(3, &prints)];
        checks[0]["fail_patterns"] = json!(["unused$", "unused\n"]);
        checks[2]["fail_patterns"] = json!(["unused"]);
        let results = same_with(language, compiler, json!(checks));
        assert_eq!(results["0"]["status"], "yes", "{compiler}: {results:#?}");
        assert_eq!(results["2"]["status"], "yes", "{compiler}: {results:#?}");
    }
}

#[test]
fn macros_are_expanded_together_unless_one_disturbs_another() {
    let define = |n: usize, name: &str, prefix: &str| {
        json!({
            "id": format!("{n} {name}"), "kind": "define", "name": name, "prefix": prefix, "headers": ["stdio.h"]
        })
    };
    let of = |prefix: &str, names: &[&str]| -> Value {
        names.iter().enumerate().map(|(n, name)| define(n, name, prefix)).collect()
    };
    for (language, compiler) in COMPILERS {
        let plain = ["EOF", "BUFSIZ", "nope", "NULL", "__FILE__", "getc", "__STDC_HOSTED__"];
        let results = same_with(language, compiler, of("", &plain));
        assert_eq!(fused(&results), plain.len(), "{compiler}: {results:#?}");
        let results =
            same_with(language, compiler, of("", &["EOF", "__LINE__", "__COUNTER__", "nope"]));
        for name in ["1 __LINE__", "2 __COUNTER__"] {
            assert_eq!(results[name]["how"], "run", "{compiler}");
        }
        assert_eq!(results["0 EOF"]["how"], "fused", "{compiler}");
        // A macro that swallows what is behind it, one that nobody may name, and an open condition.
        for prefix in
            ["#define f(x) x\n#define opens f (\n", "#pragma GCC poison nope\n", "#if 0\n"]
        {
            same_with(language, compiler, of(prefix, &["opens", "EOF", "nope", "BUFSIZ"]));
        }
    }
}
