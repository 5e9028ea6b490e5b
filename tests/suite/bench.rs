//! `tryall bench`: all strategies give the same answers, and exports match the measurements. No
//! test depends on timing.

use std::io::Read;
use std::path::Path;

use crate::processes::*;
use crate::protocol::{assert_valid, schema};
use crate::support::*;
use serde_json::{Value, json};

/// A small suite, as a request file.
fn suite(dir: &Path) -> String {
    let request = json!({"checks": [
        {"id": "HAVE_STDIO_H", "kind": "header", "header": "stdio.h"},
        {"id": "HAVE_NO_H", "kind": "header", "header": "no.h"},
        {"id": "NEEDS_NO_H", "kind": "symbol", "symbol": "x", "headers": ["no.h"], "needs": ["HAVE_NO_H"]},
        {"id": "HAVE_STDIO_H_AGAIN", "kind": "header", "header": "stdio.h"},
        {"id": "RUNS", "kind": "runs", "source": "int main(void) { return 0; }\n"},
    ]});
    write(dir, "suite.json", &request.to_string()).to_str().unwrap().into()
}

fn bench(dir: &Path, args: &[&str]) -> Call {
    let suite = suite(dir);
    Call::new(["bench", &need("gcc"), "--suite", &suite]).dir(dir).args(args)
}

fn exported(dir: &Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

const STRATEGIES: [&str; 6] =
    ["serial", "threads", "processes", "async", "async-unbounded", "tryall"];

/// Checks for every sharing technique, mostly noes; checks that cannot share; duplicates; a skipped
/// check; and an error.
fn shares_everything() -> Value {
    let mut checks = Vec::new();
    for n in 0..4 {
        let unused = if n % 2 == 0 { "int unused; " } else { "" };
        checks.push(json!({"id": format!("s{n}"), "kind": "compiles", "args": ["-Wall"],
            "source": format!("int main(void) {{ {unused}return {n}; }}\n"),
            "fail_patterns": ["unused"]}));
        let flag = if n == 3 { "-Wundef".into() } else { format!("-Wsuch-warning-{n}") };
        checks.push(json!({"id": format!("w{n}"), "kind": "compiler_flag", "flags": [flag]}));
        let name = format!("such_function_{n}");
        checks.push(json!({"id": name, "kind": "function", "function": name}));
        checks.push(json!({"id": format!("again_{n}"), "kind": "function", "function": name}));
        let name = ["EOF", "BUFSIZ", "NO_SUCH_MACRO", "NULL"][n];
        checks.push(json!({"id": name, "kind": "define", "name": name, "headers": ["stdio.h"]}));
        let name = ["int", "long", "such_type", "such_other_type"][n];
        checks.push(json!({"id": format!("t{n}"), "kind": "type", "type": name}));
        checks.push(json!({"id": format!("z{n}"), "kind": "sizeof", "type": name}));
        let symbol = format!("such_symbol_{n}");
        checks.push(json!({"id": symbol, "kind": "symbol", "symbol": symbol}));
    }
    for n in 0..16 {
        checks.push(json!({"id": format!("h{n}"), "kind": "header", "header": format!("h{n}.h")}));
        let text = if n % 3 == 0 { "no" } else { "int x;" };
        checks.push(json!({"id": format!("p{n}"), "kind": "compiles",
            "source": format!("{text}\nint main(void) {{ return {n}; }}\n")}));
    }
    checks.push(json!({"id": "skipped", "kind": "function", "function": "fork", "needs": ["h0"]}));
    checks.push(json!({"id": "error", "kind": "runs",
        "source": "#include <signal.h>\nint main(void) { return raise(SIGKILL); }\n"}));
    checks.push(json!({"id": "file", "kind": "compiles", "file": "beside.c"}));
    json!({"checks": checks})
}

/// A no is reported even if the shared command, or the check's own command, succeeded.
#[test]
fn shared_and_repeated_answers_match_single_commands() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("suites")).unwrap();
    write(dir.path(), "suites/beside.c", "int main(void) { return 0; }\n");
    write(dir.path(), "suites/shares.json", &shares_everything().to_string());
    for (compiler, repeat) in [("gcc", "1"), ("gcc", "3"), ("clang", "2")] {
        let args = ["bench", &need(compiler), "--suite", "suites/shares.json", "-n", repeat];
        let ran = Call::new(args)
            .args(&["--no-peers", "--rounds", "1", "--strategies", "tryall"])
            .dir(dir.path())
            .run();
        assert_eq!(ran.code(), 0, "{compiler} -n {repeat}: {ran:?}");
    }
}

