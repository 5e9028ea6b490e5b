//! What a shim and the server of its run tell each other: messages of postcard, each after its length in
//! four bytes.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::files::{After, Before, Given};
use crate::os::Permissions;

/// The most bytes of a message.
pub(super) const MOST_BYTES: usize = 32 << 20;

/// The first message of a shim.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Call {
    /// A command that may be answered.
    Ask(Box<Request>),
    /// A command that the shim hands to the compiler, and why. There is no reply.
    Passed(String),
}

/// All that a command is given, besides the files that it finds by itself.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    /// The path of the compiler.
    pub program: Vec<u8>,
    /// The words of the command, with the name by which it was called.
    pub words: Vec<Vec<u8>>,
    /// The current directory.
    pub dir: Vec<u8>,
    /// What `PWD` names.
    pub pwd: Pwd,
    /// The environment, without what is only there because of the run.
    pub env: Vec<(Vec<u8>, Vec<u8>)>,
    /// The files that it is given.
    pub inputs: Vec<Input>,
    /// The files that it may leave, as absolute paths, and what is there now.
    pub outputs: Vec<(Vec<u8>, Before)>,
    /// What is on standard input, if it is read.
    pub stdin: Option<Given>,
    /// Whether both outputs are the same file.
    pub is_joined: bool,
    /// Whether no option hides names of files in products.
    pub is_plain: bool,
    /// Places in words that are paths: number of the word, and where in it the path begins.
    pub places: Vec<(u32, u32)>,
    /// What the process may do.
    pub surroundings: Surroundings,
}

/// A file that a command is given.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Input {
    /// Its absolute path.
    pub path: Vec<u8>,
    /// What is there.
    pub given: Given,
}

/// What the variable `PWD` says of the current directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Pwd {
    /// It is not set, or not an absolute path.
    Unset,
    /// It names the current directory.
    Current,
    /// It names another directory.
    Other,
    /// There is nothing, or no directory.
    Nothing,
}

/// What a process may do, and in which world of files.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Surroundings {
    /// The user, groups, capabilities and umask.
    pub permissions: Permissions,
    /// The limits of the process, soft and hard.
    pub limits: Vec<(u64, u64)>,
    /// Device and inode of the root directory, and the name space of mounts.
    pub world: (u64, u64, Vec<u8>),
}

/// The reply to [`Call::Ask`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    /// Become the compiler.
    Become,
    /// This is what the compiler would do.
    Serve(Answer),
    /// The same, but run the compiler, and compare: a [`Verified`] follows.
    Compare(Answer),
    /// Run the compiler with these variables, and report: a [`Report`] follows.
    Watch(Vec<(Vec<u8>, Vec<u8>)>),
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer {
    /// Its exit status.
    pub status: i32,
    /// What it wrote to standard output, and to standard error if that is the same file.
    pub out: Vec<u8>,
    /// What it wrote to standard error.
    pub err: Vec<u8>,
    /// What it did with each of its outputs.
    pub after: Vec<After>,
}

/// The report after [`Reply::Watch`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Report {
    /// What the command did. Nothing if that is not to be kept: a signal ended it, for example.
    pub answer: Option<Answer>,
    /// What its messages say, if there is no answer.
    pub messages: Vec<u8>,
    /// What its inputs are now.
    pub inputs: Vec<Option<Given>>,
}

/// The reply to a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Watching {
    /// Watching has not changed what the command did.
    Harmless,
    /// It may have. The command must run again.
    Disturbing,
}

/// The report after [`Reply::Compare`]: what differs.
pub(super) type Verified = Option<String>;

/// Writes a message.
pub(super) fn write(to: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    to.write_all(&encoded(message)?)
}

/// A message as it is written.
pub(super) fn encoded(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let start = vec![0; 4];
    let mut bytes = postcard::to_extend(message, start).map_err(io::Error::other)?;
    let length = bytes.len() - 4;
    if length > MOST_BYTES {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    bytes[..4].copy_from_slice(&(length as u32).to_le_bytes());
    Ok(bytes)
}

/// Reads a message.
pub(super) fn read<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<T> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut bytes = vec![0; bounded(length)?];
    from.read_exact(&mut bytes)?;
    postcard::from_bytes(&bytes).map_err(io::Error::other)
}

/// The length of a message.
pub(super) fn bounded(length: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_le_bytes(length) as usize;
    (length <= MOST_BYTES).then_some(length).ok_or_else(|| io::ErrorKind::InvalidData.into())
}
