//! Answers for programs that CMake starts itself while it examines compilers.
//!
//! CMake compiles a source to identify a compiler, and asks compilers and linkers who they are and what
//! they can do. A library that is preloaded into CMake (`hook/hook.c`) asks about each program before
//! it is started. What [`calls`](super::calls) understands is taken from the store, or run here, watched
//! and kept. All else CMake starts.
//!
//! CMake's own code runs in full, and sees the same exit status, the same output and the same files.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::calls::{Call, Kind};
use super::serve::Base;
use crate::bytes::contains;
use crate::compiler::causes::CommandContext;
use crate::compiler::verdict::{self, Verdict};
use crate::deps::sight::Gap;
use crate::exec::process::{Exit, Finished, Runner};
use crate::os::{self, OutputMode, Start};
use crate::store::{Key, Variables};

/// How a program ended, and what it left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ended {
    /// Its exit status.
    pub status: u8,
    /// Its standard output; if that is the same as standard error, both.
    pub out: Vec<u8>,
    /// Its standard error.
    pub err: Vec<u8>,
    /// The files that it made in its directory.
    files: Vec<Product>,
}

/// A file that a program has made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Product {
    name: String,
    mode: u32,
    bytes: Vec<u8>,
}

/// CMake waits as long as the program takes.
const TIME: Duration = Duration::from_hours(24);

/// How the program of a call ends. `None` if CMake has to start it.
pub(super) async fn ended(base: &Base, call: &Call) -> Option<Ended> {
    let kind = call.kind()?;
    let env = Variables::new(call.env.iter().map(|(name, value)| (name, value)));
    base.memory.look_again();
    for key in [call.key(&kind, false), call.key(&kind, true)] {
        let Some(stored) = base.memory.find_run(&key, &env) else { continue };
        let Ok(ended) = postcard::from_bytes::<Ended>(&stored) else { continue };
        return (ended.fits(call) && ended.put_files(&call.dir).is_ok()).then_some(ended);
    }
    env.ask_system();
    let ran = run(base, call, &kind, &env).await;
    if ran.is_none() && kind.has_own_dir() {
        // CMake starts it once more, from the beginning.
        for product in products(call, &kind).unwrap_or_default() {
            let _ = std::fs::remove_file(call.dir.join(product.name));
        }
    }
    ran
}

/// Runs the program of a call where CMake would, and keeps how it ended.
async fn run(base: &Base, call: &Call, kind: &Kind, variables: &Variables) -> Option<Ended> {
    let label = call.label();
    let program = Path::new(&call.file);
    let mut env = call.env.clone();
    let own: &[&Path] = if kind.has_own_dir() { &[&call.dir] } else { &[] };
    let watch = base.memory.watch(program, &mut env, own)?;
    let start = Start {
        program,
        argv: &call.words,
        env: &env,
        dir: &call.dir,
        check_dir: &base.nowhere,
        mode: if call.is_merged { OutputMode::Merged } else { OutputMode::Apart },
    };
    let finished = Runner::new(Some(base.reaper.clone())).run(start, Instant::now() + TIME).await;
    let (seen, is_disturbed) = base.memory.watched(watch, &finished)?;
    let key = |with_dir| call.key(kind, with_dir);
    if is_disturbed {
        let why = seen.gap.map_or("it was disturbed by being watched".into(), |Gap(why)| why);
        base.memory.keep_no_run(key(true), &label, &why);
        return None;
    }
    let Exit::Code(status) = finished.exit else { return None };
    let ended = Ended {
        status: u8::try_from(status).ok()?,
        out: finished.stdout.whole()?,
        err: finished.stderr.whole()?,
        files: products(call, kind)?,
    };
    let with_dir = seen.whole_environment || !call.is_placeless() || ended.names(&call.dir);
    match verdict(base, call, kind, &ended, &finished) {
        // CMake is told, but another time it may be otherwise.
        Verdict::Error(why) => base.memory.keep_no_run(key(with_dir), &label, &why.text),
        Verdict::Yes | Verdict::No => {
            let payload = postcard::to_stdvec(&ended).ok()?;
            base.memory.keep_run(key(with_dir), &label, payload.into(), &Rc::new(seen), variables);
        }
    }
    ended.fits(call).then_some(ended)
}

