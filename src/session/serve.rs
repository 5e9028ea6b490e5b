//! The process of a session.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tokio::io::unix::AsyncFd;
use tokio::task::LocalSet;

use super::asking::Asker;
use super::call::Version;
use super::counts::Counts;
use super::desk::Desk;
use super::names;
use super::recipes::{Cmake, Recipes};
use super::turns::{Hold, Turns};
use crate::check::recall::Memory;
use crate::exec::scratch::{self, Scratch};
use crate::os::{self, OtherProcess, Reaper};
use crate::store::{Place, Store};

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

/// Serves until CMake ends. Writes the directory of the session to `ready` when calls can come.
pub(crate) fn serve(caller: &Caller, ready: impl Write) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    os::check_descriptor_limit().map_err(text)?;
    os::survive_file_size_limit();
    let process = OtherProcess::open(caller.process).map_err(text)?;
    let place = scratch::choose().map_err(|reason| reason.text)?;
    // A fork, so before any thread.
    let reaper = Rc::new(Reaper::new(&place).map_err(text)?);
    let scratch = Scratch::new(place).map_err(|reason| reason.text)?;
    remove_left_over(&caller.place);
    let dir = Door(caller.place.join(format!("{PREFIX}{}", std::process::id())));
    os::private_dir(&dir.0).map_err(text)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(text)?;
    let cmake = Rc::new(Cmake {
        program: caller.program.clone(),
        root: caller.root.clone(),
        version_text: caller.version.clone(),
        version: version(&caller.version).ok_or("the version of CMake is not understood")?,
        dir: process.current_dir().map_err(text)?,
    });
    let (store, lasts) = store(scratch.path());
    let memory = Rc::new(Memory::new(store));
    let scout_dir = scratch.path().join("scout");
    let asker = Rc::new(Asker {
        memory: memory.clone(),
        scratch: Rc::new(Ok(scratch)),
        reaper: Some(reaper),
        dir: cmake.dir.clone(),
        foreseen: RefCell::default(),
    });
    let args: Option<Vec<String>> =
        process.command_line().ok().map(|words| words.into_iter().skip(1).collect());
    let keeps_projects = args.iter().flatten().any(|arg| arg.starts_with("--debug-trycompile"));
    let sends_scout = std::env::var_os("TRYALL_SCOUT").is_none_or(|value| value != "off");
    let desk = Desk {
        recipes: Rc::new(Recipes::new(cmake.clone(), memory.clone())),
        cmake,
        dir: dir.0.clone(),
        scout_dir,
        environment: Rc::new(std::env::vars_os().collect()),
        asker,
        record: None,
        lesson: None,
        readers: Rc::default(),
        more_names: HashSet::new(),
        counts: Counts::default(),
        first_environment: Rc::new(process.first_environment().map_err(text)?),
        keeps_projects,
        args: args.filter(|_| sends_scout),
        scout: None,
    };
    let served = LocalSet::new().block_on(&runtime, take_turns(desk, process, ready));
    if lasts {
        // Nobody would read a complaint.
        let _ = memory.commit();
    }
    served.map_err(text)
}

/// Starts the names of sessions' directories.
const PREFIX: &str = "tryall-";

/// The directory of a session. Dropping this removes it.
struct Door(PathBuf);

impl Drop for Door {
    fn drop(&mut self) {
        let _ = os::remove_all(&self.0);
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
        Ok(_) => (Store::open(place), true),
        Err(_) => (Store::open(Place::at(dir.join("store"))), false),
    }
}

/// `3.25.1` as its first two numbers.
fn version(text: &str) -> Option<Version> {
    let mut numbers = text.split(['.', '-']).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

async fn take_turns(mut desk: Desk, cmake: OtherProcess, mut ready: impl Write) -> io::Result<()> {
    let dir = desk.dir.clone();
    // SAFETY: it keeps one open descriptor until it is dropped.
    let cmake = unsafe { AsyncFd::register(cmake)? };
    let mut turns = Turns::new(&dir, Hold::Lock)?;
    std::fs::write(dir.join("names.cmake"), names::script())?;
    writeln!(ready, "{}", dir.display())?;
    drop(ready);
    loop {
        let text = tokio::select! {
            _ = cmake.readable() => return Ok(()),
            text = turns.next() => text?,
        };
        let reply = tokio::select! {
            _ = cmake.readable() => return Ok(()),
            reply = desk.reply(&text) => reply,
        };
        turns.reply(&reply)?;
    }
}
