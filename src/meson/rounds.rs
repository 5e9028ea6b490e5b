//! The rounds in which all items get their answers: what can be asked together first, then
//! what that left, and each that is still open alone.

use crate::compiler::dialect::Stage;
use crate::protocol::BadRequest;
use crate::protocol::response::Answer;
use crate::report::typed::Typed;

use super::compose::{Composed, Composer, Subject};
use super::fuse::{self, Form, Fused, Group};
use super::reading::answer;
use super::requests;
use super::words::{Method, Said};

/// What is known, and what is still to be asked.
#[derive(Debug)]
pub(crate) struct Rounds {
    said: Said,
    /// The answers of each batch's request files.
    own: Vec<Vec<(String, Typed)>>,
    /// The answers of each batch's items.
    known: Vec<Vec<Option<Typed>>>,
    /// Who is no builtin of the compiler.
    no_builtin: Vec<Vec<bool>>,
    /// What is asked together in the next round.
    groups: Vec<Group>,
    first: bool,
}

/// A question to several items.
#[derive(Debug)]
pub(crate) struct Together {
    group: Group,
    fused: Fused,
    check: usize,
}

impl Rounds {
    /// Nothing is known yet.
    pub(crate) fn new(said: Said) -> Self {
        let groups = said.batches.iter().enumerate();
        Rounds {
            own: said.batches.iter().map(|_| Vec::new()).collect(),
            known: said.batches.iter().map(|batch| vec![None; batch.items.len()]).collect(),
            no_builtin: said.batches.iter().map(|batch| vec![false; batch.items.len()]).collect(),
            groups: groups.flat_map(|(index, batch)| fuse::groups(index, batch)).collect(),
            first: true,
            said,
        }
    }

    /// The next round; `None` after the last.
    pub(crate) fn next_round(&mut self) -> Result<Option<(Composed, Vec<Together>)>, BadRequest> {
        let mut composed = Composed::default();
        let mut together = Vec::new();
        for (index, batch) in self.said.batches.iter().enumerate() {
            let composer = Composer::new(index, batch, &self.said.version, &mut composed);
            if self.first {
                for file in &batch.requests {
                    requests::add(file, index, batch, &self.said.version, &mut composed)?;
                }
            }
            let groups = self.groups.iter().filter(|group| group.batch == index);
            for group in groups.clone() {
                let prefix = composer.prefix(&group.headers);
                let fused = fuse::fused(group, batch, &prefix, &self.said.version);
                let check = match group.form {
                    Form::Headers | Form::Builtins => composer.define(&fused.text, fuse::THERE),
                    Form::Functions => composer.source(Stage::Link, fused.text.clone()),
                    Form::Bodies => composer.source(Stage::Compile, fused.text.clone()),
                    Form::Sizes => composer.source(Stage::Run, fused.text.clone()),
                    Form::Alignments => composer.plain(Stage::Run, fused.text.clone()),
                };
                let check = composed.push(check, "(several)");
                together.push(Together { group: group.clone(), fused, check });
            }
            let waits = |place: usize| {
                let asks =
                    |group: &Group| group.form != Form::Builtins && group.items.contains(&place);
                groups.clone().any(asks)
            };
            for (place, item) in batch.items.iter().enumerate() {
                if self.known[index][place].is_none() && !waits(place) {
                    let second_chance = !self.no_builtin[index][place];
                    composer.compose(item, place, second_chance, &mut composed);
                }
            }
        }
        self.first = false;
        self.groups.clear();
        Ok((!composed.request.checks.is_empty()).then_some((composed, together)))
    }

    /// Takes the answers of a round.
    pub(crate) fn settle(
        &mut self,
        composed: &Composed,
        together: Vec<Together>,
        answers: &[Answer],
    ) {
        for entry in &composed.entries {
            let typed = answer(entry, answers);
            match &entry.subject {
                Subject::Item(place) => self.known[entry.batch][*place] = Some(typed),
                Subject::Own(id) => self.own[entry.batch].push((id.clone(), typed)),
            }
        }
        for Together { group, fused, check } in together {
            self.settle_group(group, &fused, &answers[check]);
        }
    }

    fn settle_group(&mut self, group: Group, fused: &Fused, answer: &Answer) {
        let known = &mut self.known[group.batch];
        let batch = &self.said.batches[group.batch];
        match group.form {
            Form::Headers => {
                if let Some(there) = fuse::there(answer) {
                    for place in group.items {
                        known[place] = Some(Typed::Bool(there.contains(&place)));
                    }
                }
            }
            Form::Builtins => {
                if let Some(there) = fuse::there(answer) {
                    for place in group.items {
                        self.no_builtin[group.batch][place] = !there.contains(&place);
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
                if let Some(numbers) = fuse::printed(answer, group.items.len())
                    && !numbers.contains(&0) =>
            {
                for (place, number) in std::iter::zip(group.items, numbers) {
                    known[place] = Some(Typed::Integer(number.into()));
                }
            }
            _ if group.again => {}
            _ => {
                let suspects = fuse::suspects(&group, batch, fused, &answer.output);
                let mut rest = group;
                rest.items.retain(|place| !suspects.contains(place));
                if !suspects.is_empty() && rest.items.len() > 1 {
                    self.groups.push(Group { again: true, ..rest });
                }
            }
        }
    }

    /// All answers, by the names of batches, in the order in which they were asked for.
    pub(crate) fn answers(self) -> impl Iterator<Item = (String, Vec<Named>)> {
        let known = self.own.into_iter().zip(self.known);
        self.said.batches.into_iter().zip(known).map(|(batch, (own, known))| {
            let own = own.into_iter().map(|(id, typed)| Named { list: None, id, typed });
            let items = batch.items.into_iter().zip(known).map(|(item, known)| {
                let (list, id) = match item.method {
                    Method::HasArgument => (Some("argument"), item.subject),
                    Method::HasLinkArgument => (Some("link_argument"), item.subject),
                    _ => (None, item.id),
                };
                let typed = known.expect("the last round asks each that is open");
                Named { list, id, typed }
            });
            (batch.name, own.chain(items).collect())
        })
    }
}

/// An answer and its name.
#[derive(Debug)]
pub(crate) struct Named {
    /// The list of arguments that it is in, if any.
    pub list: Option<&'static str>,
    /// The name in the dictionary, or the argument.
    pub id: String,
    /// The answer.
    pub typed: Typed,
}
