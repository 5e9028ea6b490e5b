//! Landlock: which files can be read and changed, and which processes can get signals.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, Scope,
};
use nix::errno::Errno;

/// The first version that can keep signals inside. Before it, [`super::syscalls`] refuses signals.
pub(super) const KEEPS_SIGNALS: ABI = ABI::V6;

/// The first version that controls truncation.
pub(super) const KNOWS_TRUNCATION: ABI = ABI::V3;

/// The devices that scripts write to. They keep nothing.
const SINKS: [&str; 3] = ["/dev/null", "/dev/zero", "/dev/full"];

/// What else may be read in `/dev`. The last is a directory of ordinary files.
const SOURCES: [&str; 3] = ["/dev/urandom", "/dev/random", "/dev/shm"];

/// The version of Landlock, up to the last whose rights this module knows.
pub(super) fn landlock_version() -> io::Result<ABI> {
    const VERSION: libc::c_int = 1;
    // SAFETY: with this flag and no attributes, the call only returns a number.
    let version = unsafe {
        let attributes = std::ptr::null::<libc::c_void>();
        libc::syscall(libc::SYS_landlock_create_ruleset, attributes, 0, VERSION)
    };
    match Errno::result(version)? {
        1.. => Ok(ABI::from(version as i32).min(KEEPS_SIGNALS)),
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// The rules of Landlock for a sandbox in which only one directory can be written to.
pub(super) fn rules(writable: &Path, version: ABI) -> io::Result<OwnedFd> {
    let file = fs::File::open(writable)?;
    let made = ruleset(file, version).map_err(io::Error::other)?;
    Option::<OwnedFd>::from(made).ok_or(io::ErrorKind::Unsupported.into())
}

fn ruleset(writable: fs::File, version: ABI) -> Result<RulesetCreated, RulesetError> {
    let all = AccessFs::from_all(version);
    let read = AccessFs::ReadFile | AccessFs::Execute;
    // The node of a disk made in the directory would be a way to that disk.
    let devices = AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev;
    let sink = (AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate) & all;

    let mut rules = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    rules = rules.handle_access(all)?;
    if version >= KEEPS_SIGNALS {
        rules = rules.scope(Scope::from_all(version))?;
    }
    let mut rules = rules.create()?.add_rule(PathBeneath::new(writable, all & !devices))?;
    // Directories can be listed everywhere, files read everywhere but in `/dev`: opening a device
    // is enough to rewind a tape or to reset what is at the other end of a serial line.
    rules = allow(rules, Path::new("/"), AccessFs::ReadDir.into())?;
    for entry in fs::read_dir("/").into_iter().flatten().flatten() {
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        if entry.file_name() != "dev" && !is_link {
            rules = allow(rules, &entry.path(), read)?;
        }
    }
    for path in SOURCES {
        rules = allow(rules, Path::new(path), read)?;
    }
    for path in SINKS {
        rules = allow(rules, Path::new(path), sink)?;
    }
    Ok(rules)
}

/// Allows access to a file, or to everything beneath a directory. What cannot be opened stays
/// forbidden.
fn allow(
    rules: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    match PathFd::new(path) {
        Ok(opened) => rules.add_rule(PathBeneath::new(opened, access)),
        Err(_) => Ok(rules),
    }
}
