//! Full disks, a jumping clock, a single core, and stopped processes.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::batch::*;
use crate::call::{Workspace, wait};
use crate::processes::comes_true;
use crate::sandbox::{self, Disk, Programs};
use crate::support::*;
use crate::table::{Fault, Row};

const fn fault(name: &'static str, make: fn(&mut Row)) -> Fault {
    Fault::new("machine", name, "shell", make)
}

/// The second part of the table.
pub const FAULTS: &[Fault] = &[
    fault("temporary disk full, from nothing to almost enough", |row| {
        // The minimum is a page; the last size suffices for one check but not for four at once.
        for pages in [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 26, 34, 48, 64, 90] {
            small_disk(row, &format!("size={}k", pages * 4), pages % 4 == 0);
        }
    }),
    fault("temporary disk filled and emptied by others meanwhile", filled_meanwhile),
    fault("no inodes, from one to almost enough", |row| {
        for inodes in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20] {
            small_disk(row, &format!("size=64m,nr_inodes={inodes}"), inodes % 4 == 0);
        }
    }),
    fault("temporary directory read-only", |row| {
        let workspace = Workspace::new();
        let disk = Disk::new(&workspace.tmp(), "size=4m");
        disk.read_only();
        let ended = workspace.check(&[]).ask(&small_request(&need("gcc")));
        row.look(&workspace, &ended, right_of_small());
    }),
    fault("temporary directory becomes read-only meanwhile", becomes_read_only),
    fault("where programs may not run (noexec)", |row| {
        let workspace = Workspace::new();
        let disk = Disk::new(&workspace.tmp(), "size=64m");
        disk.without_programs();
        let ended = workspace.check(&[]).ask(&small_request(&need("gcc")));
        row.look(&workspace, &ended, right_of_small());
    }),
    fault("TMPDIR missing, a file, a link to nothing", |row| {
        let workspace = Workspace::new();
        fs::write(workspace.own("file"), "").unwrap();
        std::os::unix::fs::symlink("nothing", workspace.own("link")).unwrap();
        for place in
            [workspace.own("missing"), workspace.own("file"), workspace.own("link"), "/proc".into()]
        {
            let ended = workspace.check(&[]).env("TMPDIR", place).ask(&small_request(&need("gcc")));
            row.look(&workspace, &ended, right_of_small());
        }
    }),
    fault("TMPDIR that others can write to, and do: planted links", planted),
    fault("TMPDIR removed while the batch runs", removed),
    fault("a clock that jumps", clock),
    fault("one core", one_core),
    fault("tool stopped and continued (job control)", stopped),
    fault("everything stopped for longer than the time limits", all_stopped),
    fault("the guard is killed", guard_killed),
    fault("/dev/shm, full and then too small", shared_memory),
];

/// Runs batches on a disk with these options.
fn small_disk(row: &mut Row, options: &str, with_clang: bool) {
    let compilers: &[&str] = if with_clang { &["gcc", "clang"] } else { &["gcc"] };
    for compiler in compilers {
        let workspace = Workspace::new();
        let _disk = Disk::new(&workspace.tmp(), options);
        let ended = workspace.check(&["-j4"]).ask(&small_request(&need(compiler)));
        row.look(&workspace, &ended, right_of_small());
    }
}

fn filled_meanwhile(row: &mut Row) {
    for compiler in ["gcc", "clang"] {
        let workspace = Workspace::new();
        let _disk = Disk::new(&workspace.tmp(), "size=3m");
        let done = AtomicBool::new(false);
        let filling = workspace.tmp().join("filling");
        let ended = std::thread::scope(|scope| {
            scope.spawn(|| {
                let has_begun = || fs::read_dir(workspace.tmp()).unwrap().next().is_some();
                assert!(comes_true(|| has_begun() || done.load(Ordering::Relaxed)));
                while !done.load(Ordering::Relaxed) {
                    let _ = fs::write(&filling, vec![0; 4 << 20]);
                    std::thread::sleep(Duration::from_millis(7));
                    let _ = fs::remove_file(&filling);
                    std::thread::sleep(Duration::from_millis(23));
                }
            });
            let ended = workspace.check(&["-j4"]).ask(&small_request(&need(compiler)));
            done.store(true, Ordering::Relaxed);
            ended
        });
        let _ = fs::remove_file(&filling);
        row.look(&workspace, &ended, right_of_small());
    }
}

fn becomes_read_only(row: &mut Row) {
    for after in [1, 30, 120, 250] {
        let workspace = Workspace::new();
        let disk = Disk::new(&workspace.tmp(), "size=64m");
        let mut call = workspace.check(&["-j4"]);
        let child = call.start(small_request(&need("gcc")).to_string().as_bytes());
        std::thread::sleep(Duration::from_millis(after));
        // Not possible while a file is open for writing.
        assert!(comes_true(|| disk.try_read_only()));
        let ended = wait(child, call.bound);
        // Files that cannot be removed disappear with the disk.
        drop(disk);
        row.look(&workspace, &ended, right_of_small());
    }
}

