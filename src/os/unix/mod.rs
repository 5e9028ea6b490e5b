//! Unix. Tested on Linux; what only Linux has is marked and has a fallback.

mod exec;
mod files;
mod group;
mod limits;
mod machine;
mod reaper;
mod signals;
mod stdout;
mod strays;

use std::fs::{DirBuilder, File, Metadata};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use nix::sys::statvfs::{FsFlags, statvfs};

pub(crate) use exec::become_program;
pub(crate) use files::{FileIdentity, file_identity, is_named_pipe, is_open_to_all, remove_all};
pub(crate) use group::{Group, OutputMode, Pipes, Start, start};
pub(crate) use limits::{
    Limit, StartFailure, is_short_of_resources, limit_behind, most_commands, check_descriptor_limit,
    set_limits, start_failure,
};
pub(crate) use machine::{CpuSpent, available_memory, cpu_spent, processor, raise_file_limit};
pub(crate) use reaper::Reaper;
pub(crate) use signals::{
    HeldBack, hold_interrupts, interrupted, leave_signals_to_others, survive_file_size_limit,
};
pub(crate) use stdout::{Stdout, reader_gone};
pub(crate) use strays::{kill_strays, is_busy};

/// Memory-backed space must have this much room, or a disk is used: a container's /dev/shm
/// may hold 64 MiB in all.
const MIN_FREE_IN_MEMORY: u64 = 256 << 20;

/// A file system with less room than this may have failed a compiler that wrote to it.
const MIN_FREE: u64 = 1 << 20;

/// The number of the signal that stands for a closed standard output.
pub(crate) const BROKEN_PIPE: i32 = Signal::SIGPIPE as i32;

/// Where temporary files go: `TMPDIR` if it is set, else memory if there is room, else /tmp.
pub(crate) fn scratch_base() -> PathBuf {
    if let Some(chosen) = std::env::var_os("TMPDIR").filter(|dir| !dir.is_empty()) {
        return chosen.into();
    }
    // Linux; a path that is not there elsewhere.
    let memory = Path::new("/dev/shm");
    match statvfs(memory) {
        Ok(stat)
            if free_bytes(&stat) >= MIN_FREE_IN_MEMORY
                && !stat.flags().intersects(FsFlags::ST_NOEXEC | FsFlags::ST_RDONLY)
                && nix::unistd::access(memory, nix::unistd::AccessFlags::W_OK).is_ok() =>
        {
            memory.into()
        }
        _ => std::env::temp_dir(),
    }
}

/// Whether the file system has no room left, in bytes or in files.
pub(crate) fn is_full(path: &Path) -> bool {
    statvfs(path).is_ok_and(|stat| free_bytes(&stat) < MIN_FREE) || has_no_inodes(path)
}

/// Whether the file system has no room for one file more.
pub(crate) fn has_no_inodes(path: &Path) -> bool {
    // Some file systems count no files at all and say 0 of 0.
    statvfs(path).is_ok_and(|stat| stat.files() > 0 && stat.files_available() == 0)
}

/// Whether programs may not run from the file system.
pub(crate) fn is_noexec(path: &Path) -> bool {
    statvfs(path).is_ok_and(|stat| stat.flags().contains(FsFlags::ST_NOEXEC))
}

#[allow(clippy::useless_conversion, reason = "the widths differ between systems")]
fn free_bytes(stat: &nix::sys::statvfs::Statvfs) -> u64 {
    u64::from(stat.blocks_available()) * u64::from(stat.fragment_size())
}

/// Makes a directory that nobody else can enter.
pub(crate) fn private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Whether somebody other than the user and the system's administrator may put files into a
/// directory, or owns it. A link is its owner's.
pub(crate) fn is_in_others_hands(entry: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let owner = entry.uid();
    let is_own = owner == nix::unistd::geteuid().as_raw() || owner == 0;
    // In a sticky directory nobody can remove or rename what is not theirs.
    let is_open = is_open_to_all(entry) && !entry.is_symlink();
    !is_own || is_open
}

/// Gives a new file the permissions that the caller's umask leaves. Files that are made under
/// a temporary name start with none for others.
pub(crate) fn with_default_permissions(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    // The umask can only be read by setting it; nothing else runs at this point.
    let mask = nix::sys::stat::umask(nix::sys::stat::Mode::empty());
    nix::sys::stat::umask(mask);
    file.set_permissions(std::fs::Permissions::from_mode(0o666 & !mask.bits()))
}

/// A signal's name, such as `SIGSEGV`.
pub(crate) fn describe_signal(number: i32) -> String {
    match Signal::try_from(number) {
        Ok(signal) => signal.as_str().into(),
        Err(_) => format!("signal {number}"),
    }
}

/// Whether a program gets this signal by its own doing. Of any other the sender is somebody
/// else, and the program has said nothing by dying.
pub(crate) fn is_own_fault(number: i32) -> bool {
    use Signal::*;
    matches!(
        Signal::try_from(number),
        Ok(SIGABRT | SIGBUS | SIGFPE | SIGILL | SIGSEGV | SIGSYS | SIGTRAP | SIGPIPE | SIGALRM)
    )
}

/// Whether a program could not be started because somebody still has it open for writing.
pub(crate) fn is_text_busy(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ExecutableFileBusy
}