/// Whether the program of a call has done what it was to do, or said why not.
fn verdict(base: &Base, call: &Call, kind: &Kind, ended: &Ended, finished: &Finished) -> Verdict {
    let messages = format!("{}{}", finished.stdout.text(), finished.stderr.text());
    let source = || match kind {
        Kind::Identifies { text, .. } => String::from_utf8_lossy(text).into_owned(),
        Kind::Queries => String::new(),
    };
    let path = call.env.iter().find(|(name, _)| name == "PATH").map(|(_, value)| &**value);
    let context = CommandContext { check_dir: &call.dir, temp: &base.nowhere, path };
    let what = call.file.to_string_lossy();
    let judge = |product: Option<&Path>| {
        verdict::compiler(&what, finished, &messages, product, source, TIME, context)
    };
    let products = ended.files.iter().map(|file| call.dir.join(&file.name));
    let mut verdicts = products.map(|product| judge(Some(&product))).chain([judge(None)]);
    verdicts.find(|it| matches!(it, Verdict::Error(_))).unwrap_or(Verdict::Yes)
}

/// The files that the program of a call has made. `None` if it has made anything else.
fn products(call: &Call, kind: &Kind) -> Option<Vec<Product>> {
    let Kind::Identifies { source, .. } = kind else { return Some(Vec::new()) };
    let mut products = Vec::new();
    for entry in std::fs::read_dir(&call.dir).ok()? {
        let entry = entry.ok()?;
        let name = entry.file_name().into_string().ok()?;
        let kind = entry.file_type().ok()?;
        if name == *source || name == "tmp" && kind.is_dir() {
            continue;
        }
        if !kind.is_file() {
            return None;
        }
        let mode = entry.metadata().ok()?.permissions().mode() & 0o7777;
        products.push(Product { bytes: std::fs::read(entry.path()).ok()?, name, mode });
    }
    products.sort_by(|one, other| one.name.cmp(&other.name));
    Some(products)
}

impl Ended {
    /// Successfully, with this output.
    pub(super) fn with_output(out: Vec<u8>) -> Ended {
        Ended { status: 0, out, err: Vec::new(), files: Vec::new() }
    }

    /// Whether CMake's pipes hold the output: nobody reads them yet.
    fn fits(&self, call: &Call) -> bool {
        self.out.len() + self.err.len() <= call.room
    }

    /// Writes the files into a directory, in which they are new.
    fn put_files(&self, dir: &Path) -> io::Result<()> {
        // The store may be another machine's.
        let is_plain =
            |file: &Product| Path::new(&file.name).file_name() == Some(file.name.as_ref());
        if !self.files.iter().all(is_plain) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        for Product { name, mode, bytes } in &self.files {
            if let Err(error) = os::write_new(&dir.join(name), bytes, *mode) {
                for product in &self.files {
                    let _ = std::fs::remove_file(dir.join(&product.name));
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Whether anything in it may tell of the directory.
    fn names(&self, dir: &Path) -> bool {
        let dir = dir.as_os_str().as_encoded_bytes();
        let files = self.files.iter().map(|file| &file.bytes);
        let mut texts = files.chain([&self.out, &self.err]);
        texts.any(|text| contains(text, dir) || DEBUGGING.iter().any(|it| contains(text, it)))
    }
}

/// What debuggers read tells of directories, and may be compressed.
const DEBUGGING: [&[u8]; 2] = [b".debug_", b".zdebug_"];

impl Call {
    /// The key of a call. Everything else that decides is looked at when it runs.
    fn key(&self, kind: &Kind, with_dir: bool) -> Key {
        let dir = with_dir.then_some(&self.dir);
        Key::of("program", (&self.file, &self.words, self.is_merged, kind, dir))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stay_in_the_directory() {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("dir");
        std::fs::create_dir(&dir).unwrap();
        let product = |name: &str| Product { name: name.into(), mode: 0o644, bytes: Vec::new() };
        let absolute = place.path().join("b");
        for name in ["../a", absolute.to_str().unwrap(), "..", "", "./a", "a/"] {
            let files = vec![product("a.out"), product(name)];
            let ended = Ended { files, ..Ended::with_output(Vec::new()) };
            assert!(ended.put_files(&dir).is_err(), "{name}");
            assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0);
            assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
        }
    }
}
