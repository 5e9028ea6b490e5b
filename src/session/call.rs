//! A call of `try_compile` or `try_run`, as CMake reads its arguments.
//!
//! The signatures are those of CMake 3.20 to 4.4 (`cmCoreTryCompile.cxx`). What is not certainly
//! read alike is refused, and so left to CMake with its errors and warnings.

use super::ask::{Ask, Command};
use super::refusal::Refusal;

/// A call with one source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Call {
    /// The variable for whether it compiled.
    pub result: String,
    /// The variable for how the program ended, of `try_run`.
    pub run_result: Option<String>,
    /// The source.
    pub source: Given,
    /// The directory of the oldest signature.
    pub binary_dir: Option<String>,
    /// `CMAKE_FLAGS`.
    pub cmake_flags: Vec<String>,
    /// `COMPILE_DEFINITIONS`.
    pub definitions: Vec<String>,
    /// `LINK_OPTIONS`.
    pub link_options: Vec<String>,
    /// `LINK_LIBRARIES`; not even empty if the keyword is missing.
    pub link_libraries: Option<Vec<String>>,
    /// Values that stand on their own: the language's standard and the like, by keyword.
    pub properties: Vec<(String, String)>,
    /// `COPY_FILE`.
    pub copy_file: Option<String>,
    /// The variables for outputs, by keyword.
    pub outputs: Vec<(&'static str, String)>,
    /// `NO_CACHE`.
    pub no_cache: bool,
    /// `NO_LOG`.
    pub no_log: bool,
    /// `WORKING_DIRECTORY`.
    pub working_directory: Option<String>,
    /// `ARGS`.
    pub run_args: Vec<String>,
}

/// How a source is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Given {
    /// The path of a file.
    Path(String),
    /// A text and the name of the file that it is to be written to.
    Text { name: String, text: String },
    /// A file that is to be copied, and the name of the copy.
    Copy { name: String, from: String },
}

impl Given {
    /// The path, or the name that CMake is to give to it.
    pub(super) fn name(&self) -> &str {
        match self {
            Given::Path(name) | Given::Text { name, .. } | Given::Copy { name, .. } => name,
        }
    }
}

/// A path without `//`, `.` and `..`, as CMake names it, whatever is a link.
pub(super) fn collapsed(path: &str) -> String {
    if !path.starts_with('/') {
        return path.to_owned();
    }
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => (),
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

impl Default for Given {
    fn default() -> Self {
        Given::Path(String::new())
    }
}

/// A version of CMake.
pub(super) type Version = (u32, u32);

/// What a keyword takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    One,
    Many,
}

/// The keywords, what each takes, and the first version with it.
const KEYWORDS: &[(&str, Takes, Version)] = &[
    ("ARGS", Takes::Many, (3, 0)),
    ("CMAKE_FLAGS", Takes::Many, (3, 0)),
    ("COMPILE_DEFINITIONS", Takes::Many, (3, 0)),
    ("COMPILE_OUTPUT_VARIABLE", Takes::One, (3, 0)),
    ("COPY_FILE", Takes::One, (3, 0)),
    ("COPY_FILE_ERROR", Takes::One, (3, 0)),
    ("CUDA_EXTENSIONS", Takes::One, (3, 8)),
    ("CUDA_STANDARD", Takes::One, (3, 8)),
    ("CUDA_STANDARD_REQUIRED", Takes::One, (3, 8)),
    ("CXX_EXTENSIONS", Takes::One, (3, 8)),
    ("CXX_STANDARD", Takes::One, (3, 8)),
    ("CXX_STANDARD_REQUIRED", Takes::One, (3, 8)),
    ("C_EXTENSIONS", Takes::One, (3, 8)),
    ("C_STANDARD", Takes::One, (3, 8)),
    ("C_STANDARD_REQUIRED", Takes::One, (3, 8)),
    ("HIP_EXTENSIONS", Takes::One, (3, 21)),
    ("HIP_STANDARD", Takes::One, (3, 21)),
    ("HIP_STANDARD_REQUIRED", Takes::One, (3, 21)),
    ("LINKER_LANGUAGE", Takes::One, (3, 29)),
    ("LINK_LIBRARIES", Takes::Many, (3, 0)),
    ("LINK_OPTIONS", Takes::Many, (3, 14)),
    ("LOG_DESCRIPTION", Takes::One, (3, 26)),
    ("NO_CACHE", Takes::Nothing, (3, 25)),
    ("NO_LOG", Takes::Nothing, (3, 26)),
    ("OBJCXX_EXTENSIONS", Takes::One, (3, 17)),
    ("OBJCXX_STANDARD", Takes::One, (3, 17)),
    ("OBJCXX_STANDARD_REQUIRED", Takes::One, (3, 17)),
    ("OBJC_EXTENSIONS", Takes::One, (3, 17)),
    ("OBJC_STANDARD", Takes::One, (3, 17)),
    ("OBJC_STANDARD_REQUIRED", Takes::One, (3, 17)),
    ("OUTPUT_VARIABLE", Takes::One, (3, 0)),
    ("RUN_OUTPUT_STDERR_VARIABLE", Takes::One, (3, 25)),
    ("RUN_OUTPUT_STDOUT_VARIABLE", Takes::One, (3, 25)),
    ("RUN_OUTPUT_VARIABLE", Takes::One, (3, 0)),
    ("SOURCES", Takes::Many, (3, 2)),
    ("SOURCES_TYPE", Takes::One, (3, 28)),
    ("SOURCE_FROM_CONTENT", Takes::Many, (3, 25)),
    ("SOURCE_FROM_FILE", Takes::Many, (3, 25)),
    ("SOURCE_FROM_VAR", Takes::Many, (3, 25)),
    ("WORKING_DIRECTORY", Takes::One, (3, 20)),
    ("__CMAKE_INTERNAL", Takes::One, (3, 20)),
];

