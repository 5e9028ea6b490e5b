//! The harness of the tests in dropin_*.rs: configures a project with and without the drop-in in
//! the same directories. Both runs must produce the same cache and output.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::*;

/// Both CMakes and both generators, each once; tests/projects runs all combinations.
pub fn cmakes() -> Vec<(PathBuf, &'static str)> {
    let mut all = two_cmakes();
    if std::env::var_os("TRYALL_EVERY_SETUP").is_some() {
        all.extend([("/usr/bin/cmake".into(), "Ninja"), (venv("cmake"), "Unix Makefiles")]);
    }
    all
}

/// The same, where the generator does not matter.
pub fn two_cmakes() -> Vec<(PathBuf, &'static str)> {
    vec![("/usr/bin/cmake".into(), "Unix Makefiles"), (venv("cmake"), "Ninja")]
}

/// The results of a configure step.
#[derive(Debug, Clone)]
pub struct Configured {
    pub succeeded: bool,
    pub text: String,
    /// The cache: type and value, with the help text.
    pub cache: BTreeMap<String, String>,
}

impl Configured {
    /// The value of a cache entry.
    pub fn value(&self, name: &str) -> &str {
        let entry = self.cache.get(name).unwrap_or_else(|| panic!("no {name}: {}", self.text));
        entry.split_once('=').unwrap().1
    }

    /// The number of checks answered by tryall.
    pub fn by_tryall(&self) -> u32 {
        let line = self.text.lines().find_map(|line| line.strip_prefix("-- tryall: "));
        line.and_then(|line| line.split(' ').next()?.parse().ok()).unwrap_or_default()
    }

    /// The number of checks answered by stock CMake.
    pub fn by_cmake(&self) -> u32 {
        let line = self.text.lines().find(|line| line.starts_with("-- tryall: ")).unwrap_or("");
        let count =
            line.split_once(" by CMake itself").and_then(|(start, _)| start.rsplit_once(' '));
        count.unwrap_or_else(|| panic!("no summary in {}", self.text)).1.parse().unwrap()
    }

    /// The output without expected differences, and sorted, because deferred checks print their
    /// lines later.
    fn said(&self) -> Vec<String> {
        let is_same = |line: &&str| {
            !line.starts_with("-- tryall: ")
                && !line.starts_with("-- Configuring done")
                && !line.starts_with("-- Generating done")
        };
        // Stack frames of messages include frames of the drop-in.
        let is_frame = |line: &str| {
            line.starts_with("Call Stack")
                || (line.starts_with("  ") && line.ends_with(')') && line.contains(" ("))
        };
        let unplaced = |line: &str| match line.split_once(" at ") {
            Some((start, _)) if line.starts_with("CMake ") => start.to_owned(),
            // CMake invents the names of its try_compile projects.
            _ => ["cmTC_", "TryCompile-"].iter().fold(line.to_owned(), |line, name| {
                match line.split_once(name) {
                    Some((before, rest)) => format!(
                        "{before}{}",
                        rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric())
                    ),
                    None => line,
                }
            }),
        };
        let lines = self.text.lines().filter(is_same).filter(|line| !is_frame(line));
        let mut lines: Vec<_> = lines.map(unplaced).filter(|line| !line.is_empty()).collect();
        lines.sort();
        lines
    }

    /// Asserts that both are equal, except for the drop-in's own variables.
    pub fn assert_same_as(&self, other: &Configured) {
        assert_eq!(self.succeeded, other.succeeded, "{}\n{}", self.text, other.text);
        let (stock, ours) = (self.said(), other.said());
        let only = |these: &[String], those: &[String]| {
            let mut left = those.to_vec();
            let mut result = Vec::new();
            for line in these {
                match left.iter().position(|other| other == line) {
                    Some(at) => drop(left.swap_remove(at)),
                    None => result.push(line.clone()),
                }
            }
            result
        };
        let (lost, new) = (only(&stock, &ours), only(&ours, &stock));
        assert!(
            lost.is_empty() && new.is_empty(),
            "lost {lost:#?}, new {new:#?} in {}",
            other.text
        );
        for (name, entry) in &self.cache {
            assert_eq!(Some(entry), other.cache.get(name), "{name}: {}", other.text);
        }
        for name in other.cache.keys() {
            assert!(self.cache.contains_key(name), "{name} is new: {}", other.text);
        }
    }
}

/// A project.
#[derive(Debug)]
pub struct Project {
    _temp: tempfile::TempDir,
    source: PathBuf,
    build: PathBuf,
}

impl Project {
    /// A project with this code after project() in its CMakeLists.txt.
    pub fn new(languages: &str, lists: &str) -> Self {
        Self::of(&format!(
            "cmake_minimum_required(VERSION 3.16)\nproject(p {languages})\n{ALL_MODULES}\n{lists}\n"
        ))
    }

    /// A project with this CMakeLists.txt.
    pub fn of(lists: &str) -> Self {
        Self::named("source", "build", lists)
    }

