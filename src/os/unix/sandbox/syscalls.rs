//! The filter of system calls: what Landlock does not know of.
//!
//! The kernel runs it before each call. It sees numbers, not the paths or structures that arguments
//! point to. So a call is allowed, refused, or answered with success without being carried out.
//! The last is for calls that scripts make on their own files too, which the filter cannot tell
//! from others, and without which they would give up: the result only differs for those that look.

use landlock::ABI;
use libc::{c_int, c_long, sock_filter};

use super::files::{KEEPS_SIGNALS, KNOWS_TRUNCATION};

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const PRETEND: u32 = libc::SECCOMP_RET_ERRNO;
const REFUSE: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
/// The answer of a kernel that does not have the call. Programs then use an older one.
const MISSING: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
/// The answer of a file that does not have the operation.
const NOT_FOR_THIS_FILE: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOTTY as u32;

/// The last system call of which somebody has decided what it may do here. Later ones are answered
/// as missing. So are those of the 32-bit ABI for 64-bit processors, whose numbers are higher.
const LAST_KNOWN: c_long = libc::SYS_mseal;

/// The calling convention, from linux/audit.h. Others have other numbers for the same calls.
#[cfg(target_arch = "x86_64")]
const CONVENTION: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const CONVENTION: u32 = 0xC000_00B7;

/// The crate libc has this one for some processors only. The number is the same for all.
const FCHMODAT2: c_long = 452;

/// Calls that only do something to a path, an open file, or a process, whether it is in the sandbox
/// or not.
const PRETENDED: &[c_long] = &[
    // Permissions, owners, times and attributes. CMake sets them on every file that it copies.
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    // Locks on files of the source tree would stop the real run.
    libc::SYS_flock,
    // The disk is for the real run.
    libc::SYS_sync,
    libc::SYS_syncfs,
    // Everything stays in one process group and ends with it.
    libc::SYS_setsid,
    libc::SYS_setpgid,
    // Priorities, also of other processes.
    libc::SYS_setpriority,
    libc::SYS_ioprio_set,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setscheduler,
];

/// Calls that only some processors still have.
#[cfg(target_arch = "x86_64")]
const PRETENDED_OLD: &[c_long] = &[
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
];
#[cfg(target_arch = "aarch64")]
const PRETENDED_OLD: &[c_long] = &[];

/// Calls whose caller must know that they fail.
const REFUSED: &[c_long] = &[
    // No connection of any kind. Sockets that a pair of processes share are made otherwise.
    libc::SYS_socket,
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_listen,
    // Objects that the kernel keeps when their process has ended.
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_semctl,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // A program that the kernel runs, and what it counts for the whole machine.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    // In a namespace of its own, a process has new privileges.
    libc::SYS_unshare,
    libc::SYS_setns,
];

/// Calls whose arguments the filter cannot see, and which programs can do without.
const DECLARED_MISSING: &[c_long] = &[
    libc::SYS_clone3,
    libc::SYS_openat2,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
];

/// Signals to other processes.
const SIGNALS: &[c_long] = &[
    libc::SYS_tkill,
    libc::SYS_tgkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_pidfd_send_signal,
];

/// The operations of `ioctl` that programs need on what they can open: whether it is a terminal,
/// how much can be read, flags of the descriptor, and copies that share their blocks. Among the
/// others are some that change a file which is only open for reading, or the whole file system.
const FILE_OPERATIONS: [u32; 9] = [
    0x5401,      // TCGETS
    0x802C_542A, // TCGETS2
    0x540F,      // TIOCGPGRP
    0x5413,      // TIOCGWINSZ
    0x541B,      // FIONREAD
    0x5421,      // FIONBIO
    0x5450,      // FIONCLEX
    0x5451,      // FIOCLEX
    0x4004_9409, // FICLONE
];

/// The operations of `fcntl` that concern a descriptor, a pipe, or a file in memory.
const DESCRIPTOR_OPERATIONS: [c_int; 12] = [
    libc::F_DUPFD,
    libc::F_DUPFD_CLOEXEC,
    libc::F_GETFD,
    libc::F_SETFD,
    libc::F_GETFL,
    libc::F_SETFL,
    libc::F_GETLK,
    libc::F_OFD_GETLK,
    libc::F_GETPIPE_SZ,
    libc::F_SETPIPE_SZ,
    libc::F_GET_SEALS,
    libc::F_ADD_SEALS,
];

const LOCK_OPERATIONS: [c_int; 4] =
    [libc::F_SETLK, libc::F_SETLKW, libc::F_OFD_SETLK, libc::F_OFD_SETLKW];

/// The bits of the flags of `open` that say whether to read or to write. `libc::O_ACCMODE` has more
/// bits with some C libraries.
const ACCESS_MODE: c_int = 3;

/// What a child must not be: one in a new namespace, where it has new privileges, or one of this
/// program's, which does not wait for it.
const REFUSED_CHILDREN: c_int = libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_PARENT;

