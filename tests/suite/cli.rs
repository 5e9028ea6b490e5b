//! The command line: help, an option for every kind, files combined with options, exit statuses.

use std::path::Path;
use std::process::Command;

use crate::support::*;
use serde_json::{Value, json};

const OPTIONS: [&str; 38] = [
    "--jobs",
    "--timeout",
    "--format",
    "--output",
    "--no-fuse",
    "--trace",
    "--verify",
    "--language",
    "--toolchain",
    "--include",
    "--prefix",
    "--arg",
    "--link-arg",
    "--include-dir",
    "--fail-pattern",
    "--required",
    "--compiler",
    "--emulator",
    "--header",
    "--header-presence",
    "--function",
    "--symbol",
    "--library",
    "--type",
    "--member",
    "--sizeof",
    "--alignment",
    "--compute-int",
    "--define",
    "--prototype",
    "--compiler-flag",
    "--linker-flag",
    "--endian",
    "--preprocesses",
    "--compiles",
    "--links",
    "--runs",
    "--help",
];

/// The output of a call without errors or warnings.
fn printed(args: &[&str]) -> String {
    let ran = Call::new(args).run();
    assert_eq!((ran.code(), ran.stderr.as_str()), (0, ""), "{args:?}: {ran:?}");
    ran.stdout
}

fn assert_has_options(text: &str, what: &str) {
    for option in OPTIONS {
        let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-');
        let found = text.match_indices(option).any(|(at, _)| ends(&text[at + option.len()..]));
        assert!(found, "{what} lacks {option}:\n{text}");
    }
}

#[test]
fn help_lists_every_option_and_the_exit_statuses() {
    let (whole, check) = (printed(&["--help"]), printed(&["check", "--help"]));
    assert_eq!(whole, printed(&["help"]));
    assert_eq!(check, printed(&["help", "check"]));
    assert_has_options(&check, "check --help");
    for text in [&whole, &check] {
        for status in ["  0  ", "  1  ", "  2  ", "  3  ", "  128+N  "] {
            assert!(text.contains(status), "{status:?} is missing:\n{text}");
        }
    }
    for command in ["check", "cmake", "modules", "schema", "completions", "man"] {
        assert!(whole.contains(&format!("\n  {command} ")), "{command} is missing:\n{whole}");
    }
}

#[test]
fn version_is_that_of_the_package() {
    let version = format!("tryall {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(printed(&["--version"]), version);
    assert_eq!(printed(&["-V"]), version);
}

#[test]
fn completions_contain_the_options() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh"] {
        assert_has_options(&printed(&["completions", shell]), shell);
    }
    // Fish completions list options without dashes.
    assert!(printed(&["completions", "fish"]).contains("-l sizeof"));
    let script = write(dir.path(), "script", &printed(&["completions", "bash"]));
    let checked = Command::new(need("bash")).arg("-n").arg(script).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
}

#[test]
fn the_manual_renders_without_warnings_and_has_every_option() {
    let dir = tempfile::tempdir().unwrap();
    let page = write(dir.path(), "tryall.1", &printed(&["man"]));
    let rendered = Command::new(need("groff"))
        .args(["-man", "-Tascii", "-ww", "-P-c"])
        .arg(page)
        .output()
        .unwrap();
    assert!(rendered.status.success() && rendered.stderr.is_empty(), "{rendered:?}");
    // Without the overstrikes for bold text.
    let text = String::from_utf8(rendered.stdout).unwrap();
    let mut plain = String::new();
    for c in text.chars() {
        if c == '\u{8}' {
            let _ = plain.pop();
        } else {
            plain.push(c);
        }
    }
    assert_has_options(&plain, "the manual");
    assert!(plain.contains("128+N"), "{plain}");
    let headings: Vec<_> =
        plain.lines().filter(|line| line.starts_with(char::is_alphabetic)).collect();
    for heading in ["COMMANDS", "EXAMPLES", "EXIT STATUS", "TRYALL CHECK", "TRYALL CMAKE"] {
        assert!(headings.contains(&heading), "{heading}: {headings:?}");
    }
    assert!(!plain.contains("EXTRA") && !plain.contains("bench-worker"), "{plain}");
    // There is a single page, which refers to no other.
    let pages = plain.match_indices("(1)").map(|(at, _)| plain[..at].rsplit(' ').next().unwrap());
    assert!(pages.clone().count() > 0);
    for page in pages {
        assert_eq!(page.trim(), "tryall");
    }
}

