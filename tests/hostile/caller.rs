//! Callers that never finish their request, do not read, close descriptors, or run two batches at
//! once.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::time::Duration;

use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::Signal;

use crate::batch::*;
use crate::call::{Ended, Workspace, wait};
use crate::support::*;
use crate::table::{Fault, Row};

const fn fault(name: &'static str, make: fn(&mut Row)) -> Fault {
    Fault::new("caller", name, "shell", make)
}

/// The third part of the table.
pub const FAULTS: &[Fault] = &[
    fault("standard input that never ends", endless_input),
    fault("standard input that says nothing, then a signal", silent_input),
    fault("standard files closed, in all combinations", closed),
    fault("standard output and error full", full),
    fault("slow reader", slow),
    fault("reader that goes away", goes_away),
    fault("limits, signals and masks left by the caller", left_by_the_caller),
    fault("two at once with one output file", one_output),
    fault("two at once that stream to one file", one_stream),
    fault("output file in a directory that fills up, is read-only, is missing", no_output),
    fault("current directory removed", no_directory),
];

fn gcc() -> Vec<u8> {
    small_request(&need("gcc")).to_string().into_bytes()
}

fn endless_input(row: &mut Row) {
    for start in [&b""[..], b"{\"checks\": [", b"{\"checks\": [{\"id\": \""] {
        let workspace = Workspace::new();
        let mut call = workspace.check(&[]);
        call.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = call.command.spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let start = start.to_vec();
        std::thread::spawn(move || {
            let _ = pipe.write_all(&start);
            while pipe.write_all(&[b' '; 1 << 16]).is_ok() {}
        });
        let ended = wait(child, call.bound);
        row.look(&workspace, &ended, right_of_small());
    }
}

fn silent_input(row: &mut Row) {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGKILL] {
        let workspace = Workspace::new();
        let mut call = workspace.check(&[]);
        call.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = call.command.spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(b"{\"checks\": [").unwrap();
        std::thread::sleep(Duration::from_millis(60));
        crate::processes::signal(&child, signal);
        let ended = wait(child, call.bound);
        drop(pipe);
        ended_by(row, &workspace, &ended, signal as i32);
    }
}

/// A run that was ended by a signal prints nothing, or says so.
fn ended_by(row: &mut Row, workspace: &Workspace, ended: &Ended, signal: i32) {
    row.ended(workspace, ended);
    row.refused += 1;
    if !ended.stdout.is_empty() {
        row.wrong.push(format!("half an answer: {ended:?}"));
    }
    if ended.signal() != Some(signal) && ended.code() != Some(128 + signal) {
        row.wrong.push(format!("it does not say what has ended it: {ended:?}"));
    }
}

fn closed(row: &mut Row) {
    for files in 1..8 {
        let workspace = Workspace::new();
        let file = workspace.own("request.json");
        fs::write(&file, gcc()).unwrap();
        for output in [false, true] {
            let mut call = workspace.call(TRYALL);
            call.command.arg("check").arg(&file);
            let answers = workspace.work().join("answers.json");
            if output {
                call.command.arg("--output").arg(&answers);
            }
            // SAFETY: close accepts any number.
            unsafe {
                call.command.pre_exec(move || {
                    for number in (0..3).filter(|number| files & (1 << number) != 0) {
                        libc::close(number);
                    }
                    Ok(())
                });
            }
            let mut ended = call.run(b"");
            if output {
                ended.stdout = fs::read(&answers).unwrap_or_default();
            } else if files & 2 != 0 {
                // There is no place to report it, and maybe none to report that.
                row.ended(&workspace, &ended);
                row.refused += 1;
                if ended.code() != Some(3) || !ended.stdout.is_empty() {
                    row.wrong.push(format!("success without an answer: {ended:?}"));
                }
                continue;
            }
            row.look(&workspace, &ended, right_of_small());
        }
    }
}

