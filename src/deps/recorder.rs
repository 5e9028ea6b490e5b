//! Sees what commands look at: every path that they read or miss, and every environment variable.
//!
//! A library that is preloaded into each program of a command takes notes in a file in memory
//! (`log`). The loader's own looks are worked out from what it mapped (`loader`). The notes are
//! judged after the command has ended (`reading`, `judging`). See docs/design/seeing.md.

use std::cell::{OnceCell, Ref, RefCell};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use super::grain::{self, GRAIN};
use super::judging::{self, Noted};
use super::loader::{self, Image, Loader, Looks, PRELOAD};
use super::locale::Libraries;
use super::log::Log;
use super::reading;
use super::sight::{Seen, Sight, SightId, Sights};
use crate::os::{self, Found, Look};

include!(concat!(env!("OUT_DIR"), "/seen.rs"));

/// The variable that tells the library where to take notes.
const LOG_VARIABLE: &str = "TRYALL_SEEN";

/// Sees what the commands of a run look at.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// The library, once a command is watched.
    preload: OnceCell<Preload>,
    known: RefCell<Known>,
}

/// The library in memory.
#[derive(Debug)]
struct Preload {
    /// Keeps it there.
    _library: File,
    /// The directory of this process's descriptors, as other processes see it.
    descriptors: String,
    /// The path of the library.
    path: String,
}

impl Preload {
    fn new() -> io::Result<Self> {
        let mut library = os::memory_file(c"tryall-seen.so")?;
        library.write_all(LIBRARY)?;
        let descriptors = os::descriptors()?;
        let path = format!("{descriptors}/{}", library.as_raw_fd());
        Ok(Preload { _library: library, descriptors, path })
    }
}

/// What the notes so far have meant.
#[derive(Debug, Default)]
pub(super) struct Known {
    sights: Sights,
    places: HashMap<(Rc<OsStr>, Look), Place>,
    notes: HashMap<Box<[u8]>, Rc<Noted>>,
    images: HashMap<Image, Rc<Started>>,
    loader: Loader,
    /// Whether each device keeps the time when a file was changed.
    devices: HashMap<u64, bool>,
    pub(super) libraries: Libraries,
}

/// A path and how it was looked at, as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(u32);

/// What the start of a program rests on.
#[derive(Debug)]
pub(super) struct Started {
    /// What the kernel and the loader looked at.
    pub sights: Vec<(Place, SightId)>,
    /// The rest of what is known.
    pub looks: Looks,
}

/// A command that is being watched.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(super) log: Log,
    /// The program that it starts with.
    pub(super) program: PathBuf,
    /// Its own directories.
    pub(super) own: Vec<PathBuf>,
    /// Whether `LC_ALL` asks for the locale C.
    pub(super) speaks_c: bool,
    /// The names of the variables that the command was given and that its loader reads.
    pub(super) given: Vec<OsString>,
    preloads_others: bool,
    /// When it started, or a little earlier.
    pub(super) since: SystemTime,
}

/// What a command that was watched looked at.
#[derive(Debug)]
pub(crate) struct Watched {
    /// What it looked at.
    pub seen: Seen,
    /// Whether a program of the command ran without the library. It may have complained, and
    /// somebody may have read the complaint: the command must run again, unwatched.
    pub is_disturbed: bool,
}

impl Recorder {
    /// A recorder, or `None` if this build of the program has none.
    pub(crate) fn new() -> Option<Self> {
        let recorder = Recorder { preload: OnceCell::new(), known: RefCell::default() };
        (!LIBRARY.is_empty()).then_some(recorder)
    }

    fn preload(&self) -> io::Result<&Preload> {
        match self.preload.get() {
            Some(preload) => Ok(preload),
            None => Preload::new().map(|preload| self.preload.get_or_init(|| preload)),
        }
    }

