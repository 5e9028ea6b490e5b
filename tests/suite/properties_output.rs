//! Properties of what is written: sources, in which every accepted fragment stays in its place,
//! and reports, from which every reader gets the value that was meant.

use std::cell::Cell;
use std::process::Command;

use crate::properties::cases;
use crate::support::{need, write};
use proptest::prelude::*;
use proptest::sample::select;
use tryall::language::Language;
use tryall::plan::question::{Question, Subject};
use tryall::plan::{Ask, Plan};
use tryall::report::{self, Format};
use tryall::request::{HeaderStage, Kind, fragment};
use tryall::response::{Answer, How, Status, Summary, Value};
use tryall::source::{Form, form};

/// Text of the pieces that could move a fragment out of its place.
fn any_fragment() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "a", "b_1", "0", "1", " ", "\t", "\n", "\r", "(", ")", "[", "]", "{", "}", "<", ">", "\"",
        "'", "\\", "/", "//", "/*", "*/", "*", ";", ",", ".", "#", "%", ":", "<%", "%>", "<:",
        ":>", "?", "??/", "??)", "R", "u8R", "\"(", ")\"", "!", "&", "$", "@", "é", "\u{2028}",
        "\0", "sizeof", "'a'", "\"b\"",
    ]);
    prop_oneof![
        4 => prop::collection::vec(pieces, 1..9).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
    ]
}

/// The brackets that are open at the end of a text, as a compiler reads it; `None` if a literal
/// or a comment is open, or a bracket closes that was not open. Written apart from the rules
/// that it judges.
fn open_brackets(text: &str, language: Language) -> Option<String> {
    let text = text.replace("\\\n", "");
    let fortran = language == Language::Fortran;
    let mut open = String::new();
    let mut rest = text.as_str();
    let mut before = String::new();
    while let Some(c) = rest.chars().next() {
        let raw = ["R", "LR", "uR", "UR", "u8R"].contains(&before.as_str()) && language.is_cxx();
        let number = before.starts_with(|c: char| c.is_ascii_digit());
        let letter = |c: char| c == '_' || c == '$' || c.is_alphanumeric();
        let exponent = before.ends_with(['e', 'E', 'p', 'P']);
        let word = letter(c) || number && (c == '.' || exponent && "+-".contains(c));
        if !word {
            before.clear();
        }
        let skip = match c {
            _ if word => {
                before.push(c);
                c.len_utf8()
            }
            '"' if raw => {
                let (delimiter, _) = rest[1..].split_once('(')?;
                let end = format!("){delimiter}\"");
                rest.find(&end)? + end.len()
            }
            // C++ and C23; what came before does not compile a quote after a number.
            '\'' if number && !fortran && rest[1..].starts_with(letter) => {
                before.push('0');
                1
            }
            '"' | '\'' => {
                let mut escaped = false;
                let closes = |(_, inner): &(usize, char)| {
                    let here = escaped;
                    escaped = *inner == '\\' && !here && !fortran;
                    *inner == '\n' || *inner == c && !here
                };
                let (end, closing) = rest.char_indices().skip(1).find(closes)?;
                (closing == c).then_some(end + 1)?
            }
            '!' if fortran => rest.find('\n')?,
            '/' if !fortran && rest.starts_with("//") => rest.find('\n')?,
            '/' if !fortran && rest.starts_with("/*") => rest[2..].find("*/")? + 4,
            '<' | '%' | ':'
                if !fortran && ["<%", "%>", ":>"].iter().any(|d| rest.starts_with(d)) =>
            {
                return None;
            }
            '<' if !fortran && rest.starts_with("<:") && !rest.starts_with("<::") => return None,
            '(' | '[' | '{' => {
                open.push(c);
                1
            }
            ')' | ']' | '}' => {
                let opening = open.pop()?;
                ["()", "[]", "{}"].contains(&&*format!("{opening}{c}")).then_some(1)?
            }
            _ => c.len_utf8(),
        };
        rest = &rest[skip..];
    }
    Some(open)
}

fn source(subject: Subject, headers: Vec<String>, language: Language) -> String {
    let question = Question {
        toolchain: 0,
        subject,
        headers,
        prefix: String::new(),
        args: Vec::new(),
        link_args: Vec::new(),
        fail_patterns: Vec::new(),
        timeout: std::time::Duration::ZERO,
    };
    match form(&question, language) {
        Form::Verdict(source)
        | Form::Expansion(source)
        | Form::Integer(source)
        | Form::ByteOrder(source) => source.text,
        Form::File(_) => unreachable!("no subject here is a file"),
    }
}

