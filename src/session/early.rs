//! A session that begins before CMake does.
//!
//! `tryall cmake` becomes CMake. Before that it starts a process beside it, and has a library loaded
//! into CMake that asks this process about programs that are to be started. The program that CMake's
//! modules start first, `tryall session start`, becomes a message as well.

use std::cell::RefCell;
use std::ffi::OsString;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, PipeWriter, Read, Write};
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::task::{JoinSet, LocalSet};

use super::calls::Call;
use super::programs::{self, Ended};
use super::serve::{Base, Caller, Door, runtime};
use crate::deps::loader::{self, PRELOAD};
use crate::os::{self, OtherProcess};
use crate::store::Place;

include!(concat!(env!("OUT_DIR"), "/hook.rs"));

/// The variable that tells the library in CMake where to ask, and its own path.
const HOOK_VARIABLE: &str = "TRYALL_HOOK";

/// Whether a variable is one of those that are set for CMake and that it does not see.
pub(super) fn is_hidden(name: &std::ffi::OsStr, value: &std::ffi::OsStr) -> bool {
    name == HOOK_VARIABLE
        || name == PRELOAD
            && value.to_str().is_some_and(|it| it.starts_with("/proc/") && it.contains("/fd/"))
}

/// Starts a session for this process, which is going to become this CMake. Returns the variables that CMake
/// has to be started with. `None` if CMake starts all programs itself.
pub(crate) fn start_early(cmake: &Path) -> Option<[(&'static str, OsString); 2]> {
    let mut variables = std::env::vars_os();
    let loads_others = variables.any(|(name, value)| loader::loads_libraries(&name, &value));
    if LIBRARY.is_empty() || loads_others || !loads(cmake) {
        return None;
    }
    // Without a store, nothing would come of it.
    Place::chosen(|name| std::env::var_os(name)).dir.ok()?;
    let mut library = os::memory_file(c"tryall-hook.so").ok()?;
    library.write_all(LIBRARY).ok()?;
    let random = || RandomState::new().build_hasher().finish();
    let name = format!("tryall-{:016x}{:016x}", random(), random());
    let address = SocketAddr::from_abstract_name(&name).ok()?;
    let listener = UnixListener::bind_addr(&address).ok()?;
    let process = std::process::id();
    let path = os::start_beside(|ready| {
        // Nobody would read a complaint.
        let _ = serve(process, &listener, library.as_raw_fd(), ready);
    });
    let path = path.ok().filter(|path| !path.is_empty())?;
    let preload = OsString::from(&path);
    Some([(HOOK_VARIABLE, format!("{name} {path}").into()), (PRELOAD, preload)])
}

/// Whether a CMake will load the library: it must be a program for this machine and the same C library,
/// or the script of PyPI, which becomes one.
fn loads(cmake: &Path) -> bool {
    if let Some(interpreter) = loader::interpreter(cmake) {
        return loader::interpreter(Path::new("/proc/self/exe"))
            .is_some_and(|own| own.file_name() == interpreter.file_name());
    }
    let file = std::fs::File::open(cmake).map(|file| file.take(SCRIPT));
    let text = file.and_then(io::read_to_string).unwrap_or_default();
    text.starts_with("#!") && text.contains("\nfrom cmake import cmake\n")
}

/// More bytes than such a script has.
const SCRIPT: u64 = 1024;

/// Serves until a process has ended. Writes the path of the library to `ready` when it can begin.
fn serve(
    process: u32,
    listener: &UnixListener,
    library: i32,
    mut ready: PipeWriter,
) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    os::check_descriptor_limit().map_err(text)?;
    os::survive_file_size_limit();
    let caller = OtherProcess::open(process).map_err(text)?;
    let path = format!("{}/{library}", os::descriptors().map_err(text)?);
    ready.write_all(path.as_bytes()).map_err(text)?;
    drop(ready);
    // A project may have no languages.
    if caller.ends_before(listener).map_err(text)? {
        return Ok(());
    }
    let base = Rc::new(Base::new()?);
    base.begin_step(&caller);
    let runtime = runtime().map_err(text)?;
    listener.set_nonblocking(true).map_err(text)?;
    let served = LocalSet::new().block_on(&runtime, attend(base.clone(), listener, caller));
    base.commit();
    served.map_err(text)
}

async fn attend(base: Rc<Base>, listener: &UnixListener, caller: OtherProcess) -> io::Result<()> {
    // SAFETY: it keeps one open descriptor until it is dropped.
    let caller = unsafe { AsyncFd::register(caller)? };
    let listener = tokio::net::UnixListener::from_std(listener.try_clone()?)?;
    let desk = Rc::new(FrontDesk { base, doors: RefCell::default() });
    let mut calls = JoinSet::new();
    loop {
        tokio::select! {
            _ = caller.readable() => break,
            Ok((stream, _)) = listener.accept() => {
                calls.spawn_local(desk.clone().attend(stream));
            }
            Some(_) = calls.join_next() => (),
        }
    }
    calls.shutdown().await;
    // A script that has started CMake may end before it.
    let mut doors = desk.doors.take();
    while doors.join_next().await.is_some() {}
    Ok(())
}

/// Answers calls, each on a connection of its own.
struct FrontDesk {
    base: Rc<Base>,
    /// The sessions that answer checks.
    doors: RefCell<JoinSet<()>>,
}

impl FrontDesk {
    async fn attend(self: Rc<Self>, mut stream: UnixStream) {
        let Ok(who) = stream.peer_cred() else { return };
        if who.uid() != os::user() {
            return;
        }
        let Some(call) = Call::read(&mut stream).await else { return };
        let ended = async {
            match start_of_session(&call) {
                Some(place) => self.open_door(&call, place, who.pid()?),
                None => programs::ended(&self.base, &call).await,
            }
        };
        let (mut reader, mut writer) = stream.split();
        let ended = tokio::select! {
            ended = ended => ended,
            // The process that has asked says nothing more: it was killed.
            _ = reader.read_u8() => return,
        };
        let _ = writer.write_all(&reply(ended.as_ref())).await;
    }

    /// Does what `tryall session start` does.
    fn open_door(&self, call: &Call, cmake: [&str; 4], process: i32) -> Option<Ended> {
        let [program, root, version, place] = cmake;
        let process = os::parent_of(process)?;
        let caller = Caller {
            process,
            program: program.into(),
            root: root.into(),
            version: version.into(),
            place: PathBuf::from(place),
        };
        let (door, turns) = Door::open(&self.base, &caller, call.env.clone()).ok()?;
        let out = format!("{}\n", door.dir().display()).into_bytes();
        self.doors.borrow_mut().spawn_local(async move {
            let _ = door.take_turns(turns).await;
        });
        Some(Ended::with_output(out))
    }
}

/// What `tryall session start` of this program is told.
fn start_of_session(call: &Call) -> Option<[&str; 4]> {
    let own = std::env::current_exe().ok()?;
    if Path::new(&call.file) != own {
        return None;
    }
    let words: Option<Vec<_>> = call.words.iter().skip(1).map(|word| word.to_str()).collect();
    match words?[..] {
        ["session", "start", program, root, version, place] => {
            Some([program, root, version, place])
        }
        _ => None,
    }
}

/// The bytes of a reply. Without an end, CMake has to start the program.
fn reply(ended: Option<&Ended>) -> Vec<u8> {
    let Some(Ended { status, out, err, .. }) = ended else { return vec![0; 16] };
    let numbers = [1, u32::from(*status), size(out), size(err)];
    let head = numbers.into_iter().flat_map(u32::to_ne_bytes);
    head.chain(out.iter().chain(err).copied()).collect()
}

fn size(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}
