//! `tryall cmake`: passes all arguments to CMake, adds the drop-in if CMake configures, and returns
//! CMake's result.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, pthread_sigmask, signal};

use crate::processes::comes_true;
use crate::support::*;

/// A directory with a fake `cmake`, which is first on PATH, and a directory for the modules.
struct Fake {
    temp: tempfile::TempDir,
}

/// Prints its arguments, each followed by NUL.
const TELL: &str = "[ $# = 0 ] || printf '%s\\0' \"$@\"";

impl Fake {
    fn new(script: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let temp = tempfile::tempdir().unwrap();
        let cmake = write(temp.path(), "cmake", &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(cmake, fs::Permissions::from_mode(0o755)).unwrap();
        Fake { temp }
    }

    fn call<S: AsRef<OsStr>>(&self, args: &[S]) -> Call {
        let rest = std::env::var_os("PATH").unwrap();
        let dirs = std::iter::once(self.temp.path().into()).chain(std::env::split_paths(&rest));
        let call = Call::new(["cmake"]).env("PATH", std::env::join_paths(dirs).unwrap());
        let mut call = call.env("XDG_DATA_HOME", self.temp.path()).env("HOME", "/dev/null");
        call.command.args(args);
        call
    }

    /// The arguments that CMake receives.
    fn reaches<S: AsRef<OsStr>>(&self, args: &[S]) -> Vec<OsString> {
        let output = self.call(args).command.output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        let mut words: Vec<_> = output.stdout.split(|byte| *byte == 0).collect();
        assert_eq!(words.pop(), Some(&b""[..]), "{output:?}");
        words.into_iter().map(|word| OsString::from_vec(word.into())).collect()
    }

    /// The directory of the modules.
    fn modules(&self) -> PathBuf {
        let entries = fs::read_dir(self.temp.path().join("tryall")).unwrap();
        let [dir] =
            entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>().try_into().unwrap();
        dir
    }

    /// The arguments with those that load the drop-in.
    fn led(&self, args: &[&str]) -> Vec<OsString> {
        let first = format!("-DTRYALL_EXECUTABLE={TRYALL}");
        let last = self.modules().join("TryallPreload.cmake");
        let mut all: Vec<OsString> = vec![first.into()];
        all.extend(args.iter().map(OsString::from));
        all.extend(["-C".into(), last.into()]);
        all
    }
}

#[test]
fn calls_that_configure_get_the_drop_in() {
    let fake = Fake::new(TELL);
    for args in [
        &["."][..],
        &["../build dir"],
        &["-S", ".", "-B", "b"],
        &["-S.", "-Bb", "-G", "Unix Makefiles", "-DX=1"],
        &["-H.", "-Bb"],
        &["--preset", "release"],
        &["--preset=release", "-DX=y;z", "-D", "Q=\"a b\"\n'$x'", ""],
        &["-DX=1"],
        &["-C", "first.cmake", "."],
        &["--fresh", "--toolchain", "t.cmake", "-S", "."],
        &["-LAH", "."],
        // Values that look like options, and modes that are recognized only as the first argument.
        &["-D", "-P", "."],
        &["-B", "-E", "-S", "-N"],
        &["-S", ".", "--build"],
    ] {
        let reached = fake.reaches(args);
        assert_eq!(reached, fake.led(args), "{args:?}");
    }
}

#[test]
fn calls_that_do_not_configure_are_passed_through() {
    let fake = Fake::new(TELL);
    for args in [
        &["--build", "b", "--target", "x", "--", "-j4", "--", "--cmake", "y"][..],
        &["--install", "b"],
        &["--open", "b"],
        &["--workflow", "--preset", "p"],
        &["-E", "echo", "-S", ".", "a  b", "", "\n", "'\"$x\\"],
        &["-P", "script.cmake", "-S", "."],
        &["-DX=1", "-D", "Y=2", "-Pscript.cmake"],
        &["-N", "-L", "b"],
        &["--find-package", "-DNAME=x"],
        &["--system-information"],
        &["--list-presets"],
        &["-S", ".", "--list-presets=build"],
        &["--help"],
        &["-h"],
        &["--help-command", "set"],
        &["--version"],
        &["-version"],
        &["/V"],
    ] {
        let reached = fake.reaches(args);
        assert_eq!(reached, args.iter().map(OsString::from).collect::<Vec<_>>(), "{args:?}");
    }
    assert!(!fake.temp.path().join("tryall").exists(), "no modules are written for these");
}

#[test]
fn arguments_need_not_be_utf_8() {
    let fake = Fake::new(TELL);
    let args = ["-E".as_bytes(), b"echo", b"\xff\xfe=\x01"].map(OsStr::from_bytes);
    assert_eq!(fake.reaches(&args), args);
}

#[test]
fn another_cmake_can_be_named_before_the_arguments() {
    let fake = Fake::new("echo the first >&2; exit 1");
    let other = Fake::new(TELL);
    let program = other.temp.path().join("cmake");
    let given = |args: &[&str]| {
        let mut all = vec![OsString::from("--cmake"), program.clone().into()];
        all.extend(args.iter().map(OsString::from));
        fake.reaches(&all)
    };
    assert_eq!(given(&["--build", "b"]), ["--build", "b"]);
    assert_eq!(given(&["."]), fake.led(&["."]));
    // After the first argument the option is CMake's.
    assert_eq!(given(&["-E", "echo", "--cmake", "x"]), ["-E", "echo", "--cmake", "x"]);
    let relative = fake.call(&["--cmake", "./cmake", "-E", "x"]).dir(other.temp.path()).run();
    assert_eq!(relative.stdout, "-E\0x\0", "{relative:?}");
}

#[test]
fn without_arguments_it_prints_usage() {
    let fake = Fake::new("echo ran");
    let ran = fake.call::<&str>(&[]).run();
    assert_eq!((ran.code(), ran.stderr.as_str()), (0, ""), "{ran:?}");
    assert!(ran.stdout.contains("Usage: tryall cmake"), "{ran:?}");
    assert!(ran.stdout.contains("--cmake <PROGRAM>"), "{ran:?}");
    assert_eq!(Call::new(["help", "cmake"]).run().stdout, ran.stdout);
}

#[test]
fn a_cmake_that_cannot_run_gives_the_exit_statuses_of_shells() {
    let fake = Fake::new("");
    let missing = fake.call(&["--cmake", "no-such-cmake", "."]).run();
    assert_eq!((missing.code(), missing.stdout.as_str()), (127, ""), "{missing:?}");
    assert!(missing.stderr.contains("no-such-cmake"), "{missing:?}");
    assert!(missing.stderr.contains("pass its path with --cmake"), "{missing:?}");

    fs::write(fake.temp.path().join("cmake"), "no program").unwrap();
    let foreign = fake.call(&["."]).run();
    assert_eq!((foreign.code(), foreign.stdout.as_str()), (126, ""), "{foreign:?}");
    assert!(foreign.stderr.contains("could not be executed"), "{foreign:?}");
}

#[test]
fn without_a_directory_for_the_modules_cmake_runs_alone() {
    let fake = Fake::new("echo \"ran $*\"");
    let nowhere = |args: &[&str]| fake.call(args).env("XDG_DATA_HOME", "/dev/null").run();
    let ran = nowhere(&["-S", "."]);
    assert_eq!((ran.code(), ran.stdout.as_str()), (0, "ran -S .\n"), "{ran:?}");
    assert!(ran.stderr.contains("CMake runs all checks itself"), "{ran:?}");
    assert!(ran.stderr.contains("set XDG_DATA_HOME to"), "{ran:?}");
    let built = nowhere(&["--build", "b"]);
    assert_eq!((built.stdout.as_str(), built.stderr.as_str()), ("ran --build b\n", ""));
}

#[test]
fn exit_status_and_signals_are_cmakes() {
    for args in [&["--build", "b"][..], &["."]] {
        assert_eq!(Fake::new("exit 7").call(args).run().code(), 7);
        let killed = Fake::new("kill -TERM $$; sleep 60").call(args).run();
        assert_eq!(killed.status.signal(), Some(Signal::SIGTERM as i32), "{killed:?}");
    }
}

#[test]
fn cmake_replaces_this_process() {
    let fake = Fake::new("echo $$; cat; echo complaint >&2");
    let mut call = fake.call(&["."]);
    let child = call.start(b"from the caller");
    let pid = child.id();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.stdout, format!("{pid}\nfrom the caller"));
    assert_eq!(ran.stderr, "complaint\n");
}

