//! Failures leave no wrong answers behind: an aborted configure step, a missing program, a compiler that
//! gives other answers to tryall than to CMake.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::dropin::*;

const ASKS: &str = "check_include_file(nope.h NOT_THERE)\ncheck_include_file(unistd.h THERE)\ncheck_type_size(long SIZE)\n\
    check_c_source_runs(\"int main(void) { return 0; }\" RUNS)\n";

#[test]
fn after_a_failed_configure_step_cmake_goes_on_with_or_without_tryall() {
    let lists = format!(
        "{ASKS}if(FAILS)\nmessage(FATAL_ERROR failed)\nendif()\ncheck_include_file(grp.h LATER)\n\
         message(\"${{NOT_THERE}} ${{THERE}} ${{SIZE}} ${{RUNS}} ${{LATER}}\")\n"
    );
    let project = Project::new("C", &lists);
    for cmake in cmakes() {
        let stock_failed = project.configure(&cmake, &["-DFAILS=1"]);
        let stock = project.again(&cmake, &["-DFAILS=0"]);
        for args in [&["-DFAILS=0"][..], &["-DFAILS=0", "-UCMAKE_PROJECT_INCLUDE*", "-UTRYALL*"]] {
            let failed = project.drop_in(&cmake, &["-DFAILS=1"]);
            stock_failed.assert_same_as(&failed);
            let next = project.again(&cmake, args);
            assert!(args.len() == 1 || !next.text.contains("tryall"), "{}", next.text);
            stock.assert_same_as(&next);
        }
    }
}

#[test]
fn without_the_program_cmake_runs_all_checks_and_says_so_once() {
    let project = Project::new("C", &format!("{ASKS}project(q C)\n{ASKS}"));
    let drop_in = drop_in_args();
    let missing = "-DTRYALL_EXECUTABLE=/nonexistent/tryall";
    for cmake in cmakes() {
        let stock = project.configure(&cmake, &[]);
        for (args, notice) in [
            (&[drop_in[0].as_str(), &drop_in[1]][..], "cargo install tryall"),
            (&[&drop_in[0], &drop_in[1], missing], "tryall is not at /nonexistent/tryall"),
        ] {
            let mut ours = project.configure(&cmake, args);
            assert!(ours.text.contains(notice), "{}", ours.text);
            let lines = ours.whole.stdout.lines();
            let (notices, rest): (Vec<_>, Vec<_>) =
                lines.partition(|line| line.starts_with("-- tryall is not "));
            assert_eq!(notices.len(), 1, "{}", ours.text);
            ours.whole.stdout = rest.join("\n");
            stock.assert_same_as(&ours);
        }
    }
}

/// It fails for some sources and answers for others, depending on who asks.
const TWO_FACED: &str = r#"#!/bin/sh
case $PWD in *CMakeScratch*|*CMakeTmp*) who=cmake;; *) who=tryall;; esac
for word; do
  case $word in *.c)
    if grep -q "NOT_FOR_$who" "$word"; then echo "$word:1:1: error: not for you" >&2; exit 1; fi
  esac
done
exec gcc -D_IS_$who "$@"
"#;

#[test]
fn verification_finds_a_different_answer() {
    let first = "check_include_file(stdio.h FIRST)\ncheck_c_source_runs(\"int main(void) { return 0; }\" FIRST_RUNS)\n";
    let exits = "#ifdef _IS_tryall\\nint main(void) { return 5; }\\n#else\\nint main(void) { return 4; }\\n#endif";
    for (check, says) in [
        ("check_c_source_compiles(\"int main(void) { return 0; }\" SAME)", None),
        (
            "check_c_source_compiles(\"/* NOT_FOR_tryall */ int main(void) { return 0; }\" DIFFERENT)",
            Some("the answers to DIFFERENT differ. CMake says TRUE, tryall says FALSE"),
        ),
        (
            "check_c_source_compiles(\"/* NOT_FOR_cmake */ int main(void) { return 0; }\" DIFFERENT)",
            Some("the answers to DIFFERENT differ. CMake says FALSE, tryall says TRUE"),
        ),
        (
            &format!("check_c_source_runs(\"{exits}\" DIFFERENT)"),
            Some("differ. CMake says TRUE;4, tryall says TRUE;5"),
        ),
    ] {
        let project = Project::new("C", &format!("{first}{check}\n")).file("cc.sh", TWO_FACED);
        let compiler = project.source().join("cc.sh");
        fs::set_permissions(&compiler, fs::Permissions::from_mode(0o755)).unwrap();
        let compiler = format!("-DCMAKE_C_COMPILER={}", compiler.display());
        for cmake in cmakes() {
            let found = project.drop_in(&cmake, &[&compiler, "-DTRYALL_VERIFY=ON"]);
            let text = found.text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains("answers compared with CMake's"), "{check}: {text}");
            assert_eq!(found.succeeded, says.is_none(), "{check}: {text}");
            if let Some(says) = says {
                assert!(text.contains(says), "{check}: {text}");
                assert!(text.contains("cc.sh"), "the commands are printed: {text}");
            }
        }
    }
}

#[test]
fn an_error_in_the_first_check_leaves_the_build_tool_in_the_cache() {
    // Before 3.26, a script has to stand in the place of Ninja to show its commands.
    let cmake = ("/usr/bin/cmake".into(), "Ninja");
    let lists = "if(FAILS)\nset(CMAKE_REQUIRED_LIBRARIES No::Such)\nendif()\ncheck_function_exists(fork FORK)\n";
    let project = Project::new("C", lists);
    let failed = project.drop_in(&cmake, &["-DFAILS=1"]);
    assert!(!failed.succeeded && failed.text.contains("No::Such"), "{}", failed.text);
    // Puts Ninja back when CMake has ended, and ends.
    project.scratch();
    let cache = fs::read_to_string(project.build().join("CMakeCache.txt")).unwrap();
    assert!(!cache.contains("verbose-ninja"), "{cache}");
    let next = project.again(&cmake, &["-DFAILS=0", "-UCMAKE_PROJECT_INCLUDE*", "-UTRYALL*"]);
    assert!(next.succeeded, "{}", next.text);
}
