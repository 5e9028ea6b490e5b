//! Files and directories that were made anew.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, SystemTime};

use super::*;

/// Long enough that a change shows in the times.
fn pause() {
    std::thread::sleep(Duration::from_millis(60));
}

/// What stands at the paths that an answer rests on.
const FILES: [(&str, &str); 3] = [("a.h", "int a;"), ("twin.h", "int t;"), ("other.h", "int t;")];

/// Makes everything anew: files, a link, and directories.
fn make(room: &Room) {
    for (name, text) in FILES {
        let _ = fs::remove_file(room.path(name));
        set_time(&room.write(name, text), if name == "other.h" { 2 } else { 1 });
    }
    for dir in ["passed", "beside", "listed"] {
        let _ = fs::remove_dir_all(room.path(dir));
        fs::create_dir(room.path(dir)).unwrap();
    }
    fs::create_dir(room.path("listed/below")).unwrap();
    room.write("listed/file", "");
    let _ = fs::remove_file(room.path("link"));
    symlink("a.h", room.path("link")).unwrap();
}

fn set_time(path: &Path, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
}

fn seen(room: &Room, run: &mut Run) -> Seen {
    let mut seen = Seen::default();
    for (name, _) in FILES {
        seen.sights.push(run.see(&room.path(name), Look::Follow));
    }
    for (name, look) in [
        ("passed", Look::Follow),
        ("beside", Look::Follow),
        ("beside", Look::Link),
        ("listed", Look::List),
        ("link", Look::Link),
        ("link", Look::Follow),
        ("missing", Look::Follow),
    ] {
        seen.sights.push(run.see(&room.path(name), look));
    }
    seen.sights.sort_unstable();
    seen
}

#[test]
fn what_is_made_anew_will_do_if_the_contents_are_the_same() {
    type Change = fn(&Room);
    let changes: [(&str, bool, Change); 17] = [
        ("nothing else", true, |_| ()),
        ("in another directory", true, |room| {
            fs::rename(room.path("passed"), room.path("elsewhere")).unwrap();
            symlink("elsewhere", room.path("passed")).unwrap();
        }),
        ("another time", true, |room| set_time(&room.path("a.h"), 7)),
        ("in a directory that is passed", true, |room| drop(room.write("passed/new", ""))),
        ("equal times, but others", true, |room| {
            ["a.h", "twin.h"].iter().for_each(|name| set_time(&room.path(name), 5));
        }),
        ("contents of the same length", false, |room| {
            fs::write(room.path("a.h"), "int b;").unwrap();
            set_time(&room.path("a.h"), 1);
        }),
        ("permissions", false, |room| {
            fs::set_permissions(room.path("a.h"), PermissionsExt::from_mode(0o600)).unwrap();
        }),
        ("where the link leads", false, |room| {
            fs::remove_file(room.path("link")).unwrap();
            symlink("A.h", room.path("link")).unwrap();
        }),
        ("the link is a copy", false, |room| {
            fs::remove_file(room.path("link")).unwrap();
            fs::copy(room.path("a.h"), room.path("link")).unwrap();
        }),
        ("the directory is a link", false, |room| {
            fs::rename(room.path("beside"), room.path("moved")).unwrap();
            symlink("moved", room.path("beside")).unwrap();
        }),
        ("two directories are one", false, |room| {
            fs::remove_dir(room.path("passed")).unwrap();
            symlink("beside", room.path("passed")).unwrap();
        }),
        ("a directory is a file", false, |room| {
            fs::remove_dir(room.path("passed")).unwrap();
            room.write("passed", "");
        }),
        ("listed: one more", false, |room| drop(room.write("listed/new", ""))),
        ("listed: of another type", false, |room| {
            fs::remove_dir(room.path("listed/below")).unwrap();
            room.write("listed/below", "");
        }),
        ("two files are one", false, |room| {
            fs::remove_file(room.path("other.h")).unwrap();
            fs::hard_link(room.path("twin.h"), room.path("other.h")).unwrap();
        }),
        ("equal files now have equal times", false, |room| set_time(&room.path("other.h"), 1)),
        ("what was missing is there", false, |room| drop(room.write("missing", ""))),
    ];
    for (what, holds, change) in changes {
        let room = Room::new();
        make(&room);
        pause();
        let mut run = room.run();
        let seen = seen(&room, &mut run);
        run.keep_seen(1, "yes", seen);
        make(&room);
        change(&room);
        let expected = answer("yes").filter(|_| holds);
        assert_eq!(run.find(1), expected, "{what}: in the draft");
        run.store.commit();
        assert_eq!(run.find(1), expected, "{what}");
        assert_eq!(room.run().find(1), expected, "{what}: another run");
    }
}

#[test]
fn two_names_of_a_file_stay_names_of_one() {
    let room = Room::new();
    let make = |is_one: bool| {
        let [one, two] = ["one.h", "two.h"].map(|name| room.path(name));
        for path in [&one, &two] {
            let _ = fs::remove_file(path);
        }
        room.write("one.h", "int a;");
        set_time(&one, 1);
        if is_one { fs::hard_link(&one, &two) } else { fs::copy(&one, &two).map(drop) }.unwrap();
        set_time(&two, 1);
        [one, two]
    };
    let [one, two] = make(true);
    pause();
    let mut run = room.run();
    run.keep(1, "yes", &[&one, &two]);
    make(true);
    assert_eq!(run.find(1), answer("yes"));
    make(false);
    assert_eq!(run.find(1), None);
}

#[test]
fn whoever_may_compare_times_is_asked_again() {
    for (text, is_unknown) in [("int p;", true), ("CPCH..", false), ("gpch.014", false)] {
        let room = Room::new();
        let header = room.write("a.h", "int a;");
        let last = room.write("last", text);
        pause();
        let mut run = room.run();
        let mut seen = run.seen(&[&header, &last]);
        seen.whole_environment = is_unknown;
        run.keep_seen(1, "yes", seen);
        assert_eq!(run.find(1), answer("yes"), "{text}");
        fs::remove_file(&header).unwrap();
        room.write("a.h", "int a;");
        assert_eq!(run.find(1), None, "{text}");
    }
}

#[test]
fn what_a_file_contains_is_known_from_other_answers() {
    let room = Room::new();
    let header = room.write("a.h", "int a;");
    pause();
    let mut run = room.run();
    run.keep(1, "yes", &[&header]);
    run.store.commit();
    let mut run = room.run();
    let seen = run.seen(&[&header]);
    // Now nobody can read it any more.
    fs::remove_file(&header).unwrap();
    assert_eq!(run.find(2), None, "the store is loaded");
    run.keep_seen(2, "yes", seen);
    room.write("a.h", "int a;");
    assert_eq!(run.find(2), answer("yes"));
}

#[test]
fn what_an_answer_rests_on_is_what_is_there_now() {
    let room = Room::new();
    make(&room);
    pause();
    let mut run = room.run();
    let kept = seen(&room, &mut run);
    run.keep_seen(1, "yes", kept);
    make(&room);
    pause();
    let mut world = World::default();
    let found = run.store.find(&key(1), &mut world, &run.env).unwrap();
    let mut sights = Sights::default();
    let kept = run.store.seen(&found, &mut world, |sight| sights.id(sight)).unwrap();
    for id in kept.sights {
        let Sight { path, look, found, .. } = sights.get(id);
        assert_eq!(World::default().look(path, *look), *found, "{path:?}");
    }
}
