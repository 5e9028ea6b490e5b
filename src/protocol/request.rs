//! The request: its types as they are deserialized.
//!
//! These types define the form of a request, and the JSON Schema is generated from them.
//! [`crate::plan`] validates whether the fields make sense together.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kind::{self, Kind};
use super::location::BadRequest;
use super::parse;

use crate::protocol::language::Language;

/// The version of the protocol that this program supports.
pub(crate) const VERSION: u32 = 1;

/// A batch of checks.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The version of the protocol.
    #[serde(default = "version")]
    #[schemars(schema_with = "version_schema")]
    pub version: u32,
    /// How many commands may run at once. `--jobs` overrides it.
    pub jobs: Option<NonZeroUsize>,
    /// The time limit of each check in seconds, by default 60. `--timeout` overrides it.
    pub timeout: Option<Seconds>,
    /// Compilers by name. A toolchain named after a language serves every check in that language.
    #[serde(default, deserialize_with = "parse::unique_objects")]
    pub toolchains: BTreeMap<String, Toolchain>,
    /// The checks.
    #[serde(deserialize_with = "parse::objects")]
    pub checks: Vec<Check>,
}

impl Request {
    /// Parses a request. An error names the place and the remedy.
    pub fn from_json(text: &[u8]) -> Result<Self, BadRequest> {
        Ok(parse::parse(text)?.0)
    }

    /// The toolchain that a check names, or else that of its language, which any spelling of the
    /// language may name.
    pub(crate) fn toolchain_of(&self, check: &Check) -> Option<(&String, &Toolchain)> {
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
    /// The longest time allowed: a year.
    const MAX: f64 = 366.0 * 24.0 * 3600.0;

    /// `None` unless the number is positive and at most a year.
    pub fn new(seconds: f64) -> Option<Self> {
        (seconds > 0.0 && seconds <= Self::MAX).then_some(Self(seconds))
    }

    /// The duration.
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
        schemars::json_schema!({"type": "number", "exclusiveMinimum": 0, "maximum": Seconds::MAX})
    }
}

/// A compiler and the arguments that it always gets.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Toolchain {
    /// The language; by default that of the toolchain's name, or else `c`.
    pub language: Option<Language>,
    /// The compiler as an argument vector. By default the environment's compiler with the
    /// environment's flags, to which the other fields are added.
    pub command: Option<Vec<String>>,
    /// Arguments of every compile.
    pub args: Vec<String>,
    /// Arguments of every link, at the end of the command line.
    pub link_args: Vec<String>,
    /// Environment variables for the compiler and for programs that run.
    #[serde(deserialize_with = "parse::unique_map")]
    pub env: BTreeMap<String, String>,
    /// More arguments for the probe, before its source: for checks that are composed with all of
    /// their arguments. Requests do not have this field.
    #[serde(skip)]
    pub trial_args: Vec<String>,
    /// More arguments at the end of the probe's link. Requests do not have this field.
    #[serde(skip)]
    pub trial_link_args: Vec<String>,
    /// The command that runs programs of this toolchain, such as `["qemu-aarch64"]`.
    pub emulator: Vec<String>,
    /// The command that starts the compiler, such as `["ccache"]` or `["distcc"]`.
    pub launcher: Vec<String>,
    /// The complete command from the source to the object file, instead of `command`, `args`,
    /// `link_args` and `launcher`; for the kinds `compiles`, `links` and `runs`. `{source}` and
    /// `{object}` stand for files, even within a word. The words `{definitions}` and `{args}` stand
    /// for those of the check. All other words stay unchanged, and only `env`, `PWD` and `TMPDIR` are set.
    /// No empty program is tried: the caller vouches for the command.
    pub compile: Option<Vec<String>>,
    /// The complete command from the object file to the program, in the same form: with `{object}`,
    /// `{program}` and the words `{link_args}` and `{definitions}`. `compiles` does not need it.
    pub link: Option<Vec<String>>,
}

/// One check. Its kind decides which of the fields after `timeout` it may have.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = kind::require_fields_of_kinds)]
pub struct Check {
    /// The name of the answer. It must be unique and not empty.
    #[schemars(length(min = 1))]
    pub id: String,
    /// What the check asks.
    pub kind: Kind,
    /// The toolchain, by its name in `toolchains`.
    pub toolchain: Option<String>,
    /// The language. By default its toolchain is used.
    pub language: Option<Language>,
    /// Headers to include first, in order. In Fortran, files for `include` lines.
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
    /// Regular expressions that turn a success into `no` if they match the output of the compiler,
    /// or of the program.
    #[serde(default)]
    pub fail_patterns: Vec<String>,
    /// Ids of checks that must answer yes. Otherwise this check is skipped.
    #[serde(default)]
    pub needs: Vec<String>,
    /// The id of a check to which this one is an alternative: it runs only if that one answers no.
    /// Requests do not have this field, because a caller that composes checks can combine both
    /// answers itself.
    #[serde(skip)]
    pub alternative_to: Option<String>,
    /// Whether any answer other than yes makes the exit status 1.
    #[serde(default)]
    pub required: bool,
    /// The time limit of this check in seconds.
    pub timeout: Option<Seconds>,

    /// The header, without brackets.
    pub header: Option<String>,
    /// Whether the header must compile.
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
    /// The flags to test.
    pub flags: Option<Vec<String>>,
    /// The source text.
    pub source: Option<String>,
    /// A source file, in place of `source`; relative to the request file.
    pub file: Option<String>,
    /// The file name extension that `source` is given, such as `F` for fixed-form Fortran.
    pub extension: Option<String>,
    /// Arguments of the program.
    pub run_args: Option<Vec<String>>,
    /// Words such as `-DX=1` for the `{definitions}` in the toolchain's `compile`.
    pub definitions: Option<Vec<String>>,
    /// Where to copy the program, or for `compiles` the object file, if the answer is yes. Relative
    /// to the request file.
    pub product: Option<String>,
    /// Whether the `product` is needed only for the data in it. The object file then suffices if
    /// the link is known to succeed.
    pub product_is_data: Option<bool>,
    /// The only word in which the source and the definitions differ from those of the check's
    /// variants: an identifier or `(sizeof(...))`.
    pub word: Option<String>,
    /// All names that a source with a `word` declares. With other names, several such sources can
    /// follow the headers in one file without affecting each other.
    pub own_names: Option<Vec<String>>,
    /// Whether `stdout` of the value includes the program's standard error, in the order of the
    /// writes.
    pub merge_output: Option<bool>,
    /// The directory in which the program runs; by default the check's own. Relative to the request
    /// file. Programs with a `run_dir` run one at a time.
    pub run_dir: Option<String>,
}

/// What a header must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HeaderStage {
    /// The header must compile.
    #[default]
    Compile,
    /// The header must exist.
    Preprocess,
}

impl<'de> Deserialize<'de> for HeaderStage {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match &*std::borrow::Cow::<str>::deserialize(deserializer)? {
            "compile" => Ok(HeaderStage::Compile),
            "preprocess" => Ok(HeaderStage::Preprocess),
            other => Err(serde::de::Error::custom(format!(
                "unknown stage {other:?}; known: compile, preprocess"
            ))),
        }
    }
}

impl Check {
    /// A check with this id and kind, and no other fields.
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

    /// The names of the given fields that only some kinds have.
    pub(crate) fn own_fields(&self) -> impl Iterator<Item = &'static str> {
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
