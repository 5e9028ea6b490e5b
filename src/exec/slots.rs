//! How many commands may run at once, and who says so: `--jobs`, the request, GNU make's
//! jobserver, or the cores; and never more than the system's limits allow.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use jobserver::{Acquired, Client, FromEnvErrorKind, HelperThread};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::os;

/// The slots of a batch.
pub(crate) struct Slots {
    source: Source,
    /// No source gives more than these at once.
    cap: usize,
    running: usize,
    most: usize,
}

enum Source {
    Fixed(usize),
    Jobserver(Jobserver),
}

struct Jobserver {
    /// Waits for tokens, which can only be done by blocking.
    helper: HelperThread,
    returning: Returning,
    arriving: UnboundedReceiver<std::io::Result<Acquired>>,
    /// Tokens that no command is using.
    spare: Vec<Acquired>,
    /// Whether a token has been asked for and has not come.
    asked: bool,
    /// Every process that make starts owns one token without reading it.
    implicit_free: bool,
}

/// The right to run one command.
pub(crate) struct Slot(Right);

enum Right {
    Fixed,
    Implicit,
    Token(Acquired),
}

/// The jobserver as make left it in the environment.
pub(crate) struct Inherited(Result<Client, NoJobserver>);

/// Why there is no jobserver.
enum NoJobserver {
    /// Nobody has said that there is one.
    NotNamed,
    /// What is named is none.
    Unusable(String),
}

/// The variables in which make says where its jobserver is.
const VARIABLES: [&str; 3] = ["CARGO_MAKEFLAGS", "MAKEFLAGS", "MFLAGS"];

impl Inherited {
    /// No jobserver, whatever the environment says.
    pub(crate) fn none() -> Self {
        Inherited(Err(NoJobserver::NotNamed))
    }

    /// Reads `MAKEFLAGS`.
    ///
    /// To be called before this program opens anything: the variable names file descriptors
    /// by number, and one that make did not pass on would be taken for the next file opened.
    pub(crate) fn from_env() -> Self {
        if let Some(path) = VARIABLES.iter().find_map(|name| named_but_no_pipe(name)) {
            // The crate would write tokens into it, whatever it is.
            let why = format!("{} is no named pipe", path.display());
            return Inherited(Err(NoJobserver::Unusable(why)));
        }
        // SAFETY: the caller has opened nothing, so that the numbers are make's or nobody's;
        // the crate checks that they are pipes.
        let found = unsafe { Client::from_env_ext(true) };
        Inherited(found.client.map_err(|error| match error.kind() {
            FromEnvErrorKind::NoEnvVar | FromEnvErrorKind::NoJobserver => NoJobserver::NotNamed,
            _ => NoJobserver::Unusable(error.to_string()),
        }))
    }
}

/// What was found out about the slots that the user should know.
pub(crate) type Warning = String;

impl Slots {
    /// As many as were asked for, else as the jobserver gives, else as there are cores.
    pub(crate) fn new(
        asked: Option<NonZeroUsize>,
        inherited: &Inherited,
    ) -> (Self, Option<Warning>) {
        if let Some(asked) = asked {
            return (Slots::fixed(asked.get()), None);
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

    /// This many, unless the system's limits allow fewer.
    pub(crate) fn fixed(count: usize) -> Self {
        Slots::of(Source::Fixed(count))
    }

    fn of(source: Source) -> Self {
        Slots { source, cap: os::most_commands(), running: 0, most: 0 }
    }

    /// A slot if one is free now. With a jobserver, one is asked for if none is.
    pub(crate) fn take(&mut self) -> Option<Slot> {
        if self.running >= self.cap {
            // A token that comes now is of no use here.
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

    /// Gives a slot back.
    pub(crate) fn give_back(&mut self, slot: Slot) {
        self.running -= 1;
        match (slot.0, &mut self.source) {
            (Right::Token(token), Source::Jobserver(server)) => server.spare.push(token),
            (Right::Implicit, Source::Jobserver(server)) => server.implicit_free = true,
            // The jobserver died while the token was in use; dropping it returns it if it can.
            (Right::Fixed | Right::Implicit | Right::Token(_), _) => {}
        }
    }

    /// Returns tokens that are not in use, for others to run on.
    pub(crate) fn release_spare(&mut self) {
        if let Source::Jobserver(server) = &mut self.source {
            server.spare.drain(..).for_each(|token| server.returning.give(token));
        }
    }

    /// Waits for a slot that [`Slots::take`] did not have. Forever, unless a jobserver gives
    /// one; a warning if the jobserver died.
    pub(crate) async fn more(&mut self) -> Option<Warning> {
        let Source::Jobserver(server) = &mut self.source else {
            return std::future::pending().await;
        };
        match server.arriving.recv().await {
            Some(Ok(token)) => {
                server.asked = false;
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

    /// How many could run at once; with a jobserver, how many did.
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
        Ok(Jobserver { helper, returning, arriving, spare, asked: false, implicit_free: true })
    }

    fn take(&mut self) -> Option<Right> {
        if std::mem::take(&mut self.implicit_free) {
            return Some(Right::Implicit);
        }
        if let Some(token) = self.spare.pop() {
            return Some(Right::Token(token));
        }
        if !std::mem::replace(&mut self.asked, true) {
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

/// Gives tokens back. Into a pipe that somebody has filled to the brim that can only be done by
/// waiting, and everything else would wait with it.
struct Returning {
    tokens: Option<Sender<Acquired>>,
    done: Receiver<()>,
}

/// At the end all tokens are given back that can be within this time.
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

/// What a variable names as make's pipe, if it is none.
fn named_but_no_pipe(variable: &str) -> Option<PathBuf> {
    let flags = std::env::var(variable).ok()?;
    let named =
        flags.split_whitespace().filter_map(|flag| flag.strip_prefix("--jobserver-auth=fifo:"));
    named.map(PathBuf::from).find(|path| path.exists() && !os::is_named_pipe(path))
}

/// The cores that affinity and cgroup leave to this process.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

fn unusable(why: &str) -> Warning {
    format!(
        "the jobserver in MAKEFLAGS cannot be used ({why}); running {} at once instead. \
         Put a + before the command in the makefile, or say --jobs",
        cores()
    )
}
