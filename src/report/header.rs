//! A C header such as Autoconf's config.h, in the order of the request.

use std::io::{self, Write};

use crate::plan::Plan;
use crate::plan::question::Subject;
use crate::protocol::BadRequest;
use crate::protocol::response::{Answer, Status, Value};

use super::one_line;

/// The header.
pub(super) fn header(plan: &Plan, answers: &[Answer], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "/* Written by tryall. */")?;
    for (check, answer) in std::iter::zip(&plan.checks, answers) {
        let id = &answer.id;
        let big_endian_is_yes = plan.questions[check.question].subject == Subject::Endian;
        match (answer.status, &answer.value) {
            // An undefined macro would look like a no, so make the header fail to compile.
            (Status::Error, _) => {
                let reason = one_line(answer.reason.as_deref().unwrap_or_default());
                writeln!(
                    out,
                    "#error \"tryall: {id}: {}\"",
                    reason.replace('"', "'").replace('\\', "/")
                )?;
            }
            // Like Autoconf's WORDS_BIGENDIAN.
            (Status::Yes, Some(Value::Text(order))) if big_endian_is_yes && order == "little" => {
                undefine(id, out)?;
            }
            (Status::Yes, Some(Value::Integer(number))) => writeln!(out, "#define {id} {number}")?,
            (Status::Yes, Some(Value::Text(text))) if !big_endian_is_yes => {
                // A backslash at the end would continue the line.
                let line = format!("#define {id} {text}");
                let line = line.trim_end();
                writeln!(out, "{line}{}", if line.ends_with('\\') { " /**/" } else { "" })?;
            }
            (Status::Yes, _) => writeln!(out, "#define {id} 1")?,
            (Status::No | Status::Skipped, _) => undefine(id, out)?,
        }
    }
    Ok(())
}

fn undefine(id: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "/* #undef {id} */")
}

/// Why the request is unusable.
pub(super) fn refusal(error: &BadRequest, out: &mut dyn Write) -> io::Result<()> {
    let message = one_line(&error.to_string());
    writeln!(out, "#error \"tryall: {}\"", message.replace('"', "'").replace('\\', "/"))
}
