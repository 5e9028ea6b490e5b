//! `tryall why`: what it says of the variables of a build directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::dropin::*;
use crate::support::*;

const LISTS: &str = "\
check_include_file(stdio.h WARM)
check_include_file(stdlib.h WARM_TOO)
check_function_exists(fork HAVE_FORK)
check_function_exists(no_such_function HAVE_NO_SUCH)
set(CMAKE_REQUIRED_LIBRARIES no_such_library)
check_function_exists(fork HAVE_LIBRARY)
set(CMAKE_REQUIRED_LIBRARIES)
try_compile(SEVERAL \"${CMAKE_BINARY_DIR}/several\" SOURCES \"${CMAKE_SOURCE_DIR}/a.c\" \"${CMAKE_SOURCE_DIR}/b.c\")
check_type_size(long SIZEOF_LONG)
check_c_source_runs(\"int main(void) { return 7; }\" RUNS)
set(CMAKE_REQUIRED_FLAGS -Wall)
check_c_source_compiles(\"int main(void) { int unused; return 0; }\" QUIET FAIL_REGEX unused)
set(CMAKE_REQUIRED_FLAGS)
set(NEVER_ASKED maybe CACHE STRING \"set by hand\")
set(CMAKE_REQUIRED_INCLUDES \"${CMAKE_SOURCE_DIR}\")
check_include_file(own.h HAVE_OWN_H)
";

fn project(lists: &str) -> Project {
    let project = Project::new("C", lists).file("own.h", "extern int own;\n");
    project.file("a.c", "int main(void) { return 0; }\n").file("b.c", "int b;\n")
}

/// What the session and `tryall why` both see.
fn surroundings(command: &mut Command, project: &Project) {
    command.env("TRYALL_STORE", project.store()).env("TRYALL_SCOUT", "off");
    command.env("PATH", path_without_tryall()).env_remove("LD_LIBRARY_PATH");
}

/// Configures, and has each check wait for its own compiler.
fn configure(project: &Project, cmake: &(PathBuf, &str)) -> Configured {
    let args = drop_in_args();
    let args = args.each_ref().map(String::as_str);
    let ours = project.again_with(cmake, &args, |command| surroundings(command, project));
    assert!(ours.succeeded, "{}", ours.text);
    ours
}

fn why(project: &Project, args: &[&str]) -> Output {
    let mut command = Command::new(TRYALL);
    command.arg("why").args(args).current_dir(project.build());
    surroundings(&mut command, project);
    command.output().unwrap()
}

/// What it says of names, all of which are known.
fn said(project: &Project, args: &[&str]) -> String {
    let output = why(project, args);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}

fn files_of_log(project: &Project) -> Vec<PathBuf> {
    let entries = fs::read_dir(project.build().join("CMakeFiles/tryall")).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("answers-"))
        .collect()
}

#[test]
fn every_kind_of_answer_is_explained() {
    let project = project(LISTS);
    for cmake in cmakes() {
        let _ = fs::remove_dir_all(project.build());
        configure(&project, &cmake);
        let lists = project.source().join("CMakeLists.txt").display().to_string();
        let yes = said(&project, &["HAVE_FORK"]);
        assert!(yes.starts_with("HAVE_FORK: yes\n"), "{yes}");
        assert_says(
            &yes,
            &[
                "does this source compile and link?",
                &format!("{lists}:"),
                ": check_function_exists(fork HAVE_FORK)\n",
                "all as they were\n",
                "HAVE_FORK:INTERNAL=1    (Have function fork)",
                "cmake -U HAVE_FORK .",
                "CHECK_FUNCTION_EXISTS",
                "-DCHECK_FUNCTION_EXISTS=fork",
            ],
        );
        let no = said(&project, &["HAVE_NO_SUCH"]);
        assert!(no.starts_with("HAVE_NO_SUCH: no\n"), "{no}");
        assert_says(&no, &["undefined reference to `no_such_function'", "exit status 1"]);
        let library = said(&project, &["HAVE_LIBRARY"]);
        assert!(library.starts_with("HAVE_LIBRARY: no\n"), "{library}");
        assert_says(&library, &["cannot find -lno_such_library"]);
        let several = said(&project, &["SEVERAL"]);
        assert!(several.starts_with("SEVERAL: yes\n"), "{several}");
        assert_says(
            &several,
            &["by CMake itself; several sources: it has more than one", "/a.c", "/b.c"],
        );
        let size = said(&project, &["SIZEOF_LONG"]);
        assert!(size.starts_with("SIZEOF_LONG: \"8\"\n"), "{size}");
        assert_says(&size, &["try_compile(HAVE_SIZEOF_LONG)", "-U SIZEOF_LONG"]);
        let runs = said(&project, &["RUNS"]);
        assert!(runs.starts_with("RUNS: \"\"\n"), "{runs}");
        assert_says(&runs, &["try_run(RUNS_EXITCODE RUNS_COMPILED)", "RUNS_EXITCODE:INTERNAL=7"]);
        let quiet = said(&project, &["QUIET"]);
        assert!(quiet.starts_with("QUIET: no\n"), "{quiet}");
        assert_says(
            &quiet,
            &["The compiler said yes. But", "QUIET:INTERNAL=    (", "unused variable"],
        );
        let never = said(&project, &["NEVER_ASKED"]);
        assert_says(&never, &["NEVER_ASKED: \"maybe\"", "no check set it", "set by hand"]);
    }
}

#[test]
fn the_first_check_in_new_surroundings_shows_what_cmake_wrote() {
    let project = project("check_function_exists(no_such_function FIRST)\n");
    for cmake in cmakes() {
        let _ = fs::remove_dir_all(project.build());
        let _ = fs::remove_dir_all(project.store());
        configure(&project, &cmake);
        let first = said(&project, &["FIRST"]);
        assert!(first.starts_with("FIRST: no\n"), "{first}");
        assert_says(
            &first,
            &["by CMake itself; the first in new surroundings", "undefined reference", "int main"],
        );
    }
}

#[test]
fn unknown_names_are_refused() {
    let cmake = &two_cmakes()[0];
    let project = project(LISTS);
    configure(&project, cmake);
    let output = why(&project, &["HAVE_FROK", "HAVE_FORK", "zzz"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.starts_with(b"HAVE_FORK: yes\n"), "{output:?}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let nothing = "no check has set it here, and CMakeCache.txt does not have it";
    let expected =
        format!("tryall: HAVE_FROK: {nothing}; did you mean HAVE_FORK?\ntryall: zzz: {nothing}\n");
    assert_eq!(stderr, expected);
    let elsewhere = why(&project, &["HAVE_FORK", "-B", "CMakeFiles"]);
    assert_eq!(elsewhere.status.code(), Some(2), "{elsewhere:?}");
    let build = project.build().to_str().unwrap();
    assert_eq!(said(&project, &["HAVE_FORK", "-B", build]).lines().next(), Some("HAVE_FORK: yes"));
}

#[test]
fn a_changed_file_is_named() {
    let cmake = &two_cmakes()[0];
    let project = project(LISTS);
    let fresh = || {
        let _ = fs::remove_dir_all(project.build());
        configure(&project, cmake);
        said(&project, &["HAVE_OWN_H"])
    };
    assert_says(
        &fresh(),
        &["from the compiler, while CMake waited", "had no answer to this question"],
    );
    assert_says(&fresh(), &["from the store; the compiler gave it", "all as they were"]);
    let header = project.source().join("own.h");
    fs::write(&header, "extern int other;\n").unwrap();
    let changed = format!("{} was changed\n", header.display());
    assert_says(&said(&project, &["HAVE_OWN_H"]), &["from the store", "no longer holds", &changed]);
    let asked = fresh();
    assert_says(
        &asked,
        &["while CMake waited", "which no longer holds:\n", &changed, "all as they were"],
    );
    let full = said(&project, &["HAVE_OWN_H", "--full"]);
    assert_says(&full, &[&format!("file     {}\n", header.display()), "the variable CPATH\n"]);
}

#[test]
fn each_configure_step_has_a_file() {
    let cmake = &two_cmakes()[0];
    let project = project(LISTS);
    configure(&project, cmake);
    let more = "foreach(name IN ITEMS sin cos tan)\nunset(AGAIN CACHE)\ncheck_function_exists(${name} AGAIN)\nendforeach()\n";
    let lists = project.source().join("CMakeLists.txt");
    let text = fs::read_to_string(&lists).unwrap();
    fs::write(&lists, format!("{text}{more}")).unwrap();
    configure(&project, cmake);
    assert_eq!(files_of_log(&project).len(), 2);
    assert_says(
        &said(&project, &["AGAIN"]),
        &["the last of 3 times", "-DCHECK_FUNCTION_EXISTS=tan"],
    );
    assert!(said(&project, &["HAVE_FORK"]).starts_with("HAVE_FORK: yes\n"));
    // Only half of a line was written.
    let logs = files_of_log(&project);
    fs::write(&logs[0], "{\"variable\":\"HAVE_FO").unwrap();
    fs::write(&logs[1], "{\"variable\":\"NEVER\",\"unknown\":1}\nnothing\n").unwrap();
    assert!(said(&project, &["NEVER"]).contains("by CMake itself"));
    // It is not read for an answer.
    fs::write(&logs[1], "{\"variable\":\"HAVE_FORK\",\"answer\":\"no\"}\n").unwrap();
    fs::remove_file(project.build().join("CMakeCache.txt")).unwrap();
    assert_eq!(configure(&project, cmake).value("HAVE_FORK"), "1");
}

#[test]
fn the_oldest_files_go() {
    let cmake = &two_cmakes()[0];
    let project = project(LISTS);
    let dir = project.build().join("CMakeFiles/tryall");
    fs::create_dir_all(&dir).unwrap();
    let sizes = [("answers-1000-7", 9 << 20), ("answers-999-8", 9 << 20), ("other", 99 << 20)];
    for (name, size) in sizes {
        fs::File::create(dir.join(name)).unwrap().set_len(size).unwrap();
    }
    configure(&project, cmake);
    let exists = |name: &str| dir.join(name).exists();
    assert_eq!(["answers-1000-7", "answers-999-8", "other"].map(exists), [true, false, true]);
    assert_eq!(files_of_log(&project).len(), 2);
    let all: u64 =
        files_of_log(&project).iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(all < 16 << 20);
    assert!(said(&project, &["HAVE_FORK"]).starts_with("HAVE_FORK: yes\n"));
}

#[test]
fn without_a_log_all_is_as_it_was() {
    let cmake = &two_cmakes()[0];
    let project = project(LISTS);
    let with = configure(&project, cmake);
    let _ = fs::remove_dir_all(project.build());
    fs::create_dir_all(project.build().join("CMakeFiles")).unwrap();
    // A file is in the place of the directory.
    fs::write(project.build().join("CMakeFiles/tryall"), "").unwrap();
    let without = configure(&project, cmake);
    with.assert_same_as(&without);
    assert_eq!(with.whole.stderr, without.whole.stderr);
    let unknown = why(&project, &["HAVE_WHAT"]);
    assert_says(
        &String::from_utf8_lossy(&unknown.stderr),
        &["no check was asked here with tryall"],
    );
}

#[test]
fn json_has_an_object_for_each_name() {
    let cmake = &two_cmakes()[0];
    let project = project(LISTS);
    configure(&project, cmake);
    let output = why(&project, &["--json", "HAVE_NO_SUCH", "SEVERAL", "HAVE_FROK"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    let objects: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [no, several, unknown] = &objects[..] else { panic!("{text}") };
    let check = &no["check"];
    assert_eq!((&no["name"], &check["variable"]), (&"HAVE_NO_SUCH".into(), &"HAVE_NO_SUCH".into()));
    assert_eq!((&check["answer"], &check["origin"]), (&"no".into(), &"asked".into()));
    assert_eq!((&check["kind"], &check["command"]), (&"links".into(), &"try_compile".into()));
    assert_eq!((&check["kept"]["state"], &check["times"]), (&"holds".into(), &1.into()));
    assert_eq!(check["line"][1], "check_function_exists(no_such_function HAVE_NO_SUCH)");
    assert_eq!(
        Path::new(check["list_file"].as_str().unwrap()),
        project.source().join("CMakeLists.txt")
    );
    let output = check["steps"][1]["output"].as_str().unwrap();
    assert!(output.contains("undefined reference"), "{output}");
    let entry = serde_json::json!({"name": "HAVE_NO_SUCH", "type": "INTERNAL", "value": "",
        "help": "Have function no_such_function"});
    assert_eq!(no["cache"], serde_json::json!([entry]));
    assert_eq!(no["ask_again"], serde_json::json!(["cmake", "-U", "HAVE_NO_SUCH", "."]));
    assert_eq!(
        (&several["check"]["origin"], &several["check"]["answer"]),
        (&"cmake".into(), &Value::Null)
    );
    assert_eq!((&unknown["check"], &unknown["nearest"]), (&Value::Null, &"HAVE_FORK".into()));
    // Documented, one and all.
    let documented = read("docs/cmake.md");
    let documented = &documented[documented.find("`--json` prints").unwrap()..];
    for object in [no, check, &check["kept"]] {
        for name in object.as_object().unwrap().keys() {
            assert!(documented.contains(&format!("`{name}`")), "{name}");
        }
    }
}
