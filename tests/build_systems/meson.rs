//! The Meson wrapper: its answers are Meson's, it detects changed inputs, and failures are Meson
//! errors that name the check.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::integration;
use crate::support::*;

/// The newest Meson and the oldest.
pub fn mesons() -> [PathBuf; 2] {
    let old = root().join("target/venv-meson-1.0/bin/meson");
    assert!(old.exists(), "{} is missing; run tests/install", old.display());
    [venv("meson"), old]
}

/// A command with tryall on PATH, with gcc, and without the caller's flags.
pub fn with_tryall(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("PATH", integration::path()).env("CC", need("gcc")).env("CXX", need("g++"));
    for name in ["CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "MAKEFLAGS"] {
        command.env_remove(name);
    }
    command
}

/// The same without tryall on PATH.
fn without_tryall(program: &Path) -> Command {
    let mut command = with_tryall(program);
    let dirs: Vec<_> = std::env::split_paths(&integration::path()).skip(1).collect();
    command.env("PATH", std::env::join_paths(dirs).unwrap());
    command
}

/// Whether a command succeeds, and its output.
pub fn says(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap();
    let text =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    (output.status.success(), text.concat())
}

/// The output of a successful command.
pub fn good(command: &mut Command) -> String {
    let (succeeded, said) = says(command);
    assert!(succeeded, "{command:?}: {said}");
    said
}

/// Configures a project of the tests and returns Meson's output.
fn configured(meson: &Path, project: &str, change: impl FnOnce(&mut Command)) -> String {
    let build = tempfile::tempdir().unwrap();
    let mut command = with_tryall(meson);
    command.arg("setup").arg(build.path()).arg(root().join("tests/meson").join(project));
    change(&mut command);
    good(&mut command)
}

/// Runs each check both ways; the project fails if any answer differs.
fn agrees(meson: &Path, change: impl FnOnce(&mut Command)) {
    let said = configured(meson, "agree", change);
    assert!(said.contains("agree: ") && said.contains(&format!("checks with {TRYALL}")), "{said}");
}

#[test]
fn answers_match_meson() {
    agrees(&mesons()[0], |_| {});
}

#[test]
fn answers_match_the_oldest_meson() {
    agrees(&mesons()[1], |_| {});
    // Clang has fewer options in that release.
    agrees(&mesons()[1], |command| {
        command.env("CC", need("clang")).env("CXX", need("clang++"));
    });
}

#[test]
fn answers_match_meson_when_cross_compiling() {
    need("aarch64-linux-gnu-gcc");
    need("aarch64-linux-gnu-g++");
    need("qemu-aarch64");
    for meson in mesons() {
        agrees(&meson, |command| {
            command.arg("--cross-file").arg(root().join("tests/meson/aarch64.ini"));
            command.env_remove("CC").env_remove("CXX");
        });
    }
}

#[test]
fn answers_match_meson_with_options_flags_and_clang() {
    agrees(&mesons()[0], |command| {
        command
            .args(["-Dc_std=c99", "-Dcpp_std=c++14", "-Dcpp_rtti=false", "-Dcpp_eh=none"])
            .env("CC", need("clang"))
            .env("CXX", need("clang++"))
            .env("CFLAGS", "-O2 -Wl,-z,relro -pedantic -D_FORTIFY_SOURCE=2")
            .env("CPPFLAGS", "-DFROM_CPPFLAGS")
            .env("LDFLAGS", "-Wl,-z,now");
    });
    agrees(&mesons()[1], |command| {
        command
            .args(["-Dc_std=gnu17", "-Dc_args=-Werror -DMORE=7"])
            .env("CC_LD", "gold")
            .env("CXX_LD", "gold");
    });
}

