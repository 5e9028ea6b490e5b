//! The command line.

mod bench;
mod check;
mod cmake;
mod execute;
mod manual;
mod meson;
mod modules;
mod output;
mod progress;
#[cfg(target_os = "linux")]
mod run;
pub(crate) mod schema;
mod seen;
#[cfg(target_os = "linux")]
mod session;
mod store;
mod stream;
mod verify;
mod why;
mod wrong_call;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::exec::slots::Inherited;
use crate::protocol::language::Language;
use crate::protocol::{Seconds, command_line};
use crate::report::Format;
use schema::Which;

/// Run a batch of compiler checks concurrently
///
/// Reads checks for a C, C++ or Fortran compiler (does this header exist, does this link, how
/// large is this type), runs as many at once as there are cores, and writes the answers. Every
/// answer is the one the compiler gives to that check alone. If the compiler gave no answer, the
/// result is an error, never a no.
#[derive(Parser)]
#[command(name = "tryall", version, override_usage = USAGE, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

const USAGE: &str = "tryall < batch.json\n       tryall <COMMAND>";

/// Shared by the help of the program and of `check`.
macro_rules! exit_statuses {
    () => {
        "Exit status:
  0  every check was answered (yes, no or skipped)
  1  a required check was not answered yes
  2  the request is unusable; nothing was run
  3  at least one check ended in an error
  128+N  ended by signal N"
    };
}

const EXAMPLES: &str = concat!(
    "\
Examples:
  tryall check batch.json                      read a batch from a file (without one, from stdin)
  tryall check --header unistd.h --function fork --sizeof 'long long'
  tryall check batch.json --format header --output config.h
  CC=clang tryall check --symbol epoll_create1@sys/epoll.h --format keyval

",
    exit_statuses!()
);

#[derive(Subcommand)]
enum Command {
    /// Run checks and print the answers
    #[command(after_help = CHECK_HELP)]
    Check(Box<CheckArgs>),
    /// Compare the speed of different ways to run checks concurrently
    Bench(Box<bench::BenchArgs>),
    /// Run CMake and answer the checks of an unmodified project concurrently
    #[command(disable_help_flag = true, after_help = cmake::HELP)]
    Cmake(cmake::CmakeArgs),
    /// Run a build system as it is, and answer its compiler calls from the store
    #[cfg(target_os = "linux")]
    #[command(after_help = run::HELP)]
    Run(run::RunArgs),
    /// Write the CMake modules and Meson files, and print their location
    ///
    /// Without an option, writes them to $XDG_DATA_HOME/tryall/VERSION-HASH (or
    /// ~/.local/share/tryall/VERSION-HASH) and prints that directory: the CMake modules at the top,
    /// the Meson files in `meson`. Keep the directory as long as build directories use it.
    Modules(modules::ModulesArgs),
    /// Show, check or trim the store, which keeps answers between runs
    ///
    /// The store is the directory TRYALL_STORE, else $XDG_CACHE_HOME/tryall or ~/.cache/tryall.
    /// With TRYALL_STORE=off, no answer is kept.
    ///
    /// TRYALL_REMOTE is the address of a store that machines share, behind this one: redis://HOST/0,
    /// http://HOST/PATH or s3://BUCKET/PREFIX. TRYALL_REMOTE_MODE=rw also writes to it, TRYALL_REMOTE_KEY
    /// or TRYALL_REMOTE_KEY_FILE signs what is written and refuses what is not signed, and
    /// TRYALL_REMOTE_WAIT is how many milliseconds a process waits for it, 100 by default.
    Store(store::StoreArgs),
    /// Explain the answers to checks: of a build directory of CMake, or in the store
    ///
    /// For variables of a build directory that was configured with tryall: the question, the command
    /// and what the compiler said, where the answer came from, what it rests on, what has changed since,
    /// and how to ask again. Other names are looked up in the store: ids of checks, and commands that
    /// `tryall run` has answered.
    #[command(after_help = why::HELP)]
    Why(why::WhyArgs),
    /// Answer the batches of Meson's wrapper
    #[command(hide = true)]
    Meson(meson::MesonArgs),
    /// Run commands that `bench` sends to a worker process
    #[command(hide = true)]
    BenchWorker,
    /// Run one command and print what it looks at
    #[command(hide = true)]
    Seen(seen::SeenArgs),
    /// Answer the checks of a configure step of CMake
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    Session(session::SessionArgs),
    /// Print the JSON Schema of a request, a response or a benchmark
    Schema {
        /// The schema
        which: Which,
    },
    /// Print a shell completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page in roff
    Man,
}

const CHECK_HELP: &str = concat!(
    "\
A check option takes [ID=]WHAT[@HEADER,...]. ID names the answer (by default, WHAT does); the
headers are included first. Check options can be repeated and combined with FILE.

The compiler is --compiler, else the one in FILE, else CC, CXX or FC (with CPPFLAGS, CFLAGS,
CXXFLAGS, FFLAGS and LDFLAGS), else cc, c++ or gfortran.

Examples:
  tryall check --header sys/epoll.h --symbol 'HAVE_PIPE2=pipe2@unistd.h' --arg=-D_GNU_SOURCE
  tryall check --language fortran --compiles probe.f90 --required
  tryall check batch.json --compiler clang --format ndjson

",
    exit_statuses!()
);

