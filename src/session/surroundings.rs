//! What decides about the commands of a test project, beside what the call itself says.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::LazyLock;

use regex_lite::Regex;

use super::ask::Ask;
use super::call::{Call, Refusal};
use super::names;
use super::recipe::{LIBRARIES, is_insertable};
use crate::os::{self, Found, Look};

/// The keys of a call's two commands. Calls with the same key have the same command, but for what
/// stands in its places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keys {
    /// Of the compile command.
    pub compile: String,
    /// Of the link command.
    pub link: String,
    /// Whether they may be kept for other configure steps: if all that decides is in the keys.
    pub lasting: bool,
}

/// What a call inserts into the commands of its surroundings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Insertions {
    /// Whether anything has a place of its own. If not, all of this is in the keys.
    pub has_places: bool,
    /// The words for `{definitions}`.
    pub definitions: Vec<String>,
    /// The words for `{options}`.
    pub options: Vec<String>,
    /// The words for `{flags}`.
    pub flags: Vec<String>,
    /// The libraries for each `{libraries}`.
    pub libraries: Vec<Vec<String>>,
}

/// The languages that sessions know, by CMake's names.
pub(super) const LANGUAGES: [&str; 5] = ["C", "CXX", "Fortran", "OBJC", "OBJCXX"];

/// The language of a source by its extension, as CMake finds it.
pub(super) fn language(ask: &Ask, extension: &str) -> Result<&'static str, Refusal> {
    let matches = |language: &&&str| {
        let extensions = ask.variable(&format!("CMAKE_{language}_SOURCE_FILE_EXTENSIONS"));
        // Until it is examined, CMake is still finding out about the compiler.
        let is_examined = !ask.variable(&format!("CMAKE_{language}_ABI_COMPILED")).is_empty();
        (is_examined || ask.is_detection()) && extensions.split(';').any(|it| it == extension)
    };
    LANGUAGES.iter().find(matches).copied().ok_or(Refusal::Language)
}

impl Insertions {
    /// What a call puts into places of its own, or nothing if that is not certain.
    pub(super) fn of(ask: &Ask, call: &Call, language: &str) -> Insertions {
        Insertions::in_places(ask, call, language).unwrap_or_else(Insertions::none)
    }

    /// Nothing: all of the call is in the keys.
    pub(super) fn none() -> Insertions {
        Insertions {
            has_places: false,
            definitions: Vec::new(),
            options: Vec::new(),
            flags: Vec::new(),
            libraries: Vec::new(),
        }
    }

    fn in_places(ask: &Ask, call: &Call, language: &str) -> Option<Insertions> {
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
        let libraries = libraries_by_name(ask, call, language);
        Some(Insertions { has_places: true, definitions, options, flags, libraries })
    }
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

/// The value of a definition among the `CMAKE_FLAGS`, such as `-DNAME:STRING=value`.
pub(super) fn cmake_flag<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    call.cmake_flags.iter().find_map(|flag| named(flag).filter(|it| it.0 == name)).map(|it| it.1)
}

/// The name and the value of such a definition.
pub(super) fn named(flag: &str) -> Option<(&str, &str)> {
    let (name, value) = flag.strip_prefix("-D")?.split_once('=')?;
    Some((name.split_once(':').map_or(name, |(name, _)| name), value))
}

/// The libraries that a call names, as one text.
fn given_libraries(call: &Call) -> String {
    let by_keyword = call.link_libraries.as_ref().map(|libraries| libraries.join(";"));
    let by_variable = || cmake_flag(call, "LINK_LIBRARIES").map(str::to_owned);
    by_keyword.or_else(by_variable).unwrap_or_default()
}