/// The caller's signal state: some signals blocked, and SIGPIPE ignored or not.
#[test]
fn signal_dispositions_are_inherited() {
    let fake = Fake::new("kill -s $2 $$; echo survived");
    let ends_by = |name: &str, pipe: SigHandler, blocked: SigSet| {
        let mut call = fake.call(&["-E", name]);
        let change = move || {
            pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&blocked), None)?;
            // SAFETY: neither action runs code of this program.
            unsafe { signal(Signal::SIGPIPE, pipe) }?;
            Ok(())
        };
        // SAFETY: these are system calls only.
        unsafe { call.command.pre_exec(change) };
        let ran = call.run();
        assert_eq!(ran.status.success(), ran.stdout == "survived\n", "{ran:?}");
        ran.status.signal()
    };
    let (default, ignored) = (SigHandler::SigDfl, SigHandler::SigIgn);
    let none = SigSet::empty();
    assert_eq!(ends_by("PIPE", default, none), Some(Signal::SIGPIPE as i32));
    assert_eq!(ends_by("PIPE", ignored, none), None);
    assert_eq!(ends_by("USR1", default, none), Some(Signal::SIGUSR1 as i32));
    assert_eq!(ends_by("USR1", default, SigSet::from_iter([Signal::SIGUSR1])), None);
}

