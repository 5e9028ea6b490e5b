//! The question that a check asks, once its fields are validated together.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::compiler::dialect::Stage;
use crate::compiler::options::include_a_file;
use crate::plan::ids::{Id, ToolchainId};
use crate::protocol::code::Code;
use crate::protocol::kind::OWN_FIELDS;
use crate::protocol::language::Language;
use crate::protocol::nearest::nearest;
use crate::protocol::{Check, Fault, HeaderStage, Kind, fragment};

/// Everything that an answer depends on. Two checks with equal questions share one answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    /// Its toolchain.
    pub toolchain: ToolchainId,
    /// What the question is about.
    pub subject: Subject,
    /// The headers that the source includes first.
    pub headers: Vec<String>,
    /// Source text after the headers.
    pub prefix: String,
    /// Compiler arguments after the toolchain's, include directories first.
    pub args: Vec<OsString>,
    /// Linker arguments before the toolchain's.
    pub link_args: Vec<OsString>,
    /// Words for the `{definitions}` of a toolchain with explicit commands.
    pub definitions: Vec<OsString>,
    /// Where to copy the program or object file.
    pub product: Option<PathBuf>,
    /// Whether the object file suffices as the product.
    pub product_is_data: bool,
    /// How the source differs from its variants, if it has any.
    pub variant: Option<Variant>,
    /// Regular expressions that turn a success into a no. They are valid.
    pub fail_patterns: Vec<String>,
    /// The time limit.
    pub timeout: Duration,
}

impl Question {
    /// A question with this subject and nothing else. Its time limit is zero.
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
    /// All texts that the compiler or its command line may get from the question, without files.
    pub(crate) fn texts(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let words = [&self.args, &self.link_args, &self.definitions];
        let words = words.into_iter().flatten().map(|word| word.to_string_lossy());
        let lines = self.headers.iter().chain([&self.prefix]).map(|text| Cow::from(text.as_str()));
        words.chain(lines).chain(self.subject.texts())
    }

    /// Whether the source includes nothing before its subject.
    pub(crate) fn has_no_header(&self) -> bool {
        self.headers.is_empty() && self.prefix.is_empty() && !include_a_file(&self.args)
    }
}

/// The word in which a source differs from its variants, and the names that it declares.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Variant {
    /// The word that differs.
    pub word: String,
    /// All names that the source declares.
    pub own_names: Vec<String>,
}

/// What a question is about.
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

/// The caller's source.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum CallerSource {
    /// Its text, and its file name extension if that is not the language's.
    #[allow(missing_docs, reason = "see above")]
    Text { source: String, extension: Option<String> },
    /// The path of a file.
    File(PathBuf),
}

impl Subject {
    /// All texts that the compiler or its command line may get from the subject, without files.
    fn texts(&self) -> Vec<Cow<'_, str>> {
        match self {
            Subject::Header { header: text, .. }
            | Subject::Symbol(text)
            | Subject::Function(text)
            | Subject::Type(text)
            | Subject::Sizeof(text)
            | Subject::Alignment(text)
            | Subject::ComputeInt(text)
            | Subject::Define(text)
            | Subject::Library { library: text, .. } => vec![text.into()],
            Subject::Member { of, member } => vec![of.into(), member.into()],
            Subject::Prototype { function, return_type, arguments } => {
                let own = [function, return_type].into_iter();
                own.chain(arguments).map(Cow::from).collect()
            }
            Subject::CompilerFlag(flags) | Subject::LinkerFlag(flags) => {
                flags.iter().map(|flag| flag.to_string_lossy()).collect()
            }
            Subject::Endian => Vec::new(),
            Subject::Source { code: CallerSource::Text { source, .. }, .. } => vec![source.into()],
            Subject::Source { code: CallerSource::File(_), .. } => Vec::new(),
        }
    }

    /// Whether the subject is something that a header declares.
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

    /// The last stage that the question needs.
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

/// Makes the paths of a check absolute.
pub(crate) struct PathResolver<'a> {
    /// Resolves the paths in a list of arguments.
    pub args: &'a dyn Fn(&[String]) -> Vec<OsString>,
    /// Resolves one path.
    pub path: &'a dyn Fn(&str) -> PathBuf,
}

/// The subject of a check. Fails if the check's own fields are invalid.
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

/// Fails unless the check has the required fields of its kind, and no fields of other kinds.
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
            None if own.clone().next().is_none() => "this kind has no fields of its own".into(),
            None => format!("its fields are {}", own.collect::<Vec<_>>().join(", ")),
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
        let message = "the check has both \"source\" and \"file\"; remove one of them";
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
                "a \"file\" is compiled unchanged; give \"source\" instead",
            ));
        }
        if has("extension") {
            let message = "a \"file\" already has an extension";
            return Err(Fault::of(Code::ConflictingFields, "extension", message));
        }
    }
    Ok(())
}

/// The value of a text field. Fails unless it is allowed.
fn text(
    field: &'static str,
    value: &Option<String>,
    allowed: impl Fn(&str) -> Result<(), fragment::Refusal>,
) -> Result<String, Fault> {
    let value = value.as_deref().unwrap_or_default();
    allowed(value).map_err(|refusal| Fault::of_value(field, refusal))?;
    Ok(value.into())
}

/// Fails unless each element of a list is allowed.
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

/// The flags of a check, with absolute paths.
fn flags(check: &Check, paths: &PathResolver<'_>) -> Result<Vec<OsString>, Fault> {
    let flags = check.flags.as_deref().unwrap_or_default();
    if flags.is_empty() {
        return Err(Fault::of_value("flags", "it is empty"));
    }
    each("flags", flags, fragment::argument)?;
    Ok((paths.args)(flags))
}

/// Where to copy the program or object file of a check.
pub(crate) fn product(check: &Check, paths: &PathResolver<'_>) -> Result<Option<PathBuf>, Fault> {
    let Some(product) = &check.product else { return Ok(None) };
    if product.is_empty() {
        return Err(Fault::of_value("product", "it is empty"));
    }
    fragment::argument(product).map_err(|refusal| Fault::of_value("product", refusal))?;
    Ok(Some((paths.path)(product)))
}

/// The variant that a check describes, if it has a `word` and `own_names`.
pub(crate) fn variant(check: &Check, language: Language) -> Result<Option<Variant>, Fault> {
    let (word, own_names) = match (&check.word, &check.own_names) {
        (None, None) => return Ok(None),
        (Some(word), Some(own_names)) => (word.clone(), own_names.clone()),
        (None, Some(_)) => {
            let message = "it also needs a \"word\"";
            return Err(Fault::of(Code::MissingField, "own_names", message));
        }
        (Some(_), None) => {
            let message = "it also needs \"own_names\"";
            return Err(Fault::of(Code::MissingField, "word", message));
        }
    };
    fragment::expression(&word, language).map_err(|refusal| Fault::of_value("word", refusal))?;
    each("own_names", &own_names, fragment::identifier)?;
    Ok(Some(Variant { word, own_names }))
}

/// The subject of a check with a source.
fn source(check: &Check, stage: Stage, paths: &PathResolver<'_>) -> Result<Subject, Fault> {
    let run_args = check.run_args.clone().unwrap_or_default();
    each("run_args", &run_args, fragment::argument)?;
    let extension = check.extension.clone();
    if extension
        .as_ref()
        .is_some_and(|e| e.is_empty() || !e.chars().all(|c| c.is_ascii_alphanumeric() || c == '+'))
    {
        return Err(Fault::of_value(
            "extension",
            "it may have letters and digits only, without the dot",
        ));
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
        (None, None) => unreachable!("the kind requires one of them"),
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
