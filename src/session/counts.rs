//! Figures for the summary.

use std::collections::BTreeMap;
use std::time::Duration;

use super::refusal::Refusal;
use super::reply::Script;

/// What happened so far.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Answers from the store.
    pub stored: usize,
    /// Answers that were asked ahead.
    pub foreseen: usize,
    /// Answers for which CMake waited.
    pub asked: usize,
    /// Calls that CMake has answered, by reason.
    pub left: BTreeMap<Refusal, usize>,
    /// How long CMake has waited.
    pub waited: Duration,
}

impl Counts {
    /// Counts a call that CMake answers.
    pub(super) fn leave(&mut self, why: Refusal) {
        // Only when CMake finds out about a compiler, nobody has asked.
        if why != Refusal::Internal {
            *self.left.entry(why).or_default() += 1;
        }
    }

    /// The script that prints the summary, after what there is to say about the store.
    pub(super) fn summary(&self, notes: impl Iterator<Item = String>) -> String {
        let Counts { stored, foreseen, asked, left, waited } = self;
        let by_cmake: usize = left.values().sum();
        let all = stored + foreseen + asked + by_cmake;
        if all == 0 {
            return String::new();
        }
        let reasons: Vec<_> =
            left.iter().map(|(why, count)| format!("{}: {count}", why.text())).collect();
        let mut parts: Vec<_> = [(stored, "stored"), (foreseen, "foreseen"), (asked, "asked")]
            .into_iter()
            .filter(|(count, _)| **count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        if by_cmake > 0 {
            parts.push(format!("{by_cmake} by CMake ({})", reasons.join(", ")));
        }
        let checks = if all == 1 { "check" } else { "checks" };
        let seconds = waited.as_secs_f64();
        let text = format!("tryall: {all} {checks}: {}; {seconds:.1} s", parts.join(", "));
        let mut script = Script::default();
        for note in notes {
            script.call("message", &["STATUS", &format!("tryall: {note}")]);
        }
        script.call("message", &["STATUS", &text]);
        script.into_text()
    }
}
