//! The variables of a CMake script: only one check sets each of them.

use crate::support::*;
use serde_json::{Value, json};

/// A check of a kind that sets several variables, or of a kind that sets one.
fn check_of(kind: &str, id: &str) -> Value {
    match kind {
        "sizeof" => json!({"id": id, "kind": kind, "type": "char"}),
        "runs" => json!({"id": id, "kind": kind, "source": "int main(void) { return 0; }"}),
        "header" => json!({"id": id, "kind": kind, "header": "stdio.h"}),
        other => panic!("{other}"),
    }
}

fn run(format: &str, first: (&str, &str), second: (&str, &str)) -> Ran {
    let checks = json!([check_of(first.0, first.1), check_of(second.0, second.1)]);
    let request = json!({"toolchains": {"c": {"command": [need("gcc")]}}, "checks": checks});
    Call::new(["check", "-", "--format", format]).run_with(request.to_string().as_bytes())
}

#[test]
fn two_checks_that_would_set_one_variable_are_refused() {
    for (first, second, variable) in [
        (("header", "HAVE_S"), ("sizeof", "S"), "HAVE_S"),
        (("sizeof", "S"), ("header", "S_CODE"), "S_CODE"),
        (("runs", "A"), ("header", "A_COMPILED"), "A_COMPILED"),
        (("sizeof", "A_EXITCODE"), ("runs", "A"), "A_EXITCODE"),
        (("runs", "HAVE_S"), ("sizeof", "S"), "HAVE_S"),
        (("sizeof", "S"), ("sizeof", "HAVE_S"), "HAVE_S"),
        // Neither is the other's id.
        (("sizeof", "A_COMPILED"), ("runs", "HAVE_A"), "HAVE_A_COMPILED"),
    ] {
        for (first, second) in [(first, second), (second, first)] {
            let ran = run("cmake", first, second);
            assert_eq!(ran.code(), 2, "{first:?} {second:?}: {ran:?}");
            assert!(ran.stdout.starts_with("message(FATAL_ERROR "), "{ran:?}");
            for named in [first.1, second.1, variable, "checks[1].id"] {
                assert!(ran.stderr.contains(named), "{named} is not in {ran:?}");
            }
            // Other formats use only the id, so there is no conflict.
            for format in ["json", "ndjson", "keyval", "header"] {
                assert_eq!(run(format, first, second).code(), 0, "{format}");
            }
        }
    }
}

#[test]
fn checks_with_merely_similar_variables_are_not_refused() {
    for (first, second) in [
        (("header", "HAVE_S"), ("runs", "S")),
        (("header", "A_COMPILED"), ("sizeof", "A")),
        (("header", "A_CODE"), ("runs", "A")),
        (("header", "have_S"), ("sizeof", "S")),
        (("sizeof", "S"), ("sizeof", "T")),
    ] {
        let ran = run("cmake", first, second);
        assert_eq!(ran.code(), 0, "{first:?} {second:?}: {ran:?}");
    }
}

#[test]
fn a_duplicate_id_is_reported_as_such() {
    let ran = run("cmake", ("sizeof", "S"), ("runs", "S"));
    assert_eq!(ran.code(), 2);
    assert!(ran.stderr.contains("checks[0] already has the id"), "{ran:?}");
}
