//! Failures leave no wrong answers behind: an aborted configure step, a missing or broken program.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::dropin::*;
use crate::support::*;

const ASKS: &str = "check_include_file(stdio.h WARM)\ncheck_c_source_compiles(\"int main(void) { return 0; }\" WARM_LINKS)\ncheck_type_size(char WARM_SIZE)\n\
    check_c_source_runs(\"int main(void) { return 0; }\" WARM_RUNS)\nif(WARM)\nendif()\n\
    check_include_file(nope.h NOT_THERE)\ncheck_include_file(unistd.h THERE)\ncheck_type_size(long SIZE)\n";

#[test]
fn a_failed_configure_step_leaves_no_placeholders() {
    let failures = [
        "message(FATAL_ERROR failed)",
        "find_package(Nope REQUIRED)",
        "no_such_command()",
        "add_subdirectory(nope)\nmessage(FATAL_ERROR failed)",
    ];
    let mut lists = ASKS.to_string();
    for (number, failure) in failures.iter().enumerate() {
        lists += &format!("if(FAILS EQUAL {number})\n{failure}\nendif()\n");
    }
    lists += "message(\"${NOT_THERE} ${THERE} ${SIZE}\")\n";
    let project = Project::new("C", &lists);
    let values =
        |c: &Configured| ["NOT_THERE", "THERE", "SIZE"].map(|name| c.value(name).to_owned());
    for cmake in cmakes() {
        let stock = project.configure(&cmake, &["-DFAILS=no"]);
        for (number, failure) in failures.iter().enumerate() {
            let fails = format!("-DFAILS={number}");
            let failed = project.drop_in(&cmake, &[&fails]);
            assert!(!failed.succeeded, "{failure}: {}", failed.text);
            assert!(
                failed.value("THERE").starts_with("TRYALL_PENDING_"),
                "nothing was waiting: {}",
                failed.text
            );
            // Without the drop-in and without tryall.
            let next =
                project.again(&cmake, &["-DFAILS=no", "-UCMAKE_PROJECT_INCLUDE", "-UTRYALL*"]);
            assert!(next.succeeded && !next.text.contains("TRYALL"), "{}", next.text);
            assert_eq!(values(&next), values(&stock));
            assert!(!project.build().join("PreLoad.cmake").exists());

            project.drop_in(&cmake, &[&fails]);
            let next = project.again(&cmake, &["-DFAILS=no"]);
            assert!(next.succeeded, "{}", next.text);
            assert_eq!(values(&next), values(&stock));
            assert!(!next.cache.values().any(|entry| entry.contains("TRYALL")));
            assert!(!project.build().join("PreLoad.cmake").exists());
        }
    }
}

#[test]
fn the_users_preload_file_is_kept() {
    let project = Project::new("C", &format!("{ASKS}message(FATAL_ERROR failed)"));
    for cmake in two_cmakes() {
        let _ = fs::remove_dir_all(project.build());
        fs::create_dir_all(project.build()).unwrap();
        write(project.build(), "PreLoad.cmake", "message(\"mine\")\n");
        let drop_in = drop_in_args();
        let failed = project.again(&cmake, &[&drop_in[0], &drop_in[1]]);
        assert!(failed.text.contains("mine"));
        assert_eq!(
            (failed.value("THERE"), failed.value("NOT_THERE")),
            ("1", ""),
            "{}",
            failed.text
        );
        assert_eq!(
            fs::read_to_string(project.build().join("PreLoad.cmake")).unwrap(),
            "message(\"mine\")\n"
        );
    }
}

