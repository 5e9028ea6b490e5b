//! Jobservers that die, send garbage, run out of tokens, or are not jobservers.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::batch::*;
use crate::call::{Workspace, wait};
use crate::support::*;
use crate::table::{Fault, Row};

const fn fault(name: &'static str, make: fn(&mut Row)) -> Fault {
    Fault::new("caller", name, "shell", make)
}

/// Their part of the table.
pub const FAULTS: &[Fault] = &[
    fault("jobserver dies while the batch runs", dies),
    fault("jobserver gives garbage without end", garbage),
    fault("jobserver runs dry", dry),
    fault("jobserver that is something else", something_else),
];

fn fifo(workspace: &Workspace) -> (PathBuf, File) {
    let path = workspace.own("fifo");
    mkfifo(&path, Mode::S_IRWXU).unwrap();
    let mut options = File::options();
    let options = options.read(true).write(true).custom_flags(libc::O_NONBLOCK);
    let file = options.open(&path).unwrap();
    (path, file)
}

fn flags(path: &Path) -> String {
    format!(" -j --jobserver-auth=fifo:{}", path.display())
}

/// Closes the other ends of the pipes and removes the named pipe.
fn dies(row: &mut Row) {
    for after in [0, 20, 80] {
        let workspace = Workspace::new();
        let (path, mut file) = fifo(&workspace);
        file.write_all(b"ab").unwrap();
        let mut call = workspace.check(&[]).env("MAKEFLAGS", flags(&path));
        let child = call.start(small_request(&need("gcc")).to_string().as_bytes());
        std::thread::sleep(Duration::from_millis(after));
        let _ = file.read(&mut [0; 9]);
        drop(file);
        fs::remove_file(&path).unwrap();
        let ended = wait(child, call.bound);
        row.look(&workspace, &ended, right_of_small());

        let workspace = Workspace::new();
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(b"a").unwrap();
        let give_back = File::options().write(true).open("/dev/null").unwrap();
        let mut call = workspace.check(&[]).env("MAKEFLAGS", " -j --jobserver-auth=97,98");
        let numbers = [(reader.as_raw_fd(), 97), (give_back.as_raw_fd(), 98)];
        // SAFETY: dup2 is async-signal-safe, and the child does not use these numbers otherwise.
        unsafe {
            call.command.pre_exec(move || {
                for (from, to) in numbers {
                    nix::errno::Errno::result(libc::dup2(from, to))?;
                }
                Ok(())
            });
        }
        let child = call.start(small_request(&need("gcc")).to_string().as_bytes());
        std::thread::sleep(Duration::from_millis(after));
        drop(writer);
        let ended = wait(child, call.bound);
        row.look(&workspace, &ended, right_of_small());
    }
}

fn garbage(row: &mut Row) {
    let workspace = Workspace::new();
    let (path, mut file) = fifo(&workspace);
    let mut call = workspace.check(&[]).env("MAKEFLAGS", flags(&path));
    let child = call.start(small_request(&need("gcc")).to_string().as_bytes());
    let done = std::sync::atomic::AtomicBool::new(false);
    let ended = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let _ = file.write_all(b"\0\xff\n\x1b[2J garbage");
                std::thread::sleep(Duration::from_micros(200));
            }
        });
        let ended = wait(child, call.bound);
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        ended
    });
    row.look(&workspace, &ended, right_of_small());
}

/// Another process always takes all available tokens.
fn dry(row: &mut Row) {
    for tokens in [&b""[..], b"abc"] {
        let workspace = Workspace::new();
        let (path, mut file) = fifo(&workspace);
        file.write_all(tokens).unwrap();
        let mut call = workspace.check(&[]).env("MAKEFLAGS", flags(&path));
        let child = call.start(small_request(&need("gcc")).to_string().as_bytes());
        let done = std::sync::atomic::AtomicBool::new(false);
        let ended = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let _ = file.read(&mut [0; 99]);
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
            let ended = wait(child, call.bound);
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            ended
        });
        row.look(&workspace, &ended, right_of_small());
    }
}

fn something_else(row: &mut Row) {
    let workspace = Workspace::new();
    fs::write(workspace.own("file"), "precious").unwrap();
    let file = workspace.own("file").display().to_string();
    let own = workspace.own("").display().to_string();
    for value in [
        "fifo:/dev/zero",
        "fifo:/dev/full",
        "fifo:/no/such",
        &format!("fifo:{file}"),
        &format!("fifo:{own}"),
        "0,1",
        "1,2",
        "97,98",
        "-1,-1",
        "",
        "\u{1b}[2J",
    ] {
        let value = format!(" -j --jobserver-auth={value}");
        let ended = workspace.check(&[]).env("MAKEFLAGS", value).ask(&small_request(&need("gcc")));
        row.look(&workspace, &ended, right_of_small());
    }
    if fs::read_to_string(workspace.own("file")).unwrap() != "precious" {
        row.wrong.push("a file was written to".into());
    }
}
