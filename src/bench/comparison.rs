//! What the ways of asking have found, and where they differ.

use std::collections::HashMap;

use super::Failure;
use super::peer::Peer;
use super::task::{Done, Task};
use crate::protocol::response::{Answer, Status, Value};

/// The engine where no check shares commands, in messages.
const ALONE: &str = "tryall --no-fuse";

/// What was found first, with which all others are compared.
#[derive(Default)]
pub(super) struct Comparison {
    /// Exit statuses of the first strategy, which all others must have too.
    reference: Option<(String, Vec<Option<i32>>)>,
    /// The engine's answers to one repetition when every check has commands of its own. Its shared
    /// answers, and those of peers, are compared with them.
    alone: Vec<Answer>,
    /// Where peers' answers differ.
    differences: Vec<Difference>,
}

/// Checks to which a peer answers otherwise than the engine, all in the same way.
struct Difference {
    peer: Peer,
    theirs: bool,
    ids: Vec<String>,
}

impl Comparison {
    /// All strategies run the same commands, which must have the same exit statuses.
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

    /// Takes the engine's answers without sharing. Where it has run the command of a task, both must
    /// have the same exit status.
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

    /// The engine's answers must be those that it gives without sharing commands. An exit status of a
    /// shared command, or of another check's, is not compared: it need not be that of the command
    /// alone.
    pub(super) fn answers(&self, name: &str, answers: &[Answer]) -> Result<(), Failure> {
        for (alone, answer) in self.alone.iter().cycle().zip(answers) {
            // What programs print may differ from run to run.
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

    /// A peer asks in its own idiom, which may have another meaning. A difference is told, and
    /// whoever reads the table judges.
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

    /// Where peers answer otherwise, for the report.
    pub(super) fn differences(&self) -> Vec<String> {
        let told = |yes: bool| if yes { "yes" } else { "no" };
        let one = |difference: &Difference| {
            format!(
                "{} answers {} where tryall answers {}: {}. It asks in a way of its own; compare its log with the \
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

/// Two that have run the same command must have the same exit status.
fn same_exit(
    check: &str,
    (first, one): (&str, Option<i32>),
    (second, other): (&str, Option<i32>),
) -> Result<(), Failure> {
    let told = |exit: Option<i32>| exit.map_or("nothing".into(), |exit| format!("status {exit}"));
    if one == other {
        return Ok(());
    }
    Err(Failure::Difference {
        check: check.into(),
        first: first.into(),
        one: told(one),
        second: second.into(),
        other: told(other),
    })
}
