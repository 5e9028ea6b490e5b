//! Reads the output of GCC, Clang and GNU ld for a batch, in the locale C. Output that this module
//! does not understand is no evidence.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex_lite::Regex;

use super::source::{Unit, function};
use crate::batch::unity::part::DecidedBy;
use crate::compiler::diagnostics::STOPPED_AT_LIMIT;
use crate::compiler::linker_trace::parse_trace_line;

/// The diagnostics of one unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Diagnostics {
    /// The lines of the unit's own source with an error.
    pub errors: Vec<usize>,
    /// The lines of the unit's own source with any unexpected diagnostic.
    pub mentioned: Vec<usize>,
    /// The lines of the unit's own source with a note.
    pub noted: Vec<usize>,
    /// Whether the first error ended the compile.
    pub is_fatal: bool,
    /// Whether the compiler stopped at its error limit.
    pub is_stopped: bool,
    /// Whether there are diagnostics that belong to no line of the unit's own source.
    pub elsewhere: bool,
    /// The full text.
    pub output: String,
}

impl Diagnostics {
    /// Whether there are only the diagnostics that every unit causes.
    pub(crate) fn is_silent(&self) -> bool {
        !self.elsewhere && self.mentioned.is_empty()
    }

    /// Records a diagnostic at a line of the unit's own source.
    fn record(&mut self, unit: &Unit, line: usize, message: &str) {
        // A note belongs to the diagnostic before it, and may locate it better.
        if message.starts_with("note: ") {
            self.noted.push(line);
        } else if !is_expected(unit, line, message) {
            self.mentioned.push(line);
        }
        if message.starts_with("error:") || message.starts_with("fatal error:") {
            self.is_fatal |= self.errors.is_empty() && message.starts_with("fatal");
            self.errors.push(line);
        }
    }
}

/// Assigns a compiler's diagnostics to the units that they are about. `None` if a diagnostic
/// belongs to no unit.
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
    // Whether a stack of includes was printed, but not yet the diagnostic at its top.
    let mut is_in_header = false;
    // Whether the previous line was a note in a header, whose source line Clang quotes next.
    let mut is_quoted = false;
    for line in output.lines() {
        let may_be_quoted = std::mem::take(&mut is_quoted);
        if let Some(place) = PLACE.captures(line) {
            is_in_header = false;
            let (file, number, message) = (&place[1], place[2].parse().ok()?, &place[3]);
            match unit_of(file) {
                Some(unit) => {
                    current = Some(unit);
                    diagnostics[unit].record(units[unit], number, message);
                }
                // In a header; an earlier line names the unit that includes it. A note there
                // belongs to the diagnostic before it: it says, for example, where the header
                // declares the name differently.
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
            // For example "cc1: warning:", "In file included from /usr/include/x.h:1,", or a source
            // line that Clang quotes from its first column.
            if line.starts_with("In file included from ") {
                current = None;
                continue;
            }
            // Clang's notes may lack a location: "note: (skipping 9 expansions in backtrace".
            let is_quote =
                is_source_line(line, units[current?]) || may_be_quoted && !is_message(line);
            let belongs = line.starts_with("note: ") || is_quote;
            diagnostics[current?].elsewhere |= !belongs;
        }
        diagnostics[current?].output += &format!("{line}\n");
    }
    (!is_in_header).then_some(diagnostics)
}

/// Whether a diagnostic is about the frame that every unit has: GCC warns when a predefined macro
/// is undefined, and when the first function, which stands for `main`, has no prototype.
fn is_expected(unit: &Unit, line: usize, message: &str) -> bool {
    let is_place =
        unit.undef_lines.contains(&line) && message.starts_with("warning: undefining \"_");
    let no_prototype = ["[-Wmissing-prototypes]", "[-Wmissing-declarations]"];
    let is_first = line == unit.first_line
        && message.starts_with("warning: ")
        && no_prototype.iter().any(|warning| message.ends_with(warning));
    is_place || is_first
}

/// Whether a line is one that Clang prints after all diagnostics of a file: how many there were, or
/// that it stopped at its error limit.
pub(crate) fn is_summary_line(line: &str) -> bool {
    line.ends_with(" generated.") && line.starts_with(|c: char| c.is_ascii_digit())
        || line.starts_with(STOPPED_AT_LIMIT)
}

/// Whether a line is a diagnostic of its own, rather than a quoted source line.
fn is_message(line: &str) -> bool {
    ["error", "warning", "remark"].iter().any(|word| line.contains(&format!("{word}: ")))
}

/// Whether a line repeats a line of the unit's source.
fn is_source_line(line: &str, unit: &Unit) -> bool {
    unit.text.lines().any(|of_source| of_source == line)
}

/// The output of a linker for a batch.
#[derive(Debug, Default)]
pub(crate) struct Linked {
    /// The files that refer to each name, and those that define it.
    references: HashMap<String, HashSet<String>>,
    definitions: HashMap<String, HashSet<String>>,
    /// The undefined names in each function.
    missing: HashMap<String, Vec<String>>,
    /// The names that need a relocation when the program starts, as the address of a missing
    /// variable does.
    relocated: HashSet<String>,
    /// The functions with output that is not understood.
    unexplained: HashSet<String>,
}

/// Whether a name links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkVerdict {
    /// Something defines the name.
    Present,
    /// Nothing defines it.
    Missing,
}

