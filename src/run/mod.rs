//! `tryall run`: build systems as they are. This program is started in the place of each compiler: a shim.
//!
//! * `serve`: the process that starts the command, answers shims, and prints the summary
//! * `shims`, `preload`: which programs are compilers, and how this program comes into their place
//! * `shim`: what this program does there
//! * `stdin`, `difference`: parts of that: standard input, and comparing for `--verify`
//! * `command`: a compiler's command line, as far as it must be understood
//! * `files`: what a command is given and what it leaves, and how that is put in place again
//! * `wire`: what shim and server tell each other
//! * `desk`: keys, what is kept, and what holds
//! * `place`: what of an answer is about the directory of the command
//! * `counts`: the summary
//!
//! docs/design/run.md has the reasons.

mod command;
mod counts;
mod desk;
mod difference;
mod files;
mod place;
pub(crate) mod serve;
pub(crate) mod shim;
mod shims;
mod stdin;
mod wire;
