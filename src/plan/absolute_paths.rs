//! Makes the relative paths in arguments absolute.
//!
//! Every check runs in a directory of its own, because compilers write into the current directory
//! (Fortran's module files, `a.out`). A path must mean the same there as in the caller's directory.
//! No list of options is ever complete, so the rule looks at files: a piece of an argument where a
//! path can stand is a path if it names something that exists relative to the caller. What does not
//! exist is left alone: it does not exist in the check's directory either, or the compiler finds it
//! elsewhere, as with `-include stdio.h`.

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::compiler::options::{Argument, Takes};

/// Response files may name others. A file that names itself must not go on forever.
const MAX_RESPONSE_FILES: usize = 200;

/// Resolves the relative paths in arguments against `base`.
pub(crate) fn absolute_args(args: &[String], base: &Path) -> Vec<OsString> {
    expand(args, base, &Cell::new(MAX_RESPONSE_FILES))
}

/// The same for a command. Its first word is a program, and a path if it contains a slash.
pub(crate) fn absolute_command(words: &[String], base: &Path) -> Vec<OsString> {
    let Some((program, args)) = words.split_first() else { return Vec::new() };
    let program = if program.contains('/') { base.join(program).into() } else { program.into() };
    std::iter::once(program).chain(absolute_args(args, base)).collect()
}

fn expand(args: &[String], base: &Path, files_left: &Cell<usize>) -> Vec<OsString> {
    let mut expanded = Vec::with_capacity(args.len());
    // The last argument of each program that receives arguments, and of the compiler itself.
    let mut previous: HashMap<&str, &str> = HashMap::new();
    let mut stream = "";
    for arg in args {
        let arg = arg.as_str();
        // A value never starts a stream.
        if stream.is_empty() && Argument::of(arg).takes == Takes::Stream {
            stream = arg;
            expanded.push(arg.into());
            continue;
        }
        let before = previous.insert(stream, arg).unwrap_or_default();
        stream = "";
        let file = arg.strip_prefix('@').filter(|_| files_left.get() > 0);
        match file.and_then(|file| response_file(file, base)) {
            // Paths in the file are relative to the caller too.
            Some(inner) => {
                files_left.set(files_left.get() - 1);
                expanded.extend(expand(&inner, base, files_left));
            }
            None => expanded.push(argument(before, arg, base)),
        }
    }
    expanded
}

/// Bytes; larger than any command line.
const MAX_RESPONSE_FILE_BYTES: u64 = 4 << 20;

/// The arguments in a response file, if it can be read. Pipes and devices are left to the compiler,
/// which has a time limit.
fn response_file(file: &str, base: &Path) -> Option<Vec<String>> {
    let path = base.join(file);
    let is_read =
        path.metadata().is_ok_and(|it| it.is_file() && it.len() <= MAX_RESPONSE_FILE_BYTES);
    if !is_read {
        return None;
    }
    shlex::split(&std::fs::read_to_string(path).ok()?)
}

/// Resolves one argument, given the one before it.
fn argument(before: &str, arg: &str, base: &Path) -> OsString {
    let previous = Argument::of(before);
    if previous.takes_next() {
        match previous.takes {
            Takes::Path | Takes::Directory | Takes::IncludedFile => return if_exists(arg, base),
            Takes::Output => return written(arg, base),
            Takes::Stream => {}
            _ => return arg.into(),
        }
    }
    if !arg.starts_with('-') {
        return if base.join(arg).is_file() { if_exists(arg, base) } else { arg.into() };
    }
    let Argument { spelling, takes, attached, .. } = Argument::of(arg);
    match takes {
        Takes::List => {
            let mut last = "";
            let parts = attached.split(',');
            let parts: Vec<_> = parts
                .map(|part| argument(std::mem::replace(&mut last, part), part, base))
                .collect();
            joined(spelling, &parts.join(OsStr::new(",")))
        }
        Takes::Path | Takes::Directory | Takes::IncludedFile if !attached.is_empty() => {
            match attached.strip_prefix('=') {
                // -I=dir and -L=dir are relative to the sysroot.
                Some(_) if spelling.len() == 2 => arg.into(),
                Some(value) => joined(&format!("{spelling}="), &if_exists(value, base)),
                None => joined(spelling, &if_exists(attached, base)),
            }
        }
        Takes::Text | Takes::Macro | Takes::Library => arg.into(),
        // -fplugin=./check.so has a path; -march=native has none, even if such a file exists.
        _ => match arg.split_once('=') {
            Some((option, value)) if value.contains(['/', '.']) => {
                joined(&format!("{option}="), &if_exists(value, base))
            }
            _ => arg.into(),
        },
    }
}

