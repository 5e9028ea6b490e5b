//! What a call asks of the compiler: the commands and the source.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::LazyLock;

use regex_lite::Regex;

use super::ask::Ask;
use super::call::{Call, Given};
use super::cmake_flags::CmakeFlags;
use super::insertions::{Insertions, Origin};
use super::recipe;
use super::recipes::{Cmake, Lesson, Recipes};
use super::refusal::Refusal;
use super::surroundings::{self, Keys, Surroundings};
use crate::protocol::language::Language;
use crate::protocol::{Check, Kind, Seconds, Toolchain};

/// CMake waits for the compiler as long as it takes. In seconds.
const TIME_LIMIT: f64 = 24.0 * 3600.0;

/// A question to the compiler.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// The call that asks.
    pub call: Call,
    /// The commands.
    pub toolchain: Toolchain,
    /// The source. It has no product yet.
    pub check: Check,
    /// Whether it is known how to link. If not, only a no is an answer.
    pub can_link: bool,
    /// The environment, as far as CMake has told it; or all of it.
    pub environment: Vec<(OsString, OsString)>,
    /// What CMake has to answer if the compiler says yes and the link is not known.
    pub ways: Vec<(Insertions, Keys)>,
}

/// A call, read.
pub(super) enum Reading {
    /// Its question.
    Question(Box<Question>),
    /// The commands are not known.
    Unknown(Box<Lesson>),
}

impl Question {
    /// The question of a call.
    pub(super) fn read(
        ask: &Ask,
        cmake: &Cmake,
        recipes: &Recipes,
        environment: &[(OsString, OsString)],
    ) -> Result<Reading, Refusal> {
        let call = Call::read(ask, cmake.version)?;
        refuse_warnings(ask)?;
        let is_library = match ask.variable("CMAKE_TRY_COMPILE_TARGET_TYPE") {
            "" | "EXECUTABLE" => false,
            // The archiver gets the link options, and does not run here.
            "STATIC_LIBRARY"
                if call.copy_file.is_none()
                    && call.run_result.is_none()
                    && call.link_options.is_empty() =>
            {
                true
            }
            _ => return Err(Refusal::TargetType),
        };
        if call.run_result.is_some() && is_for_another_machine(ask) {
            return Err(Refusal::Foreign);
        }
        // CMake drops these, and warns.
        if call.definitions.iter().any(|definition| definition.contains('#')) {
            return Err(Refusal::Arguments);
        }
        // What they read of targets may be anything.
        if ask.targets.iter().any(|it| it.contains("TARGET_PROPERTY") || it.contains("GENEX_EVAL"))
        {
            return Err(Refusal::Expressions);
        }
        // CMake splits these itself.
        if call.run_args.iter().any(|arg| arg.contains(['\\', '"', '\''])) {
            return Err(Refusal::Arguments);
        }
        let source = Source::of(&call.source, call.copy_file.is_some(), ask)?;
        if source.path.is_some() && cmake.version < (4, 0) && is_elsewhere(&cmake.dir, environment)
        {
            // CMake names files as the shell names its directory.
            return Err(Refusal::Source);
        }
        let language = surroundings::language(ask, &source.extension)?;
        if ask.is_detection() && language == "Fortran" {
            // Ninja has it preprocessed by a command of its own, whose output CMake reads.
            return Err(Refusal::Internal);
        }
        let description = recipes.description(ask, language).ok_or(Refusal::Language)?;
        let origin = Origin {
            ask,
            language,
            description: &description,
            // Later versions always do.
            passes_linker_flags: cmake.version >= (4, 0) || ask.is_new("0056"),
        };
        let ways = ways(&origin, &call, cmake);
        let known = ways.iter().find_map(|(insertions, keys)| {
            let compile = recipes.get(&keys.compile, keys.lasting)?;
            let link = if is_library { None } else { recipes.get(&keys.link, keys.lasting) };
            Some((insertions.clone(), compile, link))
        });
        let Some((insertions, compile, link)) = known else {
            let lesson = Lesson { ask: ask.clone(), call, ways };
            return Ok(Reading::Unknown(lesson.into()));
        };
        let kind = if link.is_some() { Kind::Links } else { Kind::Compiles };
        let mut toolchain = Toolchain {
            language: Some(protocol_language(language)),
            compile: Some(recipe::filled(&compile, &insertions)),
            link: link.as_ref().map(|link| recipe::filled(link, &insertions)),
            ..Toolchain::default()
        };
        let mut check = Check::new("check".into(), kind);
        check.args = insertions.options.clone();
        if toolchain.compile.iter().flatten().any(|word| word == recipe::DEFINITIONS) {
            check.definitions = Some(insertions.definitions.clone()).filter(|it| !it.is_empty());
        }
        check.timeout = Seconds::new(TIME_LIMIT);
        if kind == Kind::Links {
            note_variants(&mut check, &source, &insertions);
            let is_size =
                |copy: &String| copy.contains("/CheckTypeSize/") && copy.ends_with(".bin");
            // CMake's own module looks for a text in it, and for nothing else.
            check.product_is_data = call.copy_file.as_ref().is_some_and(is_size).then_some(true);
        }
        if let Some(word) = check.word.as_ref().filter(|_| source.looks_for_a_function()) {
            let definition = format!("{FUNCTION}={word}");
            put_in_place(&mut toolchain, &mut check, definition);
        }
        source.put_into(&mut check);
        let environment = environment_of(ask, environment)?;
        let commands = [&toolchain.compile, &toolchain.link].into_iter().flatten().flatten();
        let words = commands.chain(&check.args).chain(check.definitions.iter().flatten());
        if words.into_iter().any(|word| leads_up(word)) || searches_above(&environment) {
            return Err(Refusal::Relative);
        }
        let can_link = is_library || link.is_some();
        let question = Question { call, toolchain, check, can_link, environment, ways };
        Ok(Reading::Question(question.into()))
    }

