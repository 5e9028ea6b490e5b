//! Faults while configuring a CMake project.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::batch::WORD;
use crate::call::{BOUND, Workspace, wait};
use crate::cmake::{Configure, in_its_place, project, right};
use crate::kills::Random;
use crate::sandbox::{self, Disk};
use crate::support::*;
use crate::table::{Fault, Row};

const fn fault(part: &'static str, name: &'static str, make: fn(&mut Row)) -> Fault {
    Fault::new(part, name, "CMake", make)
}

/// Their part of the table.
pub const FAULTS: &[Fault] = &[
    fault("compiler", "crashes, dies, lies or truncates, once each time", once),
    fault("compiler", "deleted while the batch runs", |row| swapped(row, "delete")),
    fault("compiler", "replaced while the batch runs", |row| swapped(row, "replace")),
    fault("machine", "disk of the build directory full", full),
    fault("machine", "temporary disk full", temporary_full),
    fault("caller", "tryall killed in the middle of each batch", killed),
    fault("caller", "tryall missing in the middle of the configure step", missing),
    fault("caller", "CMake and all below it killed at random, then asked again", all_killed),
    fault("caller", "two configure steps at once in one build directory", two),
];

/// The compiler misbehaves once, when the session asks: CMake asks again what has no answer.
fn once(row: &mut Row) {
    let right = right();
    let all: [&[&str]; 5] = [
        &["crash"],
        &["signal=9"],
        &["lie"],
        &["real", "truncate=60"],
        &["say=conftest.c: No space left on device", "status=1"],
    ];
    for requests in all {
        let workspace = Workspace::new();
        let source = project(&workspace, "");
        let (build, budget) = (workspace.work().join("build"), workspace.own("budget"));
        fs::create_dir(&budget).unwrap();
        fs::write(budget.join("1"), "").unwrap();
        let (fake, tryall) = (PathBuf::from(fakecc()), PathBuf::from(TRYALL));
        let mut configure = Configure::new(&workspace, &source, &build).with(&tryall);
        configure.compiler = &fake;
        configure.env = vec![
            ("FAKE_REAL".into(), "/usr/bin/gcc".into()),
            ("FAKE_REQUESTS".into(), requests.join("\n")),
            ("FAKE_WHEN".into(), WORD.into()),
            ("FAKE_BUDGET".into(), budget.display().to_string()),
        ];
        let ours = configure.run();
        row.configured(&workspace, &ours, &right, None);
        if fs::read_dir(&budget).unwrap().count() == 1 || !ours.succeeded() {
            row.wrong.push(format!("{requests:?}: nothing has happened: {:?}", ours.ended));
        }
    }
}

/// A source deletes or replaces the compiler.
fn swapped(row: &mut Row, how: &str) {
    let right = right();
    let workspace = Workspace::new();
    let source = project(&workspace, "");
    let build = workspace.work().join("build");
    let compiler = workspace.own("cc");
    let tryall = PathBuf::from(TRYALL);
    let other = "printf '#!/bin/sh\\necho \"error: nope\"\\nexit 1\\n' >\"$0.new\"\nchmod +x \"$0.new\"\nmv \"$0.new\" \"$0\"";
    let act = if how == "delete" { "rm -f \"$0\"" } else { other };
    let text = format!(
        "#!/bin/sh\nfor word; do\n  case $word in *.c) if grep -q {WORD} \"$word\"; then\n{act}\nfi;; esac\ndone\nexec gcc \"$@\"\n"
    );
    let run = |tryall: Option<&Path>| {
        fs::write(&compiler, &text).unwrap();
        sandbox::open_to_all(&compiler, 0o755);
        let mut configure = Configure::new(&workspace, &source, &build);
        configure.tryall = tryall;
        configure.compiler = &compiler;
        configure.anew()
    };
    let stock = run(None);
    for _ in 0..2 {
        let ours = run(Some(&tryall));
        row.configured(&workspace, &ours, &right, Some(&stock));
    }
}

fn full(row: &mut Row) {
    let right = right();
    let tryall = PathBuf::from(TRYALL);
    for kilobytes in [220, 400, 700] {
        let workspace = Workspace::new();
        let source = project(&workspace, "");
        let build = workspace.work().join("build");
        let disk = |kilobytes| Disk::new(&build, &format!("size={kilobytes}k"));
        let stock = {
            let _disk = disk(kilobytes);
            Configure::new(&workspace, &source, &build).run()
        };
        // The session's files need room there.
        let _disk = disk(kilobytes + 64);
        let ours = Configure::new(&workspace, &source, &build).with(&tryall).run();
        let logged = fs::read_dir(build.join("CMakeFiles/tryall")).into_iter().flatten().flatten();
        if logged.count() > 0 {
            row.wrong.push("the log takes what is left of the disk".into());
        }
        row.configured(&workspace, &ours, &right, Some(&stock));
    }
}

fn temporary_full(row: &mut Row) {
    let right = right();
    let tryall = PathBuf::from(TRYALL);
    for options in ["size=24k", "size=1m,nr_inodes=3"] {
        let workspace = Workspace::new();
        let source = project(&workspace, "");
        let build = workspace.work().join("build");
        let _disk = Disk::new(&workspace.tmp(), options);
        let stock = Configure::new(&workspace, &source, &build).run();
        let ours = Configure::new(&workspace, &source, &build).with(&tryall).anew();
        // GCC leaves temporary files when the disk is full. With tryall they are in another
        // directory.
        for entry in fs::read_dir(workspace.tmp()).unwrap().flatten() {
            if entry.file_name().to_string_lossy().starts_with("cc") {
                let _ = fs::remove_file(entry.path());
            }
        }
        row.configured(&workspace, &ours, &right, Some(&stock));
    }
}

