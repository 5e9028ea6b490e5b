//! Names, types and expressions must not escape their place in a generated source. Accepted text
//! starts no line, directive or comment, and closes no bracket that it did not open.

use crate::plan::question::{Question, Subject};
use crate::protocol::language::Language;
use crate::protocol::{HeaderStage, fragment};
use crate::source::{Form, form};

/// The open brackets at the end of a text. `None` if a literal or comment is unterminated, or if a
/// bracket does not match. Independent of the rules under test.
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
            // Digit separators of C++ and C23; older standards reject a quote after a number.
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
    let question = Question { headers, ..Question::about(subject) };
    let text = match form(&question, language) {
        Form::Verdict(source)
        | Form::Presence(source)
        | Form::Expansion(source)
        | Form::Integer(source)
        | Form::ByteOrder(source) => source.text,
        Form::File(_) => unreachable!("no subject here is a file"),
    };
    // Fortran line breaks depend on the length of the fragment.
    if language == Language::Fortran { text.replace("&\n     &", "") } else { text }
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
    // Not a plain name, because plain names use a different source.
    let other = text_with("a.b");
    assert_eq!(text.lines().count(), other.lines().count(), "{fragment:?} starts a line:\n{text}");
    assert!(text.contains(fragment) || language == Language::Fortran, "{fragment:?}:\n{text}");
    let go_on = |text: &str| text.lines().filter(|line| line.trim_end().ends_with('&')).count();
    assert_eq!(go_on(&text), go_on(&other), "{fragment:?} goes on in the next line:\n{text}");
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

/// Tests a text in every place and language that accepts it. Returns how often it was accepted as a
/// header, as a name or type, and as an expression.
pub fn look(text: &str) -> [usize; 3] {
    let mut accepted = [0; 3];
    let none = Vec::new;
    if fragment::header(text).is_ok() {
        accepted[0] += 1;
        for language in [Language::C, Language::Fortran] {
            for stage in [HeaderStage::Compile, HeaderStage::Preprocess] {
                assert_stays(text, language, &|header| (Subject::Header { header, stage }, none()));
            }
            assert_stays(text, language, &|header| {
                (Subject::Sizeof("integer".into()), vec![header])
            });
        }
    }
    let word = || String::from("a");
    let is_word = text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$');
    for language in [Language::C, Language::Cxx, Language::Fortran] {
        let stays = |place: &dyn Fn(String) -> Subject| {
            assert_stays_balanced(text, language, &|fragment| (place(fragment), none()));
        };
        if fragment::name_or_type(text, language).is_ok() && !is_word {
            accepted[1] += 1;
            stays(&Subject::Type);
            stays(&Subject::Sizeof);
            if language != Language::Fortran {
                stays(&Subject::Symbol);
                stays(&Subject::Alignment);
                stays(&|of| Subject::Member { of, member: word() });
                stays(&|member| Subject::Member { of: word(), member });
                stays(&|return_type| Subject::Prototype {
                    function: word(),
                    return_type,
                    arguments: vec![],
                });
                stays(&|argument| Subject::Prototype {
                    function: word(),
                    return_type: word(),
                    arguments: vec![argument.clone(), argument],
                });
            }
        }
        if fragment::expression(text, language).is_ok() {
            accepted[2] += 1;
            stays(&Subject::ComputeInt);
        }
    }
    accepted
}
