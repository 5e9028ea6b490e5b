//! The record: what the variables of a project were answered last time.
//!
//! Only the scout reads it, and only to guess. So it may be of another time, and of other flags.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::ask::Ask;
use super::recipes::Cmake;
use crate::check::recall::Memory;
use crate::compiler::verdict::Verdict;

/// The answers of the last configure step of a source tree with the same compilers.
#[derive(Debug, Default)]
pub(super) struct Record {
    key: String,
    /// Whether it was yes, by result variable.
    answers: BTreeMap<String, bool>,
    /// What the scout has found out, which is more recent. Nothing if a variable had several answers.
    found: HashMap<String, Option<bool>>,
    /// Variables that were asked for in this configure step.
    asked: HashSet<String>,
    is_changed: bool,
}

impl Record {
    /// The record of the project that asks.
    pub(super) fn of(ask: &Ask, memory: &Memory) -> Record {
        let names = ["CMAKE_HOME_DIRECTORY", "CMAKE_C_COMPILER", "CMAKE_CXX_COMPILER"];
        let key = format!("record\n{}", names.map(|name| ask.variable(name)).join("\n"));
        let words = memory.recipe(&key).unwrap_or_default();
        let answer =
            |word: &String| Some((word.split_at_checked(1)?.1.to_owned(), word.starts_with('y')));
        let answers = words.iter().filter_map(answer).collect();
        Record { key, answers, ..Record::default() }
    }

    /// What a variable is likely to be answered, if that is known.
    pub(super) fn verdict(&self, name: &str) -> Option<Verdict> {
        let known = match self.found.get(name) {
            Some(found) => *found,
            None => self.answers.get(name).copied(),
        };
        known.map(|is_yes| if is_yes { Verdict::Yes } else { Verdict::No })
    }

    /// Takes in what the scout has found out in a round.
    pub(super) fn find(&mut self, found: &[(&str, Verdict)]) {
        let mut all: HashMap<String, Option<bool>> = HashMap::new();
        for (name, verdict) in found {
            let is_yes = Some(*verdict == Verdict::Yes);
            let known = all.entry((*name).to_owned()).or_insert(is_yes);
            *known = is_yes.filter(|_| *known == is_yes);
        }
        self.found.extend(all);
    }

    /// Notes an answer. A variable that is asked for again has more than one.
    pub(super) fn note(&mut self, name: &str, verdict: &Verdict) {
        let is_yes = *verdict == Verdict::Yes;
        if !self.asked.insert(name.to_owned()) {
            self.is_changed |= self.answers.remove(name).is_some();
        } else if self.answers.insert(name.to_owned(), is_yes) != Some(is_yes) {
            self.is_changed = true;
        }
    }

    /// Keeps it for the next configure step.
    pub(super) fn keep(&self, memory: &Memory, cmake: &Cmake) {
        if self.is_changed {
            let word = |(name, is_yes): (&String, &bool)| {
                format!("{}{name}", if *is_yes { 'y' } else { 'n' })
            };
            let words: Vec<_> = self.answers.iter().map(word).collect();
            memory.keep_recipe(&self.key, &words, std::slice::from_ref(&cmake.program));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Place, Store};

    #[test]
    fn what_was_answered_last_time_is_known() {
        let store = tempfile::tempdir().unwrap();
        let memory = || Memory::new(Store::open(Place::at(store.path().join("store"))));
        let program = std::env::current_exe().unwrap();
        let (root, dir) = (program.clone(), program.clone());
        let cmake = Cmake { program, root, version_text: "4.4.5".into(), version: (4, 4), dir };
        let ask = |source: &str| Ask {
            variables: [("CMAKE_HOME_DIRECTORY".into(), source.into())].into(),
            ..Ask::parse("1\u{1e}summary\u{1e}0\u{1e}.\u{1e}").unwrap()
        };
        let known = |memory: &Memory, source: &str| {
            let record = Record::of(&ask(source), memory);
            ["YES", "NO", "BOTH", "NEVER"].map(|name| record.verdict(name))
        };
        let first = memory();
        let mut record = Record::of(&ask("/a"), &first);
        for (name, verdict) in [
            ("YES", Verdict::Yes),
            ("NO", Verdict::No),
            ("BOTH", Verdict::Yes),
            ("BOTH", Verdict::No),
        ] {
            record.note(name, &verdict);
        }
        record.keep(&first, &cmake);
        first.commit();
        assert_eq!(known(&memory(), "/a"), [Some(Verdict::Yes), Some(Verdict::No), None, None]);
        assert_eq!(known(&memory(), "/b"), [None, None, None, None]);
        // What the scout has found out counts now, and is nobody's answer.
        record.find(&[("NO", Verdict::Yes), ("NEW", Verdict::No)]);
        assert_eq!(
            ["NO", "NEW"].map(|name| record.verdict(name)),
            [Some(Verdict::Yes), Some(Verdict::No)]
        );
        record.find(&[("NO", Verdict::Yes), ("NO", Verdict::No)]);
        assert_eq!(["NO", "NEW"].map(|name| record.verdict(name)), [None, Some(Verdict::No)]);
        // A later one adds to it. Files of the store are ordered by time, which has ticks of 1 to 10 ms.
        std::thread::sleep(std::time::Duration::from_millis(100));
        let second = memory();
        let mut record = Record::of(&ask("/a"), &second);
        record.note("YES", &Verdict::No);
        record.note("NEVER", &Verdict::Yes);
        record.keep(&second, &cmake);
        second.commit();
        let (no, yes) = (Some(Verdict::No), Some(Verdict::Yes));
        assert_eq!(known(&memory(), "/a"), [no.clone(), no, None, yes]);
    }
}
