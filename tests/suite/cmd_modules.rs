//! `tryall modules`: writes the embedded CMake modules and Meson files completely, once, and only
//! to directories that belong to the user.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::*;

/// The files below a directory, by relative path.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = PathBuf::from(path.file_name().unwrap());
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(below, text)| (name.join(below), text)));
        } else {
            found.insert(name, fs::read(&path).unwrap());
        }
    }
    found
}

/// The files of a repository directory that the program should embed.
fn sources(dir: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = files(&root().join(dir));
    let is_hidden = |part: std::path::Component| part.as_os_str().as_encoded_bytes()[0] == b'.';
    all.retain(|path, _| !path.components().any(is_hidden));
    all
}

/// The CMake modules that the program should embed: those of the repository, and the version.
fn package_files() -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = sources("cmake");
    let version = format!("set(PACKAGE_VERSION {})\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(all.insert("tryall/Version.cmake".into(), version.into()), None);
    all
}

/// All embedded files: the modules at the top level, and Meson's files in a directory.
fn held() -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = package_files();
    let meson = sources("meson").into_iter();
    all.extend(meson.map(|(path, text)| (Path::new("meson").join(path), text)));
    all
}

/// Reveals whether a file was rewritten.
fn stamps(dir: &Path) -> BTreeMap<PathBuf, (u64, i64, i64)> {
    let stamp = |path: &Path| {
        let meta = fs::symlink_metadata(path).unwrap();
        (meta.ino(), meta.ctime(), meta.ctime_nsec())
    };
    let mut all: BTreeMap<_, _> =
        files(dir).into_keys().map(|path| (path.clone(), stamp(&dir.join(path)))).collect();
    all.insert("".into(), stamp(dir));
    all
}

fn modules(data: &Path) -> Call {
    // A mistake must not touch the real home directory.
    Call::new(["modules"]).env("XDG_DATA_HOME", data).env("HOME", "/dev/null")
}

/// The directory that a call prints on one line, without warnings.
fn printed(ran: &Ran) -> PathBuf {
    assert_eq!((ran.code(), ran.stderr.as_str()), (0, ""), "{ran:?}");
    let line = ran.stdout.strip_suffix('\n').unwrap();
    assert!(!line.contains('\n'), "{ran:?}");
    line.into()
}

fn assert_refused(ran: &Ran, why: &str) {
    assert_eq!((ran.code(), ran.stdout.as_str()), (3, ""), "{ran:?}");
    for text in [why, "set XDG_DATA_HOME to"] {
        assert!(ran.stderr.contains(text), "{text:?} is missing: {ran:?}");
    }
}

/// Starts eight calls that wait for the same moment. Returns the directories that they print.
fn eight_at_once(data: &Path) -> Vec<PathBuf> {
    let (wait, go) = std::io::pipe().unwrap();
    let children: Vec<_> = (0..8)
        .map(|_| {
            let mut shell = Command::new("sh");
            // `read` returns when the pipe closes.
            shell.args(["-c", "read line; exec \"$0\" modules", TRYALL]);
            shell.env("XDG_DATA_HOME", data).env("HOME", "/dev/null");
            shell.stdin(wait.try_clone().unwrap()).stdout(Stdio::piped()).stderr(Stdio::piped());
            shell.spawn().unwrap()
        })
        .collect();
    drop(go);
    let outputs = children.into_iter().map(|child| child.wait_with_output().unwrap());
    outputs.map(|output| printed(&output.into())).collect()
}

#[test]
fn eight_concurrent_runs_write_complete_modules_and_a_ninth_leaves_them_alone() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("a b 'c' \"d\" $e");
    // Several rounds, so that the calls overlap.
    for round in 0..10 {
        eight_at_once(&data.join(round.to_string()));
    }
    let dirs = eight_at_once(&data);
    let dir = &dirs[0];
    assert!(dirs.iter().all(|other| other == dir), "{dirs:?}");
    assert!(files(dir) == held(), "{:?}", files(dir).keys());

    let home = data.join("tryall");
    assert_eq!(dir.parent(), Some(&*home));
    let name = dir.file_name().unwrap().to_str().unwrap();
    let hash = name.strip_prefix(concat!(env!("CARGO_PKG_VERSION"), "-")).unwrap();
    assert!(hash.len() == 16 && hash.chars().all(|c| c.is_ascii_hexdigit()), "{name}");
    let left = fs::read_dir(&home).unwrap().count();
    assert_eq!(left, 1, "no temporary directories are left");

    let before = stamps(dir);
    assert_eq!(&printed(&modules(&data).run()), dir);
    assert_eq!(stamps(dir), before);
}

