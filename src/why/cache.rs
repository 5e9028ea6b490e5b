//! The entries of a CMakeCache.txt.

use std::path::Path;

use serde::Serialize;

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct CacheEntry {
    /// Its name.
    pub name: String,
    /// Its type, such as `INTERNAL`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its value.
    pub value: String,
    /// What CMake or the project says of it.
    pub help: String,
}

impl CacheEntry {
    /// Whether CMake takes the value for true.
    pub(crate) fn is_true(&self) -> bool {
        let value = self.value.to_ascii_uppercase();
        let is_false = ["", "0", "OFF", "NO", "FALSE", "N", "IGNORE", "NOTFOUND"];
        !is_false.contains(&value.as_str()) && !value.ends_with("-NOTFOUND")
    }
}

/// The entries of the cache of a build directory. `None` if it has none.
pub(crate) fn read(build: &Path) -> Option<Vec<CacheEntry>> {
    let bytes = std::fs::read(build.join("CMakeCache.txt")).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let mut entries = Vec::new();
    let mut help = String::new();
    for line in text.lines() {
        match line.strip_prefix("//") {
            Some(more) => help.push_str(more),
            None => entries.extend(entry(line, std::mem::take(&mut help))),
        }
    }
    Some(entries)
}

/// The entry of a line. A name with a colon is in quotes, a value with blanks at its ends in apostrophes.
fn entry(line: &str, help: String) -> Option<CacheEntry> {
    let (name, rest) = match line.strip_prefix('"') {
        Some(quoted) => quoted.split_once("\":")?,
        None if line.starts_with('#') => return None,
        None => line.split_once(':')?,
    };
    let (kind, value) = rest.split_once('=')?;
    let bare = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
    let [name, kind, value] = [name, kind, bare.unwrap_or(value)].map(str::to_owned);
    Some(CacheEntry { name, kind, value, help })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_entries_are_read() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()), None);
        let text = "# comment: a=b\n\n//Have function\n// fork\nHAVE_FORK:INTERNAL=1\n\"a:b\":STRING=' c=d '\nEMPTY:BOOL=\n";
        std::fs::write(dir.path().join("CMakeCache.txt"), text).unwrap();
        let entry = |name: &str, kind: &str, value: &str, help: &str| {
            let [name, kind, value, help] = [name, kind, value, help].map(str::to_owned);
            CacheEntry { name, kind, value, help }
        };
        let entries = read(dir.path()).unwrap();
        let expected = [
            entry("HAVE_FORK", "INTERNAL", "1", "Have function fork"),
            entry("a:b", "STRING", " c=d ", ""),
            entry("EMPTY", "BOOL", "", ""),
        ];
        assert_eq!(entries, expected);
        assert_eq!(
            entries.iter().map(CacheEntry::is_true).collect::<Vec<_>>(),
            [true, true, false]
        );
        for value in ["NO", "off", "0", "A-NOTFOUND"] {
            assert!(
                !CacheEntry { value: value.into(), ..expected[0].clone() }.is_true(),
                "{value}"
            );
        }
    }
}
