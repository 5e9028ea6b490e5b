//! `tryall seen`: runs one command and prints what it looked at.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::Args;
use serde::Serialize;

use super::output;
use crate::cli::progress::tell;
use crate::deps::recorder::{Recorder, Watched};
use crate::exec::scratch::{self, Scratch};
use crate::os::{Found, Look};

/// Arguments of `tryall seen`.
#[derive(Args)]
pub(super) struct SeenArgs {
    /// Run the command in DIR, whose files are its own [default: an empty temporary directory]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The command
    #[arg(
        value_name = "COMMAND",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    command: Vec<OsString>,
}

/// What a command looked at.
#[derive(Serialize)]
struct Report {
    /// Its exit status; nothing if a signal ended it.
    exit: Option<i32>,
    /// What it looked at outside of its directory.
    paths: Vec<Path>,
    /// The environment variables that it read.
    variables: Vec<String>,
    /// Whether it may have read all of them.
    whole_environment: bool,
    /// Why this may not be everything.
    gap: Option<String>,
    /// Whether being watched may have changed what the command does.
    disturbed: bool,
}

#[derive(Serialize)]
struct Path {
    path: String,
    look: Look,
    found: Found,
}

/// Runs the command.
pub(super) fn run(args: &SeenArgs) -> ExitCode {
    match report(args) {
        Ok(report) => {
            let text = serde_json::to_string_pretty(&report).expect("a report is JSON") + "\n";
            output::print(text.as_bytes())
        }
        Err(why) => {
            tell(&why);
            ExitCode::from(3)
        }
    }
}

fn report(args: &SeenArgs) -> Result<Report, String> {
    let recorder =
        Recorder::new().ok_or("this system has no way to see what a command looks at")?;
    let scratch = match &args.dir {
        Some(_) => None,
        None => Some(scratch::choose().and_then(Scratch::new).map_err(|reason| reason.text)?),
    };
    let given = args.dir.as_deref().or(scratch.as_ref().map(Scratch::path));
    let dir = given.expect("one of them is there");
    let dir = std::fs::canonicalize(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let program = which::which(&args.command[0])
        .map_err(|error| format!("{}: {error}", args.command[0].display()))?;
    let mut env = Vec::from_iter(std::env::vars_os());
    let cannot = |error| format!("{} cannot be run: {error}", program.display());
    let watch = recorder.watch(&program, &mut env, &[&dir]).map_err(cannot)?;
    let mut command = Command::new(&program);
    command.args(&args.command[1..]).current_dir(&dir).env_clear().envs(env);
    let ended = command.output().map_err(cannot)?;
    let Watched { seen, is_disturbed } = watch.seen(&recorder);
    let said = [ended.stdout, ended.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    eprint!("{said}");
    let sights = recorder.sights();
    let shown = |id| {
        let sight = sights.get(id);
        let path = sight.path.to_string_lossy().into_owned();
        Path { path, look: sight.look, found: sight.found }
    };
    let variables = seen.variables.iter().map(|name| name.to_string_lossy().into_owned());
    Ok(Report {
        exit: ended.status.code(),
        paths: seen.sights.iter().copied().map(shown).collect(),
        variables: variables.collect(),
        whole_environment: seen.whole_environment,
        gap: seen.gap.map(|gap| gap.0),
        disturbed: is_disturbed || recorder.is_mentioned_in(&said),
    })
}
