//! The words of a shell command.

/// The words of a command, if it is a single plain one: everything that a shell would do beyond
/// quoting is refused.
pub(super) fn of(command: &str) -> Option<Vec<String>> {
    is_plain(command).then(|| shlex::split(command)).flatten()
}

/// Whether a shell would only split this and remove quotes.
fn is_plain(command: &str) -> bool {
    #[derive(PartialEq)]
    enum Quote {
        No,
        Single,
        Double,
    }
    let mut quote = Quote::No;
    let mut at_start = true;
    let mut chars = command.chars();
    while let Some(char) = chars.next() {
        let starts_word = std::mem::replace(&mut at_start, char == ' ' || char == '\t');
        match (&quote, char) {
            (Quote::Single, '\'') | (Quote::Double, '"') => quote = Quote::No,
            (Quote::Single, _) => (),
            (Quote::No, '\'') => quote = Quote::Single,
            (Quote::No, '"') => quote = Quote::Double,
            (_, '\\') => {
                if chars.next().is_none_or(|next| next == '\n') {
                    return false;
                }
            }
            (_, '$' | '`') => return false,
            (Quote::Double, _) => (),
            (
                Quote::No,
                ';' | '&' | '|' | '<' | '>' | '(' | ')' | '*' | '?' | '[' | '\n' | '\r',
            ) => {
                return false;
            }
            (Quote::No, '{' | '}' | '!') => return false,
            (Quote::No, '#' | '~') if starts_word => return false,
            (Quote::No, _) => (),
        }
    }
    quote == Quote::No
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_removed() {
        for (command, words) in [
            ("cc -O2  -c a.c", &["cc", "-O2", "-c", "a.c"][..]),
            (r#"cc '-DX="a b"' -DY=\"z\" "p q""#, &["cc", r#"-DX="a b""#, r#"-DY="z""#, "p q"]),
            ("cc -I/b#c a~b ''", &["cc", "-I/b#c", "a~b", ""]),
            ("", &[]),
        ] {
            assert_eq!(of(command).unwrap(), words, "{command}");
        }
    }

    #[test]
    fn what_only_a_shell_can_do_is_refused() {
        for command in [
            "a; b", "a && b", "a | b", "a > b", "$A", "\"$A\"", "`a`", "(a)", "*.c", "a?", "[a]",
            "# a", "~/a", "{a,b}", "'a", "\"a", "a\\", "a\nb", "!a",
        ] {
            assert_eq!(of(command), None, "{command}");
        }
    }
}
