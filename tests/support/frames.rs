//! Messages of CMake without what only tells of tryall's own CMake code.

use regex_lite::Regex;

/// Removes the door's frames from messages: the first remaining frame is the location.
pub fn without_frames(lines: &[&str]) -> String {
    // In the repository, or where `tryall cmake` has them.
    let files = Regex::new(r"/tryall/(Door|Policies|Verify)\.cmake:\d").unwrap();
    let ours = |line: &str| files.is_match(line);
    let place = Regex::new(r"^(CMake [A-Za-z ]+(?: \([a-z]+\))?) at (.*):$").unwrap();
    let mut kept: Vec<String> = Vec::new();
    let mut head = None;
    let mut in_stack = false;
    for line in lines {
        if place.is_match(line) {
            head = ours(line).then_some(kept.len());
            in_stack = false;
        } else if *line == "Call Stack (most recent call first):" {
            in_stack = true;
        } else if in_stack && ours(line) {
            continue;
        } else if in_stack && line.starts_with("  ") && head.is_some() {
            let at = head.take().unwrap();
            let kind = place.captures(&kept[at]).unwrap()[1].to_string();
            kept[at] = format!("{kind} at {}:", line.trim());
            continue;
        } else if !line.starts_with("  ") {
            in_stack = false;
        }
        kept.push((*line).into());
    }
    // A stack without remaining frames.
    let mut text = kept.join("\n") + "\n";
    let empty = Regex::new(r"Call Stack \(most recent call first\):\n([^ ]|$)").unwrap();
    text = empty.replace_all(&text, "$1").into_owned();
    text
}
