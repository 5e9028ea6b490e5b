//! Unix. Tested on Linux; what only Linux has is marked and has a fallback.

mod group;
mod guard;

use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::sys::signal::Signal;
use nix::sys::statvfs::{FsFlags, statvfs};
use tokio::signal::unix::{SignalKind, signal};

pub use group::{Ended, Group, Pipes, Start, Wires, start};
pub use guard::Guard;

/// Memory-backed space must have this much room, or a disk is used: a container's /dev/shm
/// may hold 64 MiB in all.
const ROOM_IN_MEMORY: u64 = 256 << 20;

/// A file system with less room than this may have failed a compiler that wrote to it.
const FULL: u64 = 1 << 20;

/// Waits for a signal that asks this program to end, and returns its number.
pub async fn interrupted() -> io::Result<i32> {
    tokio::select! {
        signal = received(SignalKind::interrupt()) => signal,
        signal = received(SignalKind::terminate()) => signal,
        signal = received(SignalKind::hangup()) => signal,
        signal = received(SignalKind::quit()) => signal,
    }
}

/// Waits for a signal: forever if the caller has it ignored, as `nohup` does, and the shell for
/// what runs in the background.
async fn received(kind: SignalKind) -> io::Result<i32> {
    if is_ignored(kind.as_raw_value())? {
        return std::future::pending().await;
    }
    signal(kind)?.recv().await;
    Ok(kind.as_raw_value())
}

fn is_ignored(number: i32) -> io::Result<bool> {
    // SAFETY: all zeros is a valid sigaction.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: a null pointer for the new action changes nothing, the other is to a live variable.
    let asked = unsafe { libc::sigaction(number, std::ptr::null(), &raw mut action) };
    nix::errno::Errno::result(asked)?;
    Ok(action.sa_sigaction == libc::SIG_IGN)
}

/// The number of the signal that stands for a closed standard output.
pub const BROKEN_PIPE: i32 = Signal::SIGPIPE as i32;

/// Whether whoever read our standard output has gone.
pub fn reader_gone() -> bool {
    let stdout = io::stdout();
    let mut watched = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
    let answered = nix::poll::poll(&mut watched, PollTimeout::ZERO);
    // POLLERR on the writing end of a pipe or socket is what a write would report as EPIPE.
    // A terminal that hangs up sends SIGHUP, and reports POLLHUP only.
    matches!(answered, Ok(1..))
        && watched[0].revents().is_some_and(|is| is.contains(PollFlags::POLLERR))
}

/// Where temporary files go: `TMPDIR` if it is set, else memory if there is room, else /tmp.
pub fn scratch_base() -> PathBuf {
    if let Some(chosen) = std::env::var_os("TMPDIR").filter(|dir| !dir.is_empty()) {
        return chosen.into();
    }
    // Linux; a path that is not there elsewhere.
    let memory = Path::new("/dev/shm");
    match statvfs(memory) {
        Ok(stat)
            if room(&stat) >= ROOM_IN_MEMORY
                && !stat.flags().intersects(FsFlags::ST_NOEXEC | FsFlags::ST_RDONLY)
                && nix::unistd::access(memory, nix::unistd::AccessFlags::W_OK).is_ok() =>
        {
            memory.into()
        }
        _ => std::env::temp_dir(),
    }
}

/// Whether the file system has no room left, in bytes or in files.
pub fn is_full(path: &Path) -> bool {
    // Some file systems count no files at all and say 0 of 0.
    statvfs(path)
        .is_ok_and(|stat| room(&stat) < FULL || stat.files() > 0 && stat.files_available() == 0)
}

#[allow(clippy::useless_conversion, reason = "the widths differ between systems")]
fn room(stat: &nix::sys::statvfs::Statvfs) -> u64 {
    u64::from(stat.blocks_available()) * u64::from(stat.fragment_size())
}

/// Makes a directory that nobody else can enter.
pub fn private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// The permissions of a directory that nobody else can enter.
pub fn private_permissions() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    std::fs::Permissions::from_mode(0o700)
}

/// Gives a new file the permissions that the caller's umask leaves. Files that are made under
/// a temporary name start with none for others.
pub fn with_default_permissions(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    // The umask can only be read by setting it; nothing else runs at this point.
    let mask = nix::sys::stat::umask(nix::sys::stat::Mode::empty());
    nix::sys::stat::umask(mask);
    file.set_permissions(std::fs::Permissions::from_mode(0o666 & !mask.bits()))
}

/// CPU time that was spent so far.
#[derive(Debug, Clone, Copy)]
pub struct CpuSpent {
    /// By this process.
    pub own: Duration,
    /// By the processes that it has waited for, and theirs.
    pub children: Duration,
}

/// CPU time that was spent so far.
pub fn cpu_spent() -> CpuSpent {
    let of = |who| {
        let usage = getrusage(who).expect("both are valid");
        [usage.user_time(), usage.system_time()]
            .map(|time| Duration::new(time.tv_sec() as u64, time.tv_usec() as u32 * 1000))
            .iter()
            .sum()
    };
    CpuSpent { own: of(UsageWho::RUSAGE_SELF), children: of(UsageWho::RUSAGE_CHILDREN) }
}

/// Lets this process open as many files as it may: the default is too low for hundreds of
/// pipes.
pub fn raise_file_limit() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}

/// Memory that new processes can have, in bytes; `None` where the system does not tell. Linux.
pub fn available_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}

/// The processor's model; `None` where the system does not tell. Linux.
pub fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("model name"))?;
    Some(line.trim_start().strip_prefix(':')?.trim().into())
}

/// A signal's name, such as `SIGSEGV`.
pub fn describe_signal(number: i32) -> String {
    match Signal::try_from(number) {
        Ok(signal) => signal.as_str().into(),
        Err(_) => format!("signal {number}"),
    }
}

/// Whether a program gets this signal by its own doing. Of any other the sender is somebody
/// else, and the program has said nothing by dying.
pub fn is_own_fault(number: i32) -> bool {
    use Signal::*;
    matches!(
        Signal::try_from(number),
        Ok(SIGABRT | SIGBUS | SIGFPE | SIGILL | SIGSEGV | SIGSYS | SIGTRAP | SIGPIPE | SIGALRM)
    )
}

/// Whether a program could not be started because somebody still has it open for writing.
pub fn is_text_busy(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ExecutableFileBusy
}

/// Whether a file is no program of this machine.
pub fn is_foreign_program(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENOEXEC)
}
