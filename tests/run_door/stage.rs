//! Runs a script with the compilers alone and under `tryall run`, and shows what it leaves.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A store, and a directory in which scripts run.
pub struct Stage {
    pub dir: tempfile::TempDir,
}

/// What a script leaves: the mode and the contents of each file.
pub type Files = BTreeMap<String, (u32, Vec<u8>)>;

/// How a script ended under tryall.
#[derive(Debug)]
pub struct Ended {
    pub output: Output,
    /// The numbers of the last line.
    pub stored: usize,
    pub asked: usize,
    pub passed: usize,
    pub summary: String,
}

impl Stage {
    pub fn new() -> Stage {
        let dir = tempfile::tempdir().unwrap();
        for name in ["store", "tmp", "work"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        fs::set_permissions(dir.path().join("store"), fs::Permissions::from_mode(0o700)).unwrap();
        Stage { dir }
    }

    pub fn store(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    /// A directory for scripts, empty.
    pub fn work(&self, name: &str) -> PathBuf {
        let work = self.dir.path().join("work").join(name);
        let _ = fs::remove_dir_all(&work);
        fs::create_dir_all(&work).unwrap();
        work
    }

    /// A command in a plain environment.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>, work: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(work).env_clear().env("PATH", path());
        command.env("TRYALL_STORE", self.store()).env("TMPDIR", self.dir.path().join("tmp"));
        command.env("HOME", self.dir.path()).env("PWD", work).env("LC_ALL", "C");
        command
    }

    /// Runs a shell script with the compilers alone.
    pub fn alone(&self, script: &str, work: &Path) -> Output {
        self.command("sh", work).args(["-c", script]).output().unwrap()
    }

    /// The command `tryall run`, with options.
    pub fn tryall(&self, options: &[&str], work: &Path) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_tryall"), work);
        command.arg("run").args(options).arg("--");
        command
    }

    /// Runs a shell script under tryall.
    pub fn run(&self, script: &str, work: &Path) -> Ended {
        ended(self.tryall(&[], work).args(["sh", "-c", script]).output().unwrap())
    }

    /// Nothing is left in the directory for temporary files.
    pub fn assert_clean(&self) {
        let left = fs::read_dir(self.dir.path().join("tmp")).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// The system's programs, and those that the tests have installed.
pub fn path() -> String {
    let tools = crate::support::root().join("target/venv/bin");
    format!("{}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", tools.display())
}

/// Reads the summary.
pub fn ended(output: Output) -> Ended {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = text.lines().rfind(|line| line.starts_with("tryall: ") && line.contains(" call"));
    let summary = line.unwrap_or_default().to_owned();
    let number = |what: &str| {
        let words: Vec<_> =
            summary.split([' ', ',', ';', ':']).filter(|it| !it.is_empty()).collect();
        let at = words.iter().position(|word| *word == what);
        at.map_or(0, |at| words[at - 1].parse().unwrap())
    };
    Ended {
        stored: number("stored"),
        asked: number("asked"),
        passed: number("passed"),
        summary: summary.clone(),
        output,
    }
}

/// All files in a directory, with the names of temporary files replaced in texts.
pub fn files(dir: &Path) -> Files {
    let mut files = Files::new();
    collect(dir, dir, &mut files);
    files
}

fn collect(top: &Path, dir: &Path, files: &mut Files) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let found = fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(top).unwrap().to_str().unwrap().to_owned();
        if found.is_dir() {
            collect(top, &path, files);
        } else if found.is_symlink() {
            let target = fs::read_link(&path).unwrap();
            files.insert(name, (0, target.to_str().unwrap().as_bytes().to_vec()));
        } else {
            let contents = without_temporary(fs::read(&path).unwrap());
            files.insert(name, (found.permissions().mode(), contents));
        }
    }
}

/// A text without the parts of names that are new in each run. Other files are as they are.
pub fn without_temporary(bytes: Vec<u8>) -> Vec<u8> {
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return error.into_bytes(),
    };
    let names = regex_lite::Regex::new(r"/cc[A-Za-z0-9]{6}\b|-[0-9a-f]{6}\.(o|s)\b").unwrap();
    names.replace_all(&text, "/TEMPORARY").into_owned().into_bytes()
}

/// Asserts that two sets of files are equal, and names the first that is not.
pub fn assert_same(one: &Files, two: &Files, what: &str) {
    let names: std::collections::BTreeSet<_> = one.keys().chain(two.keys()).collect();
    for name in names {
        let (one, two) = (one.get(name), two.get(name));
        if one == two {
            continue;
        }
        let (Some(one), Some(two)) = (one, two) else {
            panic!("{what}: {name} is there only once: {} {}", one.is_some(), two.is_some());
        };
        assert_eq!(format!("{:o}", one.0), format!("{:o}", two.0), "{what}: mode of {name}");
        let texts = [&one.1, &two.1].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let mut lines = texts[0].lines().zip(texts[1].lines());
        let differing = lines.find(|(one, two)| one != two);
        panic!("{what}: {name}: {} and {} bytes; {differing:#?}", one.1.len(), two.1.len());
    }
}
