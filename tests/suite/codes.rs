//! Error codes, which programs rely on: the real program produces each of them, and the
//! documentation lists them all.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::isolation::on_a_disk;
use crate::protocol::schema;
use crate::support::*;
use serde_json::{Value, json};

/// A way to produce a code.
struct Way {
    code: &'static str,
    /// The status of the result `A` with the code, or the exit status of a refusal.
    status: &'static str,
    run: fn() -> Ran,
}

const fn way(code: &'static str, status: &'static str, run: fn() -> Ran) -> Way {
    Way { code, status, run }
}

/// A compile by the fake compiler with this request.
fn obeys(request: &str) -> Ran {
    fake(json!([{"id": "A", "kind": "compiles", "source": "x", "args": [request]}]))
}

/// A compile by a compiler that fails with this message.
fn says(words: &str) -> Ran {
    let args = [&format!("--fake-say={words}"), "--fake-status=1"];
    fake(json!([{"id": "A", "kind": "compiles", "source": "x", "args": args}]))
}

/// A check by the fake compiler, with these fields.
fn asks(mut fields: Value) -> Ran {
    fields["id"] = json!("A");
    fake(json!([fields]))
}

fn compiler_is(command: &str) -> Ran {
    check(&json!({
        "toolchains": {"c": {"command": [command]}},
        "checks": [{"id": "A", "kind": "compiles", "source": "x"}],
    }))
}

fn executable(dir: &Path, name: &str, text: &str) -> String {
    let file = write(dir, name, text);
    fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    file.to_str().unwrap().into()
}

/// A program of the fake compiler, run by the emulator, if any.
fn program(script: &str, emulator: Option<&str>) -> Ran {
    let script = format!("--fake-program={script}");
    let emulator: Vec<_> = emulator.into_iter().collect();
    check(&json!({
        "toolchains": {"c": {"command": [fakecc()], "emulator": emulator}},
        "checks": [{"id": "A", "kind": "runs", "source": "x", "args": [script]}],
    }))
}

/// A check with gcc under a resource limit set by a shell.
fn limited_check(limit: &str) -> Ran {
    let request = json!({
        "toolchains": {"c": {"command": [need("gcc")]}},
        "checks": [{"id": "A", "kind": "compiles", "source": "int x;\n"}],
    });
    limited(limit, &request)
}

fn commands_in_full(link: &str) -> Ran {
    let compile = [&fakecc(), "-c", "{source}", "-o", "{object}"];
    check(&json!({
        "toolchains": {"c": {"compile": compile, "link": [link, "{object}", "-o", "{program}"]}},
        "checks": [{"id": "A", "kind": "links", "source": "x"}],
    }))
}

fn replaced_compiler() -> Ran {
    let dir = tempfile::tempdir().unwrap();
    let other = executable(dir.path(), "other", "#!/bin/sh\nexit 1\n");
    let script = format!(
        "#!/bin/sh\nif grep -q WORD conftest.c; then mv '{other}' \"$0\"; fi\nexec '{}' \"$@\"\n",
        fakecc()
    );
    let compiler = executable(dir.path(), "cc", &script);
    check(&json!({
        "toolchains": {"c": {"command": [compiler]}},
        "checks": [{"id": "A", "kind": "compiles", "source": "/* WORD */"}],
    }))
}

/// A compiler that accepts a source only the first time.
fn inconstant_compiler() -> Ran {
    let dir = tempfile::tempdir().unwrap();
    let seen = dir.path().join("seen");
    let script = format!(
        "#!/bin/sh\nif grep -q WORD conftest.c; then\n\
         if [ -e '{0}' ]; then echo 'error: not again'; exit 1; fi; touch '{0}'; fi\n\
         exec '{1}' \"$@\"\n",
        seen.display(),
        fakecc()
    );
    let compiler = executable(dir.path(), "cc", &script);
    let request = json!({"checks": [{"id": "A", "kind": "compiles", "source": "/* WORD */"}]});
    let call = Call::new(["check", "--verify", "--compiler", &compiler]);
    call.run_with(request.to_string().as_bytes())
}

