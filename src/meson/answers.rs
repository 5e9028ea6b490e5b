//! Writes Meson's answers as lines for the wrapper.

use std::io::{self, Write};

use crate::report::typed::{Typed, escaped, line};

use super::rounds::{Named, Rounds};

/// Writes each batch as a line `batch NAME` followed by its answers. The last line has the number
/// of answers, with which the wrapper detects truncated output.
pub(crate) fn write(rounds: Rounds, out: &mut dyn Write) -> io::Result<()> {
    let mut count = 0;
    for (batch, answers) in rounds.answers() {
        writeln!(out, "batch\t{batch}\t")?;
        count += answers.len();
        for Named { list, id, typed } in answers {
            match (list, typed) {
                (Some(list), Typed::Bool(value)) => {
                    writeln!(out, "{list}\t{}\t{value}", escaped(&id))?;
                }
                (_, typed) => line(&id, &typed, out)?,
            }
        }
    }
    writeln!(out, "answers\t{count}\t")
}
