//! The environment variables an answer rests on.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use serde::{Deserialize, Serialize};

use super::format::short;
use crate::deps::system;
use crate::deps::world::new_number;
use crate::os;

/// Stands for the value of a variable: values may be long or secret.
pub(super) type Digest = [u8; 16];

/// The environment of a command, ready to be compared.
#[derive(Debug, Default)]
pub(crate) struct Variables {
    /// A number that other environments of this process do not have, unless they are empty.
    id: u64,
    values: HashMap<OsString, Digest>,
    /// What the system said when it was asked, under names that no variable has.
    asked: RefCell<HashMap<Vec<u8>, Digest>>,
}

impl Variables {
    /// The variables of an environment.
    pub(crate) fn new<N, V>(env: impl IntoIterator<Item = (N, V)>) -> Variables
    where
        N: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        let mut values = HashMap::new();
        for (name, value) in env {
            let digest = digest_of(value.as_ref());
            let known = values.entry(name.as_ref().to_owned()).or_insert(digest);
            // Which of two values counts depends on who reads it.
            if *known != digest {
                *known = short(&blake3::hash(&[*known, digest].concat()));
            }
        }
        Variables { id: new_number(), values, asked: RefCell::default() }
    }

    /// A number that stands for this environment: what was concluded from it can be remembered.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Asks the system now for all that answers may rest on.
    pub(crate) fn ask_system(&self) {
        for name in system::ALL {
            self.get(name.as_bytes());
        }
    }

    fn get(&self, name: &[u8]) -> Option<Digest> {
        if !system::is_asked(name) {
            return self.values.get(OsStr::from_bytes(name)).copied();
        }
        let mut asked = self.asked.borrow_mut();
        if !asked.contains_key(name) {
            asked.insert(name.to_vec(), digest_of(&system::asked(name)?));
        }
        asked.get(name).copied()
    }
}

fn digest_of(value: &OsStr) -> Digest {
    short(&blake3::hash(os::bytes_of(value)))
}

/// The variables that an answer rests on, with what they were.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct VariablesSeen {
    /// Names and values; `None` if there was no such variable. Sorted by name.
    named: Vec<(Vec<u8>, Option<Digest>)>,
    /// Whether there was no other variable than these.
    is_whole: bool,
}

/// What became of a variable that an answer rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VariableChange {
    /// Its name.
    pub name: OsString,
    /// Whether it was set.
    pub was_set: bool,
    /// Whether it is set now.
    pub is_set: bool,
}

impl VariablesSeen {
    /// The variables with these names in an environment, or all of it.
    pub(super) fn new(names: &[OsString], is_whole: bool, env: &Variables) -> VariablesSeen {
        let all = env.values.keys().filter(|_| is_whole);
        let mut names: Vec<&OsString> = names.iter().chain(all).collect();
        names.sort_unstable();
        names.dedup();
        let named = names
            .into_iter()
            .map(|name| (os::bytes_of(name).to_vec(), env.get(os::bytes_of(name))))
            .collect();
        VariablesSeen { named, is_whole }
    }

    /// Whether an environment has the same values.
    pub(super) fn holds(&self, env: &Variables) -> bool {
        self.named.iter().all(|(name, was)| env.get(name) == *was)
            && (!self.is_whole || self.count() == env.values.len())
    }

    /// How many of the variables were set.
    fn count(&self) -> usize {
        let is_set = |(name, was): &&(Vec<u8>, Option<_>)| was.is_some() && !system::is_asked(name);
        self.named.iter().filter(is_set).count()
    }

    /// The names, and whether the whole environment counts.
    pub(super) fn names(&self) -> (Vec<OsString>, bool) {
        (self.named.iter().map(|(name, _)| os::from_bytes(name.clone())).collect(), self.is_whole)
    }

    /// What is different in an environment.
    pub(super) fn changes(&self, env: &Variables) -> Vec<VariableChange> {
        let name = |name: &Vec<u8>| os::from_bytes(name.clone());
        let mut changes: Vec<_> = self
            .named
            .iter()
            .filter_map(|(bytes, was)| {
                let is = env.get(bytes);
                let (was_set, is_set) = (was.is_some(), is.is_some());
                (is != *was).then(|| VariableChange { name: name(bytes), was_set, is_set })
            })
            .collect();
        if self.is_whole {
            let is_new = |name: &&OsString| {
                !self.named.iter().any(|(bytes, _)| bytes == os::bytes_of(name.as_os_str()))
            };
            let mut new: Vec<_> = env.values.keys().filter(is_new).cloned().collect();
            new.sort_unstable();
            let change = |name| VariableChange { name, was_set: false, is_set: true };
            changes.extend(new.into_iter().map(change));
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(names: &[&str], is_whole: bool, env: &Variables) -> VariablesSeen {
        let names: Vec<_> = names.iter().map(OsString::from).collect();
        VariablesSeen::new(&names, is_whole, env)
    }

    #[test]
    fn only_what_was_read_counts() {
        let then = Variables::new([("A", "1"), ("B", "2")]);
        let read = seen(&["A", "C"], false, &then);
        assert!(read.holds(&then));
        assert!(read.holds(&Variables::new([("A", "1"), ("B", "3"), ("D", "4")])));
        assert!(!read.holds(&Variables::new([("A", "2")])));
        assert!(!read.holds(&Variables::new([("B", "2")])));
        let changes = read.changes(&Variables::new([("C", "")]));
        let change =
            |name: &str, was_set, is_set| VariableChange { name: name.into(), was_set, is_set };
        assert_eq!(changes, [change("A", true, false), change("C", false, true)]);
    }

    #[test]
    fn of_a_whole_environment_everything_counts() {
        let then = Variables::new([("A", "1"), ("B", "2")]);
        let read = seen(&["C"], true, &then);
        assert!(read.holds(&then));
        for other in [&[("A", "1")][..], &[("A", "1"), ("B", "2"), ("D", "")], &[]] {
            let other = Variables::new(other.iter().copied());
            assert!(!read.holds(&other));
            assert!(!read.changes(&other).is_empty());
        }
    }

    #[test]
    fn the_system_counts_for_whoever_asked_it() {
        let env = Variables::new([("A", "1")]);
        for is_whole in [false, true] {
            for name in ["host=", "user="] {
                let mut read = seen(&["A", name], is_whole, &env);
                assert!(read.holds(&env));
                assert_eq!(read.changes(&env), []);
                // As if it had been another machine or user.
                read.named[1].1 = Some([0; 16]);
                assert!(!read.holds(&env));
                let change = VariableChange { name: name.into(), was_set: true, is_set: true };
                assert_eq!(read.changes(&env), [change]);
            }
        }
    }

    #[test]
    fn a_name_given_twice_has_both_values() {
        let twice = Variables::new([("A", "1"), ("A", "2")]);
        for other in [&[("A", "1")][..], &[("A", "2")], &[("A", "2"), ("A", "1")]] {
            assert!(!seen(&["A"], false, &twice).holds(&Variables::new(other.iter().copied())));
        }
    }
}
