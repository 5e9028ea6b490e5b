//! Generates the list of CMake modules and Meson files that the program embeds.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// Writes the list.
pub(crate) fn embed() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut hash = Hash::new();
    let mut text = String::new();
    for (name, dir) in [("CMAKE", "cmake"), ("MESON", "meson")] {
        println!("cargo::rerun-if-changed={dir}");
        let mut files = Vec::new();
        collect(&root.join(dir), "", &mut files);
        files.sort();
        writeln!(text, "pub(crate) const {name}: &[File] = &[").expect("memory takes all");
        for (path, file) in files {
            println!("cargo::rerun-if-changed={}", file.display());
            let contents = fs::read(&file).unwrap_or_else(|why| panic!("{file:?}: {why}"));
            hash.add(dir.as_bytes());
            hash.add(path.as_bytes());
            hash.add(&contents);
            writeln!(text, "    File {{ path: {path:?}, contents: include_bytes!({file:?}) }},")
                .expect("memory takes all");
        }
        if name == "CMAKE" {
            // For TryallConfigVersion.cmake: installed modules have no Cargo.toml to read.
            let version = format!("set(PACKAGE_VERSION {})\n", version());
            hash.add(version.as_bytes());
            let path = "tryall/Version.cmake";
            writeln!(text, "    File {{ path: {path:?}, contents: {version:?}.as_bytes() }},")
                .expect("memory takes all");
        }
        text.push_str("];\n");
    }
    writeln!(text, "pub(crate) const HASH: &str = \"{:016x}\";", hash.0).expect("memory takes all");
    println!("cargo::rustc-env=TRYALL_SOURCES={:016x}", sources(&root).0);
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("modules.rs"), text).expect("cargo's directory can be written");
}

/// A digest of everything that this program is made from.
fn sources(root: &Path) -> Hash {
    let mut hash = Hash::new();
    for name in ["src", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={name}");
        let path = root.join(name);
        let mut files = Vec::new();
        match path.is_dir() {
            true => collect(&path, "", &mut files),
            false => files.push((name.into(), path)),
        }
        files.sort();
        for (name, file) in files {
            hash.add(name.as_bytes());
            hash.add(&fs::read(&file).unwrap_or_default());
        }
    }
    hash
}

/// The version of the package, without a pre-release suffix.
fn version() -> String {
    let number = |part| {
        let value = std::env::var(format!("CARGO_PKG_VERSION_{part}"));
        value.expect("cargo sets it")
    };
    ["MAJOR", "MINOR", "PATCH"].map(number).join(".")
}

/// Collects the files below a directory with their relative paths. Follows links to files. Skips
/// links to directories (there may be cycles), broken links, and hidden files (editors create
/// them).
fn collect(dir: &Path, inside: &str, files: &mut Vec<(String, PathBuf)>) {
    let entries = fs::read_dir(dir).unwrap_or_else(|why| panic!("{dir:?}: {why}"));
    for entry in entries {
        let path = entry.unwrap_or_else(|why| panic!("{dir:?}: {why}")).path();
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.unwrap_or_else(|| panic!("{path:?} is not UTF-8"));
        if name.starts_with('.') {
            continue;
        }
        let inside = if inside.is_empty() { name.into() } else { format!("{inside}/{name}") };
        if path.is_file() {
            files.push((inside, path));
        } else if path.is_dir() && !path.is_symlink() {
            collect(&path, &inside, files);
        }
    }
}

/// FNV-1a: distinguishes versions of our own files, and does not depend on the compiler's version.
struct Hash(u64);

impl Hash {
    fn new() -> Self {
        Hash(0xcbf2_9ce4_8422_2325)
    }

    /// Adds a part with its length, so that different splits of the same bytes differ.
    fn add(&mut self, part: &[u8]) {
        for byte in (part.len() as u64).to_le_bytes().iter().chain(part) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
