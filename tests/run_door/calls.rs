//! What passes through: exit status, signals, standard input, the environment, and calls that are not served.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use crate::stage::{Stage, ended};

const GOOD: &str = "int main(void) { return 0; }\n";

#[test]
fn status_and_signals_are_the_commands() {
    let stage = Stage::new();
    let work = stage.work("w");
    for (script, code, signal) in [
        ("exit 7", Some(7), None),
        ("kill -TERM $$", None, Some(15)),
        ("kill -INT $$", None, Some(2)),
    ] {
        let status = stage.run(script, &work).output.status;
        assert_eq!((status.code(), status.signal()), (code, signal), "{script}");
    }
    for (program, code) in [("no-such-program", 127), ("/etc/passwd", 126)] {
        let output = stage.tryall(&[], &work).arg(program).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{program}: {output:?}");
    }
    stage.assert_clean();
}

#[test]
fn a_signal_is_passed_on_to_the_command() {
    let stage = Stage::new();
    let work = stage.work("w");
    let script = "trap 'echo got; exit 5' TERM; echo ready; while :; do sleep 0.05; done";
    let mut command = stage.tryall(&[], &work);
    let mut child = command.args(["sh", "-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut ready = [0; 6];
    out.read_exact(&mut ready).unwrap();
    let number = i32::try_from(child.id()).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(number), nix::sys::signal::Signal::SIGTERM)
        .unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("got\n", Some(5)));
    stage.assert_clean();
}

#[test]
fn the_command_reads_standard_input_itself() {
    let stage = Stage::new();
    let work = stage.work("w");
    let script = "read a; echo $a >a; gcc -E -P -x c - >b; cat >c";
    for _ in 0..2 {
        let mut command = stage.tryall(&[], &work);
        let mut child = command
            .args(["sh", "-c", script])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(b"first\nint second;\n").unwrap();
        assert!(child.wait().unwrap().success());
        let read = |name: &str| fs::read_to_string(work.join(name)).unwrap();
        assert_eq!(
            (read("a"), read("b"), read("c")),
            ("first\n".into(), "int second;\n".into(), String::new())
        );
    }
}

#[test]
fn a_large_source_on_standard_input_reaches_the_compiler_whole() {
    let stage = Stage::new();
    let work = stage.work("w");
    let line = "int a_name_that_takes_some_space_0123456789(void);\n";
    fs::write(work.join("large"), line.repeat(20_000)).unwrap();
    let ended =
        stage.run("cat large | gcc -E -P -x c - | wc -l; gcc -E -P -x c - <large | wc -l", &work);
    assert_eq!(String::from_utf8_lossy(&ended.output.stdout), "20000\n20000\n", "{ended:?}");
    assert_eq!((ended.stored + ended.asked, ended.passed), (0, 2), "{}", ended.summary);
}

/// What a command may see of a run, it sees nowhere: neither compilers nor programs that were built.
#[test]
fn programs_see_no_trace() {
    let stage = Stage::new();
    let work = stage.work("w");
    let source = "#include <stdio.h>\nextern char **environ;\n\
                  int main(void) { for (char **e = environ; *e; e++) puts(*e); return 0; }\n";
    fs::write(work.join("env.c"), source).unwrap();
    let script = "gcc env.c -o env && ./env | sort; command -v gcc; echo $PATH";
    let alone = stage.alone(script, &work).stdout;
    let ended = stage.run(script, &work);
    assert_eq!(String::from_utf8_lossy(&ended.output.stdout), String::from_utf8_lossy(&alone));
    assert_eq!(ended.asked, 1, "{}", ended.summary);
}

#[test]
fn a_program_of_the_address_sanitizer_runs() {
    let stage = Stage::new();
    let work = stage.work("w");
    fs::write(work.join("x.c"), GOOD).unwrap();
    let ended = stage.run("gcc -fsanitize=address x.c -o x && ./x", &work);
    assert!(ended.output.status.success(), "{ended:?}");
}

#[test]
fn compilers_are_found_however_they_are_started() {
    let stage = Stage::new();
    let work = stage.work("w");
    fs::write(work.join("x.c"), GOOD).unwrap();
    fs::write(work.join("Makefile"), "all:\n\tgcc -c x.c\n\t@gcc -c x.c >/dev/null\n").unwrap();
    fs::write(
        work.join("script"),
        "#!/usr/bin/env python3\nimport os\nos.execvp('gcc', ['gcc', '-c', 'x.c'])\n",
    )
    .unwrap();
    for (script, calls) in [
        ("/usr/bin/gcc -c x.c", 1),
        ("exec gcc -c x.c", 1),
        ("make", 2),
        ("make -j2", 2),
        ("perl -e 'system(\"gcc\", \"-c\", \"x.c\")'", 1),
        ("perl -e 'print `gcc -c x.c 2>&1`'", 1),
        (
            "python3 -c 'import subprocess; subprocess.run([\"gcc\", \"-c\", \"x.c\"], check=True)'",
            1,
        ),
        ("chmod +x script; ./script", 1),
        ("env X=1 gcc -c x.c", 1),
        ("echo x.c | xargs gcc -c", 1),
        ("(cd /; exec nice gcc -c \"$OLDPWD/x.c\" -o \"$OLDPWD/x.o\")", 1),
        // Without a run, there is nothing to find.
        ("env -i /usr/bin/gcc -c x.c", 1),
        ("env -u LD_PRELOAD sh -c 'gcc -c x.c; :'", 0),
    ] {
        let _ = fs::remove_file(work.join("x.o"));
        let ended = stage.run(script, &work);
        assert!(ended.output.status.success(), "{script}: {ended:?}");
        assert!(work.join("x.o").exists(), "{script}");
        let count = ended.stored + ended.asked + ended.passed;
        assert_eq!(count, calls, "{script}: {ended:?}");
    }
    stage.assert_clean();
}

