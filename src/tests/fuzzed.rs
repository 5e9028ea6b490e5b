//! Runs the fuzz targets without a fuzzer: on their corpora and on seeded mutations of them.

use std::fs;

use super::random::Random;
use super::root;
use crate::fuzz_bodies::{diagnostics, request, sources, store};

const CHANGES: u64 = 4000;

/// Dictionary words, which are more effective than random bytes.
const WORDS: [&str; 24] = [
    "\"",
    "\\",
    "\0",
    "\n",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "//",
    "/*",
    "*/",
    "#",
    "??/",
    "'",
    ":1:2: ",
    "error: ",
    "\x1b[31m",
    "\u{2028}",
    "-Wno-",
    "conftest0.c",
    "`fork'",
    "99999999999999999999",
];

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let files = fs::read_dir(root().join("fuzz/corpus").join(target)).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 5, "the corpus of {target} is there");
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

fn mutated(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(5) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(12)).min(bytes.len());
        match random.below(5) {
            0 if at < bytes.len() => bytes[at] = random.below(256) as u8,
            1 => drop(bytes.drain(at..end)),
            2 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
            3 => {
                let other = &corpus[random.below(corpus.len())];
                let from = random.below(other.len());
                bytes.splice(at..end, other[from..].iter().copied().take(60));
            }
            _ => drop(bytes.splice(at..at, WORDS[random.below(WORDS.len())].bytes())),
        }
    }
    bytes
}

fn drive(target: &str, look: impl Fn(&[u8])) {
    let corpus = corpus(target);
    corpus.iter().for_each(|bytes| look(bytes));
    for seed in 0..CHANGES {
        let bytes = mutated(&mut Random::seeded(seed), &corpus);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| look(&bytes)));
        assert!(outcome.is_ok(), "seed {seed}: {:?}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn mutated_requests_are_accepted_or_refused() {
    drive("request", request::look);
}

#[test]
fn mutated_diagnostics_neither_crash_nor_prove_answers() {
    drive("diagnostics", diagnostics::look);
}

#[test]
fn mutated_fragments_stay_in_place() {
    drive("sources", |bytes| {
        sources::look(&String::from_utf8_lossy(bytes));
    });
}

#[test]
fn mutated_segments_are_never_believed() {
    drive("store", store::look);
}
