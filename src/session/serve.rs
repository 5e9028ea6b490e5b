//! The process of a session.

use std::cell::RefCell;
use std::collections::HashSet;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tokio::io::unix::AsyncFd;
use tokio::runtime::Runtime;
use tokio::task::LocalSet;

use super::asking::Asker;
use super::call::Version;
use super::counts::Counts;
use super::desk::Desk;
use super::early;
use super::names;
use super::recipes::{Cmake, Recipes};
use super::turns::{Hold, Turns};
use crate::check::recall::Memory;
use crate::exec::scratch::{self, Scratch};
use crate::exec::slots::cores;
use crate::os::{self, OtherProcess, Reaper};
use crate::protocol::code::Reason;
use crate::remote::{Remote, step};
use crate::store::{Place, Store};
use crate::why::log::Log;

/// What a session is told at its start.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The process of CMake.
    pub process: u32,
    /// The path of CMake.
    pub program: PathBuf,
    /// The directory of its modules.
    pub root: PathBuf,
    /// Its version, such as `3.25.1`.
    pub version: String,
    /// The directory in which the session may make one of its own: nobody else can write there.
    pub place: PathBuf,
}

/// What the process of a session has, whatever it serves.
pub(super) struct Base {
    /// The store.
    pub memory: Rc<Memory>,
    /// Whether that is the user's.
    lasts: bool,
    scratch: Rc<Result<Scratch, Reason>>,
    /// Kills commands if this program is killed.
    pub reaper: Rc<Reaper>,
    /// A directory that is no command's.
    pub nowhere: PathBuf,
}

impl Base {
    /// Must be called while this process has one thread.
    pub(super) fn new() -> Result<Base, String> {
        let place = scratch::choose().map_err(|reason| reason.text)?;
        // A fork, so before any thread.
        let reaper = Rc::new(Reaper::new(&place).map_err(|error| error.to_string())?);
        let scratch = Scratch::new(place).map_err(|reason| reason.text)?;
        let (store, lasts) = store(scratch.path());
        let nowhere = scratch.path().join("nowhere");
        let (memory, scratch) = (Rc::new(Memory::new(store)), Rc::new(Ok(scratch)));
        Ok(Base { memory, lasts, scratch, reaper, nowhere })
    }

    /// Writes what is new to the store.
    pub(super) fn commit(&self) {
        if self.lasts {
            // Nobody would read a complaint.
            let _ = self.memory.commit();
            self.memory.share();
        }
    }

    /// Begins to fetch what other machines know of the configure step of a CMake.
    pub(super) fn begin_step(&self, cmake: &OtherProcess) {
        self.memory.begin_step(|| {
            let (words, dir) = (cmake.command_line().ok()?, cmake.current_dir().ok()?);
            let env = cmake.first_environment().ok()?;
            let get = |name: &str| env.iter().find(|(it, _)| it == name).map(|(_, it)| it.clone());
            Some(step::of_command(&words, &dir, get))
        });
    }
}

/// Runs tasks of one thread.
pub(super) fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Serves until CMake ends. Writes the directory of the session to `ready` when calls can come.
pub(crate) fn serve(caller: &Caller, mut ready: impl Write) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    os::check_descriptor_limit().map_err(text)?;
    os::survive_file_size_limit();
    let base = Base::new()?;
    let served = LocalSet::new().block_on(&runtime().map_err(text)?, async {
        let (door, turns) = Door::open(&base, caller, std::env::vars_os().collect())?;
        base.begin_step(&door.cmake);
        writeln!(ready, "{}", door.dir().display()).map_err(text)?;
        drop(ready);
        door.take_turns(turns).await.map_err(text)
    });
    base.commit();
    served
}

/// Starts the names of sessions' directories.
const PREFIX: &str = "tryall-";

/// Where one CMake asks.
pub(super) struct Door {
    dir: DoorDir,
    cmake: OtherProcess,
    desk: Desk,
}

/// The directory of a session. Dropping this removes it.
struct DoorDir(PathBuf);

impl Drop for DoorDir {
    fn drop(&mut self) {
        let _ = os::remove_all(&self.0);
    }
}

