//! Libraries, and arguments that change diagnostics or output.

use std::path::Path;
use std::process::Command;

use super::*;

/// Builds a library from these sources in a directory.
fn library(dir: &Path, sources: &[(&str, &str)], shared: bool) {
    let run = |program: &str, args: &[&str]| {
        let status = Command::new(program).args(args).current_dir(dir).status().unwrap();
        assert!(status.success(), "{program} {args:?}");
    };
    let mut objects = Vec::new();
    for (name, text) in sources {
        write(dir, &format!("{name}.c"), text);
        run("gcc", &["-c", "-fPIC", &format!("{name}.c")]);
        objects.push(format!("{name}.o"));
    }
    let objects: Vec<_> = objects.iter().map(String::as_str).collect();
    match shared {
        true => run("gcc", &[&["-shared", "-o", "libodd.so"][..], &objects].concat()),
        false => run("ar", &[&["rcs", "libodd.a"][..], &objects].concat()),
    }
}

#[test]
fn a_member_of_an_archive_does_not_answer_for_another_check() {
    let dir = tempfile::tempdir().unwrap();
    // Alone, `second` finds its archive member, but that needs `hidden`, which only `first` pulls
    // in from the preceding library.
    let one = dir.path().join("one");
    let two = dir.path().join("two");
    std::fs::create_dir(&one).unwrap();
    std::fs::create_dir(&two).unwrap();
    library(&one, &[("a", "int hidden(void) { return 1; } int first(void) { return 1; }")], false);
    library(&two, &[("b", "int hidden(void); int second(void) { return hidden(); }")], false);
    let args = [one.join("libodd.a"), two.join("libodd.a")];
    let checks = functions(&["first", "second", "fork", "nope"], &json!({"link_args": args}));
    let results = same_with("c", "gcc", checks);
    assert_eq!(results["second"]["status"], "no");
    assert_eq!(results["first"]["status"], "yes");
    assert_eq!(fused(&results), 0);
}

#[test]
fn archives_shared_libraries_and_scripts() {
    let dir = tempfile::tempdir().unwrap();
    let text = "int odd_function(void) { return 0; } int odd_variable;";
    library(dir.path(), &[("odd", text)], true);
    library(dir.path(), &[("odd", text)], false);
    write(dir.path(), "script.ld", &format!("INPUT({}/libodd.a)\n", dir.path().display()));
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_string();
    for link_args in [
        vec![path("libodd.a")],
        vec![path("libodd.so")],
        vec![path("odd.o")],
        vec![path("script.ld")],
        vec![format!("-L{}", dir.path().display()), "-lodd".into()],
        vec!["-Wl,--whole-archive".into(), path("libodd.a"), "-Wl,--no-whole-archive".into()],
    ] {
        let names = ["odd_function", "fork", "nope", "getpid", "odd_variable"];
        let results = same_with("c", "gcc", functions(&names, &json!({"link_args": link_args})));
        assert_eq!(results["odd_function"]["status"], "yes", "{link_args:?}");
        // The same library among the compiler arguments.
        let results = same_with("c", "gcc", functions(&names, &json!({"args": link_args})));
        assert_eq!(results["nope"]["status"], "no", "{link_args:?}");
    }
}

#[test]
fn arguments_that_change_diagnostics_or_output() {
    let names = ["fork", "nope", "getpid", "gets", "memcpy", "atexit", "cos", "pthread_create"];
    for args in [
        &["-Werror"][..],
        &["-Wall", "-Wextra", "-pedantic"],
        &["-Wfatal-errors"],
        &["-w"],
        &["-static"],
        &["-flto"],
        &["-O3", "-flto", "-ffat-lto-objects"],
        &["-fsanitize=address"],
        &["-nostdlib"],
        &["-O2", "-g", "-fPIC"],
        &["-ffunction-sections", "-Wl,--gc-sections"],
        &["-Wl,--unresolved-symbols=ignore-all"],
        &["-pthread"],
        &["-std=c99", "-fno-common"],
        &["-fno-builtin"],
        &["-shared", "-fPIC"],
        &["-fuse-ld=gold"],
        &["-m32"],
    ] {
        for compiler in if args.len() == 1 { &["gcc"][..] } else { &["gcc", "clang"] } {
            let mut checks = functions(&names, &json!({"args": args}));
            for of in ["int", "long", "nope", "struct nope *"] {
                let check = json!({"id": format!("sizeof {of}"), "kind": "sizeof", "type": of,
                                   "args": args});
                checks.as_array_mut().unwrap().push(check);
            }
            same_with("c", compiler, checks);
        }
    }
}

#[test]
fn a_function_of_the_static_part_of_the_c_library_is_found() {
    let results = same_with("c", "gcc", functions(&["atexit", "fork", "nope", "gets"], &json!({})));
    assert_eq!(results["atexit"]["status"], "yes");
    assert_eq!(results["atexit"]["how"], "run", "an archive's member proves nothing");
    assert_eq!(results["nope"]["how"], "fused");
}
