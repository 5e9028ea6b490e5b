//! Builds the libraries that the program preloads: into compilers, into CMake, and into what starts
//! compilers.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

/// Builds the libraries of `src/deps/preload`, `src/session/hook` and `src/run/preload`. Elsewhere than on
/// Linux with glibc, or without a C compiler, the program works without them: it does not know then what
/// commands look at, and CMake starts all programs itself.
pub(crate) fn build() {
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let is_glibc = target("OS") == "linux" && target("ENV") == "gnu";
    let is_possible = is_glibc && target("POINTER_WIDTH") == "64";
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let libraries =
        [("seen", SEEN, &[][..]), ("hook", HOOK, &USED_BY_HOOK), ("door", DOOR, &USED_BY_DOOR)];
    for (name, dir, more) in libraries {
        println!("cargo::rerun-if-changed={dir}");
        let built = match is_possible {
            true => library(name, dir, more).inspect_err(|error| {
                println!("cargo::warning=answers will not be kept: no library to preload: {error}");
            }),
            false => Err("not for this target".into()),
        };
        let bytes = built.map_or("&[]".into(), |path| format!("include_bytes!({path:?})"));
        let text = format!("const LIBRARY: &[u8] = {bytes};\n");
        fs::write(out.join(format!("{name}.rs")), text).expect("cargo's directory can be written");
    }
}

/// The sources of the library for compilers.
const SEEN: &str = "src/deps/preload";

/// The sources of the library for CMake.
const HOOK: &str = "src/session/hook";

/// The sources of the library for what starts compilers.
const DOOR: &str = "src/run/preload";

/// What else the library for CMake consists of.
const USED_BY_HOOK: [&str; 2] = ["src/deps/preload/find.c", "src/deps/preload/text.c"];

/// What else the library for what starts compilers consists of.
const USED_BY_DOOR: [&str; 4] = [
    "src/deps/preload/call.c",
    "src/deps/preload/find.c",
    "src/deps/preload/lists.c",
    "src/deps/preload/text.c",
];

fn library(name: &str, dir: &str, more: &[&str]) -> Result<PathBuf, Box<dyn Error>> {
    let mut sources: Vec<PathBuf> = more.iter().map(PathBuf::from).collect();
    for entry in fs::read_dir(dir)? {
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
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let library = out.join(format!("{name}.so"));
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
