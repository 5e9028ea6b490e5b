//! What was foreseen counts only if it is still true when it is asked.

use crate::dropin::*;

/// Headers, each asked about with those that were found before. The code in `%` runs between the
/// third and the fourth.
const CHAIN: &str = "\
macro(ask header variable)
  check_include_files(\"${headers};${header}\" ${variable})
  if(${variable})
    list(APPEND headers ${header})
  endif()
endmacro()
ask(\"stddef.h\" HAVE_STDDEF_H)
ask(\"ctype.h\" HAVE_CTYPE_H)
ask(\"errno.h\" HAVE_ERRNO_H)
%
ask(\"made.h\" HAVE_MADE_H)
ask(\"fcntl.h\" HAVE_FCNTL_H)
ask(\"nowhere.h\" HAVE_NOWHERE_H)
ask(\"limits.h\" HAVE_LIMITS_H)
ask(\"math.h\" HAVE_MATH_H)
ask(\"signal.h\" HAVE_SIGNAL_H)
message(\"headers: ${headers}\")
";

fn same(before: &str, between: &str) -> Configured {
    let lists = CHAIN.replace('%', between);
    Project::new("C", &format!("include(CheckIncludeFiles)\n{before}{lists}")).same(&[])
}

#[test]
fn only_the_first_header_goes_to_cmake() {
    let ours = same("", "");
    assert_eq!(ours.by_cmake(), 1, "{}", ours.text);
    assert_eq!(ours.value("HAVE_MADE_H"), "");
}

/// With each of these, the compiler finds the header that was not there.
#[test]
fn changed_settings_change_the_answer() {
    let make = "file(WRITE \"${CMAKE_BINARY_DIR}/made/made.h\" \"\")\n";
    for between in [
        "set(ENV{CPATH} \"${CMAKE_BINARY_DIR}/made\")",
        "set(CMAKE_C_FLAGS \"${CMAKE_C_FLAGS} -I${CMAKE_BINARY_DIR}/made\")",
        "set(CMAKE_REQUIRED_FLAGS \"-isystem ${CMAKE_BINARY_DIR}/made\")",
        "set(CMAKE_REQUIRED_INCLUDES \"${CMAKE_BINARY_DIR}/made\")",
    ] {
        let ours = same("", &format!("{make}{between}"));
        assert_eq!(ours.value("HAVE_MADE_H"), "1", "{between}: {}", ours.text);
    }
}

/// The directory is searched all along, and the header is written in between.
#[test]
fn headers_made_between_checks_are_found() {
    let make = "file(WRITE \"${CMAKE_BINARY_DIR}/made/made.h\" \"\")";
    for before in [
        "set(ENV{CPATH} \"${CMAKE_BINARY_DIR}/made\")\n",
        "set(ENV{C_INCLUDE_PATH} \"${CMAKE_BINARY_DIR}/made\")\n",
        "set(CMAKE_C_FLAGS \"-I${CMAKE_BINARY_DIR}/made\")\n",
        "set(CMAKE_REQUIRED_INCLUDES \"${CMAKE_BINARY_DIR}/made\")\n",
        "set(CMAKE_REQUIRED_FLAGS \"-idirafter ${CMAKE_BINARY_DIR}/made\")\n",
    ] {
        let ours = same(before, make);
        assert_eq!(ours.value("HAVE_MADE_H"), "1", "{before}: {}", ours.text);
    }
}

/// The compiler is a file of the project, which then finds more headers.
#[test]
fn a_changed_compiler_is_asked_again() {
    let script = |more: &str| {
        format!(
            "file(WRITE \"${{CMAKE_BINARY_DIR}}/cc\" \"#!/bin/sh\\nexec cc{more} \\\"$@\\\"\\n\")\n"
        )
    };
    let between = "file(WRITE \"${CMAKE_BINARY_DIR}/made/made.h\" \"\")\n".to_string()
        + &script(" -I${CMAKE_BINARY_DIR}/made");
    let lists = format!(
        "cmake_minimum_required(VERSION 3.20)\n{}\
        file(CHMOD \"${{CMAKE_BINARY_DIR}}/cc\" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)\n\
        set(CMAKE_C_COMPILER \"${{CMAKE_BINARY_DIR}}/cc\")\nproject(p C)\n\
        include(CheckIncludeFile)\ninclude(CheckIncludeFiles)\n{}",
        script(""),
        CHAIN.replace('%', &between)
    );
    let ours = Project::of(&lists).same(&[]);
    assert_eq!(ours.value("HAVE_MADE_H"), "1", "{}", ours.text);
}
