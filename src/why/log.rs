//! The log of a build directory: each check that CMake asked there, and how it was answered.
//!
//! Sessions write it and `tryall why` shows it. Nothing else reads it, and no answer rests on it. Each
//! configure step writes a file `CMakeFiles/tryall/answers-<milliseconds>-<process>` with a JSON object
//! per line.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::os;
use crate::protocol::Kind;
use crate::protocol::response::{Status, Step};

/// A check as the log describes it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Noted {
    /// When it was answered, in seconds since 1970.
    pub time: u64,
    /// The command: `try_compile` or `try_run`.
    pub command: String,
    /// The arguments of the command.
    pub arguments: Vec<String>,
    /// The variable for whether it compiled.
    pub variable: String,
    /// The variable for how the program ended, of `try_run`.
    pub run_variable: Option<String>,
    /// The list file that CMake was at: `CMAKE_CURRENT_LIST_FILE`.
    pub list_file: String,
    /// What it takes for a yes.
    pub kind: Option<Kind>,
    /// The path of the source, or its name.
    pub source_file: Option<String>,
    /// The source, if the session has read it.
    pub source: Option<String>,
    /// Where the answer came from.
    pub origin: Origin,
    /// Why CMake ran the check, if it did.
    pub reason: Option<String>,
    /// Yes or no; nothing if CMake ran the check.
    pub answer: Option<Status>,
    /// The commands that ran, with their outputs.
    pub steps: Vec<Step>,
    /// What the build tool wrote, if CMake ran the check and the session has seen that.
    pub output: Option<String>,
    /// The key of the answer in the store, in hexadecimal digits.
    pub key: Option<String>,
    /// Variables that CMake's environment had when it asked, and not when it was started, and the
    /// other way round.
    pub environment: Vec<(String, Option<String>)>,
}

/// Where an answer came from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    /// It was in the store.
    Stored,
    /// The compiler was asked ahead of CMake.
    Foreseen,
    /// The same, in a command with other checks.
    Shared,
    /// The compiler was asked while CMake waited.
    Asked,
    /// CMake ran the check itself.
    #[default]
    Cmake,
}

/// The most bytes of the log of a build directory.
const MAX_LOG: u64 = 16 << 20;

/// The most bytes of one text in it.
const MAX_TEXT: usize = 64 << 10;

/// With less space than this, in bytes, nothing is written: it is needed for other things.
const MIN_FREE: u64 = 64 << 20;

/// What a session writes. Whatever fails, there is no more log, and nobody is told.
#[derive(Debug)]
pub(crate) struct Log {
    dir: PathBuf,
    file: Option<File>,
    /// The length of that file.
    written: u64,
    /// Other files with their lengths, the latest first.
    others: Vec<(PathBuf, u64)>,
    has_failed: bool,
}

impl Log {
    /// The log in a directory `CMakeFiles`. Nothing is written yet.
    pub(crate) fn new(place: &Path) -> Log {
        let (dir, others) = (dir(place), Vec::new());
        Log { dir, file: None, written: 0, others, has_failed: false }
    }

    /// Adds a check.
    pub(crate) fn add(&mut self, noted: Noted) {
        self.has_failed = self.has_failed || self.write(&noted.cut()).is_none();
    }

    fn write(&mut self, noted: &Noted) -> Option<()> {
        if !os::has_free(self.dir.parent()?, MIN_FREE) {
            return None;
        }
        let mut line = serde_json::to_vec(noted).ok()?;
        line.push(b'\n');
        let length = line.len() as u64;
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.open()?,
        };
        let others: u64 = self.others.iter().map(|(_, length)| length).sum();
        let mut all = self.written + others + length;
        while all > MAX_LOG {
            let (oldest, length) = self.others.pop()?;
            fs::remove_file(oldest).ok()?;
            all -= length;
        }
        file.write_all(&line).ok()?;
        self.written += length;
        self.file = Some(file);
        Some(())
    }

    fn open(&mut self) -> Option<File> {
        // It may be there.
        let _ = fs::create_dir(&self.dir);
        let length = |path: PathBuf| Some((path.clone(), fs::symlink_metadata(path).ok()?.len()));
        self.others = files(&self.dir).into_iter().filter_map(length).collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_millis();
        let name = format!("{PREFIX}{now}-{}", std::process::id());
        File::options().append(true).create_new(true).open(self.dir.join(name)).ok()
    }
}

impl Noted {
    /// The variables that it sets.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        self.run_variable.iter().chain([&self.variable]).map(String::as_str)
    }

    /// The same without the middle of long texts.
    fn cut(mut self) -> Noted {
        let outputs = self.steps.iter_mut().map(|step| &mut step.output);
        let texts = outputs.chain(&mut self.output).chain(&mut self.source);
        for text in texts.chain(&mut self.arguments).filter(|text| text.len() > MAX_TEXT) {
            let start = text.floor_char_boundary(MAX_TEXT / 2);
            let end = text.ceil_char_boundary(text.len() - MAX_TEXT / 2);
            text.replace_range(start..end, "\n[...]\n");
        }
        self
    }
}

const PREFIX: &str = "answers-";

fn dir(place: &Path) -> PathBuf {
    place.join("tryall")
}

/// The files of a log, the latest first.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let numbered = entries.filter_map(|entry| {
        let name = entry.file_name();
        let (time, process) = name.to_str()?.strip_prefix(PREFIX)?.split_once('-')?;
        Some((time.parse::<u64>().ok()?, process.parse::<u32>().ok()?, entry.path()))
    });
    let mut files: Vec<_> = numbered.collect();
    files.sort_unstable();
    files.into_iter().rev().map(|(.., path)| path).collect()
}

/// The log in a directory `CMakeFiles`: the checks of each configure step, the latest step first.
/// `None` if there is no log. Lines that cannot be read are left out.
pub(crate) fn read(place: &Path) -> Option<Vec<Vec<Noted>>> {
    let files = Some(files(&dir(place))).filter(|files| !files.is_empty())?;
    let checks = |path: PathBuf| {
        let mut bytes = Vec::new();
        let file = File::open(path).map(|file| file.take(MAX_LOG));
        // What can be read will do.
        let _ = file.and_then(|mut file| file.read_to_end(&mut bytes));
        let lines = bytes.split(|byte| *byte == b'\n');
        lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
    };
    Some(files.into_iter().map(checks).collect())
}
