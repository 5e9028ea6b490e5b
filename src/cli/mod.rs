//! The command line.

mod bench;
mod check;
mod cmake;
mod execute;
mod manual;
mod meson;
mod modules;
mod output;
pub mod progress;
mod stream;
mod wrong_call;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::compiler::language::Language;
use crate::exec::slots::Inherited;
use crate::protocol::schema::{self, Which};
use crate::protocol::{Seconds, command_line};
use crate::report::Format;

/// Answer a batch of compiler checks, all at once
///
/// Reads questions about a C, C++ or Fortran compiler (is this header there, does this link,
/// how large is this type), asks the compiler as many at once as there are cores, and writes
/// every answer. No answer differs from the one the compiler would have given alone; what the
/// compiler did not answer is an error, never a no.
#[derive(Parser)]
#[command(name = "tryall", version, override_usage = USAGE, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

const USAGE: &str = "tryall < batch.json\n       tryall <COMMAND>";

/// Told by the program and by its main command.
macro_rules! exit_statuses {
    () => {
        "Exit status:
  0  every check was answered (yes, no or skipped)
  1  a check marked as required was not answered yes
  2  the request is unusable; nothing was run
  3  at least one check ended in an error
  128+N  ended by signal N"
    };
}

const EXAMPLES: &str = concat!(
    "\
Examples:
  tryall check batch.json                      a batch from a file; - or nothing reads it from stdin
  tryall check --header unistd.h --function fork --sizeof 'long long'
  tryall check batch.json --format header --output config.h
  CC=clang tryall check --symbol epoll_create1@sys/epoll.h --format keyval

",
    exit_statuses!()
);

#[derive(Subcommand)]
enum Command {
    /// Run a batch and print the answers
    #[command(after_help = CHECK_HELP)]
    Check(Box<CheckArgs>),
    /// Measure how much faster checks run when they run concurrently, and by which technique
    Bench(Box<bench::BenchArgs>),
    /// Run CMake so that the checks of an unmodified project are answered concurrently
    #[command(disable_help_flag = true, after_help = cmake::HELP)]
    Cmake(cmake::CmakeArgs),
    /// Write the CMake modules and the Meson files, and print where they are
    ///
    /// Without an option they go to a directory of this version, $XDG_DATA_HOME/tryall/VERSION-HASH
    /// (or ~/.local/share/tryall/VERSION-HASH), and its path is printed. It holds the CMake modules
    /// and, in `meson`, the Meson files. It must stay as long as build directories use it.
    Modules(modules::ModulesArgs),
    /// Answer the batches of Meson's wrapper
    #[command(hide = true)]
    Meson(meson::MesonArgs),
    /// Perform what `bench` sends to a worker process
    #[command(hide = true)]
    BenchWorker,
    /// Print the JSON Schema of a request, a response or a benchmark
    Schema {
        /// Which of them
        which: Which,
    },
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, in roff
    Man,
}

const CHECK_HELP: &str = concat!(
    "\
A check's option takes [ID=]WHAT[@HEADER,...]: the name of the answer, if it is not to be made
from WHAT, and the headers to include first. Options of checks may be given many times, and
together with FILE.

The compiler is CC, CXX or FC (with CPPFLAGS, CFLAGS, CXXFLAGS, FFLAGS and LDFLAGS), else cc, c++
or gfortran, unless FILE or --compiler names another.

Examples:
  tryall check --header sys/epoll.h --symbol 'HAVE_PIPE2=pipe2@unistd.h' --arg=-D_GNU_SOURCE
  tryall check --language fortran --compiles probe.f90 --required
  tryall check batch.json --compiler clang --format ndjson

",
    exit_statuses!()
);

/// What `tryall check` takes.
#[derive(Debug, Args, Default)]
struct CheckArgs {
    /// The request; - reads it from standard input, which is also the default without checks
    /// on the command line
    file: Option<PathBuf>,

    /// Run this many at once; without it the request, make's jobserver or the cores decide
    #[arg(short, long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Stop a check after this long, unless it has a limit of its own [default: 60]
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<Seconds>,
    /// How the answers are written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// Write the answers to FILE, which is left as it is if nothing has changed; - is standard
    /// output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Give every check commands of its own
    #[arg(long)]
    no_fuse: bool,
    /// Write when each command ran, for the trace viewers of Chrome and Perfetto
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Ask every check again, alone, and fail with status 3 if an answer differs
    #[arg(long)]
    verify: bool,

    #[command(flatten)]
    checks: command_line::Given,

    /// The language of the checks on the command line [default: c]
    #[arg(long, value_parser = language, help_heading = "For all checks on the command line")]
    language: Option<Language>,
    /// Their toolchain, by its name in FILE
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
    /// A directory with headers
    #[arg(
        long = "include-dir",
        value_name = "DIR",
        help_heading = "For all checks on the command line"
    )]
    include_dirs: Vec<String>,
    /// A regular expression over the output that turns a yes into a no
    #[arg(
        long = "fail-pattern",
        value_name = "REGEX",
        help_heading = "For all checks on the command line"
    )]
    fail_patterns: Vec<String>,
    /// Exit with status 1 unless all of them answer yes
    #[arg(long, help_heading = "For all checks on the command line")]
    required: bool,

    /// The compiler of the language, for all checks, as a shell would write it: 'ccache gcc'
    #[arg(long, value_name = "COMMAND", help_heading = "Toolchain")]
    compiler: Option<String>,
    /// What runs programs, of any language, as a shell would write it: 'qemu-aarch64 -L /usr/aarch64-linux-gnu'
    #[arg(long, value_name = "COMMAND", help_heading = "Toolchain")]
    emulator: Option<String>,
}

fn language(name: &str) -> Result<Language, String> {
    let names = || Language::names().collect::<Vec<_>>().join(", ");
    Language::from_name(name).ok_or_else(|| format!("known are {}", names()))
}

/// Runs the program.
pub fn main() -> ExitCode {
    // First of all, as it demands.
    let inherited = Inherited::from_env();
    if let Some(args) = check::args_of_dropin(std::env::args_os().skip(1)) {
        return check::run(args, inherited);
    }
    let words: Vec<_> = std::env::args_os().collect();
    let cli = Cli::try_parse_from(&words)
        .unwrap_or_else(|error| wrong_call::explained(error, &words).exit());
    match cli.command {
        Some(Command::Check(args)) => check::run(*args, inherited),
        None => check::run(CheckArgs::default(), inherited),
        Some(Command::Cmake(args)) => cmake::run(args),
        Some(Command::Meson(args)) => meson::run(&args, &inherited),
        Some(Command::Modules(args)) => modules::run(&args),
        Some(Command::Bench(args)) => bench::run(&args),
        Some(Command::BenchWorker) => match crate::bench::strategy::work() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => output::write_failure(&error),
        },
        Some(Command::Schema { which }) => output::print(schema::schema(which).as_bytes()),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "tryall", &mut script);
            output::print(&script)
        }
        Some(Command::Man) => output::print(&manual::page()),
    }
}
