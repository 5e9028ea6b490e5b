//! What CMake asks: a text of records, each ended by [`SEPARATOR`].
//!
//! The first three are the version of this form, the command and the number of its arguments. The
//! arguments follow, then records that start with a letter, and at the end one that is a dot:
//!
//! | | |
//! | --- | --- |
//! | `P` | the policies that decide, as `0056=NEW;…` |
//! | `V` | a variable, as `NAME=VALUE` |
//! | `E` | an environment variable, likewise; empty if it is not set |
//! | `C` | the contents of a variable that holds a source, likewise |
//! | `T` | what a target is that is to be linked |
//! | `F` | a file with the whole environment |
//! | `Y` | nothing: CMake will answer the call, too, and compare |

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// Ends a record: ASCII's record separator.
pub(super) const SEPARATOR: char = '\x1e';

const VERSION: &str = "1";

/// What CMake asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    /// The command.
    pub command: Command,
    /// Its arguments.
    pub args: Vec<String>,
    /// The policies that decide, by number; those that are not set are empty.
    pub policies: BTreeMap<String, String>,
    /// CMake's variables; those that are not set are empty.
    pub variables: BTreeMap<String, String>,
    /// Environment variables; those that are not set are empty.
    pub environment: BTreeMap<String, String>,
    /// The contents of variables that hold sources.
    pub contents: HashMap<String, String>,
    /// The properties of the targets that are to be linked.
    pub targets: Vec<String>,
    /// A file with the whole environment.
    pub whole_environment: Option<PathBuf>,
    /// Whether CMake will answer the call, too, and compare.
    pub is_verified: bool,
    /// The directory that stands for another one in which files are not made yet, and that one.
    pub stands_for: Option<(PathBuf, PathBuf)>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// `try_compile`.
    TryCompile,
    /// `try_run`.
    TryRun,
    /// Nothing: the argument is the output of the call that CMake has answered.
    Learn,
    /// The summary, at the end.
    Summary,
}

/// Whether a text has been written to its end.
pub(super) fn is_complete(text: &[u8]) -> bool {
    text.ends_with(&[SEPARATOR as u8, b'.', SEPARATOR as u8])
}

impl Ask {
    /// Whether it is a call of one of CMake's commands.
    pub(super) fn is_call(&self) -> bool {
        matches!(self.command, Command::TryCompile | Command::TryRun)
    }

    /// Whether CMake asks it itself, to examine the compiler of a language: the check of
    /// `CMakeDetermineCompilerABI`, of all versions. Nobody counts it as a check of theirs.
    pub(super) fn is_detection(&self) -> bool {
        let name = self.args.first().map_or("", String::as_str);
        self.command == Command::TryCompile
            && name.starts_with("CMAKE_")
            && name.ends_with("_ABI_COMPILED")
    }

    /// Whether the generator builds one of several configurations.
    pub(super) fn has_configurations(&self) -> bool {
        self.variable("CMAKE_GENERATOR") == "Ninja Multi-Config"
    }

    /// Parses a text. `None` if it is not one of these.
    pub(super) fn parse(text: &str) -> Option<Ask> {
        let text = text.strip_suffix(SEPARATOR)?.strip_suffix('.')?.strip_suffix(SEPARATOR)?;
        let mut records = text.split(SEPARATOR);
        if records.next()? != VERSION {
            return None;
        }
        let command = match records.next()? {
            "try_compile" => Command::TryCompile,
            "try_run" => Command::TryRun,
            "learn" => Command::Learn,
            "summary" => Command::Summary,
            _ => return None,
        };
        let count = records.next()?.parse().ok()?;
        let args: Vec<_> = records.by_ref().take(count).map(str::to_owned).collect();
        if args.len() != count {
            return None;
        }
        let mut ask = Ask {
            command,
            args,
            policies: BTreeMap::new(),
            variables: BTreeMap::new(),
            environment: BTreeMap::new(),
            contents: HashMap::new(),
            targets: Vec::new(),
            whole_environment: None,
            is_verified: false,
            stands_for: None,
        };
        for record in records {
            let mut chars = record.chars();
            let (kind, rest) = (chars.next()?, chars.as_str());
            let pair = || rest.split_once('=').map(|(name, value)| (name.into(), value.into()));
            match kind {
                'P' => {
                    let pairs = rest.split(';').map(|policy| policy.split_once('='));
                    for pair in pairs {
                        let (number, value) = pair?;
                        ask.policies.insert(number.into(), value.into());
                    }
                }
                'V' => drop(ask.variables.insert(pair()?.0, pair()?.1)),
                'E' => drop(ask.environment.insert(pair()?.0, pair()?.1)),
                'C' => drop(ask.contents.insert(pair()?.0, pair()?.1)),
                'T' => ask.targets.push(rest.into()),
                'Y' => ask.is_verified = true,
                'F' => ask.whole_environment = Some(rest.into()),
                _ => return None,
            }
        }
        Some(ask)
    }

    /// Where a file is to be read.
    pub(super) fn place_of<'a>(&self, path: &'a Path) -> Cow<'a, Path> {
        let stand_in = self.stands_for.as_ref().and_then(|(stand_in, place)| {
            path.strip_prefix(place).ok().map(|rest| stand_in.join(rest))
        });
        stand_in.map_or(path.into(), Cow::from)
    }

    /// The value of one of CMake's variables; empty if it is not set.
    pub(super) fn variable(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", String::as_str)
    }

    /// Whether a policy is `NEW`.
    pub(super) fn is_new(&self, policy: &str) -> bool {
        self.policies.get(policy).is_some_and(|value| value == "NEW")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(records: &[&str]) -> String {
        records.iter().chain(&["."]).map(|record| format!("{record}{SEPARATOR}")).collect()
    }

    #[test]
    fn every_record_has_its_place() {
        let records = [
            "1",
            "try_compile",
            "2",
            "A",
            "b;c",
            "P0056=NEW;0066=",
            "VX=y=z",
            "EPATH=",
            "Ca=int\nx;",
        ];
        let ask = Ask::parse(&text(&records)).unwrap();
        assert_eq!(ask.args, ["A", "b;c"]);
        assert!(ask.is_new("0056") && !ask.is_new("0066") && !ask.is_new("0067"));
        assert_eq!((ask.variable("X"), ask.variable("Y")), ("y=z", ""));
        assert_eq!(ask.environment["PATH"], "");
        assert_eq!(ask.contents["a"], "int\nx;");
    }

    #[test]
    fn what_holds_a_separator_is_refused() {
        for records in [
            &["1", "try_compile", "2", "A", "b", "c", "VX=y"][..],
            &["1", "try_compile", "3", "A", "b"],
            &["1", "try_compile", "1", "A", "VX=y", ""],
            &["2", "try_compile", "1", "A"],
            &["1", "try_link", "1", "A"],
        ] {
            assert_eq!(Ask::parse(&text(records)), None, "{records:?}");
        }
        assert_eq!(Ask::parse("1"), None);
    }
}
