//! What decides about the commands of a test project, beside what the call itself says.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

use super::ask::Ask;
use super::call::Call;
use super::cmake_flags::{CmakeFlags, cmake_flag};
use super::insertions::{Insertions, Library, Origin};
use super::refusal::Refusal;
use super::{names, recipe};
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

/// The languages that sessions know, by CMake's names.
pub(super) const LANGUAGES: [&str; 6] = ["C", "CXX", "Fortran", "OBJC", "OBJCXX", "ASM"];

/// The language of a source by its extension, as CMake finds it.
pub(super) fn language(ask: &Ask, extension: &str) -> Result<&'static str, Refusal> {
    let matches = |language: &&&str| {
        let extensions = ask.variable(&format!("CMAKE_{language}_SOURCE_FILE_EXTENSIONS"));
        // Until it is examined, CMake is still finding out about the compiler.
        let is_examined = !ask.variable(&format!("CMAKE_{language}_ABI_COMPILED")).is_empty();
        // Of an assembler, it examines nothing like that. Only what is preprocessed takes definitions.
        let is_known = match **language {
            "ASM" => extension == "S",
            _ => is_examined || ask.is_detection(),
        };
        is_known && extensions.split(';').any(|it| it == extension)
    };
    LANGUAGES.iter().find(matches).copied().ok_or(Refusal::Language)
}

/// Where CMake keeps what it found out about the system and the compilers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Description {
    /// The digest of the files that the test project reads for a language.
    digest: String,
    /// Whether nothing but CMake's own files decides what the test project does.
    pub is_plain: bool,
    /// Whether the text is all that decides.
    is_whole: bool,
    /// Where the compiler looks for headers without being told.
    pub implicit_includes: Vec<String>,
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
            .any(|dir| has_platform_modules(dir, modules, &text));
        is_whole &= !is_overridden && !has_own_modules;
        let has_platform_variables =
            !ask.variable("CMAKE_TRY_COMPILE_PLATFORM_VARIABLES").is_empty();
        let is_plain = is_linux && included == 0 && is_whole && !has_platform_variables;
        let digest = blake3::hash(text.as_bytes()).to_hex().to_string();
        let start = format!("set(CMAKE_{language}_IMPLICIT_INCLUDE_DIRECTORIES \"");
        let implicit = compiler.lines().find_map(|line| line.strip_prefix(&start));
        let implicit = implicit.and_then(|rest| rest.strip_suffix("\")")).unwrap_or_default();
        let implicit_includes = implicit.split(';').map(str::to_owned).collect();
        Some(Description { digest, is_plain, is_whole, implicit_includes })
    }
}

/// The directories of CMake's modules for platforms and compilers.
const OF_PLATFORMS: [&str; 4] = ["Platform", "Compiler", "Linker", "Internal"];

/// How many levels of directories they have at most.
const DEPTH: u32 = 4;

/// Whether `project()` of the test project could find a module of its own in a directory of
/// `CMAKE_MODULE_PATH`: one with a name of CMake's, or one for a platform or compiler.
///
/// The names of the latter are put together from words of CMake's own such modules and from what CMake
/// knows of the system and the compiler, which is in `description`: what has another word in its name is
/// for another language.
fn has_platform_modules(dir: &str, modules: &Path, description: &str) -> bool {
    if Path::new(dir) == modules {
        return false;
    }
    if !dir.is_empty() && (!dir.starts_with('/') || dir.contains('$')) {
        return true;
    }
    let is_own = |name: &str| {
        name.starts_with("CMake") && name.ends_with(".cmake") && modules.join(name).exists()
    };
    let mut of_platforms = Vec::new();
    for name in names_in(Path::new(dir)) {
        if OF_PLATFORMS.contains(&&*name) {
            let Some(names) = names_below(&Path::new(dir).join(name), DEPTH) else { return true };
            of_platforms.extend(names);
        } else if is_own(&name) {
            return true;
        }
    }
    if of_platforms.is_empty() {
        return false;
    }
    let known = OF_PLATFORMS.iter().flat_map(|dir| names_below(&modules.join(dir), DEPTH));
    let known: BTreeSet<String> = known.flatten().collect();
    let words: BTreeSet<&str> =
        known.iter().flat_map(|name| words_of(name)).chain(words_in(description)).collect();
    let is_likely =
        |name: &String| known.contains(name) || words_of(name).all(|word| words.contains(word));
    of_platforms.iter().any(is_likely)
}

/// The words that the name of a module consists of.
fn words_of(module: &str) -> impl Iterator<Item = &str> {
    words_in(module.strip_suffix(".cmake").unwrap_or(module))
}

fn words_in(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
}

fn names_in(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// The names of the files below a directory of modules; `None` if that is not certain.
fn names_below(dir: &Path, depth: u32) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for name in names_in(dir) {
        let path = dir.join(&name);
        match path.is_dir() {
            true if depth == 0 => return None,
            true => all.extend(names_below(&path, depth - 1)?),
            false => all.push(name),
        }
    }
    Some(all)
}

