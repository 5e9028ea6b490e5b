//! What a check asks, once its fields have been found to make sense together.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::compiler::dialect::Stage;
use crate::compiler::language::Language;
use crate::plan::ids::{Id, ToolchainId};
use crate::protocol::code::Code;
use crate::protocol::kind::{OWN_FIELDS, nearest};
use crate::protocol::{Check, Fault, HeaderStage, Kind, fragment};

/// Everything that an answer depends on. Two checks with equal questions share one answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    /// Its toolchain.
    pub toolchain: ToolchainId,
    /// What is asked.
    pub subject: Subject,
    /// Headers that are included first.
    pub headers: Vec<String>,
    /// Source text after the headers.
    pub prefix: String,
    /// Compiler arguments after the toolchain's, include directories first.
    pub args: Vec<OsString>,
    /// Linker arguments before the toolchain's.
    pub link_args: Vec<OsString>,
    /// Words for a toolchain whose commands are given in full.
    pub definitions: Vec<OsString>,
    /// Where the program or object file goes.
    pub product: Option<PathBuf>,
    /// Whether the object file will do for it.
    pub product_is_data: bool,
    /// What makes it one of several siblings.
    pub variant: Option<Variant>,
    /// Regular expressions that turn a success into a no; known to be valid.
    pub fail_patterns: Vec<String>,
    /// How long it may take.
    pub timeout: Duration,
}

impl Question {
    /// A question about a subject and nothing around it, which may take no time.
    pub(crate) fn about(subject: Subject) -> Self {
        Question {
            toolchain: ToolchainId::at(0),
            subject,
            headers: Vec::new(),
            prefix: String::new(),
            args: Vec::new(),
            link_args: Vec::new(),
            definitions: Vec::new(),
            product: None,
            product_is_data: false,
            variant: None,
            fail_patterns: Vec::new(),
            timeout: Duration::ZERO,
        }
    }
}

impl Question {
    /// Whether nothing is included before what is asked.
    pub(crate) fn has_no_header(&self) -> bool {
        self.headers.is_empty() && self.prefix.is_empty() && !self.args.iter().any(includes_a_file)
    }
}

/// Whether an argument includes a file, or may do so.
pub(crate) fn includes_a_file(arg: &OsString) -> bool {
    let arg = arg.to_string_lossy();
    ["-include", "-imacros", "@"].iter().any(|start| arg.starts_with(start))
}

/// In which word the source of a question differs from others, and what it declares.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Variant {
    /// The word.
    pub word: String,
    /// The names.
    pub own_names: Vec<String>,
}

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the kinds and fields are those of the request")]
pub(crate) enum Subject {
    Header {
        header: String,
        stage: HeaderStage,
    },
    Symbol(String),
    Function(String),
    Library {
        library: String,
        function: Option<String>,
    },
    Type(String),
    Member {
        of: String,
        member: String,
    },
    Sizeof(String),
    Alignment(String),
    ComputeInt(String),
    Define(String),
    Prototype {
        function: String,
        return_type: String,
        arguments: Vec<String>,
    },
    CompilerFlag(Vec<OsString>),
    LinkerFlag(Vec<OsString>),
    Endian,
    Source {
        stage: Stage,
        code: CallerSource,
        run_args: Vec<String>,
        merge_output: bool,
        run_dir: Option<PathBuf>,
    },
}

/// A source that the request gives.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum CallerSource {
    /// Its text, and the file name extension it is given if not the language's.
    #[allow(missing_docs, reason = "told above")]
    Text { source: String, extension: Option<String> },
    /// A file.
    File(PathBuf),
}

impl Subject {
    /// Whether it is about what a header declares.
    pub(crate) fn wants_a_declaration(&self) -> bool {
        matches!(
            self,
            Subject::Symbol(_)
                | Subject::Type(_)
                | Subject::Member { .. }
                | Subject::Sizeof(_)
                | Subject::Alignment(_)
                | Subject::Prototype { .. }
        )
    }

    /// The furthest stage that the question needs.
    pub(crate) fn stage(&self) -> Stage {
        match self {
            Subject::Define(_) | Subject::Header { stage: HeaderStage::Preprocess, .. } => {
                Stage::Preprocess
            }
            Subject::Header { .. }
            | Subject::Type(_)
            | Subject::Member { .. }
            | Subject::Sizeof(_)
            | Subject::Alignment(_)
            | Subject::ComputeInt(_)
            | Subject::Prototype { .. }
            | Subject::CompilerFlag(_)
            | Subject::Endian => Stage::Compile,
            Subject::Symbol(_)
            | Subject::Function(_)
            | Subject::Library { .. }
            | Subject::LinkerFlag(_) => Stage::Link,
            Subject::Source { stage, .. } => *stage,
        }
    }
}

