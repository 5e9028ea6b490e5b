//! Recipes: the compile and link commands that CMake uses in given surroundings.
//!
//! Dozens of variables and policies decide about them, so they are not computed. CMake itself answers
//! the first call in each surroundings, with three options added that change nothing and stand where
//! a call's own options stand. They are found again in the verbose output:
//!
//! | | |
//! | --- | --- |
//! | `-DTRYALL_DEFINITION` | among the definitions, which CMake sorts |
//! | `-UTRYALL_OPTION` | where `COMPILE_DEFINITIONS` that do not start with `-D` go |
//! | `-DTRYALL_FLAG` | behind `CMAKE_<LANG>_FLAGS`, in both commands |
//!
//! Later calls use both commands with their own options in these places. A command with anything
//! unexpected gives no recipe.

use std::sync::LazyLock;

use regex_lite::Regex;

use super::ask::Ask;
use super::call::{Call, Given, Refusal};
use super::surroundings::{Insertions, named};
use super::words;

const DEFINITION: &str = "-DTRYALL_DEFINITION";
const OPTION: &str = "-UTRYALL_OPTION";
const FLAG: &str = "-DTRYALL_FLAG";

/// Stands for the definitions of a call.
pub(super) const DEFINITIONS: &str = "{definitions}";
/// Starts a definition that a target brings.
const BROUGHT: &str = "{definition}";
/// Stands for its other options.
const OPTIONS: &str = "{options}";
/// Stands for its flags.
const FLAGS: &str = "{flags}";
/// Stands for libraries that follow one another, each given by its name.
pub(super) const LIBRARIES: &str = "{libraries}";
/// Stand for files, as in the engine's templates.
const SOURCE: &str = "{source}";
const OBJECT: &str = "{object}";
const PROGRAM: &str = "{program}";

/// A command with places.
pub(super) type Recipe = Vec<String>;

/// Whether a word of a call cannot be taken for a place.
pub(super) fn is_insertable(word: &str) -> bool {
    ![SOURCE, OBJECT, PROGRAM, LIBRARIES, DEFINITIONS, OPTIONS, FLAGS, "{args}", "{link_args}"]
        .iter()
        .any(|place| word.contains(place))
}

/// The arguments of a call with the marks.
pub(super) fn marked(args: &[String], call: &Call) -> Vec<String> {
    let mut marked = Vec::with_capacity(args.len() + 8);
    let mut has_definitions = false;
    let mut has_flags = false;
    let definition = "-DCOMPILE_DEFINITIONS:STRING=";
    let gives_flags = call
        .cmake_flags
        .iter()
        .any(|flag| named(flag).is_some_and(|it| it.0 == "COMPILE_DEFINITIONS"));
    for arg in args {
        if gives_flags && named(arg).is_some_and(|it| it.0 == "COMPILE_DEFINITIONS") {
            marked.push(format!("{arg} {FLAG}"));
            continue;
        }
        marked.push(arg.clone());
        if arg == "COMPILE_DEFINITIONS" {
            has_definitions = true;
            marked.extend([DEFINITION.into(), OPTION.into()]);
        } else if arg == "CMAKE_FLAGS" {
            has_flags = true;
            if !gives_flags {
                marked.push(format!("{definition}{FLAG}"));
            }
        }
    }
    if !has_definitions {
        marked.extend(["COMPILE_DEFINITIONS".into(), DEFINITION.into(), OPTION.into()]);
    }
    if !has_flags {
        marked.extend(["CMAKE_FLAGS".into(), format!("{definition}{FLAG}")]);
    }
    marked
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
    put(&mut words, OPTIONS, OPTION, &options, insertions)?;
    put(&mut words, FLAGS, FLAG, &flags(insertions), insertions)?;
    let mut definitions = insertions.definitions.clone();
    definitions.push(DEFINITION.into());
    definitions.sort_unstable();
    definitions.dedup();
    if ask.targets.is_empty() {
        put(&mut words, DEFINITIONS, DEFINITION, &definitions, insertions)?;
    } else {
        put_with_brought(&mut words, &definitions, insertions)?;
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
    static LINK: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(" -o cmTC_[0-9a-f]+").expect("valid"));
    // The compiler may show the linker's own command.
    let is_link = |line: &&str| LINK.is_match(line) && line.contains(FLAG);
    let Some(line) = output.lines().find(is_link) else { return Ok(None) };
    let mut words = command(line)?;
    put(&mut words, FLAGS, FLAG, &flags(insertions), insertions)?;
    for run in &insertions.libraries {
        let options = library_options(run);
        // Only what stands there once is known to stand there for the call.
        let count = words.iter().filter(|word| options.contains(word)).count();
        let at = words.windows(options.len()).position(|window| window == options);
        let at = at.filter(|_| count == options.len()).ok_or(Refusal::Commands)?;
        words.splice(at..at + options.len(), [LIBRARIES.to_owned()]);
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

fn library_options(names: &[String]) -> Vec<String> {
    names.iter().map(|name| format!("-l{name}")).collect()
}

/// A recipe with what a call inserts, as a command of the engine.
pub(super) fn filled(recipe: &Recipe, insertions: &Insertions) -> Vec<String> {
    let mut words = Vec::with_capacity(recipe.len() + insertions.flags.len());
    let mut libraries = insertions.libraries.iter();
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
            LIBRARIES => {
                words.extend(libraries.next().into_iter().flat_map(|it| library_options(it)));
            }
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
/// call has no places.
fn put(
    words: &mut Vec<String>,
    place: &str,
    mark: &str,
    sequence: &[String],
    insertions: &Insertions,
) -> Result<(), Refusal> {
    let at = words.iter().position(|word| word == mark).ok_or(Refusal::Commands)?;
    if !insertions.has_places {
        words.remove(at);
        return Ok(());
    }
    let offset = sequence.iter().position(|word| word == mark).expect("the mark is in it");
    let start = at.checked_sub(offset).ok_or(Refusal::Commands)?;
    let range = start..start + sequence.len();
    if words.get(range.clone()) != Some(sequence) {
        return Err(Refusal::Commands);
    }
    words.splice(range, [place.to_owned()]);
    Ok(())
}

/// The same for definitions, which CMake sorts, together with those that targets bring. These stay
/// behind the place, to be sorted in again.
fn put_with_brought(
    words: &mut Vec<String>,
    definitions: &[String],
    insertions: &Insertions,
) -> Result<(), Refusal> {
    let at = words.iter().position(|word| word == DEFINITION).ok_or(Refusal::Commands)?;
    if !insertions.has_places {
        words.remove(at);
        return Ok(());
    }
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
    static A_OBJECT: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^CMakeFiles/cmTC_[0-9a-f]+\.dir/[^/]+$").expect("valid"));
    static A_PROGRAM: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^cmTC_[0-9a-f]+(\.[a-z0-9]+)?$").expect("valid"));
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
    [DEFINITIONS, OPTIONS, FLAGS, LIBRARIES].contains(&word) || word.starts_with(BROUGHT)
}
