//! Resource limits and control groups, from far too small to almost sufficient.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::batch::*;
use crate::call::{Ended, Workspace};
use crate::sandbox::{self, Cgroup, Programs};
use crate::support::*;
use crate::table::{Fault, Row};
use crate::watcher;

const fn fault(name: &'static str, make: fn(&mut Row)) -> Fault {
    Fault::new("limit", name, "shell", make)
}

/// Their part of the table.
pub const FAULTS: &[Fault] = &[
    fault("open files, 5 to 60", |row| {
        each(row, libc::RLIMIT_NOFILE, &[5, 8, 12, 16, 20, 24, 28, 32, 36, 40, 60]);
    }),
    fault("address space, 4 MB to 240 MB", |row| {
        let megabytes = [4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 48, 56, 64, 80, 100, 130, 180, 240];
        each(row, libc::RLIMIT_AS, &megabytes.map(|megabytes| megabytes << 20));
    }),
    fault("data, 100 kB to 60 MB", |row| {
        let kilobytes = [100, 400, 1000, 2000, 4000, 8000, 16000, 30000, 60000];
        each(row, libc::RLIMIT_DATA, &kilobytes.map(|kilobytes| kilobytes << 10));
    }),
    fault("stack, 16 kB to 1 MB", |row| {
        each(row, libc::RLIMIT_STACK, &[16, 64, 128, 256, 1024].map(|kilobytes| kilobytes << 10));
    }),
    fault("file size, 0 to 64 kB", |row| {
        each(
            row,
            libc::RLIMIT_FSIZE,
            &[0, 1, 64, 300, 1000, 1500, 2000, 3000, 5000, 9000, 16000, 64000],
        );
    }),
    fault("CPU time, 1 s", |row| each(row, libc::RLIMIT_CPU, &[1])),
    fault("processes of a user, 0 to 24", processes),
    fault("processes in a control group, 2 to 24", group_of_processes),
    fault("memory in a control group, 2 MB to 64 MB (OOM)", group_of_memory),
    fault("a child killed for want of memory", killed_child),
    fault("a tenth of a core in a control group", share_of_a_core),
];

/// Runs batches under each of these values of a limit.
fn each(row: &mut Row, which: libc::__rlimit_resource_t, values: &[u64]) {
    for (index, &value) in values.iter().enumerate() {
        let compiler = if index % 4 == 3 { "clang" } else { "gcc" };
        let workspace = Workspace::new();
        let mut call = workspace.check(&["-j3"]);
        sandbox::limit(&mut call.command, which, value);
        let ended = call.ask(&small_request(&need(compiler)));
        look_at_limited(row, &workspace, &ended, right_of_small());
    }
}

/// A run that the system kills before it prints anything has given no wrong answer.
fn look_at_limited(row: &mut Row, workspace: &Workspace, ended: &Ended, right: &Answers) {
    let died = ended.signal().is_some() || ended.code() == Some(127);
    if died && ended.stdout.is_empty() {
        row.ended(workspace, ended);
        row.refused += 1;
    } else {
        row.look(workspace, ended, right);
    }
}

/// GCC's linker driver retries fork for half a minute before it gives up. A process with too little
/// memory for its own program reads that from the disk forever.
const IMPATIENT: [&str; 2] = ["-j4", "--timeout=3"];

fn processes(row: &mut Row) {
    let programs = Programs::new();
    // One user for each, because the limit counts all processes of a user.
    for (index, most) in [0, 1, 2, 3, 4, 6, 8, 12, 24].into_iter().enumerate() {
        let workspace = Workspace::new();
        sandbox::open_to_all(workspace.path(), 0o755);
        sandbox::open_to_all(&workspace.work(), 0o755);
        sandbox::open_to_all(&workspace.tmp(), 0o1777);
        let mut call = workspace.call(programs.tryall());
        call.command.args(["check", "-"]).args(IMPATIENT);
        sandbox::as_user(&mut call.command, 64000 + u32::try_from(index).unwrap());
        sandbox::limit(&mut call.command, libc::RLIMIT_NPROC, most);
        let ended = call.ask(&small_request("/usr/bin/gcc"));
        look_at_limited(row, &workspace, &ended, right_of_small());
    }
    row.note = "as other users".into();
}

