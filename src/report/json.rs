//! JSON, as one document or as lines.

use std::io::{self, Write};

use serde::Serialize;

use crate::protocol::response::{Answer, Answers, Refusal, Summary};
use crate::protocol::{BadRequest, VERSION};

/// The whole response with one result per line, which suits diff and grep.
pub(super) fn document(
    results: Vec<Answer>,
    summary: Summary,
    out: &mut dyn Write,
) -> io::Result<()> {
    // Destructure, so that the compiler reports a new field that is missing here.
    let Answers { version, results, summary } = Answers { version: VERSION, results, summary };
    write!(out, "{{\"version\":{version},\"results\":[")?;
    for (index, answer) in results.iter().enumerate() {
        out.write_all(if index == 0 { b"\n " } else { b",\n " })?;
        serde_json::to_writer(&mut *out, answer)?;
    }
    out.write_all(b"\n],\"summary\":")?;
    serde_json::to_writer(&mut *out, &summary)?;
    out.write_all(b"}\n")
}

/// One result.
pub(super) fn line(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    write_line(answer, out)
}

/// The last line.
pub(super) fn summary_line(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    write_line(&serde_json::json!({ "summary": summary }), out)
}

/// Why the request is unusable.
pub(super) fn refusal(error: &BadRequest, out: &mut dyn Write) -> io::Result<()> {
    write_line(&Refusal { version: VERSION, error: error.clone() }, out)
}

fn write_line(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}
