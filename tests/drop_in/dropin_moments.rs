//! Each check is answered at the moment it is asked: whatever reads, sets, unsets or repeats it next finds
//! what CMake alone would have left.

use crate::dropin::*;

/// Asserts that a project prints the same with and without the drop-in.
fn same(lists: &str) -> Configured {
    project(lists).same(&[])
}

fn project(lists: &str) -> Project {
    Project::new("C", lists)
}

const TEMPLATE: &str =
    "#cmakedefine HAVE_A% 1\n#cmakedefine01 HAVE_B%\nint a = @SIZE%@;\n${SIZE%_CODE}\n";

const INCLUDED: &str = "message(\"included ${HAVE_A%} ${HAVE_B%}\")\n";

const SUB: &str = "message(\"sub ${HAVE_A%} ${HAVE_B%} ${SIZE%_CODE}\")\n\
    check_include_file(grp.h IN_SUB)\ncheck_type_size(short IN_SUB_SIZE)\n";

/// A yes, a no, and one with a value. The names can be followed by a number.
const ASK: &str = "check_include_file(unistd.h HAVE_A%)\ncheck_include_file(nope.h HAVE_B%)\ncheck_type_size(long SIZE%)\n";

#[test]
fn every_way_of_reading_finds_the_answer() {
    let readers = [
        ("if", "if(HAVE_A%)\nmessage(yes)\nendif()\nif(NOT HAVE_B%)\nmessage(no)\nendif()"),
        ("comparison", "if(SIZE% EQUAL 8)\nmessage(eight)\nendif()"),
        ("reference", "message(\"${HAVE_A%}|${HAVE_B%}|${SIZE%}|${SIZE%_CODE}\")"),
        ("nested", "set(n A%)\nmessage(\"${HAVE_${n}}\")"),
        (
            "function",
            "function(f)\nfunction(g)\nmessage(\"${HAVE_A%} ${SIZE%_CODE}\")\nendfunction()\ng()\nendfunction()\nf()",
        ),
        (
            "macro",
            "macro(m v)\nif(${v})\nmessage(yes)\nendif()\nendmacro()\nm(HAVE_A%)\nm(HAVE_B%)",
        ),
        (
            "template",
            "configure_file(config.h.in config.h)\nfile(READ ${CMAKE_BINARY_DIR}/config.h t)\nmessage(\"${t}\")",
        ),
        (
            "string",
            "string(CONFIGURE \"#cmakedefine HAVE_A%\\n#cmakedefine HAVE_B%\\n@SIZE%@\" t @ONLY)\nmessage(\"${t}\")",
        ),
        ("foreach", "foreach(v IN LISTS HAVE_A% HAVE_B% SIZE%)\nmessage(\"v ${v}\")\nendforeach()"),
        (
            "list",
            "list(LENGTH HAVE_A% n)\nmessage(\"${n}\")\nlist(APPEND SIZE% 1)\nmessage(\"${SIZE%}\")",
        ),
        (
            "directory",
            "add_subdirectory(sub)\nmessage(\"${IN_SUB} ${IN_SUB_SIZE} ${IN_SUB_SIZE_CODE}\")",
        ),
        ("file", "include(included.cmake)"),
        (
            "option",
            "include(CMakeDependentOption)\ncmake_dependent_option(OPT_A% a ON HAVE_A% OFF)\n\
            cmake_dependent_option(OPT_B% b ON HAVE_B% OFF)\nmessage(\"${OPT_A%} ${OPT_B%}\")",
        ),
        (
            "entry",
            "get_property(v CACHE HAVE_A% PROPERTY VALUE)\nget_property(w CACHE SIZE% PROPERTY HELPSTRING)\nmessage(\"${v} ${w}\")",
        ),
        ("cache", "message(\"$CACHE{HAVE_A%}|$CACHE{HAVE_B%}|$CACHE{SIZE%}\")"),
        ("variable", "get_property(v VARIABLE PROPERTY HAVE_A%)\nmessage(\"${v}\")"),
        (
            "defined",
            "if(DEFINED HAVE_A% AND DEFINED HAVE_B% AND DEFINED CACHE{SIZE%})\nmessage(defined)\nendif()",
        ),
        ("nobody", ""),
    ];
    // All in one project, each with its own names.
    let count = readers.len() as u32;
    let numbered = |number: usize, text: &str| text.replace('%', &number.to_string());
    let sections = readers.iter().enumerate().map(|(number, (name, reader))| {
        numbered(number, &format!("{ASK}{reader}\nmessage(\"reader {name}\")\n"))
    });
    let mut project = project(&sections.collect::<String>());
    for (reader, file, text) in [
        ("template", "config.h.in", TEMPLATE),
        ("file", "included.cmake", INCLUDED),
        ("directory", "sub/CMakeLists.txt", SUB),
    ] {
        let number = readers.iter().position(|(name, _)| *name == reader).unwrap();
        project = project.file(file, &numbered(number, text));
    }
    for cmake in cmakes() {
        let (_, ours) = project.same_with(&cmake, &[]);
        assert!(ours.by_tryall() >= 3 * count, "{}", ours.text);
    }
}

