//! Pieces of source text in a request (names, types, expressions), and what each may contain. A
//! piece must not end the statement around it, open a comment, or start a line. Otherwise the
//! generated source would ask another question than the request.

use crate::protocol::language::Language;

/// Why a piece is refused. The caller knows the field.
pub(crate) type Refusal = String;

/// Accepts a header name as between `<` and `>`.
pub(crate) fn header(name: &str) -> Result<(), Refusal> {
    not_empty(name)?;
    one_line(name)?;
    match name.chars().find(|c| ['<', '>', '"'].contains(c)) {
        Some(c) => {
            Err(format!("{name:?} contains {c}; give a header's name without quotes or brackets"))
        }
        None => Ok(()),
    }
}

/// Accepts a C identifier. Most compilers allow dollar signs and letters beyond ASCII in it.
pub(crate) fn identifier(name: &str) -> Result<(), Refusal> {
    not_empty(name)?;
    let good = |c: char| {
        c == '_' || c == '$' || c.is_ascii_alphanumeric() || !c.is_ascii() && c.is_alphanumeric()
    };
    if name.chars().all(good) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        Ok(())
    } else {
        Err(format!("{name:?} is not an identifier"))
    }
}

/// Accepts a library name as after `-l`, or a path.
pub(crate) fn library(name: &str) -> Result<(), Refusal> {
    not_empty(name)?;
    one_line(name)?;
    match name.chars().next() {
        Some(first @ ('-' | '@')) => Err(format!(
            "{name:?} starts with {first}; give the library's name as after -l, or a path"
        )),
        _ => Ok(()),
    }
}

/// Accepts a type, a member or a symbol.
pub(crate) fn name_or_type(text: &str, language: Language) -> Result<(), Refusal> {
    if let Some(quote) = text.chars().find(|c| ['"', '\''].contains(c)) {
        return Err(format!("{text:?} contains {quote}"));
    }
    expression(text, language)
}

/// Accepts an expression on one line with balanced brackets, closed literals, and no comments.
pub(crate) fn expression(text: &str, language: Language) -> Result<(), Refusal> {
    not_empty(text)?;
    one_line(text)?;
    match language {
        Language::Fortran => fortran_expression(text),
        _ => c_expression(text),
    }
}

fn c_expression(text: &str) -> Result<(), Refusal> {
    let mut open = Vec::new();
    let mut quote = None;
    // The name or number that ends before the current character.
    let mut word = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let before = std::mem::take(&mut word);
        let is_number = before.starts_with(|c: char| c.is_ascii_digit());
        let continues_word = match c {
            '.' => is_number,
            '+' | '-' => is_number && before.ends_with(['e', 'E', 'p', 'P']),
            c => in_word(c),
        };
        if quote.is_none() && continues_word {
            word = before;
            word.push(c);
            continue;
        }
        if let Some(closing) = quote {
            match c {
                '\\' if chars.next().is_none() => return stray(text, '\\'),
                _ if c == closing => quote = None,
                _ => {}
            }
            continue;
        }
        match c {
            // 1'000 is a number.
            '\'' if is_number && chars.peek().is_some_and(|c| in_word(*c)) => {
                word = before;
            }
            // The end of a raw string follows other rules.
            '"' if ["R", "LR", "uR", "UR", "u8R"].contains(&before.as_str()) => {
                return Err(format!("{text:?} contains a raw string"));
            }
            '"' | '\'' => quote = Some(c),
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(c) => return stray(text, c),
            // A backslash may splice lines, or spell a name that these checks cannot see. A # at
            // the start of a line would make it a directive.
            '\\' | '#' => return stray(text, c),
            ';' if !open.contains(&'}') => return stray(text, c),
            '/' if matches!(chars.peek(), Some('/' | '*')) => {
                return Err(format!("{text:?} contains a comment"));
            }
            // Digraphs and trigraphs are alternative spellings of brackets and line splices.
            '<' if chars.peek() == Some(&'%') => return stray(text, '%'),
            '%' if matches!(chars.peek(), Some('>' | ':')) => return stray(text, '%'),
            ':' if chars.peek() == Some(&'>') => return stray(text, '>'),
            // In A<::B>, the bracket is followed by a name.
            '<' if chars.peek() == Some(&':') && chars.clone().nth(1) != Some(':') => {
                return stray(text, ':');
            }
            '?' if chars.peek() == Some(&'?') => return stray(text, '?'),
            _ => {}
        }
    }
    all_closed(text, quote, open.pop())
}