#[test]
fn many_calls_at_once_get_their_own_answers() {
    let stage = Stage::new();
    for round in 0..2 {
        let work = stage.work("w");
        let mut make = String::from("all:");
        for n in 0..24 {
            make += &format!(" {n}.o");
            fs::write(work.join(format!("{n}.c")), format!("int f{n}(void) {{ return {n}; }}\n"))
                .unwrap();
        }
        make += "\n%.o: %.c\n\tgcc -O2 -c $<\n";
        fs::write(work.join("Makefile"), make).unwrap();
        let ended = stage
            .run("make -s -j8 && gcc -shared *.o -o all.so && nm all.so | grep -c ' T f'", &work);
        assert_eq!(String::from_utf8_lossy(&ended.output.stdout), "24\n", "{ended:?}");
        if round == 1 {
            assert_eq!(ended.stored, 25, "{}", ended.summary);
        }
    }
}

#[test]
fn make_keeps_its_jobserver() {
    let stage = Stage::new();
    let work = stage.work("w");
    fs::write(work.join("x.c"), GOOD).unwrap();
    let make = "all:\n\t+gcc -flto=jobserver -O2 x.c -o x\n\t+@echo $(MAKEFLAGS)\n";
    fs::write(work.join("Makefile"), make).unwrap();
    let (alone, under) =
        (stage.alone("make -s -j2 2>&1", &work), stage.run("make -s -j2 2>&1", &work));
    assert_eq!(
        String::from_utf8_lossy(&under.output.stdout),
        String::from_utf8_lossy(&alone.stdout)
    );
}

#[test]
fn messages_to_a_terminal_are_the_compilers() {
    let stage = Stage::new();
    let work = stage.work("w");
    fs::write(work.join("x.c"), "int main(void) { return nothing; }\n").unwrap();
    // `script` runs a command in a terminal.
    let script = "script -qec 'gcc -c x.c' /dev/null";
    if !stage.alone(script, &work).stdout.windows(2).any(|bytes| bytes == b"\x1b[") {
        eprintln!("skipped: no program `script`, or no colours");
        return;
    }
    let mut tryall = stage.tryall(&[], &work);
    let inner = "gcc -c x.c; gcc -c x.c";
    let output = tryall.args(["script", "-qec", inner, "/dev/null"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(text.matches("\x1b[").count() % 2, 0, "{text}");
    assert!(text.contains("\x1b["), "{text}");
}

#[test]
fn a_compiler_that_is_killed_ends_the_call_by_the_same_signal() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new();
    let work = stage.work("w");
    let compiler = work.join("my-cc");
    fs::write(&compiler, "#!/bin/sh\nkill -KILL $$\n").unwrap();
    fs::set_permissions(&compiler, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(work.join("x.c"), GOOD).unwrap();
    for _ in 0..2 {
        let mut command = stage.tryall(&[], &work);
        command.env("CC", &compiler).args(["sh", "-c", "$CC -c x.c 2>e; echo $?"]);
        let ended = ended(command.output().unwrap());
        assert_eq!(String::from_utf8_lossy(&ended.output.stdout), "137\n", "{ended:?}");
        assert_eq!(ended.stored, 0, "{}", ended.summary);
    }
    stage.assert_clean();
}

#[test]
fn verify_runs_the_compiler_and_finds_what_differs() {
    let stage = Stage::new();
    let work = stage.work("w");
    fs::write(work.join("x.c"), GOOD).unwrap();
    let script = "gcc -c x.c; gcc nothing.c; gcc --version";
    assert_eq!(stage.run(script, &work).asked, 3);
    fs::remove_file(work.join("x.o")).unwrap();
    let verify = |stage: &Stage| {
        ended(stage.tryall(&["--verify"], &work).args(["sh", "-c", script]).output().unwrap())
    };
    let good = verify(&stage);
    assert_eq!(good.output.status.code(), Some(0), "{good:?}");
    assert!(good.summary.contains("3 compared"), "{}", good.summary);
    assert!(work.join("x.o").exists());
}

#[test]
fn why_tells_whether_an_answer_holds() {
    let stage = Stage::new();
    let (work, include) = (stage.work("w"), stage.work("include"));
    let header = include.join("it.h");
    fs::write(&header, "int it;\n").unwrap();
    let call = format!("gcc -isystem {} -c a.c", include.display());
    assert_eq!(stage.run(&format!("echo '#include <it.h>' >a.c; {call}"), &work).asked, 1);
    let why = || {
        let tryall = env!("CARGO_BIN_EXE_tryall");
        let output = stage.command(tryall, &work).args(["why", &call]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let said = why();
    assert!(said.starts_with(&format!("{call}: in the store\n")), "{said}");
    assert!(said.contains("all as they were\n"), "{said}");
    fs::remove_file(&header).unwrap();
    let said = why();
    assert!(said.contains(&format!("{} no longer exists\n", header.display())), "{said}");
}
