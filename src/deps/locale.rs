//! What the C library looked at for the languages that a command uses.
//!
//! It reads locales, catalogs of messages and tables of character sets with system calls of its own.
//! The preloaded library notes only the names, and the places are worked out afterwards. The result
//! may hold paths that were skipped.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use super::log::{Kind, Record};
use crate::os::{self, Found, Look};

/// The names that a command used.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// The locales that it asked for, whether they are there or not.
    locales: BTreeSet<Vec<u8>>,
    /// The languages of `LANGUAGE`.
    languages: BTreeSet<Vec<u8>>,
    /// The domains of its messages, each with a directory that it named.
    domains: BTreeSet<(Vec<u8>, Vec<u8>)>,
}

/// What was looked at.
#[derive(Debug)]
pub(super) struct Looks {
    pub paths: Vec<(Rc<OsStr>, Look, Found)>,
    /// Why that may not be all.
    pub gap: Option<String>,
    /// What is a directory.
    known: HashMap<PathBuf, bool>,
    /// When the command may have looked for the first time.
    since: SystemTime,
}

/// Where each C library has its tables of character sets. `None` if it looks for locales elsewhere
/// than expected.
#[derive(Debug, Default)]
pub(super) struct Libraries(HashMap<(Rc<OsStr>, Found), Option<PathBuf>>);

/// The directory of the locales, which a C library names together with its archive.
const LOCALES: &str = "/usr/lib/locale";
const ARCHIVE: &str = "locale-archive";

/// The directory of the catalogs, unless a program names another.
const CATALOGS: &str = "/usr/share/locale";
/// Ubuntu's C library also looks here.
const MORE_CATALOGS: &str = "/usr/share/locale-langpack";
const ALIASES: &str = "locale.alias";

/// The file of the tables of character sets.
const TABLES: &str = "gconv-modules.cache";

/// The domains that need no name: of the C library, and of programs that choose none.
const DOMAINS: [&str; 2] = ["libc", "messages"];

/// Variables with which changed C libraries look elsewhere: those of Nix and of Guix.
const ELSEWHERE: [&[u8]; 2] = [b"LOCALE_ARCHIVE", b"GUIX_LOCPATH"];

const MESSAGES: &str = "LC_MESSAGES";

/// The locale of messages, from variables that are set and not empty.
pub(crate) fn of_messages<T>(value: impl Fn(&str) -> Option<T>) -> Option<T> {
    value("LC_ALL").or_else(|| value(MESSAGES)).or_else(|| value("LANG"))
}

#[rustfmt::skip]
const CATEGORIES: [&str; 11] = [
    "LC_ADDRESS", "LC_COLLATE", "LC_CTYPE", "LC_IDENTIFICATION", "LC_MEASUREMENT", "LC_MONETARY",
    "LC_NAME", "LC_NUMERIC", "LC_PAPER", "LC_TELEPHONE", "LC_TIME",
];

impl Names {
    /// Adds what a note says.
    pub(super) fn add(&mut self, record: &Record<'_>) {
        let (first, second) = record.pair();
        match record.kind {
            // A program may name one for each category: "LC_CTYPE=C.UTF-8;LC_TIME=C".
            Kind::Locale => {
                self.locales.insert(first.to_vec());
                let value =
                    |part: &[u8]| part.rsplit(|byte| *byte == b'=').next().map(<[u8]>::to_vec);
                self.locales.extend(first.split(|byte| *byte == b';').filter_map(value));
            }
            Kind::Languages => {
                self.languages.extend(first.split(|byte| *byte == b':').map(<[u8]>::to_vec));
            }
            Kind::Domain => drop(self.domains.insert((first.to_vec(), second.to_vec()))),
            _ => {}
        }
    }

