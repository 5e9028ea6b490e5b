//! What is found, and what no longer.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use super::super::{Entry, EntryBody, PathChange, State, Store, VariableChange};
use super::*;
use crate::os::Found;

fn in_days(days: u32) -> SystemTime {
    SystemTime::now() + Duration::from_secs(86_400) * days
}

#[test]
fn an_answer_is_found_by_this_run_and_by_others() {
    let room = Room::new();
    let header = room.write("a.h", "int a;");
    let mut run = room.run();
    run.keep(1, "yes", &[&header, &room.path("missing")]);
    assert_eq!(run.find(1), answer("yes"), "before it is written");
    assert_eq!(room.run().find(1), None);
    run.store.commit();
    assert_eq!(run.store.trouble(), None);
    for mut run in [run, room.run()] {
        assert_eq!(run.find(1), answer("yes"));
        assert_eq!(run.find(2), None, "another question");
    }
}

#[test]
fn an_answer_holds_until_something_changes_that_it_rests_on() {
    type Change = fn(&Room);
    let changes: [(&str, Change); 9] = [
        ("contents", |room| drop(room.write("a.h", "long b;"))),
        ("the same size and time", |room| {
            let path = room.path("a.h");
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            fs::write(&path, "int b;").unwrap();
            fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        }),
        ("permissions", |room| {
            fs::set_permissions(room.path("a.h"), Permissions::from_mode(0o600)).unwrap();
        }),
        ("gone", |room| fs::remove_file(room.path("a.h")).unwrap()),
        ("replaced", |room| {
            room.write("new", "int b;");
            fs::rename(room.path("new"), room.path("a.h")).unwrap();
        }),
        ("appeared", |room| drop(room.write("missing", ""))),
        ("became a directory", |room| fs::create_dir(room.path("missing")).unwrap()),
        ("listed otherwise", |room| drop(room.write("listed/new", ""))),
        ("link switched", |room| {
            fs::remove_file(room.path("link")).unwrap();
            std::os::unix::fs::symlink("missing", room.path("link")).unwrap();
        }),
    ];
    for (what, change) in changes {
        let room = Room::new();
        let header = room.write("a.h", "int a;");
        for dir in ["listed", "passed"] {
            fs::create_dir(room.path(dir)).unwrap();
        }
        std::os::unix::fs::symlink("a.h", room.path("link")).unwrap();
        let mut run = room.run();
        let mut seen = run.seen(&[&header, &room.path("missing"), &room.path("passed")]);
        seen.sights.push(run.see(&room.path("listed"), Look::List));
        seen.sights.push(run.see(&room.path("link"), Look::Link));
        run.keep_seen(1, "yes", seen);
        std::thread::sleep(Duration::from_millis(10));

        // None of these matters.
        room.write("passed/new", "");
        room.write("b.h", "");
        assert_eq!(run.find(1), answer("yes"), "{what}: in the draft, before");
        run.store.commit();
        assert_eq!(run.find(1), answer("yes"), "{what}: before");
        change(&room);
        assert_eq!(run.find(1), None, "{what}: the same run looks again");
        assert_eq!(room.run().find(1), None, "{what}: another run");
    }
}

#[test]
fn variables_count_if_they_were_read() {
    let room = Room::new();
    let mut run = room.run();
    run.env = Variables::new([("CPATH", "/a"), ("LANG", "C")]);
    let mut seen = run.seen(&[&room.path("missing")]);
    seen.variables = vec!["CPATH".into(), "LIBRARY_PATH".into()];
    run.keep_seen(1, "some", seen.clone());
    seen.whole_environment = true;
    run.keep_seen(2, "all", seen);
    run.store.commit();
    let mut find = |variables: &[(&str, &str)], number| {
        run.env = Variables::new(variables.iter().copied());
        run.find(number)
    };
    let [path, lang] = [("CPATH", "/a"), ("LANG", "C")];
    assert_eq!(find(&[lang, path], 1), answer("some"));
    assert_eq!(find(&[path], 1), answer("some"));
    assert_eq!(find(&[path, lang, ("LIBRARY_PATH", "")], 1), None);
    assert_eq!(find(&[("CPATH", "/b")], 1), None);
    assert_eq!(find(&[], 1), None);
    assert_eq!(find(&[lang, path], 2), answer("all"));
    assert_eq!(find(&[path], 2), None);
    assert_eq!(find(&[path, lang, ("X", "")], 2), None);
}

#[test]
fn a_question_may_have_an_answer_for_each_state_of_the_world() {
    let room = Room::new();
    let switch = |name: &str| {
        let _ = fs::remove_file(room.path("cc"));
        std::os::unix::fs::symlink(room.path(name), room.path("cc")).unwrap();
    };
    for name in ["gcc", "clang"] {
        room.write(name, name);
        switch(name);
        let mut run = room.run();
        run.keep(1, name, &[&room.path("cc")]);
        run.store.commit();
    }
    for name in ["gcc", "clang", "gcc"] {
        switch(name);
        assert_eq!(room.run().find(1), answer(name));
    }
}

#[test]
fn of_two_answers_that_hold_the_latest_counts() {
    let room = Room::new();
    let mut run = room.run();
    for answer in ["first", "second"] {
        run.keep(1, answer, &[&room.path("missing")]);
    }
    assert_eq!(run.find(1), answer("second"));
    run.store.commit();
    assert_eq!(room.run().find(1), answer("second"));
    std::thread::sleep(Duration::from_millis(2));
    let mut other = room.run();
    other.keep(1, "third", &[&room.path("missing")]);
    other.store.commit();
    assert_eq!(room.run().find(1), answer("third"));
}

