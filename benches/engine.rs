//! Measures the engine's overhead: `cargo bench --bench engine [-- ROUNDS]`.
//!
//! This benchmark measures all performance limits of the project; no test measures time. A plain
//! serial loop and the engine run the same compiler commands in alternation, so that a machine that
//! slows down affects both.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

#[path = "support/mod.rs"]
mod support;

use support::{TRYALL, Used, report, run, tryall};

fn main() -> ExitCode {
    let rounds = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(9);
    let mut good = true;
    good &= batch(rounds);
    good &= shared(rounds);
    good &= start_up(rounds);
    good &= many_checks(rounds);
    good &= size();
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The commands of a batch, each with the directory that holds its source.
struct Bare {
    _dir: tempfile::TempDir,
    commands: Vec<(PathBuf, Vec<String>, bool)>,
}

impl Bare {
    /// Extracts the commands from a response.
    fn of(response: &Value) -> Self {
        let dir =
            tempfile::tempdir_in(if Path::new("/dev/shm").exists() { "/dev/shm" } else { "/tmp" })
                .unwrap();
        let mut commands = Vec::new();
        for (index, result) in response["results"].as_array().unwrap().iter().enumerate() {
            let command: Vec<String> = serde_json::from_value(result["command"].clone()).unwrap();
            let (false, "run") = (command.is_empty(), result["how"].as_str().unwrap()) else {
                continue;
            };
            let room = dir.path().join(index.to_string());
            fs::create_dir(&room).unwrap();
            if let Some(source) = result["source"].as_str() {
                let name = command.iter().find(|word| word.starts_with("conftest.")).unwrap();
                fs::write(room.join(name), source).unwrap();
            }
            let runs = !result["value"]["stdout"].is_null();
            commands.push((room, command, runs));
        }
        Bare { _dir: dir, commands }
    }

    /// Runs the plain loop. Returns the CPU time of all commands and the wall time of the loop.
    fn run(&self) -> Used {
        let started = Instant::now();
        let mut cpu = Duration::ZERO;
        for (room, command, runs) in &self.commands {
            let quiet = |command: &mut Command| {
                command.current_dir(room).env("LC_ALL", "C").env("TMPDIR", room);
                command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                run(command).0.cpu
            };
            cpu += quiet(Command::new(&command[0]).args(&command[1..]));
            if *runs {
                cpu += quiet(&mut Command::new("./conftest.exe"));
            }
        }
        Used { wall: started.elapsed(), cpu, memory: 0 }
    }
}

/// Compares examples/posix.json with two jobs with the same commands in a plain loop.
fn batch(rounds: usize) -> bool {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/posix.json");
    let args = ["check", example, "-j", "2", "--no-fuse"];
    let (_, response) = tryall(&args, &[]);
    let bare = Bare::of(&response);
    bare.run();
    let (mut wall, mut own, mut serial) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let alone = bare.run();
        let (together, response) = tryall(&args, &[]);
        let compilers = response["summary"]["cpu_ms"].as_f64().unwrap() / 1e3;
        wall.push(together.wall.as_secs_f64() / (alone.cpu.as_secs_f64() / 2.0));
        own.push((together.cpu.as_secs_f64() - compilers) / compilers * 100.0);
        serial.push(alone.wall.as_secs_f64() / together.wall.as_secs_f64());
    }
    println!(
        "examples/posix.json, -j 2, against its {} commands run bare, {rounds} rounds in turn:",
        bare.commands.len()
    );
    let good = report("  wall time / (their CPU time / 2)", &mut wall, Some(1.10), "")
        & report("  the tool's own CPU time, of theirs", &mut own, Some(5.0), " %");
    report("  wall time of the plain loop / wall time", &mut serial, None, "");
    good
}

