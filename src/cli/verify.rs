//! `tryall store verify`: asks the compiler again for the answers in the store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

use super::output;
use super::progress::tell;
use crate::again;
use crate::check::Outcome;
use crate::check::asked::Asked;
use crate::check::context::Silent;
use crate::check::{recall, stored};
use crate::compiler::verdict::Verdict;
use crate::deps::world::World;
use crate::engine::{self, Options};
use crate::protocol::BadRequest;
use crate::protocol::response::{Answer, Status};
use crate::store::{Entry, EntryBody, State, Store};
use crate::why::text::shown;

/// A stored answer: the id of its check, the check, and the outcome.
type Kept = (String, Asked, Outcome);

/// What the store holds.
#[derive(Default)]
struct Sorted {
    /// Answers that hold, by toolchain and directory: the engine asks these together, each alone.
    groups: BTreeMap<(String, PathBuf), Vec<Kept>>,
    /// Why others are not asked again, and how many.
    not_asked: BTreeMap<&'static str, usize>,
}

/// Asks again for all answers of checks that hold.
pub(super) fn run(store: &mut Store) -> ExitCode {
    let Sorted { groups, not_asked } = sort(store);
    let (mut asked_again, mut differ, mut failed) = (0, 0, 0);
    for ((_, base), group) in groups {
        let checks: Vec<_> = group.iter().map(|(_, asked, _)| asked).collect();
        let answers = match ask(&checks, &base) {
            Ok(answers) => answers,
            Err(error) => {
                tell(&error.to_string());
                failed += group.len();
                continue;
            }
        };
        for ((label, asked, was), is) in std::iter::zip(&group, &answers) {
            asked_again += 1;
            if !matches!(is.status, Status::Yes | Status::No) {
                failed += 1;
                let reason = is.reason.as_deref().unwrap_or_default();
                tell(&format!("{label} could not be asked again: {reason}"));
            } else if let Some([was, is]) = difference(asked, was, is) {
                differ += 1;
                tell(&format!(
                    "{label}: the store says {was}, the compiler says {is}; please report this, and \
                     run tryall store clear"
                ));
            }
        }
    }
    let mut text = format!("{asked_again} answers asked again, {differ} differ, {failed} failed\n");
    text.extend(not_asked.iter().map(|(why, count)| format!("{count} not asked: {why}\n")));
    let printed = output::print(text.as_bytes());
    match (differ, failed) {
        (0, 0) => printed,
        (0, _) => ExitCode::from(3),
        _ => ExitCode::from(1),
    }
}

fn sort(store: &mut Store) -> Sorted {
    let mut entries = Vec::new();
    store.entries(|entry| entries.push(entry));
    let mut world = World::default();
    let mut sorted = Sorted::default();
    for entry in entries {
        let EntryBody::Answer(payload) = &entry.body else { continue };
        match check(store, &mut world, &entry, payload) {
            Ok((asked, outcome)) => {
                let toolchain = serde_json::to_string(&asked.toolchain).unwrap_or_default();
                let group = sorted.groups.entry((toolchain, asked.base.clone())).or_default();
                group.push((entry.label, asked, outcome));
            }
            Err(why) => *sorted.not_asked.entry(why).or_default() += 1,
        }
    }
    sorted
}

/// The check of an entry, and its answer; or why it is not asked again.
fn check(
    store: &mut Store,
    world: &mut World,
    entry: &Entry,
    payload: &[u8],
) -> Result<(Asked, Outcome), &'static str> {
    let Some((asked, outcome)) = stored::check(payload) else {
        return Err(match recall::PARTS.contains(&&*entry.label) {
            true => "parts of answers, such as known links and the commands that CMake uses",
            false => "commands of tryall run, which compares them with --verify, and of CMake",
        });
    };
    const CHANGED: &str = "something that they rest on has changed";
    let variables = again::variables(&asked, std::env::vars_os().collect()).ok_or(CHANGED)?;
    match store.state(entry, world, &variables, 0) {
        State::Holds(_) => Ok((asked, outcome)),
        State::Changed { changed: 0, .. } => Err("they rest on other environment variables"),
        _ => Err(CHANGED),
    }
}

fn ask(checks: &[&Asked], base: &Path) -> Result<Vec<Answer>, BadRequest> {
    let options = Options { share: false, ..again::options(base) };
    let forever = std::future::pending();
    let ran = engine::answers(again::request(checks), &options, Rc::new(Silent), forever)?;
    Ok(ran.expect("nothing stops the run").answers.results)
}

/// What the store says and what the compiler says, if they differ.
fn difference(asked: &Asked, was: &Outcome, is: &Answer) -> Option<[String; 2]> {
    if (was.verdict == Verdict::Yes) != (is.status == Status::Yes) || was.value != is.value {
        return Some([shown(was), is.status_and_value()]);
    }
    // A command that was shared with other checks has another output.
    if was.command != is.command || was.source != is.source {
        return None;
    }
    let differ = in_command(was, is)?;
    // Names of temporary files, for example, are others each time.
    let again = ask(&[asked], &asked.base).ok()?.pop()?;
    let is_repeated = (again.exit_code, &again.output) == (is.exit_code, &is.output);
    is_repeated.then_some(differ)
}

/// How the command ended, or the first line of output that differs.
fn in_command(was: &Outcome, is: &Answer) -> Option<[String; 2]> {
    if was.exit_code != is.exit_code {
        let status = |code: Option<i32>| code.map_or("none".into(), |code| code.to_string());
        return Some(
            [was.exit_code, is.exit_code].map(|code| format!("exit status {}", status(code))),
        );
    }
    if was.output == is.output || was.cut || is.output_truncated {
        return None;
    }
    let lines = std::iter::zip(was.output.lines(), is.output.lines());
    let at = lines.take_while(|(was, is)| was == is).count();
    let line =
        |text: &str| text.lines().nth(at).map_or("no more output".into(), |it| format!("{it:?}"));
    Some([line(&was.output), line(&is.output)])
}