fn open_to_all() -> Ran {
    let temp = tempfile::tempdir().unwrap();
    let place = temp.path().join("open");
    fs::create_dir(&place).unwrap();
    fs::set_permissions(&place, PermissionsExt::from_mode(0o777)).unwrap();
    let request = json!({
        "toolchains": {"c": {"command": [fakecc()]}},
        "checks": [{"id": "A", "kind": "compiles", "source": "x"}],
    });
    let (call, stdin) = Call::check(&request);
    call.env("TMPDIR", &place).run_with(&stdin)
}

fn hangs() -> Ran {
    // The other check gives the toolchain probe enough time.
    fake(json!([
        {"id": "A", "kind": "compiles", "source": "x", "args": ["--fake-hang"], "timeout": 1},
        {"id": "B", "kind": "compiles", "source": "y"},
    ]))
}

fn with_a_disk(options: &str, check: &Value) -> Ran {
    let request = json!({"toolchains": {"c": {"command": [fakecc()]}}, "checks": [check]});
    on_a_disk(options, &request)
}

static ERRORS: &[Way] = &[
    way("compiler_missing", "error", || compiler_is("no-such-compiler")),
    way("compiler_missing", "error", || compiler_is("/no/such/compiler")),
    way("compiler_missing", "error", || compiler_is("/")),
    way("compiler_not_started", "error", || compiler_is("/etc/passwd")),
    way("compiler_not_started", "error", || {
        let dir = tempfile::tempdir().unwrap();
        compiler_is(&executable(dir.path(), "cc", "#!/no/such/interpreter\n"))
    }),
    way("compiler_not_started", "error", || says("cc1: error while loading shared libraries: x")),
    way("compiler_not_started", "error", || obeys("--fake-status=127")),
    way("linker_missing", "error", || commands_in_full("no-such-linker")),
    way("linker_missing", "error", || says("gcc: fatal error: cannot execute 'as': execvp")),
    way("launcher_failed", "error", || says("ccache: error: no cache")),
    way("emulator_failed", "error", || program("exit 0", Some("no-such-emulator"))),
    way("emulator_failed", "error", || {
        let dir = tempfile::tempdir().unwrap();
        let script = "#!/bin/sh\necho 'emulate: bad program' >&2\nexit 1\n";
        program("exit 0", Some(&executable(dir.path(), "emulate", script)))
    }),
    way("compiler_crashed", "error", || obeys("--fake-crash")),
    way("compiler_crashed", "error", || obeys(&format!("--fake-signal={}", libc::SIGSEGV))),
    way("compiler_crashed", "error", || says("ld: internal error in x")),
    way("compiler_killed", "error", || obeys(&format!("--fake-signal={}", libc::SIGKILL))),
    way("compiler_killed", "error", || says("gcc: fatal error: Killed signal terminated program")),
    way("compiler_replaced", "error", replaced_compiler),
    way("compiler_replaced", "error", || says("gcc: cannot open cc1: Text file busy")),
    way("compiler_misbehaved", "error", || obeys("--fake-lie")),
    way("compiler_misbehaved", "error", || obeys("--fake-status=1")),
    way("compiler_misbehaved", "error", || asks(json!({"kind": "sizeof", "type": "int"}))),
    way("no_license", "error", || says("License checkout failed: no server")),
    way("toolchain_broken", "error", || {
        let args = ["--fake-say=cc: error: wrong argument", "--fake-status=1"];
        check(&json!({
            "toolchains": {"c": {"command": [fakecc()], "args": args}},
            "checks": [{"id": "A", "kind": "compiles", "source": "x"}],
        }))
    }),
    // The compiler's own failure takes precedence over the fact that the program was empty.
    way("compiler_crashed", "error", || {
        check(&json!({
            "toolchains": {"c": {"command": [fakecc()], "args": ["--fake-crash"]}},
            "checks": [{"id": "A", "kind": "compiles", "source": "x"}],
        }))
    }),
    way("arguments_refused", "error", || {
        Call::new(["check", "--compiler", &need("gcc"), "--endian=A", "--arg=-std=c42"]).run()
    }),
    way("timed_out", "error", hangs),
    way("program_not_started", "error", || {
        with_a_disk("noexec", &json!({"id": "A", "kind": "runs", "source": "x"}))
    }),
    way("program_killed", "error", || program("kill -KILL $$", None)),
    way("disk_full", "error", || {
        let check = json!({"id": "A", "kind": "compiles", "source": "x", "args": ["--fake-fill"]});
        with_a_disk("size=4m", &check)
    }),
    way("disk_full", "error", || {
        let check = json!({"id": "A", "kind": "compiles", "source": "x".repeat(3 << 20)});
        with_a_disk("size=2m", &check)
    }),
    way("disk_full", "error", || says("as: can't close x.o: Disk quota exceeded")),
    way("temp_unusable", "error", open_to_all),
    way("temp_unusable", "error", || says("clang: error: x: Read-only file system")),
    way("temp_unusable", "error", || {
        let script = "#!/bin/sh\nrm conftest.c\necho 'error: no'\nexit 1\n";
        let dir = tempfile::tempdir().unwrap();
        compiler_is(&executable(dir.path(), "cc", script))
    }),
    way("out_of_memory", "error", || says("cc1: out of memory allocating 64 bytes")),
    way("limit_reached", "error", || limited_check("-f 0")),
    way("limit_reached", "error", || obeys(&format!("--fake-signal={}", libc::SIGXCPU))),
    way("limit_reached", "error", || says("gcc: x: Too many open files")),
    way("output_too_long", "error", || {
        let args = ["--fake-flood=4000000"];
        asks(
            json!({"kind": "compiles", "source": "x", "args": args, "fail_patterns": ["no such text"]}),
        )
    }),
    way("value_unreadable", "error", || asks(json!({"kind": "endian"}))),
    way("product_not_copied", "error", || {
        asks(json!({"kind": "compiles", "source": "x", "product": "/no/such/directory/x.o"}))
    }),
    way("verification_failed", "error", inconstant_compiler),
];

