//! Toolchains with explicit commands: the compiler gets exactly these words, and the response has
//! every step.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::protocol::{assert_valid, schema};
use crate::support::*;
use serde_json::{Value, json};

/// The two commands of a compiler, with a placeholder for everything that a check can add.
fn toolchain(compiler: &str) -> Value {
    json!({
        "compile": [compiler, "{definitions}", "{args}", "-o", "{object}", "-c", "{source}"],
        "link": [compiler, "{object}", "-o", "{program}", "{link_args}"],
    })
}

fn run(compiler: &str, checks: Value) -> Ran {
    let ran = check(&json!({"toolchains": {"c": toolchain(compiler)}, "checks": checks}));
    assert_valid(&schema("response"), &ran.json(), "answers");
    ran
}

fn run_fake(checks: Value) -> Ran {
    run(&fakecc(), checks)
}

fn steps(ran: &Ran, id: &str) -> Vec<Value> {
    ran.result(id)["steps"].as_array().unwrap_or(&Vec::new()).clone()
}

/// The words of a result's first command, without the compiler.
fn compile_words(ran: &Ran, id: &str) -> Vec<String> {
    let command = &steps(ran, id)[0]["command"];
    let words = command.as_array().unwrap()[1..].iter();
    words.map(|word| word.as_str().unwrap().into()).collect()
}

/// The exit statuses of a result's steps.
fn statuses(ran: &Ran, id: &str) -> Vec<Value> {
    steps(ran, id).iter().map(|step| step["exit_code"].clone()).collect()
}

fn reason(ran: &Ran, id: &str) -> String {
    let result = ran.result(id);
    assert_eq!(result["status"], "error", "{result}");
    result["reason"].as_str().unwrap().into()
}

const MAIN: &str = "int main(void) { return 0; }\n";

#[test]
fn a_compile_flag_is_not_used_for_the_link() {
    let asan = "-fsanitize=address";
    let source = "int main(int argc, char **argv) { return argv[argc - 1][0] == 1; }\n";
    let ran = run(
        &need("gcc"),
        json!([
            {"id": "COMPILE", "kind": "links", "source": source, "args": [asan]},
            {"id": "BOTH", "kind": "links", "source": source, "args": [asan], "link_args": [asan]},
            {"id": "OBJECT", "kind": "compiles", "source": source, "args": [asan]},
        ]),
    );
    let compile = ran.result("COMPILE");
    assert_eq!(compile["status"], "no", "{compile}");
    assert!(compile["output"].as_str().unwrap().contains("__asan_"), "{compile}");
    assert_eq!(statuses(&ran, "COMPILE"), [0, 1]);
    assert_eq!((ran.answer("BOTH"), ran.answer("OBJECT")), ("yes".into(), "yes".into()));
}

#[test]
fn definitions_keep_their_order_and_spelling() {
    let source = "#if X != 2 || Y != '}'\n#error\n#endif\nint main(void) { return 0; }\n";
    let ran = run(
        &need("gcc"),
        json!([
            {"id": "LAST", "kind": "compiles", "source": source,
             "definitions": ["-DX=1", "-UX", "-DX=2"], "args": ["-DY='}'"]},
            {"id": "FIRST", "kind": "compiles", "source": source,
             "definitions": ["-DX=2", "-UX", "-DX=1"], "args": ["-DY='}'"]},
        ]),
    );
    assert_eq!((ran.answer("LAST"), ran.answer("FIRST")), ("yes".into(), "no".into()));
    assert_eq!(compile_words(&ran, "LAST")[..4], ["-DX=1", "-UX", "-DX=2", "-DY='}'"]);
}

#[test]
fn commands_contain_exactly_the_requested_words() {
    let cc = fakecc();
    let request = json!({
        "toolchains": {"c": {
            // In another toolchain all of these would become absolute paths.
            "compile": [cc, "-Isrc", "", "{x}", "-MF", "{object}.d", "{args}", "-c", "{source}", "-o", "{object}"],
            "link": [cc, "{link_args}", "-Lsrc", "Cargo.toml", "-Wl,-Map,{program}.map", "{object}", "-o", "{program}"],
        }},
        "checks": [{"id": "A", "kind": "links", "source": "x", "args": ["-Isrc", "{object}", "src/lib.rs"],
                    "link_args": ["-Lsrc", "{program}"]}],
    });
    assert_valid(&schema("request"), &request, "the request");
    let ran = check(&request);
    assert_eq!(ran.answer("A"), "yes", "{ran:?}");
    let compile = [
        &cc,
        "-Isrc",
        "",
        "{x}",
        "-MF",
        "conftest.o.d",
        "-Isrc",
        "{object}",
        "src/lib.rs",
        "-c",
        "conftest.c",
        "-o",
        "conftest.o",
    ];
    let link = [
        &cc,
        "-Lsrc",
        "{program}",
        "-Lsrc",
        "Cargo.toml",
        "-Wl,-Map,conftest.exe.map",
        "conftest.o",
        "-o",
        "conftest.exe",
    ];
    let steps = steps(&ran, "A");
    assert_eq!(steps.len(), 2);
    assert_eq!((&steps[0]["command"], &steps[1]["command"]), (&json!(compile), &json!(link)));
    assert_eq!(ran.result("A")["command"], json!(link), "the one that decided");
}