/// Whether a word is a keyword of any version.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|(keyword, ..)| *keyword == word)
}

/// The keywords that only `try_run` has.
const OF_TRY_RUN: &[&str] = &[
    "ARGS",
    "COMPILE_OUTPUT_VARIABLE",
    "RUN_OUTPUT_STDERR_VARIABLE",
    "RUN_OUTPUT_STDOUT_VARIABLE",
    "RUN_OUTPUT_VARIABLE",
    "WORKING_DIRECTORY",
];

/// The first version with signatures that name no directory.
const WITHOUT_DIRECTORY: Version = (3, 25);

/// A keyword with the arguments after it.
type Group<'a> = (&'static str, Takes, Vec<&'a str>);

impl Call {
    /// Reads the arguments as this version of CMake does.
    pub(super) fn read(ask: &Ask, version: Version) -> Result<Call, Refusal> {
        let is_run = ask.command == Command::TryRun;
        let mut args = ask.args.iter().map(String::as_str);
        let mut call = Call::default();
        if is_run {
            call.run_result = Some(args.next().ok_or(Refusal::Arguments)?.into());
        }
        call.result = args.next().ok_or(Refusal::Arguments)?.into();
        let args: Vec<_> = args.collect();
        if args.first() == Some(&"PROJECT") {
            return Err(Refusal::Project);
        }
        let (positional, groups) = groups(&args, is_run, version)?;
        let is_new = args.first().is_some_and(|first| first.starts_with("SOURCE"));
        let mut sources = Vec::new();
        match (is_new, &positional[..]) {
            (true, []) if version >= WITHOUT_DIRECTORY => (),
            (false, [dir]) => call.binary_dir = Some((*dir).into()),
            (false, [dir, file]) => {
                call.binary_dir = Some((*dir).into());
                sources.push(Given::Path(collapsed(file)));
            }
            (false, [_, _, _, ..]) => return Err(Refusal::Project),
            _ => return Err(Refusal::Arguments),
        }
        for (keyword, _, values) in groups {
            call.take(keyword, &values, &mut sources, ask)?;
        }
        if call.binary_dir.as_ref().is_some_and(|dir| !dir.starts_with('/')) {
            return Err(Refusal::Arguments);
        }
        let [source] = <[Given; 1]>::try_from(sources).map_err(|_| Refusal::Sources)?;
        // CMake does not write these as it should.
        if source.name().contains(['"', '\\']) {
            return Err(Refusal::Arguments);
        }
        call.source = source;
        call.is_consistent().then_some(call).ok_or(Refusal::Arguments)
    }

