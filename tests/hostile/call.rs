//! One run of a program under a fault, with a time limit and in a workspace that reveals leftovers.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{SigHandler, Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::processes::*;
use crate::support::*;
use crate::table::Row;

/// A run that takes longer than this hangs. Generous, because the machine may be busy.
pub const BOUND: Duration = Duration::from_secs(300);

/// The directories of a row's runs. The path is in the environment of all their processes.
pub struct Workspace {
    dir: tempfile::TempDir,
}

impl Workspace {
    pub fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let prefix = format!("hostile-{}-", NEXT.fetch_add(1, Ordering::Relaxed));
        let dir = tempfile::Builder::new().prefix(&prefix).tempdir().unwrap();
        for name in ["tmp", "work", "own"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        Workspace { dir }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The temporary directory of the runs.
    pub fn tmp(&self) -> PathBuf {
        self.dir.path().join("tmp")
    }

    /// The current directory of the runs.
    pub fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    /// A file of the row itself.
    pub fn own(&self, name: &str) -> PathBuf {
        self.dir.path().join("own").join(name)
    }

    /// `tryall check -` with more arguments.
    pub fn check(&self, args: &[&str]) -> Call {
        let mut call = self.call(TRYALL);
        call.command.args(["check", "-"]).args(args);
        call
    }

    /// `tryall check -` with the fake compiler in front of gcc, which misbehaves for sources that
    /// contain the word.
    pub fn faulty(&self, args: &[&str], requests: &[&str]) -> Call {
        let mut call = self.check(args);
        call.command.env("FAKE_REAL", need("gcc")).env("FAKE_REQUESTS", requests.join("\n"));
        call.command.env("FAKE_WHEN", crate::batch::WORD);
        call
    }

    /// Another program.
    pub fn call(&self, program: impl AsRef<OsStr>) -> Call {
        let mut command = Command::new(program);
        command.current_dir(self.work()).env("TMPDIR", self.tmp()).env("HOSTILE", self.path());
        let foreign = ["MAKEFLAGS", "MFLAGS", "CARGO_MAKEFLAGS", "CC", "CXX", "CFLAGS", "CPPFLAGS"];
        for name in foreign.into_iter().chain(["CXXFLAGS", "LDFLAGS", "DESTDIR"]) {
            command.env_remove(name);
        }
        let begin = || {
            for signal in [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGHUP, Signal::SIGTERM] {
                // SAFETY: the default action runs no code of this program.
                unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl)? };
            }
            nix::unistd::setsid()?;
            Ok(())
        };
        // SAFETY: it calls only functions that are allowed between fork and exec.
        unsafe { command.pre_exec(begin) };
        Call { command, bound: BOUND }
    }

    /// Empties the temporary directory.
    pub fn clear(&self) {
        fs::remove_dir_all(self.tmp()).and_then(|()| fs::create_dir(self.tmp())).unwrap();
    }

    /// Everything that is left of the runs, after some time to clean up.
    pub fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        let running = || with_in_environment(self.path()).into_iter().filter(|pid| is_alive(*pid));
        let patience = Instant::now() + BOUND;
        while running().count() > 0 && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(5));
        }
        for pid in running() {
            let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            left.push(format!("process {}", String::from_utf8_lossy(&words).replace('\0', " ")));
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        let names = |dir: &Path| -> Vec<String> {
            let entries = fs::read_dir(dir).into_iter().flatten().flatten();
            entries.map(|entry| entry.path().display().to_string()).collect()
        };
        left.extend(names(&self.tmp()));
        // The host's own groups are not visible here.
        let shared = names(Path::new("/dev/shm"));
        left.extend(shared.into_iter().filter(|name| !name.contains("tryall-")));
        left
    }

    /// Kills the processes whose ids are in a file.
    pub fn end_daemons(&self, file: &Path) -> usize {
        let daemons = pids(file);
        let alive = daemons.iter().filter(|pid| is_alive(**pid)).count();
        for pid in daemons {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        alive
    }
}

/// A command to run.
pub struct Call {
    pub command: Command,
    pub bound: Duration,
}

impl Call {
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it with a request.
    pub fn ask(self, request: &Value) -> Ended {
        self.run(request.to_string().as_bytes())
    }

    /// Runs it with this standard input, which is then closed.
    pub fn run(mut self, stdin: &[u8]) -> Ended {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            self.command.spawn().unwrap_or_else(|why| panic!("{:?}: {why}", self.command));
        let mut pipe = child.stdin.take().unwrap();
        let stdin = stdin.to_vec();
        std::thread::spawn(move || drop(pipe.write_all(&stdin)));
        wait(child, self.bound)
    }

    /// Runs it without input.
    pub fn run_now(&mut self) -> Ended {
        let child = self.start(b"");
        wait(child, self.bound)
    }

    /// Starts it and returns when a condition becomes true. Retries if it ends before that.
    pub fn start_until(&mut self, request: &Value, what: impl Fn(&Child) -> bool) -> Child {
        let mut child = self.start(request.to_string().as_bytes());
        while !what(&child) {
            if child.try_wait().unwrap().is_some() {
                child = self.start(request.to_string().as_bytes());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        child
    }

    /// Starts it and returns immediately.
    pub fn start(&mut self, stdin: &[u8]) -> Child {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let stdin = stdin.to_vec();
        std::thread::spawn(move || drop(pipe.write_all(&stdin)));
        child
    }
}

/// The result of a run.
#[derive(Debug, Default)]
pub struct Ended {
    pub status: Option<ExitStatus>,
    pub stdout: Vec<u8>,
    pub stderr: String,
    pub hung: bool,
}

impl Ended {
    pub fn code(&self) -> Option<i32> {
        self.status?.code()
    }

    pub fn signal(&self) -> Option<i32> {
        self.status?.signal()
    }
}

/// Waits until a process ends and closes its output; kills it after the time limit.
pub fn wait(mut child: Child, bound: Duration) -> Ended {
    fn all(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut pipe) = pipe {
                let _ = pipe.read_to_end(&mut bytes);
            }
            bytes
        })
    }
    let (stdout, stderr) = (all(child.stdout.take()), all(child.stderr.take()));
    let patience = Instant::now() + bound;
    let mut pause = Duration::from_millis(1);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if Instant::now() > patience {
            // The whole session: other processes may hold the pipes.
            let _ = child.kill();
            let _ = child.wait();
            break None;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    };
    // Leftover processes may hold the pipes open.
    let read = |reader: std::thread::JoinHandle<Vec<u8>>| {
        let patience = Instant::now() + Duration::from_secs(60);
        while !reader.is_finished() && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(1));
        }
        if reader.is_finished() { (reader.join().unwrap(), false) } else { (Vec::new(), true) }
    };
    let ((stdout, held), (stderr, also_held)) = (read(stdout), read(stderr));
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    Ended { status, stdout, stderr, hung: status.is_none() || held || also_held }
}

impl Row {
    /// Checks the end of a run: whether it ended, and what it left.
    pub fn ended(&mut self, workspace: &Workspace, ended: &Ended) {
        self.times += 1;
        if ended.hung {
            self.hangs.push(format!("{ended:?}").chars().take(500).collect());
        }
        self.left.extend(workspace.left());
    }
}
