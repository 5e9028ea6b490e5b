//! Requests that attempt injection, and requests with a hundred thousand checks.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::batch::*;
use crate::call::{Ended, Workspace, wait};
use crate::sandbox;
use crate::support::*;
use crate::table::{Fault, Row};

const fn fault(name: &'static str, make: fn(&mut Row)) -> Fault {
    Fault::new("input", name, "shell", make)
}

/// The fourth part of the table.
pub const FAULTS: &[Fault] = &[
    fault("names that would inject source", names),
    fault("ids with .. and slashes, in every format", ids),
    fault("arguments that start with @ or -", arguments),
    fault("files that never end: pipes, /dev/zero, huge ones", endless_files),
    fault("patterns that take for ever", patterns),
    fault("nested, cut, huge and random bytes", bytes),
    fault("100,000 checks, 100,000 questions, compiler missing", |row| hundred_thousand(row, 2)),
    fault("100,000 checks in a chain of needs", |row| hundred_thousand(row, 3)),
    Fault::long("input", "100,000 checks, 100,000 questions, each asked", "shell", |row| {
        hundred_thousand(row, 4);
    }),
];

/// A marker that would be visible if it became source: an error with this word, or this name.
const INJECTED: &str = "INJECTED";

fn names(row: &mut Row) {
    let shapes = [
        "x\n#error INJECTED\n",
        "x\r#error INJECTED",
        "x>\n#error INJECTED\n#include <stdio.h",
        "x\"\n#error INJECTED",
        "int); } int INJECTED(void) { return (1",
        "int; } int INJECTED; int f(void) { (void)sizeof(int",
        "x */ INJECTED /*",
        "x // INJECTED",
        "x \\\n#error INJECTED",
        "x ??/\n#error INJECTED",
        "x\u{2028}#error INJECTED",
        "x\u{0}#error INJECTED",
        "%:error INJECTED",
        "_Pragma(\"GCC error \\\"INJECTED\\\"\") int",
        "__attribute__((error(\"INJECTED\"))) int",
        "int <% INJECTED %>",
        "x;asm(\".error \\\"INJECTED\\\"\")",
        "x;__asm__(\".incbin \\\"/etc/passwd\\\"\")",
        "R\"(\" INJECTED \")\"",
        "x\u{85}#error INJECTED",
    ];
    let places: [fn(&str) -> Value; 13] = [
        |text| json!({"kind": "header", "header": text}),
        |text| json!({"kind": "header", "header": text, "stage": "preprocess"}),
        |text| json!({"kind": "symbol", "symbol": text}),
        |text| json!({"kind": "function", "function": text}),
        |text| json!({"kind": "library", "library": text}),
        |text| json!({"kind": "library", "library": "m", "function": text}),
        |text| json!({"kind": "type", "type": text}),
        |text| json!({"kind": "member", "type": "struct tm", "member": text}),
        |text| json!({"kind": "sizeof", "type": text}),
        |text| json!({"kind": "compute_int", "expression": text}),
        |text| json!({"kind": "define", "name": text}),
        |text| json!({"kind": "prototype", "function": "f", "return_type": text, "arguments": [text]}),
        |text| json!({"kind": "sizeof", "type": "int", "headers": [text]}),
    ];
    for (turn, language) in ["c", "c++", "fortran"].into_iter().enumerate() {
        let workspace = Workspace::new();
        for (at, place) in places.into_iter().enumerate() {
            // Every name in every place, each in one of the languages.
            for (_, shape) in shapes.iter().enumerate().filter(|(n, _)| (n + at) % 3 == turn) {
                let mut check = place(shape);
                check["id"] = json!("A");
                check["language"] = json!(language);
                let ended = workspace.check(&[]).ask(&json!({"checks": [check]}));
                row.times += 1;
                if ended.hung {
                    row.hangs.push(check.to_string());
                }
                match ended.code() {
                    Some(2) => row.refused += 1,
                    Some(0 | 3) => {
                        let source = source_of(&ended.stdout);
                        // As a single word on one line it is allowed.
                        if escaped(&source, language) {
                            row.wrong.push(format!("{check}: {source}"));
                        } else {
                            row.right += 1;
                        }
                    }
                    _ => row.wrong.push(format!("{check}: {ended:?}")),
                }
            }
        }
        row.left.extend(workspace.left());
    }
    row.note = "right: asked as it stands, in its place".into();
}

