//! `tryall bench`: measures how much faster checks run concurrently, with which technique, and how
//! close that is to the machine's limit.

mod comparison;
mod format;
mod measurement;
pub(crate) mod peer;
pub(crate) mod result;
#[cfg(test)]
mod sample;
pub(crate) mod strategy;
pub(crate) mod suite;
pub(crate) mod svg;
pub(crate) mod table;
pub(crate) mod task;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use measurement::Measurement;
use peer::Peer;
use result::{Machine, Report};
use strategy::Strategy;
use suite::Suite;

use crate::exec::slots::cores;
use crate::exec::trace::Span;
use crate::os;

/// The version of the exported format.
pub(crate) const VERSION: u32 = 1;

/// What to measure.
pub(crate) struct Plan {
    /// The suites, each with its compiler.
    pub suites: Vec<Suite>,
    /// Repetitions of each check in a round. By default 8 for the Fortran suite, as in the
    /// benchmark that it reproduces, else 1.
    pub repeat: Option<usize>,
    /// Measured rounds, after one warm-up round.
    pub rounds: usize,
    /// Numbers of concurrent commands to measure.
    pub widths: Vec<usize>,
    /// The strategies, `serial` first.
    pub strategies: Vec<Strategy>,
    /// Other programs to compare with.
    pub peers: Vec<Peer>,
    /// The command line, for the record.
    pub command: Vec<String>,
}

impl Plan {
    /// Repetitions of each check of a suite in a round.
    fn repeat(&self, suite: &Suite) -> usize {
        self.repeat.unwrap_or(if suite.name == "fortran" { 8 } else { 1 })
    }

    /// The total number of tasks.
    pub(crate) fn steps(&self) -> usize {
        let tasks: usize =
            self.suites.iter().map(|suite| suite.tasks.len() * self.repeat(suite)).sum();
        tasks * self.widths.len() * (self.strategies.len() + self.peers.len()) * (self.rounds + 1)
    }
}

/// Reports progress.
pub(crate) trait Progress: Sync {
    /// The measurement of a row begins.
    fn begin(&self, what: &str);
    /// A task is done.
    fn advance(&self);
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Two strategies had different answers, so one of them is wrong.
    #[error("{check}: {first} answers {one} and {second} answers {other}; one of them is wrong")]
    Difference {
        /// The check.
        check: String,
        /// The first strategy.
        first: String,
        /// Its answer.
        one: String,
        /// The strategy that differs.
        second: String,
        /// Its answer.
        other: String,
    },
    /// Something could not be run.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Runs the benchmark. Returns the report and the processes of the first measured round.
pub(crate) fn run(
    plan: &Plan,
    progress: &dyn Progress,
    interrupted: &AtomicBool,
) -> Result<(Report, Vec<Span>), Failure> {
    os::raise_file_limit();
    let mut benches = Vec::new();
    let mut spans = Vec::new();
    for suite in &plan.suites {
        for &jobs in &plan.widths {
            let mut measurement = Measurement::new(plan, suite, jobs)?;
            measurement.run(plan.rounds, progress, interrupted, &mut spans)?;
            benches.push(measurement.bench());
        }
    }
    let report = Report {
        version: VERSION,
        tryall: env!("CARGO_PKG_VERSION").into(),
        command: plan.command.clone(),
        machine: machine(),
        benches,
        interrupted: interrupted.load(Ordering::Relaxed),
    };
    Ok((report, spans))
}

fn machine() -> Machine {
    Machine {
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        processor: os::processor(),
        cores: cores(),
    }
}
