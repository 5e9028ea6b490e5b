//! What is to be known of the machine.

use std::ffi::OsString;
use std::time::{Duration, SystemTime};

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::unistd::{User, getuid};

/// CPU time spent so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CpuSpent {
    /// By this process.
    pub own: Duration,
    /// By the processes that it has waited for, including their descendants.
    pub children: Duration,
}

/// CPU time spent so far.
pub(crate) fn cpu_spent() -> CpuSpent {
    let of = |who| {
        let usage = getrusage(who).expect("both are valid");
        [usage.user_time(), usage.system_time()]
            .map(|time| Duration::new(time.tv_sec() as u64, time.tv_usec() as u32 * 1000))
            .iter()
            .sum()
    };
    CpuSpent { own: of(UsageWho::RUSAGE_SELF), children: of(UsageWho::RUSAGE_CHILDREN) }
}

/// Raises this process's limit on open files to the maximum. The default is too low for hundreds of
/// pipes.
pub(crate) fn raise_file_limit() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}

/// The memory available to new processes, in bytes; `None` if the system does not tell. Linux.
pub(crate) fn available_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}

/// The model of the processor; `None` if the system does not tell. Linux.
pub(crate) fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("model name"))?;
    Some(line.trim_start().strip_prefix(':')?.trim().into())
}

/// The names of the machine and its kernel, as programs see them.
pub(crate) fn host_names() -> Vec<OsString> {
    let Ok(names) = nix::sys::utsname::uname() else { return Vec::new() };
    let mut all =
        vec![names.sysname(), names.nodename(), names.release(), names.version(), names.machine()];
    #[cfg(target_os = "linux")]
    all.push(names.domainname());
    all.into_iter().map(Into::into).collect()
}

/// What the system knows of the user who runs this program, as programs see it.
pub(crate) fn user_entry() -> OsString {
    let entry = match User::from_uid(getuid()) {
        Ok(Some(user)) => format!(
            "{}\n{}\n{}\n{}\n{}\n{}",
            user.name,
            user.gid,
            user.gecos.to_string_lossy(),
            user.dir.display(),
            user.shell.display(),
            user.passwd.to_string_lossy()
        ),
        Ok(None) => String::new(),
        // It may be known the next time: equal to nothing.
        Err(error) => format!("{error} {:?}", SystemTime::now()),
    };
    entry.into()
}
