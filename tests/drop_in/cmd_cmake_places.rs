//! `tryall cmake` on real projects: what it leaves in the build directory also works later, in other
//! places, and with other arguments.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::dropin::*;
use crate::support::*;

const LISTS: &str = "check_function_exists(fork HAVE_FORK)\ncheck_function_exists(nosuch HAVE_NONE)\n\
    message(STATUS \"'${HAVE_FORK}' '${HAVE_NONE}'\")\nadd_executable(main main.c)\n";

/// A project, with a home of its own.
struct Home {
    project: Project,
}

impl Home {
    fn new(lists: &str) -> Home {
        let project = Project::new("C", lists).file("main.c", "int main(void) { return 0; }\n");
        fs::create_dir(project.source().with_file_name("home")).unwrap();
        Home { project }
    }

    fn home(&self) -> PathBuf {
        self.project.source().with_file_name("home")
    }

    /// `tryall cmake`, or a program in its place.
    fn run(&self, program: &Path, args: &[&str]) -> (bool, String) {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.project.source().parent().unwrap());
        command.env("HOME", self.home()).env_remove("XDG_DATA_HOME").env_remove("MAKEFLAGS");
        command.env("PATH", path_without_tryall()).env("TRYALL_STORE", self.project.store());
        let output = command.env("CC", need("gcc")).output().unwrap();
        let text = [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (output.status.success(), text.concat())
    }

    /// `tryall cmake` with this CMake.
    fn tryall(&self, (cmake, generator): &(PathBuf, &str), args: &[&str]) -> String {
        let cmake = cmake.to_str().unwrap();
        let mut all =
            vec!["cmake", "--cmake", cmake, "-G", generator, "-S", "source", "-B", "build"];
        all.extend(args);
        let (succeeded, text) = self.run(Path::new(TRYALL), &all);
        assert!(succeeded, "{args:?}: {text}");
        text
    }
}

#[test]
fn a_build_directory_outlives_the_home() {
    for cmake in cmakes() {
        let own = "message(STATUS \"own\")\n";
        let home = Home::new(LISTS);
        let file = write(home.project.source(), "own.cmake", own);
        let argument = format!("-DCMAKE_PROJECT_INCLUDE={}", file.display());
        let text = home.tryall(&cmake, &[&argument]);
        assert!(text.contains("-- tryall: ") && text.contains("-- own\n"), "{text}");
        fs::remove_dir_all(home.home()).unwrap();
        // The build tool configures again.
        let lists = home.project.source().join("CMakeLists.txt");
        let text =
            fs::read_to_string(&lists).unwrap() + "check_function_exists(vfork HAVE_VFORK)\n";
        std::thread::sleep(std::time::Duration::from_millis(1100));
        fs::write(&lists, text).unwrap();
        let (succeeded, text) = home.run(&cmake.0, &["--build", "build"]);
        assert!(succeeded && text.contains("Looking for vfork - found"), "{text}");
        assert!(text.contains("-- own\n") && !text.contains("Warning"), "{text}");
        // With the home, tryall is back.
        let text = home.tryall(&cmake, &["-UHAVE_FORK"]);
        assert!(text.contains("-- tryall: 1 check: ") && text.contains("-- own\n"), "{text}");
    }
}

#[test]
fn a_home_that_cannot_be_written_to_costs_speed_only() {
    for cmake in cmakes() {
        let home = Home::new(LISTS);
        fs::remove_dir(home.home()).unwrap();
        fs::write(home.home(), "no directory").unwrap();
        let text = home.tryall(&cmake, &[]);
        assert!(
            text.contains("CMake runs all checks itself") && text.contains("-- '1' ''"),
            "{text}"
        );
    }
}

#[test]
fn another_compiler_does_not_switch_tryall_off() {
    need("clang");
    for cmake in cmakes() {
        let home = Home::new(LISTS);
        home.tryall(&cmake, &[]);
        let text = home.tryall(&cmake, &["-DCMAKE_C_COMPILER=clang"]);
        assert!(text.contains("variables that require your cache to be deleted"), "{text}");
        assert!(text.contains("-- tryall: 2 checks: ") && text.contains("is Clang"), "{text}");
        let again = home.tryall(&cmake, &["-UHAVE_*"]);
        assert!(again.contains("-- tryall: 2 checks: "), "{again}");
    }
}