/// Two users: one runs checks, the other renames files and plants links.
fn planted(row: &mut Row) {
    let programs = Programs::new();
    for mode in [0o1777, 0o777] {
        let workspace = Workspace::new();
        for place in [workspace.path().to_owned(), workspace.work()] {
            sandbox::open_to_all(&place, 0o755);
        }
        sandbox::open_to_all(&workspace.tmp(), mode);
        let trap = workspace.own("trap");
        fs::create_dir(&trap).unwrap();
        sandbox::open_to_all(&trap, 0o777);
        sandbox::open_to_all(&workspace.own(""), 0o755);
        let script = format!(
            "cd '{tmp}'; while :; do for f in tryall-*; do
               [ -d \"$f\" ] && [ ! -L \"$f\" ] && mv \"$f\" \"moved-$$-$f\" && ln -s '{trap}' \"$f\"
               ln -s /etc/passwd \"$f/conftest.c\"; ln -s /etc/passwd \"$f/0\"; ln -s /etc \"$f/1\"
             done; ln -s /etc/passwd ccAAAAAA.s; done 2>/dev/null",
            tmp = workspace.tmp().display(),
            trap = trap.display()
        );
        let mut attacker = Command::new("sh");
        attacker.args(["-c", &script]);
        sandbox::as_user(&mut attacker, 65533);
        let mut attacker = attacker.spawn().unwrap();
        let mut call = workspace.call(programs.tryall());
        call.command.args(["check", "-", "-j3"]);
        sandbox::as_user(&mut call.command, sandbox::NOBODY);
        let ended = call.ask(&small_request("/usr/bin/gcc"));
        attacker.kill().unwrap();
        attacker.wait().unwrap();
        // The last command may still be running.
        std::thread::sleep(Duration::from_millis(200));
        let written: Vec<_> =
            fs::read_dir(&trap).unwrap().flatten().map(|e| e.file_name()).collect();
        let by_others = |name: &std::ffi::OsString| {
            use std::os::unix::fs::MetadataExt;
            trap.join(name).symlink_metadata().is_ok_and(|meta| meta.uid() != 65533)
        };
        if written.iter().any(by_others) {
            row.wrong.push(format!("with mode {mode:o} it wrote where a link led: {written:?}"));
        }
        // Files of the attacker.
        for entry in fs::read_dir(workspace.tmp()).unwrap().flatten() {
            if entry.metadata().unwrap().is_symlink() {
                fs::remove_file(entry.path()).unwrap();
            }
        }
        row.look(&workspace, &ended, right_of_small());
    }
    row.note = "sticky: right; not sticky: refused".into();
}

fn removed(row: &mut Row) {
    for after in [0, 20, 60, 150] {
        let workspace = Workspace::new();
        let mut call = workspace.check(&["-j4"]);
        let has_begun = |_: &Child| fs::read_dir(workspace.tmp()).unwrap().next().is_some();
        let child = call.start_until(&small_request(&need("gcc")), has_begun);
        std::thread::sleep(Duration::from_millis(after));
        for entry in fs::read_dir(workspace.tmp()).unwrap().flatten() {
            let _ = fs::remove_dir_all(entry.path());
        }
        let ended = wait(child, call.bound);
        row.look(&workspace, &ended, right_of_small());
    }
}

/// The machine's clock is shared, so the C library is given a different time: each reading is hours
/// before or after the last.
fn clock(row: &mut Row) {
    const SOURCE: &str = "
#define _GNU_SOURCE
#include <time.h>
#include <sys/time.h>
#include <sys/syscall.h>
#include <unistd.h>
static long jump(void) {
  static unsigned seed = 1;
  seed = seed * 1103515245u + 12345u + (unsigned)getpid();
  return (long)(seed >> 8) % 2000000 - 1000000;
}
int clock_gettime(clockid_t id, struct timespec *t) {
  int r = (int)syscall(SYS_clock_gettime, id, t);
  if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) t->tv_sec += jump();
  return r;
}
int gettimeofday(struct timeval *t, void *z) {
  struct timespec now;
  (void)z;
  clock_gettime(CLOCK_REALTIME, &now);
  t->tv_sec = now.tv_sec;
  t->tv_usec = now.tv_nsec / 1000;
  return 0;
}
time_t time(time_t *t) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (t) *t = now.tv_sec;
  return now.tv_sec;
}
";
    let workspace = Workspace::new();
    let (source, library) = (workspace.own("clock.c"), workspace.own("clock.so"));
    fs::write(&source, SOURCE).unwrap();
    let built = Command::new(need("gcc"))
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, &source])
        .status();
    assert!(built.unwrap().success());
    for args in [&[][..], &["--no-fuse"], &["--verify"]] {
        let ended =
            workspace.check(args).env("LD_PRELOAD", &library).ask(&small_request(&need("gcc")));
        row.look(&workspace, &ended, right_of_small());
    }
    // A monotonic clock with an unusual start.
    let mut call = workspace.call("unshare");
    let shifted = ["-T", "--monotonic", "2000000000", "--boottime", "2000000000", "-f", TRYALL];
    call.command.args(shifted).args(["check", "-"]);
    let ended = call.ask(&small_request(&need("gcc")));
    row.look(&workspace, &ended, right_of_small());
    row.note = "by preloading, and in a time name space".into();
}

