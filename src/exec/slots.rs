//! Limits how many commands run at once: to `--jobs`, the request's `jobs`, GNU make's jobserver,
//! or the number of cores; and never to more than the system's limits allow.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use jobserver::{Acquired, Client, FromEnvErrorKind, HelperThread};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::os;

/// The slots of a run.
pub(crate) struct Slots {
    source: Source,
    /// The most slots that any source may give.
    cap: usize,
    running: usize,
    most: usize,
}

enum Source {
    Fixed(usize),
    Jobserver(Jobserver),
}

struct Jobserver {
    /// Waits for tokens, which only a blocking read can do.
    helper: HelperThread,
    returning: Returning,
    arriving: UnboundedReceiver<std::io::Result<Acquired>>,
    /// Tokens that no command uses.
    spare: Vec<Acquired>,
    /// Whether a token was requested and has not arrived.
    is_requested: bool,
    /// Whether the token that every process of make owns implicitly is free.
    implicit_free: bool,
}

/// The right to run one command.
pub(crate) struct Slot(Right);

enum Right {
    Fixed,
    Implicit,
    Token(Acquired),
}

/// The jobserver that make passed in the environment.
pub(crate) struct Inherited(Result<Client, NoJobserver>);

/// Why there is no jobserver.
enum NoJobserver {
    /// The environment names none.
    NotNamed,
    /// The one that the environment names cannot be used, for this reason.
    Unusable(String),
}

/// The variables in which make passes its jobserver.
const VARIABLES: [&str; 3] = ["CARGO_MAKEFLAGS", "MAKEFLAGS", "MFLAGS"];

impl Inherited {
    /// No jobserver, whatever is in the environment.
    pub(crate) fn none() -> Self {
        Inherited(Err(NoJobserver::NotNamed))
    }

    /// Reads the jobserver from `MAKEFLAGS`.
    ///
    /// Must run before this program opens anything: the variable contains numbers of file
    /// descriptors, and a descriptor that make did not pass on could be the next file opened.
    pub(crate) fn from_env() -> Self {
        if let Some(path) = VARIABLES.iter().find_map(|name| named_but_no_pipe(name)) {
            // The jobserver crate would write tokens to this path, whatever it is.
            let why = format!("{} is not a named pipe", path.display());
            return Inherited(Err(NoJobserver::Unusable(why)));
        }
        // SAFETY: the caller has opened nothing, so the descriptors are either make's or closed.
        // The crate checks that they are pipes.
        let found = unsafe { Client::from_env_ext(true) };
        Inherited(found.client.map_err(|error| match error.kind() {
            FromEnvErrorKind::NoEnvVar | FromEnvErrorKind::NoJobserver => NoJobserver::NotNamed,
            _ => NoJobserver::Unusable(error.to_string()),
        }))
    }
}

/// Something about the slots that the user should know.
pub(crate) type Warning = String;

impl Slots {
    /// As many slots as `jobs`, else as the jobserver gives, else as there are cores.
    pub(crate) fn new(
        jobs: Option<NonZeroUsize>,
        inherited: &Inherited,
    ) -> (Self, Option<Warning>) {
        if let Some(jobs) = jobs {
            return (Slots::fixed(jobs.get()), None);
        }
        match &inherited.0 {
            Ok(client) => match Jobserver::new(client.clone()) {
                Ok(jobserver) => (Slots::of(Source::Jobserver(jobserver)), None),
                Err(error) => (Slots::fixed(cores()), Some(unusable(&error.to_string()))),
            },
            Err(NoJobserver::NotNamed) => (Slots::fixed(cores()), None),
            Err(NoJobserver::Unusable(why)) => (Slots::fixed(cores()), Some(unusable(why))),
        }
    }

    /// This many slots, unless the system's limits allow fewer.
    pub(crate) fn fixed(count: usize) -> Self {
        Slots::of(Source::Fixed(count))
    }

    fn of(source: Source) -> Self {
        Slots { source, cap: os::max_commands(), running: 0, most: 0 }
    }

    /// Takes a slot if one is free. Otherwise requests one from the jobserver, if there is one.
    pub(crate) fn take(&mut self) -> Option<Slot> {
        if self.running >= self.cap {
            // A token that arrives now would be of no use.
            self.release_spare();
            return None;
        }
        let right = match &mut self.source {
            Source::Fixed(count) => (self.running < *count).then_some(Right::Fixed)?,
            Source::Jobserver(server) => server.take()?,
        };
        self.running += 1;
        self.most = self.most.max(self.running);
        Some(Slot(right))
    }

