//! Compares the answers to the examples with those of a plain serial loop, which relies only on the
//! compiler's exit status.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::*;
use serde_json::Value;

/// The plain loop's answer to one check: whether its command succeeds now.
fn alone(result: &Value) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let command: Vec<String> = serde_json::from_value(result["command"].clone()).unwrap();
    let name = command.iter().find(|word| word.starts_with("conftest.")).unwrap();
    write(dir.path(), name, result["source"].as_str().unwrap());
    let succeeds = |program: &str, args: &[String]| {
        let mut command = Command::new(program);
        command.args(args).current_dir(dir.path()).env("LC_ALL", "C");
        command.stdin(Stdio::null()).output().unwrap()
    };
    let compiled = succeeds(&command[0], &command[1..]);
    let mut yes = compiled.status.success();
    if yes && command.contains(&"conftest.exe".to_string()) && !result["value"]["stdout"].is_null()
    {
        let ran = succeeds(Path::new("./conftest.exe").to_str().unwrap(), &[]);
        yes = ran.status.success();
        assert_eq!(
            String::from_utf8(ran.stdout).unwrap(),
            result["value"]["stdout"].as_str().unwrap()
        );
    }
    yes
}

/// Runs an example and compares. Returns the numbers of yeses and noes.
fn compare(example: &str, args: &[&str]) -> (usize, usize) {
    // Shared answers have no command of their own; `fuse` compares them.
    let ran = Call::new(["check", example, "--no-fuse"]).args(args).run();
    assert_eq!(ran.code(), 0, "{ran:?}");
    let response = ran.json();
    let results = response["results"].as_array().unwrap();
    let request: Value = serde_json::from_str(&read(example)).unwrap();
    let ids = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap().into()).collect()
    };
    assert_eq!(
        ids(&request["checks"]),
        ids(&response["results"]),
        "the order is that of the request"
    );

    let (mut yes, mut no) = (0, 0);
    for result in results {
        let (id, status) = (&result["id"], result["status"].as_str().unwrap());
        // The plain loop sees only the exit status, not the messages.
        let said = result["reason"].as_str();
        match status {
            "skipped" => continue,
            "no" if said.is_some() => {
                no += 1;
                continue;
            }
            "yes" => yes += 1,
            "no" => no += 1,
            _ => panic!("{result}"),
        }
        assert_eq!(status == "yes", alone(result), "{id}: {result}");
    }
    (yes, no)
}

#[test]
fn posix_with_gcc() {
    need("gcc");
    let (yes, no) = compare("examples/posix.json", &["--compiler", "gcc"]);
    assert!(yes > 100 && no > 20, "{yes} yes, {no} no");
}

#[test]
fn posix_with_clang() {
    need("clang");
    let (yes, no) = compare("examples/posix.json", &["--compiler", "clang"]);
    assert!(yes > 100 && no > 20, "{yes} yes, {no} no");
}

#[test]
fn fortran_with_gfortran() {
    need("gfortran");
    let (yes, no) =
        compare("examples/fortran.json", &["--language", "fortran", "--compiler", "gfortran"]);
    assert!(yes >= 10 && no >= 3, "{yes} yes, {no} no");
}

/// Sizes and values printed by a running program: an oracle that shares nothing with tryall's
/// method.
#[test]
fn values_match_a_printing_program() {
    let ran = Call::new(["check", "examples/posix.json"]).arg("--compiler").arg(need("gcc")).run();
    let response = ran.json();
    let request: Value = serde_json::from_str(&read("examples/posix.json")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut compared = 0;
    for (check, result) in std::iter::zip(
        request["checks"].as_array().unwrap(),
        response["results"].as_array().unwrap(),
    ) {
        let expression = match check["kind"].as_str().unwrap() {
            "sizeof" => format!("sizeof({})", check["type"].as_str().unwrap()),
            "compute_int" => check["expression"].as_str().unwrap().to_string(),
            _ => continue,
        };
        if result["status"] != "yes" {
            continue;
        }
        let headers = check["headers"].as_array().cloned().unwrap_or_default();
        let includes: String = headers
            .iter()
            .map(|header| format!("#include <{}>\n", header.as_str().unwrap()))
            .collect();
        let prefix = check["prefix"].as_str().unwrap_or_default();
        let source = format!(
            "{includes}{prefix}\n#include <stdio.h>\nint main(void) {{ printf(\"%lld\", (long long)({expression})); return 0; }}\n"
        );
        let file = write(dir.path(), "print.c", &source);
        let args: Vec<String> = check["args"]
            .as_array()
            .map(|args| args.iter().map(|arg| arg.as_str().unwrap().into()).collect())
            .unwrap_or_default();
        let program = dir.path().join("print");
        assert!(
            Command::new("gcc")
                .args(args)
                .arg(file)
                .arg("-o")
                .arg(&program)
                .status()
                .unwrap()
                .success()
        );
        let printed = String::from_utf8(Command::new(&program).output().unwrap().stdout).unwrap();
        assert_eq!(result["value"].to_string(), printed, "{}", result["id"]);
        compared += 1;
    }
    assert!(compared >= 10, "only {compared} values");
}