fn killed(row: &mut Row) {
    let right = right();
    for (signal, milliseconds) in [("KILL", "0.01"), ("TERM", "0.05")] {
        for what in ["$!", "$$"] {
            let workspace = Workspace::new();
            let source = project(&workspace, "");
            let build = workspace.work().join("build");
            let script = format!(
                "'{TRYALL}' \"$@\" &\nsleep {milliseconds}\nkill -{signal} {what}\nwait $!\nexit $?"
            );
            let program = in_its_place(&workspace, &script);
            let ours = Configure::new(&workspace, &source, &build).with(&program).run();
            row.configured(&workspace, &ours, &right, None);
            if !ours.succeeded() {
                row.wrong.push(format!("CMake could have gone on: {:?}", ours.ended));
            }
        }
    }
}

fn missing(row: &mut Row) {
    let right = right();
    for becomes in ["", "file(WRITE \"${GONE}\" rubbish)"] {
        let workspace = Workspace::new();
        let source = project(&workspace, &format!("file(REMOVE \"${{GONE}}\")\n{becomes}"));
        let build = workspace.work().join("build");
        let program = workspace.own("tryall");
        fs::copy(TRYALL, &program).unwrap();
        let mut configure = Configure::new(&workspace, &source, &build).with(&program);
        configure.args = vec![format!("-DGONE={}", program.display())];
        let ours = configure.run();
        row.configured(&workspace, &ours, &right, None);
        if !ours.succeeded() {
            row.wrong.push(format!("CMake could have gone on: {:?}", ours.ended));
        }
    }
}

fn all_killed(row: &mut Row) {
    let right = right();
    let (mut random, seed) = Random::new();
    let tryall = PathBuf::from(TRYALL);
    for round in 0..4 {
        let workspace = Workspace::new();
        let source = project(&workspace, "");
        let build = workspace.work().join("build");
        let configure = Configure::new(&workspace, &source, &build).with(&tryall);
        let child = configure.start();
        std::thread::sleep(Duration::from_millis(300 + random.below(1500)));
        for pid in crate::processes::with_in_environment(workspace.path()) {
            let _ = nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(pid),
                nix::sys::signal::Signal::SIGKILL,
            );
        }
        wait(child, BOUND);
        // The reaper was killed, too.
        for entry in fs::read_dir(workspace.tmp()).unwrap().flatten() {
            let path = entry.path();
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
        let mut again = Configure::new(&workspace, &source, &build);
        again.tryall = (round % 2 == 0).then_some(&tryall);
        if again.tryall.is_none() {
            again.args = vec!["-UCMAKE_PROJECT_INCLUDE".into()];
        }
        let ours = again.run();
        row.configured(&workspace, &ours, &right, None);
        if !ours.succeeded() {
            row.wrong.push(format!("CMake does not go on: {:?}", ours.ended));
        }
    }
    row.note = format!("seed {seed}; what is in TMPDIR stays when the guard is killed as well");
}

/// Two projects with different checks under the same numbers.
fn two(row: &mut Row) {
    // Slow enough to overlap, before reading and after writing.
    let slow = format!("sleep 0.3\n'{TRYALL}' \"$@\"\nstatus=$?\nsleep 0.3\nexit $status");
    let questions = |yes: bool| {
        let asked = |n: usize| {
            let source = if yes { "int main(void) { return 0; }" } else { "no C" };
            format!("check_c_source_compiles(\"{source} /* {n} */\" ASKED_{n})\n")
        };
        let asked: String = (0..12).map(asked).collect();
        let sum = "foreach(n RANGE 11)\n  if(ASKED_${n})\n    math(EXPR sum \"${sum} + 1\")\n  endif()\nendforeach()\n";
        format!(
            "{asked}set(sum 0)\n{sum}foreach(n RANGE 11)\n  unset(ASKED_${{n}} CACHE)\nendforeach()\n"
        )
    };
    for _ in 0..2 {
        let workspace = Workspace::new();
        let build = workspace.work().join("build");
        let tryall = in_its_place(&workspace, &slow);
        let sources = [true, false].map(|yes| {
            let source = workspace.own(if yes { "yes" } else { "no" });
            fs::create_dir_all(&source).unwrap();
            let text = format!(
                "cmake_minimum_required(VERSION 3.16)\nproject(p C)\ninclude(CheckCSourceCompiles)\n\
                 check_c_source_compiles(\"int main(void) {{ return 0; }}\" WARM)\nif(WARM)\nendif()\n\
                 {}message(\"sum ${{sum}}\")\n{}message(\"sum ${{sum}}\")\n{}message(\"sum ${{sum}}\")\n",
                questions(yes),
                questions(yes),
                questions(yes)
            );
            fs::write(source.join("CMakeLists.txt"), text).unwrap();
            source
        });
        let configured = std::thread::scope(|scope| {
            let both = sources.each_ref().map(|source| {
                let configure = Configure::new(&workspace, source, &build).with(&tryall);
                let mut call = configure.call();
                scope.spawn(move || call.run_now())
            });
            both.map(|one| one.join().unwrap())
        });
        for (ended, expected) in std::iter::zip(configured, ["sum 12", "sum 0"]) {
            let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), ended.stderr);
            let sums: Vec<_> = said.lines().filter(|line| line.starts_with("sum ")).collect();
            row.ended(&workspace, &ended);
            if ended.code() != Some(0) {
                row.refused += 1;
            }
            for sum in sums {
                if sum == expected {
                    row.right += 12;
                } else {
                    row.wrong.push(format!("{sum} and not {expected}: {said}"));
                }
            }
        }
    }
}
