//! The session dies, cannot start, or loses its store: CMake goes on by itself, says so once, and all
//! results are right.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::dropin::*;
use crate::processes::{comes_true, with_in_environment};
use crate::support::*;

/// Kills the session of a CMake: `sh kill.sh PROCESS_OF_CMAKE`. Its guard, which has the same command
/// line, is its child and stays.
const KILL: &str = r#"
words() { tr '\0' ' ' 2>/dev/null <"$1/cmdline"; }
exec 2>/dev/null
for dir in /proc/[0-9]*; do
  case $(words $dir) in *" session serve $1 "*)
    parent=$(cut -d' ' -f4 $dir/stat)
    case $(words /proc/$parent) in
      *" session serve $1 "*) ;;
      *) kill -KILL ${dir#/proc/}; echo killed >>"$2"; exit;;
    esac
  esac
done
"#;

const CHECKS: [&str; 6] = [
    "check_include_file(stdio.h HAVE_STDIO)\n",
    "check_function_exists(fork HAVE_FORK)\n",
    "check_c_source_runs(\"int main(void) { return 3; }\" RUNS)\n",
    "check_type_size(long SIZE)\n",
    "check_c_source_compiles(\"/* FATAL */ int main(void) { return 0; }\" COMPILES)\n",
    "check_include_file(nosuch.h HAVE_NONE)\n",
];

/// A project that runs the checks, with code before one of them.
fn project(at: usize, code: &str) -> Project {
    let mut lists: Vec<_> = CHECKS.map(String::from).into();
    lists.insert(at, code.into());
    let lists = format!("set(ENV{{KILLED}} \"${{CMAKE_SOURCE_DIR}}/killed\")\n{}", lists.concat());
    Project::new("C", &lists).file("kill.sh", KILL)
}

/// Configures with CMake alone.
fn stock(project: &Project, cmake: &(PathBuf, &str)) -> Configured {
    project.configure(cmake, &["-DIS_STOCK=1"])
}

/// Configures under a fault. The results must be those of CMake alone but for one warning.
fn same_but_for_a_warning(
    stock: &Configured,
    project: &Project,
    cmake: &(PathBuf, &str),
    args: &[&str],
    change: impl Fn(&mut Command),
) -> Configured {
    let _ = fs::remove_dir_all(project.build());
    let drop_in = drop_in_args();
    let args: Vec<_> = drop_in.iter().map(String::as_str).chain(args.iter().copied()).collect();
    let mut ours = project.again_with(cmake, &args, change);
    let warning = "tryall cannot answer checks (";
    let words = ours.text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words.matches(warning).count(), 1, "{}", ours.text);
    assert!(words.contains("CMake runs them itself"), "{}", ours.text);
    // The only thing on standard error.
    ours.whole.stderr = stock.whole.stderr.clone();
    ours.whole.files.entry("CMakeCache.txt".into()).and_modify(|cache| *cache += "");
    let mut stock = stock.clone();
    for whole in [&mut stock.whole, &mut ours.whole] {
        let cache = whole.files.get_mut("CMakeCache.txt").unwrap();
        let kept = cache.lines().filter(|line| !line.starts_with("IS_STOCK:"));
        *cache = kept.collect::<Vec<_>>().join("\n");
    }
    stock.assert_same_as(&ours);
    ours
}

/// The session must have been killed this often.
fn kills(project: &Project) -> usize {
    let killed = fs::read_to_string(project.source().join("killed")).unwrap_or_default();
    let _ = fs::remove_file(project.source().join("killed"));
    killed.lines().count()
}

#[test]
fn the_session_is_killed_between_calls() {
    let kill = "if(NOT IS_STOCK)\nexecute_process(COMMAND sh -c \"exec sh '${CMAKE_SOURCE_DIR}/kill.sh' $PPID '$ENV{KILLED}'\")\nendif()\n";
    for at in 1..CHECKS.len() {
        let project = project(at, kill);
        for cmake in cmakes() {
            let ours =
                same_but_for_a_warning(&stock(&project, &cmake), &project, &cmake, &[], |_| {});
            assert_eq!(kills(&project), 1, "{at}: {}", ours.text);
            assert!(!ours.text.contains("-- tryall:"), "{}", ours.text);
        }
    }
}