/// Flags that make passes to a recipe also reach the make that CMake starts.
#[test]
fn a_jobserver_reaches_cmake() {
    let fake = Fake::new("[ -p /proc/$$/fd/8 ] && [ -p /proc/$$/fd/9 ] && echo \"$MAKEFLAGS\"");
    let call = fake.call(&["--build", "b"]);
    let environment: Vec<_> = call.command.get_envs().collect();
    let mut shell = std::process::Command::new("sh");
    // Standard input is a pipe.
    shell.args(["-c", "exec 8<&0 9<&0 \"$0\" cmake --build b", TRYALL]);
    for (name, value) in environment {
        shell.env(name, value.unwrap_or_default());
    }
    let flags = " -j2 --jobserver-auth=8,9";
    let child =
        shell.env("MAKEFLAGS", flags).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{flags}\n"), "{output:?}");
}

/// A project with both CMakes, in directories with the most unusual names that CMake can build in:
/// its Makefiles do not quote double quotes.
struct Project {
    temp: tempfile::TempDir,
    cmake: PathBuf,
}

impl Project {
    fn of_both_cmakes(files: &[(&str, &str)]) -> [Self; 2] {
        [PathBuf::from("/usr/bin/cmake"), venv("cmake")].map(|cmake| {
            let project = Project { temp: tempfile::tempdir().unwrap(), cmake };
            fs::create_dir(project.source()).unwrap();
            for (name, text) in files {
                write(&project.source(), name, text);
            }
            project
        })
    }

    fn source(&self) -> PathBuf {
        self.temp.path().join("so 'u'")
    }

    fn data(&self) -> PathBuf {
        self.temp.path().join("da 't'")
    }

    fn build(&self) -> PathBuf {
        self.source().join("b")
    }

