//! What configuring a project leaves behind, and the only rule of what must be equal: the exit
//! status, every cache entry, every file of the build tree and every message.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Seek};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use regex_lite::Regex;
use serde::{Deserialize, Serialize};

/// Increment this when more results are kept or projects are configured differently.
pub const FORMAT: u32 = 4;

/// All results of configuring. The copy on disk is unmodified; it is normalized for comparison.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct Configured {
    /// The exit status, or `None` if a signal ended it.
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// All files of the build tree, except those that [`is_of_no_interest`] selects.
    pub files: BTreeMap<String, String>,
    /// How often CMake's log mentions a `try_compile` or `try_run`.
    pub checks: usize,
    pub seconds: f64,
}

impl Configured {
    /// Runs a command that configures into an empty directory, which is removed at the end.
    pub fn by(command: &mut Command, build: &Path) -> Configured {
        // Remains of a killed run.
        let _ = fs::remove_dir_all(build);
        fs::create_dir_all(build).unwrap();
        let configured = Configured::of(command, build);
        // A process that outlives the command may still write.
        let _ = fs::remove_dir_all(build);
        configured
    }

    /// Runs a command that configures into a directory, which stays.
    pub fn of(command: &mut Command, build: &Path) -> Configured {
        // Not pipes, whose end a process that outlives the command would keep open.
        let mut said = [tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap()];
        let [stdout, stderr] = said.each_ref().map(|file| file.try_clone().unwrap());
        let started = Instant::now();
        let status =
            command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).status().unwrap().code();
        let seconds = started.elapsed().as_secs_f64();
        let [stdout, stderr] = said.each_mut().map(|file| {
            let mut bytes = Vec::new();
            file.rewind().unwrap();
            file.read_to_end(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let mut files = BTreeMap::new();
        if build.is_dir() {
            collect(build, build, &mut files);
        }
        let log = fs::read(build.join("CMakeFiles/CMakeConfigureLog.yaml")).unwrap_or_default();
        let checks = String::from_utf8_lossy(&log)
            .lines()
            .filter(|line| line.starts_with("    kind: \"try_"))
            .count();
        Configured { status, stdout, stderr, files, checks, seconds }
    }
}

/// Files that describe the run and not its results: logs, which contain commands and times; scratch
/// directories; and the list of files that CMake read. Projects in the build tree have them, too.
fn is_of_no_interest(path: &str) -> bool {
    let mut directory = "";
    path.split('/').any(|name| {
        let before = std::mem::replace(&mut directory, name);
        let log = ["CMakeConfigureLog.yaml", "CMakeOutput.log", "CMakeError.log"].contains(&name);
        let scratch = ["CMakeScratch", "CMakeTmp", "Makefile.cmake"].contains(&name);
        // A session goes soon after CMake.
        let own = name == "tryall" || name.starts_with("tryall-");
        name.starts_with(".ninja_") || before == "CMakeFiles" && (log || scratch || own)
    })
}

/// Files that must exist but may differ: results of a whole build in the build tree, which CMake's
/// `FortranCInterface` and `CheckIPOSupported` start. Objects for link-time optimization contain random
/// names, and lines of the build log are ordered by the end of its commands.
fn is_made_by_a_build(path: &str) -> bool {
    let is_of_build = |dir| path.contains(dir);
    ["CMakeFiles/FortranCInterface/", "CMakeFiles/_CMakeLTOTest-"].into_iter().any(is_of_build)
        && [".o", ".a", "/output.txt"].iter().any(|end| path.ends_with(end))
}

fn collect(build: &Path, directory: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(build).unwrap().to_string_lossy().into_owned();
        if is_of_no_interest(&name) {
        } else if path.is_symlink() {
            files.insert(name, format!("-> {}", fs::read_link(&path).unwrap().display()));
        } else if path.is_dir() {
            collect(build, &path, files);
        } else if is_made_by_a_build(&name) {
            files.insert(name, String::new());
        } else {
            files.insert(name, content(&path));
        }
    }
}

/// The content of a file, as far as it is compared.
pub fn content(path: &Path) -> String {
    if !path.is_file() {
        return "not a file".into();
    }
    let bytes = fs::read(path).unwrap();
    let text = std::str::from_utf8(&bytes).ok().filter(|text| !text.contains('\0'));
    text.map_or_else(|| of_a_program(&bytes), Into::into)
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
#[derive(Clone, PartialEq, Eq, Debug)]
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
pub fn cache(files: &BTreeMap<String, String>) -> BTreeMap<String, String> {
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
            if !name.starts_with("TRYALL_") && !HOOKS.contains(&name) {
                let entry = format!("{rest}\n{}", std::mem::take(&mut help));
                assert_eq!(entries.insert(name.to_owned(), entry), None, "{name} is there twice");
            }
            help.clear();
        }
    }
    entries
}

/// Cache entries in which the drop-in stands.
const HOOKS: [&str; 2] = ["CMAKE_PROJECT_INCLUDE", "CMAKE_PROJECT_INCLUDE_BEFORE"];

/// The files to compare, without the names of files that CMake has read.
fn files(files: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut files = files.clone();
    files.remove("CMakeCache.txt");
    for name in ["build.ninja", "CMakeFiles/common.ninja"] {
        let Some(ninja) = files.get_mut(name) else { continue };
        let mut missing = false;
        let kept = ninja.lines().filter(|line| {
            let reads = line.contains(": RERUN_CMAKE ") || missing && line.ends_with(": phony");
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

/// The first line on standard output or standard error that is not where it was, if all lines are
/// there.
pub fn differences_in_order(stock: &Configured, ours: &Configured) -> Vec<Difference> {
    let pairs = [
        (Place::Stdout, &stock.stdout, &ours.stdout),
        (Place::Stderr, &stock.stderr, &ours.stderr),
    ];
    let same = pairs.into_iter().filter(|(_, stock, ours)| lines(stock) == lines(ours));
    let moved = same.filter_map(|(place, stock, ours)| {
        let mut pairs = std::iter::zip(messages(stock), messages(ours));
        let (stock, ours) = pairs.find(|(stock, ours)| stock != ours)?;
        let detail = format!("stock {:?}, ours {:?}", start(stock), start(ours));
        Some(Difference { place, name: "(order)".into(), detail })
    });
    moved.collect()
}

/// The lines of the output without times and without tryall's own lines.
fn messages(text: &str) -> impl Iterator<Item = &str> {
    let timed = ["-- Configuring done", "-- Generating done"];
    // `tryall cmake` adds such a file to the command line.
    let is_own = |line: &str| {
        line.starts_with("-- tryall: ")
            || line.starts_with("-- tryall is not installed")
            || line.starts_with("loading initial cache file ") && line.contains("/tryall/")
    };
    text.lines()
        .filter(move |line| !is_own(line))
        .map(move |line| timed.into_iter().find(|start| line.starts_with(start)).unwrap_or(line))
}

/// The count of each output line.
fn lines(text: &str) -> BTreeMap<String, String> {
    let mut counts = BTreeMap::<&str, u32>::new();
    for line in messages(text) {
        *counts.entry(line).or_default() += 1;
    }
    counts.into_iter().map(|(line, count)| (line.into(), format!("{count} times"))).collect()
}