fn all_closed(text: &str, quote: Option<char>, bracket: Option<char>) -> Result<(), Refusal> {
    match quote.or(bracket) {
        Some(missing) => Err(format!("{text:?} lacks a closing {missing}")),
        None => Ok(()),
    }
}

/// In Fortran, other characters start a comment, continue a line, or end a statement. A quote
/// inside a literal is doubled, which is equivalent to two literals here.
fn fortran_expression(text: &str) -> Result<(), Refusal> {
    let mut open = Vec::new();
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(closing) if c == closing => quote = None,
            // Some compilers treat a backslash as an escape character.
            Some(_) if c != '\\' => {}
            _ => match c {
                '"' | '\'' => quote = Some(c),
                '(' => open.push(')'),
                '[' => open.push(']'),
                ')' | ']' if open.pop() != Some(c) => return stray(text, c),
                '!' | '&' | ';' | '\\' | '#' | '{' | '}' => return stray(text, c),
                _ => {}
            },
        }
    }
    all_closed(text, quote, open.pop())
}

fn stray<T>(text: &str, what: char) -> Result<T, Refusal> {
    Err(format!("{text:?} has a stray {what:?}"))
}

/// Accepts an argument of a process.
pub(crate) fn argument(text: &str) -> Result<(), Refusal> {
    if text.contains('\0') {
        return Err(format!("{text:?} contains a NUL byte, which no argument can"));
    }
    Ok(())
}

/// Accepts the id of a check.
pub(crate) fn id(text: &str) -> Result<(), Refusal> {
    not_empty(text)?;
    one_line(text)
}

fn in_word(c: char) -> bool {
    c == '_' || c == '$' || c.is_alphanumeric()
}

fn not_empty(text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() { Err("it is empty".into()) } else { Ok(()) }
}

fn one_line(text: &str) -> Result<(), Refusal> {
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(format!("{text:?} contains the control character {c:?}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_of_real_projects_are_accepted() {
        for good in [
            "struct stat",
            "long long",
            "unsigned char[3]",
            "std::map<int, std::vector<char> >",
            "std::vector<::size_t>",
            "struct { int x; char y; }",
            "void (*)(int)",
            "st_mtim.tv_nsec",
            "basename(char *)",
        ] {
            assert_eq!(name_or_type(good, Language::Cxx), Ok(()), "{good}");
        }
        for good in [
            "sizeof(\"a)b\")",
            "'\\''",
            "1 << 3",
            "a / b",
            "EOF",
            "(int)-1",
            "1'000 + (2'000)",
            "sizeof(L\"a\" PRIR \"b\")",
        ] {
            assert_eq!(expression(good, Language::Cxx), Ok(()), "{good}");
        }
        for good in ["sys/epoll.h", "c++config.h", "boost/a b.hpp", "sys\\foo.h"] {
            assert_eq!(header(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn fragments_that_would_change_the_source_are_refused() {
        for bad in [
            "",
            " ",
            "int); system(\"x\"",
            "int)",
            "(int",
            "int;",
            "int\nx",
            "int // x",
            "int /* x",
            "a\\",
            "x ??/",
            "<% x",
            "a<:0",
            "a:>",
            "a\0",
            "\"a\"",
            "'a'",
            "int}{",
            "(]",
        ] {
            assert!(name_or_type(bad, Language::Cxx).is_err(), "{bad:?}");
        }
        for bad in [
            "'a",
            "\"a\\\"",
            "a \\ b",
            "# define x",
            "1'0) + (2'0",
            "1.e'_) + (1.e-'_",
            "R\"(\" ( \")\" )",
            "u8R\"(\" ( \")\" )",
        ] {
            assert!(expression(bad, Language::Cxx).is_err(), "{bad:?}");
        }
        for bad in ["integer :: a !", "1 + &", "'\\')", "(0'a) + [0'b]"] {
            assert!(expression(bad, Language::Fortran).is_err(), "{bad:?}");
        }
        for good in ["ichar('!')", "len('a' // 'b')", "ichar(1_'a')", "ichar('''')", "real(kind=8)"]
        {
            assert_eq!(expression(good, Language::Fortran), Ok(()), "{good}");
        }
        for bad in ["", "a\"b", "a>b", "<a.h>", "a\nb", "a\0b"] {
            assert!(header(bad).is_err(), "{bad:?}");
        }
        for bad in ["", "1a", "a b", "a;", "f()", "a-b"] {
            assert!(identifier(bad).is_err(), "{bad:?}");
        }
        for bad in ["-Wl,x", "@file", "", "a\n"] {
            assert!(library(bad).is_err(), "{bad:?}");
        }
    }
}
