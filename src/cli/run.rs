//! `tryall run`: runs a build system as it is, whose compilers are answered from the store.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Args;

/// Arguments of `tryall run`.
#[derive(Args)]
pub(super) struct RunArgs {
    /// Run the compiler for every call, and compare it with what the store says
    #[arg(long)]
    verify: bool,
    /// The command
    #[arg(
        value_name = "COMMAND",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    command: Vec<OsString>,
}

pub(super) const HELP: &str = "\
Whenever the command, or what it starts, starts a compiler (cc, gcc, g++, clang, gfortran ... on PATH, with
versions and targets, and what CC, CXX and FC name), tryall takes its place. A call that the store knows
ends as it ended before: exit status, both outputs and files. For any other call the compiler runs, and
what it did is kept together with all that it read. Calls that are large or not understood become the
compiler at once. Programs that a configure script builds and runs are run each time. Build files and
logs are the same as without tryall, which is not needed afterwards.

At the end, a line on standard error says how many calls were stored (the answer was in the store),
asked (the compiler ran) and passed on (tryall did not look at them), and why. TRYALL_STORE=off in the
environment turns the store off.

Examples:
  tryall run -- ./configure --prefix=/usr
  tryall run -- meson setup build
  tryall run -- python3 -m build

Exit status:
  that of the command, or
  3    with --verify: the compiler did something else than the store says
  126  the command could not be executed
  127  the command was not found";

/// Runs the command.
pub(super) fn run(args: RunArgs) -> ExitCode {
    crate::run::serve::run(&crate::run::serve::Options {
        words: args.command,
        compares: args.verify,
    })
}
