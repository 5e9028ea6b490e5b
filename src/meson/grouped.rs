//! Answers several items with one source, where its result proves the answer to each.
//!
//! A grouped source contains each item in its own function or struct, after the same prefix, so
//! that no item can see another. It compiles only if each item would compile alone: success is a
//! yes to all items. Failure proves nothing. The lines and names in the compiler's messages only
//! suggest which items to check alone; a wrong suggestion costs time and changes no answer. Items
//! that could affect more than their own function are not grouped: subjects with braces, prefixes
//! with code, and words that a header defines as macros.
//!
//! Headers and builtins use preprocessor operators, which have no side effects.

use std::fmt::Write;

use crate::protocol::response::{Answer, Status, Value};

use super::source;
use super::version::Version;
use super::words::{Item, MesonBatch, Method};
use crate::protocol::language::Language;
use crate::source::words::{identifiers, no_macros, words};

/// How a group of items is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Headers, with `__has_include`.
    Headers,
    /// Functions, with `__has_builtin`. Functions that are not builtins need no second check.
    Builtins,
    /// Functions that link without a prototype.
    Functions,
    /// Types and members that exist.
    Bodies,
    /// Sizes, printed by a program.
    Sizes,
    /// Alignments, printed by a program.
    Alignments,
}

/// Items of a batch that share a source.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// How they are checked.
    pub form: Form,
    /// The index of the batch.
    pub batch: usize,
    /// The headers of each item.
    pub headers: Vec<String>,
    /// The indices of the items.
    pub items: Vec<usize>,
    /// Whether it is the remainder of a group that failed.
    pub is_retry: bool,
}

/// The groups of a batch, of at least two items each.
pub(crate) fn groups(index: usize, batch: &MesonBatch) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (place, item) in batch.items.iter().enumerate() {
        for &form in forms(batch, item) {
            let headers = &item.headers;
            let same = |group: &&mut Group| group.form == form && group.headers == *headers;
            match groups.iter_mut().find(same) {
                Some(group) => group.items.push(place),
                None => groups.push(Group {
                    form,
                    batch: index,
                    headers: headers.clone(),
                    items: vec![place],
                    is_retry: false,
                }),
            }
        }
    }
    groups.retain(|group| group.items.len() > 1);
    groups
}

fn forms(batch: &MesonBatch, item: &Item) -> &'static [Form] {
    if batch.language == Language::Fortran || warnings_are_errors(batch) {
        return &[];
    }
    let only = |more: &str| {
        item.subject.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || more.contains(c))
    };
    // A type named like an identifier of the source could clash with it.
    let is_type = only(" *.") && words(&item.subject).all(|word| !source::NAMES.contains(&word));
    match item.method {
        Method::HasHeader if only("/.-+") => &[Form::Headers],
        Method::HasFunction
            if only("")
                && !item.subject.starts_with("__builtin_")
                && item.headers.is_empty()
                && defines_only(&batch.prefix) =>
        {
            &[Form::Functions, Form::Builtins]
        }
        Method::HasType | Method::HasMember if is_type => &[Form::Bodies],
        Method::Sizeof if is_type && !batch.cross => &[Form::Sizes],
        Method::Alignment if is_type && !batch.cross => &[Form::Alignments],
        _ => &[],
    }
}

/// Warnings about single declarations and calls: a grouped source has them if and only if one of
/// its items has them alone. Distributions turn some of these into errors.
const LOCAL_WARNINGS: [&str; 8] = [
    "format",
    "format-security",
    "implicit",
    "implicit-function-declaration",
    "implicit-int",
    "incompatible-pointer-types",
    "int-conversion",
    "return-type",
];

