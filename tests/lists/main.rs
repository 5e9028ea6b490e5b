//! Random list files: small projects that make checks in all ways, each configured by CMake alone and
//! by tryall with an empty store, with a full one and after a change. All that a user can see must be
//! equal. A project that differs is reduced as far as it still does, printed and kept.
//!
//! `cargo test --test lists` makes a few projects, tests/campaign-lists as many as one likes. Project
//! number N of seed S is the first of seed S + N.

#[path = "../support/configured.rs"]
#[allow(dead_code, reason = "other tests use all of it")]
mod configured;
#[path = "../drop_in/dropin.rs"]
#[allow(dead_code, reason = "other tests use all of it")]
mod dropin;
#[path = "../support/frames.rs"]
mod frames;
#[path = "../suite/processes.rs"]
#[allow(dead_code, reason = "the suite uses all of it")]
mod processes;
#[path = "../support/random.rs"]
mod random;
#[path = "../support/summary.rs"]
mod summary;
#[path = "../suite/support.rs"]
#[allow(dead_code, reason = "the suite uses all of it")]
mod support;

mod compare;
mod grammar;
mod project;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use compare::{Again, Outcome, Setup, outcome};
use grammar::{Grammar, Maker};
use project::Project;
use random::Random;

/// What all projects came to.
#[derive(Debug, Default)]
struct Figures {
    files: u32,
    failed: u32,
    checks: u32,
    by_tryall: u32,
    different: Vec<u64>,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "--list") {
        println!("lists: test");
        return ExitCode::SUCCESS;
    }
    let value = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        Some(args.get(at + 1).expect("options are followed by a value"))
    };
    let number = |name: &str, default: u64| {
        value(name).map_or(default, |it| it.parse().expect("this option takes a number"))
    };
    if args.first().is_some_and(|arg| !arg.starts_with('-')) {
        // The words name a different test.
        return ExitCode::SUCCESS;
    }
    let (first, count) = (number("--seed", 1), number("--files", 6));
    let kept = value("--keep").map_or_else(|| support::root().join("target/lists"), PathBuf::from);
    let next = AtomicU64::new(first);
    let figures = Mutex::new(Figures::default());
    let (grammar, cmakes) = (Grammar::new(), cmakes());
    std::thread::scope(|scope| {
        for _ in 0..number("--jobs", 2) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        break;
                    }
                    one(seed, &grammar, &cmakes, &kept, &figures);
                }
            });
        }
    });
    summary(&figures.into_inner().unwrap())
}

/// All CMakes with their versions.
fn cmakes() -> [(PathBuf, (u32, u32)); 4] {
    dropin::all_cmakes().map(|cmake| {
        let output = Command::new(&cmake).arg("--version").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let numbers = text.split_whitespace().nth(2).and_then(|version| {
            let mut parts = version.split('.').map(|part| part.parse().ok());
            Some((parts.next()??, parts.next()??))
        });
        (cmake, numbers.expect("CMake prints its version"))
    })
}

/// Makes and compares the project of a seed.
fn one(
    seed: u64,
    grammar: &Grammar,
    cmakes: &[(PathBuf, (u32, u32))],
    kept: &Path,
    figures: &Mutex<Figures>,
) {
    let mut random = Random::seeded(seed);
    let (cmake, version) = cmakes[random.below(cmakes.len())].clone();
    let setup = Setup {
        cmake,
        generator: ["Ninja", "Unix Makefiles"][random.below(2)],
        by_tryall: random.below(4) > 0,
        again: [Again::Fresh, Again::Same, Again::Same, Again::Plain][random.below(4)],
    };
    let languages = ["C", "C", "C", "C CXX", "C CXX", "C CXX", "C CXX", "C CXX Fortran"];
    let languages = languages[random.below(languages.len())];
    let mut maker = Maker { grammar, random, version, languages, count: 0 };
    let mut project = maker.project();
    project.change(&mut maker);
    let outcome = outcome(&project, &setup);
    let mut figures_now = figures.lock().unwrap();
    figures_now.files += 1;
    figures_now.failed += u32::from(outcome.failed);
    figures_now.checks += outcome.checks;
    figures_now.by_tryall += outcome.by_tryall;
    if figures_now.files.is_multiple_of(20) {
        println!("{figures_now:?}");
    }
    if outcome.different.is_some() {
        figures_now.different.push(seed);
        drop(figures_now);
        report(seed, project, &setup, outcome, kept);
    }
}

/// Reduces a project that differs, prints and keeps it.
fn report(seed: u64, project: Project, setup: &Setup, first: Outcome, kept: &Path) {
    let (way, differences) = first.different.as_ref().expect("it differs");
    println!("seed {seed} differs {way}: {}; it is being reduced", differences[0]);
    let reduced = project.reduced(|fewer| outcome(fewer, setup).is_like(&first));
    let last = outcome(&reduced, setup);
    let (way, differences) = last.different.or(first.different).expect("it differed");
    let mut text = format!("seed {seed}, {way}, {setup:?}\n");
    for difference in differences.iter().take(12) {
        text += &format!("{difference}\n");
    }
    let dir = kept.join(seed.to_string());
    let _ = fs::remove_dir_all(&dir);
    for (state, files) in [("before", reduced.before()), ("after", reduced.after())] {
        for (name, content) in files.iter().filter(|(_, content)| !content.is_empty()) {
            let path = dir.join(state).join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
            let is_new = state == "before" || reduced.before().get(name) != Some(content);
            if is_new {
                text += &format!("--- {state}/{name}\n{content}");
            }
        }
    }
    fs::write(dir.join("differences"), &text).unwrap();
    println!("DIFFERENCE: {text}--- kept in {}", dir.display());
}

fn summary(figures: &Figures) -> ExitCode {
    let Figures { files, failed, checks, by_tryall, different } = figures;
    println!(
        "{files} projects, of which CMake fails to configure {failed}; {checks} checks, {by_tryall} \
         answered by tryall; {} projects differ",
        different.len()
    );
    if !different.is_empty() {
        println!("seeds that differ: {different:?}");
        return ExitCode::FAILURE;
    }
    // What CMake does itself, or not at all, compares nothing.
    let is_telling = *by_tryall * 3 > *checks && failed * 3 <= *files;
    if is_telling { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
