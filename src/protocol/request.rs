//! The request: the types of the protocol as they stand on the wire.
//!
//! These types say what a request may hold, and the JSON Schema is made from them. Whether the
//! fields make sense together is judged by [`crate::plan`].

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kind::{self, Kind};
use super::parse;

use crate::compiler::language::Language;

/// The version of the protocol that this program speaks.
pub(crate) const VERSION: u32 = 1;

/// A batch of checks.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The version of the protocol.
    #[serde(default = "version")]
    #[schemars(schema_with = "version_schema")]
    pub version: u32,
    /// How many checks may run at once; `--jobs` goes before it.
    pub jobs: Option<NonZeroUsize>,
    /// Seconds that each check may take; `--timeout` goes before it. 60 if nothing is said.
    pub timeout: Option<Seconds>,
    /// Compilers by name. A toolchain with a language's name serves every check in it.
    #[serde(default, deserialize_with = "parse::unique_objects")]
    pub toolchains: BTreeMap<String, Toolchain>,
    /// A directory, made if it is missing, in which links that have worked are kept, for the next
    /// requests of the same caller: the same command over the same object file is then not run
    /// again. Relative to the request file. Of toolchains with `link` only, and of commands that
    /// name no other files.
    pub known_links: Option<String>,
    /// What to ask.
    #[serde(deserialize_with = "parse::objects")]
    pub checks: Vec<Check>,
}

impl Request {
    /// The toolchain that a check names, or else the one of its language, which may be named by any
    /// spelling of it.
    pub fn toolchain_of(&self, check: &Check) -> Option<(&String, &Toolchain)> {
        match &check.toolchain {
            Some(name) => self.toolchains.get_key_value(name),
            None => {
                let language = check.language.unwrap_or_default();
                let mut all = self.toolchains.iter();
                all.find(|(name, _)| Language::from_name(name) == Some(language))
            }
        }
    }
}

fn version() -> u32 {
    VERSION
}

fn version_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"description": "The version of the protocol.", "const": VERSION})
}

/// A positive number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Seconds(f64);

impl Seconds {
    /// A year: what is longer cannot be meant.
    const MOST: f64 = 366.0 * 24.0 * 3600.0;

    /// `None` unless positive and at most a year.
    pub fn new(seconds: f64) -> Option<Self> {
        (seconds > 0.0 && seconds <= Self::MOST).then_some(Self(seconds))
    }

    /// As a duration.
    pub fn duration(self) -> std::time::Duration {
        std::time::Duration::from_secs_f64(self.0)
    }
}

impl std::str::FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.parse().ok();
        number.and_then(Seconds::new).ok_or_else(|| "not a positive number of seconds".into())
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        Seconds::new(number).ok_or_else(|| {
            serde::de::Error::custom(format!("{number} is not a positive number of seconds"))
        })
    }
}

impl JsonSchema for Seconds {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Seconds".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "number", "exclusiveMinimum": 0, "maximum": Seconds::MOST})
    }
}

/// A compiler and what is always given to it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Toolchain {
    /// The language; else the one that the toolchain is named after, else `c`.
    pub language: Option<Language>,
    /// The compiler as an argument vector. Without it the environment's compiler with the
    /// environment's flags is meant, and the other fields are added to it.
    pub command: Option<Vec<String>>,
    /// Arguments of every compile.
    pub args: Vec<String>,
    /// Arguments of every link, at the end of the command line.
    pub link_args: Vec<String>,
    /// Environment variables, for the compiler and for programs that are run.
    #[serde(deserialize_with = "parse::unique_map")]
    pub env: BTreeMap<String, String>,
    /// Arguments of the empty program only, which is tried before: for checks that are composed
    /// with all of their arguments. Requests have no such field.
    #[serde(skip)]
    pub trial_args: Vec<String>,
    /// The same behind the source, where it is linked.
    #[serde(skip)]
    pub trial_link_args: Vec<String>,
    /// What runs a program of this toolchain, such as `["qemu-aarch64"]`.
    pub emulator: Vec<String>,
    /// What starts the compiler, such as `["ccache"]` or `["distcc"]`.
    pub launcher: Vec<String>,
    /// The command from the source to the object file, in full and in place of `command`, `args`,
    /// `link_args` and `launcher`, for the kinds `compiles`, `links` and `runs`. `{source}` and
    /// `{object}` stand for files, also within a word; the words `{definitions}` and `{args}` for
    /// those of the check. Every other word stays as it is, and nothing but `env` and `TMPDIR` is
    /// set. No empty program is tried before: whoever gives such a command vouches that it works.
    pub compile: Option<Vec<String>>,
    /// The command from the object file to the program, in the same way: with `{object}`,
    /// `{program}` and the word `{link_args}`. `compiles` needs none.
    pub link: Option<Vec<String>>,
}