    /// Prepares the environment of a command so that it will be watched. The command's own
    /// directories are those whose contents belong to this run; none of them is in the result.
    pub(crate) fn watch(
        &self,
        program: &Path,
        env: &mut Vec<(OsString, OsString)>,
        own: &[&Path],
    ) -> io::Result<Watch> {
        let Preload { path: library, descriptors, .. } = self.preload()?;
        let mut all = Vec::new();
        for dir in own {
            all.extend([Ok(dir.to_path_buf()), std::fs::canonicalize(dir)].into_iter().flatten());
        }
        all.dedup();
        let log = Log::new(&all.iter().map(PathBuf::as_path).collect::<Vec<_>>())?;
        let is_loaders = |name: &OsStr| name.as_encoded_bytes().starts_with(b"LD_");
        let given = env.iter().filter(|(name, _)| is_loaders(name)).map(|(name, _)| name.clone());
        let given = given.collect();
        let value = |name: &str| env.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        let others = value(PRELOAD).filter(|value| !value.is_empty()).cloned();
        let preloads_others = env.iter().any(|(name, value)| loader::loads_libraries(name, value));
        let speaks_c = value("LC_ALL").is_some_and(|locale| locale == "C" || locale == "POSIX");
        let mut preload = OsString::from(library);
        if let Some(others) = others {
            preload.push(":");
            preload.push(others);
        }
        env.retain(|(name, _)| name != PRELOAD && name != LOG_VARIABLE);
        env.push((PRELOAD.into(), preload));
        let path = format!("{descriptors}/{}", log.descriptor());
        env.push((LOG_VARIABLE.into(), path.into()));
        settle(program);
        let since = SystemTime::now() - GRAIN;
        let program = program.into();
        Ok(Watch { log, program, own: all, speaks_c, given, preloads_others, since })
    }

    /// Whether a text mentions the library: the loader complains about it if it cannot be loaded.
    pub(crate) fn is_mentioned_in(&self, text: &str) -> bool {
        self.preload.get().is_some_and(|preload| text.contains(&preload.path))
    }

    /// All sights so far.
    pub(crate) fn sights(&self) -> Ref<'_, Sights> {
        Ref::map(self.known.borrow(), |known| &known.sights)
    }

    /// The number of a sight, for those that come from elsewhere.
    pub(crate) fn id(&self, sight: Sight) -> SightId {
        self.known.borrow_mut().sights.id(sight)
    }
}

impl Watch {
    /// What the command looked at. It and all its processes must have ended.
    pub(crate) fn seen(self, recorder: &Recorder) -> Watched {
        let mut known = recorder.known.borrow_mut();
        let mut watched = reading::read(&self, &mut known);
        if self.preloads_others {
            let why = "LD_PRELOAD or LD_AUDIT loads other libraries into the compiler";
            reading::miss(&mut watched.seen, || why.into());
        }
        watched
    }
}

impl Known {
    /// All sights so far.
    pub(super) fn sights(&self) -> &Sights {
        &self.sights
    }

    /// The place and the number of a sight.
    pub(super) fn sight(&mut self, path: Rc<OsStr>, look: Look, found: Found) -> (Place, SightId) {
        let next = Place(u32::try_from(self.places.len()).expect("memory holds fewer places"));
        let place = *self.places.entry((path.clone(), look)).or_insert(next);
        (place, self.sights.id(Sight { path, look, found, contents: None }))
    }

    /// What a note means, which is the same for equal notes.
    pub(super) fn noted(
        &mut self,
        bytes: &[u8],
        judge: impl FnOnce(&mut Self) -> Noted,
    ) -> Rc<Noted> {
        if let Some(noted) = self.notes.get(bytes) {
            return noted.clone();
        }
        let noted = Rc::new(judge(self));
        self.notes.insert(bytes.into(), noted.clone());
        noted
    }

    /// Why a file that changes may look the same: its file system keeps no time of change.
    pub(super) fn why_not_comparable(&mut self, id: SightId) -> Option<String> {
        let Sight { path, found: Found::Stamp(stamp), .. } = self.sights.get(id) else {
            return None;
        };
        let keeps = || os::keeps_time_of_change(Path::new(&**path));
        let keeps = *self.devices.entry(stamp.device).or_insert_with(keeps);
        (!keeps).then(|| format!("the file system of {} keeps no time of change", path.display()))
    }

    /// What the start of a program rests on.
    pub(super) fn started(&mut self, image: Image, since: SystemTime) -> Rc<Started> {
        if let Some(started) = self.images.get(&image) {
            return started.clone();
        }
        let mut looks = self.loader.looks(&image, since);
        let paths = std::mem::take(&mut looks.paths).into_iter();
        let sights = paths.map(|(path, found)| self.sight(path, Look::Follow, found));
        let mut sights: Vec<_> = sights.collect();
        if !looks.is_script {
            // A program may ask for its own path, and so may the loader ($ORIGIN).
            let executable = image.executable.as_encoded_bytes();
            match judging::walk(image.path.as_encoded_bytes(), Some(executable), self) {
                Some(links) => sights.extend(links),
                None => looks.gap = Some(format!("{} is another file now", image.path.display())),
            }
        }
        let started = Rc::new(Started { sights, looks });
        self.images.insert(image, started.clone());
        started
    }
}

