//! The scout runs ahead in a sandbox: what a project's list files do to the world happens once, by the
//! real CMake.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::dropin::*;

/// Enough checks that a scout pays.
fn checks(name: &str) -> String {
    (0..30).map(|n| format!("check_function_exists(no_{name}_{n} HAVE_{name}_{n})\n")).collect()
}

/// The list file does something between its checks. The scout gets there first.
fn project(does: &str) -> Project {
    Project::new("C", &format!("{}{does}\n{}", checks("a"), checks("b")))
}

/// Appends a line to a file in each way that list files have.
const COUNTS: &str = r#"
macro(count file)
  file(APPEND "${file}" "by file\n")
  execute_process(COMMAND sh -c "echo by a program >>'${file}'")
endmacro()
"#;

#[test]
fn files_are_written_once() {
    let places = ["$ENV{HOME}/counter", "${CMAKE_SOURCE_DIR}/counter", "$ENV{ELSEWHERE}/counter"];
    let counts: String = places.map(|place| format!("count(\"{place}\")\n")).concat();
    let text = "file(READ \"${place}\" text)\nmessage(STATUS \"${place}: ${text}\")\n";
    let tells: String = places.map(|place| format!("set(place \"{place}\")\n{text}")).concat();
    let project = project(&format!("{COUNTS}{counts}{tells}"));
    let home = project.source().with_file_name("home");
    for cmake in cmakes() {
        let elsewhere = tempfile::tempdir().unwrap();
        let change = |command: &mut Command| {
            let _ = fs::remove_dir_all(&home);
            fs::create_dir_all(&home).unwrap();
            for counter in [project.source().join("counter"), elsewhere.path().join("counter")] {
                let _ = fs::remove_file(counter);
            }
            command.env("HOME", &home).env("ELSEWHERE", elsewhere.path());
        };
        let [stock, ..] = project.thrice_with(&cmake, &[], change);
        assert!(stock.text.contains("counter: by file\nby a program\n"), "{}", stock.text);
        for dir in [&home, project.source(), elsewhere.path()] {
            let text = fs::read_to_string(dir.join("counter")).unwrap();
            assert_eq!(text, "by file\nby a program\n", "{}", dir.display());
        }
    }
}

#[test]
fn the_real_build_directory_is_not_touched() {
    // The scout has another build directory, but a project may know the real one.
    let does = "count(\"$ENV{REAL}/counter\")\nfile(READ \"$ENV{REAL}/counter\" text)\nmessage(STATUS \"${text}\")\n\
                file(REMOVE \"$ENV{REAL}/mine\")\nfile(GLOB there RELATIVE \"$ENV{REAL}\" \"$ENV{REAL}/*\")\nmessage(STATUS \"${there}\")\n";
    let project = project(&format!("file(WRITE \"$ENV{{REAL}}/mine\" \"\")\n{COUNTS}{does}"));
    for cmake in cmakes() {
        project.thrice_with(&cmake, &[], |command| {
            command.env("REAL", project.build());
        });
        let text = fs::read_to_string(project.build().join("counter")).unwrap();
        assert_eq!(text, "by file\nby a program\n");
    }
}

