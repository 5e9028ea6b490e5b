//! Explanations for people.

use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::cache::CacheEntry;
use super::kept::{Holding, Kept};
use super::log::Origin;
use super::{Asked, Explanation};
use crate::check::Outcome;
use crate::compiler::diagnostics::without_escapes;
use crate::compiler::verdict::Verdict;
use crate::protocol::Kind;
use crate::protocol::response::{Status, Value};

/// How many changes are listed unless all are to be.
const SHOWN_CHANGES: usize = 5;

/// How many lines of a text are shown unless all are to be: at its start and at its end.
const FIRST_LINES: usize = 12;
const LAST_LINES: usize = 8;

/// An explanation, of which nothing is left out if it is to be full.
pub(crate) fn text(explanation: &Explanation, is_full: bool) -> String {
    let mut page = Page { text: String::new(), is_full };
    match &explanation.check {
        Some(check) => page.check(explanation, check),
        None if explanation.stored.is_empty() => {
            explanation.cache.iter().for_each(|entry| page.entry(entry));
        }
        None => explanation.stored.iter().for_each(|kept| page.kept(kept)),
    }
    // Compilers and caches may say anything, and this is for a terminal.
    let text = without_escapes(&page.text);
    text.chars().filter(|c| !c.is_control() || ['\n', '\t'].contains(c)).collect()
}

struct Page {
    text: String,
    is_full: bool,
}

impl Page {
    fn line(&mut self, line: impl AsRef<str>) {
        writeln!(self.text, "{}", line.as_ref()).expect("text");
    }

    /// A line with a heading, or without if that is empty.
    fn part(&mut self, heading: &str, text: impl AsRef<str>) {
        self.line(format!("  {heading:<11}{}", text.as_ref()));
    }

    /// A variable that a check has set.
    fn check(&mut self, explanation: &Explanation, check: &Asked) {
        let noted = &check.noted;
        let entry = explanation.cache.iter().find(|entry| entry.name == explanation.name);
        let is_own = noted.variable == explanation.name;
        let answer = noted.answer.map(Status::name);
        let value = match (is_own, entry, answer) {
            (true, Some(entry), _) => if entry.is_true() { "yes" } else { "no" }.into(),
            (true, None, Some(answer)) => answer.into(),
            (_, Some(entry), _) => format!("{:?}", entry.value),
            (_, None, _) => "no entry in CMakeCache.txt".into(),
        };
        self.line(format!("{}: {value}", explanation.name));
        let question = match noted.kind {
            Some(Kind::Compiles) => "does this source compile?",
            Some(Kind::Runs) => "does this source compile and link, and how does the program end?",
            _ => "does this source compile and link?",
        };
        self.part("question", question);
        let variables: Vec<_> = noted.variables().collect();
        let times = match check.times {
            1 => String::new(),
            times => format!(" for the last of {times} times in that configure step"),
        };
        let when = age(noted.time);
        self.part("asked", format!("{when}{times}, by {}({})", noted.command, variables.join(" ")));
        match &check.line {
            Some((number, line)) => {
                self.part("at", format!("{}:{number}: {line}", noted.list_file));
            }
            None => self.part("at", &noted.list_file),
        }
        self.answer(check);
        self.entries(&explanation.cache);
        if let (true, Some(_), Some(answer)) = (is_own, entry, answer)
            && value != answer
        {
            self.part(
                "",
                format!("The compiler said {answer}. But the module that asked may look at"),
            );
            self.part("", "its messages, too, or something else has set the entry.");
        }
        match &explanation.ask_again[..] {
            [] => self.part("ask again", "there is nothing to remove from CMakeCache.txt"),
            words => {
                self.part("ask again", words_of(words));
                if noted.origin != Origin::Cmake {
                    self.part("", "With TRYALL_STORE=off before it, no stored answer counts.");
                }
            }
        }
        self.transcript(check);
    }

    /// Where an answer came from.
    fn answer(&mut self, check: &Asked) {
        let noted = &check.noted;
        let when = check.kept.as_ref().map_or("earlier".into(), |kept| age(kept.time));
        let origin = match noted.origin {
            Origin::Stored => format!("from the store; the compiler gave it {when}"),
            Origin::Foreseen => "from the compiler, asked ahead of CMake".into(),
            Origin::Shared => {
                "from the compiler, asked ahead of CMake, in one command with other checks".into()
            }
            Origin::Asked => "from the compiler, while CMake waited".into(),
            Origin::Cmake => {
                let why = noted.reason.as_deref().unwrap_or_default();
                return self.part("answered", format!("by CMake itself; {why}"));
            }
        };
        self.part("answered", origin);
        if let Some(kept) = &check.earlier {
            let answer = kept.answer.map_or("an answer", Status::name);
            let state = match kept.state {
                Holding::Holds => "which holds again.",
                _ => "which no longer holds:",
            };
            self.part("", format!("The store had {answer} from {}, {state}", age(kept.time)));
            self.changes(kept);
        } else if noted.origin != Origin::Stored && check.kept.is_some() {
            self.part("", "The store had no answer to this question.");
        }
        match &check.kept {
            Some(kept) => self.basis(kept),
            None => {
                self.part("rests on", "not known: the store does not have this answer any more");
            }
        }
    }

