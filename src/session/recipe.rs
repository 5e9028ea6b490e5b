//! Recipes: the compile and link commands that CMake uses in given surroundings.
//!
//! Dozens of variables and policies decide about them, so they are not computed. CMake itself answers
//! the first call in each surroundings, with options added that change nothing and stand where a call's
//! own options stand. They are found again in the verbose output:
//!
//! | | |
//! | --- | --- |
//! | `-DTRYALL_DEFINITION` | among the definitions, which CMake sorts |
//! | `-UTRYALL_OPTION` | where `COMPILE_DEFINITIONS` that do not start with `-D` go |
//! | `-DTRYALL_FLAG` | behind `CMAKE_<LANG>_FLAGS`, in both commands |
//! | `-I…/TRYALL_INCLUDE` | behind `INCLUDE_DIRECTORIES` |
//! | `-DTRYALL_LINKER_FLAG` | behind `CMAKE_EXE_LINKER_FLAGS` |
//! | `-DTRYALL_LINK_OPTION` | before `LINK_OPTIONS` |
//! | `-DTRYALL_LIBRARY` | before `LINK_LIBRARIES` |
//!
//! Later calls use both commands with their own options in these places. A command with anything
//! unexpected gives no recipe.

use std::path::Path;
use std::sync::LazyLock;

use regex_lite::Regex;

use super::ask::Ask;
use super::call::{Call, Given, is_keyword};
use super::cmake_flags::{cmake_flag, named};
use super::insertions::Insertions;
use super::refusal::Refusal;
use super::words;

const DEFINITION: &str = "-DTRYALL_DEFINITION";
const OPTION: &str = "-UTRYALL_OPTION";
const FLAG: &str = "-DTRYALL_FLAG";
const LINKER_FLAG: &str = "-DTRYALL_LINKER_FLAG";
const LINK_OPTION: &str = "-DTRYALL_LINK_OPTION";
const LIBRARY: &str = "-DTRYALL_LIBRARY";
/// The name of the directory that is named as one of headers. It is empty.
const INCLUDE: &str = "TRYALL_INCLUDE";

/// Stands for the definitions of a call.
pub(super) const DEFINITIONS: &str = "{definitions}";
/// Starts a definition that a target brings.
const BROUGHT: &str = "{definition}";
/// Stands for its other options.
const OPTIONS: &str = "{options}";
/// Stands for its flags.
const FLAGS: &str = "{flags}";
/// Stands for directories of headers.
pub(super) const INCLUDES: &str = "{includes}";
/// Stands for the flags of the linker.
pub(super) const LINKER_FLAGS: &str = "{linker_flags}";
/// Stands for `LINK_OPTIONS`.
pub(super) const LINK_OPTIONS: &str = "{link_options}";
/// Stands for libraries that follow one another.
pub(super) const LIBRARIES: &str = "{libraries}";
/// Stand for files, as in the engine's templates.
const SOURCE: &str = "{source}";
const OBJECT: &str = "{object}";
const PROGRAM: &str = "{program}";

/// A command with places.
pub(super) type Recipe = Vec<String>;

/// Places that a recipe may have.
const PLACES: [&str; 7] =
    [DEFINITIONS, OPTIONS, FLAGS, INCLUDES, LINKER_FLAGS, LINK_OPTIONS, LIBRARIES];

/// Whether a word of a call cannot be taken for a place.
pub(super) fn is_insertable(word: &str) -> bool {
    let of_engine = [SOURCE, OBJECT, PROGRAM, "{args}", "{link_args}"];
    !PLACES.iter().chain(&of_engine).any(|place| word.contains(place))
}

