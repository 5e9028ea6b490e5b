//! Whatever another user could have written is refused.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::process::Command;

use super::*;

/// A user that does not exist.
const OTHER: Option<u32> = Some(54_321);

/// A room whose store has an answer.
fn filled() -> Room {
    let room = Room::new();
    let mut run = room.run();
    run.keep(1, "yes", &[&room.path("missing")]);
    run.store.commit();
    assert_eq!(room.run().find(1), answer("yes"));
    room
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The store is not read, not written, and says why.
#[track_caller]
fn assert_refused(room: &Room, why: &str) {
    let segments = room.segments();
    let mut run = room.run();
    assert_eq!(run.find(1), None);
    let trouble = run.store.trouble().unwrap();
    assert!(trouble.contains(why), "{trouble}");
    run.keep(2, "yes", &[&room.path("missing")]);
    run.store.commit();
    assert!(run.store.trouble().unwrap().contains(why));
    assert!(run.store.trim(0).is_err());
    assert!(run.store.clear().is_err());
    assert_eq!(room.segments(), segments, "not written");
}

/// The file is as if it were not there.
#[track_caller]
fn assert_ignored(room: &Room) {
    let mut run = room.run();
    assert_eq!(run.find(1), None);
    assert_eq!(run.store.trouble(), None);
    run.keep(1, "again", &[&room.path("missing")]);
    run.store.commit();
    assert_eq!(run.store.trouble(), None);
    assert_eq!(room.run().find(1), answer("again"));
}

#[test]
fn a_directory_that_others_may_write_is_refused() {
    for dir in ["store", "store/v2"] {
        for bits in [0o770, 0o707, 0o720] {
            let room = filled();
            set_mode(&room.path(dir), bits);
            assert_refused(&room, "other users may write");
        }
    }
}

#[test]
fn a_directory_that_others_may_read_is_closed() {
    let room = filled();
    set_mode(&room.path("store"), 0o755);
    set_mode(&room.files(), 0o755);
    assert_eq!(room.run().find(1), answer("yes"));
    assert_eq!(mode(&room.files()), 0o700);
    assert_eq!(mode(&room.path("store")), 0o755, "the user may have made it for more than this");
}

#[test]
fn new_files_are_private() {
    let room = filled();
    assert_eq!(mode(&room.path("store")), 0o700);
    assert_eq!(mode(&room.files()), 0o700);
    assert_eq!(mode(&room.segments()[0]), 0o600);
}

#[test]
fn only_the_store_itself_may_be_a_link() {
    let room = filled();
    fs::rename(room.path("store"), room.path("elsewhere")).unwrap();
    symlink("elsewhere", room.path("store")).unwrap();
    assert_eq!(room.run().find(1), answer("yes"));

    fs::rename(room.path("elsewhere/v2"), room.path("v2")).unwrap();
    symlink("../v2", room.path("elsewhere/v2")).unwrap();
    assert_refused(&room, "is not a directory");

    fs::remove_file(room.path("store")).unwrap();
    symlink("nowhere", room.path("store")).unwrap();
    assert_refused(&room, "is not a directory");
}

#[test]
fn only_regular_files_are_read() {
    let replacements: [fn(&Path, &Path); 4] = [
        |segment, copy| symlink(copy, segment).unwrap(),
        |segment, _| fs::create_dir(segment).unwrap(),
        |segment, _| nix::unistd::mkfifo(segment, nix::sys::stat::Mode::S_IRWXU).unwrap(),
        |segment, copy| {
            fs::copy(copy, segment).unwrap();
            set_mode(segment, 0o620);
        },
    ];
    for replace in replacements {
        let room = filled();
        let segment = room.segments().remove(0);
        let copy = room.path("copy");
        fs::rename(&segment, &copy).unwrap();
        replace(&segment, &copy);
        assert_ignored(&room);
    }
}

#[test]
#[ignore = "needs root"]
fn what_belongs_to_another_user_is_refused() {
    for dir in ["store", "store/v2"] {
        let room = filled();
        chown(room.path(dir), OTHER, None).unwrap();
        assert_refused(&room, "belongs to another user");
    }
    let room = filled();
    chown(&room.segments()[0], OTHER, None).unwrap();
    assert_ignored(&room);

    let room = filled();
    fs::rename(room.path("store"), room.path("elsewhere")).unwrap();
    symlink("elsewhere", room.path("store")).unwrap();
    lchown(room.path("store"), OTHER, None).unwrap();
    assert_refused(&room, "belongs to another user");

    // As with `sudo`, which may leave HOME as it is.
    let room = Room::new();
    chown(room.dir.path(), OTHER, None).unwrap();
    let mut run = room.run();
    run.keep(1, "yes", &[&room.path("missing")]);
    run.store.commit();
    let trouble = run.store.trouble().unwrap();
    assert!(trouble.contains("its parent belongs to another user"), "{trouble}");
    assert!(!room.path("store").exists());
}

/// Runs the next test in a mount namespace, with a small file system for the store.
#[test]
#[ignore = "needs root"]
fn full_and_read_only_disks_fail_nothing() {
    for options in ["size=64k", "size=1m,nr_inodes=4", "ro"] {
        let dir = tempfile::tempdir().unwrap();
        let script = "mount -t tmpfs -o mode=700,size=8m none \"$1\" && mkdir -m 700 \"$1/store\" \
            && mount -t tmpfs -o mode=700,$2 none \"$1/store\" && shift 2 && exec \"$@\"";
        let ended = Command::new("unshare")
            .args(["--mount", "sh", "-c", script, "sh"])
            .arg(dir.path())
            .arg(options)
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "store::tests::others::on_a_small_disk", "--ignored"])
            .env("TRYALL_TEST_DISK", dir.path())
            .output()
            .unwrap();
        assert!(ended.status.success(), "{options}: {}", String::from_utf8_lossy(&ended.stdout));
    }
}

#[test]
#[ignore = "part of the test before"]
fn on_a_small_disk() {
    let Some(dir) = std::env::var_os("TRYALL_TEST_DISK") else { return };
    let store = Path::new(&dir).join("store");
    let mut run = Run::at(&store, BOUND);
    for number in 0..200 {
        let payload = format!("{number}: {}", "x".repeat(2000));
        run.keep(number, &payload, &[Path::new("/missing")]);
        run.store.commit();
        assert_eq!(run.find(number), Some(payload));
    }
    let trouble = run.store.trouble().expect("not all fits");
    assert!(trouble.contains(store.to_str().unwrap()), "{trouble}");
    let mut other = Run::at(&store, BOUND);
    for number in 0..200 {
        let found = other.find(number);
        assert!(found.is_none_or(|found| found.starts_with(&format!("{number}: "))));
    }
    for entry in fs::read_dir(store.join("v2")).into_iter().flatten() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name.ends_with(".seg"), "left behind: {name}");
    }
}
