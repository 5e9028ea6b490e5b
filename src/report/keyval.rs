//! `ID=1` lines for Meson's `keyval.load()` and for shells that source the file.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::plan::Plan;
use crate::plan::question::Subject;
use crate::protocol::BadRequest;
use crate::protocol::response::{Answer, Status, Value};

use super::one_line;

/// Writes the lines. A check with a value has that value, or an empty one for a no; any other check
/// has 1 or 0. `endian` is 1 if big, as in the other formats that define variables. A skipped check
/// counts as no. An error is only a comment, so that readers notice the missing key.
pub(super) fn lines(plan: &Plan, answers: &[Answer], out: &mut dyn Write) -> io::Result<()> {
    for (check, answer) in std::iter::zip(&plan.checks, answers) {
        if answer.status == Status::Error {
            writeln!(
                out,
                "# {}: error: {}",
                answer.id,
                one_line(answer.reason.as_deref().unwrap_or_default())
            )?;
            continue;
        }
        let subject = &plan.questions[check.question].subject;
        let has_value = matches!(
            subject,
            Subject::Sizeof(_)
                | Subject::Alignment(_)
                | Subject::ComputeInt(_)
                | Subject::Define(_)
        );
        let value: Cow<str> = match (&answer.value, answer.status) {
            (Some(Value::Text(order)), _) if *subject == Subject::Endian => {
                if order == "big" { "1" } else { "0" }.into()
            }
            (Some(Value::Integer(number)), _) => number.to_string().into(),
            (Some(Value::Text(text)), _) => for_shells(text).into(),
            (_, Status::Yes) => "1".into(),
            _ if has_value => "".into(),
            _ => "0".into(),
        };
        writeln!(out, "{}={value}", answer.id)?;
    }
    Ok(())
}

/// Why the request is unusable.
pub(super) fn refusal(error: &BadRequest, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# error: {}", one_line(&error.to_string()))
}

/// Quotes text only if a shell requires it, because Meson keeps the quotes.
fn for_shells(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    shlex::try_quote(text).map_or_else(|_| String::new(), Cow::into_owned)
}