#[test]
fn include_directories_go_before_the_arguments() {
    let ran = run_fake(json!([
        {"id": "A", "kind": "compiles", "source": "x", "include_dirs": ["src"], "args": ["-O2"]},
    ]));
    let dir = format!("-I{}", root().join("src").display());
    assert_eq!(compile_words(&ran, "A")[..2], [dir.as_str(), "-O2"]);
}

#[test]
fn the_environment_is_inherited_from_the_caller() {
    let mut toolchain = toolchain(&fakecc());
    toolchain["env"] = json!({"OWN": "1"});
    let request = json!({"toolchains": {"c": toolchain}, "checks": [
        {"id": "A", "kind": "links", "source": "x", "args": ["--fake-environment"],
         "link_args": ["--fake-environment"]},
    ]});
    let mut call = Call::new(["check", "-"]);
    let temp = call.temp.path().to_path_buf();
    call.command.env_clear().env("PATH", "/usr/bin:/bin").env("TMPDIR", temp);
    let ran = call.env("LC_MESSAGES", "xx").run_with(request.to_string().as_bytes());
    for step in steps(&ran, "A") {
        let output = step["output"].as_str().unwrap();
        let is_own = |line: &&str| line.starts_with("TMPDIR=") || line.starts_with("PWD=");
        let (own, lines): (Vec<_>, Vec<_>) = output.lines().partition(is_own);
        assert_eq!(lines, ["LC_MESSAGES=xx", "OWN=1", "PATH=/usr/bin:/bin"]);
        assert_eq!(own.len(), 2);
    }
    assert_eq!(steps(&ran, "A").len(), 2, "{ran:?}");
}

#[test]
fn only_the_necessary_commands_run() {
    for (check, processes) in [
        (json!({"kind": "compiles", "source": "x"}), 1),
        (json!({"kind": "links", "source": "x"}), 2),
        (json!({"kind": "runs", "source": "x"}), 3),
        (json!({"kind": "links", "source": "REJECT"}), 1),
        (json!({"kind": "runs", "source": "x", "link_args": ["--fake-nolink"]}), 2),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let log = format!("--fake-log={}", dir.path().join("log").display());
        let mut check = check;
        check["id"] = json!("A");
        check["args"] = json!([log]);
        let link_args = check["link_args"].as_array().cloned().unwrap_or_default();
        check["link_args"] = json!([vec![json!(log)], link_args].concat());
        let ran = run_fake(json!([check]));
        assert_eq!(ran.json()["summary"]["processes"], processes, "{check}");
        assert_eq!(steps(&ran, "A").len(), processes, "{check}");
        let started = crate::processes::starts(&dir.path().join("log"));
        assert_eq!(started, processes.min(2), "{check}");
    }
}

#[test]
fn failures_of_either_command_are_errors() {
    let ran = run_fake(json!([
        {"id": "NO_OBJECT", "kind": "links", "source": "x", "args": ["--fake-lie"]},
        {"id": "NO_PROGRAM", "kind": "links", "source": "x", "link_args": ["--fake-lie"]},
        {"id": "COMPILE_KILLED", "kind": "links", "source": "x", "args": ["--fake-signal=9"]},
        {"id": "LINK_KILLED", "kind": "links", "source": "x", "link_args": ["--fake-signal=9"]},
        {"id": "CRASH", "kind": "links", "source": "x", "link_args": ["--fake-crash"]},
        {"id": "SILENT", "kind": "runs", "source": "x", "link_args": ["--fake-status=1"]},
        {"id": "SHELL", "kind": "links", "source": "x", "link_args": ["--fake-say=sh", "--fake-status=127"]},
        {"id": "HANGS", "kind": "links", "source": "x", "link_args": ["--fake-hang"], "timeout": 1.5},
        {"id": "REFUSED", "kind": "links", "source": "x", "link_args": ["--fake-nolink"]},
    ]));
    for (id, said, exit_codes) in [
        ("NO_OBJECT", "the compiler reported success but wrote no output file", json!([0])),
        ("NO_PROGRAM", "the linker reported success but wrote no output file", json!([0, 0])),
        ("COMPILE_KILLED", "the compiler was ended by SIGKILL", json!([null])),
        ("LINK_KILLED", "the linker was ended by SIGKILL", json!([0, null])),
        ("CRASH", "internal compiler error", json!([0, 4])),
        ("SILENT", "printed no reason", json!([0, 1])),
        ("SHELL", "127", json!([0, 127])),
        ("HANGS", "the linker did not end within 1.5 s", json!([0, null])),
    ] {
        let reason = reason(&ran, id);
        assert!(reason.contains(said), "{id}: {reason}");
        assert_eq!(json!(statuses(&ran, id)), exit_codes, "{id}");
        assert_eq!(ran.result(id)["value"], Value::Null, "{id}");
    }
    let refused = ran.result("REFUSED");
    assert_eq!((&refused["status"], &refused["exit_code"]), (&json!("no"), &json!(1)));
    assert_eq!(refused["output"], "ld: error: cannot find crt1.o\n");
}

