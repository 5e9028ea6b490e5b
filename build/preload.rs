//! Builds the library that the program preloads into compilers.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

/// Builds the library of `src/deps/preload`. Elsewhere than on Linux with glibc, or without a C
/// compiler, the program works without it: it does not know then what commands look at.
pub(crate) fn build() {
    println!("cargo::rerun-if-changed={PRELOAD}");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let is_glibc = target("OS") == "linux" && target("ENV") == "gnu";
    let library = match is_glibc && target("POINTER_WIDTH") == "64" {
        true => library().inspect_err(|error| {
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

fn library() -> Result<PathBuf, Box<dyn Error>> {
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
