//! What GCC, Clang and GNU ld say of a batch, with LC_ALL=C. Whatever is not understood is no
//! evidence.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex_lite::Regex;

use super::source::{Unit, function};
use crate::batch::unity::part::DecidedBy;

/// What Clang says when it has said enough.
pub(crate) const STOPPED_AT_LIMIT: &str =
    "fatal error: too many errors emitted, stopping now [-ferror-limit=]";

/// What a compiler has said of one unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Diagnostics {
    /// The lines of the unit's own source that an error, and that anything, was said of.
    pub errors: Vec<usize>,
    #[allow(missing_docs, reason = "told above")]
    pub mentioned: Vec<usize>,
    /// The lines of notes.
    pub noted: Vec<usize>,
    /// Whether the first error was one that ended the compile.
    pub is_fatal: bool,
    /// Whether the compiler stopped because it had told of enough errors.
    pub is_stopped: bool,
    /// Whether anything was said that stands behind no line of it.
    pub elsewhere: bool,
    /// The words.
    pub output: String,
}

impl Diagnostics {
    /// Whether nothing was said but what is expected of every unit.
    pub(crate) fn is_silent(&self) -> bool {
        !self.elsewhere && self.mentioned.is_empty()
    }
}

/// Sorts a compiler's messages by the units that they are about. `None` if there are some that
/// are about none.
pub(crate) fn diagnostics_by_unit(output: &str, units: &[&Unit]) -> Option<Vec<Diagnostics>> {
    static PLACE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^([^\s:]+):(\d+):(?:\d+:)? (.*)$").expect("the pattern is valid")
    });
    static FUNCTION: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^([^\s:]+): (In function|At top level|In instantiation|In member function)\b")
            .expect("the pattern is valid")
    });
    let mut diagnostics = vec![Diagnostics::default(); units.len()];
    let names: Vec<_> = units.iter().map(|unit| unit.source_name()).collect();
    let unit_of = |file: &str| names.iter().position(|name| name == file);
    let mut current = None;
    // Whether a stack of includes has been told, but not yet what is said at its top.
    let mut is_in_header = false;
    // Whether the line before is a note in a header, which Clang quotes.
    let mut is_quoted = false;
    for line in output.lines() {
        let may_be_quoted = std::mem::take(&mut is_quoted);
        if let Some(place) = PLACE.captures(line) {
            is_in_header = false;
            let (file, number, message) = (&place[1], place[2].parse().ok()?, &place[3]);
            match unit_of(file) {
                Some(unit) => {
                    current = Some(unit);
                    // A note belongs to what was said before it, and may tell its place better.
                    if message.starts_with("note: ") {
                        diagnostics[unit].noted.push(number);
                    } else if !is_expected(units[unit], number, message) {
                        diagnostics[unit].mentioned.push(number);
                    }
                    if message.starts_with("error:") || message.starts_with("fatal error:") {
                        diagnostics[unit].is_fatal |=
                            diagnostics[unit].errors.is_empty() && message.starts_with("fatal");
                        diagnostics[unit].errors.push(number);
                    }
                }
                // In a header, which an earlier line says who includes. A note there is about the
                // message before it, as that a header declares something else.
                None => {
                    is_quoted = message.starts_with("note: ");
                    diagnostics[current?].elsewhere |= !is_quoted;
                }
            }
        } else if let Some(context) = FUNCTION.captures(line) {
            current = Some(unit_of(&context[1])?);
        } else if let Some(unit) = names.iter().position(|name| line.contains(name.as_str())) {
            current = Some(unit);
            let stack = line.trim_start();
            if stack.starts_with("In file included from ") || stack.starts_with("from ") {
                is_in_header = true;
            } else {
                diagnostics[unit].elsewhere = true;
            }
        } else if is_summary_line(line) {
            if line.starts_with(STOPPED_AT_LIMIT) {
                diagnostics[current?].is_stopped = true;
            }
            continue;
        } else if !line.starts_with([' ', '\t']) && !line.is_empty() {
            // Such as "cc1: warning:", "In file included from /usr/include/x.h:1,", or a line
            // of the source that Clang quotes from its first column.
            if line.starts_with("In file included from ") {
                current = None;
                continue;
            }
            // Clang's notes may have no place: "note: (skipping 9 expansions in backtrace".
            let is_quote = is_source_line(line, units[current?]) || may_be_quoted && !is_message(line);
            let belongs = line.starts_with("note: ") || is_quote;
            diagnostics[current?].elsewhere |= !belongs;
        }
        diagnostics[current?].output += &format!("{line}\n");
    }
    (!is_in_header).then_some(diagnostics)
}

