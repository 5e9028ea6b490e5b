//! Reads segments from memory, for fuzzing and for tests of damaged files.

use std::rc::Rc;

use super::Key;
use super::draft::{Draft, DraftBody, DraftRecord, Numbers};
use super::format::{Id, Record};
use super::segment::{Segment, parse_numbers, parse_page, parse_variables};
use super::variables::{Variables, VariablesSeen};
use crate::deps::sight::{Sight, Sights};
use crate::deps::world::World;
use crate::os::{Found, Look};

/// The number of answers in [`valid`], which have the keys and payloads of [`question`].
pub(crate) const ANSWERS: u8 = 5;

/// A question of a valid segment, and its answer.
pub(crate) fn question(number: u8) -> (Key, Rc<[u8]>) {
    let mut key = [0x5a; 32];
    // Some have the same prefix.
    key[if number < 3 { 31 } else { 0 }] = number;
    (Key(key), [number; 9].as_slice().into())
}

/// A valid segment. All of its answers hold.
pub(crate) fn valid(id: Id) -> Vec<u8> {
    let mut draft = Draft::default();
    let mut sights = Sights::default();
    let sight = |number| Sight {
        path: Rc::from(format!("/nowhere/{number}").as_ref()),
        look: Look::Follow,
        found: Found::Nothing,
        contents: None,
    };
    let ids: Vec<_> = (0..70).map(|number| sights.id(sight(number))).collect();
    let mut numbers = Numbers::default();
    let names = ["CPATH".into(), "LANG".into()];
    let variables = VariablesSeen::new(&names, false, &env());
    for number in 0..ANSWERS {
        let list = draft.list(&ids[usize::from(number)..][..60], &sights, &mut numbers, |_| None);
        let variables = draft.variables(variables.clone());
        let (key, payload) = question(number);
        let body = DraftBody::Answer { list, variables, payload };
        draft.add(DraftRecord { key, label: "LABEL".into(), when: 1, used: 1, body });
    }
    let body = DraftBody::NotKept { reason: "why".into() };
    let (key, _) = question(ANSWERS);
    draft.add(DraftRecord { key, label: "LABEL".into(), when: 1, used: 1, body });
    draft.write(id).expect("it is short")
}

/// The environment in which the answers hold.
fn env() -> Variables {
    Variables::new([("LANG", "C")])
}

/// The answer that a file gives to a question.
pub(crate) fn ask(file: &[u8], key: &Key) -> Option<Rc<[u8]>> {
    let mut segment = Segment::open(file.to_vec())?;
    let (mut world, env) = (World::default(), env());
    segment.entries(key).find_map(|at| Some(segment.answer(at, key, &mut world, &env)?.payload))
}

/// Reads everything that a file has, and copies it.
pub(crate) fn read_all(file: &[u8]) {
    let Some(mut segment) = Segment::open(file.to_vec()) else { return };
    let (mut draft, mut numbers) = (Draft::default(), Numbers::default());
    for at in 0..segment.len() {
        let _ = draft.copy(&mut segment, at, &mut numbers, 0, |sight| Some(sight.clone()));
    }
    let _ = draft.write([0; 16]);
}

/// Decodes bytes as each kind of blob, as if their checksum were right.
pub(crate) fn decode(bytes: &[u8]) {
    let _ = postcard::from_bytes::<Record>(bytes);
    if let Some(page) = parse_page(bytes) {
        let mut world = World::default();
        for sight in page {
            let _ = world.compare(&sight);
        }
    }
    if let Some(numbers) = parse_numbers(bytes, 1000) {
        assert!(numbers.is_sorted() && numbers.iter().all(|number| *number < 1000));
    }
    if let Some(variables) = parse_variables(bytes) {
        let holds = variables.holds(&env());
        assert_eq!(holds, variables.changes(&env()).is_empty(), "{variables:?}");
    }
}