/// How the paths of a check are made absolute.
pub(crate) struct PathResolver<'a> {
    /// One argument list.
    pub args: &'a dyn Fn(&[String]) -> Vec<OsString>,
    /// One path.
    pub path: &'a dyn Fn(&str) -> PathBuf,
}

/// The subject of a check, or what is wrong with its own fields.
pub(crate) fn subject(
    check: &Check,
    language: Language,
    paths: &PathResolver<'_>,
) -> Result<Subject, Fault> {
    own_fields_fit(check, language)?;
    let name_or_type = |field: &'static str, value: &Option<String>| -> Result<String, Fault> {
        text(field, value, |value| fragment::name_or_type(value, language))
    };
    Ok(match check.kind {
        Kind::Header => Subject::Header {
            header: text("header", &check.header, fragment::header)?,
            stage: check.stage.unwrap_or_default(),
        },
        Kind::Symbol => Subject::Symbol(name_or_type("symbol", &check.symbol)?),
        Kind::Function => {
            Subject::Function(text("function", &check.function, fragment::identifier)?)
        }
        Kind::Library => Subject::Library {
            library: {
                let library = text("library", &check.library, fragment::library)?;
                match library.contains('/') {
                    true => (paths.path)(&library).to_string_lossy().into_owned(),
                    false => library,
                }
            },
            function: match &check.function {
                Some(_) => Some(text("function", &check.function, fragment::identifier)?),
                None => None,
            },
        },
        Kind::Type => Subject::Type(name_or_type("type", &check.type_name)?),
        Kind::Member => Subject::Member {
            of: name_or_type("type", &check.type_name)?,
            member: name_or_type("member", &check.member)?,
        },
        Kind::Sizeof => Subject::Sizeof(name_or_type("type", &check.type_name)?),
        Kind::Alignment => Subject::Alignment(name_or_type("type", &check.type_name)?),
        Kind::ComputeInt => Subject::ComputeInt(text("expression", &check.expression, |value| {
            fragment::expression(value, language)
        })?),
        Kind::Define => Subject::Define(text("name", &check.name, fragment::identifier)?),
        Kind::Prototype => Subject::Prototype {
            function: text("function", &check.function, fragment::identifier)?,
            return_type: name_or_type("return_type", &check.return_type)?,
            arguments: {
                let arguments = check.arguments.clone().unwrap_or_default();
                each("arguments", &arguments, |value| fragment::name_or_type(value, language))?;
                arguments
            },
        },
        Kind::CompilerFlag => Subject::CompilerFlag(flags(check, paths)?),
        Kind::LinkerFlag => Subject::LinkerFlag(flags(check, paths)?),
        Kind::Endian => Subject::Endian,
        Kind::Preprocesses => source(check, Stage::Preprocess, paths)?,
        Kind::Compiles => source(check, Stage::Compile, paths)?,
        Kind::Links => source(check, Stage::Link, paths)?,
        Kind::Runs => source(check, Stage::Run, paths)?,
    })
}

/// Whether the check has the fields of its kind, and no others.
fn own_fields_fit(check: &Check, language: Language) -> Result<(), Fault> {
    let rule = check.kind.rule();
    let kind = rule.name;
    if language == Language::Fortran && !rule.in_fortran {
        return Err(Fault::of(
            Code::ConflictingFields,
            "kind",
            format!("kind {kind:?} has no meaning in Fortran"),
        ));
    }
    if let Some(stray) = check.own_fields().find(|field| !rule.takes(field)) {
        let own = OWN_FIELDS.iter().copied().filter(|field| rule.takes(field));
        let remedy = match nearest(stray, own.clone()) {
            Some(meant) => format!("did you mean {meant:?}?"),
            None if own.clone().next().is_none() => "it has no fields of its own".into(),
            None => format!("it has {}", own.collect::<Vec<_>>().join(", ")),
        };
        let message = format!("kind {kind:?} has no field {stray:?}; {remedy}");
        return Err(Fault::of(Code::UnknownField, stray, message));
    }
    let has = |field: &str| check.own_fields().any(|given| given == field);
    if let Some(missing) = rule.required.iter().find(|field| !has(field)) {
        let message = format!("kind {kind:?} needs the field {missing:?}");
        return Err(Fault::whole(Code::MissingField, message));
    }
    if rule.takes_source && has("source") && has("file") {
        let message = "the check has both \"source\" and \"file\"; leave one of them out";
        return Err(Fault::of(Code::ConflictingFields, "file", message));
    }
    if rule.takes_source && !has("source") && !has("file") {
        let message = format!("kind {kind:?} needs either \"source\" or \"file\"");
        return Err(Fault::whole(Code::MissingField, message));
    }
    if has("file") {
        let before = [("headers", !check.headers.is_empty()), ("prefix", !check.prefix.is_empty())];
        if let Some((field, _)) = before.into_iter().find(|(_, given)| *given) {
            return Err(Fault::of(
                Code::ConflictingFields,
                field,
                "a \"file\" is compiled as it is; give \"source\" instead",
            ));
        }
        if has("extension") {
            let message = "a \"file\" has its own extension";
            return Err(Fault::of(Code::ConflictingFields, "extension", message));
        }
    }
    Ok(())
}