    /// What the C libraries looked at. Nothing without a locale other than C, which needs no files.
    pub(super) fn looks(
        &self,
        libraries: &BTreeSet<Rc<OsStr>>,
        since: SystemTime,
        known: &mut Libraries,
    ) -> Looks {
        let mut looks = Looks { paths: Vec::new(), gap: None, known: HashMap::new(), since };
        if self.locales.is_empty() {
            return looks;
        }
        for library in libraries {
            match known.tables(library) {
                Some(tables) => looks.look_for_tables(&tables),
                None => looks.miss(format!("{} has its own place for locales", library.display())),
            }
        }
        looks.look_below(CATALOGS, &[ALIASES]);
        looks.look_below(LOCALES, &[ARCHIVE]);
        let all: BTreeSet<_> = self.locales.union(&self.languages).collect();
        let aliases = std::fs::read(Path::new(CATALOGS).join(ALIASES)).unwrap_or_default();
        for name in &all {
            if name.contains(&b'/') || is_alias(name, &aliases) {
                let name = String::from_utf8_lossy(name);
                looks.miss(format!("the command uses a locale with an unusual name: {name}"));
            }
        }
        for name in self.locales.iter().flat_map(|name| variants(name)) {
            let name = OsStr::from_bytes(&name);
            for category in CATEGORIES.map(OsStr::new) {
                looks.look_below(LOCALES, &[name, category]);
            }
            looks.look_below(LOCALES, &[name, MESSAGES.as_ref(), "SYS_LC_MESSAGES".as_ref()]);
        }
        let languages: BTreeSet<_> = all.iter().flat_map(|name| variants(name)).collect();
        for domain in DOMAINS {
            looks.look_for_messages(domain.as_bytes(), "".as_ref(), &languages);
        }
        for (domain, dir) in &self.domains {
            looks.look_for_messages(domain, OsStr::from_bytes(dir), &languages);
        }
        looks
    }
}

impl Libraries {
    /// The path of a C library's tables, if it looks for locales where others do.
    fn tables(&mut self, library: &Rc<OsStr>) -> Option<PathBuf> {
        let found = os::look(library, Look::Follow);
        let read = || tables(&std::fs::read(&**library).ok()?);
        self.0.entry((library.clone(), found)).or_insert_with(read).clone()
    }
}

/// The path of the tables among the texts in a C library.
fn tables(library: &[u8]) -> Option<PathBuf> {
    let archive = Path::new(LOCALES).join(ARCHIVE);
    let [mut has_archive, mut has_catalogs, mut is_elsewhere] = [false; 3];
    let mut tables = None;
    for text in library.split(|byte| *byte == 0) {
        has_archive |= text == archive.as_os_str().as_bytes();
        has_catalogs |= text == CATALOGS.as_bytes();
        is_elsewhere |= ELSEWHERE.iter().any(|name| text.starts_with(name));
        if text.first() == Some(&b'/') && text.ends_with(TABLES.as_bytes()) {
            tables = Some(PathBuf::from(OsStr::from_bytes(text)));
        }
    }
    tables.filter(|_| has_archive && has_catalogs && !is_elsewhere)
}

impl Looks {
    fn miss(&mut self, why: String) {
        self.gap.get_or_insert(why);
    }

    fn look_for_tables(&mut self, tables: &Path) {
        let Some(dir) = tables.parent() else { return };
        self.look_below(dir, &[TABLES]);
        if tables.exists() {
            return;
        }
        // Without them, the texts count from which they are made.
        let parts = tables.with_extension("d");
        self.look_at(&tables.with_extension(""), Look::Follow);
        self.look_at(&parts, Look::List);
        for part in std::fs::read_dir(&parts).into_iter().flatten().flatten() {
            self.look_at(&part.path(), Look::Follow);
        }
    }

    fn look_for_messages(&mut self, domain: &[u8], dir: &OsStr, languages: &BTreeSet<Vec<u8>>) {
        let dirs = [CATALOGS.as_ref(), MORE_CATALOGS.as_ref(), dir];
        if domain.contains(&b'/') || !dir.is_empty() && !Path::new(dir).is_absolute() {
            let domain = String::from_utf8_lossy(domain);
            self.miss(format!("the messages of {domain} are in an unusual place"));
            return;
        }
        let file = [domain, b".mo"].concat();
        for language in languages {
            let parts = [OsStr::from_bytes(language), MESSAGES.as_ref(), OsStr::from_bytes(&file)];
            let dirs = dirs.iter().filter(|dir| !dir.is_empty());
            dirs.for_each(|dir| self.look_below(dir, &parts));
        }
    }

    /// Looks at a directory and what is below, up to what is missing: then so is what is below.
    fn look_below(&mut self, dir: impl AsRef<Path>, parts: &[impl AsRef<Path>]) {
        let mut path = dir.as_ref().to_path_buf();
        for part in parts {
            if !self.is_dir(&path) {
                return;
            }
            path.push(part);
        }
        self.look_at(&path, Look::Follow);
    }

