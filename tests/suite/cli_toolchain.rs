//! The choice of the compiler: environment, options, relative paths. Also `--verify`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::*;
use serde_json::{Value, json};

/// A directory with a request and its files in `sub`, and different files with the same names
/// above.
fn two_levels() -> (tempfile::TempDir, PathBuf, Value) {
    let dir = tempfile::tempdir().unwrap();
    let sub = dir.path().join("sub");
    for (place, size) in [(dir.path(), 1), (&sub, 2)] {
        std::fs::create_dir_all(place.join("inc")).unwrap();
        write(place, "inc/own.h", &format!("typedef char own_t[{size}];\n"));
        write(place, "own.c", &format!("int main(void) {{ return {size}; }}\n"));
    }
    let request = json!({"checks": [
        {"id": "DIRS", "kind": "sizeof", "type": "own_t", "headers": ["own.h"], "include_dirs": ["inc"]},
        {"id": "ARGS", "kind": "sizeof", "type": "own_t", "headers": ["own.h"], "args": ["-Iinc"]},
        {"id": "APART", "kind": "sizeof", "type": "own_t", "headers": ["own.h"], "args": ["-I", "inc"]},
        {"id": "TOOLCHAIN", "kind": "sizeof", "type": "own_t", "headers": ["own.h"], "toolchain": "t"},
        {"id": "FILE", "kind": "runs", "file": "own.c"},
    ], "toolchains": {"t": {"command": ["gcc"], "args": ["-Iinc"]}}});
    write(&sub, "batch.json", &request.to_string());
    (dir, sub, request)
}

fn assert_sizes(ran: &Ran, size: i32) {
    assert_eq!((ran.code(), ran.stderr.as_str()), (0, ""), "{ran:?}");
    for id in ["DIRS", "ARGS", "APART", "TOOLCHAIN"] {
        assert_eq!(ran.result(id)["value"], size, "{id}");
    }
    assert_eq!(ran.result("FILE")["value"]["exit_status"], size);
}

#[test]
fn paths_are_relative_to_the_request_file_or_the_current_directory() {
    need("gcc");
    let (dir, sub, request) = two_levels();
    let text = request.to_string();
    let check = |args: &[&str], dir: &Path| Call::new([&["check"], args].concat()).dir(dir);
    assert_sizes(&check(&["sub/batch.json"], dir.path()).run(), 2);
    let absolute = sub.join("batch.json");
    assert_sizes(&check(&[absolute.to_str().unwrap()], dir.path()).run(), 2);
    assert_sizes(&check(&["batch.json"], &sub).run(), 2);
    assert_sizes(&check(&["-"], dir.path()).run_with(text.as_bytes()), 1);
    assert_sizes(&check(&[], &sub).run_with(text.as_bytes()), 2);
    // Checks of the command line next to those of the file.
    let both = check(
        &["sub/batch.json", "--include-dir=inc", "--sizeof=CALL=own_t@own.h", "--runs=RUN=own.c"],
        dir.path(),
    )
    .run();
    assert_sizes(&both, 2);
    assert_eq!(both.result("CALL")["value"], 1);
    assert_eq!(both.result("RUN")["value"]["exit_status"], 1);
    let arg =
        check(&["sub/batch.json", "--arg=-Iinc", "--sizeof=CALL=own_t@own.h"], dir.path()).run();
    assert_eq!(arg.result("CALL")["value"], 1);
}

#[test]
fn paths_in_the_environment_are_relative_to_the_current_directory() {
    let (dir, sub, _) = two_levels();
    let request = json!({"checks": [
        {"id": "A", "kind": "sizeof", "type": "own_t", "headers": ["own.h"]},
    ]});
    write(&sub, "batch.json", &request.to_string());
    for name in ["CFLAGS", "CPPFLAGS"] {
        let call = Call::new(["check", "sub/batch.json"]).dir(dir.path());
        let ran = call.env("CC", "gcc").env(name, "-Iinc").run();
        assert_eq!(ran.result("A")["value"], 1, "{name}: {ran:?}");
    }
    let wrapper = compiler(dir.path(), "wrapped", "exec gcc -DOWN=4 \"$@\"");
    assert!(wrapper.exists());
    let ran =
        Call::new(["check", "--compute-int=A=OWN"]).dir(dir.path()).env("CC", "./wrapped").run();
    assert_eq!(ran.result("A")["value"], 4, "{ran:?}");
}

