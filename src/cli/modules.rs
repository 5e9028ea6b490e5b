//! `tryall modules`: puts the CMake modules and the Meson files, which the program holds, where
//! CMake and Meson can read them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::output;
use crate::cli::progress::tell;
use crate::os;

/// Written by the build script.
mod embedded {
    use super::File;

    include!(concat!(env!("OUT_DIR"), "/modules.rs"));
}

/// A file that the program holds, by its path below `cmake/` or `meson/`.
struct File {
    path: &'static str,
    contents: &'static [u8],
}

/// What `tryall modules` takes.
#[derive(Args)]
pub(super) struct ModulesArgs {
    /// Install them below DIR, as a package would, and print each file's path: the CMake modules
    /// go to DIR/share/cmake/Tryall, where `find_package(Tryall)` looks with DIR in
    /// `CMAKE_PREFIX_PATH` or DIR/bin in `PATH`; the Meson files go to DIR/share/tryall/meson
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(args: &ModulesArgs) -> ExitCode {
    let paths = match &args.prefix {
        Some(prefix) => install(prefix),
        None => user_directory().map(|dir| vec![dir]),
    };
    match paths {
        Ok(paths) => {
            let lines = paths.iter().flat_map(|path| {
                [path.as_os_str().as_encoded_bytes(), b"\n"].into_iter().flatten().copied()
            });
            output::print(&lines.collect::<Vec<_>>())
        }
        Err(why) => {
            tell(&why);
            ExitCode::from(3)
        }
    }
}

/// Writes all files below a prefix. Those that are there are replaced, and not written into.
fn install(prefix: &Path) -> Result<Vec<PathBuf>, String> {
    let cmake = prefix.join("share/cmake/Tryall");
    let meson = prefix.join("share/tryall/meson");
    let files = [(cmake, embedded::CMAKE), (meson, embedded::MESON)];
    let mut written = Vec::new();
    for (dir, files) in files {
        for file in files {
            let path = dir.join(file.path);
            put(&path, file.contents)
                .map_err(|why| format!("{} cannot be written: {why}", path.display()))?;
            written.push(path);
        }
    }
    Ok(written)
}

/// The user's directory of this version's files, which are there when this returns.
pub(super) fn user_directory() -> Result<PathBuf, String> {
    let mut reasons = Vec::new();
    for data in data_homes() {
        match filled(&data.join("tryall")) {
            Ok(dir) => return Ok(dir),
            Err(why) => reasons.push(format!("\n  {}: {why}", data.join("tryall").display())),
        }
    }
    Err(format!(
        "there is no place for the CMake modules:{}\n  set XDG_DATA_HOME to a directory of your \
         own that can be written",
        reasons.concat()
    ))
}

/// Where a user's data goes, the first choice first. The XDG specification ignores a relative
/// path, which would mean another place in each directory.
fn data_homes() -> impl Iterator<Item = PathBuf> {
    let chosen = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let usual = std::env::home_dir().map(|home| home.join(".local/share"));
    chosen.into_iter().chain(usual).filter(|dir| dir.is_absolute())
}

/// The directory of this version's files, made or mended if need be. Old versions stay: CMake's
/// caches know them by their paths.
fn filled(home: &Path) -> io::Result<PathBuf> {
    let dir = home.join(version_name());
    if !is_own_dir(home)? {
        make_private(home)?;
    }
    if !is_own_dir(&dir)? {
        // A signal must not leave half of it behind.
        let held = os::hold_interrupts();
        let made = make_at_once(home, &dir);
        held.let_through();
        made?;
    }
    for (path, file) in files_in(&dir) {
        // The directory came whole, but somebody may have tidied up in it.
        let whole = fs::symlink_metadata(&path)
            .is_ok_and(|meta| meta.is_file() && meta.len() == file.contents.len() as u64);
        if !whole {
            put(&path, file.contents)?;
        }
    }
    Ok(dir)
}

fn version_name() -> String {
    format!("{}-{}", env!("CARGO_PKG_VERSION"), embedded::HASH)
}

/// All files and their places. The CMake modules stand on top, so that the directory can be a
/// `Tryall_DIR` or stand in a `CMAKE_MODULE_PATH`.
fn files_in(dir: &Path) -> impl Iterator<Item = (PathBuf, &'static File)> {
    let cmake = embedded::CMAKE.iter().map(|file| (dir.join(file.path), file));
    let meson = dir.join("meson");
    cmake.chain(embedded::MESON.iter().map(move |file| (meson.join(file.path), file)))
}

/// Whether a directory is there; an error if what is there is none, or not the user's alone:
/// CMake will run what stands in it.
fn is_own_dir(path: &Path) -> io::Result<bool> {
    let entry = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        entry => entry?,
    };
    let dir = fs::metadata(path)?;
    if !dir.is_dir() {
        return Err(io::Error::other(format!("{} is not a directory", path.display())));
    }
    if os::is_in_others_hands(&entry) || os::is_in_others_hands(&dir) {
        let what = "is not yours, or everybody may write into it";
        return Err(io::Error::other(format!("{} {what}", path.display())));
    }
    Ok(true)
}

/// Makes a directory that is the user's alone, unless another process has just done so.
fn make_private(dir: &Path) -> io::Result<()> {
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    match os::private_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => is_own_dir(dir).map(drop),
        made => made,
    }
}

/// Fills a directory under a temporary name and then gives it its own, so that nobody sees half
/// of it.
fn make_at_once(home: &Path, dir: &Path) -> io::Result<()> {
    let made = tempfile::Builder::new().prefix(".new-").tempdir_in(home);
    let fresh = made.map_err(|error| io::Error::from(error.kind()))?;
    for (path, file) in files_in(fresh.path()) {
        put(&path, file.contents)?;
    }
    match fs::rename(fresh.path(), dir) {
        Ok(()) => {
            let _ = fresh.keep();
            Ok(())
        }
        // Another process was first.
        Err(_) if is_own_dir(dir)? => Ok(()),
        Err(error) => Err(error),
    }
}

/// Puts a file in its place, with the directories above it.
fn put(path: &Path, contents: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    output::put_in_place(path, contents, None)
}