    fn take(
        &mut self,
        keyword: &'static str,
        values: &[&str],
        sources: &mut Vec<Given>,
        ask: &Ask,
    ) -> Result<(), Refusal> {
        let all = || values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
        let one = || values.first().map(|value| (*value).to_owned()).unwrap_or_default();
        match keyword {
            "__CMAKE_INTERNAL" if ask.is_detection() => (),
            "__CMAKE_INTERNAL" => return Err(Refusal::Internal),
            "ARGS" => self.run_args = all(),
            "CMAKE_FLAGS" => self.cmake_flags = all(),
            "COMPILE_DEFINITIONS" => self.definitions = all(),
            "LINK_OPTIONS" => self.link_options = all(),
            "LINK_LIBRARIES" => self.link_libraries = Some(all()),
            "NO_CACHE" => self.no_cache = true,
            "NO_LOG" => self.no_log = true,
            "LOG_DESCRIPTION" => (),
            "COPY_FILE" => self.copy_file = Some(one()),
            "WORKING_DIRECTORY" => self.working_directory = Some(one()),
            "SOURCES" => {
                sources.extend(values.iter().map(|path| Given::Path(collapsed(path))));
            }
            "SOURCES_TYPE" if values == ["NORMAL"] => (),
            "SOURCES_TYPE" => return Err(Refusal::Arguments),
            "SOURCE_FROM_CONTENT" | "SOURCE_FROM_FILE" | "SOURCE_FROM_VAR" => {
                let [name, value] = values else { return Err(Refusal::Sources) };
                if name.is_empty() || name.contains(['/', '\\']) {
                    return Err(Refusal::Arguments);
                }
                let (name, value) = ((*name).to_owned(), (*value).to_owned());
                sources.push(match keyword {
                    "SOURCE_FROM_CONTENT" => Given::Text { name, text: value },
                    "SOURCE_FROM_FILE" => Given::Copy { name, from: value },
                    _ => {
                        let text = ask.contents.get(&value).ok_or(Refusal::Sources)?.clone();
                        Given::Text { name, text }
                    }
                });
            }
            _ if keyword.ends_with("_VARIABLE") || keyword == "COPY_FILE_ERROR" => {
                self.outputs.push((keyword, one()));
            }
            _ => self.properties.push((keyword.to_owned(), one())),
        }
        Ok(())
    }

    /// The variable for an output.
    pub(super) fn output(&self, keyword: &str) -> Option<&str> {
        let found = self.outputs.iter().find(|(name, _)| *name == keyword);
        found.map(|(_, variable)| variable.as_str())
    }

    /// Whether CMake would not complain of the arguments together.
    fn is_consistent(&self) -> bool {
        let has = |keyword| self.output(keyword).is_some();
        let has_run_output = has("RUN_OUTPUT_VARIABLE");
        let has_parts = has("RUN_OUTPUT_STDOUT_VARIABLE") || has("RUN_OUTPUT_STDERR_VARIABLE");
        let has_any = has("COMPILE_OUTPUT_VARIABLE") || has_run_output || has_parts;
        let is_doubled = has("OUTPUT_VARIABLE") && has_any || has_run_output && has_parts;
        let copies_well = match self.copy_file.as_deref() {
            Some(path) => !path.is_empty(),
            None => !has("COPY_FILE_ERROR"),
        };
        copies_well
            && !is_doubled
            && self.outputs.iter().all(|(_, variable)| !variable.is_empty())
            // What a list makes of them differs between versions.
            && self.definitions.iter().all(|definition| !definition.contains(';'))
    }
}

/// Keywords that CMake takes without a value; others are an error then.
const MAY_BE_EMPTY: [&str; 5] =
    ["ARGS", "CMAKE_FLAGS", "COMPILE_DEFINITIONS", "LINK_LIBRARIES", "LINK_OPTIONS"];