/// A compiler written as a script.
fn compiler(dir: &Path, name: &str, script: &str) -> PathBuf {
    let path = write(dir, name, &format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn command(ran: &Ran, id: &str) -> Vec<String> {
    serde_json::from_value(ran.result(id)["command"].clone()).unwrap()
}

#[test]
fn the_environment_sets_compilers_and_flags() {
    need("gcc");
    let ran = Call::new(["check", "--compute-int=A=ONE + TWO", "--function=F=cos"])
        .env("CC", "env  'LANG=C' gcc")
        .env("CPPFLAGS", "-DONE=1")
        .env("CFLAGS", "'-DTWO=2 + 4' -O1")
        .env("LDFLAGS", "-lm")
        .run();
    assert_eq!(ran.result("A")["value"], 7, "{ran:?}");
    let start = ["env", "LANG=C", "gcc", "-DONE=1", "-DTWO=2 + 4", "-O1"];
    assert_eq!(
        command(&ran, "A"),
        [&start[..], &["-c", "conftest.c", "-o", "conftest.o"]].concat()
    );
    assert_eq!(
        command(&ran, "F"),
        [&start[..], &["conftest.c", "-o", "conftest.exe", "-lm"]].concat()
    );
}

#[test]
fn every_language_has_its_own_variables() {
    need("g++");
    need("gfortran");
    let run = |language: &str, extra: &[&str]| {
        Call::new([&["check", "--language", language, "--type=A=integer"], extra].concat())
            .env("CC", "gcc -DC")
            .env("CXX", "env g++")
            .env("FC", "env gfortran")
            .env("CFLAGS", "-DCFLAG")
            .env("CXXFLAGS", "-DCXXFLAG")
            .env("FFLAGS", "-O1")
            .run()
    };
    let cxx = run("c++", &["--prefix=typedef int integer;"]);
    assert_eq!(cxx.answer("A"), "yes");
    assert_eq!(command(&cxx, "A")[..4], ["env", "g++", "-DCXXFLAG", "-c"], "{cxx:?}");
    let fortran = run("fortran", &[]);
    assert_eq!(fortran.answer("A"), "yes");
    assert_eq!(command(&fortran, "A")[..4], ["env", "gfortran", "-O1", "-c"], "{fortran:?}");
    assert_eq!(command(&run("c", &[]), "A")[..4], ["gcc", "-DC", "-DCFLAG", "-c"]);
}

#[test]
fn the_compiler_option_overrides_the_file_and_the_environment() {
    need("gcc");
    let dir = tempfile::tempdir().unwrap();
    let request = json!({
        "toolchains": {
            "c": {"command": ["tryall-none"], "args": ["-DKEPT"]},
            "other": {"command": ["gcc", "-DOTHER"]},
        },
        "checks": [
            {"id": "A", "kind": "define", "name": "KEPT"},
            {"id": "B", "kind": "define", "name": "OTHER", "toolchain": "other"},
        ],
    });
    write(dir.path(), "batch.json", &request.to_string());
    let ran = Call::new(["check", "batch.json", "--compiler", "env gcc '-DX=a b'", "--define=X"])
        .dir(dir.path())
        .env("CC", "tryall-none")
        .env("CFLAGS", "-DNOT")
        .run();
    assert_eq!(ran.code(), 0, "{ran:?}");
    assert_eq!(command(&ran, "A")[..4], ["env", "gcc", "-DX=a b", "-DKEPT"]);
    assert_eq!(ran.result("VALUE_X")["value"], "a b");
    assert_eq!(command(&ran, "B")[..2], ["gcc", "-DOTHER"]);
    // With --toolchain, the option changes that toolchain.
    let named =
        Call::new(["check", "batch.json", "--compiler=gcc", "--toolchain=other", "--endian"])
            .dir(dir.path())
            .run();
    assert_eq!(command(&named, "WORDS_BIGENDIAN")[..2], ["gcc", "-c"]);
    assert_eq!(named.answer("A"), "error", "its own compiler is still none");
}

#[test]
fn the_emulator_option_runs_the_programs() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "own.c", "int main(int argc, char **argv) { return argc - 1; }\n");
    let emulator = compiler(dir.path(), "emulator", "echo \"with $1\"; shift; exec \"$@\" more");
    let option = format!("'{}' 'a b'", emulator.display());
    let ran = Call::new(["check", "--compiler=gcc", "--runs=own.c", "--emulator", &option])
        .dir(dir.path())
        .run();
    assert_eq!(ran.result("HAVE_OWN")["value"], json!({"exit_status": 1, "stdout": "with a b\n"}));
    let relative =
        Call::new(["check", "--compiler=gcc", "--runs=own.c", "--emulator=./emulator x"])
            .dir(dir.path())
            .run();
    assert_eq!(relative.result("HAVE_OWN")["value"]["stdout"], "with x\n", "{relative:?}");
}

