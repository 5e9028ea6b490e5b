//! The store of answers: damaged, planted, of another user, removed, full, and killed while writing.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::batch::*;
use crate::call::{Ended, Workspace, wait};
use crate::kills::Random;
use crate::sandbox::{self, Disk, NOBODY};
use crate::support::*;
use crate::table::{Fault, Row};

const fn fault(name: &'static str, make: fn(&mut Row)) -> Fault {
    Fault::new("store", name, "shell", make)
}

/// Their part of the table.
pub const FAULTS: &[Fault] = &[
    fault("files with wrong bytes", |row| damaged(row, 12, overwrite)),
    fault("files cut short, and longer than written", |row| damaged(row, 8, cut)),
    fault("parts of files in other places", |row| damaged(row, 8, displace)),
    fault("files under each other's names", swapped),
    fault("older entries", |row| of_version(row, 1)),
    fault("entries of a newer format", |row| of_version(row, 3)),
    fault("directories and pipes in the place of files", no_files),
    fault("the store of another user, or open to all", of_others),
    fault("planted links", planted),
    fault("removed while it is used", removed),
    fault("KILL at random moments", killed),
    fault("disk full, from nothing to almost enough", full),
    fault("disk read-only", read_only),
];

/// Runs the small request with a store.
fn ask(workspace: &Workspace, store: &Path) -> Ended {
    workspace.check(&["-j2"]).env("TRYALL_STORE", store).ask(&small_request(&need("gcc")))
}

/// Runs the request, compares the answers, and returns how many came from the store.
fn look(row: &mut Row, workspace: &Workspace, store: &Path) -> u64 {
    let ended = ask(workspace, store);
    row.look(workspace, &ended, right_of_small());
    stored(&ended)
}

/// How many answers came from the store.
fn stored(ended: &Ended) -> u64 {
    let response: Value = serde_json::from_slice(&ended.stdout).unwrap_or_default();
    response["summary"]["stored"].as_u64().unwrap_or(0)
}

/// A store with the answers to the small request.
fn filled(row: &mut Row, workspace: &Workspace, name: &str) -> PathBuf {
    let store = workspace.own(name);
    look(row, workspace, &store);
    assert!(look(row, workspace, &store) > 0, "nothing was kept");
    store
}