/// A script that replaces tryall.
fn fake(dir: &Path, script: &str) -> String {
    let file = write(dir, "fake-tryall", &format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    file.to_str().unwrap().into()
}

fn with_program(
    project: &Project,
    cmake: &(std::path::PathBuf, &str),
    program: &str,
) -> Configured {
    let drop_in = drop_in_args();
    project.configure(cmake, &[&drop_in[0], &format!("-DTRYALL_EXECUTABLE={program}")])
}

#[test]
fn without_the_program_cmake_runs_all_checks_and_warns_once() {
    let project = Project::new("C", &format!("{ASKS}project(q C)"));
    for cmake in cmakes() {
        let stock = project.configure(&cmake, &[]);
        let drop_in = drop_in_args();
        let ours = project.configure(&cmake, &[&drop_in[0]]);
        let notices = ours.text.lines().filter(|line| line.contains("cargo install tryall"));
        assert_eq!(notices.count(), 1, "{}", ours.text);
        let mut without = ours;
        without.text = without
            .text
            .lines()
            .filter(|line| !line.contains("tryall"))
            .map(|line| format!("{line}\n"))
            .collect();
        stock.assert_same_as(&without);
    }
}

#[test]
fn with_a_broken_program_cmake_runs_the_checks() {
    let project = Project::new(
        "C",
        &format!(
            "{ASKS}message(\"${{NOT_THERE}} ${{THERE}} ${{SIZE}}\")\ncheck_function_exists(fork FORK)"
        ),
    );
    let dir = tempfile::tempdir().unwrap();
    for cmake in two_cmakes() {
        let stock = project.configure(&cmake, &[]);
        for script in [
            "echo rubbish; exit 2",
            "exit 0",
            "echo rubbish > answers.cmake; exit 0",
            ": > answers.cmake; exit 0",
            "exit 127",
            "kill -9 $$",
            "echo 'set(_tryall_1_STATUS maybe)' > answers.cmake",
            "echo 'set(_tryall_1_STATUS error)' > answers.cmake; exit 3",
        ] {
            let ours = with_program(&project, &cmake, &fake(dir.path(), script));
            assert!(ours.succeeded, "{script}: {}", ours.text);
            assert_eq!(stock.cache, ours.cache, "{script}: {}", ours.text);
        }
        let missing = with_program(&project, &cmake, "/nonexistent/tryall");
        assert_eq!(stock.cache, missing.cache);
        let notice = "tryall is not at /nonexistent/tryall";
        assert!(missing.text.contains(notice), "{}", missing.text);
    }
}

#[test]
fn verification_finds_a_different_answer() {
    let lists = format!(
        "{ASKS}check_c_source_runs(\"int main(void) {{ return 3; }}\" RUNS)\ncheck_c_source_runs(\"int main(void) {{ return 4; }}\" RUNS_4)\n"
    );
    let project = Project::new("C", &lists);
    let dir = tempfile::tempdir().unwrap();
    for cmake in cmakes() {
        let good = project.drop_in(&cmake, &["-DTRYALL_VERIFY=ON"]);
        assert!(good.succeeded && good.text.contains("answers compared"), "{}", good.text);
        for (edit, name, says) in [
            (
                "0,/_STATUS no)/s/_STATUS no)/_STATUS yes)/",
                "",
                "CMake says FALSE, tryall says TRUE",
            ),
            (
                "0,/_STATUS yes)/s/_STATUS yes)/_STATUS no)/",
                "",
                "CMake says TRUE, tryall says FALSE",
            ),
            (
                "s/_RUN_EXIT_CODE 4)/_RUN_EXIT_CODE 5)/",
                "RUNS_4",
                "CMake says TRUE 4, tryall says TRUE 5",
            ),
        ] {
            let script =
                format!("{TRYALL} \"$@\"; status=$?\nsed -i '{edit}' answers.cmake\nexit $status");
            let drop_in = drop_in_args();
            let program = format!("-DTRYALL_EXECUTABLE={}", fake(dir.path(), &script));
            let found = project.configure(&cmake, &[&drop_in[0], &program, "-DTRYALL_VERIFY=ON"]);
            assert!(!found.succeeded, "{edit}: {}", found.text);
            let text = found.text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains(&format!("{name} differs. {says}")), "{edit}: {text}");
            assert!(text.contains("conftest.c"), "the commands are printed: {text}");
        }
    }
}

/// Both would write their checks to the same file and read each other's answers.
#[test]
fn a_second_configure_step_in_one_build_directory_is_left_to_cmake() {
    for cmake in two_cmakes() {
        let temp = tempfile::tempdir().unwrap();
        let other = temp.path().join("other");
        fs::create_dir(&other).unwrap();
        let asks = "include(CheckFunctionExists)\ncheck_function_exists(fork FORK)\n\
                    check_function_exists(nope NOPE)\nmessage(\"inner ${FORK} ${NOPE}.\")\n";
        let inner = format!("cmake_minimum_required(VERSION 3.16)\nproject(q C)\n{asks}");
        write(&other, "CMakeLists.txt", &inner);
        let drop_in = drop_in_args();
        let lists = format!(
            "check_function_exists(getpid WARM)\nif(WARM)\nendif()\n\
             check_function_exists(nope WAITS)\n\
             execute_process(COMMAND \"${{CMAKE_COMMAND}}\" -G \"${{CMAKE_GENERATOR}}\" -S \"{}\" -B \"${{CMAKE_BINARY_DIR}}\" \"{}\" \"{}\" OUTPUT_VARIABLE said ERROR_VARIABLE said)\n\
             message(\"${{said}}\")\ncheck_function_exists(fork OUTER)\n\
             if(FAILS)\nmessage(FATAL_ERROR failed)\nendif()\n",
            other.display(),
            drop_in[0],
            drop_in[1],
        );
        let project = Project::new("C", &lists);
        let ours = project.drop_in(&cmake, &[]);
        assert!(ours.succeeded, "{}", ours.text);
        assert!(ours.text.contains("another CMake configures this build"), "{}", ours.text);
        assert!(ours.text.contains("inner 1 ."), "{}", ours.text);
        assert_eq!((ours.value("OUTER"), ours.value("WAITS")), ("1", ""));

        // The other run has not removed the mechanism that makes the next run discard deferred
        // checks.
        let failed = project.drop_in(&cmake, &["-DFAILS=1"]);
        assert!(failed.value("WAITS").starts_with("TRYALL_PENDING_"), "{}", failed.text);
        let next = project.again(&cmake, &["-DFAILS=0", "-UCMAKE_PROJECT_INCLUDE", "-UTRYALL*"]);
        assert!(next.succeeded, "{}", next.text);
        assert_eq!((next.value("OUTER"), next.value("WAITS")), ("1", ""));
    }
}
