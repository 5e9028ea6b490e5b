//! The tests drive the real program against real compilers, and against a fake one for faults.
//! One crate, so that it is linked once.

#[path = "../../fuzz/bodies/mod.rs"]
mod fuzz_bodies;
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
mod fuzzed;
mod interrupt;
mod inventory;
mod known_links;
mod limits;
mod preprocessing;
mod products;
mod progress;
mod properties;
mod properties_output;
mod properties_source;
mod protocol;
mod readers;
mod rooms;
mod serial;
mod slips;
mod slots;