    /// The compiler.
    pub(super) fn compiler(&self) -> &str {
        self.toolchain.compile.iter().flatten().next().map_or("", String::as_str)
    }
}

/// Refuses a call of which CMake would warn.
fn refuse_warnings(ask: &Ask) -> Result<(), Refusal> {
    let warns = |number: &&str| {
        !ask.variable(&format!("CMAKE_POLICY_WARNING_CMP{number}")).is_empty()
            && !ask.is_new(number)
    };
    match ["0056", "0066", "0067", "0126"].iter().any(warns) {
        true => Err(Refusal::PolicyWarning),
        false => Ok(()),
    }
}

fn is_for_another_machine(ask: &Ask) -> bool {
    let crosses = ask.variable("CMAKE_CROSSCOMPILING").to_ascii_uppercase();
    !matches!(crosses.as_str(), "" | "0" | "FALSE" | "OFF" | "NO" | "N")
        && ask.variable("CMAKE_CROSSCOMPILING_EMULATOR").is_empty()
}

/// Whether a word of a command names a file above the directory of CMake's test project. Only there can
/// a relative path lead to anything.
fn leads_up(word: &str) -> bool {
    static UP: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(^|[=,:;]|^-[A-Za-z]+)(\./)*\.\.(/|$)").expect("valid"));
    UP.is_match(word)
}

/// Whether the compiler would search in such a directory.
fn searches_above(environment: &[(OsString, OsString)]) -> bool {
    const LISTS: [&str; 8] = [
        "COMPILER_PATH",
        "CPATH",
        "CPLUS_INCLUDE_PATH",
        "C_INCLUDE_PATH",
        "GCC_EXEC_PREFIX",
        "LIBRARY_PATH",
        "LPATH",
        "OBJC_INCLUDE_PATH",
    ];
    environment.iter().any(|(name, value)| {
        LISTS.iter().any(|list| name == list) && leads_up(&value.to_string_lossy())
    })
}

/// What may stand in places, from most to nothing, with the keys for each.
fn ways(origin: &Origin<'_>, call: &Call, cmake: &Cmake) -> Vec<(Insertions, Keys)> {
    let flags = CmakeFlags::of(call);
    let most = Insertions::of(origin, call, &flags);
    let mut all = vec![most.clone(), most.in_few_places(&flags), Insertions::none(&flags)];
    all.dedup();
    let surroundings = Surroundings::of(origin, call, &cmake.identity());
    let keys = |insertions: Insertions| {
        let keys = Keys::of(origin, call, &flags, &insertions, &surroundings);
        (insertions, keys)
    };
    all.into_iter().map(keys).collect()
}

/// The environment of CMake, as far as a call tells it, or all of it.
fn environment_of(
    ask: &Ask,
    at_start: &[(OsString, OsString)],
) -> Result<Vec<(OsString, OsString)>, Refusal> {
    if let Some(file) = &ask.whole_environment {
        let bytes = std::fs::read(file).map_err(|_| Refusal::Environment)?;
        return Ok(crate::os::variables(&bytes));
    }
    let mut environment = at_start.to_vec();
    for (name, value) in &ask.environment {
        let at = environment.iter().position(|(other, _)| other == name.as_str());
        match (at, value.as_str()) {
            (Some(at), "") if !environment[at].1.is_empty() => drop(environment.remove(at)),
            (_, "") => (),
            (Some(at), value) => environment[at].1 = value.into(),
            (None, value) => environment.push((name.into(), value.into())),
        }
    }
    Ok(environment)
}

