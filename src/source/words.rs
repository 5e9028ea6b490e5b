//! Words and directives of C, and lines that reject words that are macros of a header. A macro may
//! expand to anything, such as the end of the construct around it, or a pragma.

/// All words of a text: names, keywords and numbers.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c != '_' && !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

/// All words of a text that are not numbers.
pub(crate) fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    words(text).filter(|word| !word.starts_with(|c: char| c.is_ascii_digit()))
}

/// Words that the preprocessor replaces by a time.
pub(crate) const OF_TIME: [&str; 3] = ["__DATE__", "__TIMESTAMP__", "__TIME__"];

/// Words that the preprocessor replaces by the time, or by the name or place of a file.
const OF_TIME_OR_PLACE: [&str; 7] = [
    "__BASE_FILE__",
    "__DATE__",
    "__FILE__",
    "__FILE_NAME__",
    "__INCLUDE_LEVEL__",
    "__TIMESTAMP__",
    "__TIME__",
];

/// The first word in a text that means something else at another time or place.
pub(crate) fn of_time_or_place(text: &str) -> Option<&'static str> {
    OF_TIME_OR_PLACE.into_iter().find(|word| text.contains(word))
}

/// Lines that do not compile if any of these names is a macro; empty without names.
pub(crate) fn no_macros<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let defined: Vec<_> = names.into_iter().map(|name| format!("defined {name}")).collect();
    if defined.is_empty() {
        return String::new();
    }
    format!("#if {}\n#error \"a word of this source is a macro\"\n#endif\n", defined.join(" || "))
}

/// A preprocessor directive, such as `#include <stdio.h>`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Directive {
    /// The byte offset of its line in the text.
    pub start: usize,
    /// The text after the `#`, without comments and line splices.
    pub text: String,
}

impl Directive {
    /// The text after the name, if the directive has this name.
    pub(crate) fn after(&self, name: &str) -> Option<&str> {
        self.text.strip_prefix(name).filter(|rest| !rest.starts_with(is_in_word))
    }
}

fn is_in_word(c: char) -> bool {
    c == '_' || c == '$' || c.is_alphanumeric()
}

/// The directives in a text, found as in translation phases 2 to 4 of the C standard: lines are
/// spliced, comments become blanks, and literals hide both.
pub(crate) fn directives(text: &str) -> Vec<Directive> {
    #[derive(Clone, Copy, PartialEq)]
    enum Inside {
        Code,
        Literal(char),
        LineComment,
        BlockComment,
    }
    let mut found = Vec::new();
    let mut inside = Inside::Code;
    let (mut start, mut line) = (0, String::new());
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        if c == '\\' {
            let rest = &text[at + 1..];
            // GCC and Clang allow blanks between the backslash and the newline.
            let end = rest.find(|c: char| c == '\n' || !c.is_whitespace());
            if let Some(end) = end.filter(|end| rest[*end..].starts_with('\n')) {
                while chars.next_if(|(next, _)| *next <= at + 1 + end).is_some() {}
                continue;
            }
        }
        match inside {
            _ if c == '\n' && inside != Inside::BlockComment => {
                found.extend(directive(start, &line));
                (start, inside) = (at + 1, Inside::Code);
                line.clear();
                continue;
            }
            Inside::Code if c == '/' && matches!(next, Some('/' | '*')) => {
                inside = if next == Some('/') { Inside::LineComment } else { Inside::BlockComment };
                chars.next();
                line.push(' ');
                continue;
            }
            // 1'000 is a number.
            Inside::Code
                if c == '"' || c == '\'' && !line.ends_with(|c: char| c.is_ascii_digit()) =>
            {
                inside = Inside::Literal(c);
            }
            Inside::Literal(_) if c == '\\' => {
                line.push(c);
                line.extend(chars.next_if(|(_, next)| *next != '\n').map(|(_, next)| next));
                continue;
            }
            Inside::Literal(end) if c == end => inside = Inside::Code,
            Inside::BlockComment if c == '*' && next == Some('/') => {
                inside = Inside::Code;
                chars.next();
                continue;
            }
            _ => {}
        }
        if !matches!(inside, Inside::LineComment | Inside::BlockComment) {
            line.push(c);
        }
    }
    found.extend(directive(start, &line));
    found
}

/// Parses a spliced line without comments as a directive. `%:` and `??=` are other spellings of
/// `#`.
fn directive(start: usize, line: &str) -> Option<Directive> {
    let line = line.trim_start();
    let rest = ["#", "%:", "??="].iter().find_map(|hash| line.strip_prefix(hash))?;
    Some(Directive { start, text: rest.trim().into() })
}

/// Whether a text renumbers its lines, renames its file, or spells `#` in another way. Diagnostics are
/// assigned to sources by file name and line.
pub(crate) fn numbers_lines_anew(text: &str) -> bool {
    let directives = text.split('#').skip(1).map(str::trim_start);
    let numbers = directives.into_iter().any(|directive| {
        directive.starts_with("line") || directive.starts_with(|c: char| c.is_ascii_digit())
    });
    numbers || text.contains("%:") || text.contains("??")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        directives(text).into_iter().map(|directive| directive.text).collect()
    }

    #[test]
    fn directives_are_found_after_comments_and_splices() {
        for text in [
            "#include <a.h>",
            "  #  include <a.h>\n",
            "/* x */ #include <a.h>\n",
            "/* x\n y */#include <a.h>// z\n",
            "#/* x */include <a.h>",
            "# \\\ninclude <a.h>",
            "#inc\\\nlude <a.h>",
            "#inc\\ \nlude <a.h>",
            "%:include <a.h>",
            "??=include <a.h>",
            "int a; // x\n#include <a.h>\r\nint b;",
            "char *a = \"/*\";\n#include <a.h>\n",
            "char a = '\"';\n#include <a.h>\n",
            "int a = 1'000; /*\n*/\n#include <a.h>",
        ] {
            let found = texts(text);
            assert_eq!(found.len(), 1, "{text:?}: {found:?}");
            assert_eq!(found[0].split_whitespace().collect::<Vec<_>>(), ["include", "<a.h>"]);
        }
    }

    #[test]
    fn comments_and_literals_contain_no_directives() {
        for text in [
            "/* x\n#include <a.h>\n*/",
            "// x \\\n#include <a.h>\n",
            "int a; #include <a.h>",
            "char *a = \"\\\n#include <a.h>\";",
            "#define A \\\n#include <a.h>",
            "",
        ] {
            assert!(!texts(text).iter().any(|text| text.starts_with("include")), "{text:?}");
        }
    }

    #[test]
    fn a_directive_has_a_whole_name_and_a_place() {
        let text = "int a;\n/* x */ #define A 1\n#defined B\n";
        let found = directives(text);
        assert_eq!(found[0].start, 7);
        assert_eq!(found[0].after("define"), Some(" A 1"));
        assert_eq!(found[1].after("define"), None);
    }
}
