//! Segments of the store: whatever is in a file, reading it never crashes, and no change to a valid
//! one changes an answer.

use std::sync::OnceLock;

use crate::store::fuzzed::{ANSWERS, ask, decode, question, read_all, valid};

/// Tests bytes in three ways: as a file, as a blob whose checksum is right, and as changes to a
/// valid file. A change is three bytes: a position, 16 bits wide, and what is added to the byte
/// there.
pub fn look(bytes: &[u8]) {
    read_all(bytes);
    decode(bytes);

    static VALID: OnceLock<Vec<u8>> = OnceLock::new();
    let valid = VALID.get_or_init(|| valid([7; 16]));
    let mut changed = valid.clone();
    for change in bytes.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % changed.len();
        changed[at] = changed[at].wrapping_add(change[2]);
    }
    read_all(&changed);
    for number in 0..=ANSWERS {
        let (key, payload) = question(number);
        if let Some(answer) = ask(&changed, &key) {
            assert!(number < ANSWERS && answer == payload, "a changed answer");
        }
        assert_eq!(ask(bytes, &key).is_some(), ask(bytes, &key).is_some_and(|it| it == payload));
    }
}