/// The files of a store.
fn files(store: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(store.join("v2")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    for dir in [to.to_path_buf(), to.join("v2")] {
        fs::create_dir(&dir).unwrap();
        sandbox::open_to_all(&dir, 0o700);
    }
    for file in files(from) {
        fs::copy(&file, to.join("v2").join(file.file_name().unwrap())).unwrap();
    }
}

/// Damages a store in different ways, and asks twice: the second time, the store is good again.
fn damaged(row: &mut Row, times: usize, damage: fn(&Path, &mut Random)) {
    let (mut random, seed) = Random::new();
    let workspace = Workspace::new();
    let good = filled(row, &workspace, "good");
    let store = workspace.own("store");
    let mut used = 0;
    for _ in 0..times {
        copy(&good, &store);
        files(&store).iter().for_each(|file| damage(file, &mut random));
        used += look(row, &workspace, &store);
        if look(row, &workspace, &store) == 0 {
            row.wrong.push(format!("nothing is kept after damage, seed {seed}"));
        }
    }
    row.note = format!("seed {seed}; {used} answers from undamaged parts");
}

/// Writes random bytes over a part of a file.
fn overwrite(file: &Path, random: &mut Random) {
    let size = fs::metadata(file).unwrap().len();
    let file = File::options().write(true).open(file).unwrap();
    for _ in 0..=random.below(30) {
        let bytes: Vec<u8> = (0..=random.below(40)).map(|_| random.below(256) as u8).collect();
        file.write_all_at(&bytes, random.below(size)).unwrap();
    }
}

fn cut(file: &Path, random: &mut Random) {
    let size = fs::metadata(file).unwrap().len();
    let length = [0, 1, 20, random.below(size), size - 1, size + 1, 2 * size];
    let length = length[random.below(length.len() as u64) as usize];
    File::options().write(true).open(file).unwrap().set_len(length).unwrap();
}

/// Copies parts of a file to other places in it.
fn displace(path: &Path, random: &mut Random) {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let size = file.metadata().unwrap().len();
    for _ in 0..=random.below(10) {
        let mut part = vec![0; 1 + random.below(size / 4) as usize];
        let most = size - part.len() as u64;
        file.read_exact_at(&mut part, random.below(most)).unwrap();
        file.write_all_at(&part, random.below(most)).unwrap();
    }
}

/// Files of another version of the format, in a directory of their own and in ours.
fn of_version(row: &mut Row, version: u8) {
    let workspace = Workspace::new();
    let good = filled(row, &workspace, "good");
    let store = workspace.own("store");
    for has_own_dir in [true, false] {
        copy(&good, &store);
        for path in files(&store) {
            let bytes = fs::read(&path).unwrap();
            let digit = bytes[..16].iter().rposition(u8::is_ascii_digit).expect("a version");
            let file = File::options().write(true).open(path).unwrap();
            file.write_all_at(version.to_string().as_bytes(), digit as u64).unwrap();
        }
        let beside = store.join(format!("v{version}"));
        let count = files(&store).len();
        if has_own_dir {
            fs::rename(store.join("v2"), &beside).unwrap();
        }
        if look(row, &workspace, &store) != 0 {
            row.wrong.push(format!("answers of format {version}, own directory: {has_own_dir}"));
        }
        if has_own_dir && fs::read_dir(&beside).unwrap().count() != count {
            row.wrong.push(format!("the directory of format {version} was changed"));
        }
        if look(row, &workspace, &store) == 0 {
            row.wrong.push(format!("nothing is kept beside format {version}"));
        }
    }
}

/// The files of two stores, of compilers that answer differently, change places.
fn swapped(row: &mut Row) {
    let workspace = Workspace::new();
    let store = filled(row, &workspace, "store");
    let other = workspace.own("other");
    let others = || {
        let call = workspace.check(&["-j2"]).env("TRYALL_STORE", &other);
        call.ask(&small_request(&need("clang")))
    };
    others();
    let (ours, theirs) = (files(&store), files(&other));
    for (one, another) in std::iter::zip(&ours, &theirs) {
        let kept = workspace.own("kept");
        fs::rename(one, &kept).unwrap();
        fs::rename(another, one).unwrap();
        fs::rename(kept, another).unwrap();
    }
    look(row, &workspace, &store);
    let ended = others();
    row.look(&workspace, &ended, right_of_small());
    // Both together are a store as well.
    for file in files(&other) {
        fs::copy(&file, store.join("v2").join(file.file_name().unwrap())).unwrap();
    }
    look(row, &workspace, &store);
}

fn no_files(row: &mut Row) {
    let workspace = Workspace::new();
    let store = filled(row, &workspace, "store");
    for file in files(&store) {
        fs::remove_file(&file).unwrap();
        nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRWXU).unwrap();
        look(row, &workspace, &store);
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        look(row, &workspace, &store);
    }
    let store = workspace.own("file");
    fs::write(&store, "").unwrap();
    look(row, &workspace, &store);
    let store = workspace.own("with-file");
    fs::create_dir(&store).unwrap();
    sandbox::open_to_all(&store, 0o700);
    fs::write(store.join("v2"), "").unwrap();
    look(row, &workspace, &store);
}

/// A store that is not to be believed must neither be read nor be written.
fn not_believed(row: &mut Row, workspace: &Workspace, store: &Path, what: &str) {
    let count = || files(store).len();
    let before = count();
    let used = look(row, workspace, store);
    if used != 0 {
        row.wrong.push(format!("{used} answers from {what}"));
    }
    if count() != before {
        row.wrong.push(format!("written to {what}"));
    }
}

fn of_others(row: &mut Row) {
    let workspace = Workspace::new();
    let good = filled(row, &workspace, "good");
    let store = workspace.own("store");
    let owned_by = |path: &Path, user| std::os::unix::fs::chown(path, Some(user), None).unwrap();
    copy(&good, &store);
    owned_by(&store, NOBODY);
    not_believed(row, &workspace, &store, "the store of another user");
    copy(&good, &store);
    owned_by(&store.join("v2"), NOBODY);
    not_believed(row, &workspace, &store, "another user's directory in the store");
    copy(&good, &store);
    files(&store).iter().for_each(|file| owned_by(file, NOBODY));
    if look(row, &workspace, &store) != 0 {
        row.wrong.push("answers from another user's file".into());
    }
    copy(&good, &store);
    sandbox::open_to_all(&store, 0o777);
    not_believed(row, &workspace, &store, "a store that is open to all");
    let mode = fs::metadata(&store).unwrap().permissions().mode();
    if mode & 0o777 != 0o777 {
        row.wrong.push("the mode of a directory that is not a store was changed".into());
    }
}

