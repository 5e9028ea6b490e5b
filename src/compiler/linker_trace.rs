//! Parses GNU ld's trace of names (`-y`).

/// One line of GNU ld's output for `-y`.
#[derive(Debug)]
pub(crate) struct Trace<'a> {
    /// The file that refers to the name or defines it.
    pub file: &'a str,
    /// Whether the file defines the name.
    pub is_definition: bool,
    /// The name.
    pub name: &'a str,
}

/// Parses a line of GNU ld's output for `-y`. Without a regular expression: an inventory has
/// thousands of these lines.
pub(crate) fn parse_trace_line(line: &str) -> Option<Trace<'_>> {
    let (rest, name) = line.rsplit_once(' ')?;
    let (rest, is_definition) = match rest.strip_suffix(": definition of") {
        Some(rest) => (rest, true),
        None => (rest.strip_suffix(": reference to")?, false),
    };
    let (linker, file) = rest.split_once(": ")?;
    let is_linker = linker.contains("ld") && !linker.contains(char::is_whitespace);
    (is_linker && !file.is_empty() && !name.is_empty()).then_some(Trace {
        file,
        is_definition,
        name,
    })
}
