//! Variants: sources of the caller that differ in one word, compiled as one source.
//!
//! CMake's modules ask most of their questions with sources that are equal except for the name of a
//! function, a symbol or a type. A caller that sends such sources states which word differs and
//! which names the source declares ([`Variant`]), and promises that the source declares no others.
//! Sources that are equal without their words form a group, which is compiled as one file. The file
//! contains the text up to the last `#include`, which all variants share, once; then the rest of
//! each variant, with its own names changed by `#define`. The first variant keeps its names.
//!
//! # Why the answers hold alone
//!
//! The group accepts only a yes, and only for all variants of a file at once: the file compiled
//! without an error, its object file is plain, and the inventory of the link contains everything
//! that the object file wants ([`crate::check::links::inventory`]). Each variant then also compiles
//! alone, and links without diagnostics:
//!
//! * The first variant stands in the file as it stands alone, so the compiler accepts the text that
//!   all variants share.
//! * A later variant follows the earlier ones, and not only the headers. In addition it sees their
//!   names, changed to identifiers that nobody writes, and whatever their words declare. A word
//!   is an identifier, or the size of a type spelled in identifiers and stars. Nothing in a word
//!   can be called, so it declares nothing implicitly but its own name, or a tag without members,
//!   and neither lets anything compile that would not compile alone. No variant contains the word
//!   of another one; otherwise the two would not be equal without their words.
//! * Macros that the text defines or undefines are undefined after each variant. These macros, all
//!   other names in the text, and all names in a word must not be macros of the headers, because
//!   such a macro could expand to anything: the file has an `#error` for each of them. The only
//!   exception is a word that appears only behind its own `#ifndef`.
//! * The text contains nothing that would reveal a position or count (`__LINE__`, `__COUNTER__`),
//!   change the rest of the file (`#pragma`, `_Pragma`), or paste names (`##`). Headers are read
//!   once.
//! * A definition that contains the word becomes a `#define` above the text. This is only done if
//!   no header precedes it, because a header would see the definition on the command line.
//! * Everything that a function wants from the linker, it wants in the shared file too. So whatever
//!   suffices for the file suffices for each variant.
//!
//! A variant with an error, or whose word the inventory lacks, runs alone, and the others are
//! compiled once more without it.
//!
//! # Diagnostics
//!
//! The lines of each variant carry a file name of their own, and the line numbers that they have
//! alone. So a warning belongs to one variant, and reads as it would alone except for the changed
//! names, which are changed back. A variant runs alone if one of its diagnostics would read
//! differently alone, because it mentions a macro that stands for one of its names or comes in two
//! pieces. All variants run alone if there is a diagnostic about the text that they share, because
//! it is printed only once.

mod eligibility;
mod evidence;
pub(crate) mod run;

use std::collections::HashMap;
use std::ffi::OsString;

use crate::compiler::dialect::STEM;
use crate::plan::Plan;
use crate::plan::ids::{QuestionId, Table};
use crate::plan::question::{CallerSource, Question, Subject, Variant};
use crate::source::words::{identifiers, no_macros};
use evidence::{STEMS, stem};

/// The fewest variants for which a group pays off.
pub(crate) const MIN_VARIANTS: usize = 3;
/// The most variants in a group: their numbers have two digits.
const MAX_VARIANTS: usize = 100;

/// Marks the places of the word in a text.
const PLACEHOLDER: char = '\0';
const MAIN: &str = "main";
/// Spellings that must not appear in the text of a variant.
const FORBIDDEN_SPELLINGS: [&str; 13] = [
    "pragma",
    "_Pragma",
    "##",
    "__COUNTER__",
    "__LINE__",
    "__INCLUDE_LEVEL__",
    "__TIME",
    "__DATE__",
    "__func__",
    "__FUNCTION__",
    "__PRETTY_FUNCTION__",
    "asm",
    "\\\n",
];

/// The source of a variant without its word.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Text {
    /// All lines up to the last `#include`.
    head: String,
    /// The rest, with [`PLACEHOLDER`] for the word.
    body: String,
    /// Whether the word appears only where the source has checked that it is not a macro.
    is_guarded: bool,
    /// Definitions that contain the word, as names and values with [`PLACEHOLDER`] for the word.
    defines: Vec<(String, String)>,
    /// All other definitions.
    definitions: Vec<OsString>,
}