#[test]
fn a_directory_with_deleted_files_is_repaired() {
    let temp = tempfile::tempdir().unwrap();
    let dir = printed(&modules(temp.path()).run());
    fs::remove_dir_all(dir.join("meson")).unwrap();
    fs::write(dir.join("TryallConfig.cmake"), "").unwrap();
    let victim = write(temp.path(), "victim", "mine");
    fs::remove_file(dir.join("Tryall.cmake")).unwrap();
    symlink(&victim, dir.join("Tryall.cmake")).unwrap();
    assert_eq!(printed(&modules(temp.path()).run()), dir);
    assert!(files(&dir) == held(), "{:?}", files(&dir).keys());
    assert_eq!(fs::read_to_string(victim).unwrap(), "mine", "a link is not written through");
}

#[test]
fn without_a_writable_directory_it_suggests_a_remedy() {
    let temp = tempfile::tempdir().unwrap();
    let file = write(temp.path(), "file", "");
    let ran = modules(&file.join("data")).env("HOME", file.join("home")).run();
    assert_refused(&ran, &format!("{}/data/tryall: ", file.display()));
    assert_refused(&ran, &format!("{}/home/.local/share/tryall: ", file.display()));
}

#[test]
fn the_home_directory_is_the_fallback() {
    let temp = tempfile::tempdir().unwrap();
    let file = write(temp.path(), "file", "");
    let home = temp.path().join("home");
    let expected = home.join(".local/share/tryall");
    // Relative paths are ignored, and a file is not a directory.
    for data in [Path::new(""), Path::new("relative"), &file] {
        let dir = printed(&modules(data).env("HOME", &home).dir(temp.path()).run());
        assert_eq!(dir.parent(), Some(&*expected), "with {data:?}");
    }
    assert!(!temp.path().join("relative").exists());
}

#[test]
fn directories_that_others_can_write_are_not_used() {
    let temp = tempfile::tempdir().unwrap();
    let everybodys = temp.path().join("everybodys");
    fs::create_dir(&everybodys).unwrap();
    fs::set_permissions(&everybodys, Permissions::from_mode(0o777)).unwrap();
    let mine = temp.path().join("mine");
    fs::create_dir(&mine).unwrap();
    let data = |name: &str, target: &Path| {
        let data = temp.path().join(name);
        fs::create_dir(&data).unwrap();
        symlink(target, data.join("tryall")).unwrap();
        data
    };

    let refused = modules(&data("1", &everybodys)).run();
    assert_refused(&refused, "other users can write to it");
    assert_eq!(fs::read_dir(&everybodys).unwrap().count(), 0);

    // The user's own symbolic link is followed.
    let good = data("2", &mine);
    let dir = printed(&modules(&good).run());
    assert_eq!(fs::read_dir(&mine).unwrap().count(), 1);

    // The directory of the version itself.
    fs::remove_dir_all(&dir).unwrap();
    symlink(&everybodys, &dir).unwrap();
    assert_refused(&modules(&good).run(), "other users can write to it");
    assert_eq!(fs::read_dir(&everybodys).unwrap().count(), 0);

    // Only root can create files of other users.
    fs::remove_file(&dir).unwrap();
    if nix::unistd::geteuid().is_root() {
        let theirs = data("3", &mine);
        printed(&modules(&theirs).run());
        lchown(theirs.join("tryall"), Some(65534), None).unwrap();
        assert_refused(&modules(&theirs).run(), "is not yours");
        lchown(&mine, Some(65534), None).unwrap();
        assert_refused(&modules(&data("4", &mine)).run(), "is not yours");
    }
}