fn assert_stays(
    fragment: &str,
    language: Language,
    place: &dyn Fn(String) -> (Subject, Vec<String>),
) {
    let text_with = |fragment: &str| {
        let (subject, headers) = place(fragment.into());
        source(subject, headers, language)
    };
    let text = text_with(fragment);
    // Not a plain name, as those have a source of their own.
    let other = text_with("a.b");
    assert_eq!(text.lines().count(), other.lines().count(), "{fragment:?} starts a line:\n{text}");
    assert!(text.contains(fragment) || language == Language::Fortran, "{fragment:?}:\n{text}");
    let directives = |text: &str| text.lines().filter(|l| l.trim_start().starts_with('#')).count();
    assert_eq!(directives(&text), directives(&other), "{fragment:?} is a directive:\n{text}");
}

fn assert_stays_balanced(
    fragment: &str,
    language: Language,
    place: &dyn Fn(String) -> (Subject, Vec<String>),
) {
    assert_stays(fragment, language, place);
    let (subject, headers) = place(fragment.into());
    let text = source(subject, headers, language);
    assert_eq!(open_brackets(fragment, language).as_deref(), Some(""), "{fragment:?} alone");
    assert_eq!(open_brackets(&text, language).as_deref(), Some(""), "{fragment:?}:\n{text}");
}