/// Variants that one file holds.
#[derive(Debug, Clone)]
pub(crate) struct VariantGroup {
    /// The questions, in the order of their variants.
    pub questions: Vec<QuestionId>,
    /// The text that they share.
    text: Text,
}

/// Whether each question of a plan may have variants.
pub(crate) fn candidates(plan: &Plan, fit: &Table<QuestionId, bool>) -> Table<QuestionId, bool> {
    let has_variants = |(question, fits): (&Question, &bool)| {
        *fits
            && (question.product.is_none() || question.product_is_data)
            && text(question).is_some()
    };
    std::iter::zip(&plan.questions, fit.iter()).map(has_variants).collect()
}

/// Whether each question of a plan links a C source by explicit commands and cannot notice other
/// sources in its file.
pub(crate) fn fit(plan: &Plan) -> Table<QuestionId, bool> {
    eligibility::fits(plan)
}

/// The groups among these questions, and the questions that have too few variants.
pub(crate) fn groups(
    plan: &Plan,
    questions: Vec<QuestionId>,
) -> (Vec<VariantGroup>, Vec<QuestionId>) {
    let mut places = HashMap::new();
    let mut alike: Vec<VariantGroup> = Vec::new();
    for index in questions {
        let question = &plan.questions[index];
        let toolchain = &plan.toolchains[question.toolchain];
        let commands = toolchain.commands.as_ref();
        let commands = commands.map(|commands| {
            (&commands.compile, commands.link.as_ref().map(|(link, program)| (link, program)))
        });
        let Some(text) = text(question) else { continue };
        let is_data = question.product.is_some();
        let words = (&question.args, &question.link_args, &question.prefix, &question.headers);
        let key = (commands, &toolchain.env, words, is_data, own_names(question), text.clone());
        let place = *places.entry(key).or_insert_with(|| {
            alike.push(VariantGroup { questions: Vec::new(), text });
            alike.len() - 1
        });
        alike[place].questions.push(index);
    }
    let (mut groups, mut alone) = (Vec::new(), Vec::new());
    for VariantGroup { questions, text } in alike {
        for questions in questions.chunks(MAX_VARIANTS) {
            if questions.len() < MIN_VARIANTS {
                alone.extend(questions);
            } else {
                groups.push(VariantGroup { questions: questions.to_vec(), text: text.clone() });
            }
        }
    }
    (groups, alone)
}

/// The names that the source of a question declares.
fn own_names(question: &Question) -> &[String] {
    question.variant.as_ref().map_or(&[], |variant| &variant.own_names)
}

/// The names that a variant declares, each with its name at this place in the shared source.
pub(crate) fn names_at(variant: &Variant, place: usize) -> impl Iterator<Item = (&str, String)> {
    variant.own_names.iter().map(move |name| match place {
        0 => (name.as_str(), name.clone()),
        _ => (name.as_str(), format!("tryall_{place}_{name}")),
    })
}

impl VariantGroup {
    /// The definitions that all variants share.
    pub(crate) fn definitions(&self) -> &[OsString] {
        &self.text.definitions
    }

