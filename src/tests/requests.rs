//! Properties of parsing: every request is accepted, or refused with a location in it.

use std::cell::Cell;

use crate::cli::schema::{Which, schema};
use crate::fuzz_bodies::request;
use crate::protocol::code::Code;
use crate::protocol::parse::parse;
use crate::protocol::{BadRequest, Location, kind};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

/// Limits the number of cases, and writes no files to the source tree.
pub(super) fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Arbitrary JSON, often with words of the protocol.
fn any_json() -> impl Strategy<Value = Value> {
    let words: Vec<&str> = kind::OWN_FIELDS
        .into_iter()
        .chain(kind::RULES.iter().map(|rule| rule.name))
        .chain(["version", "checks", "toolchains", "id", "needs", "c", "fortran", "args", "env"])
        .collect();
    let text = prop_oneof![3 => select(words).prop_map(String::from), 1 => any::<String>()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..6)
                .prop_map(|pairs| Value::Object(Map::from_iter(pairs))),
        ]
    })
}

const VALID: &str = r#"{"version": 1, "jobs": 2, "timeout": 1.5,
 "toolchains": {"c": {"command": ["gcc"], "args": ["-O0"], "env": {"LC_ALL": "C"}}},
 "checks": [
  {"id": "É", "kind": "header", "header": "unistd.h", "required": true},
  {"id": "B", "kind": "sizeof", "type": "off_t", "headers": ["sys/types.h"], "needs": ["É"]},
  {"id": "C", "kind": "runs", "source": "int main(void) { return \"\u00e9\\\"\"[0] == 0; }\n"}
 ]}"#;

/// A mutation: replaces a range of a text.
fn mutation() -> impl Strategy<Value = (Index, usize, String)> {
    let pieces = select(vec![
        "",
        "\"",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\\",
        "\\u0000",
        "\n",
        "null",
        "-1",
        "é",
        "\u{0}",
        "1e999",
        "\"id\": \"B\",",
        "/*",
    ]);
    (any::<Index>(), 0..12usize, pieces.prop_map(String::from))
}

fn mutated(mutations: &[(Index, usize, String)]) -> Vec<u8> {
    let mut text = VALID.as_bytes().to_vec();
    for (at, length, piece) in mutations {
        let start = at.index(text.len() + 1);
        let end = text.len().min(start + length);
        text.splice(start..end, piece.bytes());
    }
    text
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn any_bytes_are_accepted_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        request::look(&bytes);
    }

    #[test]
    fn any_text_is_accepted_or_refused(text in any::<String>()) {
        request::look(text.as_bytes());
    }

    #[test]
    fn any_json_is_accepted_or_refused(value in any_json(), pretty in any::<bool>()) {
        let request = json!({"checks": [value], "toolchains": {"c": value}});
        for value in [value, request] {
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            request::look(text.as_bytes());
        }
    }

    #[test]
    fn damaged_requests_are_accepted_or_refused(mutations in prop::collection::vec(mutation(), 1..4)) {
        request::look(&mutated(&mutations));
    }

    /// The location of a value is where a JSON parser finds that value.
    #[test]
    fn a_location_is_where_the_value_starts(
        value in any_json(),
        steps in prop::collection::vec(any::<Index>(), 0..6),
        pretty in any::<bool>(),
    ) {
        let text = if pretty { format!("\n {value:#}\n") } else { value.to_string() };
        let (mut path, mut at) = (Location::root(), &value);
        for step in steps {
            (path, at) = match at {
                Value::Object(map) if !map.is_empty() => {
                    let (key, inner) = map.iter().nth(step.index(map.len())).unwrap();
                    (path.key(key), inner)
                }
                Value::Array(list) if !list.is_empty() => {
                    let index = step.index(list.len());
                    (path.index(index), &list[index])
                }
                _ => break,
            };
        }
        let complaint = BadRequest::at(Code::InvalidValue, "", &path, Some(&text));
        let (line, column) = (complaint.line.unwrap(), complaint.column.unwrap());
        let line = text.split('\n').nth(line - 1).unwrap();
        let rest: String = line.chars().skip(column - 1).collect();
        let from = line.as_ptr() as usize - text.as_ptr() as usize + line.len() - rest.len();
        let mut values = serde_json::Deserializer::from_str(&text[from..]).into_iter::<Value>();
        // Compare with the parsed text: a float may have lost its last digit.
        prop_assert_eq!(values.next().unwrap().unwrap().to_string(), at.to_string());
    }
}

