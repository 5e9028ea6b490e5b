//! Explicit commands that make no sense, and checks that do not fit them.

use crate::bad_input::assert_refused_at;
use crate::support::*;
use serde_json::json;

const COMPILE: &str = "[\"cc\", \"{source}\", \"{object}\"]";
const LINK: &str = "[\"cc\", \"{object}\", \"{program}\"]";

#[test]
fn unused_toolchains_are_validated() {
    let compile = |rest: &str| format!("\"compile\": {COMPILE}, {rest}");
    let complete = "are complete commands";
    for (fields, path, message) in [
        (compile("\"command\": ¦[\"gcc\"]"), "command", complete),
        (compile("\"args\": ¦[\"-O2\"]"), "args", complete),
        (compile("\"link_args\": ¦[\"-lm\"]"), "link_args", complete),
        (compile("\"launcher\": ¦[\"ccache\"]"), "launcher", complete),
        (compile("\"link\": ¦[]"), "link", "empty"),
        (compile("\"link\": ¦[\"cc\", \"{object}\"]"), "link", "{program} is missing"),
        (compile("\"link\": ¦[\"cc\", \"{program}\"]"), "link", "{object} is missing"),
        (compile("\"link\": ¦[\"cc\", \"{object}\", \"a\\u0000\"]"), "link", "NUL"),
        (format!("\"link\": ¦{LINK}"), "link", "needs a \"compile\""),
        ("\"compile\": ¦[]".into(), "compile", "empty"),
        (
            "\"compile\": ¦[\"\", \"{source}\", \"{object}\"]".into(),
            "compile",
            "not the name of a program",
        ),
        ("\"compile\": ¦[\"cc\", \"{source}\"]".into(), "compile", "{object} is missing"),
        ("\"compile\": ¦[\"cc\", \"-o{object}\"]".into(), "compile", "{source} is missing"),
        ("\"compile\": ¦[\"./cc\", \"{source}\", \"{object}\"]".into(), "compile", "relative path"),
    ] {
        let text = format!("{{\"toolchains\": {{\"x\": {{\n{fields}}}}}, \"checks\": []}}");
        assert_refused_at(&text, Some(&format!("toolchains.x.{path}")), message);
    }
}

#[test]
fn a_check_must_fit_its_commands() {
    let both = format!("\"compile\": {COMPILE}, \"link\": {LINK}");
    let only = format!("\"compile\": {COMPILE}");
    let source = "\"source\": \"x\"";
    for (toolchain, fields, field, message) in [
        (
            &both,
            "\"kind\": ¦\"header\", \"header\": \"a.h\"".to_string(),
            "kind",
            "\"A\": a toolchain with",
        ),
        (
            &both,
            format!("\"kind\": ¦\"preprocesses\", {source}"),
            "kind",
            "compiles, links and runs",
        ),
        (&both, "\"kind\": ¦\"endian\"".into(), "kind", "compiles, links and runs"),
        (
            &only,
            format!("\"kind\": ¦\"links\", {source}"),
            "kind",
            "\"A\": kind \"links\" needs a \"link\"",
        ),
        (
            &only,
            format!("\"kind\": ¦\"runs\", {source}"),
            "kind",
            "\"A\": kind \"runs\" needs a \"link\"",
        ),
        (
            &both,
            format!("\"kind\": \"links\", {source}, \"definitions\": ¦[\"-DX\"]"),
            "definitions",
            "{definitions} in \"compile\"",
        ),
        (
            &both,
            format!("\"kind\": \"links\", {source}, \"args\": ¦[\"-O2\"]"),
            "args",
            "{args} in \"compile\"",
        ),
        (
            &both,
            format!("\"kind\": \"links\", {source}, \"include_dirs\": ¦[\"a\"]"),
            "include_dirs",
            "{args} in \"compile\"",
        ),
        (
            &both,
            format!("\"kind\": \"links\", {source}, \"link_args\": ¦[\"-lm\"]"),
            "link_args",
            "{link_args} in \"link\"",
        ),
        (
            &only,
            format!("\"kind\": \"compiles\", {source}, \"link_args\": ¦[\"-lm\"]"),
            "link_args",
            "{link_args} in \"link\"",
        ),
    ] {
        let text = format!(
            "{{\"toolchains\": {{\"c\": {{{toolchain}}}}}, \"checks\": [{{\"id\": \"A\",\n{fields}}}]}}"
        );
        assert_refused_at(&text, Some(&format!("checks[0].{field}")), message);
    }
}

#[test]
fn fields_for_explicit_commands_are_refused_elsewhere() {
    for (fields, field, message) in [
        ("\"kind\": \"endian\", \"definitions\": ¦[]", "definitions", "no field \"definitions\""),
        (
            "\"kind\": \"endian\", \"merge_output\": ¦true",
            "merge_output",
            "no field \"merge_output\"",
        ),
        (
            "\"kind\": \"links\", \"source\": \"x\", \"merge_output\": ¦false",
            "merge_output",
            "no field \"merge_output\"",
        ),
        (
            "\"kind\": \"links\", \"source\": \"x\", \"definitions\": ¦[\"-DX\"]",
            "definitions",
            "only a toolchain with \"compile\"",
        ),
        (
            "\"kind\": \"links\", \"source\": \"x\", \"definitions\": [\"-DX\", ¦\"\\u0000\"]",
            "definitions[1]",
            "NUL",
        ),
    ] {
        let text = format!("{{\"checks\": [{{\"id\": \"A\",\n{fields}}}]}}");
        assert_refused_at(&text, Some(&format!("checks[0].{field}")), message);
    }
}

#[test]
fn the_compiler_option_does_not_override_explicit_commands() {
    let request = json!({
        "toolchains": {"c": {"compile": ["cc", "{source}", "{object}"]}},
        "checks": [{"id": "A", "kind": "compiles", "source": "x"}],
    });
    let call = Call::new(["check", "-", "--compiler", &fakecc()]);
    let refusal = call.run_with(request.to_string().as_bytes()).refusal();
    assert_eq!(refusal["path"], "toolchains.c.command");
}