/// Resolves the path of a file that is written. A bare file name goes to the check's directory.
fn written(path: &str, base: &Path) -> OsString {
    let parent = Path::new(path).parent().filter(|parent| !parent.as_os_str().is_empty());
    let is_there = parent.is_some_and(|parent| base.join(parent).is_dir());
    if is_there { base.join(path).into() } else { path.into() }
}

/// Makes a path absolute if it names something that exists.
fn if_exists(path: &str, base: &Path) -> OsString {
    let whole = base.join(path);
    if !path.is_empty() && whole.exists() { whole.into() } else { path.into() }
}

fn joined(start: &str, end: &OsStr) -> OsString {
    let mut whole = OsString::from(start);
    whole.push(end);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A caller's directory.
    fn caller() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        for file in ["libx.a", "sub/y.o", "v.map", "ver", "native", "own.h", "object"] {
            std::fs::write(dir.path().join(file), "").unwrap();
        }
        std::fs::write(dir.path().join("args"), "-Isub '-DX=a b' @args").unwrap();
        dir
    }

    #[test]
    fn paths_mean_what_they_mean_to_the_caller() {
        let dir = caller();
        let base = dir.path().to_str().unwrap();
        // A ~ stands for the caller's directory.
        for (given, expected) in [
            ("-Isub", "-I~/sub"),
            ("-I sub", "-I ~/sub"),
            ("-I.", "-I~/."),
            ("-I/usr/include", "-I/usr/include"),
            ("-I=usr", "-I=usr"),
            ("-Inot/there", "-Inot/there"),
            ("-isystemsub", "-isystem~/sub"),
            ("--sysroot=sub", "--sysroot=~/sub"),
            ("--include-directory=sub", "--include-directory=~/sub"),
            ("-iprefix sub/", "-iprefix ~/sub/"),
            ("-include own.h", "-include ~/own.h"),
            ("-include stdio.h", "-include stdio.h"),
            ("-includestdio.h", "-includestdio.h"),
            ("-specs=nosys.specs", "-specs=nosys.specs"),
            ("-Lsub", "-L~/sub"),
            ("-Tv.map", "-T~/v.map"),
            ("libx.a", "~/libx.a"),
            ("object", "~/object"),
            ("sub/y.o", "~/sub/y.o"),
            ("sub", "sub"),
            ("liby.a", "liby.a"),
            ("-Wl,--version-script=ver,-z,now", "-Wl,--version-script=~/ver,-z,now"),
            ("-Wl,--version-script,ver", "-Wl,--version-script,~/ver"),
            ("-Wl,-Lsub,-L,sub,-rpath-link=sub", "-Wl,-L~/sub,-L,~/sub,-rpath-link=~/sub"),
            ("-Wp,-Isub,-include,own.h", "-Wp,-I~/sub,-include,~/own.h"),
            ("-Xlinker -L -Xlinker sub", "-Xlinker -L -Xlinker ~/sub"),
            ("-Xclang -include -Xclang own.h", "-Xclang -include -Xclang ~/own.h"),
            ("-fplugin=./v.map", "-fplugin=~/./v.map"),
            ("-march=native", "-march=native"),
            ("-DX=v.map", "-DX=v.map"),
            ("-D v.map", "-D v.map"),
            ("-x ver", "-x ver"),
            ("-o v.map", "-o v.map"),
            ("-MF x.d", "-MF x.d"),
            ("-MF sub/x.d", "-MF ~/sub/x.d"),
            ("@nothing", "@nothing"),
            ("-O2", "-O2"),
        ] {
            let given: Vec<String> = given.split(' ').map(Into::into).collect();
            let found = absolute_args(&given, dir.path()).join(OsStr::new(" "));
            assert_eq!(found.to_str().unwrap(), expected.replace('~', base), "{given:?}");
        }
    }

    #[test]
    fn response_files_are_read_where_they_are() {
        let dir = caller();
        let found = absolute_args(&["@args".into()], dir.path());
        assert_eq!(found[0], *joined("-I", dir.path().join("sub").as_os_str()));
        assert_eq!(found[1], "-DX=a b");
        assert_eq!(found.last().unwrap(), "@args", "a circle ends");
    }

    #[test]
    fn the_program_of_a_command_is_a_path_only_with_a_slash() {
        let dir = caller();
        assert_eq!(absolute_command(&["native".into()], dir.path())[0], "native");
        assert_eq!(
            absolute_command(&["./native".into()], dir.path())[0],
            *dir.path().join("./native")
        );
    }
}