/// One check. Which of the fields after `timeout` it has depends on its kind.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = kind::require_fields_of_kinds)]
pub struct Check {
    /// The name of the answer: unique, not empty.
    #[schemars(length(min = 1))]
    pub id: String,
    /// What is asked.
    pub kind: Kind,
    /// The toolchain, by its name in `toolchains`.
    pub toolchain: Option<String>,
    /// The language, whose toolchain is then used.
    pub language: Option<Language>,
    /// Headers that are included first, in order; in Fortran, files for `include` lines.
    #[serde(default)]
    pub headers: Vec<String>,
    /// Source text after the headers.
    #[serde(default)]
    pub prefix: String,
    /// Compiler arguments, after the toolchain's.
    #[serde(default)]
    pub args: Vec<String>,
    /// Linker arguments, after the source and before the toolchain's.
    #[serde(default)]
    pub link_args: Vec<String>,
    /// Directories for `-I`, before the check's `args`.
    #[serde(default)]
    pub include_dirs: Vec<String>,
    /// Regular expressions over the compiler's whole output (and that of a program that was
    /// run) that turn a success into `no`.
    #[serde(default)]
    pub fail_patterns: Vec<String>,
    /// Ids of checks that must answer yes, else this one is skipped.
    #[serde(default)]
    pub needs: Vec<String>,
    /// The id of a check to which this one is a second chance: it is asked only if that one answers
    /// no. Requests have no such field: whoever composes checks reads both answers together.
    #[serde(skip)]
    pub alternative_to: Option<String>,
    /// Whether any other answer than yes makes the exit status 1.
    #[serde(default)]
    pub required: bool,
    /// Seconds that this check may take.
    pub timeout: Option<Seconds>,

    /// The header, without brackets.
    pub header: Option<String>,
    /// How far a header is tried.
    pub stage: Option<HeaderStage>,
    /// A macro, function or variable.
    pub symbol: Option<String>,
    /// A function's name.
    pub function: Option<String>,
    /// A library's name as after `-l`, or a path with a slash.
    pub library: Option<String>,
    /// A type.
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    /// A member of `type`, such as `st_mtim.tv_nsec`.
    pub member: Option<String>,
    /// An integer constant expression.
    pub expression: Option<String>,
    /// A macro's name.
    pub name: Option<String>,
    /// A prototype's return type.
    pub return_type: Option<String>,
    /// A prototype's argument types; none means `void`.
    pub arguments: Option<Vec<String>>,
    /// The flags in question.
    pub flags: Option<Vec<String>>,
    /// The source text.
    pub source: Option<String>,
    /// A source file, in place of `source`; relative to the request file.
    pub file: Option<String>,
    /// The file name extension that `source` is given, such as `F` for fixed-form Fortran.
    pub extension: Option<String>,
    /// Arguments of the program that is run.
    pub run_args: Option<Vec<String>>,
    /// Words such as `-DX=1` for the place that the toolchain's `compile` has for them.
    pub definitions: Option<Vec<String>>,
    /// Where the program, or the object file of `compiles`, is copied when the answer is yes;
    /// relative to the request file.
    pub product: Option<String>,
    /// Whether the `product` is wanted for the data in it only, so that the object file will do
    /// where the link is known to work.
    pub product_is_data: Option<bool>,
    /// What the check is about, an identifier or `(sizeof(...))`: all in which its source or its
    /// definitions differ from those of its siblings.
    pub word: Option<String>,
    /// All names that a source with a `word` declares. With these changed and the headers before
    /// it, several such sources may stand in one file without seeing each other.
    pub own_names: Option<Vec<String>>,
    /// Whether the program's standard error goes into `stdout` of the value, as it is written.
    pub merge_output: Option<bool>,
    /// Where the program runs, if not in the check's own directory; relative to the request file.
    /// Programs with a `run_dir` run one at a time.
    pub run_dir: Option<String>,
}

/// How far a header is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HeaderStage {
    /// The header must compile.
    #[default]
    Compile,
    /// The header must be there.
    Preprocess,
}

impl<'de> Deserialize<'de> for HeaderStage {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match &*std::borrow::Cow::<str>::deserialize(deserializer)? {
            "compile" => Ok(HeaderStage::Compile),
            "preprocess" => Ok(HeaderStage::Preprocess),
            other => Err(serde::de::Error::custom(format!(
                "unknown stage {other:?}; known are compile, preprocess"
            ))),
        }
    }
}

impl Check {
    /// A check with nothing but its id and kind.
    pub fn new(id: String, kind: Kind) -> Self {
        Check {
            id,
            kind,
            toolchain: None,
            language: None,
            headers: Vec::new(),
            prefix: String::new(),
            args: Vec::new(),
            link_args: Vec::new(),
            include_dirs: Vec::new(),
            fail_patterns: Vec::new(),
            needs: Vec::new(),
            alternative_to: None,
            required: false,
            timeout: None,
            header: None,
            stage: None,
            symbol: None,
            function: None,
            library: None,
            type_name: None,
            member: None,
            expression: None,
            name: None,
            return_type: None,
            arguments: None,
            flags: None,
            source: None,
            file: None,
            extension: None,
            run_args: None,
            definitions: None,
            product: None,
            product_is_data: None,
            word: None,
            own_names: None,
            merge_output: None,
            run_dir: None,
        }
    }

    /// The own fields that were given, by their names.
    pub fn own_fields(&self) -> impl Iterator<Item = &'static str> {
        let given = [
            self.header.is_some(),
            self.stage.is_some(),
            self.symbol.is_some(),
            self.function.is_some(),
            self.library.is_some(),
            self.type_name.is_some(),
            self.member.is_some(),
            self.expression.is_some(),
            self.name.is_some(),
            self.return_type.is_some(),
            self.arguments.is_some(),
            self.flags.is_some(),
            self.source.is_some(),
            self.file.is_some(),
            self.run_args.is_some(),
            self.extension.is_some(),
            self.definitions.is_some(),
            self.product.is_some(),
            self.product_is_data.is_some(),
            self.word.is_some(),
            self.own_names.is_some(),
            self.merge_output.is_some(),
            self.run_dir.is_some(),
        ];
        std::iter::zip(kind::OWN_FIELDS, given).filter_map(|(name, given)| given.then_some(name))
    }
}
