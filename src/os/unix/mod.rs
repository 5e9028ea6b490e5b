//! Unix. Tested on Linux. Parts that only Linux has are marked and have a fallback.

mod asker;
#[cfg(target_os = "linux")]
mod beside;
mod contents;
mod exec;
mod files;
mod group;
mod limits;
mod look;
mod machine;
#[cfg(target_os = "linux")]
mod other_process;
mod private;
mod reaper;
#[cfg(target_os = "linux")]
mod run;
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "for sessions"))]
mod sandbox;
mod signals;
mod stdout;
mod strays;
#[cfg_attr(not(target_os = "linux"), path = "no_watch.rs")]
mod watch;

use std::fs::{DirBuilder, File, Metadata};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use nix::sys::statvfs::{FsFlags, statvfs};

pub(crate) use asker::{Asker, Permissions, asker, permissions};
#[cfg(target_os = "linux")]
pub(crate) use beside::start_beside;
pub(crate) use contents::{Contents, Digest, contents};
pub(crate) use exec::{become_command, become_program, restore_pipe_signal, was_closed};
pub(crate) use files::{
    FileIdentity, descriptors, file_identity, is_named_pipe, is_open_to_all, memory_file,
    remove_all,
};
pub(crate) use group::{Group, OutputMode, Pipes, Start, start};
pub(crate) use limits::{
    Limit, StartFailure, check_descriptor_limit, is_short_of_resources, limit_behind, max_commands,
    set_limits, start_failure,
};
pub(crate) use look::{Found, Look, Stamp, View, changed, look};
pub(crate) use machine::{
    CpuSpent, available_memory, cpu_spent, host_names, processor, raise_file_limit, user_entry,
};
#[cfg(target_os = "linux")]
pub(crate) use other_process::{
    Arrivals, OtherProcess, end_by_signal, has_other_names, leave_session, lent_stdout, lock,
    make_pipe, parent, parent_of, user, variables,
};
pub(crate) use private::{
    DirOwner, bytes_of, dir_owner, from_bytes, is_own, is_own_or_roots, make_private, open_own,
    read_at,
};
pub(crate) use reaper::Reaper;
#[cfg(target_os = "linux")]
pub(crate) use run::{
    Passing, are_one_file, can_make_files, die_with_parent, holds_all, limits, sees_same_files,
};
#[cfg(target_os = "linux")]
pub(crate) use sandbox::Sandbox;
pub(crate) use signals::{
    HeldBack, hold_interrupts, interrupted, leave_signals_to_others, survive_file_size_limit,
};
pub(crate) use stdout::{Stdout, reader_gone};
pub(crate) use strays::{is_busy, kill_strays};
pub(crate) use watch::Watch;

/// The least free space of a memory file system, in bytes, with which it is used. The /dev/shm of a
/// container may hold only 64 MiB.
const MIN_FREE_IN_MEMORY: u64 = 256 << 20;

/// With less free space than this, in bytes, a file system may have failed a compiler that wrote to
/// it.
const MIN_FREE: u64 = 1 << 20;

/// The number of the signal for a closed standard output.
pub(crate) const BROKEN_PIPE: i32 = Signal::SIGPIPE as i32;

