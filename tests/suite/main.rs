//! The tests drive the real program against real compilers, and against a fake one for faults.
//! One crate, so that it is linked once.

mod processes;
mod support;
mod table;

mod bad_commands;
mod bad_fields;
mod bad_input;
mod bench;
mod broken;
mod cli;
mod cli_output;
mod cli_toolchain;
mod cmake_names;
mod cmake_variables;
mod commands;
mod cross;
mod doors;
mod doors_cmake;
mod faults;
mod fortran;
mod fuse;
mod hidden_values;
mod integration;
mod interrupt;
mod kinds_c;
mod limits;
mod peers;
mod preprocessing;
mod products;
mod properties;
mod properties_output;
mod properties_source;
mod protocol;
mod readers;
mod rooms;
mod serial;
mod slots;