/// Parses GNU ld's output for `-y` and `--warn-unresolved-symbols`. `None` if a line outside of any
/// function is not understood.
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
            // It follows the relocation that it is about.
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

    /// The verdict on a name that a function of a unit refers to; `None` if the function does not
    /// refer to it, or the output does not decide.
    fn verdict_on(&self, object: &str, function: &str, name: &str) -> Option<LinkVerdict> {
        if self.unexplained.contains(function)
            || !Self::files(&self.references, name).contains(&object)
        {
            return None;
        }
        let missing = self.missing.get(function).map(Vec::as_slice).unwrap_or_default();
        let definitions = Self::files(&self.definitions, name);
        match (missing, definitions.as_slice()) {
            ([], [_, ..])
                if definitions.iter().all(|file| is_shared(file))
                    && !self.relocated.contains(name) =>
            {
                Some(LinkVerdict::Present)
            }
            ([_, ..], []) if missing.iter().all(|missing| missing == name) => {
                Some(LinkVerdict::Missing)
            }
            _ => None,
        }
    }

    /// Whether the linker worked as expected on a unit: it reports the name that does not exist,
    /// and finds the unit's first function in the unit's object file.
    pub(crate) fn is_sound(&self, unit: &Unit) -> bool {
        let (names, object) = (unit.names(), unit.object_name());
        self.verdict_on(&object, &names.sentinel(), &names.absent()) == Some(LinkVerdict::Missing)
            && Self::files(&self.definitions, &names.first()) == [object.as_str()]
    }

    /// The verdict on the name of a unit's question.
    pub(crate) fn verdict(&self, unit: &Unit, candidate: usize) -> Option<LinkVerdict> {
        let candidate = &unit.candidates[candidate];
        let DecidedBy::Links { name, .. } = &candidate.part.decided_by else { return None };
        self.verdict_on(&unit.object_name(), &function(candidate.question), name)
    }

    /// Whether the output says nothing about a unit's question, because its part refers to nothing.
    pub(crate) fn is_silent_on(&self, unit: &Unit, candidate: usize) -> bool {
        let candidate = &unit.candidates[candidate];
        let function = function(candidate.question);
        let DecidedBy::Links { name, .. } = &candidate.part.decided_by else { return false };
        !self.unexplained.contains(&function)
            && !self.missing.contains_key(&function)
            && !Self::files(&self.references, name).contains(&unit.object_name().as_str())
    }
}

/// Whether a file name is that of a shared library, such as `libc.so.6`, and not of an archive
/// member.
fn is_shared(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or_default();
    name.contains(".so") && !file.ends_with(')') && !name.ends_with(".o") && !name.ends_with(".a")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The diagnostics of a unit with an empty source.
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
            assert_eq!(
                (diagnostics.errors.as_slice(), diagnostics.elsewhere),
                (&[7][..], false),
                "{note}"
            );
        }
        for other in [
            &gcc.replace("note: ", "warning: "),
            &clang.replace("note: ", "error: "),
            &[clang, "int g(void);\n"].concat(),
            "/usr/include/b.h:3:5: note: previous declaration is here\nerror: no\n",
        ] {
            assert!(diagnostics(&[error, other].concat()).unwrap().elsewhere, "{other}");
        }
        // The diagnostic at the top of this stack is missing.
        let stack = gcc.split("/usr/include/b.h").next().unwrap();
        assert_eq!(diagnostics(&[error, stack].concat()), None);
    }

    const REFERENCE: &str = "/usr/bin/ld: conftest0.o: reference to fork\n";
    const DEFINITION: &str = "/usr/bin/ld: /lib/libc.so.6: definition of fork\n";
    const MISSING: &str = "/usr/bin/ld: conftest0.o: in function `tryall_part_0':\n\
                          conftest0.c:(.text+0x1e): warning: undefined reference to `fork'\n";

    fn verdict(output: &str) -> Option<LinkVerdict> {
        parse_link_output(output)?.verdict_on("conftest0.o", "tryall_part_0", "fork")
    }

    #[test]
    fn a_name_is_present_if_only_shared_libraries_define_it() {
        assert_eq!(verdict(&[REFERENCE, DEFINITION].concat()), Some(LinkVerdict::Present));
        for other in ["/lib/libc.a(fork.o)", "conftest1.o", "/lib/libx.so.a", "/lib/x.so(y.o)"] {
            let definition = DEFINITION.replace("/lib/libc.so.6", other);
            assert_eq!(verdict(&[REFERENCE, &definition].concat()), None, "{other}");
            assert_eq!(verdict(&[REFERENCE, DEFINITION, &definition].concat()), None, "{other}");
        }
        // The header gave the function another name.
        assert_eq!(verdict(DEFINITION), None);
    }

    #[test]
    fn a_name_is_missing_if_nothing_defines_it_and_its_function_reports_it() {
        assert_eq!(verdict(&[REFERENCE, MISSING].concat()), Some(LinkVerdict::Missing));
        assert_eq!(verdict(&[REFERENCE, DEFINITION, MISSING].concat()), None);
        assert_eq!(verdict(REFERENCE), None);
        assert_eq!(verdict(&[REFERENCE, &MISSING.replace("`fork'", "`forkk'")].concat()), None);
        assert_eq!(verdict(&[REFERENCE, &MISSING.replace("part_0", "part_1")].concat()), None);
        let two = MISSING.replace("0x1e", "0x2e").replace("`fork'", "`vfork'");
        assert_eq!(verdict(&[REFERENCE, MISSING, &two].concat()), None);
    }

    #[test]
    fn unknown_lines_are_no_evidence() {
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
