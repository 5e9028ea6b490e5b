//! Arguments that the compiler rejects even for an empty program: checks with them are errors
//! instead of noes. Without such arguments, nothing more runs.

use crate::support::*;
use serde_json::{Value, json};

fn processes(ran: &Ran) -> u64 {
    ran.json()["summary"]["processes"].as_u64().unwrap()
}

/// Runs checks with gcc, from the command line.
fn gcc(args: &[&str]) -> Ran {
    need("gcc");
    Call::new(["check", "--compiler", "gcc"].iter().chain(args)).run()
}

const KINDS: [&str; 10] = [
    "--header=stdio.h",
    "--header-presence=P=stdio.h",
    "--function=fork",
    "--symbol=EOF@stdio.h",
    "--library=m",
    "--type=int",
    "--sizeof=int",
    "--compute-int=N=1",
    "--define=__GNUC__",
    "--endian",
];

#[test]
fn a_rejected_command_line_argument_is_reported_once() {
    for apart in [&[][..], &["--no-fuse", "-j1"]] {
        let ran = gcc(&[&KINDS[..], &["--arg=-O1", "--arg=-std=c42"], apart].concat());
        assert_eq!(ran.code(), 3, "{ran:?}");
        let results = ran.json()["results"].as_array().unwrap().clone();
        for result in &results {
            assert_eq!(result["status"], "error", "{result}");
            let reason = result["reason"].as_str().unwrap();
            assert!(reason.contains("unrecognized command-line option '-std=c42'"), "{reason}");
            assert!(reason.ends_with("; correct --arg -std=c42"), "{reason}");
        }
        assert_eq!(results.len(), KINDS.len());
        assert_eq!(ran.stderr.matches("an empty program").count(), 1, "{}", ran.stderr);
    }
}

#[test]
fn rejected_arguments_of_a_check_are_located() {
    let source = "int x;\n";
    let ran = check_with(
        "c",
        &[&need("gcc")],
        json!([
            {"id": "BAD", "kind": "sizeof", "type": "int", "include_dirs": ["src"],
             "args": ["-O1", "-std=c42"]},
            {"id": "LINK", "kind": "function", "function": "fork", "link_args": ["-Wl,--no-such"]},
            {"id": "WERROR", "kind": "header", "header": "stdio.h",
             "args": ["-Werror", "-Wmissing-include-dirs", "-I/no/such"]},
            {"id": "GOOD", "kind": "header", "header": "stdio.h", "args": ["-O1"]},
            {"id": "NO", "kind": "header", "header": "no/such.h", "args": ["-O1"]},
            {"id": "NEEDS", "kind": "endian", "needs": ["BAD"]},
            {"id": "SOURCE", "kind": "compiles", "source": source, "args": ["-std=c42"]},
        ]),
    );
    for (id, place) in [
        ("BAD", "checks[0].args[1]"),
        ("LINK", "checks[1].link_args[0]"),
        ("WERROR", "checks[2].args"),
    ] {
        let result = ran.result(id);
        assert_eq!(result["status"], "error", "{result}");
        assert!(
            result["reason"].as_str().unwrap().contains(&format!("correct {place}")),
            "{result}"
        );
    }
    assert_eq!((ran.answer("GOOD"), ran.answer("NO")), ("yes".into(), "no".into()));
    assert_eq!(ran.answer("NEEDS"), "skipped");
    // A source with bad arguments is a no, but its reason mentions the arguments.
    let source = ran.result("SOURCE");
    assert_eq!(source["status"], "no", "{source}");
    assert!(source["reason"].as_str().unwrap().contains("does not know one of the arguments"));
}

#[test]
fn the_tested_flag_is_not_an_argument() {
    let flags = gcc(&["--compiler-flag=-std=c42", "--linker-flag=-Wl,--no-such", "--arg=-O1"]);
    assert_eq!(flags.code(), 0, "{flags:?}");
    assert_eq!(flags.answer("HAVE_CFLAG_STD_C42"), "no");
    assert_eq!(flags.answer("HAVE_LDFLAG_WL_NO_SUCH"), "no");
    // A missing library is a no, because that is what the check tests.
    for libraries in [&["--link-arg=-lno_such"][..], &["--link-arg=-l", "--link-arg=no_such"]] {
        let ran = gcc(&[&["--function=fork", "--arg=-O1"], libraries].concat());
        assert_eq!((ran.code(), ran.answer("HAVE_FORK").as_str()), (0, "no"), "{ran:?}");
    }
}

/// The number of commands of a batch without sharing.
fn commands(checks: Value) -> u64 {
    let ran =
        check_apart(&json!({"toolchains": {"c": {"command": [need("gcc")]}}, "checks": checks}));
    assert_eq!(ran.code(), 0, "{ran:?}");
    processes(&ran)
}

#[test]
fn without_problems_nothing_more_runs() {
    let header = |id: &str, name: &str, args: Value| json!({"id": id, "kind": "header", "header": name, "args": args});
    // One toolchain probe, and one command for each check.
    let with_a_yes = json!([
        header("NO", "no/such.h", json!(["-O1"])),
        header("YES", "stdio.h", json!(["-O1"])),
        header("NO2", "no/such2.h", json!(["-O1"])),
    ]);
    assert_eq!(commands(with_a_yes), 1 + 3);
    let harmless = json!([header("NO", "no/such.h", json!(["-DX=1", "-I/no/such", "-UY"]))]);
    assert_eq!(commands(harmless), 1 + 1);
    // One argument trial for all checks with these arguments.
    let all_no = json!([
        header("A", "no/such.h", json!(["-O1"])),
        header("B", "no/such2.h", json!(["-O1"])),
        header("C", "no/such3.h", json!(["-O1"])),
    ]);
    assert_eq!(commands(all_no), 1 + 3 + 1);
}
