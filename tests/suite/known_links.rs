//! Links that are known to work are not repeated; all others run.

use serde_json::{Value, json};

use crate::support::*;

/// A request whose checks differ only in a comment, so that their object files are equal.
fn request(link: &[&str], sources: &[&str]) -> Value {
    need("gcc");
    let link = [&["gcc", "{object}", "-o", "{program}"], link].concat();
    let checks: Vec<_> = sources
        .iter()
        .enumerate()
        .map(|(n, source)| json!({"id": format!("c{n}"), "kind": "links", "source": source}))
        .collect();
    json!({
        "jobs": 1,
        "toolchains": {"c": {
            "compile": ["gcc", "-o", "{object}", "-c", "{source}"],
            "link": link,
        }},
        "checks": checks,
    })
}

fn processes(ran: &Ran) -> u64 {
    assert_eq!(ran.code(), 0, "{ran:?}");
    ran.json()["summary"]["processes"].as_u64().unwrap()
}

const ONE: &str = "/* one */ int main(void) { return 0; }";
const SAME: &str = "/* two */ int main(void) { return 0; }";
const OTHER: &str = "int main(void) { return 1; }";
const UNDEFINED: &str = "int nowhere(void); int main(void) { return nowhere(); }";

#[test]
fn equal_objects_are_linked_once() {
    let ran = check(&request(&[], &[ONE, SAME, OTHER]));
    assert_eq!(processes(&ran), 5, "three compiles and two links: {ran:?}");
    let steps = ran.result("c1")["steps"].clone();
    assert_eq!(steps[1]["known"], true, "{steps}");
    assert_eq!(steps[1]["command"], json!(["gcc", "conftest.o", "-o", "conftest.exe"]));
    assert_eq!(ran.result("c0")["steps"][1]["known"], Value::Null);
    let apart = check_apart(&request(&[], &[ONE, SAME, OTHER]));
    assert_eq!(processes(&apart), 6, "{apart:?}");
}

#[test]
fn links_with_libraries_run_each_time() {
    assert_eq!(processes(&check(&request(&["-lm"], &[ONE, SAME]))), 4);
}

#[test]
fn a_failed_link_is_not_known() {
    let failing = [UNDEFINED, "/**/int nowhere(void); int main(void) { return nowhere(); }"];
    let ran = check(&request(&[], &failing));
    assert_eq!((ran.answer("c0"), ran.answer("c1")), ("no".into(), "no".into()));
    assert_eq!(processes(&ran), 4);
}

#[test]
fn a_link_with_a_warning_is_not_known() {
    let warns = "#include <stdio.h>\nint main(void) { char b[99]; return !tmpnam(b); }";
    let ran = check(&request(&[], &[warns, &format!("/**/{warns}")]));
    assert_eq!(processes(&ran), 4, "{ran:?}");
    assert!(ran.result("c1")["output"].as_str().unwrap().contains("tmpnam"));
}

#[test]
fn a_requested_program_is_linked() {
    let dir = tempfile::tempdir().unwrap();
    let mut request = request(&[], &[ONE, SAME, ONE]);
    request["checks"][1]["product"] = json!(dir.path().join("program"));
    request["checks"][2]["kind"] = json!("runs");
    let ran = check(&request);
    assert_eq!(processes(&ran), 7, "{ran:?}");
    assert!(dir.path().join("program").exists());
}

#[test]
fn verification_uses_no_known_links() {
    let (call, stdin) = Call::check(&request(&[], &[ONE, SAME]));
    // Two compiles, and one link that is known the second time; then two commands for each check.
    assert_eq!(processes(&call.arg("--verify").run_with(&stdin)), 7);
}

#[test]
fn programs_with_one_working_directory_run_there_one_at_a_time() {
    need("gcc");
    let dir = tempfile::tempdir().unwrap();
    // Each program creates a file that must not exist, and removes it again.
    let source = "#include <fcntl.h>\n#include <unistd.h>\nint main(void) { int f = open(\"lock\", \
                  O_CREAT | O_EXCL | O_WRONLY, 0600); if (f < 0) return 1; usleep(20000); return \
                  unlink(\"lock\"); }";
    let checks: Vec<_> = (0..8)
        .map(|n| {
            json!({"id": format!("c{n}"), "kind": "runs", "run_dir": dir.path(),
                   "source": format!("/* {n} */ {source}")})
        })
        .collect();
    let ran = check_apart(
        &json!({"jobs": 4, "toolchains": {"c": {"command": ["gcc"]}}, "checks": checks}),
    );
    assert_eq!(ran.json()["summary"]["yes"], 8, "{ran:?}");
    let kept = json!({"id": "c", "kind": "runs", "run_dir": dir.path(),
                      "source": "#include <stdio.h>\nint main(void) { return !fopen(\"made\", \"w\"); }"});
    assert_eq!(check_apart(&json!({"checks": [kept]})).answer("c"), "yes");
    assert!(dir.path().join("made").exists());
    let missing = json!({"id": "c", "kind": "runs", "run_dir": "/no/such", "source": ONE});
    let refusal = check_apart(&json!({"checks": [missing]})).refusal();
    assert!(refusal["message"].as_str().unwrap().contains("not a directory"), "{refusal}");
}
