//! Reads back the values of CMake variables.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// Reads the values of variables after CMake has included a script. CMake writes each to a file,
/// because a message would not show every byte.
pub(super) fn read_back(cmake: &Path, script: &str, names: &[String]) -> Vec<Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("results.cmake"), script).unwrap();
    let mut reader = "cmake_minimum_required(VERSION 3.20)\n\
                      include(${CMAKE_CURRENT_LIST_DIR}/results.cmake)\n"
        .to_string();
    for (index, name) in names.iter().enumerate() {
        writeln!(reader, "file(WRITE out-{index} \"${{{name}}}\")").unwrap();
    }
    std::fs::write(dir.path().join("reader.cmake"), reader).unwrap();
    let mut command = Command::new(cmake);
    let ran = command.args(["-P", "reader.cmake"]).current_dir(dir.path()).output().unwrap();
    assert!(ran.status.success(), "{}: {ran:?}", cmake.display());
    let read = |index| std::fs::read(dir.path().join(format!("out-{index}"))).unwrap();
    (0..names.len()).map(read).collect()
}
