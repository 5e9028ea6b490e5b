//! Values in what a compiler writes: integers and byte orders in object files, and macro expansions
//! in preprocessed text. The generators in [`crate::source`] put them there.

use std::fmt::Display;
use std::path::Path;

use crate::bytes;
use crate::protocol::code::{Code, Reason};

/// Precedes an integer in an object file.
pub(crate) const OPEN: &str = "tryall(";
/// Follows it.
pub(crate) const CLOSE: char = ')';
/// The sign of a number whose digits are those of its complement (`~x`, that is `-1 - x`). Other
/// numbers have a plus or a minus.
pub(crate) const COMPLEMENT: char = '~';
/// How many digits a number has, in base 16 with `a` for 0.
pub(crate) const DIGITS: usize = 16;

/// The texts in an object file for little and for big endian.
pub(crate) const BYTE_ORDER_TEXTS: [&str; 2] = ["tryall(little)", "tryall(big)"];

/// The tokens before and after a macro in preprocessed text.
pub(crate) const EXPANSION_MARKS: (&str, &str) =
    ("tryall_expansion_starts", "tryall_expansion_ends");

/// Why a macro has no expansion although the preprocessor succeeded.
pub(crate) fn not_defined() -> Reason {
    Reason::new(Code::NotDefined, "the macro is not defined")
}

/// A macro of our own and its expansion. Each is a word of its own in preprocessed text.
pub(crate) const SENTINEL_MACRO: (&str, &str) = ("TRYALL_NOT_EXPANDED", "tryall_expanded");
/// A word on lines that a preprocessor skips.
pub(crate) const SENTINEL_SKIPPED: &str = "tryall_not_skipped";

/// The largest file to read, in bytes. No compiler makes a larger one from a check.
const LARGEST_PRODUCT: u64 = 256 << 20;

/// Reads a file that a compiler has written. `None` if it is too large, or not a regular file.
pub(crate) fn read_product(path: &Path) -> Option<Vec<u8>> {
    let meta = std::fs::metadata(path).ok()?;
    (meta.is_file() && meta.len() <= LARGEST_PRODUCT).then(|| std::fs::read(path).ok())?
}

/// How often a value occurs in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found<T> {
    /// The value does not occur. It may be hidden, for example by link-time optimization.
    Nothing,
    /// One value occurs.
    One(T),
    /// Different values occur, as in a file for several architectures.
    Several,
    /// The value does not fit into 64 bits.
    TooLarge,
}

/// The integer in an object file or program.
pub(crate) fn integer(file: &[u8]) -> Found<i128> {
    integer_behind(file, OPEN)
}

/// Replaces [`OPEN`] for an integer that shares an object file with others.
pub(crate) fn open_numbered(number: impl Display) -> String {
    format!("tryall{number:08}(")
}

/// The integer after the text `open`.
pub(crate) fn integer_behind(file: &[u8], open: &str) -> Found<i128> {
    let mut found = Found::Nothing;
    for start in bytes::positions(file, open.as_bytes()) {
        let Some(text) = file.get(start + open.len()..start + open.len() + DIGITS + 3) else {
            continue;
        };
        let (sign, beyond, digits) = (text[0], text[1], &text[2..2 + DIGITS]);
        let well_formed = [b'+', b'-', COMPLEMENT as u8].contains(&sign)
            && matches!(beyond, b'a' | b'z')
            && digits.iter().all(|digit| (b'a'..b'a' + 16).contains(digit))
            && text[2 + DIGITS] == CLOSE as u8;
        if !well_formed {
            continue;
        }
        if beyond == b'z' {
            return Found::TooLarge;
        }
        let magnitude =
            digits.iter().fold(0i128, |value, digit| value * 16 + i128::from(digit - b'a'));
        let value = match sign {
            b'+' => magnitude,
            b'-' => -magnitude,
            _ => !magnitude,
        };
        if value < i128::from(i64::MIN) {
            return Found::TooLarge;
        }
        found = found.and(value);
    }
    found
}

/// The byte order of an object file or program.
pub(crate) fn byte_order(file: &[u8]) -> Found<&'static str> {
    let mut found = Found::Nothing;
    for (text, order) in std::iter::zip(BYTE_ORDER_TEXTS, ["little", "big"]) {
        if bytes::contains(file, text.as_bytes()) {
            found = found.and(order);
        }
    }
    found
}

impl<T: PartialEq> Found<T> {
    fn and(self, value: T) -> Self {
        match self {
            Found::Nothing => Found::One(value),
            Found::One(known) if known == value => Found::One(value),
            _ => Found::Several,
        }
    }
}

