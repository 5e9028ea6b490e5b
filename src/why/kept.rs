//! An answer in the store: what it rests on, and whether that is as it was.

use std::ffi::OsString;

use serde::Serialize;

use crate::again;
use crate::check::stored;
use crate::compiler::verdict::Verdict;
use crate::deps::sight::Sight;
use crate::deps::system;
use crate::deps::world::World;
use crate::os::{Found, Look};
use crate::protocol::response::{Status, Value};
use crate::store::{Entry, EntryBody, PathChange, State, Store, VariableChange, Variables};

/// An answer, or the reason why there is none.
#[derive(Debug, Serialize)]
pub(crate) struct Kept {
    /// The id of the check that asked, or the command of `tryall run`.
    pub id: String,
    /// When the compiler was asked, in seconds since 1970.
    pub time: u64,
    /// Yes or no; `null` for a command of `tryall run`.
    pub answer: Option<Status>,
    /// The value, of kinds that have one.
    pub value: Option<Value>,
    /// The command that decided.
    pub command: Vec<String>,
    /// Whether it can be used.
    pub state: Holding,
    /// Why it was not kept.
    pub reason: Option<String>,
    /// How many paths and variables it rests on.
    pub paths: usize,
    pub variables: usize,
    /// What has changed since.
    pub changed: Vec<String>,
    /// Everything that it rests on; with `--full`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rests_on: Vec<String>,
}

/// Whether an answer can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Holding {
    /// Everything that it rests on is as it was, or as good.
    Holds,
    /// Something has changed.
    Changed,
    /// What it rests on cannot be read.
    Damaged,
    /// There is no answer.
    NotKept,
}

/// Reads a store.
pub(crate) struct Reader<'a> {
    pub store: &'a mut Store,
    pub world: World,
    /// Whether to list everything that an answer rests on.
    pub is_full: bool,
}

impl Reader<'_> {
    /// What the store knows of an entry, for commands with this environment. Others that say the same
    /// count, unless it is to be used `alone`.
    pub(super) fn kept(
        &mut self,
        entry: Entry,
        env: Vec<(OsString, OsString)>,
        is_alone: bool,
    ) -> Kept {
        let (outcome, variables) = match &entry.body {
            EntryBody::Answer(payload) => match stored::check(payload) {
                Some((asked, outcome)) => {
                    (Some(outcome), again::variables(&asked, env).unwrap_or_default())
                }
                // A call of a compiler under `tryall run`.
                None => (None, Variables::new(env)),
            },
            EntryBody::NotKept(_) => (None, Variables::default()),
        };
        let state = match is_alone {
            true => self.store.own_state(&entry, &mut self.world, &variables, usize::MAX),
            false => self.store.state(&entry, &mut self.world, &variables, usize::MAX),
        };
        let (paths, names) = self.store.rests_on(&entry).unwrap_or_default();
        let (state, changed) = match state {
            State::Holds(_) => (Holding::Holds, Vec::new()),
            State::Changed { paths, variables, .. } => {
                let variables = variables.iter().map(variable_change);
                (Holding::Changed, paths.iter().map(path_change).chain(variables).collect())
            }
            State::Damaged => (Holding::Damaged, Vec::new()),
            State::NotKept => (Holding::NotKept, Vec::new()),
        };
        let all = paths.iter().map(sight).chain(names.iter().map(|name| system::shown(name)));
        let is_yes = |verdict| if verdict == Verdict::Yes { Status::Yes } else { Status::No };
        let Entry { label: id, when: time, body, .. } = entry;
        Kept {
            id,
            time,
            answer: outcome.as_ref().map(|outcome| is_yes(outcome.verdict.clone())),
            value: outcome.as_ref().and_then(|outcome| outcome.value.clone()),
            command: outcome.map(|outcome| outcome.command).unwrap_or_default(),
            state,
            reason: match body {
                EntryBody::NotKept(reason) => Some(reason),
                EntryBody::Answer(_) => None,
            },
            paths: paths.len(),
            variables: names.len(),
            changed,
            rests_on: all.filter(|_| self.is_full).collect(),
        }
    }
}

fn sight(sight: &Sight) -> String {
    let path = sight.path.to_string_lossy();
    match (sight.found, sight.look) {
        (Found::Nothing, _) => format!("missing  {path}"),
        (Found::Denied(_), _) => format!("denied   {path}"),
        (Found::Stamp(_), Look::Follow) => format!("file     {path}"),
        (Found::Stamp(_), Look::Link) => format!("link     {path}"),
        (Found::Stamp(_), Look::List) => format!("list     {path}"),
    }
}

fn path_change(change: &PathChange) -> String {
    let path = change.path.to_string_lossy();
    let what = match (change.was, change.is) {
        (Found::Nothing, Found::Stamp(_)) => "did not exist",
        (Found::Stamp(_), Found::Nothing) => "no longer exists",
        (Found::Stamp(was), Found::Stamp(is))
            if was.inode != is.inode || was.device != is.device =>
        {
            "is another file"
        }
        (Found::Stamp(_), Found::Stamp(_)) => "was changed",
        (Found::Denied(_), _) => "could not be read",
        (_, Found::Denied(_)) => "cannot be read",
        (Found::Nothing, Found::Nothing) => "was missing in another way",
    };
    format!("{path} {what}")
}

fn variable_change(change: &VariableChange) -> String {
    let name = system::shown(&change.name);
    match (change.was_set, change.is_set) {
        (true, false) => format!("{name} is no longer set"),
        (false, true) => format!("{name} was not set"),
        _ => format!("{name} has another value"),
    }
}
