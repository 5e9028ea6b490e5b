//! The isolation of compilers: their directory, environment and descriptors. Also full disks.

use crate::support::*;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::process::{Command, Stdio};

#[test]
fn every_check_has_a_private_directory() {
    let temp = tempfile::tempdir().unwrap();
    let log = temp.path().join("log");
    let logged = format!("--fake-log={}", log.display());
    let ids = ["A", "B", "C", "D"];
    let checks: Vec<_> = ids
        .iter()
        .map(|id| json!({"id": id, "kind": "compiles", "source": id, "args": ["--fake-directory", logged]}))
        .collect();
    let ran = fake(json!(checks));
    for id in ids {
        assert_eq!(ran.result(id)["output"], "mode: 700 in 700\n");
    }
    let text = std::fs::read_to_string(&log).unwrap();
    let starts = text.lines().filter_map(|line| line.strip_prefix("start "));
    let directories: HashSet<_> = starts.map(|start| start.split_once(' ').unwrap().1).collect();
    assert_eq!(directories.len(), ids.len(), "{text}");
}

#[test]
fn make_variables_and_locales_are_not_passed_to_compilers() {
    let request = json!({
        "toolchains": {
            "c": {"command": [fakecc()], "env": {"GIVEN": "by the request"}},
            "de": {"language": "c", "command": [fakecc()], "env": {"LC_ALL": "de_DE.UTF-8"}},
        },
        "checks": [
            {"id": "A", "kind": "compiles", "source": "x", "args": ["--fake-environment"]},
            {"id": "DE", "kind": "compiles", "source": "x", "args": ["--fake-environment"], "toolchain": "de"},
        ],
    });
    let (call, stdin) = Call::check(&request);
    let ran = call
        .env("MAKEFLAGS", " -k")
        .env("MFLAGS", "-k")
        .env("MAKELEVEL", "1")
        .env("LC_ALL", "fr_FR.UTF-8")
        .env("PASSED", "on")
        .run_with(&stdin);
    let result = ran.result("A");
    let lines: Vec<_> = result["output"].as_str().unwrap().lines().collect();
    for expected in ["LC_ALL=C", "PASSED=on", "GIVEN=by the request"] {
        assert!(lines.contains(&expected), "{lines:?}");
    }
    assert!(!lines.iter().any(|line| line.starts_with("MAKE") || line.starts_with("MFLAGS")));
    assert_eq!(lines.iter().filter(|line| line.starts_with("LC_ALL=")).count(), 1);
    let other = ran.result("DE");
    assert!(other["output"].as_str().unwrap().contains("LC_ALL=de_DE.UTF-8\n"), "as asked for");
}

#[test]
fn compilers_and_programs_inherit_only_standard_descriptors() {
    let descriptors = ["--fake-descriptors"];
    let listing = ["--fake-program=ls /proc/self/fd"];
    let mut checks: Vec<_> = (0..8)
        .map(|n| json!({"id": n.to_string(), "kind": "compiles", "source": n.to_string(), "args": descriptors}))
        .collect();
    checks.push(json!({"id": "RUN", "kind": "runs", "source": "x", "args": listing}));
    let ran = fake(json!(checks));

    // Descriptors that this process inherited are passed on; they don't matter here.
    let output = |command: &mut Command| {
        String::from_utf8(command.stdin(Stdio::null()).output().unwrap().stdout).unwrap()
    };
    let expected = output(Command::new(fakecc()).arg("--fake-descriptors"));
    for n in 0..8 {
        assert_eq!(ran.result(&n.to_string())["output"], expected);
    }
    let expected = output(Command::new("ls").arg("/proc/self/fd"));
    assert_eq!(ran.result("RUN")["value"]["stdout"], expected);
}

#[test]
fn a_missing_temporary_directory_is_an_error_with_a_remedy() {
    let request = json!({
        "toolchains": {"c": {"command": [fakecc()]}},
        "checks": [
            {"id": "A", "kind": "compiles", "source": "x"},
            {"id": "B", "kind": "runs", "source": "REJECT"},
        ],
    });
    let (call, stdin) = Call::check(&request);
    let ran = call.env("TMPDIR", "/no/such/directory").run_with(&stdin);
    assert_eq!(ran.code(), 3);
    for id in ["A", "B"] {
        let result = ran.result(id);
        assert_eq!(result["status"], "error");
        let reason = result["reason"].as_str().unwrap();
        assert!(reason.contains("/no/such/directory") && reason.contains("set TMPDIR"), "{reason}");
    }
}

/// Runs a batch, one check at a time, with temporary files on a disk of this size.
fn on_a_disk_of(size: &str, request: &Value) -> Ran {
    let ran = on_a_disk(&format!("size={size}"), request);
    assert_eq!(ran.stderr, "", "nothing to say, and nothing left on the disk");
    ran
}

/// The same with these mount options; the mount point has `DISK` in its name. Uses a private mount
/// namespace as root, else a user namespace.
pub fn on_a_disk(options: &str, request: &Value) -> Ran {
    need("unshare");
    let possible = |option: &str| {
        let tried = Command::new("unshare")
            .args([option, "sh", "-c", "mount -t tmpfs -o size=64k none /tmp"])
            .output();
        tried.is_ok_and(|output| output.status.success())
    };
    let option = ["-m", "-rm"].into_iter().find(|option| possible(option)).expect(
        "a full disk cannot be made: neither `unshare -m` nor `unshare -rm` may mount a tmpfs; \
         run the tests as root or allow user name spaces",
    );
    let disk = tempfile::Builder::new().prefix("DISK").tempdir().unwrap();
    let batch = tempfile::tempdir().unwrap();
    let file = write(batch.path(), "batch.json", &request.to_string());
    // The disk disappears with the namespace, so check for leftovers inside.
    let script = format!(
        "mount -t tmpfs -o {options} none \"$1\" || exit 99
         \"$2\" check -j1 \"$3\"; status=$?
         ls -A \"$1\" >&2
         exit $status"
    );
    let mut call = Call::new([] as [&str; 0]);
    let mut command = Command::new("unshare");
    command.args([option, "sh", "-c", &script, "sh"]).arg(disk.path()).arg(TRYALL).arg(&file);
    for (name, value) in call.command.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("TMPDIR", disk.path()).stdin(Stdio::null());
    call.command = command;
    Ran::from(call.command.output().unwrap())
}

