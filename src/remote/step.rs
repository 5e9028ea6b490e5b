//! What a step is called, wherever it is made.
//!
//! A name only has to be the same for steps that ask about the same questions, and different for others,
//! most of the time: with a wrong one, there are fewer answers that fit. So nothing in it is a path, and
//! what changes with each commit does not count.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::store::Key;

/// What files say which project it is, and the words after which its name comes.
const FILES: [(&str, &str); 3] =
    [("CMakeLists.txt", "project("), ("meson.build", "project("), ("configure", "package_name=")];

/// Words of a command that decide about compilers contain one of these.
const DECISIVE: [&str; 9] = [
    "COMPILER",
    "FLAGS",
    "BUILD_TYPE",
    "TOOLCHAIN",
    "STANDARD",
    "--preset",
    "--host",
    "-file",
    "CC=",
];

/// Variables that do.
const VARIABLES: [&str; 8] =
    ["CC", "CXX", "FC", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "FFLAGS", "LDFLAGS"];

/// How much of a file is read.
const MOST: usize = 1 << 20;

/// The name of a configure step: of the project, and of what is said about compilers. `words` are those
/// of the command, `dir` is where it runs, and `get` looks up a variable.
pub(crate) fn of_command(
    words: &[String],
    dir: &Path,
    get: impl Fn(&str) -> Option<OsString>,
) -> Key {
    let dirs = words.iter().filter_map(|word| source_dir(word, dir)).chain([dir.to_owned()]);
    let found = dirs.into_iter().find_map(|dir| Some((project(&dir)?, dir)));
    let (project, root) = found.unwrap_or_else(|| (String::new(), dir.to_owned()));
    let after_define = std::iter::once("").chain(words.iter().map(String::as_str));
    let root = root.to_string_lossy();
    let decisive: Vec<_> = std::iter::zip(words, after_define)
        .filter(|(word, _)| DECISIVE.iter().any(|it| word.contains(it)))
        .map(|(word, before)| (before == "-D", word.replace(&*root, "")))
        .collect();
    Key::of("step", (project, decisive, VARIABLES.map(get)))
}

/// The directory that a word of a command may name.
fn source_dir(word: &str, dir: &Path) -> Option<PathBuf> {
    let path = ["-S", "-H"].iter().find_map(|option| word.strip_prefix(option)).unwrap_or(word);
    let path = dir.join(path);
    match path.file_name()? {
        name if name == "configure" => path.parent().map(PathBuf::from),
        _ => Some(path).filter(|path| path.is_dir()),
    }
}

/// The name that the project in a directory gives itself.
fn project(dir: &Path) -> Option<String> {
    FILES.iter().find_map(|(file, before)| {
        let bytes = std::fs::read(dir.join(file)).ok()?;
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MOST)]);
        let line = |line: &str| {
            let line: String = line.split_whitespace().collect::<Vec<_>>().join(" ");
            let line = line.replacen(" (", "(", 1).replacen("( ", "(", 1);
            let start = line.get(..before.len())?;
            let name = &line[before.len()..];
            let name = name.split([' ', ')', ',']).next().unwrap_or_default();
            start.eq_ignore_ascii_case(before).then(|| name.to_owned())
        };
        // A file without such a line is one all the same.
        Some(text.lines().find_map(line).unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(words: &[&str], dir: &Path, cc: Option<&str>) -> Key {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        of_command(&words, dir, |name| cc.filter(|_| name == "CC").map(OsString::from))
    }

    #[test]
    fn a_step_has_its_name_wherever_it_is() {
        let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let write = |at: usize, file: &str, text: &str| {
            std::fs::write(dirs[at].path().join(file), text).unwrap();
        };
        write(0, "CMakeLists.txt", "cmake_minimum_required(VERSION 3.20)\nproject(one C)\n");
        write(1, "CMakeLists.txt", "# one more line\n  PROJECT ( one C)\n");
        let [a, b] = dirs.each_ref().map(|dir| dir.path().to_str().unwrap());
        let here = Path::new("/");
        let first = name(&["cmake", "-S", a, "-B", "/nowhere", "-DX=1"], here, None);
        assert_eq!(first, name(&["cmake", &format!("-S{b}"), "-DX=2"], here, None));
        assert_eq!(first, name(&["cmake", "-G", "Ninja"], dirs[1].path(), None));
        let toolchain = |dir| format!("-DCMAKE_TOOLCHAIN_FILE={dir}/t.cmake");
        let with_toolchain = name(&["cmake", a, &toolchain(a)], here, None);
        assert_eq!(with_toolchain, name(&["cmake", b, &toolchain(b)], here, None));
        assert_ne!(first, with_toolchain);
        assert_ne!(first, name(&["cmake", a], here, Some("clang")));
        write(1, "CMakeLists.txt", "project(other)");
        assert_ne!(first, name(&["cmake", b], here, None));
        write(1, "configure", "PACKAGE_NAME='one'\n");
        std::fs::remove_file(dirs[1].path().join("CMakeLists.txt")).unwrap();
        let configure = name(&[&format!("{b}/configure")], here, None);
        assert_eq!(configure, name(&["sh", "./configure", "--prefix=/p"], dirs[1].path(), None));
        assert_ne!(configure, first);
    }
}
