//! Judges the notes about a command: what it looked at, and why that may not be all.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use super::judging::{judge, momentary, shown, unseen};
use super::loader::Image;
use super::locale::Names;
use super::log::{Kind, Notes, Record};
use super::programs;
use super::recorder::{Known, Place, Watch, Watched};
use super::sight::{Gap, Seen, SightId};

/// Sets the reason why not everything was seen, unless there is one.
pub(super) fn miss(seen: &mut Seen, why: impl FnOnce() -> String) {
    seen.gap.get_or_insert_with(|| Gap(why()));
}

/// Reads what a command has looked at.
pub(super) fn read(watch: &Watch, known: &mut Known) -> Watched {
    let mut seen = Seen::default();
    let notes = match watch.log.read() {
        Ok(notes) => notes,
        Err(error) => {
            miss(&mut seen, || format!("the notes about the command are unreadable: {error}"));
            return Watched { seen, is_disturbed: true };
        }
    };
    if notes.is_cut {
        miss(&mut seen, || "the command looked at too many files".into());
    }
    let mut reading = Reading::new(watch, &notes, known);
    let is_disturbed = notes.arrived != notes.expected;
    for record in notes.records() {
        reading.add(&record, &mut seen);
    }
    reading.started.insert(0, watch.program.as_os_str().as_bytes());
    reading.finish(&mut seen);
    if is_disturbed {
        seen.gap = Some(Gap(reading.missing()));
    } else if !reading.started.is_empty() {
        // A static program that starts another one in its own place: their number is right.
        miss(&mut seen, || reading.missing());
    }
    Watched { seen, is_disturbed }
}

/// The state while notes are read.
struct Reading<'a> {
    watch: &'a Watch,
    known: &'a mut Known,
    /// What the command itself has made outside of its directories.
    made: HashSet<&'a [u8]>,
    /// What of it is gone.
    removed: HashSet<&'a [u8]>,
    places: Vec<(Place, SightId)>,
    images: BTreeMap<u32, Image>,
    started: Vec<&'a [u8]>,
    machine: Option<OsString>,
    /// What programs asked for that is different at every moment.
    momentary: BTreeSet<(u32, &'a [u8])>,
    names: Names,
}

impl<'a> Reading<'a> {
    fn new(watch: &'a Watch, notes: &'a Notes, known: &'a mut Known) -> Self {
        let of = |kind| {
            let records = notes.records().filter(move |record| record.kind == kind);
            records.map(|record| record.text)
        };
        Reading {
            watch,
            known,
            made: of(Kind::Created).collect(),
            removed: of(Kind::Removed).collect(),
            places: Vec::new(),
            images: BTreeMap::new(),
            started: of(Kind::Started).collect(),
            machine: None,
            momentary: BTreeSet::new(),
            names: Names::default(),
        }
    }

    fn add(&mut self, record: &Record<'a>, seen: &mut Seen) {
        match record.kind {
            Kind::Variable => seen.variables.push(OsStr::from_bytes(record.text).to_os_string()),
            Kind::Image => self.add_image(record),
            Kind::Libraries => {
                if let Some(image) = self.images.get_mut(&record.image) {
                    image.library_path = OsStr::from_bytes(record.text).to_os_string();
                }
            }
            Kind::Mapped => {
                if let Some(image) = self.images.get_mut(&record.image) {
                    image.mapped.push((OsStr::from_bytes(record.text).into(), record.found));
                }
            }
            Kind::Locale | Kind::Languages | Kind::Domain => self.names.add(record),
            Kind::Started => {}
            Kind::Moment => drop(self.momentary.insert((record.image, record.text))),
            Kind::Unseen => miss(seen, || unseen(&String::from_utf8_lossy(record.text))),
            Kind::Created => {
                let is_left = !self.removed.contains(record.text);
                if is_left {
                    miss(seen, || format!("the command leaves {} behind", shown(record.text)));
                }
            }
            _ => self.add_look(record, seen),
        }
    }

    fn add_image(&mut self, record: &Record<'a>) {
        let (path, executable) = record.pair();
        let image = Image {
            path: OsStr::from_bytes(path).into(),
            executable: OsStr::from_bytes(executable).to_os_string(),
            stamp: record.found,
            mapped: Vec::new(),
            library_path: OsString::new(),
        };
        self.images.insert(record.image, image);
    }

    fn add_look(&mut self, record: &Record<'a>, seen: &mut Seen) {
        let (path, _) = record.pair();
        if self.is_made(path) {
            return;
        }
        match self.area(path) {
            Area::Own => return,
            Area::Climbed => {
                miss(seen, || climbed(path));
                return;
            }
            Area::Outside => {}
        }
        // What was found on the way is not in the note.
        let noted = match record.kind {
            Kind::RealPath => Rc::new(judge(record, self.known)),
            _ => self.known.noted(record.bytes, |known| judge(record, known)),
        };
        self.places.extend_from_slice(&noted.sights);
        seen.whole_environment |= noted.whole_environment;
        if let Some(why) = &noted.gap {
            miss(seen, || why.clone());
        }
        if self.machine.is_none() {
            self.machine.clone_from(&noted.about_machine);
        }
    }

