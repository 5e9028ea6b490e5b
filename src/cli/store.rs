//! `tryall store`: shows, checks and trims the store of answers.

use std::fmt::Write;
use std::process::ExitCode;
use std::time::UNIX_EPOCH;

use clap::{Args, Subcommand};

use super::output;
use super::progress::tell;
use super::verify;
#[cfg(target_os = "linux")]
use crate::os;
use crate::remote::Remote;
use crate::store::{Place, Store, parse_size};
use crate::why::text::age;

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
    /// Ask the compiler again for all answers of checks that hold, and report those that differ
    ///
    /// Compares status and value; exit status and output, too, where the command is the same and the
    /// compiler repeats them. Programs of `runs` checks are built again, but not run. Says how many
    /// answers are not asked again, and why. The exit status is 1 if an answer differs, and 3 if one
    /// could not be asked again.
    Verify,
    /// Remove the answers that were not used for longest
    Trim {
        /// The size that may remain, such as 100M [default: TRYALL_STORE_SIZE, or 512M]
        #[arg(long, value_name = "SIZE", value_parser = size)]
        to: Option<u64>,
    },
    /// Remove all answers
    Clear,
    /// Send what comes from standard input to the remote store
    #[command(hide = true)]
    Send,
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
        StoreCommand::Send => return send(),
        StoreCommand::Verify => return verify::run(&mut store),
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
    let (stats, last) = (store.stats(), store.last_shared());
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
    match Remote::chosen(|name| std::env::var_os(name)) {
        Ok(None) => {}
        Ok(Some(remote)) => {
            let state = match remote.probe() {
                Ok(time) => format!("answers in {:.0} ms", time.as_secs_f64() * 1000.0),
                Err(trouble) => trouble.to_string(),
            };
            line("remote", format!("{}: {state}", remote.shown()));
        }
        Err(trouble) => line("remote", trouble.to_string()),
    }
    if let Some((what, when)) = last {
        let when = when.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        line("last", format!("{what}, {}", age(when)));
    }
    text
}

/// Sends a pack in the place of a process that does not wait for it.
fn send() -> ExitCode {
    // What ends that process and others of its session is not to end this one.
    #[cfg(target_os = "linux")]
    let _ = os::leave_session();
    let Ok(Some(remote)) = Remote::chosen(|name| std::env::var_os(name)) else {
        return ExitCode::from(2);
    };
    let sent = remote.send_from(std::io::stdin().lock());
    if sent.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
