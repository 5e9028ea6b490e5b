//! The tests drive the real program against real compilers, and against a fake one for faults.
//! One crate, so that it is linked once.

mod support;

mod integration;
mod peers;
mod protocol;
mod serial;
