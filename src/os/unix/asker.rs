//! Who asks the compiler, and on which processor: what an answer may depend on besides files,
//! arguments and environment.

use nix::unistd::{getegid, geteuid};
use serde::{Deserialize, Serialize};

/// The user, what the user may do, and the processor.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Asker {
    permissions: Permissions,
    /// What the processor can do, which `-march=native` asks.
    processor: Vec<u32>,
}

/// What a process may do with files.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Permissions {
    /// The effective user and group, then the other groups: they decide which files can be read.
    users: Vec<u32>,
    /// The capabilities in effect, which decide that, too.
    capabilities: [u32; 2],
    /// The permissions that new files do not get. Scripts can ask for it, and products have them.
    umask: u32,
}

/// The user, the groups and the processor of this process.
pub(crate) fn asker() -> Asker {
    Asker { permissions: permissions(), processor: processor() }
}

/// What this process may do with files. No other thread may create files at this moment.
pub(crate) fn permissions() -> Permissions {
    let mut users = vec![geteuid().as_raw(), getegid().as_raw()];
    users.extend(groups());
    // The only way to read the umask is to set it.
    let umask = nix::sys::stat::umask(nix::sys::stat::Mode::empty());
    nix::sys::stat::umask(umask);
    let (capabilities, umask) = (capabilities(), umask.bits());
    Permissions { users, capabilities, umask }
}

/// The effective capabilities of this process.
#[cfg(target_os = "linux")]
fn capabilities() -> [u32; 2] {
    /// `_LINUX_CAPABILITY_VERSION_3`
    const VERSION: u32 = 0x2008_0522;
    let mut header = [VERSION, 0];
    // Effective, permitted and inheritable ones, twice 32 bits of each.
    let mut data = [[0u32; 3]; 2];
    // SAFETY: both have the layout that this version has.
    unsafe { libc::syscall(libc::SYS_capget, header.as_mut_ptr(), data.as_mut_ptr()) };
    [data[0][0], data[1][0]]
}

#[cfg(not(target_os = "linux"))]
fn capabilities() -> [u32; 2] {
    [0; 2]
}

#[cfg(not(target_vendor = "apple"))]
fn groups() -> Vec<u32> {
    let groups = nix::unistd::getgroups().unwrap_or_default();
    groups.into_iter().map(nix::unistd::Gid::as_raw).collect()
}

#[cfg(target_vendor = "apple")]
fn groups() -> Vec<u32> {
    Vec::new()
}

/// Vendor, model and features. Other leaves tell which core this is, and change all the time.
#[cfg(target_arch = "x86_64")]
fn processor() -> Vec<u32> {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    let vendor = __cpuid(0);
    let model = __cpuid(1);
    let mut all = vec![vendor.ebx, vendor.ecx, vendor.edx, model.eax, model.ecx, model.edx];
    if vendor.eax >= 7 {
        let features = __cpuid_count(7, 0);
        let more = __cpuid_count(7, 1);
        all.extend([features.ebx, features.ecx, features.edx, more.eax, more.edx]);
    }
    let extended = __cpuid(0x8000_0001);
    all.extend([extended.ecx, extended.edx]);
    all
}

/// Linux tells programs what the processor can do. Compilers that want its model read it from a
/// file, which counts among the files that they read.
#[cfg(all(target_os = "linux", not(target_arch = "x86_64")))]
fn processor() -> Vec<u32> {
    let capabilities = [libc::AT_HWCAP, libc::AT_HWCAP2];
    // SAFETY: this only reads what the system gave to this process at its start.
    let words = capabilities.map(|kind| unsafe { libc::getauxval(kind) });
    words.iter().flat_map(|word| [*word as u32, (*word >> 32) as u32]).collect()
}

#[cfg(not(any(target_os = "linux", target_arch = "x86_64")))]
fn processor() -> Vec<u32> {
    Vec::new()
}
