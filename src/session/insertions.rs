//! What a call inserts into the commands of its surroundings: words that CMake puts onto a command as
//! they are, in one place. What is not certainly put there like this has no place, and decides about
//! the commands with all else.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex_lite::Regex;

use super::ask::Ask;
use super::call::{Call, collapsed};
use super::cmake_flags::{CmakeFlags, cmake_flag};
use super::recipe::is_insertable;
use super::surroundings::Description;
use crate::compiler::options::Argument;

/// What a call inserts into the commands of its surroundings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Insertions {
    /// Whether anything has a place of its own. If not, all of this is in the keys.
    pub has_places: bool,
    /// The words for `{definitions}`.
    pub definitions: Vec<String>,
    /// The words for `{options}`.
    pub options: Vec<String>,
    /// The words for `{flags}`.
    pub flags: Vec<String>,
    /// The words for `{includes}`, if it has a place.
    pub includes: Option<Vec<String>>,
    /// The words for `{linker_flags}`, if it has a place.
    pub linker_flags: Option<Vec<String>>,
    /// The words for `{link_options}`, if it has a place.
    pub link_options: Option<Vec<String>>,
    /// All libraries, in their order.
    pub libraries: Vec<Library>,
    /// Whether the first of them is in a place that is there even without a library.
    pub marks_libraries: bool,
}

/// Libraries of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Library {
    /// The words for a `{libraries}`.
    InPlace(Vec<String>),
    /// One that CMake spells in a way of its own.
    Named(String),
}

/// Where a call comes from, as far as that decides what has a place.
pub(super) struct Origin<'a> {
    /// The call as it was asked.
    pub ask: &'a Ask,
    /// The language of its source.
    pub language: &'a str,
    /// What CMake has found out.
    pub description: &'a Description,
    /// Whether CMake passes `CMAKE_EXE_LINKER_FLAGS` on (policy CMP0056).
    pub passes_linker_flags: bool,
}

impl Insertions {
    /// What a call puts into places of its own, or nothing if that is not certain.
    pub(super) fn of(origin: &Origin<'_>, call: &Call, flags: &CmakeFlags) -> Insertions {
        let Some(common) = Insertions::in_both(origin.ask, call, origin.language) else {
            return Insertions::none(flags);
        };
        let (libraries, are_plain) = libraries(origin.ask, flags, origin.language);
        if !flags.is_certain || !is_unseen(origin) {
            return Insertions { libraries, ..common };
        }
        let linker_flags = linker_flags(origin, flags);
        // At the end of the flags, an option may take what comes next as its value.
        let link_options =
            linker_flags.as_ref().and_then(|_| link_options(origin.ask, &call.link_options));
        Insertions {
            includes: includes(origin, flags),
            linker_flags,
            link_options,
            libraries: if are_plain { with_first_place(libraries) } else { libraries },
            marks_libraries: are_plain,
            ..common
        }
    }

    /// Nothing: all of the call is in the keys.
    pub(super) fn none(flags: &CmakeFlags) -> Insertions {
        let libraries = flags.libraries.iter().cloned().map(Library::Named).collect();
        Insertions { libraries, ..Insertions::default() }
    }

    /// The same without the places that concern directories, libraries and the linker.
    pub(super) fn in_few_places(&self, cmake_flags: &CmakeFlags) -> Insertions {
        let Insertions { has_places, definitions, options, flags, .. } = self.clone();
        Insertions { has_places, definitions, options, flags, ..Insertions::none(cmake_flags) }
    }

    /// Those that stand in each place for libraries.
    pub(super) fn libraries_in_places(&self) -> impl Iterator<Item = &Vec<String>> {
        self.libraries.iter().filter_map(|library| match library {
            Library::InPlace(words) => Some(words),
            Library::Named(_) => None,
        })
    }

