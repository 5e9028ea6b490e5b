//! Injects faults: compilers that hang, crash and lie, full disks, callers that go away, malicious
//! input. Each fault is real, and so is the program. Each row of the table is one fault, for which
//! three properties must hold:
//!
//! * every answer is that of a run without faults, or `error`, or the request is refused;
//! * the program ends;
//! * nothing is left behind: no process, and no file except the answers.
//!
//! `cargo test --test hostile` runs this and prints the table; words on the command line select
//! rows by name. `tests/soak` runs the long parts (`--long`). A fault that cannot be set up is a
//! failure, because a skipped row would look like a passing one.

#[path = "../suite/processes.rs"]
#[allow(dead_code, reason = "the suite uses all of it")]
mod processes;
#[path = "../suite/support.rs"]
#[allow(dead_code, reason = "the suite uses all of it")]
mod support;

mod batch;
mod call;
mod sandbox;
mod table;
mod watcher;

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
mod stored;
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
        stored::FAULTS,
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
        // The words name a different test.
        return ExitCode::SUCCESS;
    }
    if let Err(why) = sandbox::enter() {
        eprintln!("hostile: {why}");
        return ExitCode::FAILURE;
    }
    table::run(&faults)
}