    /// Runs `tryall cmake` in the source directory, which must succeed, and returns its output.
    fn run(&self, args: &[&str]) -> String {
        let call = Call::new(["cmake", "--cmake"]).arg(&self.cmake).args(args);
        let mut call = call.dir(&self.source()).env("XDG_DATA_HOME", self.data());
        let ran = Ran::from(call.start(b"").wait_with_output().unwrap());
        // A session ends after CMake.
        assert!(comes_true(|| call.left().is_empty()), "left behind: {:?}", call.left());
        // CMake may print warnings.
        assert!(ran.code() == 0 && !ran.stderr.contains("tryall"), "{args:?}: {ran:?}");
        ran.stdout
    }

    /// The value of an entry of the cache.
    fn cached(&self, name: &str) -> Option<String> {
        let cache = fs::read_to_string(self.build().join("CMakeCache.txt")).unwrap();
        let lines = cache.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        lines.filter_map(|line| Some(line.split_once('=')?.1.to_string())).next()
    }

    /// The file of the build directory that loads the drop-in.
    fn drop_in(&self) -> String {
        let file = self.build().join("CMakeFiles/tryall/TryallDropIn.cmake");
        file.to_str().unwrap().into()
    }

    /// Configures and checks whether the drop-in and the user's own file are included.
    fn includes(&self, args: &[&str], own: Option<&str>) {
        let said = self.run(args);
        let what = format!("{args:?} with {:?}: {said}", self.cmake);
        let drop_in = self.drop_in();
        assert!(Path::new(&drop_in).exists());
        assert_eq!(self.cached("CMAKE_PROJECT_INCLUDE").as_ref(), Some(&drop_in), "{what}");
        assert_eq!(self.cached("TRYALL_PROJECT_INCLUDE").as_deref(), own, "{what}");
        assert_eq!(self.cached("TRYALL_EXECUTABLE").as_deref(), Some(TRYALL), "{what}");
        let included: Vec<_> =
            said.lines().filter_map(|line| line.strip_prefix("-- own ")).collect();
        assert_eq!(included, own.map(|path| path.rsplit('/').next().unwrap()).as_slice(), "{what}");
    }
}

const LISTS: &str = "cmake_minimum_required(VERSION 3.20)\nproject(p NONE)\n";

const OWN: &str = "get_filename_component(name \"${CMAKE_CURRENT_LIST_FILE}\" NAME)\n\
                   message(STATUS \"own ${name}\")\n";

const PRESETS: &str = r#"{"version": 3, "configurePresets": [
    {"name": "base", "hidden": true, "binaryDir": "${sourceDir}/b", "generator": "Unix Makefiles",
     "cacheVariables": {"CMAKE_PROJECT_INCLUDE": {"type": "FILEPATH", "value": "${sourceDir}/a.cmake"}}},
    {"name": "p", "inherits": "base"}
]}"#;

#[test]
fn the_users_project_include_is_kept() {
    let initial = "set(CMAKE_PROJECT_INCLUDE c.cmake CACHE STRING \"\")\n";
    for project in Project::of_both_cmakes(&[
        ("CMakeLists.txt", LISTS),
        ("CMakePresets.json", PRESETS),
        ("initial.cmake", initial),
        ("a.cmake", OWN),
        ("b.cmake", OWN),
        ("c.cmake", OWN),
    ]) {
        project.includes(&["-S", ".", "-B", "b"], None);
        project.includes(&["b", "-DCMAKE_PROJECT_INCLUDE=a.cmake"], Some("a.cmake"));
        // A later call, without an own include and with a different one.
        project.includes(&["b"], Some("a.cmake"));
        project.includes(&["-D", "CMAKE_PROJECT_INCLUDE=b.cmake", "b"], Some("b.cmake"));
        project.includes(&["-DCMAKE_PROJECT_INCLUDE:STRING=a.cmake", "b"], Some("a.cmake"));
        project.includes(&["-D", "CMAKE_PROJECT_INCLUDE:FILEPATH=b.cmake", "b"], Some("b.cmake"));
        // No longer any.
        project.includes(&["b", "-DCMAKE_PROJECT_INCLUDE="], None);
        project.includes(&["b", "-DCMAKE_PROJECT_INCLUDE=a.cmake"], Some("a.cmake"));
        project.includes(&["b", "-U", "CMAKE_PROJECT_*"], None);
        // An initial cache file.
        project.includes(&["--fresh", "-C", "initial.cmake", "-B", "b"], Some("c.cmake"));
        // A preset, which alone knows the build directory.
        let own = project.source().join("a.cmake");
        fs::remove_dir_all(project.build()).unwrap();
        project.includes(&["--preset", "p"], own.to_str());
        project.includes(&["--preset=p", "-DCMAKE_PROJECT_INCLUDE=b.cmake"], Some("b.cmake"));
        // The cache of a build directory that was configured without tryall.
        fs::remove_dir_all(project.build()).unwrap();
        let plain = std::process::Command::new(&project.cmake)
            .args(["-B", "b", "-DCMAKE_PROJECT_INCLUDE=a.cmake"])
            .current_dir(project.source())
            .output()
            .unwrap();
        assert!(plain.status.success(), "{plain:?}");
        project.includes(&["b"], Some("a.cmake"));
    }
}

