//! The harness of the tests: configures a project with and without the drop-in in the same
//! directories. All runs must end, say and leave the same.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex_lite::Regex;

use crate::configured;
use crate::frames::without_frames;
use crate::processes::comes_true;
use crate::summary::Summary;
use crate::support::*;

/// The CMake and the generator of a test to which neither matters: one of [`two_cmakes`], by the test's
/// name, so that all tests together use both. tests/projects runs each test with all combinations.
pub fn cmakes() -> Vec<(PathBuf, &'static str)> {
    let mut all = two_cmakes();
    if std::env::var_os("TRYALL_EVERY_SETUP").is_some() {
        all.extend([("/usr/bin/cmake".into(), "Ninja"), (venv("cmake"), "Unix Makefiles")]);
        return all;
    }
    let thread = std::thread::current();
    let number: usize = thread.name().unwrap_or_default().bytes().map(usize::from).sum();
    vec![all.swap_remove(number % 2)]
}

/// All CMakes of the tests, from the newest to the oldest.
pub fn all_cmakes() -> [PathBuf; 4] {
    let old = |dir: &str| root().join("target").join(dir).join("bin/cmake");
    [venv("cmake"), "/usr/bin/cmake".into(), old("venv-3.22"), old("venv-old")]
}

/// Two CMakes and both generators, each once, for what depends on them.
pub fn two_cmakes() -> Vec<(PathBuf, &'static str)> {
    vec![("/usr/bin/cmake".into(), "Unix Makefiles"), (venv("cmake"), "Ninja")]
}

/// The results of a configure step.
#[derive(Debug, Clone)]
pub struct Configured {
    pub succeeded: bool,
    /// What it said: standard error follows standard output, because their relative order is unknown.
    pub text: String,
    /// The cache: type, value and help text.
    pub cache: BTreeMap<String, String>,
    /// All of it.
    pub whole: configured::Configured,
}

impl From<configured::Configured> for Configured {
    fn from(mut whole: configured::Configured) -> Self {
        let text = format!("{}{}", whole.stdout, whole.stderr);
        // CMake invents the names of its test projects.
        let invented = Regex::new("(cmTC_|TryCompile-)[0-9A-Za-z]+").unwrap();
        whole.stdout = invented.replace_all(&whole.stdout, "$1").into_owned();
        let stderr = invented.replace_all(&whole.stderr, "$1").into_owned();
        // A test project has more lines if its commands are to be learned.
        let project = r"(/CMakeFiles/(?:CMakeTmp|CMakeScratch/TryCompile-)/CMakeLists\.txt):\d+";
        let stderr = Regex::new(project).unwrap().replace_all(&stderr, "$1").into_owned();
        whole.stderr = without_frames(&stderr.lines().collect::<Vec<_>>());
        let cache = configured::cache(&whole.files);
        Configured { succeeded: whole.status == Some(0), text, cache, whole }
    }
}

impl Configured {
    /// The value of a cache entry.
    pub fn value(&self, name: &str) -> &str {
        let entry = self.cache.get(name).unwrap_or_else(|| panic!("no {name}: {}", self.text));
        entry.split_once('=').unwrap().1.lines().next().unwrap()
    }

    /// The summary line; without one, nothing was answered.
    pub fn summary(&self) -> Summary {
        Summary::of(&self.whole.stdout).unwrap_or_default()
    }

    /// The number of checks answered by tryall.
    pub fn by_tryall(&self) -> u32 {
        self.summary().answered()
    }

    /// The number of checks answered by CMake.
    pub fn by_cmake(&self) -> u32 {
        self.summary().by_cmake
    }

    /// Where they differ: status, cache, files, and messages in their order.
    pub fn differences(&self, other: &Configured) -> Vec<configured::Difference> {
        let mut all = configured::differences(&self.whole, &other.whole);
        all.extend(configured::differences_in_order(&self.whole, &other.whole));
        all
    }

    /// Asserts that both are equal.
    pub fn assert_same_as(&self, other: &Configured) {
        let all: Vec<_> = self.differences(other).iter().map(ToString::to_string).collect();
        assert!(all.is_empty(), "{}\nin {}", all.join("\n"), other.text);
    }
}

/// A project.
#[derive(Debug)]
pub struct Project {
    temp: tempfile::TempDir,
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
        Project { temp, source, build }
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

    /// The store of the runs with tryall.
    pub fn store(&self) -> PathBuf {
        self.temp.path().join("store")
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
        self.run(Command::new(cmake), generator, args, change)
    }

