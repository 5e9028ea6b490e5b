//! Parses the wrapper's command line: words `KEY:VALUE`, in order. `batch:NAME` starts a batch, to
//! which the following words belong.

use std::path::PathBuf;

use crate::protocol::code::Code;
use crate::protocol::language::Language;
use crate::protocol::nearest::nearest;
use crate::protocol::{BadRequest, Location};

use super::version::Version;

/// One of Meson's compiler methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are Meson's")]
pub(crate) enum Method {
    HasHeader,
    CheckHeader,
    HasHeaderSymbol,
    HasFunction,
    HasType,
    HasMember,
    Sizeof,
    Alignment,
    ComputeInt,
    GetDefine,
    Compiles,
    Links,
    Runs,
    HasArgument,
    HasLinkArgument,
}

static METHODS: [(&str, Method); 15] = [
    ("has_header", Method::HasHeader),
    ("check_header", Method::CheckHeader),
    ("has_header_symbol", Method::HasHeaderSymbol),
    ("has_function", Method::HasFunction),
    ("has_type", Method::HasType),
    ("has_member", Method::HasMember),
    ("sizeof", Method::Sizeof),
    ("alignment", Method::Alignment),
    ("compute_int", Method::ComputeInt),
    ("get_define", Method::GetDefine),
    ("compiles", Method::Compiles),
    ("links", Method::Links),
    ("run", Method::Runs),
    ("has_argument", Method::HasArgument),
    ("has_link_argument", Method::HasLinkArgument),
];

/// A check: `METHOD:ID:HEADERS:SUBJECT`, with comma-separated headers.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// The method.
    pub method: Method,
    /// The name of the answer in the dictionary.
    pub id: String,
    /// Headers to include after the prefix.
    pub headers: Vec<String>,
    /// The name, type, expression, argument or source.
    pub subject: String,
}

/// Items with the same compiler, prefix and arguments.
#[derive(Debug, Clone, Default)]
pub(crate) struct MesonBatch {
    /// The name of its dictionary.
    pub name: String,
    /// The language.
    pub language: Language,
    /// `cc.get_id()`.
    pub compiler_id: String,
    /// `cc.get_linker_id()`.
    pub linker_id: String,
    /// Whether Meson cross-compiles and so runs no programs.
    pub cross: bool,
    /// `cc.cmd_array()`.
    pub command: Vec<String>,
    /// The options `c_args` and `c_link_args`, or the same of another language.
    pub option_args: Vec<String>,
    /// See `option_args`.
    pub option_link_args: Vec<String>,
    /// The arguments from builtin options, such as `-std=c11`.
    pub builtin_args: Vec<String>,
    /// `args:`.
    pub args: Vec<String>,
    /// `prefix:`.
    pub prefix: String,
    /// Request files, whose checks use Meson's compiler.
    pub requests: Vec<PathBuf>,
    /// The checks.
    pub items: Vec<Item>,
}

/// The parsed command line.
#[derive(Debug)]
pub(crate) struct Input {
    /// `meson.version()`.
    pub version: Version,
    /// The batches.
    pub batches: Vec<MesonBatch>,
}

/// Parses the words.
pub(crate) fn parse(words: &[String]) -> Result<Input, BadRequest> {
    let mut version = None;
    let mut batches: Vec<MesonBatch> = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let at = |message: String| {
            BadRequest::at(Code::InvalidOption, message, &Location::flag(word), None)
        };
        let (key, value) = word.split_once(':').ok_or_else(|| at("it has no colon".into()))?;
        match key {
            "meson" => {
                let parsed = Version::parse(value);
                version = Some(parsed.ok_or_else(|| at(format!("{value:?} is not a version")))?);
                continue;
            }
            "batch" => {
                batches.push(MesonBatch { name: value.into(), ..MesonBatch::default() });
                continue;
            }
            _ => {}
        }
        let batch = batches.last_mut().ok_or_else(|| at("it precedes the first batch".into()))?;
        match key {
            "language" => {
                let language = Language::from_name(value);
                batch.language = language.ok_or_else(|| at("unknown language".into()))?;
            }
            "compiler-id" => batch.compiler_id = value.into(),
            "linker-id" => batch.linker_id = value.into(),
            "cross" => batch.cross = value == "true",
            "command" => batch.command.push(value.into()),
            "option-arg" => batch.option_args.push(value.into()),
            "option-link-arg" => batch.option_link_args.push(value.into()),
            "builtin-arg" => batch.builtin_args.push(value.into()),
            "arg" => batch.args.push(value.into()),
            // The file is a separate word, so that Meson can watch it.
            "request" => {
                let file = words.next().ok_or_else(|| at("a file must follow it".into()))?;
                batch.requests.push(file.into());
            }
            "prefix" => batch.prefix = value.into(),
            _ => batch.items.push(item(key, value).map_err(at)?),
        }
    }
    let nothing = || BadRequest::whole(Code::InvalidOption, "the word meson:VERSION is missing");
    Ok(Input { version: version.ok_or_else(nothing)?, batches })
}

fn item(key: &str, value: &str) -> Result<Item, String> {
    let known = METHODS.iter().find(|(name, _)| *name == key);
    let (_, method) = known.ok_or_else(|| {
        let meant = nearest(key, METHODS.iter().map(|(name, _)| *name));
        let remedy = meant.map_or(String::new(), |meant| format!("; did you mean {meant:?}?"));
        format!("there is no method {key:?}{remedy}")
    })?;
    let parts: Vec<_> = value.splitn(3, ':').collect();
    let [id, headers, subject] = parts[..] else {
        return Err("expected METHOD:ID:HEADERS:SUBJECT".into());
    };
    let unnamed = [Method::HasArgument, Method::HasLinkArgument].contains(method);
    if id.is_empty() && !unnamed || subject.is_empty() {
        return Err("neither ID nor SUBJECT may be empty".into());
    }
    let headers = headers.split(',').filter(|header| !header.is_empty()).map(String::from);
    Ok(Item { method: *method, id: id.into(), headers: headers.collect(), subject: subject.into() })
}