fn text(
    field: &'static str,
    value: &Option<String>,
    allowed: impl Fn(&str) -> Result<(), fragment::Refusal>,
) -> Result<String, Fault> {
    let value = value.as_deref().unwrap_or_default();
    allowed(value).map_err(|refusal| Fault::of_value(field, refusal))?;
    Ok(value.into())
}

/// Checks each element of a list.
pub(crate) fn each(
    field: &'static str,
    values: &[String],
    allowed: impl Fn(&str) -> Result<(), fragment::Refusal>,
) -> Result<(), Fault> {
    for (index, value) in values.iter().enumerate() {
        allowed(value).map_err(|refusal| Fault::of_element(field, index, refusal))?;
    }
    Ok(())
}

fn flags(check: &Check, paths: &PathResolver<'_>) -> Result<Vec<OsString>, Fault> {
    let flags = check.flags.as_deref().unwrap_or_default();
    if flags.is_empty() {
        return Err(Fault::of_value("flags", "it is empty"));
    }
    each("flags", flags, fragment::argument)?;
    Ok((paths.args)(flags))
}

/// Where the program or object file of a check goes.
pub(crate) fn product(check: &Check, paths: &PathResolver<'_>) -> Result<Option<PathBuf>, Fault> {
    let Some(product) = &check.product else { return Ok(None) };
    if product.is_empty() {
        return Err(Fault::of_value("product", "it is empty"));
    }
    fragment::argument(product).map_err(|refusal| Fault::of_value("product", refusal))?;
    Ok(Some((paths.path)(product)))
}

/// What a check says of its siblings.
pub(crate) fn variant(check: &Check, language: Language) -> Result<Option<Variant>, Fault> {
    let (word, own_names) = match (&check.word, &check.own_names) {
        (None, None) => return Ok(None),
        (Some(word), Some(own_names)) => (word.clone(), own_names.clone()),
        (None, Some(_)) => {
            let message = "it needs a \"word\" beside it";
            return Err(Fault::of(Code::MissingField, "own_names", message));
        }
        (Some(_), None) => {
            let message = "it needs \"own_names\" beside it";
            return Err(Fault::of(Code::MissingField, "word", message));
        }
    };
    fragment::expression(&word, language).map_err(|refusal| Fault::of_value("word", refusal))?;
    each("own_names", &own_names, fragment::identifier)?;
    Ok(Some(Variant { word, own_names }))
}

fn source(check: &Check, stage: Stage, paths: &PathResolver<'_>) -> Result<Subject, Fault> {
    let run_args = check.run_args.clone().unwrap_or_default();
    each("run_args", &run_args, fragment::argument)?;
    let extension = check.extension.clone();
    if extension
        .as_ref()
        .is_some_and(|e| e.is_empty() || !e.chars().all(|c| c.is_ascii_alphanumeric() || c == '+'))
    {
        return Err(Fault::of_value("extension", "letters and digits only, without the dot"));
    }
    let code = match (&check.source, &check.file) {
        (Some(source), _) => CallerSource::Text { source: source.clone(), extension },
        (None, Some(file)) => {
            fragment::argument(file).map_err(|refusal| Fault::of_value("file", refusal))?;
            let path = (paths.path)(file);
            if !path.is_file() {
                let message = format!("{} is not a file", path.display());
                return Err(Fault::of(Code::FileMissing, "file", message));
            }
            CallerSource::File(path)
        }
        (None, None) => unreachable!("the kind needs one of them"),
    };
    let merge_output = check.merge_output.unwrap_or_default();
    let run_dir = match &check.run_dir {
        None => None,
        Some(dir) => {
            fragment::argument(dir).map_err(|refusal| Fault::of_value("run_dir", refusal))?;
            let path = (paths.path)(dir);
            if !path.is_dir() {
                let message = format!("{} is not a directory", path.display());
                return Err(Fault::of(Code::FileMissing, "run_dir", message));
            }
            Some(path)
        }
    };
    Ok(Subject::Source { stage, code, run_args, merge_output, run_dir })
}
