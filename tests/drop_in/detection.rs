//! How CMake finds out about compilers under `tryall cmake`: nothing may differ, what was found out
//! once is not found out again, and everything is found out anew that has changed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex_lite::Regex;

use crate::configured;
use crate::dropin::{Configured, Project, all_cmakes, cmakes, path_without_tryall};
use crate::support::*;

/// All CMakes.
fn four_cmakes() -> [(PathBuf, &'static str); 4] {
    let [newest, systems, older, oldest] = all_cmakes();
    [(systems, "Unix Makefiles"), (newest, "Ninja"), (older, "Ninja"), (oldest, "Unix Makefiles")]
}

/// What a configure step leaves.
struct Ran {
    all: Configured,
    /// The files of the directories in which compilers were identified, byte for byte.
    identified: BTreeMap<String, Vec<u8>>,
    /// What CMake noted before its first check.
    log: String,
    /// The names of the compilers, assemblers and linkers that were started.
    started: Vec<String>,
}

struct Setting<'a> {
    project: &'a Project,
    cmake: &'a (PathBuf, &'a str),
    args: Vec<String>,
    env: Vec<(String, String)>,
}

impl<'a> Setting<'a> {
    fn new(project: &'a Project, cmake: &'a (PathBuf, &'a str)) -> Self {
        let env = [("CC", "gcc"), ("CXX", "g++"), ("FC", "gfortran")];
        let env = env.map(|(name, program)| (name.into(), need(program))).into();
        Setting { project, cmake, args: Vec::new(), env }
    }

    fn args(mut self, args: &[&str]) -> Self {
        self.args = args.iter().map(|it| (*it).into()).collect();
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.retain(|(other, _)| other != name);
        self.env.push((name.into(), value.into()));
        self
    }

    /// Configures in a fresh directory, by CMake or by `tryall cmake`.
    fn run(&self, with_tryall: bool) -> Ran {
        let build = self.project.build();
        let _ = fs::remove_dir_all(build);
        let traces = self.project.source().with_file_name("traces");
        let mut command = Command::new(need("strace"));
        command.args(["-f", "-qq", "-e", "trace=execve", "-o"]).arg(&traces);
        if with_tryall {
            command.args([TRYALL, "cmake", "--cmake"]);
        }
        command.arg(&self.cmake.0).args(["-G", self.cmake.1]).args(&self.args);
        command.arg("-S").arg(self.project.source()).arg("-B").arg(build);
        command.env("PATH", path_without_tryall()).current_dir(build.parent().unwrap());
        for name in ["CFLAGS", "CXXFLAGS", "LDFLAGS", "FFLAGS", "MAKEFLAGS", "CARGO_MAKEFLAGS"] {
            command.env_remove(name);
        }
        command.env("TRYALL_STORE", self.project.store()).env("TRYALL_SCOUT", "off");
        command.env("XDG_DATA_HOME", build.with_file_name("data"));
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        let all: Configured = configured::Configured::of(&mut command, build).into();
        let logs = ["CMakeOutput.log", "CMakeConfigureLog.yaml"];
        let logs = logs.map(|name| fs::read_to_string(build.join("CMakeFiles").join(name)));
        let log = logs.into_iter().find_map(Result::ok).unwrap_or_default();
        let end =
            log.find("CMakeDetermineCompilerABI.cmake").into_iter().chain(log.find("Detecting "));
        let log = log[..end.min().unwrap_or(log.len())].to_owned();
        // That far, the last event is one of a check.
        let log = log.rsplit_once("\n  -\n").map_or(log.clone(), |(before, _)| before.to_owned());
        let trace = fs::read_to_string(&traces).unwrap();
        let name = |line: &str| {
            let path = line.split_once("execve(\"")?.1.split_once('"')?.0;
            line.ends_with(" = 0").then(|| path.rsplit('/').next().unwrap().to_owned())
        };
        let is_compilers = |name: &String| COMPILERS.iter().any(|it| name == it);
        let started = trace.lines().filter_map(name).filter(is_compilers).collect();
        // GCC's temporary files.
        let invented = Regex::new("/cc[0-9A-Za-z]{6}\\b").unwrap();
        let log = invented.replace_all(&log, "/cc").into_owned();
        Ran { all, identified: identified(&build.join("CMakeFiles")), log, started }
    }

    /// Configures with CMake alone, and three times with tryall, whose store is empty at first. Returns
    /// the last.
    fn same(&self) -> Ran {
        let _ = fs::remove_dir_all(self.project.store());
        let stock = self.run(false);
        let ours = [(); 3].map(|()| self.run(true));
        for ran in &ours {
            stock.assert_same_as(ran);
        }
        ours.into_iter().next_back().unwrap()
    }

    /// Configures with CMake alone and twice with tryall, whose store is as it was.
    fn same_twice(&self) {
        let stock = self.run(false);
        for _ in 0..2 {
            stock.assert_same_as(&self.run(true));
        }
    }

    /// Configures with CMake alone and once more with tryall, whose store is as it was.
    fn still_same(&self) -> Ran {
        let (stock, ours) = (self.run(false), self.run(true));
        stock.assert_same_as(&ours);
        ours
    }
}

const COMPILERS: [&str; 9] =
    ["cc1", "cc1plus", "f951", "as", "ld", "collect2", "gcc", "g++", "gfortran"];

fn identified(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let dirs = fs::read_dir(dir).into_iter().flatten().flatten();
    for version in dirs.filter(|it| it.file_name().to_string_lossy().starts_with(['3', '4'])) {
        let dirs = fs::read_dir(version.path()).unwrap().flatten();
        for dir in dirs.filter(|it| it.file_name().to_string_lossy().starts_with("CompilerId")) {
            for file in fs::read_dir(dir.path()).unwrap().flatten() {
                let name = format!("{}/{}", dir.path().display(), file.path().display());
                let mode = file.metadata().unwrap().permissions().mode();
                let bytes = fs::read(file.path()).unwrap_or_default();
                all.insert(format!("{name} {mode:o}"), bytes);
            }
        }
    }
    all
}

impl Ran {
    fn assert_same_as(&self, other: &Ran) {
        if self.all.succeeded {
            self.all.assert_same_as(&other.all);
        } else {
            // CMake shows the command of its check, which says more if it is to be learned.
            let lines =
                |ran: &Ran| ran.all.text.lines().find(|it| it.starts_with("--")).map(str::to_owned);
            assert_eq!((other.all.succeeded, lines(self)), (false, lines(other)));
        }
        let names = |ran: &Ran| ran.identified.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(self), names(other));
        for (name, bytes) in &self.identified {
            assert!(*bytes == other.identified[name], "{name} differs");
        }
        let pairs = std::iter::zip(self.log.lines(), other.log.lines());
        let different: Vec<_> = pairs.filter(|(one, other)| one != other).take(3).collect();
        assert!(self.log == other.log, "{different:?}");
    }
}

