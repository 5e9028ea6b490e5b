//! Random changes of the world, and how they are undone.

use std::fs::{self, File, FileTimes, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::content::Slot;
use crate::mounts;
use crate::random::Random;
use crate::world::{DIRS, VARIABLES, World};

/// What one step has changed.
#[derive(Debug, Default)]
pub struct Change {
    /// The change, for people.
    pub what: String,
    /// The paths, relative to the root of the world, and the variables as `env:NAME`. A path whose
    /// contents are the same as before is `same:PATH`.
    pub touched: Vec<String>,
}

impl Change {
    fn of(path: &str, how: &str) -> Self {
        Change { what: format!("{path} {how}"), touched: vec![path.into()] }
    }
}

/// How a change is undone.
#[derive(Debug)]
enum Undo {
    /// Sets a variable to what it was.
    Variable(&'static str, Option<String>),
    /// Puts something back that was moved away; without it, only removes what is there now.
    PutBack(String, Option<PathBuf>),
    /// Sets permissions.
    Mode(String, u32),
    /// Takes a mount off a directory.
    Unmount(String),
}

/// Changes a world.
pub struct Changer {
    random: Random,
    undos: Vec<Undo>,
    /// How many things were moved away or made so far.
    made: usize,
    may_mount: bool,
    /// How many mounts were made so far.
    pub mounts: usize,
}

impl Changer {
    pub fn new(random: Random, may_mount: bool) -> Self {
        Changer { random, undos: Vec::new(), made: 0, may_mount, mounts: 0 }
    }

    /// A number below a bound.
    pub fn below(&mut self, bound: usize) -> usize {
        self.random.below(bound)
    }

    /// Makes one change. An error means that it could not be made, or only a part of it.
    pub fn change(&mut self, world: &mut World) -> (Change, io::Result<()>) {
        match self.below(100) {
            0..25 => self.undo(world),
            25..62 => {
                let slot = self.below(world.slots.len());
                self.file_and_dir(world, &world.slots[slot])
            }
            62..70 => self.file_often_used(world),
            70..82 => self.dir(world),
            82..86 => self.link_of_compiler(world),
            86..91 => self.unrelated(world),
            _ => self.variable(world),
        }
    }

    /// Undoes an earlier change, usually one of the last.
    fn undo(&mut self, world: &mut World) -> (Change, io::Result<()>) {
        let back = self.below(4).min(self.below(self.undos.len() + 1));
        let Some(at) = self.undos.len().checked_sub(back + 1) else {
            return self.variable(world);
        };
        match self.undos.remove(at) {
            Undo::Variable(name, value) => {
                match value {
                    Some(value) => drop(world.env.insert(name, value)),
                    None => drop(world.env.remove(name)),
                }
                (Change::of(&format!("env:{name}"), "as it was"), Ok(()))
            }
            Undo::PutBack(path, away) => {
                let place = world.path(&path);
                let done = remove(&place).and_then(|()| match away {
                    Some(away) => fs::rename(away, &place),
                    None => Ok(()),
                });
                (Change::of(&path, "put back"), done)
            }
            Undo::Mode(path, mode) => {
                let done = fs::set_permissions(world.path(&path), Permissions::from_mode(mode));
                (Change::of(&path, "readable again"), done)
            }
            Undo::Unmount(path) => {
                (Change::of(&path, "unmounted"), mounts::unmount(&world.path(&path)))
            }
        }
    }

    fn variable(&mut self, world: &mut World) -> (Change, io::Result<()>) {
        // Those at the end matter to few questions.
        let at = self.below(VARIABLES.len()).max(self.below(VARIABLES.len()));
        let (name, values) = VARIABLES[at];
        let was = world.env.get(name).cloned();
        self.undos.push(Undo::Variable(name, was));
        let value = match self.below(values.len() + 1) {
            0 => None,
            at => Some(values[at - 1]),
        };
        world.set(name, value);
        (Change::of(&format!("env:{name}"), &format!("is {value:?}")), Ok(()))
    }

    /// Changes a file in the middle of everything.
    fn file_often_used(&mut self, world: &World) -> (Change, io::Result<()>) {
        let paths = [
            "d2/b.h",
            "d1/b.h",
            "lib1/libfoo.a",
            "lib2/libfoo.so",
            "etc/mpi.conf",
            "src/source.c",
            "pre/p.h",
        ];
        let path = paths[self.below(paths.len())];
        let slot = world.slots.iter().find(|slot| slot.path == path);
        self.file_and_dir(world, slot.expect("it is one of the slots"))
    }

    /// Changes a file, whose directory is made if it is missing.
    fn file_and_dir(&mut self, world: &World, slot: &Slot) -> (Change, io::Result<()>) {
        let dir = slot.path.rsplit_once('/').expect("all files are in directories").0;
        let is_missing = !world.path(dir).exists();
        let (mut change, done) = self.file(world, slot);
        if is_missing {
            // The directories above it may be new, too.
            change
                .touched
                .extend(slot.path.match_indices('/').map(|(at, _)| slot.path[..at].into()));
        }
        (change, done)
    }

    fn file(&mut self, world: &World, slot: &Slot) -> (Change, io::Result<()>) {
        let place = world.path(&slot.path);
        let variant = self.below(slot.variants.len());
        let name = slot.path.as_str();
        // In half of all cases what was there is kept, and may come back as it was.
        let keeps = self.below(2) == 0;
        let is_there = place.symlink_metadata().is_ok();
        match self.below(15) {
            0..2 if is_there => {
                let done = self.move_away(world, name, keeps);
                (Change::of(name, "removed"), done)
            }
            2 if is_there => {
                let done = File::options().append(true).open(&place).and_then(|file| {
                    file.set_times(FileTimes::new().set_modified(SystemTime::now()))
                });
                (Change::of(name, "touched"), done)
            }
            3 if is_there => {
                let done = disguised(&place, &slot.variants[variant]);
                (Change::of(name, &format!("is {variant}, size and mtime kept")), done)
            }
            4 if is_there => {
                let done = self.disguised_rename(world, slot, variant);
                (Change::of(name, &format!("is {variant}, renamed, size and mtime kept")), done)
            }
            5 => {
                let done = self.move_away(world, name, keeps).and_then(|()| {
                    let target = self.fresh(world, "target");
                    world.write(slot, variant, &target)?;
                    symlink(target, &place)
                });
                (Change::of(name, &format!("is a link to {variant}")), done)
            }
            6 => {
                let done =
                    self.move_away(world, name, keeps).and_then(|()| fs::create_dir_all(&place));
                (Change::of(name, "is a directory"), done)
            }
            7 if is_there => (Change::of(name, "unreadable"), self.lock(world, name, 0)),
            8 => {
                let done =
                    self.move_away(world, name, keeps).and_then(|()| symlink("nowhere", &place));
                (Change::of(name, "is a link to nowhere"), done)
            }
            9 => {
                let done = self.move_away(world, name, keeps).and_then(|()| {
                    let new = self.fresh(world, "new");
                    world.write(slot, variant, &new)?;
                    fs::create_dir_all(place.parent().unwrap())?;
                    fs::rename(new, &place)
                });
                (Change::of(name, &format!("is {variant}, renamed")), done)
            }
            10..13 if place.is_file() => {
                let done = self.make_again(world, &place);
                (Change::of(&format!("same:{name}"), "made again"), done)
            }
            13 => (Change::of(name, "has another name"), self.link_to_twin(world, slot)),
            _ => {
                let done = world.write(slot, variant, &place);
                (Change::of(name, &format!("is {variant}")), done)
            }
        }
    }

    /// Puts a copy in the place of a file.
    fn make_again(&mut self, world: &World, place: &Path) -> io::Result<()> {
        let place = fs::canonicalize(place)?;
        let new = self.fresh(world, "again");
        fs::create_dir_all(new.parent().unwrap())?;
        fs::copy(&place, &new)?;
        fs::rename(new, place)
    }

    /// Makes a file one with the file of the same name in another directory.
    fn link_to_twin(&mut self, world: &World, slot: &Slot) -> io::Result<()> {
        let place = world.path(&slot.path);
        let twins: Vec<_> = (world.slots.iter())
            .filter(|twin| twin.path != slot.path && twin.variants == slot.variants)
            .map(|twin| world.path(&twin.path))
            .filter(|twin| twin.is_file())
            .collect();
        if twins.is_empty() {
            return Ok(());
        }
        let twin = &twins[self.below(twins.len())];
        self.move_away(world, &slot.path, true)?;
        fs::create_dir_all(place.parent().unwrap())?;
        fs::hard_link(twin, place)
    }

    /// A path that nothing has.
    fn fresh(&mut self, world: &World, name: &str) -> PathBuf {
        self.made += 1;
        world.path(&format!("away/{name}-{}", self.made))
    }

    /// Moves something out of the way.
    fn move_away(&mut self, world: &World, name: &str, keeps: bool) -> io::Result<()> {
        let place = world.path(name);
        let is_there = place.symlink_metadata().is_ok();
        let away = self.fresh(world, "kept");
        if !keeps {
            return remove(&place);
        }
        if is_there {
            fs::rename(&place, &away)?;
        } else {
            fs::create_dir_all(place.parent().unwrap())?;
        }
        self.undos.push(Undo::PutBack(name.into(), is_there.then_some(away)));
        Ok(())
    }

    fn disguised_rename(&mut self, world: &World, slot: &Slot, variant: usize) -> io::Result<()> {
        let place = world.path(&slot.path);
        let modified = place.metadata()?.modified()?;
        let new = self.fresh(world, "disguised");
        world.write(slot, variant, &new)?;
        File::options()
            .append(true)
            .open(&new)?
            .set_times(FileTimes::new().set_modified(modified))?;
        fs::rename(new, place)
    }

    fn lock(&mut self, world: &World, name: &str, mode: u32) -> io::Result<()> {
        let place = world.path(name);
        let was = place.metadata()?.mode() & 0o7777;
        self.undos.push(Undo::Mode(name.into(), was));
        fs::set_permissions(place, Permissions::from_mode(mode))
    }

    fn dir(&mut self, world: &World) -> (Change, io::Result<()>) {
        let name = DIRS[self.below(DIRS.len())];
        let place = world.path(name);
        match self.below(13) {
            0 => (Change::of(name, "moved away"), self.move_away(world, name, true)),
            1 => {
                let done =
                    self.move_away(world, name, true).and_then(|()| self.fill(world, name, &place));
                (Change::of(name, "made anew"), done)
            }
            2 => {
                let other = self.filled_beside(world, name);
                let done = self
                    .move_away(world, name, true)
                    .and_then(|()| other.and_then(|other| symlink(other, &place)));
                (Change::of(name, "is a link to another"), done)
            }
            3..5 if self.may_mount && place.is_dir() => {
                let done = self.filled_beside(world, name).and_then(|other| {
                    mounts::bind(&other, &place)?;
                    self.mounts += 1;
                    self.undos.push(Undo::Unmount(name.into()));
                    Ok(())
                });
                (Change::of(name, "has a mount over it"), done)
            }
            5 => (Change::of(name, "unreadable"), self.lock(world, name, 0)),
            6 => (Change::of(name, "not to be listed"), self.lock(world, name, 0o311)),
            7..10 if place.symlink_metadata().is_ok_and(|found| found.is_dir()) => {
                let done = self.make_dir_again(world, name);
                (Change::of(&format!("same:{name}"), "made again"), done)
            }
            10..12 => {
                let other = world.path(DIRS[self.below(DIRS.len())]);
                let done = match other == place {
                    true => Ok(()),
                    false => {
                        self.move_away(world, name, true).and_then(|()| symlink(&other, &place))
                    }
                };
                (Change::of(name, &format!("is another name of {}", other.display())), done)
            }
            _ => {
                let done = fs::create_dir_all(&place);
                (Change::of(name, "made if missing"), done)
            }
        }
    }

    /// Puts a copy in the place of a directory.
    fn make_dir_again(&mut self, world: &World, name: &str) -> io::Result<()> {
        let (place, new) = (world.path(name), self.fresh(world, "again"));
        fs::create_dir_all(new.parent().unwrap())?;
        let mut copy = Command::new("cp");
        copy.args(["--recursive", "--no-dereference", "--preserve=mode,links"]);
        if !copy.arg(&place).arg(&new).output()?.status.success() {
            return Err(io::Error::other("it cannot be copied"));
        }
        self.move_away(world, name, true)?;
        fs::rename(new, place)
    }

    /// A directory elsewhere with other contents of the same names.
    fn filled_beside(&mut self, world: &World, name: &str) -> io::Result<PathBuf> {
        let other = self.fresh(world, "dir");
        self.fill(world, name, &other)?;
        Ok(other)
    }

    /// Puts some files into a directory that will stand in the place of another.
    fn fill(&mut self, world: &World, name: &str, place: &Path) -> io::Result<()> {
        fs::create_dir_all(place)?;
        for slot in &world.slots {
            let Some(rest) = slot.path.strip_prefix(name) else { continue };
            if let Some(rest) = rest.strip_prefix('/')
                && self.below(2) == 0
            {
                let variant = self.below(slot.variants.len());
                world.write(slot, variant, &place.join(rest))?;
            }
        }
        Ok(())
    }

    fn link_of_compiler(&mut self, world: &World) -> (Change, io::Result<()>) {
        let name = "bin/cc";
        let keeps = self.below(2) == 0;
        let (family, place) = (&world.family, world.path(name));
        let target = match self.below(4) {
            0 => which::which(family.other).expect("it was found before"),
            1 => world.path(family.copy),
            _ => which::which(&family.cc).expect("it was found before"),
        };
        let how = format!("is a link to {}", target.display());
        let done = self.move_away(world, name, keeps).and_then(|()| symlink(target, place));
        (Change::of(name, &how), done)
    }

    /// Adds a file that nobody asks for to a directory that everybody passes.
    fn unrelated(&mut self, world: &World) -> (Change, io::Result<()>) {
        let dir = DIRS[self.below(DIRS.len())];
        let name = format!("{dir}/unrelated-{}", self.below(3));
        let done = fs::write(world.path(&name), self.below(9).to_string());
        (Change::of(&name, "written"), done)
    }

    /// Writes a file again and again, as somebody else might while a batch runs. `until` says when it
    /// ends. Returns what was changed.
    pub fn restless(&mut self, world: &World, mut until: impl FnMut() -> bool) -> Change {
        let paths =
            ["d2/b.h", "d1/b.h", "d2/a.h", "lib1/libfoo.a", "lib2/libfoo.so", "src/source.c"];
        let path = paths[self.below(paths.len())];
        let slot = world.slots.iter().find(|slot| slot.path == path).expect("one of the slots");
        let place = world.path(path);
        let pause = [0, 300, 2_000, 9_000][self.below(4)];
        let most = [1, 3, 1_000_000][self.below(3)];
        let mut times = 0;
        while !until() {
            std::thread::sleep(std::time::Duration::from_micros(
                100 + self.below(pause + 1) as u64,
            ));
            if times < most {
                let variant = self.below(slot.variants.len());
                // Whether that works does not matter: the world is judged as it is then.
                let _ = match self.below(3) {
                    0 => disguised(&place, &slot.variants[variant]),
                    1 => world.write(slot, variant, &place),
                    _ => self.disguised_rename(world, slot, variant),
                };
                times += 1;
            }
        }
        Change::of(path, &format!("written {times} times during a batch"))
    }
}

/// Writes over a file, which keeps its size if it can, and its time of modification.
fn disguised(place: &Path, content: &[u8]) -> io::Result<()> {
    let modified = place.metadata()?.modified()?;
    let mut file = File::options().write(true).open(place)?;
    file.write_all(content)?;
    file.set_times(FileTimes::new().set_modified(modified))
}

/// Removes whatever is at a path.
fn remove(place: &Path) -> io::Result<()> {
    mounts::unmount_all(place);
    let done = match place.symlink_metadata() {
        Ok(found) if found.is_dir() => {
            let _ = fs::set_permissions(place, Permissions::from_mode(0o755));
            fs::remove_dir_all(place)
        }
        Ok(_) => fs::remove_file(place),
        Err(error) => Err(error),
    };
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
