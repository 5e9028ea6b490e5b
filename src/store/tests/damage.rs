//! What is damaged is never believed.

use std::fs;

use super::super::format::{HEAD, MAGIC};
use super::super::fuzzed::{ANSWERS, ask, question, read_all, valid};
use super::*;

/// Asks a damaged file everything. Returns how many answers were left.
fn answers(file: &[u8]) -> usize {
    read_all(file);
    let is_there = |number: &u8| {
        let (key, payload) = question(*number);
        ask(file, &key).inspect(|found| assert_eq!(*found, payload)).is_some()
    };
    assert_eq!(ask(file, &question(ANSWERS).0), None, "this was not kept");
    (0..ANSWERS).filter(is_there).count()
}

#[test]
fn a_valid_segment_answers() {
    assert_eq!(answers(&valid([7; 16])), usize::from(ANSWERS));
}

#[test]
fn a_flipped_bit_changes_no_answer() {
    let file = valid([7; 16]);
    let mut harmless = 0;
    for at in 0..file.len() {
        let mut damaged = file.clone();
        damaged[at] ^= 1 << (at % 8);
        harmless += usize::from(answers(&damaged) == usize::from(ANSWERS));
    }
    // The note on the question without an answer, and when answers were used.
    assert!(harmless < 130, "{harmless} of {} bytes decide nothing", file.len());
}

#[test]
fn a_truncated_or_longer_segment_has_no_answers() {
    let file = valid([7; 16]);
    for length in 0..file.len() {
        assert_eq!(answers(&file[..length]), 0);
        assert_eq!(answers(&file[length + 1..]), 0);
    }
    assert_eq!(answers(&[&file[..], &[0]].concat()), 0);
}

/// A power failure may leave a file with the right length and without some of its blocks.
#[test]
fn a_segment_with_holes_changes_no_answer() {
    let file = valid([7; 16]);
    for block in [16, 64, 500] {
        for start in (0..file.len()).step_by(block) {
            let mut damaged = file.clone();
            damaged[start..].iter_mut().take(block).for_each(|byte| *byte = 0);
            answers(&damaged);
        }
    }
}

#[test]
fn parts_of_other_segments_do_not_fit() {
    let (one, other) = (valid([7; 16]), valid([8; 16]));
    assert_eq!(one.len(), other.len());
    for length in [8, 16, 32, 100, 500] {
        for start in (HEAD..one.len()).step_by(7) {
            let mut mixed = one.clone();
            let end = (start + length).min(one.len());
            mixed[start..end].copy_from_slice(&other[start..end]);
            answers(&mixed);
            let mut moved = one.clone();
            moved.copy_within(start..end, HEAD);
            answers(&moved);
        }
    }
    let mut all_but_the_head = other;
    all_but_the_head[..HEAD].copy_from_slice(&one[..HEAD]);
    assert_eq!(answers(&all_but_the_head), 0);
}

#[test]
fn other_versions_are_ignored() {
    let mut file = valid([7; 16]);
    file[MAGIC.len() - 2] = b'1';
    assert_eq!(answers(&file), 0);
    for other in [&b""[..], b"x", &[0; 100], &[0xff; 1000]] {
        assert_eq!(answers(other), 0);
    }
}

#[test]
fn damaged_files_are_left_out_and_removed_later() {
    let room = Room::new();
    let mut run = room.run();
    run.keep(1, "yes", &[&room.path("missing")]);
    run.store.commit();
    let segment = room.segments().remove(0);
    let mut file = fs::read(&segment).unwrap();
    *file.last_mut().unwrap() ^= 1;
    fs::write(&segment, file).unwrap();

    let mut run = room.run();
    assert_eq!(run.find(1), None);
    let stats = run.store.stats();
    assert_eq!((stats.answers, stats.segments, stats.damaged), (0, 1, 1));
    run.keep(1, "again", &[&room.path("missing")]);
    run.store.commit();
    assert_eq!(room.run().find(1), answer("again"));
    assert!(segment.exists(), "it may just be slow to appear");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(7200);
    fs::File::options().write(true).open(&segment).unwrap().set_modified(old).unwrap();
    let mut run = room.run();
    run.keep(2, "yes", &[&room.path("missing")]);
    run.store.commit();
    assert!(!segment.exists());
    assert_eq!(room.run().find(1), answer("again"));
}