#[test]
fn repeated_fortran_answers_match_single_commands() {
    let dir = tempfile::tempdir().unwrap();
    let checks = [
        json!({"id": "no_function", "kind": "function", "function": "no_such_function"}),
        json!({"id": "flag", "kind": "compiler_flag", "flags": ["-fno-such-flag"]}),
        json!({"id": "define", "kind": "define", "name": "NO_SUCH_MACRO"}),
        json!({"id": "runs", "kind": "runs", "source": "program x\nstop 3\nend program\n"}),
        json!({"id": "no", "kind": "compiles", "source": "program x\ny z\nend program\n"}),
    ]
    .map(|mut check| {
        check["language"] = "fortran".into();
        check
    });
    let suite = write(dir.path(), "fortran.json", &json!({"checks": checks}).to_string());
    let args = ["bench", &need("gfortran"), "--suite", suite.to_str().unwrap(), "-n", "2"];
    let ran = Call::new(args)
        .args(&["--no-peers", "--rounds", "1", "--strategies", "tryall"])
        .dir(dir.path())
        .run();
    assert_eq!(ran.code(), 0, "{ran:?}");
}

/// A compiler that accepts an unknown function when it links several sources.
#[test]
fn a_different_shared_answer_is_an_error_with_both_answers() {
    let dir = tempfile::tempdir().unwrap();
    // Shared links trace symbols; this one reports that one is missing.
    let liar = "#!/bin/sh\nout=$(gcc \"$@\" 2>&1); code=$?\n\
        case $* in *,-y,fork*) out=$(echo \"$out\" | sed -e '/definition of fork$/d' \
        -e \"/in function .tryall_sentinel/i/usr/bin/ld: conftest0.o: in function \\`tryall_part_0':\" \
        -e \"/in function .tryall_sentinel/iconftest0.c:(.text+0x1): warning: undefined reference to \\`fork'\"); esac\n\
        [ -z \"$out\" ] || echo \"$out\"\nexit $code\n";
    let compiler = write(dir.path(), "liar", liar);
    std::fs::set_permissions(&compiler, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    let checks = ["fork", "getpid", "getppid", "such_function"]
        .map(|name| json!({"id": name, "kind": "function", "function": name}));
    let suite = write(dir.path(), "liar.json", &json!({"checks": checks}).to_string());
    let args = ["bench", compiler.to_str().unwrap(), "--suite", suite.to_str().unwrap()];
    let ran = Call::new(args)
        .args(&["--no-peers", "--rounds", "1", "--strategies", "tryall"])
        .dir(dir.path())
        .run();
    assert_eq!(ran.code(), 3, "{ran:?}");
    for part in ["fork", "tryall --no-fuse answers yes", "tryall answers no"] {
        assert!(ran.stderr.contains(part), "{part}: {ran:?}");
    }
}

#[test]
fn every_strategy_is_measured_and_exported() {
    let dir = tempfile::tempdir().unwrap();
    let exports = [
        "--export-json",
        "r.json",
        "--export-markdown",
        "r.md",
        "--export-svg",
        "r.svg",
        "--trace",
        "t.json",
    ];
    let ran =
        bench(dir.path(), &[&exports[..], &["--no-peers", "-n", "2", "--rounds", "2"]].concat())
            .run();
    assert_eq!(ran.code(), 0, "{ran:?}");
    assert_eq!(ran.stderr, "", "no bar without a terminal");

    let report: Value = serde_json::from_str(&exported(dir.path(), "r.json")).unwrap();
    assert_valid(&schema("bench"), &report, "the report");
    let bench = &report["benches"][0];
    assert_eq!((&bench["checks"], &bench["repeat"]), (&json!(5), &json!(2)));
    let names: Vec<_> =
        bench["rows"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, STRATEGIES);
    for row in bench["rows"].as_array().unwrap() {
        assert_eq!(row["missing"], Value::Null, "{row}");
        assert_eq!(row["rounds"].as_array().unwrap().len(), 2, "{row}");
        let processes = row["rounds"][0]["processes"].as_u64().unwrap();
        // Twice five commands and a program; the pool adds its workers; the engine runs each check
        // once, skips one, and probes the toolchain.
        let jobs = bench["jobs"].as_u64().unwrap();
        let expected = match row["name"].as_str().unwrap() {
            "tryall" => 2 + 4,
            "processes" => 12 + jobs,
            _ => 12,
        };
        assert_eq!(processes, expected, "{row}");
    }
    for name in STRATEGIES {
        for export in [&ran.stdout, &exported(dir.path(), "r.md"), &exported(dir.path(), "r.svg")] {
            assert!(export.contains(name), "{name} is missing in {export}");
        }
    }

    let trace: Value = serde_json::from_str(&exported(dir.path(), "t.json")).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let complete = events.iter().filter(|event| event["ph"] == "X").count();
    // The engine probes the toolchain and runs each of the four checks once.
    assert_eq!(complete, 5 * 10 + 6, "ten tasks of five strategies, and the engine's commands");
}

#[test]
fn widths_show_the_scaling() {
    let dir = tempfile::tempdir().unwrap();
    let args = [
        "--jobs",
        "1,3",
        "--strategies",
        "async",
        "--no-peers",
        "--export-json",
        "r.json",
        "--export-svg",
        "r.svg",
    ];
    let ran = bench(dir.path(), &args).run();
    assert_eq!(ran.code(), 0, "{ran:?}");
    let report: Value = serde_json::from_str(&exported(dir.path(), "r.json")).unwrap();
    let jobs: Vec<_> =
        report["benches"].as_array().unwrap().iter().map(|bench| &bench["jobs"]).collect();
    assert_eq!(jobs, [&json!(1), &json!(3)]);
    let rows = report["benches"][1]["rows"].as_array().unwrap();
    let names: Vec<_> = rows.iter().map(|row| &row["name"]).collect();
    assert_eq!(names, ["serial", "async"], "serial is always included");
}

#[test]
fn missing_peers_have_a_row_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    // Only the compiler is on this PATH.
    let bin = dir.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(which::which("gcc").unwrap(), bin.join("gcc")).unwrap();
    for tool in ["as", "ld"] {
        std::os::unix::fs::symlink(which::which(tool).unwrap(), bin.join(tool)).unwrap();
    }
    let ran = bench(dir.path(), &["--strategies", "serial", "--export-json", "r.json"])
        .env("PATH", &bin)
        .run();
    assert_eq!(ran.code(), 0, "{ran:?}");
    let report: Value = serde_json::from_str(&exported(dir.path(), "r.json")).unwrap();
    for row in &report["benches"][0]["rows"].as_array().unwrap()[1..] {
        assert_eq!(row["kind"], "peer");
        assert!(row["missing"].as_str().unwrap().contains("not on PATH"), "{row}");
        assert!(ran.stdout.contains(row["missing"].as_str().unwrap()), "{ran:?}");
    }
}