    /// Whether the command made this file, or a directory above it.
    fn is_made(&self, path: &[u8]) -> bool {
        if self.made.is_empty() {
            return false;
        }
        let mut above = Path::new(OsStr::from_bytes(path)).ancestors();
        above.any(|path| self.made.contains(path.as_os_str().as_bytes()))
    }

    fn area(&self, path: &[u8]) -> Area {
        // Most paths differ early, and comparing components takes longer.
        let own = &self.watch.own;
        let begins = |own: &PathBuf| path.starts_with(own.as_os_str().as_bytes());
        if !own.iter().any(begins) {
            return Area::Outside;
        }
        let path = Path::new(OsStr::from_bytes(path));
        let is_below = |path: &Path| own.iter().any(|own| path.starts_with(own));
        if !is_below(path) {
            return Area::Outside;
        }
        // Without "..", the library would have left the path out.
        if is_below(&without_parents(path)) { Area::Own } else { Area::Climbed }
    }

    /// Adds what the programs rest on, and looks for contradictions.
    fn finish(&mut self, seen: &mut Seen) {
        let since = self.watch.since;
        let mut unknown = None;
        let mut libraries = BTreeSet::new();
        for (number, image) in std::mem::take(&mut self.images) {
            let is_own = matches!(self.area(image.path.as_bytes()), Area::Own);
            let shown = shown(image.path.as_bytes());
            self.started.retain(|path| *path != image.path.as_bytes());
            let mapped = image.mapped.iter().map(|(path, _)| path);
            libraries
                .extend(mapped.filter(|path| path.as_bytes().ends_with(b"/libc.so.6")).cloned());
            let started = self.known.started(image, since);
            if !started.looks.is_known {
                let may_ask = |asked: &[u8]| asked == b"time" && started.looks.is_shell;
                let mut asked = self.momentary.iter().filter(|(image, _)| *image == number);
                if let Some((_, asked)) = asked.find(|(_, asked)| !may_ask(asked)) {
                    miss(seen, || format!("{shown} {}", momentary(asked)));
                }
                unknown = Some(shown);
            }
            seen.whole_environment |= !started.looks.is_known;
            if let Some(why) = &started.looks.gap {
                miss(seen, || why.clone());
            }
            let sights = self.known.sights();
            let is_others = |id: SightId| {
                let path = &sights.get(id).path;
                !is_own || matches!(self.area(path.as_bytes()), Area::Outside)
            };
            let mut others = started.sights.clone();
            others.retain(|(_, id)| is_others(*id));
            self.places.extend(others);
        }
        self.add_locales(&libraries, since, seen);
        if let (Some(path), Some(program)) = (&self.machine, unknown) {
            let path = path.display();
            miss(seen, || format!("{program}, which is not a known compiler, may read {path}"));
        }
        seen.variables.extend(programs::ALWAYS_READ.map(OsString::from));
        if !self.watch.speaks_c {
            seen.variables.extend(programs::OF_LANGUAGE.map(OsString::from));
        }
        seen.variables.extend_from_slice(&self.watch.given);
        seen.variables.sort_unstable();
        seen.variables.dedup();
        self.places.sort_unstable();
        self.places.dedup();
        if let Some(twice) = self.places.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let path = self.known.sights().get(twice[0].1).path.clone();
            miss(seen, || format!("{} changed while the command ran", path.display()));
        }
        for (_, id) in &self.places {
            if let Some(why) = self.known.why_not_comparable(*id) {
                miss(seen, || why);
            }
        }
        seen.sights = self.places.iter().map(|(_, id)| *id).collect();
        seen.sights.sort_unstable();
        seen.sights.dedup();
    }

    /// Adds what the C libraries looked at for the command's languages.
    fn add_locales(&mut self, libraries: &BTreeSet<Rc<OsStr>>, since: SystemTime, seen: &mut Seen) {
        let looks = self.names.looks(libraries, since, &mut self.known.libraries);
        for (path, look, found) in looks.paths {
            match self.area(path.as_bytes()) {
                Area::Own => {}
                Area::Climbed => miss(seen, || climbed(path.as_bytes())),
                Area::Outside => self.places.push(self.known.sight(path, look, found)),
            }
        }
        if let Some(why) = looks.gap {
            miss(seen, || why);
        }
    }

    /// Which program was not seen, and why.
    fn missing(&self) -> String {
        let name =
            self.started.first().map_or("a program of the command".into(), |path| shown(path));
        format!(
            "{name} was not seen: it is static or setuid, or uses another C library or environment"
        )
    }
}

/// Where a path leads.
enum Area {
    /// Into the command's own directories.
    Own,
    /// Into its own directory by its spelling, and out of it again.
    Climbed,
    /// Elsewhere.
    Outside,
}

/// A path with `..` removed by its spelling.
fn without_parents(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

fn climbed(path: &[u8]) -> String {
    format!("the command looks outside of its directory by a relative path: {}", shown(path))
}