    /// Returns a slot.
    pub(crate) fn give_back(&mut self, slot: Slot) {
        self.running -= 1;
        match (slot.0, &mut self.source) {
            (Right::Token(token), Source::Jobserver(server)) => server.spare.push(token),
            (Right::Implicit, Source::Jobserver(server)) => server.implicit_free = true,
            // The jobserver failed while the token was in use. Dropping the token tries to return
            // it.
            (Right::Fixed | Right::Implicit | Right::Token(_), _) => {}
        }
    }

    /// Returns unused tokens to the jobserver.
    pub(crate) fn release_spare(&mut self) {
        if let Source::Jobserver(server) = &mut self.source {
            server.spare.drain(..).for_each(|token| server.returning.give(token));
        }
    }

    /// Waits for the slot that [`Slots::take`] requested. Never completes without a jobserver.
    /// Returns a warning if the jobserver failed.
    pub(crate) async fn more(&mut self) -> Option<Warning> {
        let Source::Jobserver(server) = &mut self.source else {
            return std::future::pending().await;
        };
        match server.arriving.recv().await {
            Some(Ok(token)) => {
                server.is_requested = false;
                server.spare.push(token);
                None
            }
            Some(Err(error)) => {
                self.source = Source::Fixed(cores());
                Some(unusable(&error.to_string()))
            }
            None => {
                self.source = Source::Fixed(cores());
                Some(unusable("it gives no more tokens"))
            }
        }
    }

    /// How many commands can run at once; with a jobserver, how many did.
    pub(crate) fn width(&self) -> usize {
        match self.source {
            Source::Fixed(count) => count.min(self.cap),
            Source::Jobserver(_) => self.most.max(1),
        }
    }
}

impl Jobserver {
    fn new(client: Client) -> std::io::Result<Self> {
        let (sender, arriving) = unbounded_channel();
        let helper = client.into_helper_thread(move |token| drop(sender.send(token)))?;
        let returning = Returning::start()?;
        let spare = Vec::new();
        Ok(Jobserver {
            helper,
            returning,
            arriving,
            spare,
            is_requested: false,
            implicit_free: true,
        })
    }

    fn take(&mut self) -> Option<Right> {
        if std::mem::take(&mut self.implicit_free) {
            return Some(Right::Implicit);
        }
        if let Some(token) = self.spare.pop() {
            return Some(Right::Token(token));
        }
        if !std::mem::replace(&mut self.is_requested, true) {
            self.helper.request_token();
        }
        None
    }
}

impl Drop for Jobserver {
    fn drop(&mut self) {
        self.arriving.close();
        while let Ok(token) = self.arriving.try_recv() {
            self.spare.extend(token);
        }
        self.spare.drain(..).for_each(|token| self.returning.give(token));
        self.returning.finish();
    }
}

/// Returns tokens from a thread of its own. If the pipe is full, writing a token blocks, and
/// everything else would wait with it.
struct Returning {
    tokens: Option<Sender<Acquired>>,
    done: Receiver<()>,
}

/// How long to wait for the remaining tokens to be returned at the end.
const LAST_TOKENS: Duration = Duration::from_secs(1);

impl Returning {
    fn start() -> std::io::Result<Self> {
        let (tokens, queue) = channel::<Acquired>();
        let (ended, done) = channel();
        let give = move || {
            os::leave_signals_to_others();
            queue.into_iter().for_each(drop);
            let _ = ended.send(());
        };
        std::thread::Builder::new().name("tokens".into()).spawn(give)?;
        Ok(Returning { tokens: Some(tokens), done })
    }

    fn give(&self, token: Acquired) {
        if let Some(tokens) = &self.tokens {
            let _ = tokens.send(token);
        }
    }

    fn finish(&mut self) {
        self.tokens = None;
        let _ = self.done.recv_timeout(LAST_TOKENS);
    }
}

/// The path that a variable names as make's pipe, if it is not a pipe.
fn named_but_no_pipe(variable: &str) -> Option<PathBuf> {
    let flags = std::env::var(variable).ok()?;
    let named =
        flags.split_whitespace().filter_map(|flag| flag.strip_prefix("--jobserver-auth=fifo:"));
    named.map(PathBuf::from).find(|path| path.exists() && !os::is_named_pipe(path))
}

/// The number of cores that CPU affinity and cgroups leave to this process.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

fn unusable(why: &str) -> Warning {
    format!(
        "the jobserver in MAKEFLAGS cannot be used ({why}); running {} at once instead. \
         Put a + before the command in the makefile, or give --jobs",
        cores()
    )
}