fn assert_full(ran: &Ran, id: &str) {
    let result = ran.result(id);
    assert_eq!(result["status"], "error", "{result}");
    let reason = result["reason"].as_str().unwrap();
    assert!(reason.contains("free space in /") && reason.contains("set TMPDIR"), "{reason}");
    assert!(reason.contains("DISK"), "{reason}");
}

#[test]
fn a_compiler_failure_on_a_full_disk_is_not_a_no() {
    let ran = on_a_disk_of(
        "4m",
        &json!({
            "toolchains": {"c": {"command": [fakecc()]}},
            "checks": [
                {"id": "BEFORE", "kind": "compiles", "source": "REJECT 1"},
                {"id": "FILLS", "kind": "compiles", "source": "x", "args": ["--fake-fill"]},
                {"id": "AFTER", "kind": "compiles", "source": "REJECT 2"},
                {"id": "YES", "kind": "compiles", "source": "y"},
            ],
        }),
    );
    assert_eq!(ran.code(), 3);
    assert_full(&ran, "FILLS");
    // Files of one check are gone when the next one starts.
    assert_eq!((ran.answer("BEFORE"), ran.answer("AFTER")), ("no".into(), "no".into()));
    assert_eq!(ran.answer("YES"), "yes");
}

#[test]
fn a_source_that_does_not_fit_is_an_error() {
    let ran = on_a_disk_of(
        "2m",
        &json!({
            "toolchains": {"c": {"command": [fakecc()]}},
            "checks": [
                {"id": "LARGE", "kind": "compiles", "source": "x".repeat(3 << 20)},
                {"id": "SMALL", "kind": "compiles", "source": "x"},
            ],
        }),
    );
    assert_full(&ran, "LARGE");
    assert_eq!(ran.answer("SMALL"), "yes");
}

#[test]
fn a_real_compiler_on_a_full_disk_is_an_error() {
    let gcc = need("gcc");
    let large = "char const large[3 << 20] = {1};\nint main(void) { return large[9]; }\n";
    let ran = on_a_disk_of(
        "2m",
        &json!({
            "toolchains": {"c": {"command": [gcc]}},
            "checks": [
                {"id": "COMPILES", "kind": "compiles", "source": large},
                {"id": "LINKS", "kind": "links", "source": large, "args": ["-pipe"]},
                {"id": "NO", "kind": "compiles", "source": "no C\n"},
            ],
        }),
    );
    assert_full(&ran, "COMPILES");
    assert_full(&ran, "LINKS");
    assert_eq!(ran.answer("NO"), "no");
}

#[test]
fn a_completely_full_disk_is_an_error() {
    let request = json!({
        "toolchains": {"c": {"command": [fakecc()]}},
        "checks": [{"id": "A", "kind": "compiles", "source": "REJECT"}],
    });
    // Not even room for the batch's directory: the only inode is the root of the disk.
    let ran = on_a_disk_of("64k,nr_inodes=1", &request);
    assert_eq!(ran.code(), 3);
    let result = ran.result("A");
    assert_eq!(result["status"], "error");
    assert!(result["reason"].as_str().unwrap().contains("set TMPDIR"), "{result}");
}

#[test]
fn a_world_writable_temporary_directory_is_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let temp = tempfile::tempdir().unwrap();
    let place = temp.path().join("open");
    std::fs::create_dir(&place).unwrap();
    let request = json!({
        "toolchains": {"c": {"command": [fakecc()]}},
        "checks": [{"id": "A", "kind": "compiles", "source": "x"}],
    });
    for (mode, expected) in [(0o777, "error"), (0o1777, "yes"), (0o775, "yes")] {
        std::fs::set_permissions(&place, PermissionsExt::from_mode(mode)).unwrap();
        let (call, stdin) = Call::check(&request);
        let ran = call.env("TMPDIR", &place).run_with(&stdin);
        let result = ran.result("A");
        assert_eq!(result["status"], expected, "{mode:o}: {result}");
        let reason = result["reason"].as_str().unwrap_or_default();
        assert_eq!(reason.contains("chmod +t"), expected == "error", "{reason}");
        assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0);
    }
}

#[test]
fn a_relative_temporary_directory_is_relative_to_the_current_directory() {
    let here = tempfile::tempdir().unwrap();
    std::fs::create_dir(here.path().join("tmp")).unwrap();
    let request = json!({
        "toolchains": {"c": {"command": [fakecc()]}},
        "checks": [{"id": "A", "kind": "runs", "source": "x"}, {"id": "B", "kind": "compiles", "source": "REJECT"}],
    });
    let (call, stdin) = Call::check(&request);
    let ran = call.dir(here.path()).env("TMPDIR", "tmp").run_with(&stdin);
    assert_eq!((ran.answer("A"), ran.answer("B")), ("yes".into(), "no".into()), "{ran:?}");
    assert_eq!(std::fs::read_dir(here.path().join("tmp")).unwrap().count(), 0);
}
