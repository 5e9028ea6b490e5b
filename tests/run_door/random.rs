//! Random commands: under tryall, each ends as it does alone, and leaves the same.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::random_numbers::Random;
use crate::stage::{Files, Stage, assert_same, files};

/// Sources that are valid, and some that are not.
const SOURCES: [(&str, &str); 12] = [
    ("good.c", "#include <stdio.h>\nint main(void) { puts(\"x\"); return 0; }\n"),
    ("warns.c", "int main(void) { int unused; return 0; }\n"),
    ("wrong.c", "int main(void) { return nothing; }\n"),
    ("missing.c", "#include <no_such_header.h>\nint main(void) { return 0; }\n"),
    ("undefined.c", "int f(void);\nint main(void) { return f(); }\n"),
    ("local.c", "#include \"h.h\"\nint main(void) { return H; }\n"),
    (
        "maybe.c",
        "#if __has_include(\"other.h\")\n#error other\n#endif\nint main(void) { return 0; }\n",
    ),
    (
        "named.c",
        "#include <assert.h>\nint main(int c, char **v) { assert(c); return __FILE__[0]; }\n",
    ),
    ("error.c", "#error \"no\"\n"),
    ("part.c", "int f(void) { return 1; }\n"),
    ("good.cc", "#include <string>\nint main() { return int(std::string(\"x\").size()) - 1; }\n"),
    ("empty.c", ""),
];

const COMPILERS: [&str; 6] = ["gcc", "cc", "g++", "clang", "clang++", "gcc-12"];

const MODES: [&str; 9] = ["", "", "-c", "-c", "-S", "-E", "-fsyntax-only", "-M", "-E -P"];

#[rustfmt::skip]
const OPTIONS: [&str; 54] = [
    "-g", "-g -O2", "-O2", "-Wall", "-Wall -Werror", "-DX=1", "-UX", "-I.", "-Iinc", "-I inc -I.",
    "-include h.h", "-include no.h", "-MD", "-MMD -MP", "-MD -MF dep.d", "-MD -MT x.o -MF dir/dep.d",
    "-std=c99", "-std=no", "-pedantic", "-v", "-###", "-save-temps", "-flto", "-static", "-shared -fPIC",
    "-lm", "-lnosuch", "-L. -lm", "-pipe", "-Wl,-Map=map", "-Wl,--as-needed", "-w", "-Wno-such",
    "-Wsuch", "-fno-such", "-fPIC", "-dM", "-dD", "-P", "-C", "-nostdinc", "-ffreestanding", "-nostdlib",
    "-ggdb3", "-gsplit-dwarf", "-Wp,-MD,wp.d", "-fsanitize=undefined", "-m32", "-coverage", "-H",
    "-fdiagnostics-color=always", "-frandom-seed=1", "-idirafter inc", "-x c",
];

const OUTPUTS: [&str; 13] = [
    "",
    "",
    "",
    "-o out",
    "-o out.o",
    "-o ./out",
    "-o dir/out",
    "-oout",
    "-o no/out",
    "-o /dev/null",
    "-o there",
    "-o link",
    "-o \"$PWD/out\"",
];

const QUERIES: [&str; 14] = [
    "--version",
    "-v",
    "-dumpmachine",
    "-dumpversion",
    "-print-search-dirs",
    "-print-prog-name=ld",
    "-print-file-name=libc.so",
    "-print-multi-lib",
    "--help",
    "-V",
    "-qversion",
    "",
    "-dumpspecs",
    "-print-libgcc-file-name",
];

const STREAMS: [&str; 5] = [">o 2>e", ">o 2>&1", ">o 2>e", ">o 2>>o", "2>e | cat >o"];

const BEFORE: [&str; 10] = [
    "",
    "",
    "",
    "",
    "umask 077;",
    "umask 0;",
    "unset PWD;",
    "PWD=/usr;",
    "unset LC_ALL;",
    "cd \"$PWD\"/../\"${PWD##*/}\";",
];

