//! The source that each question compiles. Each generator names the reference whose rule it
//! follows: CMake's Check modules, Meson's compiler methods, or Autoconf's AC_CHECK macros.
//!
//! Generated sources pass `-Wall -Wextra -pedantic -Werror` wherever the question itself does: a
//! warning flag that leaks into a check must not change its answer.

pub(crate) mod c;
mod fortran;
pub(crate) mod words;

pub(crate) use c::GCC_OR_CLANG;

use std::ffi::OsString;

use crate::compiler::dialect::{STEM, Stage};
use crate::plan::question::{CallerSource, Question, Subject};
use crate::protocol::HeaderStage;
use crate::protocol::language::Language;

/// A source file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// The text.
    pub text: String,
    /// The file name extension, without the dot.
    pub extension: String,
}

impl Source {
    /// The file name.
    pub(crate) fn name(&self) -> OsString {
        format!("{STEM}.{}", self.extension).into()
    }
}

/// The source of a question, and where its answer is.
#[derive(Debug)]
pub(crate) enum Form {
    /// The compiler's exit status is the answer.
    Verdict(Source),
    /// The preprocessor's exit status is the answer, if [`value::was_preprocessed`] holds.
    ///
    /// [`value::was_preprocessed`]: crate::compiler::value::was_preprocessed
    Presence(Source),
    /// The answer is in the preprocessor's output, under the same condition.
    Expansion(Source),
    /// The answer is an integer in the object file of this source. If the object file does not
    /// contain it, the value is searched for with [`comparison`].
    Integer(Source),
    /// The answer is the byte order in the object file of this source.
    ByteOrder(Source),
    /// The source is a file of the caller, whose exit status is the answer.
    File(std::path::PathBuf),
}

/// The source of a question, and where its answer is.
pub(crate) fn form(question: &Question, language: Language) -> Form {
    let before = Before { headers: &question.headers, prefix: &question.prefix };
    let plain = |text| Source { text, extension: language.extension(false).into() };
    let preprocessed = |text| Source { text, extension: language.extension(true).into() };
    if let Subject::Source { code, stage, .. } = &question.subject {
        return caller_form(code, *stage, before, language);
    }
    if language == Language::Fortran {
        return fortran_form(question, before);
    }
    match &question.subject {
        Subject::Header { header, stage: HeaderStage::Compile } => {
            Form::Verdict(plain(c::header(before, header)))
        }
        Subject::Header { header, stage: HeaderStage::Preprocess } => {
            Form::Presence(preprocessed(c::header_presence(before, header)))
        }
        Subject::Symbol(symbol) => Form::Verdict(plain(c::symbol(before, symbol))),
        Subject::Function(function) | Subject::Library { function: Some(function), .. } => {
            Form::Verdict(plain(c::function(before, function)))
        }
        Subject::Type(name) => Form::Verdict(plain(c::type_exists(before, name))),
        Subject::Member { of, member } => Form::Verdict(plain(c::member(before, of, member))),
        Subject::Sizeof(name) => {
            Form::Integer(plain(c::integer(before, &format!("sizeof({name})"))))
        }
        Subject::Alignment(name) => Form::Integer(plain(c::alignment(before, name))),
        Subject::ComputeInt(expression) => Form::Integer(plain(c::integer(before, expression))),
        Subject::Define(name) => Form::Expansion(preprocessed(c::define(before, name))),
        Subject::Prototype { function, return_type, arguments } => {
            Form::Verdict(plain(c::prototype(before, language, function, return_type, arguments)))
        }
        Subject::Endian => Form::ByteOrder(plain(c::byte_order(before))),
        Subject::Library { function: None, .. }
        | Subject::CompilerFlag(_)
        | Subject::LinkerFlag(_)
        | Subject::Source { .. } => {
            Form::Verdict(plain(c::program(before, language.empty_program())))
        }
    }
}

/// The form of a source of the caller.
fn caller_form(code: &CallerSource, stage: Stage, before: Before<'_>, language: Language) -> Form {
    match code {
        CallerSource::File(path) => Form::File(path.clone()),
        CallerSource::Text { source, extension } => {
            let only = stage == Stage::Preprocess;
            let extension = extension.clone().unwrap_or_else(|| language.extension(only).into());
            let start = match language {
                Language::Fortran => fortran::start(before),
                _ => c::start(before),
            };
            // As CMake does, because some compilers warn about a last line without a newline.
            let end = if source.is_empty() || source.ends_with('\n') { "" } else { "\n" };
            Form::Verdict(Source { text: start + source + end, extension })
        }
    }
}

/// The form of a question in Fortran that has no source of the caller.
fn fortran_form(question: &Question, before: Before<'_>) -> Form {
    let language = Language::Fortran;
    let plain = |text| Source { text, extension: language.extension(false).into() };
    let preprocessed = |text| Source { text, extension: language.extension(true).into() };
    match &question.subject {
        Subject::Header { header, stage: HeaderStage::Compile } => {
            Form::Verdict(plain(fortran::header(before, header)))
        }
        Subject::Header { header, stage: HeaderStage::Preprocess } => {
            Form::Presence(preprocessed(c::header_presence(before, header)))
        }
        Subject::Function(function) => Form::Verdict(plain(fortran::function(before, function))),
        Subject::Library { function: Some(function), .. } => {
            Form::Verdict(plain(fortran::function(before, function)))
        }
        Subject::Type(name) => Form::Verdict(plain(fortran::type_exists(before, name))),
        Subject::Sizeof(name) => Form::Integer(plain(fortran::size(before, name))),
        Subject::ComputeInt(expression) => {
            Form::Integer(plain(fortran::integer(before, expression)))
        }
        Subject::Define(name) => Form::Expansion(preprocessed(c::define(before, name))),
        _ => Form::Verdict(plain(fortran::program(before, language.empty_program()))),
    }
}

/// A comparison with the integer of a [`Form::Integer`] source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// It differs from itself. A compiler that accepts this does not look at the source.
    Impossible,
    /// It is zero or more.
    NotNegative,
    /// It is at most this number.
    AtMost(i128),
    /// It is this number.
    Is(i128),
}

/// A source that compiles only if the integer of a [`Form::Integer`] source satisfies a comparison.
/// Meson finds sizes in this way when it cross-compiles. Here it serves compilers whose object
/// files do not contain the value.
pub(crate) fn comparison(integer: &Source, language: Language, comparison: Comparison) -> Source {
    let text = match language {
        Language::Fortran => fortran::comparison(&integer.text, comparison),
        _ => c::comparison(&integer.text, comparison),
    };
    Source { text, extension: integer.extension.clone() }
}

/// The text before the question in its source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Before<'a> {
    /// The headers to include.
    pub(crate) headers: &'a [String],
    /// The text after the headers.
    pub(crate) prefix: &'a str,
}

impl Before<'_> {
    /// The prefix with a newline at its end that no backslash removes. Removes a byte order mark,
    /// which is one only at the start of a file.
    fn prefix_lines(&self) -> String {
        let prefix = self.prefix.trim_start_matches('\u{feff}');
        let line = prefix.strip_suffix('\n').unwrap_or(prefix);
        let end =
            if line.trim_end_matches([' ', '\t', '\r']).ends_with('\\') { "\n\n" } else { "\n" };
        if prefix.is_empty() { String::new() } else { format!("{line}{end}") }
    }
}