/// Both the compiler and a program of `try_run` kill the session that waits for them.
#[test]
fn the_session_is_killed_during_a_call() {
    let set = "if(NOT IS_STOCK)\nexecute_process(COMMAND sh -c \"printf %s $PPID\" OUTPUT_VARIABLE number)\n\
               set(ENV{NUMBER} ${number})\nendif()\n";
    let program = "check_c_source_runs(\"#include <stdlib.h>\\nint main(void) { return getenv(\\\"NUMBER\\\") \
                   && system(\\\"sh '${CMAKE_SOURCE_DIR}/kill.sh' $NUMBER '${CMAKE_SOURCE_DIR}/killed'\\\"); }\" KILLS)\n";
    let script = "#!/bin/sh\nfor word; do case $word in *.c)\n\
        if [ \"$NUMBER\" ] && [ ! -e \"$KILLED\" ] && grep -q FATAL \"$word\"; then sh \"${0%/*}/kill.sh\" $NUMBER \"$KILLED\"; fi\n\
        esac; done\nexec gcc \"$@\"\n";
    for (what, compiler) in [(set.to_owned(), "cc.sh"), (format!("{set}{program}"), "none.sh")] {
        let project =
            project(2, &what).file("cc.sh", script).file("none.sh", "#!/bin/sh\nexec gcc \"$@\"\n");
        let compiler = project.source().join(compiler);
        fs::set_permissions(&compiler, fs::Permissions::from_mode(0o755)).unwrap();
        for cmake in cmakes() {
            let _ = fs::remove_dir_all(project.build());
            let argument = format!("-DCMAKE_C_COMPILER={}", compiler.display());
            let stock = project.again_with(&cmake, &[&argument, "-DIS_STOCK=1"], |_| {});
            let _ = fs::remove_dir_all(project.build());
            let [_, include, program] = drop_in_args();
            let ours = project.again_with(&cmake, &[&include, &program, &argument], |_| {});
            assert_eq!(kills(&project), 1, "{}", ours.text);
            for (name, entry) in &stock.cache {
                assert!(
                    name == "IS_STOCK" || ours.cache.get(name) == Some(entry),
                    "{name}: {}",
                    ours.text
                );
            }
            let words = ours.text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(words.matches("tryall cannot answer checks (").count(), 1, "{}", ours.text);
        }
    }
}

/// Programs in the place of tryall, and places in which it cannot work.
#[test]
fn a_session_that_cannot_start_is_told_once() {
    let project = project(3, "project(again C)\n");
    let fake = |script: &str| {
        let file = write(project.source(), "fake", &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        format!("-DTRYALL_EXECUTABLE={}", file.display())
    };
    let cmake = &cmakes()[0];
    let stock = stock(&project, cmake);
    for script in [
        "echo rubbish; exit 2",
        "exit 0",
        "echo /nonexistent",
        "echo /tmp",
        "echo \"$0\"",
        "exit 127",
        "kill -9 $$",
        &format!("'{TRYALL}' \"$@\" | sed 's/$/x/'"),
    ] {
        same_but_for_a_warning(&stock, &project, cmake, &[&fake(script)], |_| {});
    }
    same_but_for_a_warning(&stock, &project, cmake, &[], |command| {
        // GCC takes another one if it is not there.
        command.env("TMPDIR", "/nonexistent");
    });
    let limit = format!("ulimit -n 12; exec '{TRYALL}' \"$@\"");
    same_but_for_a_warning(&stock, &project, cmake, &[&fake(&limit)], |_| {});
}

#[test]
fn the_session_is_dead_before_the_first_call() {
    // A session serves the process that has started it, and this script ends at once.
    let script = format!("#!/bin/sh\n'{TRYALL}' \"$@\"\nexit $?\n");
    let project = project(0, "").file("fake", &script);
    let fake = project.source().join("fake");
    fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).unwrap();
    for cmake in cmakes() {
        let program = format!("-DTRYALL_EXECUTABLE={}", fake.display());
        same_but_for_a_warning(&stock(&project, &cmake), &project, &cmake, &[&program], |_| {});
    }
}

