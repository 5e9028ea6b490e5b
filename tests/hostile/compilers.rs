//! Compilers that hang, die, crash, flood, lie and leave processes behind.

use std::fs;

use serde_json::{Value, json};

use crate::batch::*;
use crate::call::Workspace;
use crate::processes::is_alive;
use crate::sandbox::{self, Programs};
use crate::support::*;
use crate::table::{Fault, Row};

const fn fault(name: &'static str, make: fn(&mut Row)) -> Fault {
    Fault::new("compiler", name, "shell", make)
}

/// The first part of the table.
pub const FAULTS: &[Fault] = &[
    fault("hangs", |row| stuck(row, &["say=not yet", "hang"])),
    fault("hangs, with a child", |row| stuck(row, &["fork=PIDS", "hang"])),
    fault("stops itself (SIGSTOP)", |row| stuck(row, &["signal=19"])),
    fault("ignores TERM", |row| stuck(row, &["deaf", "fork=PIDS", "hang"])),
    fault("hangs behind a child in a process group of its own", |row| {
        stuck(row, &["stray=PIDS", "hang"]);
    }),
    fault("dies by each signal", dies),
    fault("crashes (internal compiler error)", |row| always(row, &["crash"])),
    fault("exits 0 without output", |row| always(row, &["lie"])),
    fault("leaves a named pipe as its output", |row| always(row, &["pipe"])),
    fault("writes a truncated object or program", truncates),
    fault("writes an output of a terabyte", |row| always(row, &["real", "huge"])),
    fault("prints 1 GB", floods),
    fault("prints invalid UTF-8 and escapes", |row| always(row, &["noise"])),
    fault("leaves a child with the pipes", |row| always(row, &["fork=PIDS"])),
    fault("leaves a child in another process group with the pipes", |row| {
        always(row, &["stray=PIDS"]);
    }),
    fault("forks a daemon that keeps the pipes", daemon),
    fault("fails with the statuses of shells", |row| {
        for status in [126, 127, 128 + 9, 255] {
            always(row, &[&format!("status={status}")]);
        }
    }),
    fault("fails without a word", |row| always(row, &["status=1"])),
    fault("leaves directories that cannot be entered", sealed),
    fault("its parts are killed at random (gcc, g++, clang)", parts_killed),
];

/// Injects a fault into the sources with the word, with and without sharing.
fn always(row: &mut Row, requests: &[&str]) {
    for args in [&["-j4"][..], &["-j4", "--no-fuse"]] {
        let workspace = Workspace::new();
        let pids = format!("={}", workspace.own("pids").display());
        let requests: Vec<_> = requests.iter().map(|text| text.replace("=PIDS", &pids)).collect();
        let requests: Vec<_> = requests.iter().map(String::as_str).collect();
        let ended = workspace.faulty(args, &requests).ask(&request(&fakecc()));
        row.look(&workspace, &ended, right());
        assert_no_survivors(row, &workspace);
    }
}

/// The same for compilers that never end, with a time limit and more jobs, because they only wait.
fn stuck(row: &mut Row, requests: &[&str]) {
    for args in [&["-j12"][..], &["-j12", "--no-fuse"]] {
        let workspace = Workspace::new();
        let pids = format!("={}", workspace.own("pids").display());
        let requests: Vec<_> = requests.iter().map(|text| text.replace("=PIDS", &pids)).collect();
        let requests: Vec<_> = requests.iter().map(String::as_str).collect();
        let mut request = request(&fakecc());
        for check in request["checks"].as_array_mut().unwrap() {
            let is_stuck = check["prefix"].as_str().unwrap().contains(WORD);
            check["timeout"] = json!(if is_stuck { 1.5 } else { 30.0 });
        }
        let ended = workspace.faulty(args, &requests).ask(&request);
        row.look(&workspace, &ended, right());
        assert_no_survivors(row, &workspace);
    }
}

/// The processes that the compiler has recorded must be gone.
fn assert_no_survivors(row: &mut Row, workspace: &Workspace) {
    let alive = workspace.end_daemons(&workspace.own("pids"));
    if alive > 0 {
        row.left.push(format!("{alive} children of the compiler"));
    }
}

fn dies(row: &mut Row) {
    let ended_by_nobody = [
        libc::SIGCHLD,
        libc::SIGCONT,
        libc::SIGURG,
        libc::SIGWINCH,
        libc::SIGSTOP,
        libc::SIGTSTP,
        libc::SIGTTIN,
        libc::SIGTTOU,
    ];
    let standard = (1..32).filter(|signal| !ended_by_nobody.contains(signal));
    let request = small_request(&fakecc());
    for signal in standard.chain([34, 64]) {
        let workspace = Workspace::new();
        let requests = ["say=conftest.c:1:1: error: half a", &format!("signal={signal}")];
        let ended = workspace.faulty(&["-j4"], &requests).ask(&request);
        row.look(&workspace, &ended, right_of_small());
    }
}

fn truncates(row: &mut Row) {
    // Explicit commands link their own object file, as CMake does.
    let mut in_full = request(&fakecc());
    let words = |words: &[&str]| words.iter().map(|word| json!(word)).collect::<Vec<Value>>();
    let cc = fakecc();
    in_full["toolchains"]["c"] = json!({
        "compile": words(&[&cc, "{args}", "-o", "{object}", "-c", "{source}"]),
        "link": words(&[&cc, "{object}", "-o", "{program}", "{link_args}"]),
    });
    let kept = ["REJECTED", "LINKED", "RUNS", "RUNS_NOT"];
    let checks = in_full["checks"].as_array_mut().unwrap();
    checks.retain(|check| kept.contains(&check["id"].as_str().unwrap().trim_end_matches("_F")));
    let right_in_full = right_for(&in_full_for(&in_full, &need("gcc")));
    for percent in [0, 1, 30, 60, 90, 99] {
        let requests = ["real", &format!("truncate={percent}")];
        let args = if percent < 60 { &["-j4"][..] } else { &["-j4", "--no-fuse"] };
        let workspace = Workspace::new();
        let ended = workspace.faulty(args, &requests).ask(&request(&fakecc()));
        row.look(&workspace, &ended, right());
        let workspace = Workspace::new();
        let ended = workspace.faulty(&["-j4"], &requests).ask(&in_full);
        row.look(&workspace, &ended, &right_in_full);
    }
}