/// Tells the engine which word of a source varies, and what else the source declares, if it is one
/// that CMake's modules write in the same way for each function, symbol or type: those of
/// `check_function_exists`, `check_symbol_exists` and `check_type_size` of CMake 3.20 to 4.4.
fn note_variants(check: &mut Check, source: &Source, insertions: &Insertions) {
    static SYMBOL: LazyLock<Regex> = LazyLock::new(|| {
        let name = "([A-Za-z_][A-Za-z0-9_]*)";
        let pattern = format!(
            "\n  \\(void\\)argv;\n#ifndef {name}\n  return \\(\\(int\\*\\)\\(&{name}\\)\\)\\[argc\\];\n#else\n"
        );
        Regex::new(&pattern).expect("valid")
    });
    static SIZE: LazyLock<Regex> = LazyLock::new(|| {
        let pattern =
            "\n#define SIZE (\\(sizeof\\([A-Za-z0-9_ *]+\\)\\))\n(static )?char info_size\\[\\] =";
        Regex::new(pattern).expect("valid")
    });
    let Some(text) = &source.text else { return };
    let own = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    if let Some(found) = SYMBOL.captures(text).filter(|found| found[1] == found[2]) {
        check.word = Some(found[1].to_owned());
        check.own_names = own(&["main"]);
    } else if source.looks_for_a_function() {
        let given = insertions.definitions.iter().chain(&insertions.flags);
        let mut names = given.filter_map(|it| it.strip_prefix(FUNCTION)?.strip_prefix('='));
        let name = names.next().filter(|_| names.next().is_none());
        let is_name = |name: &&str| {
            name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && !name.starts_with(|c: char| c.is_ascii_digit())
        };
        if let Some(name) = name.filter(is_name) {
            check.word = Some(name.to_owned());
            check.own_names = own(&["main"]);
        }
    } else if let Some(found) = SIZE.captures(text) {
        check.word = Some(found[1].to_owned());
        check.own_names = own(&["main", "info_size"]);
    }
}

/// The definition of the function that CMake's `CheckFunctionExists.c` looks for, without the name.
const FUNCTION: &str = "-DCHECK_FUNCTION_EXISTS";

/// Has the engine put a definition in, if it stands once in each command, so that the commands for all
/// functions are the same. CMake before 3.26 passes it among the flags.
fn put_in_place(toolchain: &mut Toolchain, check: &mut Check, definition: String) {
    let is_once = |command: &Vec<String>| {
        let mut naming = command.iter().filter(|word| word.contains(&FUNCTION[2..]));
        naming.next() == Some(&definition) && naming.next().is_none()
    };
    let commands = || [&toolchain.compile, &toolchain.link].into_iter().flatten();
    if !commands().all(is_once) {
        return;
    }
    let others = check.definitions.take().unwrap_or_default();
    for command in [&mut toolchain.compile, &mut toolchain.link].into_iter().flatten() {
        let words = std::mem::take(command).into_iter().flat_map(|word| match word {
            word if word == recipe::DEFINITIONS => others.clone(),
            word if word == definition => vec![recipe::DEFINITIONS.to_owned()],
            word => vec![word],
        });
        *command = words.collect();
    }
    check.definitions = Some(vec![definition]);
}

/// The source of a check.
struct Source {
    extension: String,
    text: Option<String>,
    path: Option<String>,
}

impl Source {
    /// Reads a source. If `is_named`, its name shows in what becomes of it.
    fn of(given: &Given, is_named: bool, ask: &Ask) -> Result<Source, Refusal> {
        let read = |path: &str| {
            let bytes =
                std::fs::read(ask.place_of(Path::new(path))).map_err(|_| Refusal::Source)?;
            String::from_utf8(bytes).map_err(|_| Refusal::Source)
        };
        let (name, text, path) = match given {
            Given::Text { name, text } => (name, Some(text.clone()), None),
            Given::Copy { name, from } if Path::new(from).is_absolute() => {
                (name, Some(read(from)?), None)
            }
            Given::Path(path) if Path::new(path).is_absolute() => {
                let place = ask.place_of(Path::new(path));
                if !std::fs::metadata(&place).is_ok_and(|it| it.is_file()) {
                    return Err(Refusal::Source);
                }
                match read(path).ok().filter(|text| !is_named && stands_alone(text)) {
                    Some(text) => (path, Some(text), None),
                    None if place == Path::new(path) => (path, None, Some(path.clone())),
                    None => return Err(Refusal::Source),
                }
            }
            Given::Copy { .. } | Given::Path(_) => return Err(Refusal::Source),
        };
        let extension = Path::new(name).extension().and_then(|it| it.to_str());
        let extension = extension.ok_or(Refusal::Language)?.to_owned();
        Ok(Source { extension, text, path })
    }

    /// Whether it is the one of `check_function_exists` of CMake 3.20 to 4.4.
    fn looks_for_a_function(&self) -> bool {
        self.text.as_ref().is_some_and(|text| text.starts_with("#ifdef CHECK_FUNCTION_EXISTS\n"))
    }

