//! A store that machines share, behind the local one.
//!
//! What travels is a pack: a segment of the store with all answers that one step has used. A step fetches
//! its pack in the background when it begins, and at its end sends another one if it has learned
//! something. Whatever goes wrong, there are only fewer answers.
//!
//! * `address`, `server`: which server, and who asks
//! * `wire`, `tls`, `redis`, `http`, `s3`: how to talk to it
//! * `pack`: the envelope, with a checksum and a signature
//! * `step`: what a step is called
//!
//! docs/design/remote.md has the reasons.

mod address;
mod http;
mod pack;
mod redis;
mod s3;
mod server;
pub(crate) mod step;
#[cfg(feature = "tls")]
mod tls;
mod wire;

use std::ffi::OsString;
use std::io::{self, Read, Seek, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::os;
use crate::store::Key;
use pack::Secret;
use server::Server;

/// How long a process waits for the server, in all, unless the user says otherwise.
const PATIENCE: Duration = Duration::from_millis(100);

/// What is said of a server that takes longer.
const LATE: &str = "no answer in time";

/// The most bytes that a body may have.
pub(crate) const MOST: usize = pack::MOST - (1 << 10);

/// The variable with the address.
const ADDRESS: &str = "TRYALL_REMOTE";
/// The variable that allows to write.
const MODE: &str = "TRYALL_REMOTE_MODE";
/// The variable with the milliseconds that a process waits.
const WAIT: &str = "TRYALL_REMOTE_WAIT";
/// The variables with what signs packs, or with the file that has it.
const KEY: &str = "TRYALL_REMOTE_KEY";
const KEY_FILE: &str = "TRYALL_REMOTE_KEY_FILE";

/// Why something was not got or put, for people.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Trouble(String);

impl Trouble {
    fn of(text: impl Into<String>) -> Trouble {
        Trouble(text.into())
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        #[cfg(feature = "tls")]
        if let Some(text) = tls::trouble(&error) {
            return Trouble(text);
        }
        match error.kind() {
            io::ErrorKind::TimedOut => Trouble::of(LATE),
            io::ErrorKind::UnexpectedEof => Trouble::of("the server ends in the middle"),
            io::ErrorKind::InvalidData => Trouble::of("the server's reply is not understood"),
            _ => Trouble(error.to_string()),
        }
    }
}

impl From<io::ErrorKind> for Trouble {
    fn from(error: io::ErrorKind) -> Trouble {
        io::Error::from(error).into()
    }
}

/// A remote store.
pub(crate) struct Remote {
    server: Server,
    /// Whether this process may write.
    writes: bool,
    secret: Option<Secret>,
    patience: Duration,
    step: Option<Step>,
}

/// The step that this process makes.
struct Step {
    name: Key,
    /// Until it is known what the server has.
    arrives: Option<Receiver<Fetched>>,
    waited: Duration,
    trouble: Option<Trouble>,
    /// Whether the server has given a sensible reply.
    is_well: bool,
}

/// What the server has.
enum Fetched {
    Pack(Vec<u8>),
    Nothing,
    /// A pack that does not count.
    Refused(&'static str),
    Failed(Trouble),
}

/// Without secrets.
impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Remote {
    /// The one that the variables of an environment choose, or why it cannot be used. `get` looks up a
    /// variable.
    pub(crate) fn chosen(
        get: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Option<Remote>, Trouble> {
        let get = |name: &str| get(name).filter(|value| !value.is_empty());
        let Some(address) = get(ADDRESS).filter(|address| address != "off") else {
            return Ok(None);
        };
        let trouble = |name: &str, why: String| Trouble(format!("{name} is not used: {why}"));
        let address = address.into_string().unwrap_or_default();
        let wait = get(WAIT).map(|wait| wait.to_str().and_then(|wait| wait.parse().ok()));
        let patience = match wait {
            None => PATIENCE,
            Some(Some(wait)) => Duration::from_millis(wait),
            Some(None) => {
                return Err(trouble(ADDRESS, format!("{WAIT} is not a number of milliseconds")));
            }
        };
        let server = Server::new(&address, patience, &get).map_err(|why| trouble(ADDRESS, why))?;
        let writes = match get(MODE) {
            None => false,
            Some(mode) if mode == "ro" => false,
            Some(mode) if mode == "rw" => true,
            Some(_) => return Err(trouble(ADDRESS, format!("{MODE} is neither ro nor rw"))),
        };
        let secret = match (get(KEY), get(KEY_FILE)) {
            (Some(key), _) => Some(os::bytes_of(&key).to_vec()),
            (None, Some(file)) => {
                let why = |error| trouble(ADDRESS, format!("{KEY_FILE}: {error}"));
                Some(std::fs::read(file).map_err(why)?.trim_ascii().to_vec())
            }
            (None, None) => None,
        };
        if secret.as_ref().is_some_and(Vec::is_empty) {
            return Err(trouble(ADDRESS, format!("{KEY_FILE}: there is no key in it")));
        }
        let secret = secret.as_deref().map(Secret::new);
        Ok(Some(Remote { server, writes, secret, patience, step: None }))
    }

    /// Where it is and what may be done with it, for people.
    pub(crate) fn shown(&self) -> String {
        let mode = if self.writes { "read and written" } else { "only read" };
        let signed = if self.secret.is_some() { ", signed" } else { "" };
        format!("{} ({mode}{signed})", self.server.shown())
    }

    /// Where it is, for people.
    pub(crate) fn place(&self) -> String {
        self.server.shown()
    }

    /// Whether this process may write.
    pub(crate) fn writes(&self) -> bool {
        self.writes
    }

    /// Whether it may, and the server has answered so far. A pack that was refused is replaced.
    pub(crate) fn may_send(&self) -> bool {
        self.writes && self.step.as_ref().is_some_and(|step| step.is_well)
    }

    /// Begins to fetch the pack of a step. Only the first step of a process has one.
    pub(crate) fn begin(&mut self, name: Key) {
        if self.step.is_some() {
            return;
        }
        let (server, secret) = (self.server.clone(), self.secret.clone());
        let (sender, receiver) = channel();
        let fetch = move || {
            let fetched = match server.get(&name.to_hex()) {
                Ok(None) => Fetched::Nothing,
                Ok(Some(pack)) => pack::open(pack, &name, secret.as_ref())
                    .map_or_else(Fetched::Refused, Fetched::Pack),
                Err(trouble) => Fetched::Failed(trouble),
            };
            // Nobody may be waiting any more.
            let _ = sender.send(fetched);
        };
        let started = std::thread::Builder::new().name("remote".into()).spawn(fetch);
        let trouble = started.as_ref().err().map(|error| Trouble(error.to_string()));
        let arrives = started.is_ok().then_some(receiver);
        let waited = Duration::ZERO;
        self.step = Some(Step { name, arrives, waited, trouble, is_well: false });
    }

    /// The body of the pack, once: when it has arrived, for which this waits if there is time left.
    pub(crate) fn arrived(&mut self) -> Option<Vec<u8>> {
        let step = self.step.as_mut()?;
        let arrives = step.arrives.as_ref()?;
        let begin = Instant::now();
        let arrived = arrives.recv_timeout(self.patience.saturating_sub(step.waited));
        step.waited += begin.elapsed();
        let fetched = match arrived {
            // It may still come for later questions.
            Err(RecvTimeoutError::Timeout) => return None,
            Err(RecvTimeoutError::Disconnected) => Fetched::Failed(Trouble::of("no answer")),
            Ok(fetched) => fetched,
        };
        step.arrives = None;
        step.is_well = !matches!(fetched, Fetched::Failed(_));
        match fetched {
            Fetched::Pack(body) => return Some(body),
            Fetched::Nothing => {}
            Fetched::Refused(why) => step.trouble = Some(Trouble(format!("a pack, because {why}"))),
            Fetched::Failed(trouble) => step.trouble = Some(trouble),
        }
        None
    }

    /// What went wrong so far, for people.
    pub(crate) fn trouble(&self) -> Option<String> {
        let step = self.step.as_ref()?;
        let late = || {
            let is_late = step.arrives.is_some() && step.waited >= self.patience;
            is_late.then(|| Trouble::of(LATE))
        };
        let trouble = step.trouble.clone().or_else(late)?;
        Some(format!("the remote store {} is left out: {trouble}", self.server.shown()))
    }

    /// Sends the pack of this step in a process that nobody waits for.
    pub(crate) fn send(&self, body: &[u8]) -> io::Result<()> {
        let Some(step) = &self.step else { return Ok(()) };
        let pack = pack::seal(&step.name, body, self.secret.as_ref());
        let mut file = os::memory_file(c"tryall-pack")?;
        file.write_all(&pack)?;
        file.rewind()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["store", "send"]).current_dir("/");
        command.stdin(file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map(drop)
    }

    /// Sends a pack that another process of this program has made.
    pub(crate) fn send_from(&self, mut from: impl Read) -> Result<(), Trouble> {
        let mut pack = Vec::new();
        from.read_to_end(&mut pack)?;
        let name = pack::name(&pack).ok_or(io::ErrorKind::InvalidData)?;
        self.server.put(&name.to_hex(), &pack)
    }

    /// Whether the server answers, and how fast.
    pub(crate) fn probe(&self) -> Result<Duration, Trouble> {
        let begin = Instant::now();
        self.server.get(&Key([0; 32]).to_hex())?;
        Ok(begin.elapsed())
    }
}
