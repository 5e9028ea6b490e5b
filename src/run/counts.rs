//! Figures for the summary of a run.

use std::collections::BTreeMap;
use std::time::Duration;

/// What happened so far.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Commands answered from the store.
    pub stored: usize,
    /// Commands for which the compiler ran, watched.
    pub asked: usize,
    /// Commands that became the compiler, by reason.
    pub passed: BTreeMap<String, usize>,
    /// How long the watched commands took.
    pub waited: Duration,
    /// Stored answers that were compared with the compiler, and what differs.
    pub compared: usize,
    /// What differs from the compiler.
    pub differences: Vec<String>,
}

impl Counts {
    /// Counts a command that became the compiler.
    pub(super) fn pass(&mut self, why: &str) {
        *self.passed.entry(why.into()).or_default() += 1;
    }

    /// The lines at the end, for people.
    pub(super) fn lines(&self) -> Vec<String> {
        let Counts { stored, asked, passed, waited, compared, differences } = self;
        let passed_on: usize = passed.values().sum();
        let all = stored + asked + compared + passed_on;
        let mut lines = Vec::new();
        for difference in differences {
            lines.push(format!(
                "tryall: the compiler does not do what the store says: {difference}"
            ));
        }
        if all == 0 {
            return lines;
        }
        let mut parts = Vec::new();
        for (count, what) in [(stored, "stored"), (asked, "asked"), (compared, "compared")] {
            if *count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        if passed_on > 0 {
            let reasons: Vec<_> =
                passed.iter().map(|(why, count)| format!("{why}: {count}")).collect();
            parts.push(format!("{passed_on} passed on ({})", reasons.join(", ")));
        }
        let calls = if all == 1 { "compiler call" } else { "compiler calls" };
        let seconds = waited.as_secs_f64();
        lines.push(format!("tryall: {all} {calls}: {}; {seconds:.1} s", parts.join(", ")));
        lines
    }
}