    /// What an answer rests on.
    fn basis(&mut self, kept: &Kept) {
        let all = format!("{} paths and {} variables", kept.paths, kept.variables);
        match kept.state {
            Holding::Holds => self.part("rests on", format!("{all}, all as they were")),
            Holding::Changed => {
                self.part("rests on", format!("{all}; it no longer holds, because"));
                self.changes(kept);
            }
            Holding::Damaged => self.part("rests on", "what cannot be read: the store is damaged"),
            Holding::NotKept => {
                let reason = kept.reason.as_deref().unwrap_or_default();
                self.part("not kept", reason);
            }
        }
        kept.rests_on.iter().for_each(|it| self.part("", format!("  {it}")));
    }

    fn changes(&mut self, kept: &Kept) {
        let most = if self.is_full { usize::MAX } else { SHOWN_CHANGES };
        kept.changed.iter().take(most).for_each(|change| self.part("", format!("  {change}")));
        if kept.changed.len() > most {
            self.part("", format!("  and {} more changes", kept.changed.len() - most));
        }
    }

    /// The source, the commands and what they said.
    fn transcript(&mut self, check: &Asked) {
        let noted = &check.noted;
        let file = noted.source_file.as_deref().unwrap_or_default();
        match &noted.source {
            Some(source) => {
                self.line(format!("\n  source {file}"));
                self.indented(source);
            }
            None if !file.is_empty() => self.line(format!("\n  source {file}")),
            None => {
                self.line("\n  call");
                self.indented(&format!("{}({})", noted.command, words_of(&noted.arguments)));
            }
        }
        for step in &noted.steps {
            self.line(format!("\n  $ {}", words_of(&step.command)));
            self.indented(&step.output);
            match step.exit_code {
                _ if step.known => self.line("    (not run: the same link is known to succeed)"),
                Some(0) => (),
                Some(code) => self.line(format!("    exit status {code}")),
                None => self.line("    did not end by itself"),
            }
        }
        if let Some(output) = &noted.output {
            self.line("\n  CMake's build tool (options with TRYALL in them are tryall's and change nothing)");
            self.indented(output);
        }
    }

    /// A text, without its middle if it is long.
    fn indented(&mut self, text: &str) {
        let lines: Vec<_> = text.trim_end().lines().collect();
        let left_out = lines.len().saturating_sub(FIRST_LINES + LAST_LINES);
        if self.is_full || left_out < 2 {
            return lines.iter().for_each(|line| self.line(format!("    {line}").trim_end()));
        }
        lines[..FIRST_LINES].iter().for_each(|line| self.line(format!("    {line}").trim_end()));
        self.line(format!("    ... {left_out} lines, which --full shows"));
        let rest = &lines[FIRST_LINES + left_out..];
        rest.iter().for_each(|line| self.line(format!("    {line}").trim_end()));
    }

    /// A cache entry that no check has set.
    fn entry(&mut self, entry: &CacheEntry) {
        self.line(format!("{}: {:?}", entry.name, entry.value));
        self.part("question", "none: no check set it in the configure steps that tryall has seen");
        self.entries(std::slice::from_ref(entry));
    }

    fn entries(&mut self, entries: &[CacheEntry]) {
        for (index, CacheEntry { name, kind, value, help }) in entries.iter().enumerate() {
            let help = if help.is_empty() { String::new() } else { format!("    ({help})") };
            let heading = if index == 0 { "in cache" } else { "" };
            self.part(heading, format!("{name}:{kind}={value}{help}"));
        }
    }

    /// An answer in the store to a check outside of build directories.
    fn kept(&mut self, kept: &Kept) {
        let answer = kept.answer.map(|answer| with_value(answer, kept.value.as_ref()));
        self.line(format!("{}: {}", kept.id, answer.as_deref().unwrap_or("in the store")));
        self.part("asked", age(kept.time));
        if !kept.command.is_empty() {
            self.part("command", words_of(&kept.command));
        }
        self.basis(kept);
    }
}

/// Words as a shell reads them.
fn words_of(words: &[String]) -> String {
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}

/// The answer and the value of an outcome.
pub(crate) fn shown(outcome: &Outcome) -> String {
    let is_yes = outcome.verdict == Verdict::Yes;
    with_value(if is_yes { Status::Yes } else { Status::No }, outcome.value.as_ref())
}

fn with_value(answer: Status, value: Option<&Value>) -> String {
    let answer = answer.name();
    match value {
        Some(Value::Integer(number)) => format!("{answer}, {number}"),
        Some(Value::Text(value)) => format!("{answer}, {value:?}"),
        _ => answer.into(),
    }
}

/// How long ago something was.
pub(crate) fn age(when: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let seconds = now.saturating_sub(when);
    let (count, unit) = match seconds {
        0..=119 => (seconds, "second"),
        120..=7_199 => (seconds / 60, "minute"),
        7_200..=172_799 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}
