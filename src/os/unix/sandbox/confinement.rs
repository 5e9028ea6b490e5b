//! What a new process does to itself before it becomes the command.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::{Sandbox, files, syscalls};

/// Everything that is prepared before the fork: afterwards, nothing may allocate.
#[derive(Debug)]
pub(super) struct Confinement {
    rules: OwnedFd,
    filter: Vec<libc::sock_filter>,
    limits: [(Resource, u64); 3],
}

/// How much lower the priority is. The scout must not delay the run that it serves.
const NICENESS: libc::c_int = 10;

/// The privilege of root that remains, as a number of a bit: CAP_DAC_OVERRIDE. Without it, root
/// could not read a user's files. Landlock still forbids writing to them.
const KEPT_PRIVILEGE: u32 = 1 << 1;

/// The version of the structures for `capset`, from linux/capability.h.
const CAPABILITY_VERSION: u32 = 0x2008_0522;

impl Confinement {
    pub(super) fn new(sandbox: &Sandbox<'_>, version: landlock::ABI) -> io::Result<Self> {
        let limits = [
            (Resource::RLIMIT_AS, sandbox.memory),
            (Resource::RLIMIT_FSIZE, sandbox.file_size),
            // Not 0, which does not keep the kernel from handing a core dump to a program that
            // collects them. 1 does.
            (Resource::RLIMIT_CORE, 1),
        ];
        Ok(Confinement {
            rules: files::rules(sandbox.writable, version)?,
            filter: syscalls::filter(version),
            // A limit that is lower already cannot be raised.
            limits: limits.map(|(resource, limit)| {
                let (_, most) = getrlimit(resource).unwrap_or((0, libc::RLIM_INFINITY));
                (resource, limit.min(most))
            }),
        })
    }

    /// Runs between fork and exec, in a copy of a process that may have had other threads: system
    /// calls only, no memory from the heap.
    pub(super) fn enter(&self) -> io::Result<()> {
        for (resource, limit) in self.limits {
            setrlimit(resource, limit, limit)?;
        }
        // SAFETY: `nice` takes a number. It can only fail to lower the priority any further.
        unsafe { libc::nice(NICENESS) };
        // SAFETY: takes numbers, and only marks descriptors. Those of this program are marked
        // already; others come from its caller, such as a jobserver's.
        call(unsafe {
            libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC)
        })?;
        // SAFETY: these operations of `prctl` take numbers.
        unsafe {
            // The reaper may not know of the group yet when this program is killed.
            call(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL).into())?;
            // What has no privileges gets none from a program either. Landlock and the filter need
            // this.
            call(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0).into())?;
        }
        drop_privileges()?;
        // SAFETY: takes a descriptor, which is open, and no flags.
        call(unsafe {
            libc::syscall(libc::SYS_landlock_restrict_self, self.rules.as_raw_fd(), 0)
        })?;
        let program = libc::sock_fprog {
            len: self.filter.len() as libc::c_ushort,
            filter: self.filter.as_ptr().cast_mut(),
        };
        // SAFETY: the kernel reads the filter, which outlives the call, and does not write to it.
        // Without this flag, older kernels would slow down every program in the sandbox to protect
        // its secrets from itself.
        call(unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                &raw const program,
            )
        })
    }
}

/// Gives up all privileges but [`KEPT_PRIVILEGE`]. An ordinary user has none.
fn drop_privileges() -> io::Result<()> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: libc::c_int,
    }
    #[repr(C)]
    #[derive(Default)]
    struct Sets {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }
    let mut header = Header { version: CAPABILITY_VERSION, pid: 0 };
    let mut sets = [Sets::default(), Sets::default()];
    // SAFETY: both pointers are to live variables, laid out as linux/capability.h says for this
    // version.
    call(unsafe { libc::syscall(libc::SYS_capget, &raw mut header, &raw mut sets) })?;
    let [low, _] = sets;
    let kept = Sets {
        effective: low.effective & KEPT_PRIVILEGE,
        permitted: low.permitted & KEPT_PRIVILEGE,
        inheritable: 0,
    };
    let sets = [kept, Sets::default()];
    // SAFETY: as above; the kernel only reads them.
    call(unsafe { libc::syscall(libc::SYS_capset, &raw mut header, &raw const sets) })
}

/// The error of a system call. Needs no memory.
fn call(result: libc::c_long) -> io::Result<()> {
    Errno::result(result)?;
    Ok(())
}
