//! `tryall cmake`: CMake with the drop-in for projects that know nothing of tryall.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory};

use super::{modules, output};
use crate::cli::progress::tell;
use crate::os;

/// What `tryall cmake` takes.
#[derive(Args)]
pub(super) struct CmakeArgs {
    /// The CMake to run, if not the one on PATH; before the arguments
    #[arg(long, value_name = "PROGRAM", default_value = "cmake")]
    cmake: PathBuf,
    /// The arguments of CMake
    #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

pub(super) const HELP: &str = "\
A call that configures a project (with -S, -B, --preset or a directory) gets two more arguments:
the path of this program, and an initial cache file that makes CMAKE_PROJECT_INCLUDE the drop-in.
A CMAKE_PROJECT_INCLUDE of your own, wherever CMake has it from, is included after it. Any other
call (--build, -E, -P and so on) is passed on as it is. This program becomes CMake, so that exit
status, signals and terminal are CMake's. So is the help that `tryall cmake --help` prints.

Examples:
  tryall cmake -S . -B build -G Ninja
  tryall cmake --cmake /opt/cmake/bin/cmake --preset release

Exit status:
  CMake's, or
  3    there is no place for the CMake modules
  126  CMake cannot be run
  127  there is no such CMake";

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
            let remedy = "install CMake, or name it with --cmake before the other arguments";
            tell(&format!("{}: {error}; {remedy}", args.cmake.display()));
            return ExitCode::from(127);
        }
    };
    let mut all = args.args;
    if configures(&all)
        && let Err(why) = add_drop_in(&mut all)
    {
        tell(&format!("CMake was not run: {why}"));
        return ExitCode::from(3);
    }
    let error = os::become_program(&cmake, &all);
    tell(&format!("{} cannot be run: {error}", cmake.display()));
    ExitCode::from(126)
}

/// Adds what leads CMake to the drop-in.
///
/// Where the user's own `CMAKE_PROJECT_INCLUDE` comes from (arguments, a preset with all that it
/// inherits, an initial cache file, the cache of a build directory that only the preset names),
/// CMake knows best. So a script that CMake reads after all of these moves it, and is the last
/// argument. The program's path is the first, so that one that the user gives goes before it.
fn add_drop_in(args: &mut Vec<OsString>) -> Result<(), String> {
    let program = std::env::current_exe()
        .map_err(|error: io::Error| format!("the path of this program is not known: {error}"))?;
    let mut executable = OsString::from("-DTRYALL_EXECUTABLE=");
    executable.push(program);
    let preload = modules::user_directory()?.join("TryallPreload.cmake");
    args.insert(0, executable);
    args.extend(["-C".into(), preload.into()]);
    Ok(())
}

/// What makes a call one that does not configure if it is the first argument.
const MODES: [&str; 4] = ["--build", "--install", "--open", "--workflow"];

/// What does so wherever it stands.
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

/// The same, for what may have something behind it: `-Pscript`, `--help-command`,
/// `--list-presets=build`.
const BEGINNINGS: [&str; 3] = ["-P", "--help", "--list-presets"];

/// Options whose value is the next argument, if they stand alone.
const WITH_VALUE: [&str; 9] = ["-A", "-B", "-C", "-D", "-G", "-S", "-T", "-U", "--preset"];

/// Whether CMake configures a project when called so. If in doubt it does not: then nothing is
/// added, and CMake does what it does without tryall.
fn configures(args: &[OsString]) -> bool {
    if args.first().is_some_and(|first| MODES.iter().any(|mode| first == mode)) {
        return false;
    }
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let starts = |text: &&str| arg.as_encoded_bytes().starts_with(text.as_bytes());
        // As the only argument that is the old spelling of -h; with something behind it, of -S.
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
