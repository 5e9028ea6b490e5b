//! The drop-in takes answers from the store.

use std::fs;
use std::process::Command;

use crate::dropin::{Configured, Project, drop_in_args, two_cmakes};

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
    for cmake in two_cmakes() {
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
        // What CMake answers in the first is asked in the second.
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