/// With -Werror, warnings about Meson's own sources change its answers, and headers may declare the
/// names in these sources.
#[test]
fn answers_match_meson_where_its_own_sources_cause_warnings() {
    let text = "cc = meson.get_compiler('c')\n\
        tryall_headers = ['stdio.h', 'time.h', 'no/such.h']\n\
        tryall_usable_headers = ['USABLE=stdio.h', 'USABLE_TOO=time.h']\n\
        tryall_functions = ['fork', 'poll', 'no_such', 'alloca', 'cos']\n\
        tryall_types = ['int', 'long', 'bar', 'no_such_t', 'struct tmp']\n\
        tryall_members = ['struct tmp.a', 'struct tmp.no']\n\
        tryall_sizes = ['int', 'long', 'struct tmp']\n\
        tryall_prefix = get_option('before')\n\
        tryall_args = get_option('flags')\n\
        subdir('tryall')\n\
        how = {'prefix': tryall_prefix, 'args': tryall_args}\n\
        wrong = []\n\
        foreach x : tryall_headers\n\
          wrong += cc.has_header(x, kwargs: how) != tryall_answers['HAVE_' + x.underscorify().to_upper()] ? x : []\n\
        endforeach\n\
        wrong += cc.check_header('stdio.h', kwargs: how) != tryall_answers['USABLE'] ? 'usable' : []\n\
        foreach x : tryall_functions\n\
          wrong += cc.has_function(x, kwargs: how) != tryall_answers['HAVE_' + x.underscorify().to_upper()] ? x : []\n\
        endforeach\n\
        foreach x : tryall_types\n\
          wrong += cc.has_type(x, kwargs: how) != tryall_answers['HAVE_' + x.underscorify().to_upper()] ? x : []\n\
        endforeach\n\
        foreach x : ['a', 'no']\n\
          wrong += cc.has_member('struct tmp', x, kwargs: how) != tryall_answers['HAVE_STRUCT_TMP_' + x.to_upper()] ? x : []\n\
        endforeach\n\
        foreach x : tryall_sizes\n\
          wrong += cc.sizeof(x, kwargs: how) != tryall_answers['SIZEOF_' + x.underscorify().to_upper()] ? 'sizeof ' + x : []\n\
        endforeach\n\
        assert(wrong.length() == 0, '@0@'.format(wrong))\n";
    let structs = "struct tmp { int a; };";
    for meson in mesons() {
        for (cc, prefix, flags) in [
            ("clang", "", "-Werror"),
            ("clang", structs, "-Weverything,-Wno-newline-eof,-Werror"),
            ("gcc", "", "-Wtraditional,-Werror"),
            ("gcc", "#define A", "-Wunused-macros,-Werror=unused-macros"),
            ("gcc", "typedef int bar; struct tmp { int a; };", "-Wall"),
            ("gcc", "#define c 2", "-Wall"),
        ] {
            let dir = project(text);
            let options = "option('before', type: 'string')\noption('flags', type: 'array')\n";
            write(dir.path(), "meson_options.txt", options);
            let mut command = with_tryall(&meson);
            command.args(["setup", "build", &format!("-Dbefore={prefix}")]);
            command.arg(format!("-Dflags={flags}")).env("CC", need(cc)).current_dir(dir.path());
            good(&mut command);
        }
    }
}

/// Clang 14 knows C++23 only as c++2b, to which Meson falls back. Meson 1.0 knows neither.
#[test]
fn older_names_of_standards_match_meson() {
    let dir = project("");
    let text = "project('p', 'cpp', default_options: 'cpp_std=c++23')\n\
        cpp = meson.get_compiler('cpp')\ntryall_language = 'cpp'\n\
        tryall_defines = ['__cplusplus']\ntryall_headers = ['vector', 'no/such/header']\n\
        tryall_types = ['int']\nsubdir('tryall')\n\
        assert(tryall_answers['__cplusplus'] == cpp.get_define('__cplusplus'))\n\
        assert(tryall_answers['HAVE_VECTOR'] and tryall_answers['HAVE_INT'])\n\
        assert(not tryall_answers['HAVE_NO_SUCH_HEADER'])\n";
    write(dir.path(), "meson.build", text);
    for cxx in ["clang++", "g++"] {
        let mut command = with_tryall(&venv("meson"));
        command.args(["setup", &format!("build-{cxx}")]).env("CXX", need(cxx));
        good(command.current_dir(dir.path()));
    }
}

#[test]
fn stock_mode_gives_the_same_names_and_answers() {
    for meson in mesons() {
        let said = configured(&meson, "agree", |command| {
            command.arg("-Dstock=true");
        });
        assert!(said.contains("agree: ") && said.contains("all run by Meson"), "{said}");
    }
}

#[test]
fn cases_of_mesons_own_tests_match_meson() {
    for meson in mesons() {
        let said = configured(&meson, "cases", |_| {});
        assert!(said.contains("cases: as Meson says"), "{said}");
    }
}

#[test]
fn glibs_checks_produce_the_same_header_both_ways() {
    for meson in mesons() {
        let [batch, stock] = ["batch", "stock"].map(|way| {
            let build = tempfile::tempdir().unwrap();
            let mut command = with_tryall(&meson);
            command.arg("setup").arg(format!("-Dway={way}")).arg(build.path());
            good(command.arg(root().join("integration/glib")));
            ["config.h", "arguments"]
                .map(|file| fs::read_to_string(build.path().join(file)).unwrap())
        });
        assert_eq!(batch, stock);
        let defined = |text: &str| batch[0].lines().filter(|line| line.starts_with(text)).count();
        assert!(defined("#define HAVE_") > 100 && defined("#undef HAVE_") > 30, "{batch:?}");
    }
}

