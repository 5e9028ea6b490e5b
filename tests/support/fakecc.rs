//! A compiler for the tests that behaves as its arguments say: it hangs, crashes, floods,
//! forks and lies on request. Without a request it writes the output file that it is asked
//! for; a source with the word REJECT in it is refused as a real compiler would.
//!
//! `--fake-log=FILE` appends a line for each start and end, so that tests can count how many
//! ran, and how many at once. All requests are obeyed in the order in which they stand.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio, exit};
use std::thread::sleep;
use std::time::Duration;

const FOREVER: Duration = Duration::from_secs(3600);

fn main() {
    let args: Vec<String> =
        std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let output = args.iter().position(|arg| arg == "-o").map(|at| PathBuf::from(&args[at + 1]));
    let log = args.iter().find_map(|arg| arg.strip_prefix("--fake-log="));
    if let Some(log) = log {
        let here = std::env::current_dir().unwrap();
        append(log, &format!("start {} {}\n", std::process::id(), here.display()));
    }
    let mut status = 0;
    let mut writes = true;
    for arg in &args {
        let Some(request) = arg.strip_prefix("--fake-") else { continue };
        let (request, value) = request.split_once('=').unwrap_or((request, ""));
        match request {
            "log" => {}
            // Runs until it is ended.
            "hang" => sleep(FOREVER),
            "slow" => sleep(Duration::from_millis(number(value))),
            // Runs until it is killed.
            "stubborn" => {
                // SAFETY: ignoring a signal runs no handler.
                unsafe { libc::signal(libc::SIGTERM, libc::SIG_IGN) };
                sleep(FOREVER);
            }
            // SAFETY: sending oneself a signal is always sound.
            "signal" => drop(unsafe { libc::kill(libc::getpid(), number(value) as i32) }),
            "crash" => {
                eprintln!("conftest.c:1:1: internal compiler error: Segmentation fault");
                eprintln!("Please submit a full bug report, with preprocessed source.");
                exit(4);
            }
            "say" => println!("{value}"),
            "flood" => flood(number(value)),
            "status" => status = number(value) as i32,
            // Success without an output file.
            "lie" => writes = false,
            // A child of the same group that keeps the output open.
            "fork" => drop(sleeper(value).spawn().unwrap()),
            // The same, out of the group's reach.
            "daemon" => {
                let mut daemon = sleeper(value);
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
                drop(daemon.spawn().unwrap());
            }
            // A process that keeps the output file open for writing, out of the group's reach.
            "busy" => keep_open(output.as_deref().expect("-o"), value),
            "environment" => {
                let mut lines: Vec<_> =
                    std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
                lines.sort();
                println!("{}", lines.join("\n"));
            }
            // Writes how many descriptors beyond the standard ones it was given.
            "descriptors" => {
                let open = fs::read_dir("/proc/self/fd").unwrap().count();
                // Those of the directory listing itself and the standard ones.
                println!("descriptors: {}", open - 4);
            }
            other => panic!("no such request: {other}"),
        }
    }
    if status == 0 && source(&args).is_some_and(|source| source.contains("REJECT")) {
        eprintln!("conftest.c:1:1: error: REJECT stands in the source");
        status = 1;
    }
    if let (true, 0, Some(output)) = (writes, status, &output) {
        write_program(output);
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
    // One write, so that lines of several processes do not mix.
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

/// A process that sleeps, and leaves its number in a file if one is named.
fn sleeper(pid_file: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    let record =
        if pid_file.is_empty() { String::new() } else { format!("echo $$ > '{pid_file}'; ") };
    command.arg("-c").arg(format!("{record}exec sleep 3600"));
    command
}

#[allow(clippy::zombie_processes, reason = "it outlives this process")]
fn keep_open(output: &Path, milliseconds: &str) {
    write_program(output);
    let seconds = number(milliseconds) as f64 / 1e3;
    let file = File::options().append(true).open(output).unwrap();
    let mut command = Command::new("/bin/sleep");
    command.arg(seconds.to_string()).stdin(file).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: setsid is async-signal-safe.
    unsafe {
        command.pre_exec(|| {
            if libc::setsid() == -1 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
        })
    };
    command.spawn().unwrap();
}

fn write_program(output: &Path) {
    if output.exists() {
        return;
    }
    fs::write(output, "#!/bin/sh\necho hello\nexit 0\n").unwrap();
    fs::set_permissions(output, fs::Permissions::from_mode(0o755)).unwrap();
}