/// Runs checks from the command line with gcc in a directory.
fn gcc(dir: &Path, args: &[&str]) -> Ran {
    need("gcc");
    Call::new(["check", "--compiler", "gcc"].iter().chain(args)).dir(dir).run()
}

/// Each option runs its own kind: the answer, and a source that only that kind accepts.
#[test]
fn every_option_of_a_check_has_its_kind_and_name() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        "program.c",
        "#include <stdio.h>\nint main(void) { puts(\"hi\"); return 0; }\n",
    );
    write(dir.path(), "links-not.c", "int gone(void);\nint main(void) { return gone(); }\n");
    write(dir.path(), "broken.c", "#error no\n");
    let order = if cfg!(target_endian = "little") { "little" } else { "big" };
    let rows: Vec<(&str, &str, &str, &str, Value, &str)> = vec![
        ("--header", "sys/stat.h", "HAVE_SYS_STAT_H", "yes", Value::Null, "#include <sys/stat.h>"),
        ("--header", "no/such.h", "HAVE_NO_SUCH_H", "no", Value::Null, "#include <no/such.h>"),
        ("--header-presence", "P=stdio.h", "P", "yes", Value::Null, "__has_include(<stdio.h>)"),
        ("--function", "fork", "HAVE_FORK", "yes", Value::Null, "char fork(void);"),
        ("--function", "no_such_f", "HAVE_NO_SUCH_F", "no", Value::Null, "char no_such_f(void);"),
        ("--symbol", "EOF@stdio.h", "HAVE_EOF", "yes", Value::Null, "#include <stdio.h>\n"),
        ("--symbol", "S=EOF@stddef.h", "S", "no", Value::Null, "#include <stddef.h>\n"),
        ("--library", "m:cos", "HAVE_LIBM", "yes", Value::Null, "-lm"),
        ("--library", "no_such", "HAVE_LIBNO_SUCH", "no", Value::Null, "-lno_such"),
        ("--type", "size_t@stddef.h", "HAVE_SIZE_T", "yes", Value::Null, "(void)sizeof(size_t)"),
        ("--type", "no_t", "HAVE_NO_T", "no", Value::Null, "(void)sizeof(no_t)"),
        (
            "--member",
            "struct tm.tm_sec@time.h",
            "HAVE_STRUCT_TM_TM_SEC",
            "yes",
            Value::Null,
            "->tm_sec",
        ),
        ("--member", "M=struct tm.no@time.h", "M", "no", Value::Null, "->no"),
        ("--sizeof", "char[3]", "SIZEOF_CHAR_3_", "yes", json!(3), "(sizeof(char[3]))"),
        ("--alignment", "char", "ALIGNOF_CHAR", "yes", json!(1), "offsetof"),
        ("--compute-int", "N=-3", "N", "yes", json!(-3), "(-3)"),
        ("--define", "X", "VALUE_X", "yes", json!("1 + 2"), "#ifdef X"),
        ("--define", "NO", "VALUE_NO", "no", Value::Null, "#ifdef NO"),
        (
            "--prototype",
            "int abs(int)@stdlib.h",
            "HAVE_PROTOTYPE_ABS",
            "yes",
            Value::Null,
            "int (abs)(int);",
        ),
        ("--prototype", "Q=long abs(int)@stdlib.h", "Q", "no", Value::Null, "long (abs)(int);"),
        ("--compiler-flag", "-Wall", "HAVE_CFLAG_WALL", "yes", Value::Null, "-Wall"),
        ("--compiler-flag", "-fno-such", "HAVE_CFLAG_FNO_SUCH", "no", Value::Null, "-fno-such"),
        ("--linker-flag", "-Wl,-z,now", "HAVE_LDFLAG_WL_Z_NOW", "yes", Value::Null, "-Wl,-z,now"),
        (
            "--linker-flag",
            "-Wl,--no-such",
            "HAVE_LDFLAG_WL_NO_SUCH",
            "no",
            Value::Null,
            "-Wl,--no-such",
        ),
        ("--endian", "ORDER", "ORDER", "yes", json!(order), "tryall_big"),
        ("--preprocesses", "links-not.c", "HAVE_LINKS_NOT", "yes", Value::Null, "-E"),
        ("--preprocesses", "A=broken.c", "A", "no", Value::Null, "-E"),
        ("--compiles", "B=links-not.c", "B", "yes", Value::Null, "-c"),
        ("--links", "C=links-not.c", "C", "no", Value::Null, "conftest.exe"),
        ("--links", "D=program.c", "D", "yes", Value::Null, "conftest.exe"),
        (
            "--runs",
            "program.c",
            "HAVE_PROGRAM",
            "yes",
            json!({"exit_status": 0, "stdout": "hi\n"}),
            "conftest.exe",
        ),
    ];
    let args = rows.iter().flat_map(|row| [row.0, row.1]);
    let ran = gcc(dir.path(), &args.chain(["--arg=-DX=1 + 2"]).collect::<Vec<_>>());
    assert_eq!((ran.code(), ran.stderr.as_str()), (0, ""), "{ran:?}");
    let results = ran.json()["results"].as_array().unwrap().clone();
    assert_eq!(results.len(), rows.len());
    for (result, (option, text, id, status, value, needle)) in std::iter::zip(results, rows) {
        let what = format!("{option} {text}: {result}");
        assert_eq!((&result["id"], &result["status"]), (&json!(id), &json!(status)), "{what}");
        assert_eq!(result["value"], value, "{what}");
        let in_source = result["source"].as_str().is_some_and(|source| source.contains(needle));
        let command = result["command"].as_array().unwrap();
        assert!(in_source || command.contains(&json!(needle)), "{needle}: {what}");
    }
}