/// Whether a toolchain file depends on nothing but its text.
fn only_sets_variables(text: &str) -> bool {
    let is_simple = |line: &str| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line.to_ascii_lowercase().starts_with("set(")
    };
    text.lines().all(is_simple) && !text.contains("ENV{")
}

/// What decides about the commands of a call, whatever has a place in them.
pub(super) struct Surroundings {
    /// What the variables, policies and descriptions say.
    text: String,
    /// The files that the call names.
    files: String,
}

impl Surroundings {
    /// Those of a call. `cmake` is what is known of CMake itself.
    pub(super) fn of(origin: &Origin<'_>, call: &Call, cmake: &str) -> Surroundings {
        let mut text = surroundings(origin, cmake);
        text.push_str(&format!("\n{}", origin.description.digest));
        for (keyword, value) in &call.properties {
            text.push_str(&format!("\n{keyword} {value}"));
        }
        Surroundings { text, files: named_files(origin.ask, call) }
    }
}

impl Keys {
    /// The keys of a call with these insertions.
    pub(super) fn of(
        origin: &Origin<'_>,
        call: &Call,
        flags: &CmakeFlags,
        insertions: &Insertions,
        surroundings: &Surroundings,
    ) -> Keys {
        let Origin { ask, language, description, .. } = origin;
        let is_parted = description.is_plain && ask.targets.is_empty() && flags.is_certain;
        let Surroundings { text, files } = surroundings;
        let mut common = text.clone();
        if !insertions.has_places {
            let variable = ask.variable(&format!("CMAKE_{language}_FLAGS"));
            let given = cmake_flag(call, "COMPILE_DEFINITIONS");
            common.push_str(&format!("\n{:?}\n{variable}\n{given:?}", call.definitions));
        }
        let of_compile = of_compile(flags, insertions);
        let of_link = of_link(ask, call, flags, insertions);
        let lasting = description.is_whole;
        if is_parted {
            return Keys {
                compile: format!("compile\n{common}\n{of_compile}"),
                link: format!("link\n{common}\n{of_link}\n{files}"),
                lasting,
            };
        }
        let rest = format!("{:?}\n{:?}", call.cmake_flags, call.link_libraries.is_some());
        let all = format!("{common}\n{of_compile}\n{of_link}\n{rest}\n{:?}\n{files}", ask.targets);
        Keys { compile: format!("compile\n{all}"), link: format!("link\n{all}"), lasting }
    }
}

/// What a call says that shows only in the compile command, but for what stands in places.
fn of_compile(flags: &CmakeFlags, insertions: &Insertions) -> String {
    match insertions.includes {
        Some(_) => recipe::INCLUDES.to_owned(),
        None => flags.include_directories.join(";"),
    }
}

/// The same for the link command.
fn of_link(ask: &Ask, call: &Call, flags: &CmakeFlags, insertions: &Insertions) -> String {
    let linker_flags = match insertions.linker_flags {
        Some(_) => recipe::LINKER_FLAGS.to_owned(),
        None => format!("{} {}", ask.variable("CMAKE_EXE_LINKER_FLAGS"), flags.linker_flags),
    };
    let link_options = match insertions.link_options {
        Some(_) => recipe::LINK_OPTIONS.to_owned(),
        None => format!("{:?}", call.link_options),
    };
    let libraries: Vec<_> = insertions
        .libraries
        .iter()
        .map(|library| match library {
            Library::InPlace(_) => recipe::LIBRARIES,
            Library::Named(name) => name,
        })
        .collect();
    format!(
        "{}\n{}\n{linker_flags}\n{link_options}\n{}",
        flags.link_directories,
        libraries.join(";"),
        flags.skips_rpath
    )
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

/// All variables, policies and environment variables that decide about the commands of a call.
fn surroundings(origin: &Origin<'_>, cmake: &str) -> String {
    let Origin { ask, language, description, .. } = origin;
    let has_configuration =
        ask.has_configurations() || !ask.variable("CMAKE_TRY_COMPILE_CONFIGURATION").is_empty();
    let of_request = names::OF_REQUEST.iter().map(|name| name.replace("<LANG>", language));
    let of_request = Vec::from_iter(of_request);
    let decides = |name: &&String| {
        let is_of_request = of_request.contains(*name);
        // Without a configuration, that of DEBUG is handed over, but not used.
        let is_unused = !has_configuration && name.ends_with("_DEBUG") && name.contains("_FLAGS_");
        // There is no module that it could find.
        let is_unread = *name == "CMAKE_MODULE_PATH" && description.is_plain;
        !is_of_request && !is_unused && !is_unread && is_of(name, language)
    };
    let mut text = format!("{cmake}\n{language}");
    for name in ask.variables.keys().filter(decides) {
        let value = ask.variable(name);
        let is_default = name == "CMAKE_TRY_COMPILE_TARGET_TYPE" && value == "EXECUTABLE";
        if !value.is_empty() && !is_default {
            text.push_str(&format!("\n{name}={value}"));
        }
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