fn group_of_processes(row: &mut Row) {
    for (index, most) in [2, 3, 4, 5, 6, 8, 12, 24].into_iter().enumerate() {
        let workspace = Workspace::new();
        let group = Cgroup::new(&[("pids", "pids.max", "pids.max", most)]);
        let group = group.unwrap_or_else(|why| panic!("run this as root: {why}"));
        let mut call = workspace.check(&IMPATIENT);
        group.hold(&mut call.command);
        let compiler = if index % 4 == 3 { "clang" } else { "gcc" };
        let ended = call.ask(&small_request(&need(compiler)));
        look_at_limited(row, &workspace, &ended, right_of_small());
    }
    row.note = "pids.max of a control group".into();
}

fn group_of_memory(row: &mut Row) {
    let mut without_guard = 0;
    for (index, megabytes) in [2, 4, 6, 8, 10, 12, 14, 16, 20, 24, 32, 64].into_iter().enumerate() {
        let workspace = Workspace::new();
        let group = memory(megabytes << 20);
        let (mut call, orphans) = workspace.watched(&IMPATIENT);
        call.command.env(watcher::GROUP, group.file("cgroup.procs"));
        let compiler = if index % 3 == 2 { "clang" } else { "gcc" };
        let ended = call.ask(&small_request(&need(compiler)));
        if watcher::killed(&orphans, "tryall") {
            // The reaper was killed after the other processes.
            without_guard += 1;
            workspace.clear();
        }
        look_at_limited(row, &workspace, &ended, right_of_small());
    }
    row.note = format!("memory.limit of a control group; {without_guard} times the guard, too");
}

fn memory(bytes: u64) -> Cgroup {
    let group = Cgroup::new(&[("memory", "memory.limit_in_bytes", "memory.max", bytes)]);
    group.unwrap_or_else(|why| panic!("run this as root: {why}"))
}

fn killed_child(row: &mut Row) {
    for args in [&["-j4"][..], &["-j4", "--no-fuse"]] {
        let workspace = Workspace::new();
        let group = memory(96 << 20);
        let mut call = workspace.faulty(args, &["eat=300000000"]);
        group.hold(&mut call.command);
        let ended = call.ask(&small_request(&fakecc()));
        let before = row.error;
        look_at_limited(row, &workspace, &ended, right_of_small());
        if ended.signal().is_none() && row.error == before {
            row.wrong.push("nothing was killed".into());
        }
    }
}

fn share_of_a_core(row: &mut Row) {
    let workspace = Workspace::new();
    let limits = [("cpu", "cpu.cfs_quota_us", "cpu.max", 10_000)];
    let mut call = workspace.check(&[]);
    let group = Cgroup::new(&limits);
    let stop = AtomicBool::new(false);
    let ended = std::thread::scope(|scope| {
        match &group {
            Ok(group) => group.hold(&mut call.command),
            // The effect is the same for the process: stopped nine tenths of the time.
            Err(_) => drop(scope.spawn(|| take_turns(&workspace, &stop))),
        }
        let ended = call.ask(&small_request(&need("gcc")));
        stop.store(true, Ordering::Relaxed);
        ended
    });
    row.note = match &group {
        Ok(_) => "cpu quota of a control group".into(),
        Err(_) => "SIGSTOP for nine tenths of the time: there is no cpu quota here".into(),
    };
    row.look(&workspace, &ended, right_of_small());
}

fn take_turns(workspace: &Workspace, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let all = crate::processes::with_in_environment(workspace.path());
        for (signal, time) in [(libc::SIGSTOP, 9), (libc::SIGCONT, 1)] {
            for pid in &all {
                // SAFETY: a signal can be sent to any process id.
                unsafe { libc::kill(*pid, signal) };
            }
            std::thread::sleep(Duration::from_millis(time));
        }
    }
}
