//! Requests with invalid fields: of wrong types, of other kinds, or with text that would escape its
//! place in a source.

use crate::bad_input::{assert_refused_at, refused};
use crate::support::*;
use serde_json::{Value, json};

#[test]
fn values_of_wrong_types_are_located() {
    let of_check = |field: &str, value: &str, message: &str| {
        let text = format!(
            "{{\"checks\": [{{\"id\": \"A\", \"kind\": \"endian\",\n\"{field}\": ¦{value}}}]}}"
        );
        assert_refused_at(&text, Some(&format!("checks[0].{field}")), message);
    };
    for (field, value, message) in [
        ("args", "\"-O2 -g\"", "expected a list, such as [\"-O2\", \"-g\"], not the string"),
        ("needs", "{}", "expected a list, not an object"),
        ("required", "1", "expected true or false, not 1"),
        ("timeout", "-1", "-1 is not a positive number of seconds"),
        ("timeout", "0", "0 is not a positive number of seconds"),
        ("timeout", "-0.0", "not a positive number"),
        ("timeout", "1e300", "not a positive number"),
        ("timeout", "\"5\"", "expected a number, not the string \"5\""),
        ("header", "[]", "expected a string"),
        ("prefix", "null", "expected a string"),
    ] {
        of_check(field, value, message);
    }
    for (text, path, message) in [
        ("{\"checks\": ¦{}}", Some("checks"), "expected a list, not an object"),
        ("{\"checks\": [¦[]]}", Some("checks[0]"), "expected an object"),
        ("{\"checks\": [¦\"A\"]}", Some("checks[0]"), "expected an object"),
        (
            "{\"checks\": [¦{\"kind\": \"endian\"}]}",
            Some("checks[0]"),
            "the field \"id\" is missing",
        ),
        ("{\"checks\": [¦{\"id\": \"A\"}]}", Some("checks[0]"), "the field \"kind\" is missing"),
        ("{\"checks\": [{\"id\": ¦1}]}", Some("checks[0].id"), "expected a string"),
        ("{\"toolchains\": ¦[], \"checks\": []}", Some("toolchains"), "expected an object"),
        (
            "{\"toolchains\": {\"c\": ¦[]}, \"checks\": []}",
            Some("toolchains.c"),
            "expected an object",
        ),
        (
            "{\"toolchains\": {\"c\": {\"args\": [\"a\", ¦2]}}, \"checks\": []}",
            Some("toolchains.c.args[1]"),
            "expected a string",
        ),
        ("{\"jobs\": ¦0, \"checks\": []}", Some("jobs"), "expected a whole number above 0, not 0"),
        ("{\"jobs\": ¦-1, \"checks\": []}", Some("jobs"), "above 0, not -1"),
        ("{\"jobs\": ¦1.5, \"checks\": []}", Some("jobs"), "above 0, not 1.5"),
        ("{\"jobs\": ¦\"4\", \"checks\": []}", Some("jobs"), "\"4\""),
        (
            "{\"version\": ¦\"1\", \"checks\": []}",
            Some("version"),
            "expected a whole number, not the string \"1\"",
        ),
        ("¦{}", None, "the field \"checks\" is missing"),
        ("¦null", None, "expected an object"),
        // serde would accept an array of the fields in order.
        ("¦[1, null, null, {}, []]", None, "expected an object"),
    ] {
        assert_refused_at(text, path, message);
    }
}

/// Every field of the schema with a value of every type: errors use JSON's terms.
#[test]
fn no_error_mentions_rust() {
    let schema = Call::new(["schema", "request"]).run().json();
    let names = |of: &Value| -> Vec<String> {
        of["properties"].as_object().unwrap().keys().cloned().collect()
    };
    let values = [
        "null",
        "true",
        "-1",
        "0",
        "1",
        "1.5",
        "1e30",
        "\"a\"",
        "[]",
        "[0]",
        "[[]]",
        "{}",
        "{\"a\": 0}",
    ];
    let mut texts = Vec::new();
    for value in values {
        texts.push(value.to_string());
        texts.extend(names(&schema).iter().map(|name| format!("{{\"{name}\": {value}}}")));
        for name in names(&schema["$defs"]["Toolchain"]) {
            texts.push(format!(
                "{{\"checks\": [], \"toolchains\": {{\"c\": {{\"{name}\": {value}}}}}}}"
            ));
        }
        for name in names(&schema["$defs"]["Check"]) {
            texts.push(format!("{{\"checks\": [{{\"{name}\": {value}}}]}}"));
        }
    }
    assert!(texts.len() > 600, "{}", texts.len());
    let mut refused = 0;
    for text in texts {
        let (mut call, stdin) = (Call::new(["check", "-"]), text.as_bytes());
        let ran = Ran::from(call.start(stdin).wait_with_output().unwrap());
        if ran.code() != 2 {
            continue;
        }
        refused += 1;
        let message = ran.refusal()["message"].as_str().unwrap().to_string();
        let mut words = message.split(|c: char| !c.is_alphanumeric() && c != '_');
        let of_rust = |word: &&str| {
            [
                "usize", "u32", "u64", "i64", "f64", "sequence", "struct", "enum", "variant",
                "Option", "map", "newtype", "unit", "tuple", "borrowed", "floating", "nonzero",
                "str", "bool", "EOF",
            ]
            .contains(word)
        };
        assert_eq!(words.find(of_rust), None, "{text}: {message}");
    }
    assert!(refused > 500, "{refused}");
}

