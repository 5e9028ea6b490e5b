//! Locations in a request: paths such as `checks[3].kind`, and the line and column of a path in the
//! JSON text.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::code::{Code, Reason};

/// Why a request is invalid, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
pub struct BadRequest {
    /// What is wrong, as a code for programs.
    pub code: Code,
    /// What is wrong and what to do.
    pub message: String,
    /// The field, such as `checks[3].kind`, or the command-line option.
    pub path: Option<String>,
    /// Line of the JSON text, from 1.
    pub line: Option<usize>,
    /// Column of that line in characters, from 1.
    pub column: Option<usize>,
}

impl BadRequest {
    /// An error of the request as a whole.
    pub(crate) fn whole(code: Code, message: impl Into<String>) -> Self {
        BadRequest { code, message: message.into(), path: None, line: None, column: None }
    }

    /// An error at a location. Finds its line and column if the request has a text.
    pub(crate) fn at(
        code: Code,
        message: impl Into<String>,
        path: &Location,
        text: Option<&str>,
    ) -> Self {
        let position = text.and_then(|text| Some(line_and_column(text, offset_of(text, path)?)));
        BadRequest {
            code,
            message: message.into(),
            path: Some(path.to_string()).filter(|path| !path.is_empty()),
            line: position.map(|(line, _)| line),
            column: position.map(|(_, column)| column),
        }
    }
}

impl fmt::Display for BadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", on_one_line(path))?;
        }
        f.write_str(&on_one_line(&self.message))?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, " (line {line}, column {column})")?;
        }
        Ok(())
    }
}

/// What is wrong with a check, and in which field.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The field, and the index in it if an element is wrong.
    pub field: Option<(&'static str, Option<usize>)>,
    /// The code for programs.
    pub code: Code,
    /// The message for people.
    pub message: String,
}

impl Fault {
    /// A fault of the check as a whole.
    pub(crate) fn whole(code: Code, message: impl Into<String>) -> Self {
        Fault { field: None, code, message: message.into() }
    }

    /// A fault of one field.
    pub(crate) fn of(code: Code, field: &'static str, message: impl Into<String>) -> Self {
        Fault { field: Some((field, None)), ..Fault::whole(code, message) }
    }

    /// An invalid value of a field.
    pub(crate) fn of_value(field: &'static str, message: impl Into<String>) -> Self {
        Fault::of(Code::InvalidValue, field, message)
    }

    /// An invalid element of a field.
    pub(crate) fn of_element(
        field: &'static str,
        index: usize,
        message: impl Into<String>,
    ) -> Self {
        Fault { field: Some((field, Some(index))), ..Fault::whole(Code::InvalidValue, message) }
    }
}

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        Fault::whole(reason.code, reason.text)
    }
}

/// Text with its control characters escaped. A request may contain any name, and an error message
/// must stay on one line and not confuse a terminal.
fn on_one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return text.into();
    }
    let spelled = |c: char| if c.is_control() { c.escape_debug().to_string() } else { c.into() };
    text.chars().map(spelled).collect()
}

/// A location in a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Key(String),
    Index(usize),
    /// A check from the command line, which is not in any JSON text.
    Flag(String),
}

impl Location {
    /// The request itself.
    pub(crate) fn root() -> Self {
        Location::default()
    }

    /// The location of a command-line option.
    pub(crate) fn flag(option: &str) -> Self {
        Location(vec![Segment::Flag(option.into())])
    }

    /// A field at this location. A command-line option has no fields.
    pub(crate) fn key(mut self, key: &str) -> Self {
        if !matches!(self.0.first(), Some(Segment::Flag(_))) {
            self.0.push(Segment::Key(key.into()));
        }
        self
    }

    /// An element at this location.
    pub(crate) fn index(mut self, index: usize) -> Self {
        if !matches!(self.0.first(), Some(Segment::Flag(_))) {
            self.0.push(Segment::Index(index));
        }
        self
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Segment::Key(key) if position == 0 => write!(f, "{key}")?,
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Flag(option) => write!(f, "{option}")?,
            }
        }
        Ok(())
    }
}

