//! How files come and go.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use super::super::place::NoPlace;
use super::*;

fn long(number: u64) -> String {
    format!("{number}: {}", "x".repeat(10_000))
}

fn bytes(room: &Room) -> u64 {
    let entries = fs::read_dir(room.files()).unwrap();
    entries.map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

#[test]
fn many_runs_leave_few_files() {
    let room = Room::new();
    for number in 0..100 {
        let mut run = room.run();
        run.keep(number, &long(number), &[&room.write(&format!("{number}.h"), "")]);
        run.keep(1000, "always", &[&room.path("missing")]);
        run.store.commit();
        assert_eq!(run.store.trouble(), None);
        assert!(room.segments().len() < 12, "{number}: {:?}", room.segments());
    }
    let mut run = room.run();
    for number in 0..100 {
        assert_eq!(run.find(number), Some(long(number)));
    }
    assert_eq!(run.find(1000), answer("always"));
    let stats = run.store.stats();
    assert!(stats.answers < 112, "what is superseded goes: {stats:?}");
    assert_eq!(stats.bytes, bytes(&room));
    assert_eq!((stats.segments, stats.damaged), (room.segments().len(), 0));
}

#[test]
fn the_oldest_goes_when_the_bound_is_reached() {
    let room = Room::new();
    let bound = 200_000;
    for number in 0..60 {
        let mut run = room.run_with(bound);
        run.keep(number, &long(number), &[&room.path("missing")]);
        run.store.commit();
        assert!(bytes(&room) <= bound);
    }
    let mut run = room.run_with(bound);
    assert_eq!(run.find(0), None);
    assert_eq!(run.find(59), Some(long(59)));
    let left = (0..60).filter(|number| run.find(*number).is_some()).count();
    assert!((10..20).contains(&left), "{left} answers of about 10 kB in 200 kB");
    run.store.trim(50_000).unwrap();
    assert!(bytes(&room) <= 50_000);
    assert_eq!(run.find(59), Some(long(59)), "the latest is left");

    let mut run = room.run_with(5000);
    run.keep(100, &long(100), &[&room.path("missing")]);
    run.store.commit();
    assert_eq!(run.store.trouble(), Some("its bound of 5000 bytes is too small".into()));
}

#[test]
fn a_large_run_writes_several_segments() {
    let room = Room::new();
    let mut run = room.run();
    for number in 0..200 {
        run.keep(number, &long(number), &[&room.path("missing")]);
    }
    assert!(!room.segments().is_empty(), "the first is written meanwhile");
    run.store.commit();
    for number in 0..200 {
        assert_eq!(run.find(number), Some(long(number)));
    }
    run.keep(300, &"x".repeat(5 << 20), &[&room.path("missing")]);
    assert_eq!(run.find(300), None, "too large");
}

#[test]
fn what_killed_processes_left_is_removed_after_an_hour() {
    let room = Room::new();
    let mut run = room.run();
    run.keep(1, "yes", &[&room.path("missing")]);
    run.store.commit();
    let now = SystemTime::now();
    for (name, minutes) in [("new.tmp", 5), ("old.tmp", 65), ("other", 65)] {
        fs::write(room.files().join(name), [0; 1000]).unwrap();
        let file = File::options().write(true).open(room.files().join(name)).unwrap();
        file.set_modified(now - Duration::from_secs(60) * minutes).unwrap();
    }
    let stats = run.store.stats();
    assert_eq!(stats.bytes, bytes(&room) - 1000, "temporary files count");
    run.keep(2, "yes", &[&room.path("missing")]);
    run.store.commit();
    let is_there = |name: &str| room.files().join(name).exists();
    assert!(is_there("new.tmp") && !is_there("old.tmp"));
    assert!(is_there("other"), "this is somebody else's");

    run.store.clear().unwrap();
    assert_eq!(room.run().find(1), None);
    let left: Vec<_> =
        fs::read_dir(room.files()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["other"]);
    fs::remove_file(room.files().join("other")).unwrap();
    run.store.clear().unwrap();
    assert!(!room.path("store").exists());
    run.keep(3, "yes", &[&room.path("missing")]);
    run.store.commit();
    assert_eq!(room.run().find(3), answer("yes"), "it is made again");
}

#[test]
fn a_file_from_the_future_goes_first() {
    let room = Room::new();
    let mut run = room.run();
    run.keep(1, &long(1), &[&room.path("missing")]);
    run.store.commit();
    let segment = room.segments().remove(0);
    fs::rename(segment, room.files().join("0fffffffffff-abcdefghijkl.seg")).unwrap();
    run.keep(2, &long(2), &[&room.path("missing")]);
    run.store.commit();
    assert_eq!(room.run().find(1), answer(&long(1)));
    run.store.trim(15_000).unwrap();
    assert_eq!(room.run().find(1), None);
    assert_eq!(room.run().find(2), answer(&long(2)));
}

#[test]
fn processes_that_write_at_once_do_not_disturb_each_other() {
    let room = Room::new();
    let mut runs: Vec<_> = (0..10).map(|_| room.run()).collect();
    for (number, run) in runs.iter_mut().enumerate() {
        assert_eq!(run.find(number as u64), None);
        run.keep(number as u64, &long(number as u64), &[&room.path("missing")]);
    }
    runs.iter_mut().for_each(|run| run.store.commit());
    for (number, run) in runs.iter_mut().enumerate() {
        assert_eq!(run.find(number as u64), Some(long(number as u64)), "files may be gone");
        run.store.refresh();
        assert_eq!(run.find(0), Some(long(0)));
    }
    fs::remove_dir_all(room.path("store")).unwrap();
    for run in &mut runs {
        run.store.refresh();
        assert_eq!(run.find(0), None);
        run.store.commit();
        assert_eq!(run.store.trouble(), None);
    }
}

#[test]
fn without_a_place_nothing_is_kept_and_nothing_fails() {
    let place = Place { dir: Err(NoPlace::Off), is_named: false, bound: BOUND };
    let mut run = Run::at(Path::new("/"), BOUND);
    run.store = Store::open(place);
    run.keep(1, "yes", &[Path::new("/missing")]);
    run.keep_seen(1, "yes", gap("why"));
    run.store.commit();
    assert_eq!(run.find(1), None);
    assert_eq!(run.store.trouble().as_deref(), Some("it is turned off"));
    assert_eq!(run.store.stats().answers, 0);
    run.store.clear().unwrap();
    run.store.trim(0).unwrap();
}

#[test]
fn a_place_that_cannot_be_written_fails_nothing() {
    let room = Room::new();
    let file = room.write("file", "");
    for store in [file.as_path(), &file.join("store"), Path::new("/proc/tryall/store")] {
        let mut run = Run::at(store, BOUND);
        assert_eq!(run.find(1), None);
        run.keep(1, "yes", &[Path::new("/missing")]);
        run.store.commit();
        let trouble = run.store.trouble().unwrap();
        assert!(trouble.contains(store.to_str().unwrap()), "{trouble}");
        assert_eq!(run.find(1), answer("yes"), "it is known to this run");
    }
    assert_eq!(fs::read(&file).unwrap(), b"");
}
