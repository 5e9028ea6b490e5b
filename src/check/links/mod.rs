//! Links that are known to succeed: a command, and an object file that it has linked.
//!
//! The same command does the same with the same bytes, and an empty `main` compiles to the same object
//! file behind any headers. Linking it a hundred times would take half of a configure step. Command
//! and object file are compared byte for byte, and the environment by a digest without collisions
//! in practice. A link becomes known only if it succeeded without output, and only if its command
//! names nothing that could change: no file, no library other than the compiler's own, no script.
//!
//! For a command that has linked several files without output, the symbols that the linker finds in
//! the libraries are kept too: its [`Inventory`].

pub(crate) mod inventory;
mod run;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::rc::Rc;

use sha2::{Digest, Sha256};
use tokio::sync::Notify;

use crate::check::links::inventory::Inventory;
use crate::compiler::dialect::STEM;
use crate::compiler::options::{Argument, WARNINGS};

/// The known links of this run, and those that a directory keeps from other runs.
#[derive(Debug, Default)]
pub(crate) struct KnownLinks {
    known: RefCell<HashSet<Vec<u8>>>,
    /// By command; `None` if the linker cannot give one.
    inventories: RefCell<HashMap<Vec<u8>, Option<Rc<Inventory>>>>,
    /// The commands whose inventory is being taken.
    begun: RefCell<HashSet<Vec<u8>>>,
    /// Notified when an inventory has been taken.
    taken: Notify,
    directory: Option<PathBuf>,
    distrusted: Cell<bool>,
}

/// A link command and its object file, in the form in which they are compared.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    /// The command, its environment, and the object file.
    bytes: Vec<u8>,
    object_at: usize,
}

/// File names for the first object files that each command linked without output.
const SAMPLES: [&str; 4] = ["first", "second", "third", "fourth"];
const INVENTORY: &str = "inventory";

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
            |word: &&OsString| is_driver && only_warns(word) && compile.contains(word);
        for word in std::iter::once(program).chain(rest.iter().filter(|w| !is_of_compile(w))) {
            bytes.extend_from_slice(word.as_encoded_bytes());
            bytes.push(0);
        }
        // A digest, because an environment may hold secrets and this goes into a file.
        let mut digest = Sha256::new();
        for (name, value) in env {
            // TMPDIR differs for each check and changes nothing. Neither does the language of messages,
            // because there are none.
            if name != "TMPDIR" && !is_of_language(name) {
                for part in [name, value] {
                    digest.update(part.as_encoded_bytes());
                    digest.update(b"\0");
                }
            }
        }
        digest.update(programs.as_bytes());
        bytes.extend_from_slice(&digest.finalize());
        let object_at = bytes.len();
        bytes.extend_from_slice(object);
        Some(Link { bytes, object_at })
    }

    /// The object file.
    pub(crate) fn object(&self) -> &[u8] {
        &self.bytes[self.object_at..]
    }

    fn command(&self) -> &[u8] {
        &self.bytes[..self.object_at]
    }

    fn file_name(&self) -> String {
        hashed(&self.bytes)
    }

    /// The name of a file that belongs to the command.
    fn file_of_command(&self, what: &str) -> String {
        format!("{}-{what}", hashed(self.command()))
    }
}

/// Whether a word is an option for warnings about a source, such as `-Wshadow`. Many configure steps try
/// them one by one and put all accepted ones into each link command. They do not affect the link of
/// an object file.
fn only_warns(word: &OsStr) -> bool {
    word.to_str().is_some_and(|word| Argument::of(word).is(WARNINGS))
}

fn is_of_language(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b"LC_") || name == b"LANG" || name == b"LANGUAGE"
}

