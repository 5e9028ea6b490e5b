//! Requests whose fields make no sense: of wrong types, of other kinds, or with text in them that
//! would leave its place.

use crate::bad_input::{assert_refused_at, refused};
use serde_json::json;

#[test]
fn values_of_wrong_types_are_pointed_at() {
    let of_check = |field: &str, value: &str, message: &str| {
        let text = format!(
            "{{\"checks\": [{{\"id\": \"A\", \"kind\": \"endian\",\n\"{field}\": ¦{value}}}]}}"
        );
        assert_refused_at(&text, Some(&format!("checks[0].{field}")), message);
    };
    for (field, value, message) in [
        ("args", "\"-O2\"", "expected a sequence"),
        ("needs", "{}", "expected a sequence"),
        ("required", "1", "expected a boolean"),
        ("timeout", "-1", "-1 is not a positive number of seconds"),
        ("timeout", "0", "0 is not a positive number of seconds"),
        ("timeout", "-0.0", "not a positive number"),
        ("timeout", "1e300", "not a positive number"),
        ("timeout", "\"5\"", "expected f64"),
        ("header", "[]", "expected a string"),
        ("prefix", "null", "expected a string"),
    ] {
        of_check(field, value, message);
    }
    for (text, path, message) in [
        ("{\"checks\": ¦{}}", Some("checks"), "expected a sequence"),
        ("{\"checks\": [¦[]]}", Some("checks[0]"), "expected an object"),
        ("{\"checks\": [¦\"A\"]}", Some("checks[0]"), "expected an object"),
        ("{\"checks\": [¦{\"kind\": \"endian\"}]}", Some("checks[0]"), "missing field `id`"),
        ("{\"checks\": [¦{\"id\": \"A\"}]}", Some("checks[0]"), "missing field `kind`"),
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
        ("{\"jobs\": ¦0, \"checks\": []}", Some("jobs"), "`0`"),
        ("{\"jobs\": ¦-1, \"checks\": []}", Some("jobs"), "`-1`"),
        ("{\"jobs\": ¦1.5, \"checks\": []}", Some("jobs"), "1.5"),
        ("{\"jobs\": ¦\"4\", \"checks\": []}", Some("jobs"), "\"4\""),
        ("{\"version\": ¦\"1\", \"checks\": []}", Some("version"), "\"1\""),
        ("¦{}", None, "missing field `checks`"),
        ("¦null", None, "expected an object"),
        // serde would take it for the fields in their order.
        ("¦[1, null, null, {}, []]", None, "expected an object"),
    ] {
        assert_refused_at(text, path, message);
    }
}

#[test]
fn nothing_may_stand_twice() {
    for (text, path, message) in [
        (
            "{\"checks\": [{\"id\": \"A\", \"kind\": \"endian\"},\n {\"id\": ¦\"A\", \"kind\": \"endian\"}]}",
            Some("checks[1].id"),
            "taken by checks[0]; ids must be unique",
        ),
        (
            "{\"checks\": [¦{\"id\": \"A\", \"kind\": \"endian\", \"kind\": \"endian\"}]}",
            Some("checks[0]"),
            "duplicate field `kind`",
        ),
        ("¦{\"checks\": [], \"checks\": []}", None, "duplicate field `checks`"),
        (
            "{\"toolchains\": ¦{\"c\": {}, \"c\": {}}, \"checks\": []}",
            Some("toolchains"),
            "\"c\" stands here twice",
        ),
        (
            "{\"toolchains\": {\"c\": {\"env\": ¦{\"A\": \"1\", \"A\": \"2\"}}}, \"checks\": []}",
            Some("toolchains.c.env"),
            "\"A\" stands here twice",
        ),
    ] {
        assert_refused_at(text, path, message);
    }
}

#[test]
fn fragments_must_stay_in_their_places() {
    // NUL, newline and what is empty have no place in any of them.
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
fn elements_of_lists_are_pointed_at() {
    for (fields, path, message) in [
        (
            "\"kind\": \"endian\", \"headers\": [\"a.h\", ¦\"b\\\"\"]",
            "headers[1]",
            "without quotes",
        ),
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
        // A search for it would take minutes, which no time limit ends.
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
fn fields_must_be_those_of_the_kind() {
    for (text, path, message) in [
        (
            "{\"id\": \"A\", \"kind\": \"header\", \"header\": \"a.h\", \"type\": ¦\"int\"}",
            "checks[0].type",
            "kind \"header\" has no field \"type\"; it has header, stage",
        ),
        ("¦{\"id\": \"A\", \"kind\": \"header\"}", "checks[0]", "needs the field \"header\""),
        ("¦{\"id\": \"A\", \"kind\": \"runs\"}", "checks[0]", "either \"source\" or \"file\""),
        (
            "¦{\"id\": \"A\", \"kind\": \"runs\", \"source\": \"x\", \"file\": \"Cargo.toml\"}",
            "checks[0]",
            "either \"source\" or \"file\"",
        ),
        (
            "{\"id\": \"A\", \"kind\": \"compiles\", \"file\": ¦\"no/such/file.c\"}",
            "checks[0].file",
            "no/such/file.c is no file",
        ),
        (
            "{\"id\": \"A\", \"kind\": \"compiles\", \"file\": ¦\"src\"}",
            "checks[0].file",
            "is no file",
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
fn toolchains_must_make_sense_even_unused() {
    for (toolchains, path, message) in [
        ("{\"x\": {\"command\": ¦[]}}", "x.command", "empty"),
        ("{\"x\": {\"command\": ¦[\"\"]}}", "x.command", "empty"),
        ("{\"x\": {\"args\": ¦[\"\\u0000\"]}}", "x.args", "NUL"),
        ("{\"x\": {\"env\": ¦{\"A=B\": \"\"}}}", "x.env", "cannot be set"),
        ("{\"x\": {\"env\": ¦{\"A\": \"\\u0000\"}}}", "x.env", "cannot be set"),
        ("{\"c\": {\"language\": ¦\"c++\"}}", "c.language", "serves checks in c"),
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
