//! What a session notes of a call for `tryall why`, once it has replied.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::{SystemTime, UNIX_EPOCH};

use super::ask::{Ask, Command};
use super::asking::Found;
use super::call::{Call, Given};
use super::names;
use super::question::Question;
use super::refusal::Refusal;
use crate::compiler::verdict::Verdict;
use crate::protocol::Kind;
use crate::protocol::response::{How, Status};
use crate::why::log::{Noted, Origin};

/// How a call was answered.
pub(super) enum Way {
    /// By the session.
    Answered(Box<(Question, Found)>),
    /// By CMake, which shows the commands.
    Shown(Box<Call>),
    /// By CMake.
    Left(Refusal),
}

/// A call that is not in the log yet.
pub(super) struct Noting {
    ask: Ask,
    way: Way,
    /// What the build tool wrote, if CMake has told.
    pub output: Option<String>,
}

impl Noting {
    /// A call.
    pub(super) fn new(ask: Ask, way: Way) -> Noting {
        Noting { ask, way, output: None }
    }

    /// What the log tells of it. `first` is the environment with which CMake was started.
    pub(super) fn noted(self, first: &[(OsString, OsString)]) -> Noted {
        let Noting { ask, way, output } = self;
        let is_run = ask.command == Command::TryRun;
        let mut variables = ask.args.iter().cloned();
        let run_variable = if is_run { variables.next() } else { None };
        let kind = match ask.variable("CMAKE_TRY_COMPILE_TARGET_TYPE") {
            _ if is_run => Kind::Runs,
            "STATIC_LIBRARY" => Kind::Compiles,
            _ => Kind::Links,
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let noted = Noted {
            time: now.as_secs(),
            command: if is_run { "try_run" } else { "try_compile" }.into(),
            variable: variables.next().unwrap_or_default(),
            run_variable,
            list_file: ask.variable("CMAKE_CURRENT_LIST_FILE").into(),
            kind: Some(kind),
            output,
            arguments: ask.args,
            ..Noted::default()
        };
        match way {
            Way::Left(why) => Noted { reason: Some(why.explained()), ..noted },
            Way::Shown(call) => {
                let source = match &call.source {
                    Given::Text { text, .. } => Some(text.clone()),
                    Given::Path(path) | Given::Copy { from: path, .. } => {
                        std::fs::read_to_string(path).ok()
                    }
                };
                let source_file = Some(call.source.name().into());
                let reason = Some(Refusal::First.explained());
                Noted { source, source_file, reason, ..noted }
            }
            Way::Answered(answered) => {
                let (question, Found { outcome, foreseen, key }) = *answered;
                let is_yes = outcome.verdict == Verdict::Yes;
                Noted {
                    source_file: Some(question.call.source.name().into()),
                    source: question.check.source,
                    origin: match (foreseen, outcome.how) {
                        (Some(How::Fused), How::Stored) => Origin::Shared,
                        (Some(_), How::Stored) => Origin::Foreseen,
                        (None, How::Stored) => Origin::Stored,
                        _ => Origin::Asked,
                    },
                    answer: Some(if is_yes { Status::Yes } else { Status::No }),
                    steps: outcome.steps,
                    key: key.map(|key| key.to_hex()),
                    environment: changes(first, &question.environment),
                    ..noted
                }
            }
        }
    }
}

/// What another environment has set and unset, as far as that is UTF-8.
fn changes(
    first: &[(OsString, OsString)],
    now: &[(OsString, OsString)],
) -> Vec<(String, Option<String>)> {
    let [was, is] = [first, now].map(|env| {
        let pairs = env.iter().map(|(name, value)| (name.to_str(), value.to_str()));
        pairs.filter_map(|(name, value)| Some((name?, value?))).collect::<BTreeMap<_, _>>()
    });
    let set = is.iter().filter(|(name, value)| was.get(*name) != Some(value));
    let unset = was.keys().filter(|name| !is.contains_key(*name));
    let set = set.map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())));
    let all = set.chain(unset.map(|name| ((*name).to_owned(), None)));
    all.filter(|(name, _)| !names::OF_ENGINE.contains(&name.as_str())).collect()
}
