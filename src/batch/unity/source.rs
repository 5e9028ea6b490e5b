//! The source of a unit, and the lines that belong to each question.

use std::collections::HashSet;
use std::fmt::Write;
use std::ops::RangeInclusive;

use super::{Candidate, eligibility};
use crate::batch::unity::part::{self, DecidedBy};
use crate::bytes;
use crate::compiler::dialect::STEM;
use crate::plan::Plan;
use crate::plan::ids::{Id, QuestionId};
use crate::protocol::language::Language;
use crate::source::GCC_OR_CLANG;
use crate::source::words::{identifiers, no_macros};

/// Words of units that the source of a single question need not contain. If a header defined one of
/// them as a macro, it could expand to anything.
const OWN_WORDS: [&str; 26] = [
    "__extension__",
    "_Static_assert",
    "namespace",
    "int",
    "char",
    "void",
    "extern",
    "static",
    "volatile",
    "typedef",
    "enum",
    "return",
    "sizeof",
    "struct",
    "short",
    "unsigned",
    "__typeof__",
    "main",
    "__attribute__",
    "__weak__",
    "__builtin_types_compatible_p",
    "GCC",
    "clang",
    "diagnostic",
    "ignored",
    "error",
];

/// Compiles only where a declaration may begin. A header may end in the middle of one, for example
/// with `unsigned`. Alone, the question's first words would continue that declaration; in a unit,
/// the first function would. Only `__extension__`, which means nothing, may stand in front.
const CLOSED: &str = "__extension__ _Static_assert(1, \"\");\n";

/// The same for C++. `extern "C"` may precede it, but not the templates of a unit.
const CLOSED_CXX: &str = "__extension__ namespace tryall_closed { }\n";

/// Undefines the macros that expand to a position, and disables the operator with which a macro can
/// change other macros. GCC warns about the former, and offers no option against it.
const NO_POSITION_MACROS: &str = "\
#if defined __clang__
#pragma clang diagnostic ignored \"-Wbuiltin-macro-redefined\"
#else
#pragma GCC diagnostic ignored \"-Wbuiltin-macro-redefined\"
#endif
#undef __LINE__
#undef __FILE__
#undef __FILE_NAME__
#undef __BASE_FILE__
#undef __COUNTER__
#undef __INCLUDE_LEVEL__
#undef __TIMESTAMP__
#define __func__ tryall_place
#define __FUNCTION__ tryall_place
#define __PRETTY_FUNCTION__ tryall_place
#undef _Pragma
#define _Pragma tryall_place
#define TRYALL_TEXT_OF(tryall_text) #tryall_text
#define TRYALL_TEXT(tryall_text) TRYALL_TEXT_OF(tryall_text)
";

/// A source with the parts of several questions.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    /// Its questions and their parts.
    pub candidates: Vec<Candidate>,
    /// Its number, which is unique in the batch.
    pub number: usize,
    /// Its source text.
    pub text: String,
    /// The lines of each candidate's part, from 1.
    pub lines: Vec<RangeInclusive<usize>>,
    /// The lines of each part that the question's own source also contains.
    pub bodies: Vec<RangeInclusive<usize>>,
    /// The line of the unit's first function.
    pub first_line: usize,
    /// The lines that undefine macros, about which GCC warns.
    pub undef_lines: RangeInclusive<usize>,
    /// How many lines at the start also start the own sources of all its questions.
    pub common_lines: usize,
    /// Whether the object file records the expansion of the questions' words.
    records_expansions: bool,
    extension: &'static str,
}

impl Unit {
    /// A unit of these questions, whose parts share the text before them.
    pub(crate) fn new(plan: &Plan, number: usize, candidates: Vec<Candidate>) -> Self {
        let toolchain = &plan.toolchains[plan.questions[candidates[0].question].toolchain];
        let records_expansions = candidates.len() > 1 && toolchain.language == Language::C;
        Unit::of_parts(plan, number, candidates, records_expansions)
    }

    /// The same unit with the part of one question only. The answer to that question shows it instead
    /// of the unit: with the whole text in every answer, the results would grow quadratically.
    pub(crate) fn reduced_to(&self, plan: &Plan, candidate: usize) -> Self {
        let candidate = self.candidates[candidate].clone();
        Unit::of_parts(plan, self.number, vec![candidate], self.records_expansions)
    }