static OTHERS: &[Way] = &[
    way("need_not_met", "skipped", || {
        fake(json!([
            {"id": "B", "kind": "compiles", "source": "REJECT"},
            {"id": "A", "kind": "compiles", "source": "x", "needs": ["B"]},
        ]))
    }),
    way("fail_pattern", "no", || {
        let args = ["--fake-say=bad"];
        asks(json!({"kind": "compiles", "source": "x", "args": args, "fail_patterns": ["bad"]}))
    }),
    way("unknown_flag", "no", || {
        asks(json!({"kind": "compiler_flag", "flags": ["--fake-say=warning: unknown option"]}))
    }),
    way("not_defined", "no", || {
        Call::new(["check", "--compiler", &need("gcc"), "--define=A=NO_SUCH_MACRO"]).run()
    }),
    way("not_found", "no", || {
        let checks = ["--function=A=no_such_function", "--function=fork", "--function=puts"];
        Call::new(["check", "--compiler", &need("gcc")].iter().chain(&checks)).run()
    }),
    way("program_crashed", "no", || program("kill -SEGV $$", None)),
    way("no_header", "no", || {
        Call::new(["check", "--compiler", &need("gcc"), "--type=A=no_such_t"]).run()
    }),
    way("unknown_argument", "no", || {
        let check = json!({"id": "A", "kind": "compiles", "source": "x", "args": ["-std=c42"]});
        check_with("c", &[&need("gcc")], json!([check]))
    }),
];

/// The result of a literal request.
fn request(text: &str) -> Ran {
    Call::new(["check", "--compiler", &fakecc(), "-"]).run_with(text.as_bytes())
}

/// The result of a check of this kind with these fields.
fn refused(fields: &str) -> Ran {
    request(&format!("{{\"checks\": [{{\"id\": \"A\", {fields}}}]}}"))
}

/// The results of these checks with a toolchain.
fn both(toolchains: Value, checks: Value) -> Ran {
    check(&json!({"toolchains": toolchains, "checks": checks}))
}

fn call(args: &[&str]) -> Ran {
    Call::new([&["check", "--compiler", &fakecc()], args].concat()).run()
}