fn source_of(stdout: &[u8]) -> String {
    let response: Value = serde_json::from_slice(stdout).unwrap_or_default();
    response["results"][0]["source"].as_str().unwrap_or_default().to_owned()
}

/// Whether a line begins with text that belongs inside a line. In Fortran, lines do begin with
/// types.
fn escaped(source: &str, language: &str) -> bool {
    let starts: &[&str] = match language {
        "fortran" => &["#error"],
        _ => &["#error", "%:error", "int INJECTED", "INJECTED"],
    };
    let mut lines = source.split(['\n', '\r']).map(str::trim_start);
    lines.any(|line| line.contains(INJECTED) && starts.iter().any(|start| line.starts_with(start)))
}

fn ids(row: &mut Row) {
    let ids = [
        "../../escaped",
        "/escaped",
        "..",
        "a/../../escaped",
        "~/escaped",
        "escaped\u{202e}",
        "-o",
        "@escaped",
    ];
    for format in ["json", "ndjson", "cmake", "cmake-variables", "keyval", "meson", "header"] {
        for id in ids {
            let workspace = Workspace::new();
            let mut call = workspace.check(&["--format", format]);
            call.command.current_dir(workspace.tmp());
            let check = json!({"id": id, "kind": "sizeof", "type": "int"});
            let ended = call.ask(&json!({"checks": [check]}));
            row.ended(&workspace, &ended);
            match ended.code() {
                Some(2) => row.refused += 1,
                Some(0) => row.right += 1,
                _ => row.wrong.push(format!("{format} {id}: {ended:?}")),
            }
            for place in [
                workspace.path().join("escaped"),
                workspace.work().join("escaped"),
                "/escaped".into(),
            ] {
                if place.exists() {
                    row.left.push(place.display().to_string());
                }
            }
        }
    }
}

