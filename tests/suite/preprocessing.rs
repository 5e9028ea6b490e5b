//! The preprocessor's output is validated: some arguments make it succeed without preprocessing, or
//! with only part of it.

use crate::support::*;
use serde_json::{Value, json};

/// Checks for existing and missing macros and headers, with arguments for every check.
fn ask(language: &str, command: &str, args: &[&str]) -> Ran {
    let check = |id: &str, fields: Value| {
        let mut check = fields;
        check["id"] = id.into();
        check["language"] = language.into();
        check["args"] = json!(args);
        check
    };
    let header = |name: &str| json!({"kind": "header", "header": name, "stage": "preprocess"});
    let define =
        |name: &str, prefix: &str| json!({"kind": "define", "name": name, "prefix": prefix});
    let mut checks = vec![
        check("ONE", define("TESTED", "#define ONE 1\n#define TESTED (ONE + ONE)\n")),
        check("EMPTY", define("TESTED", "#define TESTED\n")),
        check("OFF", define("TESTED", "#if 0\n#define TESTED 1\n#endif\n")),
        check("NONE", define("TESTED", "")),
        check("NO_HEADER", header("tryall/not_there.h")),
    ];
    if language != "fortran" {
        checks.push(check("HEADER", header("stdio.h")));
    }
    check_with(language, &[&need(command)], checks.into())
}

const ALL: [&str; 6] = ["ONE", "EMPTY", "OFF", "NONE", "NO_HEADER", "HEADER"];

#[test]
fn output_that_is_not_preprocessed_is_an_error() {
    for (language, command, args) in [
        ("c", "gcc", "-fpreprocessed"),
        ("c++", "g++", "-fpreprocessed"),
        ("c", "clang", "-frewrite-includes"),
        ("c++", "clang++", "-frewrite-includes"),
        ("c", "gcc", "-fdirectives-only"),
        ("c", "gcc", "-dM"),
        ("c", "clang", "-dM"),
        ("c", "gcc", "-M"),
        ("c", "clang", "-M"),
        ("c", "gcc", "-ox.i"),
        ("c", "clang", "-ox.i"),
        ("c", "gcc", "-###"),
        ("c", "clang", "-###"),
        ("fortran", "gfortran", "-###"),
        ("fortran", "flang-new-16", "-###"),
    ] {
        let ran = ask(language, command, &[args]);
        let answers = ran.json();
        for result in answers["results"].as_array().unwrap() {
            // Most compilers still stop at a missing header.
            if result["id"] == "NO_HEADER" && result["status"] == "no" {
                continue;
            }
            assert_eq!(result["status"], "error", "{command} {args}: {result}");
            let reason = "the compiler did not preprocess the source; check its arguments";
            assert_eq!(result["reason"], reason, "{command} {args}: {result}");
        }
    }
}

#[test]
fn arguments_that_only_change_formatting_change_no_answer() {
    for (language, command, args) in [
        ("c", "gcc", &["-P"][..]),
        ("c", "gcc", &["-dD"]),
        ("c", "gcc", &["-dU"]),
        ("c", "gcc", &["-C"]),
        ("c", "gcc", &["-CC", "-P"]),
        ("c", "gcc", &["-traditional-cpp"]),
        ("c++", "g++", &["-P", "-dD"]),
        ("c", "clang", &["-P"]),
        ("c", "clang", &["-dD"]),
        ("c", "clang", &["-C"]),
        ("c++", "clang++", &["-traditional-cpp", "-P"]),
        ("c", "tcc", &[]),
        ("c", "tcc", &["-P"]),
        ("fortran", "gfortran", &["-P"]),
        ("fortran", "flang-new-16", &["-P"]),
    ] {
        let ran = ask(language, command, args);
        for id in ALL {
            let expected = match id {
                "HEADER" if language == "fortran" => continue,
                "ONE" | "EMPTY" | "HEADER" => "yes",
                _ => "no",
            };
            assert_eq!(ran.answer(id), expected, "{command} {args:?} {id}: {ran:?}");
        }
        assert_eq!(ran.result("ONE")["value"], "(1 + 1)", "{command} {args:?}: {ran:?}");
        assert_eq!(ran.result("EMPTY")["value"], "", "{command} {args:?}: {ran:?}");
    }
}

/// The sentinels are at the end of the output, which is kept.
#[test]
fn a_long_output_is_recognized_as_preprocessed() {
    let long = "int filler;\n".repeat(300_000);
    for command in ["gcc", "clang"] {
        let ran = check_with(
            "c",
            &[&need(command)],
            json!([
                {"id": "YES", "kind": "define", "name": "TESTED",
                 "prefix": format!("{long}#define TESTED 1\n")},
                {"id": "NO", "kind": "define", "name": "TESTED", "prefix": long},
                {"id": "THERE", "kind": "header", "header": "stdio.h", "stage": "preprocess",
                 "prefix": long},
            ]),
        );
        assert_eq!(ran.result("YES")["value"], "1", "{command}");
        assert_eq!(ran.answer("NO"), "no", "{command}");
        assert_eq!(ran.answer("THERE"), "yes", "{command}");
    }
}
