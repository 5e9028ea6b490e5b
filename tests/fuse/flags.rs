//! Flags that are tried together.

use super::*;

fn flags(sets: &[&[&str]]) -> Value {
    let ask = |set: &&[&str]| json!({"id": set.join(" "), "kind": "compiler_flag", "flags": set});
    sets.iter().map(ask).collect()
}

#[test]
fn flags_that_the_compiler_takes_without_a_word_are_tried_once() {
    for (language, compiler) in COMPILERS {
        let known = flags(&[&["-Wall", "-Wextra"], &["-Wundef"], &["-Wshadow"], &["-Wcast-qual"]]);
        let results = same_with(language, compiler, known);
        assert_eq!(fused(&results), 4, "{compiler}: {results:#?}");
        let command = results["-Wshadow"]["command"].to_string();
        assert!(command.contains("-Wshadow") && !command.contains("-Wall"), "{command}");
    }
}

#[test]
fn flags_that_are_named_are_asked_alone() {
    for (language, compiler) in COMPILERS {
        let sets: [&[&str]; 9] = [
            &["-Wall"],
            &["-Wno-such-warning"],
            &["-Wsuch-warning"],
            &["-Wextra", "-Wnope"],
            &["-Wshorten-64-to-32"],
            &["-Wlogical-op"],
            &["-Weffc++"],
            &["-Wstrict-prototypes"],
            &["-Wshadow"],
        ];
        let results = same_with(language, compiler, flags(&sets));
        assert!(fused(&results) >= 2, "{compiler}: {results:#?}");
        assert_eq!(results["-Wsuch-warning"]["status"], "no", "{compiler}");
    }
}

#[test]
fn flags_that_hide_what_is_said_of_others_are_not_tried_with_them() {
    let sets: [&[&str]; 12] = [
        // GCC ignores it without the next, and says so only then.
        &["-Wformat-security"],
        &["-Wformat"],
        &["-Wformat-nonliteral"],
        // Clang says nothing of unknown warnings behind these.
        &["-Wno-unknown-warning-option"],
        &["-Wunknown-to-all"],
        &["-w"],
        &["-Wno-everything"],
        &["-Wno-error"],
        &["-Werror"],
        &["-Wextra"],
        &["-Wmissing-format-attribute"],
        &["-Wall"],
    ];
    for (language, compiler) in COMPILERS {
        let results = same_with(language, compiler, flags(&sets));
        assert_eq!(results["-Wunknown-to-all"]["status"], "no", "{compiler}");
        let fused = |id: &str| results[id]["how"] == "fused";
        assert!(!fused("-Wformat-security") && !fused("-w"), "{compiler}: {results:#?}");
    }
    // Nor with what the toolchain has of them.
    for arg in ["-w", "-Wno-unknown-warning-option", "-Wno-everything"] {
        let mut checks = flags(&[&["-Wunknown-to-all"], &["-Wall"], &["-Wextra"]]);
        for check in checks.as_array_mut().unwrap() {
            check["args"] = json!([arg]);
        }
        assert_eq!(fused(&same_with("c", "clang", checks)), 0, "{arg}");
    }
}

#[test]
fn compilers_whose_words_are_not_known_are_asked_of_each_flag() {
    let results = same_with("c", "tcc", flags(&[&["-Wall"], &["-Wextra"], &["-Wnope"]]));
    assert_eq!(fused(&results), 0, "{results:#?}");
}

#[test]
fn flags_that_are_not_known_are_told_by_what_is_said_of_all() {
    let sets: [&[&str]; 5] =
        [&["-Wall"], &["-Wsuch-a"], &["-Wextra", "-Wsuch-b"], &["-Wshadow"], &["-Wundef"]];
    for (language, compiler) in COMPILERS {
        need(compiler);
        let toolchain = json!({"language": language, "command": [compiler]});
        let checks = with_language(language, flags(&sets));
        let request = json!({"toolchains": {language: toolchain}, "checks": checks});
        let (call, stdin) = Call::check(&request);
        let ran = call.run_with(&stdin);
        // One tries the toolchain. GCC does not go on when there is any that it does not know.
        let most = if compiler.starts_with("clang") { 2 } else { 3 };
        assert_eq!(ran.json()["summary"]["processes"], most, "{compiler}: {ran:?}");
        let alone = check_apart(&request);
        for id in ["-Wall", "-Wsuch-a", "-Wextra -Wsuch-b", "-Wshadow", "-Wundef"] {
            for field in ["status", "command", "exit_code", "reason", "source"] {
                assert_eq!(ran.result(id)[field], alone.result(id)[field], "{compiler}: {id}");
            }
            // Clang also counts what it has said.
            let [together, alone] = [&ran, &alone].map(|ran| ran.result(id)["output"].to_string());
            let alone = alone.replace("1 warning generated.\\n", "");
            assert_eq!(together, alone, "{compiler}: {id}");
        }
    }
}