static REFUSALS: &[Way] = &[
    way("request_unreadable", "2", || call(&["no/such/request.json"])),
    way("request_too_large", "2", || request(&" ".repeat((64 << 20) + 1))),
    way("invalid_json", "2", || request("")),
    way("invalid_json", "2", || request("{\"checks\": [")),
    way("invalid_json", "2", || request("{\"checks\": [],}")),
    way("invalid_json", "2", || Call::new(["check"]).run_with(b"{\"checks\": [\"\xff\"]}")),
    way("unsupported_version", "2", || request("{\"version\": 2, \"checks\": []}")),
    way("unknown_field", "2", || request("{\"chekcs\": []}")),
    way("unknown_field", "2", || refused("\"kind\": \"endian\", \"header\": \"a.h\"")),
    way("missing_field", "2", || request("{}")),
    way("missing_field", "2", || refused("\"kind\": \"header\"")),
    way("missing_field", "2", || refused("\"kind\": \"compiles\"")),
    way("missing_field", "2", || both(json!({"c": {"link": ["cc"]}}), json!([]))),
    way("duplicate_field", "2", || request("{\"checks\": [], \"checks\": []}")),
    way("duplicate_field", "2", || {
        request("{\"checks\": [], \"toolchains\": {\"c\": {}, \"c\": {}}}")
    }),
    way("wrong_type", "2", || request("{\"checks\": {}}")),
    way("wrong_type", "2", || refused("\"kind\": 1")),
    way("wrong_type", "2", || refused("\"kind\": \"endian\", \"args\": \"-O2\"")),
    way("invalid_value", "2", || request("{\"jobs\": 0, \"checks\": []}")),
    way("invalid_value", "2", || refused("\"kind\": \"endian\", \"timeout\": -1")),
    way("invalid_value", "2", || refused("\"kind\": \"endian\", \"language\": \"cobol\"")),
    way("invalid_value", "2", || refused("\"kind\": \"sizeof\", \"type\": \"int)\"")),
    way("invalid_value", "2", || refused("\"kind\": \"header\", \"header\": \"<a.h>\"")),
    way("invalid_value", "2", || refused("\"kind\": \"endian\", \"fail_patterns\": [\"(\"]")),
    way("invalid_value", "2", || call(&["--function=f()"])),
    way("unknown_kind", "2", || refused("\"kind\": \"heder\"")),
    way("conflicting_fields", "2", || {
        refused("\"kind\": \"compiles\", \"source\": \"x\", \"file\": \"Cargo.toml\"")
    }),
    way("conflicting_fields", "2", || refused("\"kind\": \"endian\", \"language\": \"fortran\"")),
    way("conflicting_fields", "2", || {
        let compile = ["cc", "{source}", "{object}"];
        both(json!({"c": {"compile": compile, "command": ["cc"]}}), json!([]))
    }),
    way("duplicate_id", "2", || call(&["--endian=A", "--endian=A"])),
    way("unknown_need", "2", || refused("\"kind\": \"endian\", \"needs\": [\"B\"]")),
    way("needs_cycle", "2", || refused("\"kind\": \"endian\", \"needs\": [\"A\"]")),
    way("unknown_toolchain", "2", || refused("\"kind\": \"endian\", \"toolchain\": \"x\"")),
    way("product_taken", "2", || {
        let check_of =
            |id: &str| json!({"id": id, "kind": "compiles", "source": id, "product": "x.o"});
        fake(json!([check_of("A"), check_of("B")]))
    }),
    way("file_missing", "2", || refused("\"kind\": \"compiles\", \"file\": \"no/such.c\"")),
    way("file_missing", "2", || {
        refused("\"kind\": \"runs\", \"source\": \"x\", \"run_dir\": \"no/such\"")
    }),
    way("invalid_environment", "2", || Call::new(["check", "--endian"]).env("CC", "gcc '").run()),
    way("invalid_option", "2", || call(&["--compute-int=1 + 1"])),
    way("invalid_option", "2", || call(&["--endian", "--emulator='"])),
    way("invalid_option", "2", || call(&["--endian", "--trace=-"])),
    way("limit_reached", "3", || limited_check("-n 10")),
];

fn assert_results_have_codes(ways: &[Way]) {
    for Way { code, status, run } in ways {
        let ran = run();
        let result = ran.result("A");
        assert_eq!((&result["status"], &result["code"]), (&json!(status), &json!(code)), "{ran:?}");
        assert!(result["reason"].is_string(), "people are told, too: {result}");
    }
}

#[test]
fn errors_have_codes() {
    assert_results_have_codes(ERRORS);
}

#[test]
fn noes_and_skipped_checks_have_codes() {
    assert_results_have_codes(OTHERS);
}

