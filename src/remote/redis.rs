//! Speaks with Redis, and whatever speaks like it: <https://redis.io/docs/latest/develop/reference/protocol-spec/>.

use std::io::{self, BufReader, Read, Write};

use super::Trouble;
use super::address::Address;
use super::wire::{Wire, exactly, line};

/// How long a line of a reply may be.
const LINE: usize = 64 << 10;

/// A reply: bytes, or nothing.
type Reply = Option<Vec<u8>>;

/// The value of a key. All that is said goes out at once.
pub(super) fn get(
    wire: impl Wire,
    address: &Address,
    key: &str,
    most: usize,
) -> Result<Reply, Trouble> {
    talk(wire, address, &[b"GET", key.as_bytes()], most)
}

/// Sets the value of a key.
pub(super) fn put(
    wire: impl Wire,
    address: &Address,
    key: &str,
    value: &[u8],
) -> Result<(), Trouble> {
    let expiry = address.expiry.map(|seconds| seconds.to_string());
    let mut words = vec![b"SET".as_slice(), key.as_bytes(), value];
    words.extend(expiry.iter().flat_map(|seconds| [b"EX".as_slice(), seconds.as_bytes()]));
    talk(wire, address, &words, LINE).map(drop)
}

fn talk(
    mut wire: impl Wire,
    address: &Address,
    command: &[&[u8]],
    most: usize,
) -> Result<Reply, Trouble> {
    let mut commands: Vec<Vec<&[u8]>> = Vec::new();
    if let Some((user, password)) = &address.login {
        let both = [b"AUTH".as_slice(), user.as_bytes(), password.as_bytes()];
        // Without a user, as servers before version 6 want it.
        commands.push(both.into_iter().filter(|word| !word.is_empty()).collect());
    }
    if !address.path.is_empty() {
        commands.push(vec![b"SELECT", address.path.as_bytes()]);
    }
    commands.push(command.to_vec());
    let mut text = Vec::new();
    for words in &commands {
        write!(text, "*{}\r\n", words.len())?;
        for word in words {
            write!(text, "${}\r\n", word.len())?;
            text.extend_from_slice(word);
            text.extend_from_slice(b"\r\n");
        }
    }
    wire.write_all(&text)?;
    wire.flush()?;
    let mut from = BufReader::new(wire);
    let mut last = None;
    for _ in &commands {
        last = reply(&mut from, most)?;
    }
    Ok(last)
}

fn reply(from: &mut impl Read, most: usize) -> Result<Reply, Trouble> {
    let text = line(from, &mut LINE.clone())?;
    match text.split_at_checked(1) {
        Some(("+", word)) => Ok(Some(word.into())),
        // The first word is a code. What follows might repeat what was sent.
        Some(("-", word)) => {
            let code = word.split(' ').next().unwrap_or_default();
            Err(Trouble::of(format!("the server refuses ({code})")))
        }
        Some(("$", "-1")) => Ok(None),
        Some(("$", length)) => {
            let length: usize = length.parse().map_err(|_| io::ErrorKind::InvalidData)?;
            if length > most {
                return Err(Trouble::of("what it has is too large"));
            }
            let bytes = exactly(from, length)?;
            exactly(from, 2)?;
            Ok(Some(bytes))
        }
        _ => Err(io::Error::from(io::ErrorKind::InvalidData).into()),
    }
}