#[test]
fn missing_programs_are_errors() {
    let compile = |program: &str| json!([program, "-c", "{source}", "-o", "{object}"]);
    let link = |program: &str| json!([program, "{object}", "-o", "{program}"]);
    let fake = fakecc();
    let ran = check(&json!({
        "toolchains": {
            "a": {"compile": compile("no-such-cc"), "link": link(&fake)},
            "b": {"compile": compile(&fake), "link": link("/no/such/ld")},
        },
        "checks": [
            {"id": "COMPILER", "kind": "links", "source": "x", "toolchain": "a"},
            {"id": "LINKER", "kind": "links", "source": "x", "toolchain": "b"},
            // The compiler alone decides about these.
            {"id": "UNUSED", "kind": "compiles", "source": "x", "toolchain": "b"},
            {"id": "REJECTED", "kind": "links", "source": "REJECT", "toolchain": "b"},
        ],
    }));
    assert!(reason(&ran, "COMPILER").contains("the compiler no-such-cc is not on PATH"));
    assert!(reason(&ran, "LINKER").contains("the linker /no/such/ld does not exist"));
    assert_eq!(statuses(&ran, "LINKER"), [0]);
    assert_eq!((ran.answer("UNUSED"), ran.answer("REJECTED")), ("yes".into(), "no".into()));
}

/// A check whose program is this shell script.
fn program(id: &str, script: &str) -> Value {
    json!({"id": id, "kind": "runs", "source": "x", "link_args": [format!("--fake-program={script}")]})
}

#[test]
fn a_crashed_program_is_distinguished_from_a_missing_one() {
    let ran = run_fake(json!([
        program("YES", "exit 0"),
        program("STATUS", "exit 3"),
        program("SEGV", "kill -SEGV $$"),
        program("KILL", "kill -KILL $$"),
        {"id": "NOT_LINKED", "kind": "runs", "source": "x", "link_args": ["--fake-nolink"]},
    ]));
    for (id, status, value) in [
        ("YES", "yes", json!({"exit_status": 0, "stdout": ""})),
        ("STATUS", "no", json!({"exit_status": 3, "stdout": ""})),
        ("SEGV", "no", json!({"exit_status": null, "stdout": "", "signal": 11})),
        // Another process removed it, but the program did exist.
        ("KILL", "error", json!({"exit_status": null, "stdout": "", "signal": 9})),
        ("NOT_LINKED", "no", Value::Null),
    ] {
        let result = ran.result(id);
        assert_eq!((&result["status"], &result["value"]), (&json!(status), &value), "{result}");
    }
    assert_eq!(json!(statuses(&ran, "SEGV")), json!([0, 0, null]));
    assert_eq!(statuses(&ran, "STATUS"), [0, 0, 3]);
    assert_eq!(statuses(&ran, "NOT_LINKED"), [0, 1]);
}

#[test]
fn merged_output_keeps_its_order() {
    let script = "echo one; echo two >&2; echo three";
    let mut merged = program("MERGED", script);
    merged["merge_output"] = json!(true);
    let checks = json!([merged, program("APART", script)]);
    for ran in [run_fake(checks.clone()), fake(in_args(checks))] {
        assert_eq!(ran.result("MERGED")["value"]["stdout"], "one\ntwo\nthree\n", "{ran:?}");
        assert_eq!(ran.result("MERGED")["output"], "");
        assert_eq!(ran.result("APART")["value"]["stdout"], "one\nthree\n");
        assert_eq!(ran.result("APART")["output"], "two\n");
    }
}

/// The same checks with a compiler that compiles and links with one command.
fn in_args(mut checks: Value) -> Value {
    for check in checks.as_array_mut().unwrap() {
        check["args"] = check["link_args"].take();
        check.as_object_mut().unwrap().remove("link_args");
    }
    checks
}