/// A line of a script.
fn line(random: &mut Random) -> String {
    let mut pick = |from: &[&str]| from[random.below(from.len())].to_owned();
    let (compiler, before, streams) = (pick(&COMPILERS), pick(&BEFORE), pick(&STREAMS));
    let (mode, output) = (pick(&MODES), pick(&OUTPUTS));
    let options = [pick(&OPTIONS), pick(&OPTIONS), pick(&OPTIONS)];
    let query = pick(&QUERIES);
    let options = &options[..random.below(4)];
    let mut source = || SOURCES[random.below(SOURCES.len())].0;
    let (first, second) = (source(), source());
    let command = match random.below(10) {
        0 => format!("{compiler} {query}"),
        1 => format!("{compiler} {mode} {} -x c - {output} <{first}", options.join(" ")),
        2 => format!("cat {first} | {compiler} -E {} -x c - {output}", options.join(" ")),
        3 => format!("{compiler} {mode} {} {first} {second} {output}", options.join(" ")),
        4 => format!("{compiler} {mode} {} \"$PWD/{first}\" {output}", options.join(" ")),
        5 => format!("{compiler} {output} {mode} {first} {}", options.join(" ")),
        6 => format!("{compiler} @words {first} {output}"),
        7 => format!("{compiler} -c -o part.o part.c && {compiler} {first} part.o {output}"),
        _ => format!("{compiler} {mode} {} {first} {output}", options.join(" ")),
    };
    let command = match command.contains('|') || command.contains("&&") {
        true => format!("{{ {command}; }}"),
        false => command,
    };
    format!("{before} {command} {streams}; echo $? >status")
}

/// Makes the files that a command finds.
fn furnish(dir: &Path) {
    for name in ["dir", "inc"] {
        fs::create_dir_all(dir.join(name)).unwrap();
    }
    for (name, text) in SOURCES {
        fs::write(dir.join(name), text).unwrap();
    }
    fs::write(dir.join("h.h"), "#define H 0\n").unwrap();
    fs::write(dir.join("inc/unused.h"), "").unwrap();
    fs::write(dir.join("there"), "something\n").unwrap();
    fs::write(dir.join("words"), "-Wall -DX\n").unwrap();
    std::os::unix::fs::symlink("target", dir.join("link")).unwrap();
}

/// Runs all lines, each in a directory of its own, and returns what they leave.
fn left(stage: &Stage, lines: &[String], name: &str, under: bool) -> (Vec<Files>, usize) {
    let work = stage.work(name);
    let mut script = String::new();
    for (number, line) in lines.iter().enumerate() {
        furnish(&work.join(number.to_string()));
        writeln!(script, "(cd {number}; PWD=$(pwd); export PWD; {line})").unwrap();
    }
    let stored = if under {
        let ended = stage.run(&script, &work);
        assert!(ended.output.status.success(), "{ended:?}");
        ended.stored
    } else {
        stage.alone(&script, &work);
        0
    };
    let all = (0..lines.len()).map(|number| files(&work.join(number.to_string())));
    (all.collect(), stored)
}

/// Whether compilers themselves end differently each time.
fn is_random(line: &str) -> bool {
    let has = |option: &str| line.contains(option);
    // GCC names sections of link-time optimization at random, and notes times for coverage. With -pipe, two
    // programs write messages at the same time.
    has("-flto") || has("-coverage") || has("-pipe") && (has("-v") || has("-H"))
}

#[test]
fn every_command_does_what_it_does_alone() {
    let count = std::env::var("TRYALL_RANDOM").ok().map_or(60, |count| count.parse().unwrap());
    let seed = std::env::var("TRYALL_SEED").ok().map_or(1, |seed| seed.parse().unwrap());
    let mut random = Random::seeded(seed);
    let mut served = 0;
    let lines: Vec<_> = (0..count).map(|_| line(&mut random)).collect();
    for lines in lines.chunks(100) {
        let stage = Stage::new();
        let (alone, _) = left(&stage, lines, "here", false);
        let (cold, _) = left(&stage, lines, "here", true);
        let (warm, stored) = left(&stage, lines, "here", true);
        let (elsewhere, _) = left(&stage, lines, "another/place", false);
        let (moved, _) = left(&stage, lines, "another/place", true);
        served += stored;
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| !is_random(line)) {
            assert_same(&alone[at], &cold[at], &format!("cold: {line}"));
            assert_same(&alone[at], &warm[at], &format!("warm: {line}"));
            assert_same(&elsewhere[at], &moved[at], &format!("moved: {line}"));
        }
        stage.assert_clean();
    }
    assert!(served * 4 > count, "only {served} of {count} came from the store");
}
