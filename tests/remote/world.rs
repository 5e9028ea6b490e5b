//! Answers of another machine hold where the files are the same, and nowhere else.

use crate::fake::Fake;
use crate::machine::{ALL, Machine, World, truth, truth_for};
use crate::servers::wait_until;

const HEADER: &str = "#define ONE 1\n";

/// A server with what a first machine has found out.
fn shared(world: &World) -> Fake {
    let fake = Fake::start();
    let first = Machine::writing(&fake.url).check(world);
    assert_eq!((first.stored, &first.answers), (0, &truth(world)));
    wait_until("the pack is sent", || fake.count() == 1);
    fake
}

#[test]
fn other_stamps_will_do() {
    let world = World::new(HEADER);
    let fake = shared(&world);
    world.install(HEADER);
    let second = Machine::new(&fake.url);
    let ran = second.check(&world);
    assert_eq!((ran.stored, ran.answers), (ALL, truth(&world)), "{}", ran.stderr);
    assert_eq!(ran.stderr, "");
    // Now they are in its own store, with its own stamps.
    let alone = second.with("TRYALL_REMOTE", "off");
    assert_eq!(alone.check(&world).stored, ALL);
}

#[test]
fn other_contents_will_not() {
    let world = World::new(HEADER);
    let fake = shared(&world);
    world.install("#define ONE 2\n");
    let ran = Machine::new(&fake.url).check(&world);
    assert_eq!(ran.answers, truth(&world));
    assert_eq!(ran.answers["VALUE"], "yes 2");
    // All that rests on the header is asked again; the rest is not.
    assert_eq!(ran.stored, 2, "{}", ran.stderr);
}

#[test]
fn what_was_missing_must_be_missing() {
    let world = World::new(HEADER);
    let fake = shared(&world);
    world.add("two.h");
    let ran = Machine::new(&fake.url).check(&world);
    assert_eq!(ran.answers, truth(&world));
    assert_eq!(ran.answers["MISSING"], "yes null");
}

#[test]
fn variables_must_be_the_same() {
    let world = World::new(HEADER);
    let fake = shared(&world);
    let ran = Machine::new(&fake.url).with("CPATH", "/nowhere").check(&world);
    assert_eq!((ran.stored, ran.answers), (0, truth(&world)));
}

#[test]
fn a_machine_adds_what_it_has_found_out() {
    let world = World::new(HEADER);
    let fake = shared(&world);
    let before = fake.thing();
    world.install("#define ONE 2\n");
    Machine::writing(&fake.url).check(&world);
    wait_until("the pack is sent again", || fake.thing() != before);
    // Both kinds of machines find theirs.
    for header in [HEADER, "#define ONE 2\n"] {
        world.install(header);
        let ran = Machine::new(&fake.url).check(&world);
        assert_eq!((ran.stored, ran.answers), (ALL, truth(&world)), "{header}");
    }
}

#[test]
fn who_only_reads_does_not_write() {
    let world = World::new(HEADER);
    let fake = Fake::start();
    assert_eq!(Machine::new(&fake.url).check(&world).stored, 0);
    // One that may write does so when there is something new. It comes later.
    Machine::writing(&fake.url).check(&world);
    wait_until("the pack is sent", || fake.count() == 1);
    let (before, machine) = (fake.thing(), Machine::writing(&fake.url));
    assert_eq!(machine.check(&world).stored, ALL);
    assert_eq!(machine.check(&world).stored, ALL);
    world.install("#define ONE 3\n");
    Machine::writing(&fake.url).check(&world);
    wait_until("what is new is sent", || fake.thing() != before);
}

#[test]
fn machines_have_headers_of_their_own_under_the_same_path() {
    let world = World::new("");
    let fake = Fake::start();
    let headers = |text: &str| {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("one.h"), text).unwrap();
        // As that of the world.
        let all_may_read = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(dir.path(), all_may_read).unwrap();
        dir
    };
    let (first, same, other) = (headers(HEADER), headers(HEADER), headers("#define ONE 2\n"));
    Machine::writing(&fake.url).with_headers(first.path()).check(&world);
    wait_until("the pack is sent", || fake.count() == 1);
    for (headers, value, stored) in [(&same, "yes 1", ALL), (&other, "yes 2", 2)] {
        let machine = || Machine::new(&fake.url).with_headers(headers.path());
        let ran = machine().check(&world);
        assert_eq!(ran.answers, truth_for(machine(), &world));
        assert_eq!((&*ran.answers["VALUE"], ran.stored), (value, stored), "{}", ran.stderr);
    }
}