impl Door {
    /// Opens it for a CMake, which has this environment now. From then on, calls can come.
    pub(super) fn open(
        base: &Base,
        caller: &Caller,
        environment: Vec<(OsString, OsString)>,
    ) -> Result<(Door, Turns), String> {
        let text = |error: io::Error| error.to_string();
        let process = OtherProcess::open(caller.process).map_err(text)?;
        remove_left_over(&caller.place);
        let dir = DoorDir(caller.place.join(format!("{PREFIX}{}", std::process::id())));
        os::private_dir(&dir.0).map_err(text)?;
        let cmake = Rc::new(Cmake {
            program: caller.program.clone(),
            root: caller.root.clone(),
            version_text: caller.version.clone(),
            version: version(&caller.version).ok_or("the version of CMake is not understood")?,
            dir: process.current_dir().map_err(text)?,
        });
        let scratch = base.scratch.as_ref().as_ref().map_err(|reason| reason.text.clone())?;
        let scout_dir = scratch.path().join("scout");
        let asker = Rc::new(Asker {
            memory: base.memory.clone(),
            scratch: base.scratch.clone(),
            reaper: Some(base.reaper.clone()),
            dir: cmake.dir.clone(),
            foreseen: RefCell::default(),
        });
        let args: Option<Vec<String>> =
            process.command_line().ok().map(|words| words.into_iter().skip(1).collect());
        let keeps_projects = args.iter().flatten().any(|arg| arg.starts_with("--debug-trycompile"));
        let is_allowed = std::env::var_os("TRYALL_SCOUT").is_none_or(|value| value != "off");
        let mut first_environment = process.first_environment().map_err(text)?;
        first_environment.retain(|(name, value)| !early::is_hidden(name, value));
        let desk = Desk {
            recipes: Rc::new(Recipes::new(cmake.clone(), base.memory.clone())),
            cmake,
            dir: dir.0.clone(),
            scout_dir,
            environment: Rc::new(environment),
            asker,
            record: None,
            lesson: None,
            readers: Rc::default(),
            more_names: HashSet::new(),
            counts: Counts::default(),
            log: Log::new(&caller.place),
            way: None,
            unlogged: Vec::new(),
            first_environment: Rc::new(first_environment),
            keeps_projects,
            goes_ahead: is_allowed && cores() >= 2,
            args,
            scout: None,
        };
        let turns = Turns::new(&dir.0, Hold::Lock).map_err(text)?;
        std::fs::write(dir.0.join("names.cmake"), names::script()).map_err(text)?;
        Ok((Door { dir, cmake: process, desk }, turns))
    }

    /// The directory.
    pub(super) fn dir(&self) -> &Path {
        &self.dir.0
    }

    /// Answers until CMake has ended.
    pub(super) async fn take_turns(self, mut turns: Turns) -> io::Result<()> {
        let Door { dir: _dir, cmake, mut desk } = self;
        // SAFETY: it keeps one open descriptor until it is dropped.
        let cmake = unsafe { AsyncFd::register(cmake)? };
        loop {
            let text = tokio::select! {
                _ = cmake.readable() => break,
                text = turns.next() => text?,
            };
            let reply = tokio::select! {
                _ = cmake.readable() => break,
                reply = desk.reply(&text) => reply,
            };
            turns.reply(&reply)?;
            // Nobody waits for this.
            desk.write_log();
        }
        desk.put_ninja_back();
        Ok(())
    }
}

/// Removes the directories of sessions that were killed together with their CMake.
fn remove_left_over(place: &Path) {
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
        if number.is_some_and(|number| OtherProcess::open(number).is_err()) {
            let _ = os::remove_all(&entry.path());
        }
    }
}

/// The store of the user; without one, one for this session. And whether it is the user's.
fn store(dir: &Path) -> (Store, bool) {
    let place = Place::chosen(|name| std::env::var_os(name));
    match place.dir {
        Ok(_) => {
            let remote = Remote::chosen(|name| std::env::var_os(name));
            (Store::open(place).before(remote), true)
        }
        Err(_) => (Store::open(Place::at(dir.join("store"))), false),
    }
}

/// `3.25.1` as its first two numbers.
fn version(text: &str) -> Option<Version> {
    let mut numbers = text.split(['.', '-']).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}