/// Those libraries with which CMake does no more than to put `-l` before their names, where they stand;
/// together those that follow one another. So it is on Linux with what is no path, no target or part of
/// one, no word of `target_link_libraries`, nothing that the compiler links anyway, and not there twice.
fn libraries_by_name(ask: &Ask, call: &Call, language: &str) -> Vec<Vec<String>> {
    if call.link_libraries.is_some() && cmake_flag(call, "LINK_LIBRARIES").is_some() {
        return Vec::new();
    }
    let given = given_libraries(call);
    let implicit = ask.variable(&format!("CMAKE_{language}_IMPLICIT_LINK_LIBRARIES"));
    let words: Vec<_> = given.split(';').collect();
    let is_name = |word: &str| {
        is_library_name(word)
            && words.iter().filter(|other| **other == word).count() == 1
            && !implicit.split(';').any(|library| library == word)
            && !ask.targets.iter().any(|target| target.contains(word))
    };
    // An option may say something about what follows, and so may a word.
    let may_say = |word: &&str| {
        KEYWORDS.contains(word) || word.starts_with('-') || word.contains(['$', '<', ' '])
    };
    if words.iter().any(may_say) {
        return Vec::new();
    }
    let runs = words.chunk_by(|one, next| is_name(one) == is_name(next));
    let runs = runs.filter(|run| is_name(run[0]));
    runs.map(|run| run.iter().map(|&name| name.to_owned()).collect()).collect()
}

/// Words of `target_link_libraries`.
const KEYWORDS: [&str; 6] = ["debug", "optimized", "general", "PUBLIC", "PRIVATE", "INTERFACE"];

fn is_library_name(word: &str) -> bool {
    !word.is_empty()
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !word.starts_with("LINK_")
        && !word.starts_with("cmTC_")
}

/// The libraries of a call, with places for those that are inserted.
fn libraries_with_places(call: &Call, insertions: &Insertions) -> String {
    let mut text = format!(";{};", given_libraries(call));
    for run in &insertions.libraries {
        text = text.replacen(&format!(";{};", run.join(";")), &format!(";{LIBRARIES};"), 1);
    }
    text
}

/// Where CMake keeps what it found out about the system and the compilers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Description {
    /// The digest of the files that the test project reads for a language.
    digest: String,
    /// Whether nothing but CMake's own files decides what the test project does.
    is_plain: bool,
    /// Whether the text is all that decides.
    is_whole: bool,
}

impl Description {
    /// Reads the description for a language.
    ///
    /// `modules` is the directory of CMake's own.
    pub(super) fn read(ask: &Ask, language: &str, modules: &Path) -> Option<Description> {
        let dir = Path::new(ask.variable("CMAKE_PLATFORM_INFO_DIR"));
        let system = std::fs::read_to_string(dir.join("CMakeSystem.cmake")).ok()?;
        let compiler =
            std::fs::read_to_string(dir.join(format!("CMake{language}Compiler.cmake"))).ok()?;
        let mut text = format!("{compiler}\n{system}");
        let mut is_whole = true;
        let mut included = 0;
        for line in system.lines().filter_map(|line| line.trim().strip_prefix("include(\"")) {
            included += 1;
            let path = line.strip_suffix("\")").unwrap_or_default();
            match std::fs::read_to_string(path) {
                Ok(toolchain) => {
                    is_whole &= only_sets_variables(&toolchain);
                    text += &toolchain;
                }
                Err(_) => is_whole = false,
            }
        }
        let is_linux = system.lines().any(|line| line == "set(CMAKE_SYSTEM_NAME \"Linux\")");
        let overrides = format!("CMAKE_USER_MAKE_RULES_OVERRIDE_{language}");
        let is_overridden = ["CMAKE_USER_MAKE_RULES_OVERRIDE", &overrides]
            .iter()
            .any(|name| !ask.variable(name).is_empty());
        let has_own_modules = ask
            .variable("CMAKE_MODULE_PATH")
            .split(';')
            .any(|dir| has_platform_modules(dir, modules));
        is_whole &= !is_overridden && !has_own_modules;
        let has_platform_variables =
            !ask.variable("CMAKE_TRY_COMPILE_PLATFORM_VARIABLES").is_empty();
        let is_plain = is_linux && included == 0 && is_whole && !has_platform_variables;
        let digest = blake3::hash(text.as_bytes()).to_hex().to_string();
        Some(Description { digest, is_plain, is_whole })
    }
}

