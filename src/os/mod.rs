//! What the operating system gives: the boundary between this program and what is particular
//! to one system. Everything outside this module is portable Rust.
//!
//! A system is added by a module with the same items:
//!
//! * [`Group`]: a started process together with everything that it starts, which can be
//!   waited for, asked to end and made to end. (Unix: a process group. Windows: a job object.)
//! * [`start`]: starts one, in a directory, with pipes, never through a shell.
//! * [`Reaper`]: ends all groups and removes the scratch directory when this process is killed.
//! * [`interrupted`], [`reader_gone`]: the two ways in which a caller says that it has enough;
//!   [`hold_interrupts`]: what must not be cut short by the first of them.
//!   [`survive_file_size_limit`]: what would end this program before it could tell why.
//! * [`Stdout`]: where results go, whatever state the caller has left it in.
//! * [`kill_strays`]: ends what has left its group, where such processes can be found; [`is_busy`]:
//!   whether any of them has work to do.
//! * [`scratch_base`], [`is_full`], [`has_no_inodes`], [`is_noexec`], [`private_dir`]: where
//!   temporary files go, whether there is room, and whether programs may run there.
//! * [`most_commands`], [`check_descriptor_limit`], [`is_short_of_resources`]: what the limits on open
//!   files and processes allow. [`set_limits`]: those that programs die of.
//! * [`cpu_spent`], [`available_memory`], [`processor`], [`raise_file_limit`]: what the benchmark
//!   mode asks of the machine.
//! * [`become_program`]: runs another program in the place of this one. [`is_in_others_hands`]:
//!   whether others can change what is read from a directory.
//! * [`file_identity`]: tells whether a file was replaced. [`remove_all`]: removes a directory,
//!   whatever a program has done to it. [`is_open_to_all`]: whether everybody may. [`is_named_pipe`].
//! * [`describe_signal`], [`is_own_fault`], [`limit_behind`]: what a signal says of the process that
//!   it ended. [`start_failure`]: why there was no process.

#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub(crate) use unix::*;

#[cfg(not(unix))]
compile_error!(
    "tryall runs on Unix so far; see the list in src/os/mod.rs for what another system needs"
);
