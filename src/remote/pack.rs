//! The envelope of what travels.
//!
//! ```text
//! magic, 16 bytes · name, 32 bytes · signature, 32 bytes or zeros · checksum, 32 bytes · body
//! ```
//!
//! The checksum covers everything else, and finds damage. The signature covers name and body, so that a
//! server cannot hand out one pack for another. All of it is checked before the body is looked at.

use crate::store::Key;

/// The beginning of each pack. Changes with the format.
const MAGIC: &[u8; 16] = b"tryall pack v1\n\0";

/// The length of everything before the body.
const HEAD: usize = 16 + 3 * 32;

/// No pack is larger, in bytes.
pub(crate) const MOST: usize = 4 << 20;

/// What signs and verifies packs.
#[derive(Clone)]
pub(super) struct Secret([u8; 32]);

impl Secret {
    /// From the bytes that the user has chosen.
    pub(super) fn new(bytes: &[u8]) -> Secret {
        Secret(blake3::derive_key("tryall 2026 signature of packs", bytes))
    }

    fn sign(&self, name: &[u8], body: &[u8]) -> blake3::Hash {
        blake3::Hasher::new_keyed(&self.0).update(name).update(body).finalize()
    }
}

/// Not for logs.
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

fn checksum(parts: [&[u8]; 4]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()
}

/// A body in its envelope.
pub(super) fn seal(name: &Key, body: &[u8], secret: Option<&Secret>) -> Vec<u8> {
    let signature = secret.map_or([0; 32], |secret| *secret.sign(&name.0, body).as_bytes());
    let sum = checksum([MAGIC, &name.0, &signature, body]);
    [MAGIC.as_slice(), &name.0, &signature, sum.as_bytes(), body].concat()
}

/// The body of a pack that has been asked for by its name; or why it is refused.
pub(super) fn open(
    mut pack: Vec<u8>,
    name: &Key,
    secret: Option<&Secret>,
) -> Result<Vec<u8>, &'static str> {
    if pack.len() < HEAD || pack.len() > MOST || pack[..16] != *MAGIC {
        return Err("it is not a pack of this version");
    }
    let body = pack.split_off(HEAD);
    let (its_name, signature, sum) = (&pack[16..48], &pack[48..80], &pack[80..]);
    if checksum([MAGIC, its_name, signature, &body]) != *sum {
        return Err("it is damaged");
    }
    if its_name != name.0 {
        return Err("it is another one than was asked for");
    }
    match secret {
        // Hashes compare in constant time.
        Some(secret) if secret.sign(its_name, &body) != *signature => {
            Err("it is not signed with the key of TRYALL_REMOTE_KEY")
        }
        _ => Ok(body),
    }
}

/// The name of a pack of this program.
pub(super) fn name(pack: &[u8]) -> Option<Key> {
    Some(Key(pack.get(16..48)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: Key = Key([3; 32]);

    #[test]
    fn only_what_was_sealed_is_opened() {
        let (ours, other) = (Secret::new(b"ours"), Secret::new(b"other"));
        for secret in [None, Some(&ours)] {
            let pack = seal(&NAME, b"body", secret);
            assert_eq!(name(&pack), Some(NAME));
            assert_eq!(open(pack.clone(), &NAME, secret).unwrap(), b"body");
            assert_eq!(open(pack.clone(), &NAME, None).unwrap(), b"body");
            assert!(open(pack.clone(), &NAME, Some(&other)).unwrap_err().contains("signed"));
            assert!(open(pack.clone(), &Key([4; 32]), secret).unwrap_err().contains("another"));
            for at in 0..pack.len() {
                let mut damaged = pack.clone();
                damaged[at] ^= 0x10;
                assert!(open(damaged, &NAME, secret).is_err(), "{at}");
                assert!(open(pack[..at].to_vec(), &NAME, secret).is_err(), "{at}");
            }
        }
    }
}