/// What is said of words that no question brings: that a macro was taken away, and that the first
/// function, which stands for `main`, has no prototype.
fn is_expected(unit: &Unit, line: usize, message: &str) -> bool {
    let is_place = unit.undef_lines.contains(&line) && message.starts_with("warning: undefining \"_");
    let no_prototype = ["[-Wmissing-prototypes]", "[-Wmissing-declarations]"];
    let is_first = line == unit.first_line
        && message.starts_with("warning: ")
        && no_prototype.iter().any(|warning| message.ends_with(warning));
    is_place || is_first
}

/// Clang's last lines of a file: how much it has said, and that it says no more.
pub(crate) fn is_summary_line(line: &str) -> bool {
    line.ends_with(" generated.") && line.starts_with(|c: char| c.is_ascii_digit())
        || line.starts_with(STOPPED_AT_LIMIT)
}

/// Whether a line says anything by itself, and is none of a source.
fn is_message(line: &str) -> bool {
    ["error", "warning", "remark"].iter().any(|word| line.contains(&format!("{word}: ")))
}

fn is_source_line(line: &str, unit: &Unit) -> bool {
    unit.text.lines().any(|of_source| of_source == line)
}

/// What a linker has said of a batch.
#[derive(Debug, Default)]
pub(crate) struct Linked {
    /// For each name, the files that refer to it and that define it.
    references: HashMap<String, HashSet<String>>,
    definitions: HashMap<String, HashSet<String>>,
    /// What was said of each function: the names that it misses.
    missing: HashMap<String, Vec<String>>,
    /// The names whose address would have to be filled in when the program starts, as that of a
    /// missing variable.
    relocated: HashSet<String>,
    /// The functions of which something else was said.
    unexplained: HashSet<String>,
}

/// The verdict of a linker on a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is there.
    Present,
    /// It is not.
    Missing,
}

/// What GNU ld says of a name with `-y`.
#[derive(Debug)]
pub(crate) struct Trace<'a> {
    /// The file that refers to it or defines it.
    pub file: &'a str,
    /// Whether it defines it.
    pub is_definition: bool,
    /// The name.
    pub name: &'a str,
}

/// Reads a line of such a trace. By hand: an inventory has thousands of them.
pub(crate) fn parse_trace_line(line: &str) -> Option<Trace<'_>> {
    let (rest, name) = line.rsplit_once(' ')?;
    let (rest, is_definition) = match rest.strip_suffix(": definition of") {
        Some(rest) => (rest, true),
        None => (rest.strip_suffix(": reference to")?, false),
    };
    let (linker, file) = rest.split_once(": ")?;
    let is_linker = linker.contains("ld") && !linker.contains(char::is_whitespace);
    (is_linker && !file.is_empty() && !name.is_empty()).then_some(Trace {
        file,
        is_definition,
        name,
    })
}

