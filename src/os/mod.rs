//! The boundary between this program and the operating system. Everything outside this module is
//! portable Rust.
//!
//! Support for another system needs a module with the same items:
//!
//! * [`Group`]: a started process together with everything that it starts. It can be waited for,
//!   asked to end, and killed. (Unix: a process group. Windows: a job object.)
//! * [`start`]: starts a process in a directory, with pipes, and never through a shell.
//! * [`Reaper`]: kills all groups and removes the scratch directory if this process is killed.
//! * [`Sandbox`]: runs a process that has no effect outside one directory. A system without such
//!   means reports an error.
//! * [`interrupted`], [`reader_gone`]: the two ways in which a caller stops this program.
//!   [`hold_interrupts`]: protects what must not be interrupted. [`survive_file_size_limit`]:
//!   prevents a signal that would end this program before it can report the cause.
//! * [`Stdout`]: standard output, in whatever state the caller left it.
//! * [`kill_strays`]: kills processes that have left their group, where they can be found.
//!   [`is_busy`]: whether any of them has work to do.
//! * [`scratch_base`], [`is_full`], [`has_no_inodes`], [`is_noexec`], [`private_dir`]: where
//!   temporary files go, whether there is free space, and whether programs may run there.
//! * [`max_commands`], [`check_descriptor_limit`], [`is_short_of_resources`]: what the limits on
//!   open files and processes allow. [`set_limits`]: the limits that can kill a program.
//! * [`cpu_spent`], [`available_memory`], [`processor`], [`raise_file_limit`]: what the benchmark
//!   mode needs to know of the machine.
//! * [`asker`]: the user and the processor, on which answers may depend. [`keeps_time_of_change`]:
//!   whether files of a file system can be compared by their times. [`host_names`]: the names of
//!   the machine and its kernel. [`user_entry`]: what the system knows of the user.
//! * [`become_program`]: replaces this process by another program. [`is_in_others_hands`]: whether
//!   other users can change the files in a directory.
//! * [`file_identity`]: detects that a file was replaced. [`remove_all`]: removes a directory,
//!   whatever its permissions. [`is_open_to_all`]: whether every user may replace files in it.
//!   [`is_named_pipe`]. [`look`], [`View`]: what is at a path, with a stamp that changes when it
//!   does. [`contents`]: a digest of what is in it.
//! * [`dir_owner`], [`make_private`], [`is_own_or_roots`], [`open_own`]: directories and files that
//!   no other user can have changed. [`read_at`]: a part of a file. [`bytes_of`], [`from_bytes`]:
//!   paths and variables as bytes. [`memory_file`]: a file in memory, if there are such.
//!   [`descriptors`]: where other processes find descriptors of this one.
//! * [`OtherProcess`]: tells when another process ends, and where it is. [`Arrivals`]: tells when
//!   files are written into a directory. [`lock`]: locks a file as CMake does. [`make_pipe`],
//!   [`parent`], [`leave_session`], [`lent_stdout`], [`end_by_signal`], [`start_beside`], [`parent_of`],
//!   [`user`]: what else a session needs.
//! * [`describe_signal`], [`is_own_fault`], [`limit_behind`]: what a signal says about the process
//!   that it ended. [`start_failure`]: why a process could not be started.

#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub(crate) use unix::*;

#[cfg(not(unix))]
compile_error!(
    "tryall only runs on Unix so far; the list in src/os/mod.rs says what another system needs"
);