/// Whether warnings can change an answer. Warnings other than [`LOCAL_WARNINGS`] can depend on the
/// source as a whole, such as its last line or its macros, and a grouped source is a different one.
fn warnings_are_errors(batch: &MesonBatch) -> bool {
    let is_error = |arg: &String| match arg.strip_prefix("-Werror=") {
        Some(warning) => !LOCAL_WARNINGS.contains(&warning),
        None => ["-Werror", "-pedantic-errors"].contains(&arg.as_str()) || arg.starts_with('@'),
    };
    // `#pragma GCC diagnostic error`.
    batch.prefix.contains("diagnostic")
        || [
            &batch.command,
            &batch.option_args,
            &batch.option_link_args,
            &batch.builtin_args,
            &batch.args,
        ]
        .into_iter()
        .any(|args| args.iter().any(is_error))
}

/// Whether a prefix contains only macro definitions, each on one line.
fn defines_only(prefix: &str) -> bool {
    let is_define = |line: &str| line.trim().is_empty() || line.trim().starts_with("#define ");
    prefix.lines().all(is_define) && !prefix.contains('\\') && !prefix.contains("/*")
}

/// The source of a group, and which item each line belongs to.
#[derive(Debug, Default)]
pub(crate) struct GroupSource {
    /// The text.
    pub text: String,
    /// The item of each line.
    lines: Vec<Option<usize>>,
}

impl GroupSource {
    fn add(&mut self, text: &str, item: Option<usize>) {
        for line in text.lines() {
            writeln!(self.text, "{line}").expect("strings take all");
            self.lines.push(item);
        }
    }
}

/// The macro that expands to the names of the items that exist.
pub(crate) const PRESENT: &str = "TRYALL_PRESENT";

/// The source of a group. For [`Form::Headers`] and [`Form::Builtins`] it defines [`PRESENT`].
pub(crate) fn source_of(
    group: &Group,
    batch: &MesonBatch,
    prefix: &str,
    version: &Version,
) -> GroupSource {
    let items = group.items.iter().map(|&place| (place, batch.items[place].subject.as_str()));
    let mut text = GroupSource::default();
    match group.form {
        Form::Headers | Form::Builtins => {
            let operator = match group.form {
                Form::Headers => "__has_include",
                _ => "__has_builtin",
            };
            text.add(&format!("{prefix}\n#ifdef {operator}"), None);
            for (place, name) in items.clone() {
                let operand = match group.form {
                    Form::Headers => format!("\"{name}\""),
                    _ => format!("__builtin_{name}"),
                };
                let lines = format!(
                    "#if {operator}({operand})\n\
                     #define TRYALL_{place} tryall_{place}\n\
                     #else\n\
                     #define TRYALL_{place}\n\
                     #endif"
                );
                text.add(&lines, Some(place));
            }
            let all: Vec<_> = items.map(|(place, _)| format!("TRYALL_{place}")).collect();
            text.add(&format!("#define {PRESENT} {}\n#endif", all.join(" ")), None);
        }
        Form::Functions => functions(&mut text, items, prefix),
        Form::Bodies => {
            text.add(prefix, None);
            text.add(&no_macros(own_words()), None);
            // The function has this name in Meson's source.
            text.add("void bar(void) {}", None);
            for (place, subject) in items {
                text.add(&no_macros(identifiers(subject)), Some(place));
                let body = match subject.split_once('.') {
                    Some((of, member)) if batch.items[place].method == Method::HasMember => {
                        source::member_body(version, of, member)
                    }
                    _ => source::type_body(version, subject),
                };
                let body = body.replace('\n', " ");
                text.add(&format!("void tryall_function_{place}(void) {{ {body} }}"), Some(place));
            }
        }
        Form::Sizes => {
            text.add(&source::printing(version, prefix), None);
            text.add(&no_macros(own_words()), None);
            text.add("int main(void) {", None);
            for (place, name) in items {
                text.add(&no_macros(identifiers(name)), Some(place));
                let print = format!("printf(\"%ld\\n\", (long)(sizeof({name})));");
                text.add(&print, Some(place));
            }
            text.add("return 0;\n}", None);
        }
        Form::Alignments => {
            text.add(&source::printing_alignments(version, prefix), None);
            text.add(&no_macros(own_words()), None);
            text.add("struct tmp { char c; };", None);
            let mut main = String::new();
            for (place, name) in items {
                text.add(&no_macros(identifiers(name)), Some(place));
                text.add(
                    &format!("struct tryall_{place} {{ char c; {name} target; }};"),
                    Some(place),
                );
                let offset = format!("offsetof(struct tryall_{place}, target)");
                writeln!(main, "printf(\"%d\\n\", (int){offset});").expect("strings take all");
            }
            text.add(&format!("int main(void) {{\n{main}return 0;\n}}"), None);
        }
    }
    text
}