/// A compiler that defines `CALL` as the number of compiles of the check's source. Other compiles,
/// such as probes, do not count.
fn counting(dir: &Path) -> PathBuf {
    let count = dir.join("count");
    std::fs::write(&count, "").unwrap();
    let script = format!(
        "call=0\n\
         if grep -q CALL conftest.c; then echo >> '{0}'; call=$(wc -l < '{0}'); fi\n\
         exec gcc \"-DCALL=$call\" \"$@\"",
        count.display()
    );
    compiler(dir, "counting", &script)
}

#[test]
fn verification_reports_both_values_of_a_difference() {
    need("gcc");
    let dir = tempfile::tempdir().unwrap();
    let counting = counting(dir.path());
    let ran =
        Call::new(["check", "--verify", "--compute-int=A=CALL", "--compute-int=B=5", "--compiler"])
            .arg(&counting)
            .run();
    assert_eq!(ran.code(), 3, "{ran:?}");
    let result = ran.result("A");
    assert_eq!((&result["status"], &result["value"]), (&json!("error"), &Value::Null));
    let reason = result["reason"].as_str().unwrap();
    let command = format!("{} -c conftest.c -o conftest.o", counting.display());
    assert!(reason.contains(&format!("yes 1 in the batch ({command})")), "{reason}");
    assert!(reason.contains(&format!("yes 2 alone ({command})")), "{reason}");
    assert!(ran.stderr.contains(reason), "people are told too: {ran:?}");
    assert_eq!((ran.answer("B").as_str(), &ran.result("B")["value"]), ("yes", &json!(5)));
    assert_eq!(ran.json()["summary"]["error"], 1);
}

#[test]
fn verification_finds_a_yes_that_becomes_a_no() {
    let dir = tempfile::tempdir().unwrap();
    let counting = counting(dir.path());
    let request = json!({"checks": [
        {"id": "A", "kind": "compiles", "source": "int a[CALL == 1 ? 1 : -1];"},
        {"id": "B", "kind": "compiles", "source": "int b;"},
    ]});
    for (format, told) in [
        ("json", "\"status\":\"error\""),
        ("ndjson", "\"status\":\"error\""),
        ("cmake", "SEND_ERROR"),
    ] {
        std::fs::write(dir.path().join("count"), "").unwrap();
        let ran = Call::new(["check", "--verify", "--format", format, "--compiler"])
            .arg(&counting)
            .run_with(request.to_string().as_bytes());
        assert_eq!(ran.code(), 3, "{ran:?}");
        assert!(ran.stdout.contains(told) && ran.stdout.contains("yes in the batch"), "{ran:?}");
        assert!(ran.stdout.contains("no alone"), "{ran:?}");
    }
}

