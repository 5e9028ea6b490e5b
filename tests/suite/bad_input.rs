//! Unusable requests: status 2, one clear message with a location, and nothing runs.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use crate::support::*;
use serde_json::{Value, json};

/// Runs a call whose compiler writes a log. Returns the run and whether the compiler ran.
fn logged(call: Call, stdin: &[u8]) -> (Ran, bool) {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let call = call.env("CC", fakecc()).env("CFLAGS", format!("--fake-log={}", log.display()));
    let ran = call.run_with(stdin);
    (ran, log.exists())
}

/// The error of a call that must be refused before anything runs.
fn refused_call(call: Call, stdin: &[u8]) -> Value {
    let (ran, started) = logged(call, stdin);
    let complaint = ran.refusal();
    assert!(!started, "a compiler was run: {ran:?}");
    assert_eq!(ran.stderr.lines().count(), 1, "one message: {ran:?}");
    assert_eq!(ran.stdout.lines().count(), 1, "one complaint: {ran:?}");
    complaint
}

pub fn refused(stdin: impl AsRef<[u8]>) -> Value {
    refused_call(Call::new(["check", "-"]), stdin.as_ref())
}

/// Refuses a text in which `¦` precedes the error; the reported location must match.
pub fn assert_refused_at(text: &str, path: Option<&str>, message: &str) {
    let before = text.split('¦').next().unwrap();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
    let complaint = refused(text.replace('¦', ""));
    let told = complaint["message"].as_str().unwrap();
    assert!(told.contains(message), "{text}: {told}");
    assert_eq!(complaint["path"], json!(path), "{text}: {complaint}");
    assert_eq!(
        (&complaint["line"], &complaint["column"]),
        (&json!(line), &json!(column)),
        "{text}"
    );
}

#[test]
fn the_log_records_commands() {
    let stdin = br#"{"checks": [{"id": "A", "kind": "compiles", "source": "x"}]}"#;
    let (ran, started) = logged(Call::new(["check", "-"]), stdin);
    assert_eq!(ran.code(), 0, "{ran:?}");
    assert!(started, "the tests of this file rest on this log");
}

#[test]
fn empty_input_is_refused() {
    for nothing in ["", " ", "\n\n\t\r\n", "\u{feff}", "\u{feff} \n"] {
        let complaint = refused(nothing);
        assert!(complaint["message"].as_str().unwrap().contains("empty"), "{nothing:?}");
    }
}

#[test]
fn invalid_json_is_located() {
    for (text, path, message) in [
        ("¦hello", None, "not JSON"),
        ("{\"checks\": []} ¦x", None, "trailing"),
        ("{\"checks\": []}\n¦{\"checks\": []}", None, "trailing"),
        ("{\"checks\": [],¦}", None, "trailing comma"),
        ("{\"checks\": [\n{\"id\": \"äöü\" ¦x}]}", Some("checks[0]"), "not JSON"),
        ("{\"version\": ¦NaN, \"checks\": []}", Some("version"), "not JSON"),
        ("{\"timeout\": ¦Infinity, \"checks\": []}", Some("timeout"), "no such number"),
        ("¦// a batch\n{\"checks\": []}", None, "no comments"),
        ("{\"checks\": [ ¦# none\n]}", Some("checks[0]"), "no comments"),
        ("{\"checks\": [] ¦/* x */}", None, "no comments"),
        ("{\"checks\": [{\"id\": ¦'A'}]}", Some("checks[0].id"), "double quotes"),
        ("{¦'checks': []}", None, "double quotes"),
        ("{¦checks: []}", None, "double quotes"),
        ("{\"checks\": [], \"jobs\": ¦None}", Some("jobs"), "lower case"),
        ("{\"checks\": [{\"id\": \"A\",¦}]}", Some("checks[0]"), "remove the comma"),
        ("{\"checks\": ¦yes}", Some("checks"), "expected a value"),
        (
            "{\"checks\": [{\"id\": \"A\" ¦\"kind\": \"endian\"}]}",
            Some("checks[0]"),
            "expected a comma",
        ),
    ] {
        assert_refused_at(text, path, message);
    }
}

#[test]
fn every_prefix_of_a_request_is_refused() {
    let whole = "{\"checks\":\n[{\"id\":\"é\",\"kind\":\"compiles\",\"source\":\"x\"}]}".as_bytes();
    assert_eq!(logged(Call::new(["check", "-"]), whole).0.code(), 0);
    for end in 0..whole.len() {
        let complaint = refused(&whole[..end]);
        if let Some(line) = complaint["line"].as_u64() {
            assert!(line <= 2, "{end}: {complaint}");
        }
    }
}