#[test]
fn set_unset_and_repeated_checks_behave_as_in_cmake() {
    same(&format!(
        "{}{}",
        ASK.replace('%', ""),
        r##"
unset(HAVE_A CACHE)
check_include_file(nope.h HAVE_A)
message("asked again: ${HAVE_A}")
check_include_file(unistd.h HAVE_C)
set(HAVE_C forced CACHE STRING "mine" FORCE)
message("forced: ${HAVE_C}")
check_include_file(unistd.h HAVE_D)
set(HAVE_D unforced CACHE STRING "mine")
message("unforced: ${HAVE_D}")
check_include_file(unistd.h HAVE_E)
set(HAVE_E mine)
message("normal: ${HAVE_E} $ENV{HAVE_E}")
check_include_file(unistd.h HAVE_F)
check_include_file(nope.h HAVE_F)
message("twice: ${HAVE_F}")
check_include_file(nope.h HAVE_G)
check_function_exists(fork HAVE_G)
message("twice: ${HAVE_G}")
set(HAVE_H "")
check_include_file(unistd.h HAVE_H)
message("set before: ${HAVE_H}")
check_type_size(long SIZE_A)
unset(SIZE_A CACHE)
check_type_size(short SIZE_A)
message("sizes: ${SIZE_A} ${SIZE_A_CODE}")
check_c_source_runs("int main(void) { return 3; }" RUN_A)
check_c_source_runs("nope" RUN_B)
message("runs: ${RUN_A} ${RUN_A_EXITCODE} ${RUN_A_COMPILED} ${RUN_B} ${RUN_B_EXITCODE} ${RUN_B_COMPILED}")
check_include_file(unistd.h RUN_C)
check_c_source_runs("int main(void) { return 3; }" RUN_C)
check_type_size(long RUN_D)
check_c_source_runs("int main(void) { return 3; }" RUN_D)
message("runs of what waits: ${RUN_C} ${RUN_C_EXITCODE} ${RUN_C_COMPILED} ${RUN_D} ${RUN_D_EXITCODE}")
function(asks)
  check_include_file(unistd.h IN_FUNCTION)
  check_type_size(int SIZE_IN_FUNCTION)
  check_c_source_runs("nope" RUN_IN_FUNCTION)
endfunction()
asks()
message("function: ${IN_FUNCTION} ${SIZE_IN_FUNCTION} ${SIZE_IN_FUNCTION_CODE} ${RUN_IN_FUNCTION} ${RUN_IN_FUNCTION_EXITCODE}")
set(CMAKE_REQUIRED_DEFINITIONS -DX=1)
check_c_source_compiles("#if X != 1\n#error\n#endif\nint main(void) { return 0; }" DEFINED_THEN)
set(CMAKE_REQUIRED_DEFINITIONS -DX=2)
message("then: ${DEFINED_THEN}")
"##
    ));
}

