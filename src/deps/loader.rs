//! What the dynamic loader looked at when it started a program.
//!
//! The loader runs before any preloaded library and makes its own system calls, so its looks are
//! worked out afterwards: from what it mapped, and from what it would have preferred. The result
//! may hold paths that it skipped; each of them could have changed what was mapped.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use object::elf::{self, FileHeader64};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::{Endianness, ReadCache};

use super::programs;
use crate::bytes;
use crate::os::{self, Found, Look, Stamp};

/// The variable that names libraries to be loaded into every program.
pub(crate) const PRELOAD: &str = "LD_PRELOAD";

/// Whether a variable has libraries loaded that the program does not name.
pub(crate) fn loads_libraries(name: &OsStr, value: &OsStr) -> bool {
    (name == PRELOAD || name == "LD_AUDIT") && !value.is_empty()
}

/// A program that was started.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Image {
    /// Its path as the caller spelled it: of a script, the script's.
    pub path: Rc<OsStr>,
    /// The file that runs: of a script, the interpreter's.
    pub executable: OsString,
    /// What is at the path.
    pub stamp: Option<Stamp>,
    /// The libraries, in the order in which they were loaded.
    pub mapped: Vec<(Rc<OsStr>, Option<Stamp>)>,
    /// The value of `LD_LIBRARY_PATH`.
    pub library_path: OsString,
}

/// What the start of a program rests on.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// What the kernel and the loader looked at.
    pub paths: Vec<(Rc<OsStr>, Found)>,
    /// Whether the program is one of a known compiler. Any other one may read the whole environment.
    pub is_known: bool,
    /// Whether the program is a shell that has no reason of its own to look at the clock.
    pub is_shell: bool,
    /// Whether the program is a script.
    pub is_script: bool,
    /// Why it may look at more than can be seen.
    pub gap: Option<String>,
}

/// Remembers what is known about programs and libraries.
#[derive(Debug, Default)]
pub(super) struct Loader {
    objects: HashMap<(OsString, Found), Rc<Facts>>,
    /// The paths in the loader's cache.
    cache: Option<Rc<HashSet<Vec<u8>>>>,
}

/// What an ELF file says about itself.
#[derive(Debug, Default)]
struct Facts {
    interpreter: Option<OsString>,
    needed: Vec<Vec<u8>>,
    rpath: Vec<u8>,
    runpath: Vec<u8>,
    is_go: bool,
    size: u64,
}

const CACHE: &str = "/etc/ld.so.cache";
const PRELOAD_FILE: &str = "/etc/ld.so.preload";

/// Directories that the loader searches after its cache.
const DEFAULTS: [&str; 10] = [
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    "/usr/local/lib64",
    "/usr/local/lib",
];

/// Subdirectories for certain processors, which the loader prefers, up to glibc 2.36 and since.
const FOR_PROCESSORS: [&str; 7] =
    ["glibc-hwcaps", "tls", "haswell", "xeon_phi", "avx512_1", "x86_64", "atomics"];
/// What may be in `glibc-hwcaps`.
const LEVELS: [&str; 3] = ["x86-64-v4", "x86-64-v3", "x86-64-v2"];

impl Image {
    /// The path of the library of this name.
    fn library(&self, name: &[u8]) -> Option<&Rc<OsStr>> {
        self.mapped.iter().map(|(path, _)| path).find(|path| file_name(path) == name)
    }
}

impl Loader {
    /// What the start of a program rests on, which did not start before `since`. What changed later
    /// may not be what it saw.
    pub(super) fn looks(&mut self, image: &Image, since: SystemTime) -> Looks {
        let mut looks = self.all_looks(image);
        let is_late = |found: &Found| match found {
            Found::Stamp(stamp) if !stamp.is_dir() => stamp.changed_at() > since,
            _ => false,
        };
        // The library saw these when the program began.
        let is_mapped = |path: &Rc<OsStr>| {
            *path == image.path || image.mapped.iter().any(|(mapped, _)| mapped == path)
        };
        let mut late =
            looks.paths.iter().filter(|(path, found)| !is_mapped(path) && is_late(found));
        if let Some((path, _)) = late.next() {
            looks.gap = Some(format!("{} may have changed while the command ran", path.display()));
        }
        looks
    }

