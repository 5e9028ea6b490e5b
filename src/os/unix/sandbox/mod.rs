//! Runs a command so that neither it nor anything it starts has an effect outside one directory.
//!
//! The scout needs this: a second CMake, which runs a project's scripts ahead of the real one. The
//! scripts are not hostile, because the user runs them anyway. But they do not expect to run twice.
//! Four means work together, and each needs no rights that an ordinary user lacks:
//!
//! * Landlock ([`files`]) forbids changing files elsewhere, and sending signals to others.
//! * A filter of system calls ([`syscalls`]) covers what Landlock does not know: sockets,
//!   permissions, locks, priorities, objects in the kernel. It also keeps all processes in one
//!   group, so that they end together.
//! * Root gives up its privileges, except for reading files whatever their permissions.
//! * Limits bound memory and files. Nothing is inherited but the pipes for the output.
//!
//! Where any of these is missing, [`Sandbox::start`] fails. There is no weaker sandbox.
//! `docs/design/scout-sandbox.md` lists what each covers, and what remains.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod confinement;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod files;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod syscalls;
#[cfg(all(test, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests;

use std::io;
use std::path::Path;
use std::rc::Rc;

use super::group::{Group, Pipes, Start};
use super::reaper::Reaper;

/// What a command may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sandbox<'a> {
    /// The only directory in which files can be changed. It must exist and be new: a hard link in
    /// it would lead out. Temporary files go to its subdirectory `tmp`.
    pub writable: &'a Path,
    /// The largest address space of each process, in bytes.
    pub memory: u64,
    /// The largest size of each file, in bytes.
    pub file_size: u64,
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
impl Sandbox<'_> {
    /// Starts a process in the sandbox. Its group contains everything that it starts, so killing or
    /// reaping the group leaves nothing behind. If this program is killed, the reaper does that;
    /// without one, only the process itself ends.
    ///
    /// The process also ends with the thread that calls this.
    ///
    /// # Errors
    ///
    /// If the process cannot be started, or the system has no such sandbox. Nothing runs then.
    pub(crate) fn start(
        &self,
        what: Start<'_>,
        reaper: Option<&Rc<Reaper>>,
    ) -> io::Result<(Group, Pipes)> {
        self.start_with(files::landlock_version()?, what, reaper)
    }

    fn start_with(
        &self,
        version: landlock::ABI,
        what: Start<'_>,
        reaper: Option<&Rc<Reaper>>,
    ) -> io::Result<(Group, Pipes)> {
        use std::os::unix::process::CommandExt;

        let temporary = self.writable.join("tmp");
        match std::fs::create_dir(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
        let confinement = confinement::Confinement::new(self, version)?;
        super::group::start_prepared(what, reaper, |command| {
            command.envs(["TMPDIR", "TMP", "TEMP"].map(|name| (name, &temporary)));
            // It may name a jobserver, whose tokens the real build needs.
            command.env_remove("MAKEFLAGS");
            // SAFETY: `enter` only makes system calls, which is safe after a fork.
            unsafe { command.pre_exec(move || confinement.enter()) };
        })
    }
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
impl Sandbox<'_> {
    /// Fails: this system has no sandbox.
    pub(crate) fn start(&self, _: Start<'_>, _: Option<&Rc<Reaper>>) -> io::Result<(Group, Pipes)> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
