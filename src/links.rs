//! Links that are known to work: a command, and an object file that it has linked.
//!
//! The same command over the same bytes does the same again, and the object file of an empty
//! `main` behind any number of headers is always the same. Half of a configure step's time would
//! go into linking it a hundred times. What is known is compared byte for byte, never by a hash
//! alone; only success without a word is known, and only of commands that name nothing which
//! could change in between: no file, no library beside the compiler's own, no script.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

/// The known links of a run, and those that a directory keeps for other runs.
#[derive(Debug, Default)]
pub struct Links {
    known: RefCell<HashSet<Vec<u8>>>,
    directory: Option<PathBuf>,
    distrusted: Cell<bool>,
}

/// A link command and its object file, as they are compared.
#[derive(Debug, Clone)]
pub struct Link(Vec<u8>);

impl Link {
    /// A link, if its command is one of which something can be known. `programs` tells which
    /// compiler it is, which may be replaced.
    pub fn new(
        argv: &[OsString],
        env: &[(OsString, OsString)],
        programs: &str,
        object: &[u8],
    ) -> Option<Self> {
        let (program, rest) = argv.split_first()?;
        if !rest.iter().all(|word| word.to_str().is_some_and(names_nothing)) {
            return None;
        }
        let mut bytes = Vec::with_capacity(object.len() + 256);
        for word in std::iter::once(program).chain(rest) {
            bytes.extend_from_slice(word.as_encoded_bytes());
            bytes.push(0);
        }
        for (name, value) in env {
            // Where temporary files go changes nothing, and is different for each check.
            if name != "TMPDIR" {
                bytes.push(0);
                bytes.extend_from_slice(name.as_encoded_bytes());
                bytes.push(b'=');
                bytes.extend_from_slice(value.as_encoded_bytes());
            }
        }
        bytes.extend_from_slice(b"\0\0");
        bytes.extend_from_slice(programs.as_bytes());
        bytes.extend_from_slice(b"\0\0\0");
        bytes.extend_from_slice(object);
        Some(Link(bytes))
    }

    fn file_name(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }
}

/// Whether a word of a link command stands for no file but those of the check, whose names are
/// always the same.
fn names_nothing(word: &str) -> bool {
    let Some(option) = word.strip_prefix('-') else {
        // The object file and the program.
        return word.starts_with(crate::dialect::STEM) && !word.contains('/');
    };
    if let Some(list) = option.strip_prefix("Wl,") {
        const PLAIN: [&str; 9] = [
            "--as-needed",
            "--no-as-needed",
            "--gc-sections",
            "--no-undefined",
            "-O1",
            "-O2",
            "--build-id",
            "-Bsymbolic",
            "--hash-style=gnu",
        ];
        let mut parts = list.split(',');
        while let Some(part) = parts.next() {
            let is_keyword = part == "-z" && parts.next().is_some_and(|word| !word.contains('/'));
            if !is_keyword && !PLAIN.contains(&part) {
                return false;
            }
        }
        return true;
    }
    const WHOLE: [&str; 10] =
        ["o", "pthread", "rdynamic", "pipe", "pie", "no-pie", "w", "ansi", "pedantic", "s"];
    const STARTS: [&str; 6] = ["D", "U", "O", "W", "std=", "m"];
    // Plugins, profiles and the like are files; debug information and code generation are not.
    const GENERATION: [&str; 12] = [
        "fPIC",
        "fPIE",
        "fpic",
        "fpie",
        "fno-common",
        "ffunction-sections",
        "fdata-sections",
        "fno-strict-aliasing",
        "fvisibility=hidden",
        "fno-builtin",
        "fstack-protector-strong",
        "fdiagnostics-color=always",
    ];
    let starts = STARTS.iter().any(|start| option.starts_with(start));
    WHOLE.contains(&option)
        || GENERATION.contains(&option)
        || (starts
            && !option.contains(['/', '@'])
            && !option.starts_with("Wp,")
            && !option.starts_with("Wa,"))
        || ["g", "g0", "g1", "g2", "g3"].contains(&option)
}

impl Links {
    /// Those that a directory keeps; without one nothing is known. It is made when there is
    /// something to keep.
    pub fn kept_in(directory: Option<PathBuf>) -> Self {
        Links { directory, ..Links::default() }
    }

    /// From now on nothing is known.
    pub fn distrust(&self) {
        self.distrusted.set(true);
    }

    /// Whether a link is known to work.
    pub fn knows(&self, link: &Link) -> bool {
        let Some(directory) = &self.directory else { return false };
        if self.distrusted.get() {
            return false;
        }
        if self.known.borrow().contains(&link.0) {
            return true;
        }
        let is_kept =
            std::fs::read(directory.join(link.file_name())).is_ok_and(|kept| kept == link.0);
        if is_kept {
            self.known.borrow_mut().insert(link.0.clone());
        }
        is_kept
    }

    /// Remembers a link that has worked without a word. A directory that cannot be written to
    /// costs only time.
    pub fn learn(&self, link: Link) {
        let Some(directory) = &self.directory else { return };
        // Another run may read it at this moment: half a file is no known link, because it is
        // compared as a whole.
        let _ = std::fs::create_dir_all(directory)
            .and_then(|()| std::fs::write(directory.join(link.file_name()), &link.0));
        self.known.borrow_mut().insert(link.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(words: &str, object: &[u8]) -> Option<Link> {
        let argv: Vec<_> = words.split(' ').map(OsString::from).collect();
        Link::new(&argv, &[], "cc", object)
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
        let links = Links::kept_in(Some(dir.path().join("links")));
        links.learn(link(words, b"object").unwrap());
        for links in [links, Links::kept_in(Some(dir.path().join("links")))] {
            assert!(links.knows(&link(words, b"object").unwrap()));
            assert!(!links.knows(&link(words, b"objecT").unwrap()));
            assert!(!links.knows(&link("cc -O2 conftest.o -o conftest.exe", b"object").unwrap()));
        }
        let other = Link::new(
            &words.split(' ').map(OsString::from).collect::<Vec<_>>(),
            &[("LIBRARY_PATH".into(), "/x".into())],
            "cc",
            b"object",
        );
        assert!(!Links::kept_in(Some(dir.path().join("links"))).knows(&other.unwrap()));
        let argv: Vec<_> = words.split(' ').map(OsString::from).collect();
        let replaced = Link::new(&argv, &[], "another cc", b"object");
        assert!(!Links::kept_in(Some(dir.path().join("links"))).knows(&replaced.unwrap()));
    }

    #[test]
    fn a_damaged_file_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let known = link("cc conftest.o -o conftest.exe", b"object").unwrap();
        Links::kept_in(Some(dir.path().into())).learn(known.clone());
        let file = dir.path().join(known.file_name());
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() - 1]).unwrap();
        assert!(!Links::kept_in(Some(dir.path().into())).knows(&known));
    }
}