fn hashed(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
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
    /// The links that a directory keeps. Without one, no link is known. The directory is created when
    /// there is something to keep.
    pub(crate) fn kept_in(directory: Option<PathBuf>) -> Self {
        KnownLinks { directory, ..KnownLinks::default() }
    }

    /// From now on, no link is known.
    pub(crate) fn distrust(&self) {
        self.distrusted.set(true);
    }

    /// Whether a link is known to succeed.
    pub(crate) fn knows(&self, link: &Link) -> bool {
        let Some(directory) = self.trusted() else { return false };
        if self.known.borrow().contains(&link.bytes) {
            return true;
        }
        let is_kept =
            std::fs::read(directory.join(link.file_name())).is_ok_and(|kept| kept == link.bytes);
        if is_kept {
            self.known.borrow_mut().insert(link.bytes.clone());
        }
        is_kept
    }

    /// Remembers a link that succeeded without output.
    pub(crate) fn learn(&self, link: Link) {
        let Some(directory) = &self.directory else { return };
        self.keep(&link.file_name(), &link.bytes);
        let names = SAMPLES.map(|what| link.file_of_command(what));
        // Four samples are enough.
        if let Some(name) = names.iter().find(|name| !directory.join(name).exists()) {
            self.keep(name, &link.bytes);
        }
        self.known.borrow_mut().insert(link.bytes);
    }

    /// The inventory of a link's command. `None` if it has not been taken.
    pub(crate) fn inventory(&self, link: &Link) -> Option<Option<Rc<Inventory>>> {
        let directory = self.trusted()?;
        if let Some(known) = self.inventories.borrow().get(link.command()) {
            return Some(known.clone());
        }
        let kept = std::fs::read(directory.join(link.file_of_command(INVENTORY))).ok()?;
        let text = std::str::from_utf8(kept.strip_prefix(link.command())?).ok()?;
        let inventory =
            if text == NONE { None } else { Some(Rc::new(Inventory::from_text(text)?)) };
        self.inventories.borrow_mut().insert(link.command().into(), inventory.clone());
        Some(inventory)
    }

    /// Whether a link's command has linked `count` object files without output; at most four count.
    pub(crate) fn has_linked(&self, link: &Link, count: usize) -> bool {
        // Samples are kept in order.
        self.sample(link, SAMPLES[count - 1]).is_some()
    }

    fn sample(&self, link: &Link, what: &str) -> Option<Vec<u8>> {
        let bytes = std::fs::read(self.trusted()?.join(link.file_of_command(what))).ok()?;
        Some(bytes.strip_prefix(link.command())?.to_vec())
    }

    /// The object file to take an inventory with, if there is one and no task is taking it.
    pub(crate) fn begin_inventory(&self, link: &Link) -> Option<Vec<u8>> {
        let sample = self.sample(link, SAMPLES[0])?;
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

    /// Keeps an inventory, or the fact that the linker cannot give one.
    pub(crate) fn keep_inventory(&self, link: &Link, inventory: Option<Rc<Inventory>>) {
        let text = inventory.as_ref().map_or(NONE.into(), |inventory| inventory.to_text());
        self.keep(&link.file_of_command(INVENTORY), &[link.command(), text.as_bytes()].concat());
        self.inventories.borrow_mut().insert(link.command().into(), inventory);
        self.begun.borrow_mut().remove(link.command());
        self.taken.notify_waiters();
    }

    fn trusted(&self) -> Option<&PathBuf> {
        self.directory.as_ref().filter(|_| !self.distrusted.get())
    }

    /// Writes a file. A directory that cannot be written costs only time. Another run may read the file
    /// at the same moment; it recognises an incomplete one, because every file marks its end.
    fn keep(&self, name: &str, bytes: &[u8]) {
        if let Some(directory) = &self.directory {
            let _ = std::fs::create_dir_all(directory)
                .and_then(|()| std::fs::write(directory.join(name), bytes));
        }
    }
}

/// The text in place of an inventory that the linker cannot give.
const NONE: &str = "none\n";

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
    fn what_differs_in_one_byte_is_not_known() {
        let dir = tempfile::tempdir().unwrap();
        let words = "cc conftest.o -o conftest.exe";
        let links = KnownLinks::kept_in(Some(dir.path().join("links")));
        links.learn(link(words, b"object").unwrap());
        for links in [links, KnownLinks::kept_in(Some(dir.path().join("links")))] {
            assert!(links.knows(&link(words, b"object").unwrap()));
            assert!(!links.knows(&link(words, b"objecT").unwrap()));
            assert!(!links.knows(&link("cc -O2 conftest.o -o conftest.exe", b"object").unwrap()));
        }
        let other = Link::new(
            &words.split(' ').map(OsString::from).collect::<Vec<_>>(),
            &[("LIBRARY_PATH".into(), "/x".into())],
            "cc",
            b"object",
            &[],
        );
        assert!(!KnownLinks::kept_in(Some(dir.path().join("links"))).knows(&other.unwrap()));
        let argv: Vec<_> = words.split(' ').map(OsString::from).collect();
        let replaced = Link::new(&argv, &[], "another cc", b"object", &[]);
        assert!(!KnownLinks::kept_in(Some(dir.path().join("links"))).knows(&replaced.unwrap()));
    }

    #[test]
    fn a_damaged_file_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let known = link("cc conftest.o -o conftest.exe", b"object").unwrap();
        KnownLinks::kept_in(Some(dir.path().into())).learn(known.clone());
        let file = dir.path().join(known.file_name());
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() - 1]).unwrap();
        assert!(!KnownLinks::kept_in(Some(dir.path().into())).knows(&known));
    }
}