fn full(row: &mut Row) {
    for (stdout, stderr) in [(true, false), (false, true), (true, true)] {
        let workspace = Workspace::new();
        let file = workspace.own("request.json");
        fs::write(&file, gcc()).unwrap();
        let mut call = workspace.call("sh");
        let to =
            |full: bool, number| if full { format!("{number}>/dev/full") } else { String::new() };
        let script = format!("exec \"$0\" check \"$1\" {} {}", to(stdout, 1), to(stderr, 2));
        call.command.args(["-c", &script, TRYALL]).arg(&file);
        let ended = call.run(b"");
        if stdout {
            row.ended(&workspace, &ended);
            row.refused += 1;
            if ended.code() != Some(3) {
                row.wrong.push(format!("success without an answer: {ended:?}"));
            }
        } else {
            row.look(&workspace, &ended, right_of_small());
        }
    }
}

fn slow(row: &mut Row) {
    for format in ["json", "ndjson"] {
        let workspace = Workspace::new();
        let mut call = workspace.check(&["--format", format]);
        let mut child = call.start(&gcc());
        let mut pipe = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let (mut all, mut some) = (Vec::new(), [0; 400]);
            while let Ok(count @ 1..) = pipe.read(&mut some) {
                all.extend_from_slice(&some[..count]);
                std::thread::sleep(Duration::from_millis(20));
            }
            all
        });
        let mut ended = wait(child, call.bound);
        ended.stdout = reader.join().unwrap();
        if format == "ndjson" {
            ended.stdout = as_one(&ended.stdout);
        }
        row.look(&workspace, &ended, right_of_small());
    }
}

/// Combines lines of results into one response.
fn as_one(lines: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(lines);
    let results: Vec<_> = text.lines().filter(|line| line.starts_with("{\"id\"")).collect();
    format!("{{\"results\": [{}]}}", results.join(",")).into_bytes()
}

fn goes_away(row: &mut Row) {
    for (format, bytes) in [("json", 0), ("json", 100), ("ndjson", 0), ("ndjson", 1000)] {
        let all = Workspace::new().check(&["--format", format]).run(&gcc()).stdout.len();
        let workspace = Workspace::new();
        let mut call = workspace.check(&["--format", format]);
        let mut child = call.start(&gcc());
        let mut pipe = child.stdout.take().unwrap();
        // Data in a pipe counts as written, so the pipe must hold less than all answers.
        let holds = fcntl(&pipe, FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
        assert!(all > bytes + usize::try_from(holds).unwrap(), "{all} bytes fit into the pipe");
        let mut some = vec![0; bytes];
        let _ = pipe.read_exact(&mut some);
        drop(pipe);
        let ended = wait(child, call.bound);
        row.ended(&workspace, &ended);
        row.refused += 1;
        if ended.code() != Some(141) && ended.signal() != Some(libc::SIGPIPE) {
            row.wrong.push(format!("nobody has read it, and it says otherwise: {ended:?}"));
        }
    }
}

/// Unusual inherited state: blocked and ignored signals, a umask that removes all permissions,
/// hundreds of open files.
fn left_by_the_caller(row: &mut Row) {
    let blocked = || {
        // SAFETY: the set is initialised before it is used.
        unsafe {
            let mut set = std::mem::zeroed();
            libc::sigfillset(&raw mut set);
            libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        }
        Ok(())
    };
    let ignored = || {
        for signal in (1..32).filter(|signal| ![libc::SIGKILL, libc::SIGSTOP].contains(signal)) {
            // SAFETY: ignoring a signal runs no handler.
            unsafe { libc::signal(signal, libc::SIG_IGN) };
        }
        Ok(())
    };
    let masked = || {
        // SAFETY: umask accepts any mask.
        unsafe { libc::umask(0o777) };
        Ok(())
    };
    let open = || {
        for _ in 0..900 {
            // SAFETY: the path ends in a NUL.
            unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDONLY) };
        }
        Ok(())
    };
    let all: [fn() -> std::io::Result<()>; 4] = [blocked, ignored, masked, open];
    for before in all {
        for args in [&["-j2"][..], &["-j2", "--no-fuse"]] {
            let workspace = Workspace::new();
            let mut call = workspace.check(args);
            // SAFETY: all of these are async-signal-safe.
            unsafe { call.command.pre_exec(before) };
            let ended = call.run(&gcc());
            row.look(&workspace, &ended, right_of_small());
        }
    }
}

