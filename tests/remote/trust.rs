//! Who may read and write, and whose packs count.

use std::fs;

use crate::fake::Fake;
use crate::machine::{ALL, Machine, World, truth};
use crate::servers::{Server, wait_until};

const HEADER: &str = "#define ONE 1\n";

#[test]
fn only_packs_that_are_signed_with_the_key_count() {
    let world = World::new(HEADER);
    let fake = Fake::start();
    let key = |url: &str, key: &str| Machine::new(url).with("TRYALL_REMOTE_KEY", key);
    let refused = |machine: Machine| {
        let ran = machine.check(&world);
        assert_eq!((ran.stored, ran.answers), (0, truth(&world)));
        assert!(ran.stderr.contains("not signed") && !ran.stderr.contains("s3cret"));
    };
    Machine::writing(&fake.url).check(&world);
    wait_until("the pack is sent", || fake.count() == 1);
    let unsigned = fake.thing();
    refused(key(&fake.url, "s3cret"));

    key(&fake.url, "s3cret").with("TRYALL_REMOTE_MODE", "rw").check(&world);
    wait_until("a signed pack is sent", || fake.thing() != unsigned);
    assert_eq!(key(&fake.url, "s3cret").check(&world).stored, ALL);
    // The key may stand in a file.
    let file = Machine::new(&fake.url);
    let path = file.home().join("key");
    fs::write(&path, "s3cret\n").unwrap();
    let file = file.with("TRYALL_REMOTE_KEY_FILE", path.to_str().unwrap());
    assert_eq!(file.check(&world).stored, ALL);
    refused(key(&fake.url, "other s3cret"));
    // Who has no key takes what there is.
    assert_eq!(Machine::new(&fake.url).check(&world).stored, ALL);
}

#[test]
fn a_key_that_cannot_be_read_is_not_ignored() {
    let world = World::new(HEADER);
    let fake = Fake::start();
    Machine::writing(&fake.url).check(&world);
    wait_until("the pack is sent", || fake.count() == 1);
    let machine = Machine::new(&fake.url);
    fs::write(machine.home().join("empty"), "\n").unwrap();
    for name in ["missing", "empty"] {
        let path = machine.home().join(name);
        let machine = Machine::new(&fake.url);
        let ran = machine.with("TRYALL_REMOTE_KEY_FILE", path.to_str().unwrap()).check(&world);
        assert_eq!(ran.stored, 0);
        assert!(ran.stderr.contains("TRYALL_REMOTE_KEY_FILE"), "{}", ran.stderr);
    }
}

#[test]
fn servers_may_want_a_password() {
    let world = World::new(HEADER);
    let servers = [Server::redis(&["--requirepass", "s3cret"]), Server::nginx(Some("s3cret"))];
    for (server, right) in std::iter::zip(&servers, [":s3cret", "user:s3cret"]) {
        Machine::writing(&server.url_of(right)).check(&world);
        let reads = |url: &str| Machine::new(url).check(&world).stored == ALL;
        wait_until("the pack is sent", || reads(&server.url_of(right)));
        let wrong = server.url_of("user:wr0ng");
        for url in [&server.url, &wrong] {
            let machine = Machine::new(url);
            let ran = machine.check(&world);
            assert_eq!((ran.stored, &ran.answers), (0, &truth(&world)));
            assert!(ran.stderr.contains("refuses"), "{}", ran.stderr);
            assert!(!format!("{}{}", ran.stderr, machine.remote()).contains("wr0ng"));
        }
    }
    // A password may stand where curl and git look for it, too.
    let machine = Machine::new(&servers[1].url);
    let netrc = "machine 127.0.0.1 login user password s3cret\n";
    fs::write(machine.home().join(".netrc"), netrc).unwrap();
    assert_eq!(machine.check(&world).stored, ALL);
}