#[test]
fn the_store_is_removed_or_replaced_under_way() {
    let remove = "file(REMOVE_RECURSE \"$ENV{TRYALL_STORE}\")\n";
    for (at, what) in [
        (1, remove),
        (5, remove),
        (
            3,
            "file(REMOVE_RECURSE \"$ENV{TRYALL_STORE}\")\nfile(WRITE \"$ENV{TRYALL_STORE}\" \"no directory\")\n",
        ),
        (
            3,
            "file(GLOB_RECURSE files \"$ENV{TRYALL_STORE}/*\")\nforeach(file IN LISTS files)\nfile(WRITE \"${file}\" rubbish)\nendforeach()\n",
        ),
        (
            3,
            "file(GLOB_RECURSE files \"$ENV{TRYALL_STORE}/*\")\nforeach(file IN LISTS files)\nfile(WRITE \"${file}\" \"\")\nendforeach()\n",
        ),
    ] {
        for cmake in cmakes() {
            let project = project(at, what);
            project.thrice(&cmake, &[]);
            // What is there now is no store, or half of one.
            let ours = project.drop_in(&cmake, &[]);
            assert!(ours.succeeded && ours.by_tryall() > 0, "{}", ours.text);
        }
    }
}

#[test]
fn without_a_store_the_answers_are_the_same() {
    for store in ["off", "", "/proc/nonexistent/store", "relative/store"] {
        let project = project(0, "");
        for cmake in cmakes() {
            let [_, cold, warm] = project.thrice_with(&cmake, &[], |command| {
                command.env("TRYALL_STORE", store).env("XDG_CACHE_HOME", project.source());
            });
            assert!(cold.by_tryall() >= 4, "{store}: {}", cold.text);
            if store == "off" {
                assert_eq!(warm.summary().stored, 0, "{}", warm.text);
            }
        }
    }
}

