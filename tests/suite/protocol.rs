//! The protocol: schemas, examples, formats and exit statuses.

use crate::support::*;
use serde_json::{Value, json};

fn schema(which: &str) -> Value {
    Call::new(["schema", which]).run().json()
}

/// Panics with the reasons unless the instance fits.
fn assert_valid(schema: &Value, instance: &Value, what: &str) {
    let validator = jsonschema::validator_for(schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(instance).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{what}: {errors:?}");
}

#[test]
fn schemas_are_checked_in() {
    for which in ["request", "response"] {
        let printed = Call::new(["schema", which]).run().stdout;
        let file = format!("schema/{which}.json");
        assert_eq!(printed, read(&file), "run: tryall schema {which} > {file}");
    }
}

#[test]
fn a_response_fits_its_schema() {
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