    /// The source that these variants share.
    pub(crate) fn shared_source<'a>(&self, members: impl Iterator<Item = &'a Variant>) -> String {
        let (text, mut whole) = (&self.text, String::new());
        let (macros, plain) = (macros(&text.body), identifiers_outside_directives(&text.body));
        let macros = || macros.iter().map(String::as_str);
        let defined = || text.defines.iter().map(|(name, _)| name.as_str());
        for (place, variant) in members.enumerate() {
            let numbered = |line: usize| format!("#line {line} \"{}.c\"\n", stem(place));
            // Attribute diagnostics on these lines to this variant.
            whole.push_str(&numbered(1));
            if place == 0 {
                whole.push_str(&text.head);
                let own = variant.own_names.iter().map(String::as_str);
                let plain = plain.iter().map(String::as_str);
                whole.push_str(&no_macros(macros().chain(defined()).chain(own).chain(plain)));
            }
            if !text.is_guarded {
                let names = identifiers(&variant.word).filter(|name| *name != "sizeof");
                whole.push_str(&no_macros(names));
            }
            if place == 1 {
                // `main` needs no prototype, but under another name it does. The first variant has
                // already caused every other warning of this kind.
                whole.push_str(
                    "#pragma GCC diagnostic ignored \"-Wmissing-prototypes\"\n\
                     #pragma GCC diagnostic ignored \"-Wmissing-declarations\"\n",
                );
            }
            for (name, value) in &text.defines {
                whole += &format!("#define {name} {}\n", value.replace(PLACEHOLDER, &variant.word));
            }
            let renamed = || names_at(variant, place).filter(|(old, new)| old != new);
            whole.extend(renamed().map(|(old, new)| format!("#define {old} {new}\n")));
            whole.push_str(&numbered(text.head.lines().count() + 1));
            whole.push_str(&text.body.replace(PLACEHOLDER, &variant.word));
            whole.push('\n');
            let done = renamed().map(|(old, _)| old).chain(defined()).chain(macros());
            whole.extend(done.map(|name| format!("#undef {name}\n")));
        }
        whole
    }

    /// Whether a diagnostic is about the text that all variants share, and so is printed only once.
    pub(crate) fn is_about_common_text(&self, diagnostics: &str) -> bool {
        let lines = self.text.head.lines().count();
        let name = format!("{}.c:", stem(0));
        let numbers = diagnostics.split(&name).skip(1).map(|rest| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<usize>()
        });
        let is_in_head = |line: Result<usize, _>| line.is_ok_and(|line| line <= lines);
        diagnostics.contains("In file included from") || numbers.into_iter().any(is_in_head)
    }

    /// The diagnostics of a variant as they read alone, with its own names. `None` if they reveal
    /// how the shared source was put together.
    pub(crate) fn diagnostics_as_alone(
        &self,
        variant: &Variant,
        place: usize,
        diagnostics: String,
    ) -> Option<String> {
        // Alone, a definition is on the command line, and a name is not a macro.
        let defined = self.text.defines.iter().map(|(name, _)| name);
        let mut macros = variant.own_names.iter().chain(defined);
        if diagnostics.contains("macro") && macros.any(|name| diagnostics.contains(name.as_str())) {
            return None;
        }
        let names = names_at(variant, place);
        let diagnostics =
            names.fold(diagnostics, |diagnostics, (old, new)| diagnostics.replace(&new, old));
        // The names of the variants' files start like the name of a single source.
        let others = diagnostics.replace(STEM, "");
        let is_own = !others.contains("tryall") && !others.contains(STEMS);
        is_own.then_some(diagnostics)
    }
}

/// The source of a question without its word; `None` if the question names no word, or its source
/// cannot be shared.
fn text(question: &Question) -> Option<Text> {
    let Variant { word, own_names } = question.variant.as_ref()?;
    let Subject::Source { code: CallerSource::Text { source, .. }, .. } = &question.subject else {
        return None;
    };
    let is_plain = is_plain_word(word)
        && own_names.iter().any(|name| name == MAIN)
        && identifiers(word).all(|name| !own_names.iter().any(|own| own == name))
        && question.headers.is_empty()
        && question.prefix.is_empty()
        && !source.contains(PLACEHOLDER)
        && source.is_ascii();
    if !is_plain {
        return None;
    }
    let includes =
        source.lines().enumerate().filter(|(_, line)| directive(line) == Some("include"));
    let lines_of_head = includes.last().map_or(0, |(at, _)| at + 1);
    let head: String = source.split_inclusive('\n').take(lines_of_head).collect();
    let body = source.get(head.len()..)?;
    let is_common = |line: &str| {
        line.trim().is_empty() || line.trim() == "/* */" || directive(line) == Some("include")
    };
    let is_forbidden = FORBIDDEN_SPELLINGS.iter().any(|spelling| body.contains(spelling));
    let ends = head.is_empty() || head.ends_with('\n');
    if !head.lines().all(is_common) || is_forbidden || !ends {
        return None;
    }
    let (mut defines, mut definitions) = (Vec::new(), Vec::new());
    for definition in &question.definitions {
        let given = definition.to_str()?;
        let replaced = with_placeholder(given, word);
        if replaced == given {
            definitions.push(definition.clone());
            continue;
        }
        let (name, value) = replaced.strip_prefix("-D")?.split_once('=')?;
        let is_name = !name.is_empty() && identifiers(name).next() == Some(name);
        if !is_name || !value.trim_matches(PLACEHOLDER).is_empty() || !head.is_empty() {
            return None;
        }
        defines.push((name.into(), value.into()));
    }
    let body = with_placeholder(body, word);
    let is_guarded = is_guarded(&body);
    Some(Text { head, body, is_guarded, defines, definitions })
}

