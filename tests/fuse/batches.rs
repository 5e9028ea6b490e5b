//! Which checks share commands, at what cost, and how the response reports it.

use std::process::Command;

use super::*;

#[test]
fn examples_have_the_same_answers_with_fewer_processes() {
    let request: Value = serde_json::from_str(&read("examples/posix.json")).unwrap();
    for compiler in ["gcc", "clang"] {
        let mut request = request.clone();
        request["toolchains"] = json!({"c": {"command": [need(compiler)]}});
        let results = same(&request);
        assert!(fused(&results) > 50, "{}", fused(&results));
        let (call, stdin) = Call::check(&request);
        let ran = call.run_with(&stdin).json();
        let processes = ran["summary"]["processes"].as_u64().unwrap();
        // About 90 commands instead of 160; more if answers arrive late.
        assert!(processes * 4 < 3 * 160, "{compiler}: {processes}");
    }
}

#[test]
fn functions_need_two_processes_whichever_are_missing() {
    let names = ["fork", "tryal_missing", "getpid", "pledge_", "abort", "memcpy", "nope1", "exit"];
    for (language, compiler) in COMPILERS {
        let results = same_with(language, compiler, functions(&names, &json!({})));
        assert_eq!(fused(&results), names.len(), "{compiler}: {results:#?}");
        let toolchain = json!({"language": language, "command": [compiler]});
        let checks = with_language(language, functions(&names, &json!({})));
        let request = json!({"toolchains": {language: toolchain}, "checks": checks});
        let (call, stdin) = Call::check(&request);
        let ran = call.run_with(&stdin);
        // Two of them probe the toolchain.
        assert_eq!(ran.json()["summary"]["processes"], 4, "{compiler}");
    }
}

#[test]
fn a_shared_answer_can_be_reproduced_by_hand() {
    let checks = json!([
        {"id": "there", "kind": "function", "function": "fork"},
        {"id": "missing", "kind": "function", "function": "forkk"},
        {"id": "other", "kind": "function", "function": "getpid"},
        {"id": "int", "kind": "sizeof", "type": "int"},
        {"id": "long", "kind": "sizeof", "type": "long"},
        {"id": "type", "kind": "type", "type": "unsigned"},
        {"id": "header", "kind": "symbol", "symbol": "fork", "headers": ["no/such.h"]},
    ]);
    let results = same_with("c", "gcc", checks);
    assert_eq!(fused(&results), 7, "{results:#?}");
    for (id, result) in results {
        let dir = tempfile::tempdir().unwrap();
        let command: Vec<String> = serde_json::from_value(result["command"].clone()).unwrap();
        let name = command.iter().find(|word| word.ends_with(".c")).unwrap();
        write(dir.path(), name, result["source"].as_str().unwrap());
        let ran = Command::new(&command[0])
            .args(&command[1..])
            .current_dir(dir.path())
            .env("LC_ALL", "C")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
        assert_eq!(ran.status.code(), result["exit_code"].as_i64().map(|c| c as i32), "{id}");
        let misses = said.contains("forkk");
        assert_eq!(misses, command.iter().any(|word| word.contains("forkk")), "{id}: {said}");
        let output = result["output"].as_str().unwrap();
        assert_eq!(output.contains("forkk"), id == "missing", "{output}");
    }
}

#[test]
fn shared_values_are_separate() {
    let types = ["char", "short", "int", "long", "double", "char[7]", "void *", "nope", "char[9]"];
    let mut checks: Vec<_> =
        types.iter().map(|of| json!({"id": of, "kind": "sizeof", "type": of})).collect();
    for expression in ["-1", "-9223372036854775807 - 1", "18446744073709551615u", "1 / 0", "'a'"] {
        checks.push(json!({"id": expression, "kind": "compute_int", "expression": expression}));
    }
    for compiler in ["gcc", "clang"] {
        let results = same_with("c", compiler, json!(checks));
        assert_eq!(results["char[7]"]["value"], 7);
        assert_eq!(results["-1"]["value"], -1);
        assert!(fused(&results) >= 8, "{compiler}: {results:#?}");
    }
}

#[test]
fn verify_confirms_shared_answers() {
    let names = ["fork", "forkk", "getpid", "atexit", "gets"];
    let (call, stdin) = Call::check(&json!({"checks": functions(&names, &json!({}))}));
    let ran = call.arg("--verify").run_with(&stdin);
    assert_eq!(ran.code(), 0, "{ran:?}");
    assert_eq!(ran.result("forkk")["how"], "fused");
}

#[test]
fn an_unknown_compiler_shares_nothing() {
    let names = ["fork", "forkk", "getpid", "abort"];
    let results = same_with("c", "tcc", functions(&names, &json!({})));
    assert_eq!(fused(&results), 0);
}

#[test]
fn localized_messages_and_launchers_prevent_sharing() {
    let names = ["fork", "forkk", "getpid"];
    for toolchain in [
        json!({"env": {"LC_ALL": "C.UTF-8"}}),
        json!({"launcher": ["env"]}),
        json!({"env": {"CCC_OVERRIDE_OPTIONS": "#"}}),
        json!({"link_args": ["-lm"]}),
    ] {
        let request =
            json!({"toolchains": {"c": toolchain}, "checks": functions(&names, &json!({}))});
        assert_eq!(fused(&same(&request)), 0, "{toolchain}");
    }
}
