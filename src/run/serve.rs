//! The process that starts the command of a run, and answers its shims.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode, ExitStatus};
use std::rc::Rc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::timeout;

use super::desk::{Desk, Next};
use super::shims::{self, Door};
use super::wire::{self, Call, Verified};
use crate::exec::scratch::{self, Scratch};
use crate::os::{self, OtherProcess, Passing, Reaper};
use crate::remote::{Remote, step};
use crate::store::{Place, Store};

/// What is to be run, and how.
#[derive(Debug)]
pub(crate) struct Options {
    /// The command.
    pub words: Vec<OsString>,
    /// Whether stored answers are compared with the compiler's.
    pub compares: bool,
}

/// How long shims that outlive the command are heard.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// The exit status if the compiler does not do what the store says.
const DIFFERENT: u8 = 3;

/// Runs a command whose compilers are shims. Returns its exit status, or ends by the signal that ended it.
pub(crate) fn run(options: &Options) -> ExitCode {
    let tell = |text: &str| eprintln!("{text}");
    let served = match Run::new() {
        Ok(run) => run.serve(options),
        Err(why) => {
            tell(&format!("tryall: the command runs without tryall: {why}"));
            let status = start(options, None, None).and_then(|mut child| child.wait());
            status.map(|status| (status, Vec::new(), false))
        }
    };
    match served {
        Ok((status, lines, is_different)) => {
            lines.iter().for_each(|line| tell(line));
            if let Some(signal) = status.signal() {
                os::end_by_signal(signal);
            }
            let status = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
            ExitCode::from(if is_different { DIFFERENT } else { status })
        }
        Err(error) => {
            let what = if error.kind() == io::ErrorKind::NotFound {
                "not found".into()
            } else {
                error.to_string()
            };
            tell(&format!("tryall: {}: {what}", options.words[0].display()));
            ExitCode::from(if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 })
        }
    }
}

/// All that a run needs.
struct Run {
    door: Door,
    listener: std::os::unix::net::UnixListener,
    store: Store,
    /// Keeps the library in memory.
    _library: std::fs::File,
    /// Removes the directory of the run.
    _scratch: Scratch,
    /// Removes it if this process is killed.
    _reaper: Reaper,
}

/// How a run ended: the status of the command, lines for the user, and whether a comparison failed.
type Ended = (ExitStatus, Vec<String>, bool);

impl Run {
    fn new() -> Result<Run, String> {
        let text = |error: io::Error| error.to_string();
        os::survive_file_size_limit();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let place = scratch::choose().map_err(|reason| reason.text)?;
        // A fork, so before any thread.
        let reaper = Reaper::new(&place).map_err(text)?;
        let scratch = Scratch::new(place).map_err(|reason| reason.text)?;
        let door = Door::new(scratch.path());
        let listener = std::os::unix::net::UnixListener::bind(door.socket());
        let listener =
            listener.and_then(|it| it.set_nonblocking(true).map(|()| it)).map_err(|error| {
                let dir = scratch.path().display();
                format!("{dir}: {error}; set TMPDIR to a directory with a shorter path")
            })?;
        let compilers = shims::compilers(&path, |name| std::env::var_os(name));
        let library = door.make(&compilers).map_err(text)?;
        let get = |name: &str| std::env::var_os(name);
        let store = Store::open(Place::chosen(get)).before(Remote::chosen(get));
        Ok(Run { door, listener, store, _library: library, _scratch: scratch, _reaper: reaper })
    }

    /// Starts the command, and serves until it ends.
    fn serve(self, options: &Options) -> io::Result<Ended> {
        let signals = Passing::start()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut child = start(options, Some(&self.door), Some(&signals))?;
        let process = OtherProcess::open(child.id());
        let mut desk = Desk::new(self.store, options.compares);
        desk.begin_step(|| {
            let words = options.words.iter().map(|word| word.to_string_lossy().into_owned());
            let (words, dir) = (words.collect::<Vec<_>>(), std::env::current_dir().ok()?);
            Some(step::of_command(&words, &dir, |name| std::env::var_os(name)))
        });
        let desk = Rc::new(RefCell::new(desk));
        let served = process.and_then(|process| {
            let serving = answer_until_the_end(self.listener, process, signals, &desk);
            LocalSet::new().block_on(&runtime, serving)
        });
        if let Err(error) = served {
            eprintln!("tryall: no compiler call is answered any more: {error}");
        }
        let status = child.wait()?;
        let mut desk = desk.borrow_mut();
        let mut lines = Vec::new();
        let notes = [desk.commit(), desk.share()];
        lines.extend(notes.into_iter().flatten().map(|note| format!("tryall: {note}")));
        lines.extend(desk.counts.lines());
        Ok((status, lines, !desk.counts.differences.is_empty()))
    }
}