/// Measures how much sharing saves for examples/posix.json, and how much it costs for a batch whose
/// checks cannot share commands (links with libraries). Alternates runs with and without sharing.
fn shared(rounds: usize) -> bool {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/posix.json");
    let posix: Value = serde_json::from_slice(&fs::read(example).unwrap()).unwrap();
    let link = |n: usize| {
        let source = format!("int main(void) {{ return {n}; }}");
        json!({"id": n.to_string(), "kind": "links", "source": source, "link_args": ["-lm"]})
    };
    let links = json!({"checks": (0..60).map(link).collect::<Vec<_>>()});
    let dir = tempfile::tempdir().unwrap();
    let mut good = true;
    for (name, compiler, mut request, least) in [
        ("examples/posix.json", "gcc", posix.clone(), None),
        ("examples/posix.json", "clang", posix, None),
        ("60 links with a library", "gcc", links, Some(1.03)),
    ] {
        request["toolchains"] = json!({"c": {"command": [compiler]}});
        let file = dir.path().join("request.json");
        fs::write(&file, request.to_string()).unwrap();
        let args = ["check", file.to_str().unwrap(), "-j", "2"];
        let apart_args = [&args[..], &["--no-fuse"]].concat();
        let mut ratios = Vec::new();
        let mut processes = [0, 0];
        for _ in 0..rounds {
            let (apart, alone) = tryall(&apart_args, &[]);
            let (together, fused) = tryall(&args, &[]);
            processes = [alone, fused].map(|r| r["summary"]["processes"].as_u64().unwrap());
            let walls = [&apart, &together].map(|used| used.wall.as_secs_f64());
            ratios.push(match least {
                None => walls[0] / walls[1],
                Some(_) => walls[1] / walls[0],
            });
        }
        let [alone, fused] = processes;
        println!("{name}, {compiler}, -j 2: {alone} commands apart, {fused} where they may share");
        let what = if least.is_none() {
            "  wall time apart / shared"
        } else {
            "  wall time shared / apart"
        };
        good &= report(what, &mut ratios, least, "");
    }
    good
}

fn start_up(rounds: usize) -> bool {
    let mut times = Vec::new();
    for _ in 0..rounds * 10 {
        let (used, _) =
            run(Command::new(TRYALL).arg("--version").stdin(Stdio::null()).stdout(Stdio::null()));
        times.push(used.wall.as_secs_f64() * 1e3);
    }
    report("tryall --version", &mut times, Some(3.0), " ms")
}

/// Ten thousand checks. First with a missing compiler, so that nothing runs and the time is that of
/// parsing, planning and writing. Then with a trivial compiler, so that the memory is tryall's own.
fn many_checks(rounds: usize) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, compiler: &str| {
        let checks: Vec<_> = (0..10_000)
            .map(|i| json!({"id": format!("HAVE_FUNCTION_{i}"), "kind": "function", "function": format!("function_{i}")}))
            .collect();
        let request = json!({"toolchains": {"c": {"command": [compiler]}}, "checks": checks});
        let path = dir.path().join(name);
        fs::write(&path, request.to_string()).unwrap();
        path.to_str().unwrap().to_string()
    };
    let missing = file("missing.json", "/nonexistent/cc");
    let mut times: Vec<_> =
        (0..rounds).map(|_| tryall(&["check", &missing], &[]).0.wall.as_secs_f64() * 1e3).collect();
    let good = report(
        "10,000 checks: read, planned and written, none run",
        &mut times,
        Some(100.0),
        " ms",
    );
    let script = dir.path().join("cc");
    fs::write(&script, "#!/bin/sh\nfor last; do :; done\necho x >\"$last\"\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&script, mode).unwrap();
    let cheap = file("cheap.json", script.to_str().unwrap());
    let (used, response) = tryall(&["check", &cheap], &[]);
    assert_eq!(response["summary"]["yes"], 10_000);
    good & report(
        "10,000 checks run: peak memory",
        &mut [used.memory as f64 / 1024.0],
        Some(64.0),
        " MiB",
    )
}

fn size() -> bool {
    let bytes = fs::metadata(TRYALL).unwrap().len();
    report("size of the program", &mut [bytes as f64 / (1 << 20) as f64], Some(4.5), " MiB")
}
