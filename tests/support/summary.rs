//! The line with which tryall sums up a configure step.

use regex_lite::Regex;
use serde::{Deserialize, Serialize};

/// How the checks of a configure step were answered.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub checks: u32,
    pub stored: u32,
    pub foreseen: u32,
    pub asked: u32,
    pub by_cmake: u32,
}

impl Summary {
    /// Reads the last summary line. Words whose number is 0 may be missing.
    pub fn of(stdout: &str) -> Option<Summary> {
        let line = stdout.lines().rfind(|line| line.starts_with("-- tryall: "))?;
        let number = |what: &str| {
            let found = Regex::new(&format!(r"(\d+) {what}\b")).unwrap().captures(line)?;
            found[1].parse::<u32>().ok()
        };
        let checks = number("checks?")?;
        let by_cmake = number("by CMake").unwrap_or_default();
        let [stored, foreseen, asked] =
            ["stored", "foreseen", "asked"].map(|what| number(what).unwrap_or_default());
        Some(Summary { checks, stored, foreseen, asked, by_cmake })
    }

    /// The checks that tryall has answered.
    pub fn answered(&self) -> u32 {
        self.checks.saturating_sub(self.by_cmake)
    }
}
