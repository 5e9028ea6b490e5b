//! CMake reads back every byte of the format `cmake-variables`.

#[path = "../../tests/support/read_back.rs"]
mod read_back;

use std::path::Path;

use super::venv;
use crate::plan::Plan;
use crate::protocol::response::{Answer, How, Status, Step, Summary, Value};
use crate::report::{self, Format};
use read_back::read_back;

fn answer(id: String, text: &str) -> Answer {
    let step = || Step {
        command: vec!["cc".into(), text.into()],
        exit_code: None,
        output: text.into(),
        known: false,
    };
    Answer {
        id,
        status: Status::Yes,
        value: Some(Value::Program { exit_status: Some(0), stdout: text.into(), signal: None }),
        how: How::Run,
        duration_ms: 0.25,
        command: Vec::new(),
        exit_code: Some(0),
        output: String::new(),
        output_truncated: false,
        reason: Some(text.into()),
        code: None,
        source: None,
        steps: vec![step(), step(), step()],
    }
}

/// Texts that CMake would expand, or that would end the argument early.
fn nasty() -> Vec<String> {
    let pieces = [
        "\n",
        "\r",
        "\r\n",
        "\t",
        " ",
        "]",
        "[",
        "=",
        "]=]",
        "]==]",
        "[==[",
        "]=",
        "=]",
        "\\",
        "\\n",
        "\\;",
        ";",
        "\"",
        "'",
        "$",
        "${x}",
        "$ENV{HOME}",
        "@x@",
        "#",
        "(",
        ")",
        "#[[",
        "\u{1b}",
        "\u{7f}",
        "\u{1}",
        "\u{1a}",
        "é",
        "\u{feff}",
        "\u{fffd}",
        "a",
        "PARENT_SCOPE",
        "CACHE",
    ];
    let mut texts = vec![String::new()];
    for first in pieces {
        texts.push(first.into());
        texts.extend(pieces.iter().map(|second| format!("{first}{second}")));
        texts.push(format!("x{first}y\n"));
        texts.push(format!("\n\n{first}\\"));
    }
    texts.extend((1..32u8).map(|byte| char::from(byte).to_string()));
    texts
}

#[test]
fn both_cmakes_read_every_byte_back() {
    let texts = nasty();
    let answers: Vec<_> =
        texts.iter().enumerate().map(|(index, text)| answer(format!("R{index}"), text)).collect();
    let plan = Plan::default();
    let mut script = Vec::new();
    let summary = Summary::default();
    report::write(Format::CmakeVariables, &plan, answers, summary, &mut script).unwrap();
    let script = String::from_utf8(script).unwrap();

    let fields = ["STDOUT", "REASON", "COMPILE_OUTPUT", "LINK_OUTPUT", "STDERR", "LINK_COMMAND"];
    let mut names = Vec::new();
    let mut expected = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        for field in fields {
            names.push(format!("R{index}_{field}"));
            expected.push(match field {
                "LINK_COMMAND" => shlex::try_join(["cc", text.as_str()]).unwrap(),
                _ => text.clone(),
            });
        }
    }
    for cmake in [Path::new("/usr/bin/cmake"), &venv("cmake")] {
        let read = read_back(cmake, &script, &names);
        for ((name, expected), read) in names.iter().zip(&expected).zip(&read) {
            let read = String::from_utf8_lossy(read);
            assert_eq!(*expected, read, "{name} by {}", cmake.display());
        }
    }
}