/// Starts a configure step with a temporary directory of its own.
fn start(
    project: &Project,
    build: &Path,
    cmake: &(PathBuf, &str),
    temp: &Path,
    args: &[&str],
) -> Child {
    let mut command = Command::new(&cmake.0);
    command.args(["-G", cmake.1, "-S"]).arg(project.source()).arg("-B").arg(build);
    command.args(drop_in_args()).args(args).env("TMPDIR", temp).env("PATH", path_without_tryall());
    command.env("TRYALL_STORE", project.store()).env_remove("MAKEFLAGS").current_dir(temp);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn two_configure_steps_at_once_do_not_meet() {
    for cmake in cmakes() {
        let project = project(0, "");
        let temp = tempfile::tempdir().unwrap();
        let alone = project.configure(&cmake, &[]);
        let builds = [1, 2, 3].map(|n| project.build().with_file_name(format!("build{n}")));
        let children =
            builds.each_ref().map(|build| start(&project, build, &cmake, temp.path(), &[]));
        for (child, build) in std::iter::zip(children, &builds) {
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
            assert!(said.contains("-- tryall: "), "{said}");
            let cache = fs::read_to_string(build.join("CMakeCache.txt")).unwrap();
            for name in ["HAVE_STDIO", "RUNS", "SIZE", "COMPILES", "HAVE_NONE"] {
                let line = format!("\n{name}:INTERNAL={}\n", alone.value(name));
                assert!(cache.contains(&line), "{name}: {cache}");
            }
        }
    }
}

/// One configures a build directory while it is being configured, with other checks.
#[test]
fn a_configure_step_within_one_of_the_same_directory_does_not_disturb_it() {
    for cmake in cmakes() {
        let temp = tempfile::tempdir().unwrap();
        let asks = "include(CheckFunctionExists)\ncheck_function_exists(fork FORK)\n\
                    check_function_exists(nope NOPE)\nmessage(\"inner ${FORK} ${NOPE}.\")\n";
        let inner = format!("cmake_minimum_required(VERSION 3.16)\nproject(p C)\n{asks}");
        write(temp.path(), "CMakeLists.txt", &inner);
        let drop_in = drop_in_args();
        let lists = format!(
            "check_function_exists(getpid FIRST)\ncheck_function_exists(nope SECOND)\n\
             execute_process(COMMAND \"${{CMAKE_COMMAND}}\" -G \"${{CMAKE_GENERATOR}}\" -S \"{}\" -B \"${{CMAKE_BINARY_DIR}}\" \"{}\" \"{}\" OUTPUT_VARIABLE said ERROR_VARIABLE said)\n\
             message(\"${{said}}\")\ncheck_function_exists(fork OUTER)\ncheck_function_exists(nope NOPE_TOO)\n",
            temp.path().display(),
            drop_in[1],
            drop_in[2],
        );
        let ours = Project::new("C", &lists).drop_in(&cmake, &[]);
        assert!(ours.succeeded && ours.text.contains("inner 1 ."), "{}", ours.text);
        assert_eq!(
            ["FIRST", "SECOND", "OUTER", "NOPE_TOO"].map(|n| ours.value(n)),
            ["1", "", "1", ""]
        );
        assert_eq!(ours.text.matches("-- tryall: ").count(), 2, "{}", ours.text);
    }
}

/// With a compiler that hangs, and a scout on its way.
#[test]
fn when_cmake_is_killed_nothing_is_left() {
    let script = "#!/bin/sh\nfor word; do case $word in *.c)\n\
        if grep -q HANGS \"$word\"; then : >\"${0%/*}/hangs\"; sleep 1000; fi\n\
        esac; done\nexec gcc \"$@\"\n";
    let many: String =
        (0..6).map(|n| format!("check_function_exists(no_such_{n} HAVE_{n})\n")).collect();
    let lists = format!(
        "{many}check_c_source_compiles(\"/* HANGS */ int main(void) {{ return 0; }}\" HANGS)\n"
    );
    let project = Project::new("C", &lists).file("cc.sh", script);
    let compiler = project.source().join("cc.sh");
    fs::set_permissions(&compiler, fs::Permissions::from_mode(0o755)).unwrap();
    let argument = format!("-DCMAKE_C_COMPILER={}", compiler.display());
    for cmake in cmakes() {
        let temp = tempfile::tempdir().unwrap();
        let _ = fs::remove_dir_all(project.build());
        let _ = fs::remove_file(project.source().join("hangs"));
        let mut child = start(&project, project.build(), &cmake, temp.path(), &[&argument]);
        assert!(comes_true(|| project.source().join("hangs").exists()));
        child.kill().unwrap();
        child.wait().unwrap();
        let killed = Instant::now();
        let left = || with_in_environment(temp.path());
        assert!(comes_true(|| left().is_empty()), "{:?}", left());
        // A second, on a machine that has other things to do.
        assert!(killed.elapsed() < Duration::from_secs(5), "{:?}", killed.elapsed());
        let files = || fs::read_dir(temp.path()).unwrap().flatten().map(|entry| entry.path());
        assert!(comes_true(|| files().count() == 0), "{:?}", files().collect::<Vec<_>>());
    }
}

/// Also in the first configure step, when the cache does not name the build directory yet.
#[test]
fn a_session_has_its_directory_in_the_build_directory() {
    let lists = "check_function_exists(fork HAVE_FORK)\n\
        file(GLOB sessions \"${CMAKE_BINARY_DIR}/CMakeFiles/tryall-*\")\n\
        list(LENGTH sessions count)\nmessage(STATUS \"sessions ${count}\")\n";
    for cmake in cmakes() {
        let project = Project::new("C", lists);
        let ours = project.drop_in(&cmake, &[]);
        assert!(ours.text.contains("-- sessions 1\n"), "{}", ours.text);
    }
}