#[test]
fn what_may_have_been_seen_incompletely_is_not_kept() {
    let room = Room::new();
    for expected in [1, 1] {
        let mut run = room.run();
        run.keep_seen(1, "yes", gap("cc is a static program"));
        run.keep_seen(1, "yes", gap("cc is a static program"));
        assert_eq!(run.find(1), None);
        run.store.commit();
        assert_eq!(run.find(1), None);
        let stats = run.store.stats();
        assert_eq!((stats.answers, stats.not_kept), (0, expected), "noted once");
    }
    let mut run = room.run();
    run.keep_seen(2, "yes", Seen::default());
    assert_eq!(run.find(2), None, "nothing is known of this answer");
    let (mut world, env) = (World::default(), Variables::default());
    let entry = entry(&mut run.store, 1);
    assert_eq!(run.store.state(&entry, &mut world, &env, 3), State::NotKept);
    assert_eq!(entry.body, EntryBody::NotKept("cc is a static program".into()));
}

#[test]
fn it_is_known_what_an_answer_rests_on() {
    let room = Room::new();
    let mut run = room.run();
    let many: Vec<_> = (0..300).map(|n| room.path(&format!("missing{n}"))).collect();
    let paths: Vec<_> = many.iter().map(PathBuf::as_path).collect();
    let mut seen = run.seen(&paths);
    seen.variables = vec!["CPATH".into()];
    run.keep_seen(1, "yes", seen.clone());
    let look = |run: &mut Run| {
        let found = run.store.find(&key(1), &mut World::default(), &run.env).unwrap();
        assert_eq!(
            run.store.seen(&found, &mut World::default(), |sight| run.sights.id(sight)),
            Some(seen.clone())
        );
        found
    };
    let drafted = look(&mut run);
    run.store.commit();
    look(&mut run);
    assert_eq!(
        run.store.seen(&drafted, &mut World::default(), |sight| run.sights.id(sight)),
        None,
        "it is elsewhere now"
    );
}

#[test]
fn what_is_used_is_written_again_after_a_day() {
    let room = Room::new();
    let mut run = room.run();
    for number in [1, 2] {
        run.keep(number, "yes", &[&room.path("missing")]);
    }
    run.store.commit();
    for segments in [1, 2, 2] {
        // The order of segments of the same tick of the clock is arbitrary.
        std::thread::sleep(Duration::from_millis(20));
        let mut run = room.run();
        run.store.clock = if segments == 1 { SystemTime::now } else { || in_days(2) };
        assert_eq!(run.find(1), answer("yes"));
        run.store.commit();
        assert_eq!(room.segments().len(), segments);
    }
    let [first, _] = &room.segments()[..] else { panic!("two segments") };
    fs::remove_file(first).unwrap();
    assert_eq!(room.run().find(1), answer("yes"), "it was used");
    assert_eq!(room.run().find(2), None, "it was not");
}

/// The latest entry under a key.
fn entry(store: &mut Store, number: u64) -> Entry {
    let mut found = None;
    store.entries(|entry| {
        if found.is_none() && entry.key == key(number) {
            found = Some(entry);
        }
    });
    found.expect("the store has an entry")
}

#[test]
fn a_change_is_explained() {
    let room = Room::new();
    let header = room.write("a.h", "int a;");
    let mut run = room.run();
    run.env = Variables::new([("CPATH", "/a")]);
    let mut seen = run.seen(&[&header, &room.path("missing")]);
    seen.variables = vec!["CPATH".into()];
    run.keep_seen(1, "yes", seen);
    for _ in ["in the draft", "in a segment"] {
        let Run { store, env, .. } = &mut run;
        let entry = entry(store, 1);
        assert_eq!(entry.label, "LABEL");
        assert_eq!(store.state(&entry, &mut World::default(), env, 9), State::Holds(2));
        store.commit();
    }
    fs::remove_file(&header).unwrap();
    let env = Variables::default();
    let entry = entry(&mut run.store, 1);
    let told = run.store.state(&entry, &mut World::default(), &env, 9);
    let State::Changed { paths, changed: 1, variables } = &told else {
        panic!("{told:?}");
    };
    let [PathChange { path, look: Look::Follow, was: Found::Stamp(stamp), is: Found::Nothing }] =
        &paths[..]
    else {
        panic!("{paths:?}");
    };
    assert_eq!((&**path, stamp.size), (header.as_os_str(), 6));
    let change = VariableChange { name: "CPATH".into(), was_set: true, is_set: false };
    assert_eq!(variables[..], [change]);
}

#[test]
fn entries_are_listed_once() {
    let room = Room::new();
    for number in [1, 1, 2] {
        let mut run = room.run();
        run.keep(number, "yes", &[&room.path("missing")]);
        run.keep_seen(3, "yes", gap("why"));
        run.store.commit();
    }
    let mut entries = Vec::new();
    room.run().store.entries(|entry| entries.push((entry.key, entry.body)));
    entries.sort_by_key(|(key, _)| *key);
    let yes = || EntryBody::Answer(b"yes".as_slice().into());
    let mut expected =
        [(key(1), yes()), (key(2), yes()), (key(3), EntryBody::NotKept("why".into()))];
    expected.sort_by_key(|(key, _)| *key);
    assert_eq!(entries, expected);
}
