//! The format of plain CMake variables, as read by CMake.

#[path = "../support/read_back.rs"]
mod read_back;

use std::path::Path;

use crate::support::*;
use read_back::read_back;
use serde_json::{Value as Json, json};

const FORMAT: [&str; 2] = ["--format", "cmake-variables"];

fn request(checks: Json) -> String {
    let cc = fakecc();
    json!({
        "toolchains": {"c": {
            "compile": [cc, "{args}", "-c", "{source}", "-o", "{object}"],
            "link": [cc, "{object}", "{link_args}", "-o", "{program}"],
        }},
        "checks": checks,
    })
    .to_string()
}

fn run(checks: Json) -> Ran {
    Call::new(["check", "-"]).args(&FORMAT).run_with(request(checks).as_bytes())
}

#[test]
fn each_variable_has_its_field_of_the_result() {
    let ran = run(json!([
        {"id": "YES", "kind": "runs", "source": "x",
         "args": ["--fake-say=compiled", "--fake-noise"],
         "link_args": ["--fake-program=echo out; echo err >&2"]},
        {"id": "STATUS", "kind": "runs", "source": "x", "link_args": ["--fake-program=exit 3"]},
        {"id": "SIGNAL", "kind": "runs", "source": "x", "link_args": ["--fake-program=kill -SEGV $$"]},
        {"id": "NOT_LINKED", "kind": "runs", "source": "x", "link_args": ["--fake-nolink"]},
        {"id": "NOT_COMPILED", "kind": "runs", "source": "REJECT"},
        {"id": "OBJECT", "kind": "compiles", "source": "x"},
        {"id": "ERROR", "kind": "links", "source": "x", "link_args": ["--fake-signal=9"]},
        {"id": "SKIPPED", "kind": "compiles", "source": "x", "needs": ["ERROR"]},
        {"id": "LONG", "kind": "compiles", "source": "x", "args": ["--fake-flood=200000"]},
    ]));
    assert_eq!(ran.code(), 3, "{ran:?}");
    let cc = fakecc();
    let linked = format!("{cc} conftest.o -o conftest.exe");
    let noise =
        "compiled\ncaf\u{fffd} \u{fffd}\u{fffd} \u{1b}[1;31mred\u{1b}[0m\u{7} \u{fffd} end\n";
    let expected = [
        ("YES_STATUS", "yes"),
        ("YES_REASON", ""),
        ("YES_EXIT_CODE", "0"),
        ("YES_RUN_EXIT_CODE", "0"),
        ("YES_RUN_SIGNAL", ""),
        ("YES_STDOUT", "out\n"),
        ("YES_STDERR", "err\n"),
        ("YES_COMPILE_OUTPUT", noise),
        ("YES_COMPILE_EXIT_CODE", "0"),
        ("YES_LINK_OUTPUT", ""),
        ("YES_LINK_EXIT_CODE", "0"),
        ("YES_OUTPUT_TRUNCATED", ""),
        ("STATUS_STATUS", "no"),
        ("STATUS_EXIT_CODE", "3"),
        ("STATUS_RUN_EXIT_CODE", "3"),
        ("SIGNAL_STATUS", "no"),
        ("SIGNAL_REASON", "the program was ended by SIGSEGV"),
        ("SIGNAL_EXIT_CODE", ""),
        ("SIGNAL_RUN_EXIT_CODE", ""),
        ("SIGNAL_RUN_SIGNAL", "11"),
        ("SIGNAL_LINK_EXIT_CODE", "0"),
        ("NOT_LINKED_STATUS", "no"),
        ("NOT_LINKED_COMPILE_EXIT_CODE", "0"),
        ("NOT_LINKED_LINK_EXIT_CODE", "1"),
        ("NOT_LINKED_LINK_OUTPUT", "ld: error: cannot find crt1.o\n"),
        ("NOT_LINKED_RUN_EXIT_CODE", ""),
        ("NOT_COMPILED_COMPILE_EXIT_CODE", "1"),
        ("NOT_COMPILED_LINK_COMMAND", ""),
        ("OBJECT_STATUS", "yes"),
        ("OBJECT_LINK_COMMAND", ""),
        ("ERROR_STATUS", "error"),
        ("ERROR_COMPILE_EXIT_CODE", "0"),
        ("ERROR_LINK_EXIT_CODE", ""),
        ("SKIPPED_STATUS", "skipped"),
        ("SKIPPED_REASON", "needs ERROR, which is error"),
        ("SKIPPED_DURATION_MS", ""),
        ("LONG_OUTPUT_TRUNCATED", "1"),
        // Nothing else runs, because explicit commands need no probe.
        ("TRYALL_PROCESSES", "16"),
        ("OBJECT_COMPILE_COMMAND", &format!("{cc} -c conftest.c -o conftest.o")),
        ("NOT_LINKED_LINK_COMMAND", &linked.replace(" -o", " --fake-nolink -o")),
    ];
    let numbers = ["YES_DURATION_MS", "TRYALL_WALL_MS", "TRYALL_CPU_MS"];
    let names: Vec<_> =
        expected.iter().map(|(name, _)| *name).chain(numbers).map(String::from).collect();
    let read = read_back(Path::new("/usr/bin/cmake"), &ran.stdout, &names);
    let read: Vec<_> = read.into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect();
    for ((name, value), read) in expected.iter().zip(&read) {
        assert_eq!(value, read, "{name}");
    }
    for number in &read[expected.len()..] {
        assert!(number.parse::<f64>().unwrap() > 0.0, "{number}");
    }
}

