//! Compares the answers of random batches with the answers of each check alone:
//! `cargo bench --bench campaign -- BATCHES [SEED]`. Prints every difference with the whole
//! request; the exit status is then 1.
//!
//! The same checks recur in different batches. The answer of a check alone (`--no-fuse`) depends
//! only on the check, its toolchain and the compiler, so it is computed once per run and cached
//! under these. Every 50th batch recomputes all of its answers to validate the cache.

#[path = "../tests/support/random_batches/mod.rs"]
mod random_batches;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use random_batches::alone::{Alone, Asked, together};
use random_batches::{Batch, Batches};

const TRYALL: &str = env!("CARGO_BIN_EXE_tryall");

/// The number of batches after which the missing single answers are computed together. The last
/// batch of each series recomputes all of its answers.
const WINDOW: usize = 50;

/// The number of differences to print in full.
const TOLD: usize = 20;

/// Counts for one compiler, or for all.
#[derive(Default)]
struct Count {
    batches: usize,
    checks: usize,
    shared: usize,
    commands: u64,
    differences: usize,
}

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).filter_map(|arg| arg.parse().ok());
    let count: u64 = numbers.next().unwrap_or(1000);
    let seed = numbers.next().unwrap_or(1);
    println!("{count} batches of seed {seed}");
    match run(count as usize, seed) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            println!("no answer, with seed {seed}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the number of differences.
fn run(count: usize, seed: u64) -> Result<usize, String> {
    let started = Instant::now();
    let mut batches = Batches::new(seed, Path::new(env!("CARGO_TARGET_TMPDIR")));
    let mut alone = Alone::new(TRYALL);
    let mut counts = BTreeMap::<&str, Count>::new();
    let (mut done, mut afresh) = (0, 0);
    while done < count {
        let window = (0..WINDOW.min(count - done)).map(|_| batches.next()).collect();
        let asked = ask_all(window)?;
        alone.learn(&asked)?;
        for (batch, asked) in &asked {
            done += 1;
            let mut compared = alone.compare(batch, asked);
            if done % WINDOW == 0 {
                afresh += asked.results.len();
                compared.differences.extend(alone.afresh(batch, asked)?);
            }
            let count = counts.entry(batch.compiler).or_default();
            for difference in &compared.differences {
                count.differences += 1;
                if count.differences <= TOLD {
                    println!("batch {done} of seed {seed} differs: {difference}");
                }
            }
            count.batches += 1;
            count.checks += compared.answers;
            count.shared += compared.fused;
            count.commands += asked.commands;
        }
        let all = Count {
            batches: done,
            checks: counts.values().map(|count| count.checks).sum(),
            shared: counts.values().map(|count| count.shared).sum(),
            commands: counts.values().map(|count| count.commands).sum(),
            differences: counts.values().map(|count| count.differences).sum(),
        };
        if done % (2 * WINDOW) == 0 || done == count {
            let (seconds, known) = (started.elapsed().as_secs(), alone.known());
            println!("{seconds} s: {}; {known} known alone", describe(&all));
        }
        if done == count {
            println!(
                "seed {seed}, done: {}; alone {} compiler commands for {} checks and {afresh} \
                 afresh",
                describe(&all),
                alone.commands,
                alone.known(),
            );
            for (compiler, count) in &counts {
                println!("{compiler}: {}", describe(count));
            }
            return Ok(all.differences);
        }
    }
    Ok(0)
}

fn describe(count: &Count) -> String {
    let Count { batches, checks, shared, commands, differences } = count;
    format!(
        "{batches} batches, {checks} checks, {shared} of them shared, {commands} compiler \
         commands together, {differences} differences"
    )
}

/// Runs batches, one per core: most batches use only one core for some of the time.
fn ask_all(batches: Vec<Batch>) -> Result<Vec<(Batch, Asked)>, String> {
    let next = AtomicUsize::new(0);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let worker = || {
        let mut asked = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(batch) = batches.get(place) else { return asked };
            asked.push((place, together(TRYALL, batch)));
        }
    };
    let mut asked: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("it does not panic")).collect()
    });
    asked.sort_by_key(|(place, _)| *place);
    std::iter::zip(batches, asked).map(|(batch, (_, asked))| Ok((batch, asked?))).collect()
}
