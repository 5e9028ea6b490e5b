//! The world that changes: a directory with headers, libraries, tools and compilers, and the
//! environment of the asker.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::content::{self, Slot, of_compiler};

/// The compilers of a world.
pub struct Family {
    /// The C compiler, as found on PATH.
    pub cc: String,
    /// The C++ compiler.
    pub cxx: &'static str,
    /// What the link to a compiler may point to instead.
    pub other: &'static str,
    /// A copy of the C compiler, relative to the root of the world.
    pub copy: &'static str,
    /// A file that the copy reads if it is there, relative to the root.
    pub beside_copy: String,
}

impl Family {
    /// The family with a name: `gcc` or `clang`.
    pub fn named(name: &str) -> Family {
        need_german();
        for program in ["gcc", "g++", "gfortran", "clang", "clang++"] {
            crate::support::need(program);
        }
        match name {
            "gcc" => {
                let library = of_compiler("gcc", "-print-libgcc-file-name");
                let dir = Path::new(&library).parent().expect("a file has a directory");
                let dir = dir.strip_prefix("/usr").unwrap_or(Path::new("lib/gcc"));
                Family {
                    cc: "gcc".into(),
                    cxx: "g++",
                    other: "clang",
                    copy: "copy/bin/gcc",
                    beside_copy: format!("copy/{}/specs", dir.display()),
                }
            }
            "clang" => Family {
                cc: "clang".into(),
                cxx: "clang++",
                other: "gcc",
                // Such a name makes clang look for a file of settings beside it.
                copy: "copy/bin/x86_64-linux-gnu-clang",
                beside_copy: "copy/bin/x86_64-linux-gnu-clang.cfg".into(),
            },
            _ => panic!("{name} is neither gcc nor clang"),
        }
    }

    pub fn is_gcc(&self) -> bool {
        self.cc == "gcc"
    }

    /// Where the copy of gcc looks for a plugin that is given by name, relative to the root.
    pub fn plugin_of_copy(&self) -> String {
        let dir = Path::new(&self.beside_copy).parent().expect("a file has a directory");
        dir.join("plugin/p.so").display().to_string()
    }
}

/// The directories that may change as a whole.
pub const DIRS: [&str; 14] = [
    "d0",
    "d1",
    "d2",
    "d3",
    "lib0",
    "lib1",
    "lib2",
    "cp1",
    "cp2",
    "lp1",
    "rt",
    "tools",
    "plug",
    "sys/usr/include",
];

/// The variables that may change, with their values. `@` stands for the root of the world.
pub const VARIABLES: [(&str, &[&str]); 13] = [
    ("C_INCLUDE_PATH", &["@/cp2", "@/cp1"]),
    ("GCC_EXEC_PREFIX", &["@/copy/lib/gcc/"]),
    ("LANGUAGE", &["de", "fr:de", "en"]),
    ("LANG", &["C", "de_DE.UTF-8"]),
    ("SOURCE_DATE_EPOCH", &["0", "1000", "nonsense"]),
    ("COMPILER_PATH", &["@/tools2", "@/path1"]),
    ("CPATH", &["@/cp1", "@/cp2", "@/cp1:@/cp2", "@/d0"]),
    ("LIBRARY_PATH", &["@/lp1", "@/lp2", "@/lp2:@/lp1"]),
    ("PATH", &["@/path1:/usr/local/bin:/usr/bin:/bin", "/usr/bin:/bin:@/path1"]),
    ("MPI_EXTRA", &["-DEXTRA=1", "-DEXTRA=2", "-no-such-flag"]),
    ("LC_ALL", &["C", "C.UTF-8", "de_DE.UTF-8"]),
    ("TMPDIR", &["@/tmp2", "@/tmp3"]),
    ("UNRELATED", &["1", "2", "3"]),
];

/// Without it, LANG changes nothing.
fn need_german() {
    let listed = std::process::Command::new("locale").arg("-a").output().unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout);
    let is_there = listed.lines().any(|line| line == "de_DE.utf8");
    assert!(is_there, "the locale de_DE.utf8 is missing; tests/install makes it");
}