#[test]
fn unknown_names_are_located_with_a_suggestion() {
    for (text, path, message) in [
        (
            "{\"checks\": [\n  {\"id\": \"é\", \"kind\": ¦\"heder\"}]}",
            "checks[0].kind",
            "unknown kind \"heder\"; did you mean \"header\"?",
        ),
        ("{\"checks\": [{\"id\": \"A\", \"kind\": ¦\"zzz\"}]}", "checks[0].kind", "known: header,"),
        ("{\"chekcs\": ¦[]}", "chekcs", "unknown field \"chekcs\"; did you mean \"checks\"?"),
        (
            "{\"toolchains\": {\"c\": {\n\"comand\": ¦[\"cc\"]}}, \"checks\": []}",
            "toolchains.c.comand",
            "did you mean \"command\"?",
        ),
        (
            "{\"checks\": [{\"id\": \"A\", \"kind\": \"header\", \"headr\": ¦\"a.h\"}]}",
            "checks[0].headr",
            "did you mean \"header\"?",
        ),
        (
            "{\"checks\": [{\"id\": \"A\", \"kind\": \"endian\", \"language\": ¦\"cobol\"}]}",
            "checks[0].language",
            "unknown language \"cobol\"",
        ),
        (
            "{\"checks\": [{\"id\": \"A\", \"kind\": \"header\", \"header\": \"a.h\", \"stage\": ¦\"lnik\"}]}",
            "checks[0].stage",
            "unknown stage \"lnik\"; known: compile, preprocess",
        ),
        (
            "{\"checks\": [{\"id\": \"HAVE_A\", \"kind\": \"endian\", \"needs\": []}, {\"id\": \"B\", \"kind\": \"endian\", \"needs\": [\"HAVE_A\", ¦\"HAVE_AA\"]}]}",
            "checks[1].needs[1]",
            "no check has the id \"HAVE_AA\"; did you mean \"HAVE_A\"?",
        ),
        (
            "{\"toolchains\": {\"x\": {}}, \"checks\": [{\"id\": \"A\", \"kind\": \"endian\", \"toolchain\": ¦\"y\"}]}",
            "checks[0].toolchain",
            "no toolchain has the name \"y\"; known: x",
        ),
    ] {
        assert_refused_at(text, Some(path), message);
    }
}

#[test]
fn other_versions_are_refused() {
    for version in ["2", "0", "4294967295"] {
        let text = format!("{{\"checks\": [], \"version\": ¦{version}}}");
        assert_refused_at(&text, Some("version"), "supports version 1");
    }
}

#[test]
fn cycles_of_needs_name_all_members() {
    let needs = |needs: &[(&str, &[&str])]| {
        let check = |(id, needs): &(&str, &[&str])| json!({"id": id, "kind": "compiles", "source": "x", "needs": needs});
        let checks: Vec<_> = needs.iter().map(check).collect();
        refused(json!({ "checks": checks }).to_string())
    };
    let own = needs(&[("A", &["A"])]);
    assert!(own["message"].as_str().unwrap().ends_with("circle: A -> A"), "{own}");
    assert_eq!(own["path"], "checks[0].needs");
    let three = needs(&[("X", &["B"]), ("A", &["B"]), ("B", &["C"]), ("C", &["A"])]);
    assert!(three["message"].as_str().unwrap().ends_with("circle: B -> C -> A -> B"), "{three}");
    assert_eq!(three["path"], "checks[2].needs", "X is no part of it");
}

#[test]
fn oversized_requests_are_refused_and_the_largest_is_accepted() {
    let request = |bytes: usize| {
        let mut text = br#"{"checks": []}"#.to_vec();
        text.resize(bytes, b' ');
        text
    };
    for bytes in [(64 << 20) + 1, 100_000_000] {
        let complaint = refused(request(bytes));
        assert!(
            complaint["message"].as_str().unwrap().contains("larger than 64 MiB"),
            "{complaint}"
        );
    }
    let largest = Call::new(["check"]).run_with(&request(64 << 20));
    assert_eq!(largest.code(), 0, "{largest:?}");
}

#[test]
fn deep_nesting_does_no_harm() {
    for unit in ["[", "{\"a\":", "{\"checks\":[", "{\"checks\":[{\"id\":"] {
        refused(unit.repeat(200_000));
    }
}

#[test]
fn encodings_other_than_utf_8_are_reported() {
    let text = "{\"checks\": []}";
    let bad = refused(b"{\"checks\":\n [\"\xc3\xa9\xff\"]}");
    assert_eq!(bad["message"], "the request is not UTF-8");
    assert_eq!((&bad["line"], &bad["column"]), (&json!(2), &json!(5)));
    let units = || text.encode_utf16();
    let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
    for bytes in
        [&little, &big, &[b"\xff\xfe", &little[..]].concat(), &[b"\xfe\xff", &big[..]].concat()]
    {
        let complaint = refused(bytes);
        assert!(complaint["message"].as_str().unwrap().contains("UTF-16"), "{complaint}");
    }
    // A byte order mark, which some editors write.
    assert_eq!(Call::new(["check"]).run_with(format!("\u{feff}{text}").as_bytes()).code(), 0);
    assert_refused_at("{\"chekcs\": ¦[]}", Some("chekcs"), "unknown");
    let marked = refused("\u{feff}{\"chekcs\": []}");
    assert_eq!(marked["column"], 12, "the mark is no column");
}

