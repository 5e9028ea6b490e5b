//! The drop-in takes answers from the store.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::dropin::{Configured, Project, cmakes, drop_in_args};

const LISTS: &str = "cmake_minimum_required(VERSION 3.16)\nproject(p C)\ninclude(CheckFunctionExists)\ninclude(CheckIncludeFile)\ninclude(CheckTypeSize)\n\
    check_function_exists(fork HAVE_FORK)\ncheck_function_exists(kqueue HAVE_KQUEUE)\n\
    check_include_file(unistd.h HAVE_UNISTD_H)\ncheck_include_file(no/such.h HAVE_NO_SUCH_H)\n\
    check_type_size(long SIZEOF_LONG)\n";

/// How many checks waited for a compiler.
fn waited(configured: &Configured) -> u32 {
    let summary = configured.summary();
    summary.checks - summary.stored
}

#[test]
fn empty_build_directory_starts_no_compiler() {
    for cmake in cmakes() {
        let store = tempfile::tempdir().unwrap();
        let project = Project::of(LISTS);
        let configured = |store: &str| {
            let _ = fs::remove_dir_all(project.build());
            let args = drop_in_args();
            let change = |command: &mut Command| {
                command.env("TRYALL_STORE", store).env("LANG", "C.UTF-8").env_remove("LC_ALL");
            };
            project.again_with(&cmake, &args.each_ref().map(String::as_str), change)
        };
        let kept = store.path().to_str().unwrap();
        // What CMake answers in the first may be asked in the second.
        let [first, second, third, off] = [kept, kept, kept, "off"].map(configured);
        for again in [&second, &third, &off] {
            first.assert_same_as(again);
            assert_eq!(again.value("SIZEOF_LONG"), first.value("SIZEOF_LONG"));
        }
        assert!(waited(&first) > 3, "{}", first.text);
        assert!(waited(&second) < 3, "{}", second.text);
        assert!(waited(&third) == 0, "{}", third.text);
        assert!(waited(&off) > 0, "{}", off.text);
    }
}

#[test]
fn what_cmake_answered_is_asked_for_the_next_time() {
    // That happens beside CMake, and may take longer on a busy machine.
    let is_stored = |patience: u32| {
        let sleep =
            format!("execute_process(COMMAND \"${{CMAKE_COMMAND}}\" -E sleep {patience})\n");
        let lists = "cmake_minimum_required(VERSION 3.16)\nproject(p C)\ninclude(CheckFunctionExists)\n\
            check_function_exists(fork HAVE_FORK)\n";
        let (store, project) =
            (tempfile::tempdir().unwrap(), Project::of(&(lists.to_owned() + &sleep)));
        let configured = || {
            let _ = fs::remove_dir_all(project.build());
            let args = drop_in_args();
            let change = |command: &mut Command| {
                command.env("TRYALL_STORE", store.path());
            };
            project.again_with(&cmakes()[0], &args.each_ref().map(String::as_str), change)
        };
        let [first, second] = [configured(), configured()];
        first.assert_same_as(&second);
        assert_eq!(first.summary().by_cmake, 1, "{}", first.text);
        second.summary().stored == 1
    };
    assert!([1, 4, 16, 64].into_iter().any(is_stored));
}

/// What CMake has found out about the compilers of a build directory, and in how many checks of its own:
/// from CMake 3.26 on, it logs these.
fn examined(build: &Path) -> (Vec<String>, usize) {
    let files = fs::read_dir(build.join("CMakeFiles")).unwrap().flatten().map(|entry| entry.path());
    let dir = files.into_iter().find(|dir| dir.join("CMakeSystem.cmake").exists()).unwrap();
    let texts = ["C", "CXX", "Fortran"].map(|language| {
        fs::read_to_string(dir.join(format!("CMake{language}Compiler.cmake"))).unwrap()
    });
    let log = fs::read_to_string(build.join("CMakeFiles/CMakeConfigureLog.yaml"));
    let count = log.map_or(0, |log| log.matches("kind: \"try_compile-v1\"").count());
    (texts.to_vec(), count)
}

#[test]
fn compilers_are_examined_once() {
    let lists = "cmake_minimum_required(VERSION 3.20)\nproject(p C CXX Fortran)\n";
    let project = Project::of(lists);
    for cmake in cmakes() {
        for (c, cxx) in [("gcc", "g++"), ("clang", "clang++")] {
            let _ = fs::remove_dir_all(project.store());
            let compilers = [("C", c), ("CXX", cxx)]
                .map(|(language, name)| format!("-DCMAKE_{language}_COMPILER={name}"));
            let args = compilers.each_ref().map(String::as_str);
            let stock = project.configure(&cmake, &args);
            let (expected, checks) = examined(project.build());
            let all = [0; 3].map(|_| {
                project.drop_in(&cmake, &args).assert_same_as(&stock);
                examined(project.build())
            });
            assert!(all.iter().all(|(texts, _)| *texts == expected), "{cmake:?} {c}");
            // CMake shows the commands, the session asks, the store answers. Fortran is CMake's.
            let counts = all.map(|(_, count)| count);
            assert_eq!(counts, [checks, checks.min(1), checks.min(1)], "{cmake:?} {c}");
        }
    }
}
