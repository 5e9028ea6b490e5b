//! Guesses of the scout. They only decide how far it sees.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::asking::{Asker, Found};
use super::call::{Call, Given};
use super::cmake_flags::{cmake_flag, named};
use super::question::Question;
use super::surroundings::LANGUAGES;
use crate::compiler::diagnostics::without_escapes;
use crate::compiler::verdict::Verdict;
use crate::protocol::Kind;

/// Where the compilers of a build directory look, whichever language asks.
#[derive(Debug, Default)]
pub(super) struct Places {
    headers: Vec<PathBuf>,
    libraries: Vec<PathBuf>,
}

impl Places {
    /// Reads what CMake has found out about its compilers.
    pub(super) fn of(platform_info_dir: &Path) -> Places {
        let mut places = Places::default();
        for language in LANGUAGES {
            let path = platform_info_dir.join(format!("CMake{language}Compiler.cmake"));
            let text = std::fs::read_to_string(path).unwrap_or_default();
            for (kind, dirs) in [("INCLUDE", &mut places.headers), ("LINK", &mut places.libraries)]
            {
                let start = format!("set(CMAKE_{language}_IMPLICIT_{kind}_DIRECTORIES \"");
                let list =
                    text.lines().find_map(|line| line.strip_prefix(&start)?.strip_suffix("\")"));
                let list = list.unwrap_or_default().split(';').filter(|dir| !dir.is_empty());
                dirs.extend(list.map(PathBuf::from));
            }
        }
        places
    }

    /// Whether a question is likely to be answered yes: most are, unless a header that the source
    /// includes or a library that the command names is nowhere.
    pub(super) fn verdict(&self, question: &Question) -> Verdict {
        let has_all = self.has_headers(question) && self.has_libraries(question);
        if has_all { Verdict::Yes } else { Verdict::No }
    }

    fn has_headers(&self, question: &Question) -> bool {
        let Given::Text { text, .. } = &question.call.source else { return true };
        let own = cmake_flag(&question.call, "INCLUDE_DIRECTORIES").unwrap_or_default();
        let dirs =
            || self.headers.iter().map(PathBuf::as_path).chain(own.split(';').map(Path::new));
        let mut included = text.lines().filter_map(|line| {
            let rest = line.trim_start().strip_prefix('#')?.trim_start().strip_prefix("include")?;
            rest.trim_start().strip_prefix('<')?.split_once('>').map(|(header, _)| header)
        });
        self.headers.is_empty()
            || included.all(|header| dirs().any(|dir| dir.join(header).exists()))
    }

    fn has_libraries(&self, question: &Question) -> bool {
        let words = question.toolchain.link.iter().flatten();
        let own = words.clone().filter_map(|word| word.strip_prefix("-L"));
        let dirs: Vec<_> =
            self.libraries.iter().map(PathBuf::as_path).chain(own.map(Path::new)).collect();
        let is_there = |name: &str| {
            let files = [format!("lib{name}.so"), format!("lib{name}.a")];
            dirs.iter().any(|dir| files.iter().any(|file| dir.join(file).exists()))
        };
        let mut names = words.filter_map(|word| word.strip_prefix("-l"));
        self.libraries.is_empty() || names.all(|name| name.starts_with(':') || is_there(name))
    }
}

/// Something that can stand for a program: with the text that CMake's `check_type_size` looks for.
pub(super) fn product(call: &Call) -> &'static str {
    let Given::Text { text, .. } = &call.source else { return "" };
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

    /// Tries these flags, all at once. Returns whether all are taken.
    pub(super) async fn try_unknown(&mut self, asker: &Asker) -> bool {
        let mut all_are_taken = true;
        for (compiler, example) in &self.examples {
            let of_compiler = self.unknown.iter().filter(|it| it.0 == *compiler);
            let mut left: Vec<_> = of_compiler.map(|(_, flag)| flag.clone()).collect();
            // A driver that refuses a flag does not start the compiler, which may refuse others.
            while !left.is_empty() {
                let refused = refused(asker, example, &left).await;
                if refused.is_empty() {
                    break;
                }
                all_are_taken = false;
                left.retain(|flag| !refused.contains(flag));
                let known = refused.into_iter().map(|flag| ((compiler.clone(), flag), false));
                self.known.extend(known);
            }
            let known = left.into_iter().map(|flag| ((compiler.clone(), flag), true));
            self.known.extend(known);
        }
        self.unknown.clear();
        all_are_taken
    }
}

/// Those of some flags that a compiler names when it gets them all.
async fn refused(asker: &Asker, example: &Question, flags: &[String]) -> Vec<String> {
    let mut question = example.clone();
    question.check.kind = Kind::Compiles;
    question.toolchain.link = None;
    question.check.args = flags.to_vec();
    let Ok(Found { outcome, .. }) = asker.outcome(&question, None).await else { return Vec::new() };
    // The flags may ask for colours.
    let output = without_escapes(&outcome.output);
    let is_named =
        |flag: &&String| QUOTES.iter().any(|quote| output.contains(&format!("{quote}{flag}")));
    flags.iter().filter(is_named).cloned().collect()
}

/// What compilers write before the name of a flag.
const QUOTES: [char; 3] = ['\'', '\u{2018}', '"'];

/// Questions behind one result variable, such as those of a function that a project calls in a loop.
/// They are likely to have the answer of the first one.
#[derive(Default)]
pub(super) struct Repeated {
    firsts: HashMap<String, Question>,
    verdicts: HashMap<String, Verdict>,
}

impl Repeated {
    /// The answer to the first question behind the same variable, which is waited for; `None` if this
    /// is the first one.
    pub(super) async fn verdict(&mut self, asker: &Asker, question: &Question) -> Option<Verdict> {
        let name = &question.call.result;
        let Some(first) = self.firsts.get(name) else {
            self.firsts.insert(name.clone(), question.clone());
            return None;
        };
        if !self.verdicts.contains_key(name) {
            let Found { outcome, .. } = asker.outcome(first, None).await.ok()?;
            self.verdicts.insert(name.clone(), outcome.verdict);
        }
        self.verdicts.get(name).cloned()
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