#[test]
fn request_files_that_cannot_be_read_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for path in
        [dir.path().join("no.json"), dir.path().into(), dir.path().join(OsStr::from_bytes(b"\xff"))]
    {
        let complaint = refused_call(Call::new([OsStr::new("check"), path.as_os_str()]), b"");
        let told = complaint["message"].as_str().unwrap();
        assert!(
            told.contains(&*path.to_string_lossy()) && told.contains("cannot be read"),
            "{told}"
        );
    }
}

#[test]
fn arguments_that_are_not_utf_8_are_refused() {
    for option in [&b"--arg=\xff"[..], b"--sizeof=\xff", b"--format=\xff", b"--\xff"] {
        let call =
            Call::new([OsStr::new("check"), OsStr::new("--endian"), OsStr::from_bytes(option)]);
        let (ran, started) = logged(call, b"");
        assert_eq!(ran.code(), 2, "{ran:?}");
        assert!(!started && ran.stdout.is_empty() && !ran.stderr.is_empty(), "{ran:?}");
    }
}

#[test]
fn an_environment_that_cannot_be_split_is_named() {
    let stdin = br#"{"checks": [{"id": "A", "kind": "endian"}]}"#;
    for (name, value) in [
        ("CC", &b"gcc '"[..]),
        ("CC", b"gcc \""),
        ("CC", b"gcc\xff"),
        ("CFLAGS", b"-DX='"),
        ("CPPFLAGS", b"\""),
        ("LDFLAGS", b"\\"),
    ] {
        let mut call = Call::new(["check"]);
        call.command.env("CC", fakecc()).env(name, OsStr::from_bytes(value));
        let complaint = call.run_with(stdin).refusal();
        assert!(complaint["message"].as_str().unwrap().contains(name), "{complaint}");
        assert_eq!(complaint["path"], "checks[0]");
    }
}

#[test]
fn ids_that_look_like_paths_are_only_names() {
    let ids = ["../../x", "/etc/passwd", ".", "..", "a/b", "-", "--help", "nul", "~", "%s", "$(x)"];
    let checks: Vec<_> =
        ids.iter().map(|id| json!({"id": id, "kind": "compiles", "source": "x"})).collect();
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("a/b");
    std::fs::create_dir_all(&inner).unwrap();
    let stdin = json!({ "checks": checks }).to_string();
    let ran = Call::new(["check"]).dir(&inner).env("CC", fakecc()).run_with(stdin.as_bytes());
    assert_eq!(ran.code(), 0, "{ran:?}");
    ids.iter().for_each(|id| assert_eq!(ran.answer(id), "yes"));
    assert!(!dir.path().join("x").exists() && std::fs::read_dir(&inner).unwrap().next().is_none());
}

#[test]
fn a_refusal_leaves_the_output_file_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "results", "kept");
    let inode = file.metadata().unwrap().ino();
    for format in ["json", "ndjson", "cmake", "keyval", "meson", "header"] {
        let call = Call::new(["check", "-", "--format", format, "--output"]).arg(&file);
        let (ran, started) = logged(call, b"{\"chekcs\": []}");
        assert_eq!((ran.code(), started, ran.stdout.as_str()), (2, false, ""), "{ran:?}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept", "{format}");
        assert_eq!(file.metadata().unwrap().ino(), inode, "{format}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing beside it");
}

/// In no format can a refusal be mistaken for answers or be executed.
#[test]
fn a_refusal_is_recognizable_in_every_format() {
    let nasty = "he\"$(touch x)`touch x`\n${y}@z@ #]] */ \\";
    let stdin = json!({"checks": [{"id": "A", "kind": nasty}]}).to_string();
    let dir = tempfile::tempdir().unwrap();
    let written = |format: &str| {
        let ran = logged(Call::new(["check", "--format", format]), stdin.as_bytes()).0;
        assert_eq!(ran.code(), 2, "{ran:?}");
        write(dir.path(), format, &ran.stdout)
    };
    let run = |program: &str, args: &[&str]| {
        let out = Command::new(need(program)).args(args).current_dir(dir.path()).output().unwrap();
        (
            out.status.success(),
            String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned(),
        )
    };
    written("cmake");
    let (success, told) = run("cmake", &["-P", "cmake"]);
    assert!(!success && told.contains("tryall: checks[0].kind: unknown kind"), "{told}");
    assert!(!told.contains("Parse error") && told.contains("${y}@z@"), "{told}");
    let keyval = std::fs::read_to_string(written("keyval")).unwrap();
    assert!(keyval.lines().count() == 1 && keyval.starts_with("# error: checks[0].kind: "));
    assert_eq!(run("sh", &["./keyval"]), (true, String::new()));
    written("header");
    let (success, told) = run("gcc", &["-E", "-x", "c", "header"]);
    assert!(!success && told.contains("#error") && told.contains("unknown kind"), "{told}");
    assert_eq!(told.matches("error:").count(), 1, "{told}");
    assert!(!dir.path().join("x").exists(), "nothing of it was run");
}
