//! Faults: the store is gone, read-only or turned off, the server is killed. Compilers do what they do alone.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::stage::{Stage, ended};

const SCRIPT: &str = "gcc x.c -o x 2>e; ./x; echo $?";

/// What is done to the store.
type Fault = (&'static str, fn(&Stage));

fn stage() -> (Stage, std::path::PathBuf) {
    let stage = Stage::new();
    let work = stage.work("w");
    fs::write(work.join("x.c"), "int main(void) { return 3; }\n").unwrap();
    (stage, work)
}

#[test]
fn a_store_that_cannot_be_used_changes_nothing() {
    let faults: [Fault; 5] = [
        ("removed", |stage| fs::remove_dir_all(stage.store()).unwrap()),
        ("read-only", |stage| {
            fs::set_permissions(stage.store(), fs::Permissions::from_mode(0o500)).unwrap();
        }),
        ("open to all", |stage| {
            fs::set_permissions(stage.store(), fs::Permissions::from_mode(0o777)).unwrap();
        }),
        ("a file", |stage| {
            fs::remove_dir_all(stage.store()).unwrap();
            fs::write(stage.store(), "").unwrap();
        }),
        ("damaged", |stage| {
            let inner = fs::read_dir(stage.store()).unwrap().next().unwrap().unwrap().path();
            for entry in fs::read_dir(inner).unwrap() {
                let path = entry.unwrap().path();
                let mut bytes = fs::read(&path).unwrap();
                bytes.iter_mut().skip(32).step_by(97).for_each(|byte| *byte ^= 0x55);
                fs::write(&path, bytes).unwrap();
            }
        }),
    ];
    for (what, fault) in faults {
        let (stage, work) = stage();
        assert_eq!(stage.run(SCRIPT, &work).asked, 1);
        fault(&stage);
        let ended = stage.run(SCRIPT, &work);
        assert_eq!(String::from_utf8_lossy(&ended.output.stdout), "3\n", "{what}: {ended:?}");
        assert!(ended.output.status.success(), "{what}");
        stage.assert_clean();
    }
    let (stage, work) = stage();
    let output = stage
        .tryall(&[], &work)
        .env("TRYALL_STORE", "off")
        .args(["sh", "-c", SCRIPT])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "3\n");
}

#[test]
fn a_server_that_is_killed_leaves_the_compiler() {
    let (stage, work) = stage();
    let script = format!("echo ready; read line; {SCRIPT}; sh -c '{SCRIPT}'");
    let mut command = stage.tryall(&[], &work);
    command
        .args(["sh", "-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut ready = [0; 6];
    out.read_exact(&mut ready).unwrap();
    let input = child.stdin.take().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    drop(input);
    let mut text = String::new();
    out.read_to_string(&mut text).unwrap();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!((text.as_str(), errors.as_str()), ("3\n3\n", ""));
    // Another process removes what the server has left.
    let tmp = stage.dir.path().join("tmp");
    while fs::read_dir(&tmp).unwrap().next().is_some() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn without_a_place_for_temporary_files_the_command_runs() {
    let (stage, work) = stage();
    let mut command = stage.tryall(&[], &work);
    command.env("TMPDIR", "/proc").args(["sh", "-c", "echo $?"]);
    let ended = ended(command.output().unwrap());
    assert_eq!(String::from_utf8_lossy(&ended.output.stdout), "0\n", "{ended:?}");
    let text = String::from_utf8_lossy(&ended.output.stderr).into_owned();
    assert!(text.contains("runs without tryall"), "{text}");
}

#[test]
fn outputs_that_cannot_be_replaced_are_the_compilers_business() {
    let (stage, work) = stage();
    fs::create_dir(work.join("dir")).unwrap();
    std::os::unix::fs::symlink("target", work.join("link")).unwrap();
    let script = "for o in dir link no/x; do gcc -c x.c -o $o 2>/dev/null; echo $?; done; test -e target && echo made";
    for _ in 0..2 {
        let _ = fs::remove_file(work.join("target"));
        let ended = stage.run(script, &work);
        assert_eq!(String::from_utf8_lossy(&ended.output.stdout), "1\n0\n1\nmade\n", "{ended:?}");
    }
}