/// Reads what GNU ld says with `-y` and `--warn-unresolved-symbols`. `None` if there is a line
/// that is not understood.
pub(crate) fn parse_link_output(output: &str) -> Option<Linked> {
    static FUNCTION: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^\S*ld\S*: \S+: in function `([^']+)':$").expect("valid"));
    static MISSING: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^[^:]+:(?:\d+|\([^)]*\)): warning: undefined reference to `([^']+)'$")
            .expect("valid")
    });
    static RELOCATION: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^\S*ld\S*: \S+: warning: relocation against `([^']+)' in read-only section")
            .expect("valid")
    });
    let mut linked = Linked::default();
    let mut current: Option<String> = None;
    for line in output.lines() {
        if let Some(trace) = parse_trace_line(line) {
            let sort = match trace.is_definition {
                true => &mut linked.definitions,
                false => &mut linked.references,
            };
            sort.entry(trace.name.into()).or_default().insert(trace.file.into());
        } else if let Some(function) = FUNCTION.captures(line) {
            current = Some(function[1].into());
        } else if let Some(missing) = MISSING.captures(line) {
            linked.missing.entry(current.clone()?).or_default().push(missing[1].into());
        } else if let Some(relocation) = RELOCATION.captures(line) {
            linked.relocated.insert(relocation[1].into());
        } else if line.ends_with("ld: warning: creating DT_TEXTREL in a PIE") {
            // What the line before is about.
            linked.relocated.iter().next()?;
        } else {
            linked.unexplained.insert(current.clone()?);
        }
    }
    Some(linked)
}

impl Linked {
    fn files<'a>(of: &'a HashMap<String, HashSet<String>>, name: &str) -> Vec<&'a str> {
        of.get(name).into_iter().flatten().map(String::as_str).collect()
    }

    /// Whether a function of a unit refers to a name, and the linker says clearly whether that
    /// is there.
    fn verdict_on(&self, object: &str, function: &str, name: &str) -> Option<Verdict> {
        if self.unexplained.contains(function) || !Self::files(&self.references, name).contains(&object) {
            return None;
        }
        let missing = self.missing.get(function).map(Vec::as_slice).unwrap_or_default();
        let definitions = Self::files(&self.definitions, name);
        match (missing, definitions.as_slice()) {
            ([], [_, ..])
                if definitions.iter().all(|file| is_shared(file))
                    && !self.relocated.contains(name) =>
            {
                Some(Verdict::Present)
            }
            ([_, ..], []) if missing.iter().all(|missing| missing == name) => Some(Verdict::Missing),
            _ => None,
        }
    }

    /// Whether the linker did what it is to do: it misses what does not exist, and the unit's
    /// first function is where it belongs.
    pub(crate) fn is_sound(&self, unit: &Unit) -> bool {
        let (names, object) = (unit.names(), unit.object_name());
        self.verdict_on(&object, &names.sentinel(), &names.absent()) == Some(Verdict::Missing)
            && Self::files(&self.definitions, &names.first()) == [object.as_str()]
    }

    /// The verdict on a unit's question.
    pub(crate) fn verdict(&self, unit: &Unit, candidate: usize) -> Option<Verdict> {
        let candidate = &unit.candidates[candidate];
        let DecidedBy::Links { name, .. } = &candidate.part.decided_by else { return None };
        self.verdict_on(&unit.object_name(), &function(candidate.question), name)
    }

    /// Whether nothing at all was said of a unit's question: it refers to nothing.
    pub(crate) fn is_silent_on(&self, unit: &Unit, candidate: usize) -> bool {
        let candidate = &unit.candidates[candidate];
        let function = function(candidate.question);
        let DecidedBy::Links { name, .. } = &candidate.part.decided_by else { return false };
        !self.unexplained.contains(&function)
            && !self.missing.contains_key(&function)
            && !Self::files(&self.references, name).contains(&unit.object_name().as_str())
    }
}

/// A shared library by its name: `libc.so.6`, not a member of an archive.
fn is_shared(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or_default();
    name.contains(".so") && !file.ends_with(')') && !name.ends_with(".o") && !name.ends_with(".a")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a unit of an empty source.
    fn diagnostics(output: &str) -> Option<Diagnostics> {
        let unit = Unit::of_text("int x;\n");
        diagnostics_by_unit(output, &[&unit]).map(|mut diagnostics| diagnostics.remove(0))
    }

    #[test]
    fn a_note_in_a_header_belongs_to_the_message_before_it() {
        let error = "conftest0.c:7:5: error: conflicting types for 'f'\n";
        let gcc = "In file included from /usr/include/a.h:2,\n                 from conftest0.c:1:\n\
                   /usr/include/b.h:3:5: note: previous declaration of 'f'\n    3 | int f(void);\n";
        let clang =
            "/usr/include/b.h:3:5: note: previous declaration is here\nint f(void);\n    ^\n";
        for note in [gcc, clang] {
            let diagnostics = diagnostics(&[error, note].concat()).unwrap();
            assert_eq!((diagnostics.errors.as_slice(), diagnostics.elsewhere), (&[7][..], false), "{note}");
        }
        for other in [
            &gcc.replace("note: ", "warning: "),
            &clang.replace("note: ", "error: "),
            &[clang, "int g(void);\n"].concat(),
            "/usr/include/b.h:3:5: note: previous declaration is here\nerror: no\n",
        ] {
            assert!(diagnostics(&[error, other].concat()).unwrap().elsewhere, "{other}");
        }
        // What is said at the top of this stack is not there.
        let stack = gcc.split("/usr/include/b.h").next().unwrap();
        assert_eq!(diagnostics(&[error, stack].concat()), None);
    }

    const REFERENCE: &str = "/usr/bin/ld: conftest0.o: reference to fork\n";
    const DEFINITION: &str = "/usr/bin/ld: /lib/libc.so.6: definition of fork\n";
    const MISSING: &str = "/usr/bin/ld: conftest0.o: in function `tryall_part_0':\n\
                          conftest0.c:(.text+0x1e): warning: undefined reference to `fork'\n";

    fn verdict(output: &str) -> Option<Verdict> {
        parse_link_output(output)?.verdict_on("conftest0.o", "tryall_part_0", "fork")
    }

    #[test]
    fn a_name_is_there_if_only_shared_libraries_define_it() {
        assert_eq!(verdict(&[REFERENCE, DEFINITION].concat()), Some(Verdict::Present));
        for other in ["/lib/libc.a(fork.o)", "conftest1.o", "/lib/libx.so.a", "/lib/x.so(y.o)"] {
            let definition = DEFINITION.replace("/lib/libc.so.6", other);
            assert_eq!(verdict(&[REFERENCE, &definition].concat()), None, "{other}");
            assert_eq!(verdict(&[REFERENCE, DEFINITION, &definition].concat()), None, "{other}");
        }
        // The header has given it another name.
        assert_eq!(verdict(DEFINITION), None);
    }

    #[test]
    fn a_name_is_missing_if_nothing_defines_it_and_its_function_misses_it() {
        assert_eq!(verdict(&[REFERENCE, MISSING].concat()), Some(Verdict::Missing));
        assert_eq!(verdict(&[REFERENCE, DEFINITION, MISSING].concat()), None);
        assert_eq!(verdict(REFERENCE), None);
        assert_eq!(verdict(&[REFERENCE, &MISSING.replace("`fork'", "`forkk'")].concat()), None);
        assert_eq!(verdict(&[REFERENCE, &MISSING.replace("part_0", "part_1")].concat()), None);
        let two = MISSING.replace("0x1e", "0x2e").replace("`fork'", "`vfork'");
        assert_eq!(verdict(&[REFERENCE, MISSING, &two].concat()), None);
    }

    #[test]
    fn what_is_not_understood_is_no_evidence() {
        let unexplained = "conftest0.c:(.text+0x3d): warning: the `fork' function is dangerous\n";
        let missing = MISSING.lines().next().unwrap();
        assert_eq!(verdict(&format!("{REFERENCE}{DEFINITION}{missing}\n{unexplained}")), None);
        for line in
            ["ld.lld: error: undefined symbol: fork\n", "/usr/bin/ld: skipping incompatible x.so\n"]
        {
            assert!(parse_link_output(&[line, REFERENCE, DEFINITION].concat()).is_none(), "{line}");
        }
        let relocation = "/usr/bin/ld: conftest0.o: warning: relocation against `fork' in read-only section `.text'\n";
        assert_eq!(verdict(&[REFERENCE, DEFINITION, relocation].concat()), None);
    }
}
