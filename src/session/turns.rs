//! The files by which CMake asks and waits.
//!
//! CMake can neither read from a pipe nor wait for a file. But it can wait for a lock, which the
//! system takes from a process that dies. So for each call there are three files:
//!
//! * `ask.N`, which CMake writes;
//! * `turn.N`, which this process holds until it has replied, and for which CMake waits;
//! * `reply.N`, which CMake then includes. If it is missing, this process has died, and CMake answers
//!   by itself.
//!
//! In the scout's sandbox, locks are without effect. There, `turn.N` is a named pipe that CMake reads to
//! its end. If this process dies, so does the scout.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tokio::io::unix::AsyncFd;

use super::ask;
use crate::os::{self, Arrivals};

/// How turns are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// By a lock.
    Lock,
    /// By the open end of a pipe.
    Pipe,
}

/// How many turns are held: CMake may write one text without waiting for the reply, and then another.
const AHEAD: u64 = 2;

/// The calls of one CMake.
pub(super) struct Turns {
    dir: PathBuf,
    hold: Hold,
    arrivals: AsyncFd<Arrivals>,
    number: u64,
    held: VecDeque<Turn>,
}

impl Turns {
    /// The calls that come to a directory.
    pub(super) fn new(dir: &Path, hold: Hold) -> io::Result<Turns> {
        let arrivals = Arrivals::in_dir(dir)?;
        // SAFETY: it keeps one open descriptor until it is dropped.
        let arrivals = unsafe { AsyncFd::register(arrivals)? };
        let held =
            (1..=AHEAD).map(|number| Turn::new(dir, number, hold)).collect::<Result<_, _>>()?;
        Ok(Turns { dir: dir.into(), hold, arrivals, number: 1, held })
    }

    /// The next text, when it is there. Can be cancelled.
    pub(super) async fn next(&mut self) -> io::Result<Vec<u8>> {
        let path = self.dir.join(format!("ask.{}", self.number));
        loop {
            let text = std::fs::read(&path).unwrap_or_default();
            if ask::is_complete(&text) {
                return Ok(text);
            }
            let mut arrived = self.arrivals.readable_mut().await?;
            // Only the next of these matters, and it is looked for by its name.
            arrived.get_inner_mut().forget();
            arrived.clear_ready();
        }
    }

    /// Replies to it.
    pub(super) fn reply(&mut self, script: &str) -> io::Result<()> {
        // CMake must never include a part of it.
        let new = self.dir.join("reply.new");
        std::fs::write(&new, script)?;
        std::fs::rename(new, self.dir.join(format!("reply.{}", self.number)))?;
        let _ = std::fs::remove_file(self.dir.join(format!("ask.{}", self.number)));
        // CMake has included this before it asked again. The disk may be small.
        let _ = std::fs::remove_file(self.dir.join(format!("reply.{}", self.number - 1)));
        self.held.push_back(Turn::new(&self.dir, self.number + AHEAD, self.hold)?);
        if let Some(turn) = self.held.pop_front() {
            turn.end()?;
        }
        self.number += 1;
        Ok(())
    }
}

/// A file that this process holds.
struct Turn {
    /// Closing it ends the turn.
    file: File,
    path: PathBuf,
    hold: Hold,
}

impl Turn {
    fn new(dir: &Path, number: u64, hold: Hold) -> io::Result<Turn> {
        let path = dir.join(format!("turn.{number}"));
        let mut options = File::options();
        options.read(true).write(true).create(hold == Hold::Lock);
        if hold == Hold::Pipe {
            os::make_pipe(&path)?;
        }
        let file = options.open(&path)?;
        if hold == Hold::Lock {
            os::lock(&file)?;
        }
        Ok(Turn { file, path, hold })
    }

    fn end(self) -> io::Result<()> {
        match self.hold {
            // Who comes late finds no file, makes one and locks it.
            Hold::Lock => std::fs::remove_file(&self.path)?,
            Hold::Pipe => {
                // Who comes late finds an empty file.
                let empty = self.path.with_extension("empty");
                File::create(&empty)?;
                std::fs::rename(&empty, &self.path)?;
            }
        }
        drop(self.file);
        Ok(())
    }
}
