//! What a link command finds in the shared libraries that it links: the linker's own word for
//! each name, asked once and kept with the [known links](crate::links).
//!
//! A configure step links hundreds of object files by one command, and they differ only in the
//! names that they call. So the linker is asked of all names at once that the libraries of that
//! command have (`-u` wants a name, `-y` has the linker say which file defines it), with an object
//! file that this command has linked before. An object file is then known to link if
//!
//! * it is plain ([`object_file::wants`]): nothing in it concerns a linker but names;
//! * the linker has said of each name that it wants that a shared library which stands on the
//!   command line defines it, and no other file. Shared libraries of a single link are on its
//!   command line, too, and are searched for every name. A definition in an archive proves
//!   nothing: its member may have been taken for another name. Nor does one in a library that only
//!   another library needs: a link that wants it fails, and so the file must be among those that
//!   the linker lists (`-t`);
//! * what it calls is a function there, and no thread's variable is wanted;
//! * the linker has not warned of any of these names (`gets` is dangerous);
//! * it defines `main` and no name that any of these libraries has.
//!
//! Only a yes is taken. Whether a link fails, and in which words, is the linker's to say.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write;
use std::sync::LazyLock;

use regex_lite::Regex;

use crate::batch::unity::evidence::{Trace, parse_trace_line};
use crate::compiler::object_file::{self, Export, Exports, Wants};
use crate::source::words::words;

/// What a link command finds in shared libraries.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Inventory {
    /// Names that are there; `None` of those that an object file may neither want nor define.
    names: BTreeMap<String, Option<Export>>,
    /// The `.note.gnu.property` of the object file that it was asked with.
    properties: Vec<u8>,
}

/// The words that stand for [`Export`] in a file.
const WORDS: [(&str, Option<Export>); 3] =
    [("function", Some(Export::Function)), ("variable", Some(Export::Variable)), ("other", None)];
const PROPERTIES: &str = "properties";
const END_LINE: &str = "\nend\n";

impl Inventory {
    /// Whether an object file is known to link.
    pub(crate) fn suffices(&self, wants: &Wants) -> bool {
        self.missing(wants).next().is_none()
            && wants.defines.contains("main")
            && wants.defines.iter().all(|name| {
                // The files that every program begins with have names of this kind.
                name == "main" || !name.starts_with('_') && !self.names.contains_key(name)
            })
            && wants.properties == self.properties
    }

    /// What an object file wants and is not known to be there.
    pub(crate) fn missing<'a>(&self, wants: &'a Wants) -> impl Iterator<Item = &'a String> {
        let export = |name: &String| self.names.get(name).copied().flatten();
        let not_called = move |name: &&String| export(name) != Some(Export::Function);
        let not_addressed = move |name: &&String| export(name).is_none();
        let called = wants.called.iter().filter(not_called);
        called.chain(wants.addressed.iter().filter(not_addressed)).chain(&wants.otherwise)
    }

    /// As a file has it.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::from(PROPERTIES);
        for byte in &self.properties {
            write!(text, " {byte}").expect("writing to a string succeeds");
        }
        for (name, export) in &self.names {
            let (word, _) = WORDS.iter().find(|(_, of)| of == export).expect("all are listed");
            write!(text, "\n{word} {name}").expect("writing to a string succeeds");
        }
        text + END_LINE
    }

    /// From a file. `None` if any of it is missing or strange.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let body = text.strip_suffix(END_LINE)?;
        let mut lines = body.lines();
        let bytes = lines.next()?.strip_prefix(PROPERTIES)?;
        let properties =
            bytes.split_whitespace().map(|byte| byte.parse().ok()).collect::<Option<_>>()?;
        let mut names = BTreeMap::new();
        for line in lines {
            let (word, name) = line.split_once(' ')?;
            let (_, export) = WORDS.iter().find(|(known, _)| *known == word)?;
            names.insert(name.into(), *export);
        }
        Some(Inventory { names, properties })
    }
}

/// The shared libraries of a link, by their names.
#[derive(Debug, Default)]
pub(crate) struct Libraries {
    files: HashMap<String, Exports>,
}

/// A name that may be on a command line, and is one of C: there are too many of C++, with words of
/// their own in them.
fn is_plain_c_name(name: &str) -> bool {
    let plain = |c: char| c == '_' || c.is_ascii_alphanumeric();
    !name.is_empty() && name.chars().all(plain) && !name.starts_with("_Z")
}

/// The files that GNU ld lists for `-t`; `None` if it says anything else.
fn listed<'a>(lines: impl Iterator<Item = &'a str>, object: &str) -> Option<HashSet<&'a str>> {
    let is_file = |line: &&str| line.starts_with('/') && !line.contains(": ") || *line == object;
    let mut files = HashSet::new();
    for line in lines {
        if !is_file(&line) {
            return None;
        }
        files.insert(line);
    }
    Some(files)
}

impl Libraries {
    /// Those that a linker lists in a link of an object file.
    pub(crate) fn listed_in(output: &str, object: &str) -> Option<Self> {
        let files = listed(output.lines(), object)?.into_iter().filter_map(|name| {
            let file = std::fs::read(name).ok()?;
            Some((name.to_string(), object_file::exports(&file)?))
        });
        Some(Libraries { files: files.collect() })
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.files.values().flat_map(HashMap::keys).map(String::as_str)
    }

    /// All that has to be asked, as a response file.
    pub(crate) fn response_file(&self) -> String {
        let names: BTreeSet<_> = self.names().filter(|name| is_plain_c_name(name)).collect();
        names.iter().fold(String::new(), |text, name| text + &format!("-u {name}\n-y {name}\n"))
    }

    /// What GNU ld answers, with `-t`. `None` if there is a line that is not understood.
    pub(crate) fn inventory(
        &self,
        output: &str,
        object: &str,
        properties: Vec<u8>,
    ) -> Option<Inventory> {
        static WARNING: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"^\S*ld\S*: warning: (.*)$").expect("valid"));
        let (mut rest, mut warnings) = (Vec::new(), Vec::new());
        let mut names: BTreeMap<String, Option<Export>> = BTreeMap::new();
        for line in output.lines() {
            if let Some(Trace { file, is_definition, name }) = parse_trace_line(line) {
                if is_definition {
                    let export = self.files.get(file).and_then(|names| *names.get(name)?);
                    let known = names.entry(name.into()).or_insert(export);
                    if *known != export {
                        *known = None;
                    }
                }
            } else if let Some(warning) = WARNING.captures(line) {
                warnings.push(warning[1].to_string());
            } else {
                rest.push(line);
            }
        }
        // A library that is found at another place than before is another one.
        let listed = listed(rest.into_iter(), object)?;
        if !self.files.keys().all(|file| listed.contains(file.as_str())) {
            return None;
        }
        for warning in warnings {
            // The words are the library's own, and say somewhere which name they are about.
            let mut is_about_any = false;
            for word in words(&warning) {
                if let Some(export) = names.get_mut(word) {
                    *export = None;
                    is_about_any = true;
                }
            }
            if !is_about_any {
                return None;
            }
        }
        // What the libraries have under other versions only is not there, and not to be defined.
        for name in self.names() {
            names.entry(name.into()).or_insert(None);
        }
        Some(Inventory { names, properties })
    }
}