/// The arguments of a call with the marks. Those of link options and libraries stand before what they
/// mark, so that none of these can take a mark as its value.
///
/// `dir` is a directory of the session.
pub(super) fn marked(
    args: &[String],
    call: &Call,
    insertions: &Insertions,
    dir: &Path,
) -> Vec<String> {
    let include = dir.join(INCLUDE);
    let include = include.to_string_lossy();
    let has_include = insertions.includes.is_some() && std::fs::create_dir_all(&*include).is_ok();
    let is_by_keyword = call.link_libraries.is_some();
    let marks_libraries = insertions.marks_libraries;
    // The variables among the CMAKE_FLAGS, with their marks.
    let variables = [
        ("COMPILE_DEFINITIONS", FLAG, true),
        ("INCLUDE_DIRECTORIES", &*include, has_include),
        ("EXE_LINKER_FLAGS", LINKER_FLAG, insertions.linker_flags.is_some()),
        ("LINK_LIBRARIES", LIBRARY, marks_libraries && !is_by_keyword),
    ];
    let (given, missing): (Vec<_>, Vec<_>) = variables
        .into_iter()
        .filter(|(.., is_marked)| *is_marked)
        .partition(|(name, ..)| cmake_flag(call, name).is_some());
    let more_flags = missing.iter().map(|(name, mark, _)| format!("-D{name}:STRING={mark}"));
    // The keywords, with what comes next.
    let keywords: [(&str, Vec<String>, bool); 4] = [
        ("COMPILE_DEFINITIONS", vec![DEFINITION.into(), OPTION.into()], true),
        ("CMAKE_FLAGS", more_flags.collect(), true),
        ("LINK_OPTIONS", vec![LINK_OPTION.into()], insertions.link_options.is_some()),
        ("LINK_LIBRARIES", vec![LIBRARY.into()], marks_libraries && is_by_keyword),
    ];
    let mut keywords: Vec<_> = keywords.into_iter().filter(|(.., is_marked)| *is_marked).collect();
    let mut marked = Vec::with_capacity(args.len() + 12);
    let mut is_flag = false;
    for arg in args {
        let mark = named(arg).and_then(|(name, _)| given.iter().find(|it| it.0 == name));
        match mark.filter(|_| is_flag) {
            Some((name, mark, _)) => marked.push(with_mark(arg, name, mark)),
            None => marked.push(arg.clone()),
        }
        if is_keyword(arg) {
            is_flag = arg == "CMAKE_FLAGS";
            if let Some(at) = keywords.iter().position(|(keyword, ..)| keyword == arg) {
                marked.extend(keywords.remove(at).1);
            }
        }
    }
    for (keyword, more, _) in keywords.into_iter().filter(|(_, more, _)| !more.is_empty()) {
        marked.push(keyword.into());
        marked.extend(more);
    }
    marked
}

/// A definition among the `CMAKE_FLAGS` with the mark of its variable.
fn with_mark(flag: &str, name: &str, mark: &str) -> String {
    let (name_of, value) = flag.split_once('=').unwrap_or((flag, ""));
    match (name, value) {
        (_, "") => format!("{name_of}={mark}"),
        ("LINK_LIBRARIES", _) => format!("{name_of}={mark};{value}"),
        ("INCLUDE_DIRECTORIES", _) => format!("{name_of}={value};{mark}"),
        _ => format!("{name_of}={value} {mark}"),
    }
}

/// Reads the compile command of a call off CMake's output.
pub(super) fn compile(
    output: &str,
    ask: &Ask,
    call: &Call,
    insertions: &Insertions,
) -> Result<Recipe, Refusal> {
    let line = output.lines().find(|line| line.contains(" -DTRYALL_DEFINITION "));
    let mut words = command(line.ok_or(Refusal::Commands)?)?;
    let options: Vec<_> =
        std::iter::once(OPTION.into()).chain(insertions.options.clone()).collect();
    let has_places = insertions.has_places;
    put(&mut words, OPTIONS, OPTION, has_places.then_some(options))?;
    put(&mut words, FLAGS, FLAG, has_places.then(|| flags(insertions)))?;
    let mark = words.iter().find(|it| it.starts_with("-I") && it.ends_with(INCLUDE)).cloned();
    let mark = mark.unwrap_or_default();
    let includes = insertions.includes.iter().flatten().cloned().chain([mark.clone()]).collect();
    put_if(&mut words, INCLUDES, &mark, insertions.includes.as_ref().map(|_| includes))?;
    let mut definitions = insertions.definitions.clone();
    definitions.push(DEFINITION.into());
    definitions.sort_unstable();
    definitions.dedup();
    // With several configurations, CMake defines which one it is.
    if ask.targets.is_empty() && !ask.has_configurations() {
        put(&mut words, DEFINITIONS, DEFINITION, has_places.then_some(definitions))?;
    } else {
        put_with_brought(&mut words, has_places.then_some(definitions))?;
    }
    files(words, Step::Compile, ask, call)
}

/// Reads the link command in the same way. `None` if the output has none: what does not compile is
/// not linked.
pub(super) fn link(
    output: &str,
    ask: &Ask,
    call: &Call,
    insertions: &Insertions,
) -> Result<Option<Recipe>, Refusal> {
    static LINK: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r" -o ([A-Za-z0-9_]+/)?cmTC_[0-9a-f]+(\.[a-z0-9]+)?( |$)").expect("valid")
    });
    // The compiler may show the linker's own command.
    let is_link = |line: &&str| LINK.is_match(line) && line.contains(FLAG);
    let Some(line) = output.lines().find(is_link) else { return Ok(None) };
    let mut words = command(line)?;
    put(&mut words, FLAGS, FLAG, insertions.has_places.then(|| flags(insertions)))?;
    let behind = |own: &Vec<String>| own.iter().cloned().chain([LINKER_FLAG.into()]).collect();
    put_if(&mut words, LINKER_FLAGS, LINKER_FLAG, insertions.linker_flags.as_ref().map(behind))?;
    let before = |mark: &str, own: &Vec<String>| [mark.into()].into_iter().chain(own.clone());
    let options = insertions.link_options.as_ref().map(|own| before(LINK_OPTION, own).collect());
    put_if(&mut words, LINK_OPTIONS, LINK_OPTION, options)?;
    let mut runs = insertions.libraries_in_places();
    let first = insertions.marks_libraries.then(|| runs.next()).flatten();
    put_if(&mut words, LIBRARIES, LIBRARY, first.map(|own| before(LIBRARY, own).collect()))?;
    for run in runs {
        // Only what stands there once is known to stand there for the call.
        let count = words.iter().filter(|word| run.contains(word)).count();
        let at = words.windows(run.len()).position(|window| window == run);
        let at = at.filter(|_| count == run.len()).ok_or(Refusal::Commands)?;
        words.splice(at..at + run.len(), [LIBRARIES.to_owned()]);
    }
    files(words, Step::Link, ask, call).map(Some)
}

