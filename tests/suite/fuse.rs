//! Fused answers are those that each check has alone. Each test is a way in which one check could
//! have answered for another, or the surroundings for a check.

mod batches;
mod headers;
mod libraries;
mod names;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::*;

/// The compilers that are recognised, by language.
const COMPILERS: [(&str, &str); 4] =
    [("c", "gcc"), ("c", "clang"), ("c++", "g++"), ("c++", "clang++")];

/// Runs a request with fusing and without, and compares. The results with fusing, by id.
fn same(request: &Value) -> BTreeMap<String, Value> {
    let run = |args: &[&str]| {
        let (call, stdin) = Call::check(request);
        call.args(args).run_with(&stdin)
    };
    let (fused, alone) = (run(&["-j2"]), run(&["-j2", "--no-fuse"]));
    let results = |ran: &Ran| ran.json()["results"].as_array().cloned().unwrap();
    assert!(results(&alone).iter().all(|result| result["how"] != "fused"), "{alone:?}");
    for (fused, alone) in std::iter::zip(results(&fused), results(&alone)) {
        assert_eq!(
            (&fused["status"], &fused["value"]),
            (&alone["status"], &alone["value"]),
            "fused: {fused:#}\nalone: {alone:#}"
        );
    }
    results(&fused).into_iter().map(|r| (r["id"].as_str().unwrap().into(), r)).collect()
}

/// The same with a compiler for a language.
fn same_with(language: &str, compiler: &str, checks: Value) -> BTreeMap<String, Value> {
    need(compiler);
    let toolchain = json!({"language": language, "command": [compiler]});
    same(&json!({"toolchains": {language: toolchain}, "checks": with_language(language, checks)}))
}

fn with_language(language: &str, mut checks: Value) -> Value {
    for check in checks.as_array_mut().unwrap() {
        check["language"] = json!(language);
    }
    checks
}

/// How many results are fused.
fn fused(results: &BTreeMap<String, Value>) -> usize {
    results.values().filter(|result| result["how"] == "fused").count()
}

/// Functions, with these fields besides.
fn functions(names: &[&str], fields: &Value) -> Value {
    let check = |name: &&str| {
        let mut check = json!({"id": name, "kind": "function", "function": name});
        check.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        check
    };
    names.iter().map(check).collect()
}
