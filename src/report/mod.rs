//! The output formats.

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
    /// One JSON line for each result as it arrives, then the summary.
    Ndjson,
    /// A script for CMake's include(): cache entries as CMake's own modules set them.
    Cmake,
    /// A script for CMake's include(): plain variables with every field of each result.
    CmakeVariables,
    /// ID=1 lines for Meson's keyval module and for shells.
    Keyval,
    /// Lines with type, ID and value, for the Meson wrapper.
    Meson,
    /// A C header: #define ID 1 or /* #undef ID */.
    Header,
}

impl Format {
    /// Whether results are written as they arrive.
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
                Some(format!("{id:?} contains control characters, which this format forbids"))
            }
            Format::Meson => None,
            // Must be valid both as a key of Meson's keyval and as a shell variable.
            Format::Keyval if id.contains(|c: char| c == '$' || !c.is_ascii()) => {
                Some(format!("{id:?} is not a valid shell variable name, which this format needs"))
            }
            Format::Keyval => identifier(),
            // CMake can set almost any name, but references allow only these characters.
            Format::Cmake => {
                let good = |c: char| c.is_ascii_alphanumeric() || "/_.+-".contains(c);
                (!id.chars().all(good)).then(|| {
                    format!(
                        "{id:?} is not a valid CMake variable name (only letters, digits and /_.+-)"
                    )
                })
            }
            Format::CmakeVariables => variables::refuses_id(id),
        }
    }

    /// The first check that this format would write under the same name as an earlier one, and why.
    pub(crate) fn clash<'a>(
        self,
        checks: impl Iterator<Item = (&'a str, Kind)>,
    ) -> Option<(usize, String)> {
        match self {
            Format::Cmake => cmake::clash(checks),
            Format::CmakeVariables => variables::clash(checks.map(|(id, _)| id)),
            // These formats use only the ids, which are unique.
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

/// Writes one answer in a format that [`Format::streams`].
pub(crate) fn write_line(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    json::line(answer, out)
}

/// Writes why there are no results, so that the output cannot be mistaken for answers.
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

/// Joins a message into one line, for comments and directives.
fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
