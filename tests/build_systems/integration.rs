//! The project in integration/ builds with CMake, Meson and the shell, as described in its README,
//! with the same answers. Compiler settings of a CMake project apply to tryall as to CMake's own
//! checks.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::*;

/// A PATH that starts with tryall and Ninja.
pub fn path() -> OsString {
    let dirs = [Path::new(TRYALL).parent().unwrap().to_path_buf(), tools()];
    let rest = std::env::var_os("PATH").unwrap();
    std::env::join_paths(dirs.into_iter().chain(std::env::split_paths(&rest))).unwrap()
}

/// Runs a command, which must succeed, and returns its output.
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
    let adopt = tempfile::tempdir().unwrap();
    let mut configure = Command::new(cmake);
    configure.args(["-G", generator, "-S"]).arg(root().join("integration/adopt"));
    let configured = good(configure.arg("-B").arg(adopt.path()));
    assert!(configured.contains("tryall: "), "{configured}");
    good(Command::new(cmake).arg("--build").arg(adopt.path()));
    assert_eq!(good(&mut Command::new(adopt.path().join("adopt"))), SAYS);

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

    // The entries are the same as with CMake's own modules.
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

/// Configures a CMake project with a request. Returns whether it succeeds, and the output.
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
fn errors_fail_the_cmake_run() {
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
fn cmake_passes_its_flags() {
    let request = r#"{"checks": [{"id": "A", "kind": "define", "name": "FROM_FLAGS"}]}"#;
    let (configured, said) = configure(
        request,
        "set(CMAKE_C_FLAGS \"-DFROM_FLAGS=7\")\ncmake_language(DEFER CALL message FATAL_ERROR \"A is ${A}\")",
    );
    assert!(!configured && said.contains("A is 7"), "{said}");
}

/// A project that runs the same check with CMake's own modules and with tryall.
struct Same<'a> {
    /// The languages.
    languages: &'a str,
    /// The contents of the toolchain file.
    toolchain: &'a str,
    /// The project's code before the checks.
    settings: &'a str,
    /// Runs CMake's check, which sets `OWN`.
    own: &'a str,
    /// tryall's check, without an id.
    check: serde_json::Value,
}

impl Same<'_> {
    /// The common answer, which must be the same with every CMake.
    fn answer(&self) -> String {
        let old = self.answer_with(Path::new("/usr/bin/cmake"), "Unix Makefiles");
        assert_eq!(old, self.answer_with(&venv("cmake"), "Ninja"));
        old
    }

    /// The answers of CMake's own module and of tryall, with one CMake.
    fn answer_with(&self, cmake: &Path, generator: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let mut check = self.check.clone();
        check["id"] = "OURS".into();
        write(dir.path(), "checks.json", &serde_json::json!({"checks": [check]}).to_string());
        write(dir.path(), "toolchain.cmake", self.toolchain);
        let modules = [
            "CheckCSourceCompiles",
            "CheckCSourceRuns",
            "CheckCXXSourceCompiles",
            "CheckIncludeFile",
            "CheckTypeSize",
        ]
        .map(|module| format!("include({module})\n"))
        .concat();
        write(
            dir.path(),
            "CMakeLists.txt",
            &format!(
                "cmake_minimum_required(VERSION 3.20)\nproject(p {})\n{}\n{modules}{}\n\
                 include(\"{}\")\ntryall_check(FILE checks.json)\n\
                 message(\"answers:${{OWN}}:${{OURS}}:\")\n",
                self.languages,
                self.settings,
                self.own,
                root().join("cmake/Tryall.cmake").display()
            ),
        );
        let said = good(
            Command::new(cmake)
                .args(["-G", generator, "-DCMAKE_TOOLCHAIN_FILE=toolchain.cmake", "-S", ".", "-B"])
                .arg("build")
                .current_dir(dir.path())
                .env("CXX", need("g++")),
        );
        let line = said.lines().find_map(|line| line.strip_prefix("answers:"));
        let (own, ours) =
            line.and_then(|line| line.strip_suffix(':')?.split_once(':')).expect(&said);
        assert_eq!(own, ours, "{} {}: {said}", self.toolchain, self.settings);
        own.into()
    }
}

/// Checks whether a macro is defined.
fn defined(settings: &str, toolchain: &str, name: &str) -> String {
    asks_for(name, |own, check| Same { languages: "C", toolchain, settings, own, check }.answer())
}

fn asks_for(name: &str, ask: impl Fn(&str, serde_json::Value) -> String) -> String {
    let source = format!("#ifndef {name}\n#error none\n#endif\nint main(void) {{ return 0; }}\n");
    let own = format!("check_c_source_compiles([=[{source}]=] OWN)");
    ask(&own, serde_json::json!({"kind": "compiles", "source": source}))
}

/// No links for machines without libraries.
const NO_LINK: &str = "set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)\n";

#[test]
fn cmake_passes_the_target() {
    let size = |target: &str| {
        Same {
            languages: "C",
            toolchain: &format!("{NO_LINK}set(CMAKE_C_COMPILER {})\n{target}", need("clang")),
            settings: "",
            own: "check_type_size(long OWN)",
            check: serde_json::json!({"kind": "sizeof", "type": "long"}),
        }
        .answer()
    };
    assert_eq!(size("set(CMAKE_C_COMPILER_TARGET i686-linux-gnu)"), "4");
    assert_eq!(size(""), "8");
}