/// Waits until the next change of a file is sure to change its times.
fn settle(program: &Path) {
    let changed = std::fs::metadata(program).map(|metadata| os::changed(&metadata));
    if let Some(rest) = changed.ok().and_then(grain::rest) {
        std::thread::sleep(rest);
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn seen(recorder: &Recorder, dir: &Path, words: &[&str]) -> Watched {
        let mut env = vec![("LC_ALL".into(), "C".into()), ("PATH".into(), "/usr/bin:/bin".into())];
        let program = which::which(words[0]).unwrap();
        let watch = recorder.watch(&program, &mut env, &[dir]).unwrap();
        let mut command = Command::new(program);
        command.args(&words[1..]).current_dir(dir).env_clear().envs(env);
        command.output().unwrap();
        watch.seen(recorder)
    }

    fn found(recorder: &Recorder, seen: &Seen, path: &Path) -> Vec<Found> {
        let sights = recorder.sights();
        let all = seen.sights.iter().map(|id| sights.get(*id));
        all.filter(|sight| Path::new(&*sight.path) == path).map(|sight| sight.found).collect()
    }

    #[test]
    fn what_is_there_and_what_is_missing_are_seen() {
        // Elsewhere than on Linux with glibc, nothing is kept.
        let Some(recorder) = Recorder::new() else { return };
        let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (header, missing) = (other.path().join("it.h"), other.path().join("missing/it.h"));
        std::fs::write(&header, "").unwrap();
        let test = format!("cat {} {}; cat own; cat $FILE", missing.display(), header.display());
        let Watched { seen, is_disturbed } = seen(&recorder, own.path(), &["sh", "-c", &test]);
        assert_eq!((&seen.gap, is_disturbed), (&None, false));
        let now = |path: &Path| vec![os::look(path.as_os_str(), Look::Follow)];
        assert_eq!(found(&recorder, &seen, &header), now(&header));
        assert_eq!(found(&recorder, &seen, &missing), [Found::Nothing]);
        assert_eq!(found(&recorder, &seen, &own.path().join("own")), []);
        // A shell may read all variables.
        assert!(seen.whole_environment);
        assert!(seen.variables.iter().any(|name| name == "LD_LIBRARY_PATH"));
    }

    #[test]
    fn equal_commands_see_the_same() {
        let Some(recorder) = Recorder::new() else { return };
        let own = tempfile::tempdir().unwrap();
        let words = ["sh", "-c", "cat /etc/passwd /no/such/file"];
        let twice = [(); 2].map(|()| seen(&recorder, own.path(), &words).seen);
        assert!(!twice[0].sights.is_empty() && twice[0].gap.is_none());
        assert_eq!(twice[0], twice[1]);
    }

    #[test]
    fn what_was_replaced_between_two_commands_is_looked_at_again() {
        let Some(recorder) = Recorder::new() else { return };
        let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let source = std::fs::canonicalize(other.path()).unwrap().join("it.c");
        for text in ["int one;", "int two;"] {
            let _ = std::fs::remove_file(&source);
            std::fs::write(&source, text).unwrap();
            // GCC asks for the real path of its source.
            let words = ["gcc", "-c", source.to_str().unwrap()];
            let Watched { seen, .. } = seen(&recorder, own.path(), &words);
            let all = found(&recorder, &seen, &source);
            let now = os::look(source.as_os_str(), Look::Follow);
            assert!(all.len() > 1 && all.iter().all(|found| *found == now), "{all:?} {now:?}");
        }
    }

    #[test]
    fn a_program_that_was_not_seen_is_named() {
        let Some(recorder) = Recorder::new() else { return };
        let own = tempfile::tempdir().unwrap();
        let seen = seen(&recorder, own.path(), &["sh", "-c", "env -i /bin/cat /etc/passwd"]);
        assert!(seen.is_disturbed);
        let gap = seen.seen.gap.unwrap().0;
        assert!(gap.starts_with("/bin/cat was not seen"), "{gap}");
    }

    #[test]
    fn complaints_about_the_library_are_recognized() {
        let Some(recorder) = Recorder::new() else { return };
        let path = &recorder.preload().unwrap().path;
        let text = format!("ERROR: ld.so: object '{path}' from LD_PRELOAD cannot be preloaded");
        assert!(recorder.is_mentioned_in(&text));
        assert!(!recorder.is_mentioned_in("undefined reference to `LD_PRELOAD'"));
    }
}