    fn of_parts(
        plan: &Plan,
        number: usize,
        mut candidates: Vec<Candidate>,
        records_expansions: bool,
    ) -> Self {
        let toolchain = &plan.toolchains[plan.questions[candidates[0].question].toolchain];
        // After the part of a symbol, an undeclared function is an error.
        candidates.sort_by_key(|candidate| {
            matches!(candidate.part.decided_by, DecidedBy::Links { may_be_macro: true, .. })
        });
        let part = &candidates[0].part;
        let common_lines = part.common_lines;
        let mut text = part.before.clone();
        text.push_str(if toolchain.language.is_cxx() { CLOSED_CXX } else { CLOSED });
        let first = Names(number).first();
        let first_line = text.lines().count() + 1;
        // It stands for `main`, and so meets whatever the headers leave open.
        let linkage = if toolchain.language.is_cxx() { "extern \"C\" " } else { "" };
        writeln!(text, "{linkage}int {first}(void) {{ return 0; }}")
            .expect("writing to a string succeeds");
        text.push_str(&no_macros(OWN_WORDS));
        let from = text.lines().count() + 1;
        if records_expansions {
            text.push_str(NO_POSITION_MACROS);
        }
        let undef_lines = from..=text.lines().count();
        let (mut lines, mut bodies) = (Vec::new(), Vec::new());
        for candidate in &candidates {
            let (part_lines, body_lines) =
                push_part(&mut text, plan, candidate, records_expansions);
            lines.push(part_lines);
            bodies.push(body_lines);
        }
        push_end(&mut text, Names(number));
        let extension = toolchain.language.extension(false);
        Unit {
            candidates,
            number,
            text,
            lines,
            bodies,
            first_line,
            undef_lines,
            common_lines,
            records_expansions,
            extension,
        }
    }

    /// A unit with this text and no questions.
    #[cfg(test)]
    pub(crate) fn of_text(text: &str) -> Self {
        Unit {
            candidates: Vec::new(),
            number: 0,
            text: text.into(),
            lines: Vec::new(),
            bodies: Vec::new(),
            first_line: 1,
            undef_lines: 0..=0,
            common_lines: 0,
            records_expansions: false,
            extension: "c",
        }
    }

    /// The candidates whose words may reach beyond their part: a macro may expand to anything. The
    /// object file records the expansions; a candidate without a record counts too.
    pub(crate) fn escaping(&self, plan: &Plan, object: &[u8]) -> Vec<usize> {
        if !self.records_expansions {
            return Vec::new();
        }
        let open = format!("({EXPANSION_MARK}");
        let close = format!(" {EXPANSION_END})");
        let (mut staying, mut escaping) = (HashSet::new(), HashSet::new());
        for at in bytes::positions(object, open.as_bytes()) {
            let text = object[at + open.len()..].split(|byte| *byte == 0).next();
            let text = text.and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default();
            let (number, words) = text.split_once(' ').unwrap_or((text, ""));
            let Ok(number) = number.parse::<usize>().map(QuestionId::at) else { continue };
            let is_member = self.candidates.iter().any(|candidate| candidate.question == number);
            let stays = is_member
                && words.strip_suffix(close.as_str()).is_some_and(|words| {
                    eligibility::stays_in_place(&plan.questions[number].subject, words)
                });
            let sort = if stays { &mut staying } else { &mut escaping };
            sort.insert(number);
        }
        let leaves = |candidate: &usize| {
            let question = self.candidates[*candidate].question;
            part::words(&plan.questions[question]).is_some()
                && (!staying.contains(&question) || escaping.contains(&question))
        };
        (0..self.candidates.len()).filter(leaves).collect()
    }

    /// The file name of the source.
    pub(crate) fn source_name(&self) -> String {
        format!("{STEM}{}.{}", self.number, self.extension)
    }

    /// The file name of the object file.
    pub(crate) fn object_name(&self) -> String {
        format!("{STEM}{}.o", self.number)
    }