    fn put_into(self, check: &mut Check) {
        check.source = self.text;
        check.file = self.path;
        if check.source.is_some() {
            check.extension = Some(self.extension);
        }
    }
}

/// Whether the shell that started CMake has another name for the current directory.
fn is_elsewhere(dir: &Path, environment: &[(OsString, OsString)]) -> bool {
    let shells = environment.iter().find(|(name, _)| name == "PWD");
    shells.is_some_and(|(_, shells)| {
        Path::new(shells) != dir && std::fs::canonicalize(shells).is_ok_and(|it| it == dir)
    })
}

/// Whether a source means the same wherever it stands: it includes nothing by a name in quotes, and
/// does not ask for its own.
fn stands_alone(text: &str) -> bool {
    let words = ["include", "embed", "import", "incbin", "INCLUDE"];
    let is_harmless = |line: &str| {
        let line = line.trim_start();
        match line.strip_prefix('#').map(str::trim_start) {
            Some(directive) if directive.starts_with("include") => {
                let rest = directive["include".len()..].trim_start();
                rest.starts_with('<') && !rest.contains("..")
            }
            _ => !words.iter().any(|word| line.contains(word)),
        }
    };
    !text.contains("__FILE__") && !text.contains("__BASE_FILE__") && text.lines().all(is_harmless)
}

/// The engine's name of a language of CMake.
fn protocol_language(language: &str) -> Language {
    match language {
        "CXX" => Language::Cxx,
        "Fortran" => Language::Fortran,
        "OBJC" => Language::ObjC,
        "OBJCXX" => Language::ObjCxx,
        _ => Language::C,
    }
}

/// Toolchains and checks of questions that can be asked together, with the environment of all.
pub(super) type Batch = (BTreeMap<String, Toolchain>, Vec<Check>, Vec<(OsString, OsString)>);

/// Parts questions into batches that have one environment each. The ids of the checks are the
/// positions of the questions.
pub(super) fn batches(questions: &[Question]) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for (index, question) in questions.iter().enumerate() {
        let at = batches.iter().position(|(.., environment)| *environment == question.environment);
        let at = at.unwrap_or_else(|| {
            batches.push((BTreeMap::new(), Vec::new(), question.environment.clone()));
            batches.len() - 1
        });
        let (toolchains, checks, _) = &mut batches[at];
        let is_same = |(_, toolchain): &(&String, &Toolchain)| {
            (&toolchain.compile, &toolchain.link, toolchain.language)
                == (
                    &question.toolchain.compile,
                    &question.toolchain.link,
                    question.toolchain.language,
                )
        };
        let name = toolchains.iter().find(is_same).map(|(name, _)| name.clone());
        let name = name.unwrap_or_else(|| {
            let name = format!("t{index}");
            toolchains.insert(name.clone(), question.toolchain.clone());
            name
        });
        let id = index.to_string();
        checks.push(Check { id, toolchain: Some(name), ..question.check.clone() });
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The commands and definitions after the definition of a function was put in place.
    fn put(compile: &str, link: &str, definitions: &[&str]) -> [String; 3] {
        let words = |text: &str| Some(text.split(' ').map(str::to_owned).collect());
        let (compile, link) = (words(compile), words(link));
        let mut toolchain = Toolchain { compile, link, ..Toolchain::default() };
        let mut check = Check::new("check".into(), Kind::Links);
        check.definitions = Some(definitions.iter().map(|&it| it.to_owned()).collect());
        put_in_place(&mut toolchain, &mut check, "-DCHECK_FUNCTION_EXISTS=fork".into());
        [toolchain.compile, toolchain.link, check.definitions].map(|it| it.unwrap().join(" "))
    }

    #[test]
    fn the_function_that_is_looked_for_has_a_place() {
        let (compile, link) = ("cc {definitions} -O2 -DCHECK_FUNCTION_EXISTS=fork -c", "cc -O2");
        let both = put(compile, "cc -O2 -DCHECK_FUNCTION_EXISTS=fork {object}", &["-DA", "-DB=1"]);
        assert_eq!(
            both,
            [
                "cc -DA -DB=1 -O2 {definitions} -c",
                "cc -O2 {definitions} {object}",
                "-DCHECK_FUNCTION_EXISTS=fork"
            ]
        );
        // CMake since 3.26, and what cannot be understood.
        assert_eq!(put("cc {definitions}", link, &["-DA"]), ["cc {definitions}", link, "-DA"]);
        assert_eq!(put(compile, link, &["-DA"]), [compile, link, "-DA"]);
        let again = format!("{compile} -UCHECK_FUNCTION_EXISTS");
        assert_eq!(put(&again, &again, &["-DA"]), [&again, &again, "-DA"]);
    }
}