/// Whether every place of the word is between `#ifndef` of the word and the next directive.
fn is_guarded(body: &str) -> bool {
    let condition = format!("#ifndef {PLACEHOLDER}");
    let Some((before, rest)) = body.split_once(&condition) else { return false };
    let end = rest.find("\n#").unwrap_or(rest.len());
    !before.contains(PLACEHOLDER) && !rest[end..].contains(PLACEHOLDER)
}

/// The names in a text that a compiler would read, except for macros that the text defines.
fn identifiers_outside_directives(body: &str) -> Vec<String> {
    let own = macros(body);
    let mut names = Vec::new();
    for line in
        body.lines().filter(|line| !matches!(directive(line), Some(name) if name != "define"))
    {
        let line = line
            .trim_start()
            .strip_prefix('#')
            .map_or(line, |rest| rest.trim_start().trim_start_matches("define"));
        for name in identifiers(&without_literals(line)) {
            if !own.iter().chain(&names).any(|known| known == name) {
                names.push(name.to_string());
            }
        }
    }
    names
}

/// A line without its literals.
fn without_literals(line: &str) -> String {
    let (mut kept, mut quote, mut chars) = (String::new(), None, line.chars());
    while let Some(c) = chars.next() {
        match quote {
            Some(closing) if c == closing => quote = None,
            Some(_) if c == '\\' => drop(chars.next()),
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None => kept.push(c),
        }
    }
    kept
}

/// Whether a word is an identifier, or the size of a type that contains nothing to call.
fn is_plain_word(word: &str) -> bool {
    let is_identifier = |text: &str| identifiers(text).next() == Some(text);
    let of_type = word.strip_prefix("(sizeof(").and_then(|rest| rest.strip_suffix("))"));
    let plain = |c: char| c == ' ' || c == '*' || c == '_' || c.is_ascii_alphanumeric();
    let fits = match of_type {
        Some(name) => name.chars().all(plain),
        None => is_identifier(word),
    };
    let strange = |name: &str| {
        FORBIDDEN_SPELLINGS.iter().any(|spelling| name.contains(spelling))
            || name.starts_with("__FILE")
            || name.starts_with("__BASE_FILE")
            || name.to_ascii_lowercase().starts_with("tryall")
    };
    fits && !identifiers(word).any(strange)
}

/// A text with [`PLACEHOLDER`] for each occurrence of a word that is not part of a longer one.
fn with_placeholder(text: &str, word: &str) -> String {
    let continues_word =
        |c: Option<char>| c.is_some_and(|c| c == '_' || c == '$' || c.is_ascii_alphanumeric());
    let (mut made, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(word) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        let starts =
            !continues_word(word.chars().next()) || !continues_word(before.chars().next_back());
        let ends =
            !continues_word(word.chars().next_back()) || !continues_word(after.chars().next());
        made.push_str(before);
        if starts && ends {
            made.push(PLACEHOLDER);
        } else {
            made.push_str(word);
        }
        rest = after;
    }
    made + rest
}

/// The name of the directive on a line, if the line is one.
fn directive(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix('#')?.trim_start();
    Some(rest.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default())
}

/// The macros that a text defines or undefines, each once.
fn macros(body: &str) -> Vec<String> {
    let mut names = Vec::new();
    for line in body.lines() {
        if !matches!(directive(line), Some("define" | "undef")) {
            continue;
        }
        let name = identifiers(line).nth(1).unwrap_or_default().to_string();
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
