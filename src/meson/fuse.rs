//! Several items in one compile, where it tells the answer to each exactly.
//!
//! A source that holds the sources of several items compiles only if each would alone: they stand
//! in functions and structs of their own, behind the same prefix, and none can see the others. So
//! its yes is a yes to all. Its no says nothing but which items to look at alone, by the lines and
//! names in the compiler's messages; a wrong hint costs time and changes no answer. Whatever might
//! reach beyond its own function (braces, code in the prefix, words that are macros of a header
//! and may hold anything) is not fused.
//!
//! Headers and builtins are asked of the preprocessor, by operators that have no side effects.

use std::fmt::Write;

use crate::protocol::response::{Answer, Status, Value};

use super::source;
use super::version::Version;
use super::words::{Batch, Item, Method};
use crate::compiler::language::Language;
use crate::source::words::{identifiers, no_macros, words};

/// How items are asked together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// What `__has_include` says of headers.
    Headers,
    /// What `__has_builtin` says of functions: who is no builtin needs not be asked as one.
    Builtins,
    /// Whether functions link that have no prototype.
    Functions,
    /// Whether types and members are there.
    Bodies,
    /// Sizes that a program prints.
    Sizes,
    /// Alignments that a program prints.
    Alignments,
}

/// Items of a batch that are asked together.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// How.
    pub form: Form,
    /// The index of the batch.
    pub batch: usize,
    /// The headers of each item.
    pub headers: Vec<String>,
    /// The indices of the items.
    pub items: Vec<usize>,
    /// Whether it is what an earlier group left.
    pub again: bool,
}

/// The groups of a batch. One item is none.
pub(crate) fn groups(index: usize, batch: &Batch) -> Vec<Group> {
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
                    again: false,
                }),
            }
        }
    }
    groups.retain(|group| group.items.len() > 1);
    groups
}

fn forms(batch: &Batch, item: &Item) -> &'static [Form] {
    if batch.language == Language::Fortran || warnings_are_errors(batch) {
        return &[];
    }
    let only = |more: &str| {
        item.subject.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || more.contains(c))
    };
    // One named like something in the sources may clash there, alone or together.
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

/// Errors that a source of several items has whenever one of its items has them, as they are about
/// declarations and calls that stand in both. Distributions set some of these.
const SAME_TOGETHER: [&str; 8] = [
    "format",
    "format-security",
    "implicit",
    "implicit-function-declaration",
    "implicit-int",
    "incompatible-pointer-types",
    "int-conversion",
    "return-type",
];

