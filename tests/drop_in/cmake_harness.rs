//! Configures a project with CMake and keeps all results for comparison. Both runs of a pair use
//! the same directory, so that no paths differ.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

use regex_lite::Regex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::support::venv;
use crate::support::*;

/// Increment this when more results are kept or projects are configured differently.
const FORMAT: u32 = 3;

/// The source of a project or test suite downloaded by tests/fetch.
pub fn fetched(name: &str) -> PathBuf {
    let path = root().join("target/projects").join(name);
    assert!(path.exists(), "{} is missing; tests/fetch brings it", path.display());
    path
}

/// A PATH that starts with the Ninja of tests/install.
pub fn path_with_ninja() -> String {
    let rest = std::env::var("PATH").unwrap();
    format!("{}:{rest}", venv("ninja").parent().unwrap().display())
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

/// All results of configuring. The copy on disk is unmodified; it is normalized for comparison.
#[derive(Serialize, Deserialize)]
pub struct Configured {
    /// The exit status, or `None` if a signal ended it.
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// All files of the build tree, except those that [`is_of_no_interest`] selects.
    pub files: BTreeMap<String, String>,
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
        // Remains of a killed run.
        let _ = std::fs::remove_dir_all(&build);
        std::fs::create_dir_all(&build).unwrap();
        let output = Command::new(self.cmake)
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
            .envs(&listed().environment)
            .output()
            .unwrap();
        let mut files = BTreeMap::new();
        collect(&build, &build, &mut files);
        std::fs::remove_dir_all(&build).unwrap();
        Configured {
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            files,
        }
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

/// Files that describe the run and not its results: logs, which contain commands and times; scratch
/// directories; the compiler's own probes, which end before a project can include anything; and the
/// list of files that CMake read. Projects in the build tree have them, too.
fn is_of_no_interest(path: &str) -> bool {
    let mut directory = "";
    path.split('/').any(|name| {
        let before = std::mem::replace(&mut directory, name);
        let log = ["CMakeConfigureLog.yaml", "CMakeOutput.log", "CMakeError.log"].contains(&name);
        let scratch = ["CMakeScratch", "CMakeTmp", "Makefile.cmake", "tryall"].contains(&name);
        let probes = name.starts_with(|letter: char| letter.is_ascii_digit());
        name.starts_with(".ninja_") || before == "CMakeFiles" && (log || scratch || probes)
    })
}

/// Files that must exist but may differ: results of a whole build in the build tree, which CMake's
/// `FortranCInterface` starts. Objects for link-time optimization contain random names, and lines
/// of the build log are ordered by the end of its commands.
fn is_made_by_a_build(path: &str) -> bool {
    path.contains("CMakeFiles/FortranCInterface/")
        && [".o", ".a", "/output.txt"].iter().any(|end| path.ends_with(end))
}

fn collect(build: &Path, directory: &Path, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(build).unwrap().to_str().unwrap().to_owned();
        if is_of_no_interest(&name) {
        } else if path.is_symlink() {
            files.insert(name, format!("-> {}", std::fs::read_link(&path).unwrap().display()));
        } else if path.is_dir() {
            collect(build, &path, files);
        } else if is_made_by_a_build(&name) {
            files.insert(name, String::new());
        } else {
            let bytes = std::fs::read(&path).unwrap();
            let text = std::str::from_utf8(&bytes).ok().filter(|text| !text.contains('\0'));
            files.insert(name, text.map_or_else(|| of_a_program(&bytes), Into::into));
        }
    }
}

/// Replaces binary files by the strings that CMake reads from them, or by a hash. CheckTypeSize
/// leaves programs, which contain the name of their source, or only the data of one.
fn of_a_program(bytes: &[u8]) -> String {
    let information = Regex::new(r"INFO:[ -~]+").unwrap();
    let text = String::from_utf8_lossy(bytes);
    let found: Vec<_> = information.find_iter(&text).map(|found| found.as_str()).collect();
    if found.is_empty() {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        return format!("not text: {:016x}", hasher.finish());
    }
    found.join("\n")
}

/// The place of a difference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The exit status.
    Status,
    /// An entry of CMakeCache.txt.
    Cache,
    /// A file of the build tree.
    File,
    /// A line on standard output.
    Stdout,
    /// A line on standard error.
    Stderr,
}