#[test]
fn duplicates_are_refused() {
    for (text, path, message) in [
        (
            "{\"checks\": [{\"id\": \"A\", \"kind\": \"endian\"},\n {\"id\": ¦\"A\", \"kind\": \"endian\"}]}",
            Some("checks[1].id"),
            "checks[0] already has the id \"A\"; ids must be unique",
        ),
        (
            "{\"checks\": [¦{\"id\": \"A\", \"kind\": \"endian\", \"kind\": \"endian\"}]}",
            Some("checks[0]"),
            "the field \"kind\" appears twice here",
        ),
        ("¦{\"checks\": [], \"checks\": []}", None, "the field \"checks\" appears twice here"),
        (
            "{\"toolchains\": ¦{\"c\": {}, \"c\": {}}, \"checks\": []}",
            Some("toolchains"),
            "\"c\" appears twice here",
        ),
        (
            "{\"toolchains\": {\"c\": {\"env\": ¦{\"A\": \"1\", \"A\": \"2\"}}}, \"checks\": []}",
            Some("toolchains.c.env"),
            "\"A\" appears twice here",
        ),
    ] {
        assert_refused_at(text, path, message);
    }
}

#[test]
fn fragments_must_stay_in_place() {
    // NUL, newlines and empty strings are invalid in all of them.
    let everywhere = ["", " ", "a\nb", "a\rb", "a\0b", "a\"b"];
    let in_code = ["a // b", "a /* b", "a\\", "a(b", "a)b", "a]b", "a;b", "a ??/ b", "#define a"];
    for (kind, field, more) in [
        ("header", "header", json!({})),
        ("symbol", "symbol", json!({})),
        ("function", "function", json!({})),
        ("library", "function", json!({"library": "m"})),
        ("type", "type", json!({})),
        ("member", "type", json!({"member": "m"})),
        ("member", "member", json!({"type": "struct s"})),
        ("sizeof", "type", json!({})),
        ("alignment", "type", json!({})),
        ("compute_int", "expression", json!({})),
        ("define", "name", json!({})),
        ("prototype", "function", json!({"return_type": "int", "arguments": []})),
        ("prototype", "return_type", json!({"function": "f", "arguments": []})),
    ] {
        let only_in_code = if field == "header" { &["a>b", "<a.h>"][..] } else { &in_code };
        for bad in everywhere.iter().chain(only_in_code) {
            let mut check = json!({"id": "A", "kind": kind, field: bad});
            check.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let complaint = refused(json!({"checks": [check]}).to_string());
            assert_eq!(
                complaint["path"],
                format!("checks[0].{field}"),
                "{kind} {bad:?}: {complaint}"
            );
            assert_eq!(complaint["line"], 1, "{complaint}");
        }
    }
}