#[test]
fn verification_without_differences_changes_nothing() {
    need("gcc");
    let args = ["--compiler=gcc", "--sizeof=char", "--type=no_t", "--endian", "--define=X"];
    let plain = Call::new([&["check"], &args[..]].concat()).run();
    let verified = Call::new([&["check", "--verify"], &args[..]].concat()).run();
    assert_eq!((verified.code(), verified.stderr.as_str()), (0, ""), "{verified:?}");
    for id in ["SIZEOF_CHAR", "HAVE_NO_T", "WORDS_BIGENDIAN", "VALUE_X"] {
        let (one, other) = (plain.result(id), verified.result(id));
        for field in ["status", "value", "reason", "command", "output"] {
            assert_eq!(one[field], other[field], "{id} {field}");
        }
    }
    let processes = |ran: &Ran| ran.json()["summary"]["processes"].as_u64().unwrap();
    assert_eq!(processes(&verified), processes(&plain) + 4, "each was asked again");
}

#[test]
fn relative_entries_of_path_are_relative_to_the_current_directory() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("bin")).unwrap();
    let wrapper =
        write(&dir.path().join("bin"), "gcc", "#!/bin/sh\nexec /usr/bin/gcc -DWRAPPED=1 \"$@\"\n");
    let mode = PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(wrapper, mode).unwrap();
    let ran = Call::new(["check", "--compiler", "gcc", "--define", "WRAPPED"])
        .dir(dir.path())
        .env("PATH", "bin:/usr/bin:/bin")
        .run();
    assert_eq!(ran.answer("VALUE_WRAPPED"), "yes", "{ran:?}");
}

#[test]
fn arguments_can_name_files_of_the_caller_and_of_the_compiler() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "own.h", "#define OWN 1\n");
    write(dir.path(), "args", "-include own.h\n");
    write(dir.path(), "versions", "{ global: main; local: *; };\n");
    let ran = |args: &[&str], check: &[&str]| {
        let args = args.iter().map(|arg| format!("--arg={arg}"));
        let call = Call::new(["check", "--compiler", &need("gcc")]).dir(dir.path());
        let call = args.fold(call, Call::arg);
        check.iter().fold(call, Call::arg).run()
    };
    for args in
        [&["-include", "own.h"][..], &["-includeown.h"], &["-Wp,-include,own.h"], &["@args"]]
    {
        assert_eq!(ran(args, &["--define", "OWN"]).answer("VALUE_OWN"), "yes", "{args:?}");
    }
    // A file that the compiler finds, not the caller.
    for args in [&["-include", "stdio.h"][..], &["-imacros", "stdio.h"]] {
        assert_eq!(ran(args, &["--define", "EOF"]).answer("VALUE_EOF"), "yes", "{args:?}");
    }
    let script = ran(&[], &["--linker-flag", "A=-Wl,--version-script,versions"]);
    assert_eq!(script.answer("A"), "yes", "{script:?}");
    let library = dir.path().join("sub");
    std::fs::create_dir(&library).unwrap();
    write(&library, "f.c", "int f(void) { return 0; }\n");
    let build = "cd sub && gcc -c f.c && ar rc libf.a f.o";
    assert!(
        std::process::Command::new("sh")
            .args(["-c", build])
            .current_dir(dir.path())
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(ran(&[], &["--library", "A=sub/libf.a:f"]).answer("A"), "yes");
}

#[test]
fn a_missing_linker_is_not_a_linker_flag() {
    let ran =
        Call::new(["check", "--compiler", &need("gcc"), "--linker-flag", "A=-fuse-ld=mold"]).run();
    assert!(which::which("ld.mold").is_err(), "choose another linker for this test");
    assert_eq!(ran.answer("A"), "no", "{ran:?}");
}
