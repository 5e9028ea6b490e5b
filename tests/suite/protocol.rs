//! The protocol: schemas, examples, formats and exit statuses.

use crate::support::*;
use serde_json::{Value, json};

pub fn schema(which: &str) -> Value {
    Call::new(["schema", which]).run().json()
}

/// Panics with the reasons unless the instance is valid.
pub fn assert_valid(schema: &Value, instance: &Value, what: &str) {
    let validator = jsonschema::validator_for(schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(instance).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{what}: {errors:?}");
}

#[test]
fn schemas_are_checked_in() {
    for which in ["request", "response", "bench"] {
        let printed = Call::new(["schema", which]).run().stdout;
        let file = format!("schema/{which}.json");
        assert_eq!(printed, read(&file), "run: tryall schema {which} > {file}");
    }
}

#[test]
fn a_response_is_valid_under_its_schema() {
    let ran = fake(json!([
        {"id": "A", "kind": "compiles", "source": "x"},
        {"id": "B", "kind": "compiles", "source": "REJECT", "needs": ["A"]},
        {"id": "C", "kind": "compiles", "source": "x", "needs": ["B"]},
        {"id": "D", "kind": "runs", "source": "x"},
    ]));
    assert_valid(&schema("response"), &ran.json(), "answers");
    let refused = check(&json!({"checks": [{"id": "A", "kind": "heder", "header": "x.h"}]}));
    assert_valid(&schema("response"), &refused.json(), "a refusal");
}

/// The JSON blocks in the documentation, with the word in their fence: `request` or `response`.
fn documented() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for file in ["README.md", "docs/protocol.md"] {
        let text = read(file);
        for block in text.split("```json ").skip(1) {
            let (what, rest) = block.split_once('\n').unwrap();
            let (json, _) = rest.split_once("```").unwrap();
            let json = serde_json::from_str(json)
                .unwrap_or_else(|error| panic!("{file}: {error} in {json}"));
            found.push((what.trim().to_string(), json));
        }
    }
    found
}

#[test]
fn every_example_is_valid_under_its_schema() {
    let documented = documented();
    for which in ["request", "response"] {
        assert!(documented.iter().any(|(what, _)| what == which), "no example of a {which}");
    }
    for (what, json) in documented {
        assert_valid(&schema(&what), &json, "the documentation");
    }
    let mut files: Vec<_> =
        std::fs::read_dir(root().join("examples")).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    assert!(files.len() >= 2, "{files:?}");
    for file in files {
        let json = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        assert_valid(&schema("request"), &json, &file.display().to_string());
    }
}

#[test]
fn the_schema_knows_the_fields_of_each_kind() {
    let schema = schema("request");
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (fits, check) in [
        (true, json!({"id": "A", "kind": "header", "header": "a.h"})),
        (false, json!({"id": "A", "kind": "header"})),
        (false, json!({"id": "A", "kind": "header", "header": "a.h", "symbol": "x"})),
        (false, json!({"id": "A", "kind": "heder", "header": "a.h"})),
        (true, json!({"id": "A", "kind": "compiles", "file": "a.c"})),
        (false, json!({"id": "A", "kind": "compiles"})),
        (false, json!({"id": "A", "kind": "compiles", "file": "a.c", "source": ""})),
        (false, json!({"id": "", "kind": "endian"})),
        (false, json!({"id": "A", "kind": "endian", "timeout": 0})),
    ] {
        let request = json!({"checks": [check]});
        assert_eq!(validator.is_valid(&request), fits, "{check}");
        // The program agrees, except about files, which a schema cannot check.
        if check["file"].is_null() {
            let (call, stdin) = Call::check(&request);
            let code = call.arg("--compiler").arg(fakecc()).run_with(&stdin).code();
            assert_eq!(code != 2, fits, "{check}");
        }
    }
}

#[test]
fn the_exit_status_reports_the_worst_result() {
    let good = json!({"id": "GOOD", "kind": "compiles", "source": "x"});
    let bad = json!({"id": "BAD", "kind": "compiles", "source": "REJECT"});
    let needed = json!({"id": "NEEDED", "kind": "compiles", "source": "REJECT", "required": true});
    let skipped = json!({"id": "SKIPPED", "kind": "compiles", "source": "x", "needs": ["BAD"], "required": true});
    let broken =
        json!({"id": "BROKEN", "kind": "compiles", "source": "x", "args": ["--fake-crash"]});
    for (code, checks) in [
        (0, json!([])),
        (0, json!([good, bad])),
        (1, json!([good, needed])),
        (1, json!([bad, skipped])),
        (3, json!([good, broken])),
        (3, json!([needed, broken])),
        (2, json!([good, good])),
    ] {
        assert_eq!(fake(checks.clone()).code(), code, "{checks}");
    }
}