impl From<&serde_path_to_error::Path> for Location {
    fn from(path: &serde_path_to_error::Path) -> Self {
        use serde_path_to_error::Segment as Given;
        Location(
            path.iter()
                .filter_map(|segment| match segment {
                    Given::Seq { index } => Some(Segment::Index(*index)),
                    Given::Map { key } => Some(Segment::Key(key.clone())),
                    Given::Enum { .. } | Given::Unknown => None,
                })
                .collect(),
        )
    }
}

/// The line and column of a byte offset. Both count from 1; the column counts characters.
pub(crate) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    // Continuation bytes of UTF-8 do not count as characters.
    let column = before[line_start..].iter().filter(|&&byte| byte & 0xC0 != 0x80).count() + 1;
    (line, column)
}

/// The byte offset of the value at `path`, or of its nearest existing ancestor. `None` if the text
/// is not valid JSON up to that point.
fn offset_of(text: &str, path: &Location) -> Option<usize> {
    let mut scanner = Scanner { bytes: text.as_bytes(), at: 0 };
    scanner.skip_space();
    let mut found = scanner.at;
    for step in &path.0 {
        let there = match step {
            Segment::Key(key) => scanner.enter_key(key)?,
            Segment::Index(index) => scanner.enter_index(*index)?,
            Segment::Flag(_) => return None,
        };
        if !there {
            break;
        }
        found = scanner.at;
    }
    Some(found)
}

/// The value at `path`; `None` if its text is not valid JSON.
pub(crate) fn value_at(text: &str, path: &Location) -> Option<serde_json::Value> {
    let from = offset_of(text, path)?;
    serde_json::Deserializer::from_str(&text[from..]).into_iter().next()?.ok()
}

/// Walks over JSON text without building values. serde_json keeps no positions, and a parser that
/// does would be a second parser with its own rules. This one only has to find its way through text
/// that serde_json has already read.
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.skip_space();
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Moves from an object to the value of a key. Returns whether the key exists.
    fn enter_key(&mut self, wanted: &str) -> Option<bool> {
        if self.expect(b'{').is_none() {
            return Some(false);
        }
        loop {
            self.skip_space();
            if self.peek()? == b'}' {
                return Some(false);
            }
            let start = self.at;
            self.skip_string()?;
            let key: String = serde_json::from_slice(&self.bytes[start..self.at]).ok()?;
            self.expect(b':')?;
            self.skip_space();
            if key == wanted {
                return Some(true);
            }
            self.skip_value()?;
            if self.expect(b',').is_none() {
                return Some(false);
            }
        }
    }

    /// Moves from an array to an element. Returns whether the element exists.
    fn enter_index(&mut self, wanted: usize) -> Option<bool> {
        if self.expect(b'[').is_none() {
            return Some(false);
        }
        for _ in 0..wanted {
            self.skip_value()?;
            if self.expect(b',').is_none() {
                return Some(false);
            }
        }
        self.skip_space();
        Some(self.peek()? != b']')
    }

    fn skip_string(&mut self) -> Option<()> {
        self.expect(b'"')?;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(())
    }

    fn skip_value(&mut self) -> Option<()> {
        self.skip_space();
        let mut depth = 0usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.skip_string()?;
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                _ => self.at += 1,
            }
            if depth == 0
                && matches!(
                    self.peek(),
                    None | Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t')
                )
            {
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\"checks\": [\n  {\"id\": \"a\\\"]}\", \"é\": [1, {\"x\": 2}]},\n  {\"id\": \"b\", \"kind\": \"heder\"}\n]}";

    fn position(path: Location) -> Option<(usize, usize)> {
        offset_of(TEXT, &path).map(|offset| line_and_column(TEXT, offset))
    }

    #[test]
    fn values_after_escapes_and_nesting_are_found() {
        let checks = || Location::root().key("checks");
        assert_eq!(position(checks().index(1).key("kind")), Some((3, 23)));
        assert_eq!(position(checks().index(0).key("é").index(1).key("x")), Some((2, 34)));
    }

    #[test]
    fn the_parent_locates_what_is_missing() {
        let checks = || Location::root().key("checks");
        assert_eq!(position(checks().index(1).key("header")), Some((3, 3)));
        assert_eq!(position(checks().index(7)), Some((1, 12)));
        assert_eq!(position(Location::flag("--header x")), None);
    }

    #[test]
    fn paths_read_as_in_javascript() {
        assert_eq!(
            Location::root().key("checks").index(3).key("kind").to_string(),
            "checks[3].kind"
        );
    }
}