    /// A project in directories with these names.
    pub fn named(source: &str, build: &str, lists: &str) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let (source, build) = (temp.path().join(source), temp.path().join(build));
        fs::create_dir_all(&source).unwrap();
        write(&source, "CMakeLists.txt", lists);
        Project { _temp: temp, source, build }
    }

    /// Adds a file.
    pub fn file(self, name: &str, text: &str) -> Self {
        let path = self.source.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub fn source(&self) -> &Path {
        &self.source
    }

    pub fn build(&self) -> &Path {
        &self.build
    }

    /// Configures, possibly again.
    pub fn again(&self, cmake: &(PathBuf, &str), args: &[&str]) -> Configured {
        self.again_with(cmake, args, |_| {})
    }

    /// The same with a modified command.
    pub fn again_with(
        &self,
        (cmake, generator): &(PathBuf, &str),
        args: &[&str],
        change: impl FnOnce(&mut Command),
    ) -> Configured {
        let mut command = Command::new(cmake);
        command.args(["-G", generator]).args(args);
        command.arg("-S").arg(&self.source).arg("-B").arg(&self.build);
        command.env("PATH", path_without_tryall()).env("CC", need("gcc")).env("CXX", need("g++"));
        for name in ["CFLAGS", "CXXFLAGS", "LDFLAGS", "FFLAGS", "MAKEFLAGS", "CARGO_MAKEFLAGS"] {
            command.env_remove(name);
        }
        // Standard error follows standard output, because their relative order is unknown.
        change(&mut command);
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .concat();
        Configured {
            succeeded: output.status.success(),
            text,
            cache: read_cache(&self.build.join("CMakeCache.txt")),
        }
    }

    /// Configures from scratch.
    pub fn configure(&self, cmake: &(PathBuf, &str), args: &[&str]) -> Configured {
        let _ = fs::remove_dir_all(&self.build);
        self.again(cmake, args)
    }

    /// Configures from scratch with the drop-in.
    pub fn drop_in(&self, cmake: &(PathBuf, &str), args: &[&str]) -> Configured {
        let drop_in = drop_in_args();
        let all: Vec<_> = drop_in.iter().map(String::as_str).chain(args.iter().copied()).collect();
        self.configure(cmake, &all)
    }

    /// Configures both ways with one CMake, asserts that the results are equal, and returns both.
    pub fn same_with(&self, cmake: &(PathBuf, &str), args: &[&str]) -> (Configured, Configured) {
        let stock = self.configure(cmake, args);
        let ours = self.drop_in(cmake, args);
        stock.assert_same_as(&ours);
        assert!(!self.build.join("PreLoad.cmake").exists());
        (stock, ours)
    }

    /// Configures both ways with each CMake. Returns the last result with the drop-in.
    pub fn same(&self, args: &[&str]) -> Configured {
        let mut last = None;
        for cmake in cmakes() {
            let (_, ours) = self.same_with(&cmake, args);
            assert!(ours.by_tryall() > 0, "no check went to tryall: {}", ours.text);
            last = Some(ours);
        }
        last.unwrap()
    }
}

/// The arguments that load the drop-in.
pub fn drop_in_args() -> [String; 2] {
    let file = root().join("cmake/TryallDropIn.cmake");
    [format!("-DCMAKE_PROJECT_INCLUDE={}", file.display()), format!("-DTRYALL_EXECUTABLE={TRYALL}")]
}

/// A PATH with Ninja and without tryall.
pub fn path_without_tryall() -> OsString {
    let rest = std::env::var_os("PATH").unwrap();
    let dirs = std::env::split_paths(&rest).filter(|dir| !dir.join("tryall").exists());
    std::env::join_paths(std::iter::once(tools()).chain(dirs)).unwrap()
}

/// The entries created by a project or check, each with its help text.
fn read_cache(file: &Path) -> BTreeMap<String, String> {
    let Ok(text) = fs::read_to_string(file) else { return BTreeMap::new() };
    let mut entries = BTreeMap::new();
    let mut help = String::new();
    for line in text.lines() {
        if let Some(line) = line.strip_prefix("//") {
            help += line;
        } else if let Some((name, value)) = line.split_once(':').filter(|_| !line.starts_with('#'))
        {
            if !name.starts_with("TRYALL_EXECUTABLE") && name != "CMAKE_PROJECT_INCLUDE" {
                let (kind, value) = value.split_once('=').unwrap();
                entries.insert(name.into(), format!("{help} ({kind})={value}"));
            }
            help.clear();
        }
    }
    entries
}

pub const ALL_MODULES: &str = "include(CheckIncludeFile)\ninclude(CheckIncludeFileCXX)\n\
    include(CheckIncludeFiles)\ninclude(CheckSymbolExists)\ninclude(CheckCXXSymbolExists)\n\
    include(CheckFunctionExists)\ninclude(CheckVariableExists)\ninclude(CheckLibraryExists)\n\
    include(CheckPrototypeDefinition)\ninclude(CheckTypeSize)\ninclude(CheckSourceCompiles)\n\
    include(CheckCSourceCompiles)\ninclude(CheckCXXSourceCompiles)\ninclude(CheckSourceRuns)\n\
    include(CheckCSourceRuns)\ninclude(CheckCXXSourceRuns)\ninclude(CheckCompilerFlag)\n\
    include(CheckCCompilerFlag)\ninclude(CheckCXXCompilerFlag)\ninclude(CheckLinkerFlag)\n\
    include(CheckStructHasMember)\ninclude(TestBigEndian)\ninclude(CMakePushCheckState)\n";