#[test]
fn an_installed_package_is_found_by_both_cmakes() {
    let temp = tempfile::tempdir().unwrap();
    let prefix = temp.path().join("p r'e\"f");
    let package = prefix.join("share/cmake/Tryall");
    fs::create_dir_all(&package).unwrap();
    let victim = write(temp.path(), "victim", "mine");
    symlink(&victim, package.join("Tryall.cmake")).unwrap();

    let ran = Call::new(["modules", "--prefix"]).arg(&prefix).env("HOME", "/dev/null").run();
    assert_eq!((ran.code(), ran.stderr.as_str()), (0, ""), "{ran:?}");
    assert_eq!(fs::read_to_string(victim).unwrap(), "mine", "a link is not written through");
    assert!(files(&package) == package_files());
    assert!(files(&prefix.join("share/tryall/meson")) == sources("meson"));
    let mut told: Vec<_> = ran.stdout.lines().map(PathBuf::from).collect();
    told.sort();
    let mut written: Vec<_> = files(&prefix).into_keys().map(|path| prefix.join(path)).collect();
    written.sort();
    assert_eq!(told, written);
    let readable = fs::metadata(package.join("TryallConfig.cmake")).unwrap().mode();
    assert_eq!(readable & 0o600, 0o600);

    write(
        temp.path(),
        "CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.20)\nproject(p NONE)\nfind_package(Tryall CONFIG REQUIRED)\n\
         if(NOT COMMAND tryall_check)\n  message(FATAL_ERROR \"no command\")\nendif()\n",
    );
    fs::create_dir(prefix.join("bin")).unwrap();
    let rest = std::env::var_os("PATH").unwrap();
    let on_path = std::env::join_paths(
        std::iter::once(prefix.join("bin")).chain(std::env::split_paths(&rest)),
    );
    for (n, cmake) in [PathBuf::from("/usr/bin/cmake"), venv("cmake")].iter().enumerate() {
        for (how, variable, value) in [
            ("prefix", "CMAKE_PREFIX_PATH", prefix.clone().into_os_string()),
            ("path", "PATH", on_path.as_ref().unwrap().clone()),
        ] {
            let build = temp.path().join(format!("{how}{n}"));
            let output = Command::new(cmake)
                .arg("-S")
                .arg(temp.path())
                .arg("-B")
                .arg(&build)
                .env(variable, value)
                .output()
                .unwrap();
            assert!(output.status.success(), "{cmake:?} by {how}: {output:?}");
            let cache = fs::read_to_string(build.join("CMakeCache.txt")).unwrap();
            let found = format!("Tryall_DIR:PATH={}\n", package.display());
            assert!(cache.contains(&found), "{cache}");
        }
    }
}

