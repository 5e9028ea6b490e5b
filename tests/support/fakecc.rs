//! A fake compiler controlled by its arguments: it hangs, crashes, floods, forks and lies on
//! request. Otherwise it writes the requested output file, and rejects sources that contain the
//! word REJECT.
//!
//! It also obeys `FAKE_REQUESTS` (see `wrapped.rs`), so that tests can run the same request with a
//! working and with a broken compiler.
//!
//! `--fake-log=FILE` appends a line for each start and end, so that tests can count the processes
//! and how many ran at once. Requests are executed in order.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio, exit};
use std::thread::sleep;
use std::time::Duration;

mod wrapped;

const FOREVER: Duration = Duration::from_secs(3600);

/// Counts the call and then executes its requests.
const LATE: &str = "i=0; while [ $i -lt 1000000 ]; do i=$((i + 1)); done; echo \"$1\"";

fn main() {
    let mut args: Vec<String> =
        std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    args.splice(0..0, wrapped::requests(&args));
    let real = std::env::var("FAKE_REAL").ok();
    let output = args.iter().position(|arg| arg == "-o").map(|at| PathBuf::from(&args[at + 1]));
    let log = args.iter().find_map(|arg| arg.strip_prefix("--fake-log="));
    if let Some(log) = log {
        let here = std::env::current_dir().unwrap();
        append(log, &format!("start {} {}\n", std::process::id(), here.display()));
    }
    let mut status = 0;
    let mut writes = true;
    let mut judged = false;
    let mut program = "echo hello";
    for arg in &args {
        let Some(request) = arg.strip_prefix("--fake-") else { continue };
        let (request, value) = request.split_once('=').unwrap_or((request, ""));
        match request {
            "log" => {}
            // Runs until it is killed.
            "hang" => sleep(FOREVER),
            "slow" => sleep(Duration::from_millis(number(value))),
            // Hangs if more than this many have started, by the log.
            "enough" if count_starts(log.expect("--fake-log")) > number(value) => sleep(FOREVER),
            "enough" => {}
            // Continues when the file exists.
            "await" => comes_true(|| Path::new(value).exists()),
            // A child in the same group that works for a while and then prints something.
            "late" => start_late(value),
            // Ignores TERM, as do all processes started from here on.
            // SAFETY: ignoring a signal runs no handler.
            "deaf" => drop(unsafe { libc::signal(libc::SIGTERM, libc::SIG_IGN) }),
            "signal" => send_oneself(number(value) as i32),
            "crash" => {
                eprintln!("conftest.c:1:1: internal compiler error: Segmentation fault");
                eprintln!("Please submit a full bug report, with preprocessed source.");
                exit(4);
            }
            "say" => println!("{value}"),
            // Invalid UTF-8, and colours.
            "noise" => {
                let bytes = b"caf\xe9 \xff\xfe \x1b[1;31mred\x1b[0m\x07 \0 end\n";
                std::io::stdout().write_all(bytes).unwrap();
            }
            "flood" => flood(number(value)),
            "status" => status = number(value) as i32,
            // Success without an output file.
            "lie" => writes = false,
            // Fills the disk and fails without a message.
            "fill" => {
                fill();
                status = 1;
            }
            // Deletes itself.
            "delete" => fs::remove_file(std::env::args_os().next().unwrap()).unwrap(),
            // Fails if asked to link.
            "nolink" => {
                if !args.iter().any(|arg| arg == "-c" || arg == "-E") {
                    println!("ld: error: cannot find crt1.o");
                    status = 1;
                }
            }
            // Behaves like another compiler for the same arguments, before the following requests.
            "real" => {
                status = wrapped::run(real.as_deref().expect("FAKE_REAL"), &args);
                judged = true;
            }
            "truncate" => wrapped::truncate(output.as_deref(), number(value)),
            "huge" => wrapped::stretch(output.as_deref()),
            "pipe" => {
                wrapped::leave_a_pipe(output.as_deref());
                writes = false;
                judged = true;
            }
            // A child in its own process group that keeps the output open.
            "stray" => {
                let mut stray = sleeper();
                stray.process_group(0);
                start_sleeper(stray, value);
            }
            // A directory that not even its owner can read.
            "seal" => wrapped::seal(),
            "eat" => wrapped::eat(number(value)),
            // The program to write, as a shell script.
            "program" => program = value,
            // Continues only after this many have run concurrently, according to the log.
            "meet" => {
                let log = log.expect("--fake-log");
                comes_true(|| most_at_once(&fs::read_to_string(log).unwrap()) >= number(value));
            }
            // A child in the same group that keeps the output open. Writes its id to the file.
            "fork" => start_sleeper(sleeper(), value),
            // The same, in another session.
            "daemon" => {
                let mut daemon = sleeper();
                // SAFETY: setsid is async-signal-safe.
                unsafe {
                    daemon.pre_exec(|| {
                        if libc::setsid() == -1 {
                            Err(std::io::Error::last_os_error())
                        } else {
                            Ok(())
                        }
                    })
                };
                start_sleeper(daemon, value);
            }
            // A process in another session that keeps the output file open for writing, for some
            // time or as long as a file exists.
            "busy" => keep_open(output.as_deref().expect("-o"), program, value),
            // Writes the permissions of the current directory and of its parent.
            "directory" => {
                let mode = |path: &str| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
                println!("mode: {:o} in {:o}", mode("."), mode(".."));
            }
            "environment" => {
                let mut lines: Vec<_> =
                    std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
                lines.sort();
                println!("{}", lines.join("\n"));
            }
            // Writes the number of inherited descriptors, without the standard ones.
            "descriptors" => {
                let open = fs::read_dir("/proc/self/fd").unwrap().count();
                // Those of the directory listing itself and the standard ones.
                println!("descriptors: {}", open - 4);
            }
            other => panic!("no such request: {other}"),
        }
    }
    if let (Some(real), 0, false, true) = (&real, status, judged, writes) {
        status = wrapped::run(real, &args);
        judged = true;
    }
    if judged || real.is_some() {
        exit(status);
    }
    if status == 0 && source(&args).is_some_and(|source| source.contains("REJECT")) {
        eprintln!("conftest.c:1:1: error: REJECT stands in the source");
        status = 1;
    }
    if status == 0 && args.iter().any(|arg| arg == "-E") {
        // The sentinels by which preprocessed output is recognized.
        println!("tryall_expanded");
    }
    if let (true, 0, Some(output)) = (writes, status, &output) {
        write_program(output, program);
    }
    if let Some(log) = log {
        append(log, &format!("end {}\n", std::process::id()));
    }
    exit(status);
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

fn append(log: &str, line: &str) {
    // A single write, so that lines of several processes do not mix.
    File::options()
        .create(true)
        .append(true)
        .open(log)
        .unwrap()
        .write_all(line.as_bytes())
        .unwrap();
}

fn source(args: &[String]) -> Option<String> {
    let name = args
        .iter()
        .find(|arg| arg.contains("conftest.") && !arg.ends_with(".o") && !arg.ends_with(".exe"))?;
    fs::read_to_string(name).ok()
}

fn flood(bytes: u64) {
    let chunk = [b'x'; 1 << 16];
    let mut out = std::io::stdout().lock();
    println!("the start");
    let mut left = bytes;
    while left > 0 {
        let now = left.min(chunk.len() as u64);
        if out.write_all(&chunk[..now as usize]).is_err() {
            exit(1);
        }
        left -= now;
    }
    out.write_all(b"\nthe end\n").unwrap();
    out.flush().unwrap();
}

/// Resets signals that the runtime catches or ignores to their default action.
fn send_oneself(number: i32) {
    // SAFETY: the default action has no handler, and a process may always signal itself.
    unsafe {
        libc::signal(number, libc::SIG_DFL);
        libc::kill(libc::getpid(), number);
    }
}

fn fill() {
    let mut file = File::create("fill").unwrap();
    let mut size = 1 << 16;
    while size > 0 {
        if file.write_all(&vec![b'x'; size]).is_err() {
            size /= 2;
        }
    }
}

/// Waits forever: the caller has a time limit.
fn comes_true(what: impl Fn() -> bool) {
    while !what() {
        sleep(Duration::from_millis(2));
    }
}

fn count_starts(log: &str) -> u64 {
    fs::read_to_string(log).unwrap().lines().filter(|line| line.starts_with("start")).count() as u64
}

fn most_at_once(log: &str) -> u64 {
    let (mut now, mut most) = (0, 0);
    for line in log.lines() {
        match line.starts_with("start") {
            true => now += 1,
            false => now -= 1,
        }
        most = most.max(now);
    }
    most
}

fn sleeper() -> Command {
    let mut command = Command::new("/bin/sleep");
    command.arg("3600");
    command
}

/// Starts a process and leaves it behind. Its id is in the file before this returns.
#[allow(clippy::zombie_processes, reason = "it outlives this process")]
fn start_sleeper(mut command: Command, pid_file: &str) {
    let sleeper = command.spawn().unwrap();
    if !pid_file.is_empty() {
        append(pid_file, &format!("{}\n", sleeper.id()));
    }
}

#[allow(clippy::zombie_processes, reason = "it outlives this process")]
fn start_late(text: &str) {
    Command::new("/bin/sh").args(["-c", LATE, "sh", text]).spawn().unwrap();
}

#[allow(clippy::zombie_processes, reason = "it outlives this process")]
fn keep_open(output: &Path, program: &str, milliseconds: &str) {
    write_program(output, program);
    let script = match milliseconds {
        "" => "while [ -e \"$1\" ]; do sleep 0.1; done".into(),
        _ => format!("exec sleep {}", number(milliseconds) as f64 / 1e3),
    };
    let output = std::path::absolute(output).unwrap();
    let file = File::options().append(true).open(&output).unwrap();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &script, "sh"]).arg(output);
    command.stdin(file).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: setsid is async-signal-safe.
    unsafe {
        command.pre_exec(|| {
            if libc::setsid() == -1 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
        })
    };
    command.spawn().unwrap();
}

fn write_program(output: &Path, program: &str) {
    if output.exists() {
        return;
    }
    fs::write(output, format!("#!/bin/sh\n{program}\n")).unwrap();
    fs::set_permissions(output, fs::Permissions::from_mode(0o755)).unwrap();
}
