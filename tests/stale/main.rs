//! Never stale: changes the world at random between two asks, and compares what the store answers
//! with what the compiler says. Where a change does not matter to a question, its answer must still
//! be found: a store that forgets everything would be right, too.
//!
//! `cargo test --test stale` takes `STALE_SECONDS` (16 without it) for four worlds, two with fixed
//! and two with random seeds. `tests/campaign-stale` makes 10,000 changes. A difference is printed
//! with its seed and the last changes; `--seed SEED --changes N` makes the same changes again.
//! `STALE_KEEP` keeps the world of a difference, `STALE_MISSES` lists answers that were not found.
//! Mounts need root, or user namespaces; without these it fails, unless `STALE_MOUNTS=off` says that
//! there are to be none.

#[path = "../support/random.rs"]
mod random;
#[path = "../hostile/sandbox.rs"]
#[allow(dead_code, reason = "the fault table uses all of it")]
mod sandbox;
#[path = "../suite/support.rs"]
#[allow(dead_code, reason = "the suite uses all of it")]
mod support;

mod ask;
mod campaign;
mod change;
mod content;
mod mounts;
mod questions;
mod world;

use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, SystemTime};

use campaign::Figures;
use serde_json::Value;

/// Shares of fewer answers say little.
const MANY: usize = 200;

/// The share of answers that must be found where nothing has changed, in percent.
const ENOUGH: f64 = 95.0;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "--list") {
        println!("stale: test");
        return ExitCode::SUCCESS;
    }
    let number = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        Some(args.get(at + 1)?.parse::<u64>().expect("options are followed by a number"))
    };
    if args.iter().any(|arg| !arg.starts_with('-') && arg.parse::<u64>().is_err()) {
        // The words name a different test.
        return ExitCode::SUCCESS;
    }
    let changes = number("--changes").map(|changes| changes as usize);
    if let Some(seed) = number("--seed") {
        let time = number("--seconds").unwrap_or(u64::from(u32::MAX));
        return one(seed, changes.unwrap_or(usize::MAX), Duration::from_secs(time));
    }
    let jobs = number("--jobs").unwrap_or(2) as usize;
    match number("--first") {
        Some(first) => {
            let each = number("--each").unwrap_or(500) as usize;
            let seeds = changes.unwrap_or(10_000).div_ceil(each) as u64;
            all((first..first + seeds).collect(), Some(each), None, jobs)
        }
        None => {
            let seconds = std::env::var("STALE_SECONDS").ok().and_then(|it| it.parse().ok());
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            let random = (now.as_secs() ^ u64::from(now.subsec_nanos())) & !1;
            // Two of four at a time.
            all(vec![0, 1, random, random + 1], None, Some(seconds.unwrap_or(16) / 2), jobs)
        }
    }
}

/// The compiler of a seed.
fn compiler(seed: u64) -> &'static str {
    if seed.is_multiple_of(2) { "gcc" } else { "clang" }
}

/// Whether mounts are among the changes.
fn may_mount() -> bool {
    std::env::var_os("STALE_MOUNTS").is_none_or(|value| value != "off")
}

/// One campaign, whose figures are printed as JSON.
fn one(seed: u64, changes: usize, time: Duration) -> ExitCode {
    let may_mount = may_mount();
    if may_mount && let Err(why) = sandbox::enter() {
        eprintln!("stale: {why}; STALE_MOUNTS=off does without mounts");
        return ExitCode::FAILURE;
    }
    let figures = campaign::run(compiler(seed), seed, changes, time, may_mount);
    println!("{}", figures.to_json());
    if figures.differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Campaigns with these seeds, some at once, each in a process of its own.
fn all(seeds: Vec<u64>, changes: Option<usize>, seconds: Option<u64>, jobs: usize) -> ExitCode {
    let start = |seed: u64| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("--seed").arg(seed.to_string()).stdout(Stdio::piped());
        if let Some(changes) = changes {
            command.arg("--changes").arg(changes.to_string());
        }
        if let Some(seconds) = seconds {
            command.arg("--seconds").arg(seconds.to_string());
        }
        (seed, command.spawn().unwrap())
    };
    let mut figures = Figures::default();
    let mut failed = Vec::new();
    let mut running: Vec<(u64, Child)> = Vec::new();
    let mut waiting = seeds.into_iter();
    loop {
        while running.len() < jobs.max(1)
            && let Some(seed) = waiting.next()
        {
            running.push(start(seed));
        }
        if running.is_empty() {
            break;
        }
        let ended = running.iter_mut().position(|(_, child)| child.try_wait().unwrap().is_some());
        let Some(ended) = ended else {
            std::thread::sleep(Duration::from_millis(20));
            continue;
        };
        let (seed, child) = running.remove(ended);
        let output = child.wait_with_output().unwrap();
        let counted: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        println!("seed {seed} ({}): {counted}", compiler(seed));
        figures.add(&counted);
        if !output.status.success() {
            failed.push(seed);
        }
    }
    summary(&figures, &failed)
}

fn summary(figures: &Figures, failed: &[u64]) -> ExitCode {
    let Figures { changes, mounts, asked, stored, judged, differences, found_again, .. } = figures;
    println!(
        "{changes} changes, {asked} questions, {stored} answers from the store, {judged} judged by \
         the compiler: {differences} differences"
    );
    match may_mount() {
        true => println!("{mounts} of the changes were mounts"),
        false => println!("NO MOUNTS were among the changes: STALE_MOUNTS is off"),
    }
    println!(
        "Of the yes and no to questions that were asked before and may look at nothing that has \
         changed since (without what is never kept), the store had"
    );
    for (mode, name) in ["alone", "with shared commands"].into_iter().enumerate() {
        let (percent, found, all) =
            (figures.precision(mode), figures.found[mode], figures.untouched[mode]);
        println!("  {name}: {percent:.2} % ({found} of {all})");
    }
    println!(
        "and {found_again} others, of which something had changed and was as before, or did not matter"
    );
    if !failed.is_empty() {
        println!("failed: seeds {failed:?}");
        return ExitCode::FAILURE;
    }
    let is_enough = |mode| figures.precision(mode) >= ENOUGH || figures.untouched[mode] < MANY;
    if !(0..2).all(is_enough) {
        println!("that is less than {ENOUGH} %");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