/// Whether warnings turn an answer. Other warnings than these may be about a source as a whole, such
/// as its last line or its macros, and a source of several items is another one.
fn warnings_are_errors(batch: &Batch) -> bool {
    let is_error = |arg: &String| match arg.strip_prefix("-Werror=") {
        Some(warning) => !SAME_TOGETHER.contains(&warning),
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

/// Whether a prefix has nothing but definitions of macros, each on one line.
fn defines_only(prefix: &str) -> bool {
    let is_define = |line: &str| line.trim().is_empty() || line.trim().starts_with("#define ");
    prefix.lines().all(is_define) && !prefix.contains('\\') && !prefix.contains("/*")
}

/// A source, and whose its lines are.
#[derive(Debug, Default)]
pub(crate) struct Fused {
    /// The text.
    pub text: String,
    /// For each line the item that it belongs to.
    lines: Vec<Option<usize>>,
}

impl Fused {
    fn add(&mut self, text: &str, item: Option<usize>) {
        for line in text.lines() {
            writeln!(self.text, "{line}").expect("strings take all");
            self.lines.push(item);
        }
    }
}

/// The macro that names what is there.
pub(crate) const THERE: &str = "TRYALL_THERE";

/// The source of a group; for [`Form::Headers`] and [`Form::Builtins`] what is to stand before
/// the question what [`THERE`] expands to.
pub(crate) fn fused(group: &Group, batch: &Batch, prefix: &str, version: &Version) -> Fused {
    let items = group.items.iter().map(|&place| (place, batch.items[place].subject.as_str()));
    let mut fused = Fused::default();
    match group.form {
        Form::Headers | Form::Builtins => {
            let operator = match group.form {
                Form::Headers => "__has_include",
                _ => "__has_builtin",
            };
            fused.add(&format!("{prefix}\n#ifdef {operator}"), None);
            for (place, name) in items.clone() {
                let operand = match group.form {
                    Form::Headers => format!("\"{name}\""),
                    _ => format!("__builtin_{name}"),
                };
                let text = format!(
                    "#if {operator}({operand})\n\
                     #define TRYALL_{place} tryall_{place}\n\
                     #else\n\
                     #define TRYALL_{place}\n\
                     #endif"
                );
                fused.add(&text, Some(place));
            }
            let all: Vec<_> = items.map(|(place, _)| format!("TRYALL_{place}")).collect();
            fused.add(&format!("#define {THERE} {}\n#endif", all.join(" ")), None);
        }
        Form::Functions => functions(&mut fused, items, prefix),
        Form::Bodies => {
            fused.add(prefix, None);
            fused.add(&no_macros(own_words()), None);
            // The name that each has alone.
            fused.add("void bar(void) {}", None);
            for (place, subject) in items {
                fused.add(&no_macros(identifiers(subject)), Some(place));
                let body = match subject.split_once('.') {
                    Some((of, member)) if batch.items[place].method == Method::HasMember => {
                        source::member_body(version, of, member)
                    }
                    _ => source::type_body(version, subject),
                };
                let body = body.replace('\n', " ");
                fused.add(&format!("void tryall_function_{place}(void) {{ {body} }}"), Some(place));
            }
        }
        Form::Sizes => {
            fused.add(&source::printing(version, prefix), None);
            fused.add(&no_macros(own_words()), None);
            fused.add("int main(void) {", None);
            for (place, name) in items {
                fused.add(&no_macros(identifiers(name)), Some(place));
                let print = format!("printf(\"%ld\\n\", (long)(sizeof({name})));");
                fused.add(&print, Some(place));
            }
            fused.add("return 0;\n}", None);
        }
        Form::Alignments => {
            fused.add(&source::printing_alignments(version, prefix), None);
            fused.add(&no_macros(own_words()), None);
            fused.add("struct tmp { char c; };", None);
            let mut main = String::new();
            for (place, name) in items {
                fused.add(&no_macros(identifiers(name)), Some(place));
                fused.add(
                    &format!("struct tryall_{place} {{ char c; {name} target; }};"),
                    Some(place),
                );
                let offset = format!("offsetof(struct tryall_{place}, target)");
                writeln!(main, "printf(\"%d\\n\", (int){offset});").expect("strings take all");
            }
            fused.add(&format!("int main(void) {{\n{main}return 0;\n}}"), None);
        }
    }
    fused
}

/// The words of the sources below that are no one's macros, or the source does not compile.
fn own_words() -> impl Iterator<Item = &'static str> {
    ["char", "int", "long", "void", "struct", "sizeof", "return", "main", "printf"]
        .into_iter()
        .chain(source::NAMES)
}

/// Each function is called in one of its own, and all of these are reached through a table that
/// the program reads: nothing of it can be left out.
fn functions<'a>(
    fused: &mut Fused,
    items: impl Iterator<Item = (usize, &'a str)> + Clone,
    prefix: &str,
) {
    for (place, name) in items.clone() {
        fused.add(&format!("#define {name} tryall_not_{name}"), Some(place));
    }
    fused.add(&format!("{prefix}\n#include <limits.h>"), None);
    for (place, name) in items.clone() {
        fused.add(&format!("#undef {name}\n{}", source::stub(name)), Some(place));
    }
    fused.add("#ifdef __cplusplus\nextern \"C\" {\n#endif", None);
    for (place, name) in items.clone() {
        fused.add(&format!("char {name} (void);"), Some(place));
    }
    fused.add("#ifdef __cplusplus\n}\n#endif", None);
    for (place, name) in items.clone() {
        let call = format!("int tryall_function_{place}(void) {{ return {name} (); }}");
        fused.add(&call, Some(place));
    }
    let all: Vec<_> = items.map(|(place, _)| format!("tryall_function_{place}")).collect();
    fused.add(
        &format!(
            "int (*volatile tryall_table[])(void) = {{ {} }};\n\
             int main(int argc, char **argv) {{ (void)argv; return tryall_table[argc](); }}",
            all.join(", ")
        ),
        None,
    );
}

/// The items among those that are there, of [`Form::Headers`] and [`Form::Builtins`]; `None` if
/// nobody knows.
pub(crate) fn there(answer: &Answer) -> Option<Vec<usize>> {
    let Some(Value::Text(names)) = answer.value.as_ref().filter(|_| answer.status == Status::Yes)
    else {
        return None;
    };
    names.split_whitespace().map(|name| name.strip_prefix("tryall_")?.parse().ok()).collect()
}

/// The numbers that a program printed, if there is one for each item.
pub(crate) fn printed(answer: &Answer, count: usize) -> Option<Vec<i64>> {
    let Some(Value::Program { stdout, .. }) =
        answer.value.as_ref().filter(|_| answer.status == Status::Yes)
    else {
        return None;
    };
    let numbers: Option<Vec<_>> = stdout.lines().map(|line| line.trim().parse().ok()).collect();
    numbers.filter(|numbers| numbers.len() == count)
}

/// The items that the compiler's messages are about.
pub(crate) fn suspects(group: &Group, batch: &Batch, fused: &Fused, output: &str) -> Vec<usize> {
    let mut found = Vec::new();
    for line in output.lines() {
        let behind = line.strip_prefix("conftest.").and_then(|rest| rest.split_once(':'));
        let number = behind.and_then(|(_, rest)| rest.split(':').next()?.parse::<usize>().ok());
        if let Some(number) = number.filter(|_| line.contains("error")) {
            found.extend(fused.lines.get(number.wrapping_sub(1)).copied().flatten());
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
