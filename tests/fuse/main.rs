//! Shared answers are the same as those of each check alone. Each test is a way in which another
//! check, or the environment, could change an answer.

mod batches;
mod chains;
mod cost;
mod declarations;
mod headers;
mod libraries;
mod names;
#[path = "../support/random_batches/mod.rs"]
mod random_batches;
#[path = "../suite/support.rs"]
#[allow(dead_code, reason = "the suite uses all of it")]
mod support;
mod variants;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::*;

/// The recognized compilers, by language.
const COMPILERS: [(&str, &str); 4] =
    [("c", "gcc"), ("c", "clang"), ("c++", "g++"), ("c++", "clang++")];

/// Runs a request, repeats shared checks alone, and compares. Returns the results by id.
fn same(request: &Value) -> BTreeMap<String, Value> {
    let run = |request: &Value, args: &[&str]| {
        let (call, stdin) = Call::check(request);
        let ran = call.args(args).run_with(&stdin);
        ran.json()["results"].as_array().cloned().unwrap_or_else(|| panic!("{ran:?}"))
    };
    let mut together = run(&random_batches::with_ballast(request), &["-j2"]);
    together.truncate(request["checks"].as_array().unwrap().len());
    let is_fused = |result: &&Value| result["how"] == "fused";
    let ids: Vec<_> = together.iter().filter(is_fused).map(|result| &result["id"]).collect();
    let mut again = request.clone();
    again["checks"].as_array_mut().unwrap().retain_mut(|check| {
        check.as_object_mut().unwrap().remove("needs");
        ids.contains(&&check["id"])
    });
    let alone = run(&again, &["-j2", "--no-fuse"]);
    assert_eq!(alone.len(), ids.len());
    for (fused, alone) in std::iter::zip(together.iter().filter(is_fused), &alone) {
        assert_ne!(alone["how"], "fused");
        assert_eq!(
            (&fused["status"], &fused["value"]),
            (&alone["status"], &alone["value"]),
            "fused: {fused:#}\nalone: {alone:#}"
        );
    }
    together.into_iter().map(|r| (r["id"].as_str().unwrap().into(), r)).collect()
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

/// The number of shared results.
fn fused(results: &BTreeMap<String, Value>) -> usize {
    results.values().filter(|result| result["how"] == "fused").count()
}

/// Functions with these additional fields.
fn functions(names: &[&str], fields: &Value) -> Value {
    let check = |name: &&str| {
        let mut check = json!({"id": name, "kind": "function", "function": name});
        check.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        check
    };
    names.iter().map(check).collect()
}

/// `cargo bench --bench campaign -- BATCHES` runs more of them.
#[test]
fn random_batches_have_the_same_answers_as_single_checks() {
    use random_batches::Batches;
    use random_batches::alone::{Alone, together};
    let mut batches = Batches::new(7, Path::new(env!("CARGO_TARGET_TMPDIR")));
    let mut alone = Alone::new(TRYALL);
    let (mut answers, mut fused) = (0, 0);
    for number in 0..25 {
        let batch = batches.next();
        let asked = together(TRYALL, &batch).unwrap();
        let asked = [(batch, asked)];
        alone.learn(&asked).unwrap();
        let [(batch, asked)] = asked;
        let compared = alone.compare(&batch, &asked);
        assert!(compared.differences.is_empty(), "{}", compared.differences.join("\n"));
        answers += compared.answers;
        fused += compared.fused;
        if number == 24 {
            let differences = alone.afresh(&batch, &asked).unwrap();
            assert!(differences.is_empty(), "{}", differences.join("\n"));
        }
    }
    assert!(fused * 6 > answers, "only {fused} of {answers} are fused");
    assert!(alone.known() > 30 && alone.commands > 30, "little is known: {}", alone.known());
}