/// As CMake's modules try flags: by commands in full, each with a toolchain of its own.
fn in_full(compiler: &str, source: &str, sets: &[(&[&str], &[&str])]) -> Value {
    need(compiler);
    let words = |text: &str| text.split(' ').map(String::from).collect::<Vec<_>>();
    let (mut toolchains, mut checks) = (serde_json::Map::new(), Vec::new());
    for (n, (definitions, args)) in sets.iter().enumerate() {
        let name = format!("t{n}");
        let compile = format!("{compiler} {{definitions}} {{args}} -o {{object}} -c {{source}}");
        toolchains.insert(
            name.clone(),
            json!({
                "language": "c",
                "compile": words(&compile),
                "link": words(&format!("{compiler} {{object}} -o {{program}}")),
                "env": {"LC_ALL": "C"},
            }),
        );
        checks.push(json!({"id": n.to_string(), "kind": "links", "toolchain": name,
                           "source": source, "definitions": definitions, "args": args}));
    }
    json!({"toolchains": toolchains, "checks": checks})
}

const EMPTY: &str = "int main(void) { return 0; }\n";

#[test]
fn empty_programs_with_flags_are_compiled_once_and_told_as_alone() {
    let sets: [(&[&str], &[&str]); 8] = [
        (&["-DA"], &["-O2", "-Wall"]),
        (&["-DB"], &["-O2", "-Wextra", "-Wundef"]),
        (&["-DC"], &["-O2", "-Wsuch-warning"]),
        (&["-DD"], &["-O2", "-Wno-such-warning"]),
        (&["-DE"], &["-O2", "-Wshadow"]),
        (&["-DF"], &["-O2", "-Wlogical-op"]),
        (&["-DG"], &["-O2", "-fno-common"]),
        (&["-DH"], &["-O2", "-Wformat-security"]),
    ];
    for compiler in ["gcc", "clang"] {
        let request = in_full(compiler, EMPTY, &sets);
        let results = same(&request);
        let least = if compiler == "gcc" { 5 } else { 3 };
        assert!(fused(&results) >= least, "{compiler}: {results:#?}");
        let alone = check_apart(&request);
        for (id, result) in &results {
            for field in ["status", "steps", "output", "command", "source", "exit_code", "reason"] {
                assert_eq!(result[field], alone.result(id)[field], "{compiler}: {field} of {id}");
            }
        }
    }
}

#[test]
fn programs_that_say_anything_themselves_are_compiled_with_each_flag() {
    let sets: [(&[&str], &[&str]); 4] = [
        (&["-DA"], &["-Wall"]),
        (&["-DB"], &["-Wextra"]),
        (&["-DC"], &["-Wundef"]),
        (&["-DD"], &[]),
    ];
    for compiler in ["gcc", "clang"] {
        for source in [
            "int main(void) { int unused; return 0; }\n",
            "#if A\n#endif\nint main(void) { return 0; }\n",
            "#include <stdio.h>\nint main(void) { return 0; }\n",
            "int main(void) { return A; }\n",
        ] {
            let request = in_full(compiler, source, &sets);
            let (call, stdin) = Call::check(&request);
            let (together, alone) = (call.run_with(&stdin), check_apart(&request));
            for id in ["0", "1", "2", "3"] {
                for field in ["status", "steps", "output"] {
                    let [together, alone] =
                        [&together, &alone].map(|ran| ran.result(id)[field].clone());
                    assert_eq!(together, alone, "{compiler}: {field} of {id}: {source}");
                }
            }
        }
    }
}