/// Whatever is accepted stays in its place, in every source that it can stand in.
#[test]
fn accepted_fragments_stay_in_their_places() {
    let accepted = Cell::new([0; 3]);
    let count = |which: usize| {
        let mut counts = accepted.get();
        counts[which] += 1;
        accepted.set(counts);
    };
    let none = Vec::new;
    let mut runner = proptest::test_runner::TestRunner::new(cases(3000));
    let outcome = runner.run(&any_fragment(), |text| {
        if fragment::header(&text).is_ok() {
            count(0);
            for language in [Language::C, Language::Fortran] {
                for stage in [HeaderStage::Compile, HeaderStage::Preprocess] {
                    assert_stays(&text, language, &|header| {
                        (Subject::Header { header, stage }, none())
                    });
                }
                assert_stays(&text, language, &|header| {
                    (Subject::Sizeof("integer".into()), vec![header])
                });
            }
        }
        let word = || String::from("a");
        if fragment::name_or_type(&text).is_ok()
            && !text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$')
        {
            count(1);
            for language in [Language::C, Language::Cxx] {
                let in_c = |place: &dyn Fn(String) -> Subject| {
                    assert_stays_balanced(&text, language, &|fragment| (place(fragment), none()));
                };
                in_c(&Subject::Type);
                in_c(&Subject::Symbol);
                in_c(&Subject::Sizeof);
                in_c(&Subject::Alignment);
                in_c(&|of| Subject::Member { of, member: word() });
                in_c(&|member| Subject::Member { of: word(), member });
                in_c(&|return_type| Subject::Prototype {
                    function: word(),
                    return_type,
                    arguments: vec![],
                });
                in_c(&|argument| Subject::Prototype {
                    function: word(),
                    return_type: word(),
                    arguments: vec![argument.clone(), argument],
                });
            }
            if fragment::in_fortran(&text).is_ok() {
                for place in [Subject::Type, Subject::Sizeof] {
                    assert_stays_balanced(&text, Language::Fortran, &|name| (place(name), none()));
                }
            }
        }
        if fragment::expression(&text).is_ok() {
            count(2);
            for language in [Language::C, Language::Cxx, Language::Fortran] {
                if language != Language::Fortran || fragment::in_fortran(&text).is_ok() {
                    assert_stays_balanced(&text, language, &|text| {
                        (Subject::ComputeInt(text), none())
                    });
                }
            }
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(accepted.get().iter().all(|&count| count > 150), "too few are tried: {accepted:?}");
}

/// A plan of one check for each pair of a subject and its value, all of them yes, and the answers.
fn answered(pairs: Vec<(Subject, Value)>) -> (Plan, Vec<Answer>) {
    let question = |subject| Question {
        toolchain: 0,
        subject,
        headers: Vec::new(),
        prefix: String::new(),
        args: Vec::new(),
        link_args: Vec::new(),
        fail_patterns: Vec::new(),
        timeout: std::time::Duration::ZERO,
    };
    let mut plan = Plan {
        toolchains: Vec::new(),
        questions: Vec::new(),
        asks: Vec::new(),
        patterns: Default::default(),
    };
    let mut answers = Vec::new();
    for (index, (subject, value)) in pairs.into_iter().enumerate() {
        let id = format!("ID_{index}");
        plan.questions.push(question(subject));
        let ask = Ask {
            id: id.clone(),
            kind: Kind::Define,
            question: index,
            needs: vec![],
            required: false,
        };
        plan.asks.push(ask);
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
            source: None,
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

/// What a macro can expand to: one line, without the NUL that preprocessors drop.
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

/// Runs a reader in a directory, where it writes each value into the file of its number.
fn read_back(program: &str, args: &[&str], dir: &std::path::Path, count: usize) -> Vec<String> {
    let ran = Command::new(need(program)).args(args).current_dir(dir).output().unwrap();
    assert!(ran.status.success() && ran.stderr.is_empty(), "{ran:?}");
    let read = |index| std::fs::read_to_string(dir.join(format!("out-{index}"))).unwrap();
    (0..count).map(read).collect()
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn cmake_reads_the_values_that_were_written(values in values(), old in any::<bool>()) {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "results.cmake", &written(Format::Cmake, defines(&values)));
        // Old rules for references are those of projects that ask for nothing newer; CMake 4
        // has forgotten them.
        let policy = if old { "OLD" } else { "NEW" };
        let mut script = format!(
            "cmake_minimum_required(VERSION 3.5)\n\
             set(CMAKE_WARN_DEPRECATED OFF)\n\
             if(CMAKE_VERSION VERSION_LESS 4)\n\
             cmake_policy(SET CMP0053 {policy})\n\
             endif()\n\
             include(${{CMAKE_CURRENT_LIST_DIR}}/results.cmake)\n"
        );
        for index in 0..values.len() {
            script += &format!("file(WRITE out-{index} \"${{ID_{index}}}\")\n");
        }
        write(dir.path(), "script.cmake", &script);
        prop_assert_eq!(read_back("cmake", &["-P", "script.cmake"], dir.path(), values.len()), values);
    }

    #[test]
    fn a_shell_reads_the_values_that_were_written(values in values()) {
        let dir = tempfile::tempdir().unwrap();
        let lines = written(Format::Keyval, defines(&values));
        prop_assert_eq!(lines.lines().count(), values.len());
        write(dir.path(), "results", &lines);
        let mut script = String::from(". ./results\n");
        for index in 0..values.len() {
            script += &format!("printf %s \"$ID_{index}\" > out-{index}\n");
        }
        write(dir.path(), "script", &script);
        prop_assert_eq!(read_back("sh", &["script"], dir.path(), values.len()), values);
    }
}

/// CMake's descriptions hold fragments of the request, which must not end the command.
#[test]
fn cmake_reads_scripts_with_any_fragment_in_them() {
    let mut runner = proptest::test_runner::TestRunner::new(cases(12));
    let fragments = prop::collection::vec(any_fragment(), 60);
    let outcome = runner.run(&fragments, |fragments| {
        let expressions: Vec<_> =
            fragments.into_iter().filter(|text| fragment::expression(text).is_ok()).collect();
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
        let read = read_back("cmake", &["-P", "script.cmake"], dir.path(), expressions.len());
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
            // A comment keeps a backslash from taking the next line in.
            prop_assert_eq!(line.strip_suffix(" /**/").unwrap_or(line), meant.trim_end());
            prop_assert!(!line.ends_with('\\'));
        }
    }

    #[test]
    fn json_gives_back_every_text(texts in prop::collection::vec(any::<String>(), 1..20)) {
        let (plan, mut answers) = defines(&texts);
        for (answer, text) in std::iter::zip(&mut answers, &texts) {
            answer.output.clone_from(text);
            answer.command = vec![text.clone()];
        }
        let written = written(Format::Json, (plan, answers.clone()));
        // A result a line, whatever stands in it.
        prop_assert_eq!(written.lines().count(), texts.len() + 2);
        let read: tryall::response::Answers = serde_json::from_str(&written).unwrap();
        for (read, meant) in std::iter::zip(read.results, answers) {
            prop_assert_eq!(read.value, meant.value);
            prop_assert_eq!((read.output, read.command), (meant.output, meant.command));
        }
    }
}