/// Changes to what a cache entry says besides its value, by `option` and others.
#[test]
fn properties_of_an_entry_are_kept() {
    let lists = r#"
check_include_file(unistd.h HELP_A)
option(HELP_A "the project's own; [help]" OFF)
check_include_file(nope.h HELP_B)
option(HELP_B "other help" ON)
check_include_file(unistd.h ADVANCED)
mark_as_advanced(ADVANCED)
check_include_file(unistd.h TYPED)
set_property(CACHE TYPED PROPERTY TYPE BOOL)
check_include_file(unistd.h SEVERAL)
set_property(CACHE SEVERAL PROPERTY STRINGS a b)
check_include_file(unistd.h FORCED)
set(FORCED a CACHE STRING "mine" FORCE)
set_property(CACHE FORCED PROPERTY STRINGS a b)
check_type_size(long WIDTH)
option(WIDTH "a width" OFF)
option(HAVE_WIDTH "whether there is one" OFF)
message("${HELP_A} ${HELP_B} ${ADVANCED} ${TYPED} ${SEVERAL} ${WIDTH}")
"#;
    for cmake in cmakes() {
        let (_, ours) = project(lists).same_with(&cmake, &[]);
        assert_eq!(ours.cache["HELP_A"], ":INTERNAL=1\nthe project's own; [help]\n");
    }
}

#[test]
fn checks_in_deferred_calls_are_answered() {
    let lists = "cmake_minimum_required(VERSION 3.19)\nproject(p C)\ninclude(CheckIncludeFile)\n\
        check_include_file(unistd.h EARLY)\n\
        function(late)\ncheck_include_file(nope.h LATE)\ncheck_include_file(grp.h LATER)\n\
        cmake_language(DEFER CALL latest)\nendfunction()\n\
        function(latest)\ncheck_include_file(pwd.h LATEST)\nendfunction()\n\
        cmake_language(DEFER CALL late)\n";
    for cmake in cmakes() {
        let (_, ours) = Project::of(lists).same_with(&cmake, &[]);
        assert_eq!((ours.value("LATE"), ours.value("LATER"), ours.value("LATEST")), ("", "1", "1"));
    }
}

#[test]
fn a_project_may_have_a_command_of_the_same_name() {
    let lists = "macro(check_c_source_compiles source variable)\nset(${variable} mine)\nendmacro()\n\
        check_c_source_compiles(\"nope\" MINE)\nmessage(\"${MINE}\")\ncheck_include_file(grp.h HAVE_A)\n\
        check_include_file(pwd.h HAVE_B)\n";
    same(lists);
}

/// Compilers search headers in CPATH, and other variables change the format of linkers; a project
/// may set such variables around a check.
#[test]
fn a_check_uses_the_environment_of_its_call() {
    let lists = "check_include_file(mine.h BEFORE)\n\
                 set(ENV{CPATH} \"${CMAKE_SOURCE_DIR}/inc\")\n\
                 check_include_file(mine.h WITHIN)\n\
                 check_include_file(unistd.h UNISTD)\n\
                 unset(ENV{CPATH})\n\
                 message(\"${BEFORE} ${WITHIN} ${UNISTD} [$ENV{CPATH}]\")\n\
                 check_include_file(mine.h AFTER)\n\
                 message(\"after ${AFTER}\")\n\
                 check_function_exists(fork BEFORE_TARGET)\n\
                 set(ENV{GNUTARGET} nope)\n\
                 check_function_exists(getpid WITHIN_TARGET)\n\
                 unset(ENV{GNUTARGET})\n\
                 check_function_exists(dup AFTER_TARGET)\n\
                 message(\"${BEFORE_TARGET} ${WITHIN_TARGET} ${AFTER_TARGET}\")\n";
    let ours = project(lists).file("inc/mine.h", "int mine;\n").same(&[]);
    assert!(ours.text.contains(" 1 1 []"), "{}", ours.text);
    let targets = ["BEFORE", "WITHIN", "AFTER"].map(|when| ours.value(&format!("{when}_TARGET")));
    assert_eq!(targets, ["1", "", "1"], "{}", ours.text);
}
