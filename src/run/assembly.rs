//! Compiles sources beside each other to assembly, and assembles each text once.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::beside::Together;
use crate::assembly::{Text, tells_nothing};
use crate::fuse::beside;
use crate::judge::Verdict;
use crate::value;

impl Together<'_> {
    /// Whether the sources are to be compiled to assembly.
    pub(super) fn go_by_assembly(&self) -> bool {
        let Some(command) = self.command() else { return false };
        // The first word is the program.
        let fits = command.iter().skip(1).all(|arg| arg.to_str().is_some_and(tells_nothing));
        let sources = self.sources().map(|source| source.text.as_str());
        fits && self.asking.context.assembled.is_worth_it(self.asking.program, sources)
    }

    /// The object files of what was compiled to assembly, in the order of these sources; none of what
    /// was not, and of what the assembler has any word for.
    pub(super) async fn assembled(&self, names: &[String]) -> Option<Vec<Rc<[u8]>>> {
        let known = &self.asking.context.assembled;
        let command = (self.command()?, self.asking.toolchain.env.clone());
        let texts: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(place, name)| self.assembly(place, name))
            .map(|text| text.map(|text| Text { command: command.clone(), text }))
            .collect();
        let _turn = known.turn.lock().await;
        let mut open = BTreeMap::new();
        for (place, text) in texts.iter().enumerate() {
            if let Some(text) = text.as_ref().filter(|text| known.object(text).is_none()) {
                open.entry(&text.text).or_insert((place, text));
            }
        }
        self.assemble(&open.into_values().collect::<Vec<_>>()).await;
        let object = |text: &Option<Text>| text.as_ref().and_then(|text| known.object(text));
        Some(texts.iter().map(|text| object(text).unwrap_or_default()).collect())
    }

    /// The assembly of a source as it would be alone; `None` if there is none.
    fn assembly(&self, place: usize, name: &str) -> Option<Vec<u8>> {
        let path = self.asking.room.path().join(assembly_name(place));
        let text = String::from_utf8(std::fs::read(path).ok()?).ok()?;
        let directive = |name: &str| format!("\t.file\t\"{name}\"\n");
        let rest = text.strip_prefix(&directive(name))?;
        let is_whole = rest.ends_with('\n') && !rest.contains(beside::STEMS);
        is_whole.then(|| [&directive(&self.own_name(name)), rest].concat().into_bytes())
    }

    /// Assembles texts by one command, and remembers what they come to if that says nothing.
    async fn assemble(&self, texts: &[(usize, &Text)]) -> Option<()> {
        let room = self.asking.room.path();
        let names: Vec<_> = texts.iter().map(|(place, _)| assembly_name(*place)).collect();
        for (name, (_, text)) in std::iter::zip(&names, texts) {
            std::fs::write(room.join(name), &text.text).ok()?;
        }
        names.first()?;
        let attempt = self.run("-c", &names).await?;
        if attempt.verdict != Verdict::Yes || !attempt.messages.is_empty() {
            return None;
        }
        for (place, text) in texts {
            let object = value::product(&room.join(format!("{}.o", beside::stem(*place))))?;
            self.asking.context.assembled.learn((*text).clone(), &object);
        }
        Some(())
    }
}

fn assembly_name(place: usize) -> String {
    format!("{}.s", beside::stem(place))
}
