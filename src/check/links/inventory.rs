//! The inventory of a link command: which names the linker finds in the shared libraries that the
//! command links. The linker is asked once, and the answer is kept with the [known links](super).
//!
//! A configure step links hundreds of object files with one command, and they differ only in the
//! names that they call. So one link asks about all names that the libraries of the command export
//! (`-u` requests a name, `-y` makes the linker print the files that define it). The object file of
//! that link is one that the command has linked before. An object file is then known to link if all
//! of these hold:
//!
//! * The object file is plain ([`object_file::wants`]): it contains nothing but names that a linker
//!   would act on.
//! * For each name that the object file wants, the linker has reported that a shared library on the
//!   command line defines it, and that no other file does. Shared libraries of a link alone are on
//!   its command line too, and the linker searches them for every name. A definition in an archive
//!   proves nothing: the linker may have taken the archive member for another name. Neither does a
//!   definition in a library that only another library needs: a link that wants the name from it
//!   fails. So the file must be among those that the linker lists (`-t`).
//! * Whatever the object file calls is a function in that library, and the object file wants no
//!   thread-local variable.
//! * The linker has not warned about any of these names (`gets` is dangerous).
//! * The object file defines `main`, and no name that any of these libraries exports.
//!
//! Only a yes is taken from an inventory. Whether a link fails, and with which message, is for the
//! linker to say.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;
use std::sync::LazyLock;

use regex_lite::Regex;
use serde::{Deserialize, Serialize};

use crate::compiler::linker_trace::{Trace, parse_trace_line};
use crate::compiler::object_file::{self, Export, Exports, Wants};
use crate::deps::sight::Seen;
use crate::source::words::words;

/// The names that a link command finds in shared libraries.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inventory {
    /// The exported names; `None` for a name that an object file may neither want nor define.
    names: BTreeMap<String, Option<Export>>,
    /// The `.note.gnu.property` of the object file that was linked for the inventory.
    properties: Vec<u8>,
    /// What the commands behind it looked at.
    #[serde(skip)]
    pub(super) seen: Rc<Seen>,
}

impl Inventory {
    /// Whether an object file is known to link.
    pub(crate) fn suffices(&self, wants: &Wants) -> bool {
        self.missing(wants).next().is_none()
            && wants.defines.contains("main")
            && wants.defines.iter().all(|name| {
                // The start files of every program define names of this kind.
                name == "main" || !name.starts_with('_') && !self.names.contains_key(name)
            })
            && wants.properties == self.properties
    }

    /// The names that an object file wants and that are not known to be exported.
    pub(crate) fn missing<'a>(&self, wants: &'a Wants) -> impl Iterator<Item = &'a String> {
        let export = |name: &String| self.names.get(name).copied().flatten();
        let not_called = move |name: &&String| export(name) != Some(Export::Function);
        let not_addressed = move |name: &&String| export(name).is_none();
        let called = wants.called.iter().filter(not_called);
        called.chain(wants.addressed.iter().filter(not_addressed)).chain(&wants.otherwise)
    }
}

/// The exports of a link's shared libraries, by the names of the files.
#[derive(Debug, Default)]
pub(crate) struct Libraries {
    files: HashMap<String, Exports>,
}

/// Whether a name can stand on a command line and is a C name. C++ has too many, and the linker's
/// messages spell them differently.
fn is_plain_c_name(name: &str) -> bool {
    let plain = |c: char| c == '_' || c.is_ascii_alphanumeric();
    !name.is_empty() && name.chars().all(plain) && !name.starts_with("_Z")
}

/// The files that GNU ld lists for `-t`; `None` if there is any other output.
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
    /// The libraries that the linker lists when it links an object file.
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

    /// A response file that asks the linker about every exported name.
    pub(crate) fn response_file(&self) -> String {
        let names: BTreeSet<_> = self.names().filter(|name| is_plain_c_name(name)).collect();
        names.iter().fold(String::new(), |text, name| text + &format!("-u {name}\n-y {name}\n"))
    }

    /// Parses GNU ld's output for `-t` and the response file. `None` if a line is not understood.
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
        // A library that is now found elsewhere is a different library.
        let listed = listed(rest.into_iter(), object)?;
        if !self.files.keys().all(|file| listed.contains(file.as_str())) {
            return None;
        }
        for warning in warnings {
            // The library chooses the words; somewhere they contain the name.
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
        // A name that exists only under other versions is not available, and must not be defined.
        for name in self.names() {
            names.entry(name.into()).or_insert(None);
        }
        Some(Inventory { names, properties, seen: Rc::default() })
    }
}
