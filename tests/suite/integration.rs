//! The project in integration/ builds with CMake, with Meson and from the shell, as its README
//! says, and all three find the same.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::*;

/// CMake, Meson and Ninja as tests/install puts them.
fn venv(program: &str) -> PathBuf {
    let path = root().join("target/venv/bin").join(program);
    assert!(
        path.exists(),
        "{} is missing; tests/install brings what the tests need",
        path.display()
    );
    path
}

/// A PATH on which tryall stands first, and Ninja too.
fn path() -> OsString {
    let dirs = [Path::new(TRYALL).parent().unwrap().to_path_buf(), root().join("target/venv/bin")];
    let rest = std::env::var_os("PATH").unwrap();
    std::env::join_paths(dirs.into_iter().chain(std::env::split_paths(&rest))).unwrap()
}

/// Runs a command to its end; its output, which must be that of a success.
fn good(command: &mut Command) -> String {
    let output = command.env("PATH", path()).env("CC", need("gcc")).output().unwrap();
    let text = [output.stdout, output.stderr]
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .concat();
    assert!(output.status.success(), "{command:?}: {text}");
    text
}

const SAYS: &str = "epoll, time_t of 8 bytes\n";

fn source() -> PathBuf {
    root().join("integration/hello")
}

fn builds_with(cmake: &Path, generator: &str) {
    let build = tempfile::tempdir().unwrap();
    let configured = good(
        Command::new(cmake)
            .arg("-G")
            .arg(generator)
            .arg("-S")
            .arg(source())
            .arg("-B")
            .arg(build.path()),
    );
    assert!(configured.contains("hello: events come from epoll"), "{configured}");
    good(Command::new(cmake).arg("--build").arg(build.path()));
    assert_eq!(good(&mut Command::new(build.path().join("hello"))), SAYS);

    // The entries are as CMake's own modules leave them.
    let cache = std::fs::read_to_string(build.path().join("CMakeCache.txt")).unwrap();
    for entry in [
        "//Have include sys/epoll.h\nHAVE_SYS_EPOLL_H:INTERNAL=1\n",
        "//Have function kqueue\nHAVE_KQUEUE:INTERNAL=\n",
        "//CHECK_TYPE_SIZE: sizeof(time_t)\nSIZEOF_TIME_T:INTERNAL=8\n",
        "HAVE_SIZEOF_TIME_T:INTERNAL=TRUE\n",
    ] {
        assert!(cache.contains(entry), "{entry} is not in {cache}");
    }
}

#[test]
fn builds_with_the_systems_cmake() {
    builds_with(Path::new("/usr/bin/cmake"), "Unix Makefiles");
}

#[test]
fn builds_with_the_newest_cmake_and_ninja() {
    builds_with(&venv("cmake"), "Ninja");
}

#[test]
fn builds_with_meson() {
    let build = tempfile::tempdir().unwrap();
    let configured = good(Command::new(venv("meson")).arg("setup").arg(build.path()).arg(source()));
    assert!(configured.contains("hello: events come from epoll"), "{configured}");
    good(Command::new(venv("meson")).args(["compile", "-C"]).arg(build.path()));
    assert_eq!(good(&mut Command::new(build.path().join("hello"))), SAYS);
}

#[test]
fn builds_from_the_shell() {
    let build = tempfile::tempdir().unwrap();
    let configured = good(Command::new(source().join("configure")).current_dir(build.path()));
    assert!(configured.contains("hello: events come from epoll"), "{configured}");
    good(Command::new("sh").arg("build.sh").current_dir(build.path()));
    assert_eq!(good(&mut Command::new(build.path().join("hello"))), SAYS);
}

/// A CMake project around a request; whether it configures, and what it says.
fn configure(request: &str, before: &str) -> (bool, String) {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "checks.json", request);
    let module = root().join("cmake/Tryall.cmake");
    write(
        dir.path(),
        "CMakeLists.txt",
        &format!(
            "cmake_minimum_required(VERSION 3.20)\nproject(p C)\n{before}\ninclude(\"{}\")\ntryall_check(FILE checks.json)\n",
            module.display()
        ),
    );
    let output = Command::new("/usr/bin/cmake")
        .arg("-S")
        .arg(dir.path())
        .arg("-B")
        .arg(dir.path().join("build"))
        .env("PATH", path())
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn cmake_is_told_of_what_is_wrong() {
    let good = r#"{"checks": [{"id": "A", "kind": "endian"}]}"#;
    let (configured, said) = configure(
        good,
        "set(TRYALL_EXECUTABLE TRYALL_EXECUTABLE-NOTFOUND)\nset(ENV{PATH} /nonexistent)",
    );
    assert!(!configured && said.contains("cargo install tryall"), "{said}");

    let (configured, said) = configure(r#"{"checks": [{"id": "A", "kind": "heder"}]}"#, "");
    assert!(
        !configured && said.contains("checks[0].kind") && said.contains("did you mean"),
        "{said}"
    );

    let required =
        r#"{"checks": [{"id": "A", "kind": "header", "header": "no.h", "required": true}]}"#;
    let (configured, said) = configure(required, "");
    assert!(!configured && said.contains("was not answered yes"), "{said}");

    let broken = r#"{"toolchains": {"c": {"command": ["/nonexistent/cc"]}}, "checks": [{"id": "A", "kind": "endian"}]}"#;
    let (configured, said) = configure(broken, "");
    assert!(!configured && said.contains("/nonexistent/cc"), "{said}");
}

#[test]
fn cmake_hands_on_its_flags() {
    let request = r#"{"checks": [{"id": "A", "kind": "define", "name": "FROM_FLAGS"}]}"#;
    let (configured, said) = configure(
        request,
        "set(CMAKE_C_FLAGS \"-DFROM_FLAGS=7\")\ncmake_language(DEFER CALL message FATAL_ERROR \"A is ${A}\")",
    );
    assert!(!configured && said.contains("A is 7"), "{said}");
}
