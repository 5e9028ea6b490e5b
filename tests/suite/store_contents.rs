//! Answers that rest on files which were made anew since, with the same contents.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::store::{Place, of};
use crate::support::need;

const COMPILERS: [&str; 2] = ["gcc", "clang"];

/// Writes a file into a directory that is made if it is missing.
fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The answer of a compiler that searches the directories `one` and `two`, and how it was given.
fn ask(place: &Place, compiler: &str, source: &str) -> (String, String) {
    let dirs = json!([place.path("one"), place.path("two")]);
    let check = json!({"id": "A", "kind": "compiles", "source": source, "include_dirs": dirs});
    let answer = place.ask(&of(&[&need(compiler)], check)).result("A");
    let text = |field: &str| answer[field].as_str().unwrap().to_owned();
    (text("status"), text("how"))
}

fn is(status: &str, how: &str) -> (String, String) {
    (status.to_owned(), how.to_owned())
}

#[test]
fn directories_and_files_may_be_made_anew() {
    for compiler in COMPILERS {
        let place = Place::new();
        let source = "#include <it.h>\nint a[IT];\n";
        let make = |text: &str| {
            for dir in ["one", "two", "real"] {
                let _ = fs::remove_dir_all(place.path(dir));
            }
            write(&place.path("one/other.h"), "");
            write(&place.path("real/it.h"), text);
            fs::create_dir(place.path("two")).unwrap();
            symlink("../real/it.h", place.path("two/it.h")).unwrap();
        };
        make("#define IT 1\n");
        assert_eq!(ask(&place, compiler, source), is("yes", "run"));
        for _ in 0..2 {
            make("#define IT 1\n");
            assert_eq!(ask(&place, compiler, source), is("yes", "stored"), "{compiler}");
        }
        assert!(place.why().contains("all as they were"), "{}", place.why());
        make("#define IT -\n");
        assert_eq!(ask(&place, compiler, source), is("no", "run"), "{compiler}: the same size");
        make("#define IT 1\n");
        write(&place.path("one/it.h"), "#define IT +\n");
        assert_eq!(ask(&place, compiler, source), is("no", "run"), "{compiler}: another is first");
    }
}

#[test]
fn two_directories_that_are_one_now_are_searched_once() {
    for compiler in COMPILERS {
        let place = Place::new();
        let header = "#ifndef FIRST\n#define FIRST\n#include_next <it.h>\n#endif\n";
        for dir in ["one", "two"] {
            write(&place.path(dir).join("it.h"), header);
        }
        // The same time, so that only identity tells the directories apart.
        let ask = || ask(&place, compiler, "#include <it.h>\n");
        assert_eq!(ask(), is("yes", "run"), "{compiler}");
        assert_eq!(ask(), is("yes", "stored"), "{compiler}");
        fs::rename(place.path("two"), place.path("away")).unwrap();
        symlink("one", place.path("two")).unwrap();
        assert_eq!(ask(), is("no", "run"), "{compiler}");
        assert!(!place.why().is_empty());
        // And back again, to other directories.
        fs::remove_file(place.path("two")).unwrap();
        write(&place.path("two/it.h"), header);
        let status = ask().0;
        assert_eq!(status, "yes", "{compiler}");
    }
}

#[test]
fn files_that_are_included_once_are_told_apart_as_the_compiler_does() {
    let at = |path: &Path, seconds: u64| {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds);
        File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
    };
    for compiler in COMPILERS {
        let place = Place::new();
        let (one, two) = (place.path("one/one.h"), place.path("two/two.h"));
        let judge = || {
            let mut command = Command::new(need(compiler));
            command.args(["-fsyntax-only", "-xc", "-"]).arg("-include").arg(&one);
            command.arg("-include").arg(&two).stdin(std::process::Stdio::null());
            if command.output().unwrap().status.success() { "yes" } else { "no" }
        };
        let ask = || ask(&place, compiler, "#include <one.h>\n#include <two.h>\n").0;
        // Equal times, other ones; one file by two names; equal times again.
        for (step, (times, is_one)) in
            [((1, 1), false), ((1, 2), false), ((3, 4), false), ((5, 5), true), ((6, 6), false)]
                .into_iter()
                .enumerate()
        {
            for file in [&one, &two] {
                let _ = fs::remove_file(file);
                write(file, "#pragma once\nstruct it { int one; };\n");
            }
            if is_one {
                fs::remove_file(&two).unwrap();
                fs::hard_link(&one, &two).unwrap();
            }
            at(&one, times.0);
            at(&two, times.1);
            assert_eq!(ask(), judge(), "{compiler}, step {step}");
        }
    }
}

#[test]
fn precompiled_headers_hold_the_times_of_other_files() {
    let clang = need("clang");
    // With the latter, it is in a section of an object file.
    for form in ["-fpch-codegen", "-gmodules"] {
        let place = Place::new();
        let header = place.path("one/it.h");
        write(&header, "#define IT 1\n");
        let precompiled = place.path("it.pch");
        let mut command = Command::new(&clang);
        command.args(["-x", "c-header", form]).arg(&header).arg("-o").arg(&precompiled);
        assert!(command.output().unwrap().status.success());
        let args = json!([form, "-include-pch", &precompiled]);
        let check = json!({"id": "A", "kind": "compiles", "source": "int a[IT];\n", "args": args});
        let request = of(&[&clang], check);
        let ask = || place.ask(&request).result("A")["status"].clone();
        assert_eq!([ask(), ask()], ["yes", "yes"], "{form}");
        // Clang refuses a precompiled header whose parts have other times.
        fs::remove_file(&header).unwrap();
        write(&header, "#define IT 1\n");
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        File::options().append(true).open(&header).unwrap().set_modified(time).unwrap();
        assert_eq!(ask(), "no", "{form}");
    }
}
