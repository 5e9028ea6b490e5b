//! Which programs are compilers, and the files by which a run is found.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::deps::loader::PRELOAD;
use crate::deps::programs;
use crate::os;

include!(concat!(env!("OUT_DIR"), "/door.rs"));

/// The variable that names the directory of a run.
pub(super) const RUN: &str = "TRYALL_RUN";

/// The variable that names the compiler in whose place this program was started.
pub(super) const PROGRAM: &str = "TRYALL_PROGRAM";

/// The variables that name compilers.
const VARIABLES: [&str; 8] = ["CC", "CXX", "FC", "F77", "F90", "OBJC", "CC_FOR_BUILD", "BUILD_CC"];

/// The directory of a run. `preload/door.c` has the same names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Door(PathBuf);

impl Door {
    /// In this directory.
    pub(super) fn new(dir: impl Into<PathBuf>) -> Door {
        Door(dir.into())
    }

    /// The socket of the server.
    pub(super) fn socket(&self) -> PathBuf {
        self.0.join("socket")
    }

    /// Makes the files by which compilers are replaced. The library is there as long as what is returned.
    /// Fails if this system has none.
    pub(super) fn make(&self, compilers: &BTreeSet<PathBuf>) -> io::Result<fs::File> {
        if LIBRARY.is_empty() {
            return Err(io::Error::other(
                "this system has no way to see which programs are started",
            ));
        }
        let mut library = os::memory_file(c"tryall-door.so")?;
        library.write_all(LIBRARY)?;
        let target = format!("{}/{}", os::descriptors()?, library.as_raw_fd());
        symlink(target, self.library())?;
        symlink(std::env::current_exe()?, self.0.join("tryall"))?;
        let mut list = Vec::new();
        for path in compilers {
            list.extend_from_slice(path.as_os_str().as_bytes());
            list.push(0);
        }
        fs::write(self.0.join("compilers"), list)?;
        Ok(library)
    }

    /// The variables of a command that finds this run.
    pub(super) fn variables(&self) -> [(&'static str, OsString); 2] {
        let mut preload = self.library().into_os_string();
        if let Some(others) = std::env::var_os(PRELOAD).filter(|others| !others.is_empty()) {
            preload.push(":");
            preload.push(others);
        }
        [(RUN, self.0.clone().into()), (PRELOAD, preload)]
    }

    fn library(&self) -> PathBuf {
        self.0.join("door.so")
    }
}

/// The paths of all compilers on PATH, and of those that variables name.
pub(super) fn compilers(path: &OsStr, get: impl Fn(&str) -> Option<OsString>) -> BTreeSet<PathBuf> {
    let mut names = BTreeSet::new();
    let mut all = BTreeSet::new();
    for variable in VARIABLES {
        let value = get(variable).and_then(|value| value.into_string().ok());
        let word = value.and_then(|value| shlex::split(&value)?.into_iter().next());
        match word {
            Some(word) if Path::new(&word).is_absolute() => drop(all.insert(PathBuf::from(word))),
            Some(word) if !word.contains('/') => drop(names.insert(word)),
            _ => {}
        }
    }
    for dir in std::env::split_paths(path).filter(|dir| dir.is_absolute()) {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let is_one = |name: &str| programs::compiles_and_links(name) || names.contains(name);
            if name.to_str().is_some_and(is_one) {
                all.insert(dir.join(name));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compilers_are_found_by_name_and_in_variables() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["gcc", "aarch64-linux-gnu-g++-12", "my-cc", "ls", "gcc-ar"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let get = |name: &str| match name {
            "CC" => Some("my-cc -std=gnu99".into()),
            "CXX" => Some("/opt/bin/c".into()),
            "FC" => Some("".into()),
            _ => None,
        };
        let found = compilers(dir.path().as_os_str(), get);
        let mut expected: Vec<_> =
            ["aarch64-linux-gnu-g++-12", "gcc", "my-cc"].map(|name| dir.path().join(name)).into();
        expected.push("/opt/bin/c".into());
        expected.sort();
        assert_eq!(Vec::from_iter(found), expected);
    }
}