/// The expansion of a macro, from the preprocessor's output; `None` if the macro is not defined.
///
/// If the expansion comes from another file, preprocessors insert line breaks and line markers.
pub(crate) fn expansion(preprocessed: &str) -> Option<String> {
    let (open, close) = EXPANSION_MARKS;
    let start = preprocessed.rfind(open)? + open.len();
    let end = start + preprocessed[start..].find(close)?;
    let lines = preprocessed[start..end].lines().filter(|line| !line.starts_with('#'));
    let words: Vec<_> = lines.map(str::trim).filter(|line| !line.is_empty()).collect();
    Some(words.join(" "))
}

/// Whether a preprocessor expanded macros and skipped lines, judging by the sentinels at the end of
/// its output. With some arguments it does only one of these, or writes something else entirely.
pub(crate) fn was_preprocessed(output: &str) -> bool {
    let (name, expansion) = SENTINEL_MACRO;
    // It may also write the definitions of macros, as directives.
    let lines = output.lines().filter(|line| !line.trim_start().starts_with('#'));
    let mut expanded = false;
    for word in lines.flat_map(str::split_whitespace) {
        if word == name || word == SENTINEL_SKIPPED {
            return false;
        }
        expanded |= word == expansion;
    }
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(values: &[&str]) -> Vec<u8> {
        let mut file = b"\x7fELF tryall( tryall(+atooshort)".to_vec();
        for value in values {
            file.extend_from_slice(format!("\0{OPEN}{value}{CLOSE}\0").as_bytes());
        }
        file
    }

    #[test]
    fn reads_integers() {
        assert_eq!(integer(&file(&[])), Found::Nothing);
        assert_eq!(integer(&file(&["+aaaaaaaaaaaaaaaai"])), Found::One(8));
        assert_eq!(integer(&file(&["+apppppppppppppppp"])), Found::One(u64::MAX.into()));
        assert_eq!(integer(&file(&["-aiaaaaaaaaaaaaaaa"])), Found::One(i64::MIN.into()));
        assert_eq!(integer(&file(&["~aaaaaaaaaaaaaaaag"])), Found::One(-7));
        assert_eq!(integer(&file(&["~ahppppppppppppppp"])), Found::One(i64::MIN.into()));
        assert_eq!(integer(&file(&["~aiaaaaaaaaaaaaaaa"])), Found::TooLarge);
        assert_eq!(integer(&file(&["-apppppppppppppppp"])), Found::TooLarge);
        assert_eq!(integer(&file(&["+zaaaaaaaaaaaaaaaa"])), Found::TooLarge);
        let twice = ["+aaaaaaaaaaaaaaaai"; 2];
        assert_eq!(integer(&file(&twice)), Found::One(8));
        assert_eq!(integer(&file(&[twice[0], "+aaaaaaaaaaaaaaaae"])), Found::Several);
    }

    #[test]
    fn an_expansion_may_span_line_markers() {
        let text = "x\ntryall_expansion_starts \n# 3 \"a.h\" 3 4\n(1\n# 4 \"a.c\"\n+ 2) tryall_expansion_ends\n";
        assert_eq!(expansion(text).as_deref(), Some("(1 + 2)"));
        assert_eq!(expansion("tryall_expansion_starts tryall_expansion_ends").as_deref(), Some(""));
        assert_eq!(expansion("nothing"), None);
    }

    #[test]
    fn knows_what_was_not_preprocessed() {
        let (name, expansion) = SENTINEL_MACRO;
        let define = format!("#define {name} {expansion}\n");
        for preprocessed in [
            format!("# 1 \"a.c\"\n\n{expansion}\n"),
            // Flang indents; others join lines, or also write macro definitions.
            format!("      {expansion}\n"),
            format!("int x; {expansion}"),
            format!("{define}\n{expansion}\n"),
            format!("{expansion}\n{define}"),
        ] {
            assert!(was_preprocessed(&preprocessed), "{preprocessed}");
        }
        for other in [
            String::new(),
            "a.o: a.c\n".into(),
            define.clone(),
            // Only directives were processed, or none were.
            format!("{define}{name}\n"),
            format!("{define}#if 0\n{SENTINEL_SKIPPED}\n#endif\n{name}\n"),
            format!("#if 0\n{SENTINEL_SKIPPED}\n#endif\n{expansion}\n"),
            format!("int {expansion}_too;\n"),
        ] {
            assert!(!was_preprocessed(&other), "{other}");
        }
    }
}