/// The filter that goes with a version of Landlock.
pub(super) fn filter(version: ABI) -> Vec<sock_filter> {
    let mut filter = Filter::new();
    // Frequent calls first: the kernel goes through the list.
    if version < KNOWS_TRUNCATION {
        // Truncating a file that is open for reading only or, with access mode 3, for neither. The
        // other two modes need the right to write.
        let cases = [libc::O_TRUNC, libc::O_TRUNC | ACCESS_MODE].map(|flags| (flags, REFUSE));
        let mask = libc::O_TRUNC | ACCESS_MODE;
        filter.on(libc::SYS_openat, &by_argument(2, mask, &cases, ALLOW));
        #[cfg(target_arch = "x86_64")]
        filter.on(libc::SYS_open, &by_argument(1, mask, &cases, ALLOW));
        filter.answer(&[libc::SYS_truncate], REFUSE);
    }
    let allowed = DESCRIPTOR_OPERATIONS.map(|operation| (operation, ALLOW));
    let pretended = LOCK_OPERATIONS.map(|operation| (operation, PRETEND));
    let cases = [&allowed[..], &pretended].concat();
    filter.on(libc::SYS_fcntl, &by_argument(1, !0, &cases, REFUSE));
    let cases = FILE_OPERATIONS.map(|operation| (operation.cast_signed(), ALLOW));
    filter.on(libc::SYS_ioctl, &by_argument(1, !0, &cases, NOT_FOR_THIS_FILE));
    filter.on(libc::SYS_clone, &by_argument(0, REFUSED_CHILDREN, &[(0, ALLOW)], REFUSE));
    // Only the process's own limits.
    filter.on(libc::SYS_prlimit64, &by_argument(0, !0, &[(0, ALLOW)], REFUSE));
    // A pair that can only talk to each other. Datagrams could be sent to anybody, and asking for
    // another family may load a module into the kernel.
    let kinds = [libc::SOCK_STREAM, libc::SOCK_SEQPACKET].map(|kind| (kind, ALLOW));
    let mut pair = vec![load_argument(0)];
    pair.push(jump(libc::BPF_JEQ, libc::AF_UNIX.cast_unsigned(), 1, 0));
    pair.push(answer(REFUSE));
    pair.extend(by_argument(1, 0xF, &kinds, REFUSE));
    filter.on(libc::SYS_socketpair, &pair);
    // 0 is the process group, which a program believes to be its own if it has asked for one, as
    // GNU timeout does. Here it is that of the whole sandbox.
    let other = if version < KEEPS_SIGNALS { REFUSE } else { ALLOW };
    filter.on(libc::SYS_kill, &by_argument(0, !0, &[(0, PRETEND)], other));
    if version < KEEPS_SIGNALS {
        filter.answer(SIGNALS, REFUSE);
    }
    filter.answer(PRETENDED, PRETEND);
    filter.answer(PRETENDED_OLD, PRETEND);
    filter.answer(REFUSED, REFUSE);
    filter.answer(DECLARED_MISSING, MISSING);
    filter.0.push(answer(ALLOW));
    filter.0
}

/// A program for the kernel's filter. It looks at the number of the call and returns an answer.
struct Filter(Vec<sock_filter>);

/// Where the kernel puts what a filter sees (`struct seccomp_data`).
const NUMBER: u32 = 0;
const CALLING_CONVENTION: u32 = 4;
const ARGUMENTS: u32 = 16;

impl Filter {
    fn new() -> Self {
        let mut filter = Filter(vec![load(CALLING_CONVENTION)]);
        filter.0.push(jump(libc::BPF_JEQ, CONVENTION, 1, 0));
        filter.0.push(answer(MISSING));
        filter.0.push(load(NUMBER));
        filter.0.push(jump(libc::BPF_JGT, LAST_KNOWN as u32, 0, 1));
        filter.0.push(answer(MISSING));
        filter
    }

    /// Gives one answer to all these calls.
    fn answer(&mut self, calls: &[c_long], reply: u32) {
        for &call in calls {
            self.0.push(jump(libc::BPF_JEQ, call as u32, 0, 1));
            self.0.push(answer(reply));
        }
    }

    /// Takes these steps for a call. They end with an answer.
    fn on(&mut self, call: c_long, steps: &[sock_filter]) {
        let length = u8::try_from(steps.len()).expect("the lists above are short");
        self.0.push(jump(libc::BPF_JEQ, call as u32, 0, length));
        self.0.extend(steps);
    }
}

/// Answers by some bits of an argument.
fn by_argument(
    argument: u32,
    mask: c_int,
    cases: &[(c_int, u32)],
    otherwise: u32,
) -> Vec<sock_filter> {
    let bits = step(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, mask.cast_unsigned());
    let mut steps = vec![load_argument(argument), bits];
    for &(value, reply) in cases {
        steps.push(jump(libc::BPF_JEQ, value.cast_unsigned(), 0, 1));
        steps.push(answer(reply));
    }
    steps.push(answer(otherwise));
    steps
}

/// Loads the low half of an argument. The kernel ignores the other half of those used here.
fn load_argument(argument: u32) -> sock_filter {
    // Both processors store the low half first.
    load(ARGUMENTS + 8 * argument)
}

fn load(offset: u32) -> sock_filter {
    step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset)
}

fn answer(reply: u32) -> sock_filter {
    step(libc::BPF_RET | libc::BPF_K, reply)
}

/// Compares the loaded number, and skips this many instructions.
fn jump(comparison: u32, with: u32, if_so: u8, if_not: u8) -> sock_filter {
    let code = libc::BPF_JMP | comparison | libc::BPF_K;
    sock_filter { code: code as u16, jt: if_so, jf: if_not, k: with }
}

fn step(code: u32, value: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: 0, jf: 0, k: value }
}
