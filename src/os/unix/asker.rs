//! Who asks the compiler, and on which processor: what an answer may depend on besides files,
//! arguments and environment.

use nix::unistd::{getegid, geteuid};

/// The user, the groups and the processor.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Asker {
    /// The effective user and group, then the other groups: they decide which files can be read.
    users: Vec<u32>,
    /// What the processor can do, which `-march=native` asks.
    processor: Vec<u32>,
}

/// The user, the groups and the processor of this process.
pub(crate) fn asker() -> Asker {
    let mut users = vec![geteuid().as_raw(), getegid().as_raw()];
    users.extend(groups());
    Asker { users, processor: processor() }
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
