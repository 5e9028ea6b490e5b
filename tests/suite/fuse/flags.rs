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
