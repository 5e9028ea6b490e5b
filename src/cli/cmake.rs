//! `tryall cmake`: runs CMake with the drop-in, which has a session answer the checks of unmodified
//! projects.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory};

use super::{modules, output};
use crate::cli::progress::tell;
use crate::os;
#[cfg(target_os = "linux")]
use crate::session;

/// Arguments of `tryall cmake`.
#[derive(Args)]
pub(super) struct CmakeArgs {
    /// The CMake to run; must precede the other arguments
    #[arg(long, value_name = "PROGRAM", default_value = "cmake")]
    cmake: PathBuf,
    /// Arguments for CMake
    #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

pub(super) const HELP: &str = "\
If the call configures a project (with -S, -B, --preset or a directory), adds two arguments: the
path of this program, and an initial cache file that sets CMAKE_PROJECT_INCLUDE and
CMAKE_PROJECT_INCLUDE_BEFORE to files of tryall. These then include your own, wherever they were set.
From then on, tryall answers each check when the project asks it: from the store, or by CMake's own
compiler commands. A small library in CMake asks it about the programs with which CMake identifies
compilers. Other calls (--build, -E, -P ...) are passed through. CMake replaces this
process, so exit status, signals and terminal are CMake's. `tryall cmake --help` prints CMake's
help.

At the end of the configure step, a line says how many checks were stored (the answer was in the
store), foreseen (asked ahead of CMake), asked (CMake waited for the compiler) and run by CMake.
TRYALL_STORE=off in the environment does without the store, TRYALL_SCOUT=off asks nothing ahead.
TRYALL_REMOTE names a store that machines share; see `tryall store --help`.

Examples:
  tryall cmake -S . -B build -G Ninja
  tryall cmake --cmake /opt/cmake/bin/cmake --preset release

Exit status:
  CMake's, or
  126  CMake could not be executed
  127  CMake was not found";

/// Runs the command. Returns only if CMake does not run.
pub(super) fn run(args: CmakeArgs) -> ExitCode {
    if args.args.is_empty() {
        let mut whole = super::Cli::command();
        whole.build();
        let usage = whole.find_subcommand_mut("cmake").expect("it is this one").render_help();
        return output::print(usage.to_string().as_bytes());
    }
    let cmake = match which::which(&args.cmake) {
        Ok(cmake) => cmake,
        Err(error) => {
            let remedy = "install CMake, or pass its path with --cmake before the other arguments";
            tell(&format!("{}: {error}; {remedy}", args.cmake.display()));
            return ExitCode::from(127);
        }
    };
    let mut all = args.args;
    let mut variables = Vec::new();
    if configures(&all) {
        match add_drop_in(&mut all) {
            Ok(()) => variables = early_session(&cmake, &all),
            Err(why) => tell(&format!("CMake runs all checks itself: {why}")),
        }
    }
    let error = os::become_program(&cmake, &all, &variables);
    tell(&format!("{} could not be executed: {error}", cmake.display()));
    ExitCode::from(126)
}

/// Starts a session that serves from the beginning. Returns the variables with which CMake asks it.
#[cfg(target_os = "linux")]
fn early_session(cmake: &Path, args: &[OsString]) -> Vec<(&'static str, OsString)> {
    // CMake is to do everything itself, too.
    let is_verified = |arg: &OsString| arg.to_string_lossy().contains("TRYALL_VERIFY");
    let is_early = !args.iter().any(is_verified);
    is_early.then(|| session::start_early(cmake)).flatten().into_iter().flatten().collect()
}

#[cfg(not(target_os = "linux"))]
fn early_session(_: &Path, _: &[OsString]) -> Vec<(&'static str, OsString)> {
    Vec::new()
}

/// Adds the arguments that load the drop-in.
///
/// The user's own `CMAKE_PROJECT_INCLUDE` may come from the arguments, a preset and the presets it
/// inherits, an initial cache file, or the cache of a build directory that only a preset names.
/// Only CMake can resolve these. So the last argument is a script that CMake reads after all of
/// them and that moves the variable aside. The path of this program is the first argument, so a
/// path given by the user overrides it.
fn add_drop_in(args: &mut Vec<OsString>) -> Result<(), String> {
    let program = std::env::current_exe()
        .map_err(|error: io::Error| format!("cannot find the path of this program: {error}"))?;
    let mut executable = OsString::from("-DTRYALL_EXECUTABLE=");
    executable.push(program);
    let preload = modules::user_directory()?.join("TryallPreload.cmake");
    args.insert(0, executable);
    args.extend(["-C".into(), preload.into()]);
    Ok(())
}

/// First arguments with which CMake does not configure.
const MODES: [&str; 4] = ["--build", "--install", "--open", "--workflow"];

/// Arguments with which CMake does not configure, at any position.
const OTHER_MODES: [&str; 12] = [
    "-E",
    "-N",
    "--find-package",
    "--system-information",
    "--print-config-dir",
    "--version",
    "-version",
    "/V",
    "-help",
    "-usage",
    "/?",
    "-h",
];

/// Prefixes of such arguments: `-Pscript`, `--help-command`, `--list-presets=build`.
const BEGINNINGS: [&str; 3] = ["-P", "--help", "--list-presets"];

/// Options that, without an attached value, take the next argument as their value.
const WITH_VALUE: [&str; 9] = ["-A", "-B", "-C", "-D", "-G", "-S", "-T", "-U", "--preset"];

/// Whether CMake configures a project with these arguments. In doubt, `false`: CMake then runs
/// without the drop-in.
fn configures(args: &[OsString]) -> bool {
    if args.first().is_some_and(|first| MODES.iter().any(|mode| first == mode)) {
        return false;
    }
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let starts = |text: &&str| arg.as_encoded_bytes().starts_with(text.as_bytes());
        // A lone -H is an old spelling of -h; -H with a value is an old spelling of -S.
        if arg == "-H" || OTHER_MODES.iter().any(|mode| arg == mode) {
            return false;
        }
        if BEGINNINGS.iter().any(starts) {
            return false;
        }
        if WITH_VALUE.iter().any(|option| arg == OsStr::new(option)) {
            args.next();
        }
    }
    true
}
