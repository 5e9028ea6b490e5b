//! Tests of the library's internals: parsing, generated sources and reports.

mod cmake_variables;
mod fuzzed;
mod peers;
#[path = "../../tests/support/random.rs"]
pub(crate) mod random;
mod reports;
mod requests;
mod sources;

use std::path::{Path, PathBuf};

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The directory of CMake, Meson and Ninja: the versions of tests/tools.lock, or the newest ones
/// for tests/newest.
fn tools() -> PathBuf {
    root().join(std::env::var_os("TRYALL_TOOLS").unwrap_or("target/venv/bin".into()))
}

/// The path of one of these tools.
fn venv(program: &str) -> PathBuf {
    let path = tools().join(program);
    assert!(path.exists(), "{} is missing; run tests/install", path.display());
    path
}

/// Writes a file and returns its path.
fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path
}