/// A check with valid fields, or with fields that are missing, null, or of other kinds or types.
fn check(index: usize) -> impl Strategy<Value = Value> {
    let good = |field: &str| match field {
        "header" => json!("a.h"),
        "stage" => json!("preprocess"),
        "arguments" | "flags" | "run_args" => json!(["-x"]),
        "file" => json!("/etc/passwd"),
        _ => json!("int"),
    };
    let common = [
        ("language", json!("c++")),
        ("headers", json!(["a.h"])),
        ("fail_patterns", json!(["a"])),
        ("required", json!(true)),
        ("timeout", json!(0.5)),
        ("args", json!([])),
    ];
    let odd = select(vec![
        Value::Null,
        json!(1),
        json!("text"),
        json!([]),
        json!(["a"]),
        json!({}),
        json!(""),
    ]);
    let own = select(kind::OWN_FIELDS.to_vec());
    let changes = prop::collection::vec((own, prop_oneof![Just(None), odd.prop_map(Some)]), 0..3);
    let extra = prop::sample::subsequence(common.to_vec(), 0..=2);
    let source = prop::bool::ANY;
    (0..kind::RULES.len(), changes, extra, source).prop_map(
        move |(rule, changes, extra, source)| {
            let rule = &kind::RULES[rule];
            let mut check = Map::from_iter([
                ("id".into(), json!(format!("A{index}"))),
                ("kind".into(), json!(rule.name)),
            ]);
            check.extend(rule.required.iter().map(|field| (field.to_string(), good(field))));
            if rule.takes_source {
                let field = if source { "source" } else { "file" };
                check.insert(field.into(), good(field));
            }
            check.extend(extra.into_iter().map(|(field, value)| (field.into(), value)));
            for (field, value) in changes {
                match value {
                    Some(value) => check.insert(field.into(), value),
                    None => check.remove(field),
                };
            }
            Value::Object(check)
        },
    )
}

/// Every request that the program accepts is valid under the schema, and every request that is
/// valid under the schema can at least be parsed.
#[test]
fn the_program_and_the_schema_agree() {
    let schema: Value = serde_json::from_str(&schema(Which::Request)).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let (taken, refused) = (Cell::new(0), Cell::new(0));
    let top = prop_oneof![
        4 => Just(json!({})),
        1 => Just(json!({"version": 1, "jobs": null, "timeout": null, "toolchains": {"x": {"command": null}}})),
        1 => Just(json!({"version": 2})),
        1 => Just(json!({"jobs": 0})),
        1 => Just(json!({"toolchains": {"x": []}})),
    ];
    let request = (check(0), check(1), top).prop_map(|(first, second, mut request)| {
        request["checks"] = json!([first, second]);
        request
    });
    let any = prop_oneof![9 => request, 1 => any_json()];
    let mut runner = proptest::test_runner::TestRunner::new(cases(1500));
    let outcome = runner.run(&any, |request| {
        let text = request.to_string();
        let errors: Vec<_> =
            validator.iter_errors(&request).map(|error| error.to_string()).collect();
        match request::planned(&text) {
            Ok(_) => {
                taken.set(taken.get() + 1);
                prop_assert!(errors.is_empty(), "taken, but {errors:?}");
            }
            Err(complaint) => {
                refused.set(refused.get() + 1);
                if errors.is_empty() {
                    prop_assert!(
                        parse(text.as_bytes()).is_ok(),
                        "fits the schema, but {complaint}"
                    );
                }
            }
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(
        taken.get() > 100 && refused.get() > 100,
        "{taken:?} {refused:?}: one side is not tried"
    );
}

proptest! {
    #![proptest_config(cases(500))]

    /// Integers as the generators encode them: a sign, then sixteen letters for the digits.
    #[test]
    fn encoded_integers_are_decoded(
        value in prop_oneof![any::<i64>().prop_map(i128::from), any::<u64>().prop_map(i128::from)],
        before in prop::collection::vec(any::<u8>(), 0..40),
        behind in prop::collection::vec(any::<u8>(), 0..40),
        copies in 1..3usize,
    ) {
        use crate::compiler::value::{CLOSE, DIGITS, Found, OPEN, integer};
        let digit = |position: usize| {
            char::from(b'a' + (value.unsigned_abs() >> (4 * position) & 15) as u8)
        };
        let digits: String = (0..DIGITS).rev().map(digit).collect();
        let sign = if value < 0 { '-' } else { '+' };
        let text = format!("{OPEN}{sign}a{digits}{CLOSE}");
        let one = [&before[..], text.as_bytes(), &behind].concat();
        prop_assert_eq!(integer(&one.repeat(copies)), Found::One(value));
    }
}
