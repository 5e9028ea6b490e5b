//! What CMake is about to start, as the library in it tells, and which of it is understood.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::deps::programs;
use crate::os;
use crate::plan::toolchain::is_launcher;

/// A program that CMake is about to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// The program, as CMake names it.
    pub file: OsString,
    /// The directory in which it is to run.
    pub dir: PathBuf,
    /// Its words; the first is its own name.
    pub words: Vec<OsString>,
    /// Its environment.
    pub env: Vec<(OsString, OsString)>,
    /// Whether standard output and standard error are one.
    pub is_merged: bool,
    /// How many bytes of output can be written before CMake reads them.
    pub room: usize,
}

/// What a call is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Compiles the source with which CMake identifies a compiler, in a directory that holds only that.
    Identifies {
        /// The name of the source.
        source: String,
        /// What is in it.
        text: Vec<u8>,
    },
    /// Asks a program about itself.
    Queries,
}

/// The longest call, in bytes: `HOOK_MAX` of the library.
const LONGEST: u32 = 65536;

impl Call {
    /// Reads a call. `None` if it is not one.
    pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> Option<Call> {
        let mut head = [[0; 4]; 5];
        from.read_exact(head.as_flattened_mut()).await.ok()?;
        let [length, room, is_merged, words, variables] = head.map(u32::from_ne_bytes);
        if length > LONGEST {
            return None;
        }
        let mut text = vec![0; length as usize];
        from.read_exact(&mut text).await.ok()?;
        Call::parse(&text, room, is_merged != 0, words as usize, variables as usize)
    }

    fn parse(
        text: &[u8],
        room: u32,
        is_merged: bool,
        words: usize,
        variables: usize,
    ) -> Option<Call> {
        let mut strings: Vec<_> = text.strip_suffix(&[0])?.split(|byte| *byte == 0).collect();
        if words == 0 || strings.len() != words.checked_add(variables)?.checked_add(2)? {
            return None;
        }
        let env = os::variables(&strings.split_off(words + 2).join(&0));
        let mut strings = strings.into_iter().map(|it| OsStr::from_bytes(it).to_owned());
        let (file, dir) = (strings.next()?, strings.next()?.into());
        let words = strings.collect();
        Some(Call { file, dir, words, env, is_merged, room: room as usize })
    }

    /// What the call is about. `None` if that is not understood.
    pub(super) fn kind(&self) -> Option<Kind> {
        if !Path::new(&self.file).is_absolute() {
            return None;
        }
        let words: Option<Vec<_>> = self.words.iter().skip(1).map(|word| word.to_str()).collect();
        let words = words?;
        if self.hands_on() {
            return None;
        }
        let queries = || programs::is_compiler(&self.file) && is_query(&words);
        self.identifies(&words).or_else(|| queries().then_some(Kind::Queries))
    }

    /// Whether a program of the call hands it on to a server, which would keep the library that watches.
    fn hands_on(&self) -> bool {
        let real = Path::new(&self.file).canonicalize().unwrap_or_default();
        let mut words = self.words.iter().map(OsString::as_os_str);
        words.any(is_launcher) || is_launcher(&self.file) || is_launcher(real.as_os_str())
    }

    /// `CMAKE_DETERMINE_COMPILER_ID_BUILD` of all versions of CMake makes a directory, writes one source
    /// to it, and has the compiler compile that there.
    fn identifies(&self, words: &[&str]) -> Option<Kind> {
        let language = self.dir.file_name()?.to_str()?.strip_prefix("CompilerId")?;
        let is_source = |word: &&&str| {
            word.strip_prefix("CMake").is_some_and(|it| {
                it.strip_prefix(language).is_some_and(|it| it.starts_with("CompilerId."))
            })
        };
        let source = *words.iter().find(is_source)?;
        let is_understood = |word: &&str| {
            !word.starts_with(['@', '/']) && !word.contains("-save-temps") && *word != "-o"
        };
        if !words.iter().all(is_understood) {
            return None;
        }
        for entry in std::fs::read_dir(&self.dir).ok()? {
            let entry = entry.ok()?;
            let is_empty_dir = || {
                entry.file_type().is_ok_and(|it| it.is_dir())
                    && std::fs::read_dir(entry.path()).is_ok_and(|mut it| it.next().is_none())
            };
            let is_known = entry.file_name() == OsStr::new(source)
                && entry.file_type().is_ok_and(|it| it.is_file())
                || entry.file_name() == "tmp" && is_empty_dir();
            if !is_known {
                return None;
            }
        }
        let text = std::fs::read(self.dir.join(source)).ok()?;
        Some(Kind::Identifies { source: source.to_owned(), text })
    }