#[test]
fn a_different_answer_is_an_error_with_both_answers() {
    let dir = tempfile::tempdir().unwrap();
    // Rejects stdio.h after an odd number of calls in a directory.
    let fickle = format!(
        "#!/bin/sh\ncount=$(cat '{0}/count' 2>/dev/null || echo 0)\necho $((count + 1)) >'{0}/count'\n\
         [ $count -lt 7 ] || {{ echo 'conftest.c:1:1: error: enough'; exit 1; }}\nexec gcc \"$@\"\n",
        dir.path().display()
    );
    let compiler = write(dir.path(), "fickle", &fickle);
    std::fs::set_permissions(&compiler, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    let suite = suite(dir.path());
    let ran = Call::new([
        "bench",
        compiler.to_str().unwrap(),
        "--suite",
        &suite,
        "--no-peers",
        "--jobs",
        "1",
    ])
    .args(&["--strategies", "threads"])
    .dir(dir.path())
    .run();
    assert_eq!(ran.code(), 3, "{ran:?}");
    for part in ["HAVE_STDIO_H", "serial answers status 0", "threads answers status 1"] {
        assert!(ran.stderr.contains(part), "{part}: {ran:?}");
    }
}

#[test]
fn an_interrupt_prints_the_results_so_far() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let compiler = format!("{} --fake-log={}", fakecc(), log.display());
    let suite = suite(dir.path());
    let args = ["--no-peers", "--rounds", "100000", "--strategies", "async"];
    let mut call = Call::new(["bench", &compiler, "--suite", &suite]).dir(dir.path()).args(&args);
    let mut child = call.command.spawn().unwrap();
    // Enough for several rounds of five checks with both strategies.
    assert!(comes_true(|| starts(&log) > 100));
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(child.id() as i32),
        nix::sys::signal::Signal::SIGINT,
    )
    .unwrap();
    let mut printed = String::new();
    child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(printed.contains("serial") && printed.contains("interrupted"), "{printed}");
    call.assert_clean();
}

#[test]
fn unmeasurable_suites_are_refused() {
    for (args, part) in [
        (&["bench", "gcc", "--suite", "/no/such.json"][..], "/no/such.json"),
        (&["bench", "/no/such/compiler"], "/no/such/compiler"),
        (&["bench", "'"], "not a command"),
    ] {
        let ran = Call::new(args).run();
        assert_eq!((ran.code(), ran.stdout.as_str()), (2, ""), "{ran:?}");
        assert!(ran.stderr.contains(part), "{part}: {ran:?}");
    }
}