#[test]
fn shared_options_reach_every_check_of_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "own.h", "typedef char own_t[OWN];\n");
    let ran = gcc(
        dir.path(),
        &[
            "--sizeof=own_t",
            "--sizeof=A=next_t",
            "--function=B=cos",
            "--include=own.h",
            "--include-dir=.",
            "--arg=-DOWN=5",
            "--prefix=typedef char next_t[sizeof(own_t) + 1];",
            "--link-arg=-lm",
        ],
    );
    assert_eq!(ran.code(), 0, "{ran:?}");
    assert_eq!(
        (&ran.result("SIZEOF_OWN_T")["value"], &ran.result("A")["value"]),
        (&json!(5), &json!(6))
    );
    assert_eq!(ran.result("B")["command"].as_array().unwrap().last(), Some(&json!("-lm")));
    let warned =
        gcc(dir.path(), &["--type=int", "--prefix=#warning heed me", "--fail-pattern=he+d me"]);
    assert_eq!(warned.answer("HAVE_INT"), "no");
}

#[test]
fn checks_of_the_file_precede_those_of_the_options() {
    let dir = tempfile::tempdir().unwrap();
    let request = json!({"checks": [
        {"id": "Z", "kind": "sizeof", "type": "char"},
        {"id": "Y", "kind": "endian"},
    ]});
    write(dir.path(), "batch.json", &request.to_string());
    let ids = |ran: &Ran| {
        let results = ran.json()["results"].as_array().unwrap().clone();
        results.iter().map(|result| result["id"].as_str().unwrap().into()).collect::<Vec<String>>()
    };
    let both = gcc(dir.path(), &["--sizeof=B=int", "batch.json", "--endian=A"]);
    assert_eq!(ids(&both), ["Z", "Y", "B", "A"]);
    let stdin = Call::new(["check", "-", "--endian=A"]).run_with(request.to_string().as_bytes());
    assert_eq!(ids(&stdin), ["Z", "Y", "A"]);
    let taken = gcc(dir.path(), &["batch.json", "--endian=Y"]);
    let complaint = taken.refusal();
    assert_eq!(complaint["path"], "--endian Y");
    assert!(
        complaint["message"].as_str().unwrap().contains("checks[1] already has the id"),
        "{complaint}"
    );
}