/// Whether the output shows that the archiver has made a library of what was compiled.
pub(super) fn archives(output: &str) -> bool {
    static SECOND: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?m)^\[2/2\] |Linking [A-Za-z]+ static library").expect("valid")
    });
    SECOND.is_match(output) && !output.contains("FAILED:") && !output.contains("*** [")
}

fn flags(insertions: &Insertions) -> Vec<String> {
    insertions.flags.iter().cloned().chain([FLAG.into()]).collect()
}

/// A recipe with what a call inserts, as a command of the engine.
pub(super) fn filled(recipe: &Recipe, insertions: &Insertions) -> Vec<String> {
    let mut words = Vec::with_capacity(recipe.len() + insertions.flags.len());
    let mut libraries = insertions.libraries_in_places();
    let brought: Vec<_> = recipe.iter().filter_map(|word| word.strip_prefix(BROUGHT)).collect();
    for word in recipe {
        match word.as_str() {
            // The engine puts in those of the check.
            DEFINITIONS if brought.is_empty() => words.push(DEFINITIONS.to_owned()),
            DEFINITIONS => {
                let own = insertions.definitions.iter().map(String::as_str);
                let mut all: Vec<_> = own.chain(brought.iter().copied()).collect();
                all.sort_unstable();
                all.dedup();
                words.extend(all.into_iter().map(str::to_owned));
            }
            _ if word.starts_with(BROUGHT) => (),
            FLAGS => words.extend(insertions.flags.iter().cloned()),
            OPTIONS => words.push("{args}".into()),
            INCLUDES => words.extend(insertions.includes.iter().flatten().cloned()),
            LINKER_FLAGS => words.extend(insertions.linker_flags.iter().flatten().cloned()),
            LINK_OPTIONS => words.extend(insertions.link_options.iter().flatten().cloned()),
            LIBRARIES => words.extend(libraries.next().into_iter().flatten().cloned()),
            _ => words.push(word.clone()),
        }
    }
    words
}

/// The words of the only command in a line of verbose output, without what only writes
/// dependencies.
fn command(line: &str) -> Result<Vec<String>, Refusal> {
    static BEFORE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^.*?\[[0-9]+/[0-9]+\] (: && )?").expect("valid"));
    static DEPENDS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(" && [^&]* -E cmake_ninja_depends [^&]*$").expect("valid"));
    let line = BEFORE.replace(line, "");
    let line = line.trim_end().trim_end_matches(" && :");
    let line = DEPENDS.replace(line, "");
    let all = words::of(&line).ok_or(Refusal::Commands)?;
    let mut words = Vec::with_capacity(all.len());
    let mut all = all.into_iter();
    while let Some(word) = all.next() {
        match word.as_str() {
            "-MT" | "-MF" | "-MQ" => drop(all.next()),
            "-MD" | "-MMD" => (),
            _ if word.starts_with("-Wl,--dependency-file") => (),
            _ => words.push(word),
        }
    }
    (!words.is_empty()).then_some(words).ok_or(Refusal::Commands)
}

/// Puts a place in for words that stand together around a mark; or only takes the mark out, if the
/// call has no such place.
fn put(
    words: &mut Vec<String>,
    place: &str,
    mark: &str,
    sequence: Option<Vec<String>>,
) -> Result<(), Refusal> {
    let at = words.iter().position(|word| word == mark).ok_or(Refusal::Commands)?;
    let Some(sequence) = sequence else {
        words.remove(at);
        return Ok(());
    };
    let offset = sequence.iter().position(|word| word == mark).expect("the mark is in it");
    let start = at.checked_sub(offset).ok_or(Refusal::Commands)?;
    let range = start..start + sequence.len();
    if words.get(range.clone()) != Some(&sequence[..]) {
        return Err(Refusal::Commands);
    }
    words.splice(range, [place.to_owned()]);
    Ok(())
}

