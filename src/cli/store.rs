//! `tryall store`: shows, checks and trims the store of answers.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};

use super::output;
use super::progress::tell;
use crate::check::Outcome;
use crate::check::asked::Asked;
use crate::check::context::Silent;
use crate::check::recall::lasting_variables;
use crate::check::stored;
use crate::compiler::verdict::Verdict;
use crate::deps::sight::Sight;
use crate::deps::system;
use crate::deps::world::World;
use crate::engine::{self, Options, plan_of};
use crate::os::{Found, Look};
use crate::plan::ids::Id;
use crate::protocol::Request;
use crate::protocol::response::{Answer, Status, Value};
use crate::store::{
    Entry, EntryBody, PathChange, Place, State, Store, VariableChange, Variables, parse_size,
};

/// Arguments of `tryall store`.
#[derive(Debug, Args)]
pub(super) struct StoreArgs {
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(Debug, Subcommand)]
enum StoreCommand {
    /// Show where the store is, and how much it holds
    Stats,
    /// Show where the answers to checks came from, and whether they still hold
    ///
    /// For each answer: the command, the files and variables that it rests on, and what has changed
    /// since. For an answer that was not kept: why.
    Why {
        /// The ids of the checks
        #[arg(required = true)]
        ids: Vec<String>,
        /// Also list every path and variable that an answer rests on
        #[arg(long)]
        files: bool,
    },
    /// Ask the compiler again for all answers that hold, and report those that differ
    ///
    /// Compares status and value. Programs of `runs` checks are built again, but not run. The exit
    /// status is 1 if an answer differs, and 3 if one could not be asked again.
    Verify,
    /// Remove the answers that were not used for longest
    Trim {
        /// The size that may remain, such as 100M [default: TRYALL_STORE_SIZE, or 512M]
        #[arg(long, value_name = "SIZE", value_parser = size)]
        to: Option<u64>,
    },
    /// Remove all answers
    Clear,
}

fn size(text: &str) -> Result<u64, &'static str> {
    parse_size(text).ok_or("expected a size such as 100M")
}

/// Runs `tryall store`.
pub(super) fn run(args: &StoreArgs) -> ExitCode {
    let place = Place::chosen(|name| std::env::var_os(name));
    let dir = match &place.dir {
        Ok(dir) => dir.clone(),
        Err(why) => {
            tell(&format!("there is no store: {why}"));
            return ExitCode::from(2);
        }
    };
    let bound = place.bound;
    let mut store = Store::open(place);
    let done = match &args.command {
        StoreCommand::Stats => return output::print(stats(&mut store, &dir).as_bytes()),
        StoreCommand::Why { ids, files } => return why(&mut store, ids, *files),
        StoreCommand::Verify => return verify(&mut store),
        StoreCommand::Trim { to } => store.trim(to.unwrap_or(bound)),
        StoreCommand::Clear => store.clear(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            tell(&format!("the store {} cannot be changed: {why}", dir.display()));
            ExitCode::from(3)
        }
    }
}

fn stats(store: &mut Store, dir: &std::path::Path) -> String {
    let stats = store.stats();
    let mut text = format!("directory  {}\n", dir.display());
    let mut line = |name: &str, value: String| writeln!(text, "{name:<10} {value}").expect("text");
    line("answers", stats.answers.to_string());
    line("not kept", stats.not_kept.to_string());
    line("files", stats.segments.to_string());
    if stats.damaged > 0 {
        line("damaged", format!("{} (ignored)", stats.damaged));
    }
    let mebibytes = |bytes: u64| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
    line("size", format!("{} of {}", mebibytes(stats.bytes), mebibytes(stats.bound)));
    if let Some(oldest) = stats.oldest {
        line("oldest", age(oldest));
    }
    if let Some(trouble) = store.trouble() {
        line("trouble", trouble);
    }
    text
}

