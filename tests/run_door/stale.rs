//! What changed is asked again.

use std::fs;
use std::path::Path;

use crate::stage::{Stage, assert_same, files};

/// Changes the world, and whether the call must be asked again then.
type Change = (&'static str, fn(&Path), bool);

/// Runs a script, changes something, and expects under tryall what there is without.
fn changed(script: &str, prepare: fn(&Path), changes: &[Change]) {
    for (what, change, is_asked) in changes {
        let stage = Stage::new();
        let work = stage.work("w");
        prepare(&work);
        assert!(stage.run(script, &work).asked > 0);
        let again = stage.run(script, &work);
        assert_eq!(again.asked, 0, "{script}: {}", again.summary);
        change(&work);
        let under = stage.run(script, &work);
        let left = files(&work);
        stage.alone(script, &work);
        assert_same(&files(&work), &left, what);
        assert_eq!(under.asked > 0, *is_asked, "{script}: {what}: {}", under.summary);
    }
}

fn prepare(work: &Path) {
    for dir in ["inc", "later", "lib"] {
        fs::create_dir(work.join(dir)).unwrap();
    }
    fs::write(work.join("later/h.h"), "#define H 1\n").unwrap();
    fs::write(
        work.join("x.c"),
        "#include <h.h>\n#if __has_include(<maybe.h>)\n#error maybe\n#endif\nint h = H;\n",
    )
    .unwrap();
}

#[test]
fn headers_that_change_appear_or_go_are_noticed() {
    let script = "rm -f x.o e; gcc -c -Iinc -Ilater x.c 2>e; echo $? >status";
    changed(
        script,
        prepare,
        &[
            ("nothing", |_| {}, false),
            (
                "the source is written again",
                |work| {
                    let text = fs::read(work.join("x.c")).unwrap();
                    fs::write(work.join("x.c"), text).unwrap();
                },
                false,
            ),
            ("another file nearby", |work| fs::write(work.join("inc/other.h"), "").unwrap(), false),
            (
                "a header changes",
                |work| fs::write(work.join("later/h.h"), "#define H 2\n").unwrap(),
                true,
            ),
            ("a header goes", |work| fs::remove_file(work.join("later/h.h")).unwrap(), true),
            (
                "an earlier header",
                |work| fs::write(work.join("inc/h.h"), "#define H 3\n").unwrap(),
                true,
            ),
            (
                "a header for __has_include",
                |work| fs::write(work.join("inc/maybe.h"), "").unwrap(),
                true,
            ),
            ("the source changes", |work| fs::write(work.join("x.c"), "int y;\n").unwrap(), true),
            (
                "a precompiled form of the source",
                |work| fs::write(work.join("x.c.gch"), "no").unwrap(),
                false,
            ),
        ],
    );
}

#[test]
fn a_failure_ends_when_its_reason_does() {
    let script = "rm -f x; gcc x.c -Llib -lwanted -o x 2>e; echo $? >status";
    let prepare = |work: &Path| {
        fs::create_dir(work.join("lib")).unwrap();
        fs::write(work.join("x.c"), "int main(void) { return 0; }\n").unwrap();
    };
    let add = |work: &Path| fs::write(work.join("lib/libwanted.so"), "INPUT(-lm)\n").unwrap();
    changed(script, prepare, &[("a library appears", add, true)]);
    let script = "gcc -c x.c 2>e; echo $? >status";
    let prepare = |work: &Path| fs::write(work.join("e"), "").unwrap();
    let add = |work: &Path| fs::write(work.join("x.c"), "int x;\n").unwrap();
    changed(script, prepare, &[("the source appears", add, true)]);
}

#[test]
fn variables_that_the_compiler_reads_count() {
    let stage = Stage::new();
    let work = stage.work("w");
    prepare(&work);
    let script = |variable: &str| format!("{variable} gcc -c -Ilater x.c");
    for (variable, is_asked) in [
        ("A=1", true),
        ("A=2", false),
        ("CPATH=$PWD/inc", true),
        ("LC_ALL=C.UTF-8", true),
        ("A=3", false),
    ] {
        let _ = fs::remove_file(work.join("x.o"));
        let ended = stage.run(&script(variable), &work);
        assert_eq!(ended.asked == 1, is_asked, "{variable}: {}", ended.summary);
        assert!(work.join("x.o").exists());
    }
}

#[test]
fn sources_that_ask_for_the_time_are_compiled_each_time() {
    let stage = Stage::new();
    let work = stage.work("w");
    fs::write(work.join("x.c"), "char *now = __TIME__;\n").unwrap();
    for _ in 0..2 {
        let ended = stage.run("gcc -c x.c", &work);
        assert_eq!((ended.stored, ended.asked, ended.passed), (0, 0, 1), "{}", ended.summary);
    }
}

#[test]
fn a_compiler_that_is_replaced_is_asked() {
    let stage = Stage::new();
    let work = stage.work("w");
    let bin = stage.work("bin");
    let write = |text: &str| {
        use std::os::unix::fs::PermissionsExt;
        fs::write(bin.join("my-cc"), format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(bin.join("my-cc"), fs::Permissions::from_mode(0o755)).unwrap();
    };
    fs::write(work.join("x.c"), "int x;\n").unwrap();
    let script = format!("export CC={0}/my-cc; $CC -c x.c >o 2>&1; cat o", bin.display());
    let run = || {
        let mut command = stage.tryall(&[], &work);
        command.env("CC", bin.join("my-cc")).args(["sh", "-c", &script]);
        crate::stage::ended(command.output().unwrap())
    };
    for (text, said) in
        [("echo one; exec gcc \"$@\"", "one\n"), ("echo two; exec gcc \"$@\"", "two\n")]
    {
        write(text);
        let (first, second) = (run(), run());
        for ended in [&first, &second] {
            assert_eq!(String::from_utf8_lossy(&ended.output.stdout), said, "{ended:?}");
        }
    }
}
