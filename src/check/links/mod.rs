//! Links that are known to succeed: a command, and an object file that it has linked.
//!
//! The same command does the same with the same bytes, and an empty `main` compiles to the same
//! object file behind any headers. Linking it a hundred times would take half of a configure step.
//! Command, environment and object file are compared byte for byte. A link becomes known only if it
//! succeeded without output, and only if its command names nothing that could change: no file, no
//! library other than the compiler's own, no script.
//!
//! For a command that has linked several files without output, the symbols that the linker finds in
//! the libraries are kept too: its [`Inventory`].

pub(crate) mod inventory;
mod run;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::rc::Rc;

use tokio::sync::Notify;

use crate::check::links::inventory::Inventory;
use crate::compiler::dialect::STEM;
use crate::compiler::options::{Argument, UNLINKED};
use crate::deps::sight::Seen;

/// The known links of a run.
#[derive(Debug, Default)]
pub(crate) struct KnownLinks {
    known: RefCell<HashMap<Vec<u8>, Rc<Seen>>>,
    /// The first object files that each command linked without output.
    samples: RefCell<HashMap<Vec<u8>, Vec<Vec<u8>>>>,
    /// By command.
    inventories: RefCell<HashMap<Vec<u8>, Taken>>,
    /// The commands whose inventory is being taken.
    begun: RefCell<HashSet<Vec<u8>>>,
    /// Notified when an inventory has been taken.
    taken: Notify,
    distrusted: Cell<bool>,
}

/// An inventory that was taken; `None` if the linker cannot give one.
pub(crate) type Taken = Option<Rc<Inventory>>;

/// A link command and its object file, in the form in which they are compared.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    /// The command, its environment, and the object file.
    bytes: Vec<u8>,
    env_at: usize,
    object_at: usize,
}

/// How many object files that a command linked are kept as samples.
const SAMPLES: usize = 4;

impl Link {
    /// The link of an object file, if its command can be known. `programs` identifies the compiler,
    /// which may be replaced. `compile` is the command that made the object file.
    pub(crate) fn new(
        argv: &[OsString],
        env: &[(OsString, OsString)],
        programs: &str,
        object: &[u8],
        compile: &[OsString],
    ) -> Option<Self> {
        let (program, rest) = argv.split_first()?;
        let is_driver = compile.first() == Some(program);
        if !rest.iter().all(|word| word.to_str().is_some_and(names_no_other_file)) {
            return None;
        }
        let mut bytes = Vec::with_capacity(object.len() + 256);
        // The same program has just accepted these words, which concern the source only.
        let is_of_compile =
            |word: &&OsString| is_driver && is_unlinked(word) && compile.contains(word);
        for word in std::iter::once(program).chain(rest.iter().filter(|w| !is_of_compile(w))) {
            bytes.extend_from_slice(word.as_encoded_bytes());
            bytes.push(0);
        }
        bytes.extend_from_slice(programs.as_bytes());
        let env_at = bytes.len();
        for (name, value) in env {
            // TMPDIR differs for each check and changes nothing. Neither does the language of
            // messages, because there are none.
            if name != "TMPDIR" && !is_of_language(name) {
                for part in [name, value] {
                    bytes.extend_from_slice(part.as_encoded_bytes());
                    bytes.push(0);
                }
            }
        }
        let object_at = bytes.len();
        bytes.extend_from_slice(object);
        Some(Link { bytes, env_at, object_at })
    }

    /// The object file.
    pub(crate) fn object(&self) -> &[u8] {
        &self.bytes[self.object_at..]
    }

    /// The command without its environment, of which only what was read counts in the store.
    fn words(&self) -> &[u8] {
        &self.bytes[..self.env_at]
    }

    fn command(&self) -> &[u8] {
        &self.bytes[..self.object_at]
    }
}

/// Whether a word is an option that does not affect the link of an object file: a definition, or one for
/// warnings about a source, such as `-Wshadow`. Many configure steps try these one by one and put all
/// accepted ones into each link command. CMake before 3.26 puts there, too, which function it looks for.
fn is_unlinked(word: &OsStr) -> bool {
    word.to_str().map(Argument::of).is_some_and(|it| it.is(UNLINKED) && !it.takes_next())
}

fn is_of_language(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b"LC_") || name == b"LANG" || name == b"LANGUAGE"
}

/// Whether a word of a link command names no file except the check's own, whose names never change.
fn names_no_other_file(word: &str) -> bool {
    if !word.starts_with('-') {
        // The object file and the program.
        return word.starts_with(STEM) && !word.contains('/');
    }
    Argument::of(word).is_plain_in_link()
}

impl KnownLinks {
    /// Whether no link is known.
    pub(crate) fn is_distrusted(&self) -> bool {
        self.distrusted.get()
    }

    /// From now on, no link is known.
    pub(crate) fn distrust(&self) {
        self.distrusted.set(true);
    }

    /// What an earlier command looked at that linked the same; `None` if the link is not known to
    /// succeed.
    pub(crate) fn known(&self, link: &Link) -> Option<Rc<Seen>> {
        self.known.borrow().get(&link.bytes).filter(|_| !self.distrusted.get()).cloned()
    }

