//! Real servers.

use crate::machine::{ALL, Machine, World, truth};
use crate::servers::{Server, wait_until};

const HEADER: &str = "#define ONE 1\n";

/// One machine shares, and another one finds it.
pub fn is_shared(world: &World, machine: impl Fn() -> Machine) {
    let first = machine().with("TRYALL_REMOTE_MODE", "rw").check(world);
    assert_eq!((first.stored, first.answers, &*first.stderr), (0, truth(world), ""));
    wait_until("the pack is sent", || machine().check(world).stored > 0);
    let second = machine();
    let ran = second.check(world);
    assert_eq!((ran.stored, ran.answers, &*ran.stderr), (ALL, truth(world), ""));
    let told = second.remote();
    assert!(told.contains("answers in") && told.contains("answers came from"), "{told}");
}

#[test]
fn redis_keeps_packs() {
    let server = Server::redis(&[]);
    is_shared(&World::new(HEADER), || Machine::new(&server.url));
    // In another database: both worlds have a check in common, and perhaps its pack.
    let expires = format!("{}?expiry=3600", server.url.replace("/0", "/1"));
    is_shared(&World::new(HEADER), || Machine::new(&expires));
}

#[test]
fn nginx_keeps_packs() {
    let server = Server::nginx(None);
    is_shared(&World::new(HEADER), || Machine::new(&server.url));
    assert_eq!(server.files().len(), 1);
}

#[test]
fn s3_keeps_packs_of_who_signs_requests() {
    let (server, [name, secret]) = Server::s3();
    let world = World::new(HEADER);
    let machine = |secret: &str| {
        let machine = Machine::new("s3://bucket/some/prefix").with("AWS_ENDPOINT_URL", &server.url);
        machine.with("AWS_ACCESS_KEY_ID", &name).with("AWS_SECRET_ACCESS_KEY", secret)
    };
    is_shared(&world, || machine(&secret));
    let ran = machine("wr0ng").check(&world);
    assert_eq!((ran.stored, ran.answers), (0, truth(&world)));
    assert!(ran.stderr.contains("HTTP 403") && !ran.stderr.contains("wr0ng"), "{}", ran.stderr);
}