    fn all_looks(&mut self, image: &Image) -> Looks {
        let mut looks = Looks::default();
        match image.stamp {
            Some(stamp) => looks.paths.push((image.path.clone(), Found::Stamp(stamp))),
            None => looks.look_at(image.path.clone()),
        }
        let mut interpreters = Interpreters(Path::new(&*image.path).to_path_buf());
        let is_script =
            interpreters.by_ref().inspect(|path| looks.look_at(path.as_os_str().into())).count()
                > 0;
        let (facts, found) = self.facts(&image.executable);
        for (path, stamp) in &image.mapped {
            let found = stamp.map_or(Found::Nothing, Found::Stamp);
            looks.paths.push((path.clone(), found));
        }
        let is_loader = |(path, _): &(Rc<OsStr>, _)| {
            let name = file_name(path);
            name.starts_with(b"ld-linux")
                || name.starts_with(b"ld64.so")
                || name.starts_with(b"ld-2.")
        };
        let shown = image.path.display();
        if !image.mapped.iter().any(is_loader) {
            looks.gap = Some(format!("{shown} does not use the C library of this system"));
        } else if facts.is_go {
            looks.gap = Some(format!("{shown} is a Go program, which calls the system itself"));
        }
        // A plugin may do anything.
        looks.is_known = !is_script
            && !self.has_plugin(image, &facts)
            && programs::reads_by_name(&image.executable, facts.size, &facts.needed);
        looks.is_shell = programs::is_shell(&image.executable)
            && !(is_script && programs::asks_its_shell(&image.path));
        looks.is_script = is_script;
        if let (Found::Stamp(_), Some(interpreter)) = (found, &facts.interpreter) {
            looks.look_at(interpreter.as_os_str().into());
        }
        looks.look_at(OsStr::new(PRELOAD_FILE).into());
        looks.look_at(OsStr::new(CACHE).into());
        self.searches(image, &facts, &mut looks);
        let mut known = HashSet::new();
        looks.paths.retain(|(path, _)| known.insert(path.clone()));
        looks
    }

    /// Whether a program has loaded a library that is not the system's nor its own, and that neither it nor
    /// its libraries need.
    fn has_plugin(&mut self, image: &Image, main: &Facts) -> bool {
        let strangers = image.mapped.iter().filter(|(path, _)| !belongs(path, &image.executable));
        let mut strangers: HashSet<_> = strangers.map(|(path, _)| file_name(path)).collect();
        let mut ahead = main.needed.clone();
        let mut known = HashSet::new();
        while let Some(name) = ahead.pop().filter(|_| !strangers.is_empty()) {
            let name = file_name(OsStr::from_bytes(&name)).to_vec();
            strangers.remove(&*name);
            if let Some(path) = image.library(&name).filter(|_| known.insert(name.clone())) {
                ahead.extend_from_slice(&self.facts(path).0.needed);
            }
        }
        !strangers.is_empty()
    }