#[test]
fn other_processes_are_left_alone() {
    // CMake itself, all of a user's processes by name, and a group.
    let does = r#"
execute_process(COMMAND sh -c "kill -0 $PPID && echo alive" OUTPUT_VARIABLE alive)
message(STATUS "${alive}")
if(EXISTS "$ENV{VICTIM}")
  file(STRINGS "$ENV{VICTIM}" number)
  execute_process(COMMAND sh -c "kill -USR1 ${number}; echo $?" OUTPUT_VARIABLE said ERROR_QUIET)
  message(STATUS "kill says ${said}")
endif()
"#;
    let project = project(does);
    let victim = project.source().join("victim");
    for cmake in cmakes() {
        for args in [vec![], drop_in_args().to_vec()] {
            let log = project.source().join("log");
            let _ = fs::remove_file(&log);
            let script =
                "trap 'echo signal >>log' USR1; echo $$ >victim; while :; do sleep 0.05; done";
            let mut process = Command::new("sh")
                .args(["-c", script])
                .current_dir(project.source())
                .spawn()
                .unwrap();
            while !fs::read_to_string(&victim).is_ok_and(|text| text.ends_with('\n')) {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            let _ = fs::remove_dir_all(project.build());
            let args: Vec<_> = args.iter().map(String::as_str).collect();
            let configured = project.again_with(&cmake, &args, |command| {
                command.env("VICTIM", &victim);
            });
            std::thread::sleep(std::time::Duration::from_millis(200));
            process.kill().unwrap();
            process.wait().unwrap();
            assert!(configured.succeeded, "{}", configured.text);
            assert!(configured.text.contains("-- kill says 0"), "{}", configured.text);
            assert_eq!(fs::read_to_string(&log).unwrap(), "signal\n", "{}", configured.text);
        }
    }
}

/// Git writes its index when it is asked for the state of files.
#[test]
fn the_index_of_git_is_not_written_ahead() {
    let does = "execute_process(COMMAND git status --short WORKING_DIRECTORY \"${CMAKE_SOURCE_DIR}\" OUTPUT_VARIABLE said ERROR_VARIABLE said)\n\
                execute_process(COMMAND git tag made WORKING_DIRECTORY \"${CMAKE_SOURCE_DIR}\" RESULT_VARIABLE status)\n\
                message(STATUS \"${said} ${status}\")\nexecute_process(COMMAND git tag -d made WORKING_DIRECTORY \"${CMAKE_SOURCE_DIR}\" OUTPUT_QUIET)\n";
    let project = project(does);
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).current_dir(project.source()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    for cmake in cmakes() {
        project.thrice(&cmake, &[]);
    }
}

/// A scout that waits for what never comes, or needs all memory, is ended with the real CMake.
#[test]
fn a_scout_that_hangs_does_not_hold_up_cmake() {
    let does = "get_filename_component(name \"${CMAKE_BINARY_DIR}/..\" ABSOLUTE)\nif(NOT EXISTS \"${CMAKE_SOURCE_DIR}/../build/CMakeFiles/never\" AND NOT CMAKE_BINARY_DIR STREQUAL \"$ENV{REAL}\")\n\
                execute_process(COMMAND sleep 1000)\nendif()\n";
    let project = project(does);
    for cmake in cmakes() {
        let [stock, cold, _] = project.thrice_with(&cmake, &[], |command| {
            command.env("REAL", project.build());
        });
        let (stock, ours) = (stock.whole.seconds, cold.whole.seconds);
        assert!(ours < 2.0 * stock + 5.0, "{ours} s and not {stock} s");
    }
}

#[test]
fn there_is_none_if_it_is_switched_off() {
    let checks = (0..20).map(|n| format!("check_function_exists(none_{n} HAVE_{n})\n"));
    let project = Project::new("C", &checks.collect::<String>());
    for cmake in cmakes() {
        let args = drop_in_args();
        let args = args.each_ref().map(String::as_str);
        let off = |command: &mut Command| {
            command.env("TRYALL_SCOUT", "off");
        };
        let _ = fs::remove_dir_all(project.build());
        let _ = fs::remove_dir_all(project.store());
        let configured = project.again_with(&cmake, &args, off);
        let summary = configured.summary();
        assert_eq!((summary.foreseen, summary.by_cmake), (0, 1), "{}", configured.text);
    }
}

/// The compiler is asked for flags on the way, and not only when the scout has come to the end, which
/// it never does here. A flag that is refused lets it start again.
#[test]
fn flags_are_tried_on_the_way() {
    for (cmake, last_flag) in two_cmakes().iter().zip(["-Wextra", "-Wnone-such"]) {
        let flags = ["-Wall", "-Wshadow", last_flag].map(|flag| {
            format!(
                "check_c_compiler_flag({flag} HAS{flag})\nif(HAS{flag})\n\
                 \x20 string(APPEND CMAKE_C_FLAGS \" {flag}\")\nendif()\n"
            )
        });
        let is_scout = "if(NOT CMAKE_BINARY_DIR STREQUAL \"$ENV{REAL}\")";
        let text = format!(
            "include(CheckCCompilerFlag)\n{}{}\n{is_scout}\nelse()\n\
             execute_process(COMMAND sleep 3)\nendif()\n{}\n{is_scout}\n\
             execute_process(COMMAND sleep 1000)\nendif()\n",
            checks("a").lines().take(2).collect::<Vec<_>>().join("\n") + "\n",
            flags.concat(),
            checks("b"),
        );
        let project = Project::new("C", &text);
        let [_, cold, _] = project.thrice_with(cmake, &[], |command| {
            command.env("REAL", project.build());
        });
        assert!(cold.summary().foreseen >= 10, "{}", cold.text);
    }
}

/// Configures a project whose real CMake sleeps while the scout goes ahead to `text`.
fn slept_before(cmake: &(PathBuf, &str), text: &str) -> Configured {
    let start = checks("a").lines().take(3).collect::<Vec<_>>().join("\n");
    let project = Project::new(
        "C",
        &format!(
            "{start}\nif(CMAKE_BINARY_DIR STREQUAL \"$ENV{{REAL}}\")\n\
             \x20 execute_process(COMMAND sleep 8)\nendif()\n{text}"
        ),
    );
    let args = drop_in_args();
    let args = args.each_ref().map(String::as_str);
    project.again_with(cmake, &args, |command| {
        command.env("REAL", project.build());
    })
}

/// What the scout writes into its build directory stands for what the real CMake will write.
#[test]
fn sources_in_the_build_directory_are_foreseen() {
    let text = "foreach(number RANGE 1 12)\n\
        \x20 file(WRITE \"${CMAKE_BINARY_DIR}/own.c\" \"int main(void) { return ${number}; }\")\n\
        \x20 try_compile(OWN_${number} \"${CMAKE_BINARY_DIR}\" \"${CMAKE_BINARY_DIR}/own.c\")\nendforeach()\n";
    for cmake in cmakes() {
        let cold = slept_before(&cmake, text);
        // A slow machine does not come to the last.
        assert!(cold.summary().foreseen >= 4, "{}", cold.text);
    }
}

/// What a variable was answered with other flags is likely to be its answer, so that guesses that rest on each
/// other take one more round, and not one each.
#[test]
fn wrong_guesses_are_corrected_together() {
    let wrong = (0..8).map(|n| {
        format!(
            "check_function_exists(none_{n} WRONG_{n})\nif(WRONG_{n})\n\
             \x20 list(APPEND CMAKE_REQUIRED_DEFINITIONS -DWRONG_{n})\nendif()\n"
        )
    });
    let text = wrong.collect::<String>() + &checks("b");
    for cmake in cmakes() {
        let cold = slept_before(&cmake, &text);
        // One by one, no more than the first six are right in the end.
        assert!(cold.summary().foreseen >= 12, "{}", cold.text);
    }
}
