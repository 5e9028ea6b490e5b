//! `tryall why`: explains answers.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::output;
use super::progress::tell;
use crate::store::{Place, Store};
use crate::why::{Build, Explanation, text};

/// Arguments of `tryall why`.
#[derive(Debug, Args)]
pub(super) struct WhyArgs {
    /// Variables, or ids of checks, or commands that `tryall run` has answered, each in quotes
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// The build directory [default: the current directory]
    #[arg(short = 'B', value_name = "DIR")]
    build: Option<PathBuf>,
    /// Show all of the output, and every path and variable that an answer rests on
    #[arg(long)]
    full: bool,
    /// Print one JSON object per name
    #[arg(long)]
    json: bool,
}

pub(super) const HELP: &str = "\
Examples:
  tryall why HAVE_FORK SIZEOF_LONG -B build
  tryall why --full HAVE_FORK | less
  tryall why 'gcc -c -g -O2 conftest.c'

Exit status:
  0  every name was explained
  1  nothing is known of a name
  2  the build directory was not configured by CMake";

/// Runs `tryall why`.
pub(super) fn run(args: &WhyArgs) -> ExitCode {
    let dir = args.build.as_deref().unwrap_or(Path::new("."));
    let build = Build::at(dir);
    if args.build.is_some() && !build.is_configured() {
        tell(&format!("{} has no CMakeCache.txt: CMake has not configured it", dir.display()));
        return ExitCode::from(2);
    }
    let mut store = Store::open(Place::chosen(|name| std::env::var_os(name)));
    let mut printed = String::new();
    let mut is_all = true;
    for name in &args.names {
        let explanation = build.explain(name, &mut store, args.full);
        if !explanation.is_known() {
            is_all = false;
            tell(&unknown(&explanation, &build));
        }
        if args.json {
            printed += &serde_json::to_string(&explanation).expect("all parts have a JSON form");
            printed.push('\n');
        } else {
            let is_first = printed.is_empty();
            let text = text::text(&explanation, args.full);
            printed += if is_first || text.is_empty() { "" } else { "\n" };
            printed += &text;
        }
    }
    let status = output::print(printed.as_bytes());
    if status == ExitCode::SUCCESS && !is_all { ExitCode::from(1) } else { status }
}

/// What to say of a name of which nothing is known.
fn unknown(explanation: &Explanation, build: &Build) -> String {
    let Explanation { name, nearest, .. } = explanation;
    let what = match (build.is_configured(), build.has_log()) {
        (true, true) => "no check has set it here, and CMakeCache.txt does not have it",
        (true, false) => "CMakeCache.txt does not have it, and no check was asked here with tryall",
        (false, _) => {
            "the store has no answer to a check of this name; for variables of CMake, go to the build \
             directory, or name it with -B"
        }
    };
    let nearest = nearest.as_ref().map_or(String::new(), |it| format!("; did you mean {it}?"));
    format!("{name}: {what}{nearest}")
}
