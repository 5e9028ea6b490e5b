//! Properties of what the library does by itself: it reads requests, writes sources and reports.

mod cmake_variables;
mod fuzzed;
mod peers;
mod reports;
mod requests;
mod sources;

use std::path::{Path, PathBuf};

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where CMake, Meson and Ninja are that the tests run: those of tests/tools.lock, or the newest ones
/// for tests/newest.
fn tools() -> PathBuf {
    root().join(std::env::var_os("TRYALL_TOOLS").unwrap_or("target/venv/bin".into()))
}

/// One of them.
fn venv(program: &str) -> PathBuf {
    let path = tools().join(program);
    assert!(path.exists(), "{} is missing; tests/install brings it", path.display());
    path
}

/// Writes a file, and hands back its path.
fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path
}
