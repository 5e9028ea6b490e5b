//! The sandbox of the harness: private mounts, unprivileged users, control groups.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::unistd::{geteuid, getgid, getuid};

use crate::support::*;

/// Enters a mount namespace with its own /dev/shm. Must be called before threads start.
pub fn enter() -> Result<(), String> {
    let (user, group) = (getuid(), getgid());
    // SAFETY: unshare accepts any flags; this process has one thread.
    let unshare = |flags| unsafe { libc::unshare(flags) };
    if !(geteuid().is_root() && unshare(libc::CLONE_NEWNS) == 0) {
        if unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS) != 0 {
            return Err(format!(
                "small disks cannot be made ({}): run this as root, or allow user name spaces",
                io::Error::last_os_error()
            ));
        }
        let _ = fs::write("/proc/self/setgroups", "deny");
        let maps = [("uid_map", user.as_raw()), ("gid_map", group.as_raw())];
        for (map, outside) in maps {
            fs::write(format!("/proc/self/{map}"), format!("0 {outside} 1"))
                .map_err(|why| format!("{map}: {why}"))?;
        }
    }
    mount("none", Path::new("/"), "", libc::MS_REC | libc::MS_PRIVATE, "")?;
    mount("none", Path::new("/dev/shm"), "tmpfs", 0, "size=4g,mode=1777")
}

fn mount(
    what: &str,
    place: &Path,
    kind: &str,
    flags: libc::c_ulong,
    options: &str,
) -> Result<(), String> {
    let texts =
        [what, place.to_str().unwrap(), kind, options].map(|text| CString::new(text).unwrap());
    let [what, place, kind, options] = texts.each_ref().map(|text| text.as_ptr());
    // SAFETY: all four are NUL-terminated strings that are alive.
    let done = unsafe { libc::mount(what, place, kind, flags, options.cast()) };
    if done == 0 {
        return Ok(());
    }
    Err(format!("{:?} cannot be mounted: {}", texts[1], io::Error::last_os_error()))
}

/// A small disk, unmounted when dropped.
pub struct Disk(PathBuf);

impl Disk {
    /// Mounts a disk with tmpfs options such as `size=2m`.
    pub fn new(place: &Path, options: &str) -> Self {
        fs::create_dir_all(place).unwrap();
        mount("none", place, "tmpfs", 0, options).unwrap_or_else(|why| panic!("{why}"));
        Disk(place.into())
    }

    /// Makes it read-only.
    pub fn read_only(&self) {
        assert!(self.try_read_only(), "a disk cannot be made read-only");
    }

    /// Makes it read-only unless a file is open for writing.
    pub fn try_read_only(&self) -> bool {
        mount("none", &self.0, "", libc::MS_REMOUNT | libc::MS_RDONLY, "").is_ok()
    }

    /// Prevents programs on it from running.
    pub fn without_programs(&self) {
        mount("none", &self.0, "", libc::MS_REMOUNT | libc::MS_NOEXEC, "")
            .unwrap_or_else(|why| panic!("{why}"));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let place = CString::new(self.0.to_str().unwrap()).unwrap();
        // SAFETY: the string is NUL-terminated.
        unsafe { libc::umount2(place.as_ptr(), libc::MNT_DETACH) };
    }
}

/// An unprivileged user who owns nothing.
pub const NOBODY: u32 = 65534;

/// Runs a command as another user. Requires root.
pub fn as_user(command: &mut Command, user: u32) {
    assert!(geteuid().is_root() && getuid().is_root(), "run this as root: it needs other users");
    command.uid(user).gid(user);
}

/// Copies the programs to a place that every user can read: the checkout may be private.
pub struct Programs {
    dir: tempfile::TempDir,
}

impl Programs {
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("hostile-programs-").tempdir().unwrap();
        open_to_all(dir.path(), 0o755);
        fs::copy(TRYALL, dir.path().join("tryall")).unwrap();
        fs::copy(fakecc(), dir.path().join("fakecc")).unwrap();
        Programs { dir }
    }

    pub fn tryall(&self) -> PathBuf {
        self.dir.path().join("tryall")
    }

    pub fn fakecc(&self) -> String {
        self.dir.path().join("fakecc").to_str().unwrap().into()
    }
}

/// Sets permissions.
pub fn open_to_all(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A control group, removed when dropped.
pub struct Cgroup {
    dirs: Vec<PathBuf>,
}

impl Cgroup {
    /// Creates a group with limits. Each has a controller, the file's name in version 1 of control
    /// groups and in version 2, and the value.
    pub fn new(limits: &[(&str, &str, &str, u64)]) -> Result<Self, String> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hostile-{}-{number}", std::process::id());
        let root = Path::new("/sys/fs/cgroup");
        let mut group = Cgroup { dirs: Vec::new() };
        for (controller, old, new, value) in limits {
            let is_old = root.join(controller).is_dir();
            let dir = if is_old { root.join(controller).join(&name) } else { root.join(&name) };
            if !is_old {
                let _ = fs::write(root.join("cgroup.subtree_control"), format!("+{controller}"));
            }
            let made = fs::create_dir_all(&dir).and_then(|()| {
                fs::write(dir.join(if is_old { old } else { new }), value.to_string())
            });
            group.dirs.push(dir.clone());
            made.map_err(|why| format!("{}: {why}", dir.display()))?;
        }
        Ok(group)
    }

    /// Runs a command and all its children in the group.
    pub fn hold(&self, command: &mut Command) {
        let files = self
            .dirs
            .iter()
            .map(|dir| CString::new(dir.join("cgroup.procs").to_str().unwrap()).unwrap())
            .collect();
        enter_groups(command, files);
    }

    /// A file of its first controller.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dirs[0].join(name)
    }

    /// The number in a file.
    pub fn read(&self, name: &str) -> Option<u64> {
        fs::read_to_string(self.file(name)).ok()?.trim().parse().ok()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        for dir in &self.dirs {
            for _ in 0..100 {
                if fs::remove_dir(dir).is_ok() || !dir.exists() {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
    }
}

/// Runs a command in the control groups with these process files.
pub fn enter_groups(command: &mut Command, files: Vec<CString>) {
    let enter = move || {
        for file in &files {
            // SAFETY: these are async-signal-safe, and the string is NUL-terminated.
            unsafe {
                let group = libc::open(file.as_ptr(), libc::O_WRONLY);
                let done = libc::write(group, c"0".as_ptr().cast(), 1);
                libc::close(group);
                if done != 1 {
                    return Err(io::Error::last_os_error());
                }
            }
        }
        Ok(())
    };
    // SAFETY: `enter` allocates nothing.
    unsafe { command.pre_exec(enter) };
}

/// Sets a resource limit for a command.
pub fn limit(command: &mut Command, which: libc::__rlimit_resource_t, value: u64) {
    let limit = libc::rlimit { rlim_cur: value, rlim_max: value };
    let set = move || {
        // SAFETY: the limit is alive, and setrlimit is async-signal-safe.
        match unsafe { libc::setrlimit(which, &raw const limit) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    // SAFETY: `set` allocates nothing.
    unsafe { command.pre_exec(set) };
}