/// A world, and the environment of whoever asks in it.
pub struct World {
    dir: tempfile::TempDir,
    pub family: Family,
    pub slots: Vec<Slot>,
    pub env: BTreeMap<&'static str, String>,
}

impl World {
    /// A world as it is at first.
    pub fn new(family: Family) -> World {
        let dir = tempfile::Builder::new().prefix("stale-").tempdir().unwrap();
        let root = dir.path().to_path_buf();
        for name in [
            "pool",
            "work",
            "tmp",
            "tmp2",
            "tmp3",
            "away",
            "d1",
            "d2",
            "d3real",
            "lib1",
            "lib2",
            "cp1",
            "cp2",
            "lp1",
            "lp2",
            "rt",
            "tools",
            "tools2",
            "path1",
            "plug",
            "etc",
            "bin",
            "sys/usr/include",
            "alt",
        ] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        symlink("d3real", root.join("d3")).unwrap();
        make_copy(&root, &family);
        symlink(which::which(&family.cc).unwrap(), root.join("bin/cc")).unwrap();
        let slow =
            format!("#!/bin/sh\nsleep 0.02\n{} \"$@\"\nend=$?\nsleep 0.02\nexit $end\n", family.cc);
        fs::write(root.join("bin/slowcc"), slow).unwrap();
        fs::set_permissions(root.join("bin/slowcc"), Permissions::from_mode(0o755)).unwrap();
        let slots = content::slots(&root, &family);
        let mut world = World { dir, family, slots, env: BTreeMap::new() };
        for (name, _) in VARIABLES {
            world.set(name, None);
        }
        for slot in world.slots.iter().filter(|slot| slot.is_there) {
            world.write(slot, 0, &root.join(&slot.path)).unwrap();
        }
        world
    }

    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.root().join(relative)
    }

    /// Sets a variable to a value, or as it is at first.
    pub fn set(&mut self, name: &'static str, value: Option<&str>) {
        let at_first = match name {
            "PATH" => Some("/usr/local/bin:/usr/bin:/bin"),
            "TMPDIR" => Some("@/tmp"),
            _ => None,
        };
        match value.or(at_first) {
            Some(value) => {
                let value = value.replace('@', self.root().to_str().unwrap());
                self.env.insert(name, value);
            }
            None => drop(self.env.remove(name)),
        }
    }

    /// Writes a content of a slot to a path, whose directory is made if it is missing.
    pub fn write(&self, slot: &Slot, variant: usize, path: &Path) -> std::io::Result<()> {
        fs::create_dir_all(path.parent().expect("all paths have a directory"))?;
        fs::write(path, &slot.variants[variant])?;
        fs::set_permissions(path, Permissions::from_mode(slot.mode))
    }

    /// Keeps the directory after the end.
    pub fn keep(self) -> PathBuf {
        self.dir.keep()
    }
}

/// Copies the compiler, with links to the parts that it looks for beside itself.
fn make_copy(root: &Path, family: &Family) {
    let copy = root.join(family.copy);
    fs::create_dir_all(copy.parent().unwrap()).unwrap();
    let program = fs::canonicalize(which::which(&family.cc).unwrap()).unwrap();
    fs::copy(&program, copy).unwrap();
    // clang looks for its own headers relative to itself, and gcc for all that it starts.
    let (from, to) = if family.is_gcc() {
        let to = root.join(&family.beside_copy);
        let library = of_compiler("gcc", "-print-libgcc-file-name");
        (Path::new(&library).parent().unwrap().to_path_buf(), to.parent().unwrap().to_path_buf())
    } else {
        let resources = of_compiler("clang", "-print-resource-dir");
        let resources = PathBuf::from(resources);
        let to = root.join("copy/lib/clang").join(resources.file_name().unwrap());
        (resources, to)
    };
    fs::create_dir_all(&to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        symlink(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
