//! What differs between two answers to one question.

use std::path::PathBuf;

use super::wire::Answer;

impl Answer {
    /// What another answer to the same question has that this one has not; for people.
    pub(super) fn difference(&self, other: &Answer, outputs: &[PathBuf]) -> Option<String> {
        if self.status != other.status {
            return Some(format!("exit status {} instead of {}", self.status, other.status));
        }
        for (what, one, two) in
            [("standard output", &self.out, &other.out), ("standard error", &self.err, &other.err)]
        {
            if without_temporary(one) != without_temporary(two) {
                return Some(what.into());
            }
        }
        let mut pairs = self.after.iter().zip(&other.after).zip(outputs);
        // What was there before may be left as it was, or be written again with the same contents.
        let (_, path) = pairs.find(|((one, two), _)| one != two)?;
        Some(path.display().to_string())
    }
}

/// A text without the names of temporary files, which are new in each run: `/tmp/ccXXXXXX.o`.
fn without_temporary(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut parts = text.split("/cc");
    let mut all = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let name: usize = part.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let is_temporary = name >= 6 && part[6..].starts_with(['.', ' ', '"', '\'', ':', '\n']);
        all.push_str("/cc");
        all.push_str(if is_temporary { &part[6..] } else { part });
    }
    all
}
