//! Configures a project with CMake and keeps all results for comparison. Both runs of a pair use
//! the same directory, so that no paths differ.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[path = "../support/configured.rs"]
mod configured;

pub use configured::*;

use crate::support::venv;
use crate::support::*;

/// The source of a project or test suite downloaded by tests/fetch.
pub fn fetched(name: &str) -> PathBuf {
    let path = root().join("target/projects").join(name);
    assert!(path.exists(), "{} is missing; tests/fetch brings it", path.display());
    path
}

/// A PATH that starts with the Ninja of tests/install. No directory is in it twice: rustup adds its
/// own again each time, and what is kept depends on PATH.
pub fn path_with_ninja() -> String {
    let path = std::env::var_os("PATH").unwrap();
    let mut directories = vec![venv("ninja").parent().unwrap().to_owned()];
    for directory in std::env::split_paths(&path) {
        if !directories.contains(&directory) {
            directories.push(directory);
        }
    }
    std::env::join_paths(directories).unwrap().into_string().unwrap()
}

/// The contents of tests/projects.json.
#[derive(Deserialize)]
pub struct Listed {
    /// CMake 4 rejects some of these projects as too old unless given this option.
    pub environment: BTreeMap<String, String>,
    /// The options of each project: as many checks as possible, but nothing from the network,
    /// nothing that is not installed, and nothing that is missing in its archive.
    pub projects: BTreeMap<String, Vec<String>>,
}

pub fn listed() -> &'static Listed {
    static LISTED: OnceLock<Listed> = OnceLock::new();
    LISTED.get_or_init(|| serde_json::from_str(&read("tests/projects.json")).unwrap())
}

/// How a project is configured.
pub struct Setup<'a> {
    /// The project: a name for files, and the directory of its sources.
    pub name: &'a str,
    pub source: &'a Path,
    pub options: &'a [String],
    pub cmake: &'a Path,
    pub generator: &'a str,
}

impl Setup<'_> {
    /// Configures with CMake alone.
    pub fn alone(&self) -> Configured {
        self.configure(&[])
    }

    /// Configures with CMake alone, which must succeed.
    pub fn stock(&self) -> Configured {
        kept(&self.key(), || {
            let configured = self.alone();
            assert_eq!(configured.status, Some(0), "{}: {}", self.name, configured.stderr);
            configured
        })
    }

    /// Configures with a file that every `project()` includes at its end.
    pub fn injected(&self, file: &Path) -> Configured {
        self.configure(&[
            format!("-DCMAKE_PROJECT_INCLUDE={}", file.display()),
            format!("-DTRYALL_EXECUTABLE={TRYALL}"),
        ])
    }

    fn configure(&self, injection: &[String]) -> Configured {
        let build = self.build();
        let mut command = Command::new(self.cmake);
        command
            .args(["-G", self.generator, "-S"])
            .arg(self.source)
            .arg("-B")
            .arg(&build)
            .args(self.options)
            .args(injection)
            // HDF5's checks run a program that writes to CMake's working directory.
            .current_dir(&build)
            .env_clear()
            .env("PATH", path_with_ninja())
            .env("HOME", std::env::var_os("HOME").unwrap_or_default())
            .envs(&listed().environment);
        Configured::by(&mut command, &build)
    }

    /// The directory of both runs of a pair, and of no others.
    fn build(&self) -> PathBuf {
        root().join("target/projects/build").join(self.key())
    }

    /// Identifies everything that a stock result depends on.
    fn key(&self) -> String {
        key(self.name, self.cmake, self.generator, (self.source, self.options))
    }
}

/// Results of CMake alone are computed once and kept under target/projects/stock, because they
/// change only with the machine.
pub fn kept<T: Serialize + DeserializeOwned>(key: &str, make: impl FnOnce() -> T) -> T {
    let kept = root().join("target/projects/stock").join(format!("{key}.json"));
    if let Ok(text) = std::fs::read_to_string(&kept) {
        return serde_json::from_str(&text).unwrap();
    }
    let made = make();
    let directory = kept.parent().unwrap();
    std::fs::create_dir_all(directory).unwrap();
    let mut new = tempfile::NamedTempFile::new_in(directory).unwrap();
    serde_json::to_writer(&mut new, &made).unwrap();
    new.persist(&kept).unwrap();
    made
}

/// Identifies a project with a CMake and a generator, and everything on this machine that the
/// results depend on.
pub fn key(name: &str, cmake: &Path, generator: &str, more: impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    let said = version(cmake);
    (FORMAT, root(), more, cmake, &said).hash(&mut hasher);
    listed().environment.hash(&mut hasher);
    for tool in ["ninja", "make", "gcc", "g++", "gfortran"] {
        let found = which::which_in(tool, Some(path_with_ninja()), root()).ok();
        found.map(|path| version(&path)).hash(&mut hasher);
    }
    path_with_ninja().hash(&mut hasher);
    packages().hash(&mut hasher);
    let number = said.split_whitespace().nth(2).unwrap_or_default();
    let generator = generator.replace(' ', "");
    format!("{name}-{number}-{generator}-{:016x}", hasher.finish())
}

/// The time of the last package installation, which may change libraries and headers. Read once,
/// because both runs of a pair need the same name.
fn packages() -> Option<SystemTime> {
    static INSTALLED: OnceLock<Option<SystemTime>> = OnceLock::new();
    let changed = || std::fs::metadata("/var/lib/dpkg/status").ok()?.modified().ok();
    *INSTALLED.get_or_init(changed)
}

/// The first line of a program's version.
fn version(program: &Path) -> String {
    static KNOWN: OnceLock<std::sync::Mutex<HashMap<PathBuf, String>>> = OnceLock::new();
    let mut known = KNOWN.get_or_init(Default::default).lock().unwrap();
    let ask = || {
        let output = Command::new(program).arg("--version").output().unwrap();
        String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned()
    };
    known.entry(program.into()).or_insert_with(ask).clone()
}