/// Where temporary files go: `TMPDIR` if it is set, else memory if it has enough space, else /tmp.
pub(crate) fn scratch_base() -> PathBuf {
    if let Some(chosen) = std::env::var_os("TMPDIR").filter(|dir| !dir.is_empty()) {
        return chosen.into();
    }
    // Linux. On other systems this path does not exist.
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

/// Whether the file system is out of space or inodes.
pub(crate) fn is_full(path: &Path) -> bool {
    statvfs(path).is_ok_and(|stat| free_bytes(&stat) < MIN_FREE) || has_no_inodes(path)
}

/// Whether the file system has at least so many bytes free.
pub(crate) fn has_free(path: &Path, bytes: u64) -> bool {
    statvfs(path).is_ok_and(|stat| free_bytes(&stat) >= bytes)
}

/// Whether the file system has no inode left for another file.
pub(crate) fn has_no_inodes(path: &Path) -> bool {
    // Some file systems do not count inodes and report 0 of 0.
    statvfs(path).is_ok_and(|stat| stat.files() > 0 && stat.files_available() == 0)
}

/// Whether the file system forbids running programs.
pub(crate) fn is_noexec(path: &Path) -> bool {
    statvfs(path).is_ok_and(|stat| stat.flags().contains(FsFlags::ST_NOEXEC))
}

/// File systems that keep no time of change of their own: images that are made with any times, and
/// those of another process.
#[cfg(target_os = "linux")]
const WITHOUT_TIME_OF_CHANGE: [i64; 9] = [
    0x7371_7368, // squashfs
    0xE0F5_E1E2, // erofs
    0x9660,      // isofs
    0x28CD_3D45, // cramfs
    0x7275,      // romfs
    0x4D44,      // msdos, vfat
    0x2011_BAB0, // exfat
    0x5346_544E, // ntfs
    0x6573_5546, // fuse
];

/// Whether the file system changes the time of change (`ctime`) with each change of a file.
#[cfg(target_os = "linux")]
pub(crate) fn keeps_time_of_change(path: &Path) -> bool {
    #[allow(clippy::unnecessary_cast, reason = "the widths differ between systems")]
    let kind = nix::sys::statfs::statfs(path).map(|stat| stat.filesystem_type().0 as i64);
    kind.is_ok_and(|kind| !WITHOUT_TIME_OF_CHANGE.contains(&kind))
}

/// Whether the file system changes the time of change (`ctime`) with each change of a file.
#[cfg(not(target_os = "linux"))]
pub(crate) fn keeps_time_of_change(_: &Path) -> bool {
    false
}

/// The free space of a file system, in bytes.
#[allow(clippy::useless_conversion, reason = "the widths differ between systems")]
fn free_bytes(stat: &nix::sys::statvfs::Statvfs) -> u64 {
    u64::from(stat.blocks_available()) * u64::from(stat.fragment_size())
}

/// Makes a directory that no other user can enter.
pub(crate) fn private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Writes a program that only the user can run.
pub(crate) fn write_program(path: &Path, text: &str) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}

/// Writes a file that is not there yet, with these permissions whatever the umask. If that fails, there is
/// none.
pub(crate) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
    let mut options = File::options();
    let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
    let written =
        file.write_all(bytes).and_then(|()| match file.metadata()?.mode() & 0o7777 == mode {
            true => Ok(()),
            false => file.set_permissions(std::fs::Permissions::from_mode(mode)),
        });
    if written.is_err() {
        let _ = std::fs::remove_file(path);
    }
    written
}

/// Whether anybody other than the user and root owns a directory or may put files into it. A link
/// belongs to its owner.
pub(crate) fn is_in_others_hands(entry: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let owner = entry.uid();
    let is_own = owner == nix::unistd::geteuid().as_raw() || owner == 0;
    // In a sticky directory, users can only remove and rename their own files.
    let is_open = is_open_to_all(entry) && !entry.is_symlink();
    !is_own || is_open
}

/// Gives a new file the permissions that the caller's umask allows. Temporary files start without
/// any for others.
pub(crate) fn with_default_permissions(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    // The only way to read the umask is to set it. No other thread creates files at this point.
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

/// Whether a signal is the result of what the program itself did. Any other signal comes from
/// outside, and then its end says nothing about the program.
pub(crate) fn is_own_fault(number: i32) -> bool {
    use Signal::*;
    matches!(
        Signal::try_from(number),
        Ok(SIGABRT | SIGBUS | SIGFPE | SIGILL | SIGSEGV | SIGSYS | SIGTRAP | SIGPIPE | SIGALRM)
    )
}

/// Whether a program could not be started because a process has it open for writing.
pub(crate) fn is_text_busy(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ExecutableFileBusy
}
