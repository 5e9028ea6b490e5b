//! Measures how much the Meson wrapper saves: `cargo bench --bench meson [-- ROUNDS]`.
//!
//! Each round configures integration/glib three times: without checks, with Meson's own methods,
//! and with one batch. The order rotates, so that a machine that slows down affects all three. The
//! cost of the checks is the difference from the run without checks. All answers must be equal. The
//! exit status is 1 if the median is below the limit.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

/// The required speed-up over Meson's own methods, on two cores.
const PROMISED: f64 = 3.0;

const WAYS: [&str; 3] = ["none", "stock", "batch"];

fn main() -> ExitCode {
    let rounds = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(7);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut gains = Vec::new();
    let mut walls: [Vec<f64>; 3] = Default::default();
    for round in 0..rounds {
        let mut found = [const { None }; 3];
        for turn in 0..WAYS.len() {
            let way = (round + turn) % WAYS.len();
            found[way] = Some(configure(WAYS[way]));
        }
        let [none, stock, batch] = found.map(|found| found.expect("each had its turn"));
        assert_eq!(stock.1, batch.1, "the answers differ");
        for (wall, (seconds, _)) in std::iter::zip(&mut walls, [&none, &stock, &batch]) {
            wall.push(*seconds);
        }
        gains.push((stock.0 - none.0) / (batch.0 - none.0));
    }
    println!("integration/glib, {cores} cores, {rounds} rounds: median (smallest to largest)");
    for (way, wall) in std::iter::zip(WAYS, &mut walls) {
        println!("  meson setup -Dway={way}: {} s", spread(wall));
    }
    let median = spread(&mut gains);
    println!("  time of the checks, stock / batch: {median}");
    let middle = gains[gains.len() / 2];
    if middle >= PROMISED { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Configures the project in one of the ways. Returns the seconds and the `config.h`.
fn configure(way: &str) -> (f64, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let venv = root.join("target/venv/bin");
    let tryall = Path::new(env!("CARGO_BIN_EXE_tryall"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = [tryall.parent().expect("it has a directory").to_path_buf(), venv.clone()];
    let path = std::env::join_paths(dirs.into_iter().chain(std::env::split_paths(&path)));
    let build = tempfile::tempdir().expect("a temporary directory");
    let started = Instant::now();
    let status = Command::new(venv.join("meson"))
        .arg("setup")
        .arg(format!("-Dway={way}"))
        .arg(build.path())
        .arg(root.join("integration/glib"))
        .env("PATH", path.expect("none of them has a colon"))
        .stdout(Stdio::null())
        .status()
        .expect("tests/install installs Meson");
    let seconds = started.elapsed().as_secs_f64();
    assert!(status.success(), "meson setup -Dway={way}: {status}");
    let header = fs::read_to_string(build.path().join("config.h")).expect("the project makes it");
    (seconds, header)
}

/// Median, minimum and maximum.
fn spread(values: &mut [f64]) -> String {
    values.sort_by(f64::total_cmp);
    let [first, .., last] = values else { return format!("{values:.2?}") };
    let (first, last) = (*first, *last);
    format!("{:.2} ({first:.2} to {last:.2})", values[values.len() / 2])
}
