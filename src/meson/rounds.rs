//! Answers all items in rounds: first in groups, then the remainders of groups that failed, then
//! each item without an answer alone.

use crate::compiler::dialect::Stage;
use crate::protocol::BadRequest;
use crate::protocol::response::Answer;
use crate::report::typed::Typed;

use super::compose::{Composed, Composer, Subject};
use super::grouped::{self, Form, Group, GroupSource};
use super::reading::answer;
use super::requests;
use super::words::{Input, Method};

/// The answers so far, and the groups of the next round.
#[derive(Debug)]
pub(crate) struct Rounds {
    input: Input,
    /// The answers to the request files, by batch.
    from_requests: Vec<Vec<(String, Typed)>>,
    /// The answers to the items, by batch.
    known: Vec<Vec<Option<Typed>>>,
    /// The items that are not compiler builtins, by batch.
    no_builtin: Vec<Vec<bool>>,
    /// The groups of the next round.
    groups: Vec<Group>,
    first: bool,
}

/// A group whose check is running.
#[derive(Debug)]
pub(crate) struct RunningGroup {
    group: Group,
    source: GroupSource,
    check: usize,
}

impl Rounds {
    /// Starts without answers.
    pub(crate) fn new(input: Input) -> Self {
        let groups = input.batches.iter().enumerate();
        Rounds {
            from_requests: input.batches.iter().map(|_| Vec::new()).collect(),
            known: input.batches.iter().map(|batch| vec![None; batch.items.len()]).collect(),
            no_builtin: input.batches.iter().map(|batch| vec![false; batch.items.len()]).collect(),
            groups: groups.flat_map(|(index, batch)| grouped::groups(index, batch)).collect(),
            first: true,
            input,
        }
    }

    /// The next round; `None` after the last.
    pub(crate) fn next_round(
        &mut self,
    ) -> Result<Option<(Composed, Vec<RunningGroup>)>, BadRequest> {
        let mut composed = Composed::default();
        let mut running = Vec::new();
        for (index, batch) in self.input.batches.iter().enumerate() {
            let composer = Composer::new(index, batch, &self.input.version, &mut composed);
            if self.first {
                for file in &batch.requests {
                    requests::add(file, index, batch, &self.input.version, &mut composed)?;
                }
            }
            let groups = self.groups.iter().filter(|group| group.batch == index);
            for group in groups.clone() {
                let prefix = composer.prefix(&group.headers);
                let source = grouped::source_of(group, batch, &prefix, &self.input.version);
                let check = match group.form {
                    Form::Headers | Form::Builtins => {
                        composer.define(&source.text, grouped::PRESENT)
                    }
                    Form::Functions => composer.source(Stage::Link, source.text.clone()),
                    Form::Bodies => composer.source(Stage::Compile, source.text.clone()),
                    Form::Sizes => composer.source(Stage::Run, source.text.clone()),
                    Form::Alignments => {
                        composer.source_without_options(Stage::Run, source.text.clone())
                    }
                };
                let check = composed.push(check, "(several)");
                running.push(RunningGroup { group: group.clone(), source, check });
            }
            let is_grouped = |place: usize| {
                let answers =
                    |group: &Group| group.form != Form::Builtins && group.items.contains(&place);
                groups.clone().any(answers)
            };
            for (place, item) in batch.items.iter().enumerate() {
                if self.known[index][place].is_none() && !is_grouped(place) {
                    let try_alternative = !self.no_builtin[index][place];
                    composer.compose(item, place, try_alternative, &mut composed);
                }
            }
        }
        self.first = false;
        self.groups.clear();
        Ok((!composed.request.checks.is_empty()).then_some((composed, running)))
    }

    /// Records the answers of a round.
    pub(crate) fn settle(
        &mut self,
        composed: &Composed,
        running: Vec<RunningGroup>,
        answers: &[Answer],
    ) {
        for entry in &composed.entries {
            let typed = answer(entry, answers);
            match &entry.subject {
                Subject::Item(place) => self.known[entry.batch][*place] = Some(typed),
                Subject::RequestCheck(id) => {
                    self.from_requests[entry.batch].push((id.clone(), typed));
                }
            }
        }
        for RunningGroup { group, source, check } in running {
            self.settle_group(group, &source, &answers[check]);
        }
    }

    fn settle_group(&mut self, group: Group, source: &GroupSource, answer: &Answer) {
        let known = &mut self.known[group.batch];
        let batch = &self.input.batches[group.batch];
        match group.form {
            Form::Headers => {
                if let Some(present) = grouped::present(answer) {
                    for place in group.items {
                        known[place] = Some(Typed::Bool(present.contains(&place)));
                    }
                }
            }
            Form::Builtins => {
                if let Some(present) = grouped::present(answer) {
                    for place in group.items {
                        self.no_builtin[group.batch][place] = !present.contains(&place);
                    }
                }
            }
            Form::Functions | Form::Bodies
                if answer.status == crate::protocol::response::Status::Yes =>
            {
                for place in group.items {
                    known[place] = Some(Typed::Bool(true));
                }
            }
            Form::Sizes | Form::Alignments
                if let Some(numbers) = grouped::printed(answer, group.items.len())
                    && !numbers.contains(&0) =>
            {
                for (place, number) in std::iter::zip(group.items, numbers) {
                    known[place] = Some(Typed::Integer(number.into()));
                }
            }
            _ if group.is_retry => {}
            _ => {
                let suspects = grouped::suspects(&group, batch, source, &answer.output);
                let mut rest = group;
                rest.items.retain(|place| !suspects.contains(place));
                if !suspects.is_empty() && rest.items.len() > 1 {
                    self.groups.push(Group { is_retry: true, ..rest });
                }
            }
        }
    }

    /// The answers of each batch, in the order of the input.
    pub(crate) fn answers(self) -> impl Iterator<Item = (String, Vec<Named>)> {
        let known = self.from_requests.into_iter().zip(self.known);
        self.input.batches.into_iter().zip(known).map(|(batch, (from_requests, known))| {
            let from_requests =
                from_requests.into_iter().map(|(id, typed)| Named { list: None, id, typed });
            let items = batch.items.into_iter().zip(known).map(|(item, known)| {
                let (list, id) = match item.method {
                    Method::HasArgument => (Some("argument"), item.subject),
                    Method::HasLinkArgument => (Some("link_argument"), item.subject),
                    _ => (None, item.id),
                };
                let typed = known.expect("the last round checks each open item");
                Named { list, id, typed }
            });
            (batch.name, from_requests.chain(items).collect())
        })
    }
}

/// An answer and its name.
#[derive(Debug)]
pub(crate) struct Named {
    /// The list of supported arguments that it belongs to, if any.
    pub list: Option<&'static str>,
    /// The name in the dictionary, or the argument.
    pub id: String,
    /// The answer.
    pub typed: Typed,
}