/// The same for a mark that is only there if the call has such a place.
fn put_if(
    words: &mut Vec<String>,
    place: &str,
    mark: &str,
    sequence: Option<Vec<String>>,
) -> Result<(), Refusal> {
    match sequence.is_none() && !words.iter().any(|word| word == mark) {
        true => Ok(()),
        false => put(words, place, mark, sequence),
    }
}

/// The same for definitions, which CMake sorts, together with those that targets bring. These stay
/// behind the place, to be sorted in again.
fn put_with_brought(
    words: &mut Vec<String>,
    definitions: Option<Vec<String>>,
) -> Result<(), Refusal> {
    let at = words.iter().position(|word| word == DEFINITION).ok_or(Refusal::Commands)?;
    let Some(definitions) = definitions else {
        words.remove(at);
        return Ok(());
    };
    // The longest sorted run around the mark.
    let follows = |pair: &[String]| pair.iter().all(|it| it.starts_with("-D")) && pair[0] < pair[1];
    let start = words[..=at].windows(2).rev().take_while(|pair| follows(pair)).count();
    let end = words[at..].windows(2).take_while(|pair| follows(pair)).count();
    let range = at - start..at + end + 1;
    let run = &words[range.clone()];
    if !definitions.iter().all(|definition| run.contains(definition)) {
        return Err(Refusal::Commands);
    }
    let brought = run.iter().filter(|word| !definitions.contains(word));
    let kept: Vec<_> = [DEFINITIONS.to_owned()]
        .into_iter()
        .chain(brought.map(|word| format!("{BROUGHT}{word}")))
        .collect();
    words.splice(range, kept);
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Compile,
    Link,
}

/// Puts in the places of files. Refuses a command in which one of them is missing, or which speaks of
/// the test project in any other way.
fn files(words: Vec<String>, step: Step, ask: &Ask, call: &Call) -> Result<Recipe, Refusal> {
    // With several configurations, below the name of one.
    static A_OBJECT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^CMakeFiles/cmTC_[0-9a-f]+\.dir/([A-Za-z0-9_]+/)?[^/]+$").expect("valid")
    });
    static A_PROGRAM: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^([A-Za-z0-9_]+/)?cmTC_[0-9a-f]+(\.[a-z0-9]+)?$").expect("valid")
    });
    static A_SOURCE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"/CMakeFiles/CMakeScratch/TryCompile-[^/]+/[^/]+$").expect("valid")
    });
    static IN_PROJECT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("^-I.*/CMakeFiles/CMakeScratch/TryCompile-[^/]+/").expect("valid")
    });
    static FOREIGN: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"cmTC_|CMakeScratch|TRYALL_|^@").expect("valid"));
    let path = match &call.source {
        Given::Path(path) => Some(path.as_str()),
        Given::Text { .. } | Given::Copy { .. } => None,
    };
    let temporary = format!("{}/CMakeFiles/CMakeTmp", ask.variable("CMAKE_BINARY_DIR"));
    let name_in_temporary = path.and_then(|path| {
        path.strip_prefix(&temporary)?.strip_prefix('/').filter(|it| !it.contains('/'))
    });
    let mut places = Vec::new();
    let mut recipe = Vec::with_capacity(words.len());
    let mut has_compile_only = false;
    for word in words {
        // A relative directory of headers: CMake puts that of the test project before it.
        let word = IN_PROJECT.replace(&word, "-I").into_owned();
        let is_source = step == Step::Compile
            && (path == Some(&word)
                || path.is_none() && A_SOURCE.is_match(&word)
                // Relative to the directory of the test project, which is that of the source.
                || name_in_temporary == Some(&word));
        let place = if A_OBJECT.is_match(&word) {
            Some(OBJECT)
        } else if step == Step::Link && A_PROGRAM.is_match(&word) {
            Some(PROGRAM)
        } else if is_source {
            Some(SOURCE)
        } else {
            None
        };
        if let Some(place) = place {
            places.push(place);
            recipe.push(place.to_owned());
        } else if step == Step::Compile && (word == "-c" || word == "-E") {
            // Ninja has Fortran preprocessed by a command of its own.
            has_compile_only = true;
            recipe.push("-c".to_owned());
        } else if FOREIGN.is_match(&word) || !is_insertable(&word) && !is_place(&word) {
            return Err(Refusal::Commands);
        } else {
            recipe.push(word);
        }
    }
    places.sort_unstable();
    let is_complete = match step {
        Step::Compile => places == [OBJECT, SOURCE] && has_compile_only,
        Step::Link => places == [OBJECT, PROGRAM],
    };
    is_complete.then_some(recipe).ok_or(Refusal::Commands)
}

/// Whether a word is one of our own places.
fn is_place(word: &str) -> bool {
    PLACES.contains(&word) || word.starts_with(BROUGHT)
}