fn one_core(row: &mut Row) {
    for args in [&[][..], &["-j8"]] {
        let workspace = Workspace::new();
        let mut call = workspace.call("taskset");
        call.command.args(["-c", "0", TRYALL, "check", "-"]).args(args);
        let ended = call.ask(&small_request(&need("gcc")));
        row.look(&workspace, &ended, right_of_small());
    }
}

fn stopped(row: &mut Row) {
    for (round, signal) in
        [Signal::SIGSTOP, Signal::SIGTSTP, Signal::SIGSTOP].into_iter().enumerate()
    {
        let workspace = Workspace::new();
        let mut call = workspace.check(&["-j3"]);
        let child = call.start(small_request(&need("gcc")).to_string().as_bytes());
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
        let done = AtomicBool::new(false);
        let ended = std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut pause = 3 + 5 * round as u64;
                while !done.load(Ordering::Relaxed) {
                    let _ = kill(pid, signal);
                    std::thread::sleep(Duration::from_millis(pause));
                    let _ = kill(pid, Signal::SIGCONT);
                    std::thread::sleep(Duration::from_millis(10));
                    pause = pause * 7 % 60;
                }
            });
            let ended = wait(child, call.bound);
            done.store(true, Ordering::Relaxed);
            ended
        });
        row.look(&workspace, &ended, right_of_small());
    }
}

/// As when a container is paused: then it is unknown which commands were in time.
fn all_stopped(row: &mut Row) {
    let workspace = Workspace::new();
    let mut call = workspace.check(&["-j3", "--timeout=1"]);
    let child = call.start(small_request(&need("gcc")).to_string().as_bytes());
    std::thread::sleep(Duration::from_millis(120));
    let all = crate::processes::with_in_environment(workspace.path());
    for signal in [Signal::SIGSTOP, Signal::SIGCONT] {
        for pid in &all {
            let _ = kill(Pid::from_raw(*pid), signal);
        }
        std::thread::sleep(Duration::from_millis(2500));
    }
    let ended = wait(child, call.bound);
    row.look(&workspace, &ended, right_of_small());
}

fn guard_killed(row: &mut Row) {
    for after in [0, 60] {
        let workspace = Workspace::new();
        let mut call = workspace.check(&["-j3"]);
        // The reaper is the child that runs the same program.
        let guard = |tool: &Child| {
            let program = |pid: i32| fs::read_link(format!("/proc/{pid}/exe")).ok();
            let is_guard = |pid: &i32| {
                *pid != tool.id().cast_signed()
                    && program(*pid).is_some_and(|it| it == Path::new(TRYALL))
            };
            crate::processes::with_in_environment(workspace.path()).into_iter().find(is_guard)
        };
        let child = call.start_until(&small_request(&need("gcc")), |tool| guard(tool).is_some());
        std::thread::sleep(Duration::from_millis(after));
        if let Some(guard) = guard(&child) {
            let _ = kill(Pid::from_raw(guard), Signal::SIGKILL);
        }
        let ended = wait(child, call.bound);
        let errors = row.error;
        row.look(&workspace, &ended, right_of_small());
        if row.error > errors {
            row.wrong.push("errors without a need".into());
        }
    }
}

/// The default directory of temporary files.
fn shared_memory(row: &mut Row) {
    let shared = Path::new("/dev/shm");
    for options in ["size=300m", "size=1m", "size=300m,nr_inodes=4"] {
        let workspace = Workspace::new();
        let _disk = Disk::new(shared, options);
        let mut call = workspace.check(&[]);
        call.command.env_remove("TMPDIR");
        let ended = call.ask(&small_request(&need("gcc")));
        row.look(&workspace, &ended, right_of_small());
        let left: Vec<_> = fs::read_dir(shared).unwrap().flatten().map(|e| e.path()).collect();
        row.left.extend(left.iter().map(|path| path.display().to_string()));
    }
}
