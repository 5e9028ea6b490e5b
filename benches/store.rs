//! Measures the store: `cargo bench --bench store [-- ROUNDS]`.
//!
//! How long a second run takes whose answers are all in the store, what a first run costs because
//! its commands are watched, and what ten thousand stored answers cost.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use serde_json::{Value, json};

#[path = "support/mod.rs"]
mod support;

use support::{TRYALL, Used, report, run, tryall};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/posix.json");

fn main() -> ExitCode {
    let rounds = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(9);
    let mut good = true;
    good &= second_time(rounds);
    good &= first_time(rounds, &[]);
    good &= first_time(rounds, &["--no-fuse"]);
    good &= many_answers(rounds, &[]);
    good &= many_answers(rounds, &["--no-fuse"]);
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The environment of a run with this store.
fn store(dir: &Path) -> [(&'static str, &str); 1] {
    [("TRYALL_STORE", dir.to_str().expect("temporary directories are UTF-8"))]
}

fn stored(response: &Value) -> u64 {
    response["summary"]["stored"].as_u64().expect("it is a number")
}

/// The 158 checks of the example, of which all that run no program are in the store.
fn second_time(rounds: usize) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let env = store(dir.path());
    let args = ["check", EXAMPLE, "-j", "2"];
    tryall(&args, &env);
    let mut times = Vec::new();
    let mut response = Value::Null;
    for _ in 0..rounds * 3 {
        let used;
        (used, response) = tryall(&args, &env);
        times.push(used.wall.as_secs_f64() * 1e3);
    }
    let (stored, commands) = (stored(&response), &response["summary"]["processes"]);
    println!("examples/posix.json again: {stored} stored, {commands} commands (its programs)");
    report("  wall time", &mut times, Some(15.0), " ms")
}

/// The same checks with an empty store and without one, in turn.
fn first_time(rounds: usize, more: &[&str]) -> bool {
    let args = [&["check", EXAMPLE, "-j", "2"], more].concat();
    let (mut wall, mut cpu) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let dir = tempfile::tempdir().unwrap();
        let env = store(dir.path());
        let without_args = [&args[..], &["--no-store"]].concat();
        let (with, without) = if round % 2 == 0 {
            let with = tryall(&args, &env).0;
            (with, tryall(&without_args, &env).0)
        } else {
            let without = tryall(&without_args, &env).0;
            (tryall(&args, &env).0, without)
        };
        wall.push(with.wall.as_secs_f64() / without.wall.as_secs_f64());
        cpu.push(with.cpu.as_secs_f64() / without.cpu.as_secs_f64());
    }
    println!("{}: an empty store against no store, {rounds} rounds in turn:", args.join(" "));
    let good = report("  wall time", &mut wall, Some(1.06), "");
    report("  CPU time", &mut cpu, None, "");
    good
}

/// Runs tryall with its response in a file. A process starts with the memory of the one that starts
/// it, as far as the system counts, so this one must not read all of a large response.
fn apart(args: &[&str], store: &Path, response: &Path) -> (Used, Value) {
    let file = File::create(response).unwrap();
    let mut command = Command::new(TRYALL);
    command.args(args).env("TRYALL_STORE", store).stdin(Stdio::null()).stdout(file);
    let (used, _) = run(&mut command);
    let mut end = Vec::new();
    let mut file = File::open(response).unwrap();
    file.seek(SeekFrom::End(-400)).unwrap();
    file.read_to_end(&mut end).unwrap();
    let end = String::from_utf8_lossy(&end);
    let (_, summary) = end.split_once("\"summary\":").expect("it is the last line");
    let summary = summary.trim_end().strip_suffix('}').expect("it ends the response");
    (used, serde_json::from_str(summary).expect("the summary is JSON"))
}

/// Ten thousand answers from the store.
fn many_answers(rounds: usize, more: &[&str]) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let (place, response) = (dir.path().join("store"), dir.path().join("response"));
    let checks = (1..=10_000).map(|n| {
        json!({"id": format!("SIZEOF_{n}"), "kind": "sizeof", "type": format!("char [{n}]"),
               "headers": ["stdio.h", "stdlib.h", "unistd.h", "pthread.h"]})
    });
    let request =
        json!({"toolchains": {"c": {"command": ["gcc"]}}, "checks": checks.collect::<Vec<_>>()});
    let file = dir.path().join("request.json");
    fs::write(&file, request.to_string()).unwrap();
    let args = ["check", file.to_str().unwrap(), "-j", "2"];
    let args = [&args, more].concat();
    assert_eq!(apart(&args, &place, &response).1["yes"], 10_000);
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (used, summary) = apart(&args, &place, &response);
        assert_eq!(summary["stored"], 10_000);
        times.push(used.wall.as_secs_f64() * 1e3);
        memory.push(used.memory as f64 / 1024.0);
    }
    println!("10,000 answers from the store {}:", more.concat());
    report("  wall time", &mut times, Some(300.0), " ms")
        & report("  peak memory", &mut memory, Some(64.0), " MiB")
}
