//! Compares the answers of all strategies and peers.

use std::collections::HashMap;

use super::Failure;
use super::peer::Peer;
use super::task::{Done, Task};
use crate::protocol::response::{Answer, Status, Value};

/// The engine where no check shares commands, in messages.
const ALONE: &str = "tryall --no-fuse";

/// The reference answers.
#[derive(Default)]
pub(super) struct Comparison {
    /// The exit statuses of the first strategy; the others must have the same.
    reference: Option<(String, Vec<Option<i32>>)>,
    /// The engine's answers to one repetition without sharing. Its answers with sharing, and those
    /// of peers, are compared with them.
    alone: Vec<Answer>,
    /// Differences of the peers.
    differences: Vec<Difference>,
}

/// Checks that a peer answers differently from the engine, all in the same way.
struct Difference {
    peer: Peer,
    theirs: bool,
    ids: Vec<String>,
}

impl Comparison {
    /// Compares the exit statuses of a strategy: all run the same commands.
    pub(super) fn exits(
        &mut self,
        tasks: &[Task],
        name: &str,
        done: &[Option<Done>],
    ) -> Result<(), Failure> {
        let exits: Vec<_> = done.iter().map(|done| done.and_then(|done| done.exit)).collect();
        let Some((first, expected)) = &self.reference else {
            self.reference = Some((name.into(), exits));
            return Ok(());
        };
        for ((task, &one), other) in tasks.iter().zip(expected).zip(exits) {
            same_exit(&task.id, (first, one), (name, other))?;
        }
        Ok(())
    }

    /// Whether the engine's answers without sharing are known.
    pub(super) fn has_alone(&self) -> bool {
        !self.alone.is_empty()
    }

    /// Records the engine's answers without sharing. If the engine ran the command of a task, both
    /// must have the same exit status.
    pub(super) fn alone(&mut self, tasks: &[Task], answers: Vec<Answer>) -> Result<(), Failure> {
        self.alone = answers;
        let Some((first, exits)) = &self.reference else { return Ok(()) };
        for ((task, &exit), answer) in tasks.iter().zip(exits).zip(&self.alone) {
            if answer.command == task.command {
                same_exit(&task.id, (first, exit), (ALONE, answer.exit_code))?;
            }
        }
        Ok(())
    }

    /// Compares the engine's answers with and without sharing. Ignores exit statuses: that of a
    /// shared command may differ from that of the command alone.
    pub(super) fn answers(&self, name: &str, answers: &[Answer]) -> Result<(), Failure> {
        for (alone, answer) in self.alone.iter().cycle().zip(answers) {
            // The output of programs may differ between runs.
            let is_printed = matches!(answer.value, Some(Value::Program { .. }));
            let same = answer.status == alone.status && (is_printed || answer.value == alone.value);
            if !same {
                return Err(Failure::Difference {
                    check: alone.id.clone(),
                    first: ALONE.into(),
                    one: alone.status_and_value(),
                    second: name.into(),
                    other: answer.status_and_value(),
                });
            }
        }
        Ok(())
    }

    /// Compares the answers of a peer. Its checks may have a different meaning, so differences are
    /// only reported.
    pub(super) fn peer(&mut self, peer: Peer, theirs: Vec<(String, bool)>) {
        let answers = self.alone.iter().filter_map(|answer| match answer.status {
            Status::Yes => Some((answer.id.as_str(), true)),
            Status::No => Some((answer.id.as_str(), false)),
            Status::Error | Status::Skipped => None,
        });
        let answers: HashMap<_, _> = answers.collect();
        for (id, yes) in theirs {
            if answers.get(id.as_str()).is_some_and(|&ours| ours != yes) {
                let same = |known: &&mut Difference| known.peer == peer && known.theirs == yes;
                match self.differences.iter_mut().find(same) {
                    Some(known) => known.ids.push(id),
                    None => self.differences.push(Difference { peer, theirs: yes, ids: vec![id] }),
                }
            }
        }
    }

    /// The differences of the peers, for the report.
    pub(super) fn differences(&self) -> Vec<String> {
        let told = |yes: bool| if yes { "yes" } else { "no" };
        let one = |difference: &Difference| {
            format!(
                "{} answers {} where tryall answers {}: {}. Its check differs; compare its log with the \
             commands in --export-json",
                difference.peer.name(),
                told(difference.theirs),
                told(!difference.theirs),
                difference.ids.join(", ")
            )
        };
        self.differences.iter().map(one).collect()
    }
}

/// Compares the exit statuses of the same command.
fn same_exit(
    check: &str,
    (first, one): (&str, Option<i32>),
    (second, other): (&str, Option<i32>),
) -> Result<(), Failure> {
    let shown = |exit: Option<i32>| exit.map_or("nothing".into(), |exit| format!("status {exit}"));
    if one == other {
        return Ok(());
    }
    Err(Failure::Difference {
        check: check.into(),
        first: first.into(),
        one: shown(one),
        second: second.into(),
        other: shown(other),
    })
}
