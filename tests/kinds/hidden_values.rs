//! Integers that cannot be read from the object file are found by bisection.

use crate::support::*;
use serde_json::{Value, json};

/// Runs checks with arguments for every check.
fn ask(language: &str, command: &str, args: &[&str], expressions: &[&str]) -> Ran {
    let check = |expression: &&str| {
        json!({"id": expression, "kind": "compute_int", "expression": expression,
               "language": language, "args": args, "link_args": ["/not/there.o"]})
    };
    let checks: Vec<Value> = expressions.iter().map(check).collect();
    check_with(language, &[&need(command)], checks.into())
}

/// With link-time optimization the object file has no readable value, and the program does not
/// link.
#[test]
fn hidden_values_are_found_by_bisection() {
    for (language, command) in
        [("c", "gcc"), ("c++", "g++"), ("c", "clang"), ("fortran", "gfortran")]
    {
        let args = ["-flto", "-Wall", "-Wextra", "-Werror"];
        // Each takes dozens of compiles, so only one compiler runs all of them.
        let values: &[&str] = match command {
            "gcc" => &["0", "1", "2", "3", "41", "2147483647", "16777216"],
            _ => &["0", "41"],
        };
        let wide: &[&str] = match language {
            "fortran" => &["huge(1_8)", "5000000000_8"],
            _ => &["9223372036854775807", "5000000000", "sizeof(char[12345])"],
        };
        let ran = ask(language, command, &args, &[values, wide].concat());
        for &text in values {
            assert_eq!(ran.result(text)["value"].to_string(), text, "{command}: {ran:?}");
        }
        for (text, value) in std::iter::zip(wide, [i64::MAX, 5_000_000_000, 12345]) {
            let value = if text.starts_with('5') { 5_000_000_000 } else { value };
            assert_eq!(ran.result(text)["value"], value, "{command}: {ran:?}");
        }
        let ran = ask(language, command, &args, &["-3", "not_there"]);
        let reason = ran.result("-3")["reason"].to_string();
        assert!(reason.contains("negative"), "{command}: {ran:?}");
        assert_eq!(ran.answer("not_there"), "no", "{command}: {ran:?}");
    }
}

/// With arguments that end a compile early, every comparison compiles.
#[test]
fn a_compiler_that_rejects_everything_gives_no_value() {
    for (language, command) in [
        ("c", "gcc"),
        ("c++", "g++"),
        ("c", "clang"),
        ("c++", "clang++"),
        ("fortran", "gfortran"),
        ("fortran", "flang-new-16"),
    ] {
        // In Fortran, -M is a different option, and gfortran does not accept -E alone.
        let stops: &[&[&str]] = match command {
            "gfortran" => &[&["-cpp", "-E"]],
            "flang-new-16" => &[&["-E"]],
            _ => &[&["-E"], &["-M"]],
        };
        for stop in stops {
            let ran = ask(language, command, stop, &["42"]);
            let result = ran.result("42");
            assert_eq!(result["status"], "error", "{command} {stop:?}: {result}");
            let reason = result["reason"].as_str().unwrap();
            assert_eq!(
                reason, "the compiler accepts a contradiction; check its arguments",
                "{command} {stop:?}: {result}"
            );
        }
    }
}