/// Arguments of `tryall check`.
#[derive(Debug, Args, Default)]
struct CheckArgs {
    /// The request file. - is standard input, the default if the command line has no checks
    file: Option<PathBuf>,

    /// Run N commands at once [default: from the request, make's jobserver or the cores]
    #[arg(short, long, value_name = "N", value_parser = count)]
    jobs: Option<NonZeroUsize>,
    /// Time limit of a check, unless the request sets one [default: 60]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    timeout: Option<Seconds>,
    /// Output format
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// Write the answers to FILE (- is standard output); an unchanged file is not touched
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Run separate commands for every check
    #[arg(long)]
    no_fuse: bool,
    /// Ask the compiler everything, and keep no answer
    #[arg(long)]
    no_store: bool,
    /// Write a trace of all commands for the Chrome or Perfetto viewer
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Repeat every check alone and exit with status 3 if an answer differs
    #[arg(long)]
    verify: bool,

    #[command(flatten)]
    checks: command_line::Given,

    /// The language of the checks on the command line [default: c]
    #[arg(long, value_parser = language, help_heading = "For all checks on the command line")]
    language: Option<Language>,
    /// The name of a toolchain in FILE
    #[arg(long, value_name = "NAME", help_heading = "For all checks on the command line")]
    toolchain: Option<String>,
    /// A header to include first
    #[arg(
        long = "include",
        value_name = "HEADER",
        help_heading = "For all checks on the command line"
    )]
    headers: Vec<String>,
    /// Source text after the headers
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true,
        help_heading = "For all checks on the command line"
    )]
    prefix: String,
    /// A compiler argument
    #[arg(
        long = "arg",
        value_name = "ARG",
        allow_hyphen_values = true,
        help_heading = "For all checks on the command line"
    )]
    args: Vec<String>,
    /// A linker argument
    #[arg(
        long = "link-arg",
        value_name = "ARG",
        allow_hyphen_values = true,
        help_heading = "For all checks on the command line"
    )]
    link_args: Vec<String>,
    /// An include directory
    #[arg(
        long = "include-dir",
        value_name = "DIR",
        help_heading = "For all checks on the command line"
    )]
    include_dirs: Vec<String>,
    /// A regular expression; if the output matches, the answer is no
    #[arg(
        long = "fail-pattern",
        value_name = "REGEX",
        help_heading = "For all checks on the command line"
    )]
    fail_patterns: Vec<String>,
    /// Exit with status 1 unless every answer is yes
    #[arg(long, help_heading = "For all checks on the command line")]
    required: bool,

    /// The compiler for all checks in this language, in shell syntax: 'ccache gcc'
    #[arg(long, value_name = "COMMAND", help_heading = "Toolchain")]
    compiler: Option<String>,
    /// The emulator that runs test programs, in shell syntax: 'qemu-aarch64 -L /usr/aarch64-linux-gnu'
    #[arg(long, value_name = "COMMAND", help_heading = "Toolchain")]
    emulator: Option<String>,
}

/// A number of jobs, rounds or repetitions.
fn count(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "expected a whole number above 0")
}

fn language(name: &str) -> Result<Language, String> {
    let names = || Language::names().collect::<Vec<_>>().join(", ");
    Language::from_name(name).ok_or_else(|| format!("known languages: {}", names()))
}

/// Runs the program.
pub fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if let Some(status) = crate::run::shim::main() {
        return status;
    }
    // Must run before anything opens a file descriptor.
    let inherited = Inherited::from_env();
    let words: Vec<_> = std::env::args_os().collect();
    let cli = Cli::try_parse_from(&words)
        .unwrap_or_else(|error| wrong_call::explained(error, &words).exit());
    match cli.command {
        Some(Command::Check(args)) => check::run(*args, inherited),
        None => check::run(CheckArgs::default(), inherited),
        Some(Command::Cmake(args)) => cmake::run(args),
        #[cfg(target_os = "linux")]
        Some(Command::Run(args)) => run::run(args),
        Some(Command::Meson(args)) => meson::run(&args, &inherited),
        Some(Command::Store(args)) => store::run(&args),
        Some(Command::Why(args)) => why::run(&args),
        Some(Command::Modules(args)) => modules::run(&args),
        Some(Command::Bench(args)) => bench::run(&args),
        Some(Command::BenchWorker) => match crate::bench::strategy::work() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => output::write_failure(&error),
        },
        Some(Command::Seen(args)) => seen::run(&args),
        #[cfg(target_os = "linux")]
        Some(Command::Session(args)) => session::run(args),
        Some(Command::Schema { which }) => output::print(schema::schema(which).as_bytes()),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "tryall", &mut script);
            output::print(&script)
        }
        Some(Command::Man) => output::print(&manual::page()),
    }
}
