//! Faults, one row each: compilers that hang, crash and lie, a machine without room, callers that
//! go away, input that wants to get out. Each is made for real, with the real program, and three
//! promises are looked at:
//!
//! * every answer is that of a healthy run, or `error`, or the request is refused;
//! * it ends;
//! * nothing is left behind: no process, and no file beside the answers.
//!
//! `cargo test --test hostile` runs this and prints the table; a word on the command line chooses rows
//! by their names. `tests/soak` runs the long parts (`--long`). What cannot be set up fails: a row that is
//! left out would look like one that holds.

#[path = "../suite/processes.rs"]
#[allow(dead_code, reason = "the suite has more use for it")]
mod processes;
#[path = "../suite/support.rs"]
#[allow(dead_code, reason = "the suite has more use for it")]
mod support;

mod batch;
mod call;
mod table;
mod watcher;
mod world;

mod caller;
mod cmake;
mod cmake_faults;
mod compilers;
mod input;
mod jobserver;
mod kills;
mod limits;
mod load;
mod machine;
mod places;
mod swapped;

use std::process::ExitCode;

use table::Fault;

/// All faults, in the order of the table.
fn faults() -> Vec<Fault> {
    [
        compilers::FAULTS,
        swapped::FAULTS,
        machine::FAULTS,
        limits::FAULTS,
        caller::FAULTS,
        jobserver::FAULTS,
        kills::FAULTS,
        places::FAULTS,
        cmake_faults::FAULTS,
        input::FAULTS,
        load::FAULTS,
    ]
    .concat()
}

fn main() -> ExitCode {
    if let Some(command) = watcher::command() {
        return watcher::watch(command);
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "--list") {
        println!("hostile: test");
        return ExitCode::SUCCESS;
    }
    let long = args.iter().any(|arg| arg == "--long");
    let words: Vec<_> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let chosen = |fault: &Fault| {
        let name = format!("{}: {}", fault.part, fault.name);
        fault.long == long && (words.is_empty() || words.iter().any(|word| name.contains(*word)))
    };
    let faults: Vec<_> = faults().into_iter().filter(chosen).collect();
    if faults.is_empty() {
        // Another test was meant.
        return ExitCode::SUCCESS;
    }
    if let Err(why) = world::enter() {
        eprintln!("hostile: {why}");
        return ExitCode::FAILURE;
    }
    table::run(&faults)
}
