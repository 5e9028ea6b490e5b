//! The tests drive the real program against real compilers, and against a fake one for faults.
//! One crate, so that it is linked once.

mod processes;
mod support;

mod broken;
mod faults;
mod interrupt;
mod protocol;
mod rooms;
mod slots;