/// Words of the sources that must not be macros.
fn own_words() -> impl Iterator<Item = &'static str> {
    ["char", "int", "long", "void", "struct", "sizeof", "return", "main", "printf"]
        .into_iter()
        .chain(source::NAMES)
}

/// Calls each function in a separate function. The program reaches all of them through a volatile
/// table, so that the linker cannot discard any.
fn functions<'a>(
    text: &mut GroupSource,
    items: impl Iterator<Item = (usize, &'a str)> + Clone,
    prefix: &str,
) {
    for (place, name) in items.clone() {
        text.add(&format!("#define {name} tryall_not_{name}"), Some(place));
    }
    text.add(&format!("{prefix}\n#include <limits.h>"), None);
    for (place, name) in items.clone() {
        text.add(&format!("#undef {name}\n{}", source::stub(name)), Some(place));
    }
    text.add("#ifdef __cplusplus\nextern \"C\" {\n#endif", None);
    for (place, name) in items.clone() {
        text.add(&format!("char {name} (void);"), Some(place));
    }
    text.add("#ifdef __cplusplus\n}\n#endif", None);
    for (place, name) in items.clone() {
        let call = format!("int tryall_function_{place}(void) {{ return {name} (); }}");
        text.add(&call, Some(place));
    }
    let all: Vec<_> = items.map(|(place, _)| format!("tryall_function_{place}")).collect();
    text.add(
        &format!(
            "int (*volatile tryall_table[])(void) = {{ {} }};\n\
             int main(int argc, char **argv) {{ (void)argv; return tryall_table[argc](); }}",
            all.join(", ")
        ),
        None,
    );
}

/// The items that exist, for [`Form::Headers`] and [`Form::Builtins`]. `None` if the check failed.
pub(crate) fn present(answer: &Answer) -> Option<Vec<usize>> {
    let Some(Value::Text(names)) = answer.value.as_ref().filter(|_| answer.status == Status::Yes)
    else {
        return None;
    };
    names.split_whitespace().map(|name| name.strip_prefix("tryall_")?.parse().ok()).collect()
}

/// The numbers that the program printed. `None` unless there is one for each item.
pub(crate) fn printed(answer: &Answer, count: usize) -> Option<Vec<i64>> {
    let Some(Value::Program { stdout, .. }) =
        answer.value.as_ref().filter(|_| answer.status == Status::Yes)
    else {
        return None;
    };
    let numbers: Option<Vec<_>> = stdout.lines().map(|line| line.trim().parse().ok()).collect();
    numbers.filter(|numbers| numbers.len() == count)
}

/// The items that the compiler's messages mention.
pub(crate) fn suspects(
    group: &Group,
    batch: &MesonBatch,
    source: &GroupSource,
    output: &str,
) -> Vec<usize> {
    let mut found = Vec::new();
    for line in output.lines() {
        let position = line.strip_prefix("conftest.").and_then(|rest| rest.split_once(':'));
        let number = position.and_then(|(_, rest)| rest.split(':').next()?.parse::<usize>().ok());
        if let Some(number) = number.filter(|_| line.contains("error")) {
            found.extend(source.lines.get(number.wrapping_sub(1)).copied().flatten());
        }
        if line.contains("undefined") {
            let mut words = line.split(|c: char| c != '_' && !c.is_alphanumeric());
            let last = words.rfind(|word| !word.is_empty()).unwrap_or_default();
            let named = |place: &&usize| batch.items[**place].subject == last;
            found.extend(group.items.iter().find(named));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}