    /// Adds the places where each needed library would have been preferred.
    fn searches(&mut self, image: &Image, main: &Rc<Facts>, looks: &mut Looks) {
        let cache = self.cache();
        let mut places: HashSet<(PathBuf, Vec<u8>)> = HashSet::new();
        let mut objects = vec![(PathBuf::from(&image.executable), main.clone())];
        for (path, _) in &image.mapped {
            objects.push((Path::new(&**path).to_path_buf(), self.facts(path).0));
        }
        let all_rpaths = |looks: &mut Looks| {
            let with = objects.iter().filter(|(_, facts)| facts.runpath.is_empty());
            with.flat_map(|(path, facts)| directories(&facts.rpath, path, looks))
                .collect::<Vec<_>>()
        };
        // The kernel has already loaded the loader, and a path is not searched for.
        let loader = main.interpreter.as_deref().and_then(|path| Path::new(path).file_name());
        let is_given = |name: &[u8]| {
            name.contains(&b'/') || loader.is_some_and(|loader| loader.as_bytes() == name)
        };
        let rpaths = all_rpaths(looks);
        let given = directories(image.library_path.as_bytes(), Path::new(&image.executable), looks);
        for (path, facts) in &objects {
            let own = directories(&facts.runpath, path, looks);
            let before = if facts.runpath.is_empty() { rpaths.as_slice() } else { &[] };
            for name in facts.needed.iter().filter(|name| !is_given(name)) {
                let found = image.library(name).map(Path::new);
                let dir = found.and_then(Path::parent);
                let named = before.iter().chain(&given).chain(&own);
                let is_cached =
                    found.is_some_and(|path| cache.contains(path.as_os_str().as_bytes()));
                let defaults = DEFAULTS.map(PathBuf::from);
                let defaults = if is_cached { &[][..] } else { &defaults };
                for place in named.chain(defaults) {
                    places.insert((place.clone(), name.clone()));
                    if dir == Some(place) {
                        break;
                    }
                }
            }
        }
        let mut places = Vec::from_iter(places);
        places.sort();
        let mut known = HashMap::new();
        for (dir, name) in &places {
            looks.look_for(dir, name, &mut known, 0);
        }
    }

    fn cache(&mut self) -> Rc<HashSet<Vec<u8>>> {
        let read = || {
            let bytes = std::fs::read(CACHE).unwrap_or_default();
            let texts = bytes.split(|byte| *byte == 0);
            let paths = texts.filter(|text| text.first() == Some(&b'/'));
            Rc::new(paths.map(<[u8]>::to_vec).collect())
        };
        self.cache.get_or_insert_with(read).clone()
    }

    /// What an object says about itself, and what is at its path.
    fn facts(&mut self, path: &OsStr) -> (Rc<Facts>, Found) {
        let found = os::look(path, Look::Follow);
        let facts = self.objects.entry((path.to_os_string(), found)).or_insert_with(|| {
            let facts = File::open(path).ok().and_then(|file| read_facts(file).ok());
            Rc::new(facts.unwrap_or_default())
        });
        (facts.clone(), found)
    }
}

impl Looks {
    fn look_at(&mut self, path: Rc<OsStr>) {
        let found = os::look(&path, Look::Follow);
        self.paths.push((path, found));
    }

    /// Adds the places below a directory where the loader looks for a library. If a directory is
    /// not there, nothing in it is.
    fn look_for(
        &mut self,
        dir: &Path,
        name: &[u8],
        known: &mut HashMap<PathBuf, bool>,
        depth: u32,
    ) {
        if !self.has_dir(dir, known) {
            return;
        }
        self.look_at(dir.join(OsStr::from_bytes(name)).as_os_str().into());
        let is_levels = dir.ends_with(FOR_PROCESSORS[0]);
        let below = if is_levels { LEVELS.as_slice() } else { &FOR_PROCESSORS };
        for below in below.iter().filter(|_| depth < 4) {
            let below = dir.join(below);
            if self.has_dir(&below, known) {
                self.look_for(&below, name, known, depth + 1);
            }
        }
    }

    fn has_dir(&mut self, dir: &Path, known: &mut HashMap<PathBuf, bool>) -> bool {
        *known.entry(dir.to_path_buf()).or_insert_with(|| {
            self.look_at(dir.as_os_str().into());
            matches!(self.paths.last(), Some((_, Found::Stamp(_))))
        })
    }
}

