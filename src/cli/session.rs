//! `tryall session`: what the CMake modules start. Hidden from the help.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::cli::progress::tell;
use crate::os;
use crate::session::{self, Caller};

/// Arguments of `tryall session`.
#[derive(Args)]
pub(super) struct SessionArgs {
    #[command(subcommand)]
    command: SessionCommand,
}

#[derive(Subcommand)]
enum SessionCommand {
    /// Start a session for the CMake that has started this program, and print its directory
    Start(CmakeArgs),
    /// Serve the process with a number
    Serve {
        /// The number
        process: u32,
        #[command(flatten)]
        cmake: CmakeArgs,
    },
    /// Run a program as try_run does
    Run {
        /// Where to write a script with its output
        script: PathBuf,
        /// `merged` or `parted`
        mode: String,
        /// Words of the program, after `more:`
        more: String,
        /// The command
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
    /// Write the environment to a file
    Environment {
        /// The file
        file: PathBuf,
    },
}

/// What is known of CMake.
#[derive(Args)]
struct CmakeArgs {
    /// Its path
    program: PathBuf,
    /// The directory of its modules
    root: PathBuf,
    /// Its version
    version: String,
    /// Where the session may make a directory
    place: PathBuf,
}

impl CmakeArgs {
    fn caller(self, process: u32) -> Caller {
        Caller {
            process,
            program: self.program,
            root: self.root,
            version: self.version,
            place: self.place,
        }
    }
}

/// Runs the command.
pub(super) fn run(args: SessionArgs) -> ExitCode {
    let done = match args.command {
        SessionCommand::Start(cmake) => session::start(&cmake.caller(os::parent())).map(|dir| {
            println!("{dir}");
        }),
        SessionCommand::Serve { process, cmake } => {
            let left = os::leave_session();
            left.map_err(|error| error.to_string())
                .and_then(|()| session::serve(&cmake.caller(process), os::lent_stdout()))
        }
        SessionCommand::Run { script, mode, more, command } => {
            return match session::run(&script, mode == "merged", &more, &command) {
                Ok(status) => session::end_like(status),
                Err(error) => {
                    let _ = writeln!(std::io::stderr(), "{error}");
                    ExitCode::from(127)
                }
            };
        }
        SessionCommand::Environment { file } => {
            session::write_environment(&file).map_err(|error| error.to_string())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            tell(&why);
            ExitCode::from(3)
        }
    }
}