#[test]
fn refusals_have_codes() {
    for Way { code, status, run } in REFUSALS {
        let ran = run();
        assert_eq!(ran.code().to_string(), *status, "{ran:?}");
        assert_eq!(ran.json()["error"]["code"], *code, "{ran:?}");
    }
}

/// All codes in the schema's order, with their descriptions.
fn codes() -> Vec<(String, String)> {
    let schema = schema("response");
    let all = schema["$defs"]["Code"]["oneOf"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_string();
    all.iter().map(|code| (text(&code["const"]), text(&code["description"]))).collect()
}

#[test]
fn every_code_is_tested() {
    let tested = [ERRORS, OTHERS, REFUSALS].into_iter().flatten().map(|way| way.code.to_string());
    let all = codes().into_iter().map(|(code, _)| code);
    assert_eq!(tested.collect::<BTreeSet<_>>(), all.collect::<BTreeSet<_>>());
}

#[test]
fn the_documentation_matches_the_codes_of_the_schema() {
    let text = read("docs/protocol.md");
    let (_, section) = text.split_once("\n### Codes\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter_map(|line| {
        let cells = line.strip_prefix("| `")?.strip_suffix(" |")?;
        let (code, told) = cells.split_once("` | ").unwrap();
        Some((code.to_string(), told.to_string()))
    });
    let row = |(code, told): (String, String)| {
        let paragraphs: Vec<_> = told.split("\n\n").map(|it| it.replace('\n', " ")).collect();
        (code, paragraphs.join(" | "))
    };
    assert_eq!(rows.collect::<Vec<_>>(), codes().into_iter().map(row).collect::<Vec<_>>());
}

#[test]
fn a_code_accompanies_every_reason() {
    let crash = json!(["--fake-crash"]);
    let ran = fake(json!([
        {"id": "YES", "kind": "compiles", "source": "x"},
        {"id": "YES_TOO", "kind": "compiles", "source": "x"},
        {"id": "NO", "kind": "compiles", "source": "REJECT"},
        {"id": "ERROR", "kind": "compiles", "source": "x", "args": crash},
        {"id": "ERROR_TOO", "kind": "compiles", "source": "x", "args": crash},
        {"id": "SKIPPED", "kind": "compiles", "source": "x", "needs": ["ERROR_TOO"]},
    ]));
    for (id, has_reason, code) in [
        ("YES", false, None),
        // The reason names the equal check.
        ("YES_TOO", true, None),
        ("NO", false, None),
        ("ERROR", true, Some("compiler_crashed")),
        ("ERROR_TOO", true, Some("compiler_crashed")),
        ("SKIPPED", true, Some("need_not_met")),
    ] {
        let result = ran.result(id);
        assert_eq!((result["reason"].is_string(), &result["code"]), (has_reason, &json!(code)));
    }
}

#[test]
fn names_in_a_request_cannot_forge_a_code() {
    for (name, told) in [
        ("unknown_kind\\u0000x", "unknown field \"unknown_kind\\0x\"; known:"),
        ("`\\u0000unknown_kind", "unknown field \"`\\0unknown_kind\"; known:"),
    ] {
        let refusal = request(&format!("{{\"{name}\": 1}}")).refusal();
        assert_eq!(refusal["code"], "unknown_field", "{refusal}");
        let message = refusal["message"].as_str().unwrap();
        assert!(message.starts_with(told), "{message}");
    }
    let refusal = refused("\"kind\": \"unsupported_version\\u0000x\"").refusal();
    assert_eq!(refusal["code"], "unknown_kind", "{refusal}");
}

#[test]
fn cmake_formats_contain_codes() {
    let request = json!({
        "toolchains": {"c": {"command": [fakecc()]}},
        "checks": [
            {"id": "YES", "kind": "compiles", "source": "x"},
            {"id": "ERROR", "kind": "compiles", "source": "x", "args": ["--fake-crash"]},
        ],
    });
    let call = Call::new(["check", "--format", "cmake-variables"]);
    let ran = call.run_with(request.to_string().as_bytes());
    assert!(ran.stdout.contains("\nset(ERROR_REASON_CODE compiler_crashed)\n"), "{ran:?}");
    assert_eq!(ran.stdout.matches("_REASON_CODE").count(), 1, "{ran:?}");
}
