//! Runs the real program with real compilers, and with a fake one for faults. All modules form one
//! crate, so that it is linked once.

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
mod cmd_modules;
mod codes;
mod commands;
mod faults;
mod interrupt;
mod inventory;
mod isolation;
mod known_links;
mod library;
mod limits;
mod preprocessing;
mod products;
mod progress;
mod protocol;
mod readers;
mod serial;
mod slips;
mod slots;
mod store;
mod store_contents;
mod store_places;
mod store_surroundings;
mod store_verify;
