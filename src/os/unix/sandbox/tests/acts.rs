//! What a project's script might do to the world, as single acts. Each is first done without a
//! sandbox, to see that it has an effect.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "all are system calls with numbers, C strings, or pointers to live variables"
)]

use std::ffi::CString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

/// What the acts are aimed at.
#[derive(Debug, Clone)]
pub(super) struct Targets {
    pub outside: PathBuf,
    pub scratch: PathBuf,
    /// A process.
    pub victim: libc::pid_t,
}

pub(super) type Act = (&'static str, fn(&Targets) -> io::Result<()>);

fn c(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap()
}

fn result(value: impl Into<i64>) -> io::Result<()> {
    if value.into() < 0 { Err(Errno::last().into()) } else { Ok(()) }
}

/// Acts that change files. A snapshot shows whether they did.
pub(super) const FILES: &[Act] = &[
    ("create", |to| fs::write(to.outside.join("new"), "x")),
    ("overwrite", |to| fs::write(to.outside.join("file"), "x")),
    ("append", |to| OpenOptions::new().append(true).open(to.outside.join("file"))?.write_all(b"x")),
    ("write through a link", |to| {
        let link = to.scratch.join("link");
        let _ = fs::remove_file(&link);
        symlink(to.outside.join("file"), &link)?;
        fs::write(link, "x")
    }),
    ("write by way of /proc", |to| {
        let path = to.outside.join("file");
        fs::write(Path::new("/proc/self/root").join(path.strip_prefix("/").unwrap()), "x")
    }),
    ("open to truncate", |to| {
        File::options().write(true).truncate(true).open(to.outside.join("file")).map(drop)
    }),
    ("open for reading, and truncate", |to| {
        let flags = libc::O_RDONLY | libc::O_TRUNC;
        result(unsafe { libc::open(c(&to.outside.join("file")).as_ptr(), flags) })
    }),
    ("open for neither, and truncate", |to| {
        result(unsafe { libc::open(c(&to.outside.join("file")).as_ptr(), 3 | libc::O_TRUNC) })
    }),
    ("truncate", |to| result(unsafe { libc::truncate(c(&to.outside.join("file")).as_ptr(), 1) })),
    ("rename", |to| fs::rename(to.outside.join("file"), to.outside.join("renamed"))),
    ("rename into the sandbox", |to| fs::rename(to.outside.join("file"), to.scratch.join("taken"))),
    ("rename out of the sandbox", |to| {
        fs::write(to.scratch.join("own"), "x")?;
        fs::rename(to.scratch.join("own"), to.outside.join("file"))
    }),
    ("remove", |to| fs::remove_file(to.outside.join("file"))),
    ("make a directory", |to| fs::create_dir(to.outside.join("new_dir"))),
    ("remove a directory", |to| fs::remove_dir(to.outside.join("empty"))),
    ("make a link", |to| symlink("nowhere", to.outside.join("new_link"))),
    ("hard link into the sandbox", |to| {
        fs::hard_link(to.outside.join("file"), to.scratch.join("hard"))?;
        fs::write(to.scratch.join("hard"), "x")
    }),
    ("hard link out of the sandbox", |to| {
        fs::write(to.scratch.join("own"), "x")?;
        fs::hard_link(to.scratch.join("own"), to.outside.join("hard"))
    }),
    ("make a pipe", |to| {
        result(unsafe { libc::mkfifo(c(&to.outside.join("pipe")).as_ptr(), 0o600) })
    }),
    ("make a device", |to| {
        result(unsafe { libc::mknod(c(&to.outside.join("null")).as_ptr(), libc::S_IFCHR, 0x103) })
    }),
    ("make a socket", |to| UnixListener::bind(to.outside.join("socket")).map(drop)),
    ("chmod", |to| fs::set_permissions(to.outside.join("file"), Permissions::from_mode(0o600))),
    ("fchmod", |to| {
        File::open(to.outside.join("file"))?.set_permissions(Permissions::from_mode(0o600))
    }),
    ("chown", |to| {
        let (user, group) = (nix::unistd::getuid().as_raw(), nix::unistd::getgid().as_raw());
        std::os::unix::fs::chown(to.outside.join("file"), Some(user), Some(group))
    }),
    ("set times", |to| {
        let file = File::open(to.outside.join("file"))?;
        file.set_modified(std::time::SystemTime::UNIX_EPOCH)
    }),
    ("utimes", |to| {
        result(unsafe { libc::utimes(c(&to.outside.join("file")).as_ptr(), std::ptr::null()) })
    }),
    ("set an attribute", |to| {
        let path = c(&to.outside.join("file"));
        result(unsafe {
            libc::setxattr(path.as_ptr(), c"user.x".as_ptr(), c"x".as_ptr().cast(), 1, 0) as i64
        })
    }),
    ("set flags", |to| {
        const FS_IOC_SETFLAGS: u64 = 0x4008_6602;
        let (file, no_dump) = (File::open(to.outside.join("file"))?, 0x40_u64);
        result(unsafe { libc::ioctl(file.as_raw_fd(), FS_IOC_SETFLAGS as _, &raw const no_dump) })
    }),
    ("write through shared memory", |to| {
        let file = File::options().read(true).write(true).open(to.outside.join("file"))?;
        let (protection, fd) = (libc::PROT_READ | libc::PROT_WRITE, file.as_raw_fd());
        let at =
            unsafe { libc::mmap(std::ptr::null_mut(), 1, protection, libc::MAP_SHARED, fd, 0) };
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        unsafe { at.cast::<u8>().write(b'x') };
        result(unsafe { libc::msync(at, 1, libc::MS_SYNC) })
    }),
];

/// Acts that end another process.
pub(super) const SIGNALS: &[Act] = &[
    // SAFETY, here and below: the calls take numbers, or pointers to live variables.
    ("kill", |to| result(unsafe { libc::kill(to.victim, libc::SIGKILL) })),
    ("kill the group", |to| result(unsafe { libc::kill(-to.victim, libc::SIGKILL) })),
    ("tkill", |to| result(unsafe { libc::syscall(libc::SYS_tkill, to.victim, libc::SIGKILL) })),
    ("tgkill", |to| {
        result(unsafe { libc::syscall(libc::SYS_tgkill, to.victim, to.victim, libc::SIGKILL) })
    }),
    ("queue a signal", |to| {
        let value = libc::sigval { sival_ptr: std::ptr::null_mut() };
        result(unsafe { libc::sigqueue(to.victim, libc::SIGTERM, value) })
    }),
    ("signal a descriptor", |to| {
        let process = unsafe { libc::syscall(libc::SYS_pidfd_open, to.victim, 0) };
        result(process)?;
        let none = std::ptr::null::<libc::siginfo_t>();
        let send = libc::SYS_pidfd_send_signal;
        result(unsafe { libc::syscall(send, process, libc::SIGKILL, none, 0) })
    }),
    ("signal by way of a file", |to| {
        let (reader, mut writer) = io::pipe()?;
        let flags = libc::O_ASYNC | libc::O_NONBLOCK;
        result(unsafe { libc::fcntl(reader.as_raw_fd(), libc::F_SETOWN, to.victim) })?;
        result(unsafe { libc::fcntl(reader.as_raw_fd(), libc::F_SETFL, flags) })?;
        writer.write_all(b"x")
    }),
];

/// Acts that change another process. Its files in `/proc` show whether they did.
pub(super) const PROCESSES: &[Act] = &[
    ("setpriority", |to| {
        result(unsafe { libc::setpriority(libc::PRIO_PROCESS, to.victim as u32, 15) })
    }),
    ("set the priority of the group", |to| {
        result(unsafe { libc::setpriority(libc::PRIO_PGRP, to.victim as u32, 15) })
    }),
    ("set the scheduler", |to| {
        let none = libc::sched_param { sched_priority: 0 };
        result(unsafe { libc::sched_setscheduler(to.victim, libc::SCHED_BATCH, &raw const none) })
    }),
    ("set the processors", |to| {
        let first = 1_u64;
        result(unsafe { libc::sched_setaffinity(to.victim, 8, (&raw const first).cast()) })
    }),
    ("set a limit", |to| {
        let few = libc::rlimit { rlim_cur: 7, rlim_max: 7 };
        let nothing = std::ptr::null_mut();
        result(unsafe { libc::prlimit(to.victim, libc::RLIMIT_NOFILE, &raw const few, nothing) })
    }),
];

/// Acts that must fail, and would succeed or do harm elsewhere.
pub(super) const REFUSED: &[Act] = &[
    ("trace", |to| {
        let none = std::ptr::null_mut::<libc::c_void>();
        result(unsafe { libc::ptrace(libc::PTRACE_SEIZE, to.victim, none, none) })
    }),
    ("take a descriptor", |to| {
        let process = unsafe { libc::syscall(libc::SYS_pidfd_open, to.victim, 0) };
        result(unsafe { libc::syscall(libc::SYS_pidfd_getfd, process, 0, 0) })
    }),
    ("read an environment", |to| fs::read(format!("/proc/{}/environ", to.victim)).map(drop)),
    ("shared memory", |_| {
        result(unsafe { libc::shmget(libc::IPC_PRIVATE, 4096, libc::IPC_CREAT | 0o600) })
    }),
    ("semaphores", |_| {
        result(unsafe { libc::semget(libc::IPC_PRIVATE, 1, libc::IPC_CREAT | 0o600) })
    }),
    ("messages", |_| result(unsafe { libc::msgget(libc::IPC_PRIVATE, libc::IPC_CREAT | 0o600) })),
    ("a message queue", |_| {
        let none = std::ptr::null_mut::<libc::mq_attr>();
        let flags = libc::O_CREAT | libc::O_RDWR;
        result(unsafe { libc::mq_open(c"/tryall-sandbox".as_ptr(), flags, 0o600, none) })
    }),
    ("named shared memory", |_| {
        let flags = libc::O_CREAT | libc::O_RDWR;
        result(unsafe { libc::shm_open(c"/tryall-sandbox".as_ptr(), flags, 0o600) })
    }),
    ("a key", |_| {
        let kind = c"user".as_ptr();
        result(unsafe { libc::syscall(libc::SYS_add_key, kind, kind, kind, 4, -3) })
    }),
    ("a namespace", |_| result(unsafe { libc::unshare(libc::CLONE_NEWUSER) })),
    ("a process in a namespace", |_| {
        let flags = libc::CLONE_NEWUSER | libc::SIGCHLD;
        let child = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
        if child == 0 {
            unsafe { libc::_exit(0) };
        }
        result(child)
    }),
    ("sockets of another family", |_| {
        let (mut pair, family) = ([0; 2], libc::AF_TIPC);
        result(unsafe { libc::socketpair(family, libc::SOCK_STREAM, 0, pair.as_mut_ptr()) })
    }),
    ("a call of the future", |_| result(unsafe { libc::syscall(463, 0, 0, 0, 0, 0, 0) })),
    ("a ring", |_| {
        let parameters = [0_u64; 32];
        result(unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, &raw const parameters) })
    }),
    ("mount", |to| {
        let (at, kind) = (c(&to.scratch), c"tmpfs".as_ptr());
        result(unsafe { libc::mount(kind, at.as_ptr(), kind, 0, std::ptr::null()) })
    }),
    ("set the host's name", |_| {
        let name = fs::read("/proc/sys/kernel/hostname").unwrap();
        let name = name.trim_ascii();
        result(unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) })
    }),
    ("a device in the sandbox", |to| {
        result(unsafe { libc::mknod(c(&to.scratch.join("null")).as_ptr(), libc::S_IFCHR, 0x103) })
    }),
    ("a terminal", |_| File::options().read(true).open("/dev/tty").map(drop)),
    ("a terminal's other end", |_| File::options().read(true).open("/dev/ptmx").map(drop)),
    ("a file without a name", |to| {
        let flags = libc::O_TMPFILE;
        File::options().write(true).custom_flags(flags).open(&to.outside).map(drop)
    }),
    ("a lease", |to| {
        let file = File::open(to.outside.join("file"))?;
        result(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_RDLCK) })
    }),
    ("a setting of the kernel", |_| {
        File::options().write(true).open("/proc/sys/kernel/core_pattern").map(drop)
    }),
    ("a setting of another process", |to| {
        let path = format!("/proc/{}/oom_score_adj", to.victim);
        File::options().write(true).open(path).map(drop)
    }),
];
