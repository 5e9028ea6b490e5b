//! TLS: whom a machine believes that it is the server.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::machine::{Machine, World, truth};
use crate::real::is_shared;
use crate::servers::Server;
use crate::support::need;

const HEADER: &str = "#define ONE 1\n";

/// Names of a server that runs here.
const HERE: &str = "IP:127.0.0.1,DNS:localhost";

/// When certificates begin and end to be valid.
const VALID: [&str; 2] = ["20000101000000Z", "20991231235959Z"];
const EXPIRED: [&str; 2] = ["20000101000000Z", "20010101000000Z"];
const FUTURE: [&str; 2] = ["20980101000000Z", "20991231235959Z"];

const MODERN: &str = "TLSv1.3";

/// A certificate authority.
struct Authority {
    dir: tempfile::TempDir,
    /// Its certificate and key.
    own: [PathBuf; 2],
}

impl Authority {
    fn new(name: &str) -> Authority {
        let dir = tempfile::tempdir().unwrap();
        let own = ["ca.pem", "ca.key"].map(|name| dir.path().join(name));
        let settings = "[ca]\ndefault_ca = own\n[own]\ndatabase = signed\nrand_serial = yes\n\
                        new_certs_dir = .\ndefault_md = sha256\npolicy = any\n\
                        copy_extensions = copy\nunique_subject = no\n[any]\ncommonName = supplied\n";
        fs::write(dir.path().join("settings"), settings).unwrap();
        fs::write(dir.path().join("signed"), "").unwrap();
        let authority = Authority { dir, own };
        authority.request("ca", name, &["-x509", "-out", "ca.pem"]);
        authority
    }

    /// A certificate with some names, and its key.
    fn sign(&self, names: &str, [begin, end]: [&str; 2]) -> [PathBuf; 2] {
        let names = format!("subjectAltName={names}");
        self.request("server", "server", &["-addext", &names, "-out", "request"]);
        self.openssl(&[
            &["ca", "-batch", "-notext", "-config", "settings", "-cert", "ca.pem"][..],
            &["-keyfile", "ca.key", "-in", "request", "-out", "server.pem"],
            &["-startdate", begin, "-enddate", end],
        ]);
        ["server.pem", "server.key"].map(|name| self.dir.path().join(name))
    }

    /// Makes a key, and a request for a certificate or an authority's own certificate.
    fn request(&self, file: &str, name: &str, options: &[&str]) {
        let (key, subject) = (format!("{file}.key"), format!("/CN={name}"));
        self.openssl(&[
            &["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
            &["-keyout", &key, "-subj", &subject],
            options,
        ]);
    }

    fn openssl(&self, words: &[&[&str]]) {
        let mut command = Command::new(need("openssl"));
        let output = command.args(words.concat()).current_dir(self.dir.path()).output().unwrap();
        assert!(output.status.success(), "{command:?}: {output:?}");
    }

    /// A machine that trusts this authority.
    fn trusting(&self, url: &str) -> Machine {
        Machine::new(url).with("SSL_CERT_FILE", self.own[0].to_str().unwrap())
    }
}

/// A machine leaves the server out, and its user is told why.
fn is_left_out(world: &World, machine: Machine, place: &str, told: &[&str]) {
    let machine = machine.with("TRYALL_REMOTE_MODE", "rw");
    let ran = machine.check(world);
    assert_eq!((ran.stored, ran.answers), (0, truth(world)), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    for said in [ran.stderr, machine.remote()] {
        assert!(told.iter().chain([&place]).all(|word| said.contains(word)), "{told:?}: {said}");
    }
}

#[test]
fn answers_are_shared_with_a_server_that_is_trusted() {
    let authority = Authority::new("one");
    let certificate = authority.sign(HERE, VALID);
    for (version, host) in [("TLSv1.2", "127.0.0.1"), ("TLSv1.3", "localhost")] {
        let server = Server::nginx_with_tls(version, &certificate);
        let url = server.url.replace("127.0.0.1", host);
        is_shared(&World::new(HEADER), || authority.trusting(&url));
        assert_eq!(server.files().len(), 1);
    }
}

#[test]
fn a_server_that_is_not_trusted_is_left_out() {
    let world = World::new(HEADER);
    let authority = Authority::new("one");
    let server = Server::nginx_with_tls(MODERN, &authority.sign(HERE, VALID));
    let url = &server.url;
    let not_signed = ["not signed by an authority", "set SSL_CERT_FILE"];
    for other in ["one", "two"] {
        is_left_out(&world, Authority::new(other).trusting(url), url, &not_signed);
    }
    let missing = Machine::new(url).with("SSL_CERT_FILE", "/no/ca.pem");
    is_left_out(&world, missing, url, &["/no/ca.pem", "set SSL_CERT_FILE"]);
    assert!(server.files().is_empty());

    let is_refused = |certificate: &[PathBuf; 2], told: &[&str]| {
        let server = Server::nginx_with_tls(MODERN, certificate);
        is_left_out(&world, authority.trusting(&server.url), &server.url, told);
        assert!(server.files().is_empty());
    };
    is_refused(&authority.sign(HERE, EXPIRED), &["has expired", "renew"]);
    is_refused(&authority.sign(HERE, FUTURE), &["is not valid yet", "clock"]);
    is_refused(&authority.sign("DNS:cache", VALID), &["not for the host", "subjectAltName"]);
    is_refused(&authority.own, &["authority's own", "sign another one"]);
}

#[test]
fn a_server_without_tls_is_left_out() {
    let server = Server::nginx(None);
    let url = server.url.replace("http:", "https:");
    is_left_out(
        &World::new(HEADER),
        Authority::new("one").trusting(&url),
        &url,
        &["does not speak TLS"],
    );
}