/// Whether `project()` of the test project could find a module of its own in a directory of
/// `CMAKE_MODULE_PATH`: one with a name of CMake's, or one for a platform or compiler.
fn has_platform_modules(dir: &str, modules: &Path) -> bool {
    const DIRECTORIES: [&str; 4] = ["Platform", "Compiler", "Linker", "Internal"];
    if Path::new(dir) == modules {
        return false;
    }
    let Ok(entries) = std::fs::read_dir(dir) else { return !dir.is_empty() && dir.contains('$') };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        DIRECTORIES.contains(&&*name)
            || name.starts_with("CMake")
                && name.ends_with(".cmake")
                && modules.join(&*name).exists()
    })
}

/// Whether a toolchain file depends on nothing but its text.
fn only_sets_variables(text: &str) -> bool {
    let is_simple = |line: &str| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line.to_ascii_lowercase().starts_with("set(")
    };
    text.lines().all(is_simple) && !text.contains("ENV{")
}

impl Keys {
    /// The keys of a call. `cmake` is what is known of CMake itself.
    pub(super) fn of(
        ask: &Ask,
        call: &Call,
        language: &str,
        insertions: &Insertions,
        description: &Description,
        cmake: &str,
    ) -> Keys {
        let mut common = surroundings(ask, call, language, cmake);
        common.push_str(&format!("\n{}", description.digest));
        for (keyword, value) in &call.properties {
            common.push_str(&format!("\n{keyword} {value}"));
        }
        if !insertions.has_places {
            let flags = ask.variable(&format!("CMAKE_{language}_FLAGS"));
            common.push_str(&format!("\n{:?}\n{flags}", call.definitions));
        }
        common.push_str(&format!("\n{:?}\n{}", ask.targets, named_files(ask, call)));
        let rest = Rest::of(call, insertions);
        let lasting = description.is_whole;
        if !description.is_plain || !ask.targets.is_empty() || !rest.is_certain {
            let all = format!(
                "{common}\n{:?}\n{:?}\n{}\n{}",
                call.cmake_flags,
                call.link_options,
                call.link_libraries.is_some(),
                libraries_with_places(call, insertions),
            );
            return Keys {
                compile: format!("compile\n{all}"),
                link: format!("link\n{all}"),
                lasting,
            };
        }
        Keys {
            compile: format!("compile\n{common}\n{}", rest.of_compile),
            link: format!("link\n{common}\n{}\n{:?}", rest.of_link, call.link_options),
            lasting,
        }
    }
}

/// The files that a call or its targets name, as they are now. How CMake names a library in a command
/// depends on what is in it.
fn named_files(ask: &Ask, call: &Call) -> String {
    let given = call.cmake_flags.iter().chain(call.link_libraries.iter().flatten());
    let words = given.chain(&ask.targets).flat_map(|text| text.split([';', '|', '=']));
    let paths = words.filter(|word| word.starts_with('/'));
    let files = paths.filter_map(|path| {
        let path: &OsStr = path.as_ref();
        match os::look(path, Look::Follow) {
            Found::Stamp(stamp) if stamp.is_file() => Some(format!("{path:?} {stamp:?}\n")),
            _ => None,
        }
    });
    files.collect()
}

/// What a call says beside its source and what stands in places, parted by the commands in which it
/// can show.
///
/// CMake 3.20 to 4.4 writes it into the test project like this, behind all that it includes:
///
/// ```cmake
/// include_directories(${INCLUDE_DIRECTORIES})
/// link_directories(${LINK_DIRECTORIES})
/// target_link_options(... PRIVATE <LINK_OPTIONS>)
/// target_link_libraries(... <LINK_LIBRARIES>)      # with the keyword, and without
/// target_link_libraries(... ${LINK_LIBRARIES})
/// ```
///
/// No link command names a directory of headers. No compile command shows what the other three say,
/// of a library that is not a target. To all of them an empty variable is as none. `CMAKE_SKIP_RPATH`
/// is asked only for link commands and only whether it is on.
struct Rest {
    of_compile: String,
    of_link: String,
    is_certain: bool,
}