/// How long ago something was, for people.
fn age(when: u64) -> String {
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

/// Prints what the store knows of each id. The exit status is 1 if it knows nothing of one.
fn why(store: &mut Store, ids: &[String], files: bool) -> ExitCode {
    let mut found: BTreeMap<&str, Vec<Entry>> = BTreeMap::new();
    store.entries(|entry| {
        if let Some(id) = ids.iter().find(|id| **id == entry.label) {
            found.entry(id).or_default().push(entry);
        }
    });
    let mut world = World::default();
    let mut text = String::new();
    for id in ids {
        let Some(entries) = found.get(id.as_str()) else {
            tell(&format!("{id}: the store has no answer to a check of this name"));
            continue;
        };
        for entry in entries {
            explain(store, entry, &mut world, files, &mut text);
        }
    }
    let printed = output::print(text.as_bytes());
    if printed == ExitCode::SUCCESS && found.len() < ids.len() {
        ExitCode::from(1)
    } else {
        printed
    }
}

/// How many changed paths to list without `--files`.
const SHOWN_PATHS: usize = 5;

fn explain(store: &mut Store, entry: &Entry, world: &mut World, files: bool, text: &mut String) {
    let Entry { label, when, body, .. } = entry;
    let mut line = |line: String| writeln!(text, "{line}").expect("text");
    let payload = match body {
        EntryBody::NotKept(reason) => {
            return line(format!("{label}: asked {}, and not kept: {reason}", age(*when)));
        }
        EntryBody::Answer(payload) => payload,
    };
    let variables = match stored::check(payload) {
        Some((asked, outcome)) => {
            line(format!("{label}: {}, asked {}", shown(&outcome), age(*when)));
            let command = outcome.command.iter().map(String::as_str);
            line(format!("  command: {}", shlex::try_join(command).unwrap_or_default()));
            variables(&asked).unwrap_or_default()
        }
        // A call of a compiler under `tryall run`, in the environment of this command.
        None => {
            line(format!("{label}: asked {}", age(*when)));
            Variables::new(std::env::vars_os())
        }
    };
    let most = if files { usize::MAX } else { SHOWN_PATHS };
    match store.state(entry, world, &variables, most) {
        State::Holds(paths) => line(format!("  holds: {paths} paths are as they were")),
        State::Changed { paths, changed, variables } => {
            line("  no longer holds, and will be asked again:".into());
            paths.iter().for_each(|change| line(format!("    {}", path_change(change))));
            if changed > paths.len() {
                line(format!("    and {} more paths", changed - paths.len()));
            }
            variables.iter().for_each(|change| line(format!("    {}", variable_change(change))));
        }
        _ => line("  damaged, and will be asked again".into()),
    }
    if files && let Some((paths, names)) = store.rests_on(entry) {
        paths.iter().for_each(|sight| line(format!("  {}", sight_seen(sight))));
        names.iter().for_each(|name| line(format!("  {}", system::shown(name))));
    }
}

fn sight_seen(sight: &Sight) -> String {
    let path = sight.path.to_string_lossy();
    match (sight.found, sight.look) {
        (Found::Nothing, _) => format!("missing  {path}"),
        (Found::Denied(_), _) => format!("denied   {path}"),
        (Found::Stamp(_), Look::Follow) => format!("file     {path}"),
        (Found::Stamp(_), Look::Link) => format!("link     {path}"),
        (Found::Stamp(_), Look::List) => format!("list     {path}"),
    }
}

fn shown(outcome: &Outcome) -> String {
    let status = if outcome.verdict == Verdict::Yes { "yes" } else { "no" };
    match &outcome.value {
        Some(Value::Integer(number)) => format!("{status}, {number}"),
        Some(Value::Text(value)) => format!("{status}, {value:?}"),
        _ => status.into(),
    }
}

fn path_change(change: &PathChange) -> String {
    let path = change.path.to_string_lossy();
    let what = match (change.was, change.is) {
        (Found::Nothing, Found::Stamp(_)) => "did not exist",
        (Found::Stamp(_), Found::Nothing) => "no longer exists",
        (Found::Stamp(was), Found::Stamp(is))
            if was.inode != is.inode || was.device != is.device =>
        {
            "is another file"
        }
        (Found::Stamp(_), Found::Stamp(_)) => "was changed",
        (Found::Denied(_), _) => "could not be read",
        (_, Found::Denied(_)) => "cannot be read",
        (Found::Nothing, Found::Nothing) => "was missing in another way",
    };
    format!("{path} {what}")
}

fn variable_change(change: &VariableChange) -> String {
    let name = system::shown(&change.name);
    match (change.was_set, change.is_set) {
        (true, false) => format!("{name} is no longer set"),
        (false, true) => format!("{name} was not set"),
        _ => format!("{name} has another value"),
    }
}

/// The request that asks a check again.
fn request(asked: &[&Asked]) -> Request {
    let toolchain = asked[0].toolchain.clone();
    let checks = asked.iter().enumerate().map(|(place, asked)| crate::protocol::Check {
        id: place.to_string(),
        toolchain: Some(TOOLCHAIN.into()),
        ..asked.check.clone()
    });
    let checks = checks.collect();
    Request {
        version: 1,
        toolchains: [(TOOLCHAIN.into(), toolchain)].into(),
        checks,
        ..Request::default()
    }
}

const TOOLCHAIN: &str = "stored";

fn options(base: &std::path::Path) -> Options {
    Options { base: Some(base.into()), ..Options::default() }
}

/// The variables of the commands that would answer a check now. `None` if it cannot be asked.
fn variables(asked: &Asked) -> Option<Variables> {
    let (plan, _) = plan_of(request(&[asked]), &options(&asked.base)).ok()?;
    Some(lasting_variables(&plan.toolchains[Id::at(0)]))
}

/// A stored answer: the id of its check, the check, and the outcome.
type Kept = (String, Asked, Outcome);

/// Asks again for all answers that hold.
fn verify(store: &mut Store) -> ExitCode {
    let mut entries = Vec::new();
    store.entries(|entry| entries.push(entry));
    let mut world = World::default();
    // Checks of one toolchain and directory are asked together, each alone.
    let mut groups: BTreeMap<(String, PathBuf), Vec<Kept>> = BTreeMap::new();
    for entry in &entries {
        let EntryBody::Answer(payload) = &entry.body else { continue };
        let Some((asked, outcome)) = stored::check(payload) else { continue };
        let Some(variables) = variables(&asked) else { continue };
        let state = store.state(entry, &mut world, &variables, 0);
        if matches!(state, State::Holds(_)) {
            let toolchain = serde_json::to_string(&asked.toolchain).unwrap_or_default();
            let group = groups.entry((toolchain, asked.base.clone())).or_default();
            group.push((entry.label.clone(), asked, outcome));
        }
    }
    let (mut asked_again, mut differ, mut failed) = (0, 0, 0);
    for ((_, base), group) in groups {
        let checks: Vec<_> = group.iter().map(|(_, asked, _)| asked).collect();
        let options = Options { share: false, ..options(&base) };
        let answers =
            engine::answers(request(&checks), &options, Rc::new(Silent), std::future::pending());
        let answers = match answers {
            Ok(answered) => answered.expect("nothing stops the run").answers.results,
            Err(error) => {
                tell(&error.to_string());
                failed += group.len();
                continue;
            }
        };
        for ((label, _, was), is) in std::iter::zip(&group, &answers) {
            asked_again += 1;
            match is.status {
                Status::Yes | Status::No if is_same(was, is) => {}
                Status::Yes | Status::No => {
                    differ += 1;
                    tell(&format!(
                        "{label}: the store says {}, the compiler says {}; please report this, and \
                         run tryall store clear",
                        shown(was),
                        is.status_and_value()
                    ));
                }
                _ => {
                    failed += 1;
                    let reason = is.reason.as_deref().unwrap_or_default();
                    tell(&format!("{label} could not be asked again: {reason}"));
                }
            }
        }
    }
    let text = format!("{asked_again} answers asked again, {differ} differ, {failed} failed\n");
    let printed = output::print(text.as_bytes());
    match (differ, failed) {
        (0, 0) => printed,
        (0, _) => ExitCode::from(3),
        _ => ExitCode::from(1),
    }
}

fn is_same(was: &Outcome, is: &Answer) -> bool {
    (was.verdict == Verdict::Yes) == (is.status == Status::Yes) && was.value == is.value
}