/// A project with the wrapper.
pub fn project(text: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root().join("meson/tryall"), dir.path().join("tryall")).unwrap();
    write(
        dir.path(),
        "meson.build",
        &format!("project('p', 'c', meson_version: '>= 1.0')\n{text}"),
    );
    dir
}

/// Configures a project. Returns whether it succeeds, and Meson's output.
pub fn set_up(meson: &Path, dir: &Path) -> (bool, String) {
    says(with_tryall(meson).args(["setup", "build"]).current_dir(dir))
}

/// The same with this directory first on PATH.
pub fn with_path(meson: &Path, first: &Path, dir: &Path) -> (bool, String) {
    let path = integration::path();
    let dirs = [first.to_path_buf()].into_iter().chain(std::env::split_paths(&path));
    let path = std::env::join_paths(dirs).unwrap();
    says(with_tryall(meson).args(["setup", "build"]).env("PATH", path).current_dir(dir))
}

#[test]
fn errors_fail_meson_and_name_the_check() {
    let broken = "tryall_headers = ['stdio.h']\ntryall_prefix = '#error no'\n\
                  tryall_defines = ['VALUE=__GNUC__']\nsubdir('tryall')\n";
    for (text, wanted) in [
        (broken, "ERROR: Problem encountered: tryall: VALUE has no answer: "),
        (
            "tryall_integers = ['ZERO=1 / (getpid() * 0)']\ntryall_prefix = '#include <unistd.h>'\nsubdir('tryall')\n",
            "tryall: ZERO has no answer",
        ),
        (
            "tryall_alignments = ['no_such_t']\nsubdir('tryall')\n",
            "tryall: ALIGNOF_NO_SUCH_T has no answer",
        ),
        (
            "tryall_functions = ['fork']\ntryall_batches = [{'functions': ['fork']}]\nsubdir('tryall')\n",
            "two checks have the name HAVE_FORK",
        ),
        (
            "tryall_batches = [{'header': ['fork']}]\nsubdir('tryall')\n",
            "unknown key \"header\" in a batch",
        ),
        ("tryall_symbols = ['EOF']\nsubdir('tryall')\n", "add the header of \"EOF\""),
        (
            "tryall_integers = ['1 + 1']\nsubdir('tryall')\n",
            "put a name for the answer before \"1 + 1\"",
        ),
        (
            "tryall_integers = ['A==B']\nsubdir('tryall')\n",
            "put a name for the answer before \"A==B\"",
        ),
        (
            "tryall_headers = ['no.h']\ntryall_required = 'HAVE_NO_H'\nsubdir('tryall')\n",
            "HAVE_NO_H is required and was not found",
        ),
    ] {
        for meson in mesons() {
            let dir = project(text);
            let (succeeded, said) = set_up(&meson, dir.path());
            assert!(!succeeded && said.contains(wanted), "{wanted}: {said}");
        }
    }
}

