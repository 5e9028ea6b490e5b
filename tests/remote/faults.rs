//! Whatever the server does, the answers are the compiler's, and the user is told once.

use crate::fake::{Fake, Fault};
use crate::machine::{ALL, Machine, PATIENT, World, truth};
use crate::servers::{Server, wait_until};

const HEADER: &str = "#define ONE 1\n";

/// A server that has a good pack.
fn good(world: &World) -> Fake {
    let fake = Fake::start();
    Machine::writing(&fake.url).check(world);
    wait_until("the pack is sent", || fake.count() == 1);
    fake
}

/// Asks a server that misbehaves. Returns what the user is told.
fn ask(fake: &Fake, world: &World, fault: Fault) -> String {
    // This server makes any machine wait as long as it is told to.
    let wait = if matches!(fault, Fault::Silent) { "100" } else { PATIENT };
    fake.misbehave(fault);
    let ran = Machine::new(&fake.url).with("TRYALL_REMOTE_WAIT", wait).check(world);
    assert_eq!((ran.stored, ran.answers), (0, truth(world)), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    ran.stderr
}

#[test]
fn a_server_may_do_anything() {
    let world = World::new(HEADER);
    let fake = good(&world);
    let pack = fake.thing();
    let flipped = |at: usize| {
        let mut pack = pack.clone();
        pack[at] ^= 4;
        Fault::Other(pack)
    };
    let other = {
        let world = World::without_function(HEADER);
        good(&world).thing()
    };
    for (fault, told) in [
        (Fault::Silent, "no answer in time"),
        (Fault::Cut, "ends in the middle"),
        (Fault::Huge, "too large"),
        (Fault::Noise, "not understood"),
        (Fault::Status(403), "refuses (HTTP 403)"),
        (Fault::Status(500), "HTTP 500"),
        (flipped(3), "version"),
        (flipped(20), "damaged"),
        (flipped(90), "damaged"),
        (flipped(pack.len() / 2), "damaged"),
        (flipped(pack.len() - 1), "damaged"),
        (Fault::Other(pack[..pack.len() - 1].to_vec()), "damaged"),
        (Fault::Other(Vec::new()), "version"),
        (Fault::Other(other), "another one"),
    ] {
        let name = format!("{fault:?}").chars().take(20).collect::<String>();
        let said = ask(&fake, &world, fault);
        assert!(said.contains(told), "{name}: {said}");
    }
    fake.misbehave(Fault::None);
    assert_eq!(Machine::new(&fake.url).check(&world).stored, ALL);
}

#[test]
fn a_pack_that_is_refused_is_replaced() {
    let world = World::new(HEADER);
    let fake = good(&world);
    let damaged = fake.thing()[..200].to_vec();
    let put_damaged = |thing: &mut Vec<u8>| thing.clone_from(&damaged);
    fake.things.lock().unwrap().values_mut().for_each(put_damaged);
    Machine::writing(&fake.url).check(&world);
    wait_until("a good pack is sent", || fake.thing() != damaged);
    assert_eq!(Machine::new(&fake.url).check(&world).stored, ALL);
}

#[test]
fn a_server_may_be_gone_and_come_back() {
    let world = World::new(HEADER);
    let mut server = Server::nginx(None);
    let url = server.url.clone();
    Machine::writing(&url).check(&world);
    wait_until("the pack is sent", || server.files().len() == 1);
    server.stop();
    let machine = Machine::writing(&url);
    let ran = machine.check(&world);
    assert_eq!((ran.stored, ran.answers), (0, truth(&world)));
    assert!(ran.stderr.contains("refused"), "{}", ran.stderr);
    assert!(machine.remote().contains("refused"), "{}", machine.remote());
}

#[test]
fn a_server_may_be_full() {
    let world = World::new(HEADER);
    let server = Server::redis(&["--maxmemory", "1", "--maxmemory-policy", "noeviction"]);
    for _ in 0..2 {
        let ran = Machine::writing(&server.url).check(&world);
        assert_eq!((ran.stored, ran.answers), (0, truth(&world)), "{}", ran.stderr);
    }
}

#[test]
fn an_address_may_be_wrong() {
    let world = World::new(HEADER);
    for (url, told) in [("ftp://user:s3cret@host", "scheme"), ("redis://user:s3cret@:6379", "host")]
    {
        let ran = Machine::new(url).check(&world);
        assert_eq!((ran.stored, ran.answers), (0, truth(&world)));
        assert!(ran.stderr.contains(told) && !ran.stderr.contains("s3cret"), "{}", ran.stderr);
    }
}