#[test]
fn cmake_passes_compiler_arguments() {
    let gcc = need("gcc");
    let with = format!("set(CMAKE_C_COMPILER {gcc} -DFROM_ARG1)\n");
    assert_eq!(defined("", &with, "FROM_ARG1"), "1");
    assert_eq!(defined("", "", "FROM_ARG1"), "");
}

#[test]
fn cmake_passes_the_sysroot() {
    let dir = tempfile::Builder::new().prefix("it's a ").tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("usr/include")).unwrap();
    write(&dir.path().join("usr/include"), "only_here.h", "\n");
    let has_header = |name: &str| {
        Same {
            languages: "C",
            toolchain: &format!("{NO_LINK}set({name} \"{}\")", dir.path().display()),
            settings: "",
            own: "check_include_file(only_here.h OWN)",
            check: serde_json::json!({"kind": "header", "header": "only_here.h"}),
        }
        .answer()
    };
    assert_eq!(has_header("CMAKE_SYSROOT"), "1");
    assert_eq!(has_header("CMAKE_SYSROOT_COMPILE"), "1");
    assert_eq!(has_header("UNRELATED"), "");
}

#[test]
fn cmake_passes_the_standard() {
    let concepts = "#include <concepts>\ntemplate <std::integral T> T f(T x) { return x; }\n\
                    int main() { return f(0); }\n";
    let strict = "#ifndef __STRICT_ANSI__\n#error none\n#endif\nint main() { return 0; }\n";
    let compiles = |settings: &str, source: &str| {
        Same {
            languages: "C CXX",
            toolchain: "",
            settings,
            own: &format!("check_cxx_source_compiles([=[{source}]=] OWN)"),
            check: serde_json::json!({"kind": "compiles", "language": "c++", "source": source}),
        }
        .answer()
    };
    for (settings, source, expected) in [
        ("", concepts, ""),
        ("set(CMAKE_CXX_STANDARD 20)", concepts, "1"),
        ("set(CMAKE_CXX_STANDARD 20)", strict, ""),
        ("set(CMAKE_CXX_STANDARD 20)\nset(CMAKE_CXX_STANDARD_REQUIRED ON)", concepts, "1"),
        ("set(CMAKE_CXX_STANDARD 20)\nset(CMAKE_CXX_EXTENSIONS OFF)", strict, "1"),
        ("set(CMAKE_CXX_STANDARD 17)\nset(CMAKE_CXX_EXTENSIONS OFF)", strict, "1"),
        // Without a standard it has an effect only in projects that set the policy.
        ("set(CMAKE_CXX_EXTENSIONS OFF)", strict, ""),
        ("cmake_policy(SET CMP0128 NEW)\nset(CMAKE_CXX_EXTENSIONS OFF)", strict, "1"),
        ("cmake_policy(SET CMP0067 OLD)\nset(CMAKE_CXX_STANDARD 20)", concepts, ""),
    ] {
        assert_eq!(compiles(settings, source), expected, "{settings}");
    }
}

/// Like CMake, with a standard that the compiler supposedly lacks.
#[test]
fn an_unsupported_standard_decays_in_cmake() {
    let source = "#if __cplusplus <= 201703L\n#error old\n#endif\nint main() { return 0; }\n";
    let newest = Same {
        languages: "C CXX",
        toolchain: "",
        settings: "set(CMAKE_CXX_STANDARD 26)\nunset(CMAKE_CXX26_EXTENSION_COMPILE_OPTION)",
        own: &format!("check_cxx_source_compiles([=[{source}]=] OWN)"),
        check: serde_json::json!({"kind": "compiles", "language": "c++", "source": source}),
    };
    assert_eq!(newest.answer(), "1");
}

#[test]
fn cmake_passes_the_flags_of_the_configuration() {
    let flags =
        "set(CMAKE_C_FLAGS_RELEASE -DFROM_RELEASE)\nset(CMAKE_C_FLAGS_DEBUG -DFROM_DEBUG)\n";
    let release = format!("{flags}set(CMAKE_TRY_COMPILE_CONFIGURATION Release)\n");
    assert_eq!(defined(&release, "", "FROM_RELEASE"), "1");
    assert_eq!(defined(&release, "", "FROM_DEBUG"), "");
    // Multi-configuration generators use Debug, others no configuration.
    assert_eq!(defined(flags, "", "FROM_DEBUG"), "");
    let several = asks_for("FROM_DEBUG", |own, check| {
        Same { languages: "C", toolchain: "", settings: flags, own, check }
            .answer_with(&venv("cmake"), "Ninja Multi-Config")
    });
    assert_eq!(several, "1");
    let old = format!("cmake_policy(SET CMP0066 OLD)\n{release}");
    assert_eq!(defined(&old, "", "FROM_RELEASE"), "");
}

#[test]
fn cmake_passes_the_emulator() {
    let emulator = need("qemu-aarch64");
    let toolchain = format!(
        "set(CMAKE_SYSTEM_NAME Linux)\nset(CMAKE_SYSTEM_PROCESSOR aarch64)\n\
         set(CMAKE_C_COMPILER {})\n\
         set(CMAKE_CROSSCOMPILING_EMULATOR {emulator} -L /usr/aarch64-linux-gnu)\n",
        need("aarch64-linux-gnu-gcc")
    );
    let runs = |status: i32| {
        let source = format!("int main(void) {{ return {status}; }}\n");
        Same {
            languages: "C",
            toolchain: &toolchain,
            settings: "",
            own: &format!("check_c_source_runs([=[{source}]=] OWN)"),
            check: serde_json::json!({"kind": "runs", "source": source}),
        }
        .answer()
    };
    assert_eq!(runs(0), "1");
    assert_eq!(runs(3), "");
}