#[test]
fn a_file_of_the_users_before_project_is_kept() {
    let name = "CMAKE_PROJECT_INCLUDE_BEFORE";
    for project in Project::of_both_cmakes(&[("CMakeLists.txt", LISTS), ("a.cmake", OWN)]) {
        for (args, own) in [
            (&["-B", "b", "-DCMAKE_PROJECT_INCLUDE_BEFORE=a.cmake"][..], Some("a.cmake")),
            (&["b"], Some("a.cmake")),
            (&["b", "-DCMAKE_PROJECT_INCLUDE_BEFORE="], None),
            (&["b", "-DCMAKE_PROJECT_INCLUDE_BEFORE=/gone/TryallBefore.cmake"], None),
        ] {
            let said = project.run(args);
            let file = project.build().join("CMakeFiles/tryall/TryallBefore.cmake");
            assert_eq!(project.cached(name).as_deref(), file.to_str(), "{args:?}: {said}");
            assert_eq!(project.cached("TRYALL_PROJECT_INCLUDE_BEFORE").as_deref(), own, "{args:?}");
            assert_eq!(said.contains("-- own a.cmake"), own.is_some(), "{args:?}: {said}");
        }
    }
}

#[test]
fn the_drop_in_of_another_version_is_replaced() {
    for project in Project::of_both_cmakes(&[("CMakeLists.txt", LISTS), ("a.cmake", OWN)]) {
        let old = "-DCMAKE_PROJECT_INCLUDE=/gone/tryall/0.0.1-ab/TryallDropIn.cmake";
        project.includes(&["-B", "b", old], None);
        project.includes(&["-B", "b", old, "-DTRYALL_PROJECT_INCLUDE=a.cmake"], Some("a.cmake"));
        project.includes(&["b"], Some("a.cmake"));
    }
}

#[test]
fn another_tryall_can_be_named() {
    for project in Project::of_both_cmakes(&[("CMakeLists.txt", LISTS)]) {
        project.run(&["-B", "b", "-DTRYALL_EXECUTABLE=/bin/true"]);
        assert_eq!(project.cached("TRYALL_EXECUTABLE").as_deref(), Some("/bin/true"));
    }
}

#[test]
fn a_project_is_configured_and_built() {
    let lists = "cmake_minimum_required(VERSION 3.20)\nproject(p C)\nadd_executable(p p.c)\n";
    let program = "#include <stdio.h>\nint main(void) { puts(\"built\"); return 0; }\n";
    for project in Project::of_both_cmakes(&[("CMakeLists.txt", lists), ("p.c", program)]) {
        need("gcc");
        project.includes(&["-S", ".", "-B", "b", "-DCMAKE_C_COMPILER=gcc"], None);
        project.run(&["--build", "b"]);
        let ran = std::process::Command::new(project.build().join("p")).output().unwrap();
        assert_eq!(ran.stdout, b"built\n");
    }
}