    /// What has a place in any surroundings.
    fn in_both(ask: &Ask, call: &Call, language: &str) -> Option<Insertions> {
        // CMake sorts definitions and drops those that it has.
        let (definitions, options): (Vec<_>, Vec<_>) = call
            .definitions
            .iter()
            .filter(|it| !it.is_empty())
            .cloned()
            .partition(|it| is_definition(it));
        let mut definitions = definitions;
        definitions.sort_unstable();
        definitions.dedup();
        // One that a target brings, too, would not be known from those of the call.
        let is_brought = |definition: &String| {
            ask.targets.iter().any(|target| target.contains(&definition["-D".len()..]))
        };
        if !definitions.iter().all(|it| is_plain_definition(it) && !is_brought(it)) {
            return None;
        }
        // All else is put in as it is.
        let options = words(&options.join(" "))?;
        let mut flags = words(ask.variable(&format!("CMAKE_{language}_FLAGS")))?;
        flags.extend(words(cmake_flag(call, "COMPILE_DEFINITIONS").unwrap_or_default())?);
        let has_places = true;
        Some(Insertions { has_places, definitions, options, flags, ..Insertions::default() })
    }
}

/// Whether nothing but CMake's own files can see a variable that a call passes to the test project.
fn is_unseen(origin: &Origin<'_>) -> bool {
    origin.description.is_plain && origin.ask.targets.is_empty()
}

/// The words of a text that CMake puts into a command as it is. `None` if they are not certain:
/// make and Ninja read some characters.
fn words(text: &str) -> Option<Vec<String>> {
    let words = super::words::of(text)?;
    let is_safe = !text.contains(['#', '\n', '\r']) && words.iter().all(|word| is_insertable(word));
    is_safe.then_some(words)
}

/// Whether CMake takes a word for a definition: `cmMakefile::ParseDefineFlag`. What it does not, it puts
/// onto the command line as it is, such as several definitions in one text.
fn is_definition(word: &str) -> bool {
    static DEFINITION: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("(?s)^[-/]D[A-Za-z_][A-Za-z0-9_]*(=.*)?$").expect("valid"));
    DEFINITION.is_match(word)
}

/// Whether CMake puts a definition onto the command line as one word, as it is.
fn is_plain_definition(definition: &str) -> bool {
    let Some(rest) = definition.strip_prefix("-D") else { return false };
    let (name, value) = rest.split_once('=').unwrap_or((rest, ""));
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts_well
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !value.contains(['#', '$', '\n', '\r', '\\', '%'])
        && is_insertable(value)
}

/// Whether CMake and the build tool leave a word of a link command as it is. A prefix such as `LINKER:`
/// is CMake's.
fn is_plain(word: &str) -> bool {
    let is_harmless = |c: char| c.is_ascii_alphanumeric() || "_./+=,:-".contains(c);
    !word.is_empty()
        && word.chars().all(is_harmless)
        && !["LINKER:", "SHELL:", "TRYALL_"].iter().any(|it| word.contains(it))
}

/// The words for directories of headers. CMake names each once, and those not at all in which the
/// compiler looks anyway: `cmLocalGenerator::GetIncludeDirectoriesImplicit`. For Fortran that is
/// different, and so it is with `CPATH`.
fn includes(origin: &Origin<'_>, flags: &CmakeFlags) -> Option<Vec<String>> {
    let reads_path = origin.ask.environment.get("CPATH").is_some_and(|it| !it.is_empty());
    if origin.language == "Fortran" || reads_path {
        return None;
    }
    let implicit = &origin.description.implicit_includes;
    let real = |dir: &str| std::fs::canonicalize(dir).unwrap_or_else(|_| PathBuf::from(dir));
    let mut words: Vec<String> = Vec::new();
    for dir in &flags.include_directories {
        if !dir.starts_with('/') || !is_plain(dir) || collapsed(dir) != *dir {
            return None;
        }
        if implicit.contains(dir) {
            continue;
        }
        let real = real(dir);
        let is_implicit = |it: &String| std::fs::canonicalize(it).is_ok_and(|it| it == real);
        // Versions differ in what they make of another name, and of this one.
        if implicit.iter().any(is_implicit) || Path::new(dir) == Path::new("/usr/include") {
            return None;
        }
        let word = format!("-I{dir}");
        if !words.contains(&word) {
            words.push(word);
        }
    }
    Some(words)
}