#[test]
fn a_project_that_adopts_tryall_is_configured() {
    let modules = root().join("cmake");
    let lists = format!(
        "include(\"{}/Tryall.cmake\")\ntryall_begin()\n{LISTS}tryall_end()\ncheck_function_exists(vfork HAVE_VFORK)\n",
        modules.display()
    );
    for cmake in cmakes() {
        let text = Home::new(&lists).tryall(&cmake, &[]);
        assert!(text.contains("-- tryall: 3 checks: "), "{text}");
        assert_eq!(text.matches("-- tryall: ").count(), 1, "{text}");
        // With the modules of this program's own copy.
        let found = lists.replace(
            &format!("include(\"{}/Tryall.cmake\")", modules.display()),
            "find_package(Tryall REQUIRED PATHS \"$ENV{HOME}/.local/share/tryall\" PATH_SUFFIXES \"$ENV{SUFFIX}\")",
        );
        let home = Home::new(&found);
        assert!(home.run(Path::new(TRYALL), &["modules"]).0);
        let (succeeded, dir) = home.run(Path::new(TRYALL), &["modules"]);
        assert!(succeeded, "{dir}");
        let text = home.tryall(&cmake, &[&format!("-DTryall_DIR={}", dir.trim())]);
        assert!(text.contains("-- tryall: 3 checks: "), "{text}");
    }
}

#[test]
fn tracing_and_strict_warnings_find_nothing_in_tryalls_own_code() {
    for cmake in cmakes() {
        let strict = if cmake.0.starts_with(root()) { "-Werror=author" } else { "-Werror=dev" };
        for args in [
            &["--trace-expand", strict][..],
            &["--warn-uninitialized", strict],
            &["-Wdeprecated", "-Werror=deprecated"],
            &["--debug-output"],
            &["--profiling-output=profile.json", "--profiling-format=google-trace"],
        ] {
            let start = ["cmake", "--cmake", cmake.0.to_str().unwrap(), "-G", cmake.1];
            let all = [&start[..], &["-S", "source", "-B", "build"], args].concat();
            // CMake 4.4 ends with an error if it traces with strict warnings.
            let (_, text) = Home::new(LISTS).run(Path::new(TRYALL), &all);
            assert!(text.contains("tryall: 2 checks: "), "{args:?}: {text}");
            let lines = || {
                text.lines().filter(|line| line.starts_with("CMake ") && line.contains("/tryall/"))
            };
            assert_eq!(lines().count(), 0, "{args:?}: {:?}", lines().collect::<Vec<_>>());
        }
    }
}

/// What `--debug-trycompile` is for: a test project that can be built by hand.
#[test]
fn debugging_keeps_the_last_test_project() {
    let lists = "check_function_exists(fork HAVE_FORK)\nfile(WRITE \"${CMAKE_BINARY_DIR}/a.c\" \"int main(void) { return 0; }\")\n\
                 try_compile(LAST \"${CMAKE_BINARY_DIR}/try\" \"${CMAKE_BINARY_DIR}/a.c\")\n";
    for cmake in cmakes() {
        let project = Project::new("C", lists);
        let kept = || {
            let text =
                fs::read_to_string(project.build().join("try/CMakeFiles/CMakeTmp/CMakeLists.txt"));
            text.unwrap()
                .lines()
                .filter(|line| !line.contains("cmTC_"))
                .map(String::from)
                .collect::<Vec<_>>()
        };
        let stock = project.configure(&cmake, &["--debug-trycompile"]);
        let right = kept();
        let ours = project.drop_in(&cmake, &["--debug-trycompile"]);
        assert_eq!(right, kept());
        assert_eq!(stock.value("LAST"), ours.value("LAST"));
        assert!(ours.text.contains("2 by CMake (--debug-trycompile: 2)"), "{}", ours.text);
    }
}

/// The program has moved, as when it was installed anew.
#[test]
fn a_program_that_has_moved_is_replaced_or_done_without() {
    for cmake in cmakes() {
        let home = Home::new(LISTS);
        let moved = home.home().join("tryall");
        // By another process: a fork of this one would have the new program open for writing for a moment.
        assert!(Command::new("cp").arg(TRYALL).arg(&moved).status().unwrap().success());
        let args = [
            "cmake",
            "--cmake",
            cmake.0.to_str().unwrap(),
            "-G",
            cmake.1,
            "-S",
            "source",
            "-B",
            "build",
        ];
        assert!(home.run(&moved, &args).0);
        fs::remove_file(&moved).unwrap();
        let (succeeded, text) = home.run(&cmake.0, &["-UHAVE_*", "build"]);
        assert!(succeeded && text.contains("-- '1' ''"), "{text}");
        assert!(text.contains("tryall is not at "), "{text}");
        let text = home.tryall(&cmake, &["-UHAVE_*"]);
        assert!(text.contains("-- tryall: 2 checks: "), "{text}");
    }
}