/// Several runs repeatedly write one file while it is being read.
fn one_output(row: &mut Row) {
    let workspace = Workspace::new();
    let file = workspace.work().join("answers.json");
    let request = small_request(&need("gcc"));
    let right = right_for(&request);
    let done = std::sync::atomic::AtomicBool::new(false);
    let ended: Vec<Ended> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..6)
            .map(|n| {
                let indent = " ".repeat(n * 1000);
                let bytes = format!("{indent}{request}").into_bytes();
                let mut call = workspace.check(&["-j1", "--output"]);
                call.command.arg(&file);
                scope.spawn(move || call.run(&bytes))
            })
            .collect();
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                if let Ok(text) = fs::read(&file) {
                    assert!(answers(&text).is_ok(), "half a file");
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let ended = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        ended
    });
    for mut ended in ended {
        ended.stdout = fs::read(&file).unwrap();
        row.look(&workspace, &ended, &right);
    }
    let names = fs::read_dir(workspace.work()).unwrap().count();
    if names != 1 {
        row.left.push(format!("{names} files beside the output"));
    }
}

/// A streamed file grows in place, so only one writer is allowed.
fn one_stream(row: &mut Row) {
    let workspace = Workspace::new();
    let file = workspace.work().join("answers.json");
    let request = small_request(&need("gcc")).to_string();
    let ended: Vec<Ended> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|_| {
                let mut call = workspace.check(&["-j1", "--format=ndjson", "--output"]);
                call.command.arg(&file);
                let bytes = request.as_bytes();
                scope.spawn(move || call.run(bytes))
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let text = as_one(&fs::read(&file).unwrap());
    let mut whole = 0;
    for mut ended in ended {
        if ended.code() == Some(0) {
            ended.stdout.clone_from(&text);
            whole += 1;
        }
        row.look(&workspace, &ended, right_of_small());
    }
    if whole == 0 {
        row.wrong.push("nobody has written it".into());
    }
    row.note = format!("{whole} wrote, the others were refused");
}

fn no_output(row: &mut Row) {
    use crate::sandbox::Disk;
    let set_ups: [fn(&Workspace) -> Option<Disk>; 3] = [
        |workspace| Some(Disk::new(&workspace.work(), "size=4k")),
        |workspace| {
            let disk = Disk::new(&workspace.work(), "size=1m");
            disk.read_only();
            Some(disk)
        },
        |_| None,
    ];
    for (index, set_up) in set_ups.into_iter().enumerate() {
        for format in ["json", "header", "ndjson"] {
            let workspace = Workspace::new();
            let _disk = set_up(&workspace);
            let file = workspace.work().join(if index == 2 { "no/such/out" } else { "out" });
            let mut call = workspace.check(&["--format", format, "--output"]);
            // The disk is mounted below the former current directory.
            call.command.arg(&file).current_dir("/");
            let ended = call.run(&gcc());
            row.ended(&workspace, &ended);
            row.refused += 1;
            let beside: Vec<_> = fs::read_dir(workspace.work()).unwrap().flatten().collect();
            let others = beside.iter().filter(|entry| entry.file_name() != "out").count();
            // A header of a few hundred bytes fits, so it must be complete.
            let is_written = format == "header" && index == 0 && ended.code() == Some(0);
            if !is_written && (ended.code() != Some(3) || ended.stderr.is_empty()) {
                row.wrong.push(format!("{format}: success without an answer: {ended:?}"));
            }
            if others > 0 {
                row.left.push(format!("{format}: {beside:?}"));
            }
        }
    }
}

fn no_directory(row: &mut Row) {
    let workspace = Workspace::new();
    let file = workspace.own("request.json");
    fs::write(&file, gcc()).unwrap();
    let gone = workspace.own("gone");
    fs::create_dir(&gone).unwrap();
    let mut call = workspace.call("sh");
    let script = "rmdir \"$PWD\"; exec \"$0\" check \"$1\"";
    call.command.args(["-c", script, TRYALL]).arg(&file).current_dir(&gone);
    let ended = call.run(b"");
    row.look(&workspace, &ended, right_of_small());
}