    /// Whether no word asks for anything that could depend on the current directory.
    pub(super) fn is_placeless(&self) -> bool {
        let is_placeless = |word: &OsString| {
            word.to_str().is_some_and(|word| {
                !word.starts_with('-')
                    || PLACELESS.contains(&word)
                    || PLACELESS_BEGINNINGS.iter().any(|begin| word.starts_with(begin))
            })
        };
        self.words.iter().skip(1).all(is_placeless)
    }

    /// Its name for people.
    pub(super) fn label(&self) -> String {
        let words: Vec<_> = self.words.iter().map(|word| word.to_string_lossy()).collect();
        format!("({})", words.join(" "))
    }
}

/// Options that have nothing to do with the current directory.
const PLACELESS: [&str; 24] = [
    "-",
    "--help",
    "--pop-state",
    "--push-state",
    "--version",
    "-E",
    "-V",
    "-c",
    "-cpp",
    "-dumpmachine",
    "-dumpversion",
    "-fPIC",
    "-fPIE",
    "-fpic",
    "-fpie",
    "-m",
    "-o",
    "-pedantic",
    "-pipe",
    "-print-sysroot",
    "-pthread",
    "-v",
    "-w",
    "-x",
];

/// Beginnings of such options.
const PLACELESS_BEGINNINGS: [&str; 9] =
    ["--target=", "-D", "-O", "-U", "-m", "-std=", "-stdlib=", "-Wno-", "-W"];

impl Kind {
    /// Whether the directory in which it runs is for nothing else.
    pub(super) fn has_own_dir(&self) -> bool {
        matches!(self, Kind::Identifies { .. })
    }
}

/// Whether a program with these words only tells about itself. CMake asks compilers and linkers like
/// this.
fn is_query(words: &[&str]) -> bool {
    match words {
        [
            "--help" | "--version" | "-v" | "-V" | "-dumpmachine" | "-dumpversion"
            | "-print-sysroot",
        ] => true,
        // Whether a linker knows these options.
        ["--push-state", "--pop-state"] | ["-m", _, "--push-state", "--pop-state"] => true,
        // What a compiler defines.
        ["-E", source] | ["-E", "-x", _, source, "-o", "-"] => source.starts_with('/'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(words: &[&str], dir: &Path) -> Call {
        Call {
            file: "/usr/bin/cc".into(),
            dir: dir.into(),
            words: words.iter().map(OsString::from).collect(),
            env: Vec::new(),
            is_merged: true,
            room: 10,
        }
    }

    #[test]
    fn a_call_is_read_as_it_was_written() {
        let text = b"/usr/bin/cc\0/tmp\0cc\0-v\0A=b=c\0EMPTY=\0";
        let read = Call::parse(text, 10, true, 2, 2).unwrap();
        let env = vec![("A".into(), "b=c".into()), ("EMPTY".into(), OsString::new())];
        assert_eq!(read, Call { env, ..call(&["cc", "-v"], Path::new("/tmp")) });
        for (words, variables) in [(0, 4), (1, 2), (3, 2), (usize::MAX, 2)] {
            assert_eq!(Call::parse(text, 10, true, words, variables), None);
        }
        assert_eq!(Call::parse(b"/usr/bin/cc\0/tmp\0cc", 10, true, 1, 0), None);
    }

    #[test]
    fn only_a_directory_with_nothing_but_the_source_identifies() {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("CompilerIdC");
        std::fs::create_dir_all(dir.join("tmp")).unwrap();
        std::fs::write(dir.join("CMakeCCompilerId.c"), "int main(){}").unwrap();
        let words = ["cc", "-O2", "CMakeCCompilerId.c"];
        let kind = |words: &[&str]| call(words, &dir).kind();
        assert!(
            matches!(kind(&words), Some(Kind::Identifies { source, .. }) if source == words[2])
        );
        assert_eq!(kind(&["cc", "CMakeCXXCompilerId.cpp"]), None);
        assert_eq!(kind(&["cc", "@more", "CMakeCCompilerId.c"]), None);
        std::fs::write(dir.join("tmp/it"), "").unwrap();
        assert_eq!(kind(&words), None);
        std::fs::remove_file(dir.join("tmp/it")).unwrap();
        std::fs::write(dir.join("specs"), "").unwrap();
        assert_eq!(kind(&words), None);
    }

    #[test]
    fn what_does_more_than_to_answer_is_no_query() {
        for words in [
            &["cc", "-v"][..],
            &["cc", "-E", "/a.c"],
            &["ld", "-m", "elf", "--push-state", "--pop-state"],
        ] {
            assert_eq!(call(words, Path::new("/tmp")).kind(), Some(Kind::Queries), "{words:?}");
        }
        for words in [
            &["cc"][..],
            &["cc", "-E", "a.c"],
            &["cc", "-v", "-o", "a"],
            &["cc", "-E", "/a.c", "-o", "b"],
        ] {
            assert_eq!(call(words, Path::new("/tmp")).kind(), None, "{words:?}");
        }
    }
}