/// A difference between two runs.
#[derive(PartialEq, Eq, Debug)]
pub struct Difference {
    pub place: Place,
    /// The entry, the file, or the line.
    pub name: String,
    pub detail: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:?} {}: {}", self.place, self.name, self.detail)
    }
}

/// All differences.
pub fn differences(stock: &Configured, ours: &Configured) -> Vec<Difference> {
    let mut all = Vec::new();
    let mut compare = |place, stock: BTreeMap<String, String>, ours: BTreeMap<String, String>| {
        let names = stock.keys().chain(ours.keys().filter(|name| !stock.contains_key(*name)));
        for name in names {
            let detail = match (stock.get(name), ours.get(name)) {
                (Some(stock), Some(ours)) if stock == ours => continue,
                (Some(stock), Some(ours)) => first_difference(stock, ours),
                (Some(stock), None) => format!("only stock: {}", start(stock)),
                (None, ours) => format!("only ours: {}", start(ours.unwrap())),
            };
            all.push(Difference { place, name: name.clone(), detail });
        }
    };
    let status =
        |configured: &Configured| [(String::new(), format!("{:?}", configured.status))].into();
    compare(Place::Status, status(stock), status(ours));
    compare(Place::Cache, cache(&stock.files), cache(&ours.files));
    compare(Place::File, files(&stock.files), files(&ours.files));
    compare(Place::Stdout, lines(&stock.stdout), lines(&ours.stdout));
    compare(Place::Stderr, lines(&stock.stderr), lines(&ours.stderr));
    all
}

fn start(text: &str) -> String {
    text.chars().take(300).collect()
}

fn first_difference(stock: &str, ours: &str) -> String {
    let mut pairs = stock.lines().zip(ours.lines());
    match pairs.find(|(stock, ours)| stock != ours) {
        Some((stock, ours)) => format!("stock {:?}, ours {:?}", start(stock), start(ours)),
        None => format!("stock has {} bytes, ours {}", stock.len(), ours.len()),
    }
}

/// The cache entries by name, with type, value and help.
fn cache(files: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::new();
    let mut help = String::new();
    for line in files.get("CMakeCache.txt").map_or("", String::as_str).lines() {
        if let Some(text) = line.strip_prefix("//") {
            help = help + text + "\n";
        } else if line.starts_with('#') || line.is_empty() {
            help.clear();
        } else {
            // A name that contains a colon is quoted.
            let end = match line.strip_prefix('"') {
                Some(rest) => rest.find('"').unwrap() + 2,
                None => line.find(':').unwrap(),
            };
            let (name, rest) = line.split_at(end);
            if !name.starts_with("TRYALL_") && name != "CMAKE_PROJECT_INCLUDE" {
                let entry = format!("{rest}\n{}", std::mem::take(&mut help));
                assert_eq!(entries.insert(name.to_owned(), entry), None, "{name} is there twice");
            }
            help.clear();
        }
    }
    entries
}

/// The files to compare, without the names of files that CMake has read.
fn files(files: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut files = files.clone();
    files.remove("CMakeCache.txt");
    if let Some(ninja) = files.get_mut("build.ninja") {
        let mut missing = false;
        let kept = ninja.lines().filter(|line| {
            let reads = line.contains(": RERUN_CMAKE |") || missing && line.ends_with(": phony");
            missing = !reads && (missing || line.starts_with("# A missing CMake input file"));
            !reads
        });
        *ninja = kept.collect::<Vec<_>>().join("\n");
    }
    // CMake orders the dependencies of a target by address.
    for (name, text) in &mut files {
        if name.ends_with("CMakeFiles/Makefile2") {
            let mut lines: Vec<_> = text.lines().collect();
            lines.sort_unstable();
            *text = lines.join("\n");
        }
    }
    files
}

/// The count of each output line, without times and tryall's own lines.
fn lines(text: &str) -> BTreeMap<String, String> {
    let mut counts = BTreeMap::<&str, u32>::new();
    for line in text.lines().filter(|line| !line.starts_with("-- tryall: ")) {
        let timed = ["-- Configuring done", "-- Generating done"];
        let line = timed.into_iter().find(|start| line.starts_with(start)).unwrap_or(line);
        *counts.entry(line).or_default() += 1;
    }
    counts.into_iter().map(|(line, count)| (line.into(), format!("{count} times"))).collect()
}
