//! The tests drive the real program against real compilers, and against a fake one for faults.
//! One crate, so that it is linked once.

mod processes;
mod support;

mod argument_trials;
mod bad_commands;
mod bad_fields;
mod bad_input;
mod bench;
mod broken;
mod causes;
mod cli;
mod cli_output;
mod cli_toolchain;
mod cmake_names;
mod cmake_variables;
mod codes;
mod commands;
mod doors;
mod faults;
mod interrupt;
mod inventory;
mod known_links;
mod limits;
mod preprocessing;
mod products;
mod progress;
mod protocol;
mod readers;
mod rooms;
mod serial;
mod slips;
mod slots;