/// The words for the flags of the linker.
fn linker_flags(origin: &Origin<'_>, flags: &CmakeFlags) -> Option<Vec<String>> {
    let variable = match origin.passes_linker_flags {
        true => origin.ask.variable("CMAKE_EXE_LINKER_FLAGS"),
        false => "",
    };
    let all = words(&format!("{variable} {}", flags.linker_flags))?;
    let takes_next = all.last().is_some_and(|last| Argument::of(last).takes_next());
    (all.iter().all(|word| is_plain(word)) && !takes_next).then_some(all)
}

/// The words for `LINK_OPTIONS`: CMake quotes each for the shell, and drops one that it has. For a
/// library, they are those of the archiver.
fn link_options(ask: &Ask, options: &[String]) -> Option<Vec<String>> {
    let is_once = |option: &String| options.iter().filter(|other| *other == option).count() == 1;
    let fits = |option: &String| is_plain(&option.replace(' ', "_")) && is_once(option);
    let makes_program = ask.variable("CMAKE_TRY_COMPILE_TARGET_TYPE") != "STATIC_LIBRARY";
    (makes_program && options.iter().all(fits)).then(|| options.to_vec())
}

/// The libraries of a call, and whether all of them are in one place.
///
/// CMake does no more than to put `-l` before a name, where it stands, if that is no path, no target or
/// part of one, no word of `target_link_libraries`, nothing that the compiler links anyway, and not
/// there twice. What starts with a dash stays as it is. Among paths only names have places.
fn libraries(ask: &Ask, flags: &CmakeFlags, language: &str) -> (Vec<Library>, bool) {
    let given = &flags.libraries;
    let implicit = ask.variable(&format!("CMAKE_{language}_IMPLICIT_LINK_LIBRARIES"));
    let is_free = |name: &str| {
        !implicit.split(';').any(|library| library == name)
            && !ask.targets.iter().any(|target| target.contains(name))
    };
    let is_once = |item: &str| given.iter().filter(|other| **other == item).count() == 1;
    let is_name = |item: &str| is_library_name(item) && is_once(item) && is_free(item);
    let is_option = |item: &str| {
        item.starts_with('-')
            && item.len() > 1
            && is_plain(item)
            && !item.starts_with("-framework")
            && is_once(item)
            && is_free(item.strip_prefix("-l").unwrap_or(item))
    };
    if given.iter().all(|item| is_name(item) || is_option(item)) {
        let words = given.iter().map(|item| word_of(item)).collect::<Vec<_>>();
        let place = Library::InPlace(words);
        return (if given.is_empty() { Vec::new() } else { vec![place] }, true);
    }
    // An option may say something about what follows, and so may a word.
    let may_say = |word: &String| {
        KEYWORDS.contains(&&**word) || word.starts_with('-') || word.contains(['$', '<', ' ', '['])
    };
    if given.iter().any(may_say) {
        return (given.iter().cloned().map(Library::Named).collect(), false);
    }
    let runs = given.chunk_by(|one, next| is_name(one) == is_name(next));
    let libraries = runs.flat_map(|run| match is_name(&run[0]) {
        true => vec![Library::InPlace(run.iter().map(|item| word_of(item)).collect())],
        false => run.iter().cloned().map(Library::Named).collect(),
    });
    (libraries.collect(), false)
}

/// The same with a place at the front, for libraries or none.
fn with_first_place(mut libraries: Vec<Library>) -> Vec<Library> {
    if !matches!(libraries.first(), Some(Library::InPlace(_))) {
        libraries.insert(0, Library::InPlace(Vec::new()));
    }
    libraries
}

/// The word of a link command for a name or an option.
fn word_of(item: &str) -> String {
    if item.starts_with('-') { item.to_owned() } else { format!("-l{item}") }
}

/// Words of `target_link_libraries`.
const KEYWORDS: [&str; 6] = ["debug", "optimized", "general", "PUBLIC", "PRIVATE", "INTERFACE"];

fn is_library_name(word: &str) -> bool {
    !word.is_empty()
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !KEYWORDS.contains(&word)
        && !word.starts_with("LINK_")
        && !word.starts_with("cmTC_")
}
