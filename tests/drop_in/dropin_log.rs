//! CMakeConfigureLog.yaml is complete, however the modules are included.

use std::fs;

use crate::dropin::*;
use crate::support::*;

/// The events of a log, each as its lines. Fails if the YAML is not in CMake's form.
fn events(project: &Project) -> Vec<String> {
    let log =
        fs::read_to_string(project.build().join("CMakeFiles/CMakeConfigureLog.yaml")).unwrap();
    let mut events: Vec<String> = Vec::new();
    for line in log.lines() {
        if line == "---" || line == "..." || line == "events:" || line.is_empty() {
            continue;
        }
        if line == "  -" {
            events.push(String::new());
            continue;
        }
        // Keys of an event, elements of its lists, and indented text.
        let is_deeper = line.starts_with("      ");
        let is_key = line.starts_with("    ") && line.trim_end().contains(':');
        assert!(is_deeper || is_key, "{line:?} in {log}");
        assert!(!line.contains('\t') || is_deeper, "{line:?}");
        let event = events.last_mut().unwrap();
        event.push_str(line.trim());
        event.push('\n');
    }
    events
}

#[test]
fn the_configure_log_has_source_command_output_and_answer() {
    let project = Project::new(
        "C",
        "check_include_file(stdio.h WARM)\ncheck_include_file(nope.h NO_HEADER)\ncheck_include_file(unistd.h HEADER)\n\
         check_c_source_runs(\"int main(void) { return 0; }\" WARM_RUNS)\ncheck_c_source_runs(\"#include <stdio.h>\\nint main(void) { puts(\\\"- a: b\\\"); return 7; }\" RUNS)\n",
    );
    project.drop_in(&(venv("cmake"), "Ninja"), &[]);
    let events = events(&project);
    let of =
        |words: &[&str]| events.iter().any(|event| words.iter().all(|word| event.contains(word)));
    assert!(
        of(&[
            "NO_HEADER: FALSE, answered by tryall",
            "nope.h",
            "#include",
            "fatal error",
            "exit code 1",
            "gcc "
        ]),
        "{events:#?}"
    );
    assert!(of(&["HEADER: TRUE, answered by tryall", "unistd.h", "gcc "]), "{events:#?}");
    assert!(of(&["RUNS_COMPILED: TRUE", "return 7", "ended with 7", "- a: b"]), "{events:#?}");
    assert!(of(&["kind: \"try_compile-v1\""]), "{events:#?}");
}

const ADOPT: &str = "include(CheckIncludeFile)\ninclude(CheckTypeSize)\ntryall_begin()\ncheck_include_file(stdio.h WARM)\n\
    check_include_file(unistd.h HAVE_A)\ncheck_include_file(nope.h HAVE_B)\ntryall_end()\ncheck_type_size(long SIZE)\n\
    message(\"${HAVE_A} ${HAVE_B} ${SIZE}\")\n";

#[test]
fn every_way_of_including_the_modules_works() {
    let modules = root().join("cmake");
    let modules = modules.display();
    for way in [
        format!("include(\"{modules}/Tryall.cmake\")"),
        format!("find_package(Tryall REQUIRED PATHS \"{modules}\" NO_DEFAULT_PATH)"),
        format!("list(APPEND CMAKE_MODULE_PATH \"{modules}\")\ninclude(Tryall)"),
        format!(
            "file(COPY \"{modules}/\" DESTINATION \"${{CMAKE_BINARY_DIR}}/vendored\")\ninclude(\"${{CMAKE_BINARY_DIR}}/vendored/Tryall.cmake\")"
        ),
        format!(
            "include(FetchContent)\nFetchContent_Declare(Tryall SOURCE_DIR \"{modules}\")\nFetchContent_MakeAvailable(Tryall)\n\
            include(\"${{tryall_SOURCE_DIR}}/Tryall.cmake\")"
        ),
    ] {
        let project = Project::of(&format!(
            "cmake_minimum_required(VERSION 3.20)\nproject(p C)\n{way}\n{ADOPT}"
        ));
        for cmake in cmakes() {
            let stock = project.configure(&cmake, &[]);
            assert!(
                stock.succeeded && stock.text.contains("cargo install tryall"),
                "{way}: {}",
                stock.text
            );
            let ours = project.configure(&cmake, &[&format!("-DTRYALL_EXECUTABLE={TRYALL}")]);
            assert!(ours.succeeded && ours.by_tryall() == 2, "{way}: {}", ours.text);
            assert_eq!(stock.cache, ours.cache, "{way}");
            let twice = project.again(&cmake, &[]);
            assert!(twice.succeeded && twice.cache == ours.cache, "{}", twice.text);
        }
    }
}