#[test]
fn merged_output_includes_the_emulator() {
    let dir = tempfile::tempdir().unwrap();
    let emulator =
        write(dir.path(), "emulate", "#!/bin/sh\necho 'emulate: bad program' >&2\nexit 1\n");
    fs::set_permissions(&emulator, fs::Permissions::from_mode(0o755)).unwrap();
    let mut toolchain = toolchain(&fakecc());
    toolchain["emulator"] = json!([emulator]);
    for merged in [false, true] {
        let mut check_of = program("A", "exit 0");
        check_of["merge_output"] = json!(merged);
        let ran = check(&json!({"toolchains": {"c": toolchain}, "checks": [check_of]}));
        assert!(reason(&ran, "A").contains("emulate: bad program"), "{ran:?}");
    }
}

#[test]
fn patterns_search_the_output_of_every_step() {
    let searched = |id: &str, pattern: &str| {
        let mut check = program(id, "echo out; echo err >&2");
        check["args"] = json!(["--fake-say=compiled"]);
        check["link_args"].as_array_mut().unwrap().push(json!("--fake-say=linked"));
        check["fail_patterns"] = json!([pattern]);
        check
    };
    let ran = run_fake(json!([
        searched("COMPILE", "^compiled\n$"),
        searched("LINK", "linked"),
        searched("OUT", "^out"),
        searched("ERR", "err"),
        searched("NONE", "nothing of it"),
    ]));
    for (id, status) in
        [("COMPILE", "no"), ("LINK", "no"), ("OUT", "no"), ("ERR", "no"), ("NONE", "yes")]
    {
        assert_eq!(ran.answer(id), status, "{id}");
    }
    assert_eq!(ran.result("NONE")["output"], "linked\nerr\n");
    assert_eq!(steps(&ran, "NONE")[0]["output"], "compiled\n");
}

#[test]
fn a_file_is_compiled_in_place() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "beside.h", MAIN);
    let file = write(dir.path(), "a.c", "#include \"beside.h\"\n");
    let request = json!({"toolchains": {"c": toolchain(&need("gcc"))},
                         "checks": [{"id": "A", "kind": "runs", "file": "a.c"}]});
    let batch = write(dir.path(), "batch.json", &request.to_string());
    let ran = Call::new(["check"]).arg(batch).run();
    assert_eq!(ran.answer("A"), "yes", "{ran:?}");
    let command = steps(&ran, "A")[0]["command"].clone();
    assert_eq!(command.as_array().unwrap().last().unwrap(), &json!(file));
    assert_eq!(ran.result("A")["source"], Value::Null);
}

#[test]
fn equal_checks_run_once_and_report_all_steps() {
    let with = |id: &str, definition: &str| json!({"id": id, "kind": "links", "source": MAIN, "definitions": [definition]});
    let ran = run_fake(json!([with("A", "-DX"), with("B", "-DX"), with("C", "-DY")]));
    // The object file of C is that of A. If A is linked first, that link is known.
    let processes = ran.json()["summary"]["processes"].as_u64().unwrap();
    assert!([3, 4].contains(&processes), "{ran:?}");
    assert_eq!(ran.result("B")["how"], "duplicate");
    assert_eq!(steps(&ran, "B"), steps(&ran, "A"));
    assert_eq!(steps(&ran, "C")[0]["command"][1], "-DY");
}

#[test]
fn other_toolchains_have_no_steps() {
    let ran = fake(json!([{"id": "A", "kind": "runs", "source": "x"}]));
    assert_eq!(ran.result("A").get("steps"), None);
    assert_eq!(ran.json()["summary"]["processes"], 4, "two of them try the toolchain");
}

#[test]
fn the_benchmark_refuses_explicit_commands() {
    let dir = tempfile::tempdir().unwrap();
    let request = json!({"toolchains": {"x": toolchain("gcc")}, "checks": [
        {"id": "A", "kind": "links", "source": MAIN, "toolchain": "x"}]});
    let suite = write(dir.path(), "suite.json", &request.to_string());
    let ran = Call::new(["bench", "gcc", "--suite"]).arg(suite).run();
    assert_eq!(ran.code(), 2, "{ran:?}");
    assert!(ran.stderr.contains("separate compile and link commands"), "{ran:?}");
}

#[test]
fn the_documented_commands_work() {
    let text = read("docs/protocol.md");
    let mut examples = text.split("```json request").filter(|block| block.contains("{source}"));
    let (json, _) = examples.next().unwrap().split_once("```").unwrap();
    let ran = check(&serde_json::from_str(json).unwrap());
    assert_eq!(ran.answer("HAVE_COS"), "yes", "{ran:?}");
    assert_eq!(statuses(&ran, "HAVE_COS"), [0, 0, 0]);
}
