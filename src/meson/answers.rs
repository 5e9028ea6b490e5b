//! Meson's answers as lines for the wrapper.

use std::io::{self, Write};

use crate::report::typed::{Typed, line};

use super::rounds::{Named, Rounds};

/// Writes the answers of the batches: `batch NAME`, then its lines.
pub fn write(rounds: Rounds, out: &mut dyn Write) -> io::Result<()> {
    for (batch, answers) in rounds.answers() {
        writeln!(out, "batch\t{batch}\t")?;
        for Named { list, id, typed } in answers {
            match (list, typed) {
                (Some(list), Typed::Bool(value)) => writeln!(out, "{list}\t{id}\t{value}")?,
                (_, typed) => line(&id, &typed, out)?,
            }
        }
    }
    Ok(())
}