/// The result of find_package for a version, with the package at this Tryall_DIR.
fn find_package(cmake: &Path, package: &Path, version: &str) -> String {
    let temp = tempfile::tempdir().unwrap();
    let lists = format!(
        "cmake_minimum_required(VERSION 3.20)\nproject(p NONE)\n\
         find_package(Tryall {version} CONFIG QUIET)\n\
         message(STATUS \"found ${{Tryall_FOUND}} ${{Tryall_VERSION}}\")\n"
    );
    write(temp.path(), "CMakeLists.txt", &lists);
    let output = Command::new(cmake)
        .arg("-S")
        .arg(temp.path())
        .arg("-B")
        .arg(temp.path().join("b"))
        .arg(format!("-DTryall_DIR={}", package.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().find_map(|line| line.strip_prefix("-- found ")).unwrap().trim().into()
}

/// The package of version 0.1.0 accepts the same requirements as Cargo; a bare copy has no version.
#[test]
fn the_package_version_is_respected() {
    let temp = tempfile::tempdir().unwrap();
    let ran = Call::new(["modules", "--prefix"]).arg(temp.path()).run();
    assert_eq!(ran.code(), 0, "{ran:?}");
    let installed = temp.path().join("share/cmake/Tryall");
    let copy = temp.path().join("copy/cmake");
    fs::create_dir_all(copy.join("tryall")).unwrap();
    for (path, text) in sources("cmake") {
        fs::write(copy.join(path), text).unwrap();
    }
    // The project that contains the copy may also have a Cargo.toml.
    write(
        &temp.path().join("copy"),
        "Cargo.toml",
        "[package]\nname = \"p\"\nversion = \"0.1.0\"\n",
    );

    let version = env!("CARGO_PKG_VERSION");
    let parts: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
    let [major, minor, patch] = parts[..] else { panic!("{version}") };
    let good = [
        String::new(),
        format!("{major}"),
        format!("{major}.{minor}"),
        version.into(),
        format!("{version} EXACT"),
        format!("0.0.1...{major}.{minor}.{}", patch + 1),
        format!("{version}...{version}"),
    ];
    let bad = [
        format!("{major}.{minor}.{}", patch + 1),
        format!("{major}.{}", minor + 1),
        format!("{}", major + 1),
        format!("{major}.{minor}.{} EXACT", patch + 1),
        // Before 1.0, each minor version is incompatible with the others.
        "0.0".into(),
        "0.0.1".into(),
        format!("0.0.1...<{version}"),
        format!("{major}.{minor}.{}...9", patch + 1),
    ];
    for cmake in [PathBuf::from("/usr/bin/cmake"), venv("cmake")] {
        for package in [&installed, &root().join("cmake")] {
            for wanted in &good {
                let found = find_package(&cmake, package, wanted);
                assert_eq!(found, format!("1 {version}"), "{wanted} in {package:?}");
            }
            for wanted in &bad {
                let found = find_package(&cmake, package, wanted);
                assert!(found.starts_with('0'), "{wanted} in {package:?}: {found}");
            }
        }
        assert!(find_package(&cmake, &copy, "").starts_with('1'));
        assert!(find_package(&cmake, &copy, version).starts_with('0'));
    }
}

#[test]
fn an_unwritable_prefix_is_named() {
    let temp = tempfile::tempdir().unwrap();
    let file = write(temp.path(), "file", "");
    let ran = Call::new(["modules", "--prefix"]).arg(&file).run();
    assert_eq!((ran.code(), ran.stdout.as_str()), (3, ""), "{ran:?}");
    assert!(ran.stderr.contains(&format!("{}/share/cmake/Tryall/", file.display())), "{ran:?}");
}

/// Runs the part of the build script that embeds files, on a copy.
#[test]
fn the_build_script_embeds_each_file_and_nothing_else() {
    let temp = tempfile::tempdir().unwrap();
    let script = temp.path().join("build-script");
    let part = root().join("build/modules.rs");
    let main = format!("#[path = {part:?}]\nmod modules;\nfn main() {{ modules::embed() }}\n");
    let built = Command::new(need("rustc"))
        .args(["--edition", "2024", "-o"])
        .arg(&script)
        .arg(write(temp.path(), "main.rs", &main))
        .output()
        .unwrap();
    assert!(built.status.success(), "{built:?}");
    let [cmake, meson] = ["cmake", "meson"].map(|name| temp.path().join(name));
    fs::create_dir_all(cmake.join("deep/er")).unwrap();
    fs::create_dir(&meson).unwrap();
    write(&cmake, "A.cmake", "1");
    write(&cmake, "README.md", "");
    write(&cmake, ".A.cmake.swp", "");
    write(&cmake.join("deep/er"), "quote\".cmake", "");
    symlink("A.cmake", cmake.join("Link.cmake")).unwrap();
    symlink("gone", cmake.join("dangling")).unwrap();
    symlink("..", cmake.join("deep/circle")).unwrap();
    let list_of = |version: &str| {
        let ran = Command::new(&script)
            .env("CARGO_MANIFEST_DIR", temp.path())
            .env("OUT_DIR", temp.path())
            .env("CARGO_PKG_VERSION_MAJOR", "1")
            .env("CARGO_PKG_VERSION_MINOR", "2")
            .env("CARGO_PKG_VERSION_PATCH", version)
            .output()
            .unwrap();
        assert!(ran.status.success(), "{ran:?}");
        fs::read_to_string(temp.path().join("modules.rs")).unwrap()
    };
    let list = || list_of("3");
    let listed = list();
    let paths: Vec<_> = listed
        .lines()
        .filter_map(|line| line.trim().strip_prefix("File { path: ")?.split_once(", contents"))
        .map(|(path, _)| path)
        .collect();
    let expected = [
        r#""A.cmake""#,
        r#""Link.cmake""#,
        r#""README.md""#,
        r#""deep/er/quote\".cmake""#,
        r#""tryall/Version.cmake""#,
    ];
    assert_eq!(paths, expected);
    assert!(listed.contains(r#""set(PACKAGE_VERSION 1.2.3)\n""#), "{listed}");

    assert_eq!(list(), listed, "the same files have the same hash");
    let hash = |text: &str| text.lines().find(|line| line.contains("HASH")).unwrap().to_owned();
    assert_ne!(hash(&list_of("4")), hash(&listed), "another version has another");
    write(&cmake, "A.cmake", "2");
    assert_ne!(list(), listed, "other contents have another");
}
