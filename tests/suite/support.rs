//! Helpers to run the real program.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use nix::sys::signal::{SigHandler, Signal};
use serde_json::{Value, json};

pub const TRYALL: &str = env!("CARGO_BIN_EXE_tryall");

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The fake compiler, which misbehaves on request.
pub fn fakecc() -> String {
    // Cargo builds examples next to the tests, but provides no variable with their path.
    let beside = Path::new(TRYALL).parent().unwrap().join("examples/fakecc");
    assert!(beside.exists(), "{} is not built; cargo build --examples does it", beside.display());
    beside.to_str().unwrap().into()
}

/// A compiler that the tests need. A missing compiler is a failure, because a skipped test would
/// look like a passing one.
pub fn need(program: &str) -> String {
    let found = which::which(program);
    assert!(found.is_ok(), "{program} is missing; run tests/install");
    program.into()
}

/// The directory of CMake, Meson and Ninja: the versions of tests/tools.lock, or the newest ones
/// for tests/newest.
pub fn tools() -> PathBuf {
    root().join(std::env::var_os("TRYALL_TOOLS").unwrap_or("target/venv/bin".into()))
}

/// The path of one of these tools.
pub fn venv(program: &str) -> PathBuf {
    let path = tools().join(program);
    assert!(path.exists(), "{} is missing; run tests/install", path.display());
    path
}

/// A finished run of `tryall`.
#[derive(Debug)]
pub struct Ran {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| panic!("ended by a signal: {self:?}"))
    }

    /// Standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The result with an id.
    pub fn result(&self, id: &str) -> Value {
        let results = self.json()["results"].as_array().cloned().unwrap_or_default();
        results.into_iter().find(|r| r["id"] == id).unwrap_or_else(|| panic!("no {id} in {self:?}"))
    }

    /// The status of the result with an id.
    pub fn answer(&self, id: &str) -> String {
        self.result(id)["status"].as_str().unwrap().into()
    }

    /// The error of a refused request.
    pub fn refusal(&self) -> Value {
        assert_eq!(self.code(), 2, "{self:?}");
        let complaint = self.json();
        assert_eq!(complaint["version"], 1);
        assert!(self.stderr.starts_with("tryall: "), "people are told too: {self:?}");
        complaint["error"].clone()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Ran {
            status: output.status,
            stdout: String::from_utf8(output.stdout).expect("results are UTF-8"),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A call of `tryall` without the caller's flags, and with a temporary directory that reveals
/// leftovers.
pub struct Call {
    pub command: Command,
    pub temp: tempfile::TempDir,
}

impl Call {
    pub fn new(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let mut command = Command::new(TRYALL);
        command.args(args).env("TMPDIR", temp.path()).current_dir(root());
        for name in [
            "MAKEFLAGS",
            "MFLAGS",
            "CARGO_MAKEFLAGS",
            "CC",
            "CXX",
            "FC",
            "OBJC",
            "CFLAGS",
            "CXXFLAGS",
            "FFLAGS",
            "FCFLAGS",
            "CPPFLAGS",
            "LDFLAGS",
        ] {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A test run in the background may ignore these.
        let by_default = || {
            for signal in [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGHUP, Signal::SIGTERM] {
                // SAFETY: the default action runs no code of this program.
                unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl)? };
            }
            Ok(())
        };
        // SAFETY: it calls only functions that are allowed between fork and exec.
        unsafe { command.pre_exec(by_default) };
        Call { command, temp }
    }

    /// `tryall check` of a request.
    pub fn check(request: &Value) -> (Self, Vec<u8>) {
        (Call::new(["check", "-"]), request.to_string().into_bytes())
    }

    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub fn args(mut self, args: &[&str]) -> Self {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Starts it with this standard input.
    pub fn start(&mut self, stdin: &[u8]) -> Child {
        let mut child = self.command.stdin(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let stdin = stdin.to_vec();
        // A program that fails early does not read all of it.
        std::thread::spawn(move || drop(pipe.write_all(&stdin)));
        child
    }

    /// Runs it to its end and asserts that nothing is left behind.
    pub fn run_with(mut self, stdin: &[u8]) -> Ran {
        let ran = Ran::from(self.start(stdin).wait_with_output().unwrap());
        self.assert_clean();
        ran
    }

    pub fn run(self) -> Ran {
        self.run_with(b"")
    }

    /// Asserts that nothing is left in the temporary directory.
    pub fn assert_clean(&self) {
        let left = self.left();
        assert!(left.is_empty(), "left behind: {left:?}");
    }

    /// What is in the temporary directory.
    pub fn left(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.temp.path()).unwrap().map(|e| e.unwrap().path()).collect()
    }
}

/// Runs a request.
pub fn check(request: &Value) -> Ran {
    let (call, stdin) = Call::check(request);
    call.run_with(&stdin)
}

/// The same without sharing, and one after another with one job.
pub fn check_apart(request: &Value) -> Ran {
    let (call, stdin) = Call::check(request);
    call.arg("--no-fuse").run_with(&stdin)
}

/// A time limit, in seconds, for dozens of compiles on a busy machine.
pub const PATIENCE: u32 = 900;

/// Runs checks with one compiler for a language.
pub fn check_with(language: &str, command: &[&str], checks: Value) -> Ran {
    check(
        &json!({"timeout": PATIENCE, "toolchains": {language: {"language": language, "command": command}}, "checks": checks}),
    )
}

/// Runs C checks with the fake compiler; each check's `args` control it.
pub fn fake(checks: Value) -> Ran {
    check(&json!({"toolchains": {"c": {"command": [fakecc()]}}, "checks": checks}))
}

/// Reads a file of the repository.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Writes a file in a directory.
pub fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// Runs a batch under a resource limit set by a shell.
pub fn limited(limit: &str, request: &Value) -> Ran {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "request.json", &request.to_string());
    let script = format!("ulimit -c 0; ulimit {limit} || exit 99; exec '{TRYALL}' check \"$1\"");
    let mut command = Command::new("bash");
    command.args(["-c", &script, "bash"]).arg(file).env("TMPDIR", dir.path());
    Ran::from(command.stdin(Stdio::null()).output().unwrap())
}