#[test]
fn elements_of_lists_are_located() {
    for (fields, path, message) in [
        ("\"kind\": \"endian\", \"headers\": [\"a.h\", ¦\"b\\\"\"]", "headers[1]", "write \"b\""),
        ("\"kind\": \"endian\", \"args\": [\"-O2\", ¦\"a\\u0000b\"]", "args[1]", "NUL"),
        ("\"kind\": \"endian\", \"link_args\": [¦\"\\u0000\"]", "link_args[0]", "NUL"),
        ("\"kind\": \"endian\", \"include_dirs\": [¦\"\\u0000\"]", "include_dirs[0]", "NUL"),
        ("\"kind\": \"endian\", \"prefix\": ¦\"int a;\\u0000\"", "prefix", "NUL"),
        ("\"kind\": \"compiler_flag\", \"flags\": [\"-O2\", ¦\"\\u0000\"]", "flags[1]", "NUL"),
        ("\"kind\": \"compiler_flag\", \"flags\": ¦[]", "flags", "empty"),
        (
            "\"kind\": \"runs\", \"source\": \"x\", \"run_args\": [¦\"\\u0000\"]",
            "run_args[0]",
            "NUL",
        ),
        ("\"kind\": \"endian\", \"fail_patterns\": [\"ok\", ¦\"a(\"]", "fail_patterns[1]", "group"),
        // Searching with this pattern would take minutes, which no time limit could interrupt.
        (
            "\"kind\": \"endian\", \"fail_patterns\": [¦\"((a{1,50}){1,50}){1,50}b\"]",
            "fail_patterns[0]",
            "size limit",
        ),
        (
            "\"kind\": \"prototype\", \"function\": \"f\", \"return_type\": \"int\", \"arguments\": [\"int\", ¦\"int)\"]",
            "arguments[1]",
            "stray ')'",
        ),
        (
            "\"kind\": \"compiles\", \"source\": \"x\", \"extension\": ¦\"a/b\"",
            "extension",
            "letters",
        ),
    ] {
        let text = format!("{{\"checks\": [{{\"id\": \"A\",\n {fields}}}]}}");
        assert_refused_at(&text, Some(&format!("checks[0].{path}")), message);
    }
}

#[test]
fn fields_must_belong_to_the_kind() {
    for (text, path, message) in [
        (
            "{\"id\": \"A\", \"kind\": \"header\", \"header\": \"a.h\", \"type\": ¦\"int\"}",
            "checks[0].type",
            "kind \"header\" has no field \"type\"; its fields are header, stage",
        ),
        ("¦{\"id\": \"A\", \"kind\": \"header\"}", "checks[0]", "needs the field \"header\""),
        ("¦{\"id\": \"A\", \"kind\": \"runs\"}", "checks[0]", "either \"source\" or \"file\""),
        (
            "{\"id\": \"A\", \"kind\": \"runs\", \"source\": \"x\", \"file\": ¦\"Cargo.toml\"}",
            "checks[0].file",
            "has both \"source\" and \"file\"",
        ),
        (
            "{\"id\": \"A\", \"kind\": \"compiles\", \"file\": ¦\"no/such/file.c\"}",
            "checks[0].file",
            "no/such/file.c is not a file",
        ),
        (
            "{\"id\": \"A\", \"kind\": \"compiles\", \"file\": ¦\"src\"}",
            "checks[0].file",
            "is not a file",
        ),
        (
            "{\"id\": \"A\", \"kind\": \"compiles\", \"file\": \"Cargo.toml\", \"headers\": ¦[\"a.h\"]}",
            "checks[0].headers",
            "give \"source\" instead",
        ),
        (
            "{\"id\": \"A\", \"language\": \"fortran\", \"kind\": ¦\"endian\"}",
            "checks[0].kind",
            "no meaning in Fortran",
        ),
        ("{\"id\": ¦\"\", \"kind\": \"endian\"}", "checks[0].id", "empty"),
        ("{\"id\": ¦\"A\\nB\", \"kind\": \"endian\"}", "checks[0].id", "control character"),
    ] {
        assert_refused_at(&format!("{{\"checks\": [\n{text}]}}"), Some(path), message);
    }
}

#[test]
fn unused_toolchains_must_be_valid() {
    for (toolchains, path, message) in [
        ("{\"x\": {\"command\": ¦[]}}", "x.command", "empty"),
        ("{\"x\": {\"command\": ¦[\"\"]}}", "x.command", "empty"),
        ("{\"x\": {\"args\": ¦[\"\\u0000\"]}}", "x.args", "NUL"),
        ("{\"x\": {\"env\": ¦{\"A=B\": \"\"}}}", "x.env", "cannot be set"),
        ("{\"x\": {\"env\": ¦{\"A\": \"\\u0000\"}}}", "x.env", "cannot be set"),
        ("{\"c\": {\"language\": ¦\"c++\"}}", "c.language", "is for checks in c"),
    ] {
        let text = format!("{{\"toolchains\": {toolchains}, \"checks\": []}}");
        assert_refused_at(&text, Some(&format!("toolchains.{path}")), message);
    }
    assert_refused_at(
        "{\"toolchains\": {\"x\": {\"language\": \"c++\"}}, \"checks\": [{\"id\": \"A\", \"kind\": \"endian\", \"toolchain\": \"x\", \"language\": ¦\"c\"}]}",
        Some("checks[0].language"),
        "the toolchain \"x\" is for c++",
    );
}
