//! Where the store is, who shares it, and what `tryall store` shows.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::store::{Place, of_gcc, size};
use crate::support::*;

#[test]
fn tool_shows_and_removes_what_is_kept() {
    let place = Place::new();
    let none = place.tool(&["stats"]);
    assert_eq!(none.code(), 0);
    assert!(none.stdout.contains("answers    0\n"), "{none:?}");
    assert!(!place.store().exists(), "looking creates nothing");

    let header = place.path("a.h");
    fs::write(&header, "").unwrap();
    let check =
        json!({"id": "A", "kind": "header", "header": "a.h", "include_dirs": [place.path("")]});
    place.ask_one(check.clone());
    let mode = fs::metadata(place.store()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let stats = place.tool(&["stats"]);
    assert!(stats.stdout.contains(place.store().to_str().unwrap()), "{stats:?}");
    assert!(!stats.stdout.contains("answers    0\n"), "{stats:?}");

    let why = place.why();
    assert!(why.starts_with("A: yes\n") && why.contains(", all as they were\n"), "{why}");
    let files = place.call(&["why", "--full", "A"]).run().stdout;
    assert!(files.contains(&format!("file     {}", header.display())), "{files}");
    assert!(files.contains("  missing  "), "{files}");
    let verified = place.tool(&["verify"]);
    assert_eq!(verified.code(), 0, "{verified:?}");
    assert!(verified.stdout.contains("0 differ, 0 failed"), "{verified:?}");

    fs::write(&header, "int a;\n").unwrap();
    let why = place.why();
    let changed = format!("{} was changed", header.display());
    assert!(why.contains("no longer holds") && why.contains(&changed), "{why}");
    let unknown = place.call(&["why", "A", "B"]).run();
    assert_eq!(unknown.code(), 1);
    assert!(unknown.stderr.contains("B: the store has no answer"), "{unknown:?}");
    assert!(unknown.stdout.starts_with("A: "));

    assert_eq!(place.tool(&["trim", "--to", "nonsense"]).code(), 2);
    assert_eq!(place.tool(&["trim"]).code(), 0);
    assert_eq!(place.tool(&["trim", "--to", "0"]).code(), 0);
    assert!(place.tool(&["stats"]).stdout.contains("answers    0\n"));
    place.ask_one(check.clone());
    assert_eq!(place.ask_one(check.clone())["how"], "stored");
    assert_eq!(place.tool(&["clear"]).code(), 0);
    assert!(!place.store().exists());
    assert_eq!(place.ask_one(check)["how"], "run");
}

#[test]
fn many_processes_share_a_store() {
    let place = Place::new();
    let checks: Vec<_> = (0..12)
        .map(|n| json!({"id": format!("V{n}"), "kind": "compute_int", "expression": format!("{n} * 3")}))
        .collect();
    let request = of_gcc(&checks).to_string();
    let wrong: usize = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..20)
            .map(|_| {
                scope.spawn(|| {
                    let ran = place.call(&["check", "-", "-j1"]).run_with(request.as_bytes());
                    (0..12)
                        .filter(|n| ran.result(&format!("V{n}"))["value"] != json!(n * 3))
                        .count()
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).sum()
    });
    assert_eq!(wrong, 0);
    let ran = place.call(&["check", "-"]).run_with(request.as_bytes());
    assert_eq!(ran.json()["summary"]["stored"], 12);
    assert_eq!(ran.json()["summary"]["processes"], 0);
}

#[test]
fn store_that_cannot_be_used_changes_no_answer() {
    let place = Place::new();
    fs::write(place.path("file"), "").unwrap();
    let request = of_gcc(&[size()]).to_string();
    for store in
        [place.path("file"), place.path("file/below"), "/proc/no/store".into(), "relative".into()]
    {
        for _ in 0..2 {
            let call = Call::new(["check", "-"]).env("TRYALL_STORE", &store);
            let ran = call.run_with(request.as_bytes());
            assert_eq!((ran.code(), &ran.result("A")["how"]), (0, &json!("run")), "{store:?}");
            let told: Vec<_> = ran.stderr.lines().collect();
            let is_remedy = |line: &&str| line.contains("or to \"off\"");
            assert!(told.len() == 1 && told.iter().all(is_remedy), "{store:?}: {told:?}");
        }
    }
    assert_eq!(fs::read(place.path("file")).unwrap(), b"");
}

#[test]
fn without_a_home_there_is_no_store() {
    let request = of_gcc(&[size()]).to_string();
    for _ in 0..2 {
        let mut call = Call::new(["check", "-"]);
        for name in ["TRYALL_STORE", "XDG_CACHE_HOME", "HOME"] {
            call.command.env_remove(name);
        }
        let ran = call.run_with(request.as_bytes());
        assert_eq!(ran.result("A")["how"], "run");
    }
    let home = Place::new();
    for how in ["run", "stored"] {
        let mut call = Call::new(["check", "-"]).env("HOME", home.path("home"));
        call.command.env_remove("TRYALL_STORE").env_remove("XDG_CACHE_HOME");
        let ran = call.run_with(request.as_bytes());
        assert_eq!(ran.result("A")["how"], how);
    }
    assert!(home.path("home/.cache/tryall").is_dir());
}

#[cfg(not(feature = "tls"))]
#[test]
fn a_remote_store_that_needs_tls_is_left_out() {
    let place = Place::new();
    let request = of_gcc(&[size()]).to_string();
    for url in ["https://user:s3cret@host/packs", "s3://bucket"] {
        let call = place.call(&["check", "-"]).env("TRYALL_REMOTE", url);
        let ran = call.run_with(request.as_bytes());
        assert_eq!(ran.answer("A"), "yes");
        let told: Vec<_> = ran.stderr.lines().collect();
        let is_remedy = |line: &&str| line.contains("cargo's feature `tls`");
        assert!(told.len() == 1 && told.iter().all(is_remedy), "{told:?}");
        assert!(!ran.stderr.contains("s3cret"), "{told:?}");
    }
}
