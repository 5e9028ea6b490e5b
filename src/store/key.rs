//! The key of a question: a digest of everything that is asked.

use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

use super::Key;
use crate::os::{self, Asker};

/// Changes with every change of this program. What another version concluded from the same output
/// may differ.
const VERSION: &str = env!("TRYALL_SOURCES");

/// The user and the processor do not change during a run.
static ASKER: OnceLock<Asker> = OnceLock::new();

impl Key {
    /// The key in hexadecimal digits.
    pub(crate) fn to_hex(self) -> String {
        blake3::Hash::from(self.0).to_hex().to_string()
    }

    /// A key from its hexadecimal digits.
    pub(crate) fn from_hex(digits: &str) -> Option<Key> {
        Some(Key(*blake3::Hash::from_hex(digits).ok()?.as_bytes()))
    }

    /// The key of parts that together are everything that is asked. `kind` keeps keys of different
    /// kinds apart. The user and the processor are part of every key.
    pub(crate) fn of(kind: &str, parts: impl Hash) -> Self {
        let mut hasher = Blake(blake3::Hasher::new());
        (VERSION, ASKER.get_or_init(os::asker), kind).hash(&mut hasher);
        parts.hash(&mut hasher);
        Key(*hasher.0.finalize().as_bytes())
    }
}

/// Passes to BLAKE3 what a value feeds to its hasher. Each string comes with its end and each list
/// with its length, so different values feed different bytes.
struct Blake(blake3::Hasher);

impl Hasher for Blake {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        unreachable!("the key is the whole digest")
    }
}
