//! Generates the list of CMake modules and Meson files that the program embeds, and builds the
//! library that it preloads into compilers.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    embed_modules();
    embed_preload();
}

/// Builds the library of `src/deps/preload`. Elsewhere than on Linux with glibc, or without a C
/// compiler, the program works without it: it does not know then what commands look at.
fn embed_preload() {
    println!("cargo::rerun-if-changed={PRELOAD}");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let is_glibc = target("OS") == "linux" && target("ENV") == "gnu";
    let library = match is_glibc && target("POINTER_WIDTH") == "64" {
        true => build_preload().inspect_err(|error| {
            println!("cargo::warning=answers will not be kept: no library to preload: {error}");
        }),
        false => Err("not for this target".into()),
    };
    let bytes = library.map_or("&[]".into(), |path| format!("include_bytes!({path:?})"));
    let text = format!("const LIBRARY: &[u8] = {bytes};\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("preload.rs"), text).expect("cargo's directory can be written");
}

/// The directory of the library's source.
const PRELOAD: &str = "src/deps/preload";

fn build_preload() -> Result<PathBuf, Box<dyn Error>> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(PRELOAD)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "c") {
            sources.push(path);
        }
    }
    sources.sort();
    let mut build = cc::Build::new();
    // Without optimization, the hooks that must jump to the real function would call it.
    build.files(sources).pic(true).opt_level(2).debug(false).warnings(true).cargo_metadata(false);
    for flag in [
        "-std=gnu11",
        "-fvisibility=hidden",
        "-fno-stack-protector",
        "-fno-lto",
        "-foptimize-sibling-calls",
        // Fortified headers define some of the functions that are to be hooked.
        "-U_FORTIFY_SOURCE",
    ] {
        build.flag(flag);
    }
    let objects = build.try_compile_intermediates()?;
    let library =
        PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it")).join("seen.so");
    let mut link = build.try_get_compiler()?.to_command();
    // No library is named, so that no version of glibc's symbols is asked for. Few segments: each
    // costs a system call in each process.
    link.args(["-shared", "-nostdlib", "-Wl,-z,noseparate-code", "-Wl,-z,norelro", "-Wl,-s"]);
    let status = link.args(objects).arg("-o").arg(&library).status()?;
    if !status.success() {
        return Err(format!("the linker failed: {status}").into());
    }
    Ok(library)
}

fn embed_modules() {
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
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("modules.rs"), text).expect("cargo's directory can be written");
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