#[test]
fn a_request_on_standard_input_needs_no_arguments() {
    let request = json!({"checks": [{"id": "A", "kind": "sizeof", "type": "char[7]"}]}).to_string();
    let results: Vec<_> = [&[][..], &["check"], &["check", "-"]]
        .iter()
        .map(|args| Call::new(args.iter()).run_with(request.as_bytes()))
        .map(|ran| (ran.code(), ran.result("A")["value"].clone()))
        .collect();
    assert_eq!(results, vec![(0, json!(7)); 3]);
}

#[test]
fn required_and_errors_decide_the_exit_status() {
    let dir = tempfile::tempdir().unwrap();
    for (args, status) in [
        (&["--sizeof=char"][..], 0),
        (&["--sizeof=no_t"], 0),
        (&["--sizeof=char", "--required"], 0),
        (&["--sizeof=char", "--sizeof=no_t", "--required"], 1),
        (&["--sizeof=char", "--timeout=0.000001"], 3),
        (&["--sizeof=no_t", "--endian", "--required", "--timeout=0.000001"], 3),
        (&["--sizeof=no_t", "--required", "--nonsense"], 2),
    ] {
        let ran = gcc(dir.path(), args);
        assert_eq!(ran.code(), status, "{args:?}: {ran:?}");
    }
    // An error takes precedence over a required no, in any order.
    let mut checks = vec![
        json!({"id": "NO", "kind": "compiles", "source": "REJECT", "required": true}),
        json!({"id": "ERROR", "kind": "compiles", "source": "x", "args": ["--fake-crash"]}),
    ];
    assert_eq!(fake(json!(checks)).code(), 3);
    checks.reverse();
    assert_eq!(fake(json!(checks)).code(), 3);
    checks[0] = json!({"id": "SKIPPED", "kind": "endian", "needs": ["NO"]});
    assert_eq!(fake(json!(checks)).code(), 1);
    checks[1]["required"] = json!(false);
    assert_eq!(fake(json!(checks)).code(), 0);
    checks[0]["required"] = json!(true);
    assert_eq!(fake(json!(checks)).code(), 1, "what is skipped is not yes");
}

#[test]
fn wrong_options_are_reported_on_standard_error_only() {
    for args in [
        &["check", "--sizof", "int"][..],
        &["check", "--jobs", "0", "--endian"],
        &["check", "--jobs", "many", "--endian"],
        &["check", "--timeout", "-1", "--endian"],
        &["check", "--timeout", "nan", "--endian"],
        &["check", "--format", "xml", "--endian"],
        &["check", "--language", "cobol", "--endian"],
        &["check", "a.json", "b.json"],
        &["chek"],
        &["schema", "neither"],
    ] {
        let ran = Call::new(args).run();
        assert_eq!((ran.code(), ran.stdout.as_str()), (2, ""), "{args:?}: {ran:?}");
        assert!(ran.stderr.starts_with("error: "), "{ran:?}");
    }
    for (args, path) in [
        (["check", "--compute-int", "1+1"], "--compute-int 1+1"),
        (["check", "--member", "struct stat"], "--member struct stat"),
        (["check", "--prototype", "int f"], "--prototype int f"),
        (["check", "--endian", "--compiler='"], "--compiler"),
        (["check", "--endian", "--emulator="], "--emulator"),
        (["check", "--endian", "--toolchain=none"], "--toolchain none"),
        (["check", "--endian", "--fail-pattern=("], "--fail-pattern ("),
        (["check", "--endian", "--include=<a.h>"], "--include <a.h>"),
        (["check", "--endian", "--arg=-O2 -g"], "--arg -O2 -g"),
        (["check", "--endian", "--trace=-"], "--trace -"),
    ] {
        assert_eq!(Call::new(args).run().refusal()["path"], path, "{args:?}");
    }
}