/// A list of directories, of which CMake names each once.
fn once(dirs: &str) -> String {
    let mut all: Vec<&str> = Vec::new();
    let is_plain = dirs.split(';').all(|dir| dir.starts_with('/'));
    for dir in dirs.split(';') {
        if !is_plain || !all.contains(&dir) {
            all.push(dir);
        }
    }
    all.join(";")
}

impl Rest {
    fn of(call: &Call, insertions: &Insertions) -> Rest {
        let mut given = BTreeMap::new();
        let mut is_certain = true;
        for flag in &call.cmake_flags {
            match named(flag) {
                Some(("COMPILE_DEFINITIONS", _)) if insertions.has_places => (),
                Some((
                    name @ ("INCLUDE_DIRECTORIES"
                    | "LINK_DIRECTORIES"
                    | "LINK_LIBRARIES"
                    | "CMAKE_SKIP_RPATH"
                    | "EXE_LINKER_FLAGS"),
                    value,
                )) => is_certain &= given.insert(name, value.to_owned()).is_none(),
                // An empty word is dropped.
                None if flag.is_empty() => (),
                _ => is_certain = false,
            }
        }
        if let Some(libraries) = &call.link_libraries {
            is_certain &= given.insert("LINK_LIBRARIES", libraries.join(";")).is_none();
        }
        if !insertions.libraries.is_empty() {
            given.insert("LINK_LIBRARIES", libraries_with_places(call, insertions));
        }
        let value = |name| given.get(name).map_or("", String::as_str);
        let skips = !matches!(
            value("CMAKE_SKIP_RPATH").to_ascii_uppercase().as_str(),
            "" | "0" | "NO" | "OFF" | "FALSE" | "N"
        );
        Rest {
            of_compile: once(value("INCLUDE_DIRECTORIES")),
            of_link: format!(
                "{}\n{}\n{}\n{skips}",
                value("LINK_DIRECTORIES"),
                value("LINK_LIBRARIES"),
                value("EXE_LINKER_FLAGS")
            ),
            is_certain,
        }
    }
}

/// All variables, policies and environment variables that decide about the commands of a call.
fn surroundings(ask: &Ask, call: &Call, language: &str, cmake: &str) -> String {
    let has_configuration = !ask.variable("CMAKE_TRY_COMPILE_CONFIGURATION").is_empty();
    let decides = |name: &&String| {
        let is_of_request =
            names::OF_REQUEST.iter().any(|it| it.replace("<LANG>", language) == **name);
        // Without a configuration, that of DEBUG is handed over, but not used.
        let is_unused = !has_configuration && name.ends_with("_DEBUG") && name.contains("_FLAGS_");
        !is_of_request && !is_unused && is_of(name, language)
    };
    let mut text = format!("{cmake}\n{language}");
    let is_in_temporary =
        matches!(&call.source, super::call::Given::Path(path) if is_temporary(path));
    if is_in_temporary {
        text.push_str("\ntemporary");
    }
    let variables = ask.variables.keys().filter(decides);
    for name in variables {
        text.push_str(&format!("\n{name}={}", ask.variables[name]));
    }
    for (number, value) in &ask.policies {
        text.push_str(&format!("\n{number}={value}"));
    }
    for name in names::OF_RECIPES {
        let value = ask.environment.get(*name).map_or("", String::as_str);
        text.push_str(&format!("\n{name}={value}"));
    }
    text
}

/// Whether a variable is not one of another language.
fn is_of(name: &str, language: &str) -> bool {
    let templates = names::OF_LANGUAGE.iter().filter_map(|it| it.split_once("<LANG>"));
    let of_another = templates.into_iter().any(|(before, after)| {
        let after = after.split('<').next().unwrap_or_default();
        name.strip_prefix(before).and_then(|rest| rest.split_once(after)).is_some_and(
            |(other, _)| {
                other != language
                    && other.chars().all(|c| c.is_ascii_alphabetic())
                    && !other.is_empty()
            },
        ) && !names::OF_ALL.contains(&name)
    });
    !of_another
}

/// Whether CMake takes a path for one of its temporary files.
pub(super) fn is_temporary(path: &str) -> bool {
    path.contains("CMakeTmp") || path.contains("CMakeScratch")
}