fn planted(row: &mut Row) {
    let workspace = Workspace::new();
    let good = filled(row, &workspace, "good");
    let store = workspace.own("store");
    // A link in the store to the directory of another one.
    fs::create_dir(&store).unwrap();
    sandbox::open_to_all(&store, 0o700);
    symlink(good.join("v2"), store.join("v2")).unwrap();
    not_believed(row, &workspace, &store, "a directory behind a link");
    // Links in the place of files.
    fs::remove_dir_all(&store).unwrap();
    copy(&good, &store);
    for file in files(&store) {
        fs::remove_file(&file).unwrap();
        symlink(good.join("v2").join(file.file_name().unwrap()), &file).unwrap();
    }
    if look(row, &workspace, &store) != 0 {
        row.wrong.push("answers from a file behind a link".into());
    }
    // A link of another user to a store.
    let link = workspace.own("link");
    symlink(&good, &link).unwrap();
    std::os::unix::fs::lchown(&link, Some(NOBODY), None).unwrap();
    not_believed(row, &workspace, &link, "a store behind another user's link");
}

fn removed(row: &mut Row) {
    for pause in [0, 5, 40] {
        let workspace = Workspace::new();
        let store = filled(row, &workspace, "store");
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let _ = fs::remove_dir_all(&store);
                    std::thread::sleep(Duration::from_millis(pause));
                }
            });
            for _ in 0..4 {
                look(row, &workspace, &store);
            }
            done.store(true, Ordering::Relaxed);
        });
        look(row, &workspace, &store);
        if look(row, &workspace, &store) == 0 {
            row.wrong.push("nothing is kept any more".into());
        }
    }
}

fn killed(row: &mut Row) {
    let (mut random, seed) = Random::new();
    let workspace = Workspace::new();
    let store = workspace.own("store");
    let request = small_request(&need("gcc")).to_string();
    let began = std::time::Instant::now();
    look(row, &workspace, &store);
    let whole = began.elapsed().as_micros() as u64;
    let mut used = 0;
    for time in 0..18 {
        if time % 3 == 0 {
            let _ = fs::remove_dir_all(&store);
        }
        let mut call = workspace.check(&["-j2"]).env("TRYALL_STORE", &store);
        let child = call.start(request.as_bytes());
        // It writes at the end, and half of all kills come then.
        let from = if time % 2 == 0 { whole * 3 / 4 } else { 0 };
        std::thread::sleep(Duration::from_micros(from + random.below(whole / 2 + 1)));
        crate::processes::signal(&child, Signal::SIGKILL);
        let ended = wait(child, call.bound);
        row.ended(&workspace, &ended);
        workspace.clear();
        used += look(row, &workspace, &store);
    }
    row.note = format!("seed {seed}; {used} answers from what killed runs had written or not");
    if look(row, &workspace, &store) == 0 {
        row.wrong.push(format!("nothing is kept after kills, seed {seed}"));
    }
}

fn full(row: &mut Row) {
    let mut used = 0;
    for pages in [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64] {
        let workspace = Workspace::new();
        let place = workspace.own("disk");
        let _disk = Disk::new(&place, &format!("size={}k", pages * 4));
        let store = place.join("store");
        look(row, &workspace, &store);
        used += look(row, &workspace, &store);
        let left =
            files(&store).into_iter().filter(|file| file.extension().is_some_and(|it| it == "tmp"));
        row.left.extend(left.map(|file| file.display().to_string()));
    }
    row.note = format!("{used} answers from the store");
}

fn read_only(row: &mut Row) {
    let workspace = Workspace::new();
    let place = workspace.own("disk");
    let disk = Disk::new(&place, "size=8m");
    let store = place.join("store");
    look(row, &workspace, &store);
    disk.read_only();
    if look(row, &workspace, &store) == 0 {
        row.wrong.push("a store that can only be read is not used".into());
    }
    not_believed(row, &workspace, &place.join("none"), "a store that cannot be made");
}