/// The compiler may do anything with its arguments, but planning reads some of them, and that must
/// end.
fn arguments(row: &mut Row) {
    let workspace = Workspace::new();
    let pipe = workspace.own("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    fs::write(workspace.own("circle"), format!("@{}", workspace.own("circle").display())).unwrap();
    let twice = workspace.own("twice");
    let name = twice.display();
    fs::write(&twice, format!("@{name} @{name} @{name} @{name}")).unwrap();
    let huge = workspace.own("huge");
    fs::File::create(&huge).unwrap().set_len(1 << 40).unwrap();
    let text = |path: &std::path::Path| format!("@{}", path.display());
    let all = [
        "@/dev/zero".to_owned(),
        "@/dev/stdin".into(),
        "@/proc/self/mem".into(),
        text(&pipe),
        text(&workspace.own("circle")),
        text(&twice),
        text(&huge),
        "@".into(),
        "@/no/such/file".into(),
        "@/etc".into(),
        "-".into(),
        "--".into(),
        "-o".into(),
        "-c".into(),
        "-E".into(),
        "-x".into(),
        "-".repeat(3000),
    ];
    for argument in all {
        for field in ["args", "link_args"] {
            let workspace = Workspace::new();
            let mut check = json!({"id": "A", "kind": "links", "timeout": 2,
                                   "source": "int main(void) { return 0; }\n"});
            check[field] = json!([argument]);
            let request = json!({
                "toolchains": {"c": {"command": [need("gcc")]}},
                "checks": [check, {"id": "OTHER", "kind": "sizeof", "type": "int"}],
            });
            let mut call = workspace.check(&[]);
            sandbox::limit(&mut call.command, libc::RLIMIT_AS, 2 << 30);
            let ended = call.ask(&request);
            row.ended(&workspace, &ended);
            match answers(&ended.stdout) {
                Ok(answers) if answers.get("OTHER").is_some_and(|(status, _)| status == "yes") => {
                    let errors = answers["A"].0 == "error";
                    *if errors { &mut row.error } else { &mut row.right } += 1;
                }
                _ if ended.code() == Some(2) => row.refused += 1,
                _ => row.wrong.push(format!("{argument}: {ended:?}")),
            }
        }
    }
    row.note = "right: as the compiler answers it".into();
}

fn endless_files(row: &mut Row) {
    let own = Workspace::new();
    let pipe = own.own("pipe.c");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let huge = own.own("huge.c");
    fs::File::create(&huge).unwrap().set_len(1 << 40).unwrap();
    let zero = own.own("zero.c");
    std::os::unix::fs::symlink("/dev/zero", &zero).unwrap();
    let [pipe, huge, zero] = [pipe, huge, zero].map(|path| path.display().to_string());
    let check = |more: Value| {
        let mut check = json!({"id": "A", "kind": "compiles", "timeout": 2});
        for (name, value) in more.as_object().unwrap() {
            check[name] = value.clone();
        }
        json!({"toolchains": {"c": {"command": [need("gcc")]}}, "checks": [check]})
    };
    let good = "int main(void) { return 0; }\n";
    let all = [
        check(json!({"file": pipe})),
        check(json!({"file": huge})),
        check(json!({"file": zero})),
        // The compiler does not read it and fails.
        check(json!({"file": pipe, "args": ["-fno-such-flag"]})),
        check(json!({"file": zero, "args": ["-fno-such-flag"]})),
        check(json!({"file": huge, "args": ["-fno-such-flag"]})),
        check(json!({"source": good, "kind": "links", "product": pipe})),
        check(json!({"source": good, "kind": "links", "product": "/dev/full"})),
    ];
    for request in all {
        let workspace = Workspace::new();
        let mut call = workspace.check(&[]);
        sandbox::limit(&mut call.command, libc::RLIMIT_AS, 2 << 30);
        let ended = call.ask(&request);
        row.ended(&workspace, &ended);
        match ended.code() {
            Some(2) => row.refused += 1,
            Some(3) => row.error += 1,
            Some(0) => row.right += 1,
            _ if ended.hung => {}
            _ => row.wrong.push(format!("{request}: {ended:?}")),
        }
    }
    for file in [&pipe, &huge, &zero] {
        let workspace = Workspace::new();
        let mut call = workspace.call(TRYALL);
        if file == &pipe {
            call.bound = Duration::from_secs(3);
        }
        sandbox::limit(&mut call.command, libc::RLIMIT_AS, 2 << 30);
        call.command.arg("check").arg(file);
        let ended = call.run(b"");
        // Reading a pipe without a writer blocks, as in every program.
        let waits = file == &pipe && ended.hung;
        row.ended(&workspace, &Ended { hung: ended.hung && !waits, ..ended });
        row.refused += 1;
    }
}

fn patterns(row: &mut Row) {
    let alternatives = (0..200).map(|n| format!("x{n}y")).collect::<Vec<_>>().join("|");
    let patterns = [
        "(x+x+)+y".to_owned(),
        "(.*)(.*)(.*)(.*)(.*)[^x]z".into(),
        "((x{1,100}){1,100}){1,100}y".into(),
        format!("({alternatives}){{200}}"),
        "(?:(?:x?){50}){50}y".into(),
        "[".into(),
        "(".repeat(100_000),
    ];
    for pattern in patterns {
        let workspace = Workspace::new();
        let request = json!({
            "toolchains": {"c": {"command": [fakecc()]}},
            "checks": [{"id": "A", "kind": "compiles", "source": "x", "timeout": 2,
                        "args": ["--fake-flood=900000"], "fail_patterns": [pattern]}],
        });
        let ended = workspace.check(&[]).ask(&request);
        row.ended(&workspace, &ended);
        match ended.code() {
            Some(2) => row.refused += 1,
            Some(3) => row.error += 1,
            Some(0) => row.right += 1,
            _ if ended.hung => {}
            _ => row.wrong.push(format!("{pattern}: {ended:?}")),
        }
    }
}

fn bytes(row: &mut Row) {
    let (mut random, seed) = crate::kills::Random::new();
    let whole = request(&need("gcc")).to_string().into_bytes();
    let mut all = vec![
        b"[".repeat(1 << 20),
        b"{\"checks\":".repeat(1 << 18),
        [b"{\"checks\": [{\"id\": \"".to_vec(), vec![b'x'; 60 << 20]].concat(),
        vec![0; 1 << 20],
        vec![0xff; 1 << 20],
        Vec::new(),
    ];
    for _ in 0..60 {
        let mut some = whole.clone();
        for _ in 0..1 + random.below(4) {
            let at = usize::try_from(random.below(some.len() as u64)).unwrap();
            match random.below(3) {
                0 => some.truncate(at.max(1)),
                1 => some[at] = u8::try_from(random.below(256)).unwrap(),
                _ => drop(some.drain(at..(at + 7).min(some.len()))),
            }
        }
        // No compiler runs: only parsing matters.
        all.push([some, b" ]".to_vec()].concat());
    }
    for bytes in all {
        let workspace = Workspace::new();
        let ended = workspace.check(&[]).run(&bytes);
        row.look(&workspace, &ended, right());
    }
    row.note = format!("seed {seed}");
}

/// A compiler that takes half a millisecond.
const QUICK: &str = "
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
int main(int c, char **v) {
  for (int i = 1; i + 1 < c; i++)
    if (!strcmp(v[i], \"-o\")) (void)!write(creat(v[i + 1], 0755), \"x\", 1);
  return 0;
}
";

fn hundred_thousand(row: &mut Row, shape: u32) {
    const COUNT: usize = 100_000;
    let workspace = Workspace::new();
    let quick = workspace.own("quick");
    fs::write(workspace.own("quick.c"), QUICK).unwrap();
    let mut gcc = std::process::Command::new(need("gcc"));
    let built =
        gcc.args(["-O1", "-static", "-o"]).arg(&quick).arg(workspace.own("quick.c")).status();
    assert!(built.unwrap().success());
    let compiler =
        if shape == 2 { "/no/such/compiler".into() } else { quick.display().to_string() };
    let check = |n: usize| {
        let mut check = json!({"id": format!("N{n}"), "kind": "compiles", "source": "int x;\n"});
        match shape {
            2 | 4 => check["source"] = json!(format!("int x{n};\n")),
            3 if n > 0 => check["needs"] = json!([format!("N{}", n - 1)]),
            _ => {}
        }
        check
    };
    let checks: Vec<_> = (0..COUNT).map(check).collect();
    let request = json!({"toolchains": {"c": {"command": [compiler]}}, "checks": checks});
    let expected = if shape == 2 { "error" } else { "yes" };
    let mut call = workspace.check(&[]);
    if shape == 4 {
        call.bound *= 3;
    }
    let child = call.start(request.to_string().as_bytes());
    let pid = child.id();
    let peak = std::sync::atomic::AtomicU64::new(0);
    let done = std::sync::atomic::AtomicBool::new(false);
    let ended = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                peak.fetch_max(high_water(pid), std::sync::atomic::Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let ended = wait(child, call.bound);
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        ended
    });
    let right = (0..COUNT).map(|n| (format!("N{n}"), (expected.to_owned(), Value::Null))).collect();
    row.look(&workspace, &ended, &right);
    if shape == 2 {
        (row.error, row.right) = (row.right, 0);
    }
    let megabytes = peak.into_inner() >> 10;
    row.note = format!("at most {megabytes} MB of memory");
    if megabytes > MOST_MEGABYTES {
        row.wrong.push(format!("{megabytes} MB is more than {MOST_MEGABYTES}"));
    }
}

/// For 100,000 checks.
const MOST_MEGABYTES: u64 = 600;

/// The peak memory of a process, in kilobytes.
pub fn high_water(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or_default()
}