    /// Configures by a command that may be another one than CMake.
    pub fn run(
        &self,
        mut command: Command,
        generator: &str,
        args: &[&str],
        change: impl FnOnce(&mut Command),
    ) -> Configured {
        command.args(["-G", generator]).args(args);
        command.arg("-S").arg(&self.source).arg("-B").arg(&self.build);
        command.env("PATH", path_without_tryall()).env("CC", need("gcc")).env("CXX", need("g++"));
        for name in ["CFLAGS", "CXXFLAGS", "LDFLAGS", "FFLAGS", "MAKEFLAGS", "CARGO_MAKEFLAGS"] {
            command.env_remove(name);
        }
        // Programs run in the directory of CMake.
        command.env("TRYALL_STORE", self.store()).current_dir(self.temp.path());
        change(&mut command);
        configured::Configured::of(&mut command, &self.build).into()
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

    /// Configures with CMake alone, with an empty store, and in a fresh directory with the store as
    /// it then is. Asserts that the results are equal, and returns all three.
    pub fn thrice(&self, cmake: &(PathBuf, &str), args: &[&str]) -> [Configured; 3] {
        self.thrice_with(cmake, args, |_| {})
    }

    /// The same with a modified command.
    pub fn thrice_with(
        &self,
        cmake: &(PathBuf, &str),
        args: &[&str],
        change: impl Fn(&mut Command),
    ) -> [Configured; 3] {
        let drop_in = drop_in_args();
        let with: Vec<_> = drop_in.iter().map(String::as_str).chain(args.iter().copied()).collect();
        let _ = fs::remove_dir_all(self.store());
        let all = [args, &with, &with].map(|args| {
            let _ = fs::remove_dir_all(&self.build);
            let configured = self.again_with(cmake, args, &change);
            (configured, self.scratch())
        });
        let [(stock, left), (cold, cold_left), (warm, warm_left)] = all;
        stock.assert_same_as(&cold);
        stock.assert_same_as(&warm);
        assert_eq!((&left, &left), (&cold_left, &warm_left), "left in CMakeScratch");
        assert!(warm.by_cmake() <= cold.by_cmake(), "recipes are lost: {}", warm.text);
        [stock, cold, warm]
    }

    /// How much is left of CMake's test projects. Nothing may be left of sessions.
    pub fn scratch(&self) -> usize {
        let sessions = || {
            let entries =
                fs::read_dir(self.build.join("CMakeFiles")).into_iter().flatten().flatten();
            entries.filter(|it| it.file_name().to_string_lossy().starts_with("tryall-")).count()
        };
        assert!(comes_true(|| sessions() == 0), "a session does not end");
        let entries = fs::read_dir(self.build.join("CMakeFiles/CMakeScratch"));
        entries.map_or(0, Iterator::count)
    }

    /// Configures these three times. Returns the first two results.
    pub fn same_with(&self, cmake: &(PathBuf, &str), args: &[&str]) -> (Configured, Configured) {
        let [stock, cold, _] = self.thrice(cmake, args);
        (stock, cold)
    }

    /// Configures both ways. Returns the last result with the drop-in.
    pub fn same(&self, args: &[&str]) -> Configured {
        self.same_in(cmakes(), args)
    }

    /// The same with each of these CMakes.
    pub fn same_in(&self, cmakes: Vec<(PathBuf, &'static str)>, args: &[&str]) -> Configured {
        let mut last = None;
        for cmake in cmakes {
            let (_, ours) = self.same_with(&cmake, args);
            assert!(ours.by_tryall() > 0, "no check went to tryall: {}", ours.text);
            last = Some(ours);
        }
        last.unwrap()
    }
}

/// The arguments that load the drop-in.
pub fn drop_in_args() -> [String; 3] {
    let modules = root().join("cmake").display().to_string();
    [
        format!("-DCMAKE_PROJECT_INCLUDE_BEFORE={modules}/TryallBefore.cmake"),
        format!("-DCMAKE_PROJECT_INCLUDE={modules}/TryallDropIn.cmake"),
        format!("-DTRYALL_EXECUTABLE={TRYALL}"),
    ]
}

/// A PATH with Ninja and without tryall.
pub fn path_without_tryall() -> OsString {
    let rest = std::env::var_os("PATH").unwrap();
    let dirs = std::env::split_paths(&rest).filter(|dir| !dir.join("tryall").exists());
    std::env::join_paths(std::iter::once(tools()).chain(dirs)).unwrap()
}

pub const ALL_MODULES: &str = "include(CheckIncludeFile)\ninclude(CheckIncludeFileCXX)\n\
    include(CheckIncludeFiles)\ninclude(CheckSymbolExists)\ninclude(CheckCXXSymbolExists)\n\
    include(CheckFunctionExists)\ninclude(CheckVariableExists)\ninclude(CheckLibraryExists)\n\
    include(CheckPrototypeDefinition)\ninclude(CheckTypeSize)\ninclude(CheckSourceCompiles)\n\
    include(CheckCSourceCompiles)\ninclude(CheckCXXSourceCompiles)\ninclude(CheckSourceRuns)\n\
    include(CheckCSourceRuns)\ninclude(CheckCXXSourceRuns)\ninclude(CheckCompilerFlag)\n\
    include(CheckCCompilerFlag)\ninclude(CheckCXXCompilerFlag)\ninclude(CheckLinkerFlag)\n\
    include(CheckStructHasMember)\ninclude(TestBigEndian)\ninclude(CMakePushCheckState)\n";