/// The arguments before the first keyword, and those of each keyword.
fn groups<'a>(
    args: &[&'a str],
    is_run: bool,
    version: Version,
) -> Result<(Vec<&'a str>, Vec<Group<'a>>), Refusal> {
    let mut positional = Vec::new();
    let mut groups: Vec<Group<'a>> = Vec::new();
    for arg in args {
        let keyword = KEYWORDS.iter().find(|(name, ..)| name == arg);
        let keyword = keyword.filter(|(name, ..)| is_run || !OF_TRY_RUN.contains(name));
        if let Some((name, takes, since)) = keyword {
            if *since > version || groups.iter().any(|(other, ..)| other == name) {
                return Err(Refusal::Arguments);
            }
            groups.push((name, *takes, Vec::new()));
            continue;
        }
        match groups.last_mut() {
            None => positional.push(*arg),
            Some((_, Takes::One, values)) if values.is_empty() => values.push(arg),
            Some((_, Takes::Many, values)) => values.push(arg),
            Some(_) => return Err(Refusal::Arguments),
        }
    }
    let is_complete = |(name, takes, values): &Group<'_>| match takes {
        Takes::Nothing => true,
        Takes::One => values.len() == 1,
        Takes::Many => !values.is_empty() || MAY_BE_EMPTY.contains(name),
    };
    let is_complete = groups.iter().all(is_complete);
    is_complete.then_some((positional, groups)).ok_or(Refusal::Arguments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::ask::SEPARATOR;

    fn read(version: Version, command: &str, words: &str) -> Result<Call, Refusal> {
        let args: Vec<_> = words.split_whitespace().collect();
        let mut text = format!("1{SEPARATOR}{command}{SEPARATOR}{}{SEPARATOR}", args.len());
        args.iter().for_each(|arg| text.push_str(&format!("{arg}{SEPARATOR}")));
        text.push_str(&format!("Ctext=int x;{SEPARATOR}.{SEPARATOR}"));
        Call::read(&Ask::parse(&text).unwrap(), version)
    }

    #[test]
    fn the_signatures_of_all_versions() {
        let old = read((3, 20), "try_compile", "A /b /b/a.c OUTPUT_VARIABLE O").unwrap();
        assert_eq!((old.result.as_str(), old.output("OUTPUT_VARIABLE")), ("A", Some("O")));
        assert_eq!(old.source, Given::Path("/b/a.c".into()));
        let listed = read((3, 20), "try_compile", "A /b SOURCES /b/a.c COPY_FILE c").unwrap();
        assert_eq!((listed.source, listed.copy_file), (old.source, Some("c".into())));
        let new =
            read((4, 4), "try_run", "R A SOURCE_FROM_VAR a.c text ARGS x y NO_CACHE").unwrap();
        assert_eq!(new.source, Given::Text { name: "a.c".into(), text: "int x;".into() });
        assert_eq!((new.run_result.as_deref(), new.run_args.len()), (Some("R"), 2));
        assert!(new.no_cache && new.binary_dir.is_none());
    }

    #[test]
    fn paths_are_named_as_cmake_names_them() {
        let call = read((4, 4), "try_compile", "A /b /s//a/./../b/c.c").unwrap();
        assert_eq!(call.source, Given::Path("/s/b/c.c".into()));
        for words in ["A /b /s/a\"b.c", "A /b SOURCES /s/a\\b.c"] {
            assert_eq!(read((4, 4), "try_compile", words).unwrap_err(), Refusal::Arguments);
        }
    }

    #[test]
    fn what_follows_a_list_is_a_keyword_of_any_version() {
        let words = "R A SOURCES a.c LINK_LIBRARIES m WORKING_DIRECTORY w CUDA_STANDARD 17";
        let call = read((3, 28), "try_run", words).unwrap();
        assert_eq!(call.link_libraries, Some(vec!["m".into()]));
        assert_eq!(call.working_directory.as_deref(), Some("w"));
        assert_eq!(call.properties, [("CUDA_STANDARD".into(), "17".into())]);
    }

    #[test]
    fn what_cmake_reads_otherwise_is_left_to_it() {
        for (version, command, words, why) in [
            ((3, 24), "try_compile", "A SOURCE_FROM_VAR a.c text", Refusal::Arguments),
            ((3, 28), "try_compile", "A SOURCES a.c LINKER_LANGUAGE C", Refusal::Arguments),
            ((4, 4), "try_compile", "A SOURCES a.c b.c", Refusal::Sources),
            ((4, 4), "try_compile", "A SOURCES a.c SOURCE_FROM_VAR b.c text", Refusal::Sources),
            ((4, 4), "try_compile", "A SOURCE_FROM_VAR b.c unknown", Refusal::Sources),
            ((4, 4), "try_compile", "A b SOURCES /a.c", Refusal::Arguments),
            ((4, 4), "try_compile", "A PROJECT p SOURCE_DIR s", Refusal::Project),
            ((4, 4), "try_compile", "A /b /s project target", Refusal::Project),
            ((4, 4), "try_compile", "A SOURCES a.c NO_LOG x", Refusal::Arguments),
            ((4, 4), "try_compile", "A SOURCES a.c OUTPUT_VARIABLE", Refusal::Arguments),
            ((4, 4), "try_compile", "A SOURCES a.c COPY_FILE_ERROR e", Refusal::Arguments),
            ((4, 4), "try_compile", "A SOURCES a.c COMPILE_DEFINITIONS a;b", Refusal::Arguments),
            ((4, 4), "try_compile", "A SOURCES", Refusal::Arguments),
            ((4, 4), "try_compile", "A SOURCES a.c __CMAKE_INTERNAL ABI", Refusal::Internal),
            ((4, 4), "try_compile", "A", Refusal::Arguments),
        ] {
            assert_eq!(read(version, command, words).unwrap_err(), why, "{words}");
        }
    }
}