/// The directories of a search path in an object, with its variables replaced.
fn directories(path: &[u8], object: &Path, looks: &mut Looks) -> Vec<PathBuf> {
    let origin = object.parent().unwrap_or(Path::new("/")).as_os_str().as_bytes();
    let mut directories = Vec::new();
    for dir in path.split(|byte| *byte == b':' || *byte == b';').filter(|dir| !dir.is_empty()) {
        let dir = replace(&replace(dir, b"${ORIGIN}", origin), b"$ORIGIN", origin);
        if dir.contains(&b'$') {
            let dir = String::from_utf8_lossy(&dir);
            looks.gap = Some(format!("{} loads libraries from {dir}", object.display()));
            continue;
        }
        directories.push(PathBuf::from(OsString::from_vec(dir)));
    }
    directories
}

fn replace(text: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::new();
    let mut rest = text;
    while let Some(at) = bytes::find(rest, what) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(with);
        rest = &rest[at + what.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

/// The last part of a path.
fn file_name(path: &OsStr) -> &[u8] {
    Path::new(path).file_name().unwrap_or_default().as_bytes()
}

/// Whether a library is the system's, or was installed together with the program.
fn belongs(library: &OsStr, executable: &OsStr) -> bool {
    let prefix = Path::new(executable).ancestors().nth(2);
    let is_below = |dir: &Path| dir.parent().is_some() && Path::new(library).starts_with(dir);
    ["/usr", "/lib", "/lib64"].iter().any(|dir| is_below(Path::new(dir)))
        || prefix.is_some_and(is_below)
        || !library.as_bytes().starts_with(b"/")
}

/// The interpreters of a script: the program on its first line, whose own first line may name
/// another.
struct Interpreters(PathBuf);

impl Iterator for Interpreters {
    type Item = PathBuf;

    fn next(&mut self) -> Option<PathBuf> {
        let mut line = Vec::new();
        let mut file = BufReader::with_capacity(512, File::open(&self.0).ok()?);
        if !file.fill_buf().ok()?.starts_with(b"#!") {
            return None;
        }
        file.read_until(b'\n', &mut line).ok()?;
        let is_space = |byte: &u8| b" \t\n".contains(byte);
        let mut words = line[2..].split(is_space).filter(|word| !word.is_empty());
        self.0 = PathBuf::from(OsStr::from_bytes(words.next()?));
        Some(self.0.clone())
    }
}

/// The loader of a program for 64 bits, if it is one that is loaded.
pub(crate) fn interpreter(program: &Path) -> Option<PathBuf> {
    read_facts(File::open(program).ok()?).ok()?.interpreter.map(PathBuf::from)
}

fn read_facts(file: File) -> object::Result<Facts> {
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    let data = &ReadCache::new(file);
    let header = FileHeader64::<Endianness>::parse(data)?;
    let endian = header.endian()?;
    let mut facts = Facts { size, ..Facts::default() };
    let sections = header.sections(endian, data)?;
    let is_go = |section| {
        let name = sections.section_name(endian, section);
        matches!(name, Ok(b".go.buildinfo" | b".note.go.buildid"))
    };
    facts.is_go = sections.iter().any(is_go);
    let segments = header.program_headers(endian, data)?;
    for segment in segments {
        if let Some(path) = segment.interpreter(endian, data)? {
            facts.interpreter = Some(OsStr::from_bytes(path).to_os_string());
        }
    }
    let Some((entries, strings)) = sections.dynamic(endian, data)? else { return Ok(facts) };
    let strings = sections.strings(endian, data, strings)?;
    for entry in entries {
        let text = || entry.string(endian, strings).map(<[u8]>::to_vec);
        match Some(entry.d_tag(endian)) {
            Some(elf::DT_NEEDED) => facts.needed.push(text()?),
            Some(elf::DT_RPATH) => facts.rpath = text()?,
            Some(elf::DT_RUNPATH) => facts.runpath = text()?,
            _ => {}
        }
    }
    Ok(facts)
}