    /// Remembers a link that succeeded without output, and what its command looked at.
    pub(crate) fn learn(&self, link: Link, seen: Rc<Seen>) {
        let mut samples = self.samples.borrow_mut();
        let samples = samples.entry(link.command().into()).or_default();
        if samples.len() < SAMPLES {
            samples.push(link.object().into());
        }
        self.known.borrow_mut().insert(link.bytes, seen);
    }

    /// The inventory of a link's command. `None` if it has not been taken.
    pub(crate) fn inventory(&self, link: &Link) -> Option<Taken> {
        let inventories = self.inventories.borrow();
        inventories.get(link.command()).filter(|_| !self.distrusted.get()).cloned()
    }

    /// Whether a link's command has linked `count` object files without output; at most four count.
    pub(crate) fn has_linked(&self, link: &Link, count: usize) -> bool {
        self.samples.borrow().get(link.command()).is_some_and(|samples| samples.len() >= count)
    }

    /// The object file to take an inventory with, if there is one and no task is taking it.
    pub(crate) fn begin_inventory(&self, link: &Link) -> Option<Vec<u8>> {
        let sample = self.samples.borrow().get(link.command())?.first()?.clone();
        self.begun.borrow_mut().insert(link.command().into()).then_some(sample)
    }

    /// Whether a task is taking the inventory of a link's command.
    pub(crate) fn is_begun(&self, link: &Link) -> bool {
        self.begun.borrow().contains(link.command())
    }

    /// Waits until some inventory has been taken.
    pub(crate) async fn wait(&self) {
        self.taken.notified().await;
    }

    /// Remembers an inventory, or the fact that the linker cannot give one.
    pub(crate) fn learn_inventory(&self, link: &Link, inventory: Taken) {
        self.inventories.borrow_mut().insert(link.command().into(), inventory);
        self.begun.borrow_mut().remove(link.command());
        self.taken.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(words: &str, object: &[u8]) -> Option<Link> {
        let argv: Vec<_> = words.split(' ').map(OsString::from).collect();
        Link::new(&argv, &[], "cc", object, &[])
    }

    #[test]
    fn only_commands_that_name_nothing_else_are_known() {
        for words in [
            "cc conftest.o -o conftest.exe",
            "/usr/bin/cc -Wall -O2 -g -DX=1 -rdynamic conftest.o -o conftest.exe -Wl,--gc-sections",
            "cc -m32 -pthread -Wl,-z,now,--as-needed conftest.o -o conftest.exe",
        ] {
            assert!(link(words, b"x").is_some(), "{words}");
        }
        for words in [
            "cc conftest.o -o conftest.exe -lm",
            "cc conftest.o -o conftest.exe -L. ",
            "cc conftest.o -o conftest.exe /usr/lib/libz.so",
            "cc conftest.o other.o -o conftest.exe",
            "cc @file conftest.o -o conftest.exe",
            "cc -Tscript conftest.o -o conftest.exe",
            "cc -Wl,-T,script conftest.o -o conftest.exe",
            "cc -Wl,--version-script=x conftest.o -o conftest.exe",
            "cc -fplugin=x conftest.o -o conftest.exe",
            "cc -specs=x conftest.o -o conftest.exe",
            "cc -B/usr conftest.o -o conftest.exe",
            "cc --sysroot=/x conftest.o -o conftest.exe",
            "cc -xc conftest.o -o conftest.exe",
        ] {
            assert!(link(words, b"x").is_none(), "{words}");
        }
    }

    #[test]
    fn what_the_compile_command_has_too_and_no_link_reads_does_not_count() {
        let argv = |words: &str| words.split(' ').map(OsString::from).collect::<Vec<_>>();
        let compile = argv("cc -DX=1 -Wall -O2 -o conftest.o -c conftest.c");
        let of = |words: &str| {
            let words = format!("{words} conftest.o -o conftest.exe");
            Link::new(&argv(&words), &[], "cc", b"object", &compile).unwrap().bytes
        };
        assert_eq!(of("cc"), of("cc -DX=1"));
        assert_eq!(of("cc"), of("cc -DX=1 -Wall"));
        assert_ne!(of("cc"), of("cc -DX=2"));
        assert_ne!(of("cc"), of("cc -O2"));
        assert_ne!(of("cc"), of("ld -DX=1"));
    }

    #[test]
    fn what_differs_in_one_byte_is_not_known() {
        let words = "cc conftest.o -o conftest.exe";
        let links = KnownLinks::default();
        links.learn(link(words, b"object").unwrap(), Rc::default());
        let knows = |link: Option<Link>| links.known(&link.unwrap()).is_some();
        assert!(knows(link(words, b"object")));
        assert!(!knows(link(words, b"objecT")));
        assert!(!knows(link("cc -O2 conftest.o -o conftest.exe", b"object")));
        let argv: Vec<_> = words.split(' ').map(OsString::from).collect();
        let env = [("LIBRARY_PATH".into(), "/x".into())];
        assert!(!knows(Link::new(&argv, &env, "cc", b"object", &[])));
        assert!(!knows(Link::new(&argv, &[], "another cc", b"object", &[])));
        links.distrust();
        assert!(!knows(link(words, b"object")));
    }
}