fn project(languages: &str) -> Project {
    Project::of(&format!("cmake_minimum_required(VERSION 3.10)\nproject(p {languages})\n"))
}

fn script(path: &Path, text: &str) -> String {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

#[test]
fn compilers_are_identified_once() {
    for cmake in &four_cmakes() {
        let project = project("C CXX ASM");
        let warm = Setting::new(&project, cmake).same();
        assert_eq!(warm.started, [""; 0], "{}", cmake.0.display());
    }
}

#[test]
fn fortran_is_identified_as_well() {
    let project = project("C Fortran");
    for cmake in &cmakes() {
        Setting::new(&project, cmake).same();
    }
}

#[test]
fn clang_is_identified_as_well() {
    let project = project("C CXX");
    let cmake = &four_cmakes()[1];
    let setting = Setting::new(&project, cmake);
    setting.env("CC", &need("clang")).env("CXX", &need("clang++")).same();
}

#[test]
fn flags_and_arguments_of_compilers_count() {
    let project = project("C");
    for cmake in &cmakes() {
        let base = || Setting::new(&project, cmake);
        let warm = base().same();
        // Debugging information names the directory.
        for flags in ["-g", "-no-such-flag", "-O2 -Wall -fPIC", "-Wl,--gc-sections"] {
            base().env("CFLAGS", flags).same_twice();
            base().args(&[&format!("-DCMAKE_C_FLAGS={flags}")]).still_same();
        }
        base().env("CC", "gcc -O1 -DX=y").still_same();
        base().args(&["-DCMAKE_C_COMPILER=gcc;-O1"]).still_same();
        base().args(&["-DCMAKE_C_COMPILER=/no/such/compiler"]).still_same();
        assert_eq!(base().still_same().started.len(), warm.started.len());
    }
}

#[test]
fn a_directory_with_another_name_gets_its_own_debugging_information() {
    let temp = tempfile::tempdir().unwrap();
    let store = temp.path().join("store").display().to_string();
    let cmake = &four_cmakes()[0];
    for name in ["one", "another"] {
        let project =
            Project::named("source", name, "cmake_minimum_required(VERSION 3.10)\nproject(p C)\n");
        let setting = Setting::new(&project, cmake).env("CFLAGS", "-g").env("TRYALL_STORE", &store);
        setting.same();
    }
}

#[test]
fn a_compiler_that_changes_is_identified_anew() {
    let project = project("C");
    let compiler = project.source().with_file_name("compiler");
    for cmake in &cmakes() {
        let setting = Setting::new(&project, cmake);
        let wrapper = script(&compiler, "exec gcc \"$@\"");
        let setting = setting.env("CC", &wrapper);
        setting.same();
        script(&compiler, &format!("exec {} \"$@\"", need("clang")));
        let clang = setting.still_same();
        assert!(clang.all.text.contains("identification is Clang"), "{}", clang.all.text);
        // One that behaves in another way for another variable.
        script(&compiler, "exec gcc $MORE \"$@\"");
        setting.still_same();
        setting.env("MORE", "-DX").still_same();
    }
}

#[test]
fn other_programs_on_the_path_count() {
    let project = project("C");
    let cmake = &four_cmakes()[1];
    Setting::new(&project, cmake).same();
    let dir = project.source().with_file_name("tools");
    fs::create_dir(&dir).unwrap();
    let path = format!("{}:{}", dir.display(), path_without_tryall().to_string_lossy());
    let setting = || Setting::new(&project, cmake).env("PATH", &path);
    // Nothing there yet, and then another assembler, and another linker.
    setting().still_same();
    script(&dir.join("as"), "echo no >&2; exit 1");
    let broken = setting().still_same();
    assert!(!broken.all.succeeded, "{}", broken.all.text);
    fs::remove_file(dir.join("as")).unwrap();
    script(&dir.join("ld"), "echo 'GNU ld (another) 1.0'");
    setting().same_twice();
    // COMPILER_PATH leads GCC to it as well.
    let there = dir.display().to_string();
    Setting::new(&project, cmake).env("COMPILER_PATH", &there).still_same();
}

#[test]
fn toolchain_files_and_own_modules_have_their_say() {
    let lists = "cmake_minimum_required(VERSION 3.10)\n\
        set(CMAKE_MODULE_PATH ${CMAKE_CURRENT_SOURCE_DIR}/modules)\n\
        set(CMAKE_USER_MAKE_RULES_OVERRIDE ${CMAKE_CURRENT_SOURCE_DIR}/rules.cmake)\n\
        variable_watch(CMAKE_C_COMPILER_ID)\nproject(p C)\nadd_subdirectory(sub)\n";
    let project = Project::of(lists)
        .file("modules/Compiler/GNU-FindBinUtils.cmake", "message(STATUS \"mine\")\n")
        .file("rules.cmake", "set(CMAKE_C_FLAGS_DEBUG_INIT -O1)\nmessage(STATUS \"rules\")\n")
        .file("sub/CMakeLists.txt", "enable_language(CXX)\nenable_language(ASM)\n")
        .file("tool.cmake", "message(STATUS \"tool\")\nset(CMAKE_C_FLAGS_INIT -O1)\n");
    let tool = format!("-DCMAKE_TOOLCHAIN_FILE={}", project.source().join("tool.cmake").display());
    for cmake in &cmakes() {
        Setting::new(&project, cmake).args(&[&tool, "--warn-uninitialized"]).same();
    }
}

#[test]
fn cross_compilers_are_identified() {
    let project = project("C").file(
        "tool.cmake",
        "set(CMAKE_SYSTEM_NAME Linux)\nset(CMAKE_SYSTEM_PROCESSOR aarch64)\n\
         set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)\n",
    );
    need("aarch64-linux-gnu-gcc");
    let tool = format!("-DCMAKE_TOOLCHAIN_FILE={}", project.source().join("tool.cmake").display());
    let setting = |cmake| Setting { env: Vec::new(), ..Setting::new(&project, cmake) };
    setting(&four_cmakes()[1]).args(&[&tool]).same();
}

/// What a project asks its compiler is the compiler's answer, and CMake's environment is the user's.
#[test]
fn projects_see_nothing_of_it() {
    let lists = "cmake_minimum_required(VERSION 3.10)\nproject(p C)\n\
        foreach(word --version -v -dumpmachine)\n\
        execute_process(COMMAND ${CMAKE_C_COMPILER} ${word} OUTPUT_VARIABLE out\n\
          ERROR_VARIABLE err RESULT_VARIABLE status)\n\
        message(STATUS \"${word} ${status}\\n${out}\\n${err}\")\n\
        execute_process(COMMAND ${CMAKE_C_COMPILER} ${word} OUTPUT_FILE it.out ERROR_FILE it.err)\n\
        execute_process(COMMAND ${CMAKE_C_COMPILER} ${word})\n\
        execute_process(COMMAND ${CMAKE_C_COMPILER} ${word} COMMAND cat OUTPUT_VARIABLE both\n\
          ERROR_VARIABLE both)\nmessage(STATUS \"${both}\")\nendforeach()\n\
        message(STATUS \"[$ENV{LD_PRELOAD}] [$ENV{TRYALL_HOOK}]\")\n\
        execute_process(COMMAND env OUTPUT_VARIABLE all)\n\
        string(REGEX MATCHALL \"LD_[A-Z]*|TRYALL_HOOK\" all \"${all}\")\nmessage(STATUS \"${all}\")\n\
        execute_process(COMMAND sh -c \"ls /proc/self/fd\" OUTPUT_VARIABLE all)\n\
        message(STATUS \"${all}\")\n";
    let project = Project::of(lists);
    for cmake in &cmakes() {
        Setting::new(&project, cmake).same();
    }
}

/// The session is killed before CMake asks for the first time, and while it runs a compiler.
#[test]
fn cmake_goes_on_without_a_session() {
    let lists = "cmake_minimum_required(VERSION 3.10)\n\
        execute_process(COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/kill.sh ${CMAKE_BINARY_DIR})\n\
        project(p C)\n";
    // All processes of tryall that were started with this build directory; those of other tests come and go.
    let kill = "exec 2>/dev/null\nfor it in /proc/[0-9]*; do\n\
        case $(readlink $it/exe) in */tryall) tr '\\0' '\\n' < $it/cmdline | grep -qxF \"$1\" &&\n\
        kill -9 ${it#/proc/} && touch killed;; esac; done\nexit 0\n";
    for cmake in &cmakes() {
        let early = Project::of(lists).file("kill.sh", kill);
        Setting::new(&early, cmake).same();
        assert!(early.source().with_file_name("killed").exists());

        let late = project("C");
        let compiler = late.source().with_file_name("compiler");
        let once = late.source().with_file_name("once");
        let text = format!(
            "case $(readlink /proc/$PPID/exe) in */tryall) [ -e {0} ] || {{ touch {0}; kill -9 $PPID; }};;\n\
             esac\nexec gcc \"$@\"",
            once.display()
        );
        let wrapper = script(&compiler, &text);
        Setting::new(&late, cmake).env("CC", &wrapper).same();
        assert!(once.exists());
    }
}