#[test]
fn kinds_with_a_value_have_it_in_a_variable() {
    let ran = Call::new(["check", "--compiler", &need("gcc"), "--sizeof=A=char", "--endian=B"])
        .args(&FORMAT)
        .run();
    let names = ["A_VALUE".into(), "B_VALUE".into(), "A_COMPILE_COMMAND".into()];
    let read = read_back(Path::new("/usr/bin/cmake"), &ran.stdout, &names);
    assert_eq!(read, [&b"1"[..], b"little", b""]);
}

#[test]
fn ids_that_are_not_identifiers_are_refused() {
    for id in ["A-B", "1A", "A.B", "A/B", "é", "A$", "A B"] {
        let ran = run(json!([{"id": id, "kind": "compiles", "source": "x"}]));
        assert_eq!(ran.code(), 2, "{id}");
        assert!(ran.stdout.starts_with("message(FATAL_ERROR "), "{ran:?}");
        assert!(
            ran.stderr.contains("checks[0].id") && ran.stderr.contains("identifier"),
            "{ran:?}"
        );
    }
}

#[test]
fn ids_that_lead_to_the_same_variables_are_refused() {
    let pair = |first: &str, second: &str| {
        run(json!([
            {"id": first, "kind": "compiles", "source": "x"},
            {"id": second, "kind": "compiles", "source": "x"},
        ]))
    };
    for other in ["A_RUN", "A_COMPILE", "A_LINK"] {
        for (first, second) in [("A", other), (other, "A")] {
            let ran = pair(first, second);
            assert_eq!(ran.code(), 2, "{first} {second}");
            assert!(ran.stderr.contains("checks[1].id"), "{ran:?}");
        }
    }
    assert_eq!(pair("A", "A_STATUS").code(), 0);
    assert_eq!(pair("A", "B_RUN").code(), 0);
}

/// The names in the program match the list of possible conflicts: no variable of one id equals a
/// variable of a longer id, except with the refused infixes.
#[test]
fn no_other_ids_lead_to_the_same_variables() {
    let ran = run(json!([{"id": "A", "kind": "runs", "source": "x",
        "args": ["--fake-say=x"], "link_args": ["--fake-say=x", "--fake-program=echo o; echo e >&2"]}]));
    let gcc = need("gcc");
    let sized = Call::new(["check", "--compiler", &gcc, "--sizeof=A=int"]).args(&FORMAT).run();
    let text = ran.stdout + &sized.stdout;
    let mut names: Vec<_> = text
        .lines()
        .filter_map(|line| Some(line.strip_prefix("set(A_")?.split_once(' ')?.0))
        .collect();
    // Optional variables.
    names.extend(["REASON", "RUN_SIGNAL", "OUTPUT_TRUNCATED"]);
    assert!(names.len() > 14, "{names:?}");
    for long in &names {
        for short in &names {
            if let Some(infix) = long.strip_suffix(short).filter(|infix| !infix.is_empty()) {
                assert!(["RUN_", "COMPILE_", "LINK_"].contains(&infix), "{long} {short}");
            }
        }
    }
}
