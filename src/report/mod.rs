//! The output formats. Each writes the same answers for another reader.

mod cmake;
mod header;
mod json;
mod keyval;
pub(crate) mod typed;
mod variables;

use std::io::{self, Write};

use crate::plan::Plan;
use crate::protocol::response::{Answer, Summary};
use crate::protocol::{BadRequest, Kind, fragment};

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Format {
    /// One JSON document: every result and a summary.
    #[default]
    Json,
    /// Each result as it comes in, one a line, the summary last.
    Ndjson,
    /// A script for CMake's include(): cache entries as CMake's own modules set them.
    Cmake,
    /// A script for CMake's include(): plain variables with all of each result.
    CmakeVariables,
    /// ID=1 lines, for Meson's keyval module and for shells.
    Keyval,
    /// Lines of a type, an ID and a value, for Meson's wrapper
    Meson,
    /// A C header: #define ID 1 or /* #undef ID */.
    Header,
}

impl Format {
    /// Whether results are written as they come in.
    pub(crate) fn streams(self) -> bool {
        self == Format::Ndjson
    }

    /// Why an id cannot be written in this format; `None` if it can.
    pub(crate) fn refuses_id(self, id: &str) -> Option<String> {
        let identifier =
            || fragment::identifier(id).err().map(|why| format!("{why}, which this format needs"));
        match self {
            Format::Json | Format::Ndjson => None,
            Format::Header => identifier(),
            Format::Meson if id.contains(char::is_control) => {
                Some(format!("{id:?} is not on one line, which this format needs"))
            }
            Format::Meson => None,
            // A key of Meson's keyval and a variable of a shell at once.
            Format::Keyval if id.contains(|c: char| c == '$' || !c.is_ascii()) => Some(format!(
                "{id:?} is not a name for a shell's variable, which this format needs"
            )),
            Format::Keyval => identifier(),
            // CMake takes almost any name, but a reference to a variable does not.
            Format::Cmake => {
                let good = |c: char| c.is_ascii_alphanumeric() || "/_.+-".contains(c);
                (!id.chars().all(good)).then(|| {
                    format!("{id:?} is not a name for a CMake variable, which has letters, digits and /_.+- only")
                })
            }
            Format::CmakeVariables => variables::refuses_id(id),
        }
    }

    /// The first check whose answer could not be told from an earlier one's in this format, and
    /// why.
    pub(crate) fn clash<'a>(
        self,
        checks: impl Iterator<Item = (&'a str, Kind)>,
    ) -> Option<(usize, String)> {
        match self {
            Format::Cmake => cmake::clash(checks),
            Format::CmakeVariables => variables::clash(checks.map(|(id, _)| id)),
            // These have nothing but the ids.
            Format::Json | Format::Ndjson | Format::Keyval | Format::Meson | Format::Header => None,
        }
    }
}

/// Writes all answers.
pub(crate) fn write(
    format: Format,
    plan: &Plan,
    answers: Vec<Answer>,
    summary: Summary,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Json => json::document(answers, summary, out),
        Format::Ndjson => json::summary_line(&summary, out),
        Format::Cmake => cmake::script(plan, &answers, out),
        Format::CmakeVariables => variables::script(&answers, &summary, out),
        Format::Keyval => keyval::lines(plan, &answers, out),
        Format::Meson => typed::lines(plan, &answers, out),
        Format::Header => header::header(plan, &answers, out),
    }
}

/// Writes one answer, of a format that [`Format::streams`].
pub(crate) fn write_line(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    json::line(answer, out)
}

/// Writes why there are no results, so that whoever reads only the output cannot mistake it for
/// answers.
pub(crate) fn write_refusal(
    format: Format,
    error: &BadRequest,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Json | Format::Ndjson => json::refusal(error, out),
        Format::Cmake | Format::CmakeVariables => cmake::refusal(error, out),
        Format::Keyval => keyval::refusal(error, out),
        Format::Meson => typed::refusal(error, out),
        Format::Header => header::refusal(error, out),
    }
}

/// A message on one line, for comments and directives.
fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