#[test]
fn a_broken_compiler_is_an_error_and_not_a_no() {
    let dir = project("tryall_functions = ['fork']\nsubdir('tryall')\n");
    let good_cc = which::which("gcc").unwrap();
    let script = format!(
        "#!/bin/sh\nif [ -e {}/broken ]; then echo 'it is broken' >&2; exit 1; fi\nexec {} \"$@\"\n",
        dir.path().display(),
        good_cc.display()
    );
    let cc = write(dir.path(), "cc", &script);
    fs::set_permissions(&cc, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = with_tryall(&venv("meson"));
    good(command.args(["setup", "build"]).env("CC", &cc).current_dir(dir.path()));
    write(dir.path(), "broken", "");
    let mut command = with_tryall(&venv("meson"));
    let again = command.args(["setup", "--reconfigure", "build"]).env("CC", &cc);
    let (succeeded, said) = says(again.current_dir(dir.path()));
    assert!(!succeeded && said.contains("HAVE_FORK has no answer"), "{said}");
}

const REQUEST: &str = "tryall_request = files('checks.json')\nsubdir('tryall')\n\
                       message('answers:', tryall_answers)\n";

#[test]
fn a_changed_request_file_triggers_reconfiguration() {
    for meson in mesons() {
        let dir = project(REQUEST);
        let request = |header: &str| {
            let check = serde_json::json!({"id": "HAVE_IT", "kind": "header", "header": header});
            write(dir.path(), "checks.json", &serde_json::json!({"checks": [check]}).to_string());
        };
        request("stdio.h");
        let (succeeded, said) = set_up(&meson, dir.path());
        assert!(succeeded && said.contains("{'HAVE_IT' : true}"), "{said}");

        // A file system may have coarse time stamps.
        std::thread::sleep(std::time::Duration::from_millis(1100));
        request("no/such/header.h");
        let build =
            with_tryall(&venv("ninja")).args(["-C", "build"]).current_dir(dir.path()).output();
        let said = String::from_utf8_lossy(&build.unwrap().stdout).into_owned();
        assert!(said.contains("{'HAVE_IT' : false}"), "{said}");

        let wiped =
            with_tryall(&meson).args(["setup", "--wipe", "build"]).current_dir(dir.path()).output();
        let said = String::from_utf8_lossy(&wiped.unwrap().stdout).into_owned();
        assert!(said.contains("{'HAVE_IT' : false}"), "{said}");
    }
}

#[test]
fn a_request_file_uses_mesons_compiler_and_types() {
    need("aarch64-linux-gnu-gcc");
    let dir = project(&format!("tryall_args = ['-DGIVEN=x y']\n{REQUEST}"));
    write(
        dir.path(),
        "checks.json",
        r#"{"checks": [
            {"id": "MACHINE", "kind": "define", "name": "__aarch64__"},
            {"id": "GIVEN", "kind": "define", "name": "GIVEN"},
            {"id": "LARGE", "kind": "define", "name": "_FILE_OFFSET_BITS"},
            {"id": "SIZE", "kind": "sizeof", "type": "long", "needs": ["MACHINE"]},
            {"id": "NOTHING", "kind": "sizeof", "type": "no_such_t"},
            {"id": "own", "kind": "define", "name": "__x86_64__", "toolchain": "mine"}],
           "toolchains": {"mine": {"command": ["gcc"]}}}"#,
    );
    let mut command = with_tryall(&venv("meson"));
    command.arg("setup").arg("--cross-file").arg(root().join("tests/meson/aarch64.ini"));
    let said = good(command.arg("build").env_remove("CC").current_dir(dir.path()));
    let wanted = "{'MACHINE' : '1', 'GIVEN' : 'x y', 'LARGE' : '64', 'SIZE' : 8, 'NOTHING' : -1, 'own' : '1'}";
    assert!(said.contains(wanted), "{said}");
}

/// Relative paths of a request file, including those of its toolchains, start from the file.
#[test]
fn paths_of_a_request_files_toolchain_are_relative_to_the_file() {
    for meson in mesons() {
        let dir = project(&REQUEST.replace("'checks.json'", "'sub/checks.json'"));
        let sub = dir.path().join("sub");
        fs::create_dir_all(sub.join("inc")).unwrap();
        write(&sub.join("inc"), "own.h", "#define OWN 5\n");
        let cc = write(&sub, "cc", "#!/bin/sh\nexec gcc -DBY_OWN_CC=1 \"$@\"\n");
        fs::set_permissions(&cc, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let request = r#"{"checks": [
            {"id": "CC", "kind": "define", "name": "BY_OWN_CC", "toolchain": "mine"},
            {"id": "OWN", "kind": "compute_int", "expression": "OWN", "headers": ["own.h"], "toolchain": "mine"}],
           "toolchains": {"mine": {"command": ["./cc"], "args": ["-Iinc"], "launcher": ["/usr/bin/env"]}}}"#;
        write(&sub, "checks.json", request);
        let (succeeded, said) = set_up(&meson, dir.path());
        assert!(succeeded && said.contains("{'CC' : '1', 'OWN' : 5}"), "{said}");
    }
}

#[test]
fn checks_with_dependencies_are_left_to_meson() {
    let text = "dep = declare_dependency(compile_args: '-DFROM_DEP', link_args: '-lm')\n\
                tryall_batches = [{'dependencies': dep, 'defines': ['FROM_DEP'], 'functions': ['cos']},\n\
                  {'include_directories': include_directories('inc'), 'headers': ['mine.h']}]\n\
                subdir('tryall')\nmessage('answers:', tryall_answers)\n";
    for meson in mesons() {
        let dir = project(text);
        fs::create_dir(dir.path().join("inc")).unwrap();
        write(&dir.path().join("inc"), "mine.h", "");
        let (succeeded, said) = set_up(&meson, dir.path());
        let wanted = "{'HAVE_COS' : true, 'FROM_DEP' : '1', 'HAVE_MINE_H' : true}";
        assert!(succeeded && said.contains(wanted), "{said}");
    }
}

