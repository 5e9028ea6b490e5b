//! Properties of the reports: every reader gets back the original values.

use std::path::Path;
use std::process::Command;

use super::requests::cases;
use super::sources::any_fragment;
use super::{venv, write};
use crate::plan::question::{Question, Subject};
use crate::plan::{Plan, PlannedCheck};
use crate::protocol::language::Language;
use crate::protocol::response::{Answer, How, Status, Summary, Value};
use crate::protocol::{Kind, fragment};
use crate::report::{self, Format};
use proptest::prelude::*;
use proptest::sample::select;

/// A plan with one check for each pair of subject and value, and its answers, all yes.
fn answered(pairs: Vec<(Subject, Value)>) -> (Plan, Vec<Answer>) {
    let mut plan = Plan::default();
    let mut answers = Vec::new();
    for (index, (subject, value)) in pairs.into_iter().enumerate() {
        let id = format!("ID_{index}");
        let question = plan.questions.push(Question::about(subject));
        let check = PlannedCheck {
            id: id.clone(),
            kind: Kind::Define,
            question,
            needs: vec![],
            alternative_to: None,
            required: false,
        };
        plan.checks.push(check);
        answers.push(Answer {
            id,
            status: Status::Yes,
            value: Some(value),
            how: How::Run,
            duration_ms: 1.0,
            command: Vec::new(),
            exit_code: Some(0),
            output: String::new(),
            output_truncated: false,
            reason: None,
            code: None,
            source: None,
            steps: Vec::new(),
        });
    }
    (plan, answers)
}

fn defines(values: &[String]) -> (Plan, Vec<Answer>) {
    let pair = |value: &String| (Subject::Define("X".into()), Value::Text(value.clone()));
    answered(values.iter().map(pair).collect())
}

fn written(format: Format, (plan, answers): (Plan, Vec<Answer>)) -> String {
    let mut out = Vec::new();
    report::write(format, &plan, answers, Summary::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Possible expansions of a macro: one line, without NUL, which preprocessors drop.
fn values() -> impl Strategy<Value = Vec<String>> {
    let pieces = select(vec![
        "\"",
        "'",
        "\\",
        "$",
        "${x}",
        "$ENV{HOME}",
        "@x@",
        ";",
        "#",
        "[[",
        "]]",
        "(",
        ")",
        "`",
        "*",
        "~",
        " ",
        "=",
        "\\n",
        "a",
        "é",
        "\u{1}",
        "\u{1b}",
        "$(x)",
        "!",
        "%",
        "\t",
        "<",
        "&",
        "|",
        "?",
        "-",
        "1",
    ]);
    let text = prop_oneof![
        prop::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat()),
        any::<String>(),
    ];
    let line = text.prop_map(|text| text.replace(['\0', '\n', '\r'], " ").trim().to_string());
    prop::collection::vec(line, 1..80)
}

/// Runs a reader in a directory, where it writes each value to a numbered file.
fn read_back(program: &Path, args: &[&str], dir: &Path, count: usize) -> Vec<String> {
    let ran = Command::new(program).args(args).current_dir(dir).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let read = |index| std::fs::read_to_string(dir.join(format!("out-{index}"))).unwrap();
    (0..count).map(read).collect()
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn cmake_reads_back_the_values(values in values(), old in any::<bool>()) {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "results.cmake", &written(Format::Cmake, defines(&values)));
        // Old policy versions have other rules for variable references; CMake 4 dropped them.
        let (cmake, rules) = match old {
            true => ("/usr/bin/cmake".into(), "cmake_policy(SET CMP0053 OLD)"),
            false => (venv("cmake"), ""),
        };
        let mut script = format!(
            "cmake_minimum_required(VERSION 3.20)\n\
             {rules}\n\
             set(x wrong)\n\
             include(${{CMAKE_CURRENT_LIST_DIR}}/results.cmake)\n"
        );
        for index in 0..values.len() {
            script += &format!("file(WRITE out-{index} \"${{ID_{index}}}\")\n");
        }
        write(dir.path(), "script.cmake", &script);
        prop_assert_eq!(read_back(&cmake, &["-P", "script.cmake"], dir.path(), values.len()), values);
    }

    #[test]
    fn a_shell_reads_back_the_values(values in values()) {
        let dir = tempfile::tempdir().unwrap();
        let lines = written(Format::Keyval, defines(&values));
        prop_assert_eq!(lines.lines().count(), values.len());
        write(dir.path(), "results", &lines);
        let mut script = String::from(". ./results\n");
        for index in 0..values.len() {
            script += &format!("printf %s \"$ID_{index}\" > out-{index}\n");
        }
        write(dir.path(), "script", &script);
        prop_assert_eq!(read_back("sh".as_ref(), &["script"], dir.path(), values.len()), values);
    }
}

/// CMake's descriptions contain fragments of the request, which must not end the command.
#[test]
fn cmake_reads_scripts_with_any_fragment() {
    let mut runner = proptest::test_runner::TestRunner::new(cases(12));
    let fragments = prop::collection::vec(any_fragment(), 60);
    let outcome = runner.run(&fragments, |fragments| {
        let expressions: Vec<_> = fragments
            .into_iter()
            .filter(|text| fragment::expression(text, Language::C).is_ok())
            .collect();
        let one = |text: &String| (Subject::ComputeInt(text.clone()), Value::Integer(7.into()));
        let dir = tempfile::tempdir().unwrap();
        let mut script = written(Format::Cmake, answered(expressions.iter().map(one).collect()));
        for index in 0..expressions.len() {
            script += &format!(
                "get_property(about CACHE ID_{index} PROPERTY HELPSTRING)\n\
                 file(WRITE out-{index} \"${{ID_{index}}}:${{about}}\")\n"
            );
        }
        write(dir.path(), "script.cmake", &script);
        let read =
            read_back(&venv("cmake"), &["-P", "script.cmake"], dir.path(), expressions.len());
        let meant: Vec<_> = expressions.iter().map(|text| format!("7:Value of {text}")).collect();
        prop_assert_eq!(read, meant);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn a_header_has_a_line_for_each_check(values in values()) {
        let header = written(Format::Header, defines(&values));
        prop_assert_eq!(header.lines().count(), values.len() + 1);
        for (index, (line, value)) in std::iter::zip(header.lines().skip(1), &values).enumerate() {
            let meant = format!("#define ID_{index} {value}");
            // A comment prevents a backslash from continuing the line.
            prop_assert_eq!(line.strip_suffix(" /**/").unwrap_or(line), meant.trim_end());
            prop_assert!(!line.ends_with('\\'));
        }
    }

    #[test]
    fn json_round_trips_any_text(texts in prop::collection::vec(any::<String>(), 1..20)) {
        let (plan, mut answers) = defines(&texts);
        for (answer, text) in std::iter::zip(&mut answers, &texts) {
            answer.output.clone_from(text);
            answer.command = vec![text.clone()];
        }
        let written = written(Format::Json, (plan, answers.clone()));
        // One line per result, whatever it contains.
        prop_assert_eq!(written.lines().count(), texts.len() + 2);
        let read: crate::protocol::response::Answers = serde_json::from_str(&written).unwrap();
        for (read, meant) in std::iter::zip(read.results, answers) {
            prop_assert_eq!(read.value, meant.value);
            prop_assert_eq!((read.output, read.command), (meant.output, meant.command));
        }
    }
}