/// A request with explicit commands for another compiler.
fn in_full_for(request: &Value, compiler: &str) -> Value {
    let mut request = request.clone();
    for command in ["compile", "link"] {
        request["toolchains"]["c"][command][0] = json!(compiler);
    }
    request
}

fn floods(row: &mut Row) {
    let compiler = fakecc();
    let mut request = request(&compiler);
    let kept = ["FLAG_F", "REJECTED_F", "SIZE"];
    request["checks"]
        .as_array_mut()
        .unwrap()
        .retain(|check| kept.contains(&check["id"].as_str().unwrap()));
    let mut healthy = request.clone();
    healthy["toolchains"]["c"]["command"] = json!([need("gcc")]);
    let right = right_for(&healthy);
    let workspace = Workspace::new();
    let mut call = workspace.faulty(&["-j2"], &["flood=1000000000"]);
    // A gigabyte of output would not fit into memory.
    sandbox::limit(&mut call.command, libc::RLIMIT_AS, 600 << 20);
    let ended = call.ask(&request);
    row.look(&workspace, &ended, &right);
    row.note = "in 600 MB of address space".into();
}

fn daemon(row: &mut Row) {
    for args in [&["-j4"][..], &["-j4", "--no-fuse"]] {
        let workspace = Workspace::new();
        let pids = workspace.own("pids");
        let requests = [format!("daemon={}", pids.display())];
        let ended = workspace.faulty(args, &[&requests[0]]).ask(&request(&fakecc()));
        // A process that leaves the session intends to survive, like a compiler's server.
        let alive = workspace.end_daemons(&pids);
        row.look(&workspace, &ended, right());
        row.note = format!("{alive} daemons in sessions of their own were left alone");
    }
}

fn sealed(row: &mut Row) {
    let programs = Programs::new();
    for args in [&["-j4"][..], &["-j4", "--no-fuse"]] {
        let workspace = Workspace::new();
        for place in [workspace.path().to_owned(), workspace.tmp(), workspace.work()] {
            sandbox::open_to_all(&place, 0o777);
        }
        sandbox::open_to_all(&workspace.tmp(), 0o1777);
        let mut call = workspace.call(programs.tryall());
        call.command.args(["check", "-"]).args(args);
        call.command.env("FAKE_REAL", "/usr/bin/gcc").env("FAKE_REQUESTS", "seal");
        call.command.env("FAKE_WHEN", WORD);
        // Root can read everything.
        sandbox::as_user(&mut call.command, sandbox::NOBODY);
        let ended = call.ask(&request(&programs.fakecc()));
        row.look(&workspace, &ended, right());
    }
    row.note = "as an unprivileged user".into();
}

/// KILL, SEGV and TERM for cc1, as, collect2 and ld during a batch, as when memory runs out.
fn parts_killed(row: &mut Row) {
    for (language, compiler) in [("c", "gcc"), ("c++", "g++"), ("c", "clang")] {
        let mut request = request(&need(compiler));
        if language == "c++" {
            request["toolchains"] = json!({"c++": {"command": [compiler]}});
            for check in request["checks"].as_array_mut().unwrap() {
                check["language"] = json!(language);
            }
        }
        let right = right_for(&request);
        for (round, signal) in [libc::SIGKILL, libc::SIGSEGV, libc::SIGTERM].into_iter().enumerate()
        {
            let workspace = Workspace::new();
            let mut call = workspace.check(&["-j4"]);
            let child = call.start(request.to_string().as_bytes());
            let leader = i32::try_from(child.id()).unwrap();
            let path = workspace.tmp();
            let done = std::sync::atomic::AtomicBool::new(false);
            let ended = std::thread::scope(|scope| {
                scope.spawn(|| {
                    let mut count = round;
                    while !done.load(std::sync::atomic::Ordering::Relaxed) {
                        for pid in crate::processes::with_in_environment(&path) {
                            count += 1;
                            let parent = parent(pid);
                            // Not the program itself, its reaper, or processes that CMake would
                            // run.
                            if count % 17 == 0 && pid != leader && is_part(pid) && parent != 1 {
                                // SAFETY: a signal can be sent to any process id.
                                unsafe { libc::kill(pid, signal) };
                            }
                        }
                        std::thread::sleep(std::time::Duration::from_millis(2));
                    }
                });
                let ended = crate::call::wait(child, call.bound);
                done.store(true, std::sync::atomic::Ordering::Relaxed);
                ended
            });
            row.look(&workspace, &ended, &right);
        }
    }
}

fn parent(pid: i32) -> i32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(") ").map(|(_, rest)| rest.split(' ').nth(1).map(str::to_owned));
    fields.flatten().and_then(|parent| parent.parse().ok()).unwrap_or(1)
}

/// Whether a process is part of a compiler. Programs of checks have other names, and are not
/// affected.
fn is_part(pid: i32) -> bool {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let parts = ["cc1", "cc1plus", "as", "collect2", "ld", "gcc", "g++", "clang"];
    is_alive(pid) && parts.contains(&name.trim())
}