#[test]
fn fortran_is_supported() {
    need("gfortran");
    for meson in mesons() {
        let dir = project("");
        let text = "project('f', 'fortran')\nfc = meson.get_compiler('fortran')\n\
            tryall_language = 'fortran'\n\
            tryall_arguments = ['-Wall', '-fno-such-thing', '-ffree-form']\n\
            tryall_link_arguments = ['-Wl,--as-needed', '-Wl,--no-such']\n\
            good = 'program p\\nend program p\\n'\n\
            bad = 'program p\\ncall no_such_routine\\nend program p\\n'\n\
            tryall_compiles = ['GOOD=' + good, 'BAD=' + bad, 'WORSE=no program']\n\
            tryall_links = ['GOOD_LINK=' + good, 'BAD_LINK=' + bad]\n\
            tryall_runs = ['GOOD_RUN=' + good, 'STOPS=program p\\nstop 3\\nend program p\\n']\n\
            subdir('tryall')\n\
            assert(tryall_supported_arguments == fc.get_supported_arguments(tryall_arguments))\n\
            assert(tryall_supported_link_arguments == fc.get_supported_link_arguments(tryall_link_arguments))\n\
            message('answers:', tryall_answers)\n";
        write(dir.path(), "meson.build", text);
        let (succeeded, said) = set_up(&meson, dir.path());
        let wanted = "{'GOOD' : true, 'BAD' : true, 'WORSE' : false, 'GOOD_LINK' : true, \
                      'BAD_LINK' : false, 'GOOD_RUN' : true, 'STOPS' : false}";
        assert!(succeeded && said.contains(wanted) && said.contains("with /"), "{said}");
    }
}

/// A project with this repository as a subproject.
fn wrapping() -> tempfile::TempDir {
    let text =
        "tryall_headers = ['stdio.h']\nsubdir('tryall')\nassert(tryall_answers['HAVE_STDIO_H'])\n";
    let dir = project(text);
    let subprojects = dir.path().join("subprojects");
    fs::create_dir(&subprojects).unwrap();
    std::os::unix::fs::symlink(root(), subprojects.join("tryall")).unwrap();
    let wrap = "[wrap-file]\ndirectory = tryall\n\n[provide]\nprogram_names = tryall\n";
    write(&subprojects, "tryall.wrap", wrap);
    dir
}

#[test]
fn an_installed_program_precedes_the_wrap_which_precedes_stock_mode() {
    for meson in mesons() {
        let dir = wrapping();
        let (succeeded, said) = set_up(&meson, dir.path());
        assert!(succeeded && said.contains("checks with /"), "{said}");
        assert!(!dir.path().join("build/subprojects/tryall").exists(), "{said}");

        // Building the program would take a minute (tests/wrap does that), so a fake Cargo installs
        // the program under test.
        let dir = wrapping();
        let tools = tempfile::tempdir().unwrap();
        let cargo = write(
            tools.path(),
            "cargo",
            &format!(
                "#!/bin/sh\n[ \"$*\" = \"build --quiet --locked --bin tryall --profile dev \
                 --manifest-path $9 --target-dir ${{11}}\" ] || {{ echo \"$*\" >&2; exit 1; }}\n\
                 grep -q 'name = \"tryall\"' \"$9\" || exit 1\n\
                 mkdir -p \"${{11}}/debug\" && cp '{TRYALL}' \"${{11}}/debug/tryall\"\n"
            ),
        );
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&cargo, mode).unwrap();
        let mut command = without_tryall(&meson);
        let path = command.get_envs().find(|(name, _)| *name == "PATH").unwrap().1.unwrap();
        let dirs = [tools.path().to_path_buf()].into_iter().chain(std::env::split_paths(path));
        let path = std::env::join_paths(dirs).unwrap();
        command.env("PATH", path).args(["setup", "build", "-Dtryall:profile=dev"]);
        let said = good(command.current_dir(dir.path()));
        assert!(dir.path().join("build/subprojects/tryall").exists(), "{said}");
        assert!(said.contains("build/subprojects/tryall/cargo/debug/tryall"), "{said}");

        let dir = project("tryall_headers = ['stdio.h']\nsubdir('tryall')\n");
        let said = good(without_tryall(&meson).args(["setup", "build"]).current_dir(dir.path()));
        assert!(said.contains("1 checks, all run by Meson"), "{said}");
    }
}
