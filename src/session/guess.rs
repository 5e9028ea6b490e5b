//! Guesses of the scout. They only decide how far it sees.

use std::collections::HashMap;
use std::path::Path;

use super::ask::Ask;
use super::asking::Asker;
use super::call::Given;
use super::question::Question;
use super::surroundings::{implicit_include_dirs, named};
use crate::compiler::verdict::Verdict;
use crate::protocol::Kind;

/// Whether a question is likely to be answered yes: most are, unless the source includes a header that
/// is nowhere.
pub(super) fn verdict(ask: &Ask, question: &Question) -> Verdict {
    let Given::Text { text, .. } = &question.call.source else { return Verdict::Yes };
    let dirs = implicit_include_dirs(ask);
    let own = question.call.cmake_flags.iter().filter_map(|flag| {
        let value = flag.strip_prefix("-DINCLUDE_DIRECTORIES")?;
        value.split_once('=').map(|(_, dirs)| dirs)
    });
    let own: Vec<_> = own.flat_map(|dirs| dirs.split(';')).filter(|dir| !dir.is_empty()).collect();
    let is_there = |header: &str| {
        let all = dirs.iter().map(String::as_str).chain(own.iter().copied());
        all.into_iter().any(|dir| Path::new(dir).join(header).exists())
    };
    let included = text.lines().filter_map(|line| {
        let rest = line.trim_start().strip_prefix('#')?.trim_start().strip_prefix("include")?;
        rest.trim_start().strip_prefix('<')?.split_once('>').map(|(header, _)| header)
    });
    let mut included = included;
    match dirs.is_empty() || included.all(is_there) {
        true => Verdict::Yes,
        false => Verdict::No,
    }
}

/// Something that can stand for a program: with the text that CMake's `check_type_size` looks for.
pub(super) fn product(question: &Question) -> &'static str {
    let Given::Text { text, .. } = &question.call.source else { return "" };
    if text.contains("info_size") { "INFO:size[00008]" } else { "" }
}

/// Which flags the compilers take. Projects add each flag that is taken to all later commands, so one
/// wrong guess makes all that follows another question. But one command shows all that are refused.
#[derive(Default)]
pub(super) struct Flags {
    /// Whether each is taken, by compiler and flag.
    known: HashMap<(String, String), bool>,
    unknown: Vec<(String, String)>,
    /// A question with a flag, for each compiler.
    examples: HashMap<String, Question>,
}

impl Flags {
    /// The likely answer to a question about flags; `None` if it is about something else.
    pub(super) fn verdict(&mut self, question: &Question) -> Option<Verdict> {
        let flags = flags_in_question(question);
        if flags.is_empty() {
            return None;
        }
        let compiler = question.compiler().to_owned();
        self.examples.entry(compiler.clone()).or_insert_with(|| question.clone());
        let mut is_taken = true;
        for flag in flags {
            let key = (compiler.clone(), flag);
            match self.known.get(&key) {
                Some(known) => is_taken &= known,
                None if self.unknown.contains(&key) => (),
                None => self.unknown.push(key),
            }
        }
        Some(if is_taken { Verdict::Yes } else { Verdict::No })
    }

    /// Whether there are flags of which nothing is known.
    pub(super) fn has_unknown(&self) -> bool {
        !self.unknown.is_empty()
    }

    /// Tries these flags, all at once.
    pub(super) async fn try_unknown(&mut self, asker: &Asker) {
        for (compiler, example) in &self.examples {
            let flags: Vec<_> = self.unknown.iter().filter(|it| it.0 == *compiler).collect();
            if flags.is_empty() {
                continue;
            }
            let mut question = example.clone();
            question.check.kind = Kind::Compiles;
            question.toolchain.link = None;
            question.check.args = flags.iter().map(|(_, flag)| flag.clone()).collect();
            let output = match asker.outcome(&question, None).await {
                Ok((outcome, _)) => outcome.output,
                Err(_) => String::new(),
            };
            for (_, flag) in flags {
                let is_named = ['\'', '\u{2018}', '"']
                    .iter()
                    .any(|quote| output.contains(&format!("{quote}{flag}")));
                self.known.insert((compiler.clone(), flag.clone()), !is_named);
            }
        }
        self.unknown.clear();
    }
}

/// The flags that a question asks for, if its source says nothing else.
fn flags_in_question(question: &Question) -> Vec<String> {
    let Given::Text { text, .. } = &question.call.source else { return Vec::new() };
    if text.contains("#") {
        return Vec::new();
    }
    let of_request = question.call.cmake_flags.iter().filter_map(|flag| named(flag));
    let of_request = of_request.filter(|(name, _)| *name == "COMPILE_DEFINITIONS");
    let more = of_request.flat_map(|(_, words)| words.split_whitespace().map(str::to_owned));
    let all = question.check.args.iter().cloned().chain(more);
    all.filter(|flag| flag.starts_with('-') && !flag.starts_with("-D") && !flag.starts_with("-I"))
        .collect()
}