/// Starts the command, which gets all signals as this process would.
fn start(
    options: &Options,
    door: Option<&Door>,
    signals: Option<&Passing>,
) -> io::Result<std::process::Child> {
    let mut command = match door {
        None => Command::new(&options.words[0]),
        Some(door) => {
            let program = &options.words[0];
            if which::which(program).is_err() && !std::path::Path::new(program).exists() {
                return Err(io::ErrorKind::NotFound.into());
            }
            // A shell, which has the library, decides whether the command gets it, too.
            let mut command = Command::new("/bin/sh");
            command.args(["-c", "exec \"$@\"", "sh"]).arg(program);
            command.envs(door.variables());
            command
        }
    };
    command.args(&options.words[1..]);
    let mask = match signals {
        Some(signals) => signals.before(),
        None => nix::sys::signal::SigSet::thread_get_mask()?,
    };
    let prepare = move || {
        os::restore_pipe_signal();
        mask.thread_set_mask().map_err(io::Error::from)
    };
    // SAFETY: it only makes system calls.
    unsafe { command.pre_exec(prepare) };
    command.spawn()
}

async fn answer_until_the_end(
    listener: std::os::unix::net::UnixListener,
    process: OtherProcess,
    signals: Passing,
    desk: &Rc<RefCell<Desk>>,
) -> io::Result<()> {
    let listener = UnixListener::from_std(listener)?;
    let number = process.number();
    // SAFETY: both keep one open descriptor until they are dropped.
    let (process, signals) = unsafe { (AsyncFd::register(process)?, AsyncFd::register(signals)?) };
    let mut talks = JoinSet::new();
    // Whatever goes wrong is the shim's concern, which becomes the compiler.
    let talk_with = |talks: &mut JoinSet<io::Result<()>>, shim| {
        let desk = desk.clone();
        talks.spawn_local(async move { talk(shim, &desk).await });
    };
    loop {
        tokio::select! {
            _ = process.readable() => break,
            ready = signals.readable() => {
                let mut ready = ready?;
                ready.get_inner().pass_on(number);
                ready.clear_ready();
            }
            Ok((shim, _)) = listener.accept() => talk_with(&mut talks, shim),
            Some(_) = talks.join_next() => {}
        }
    }
    // The last shims may have ended before they were heard.
    let last = async {
        while let Ok(Ok((shim, _))) = timeout(Duration::ZERO, listener.accept()).await {
            talk_with(&mut talks, shim);
        }
        while talks.join_next().await.is_some() {}
    };
    let _ = timeout(LAST_WORDS, last).await;
    Ok(())
}

/// Talks with a shim.
async fn talk(mut shim: UnixStream, desk: &RefCell<Desk>) -> io::Result<()> {
    // Another user, such as root, must not be told by files that this one can write.
    if shim.peer_cred()?.uid() != os::user() {
        return Ok(());
    }
    let request = match read(&mut shim).await? {
        Call::Ask(request) => *request,
        Call::Passed(why) => {
            desk.borrow_mut().counts.pass(&why);
            return Ok(());
        }
    };
    let (reply, next) = desk.borrow_mut().reply(request);
    write(&mut shim, &reply).await?;
    match next {
        Next::Done => Ok(()),
        Next::Report(running) => {
            let report = read(&mut shim).await?;
            let watching = desk.borrow_mut().take(*running, report);
            write(&mut shim, &watching).await
        }
        Next::Comparison(command) => {
            let difference: Verified = read(&mut shim).await?;
            let counts = &mut desk.borrow_mut().counts;
            counts.compared += 1;
            counts.differences.extend(difference.map(|what| format!("{command}: {what}")));
            Ok(())
        }
    }
}

async fn read<T: DeserializeOwned>(from: &mut UnixStream) -> io::Result<T> {
    let mut length = [0; 4];
    from.read_exact(&mut length).await?;
    let mut bytes = vec![0; wire::bounded(length)?];
    from.read_exact(&mut bytes).await?;
    postcard::from_bytes(&bytes).map_err(io::Error::other)
}

async fn write(to: &mut UnixStream, message: &impl serde::Serialize) -> io::Result<()> {
    to.write_all(&wire::encoded(message)?).await
}
