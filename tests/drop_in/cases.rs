//! The small projects in cases/: each stands for a kind of thing that projects do. From an empty
//! directory, and again in a fresh one with the same store, everything must be as with CMake alone.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::dropin::*;
use crate::support::*;

/// A project, and how it is configured.
struct Case {
    project: Project,
    args: Vec<String>,
    env: Vec<(&'static str, String)>,
    cmakes: Vec<(PathBuf, &'static str)>,
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

impl Case {
    fn new(name: &str) -> Self {
        let project = Project::of("");
        copy(&root().join("tests/drop_in/cases").join(name), project.source());
        Case { project, args: Vec::new(), env: Vec::new(), cmakes: cmakes() }
    }

    fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    /// A toolchain file of the project.
    fn toolchain(self, name: &str) -> Self {
        let file = self.project.source().join(name);
        self.arg(format!("-DCMAKE_TOOLCHAIN_FILE={}", file.display()))
    }

    /// The CMake of tests/install, for what is newer than the system's.
    fn newest(mut self) -> Self {
        self.cmakes = vec![(venv("cmake"), "Ninja")];
        self
    }

    /// An older and a newer one.
    fn two_cmakes(mut self) -> Self {
        self.cmakes = two_cmakes();
        self
    }

    /// All CMakes.
    fn all_cmakes(mut self) -> Self {
        let generators = ["Ninja", "Unix Makefiles"].into_iter().cycle();
        self.cmakes = all_cmakes().into_iter().zip(generators).collect();
        self
    }

    fn both_generators(mut self) -> Self {
        let generators = ["Ninja", "Unix Makefiles"];
        let both = |cmake: PathBuf| generators.map(|generator| (cmake.clone(), generator));
        let cmakes: BTreeSet<_> = self.cmakes.into_iter().map(|(cmake, _)| cmake).collect();
        self.cmakes = cmakes.into_iter().flat_map(both).collect();
        self
    }

    /// Configures with CMake alone, with an empty store, and with a full one, with each CMake.
    fn same(&self) -> Vec<[Configured; 3]> {
        let args: Vec<_> = self.args.iter().map(String::as_str).collect();
        let change = |command: &mut Command| {
            command.current_dir(self.project.source());
            command.envs(self.env.iter().map(|(name, value)| (name, value)));
        };
        let all = self.cmakes.iter().map(|cmake| self.project.thrice_with(cmake, &args, change));
        all.collect()
    }
}

/// Asserts that stock CMake said these lines, so that the case is what it should be.
fn says(all: &[[Configured; 3]], lines: &[&str]) {
    for [stock, ..] in all {
        for line in lines {
            assert!(stock.text.lines().any(|said| said == *line), "no {line:?} in {}", stock.text);
        }
    }
}

/// Asserts how many checks at most went to CMake, with an empty store and with a full one: as many as
/// without a scout, which learns some of their commands if it gets to them first.
fn by_cmake(all: &[[Configured; 3]], cold: u32, warm: u32) {
    for [_, first, second] in all {
        let counts = (first.by_cmake(), second.by_cmake());
        assert!(counts.0 <= cold && counts.1 <= warm, "{counts:?}: {} {}", first.text, second.text);
        assert!(first.by_tryall() > 0 && second.by_tryall() > 0, "{}", first.text);
    }
}

#[test]
fn files_change_between_checks() {
    let all = Case::new("files_change").same();
    says(&all, &["-- sizes 1 2 8"]);
    for [_, ours, again] in &all {
        for configured in [ours, again] {
            let values = ["HAVE_VERSION_SCRIPT", "HAVE_NO_VERSION_SCRIPT", "HEADER_AFTER"];
            assert_eq!(values.map(|name| configured.value(name)), ["1", "", ""]);
            let values = ["HEADER_AGAIN", "FIRST_IN_first", "FIRST_IN_second", "READS_no"];
            assert_eq!(values.map(|name| configured.value(name)), ["1", "1", "", ""]);
            let values = ["SOURCE_good", "SOURCE_bad", "ONE_IN_one", "ONE_IN_two"];
            assert_eq!(values.map(|name| configured.value(name)), ["TRUE", "FALSE", "1", ""]);
        }
    }
    by_cmake(&all, 4, 2);
}

#[test]
fn the_cache_is_read_before_the_first_check() {
    let all = Case::new("cache_read_first").same();
    says(&all, &["-- HAVE_FORK is_set='1' strings='' value='1'"]);
    by_cmake(&all, 1, 0);
}

#[test]
fn names_of_a_project_may_be_any() {
    let all = Case::new("names").same();
    says(&all, &["-- left: ''", "-- 1 '' 2"]);
    by_cmake(&all, 2, 0);
}

#[test]
fn flags_have_quotes_and_spaces() {
    let all = Case::new("quotes").same();
    for [stock, ..] in &all {
        for what in ["double", "single", "required", "definitions", "linker"] {
            assert_eq!(stock.value(&format!("SOURCE_{what}")), "1", "{what}: {}", stock.text);
        }
    }
    // What is no plain definition needs a lesson of its own.
    by_cmake(&all, 2, 0);
}

#[test]
fn targets_stand_for_libraries() {
    let all = Case::new("targets").same();
    for [stock, ..] in &all {
        let names = ["HAVE_cos_extra", "EXTRA_both", "ANSWER_both", "ANSWER_none", "EXTRA_changed"];
        assert_eq!(names.map(|name| stock.value(name)), ["1", "1", "1", "", ""], "{}", stock.text);
    }
    // One in each surroundings, and one more where its source did not compile. CMake does not show how it
    // would link what is not there.
    by_cmake(&all, 31, 13);
}

#[test]
fn programs_have_a_suffix() {
    need("x86_64-w64-mingw32-gcc");
    for (toolchain, fork) in [("elf.cmake", "1"), ("windows.cmake", ""), ("bare.cmake", "1")] {
        let all = Case::new("suffix").toolchain(toolchain).same();
        assert!(all.iter().all(|[stock, ..]| stock.value("HAVE_fork") == fork), "{toolchain}");
        // With a toolchain file, whatever is linked or included makes new surroundings. CMake's commands for
        // Windows are not understood yet.
        if toolchain != "windows.cmake" {
            by_cmake(&all, 10, 2);
        }
    }
}

#[test]
fn lists_after_keywords_are_empty() {
    by_cmake(&Case::new("empty_lists").same(), 1, 0);
}

#[test]
fn policies_of_the_caller_count() {
    let all = Case::new("callers_policies").two_cmakes().same();
    assert_eq!(all[1][0].value("NEW_BACKSLASH"), "1");
    for [stock, ..] in &all {
        let names = ["OLD_HEADER", "NEW_HEADER", "NEW_LINKS"].map(|name| stock.value(name));
        assert_eq!(names, ["1", "", ""], "{}", stock.text);
    }
}

#[test]
fn a_policy_may_be_old() {
    let all = Case::new("old_policies").all_cmakes().same();
    says(&all, &["-- 'TRUE' 'TRUE'"]);
    // CMake 4.4 warns of the variable.
    Case::new("old_policies").newest().arg("-DCMAKE_WARN_DEPRECATED=OFF").same();
}

#[test]
fn cmake_warns_of_policies_of_the_caller() {
    for (version, said) in
        [("3.20", "-- 'TRUE' 'TRUE' 'TRUE' ON"), ("3.21", "-- 'TRUE' 'normal' 'TRUE' ON")]
    {
        let all = Case::new("policy_warnings").arg(format!("-DAT={version}")).same();
        says(&all, &[said]);
        let warns = |stock: &Configured| stock.text.contains("CMP0126 is not set");
        assert!(all.iter().all(|[stock, ..]| warns(stock) == (version == "3.20")), "{version}");
    }
}

#[test]
fn configurations_may_have_any_name() {
    let mut case = Case::new("odd_configurations");
    // Ninja takes no such names.
    case.cmakes = vec![("/usr/bin/cmake".into(), "Unix Makefiles")];
    says(&case.same(), &["-- a b: 'TRUE'"]);
}

#[test]
fn keywords_may_be_too_new() {
    let all = Case::new("new_keywords").two_cmakes().same();
    let complains =
        |stock: &Configured| stock.text.contains("Unknown arguments:\n\n    \"NO_LOG\"");
    assert!(all.iter().any(|[stock, ..]| complains(stock)), "{}", all[0][0].text);
}

#[test]
fn keywords_follow_lists() {
    let all = Case::new("keywords").newest().same();
    says(&all, &["-- 1 0 0 4 3 ''"]);
    by_cmake(&all, 7, 0);
}

#[test]
fn output_is_coloured_or_not() {
    let case = |colour: &str| Case::new("colours").arg(format!("-Dcolour={colour}"));
    let always = "-fdiagnostics-color=always";
    by_cmake(&case(always).both_generators().same(), 2, 0);
    by_cmake(&case("").same(), 2, 0);
    says(&case(always).env("CLICOLOR_FORCE", "1").same(), &["-- coloured", "-- '1' '1'"]);
    case("").arg("-DCMAKE_COLOR_DIAGNOSTICS=ON").same();
    case("").env("CLICOLOR_FORCE", "1").env("GCC_COLORS", "warning=01;31").same();
}

#[test]
fn projects_set_variables_of_cmake() {
    for at in ["source;matches", "version;scope", "command", "list"] {
        let all = Case::new("cmakes_variables").arg(format!("-DAT={at}")).same();
        says(&all, &["-- '1' '1' '' '' 3"]);
        by_cmake(&all, 1, 0);
    }
    // CMake 4 takes no other generator in a list file.
    let mut case = Case::new("cmakes_variables").arg("-DAT=generator");
    case.cmakes = vec![("/usr/bin/cmake".into(), "Unix Makefiles")];
    says(&case.same(), &["-- '1' '1' '' '' 3"]);
}

#[test]
fn a_compiler_that_is_a_script_reads_any_variable() {
    need("clang");
    let case = Case::new("compiler_script");
    let compiler = case.project.source().join("mycc").display().to_string();
    let all = case.arg(format!("-DCMAKE_C_COMPILER={compiler}")).same();
    says(&all, &["-- 1: '1'", "-- 2: ''", "-- '1' '1' ''"]);
    by_cmake(&all, 1, 0);
}

#[test]
fn programs_end_in_all_ways() {
    let all = Case::new("programs").same();
    says(&all, &["-- good: '0' TRUE ", "-- high: '200' TRUE ", "-- byte: '0' TRUE c8"]);
    // Quotes in arguments are for CMake to split.
    by_cmake(&all, 2, 1);
}

#[test]
fn projects_override_commands() {
    for how in [
        "check_macro;message",
        "check_function;find_and_include",
        "check_twice",
        "try_macro",
        "try_function",
        "try_never",
    ] {
        Case::new("overrides").arg(format!("-DHOW={how}")).same();
    }
}

#[test]
fn messages_stand_where_they_stood() {
    by_cmake(&Case::new("messages").same(), 1, 0);
    Case::new("messages").arg("--log-level=VERBOSE").arg("--log-context").same();
    Case::new("messages").arg("-Wno-dev").same();
    Case::new("messages").arg("-Wdeprecated").arg("-Werror=dev").same();
}

#[test]
fn messages_of_fortran_are_the_same() {
    need("gfortran");
    let all = Case::new("fortran_messages").both_generators().same();
    by_cmake(&all, 2, 1);
}

#[test]
fn a_failing_configure_step_leaves_the_same() {
    for by in ["package", "fatal", "error", "command", "directory", "deferred", "generate"] {
        let all = Case::new("fails").arg(format!("-DBY={by}")).same();
        assert!(all.iter().all(|[stock, ..]| !stock.succeeded), "{by}");
    }
}

#[test]
fn a_project_includes_files_of_its_own() {
    for how in ["include", "before", "named", "top"] {
        // A variable of the list file hides the one that loads the drop-in.
        let case = Case::new("own_include").arg("--no-warn-unused-cli");
        let all = case.arg(format!("-DHOW={how}")).same();
        assert!(all.iter().all(|[stock, ..]| stock.text.contains("-- own, of '")), "{how}");
    }
}

#[test]
fn thousands_of_evaluations_change_nothing() {
    for [stock, cold, _] in Case::new("many_evaluations").same() {
        let (stock, ours) = (stock.whole.seconds, cold.whole.seconds);
        assert!(ours < 2.0 * stock + 2.0, "{ours} s and not {stock} s");
    }
}

#[test]
fn the_environment_is_that_of_the_call() {
    let all = Case::new("environment").same();
    for [stock, ..] in &all {
        let names = ["WITHOUT_1", "WITH_1", "WITHOUT_2", "WITH_LIBRARY", "NO_PATH"];
        assert_eq!(names.map(|name| stock.value(name)), ["", "1", "", "1", ""], "{}", stock.text);
    }
}

#[test]
fn checks_stand_in_subdirectories_functions_and_calls() {
    let all = Case::new("subdirectories").same();
    for [stock, ..] in &all {
        let names =
            ["INNER_HEADER", "INNER", "INNER2", "DEFERRED", "DEFERRED_TO_TOP", "HAVE_VECTOR"];
        assert_eq!(names.map(|n| stock.value(n)), ["1", "TRUE", "FALSE", "1", "1", "1"]);
    }
    by_cmake(&all, 5, 0);
}

#[test]
fn a_source_tree_is_behind_a_link_and_there_is_no_home() {
    let case = Case::new("subdirectories").env("HOME", "/nonexistent");
    let source = case.project.source().to_owned();
    let real = source.with_file_name("real");
    fs::rename(&source, &real).unwrap();
    symlink(&real, &source).unwrap();
    case.same();
}