    /// The names of the unit's own functions.
    pub(crate) fn names(&self) -> Names {
        Names(self.number)
    }

    /// Whether the unit has only one question.
    pub(crate) fn is_single(&self) -> bool {
        self.candidates.len() == 1
    }

    /// Whether the linker decides any of the questions.
    pub(crate) fn links(&self) -> bool {
        self.candidates.iter().any(Candidate::links)
    }
}

/// Appends the part of a candidate to the text of a unit. Returns the lines of the part, and those
/// that the question's own source also contains.
fn push_part(
    text: &mut String,
    plan: &Plan,
    candidate: &Candidate,
    records_expansions: bool,
) -> (RangeInclusive<usize>, RangeInclusive<usize>) {
    let from = text.lines().count() + 1;
    let (index, question) = (candidate.question, &plan.questions[candidate.question]);
    if !records_expansions {
        // A macro may expand to its line number, which differs from the one alone.
        let words = part::words(question).unwrap_or_default();
        // These are always macros.
        let known = ["__SIZE_TYPE__", "offsetof"];
        let names = identifiers(&words).filter(|name| !known.contains(name));
        text.push_str(&no_macros(names));
    }
    let (declaration, body) = part::text(question, &function(index), index);
    text.push_str(&declaration);
    let body_from = text.lines().count() + 1;
    text.push_str(&body);
    let body_lines = body_from..=text.lines().count();
    if let DecidedBy::Links { name, may_be_macro: true } = &candidate.part.decided_by
        && is_plain(name)
    {
        let mark = macro_mark(index);
        write!(text, "#ifdef {name}\nextern int {mark};\nint {mark};\n#endif\n")
            .expect("writing to a string succeeds");
    }
    if let Some(words) = part::words(question).filter(|_| records_expansions) {
        let name = format!("{EXPANSION_MARK}{index}");
        write!(
            text,
            "extern char {name}[];\n\
             char {name}[] = TRYALL_TEXT(({name} {words} {EXPANSION_END}));\n"
        )
        .expect("writing to a string succeeds");
    }
    (from..=text.lines().count(), body_lines)
}

/// Appends the functions of a unit that follow all its parts.
fn push_end(text: &mut String, names: Names) {
    let (absent, sentinel) = (names.absent(), names.sentinel());
    text.push_str(&require_known_compiler());
    write!(
        text,
        "#ifdef __cplusplus\n\
         extern \"C\" {{\n\
         #endif\n\
         char {absent}(void);\n\
         int {sentinel}(void);\n\
         #ifdef __cplusplus\n\
         }}\n\
         #endif\n\
         int {sentinel}(void) {{ return {absent}(); }}\n\
         __attribute__((__weak__)) int main(void);\n\
         int main(void) {{ return 0; }}\n"
    )
    .expect("writing to a string succeeds");
}

/// Lines that compile only with GCC or Clang, whose messages are known.
pub(crate) fn require_known_compiler() -> String {
    format!(
        "#if !({GCC_OR_CLANG})\n\
         #error \"the messages of this compiler are not known\"\n\
         #endif\n"
    )
}

/// The names of the functions that a unit adds to its parts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names(usize);

impl Names {
    /// The first function.
    pub(crate) fn first(self) -> String {
        format!("tryall_first_{}", self.0)
    }

    /// A function that does not exist.
    pub(crate) fn absent(self) -> String {
        format!("tryall_absent_{}", self.0)
    }

    /// The function that refers to it.
    pub(crate) fn sentinel(self) -> String {
        format!("tryall_sentinel_{}", self.0)
    }
}

/// The name of the function that contains the part of a question.
pub(crate) fn function(question: QuestionId) -> String {
    format!("tryall_part_{question}")
}

/// The variable that exists if a question's symbol is a macro.
pub(crate) fn macro_mark(question: QuestionId) -> String {
    format!("tryall_macro_{question}_")
}

/// With the number of a question, the variable that records the expansion of its words.
const EXPANSION_MARK: &str = "tryall_words_";

/// Ends the record of an expansion. If it is missing, the words closed the parentheses around them.
const EXPANSION_END: &str = "tryall_words_end";

fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}