    fn is_dir(&mut self, dir: &Path) -> bool {
        if let Some(is_dir) = self.known.get(dir) {
            return *is_dir;
        }
        let is_dir =
            matches!(self.look_at(dir, Look::Follow), Found::Stamp(stamp) if stamp.is_dir());
        self.known.insert(dir.into(), is_dir);
        is_dir
    }

    /// What is there now need not be what the command saw, if the file or directory has changed.
    fn look_at(&mut self, path: &Path, look: Look) -> Found {
        let found = os::look(path.as_os_str(), look);
        self.paths.push((path.as_os_str().into(), look, found));
        let changed = std::fs::metadata(path).map(|metadata| os::changed(&metadata));
        if changed.is_ok_and(|changed| changed >= self.since) {
            self.miss(format!("{} changed while the command ran", path.display()));
        }
        found
    }
}

/// Whether a file of aliases has a name.
fn is_alias(name: &[u8], aliases: &[u8]) -> bool {
    aliases.split(|byte| *byte == b'\n').any(|line| {
        let first = line.split(u8::is_ascii_whitespace).find(|word| !word.is_empty());
        first.is_some_and(|first| first.eq_ignore_ascii_case(name))
    })
}

/// The names under which the C library looks for a locale: with and without its territory, codeset
/// (as it is, and normalized) and modifier.
fn variants(name: &[u8]) -> Vec<Vec<u8>> {
    let split = |text: &[u8], at: &[u8]| {
        let end = text.iter().position(|byte| at.contains(byte)).unwrap_or(text.len());
        (text[..end].to_vec(), text[end..].to_vec())
    };
    let (language, rest) = split(name, b"_.@");
    let (territory, rest) = split(&rest, b".@");
    let (codeset, modifier) = split(&rest, b"@");
    let normalized = codeset.get(1..).map(|codeset| [b".", &*normalize(codeset)].concat());
    let mut all = vec![name.to_vec()];
    for codeset in [&*codeset, normalized.as_deref().unwrap_or_default(), &[]] {
        for territory in [&territory[..], &[]] {
            for modifier in [&modifier[..], &[]] {
                all.push([&language, territory, codeset, modifier].concat());
            }
        }
    }
    all.sort_unstable();
    all.dedup();
    all.retain(|name| !name.is_empty());
    all
}

/// The codeset's letters and digits in lower case, after "iso" if there are only digits.
fn normalize(codeset: &[u8]) -> Vec<u8> {
    let plain = codeset.iter().filter(|byte| byte.is_ascii_alphanumeric());
    let plain: Vec<u8> = plain.map(u8::to_ascii_lowercase).collect();
    if plain.iter().all(u8::is_ascii_digit) { [b"iso", &*plain].concat() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_all_variants_that_the_c_library_tries() {
        let of = |name: &str| -> Vec<String> {
            variants(name.as_bytes()).iter().map(|it| String::from_utf8_lossy(it).into()).collect()
        };
        let all = ["de", "de.UTF-8", "de.utf8", "de_DE", "de_DE.UTF-8", "de_DE.utf8"];
        assert_eq!(of("de_DE.UTF-8"), all);
        assert_eq!(of("sr@latin"), ["sr", "sr@latin"]);
        assert!(of("de_DE.8859-1@euro").contains(&"de_DE.iso88591@euro".to_owned()));
        assert_eq!(of("C"), ["C"]);
    }

    #[test]
    fn aliases_are_recognized() {
        let file = b"# comment\nGerman\tde_DE.ISO-8859-1\n";
        assert!(is_alias(b"german", file) && !is_alias(b"de", file));
    }

    #[test]
    fn a_c_library_must_name_the_usual_places() {
        let usual = b"x\0/usr/lib/locale/locale-archive\0/usr/share/locale\0/lib/gconv/gconv-modules.cache\0";
        assert_eq!(tables(usual), Some("/lib/gconv/gconv-modules.cache".into()));
        assert_eq!(tables(&[&usual[..], b"LOCALE_ARCHIVE\0"].concat()), None);
        assert_eq!(tables(&usual[12..]), None);
    }
}
