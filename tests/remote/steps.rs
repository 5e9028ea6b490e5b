//! Steps whose questions nobody knows when they begin: configure steps of CMake, and commands under
//! `tryall run`.

use std::fs;
use std::path::Path;

use crate::fake::Fake;
use crate::machine::Machine;
use crate::servers::wait_until;
use crate::support::{TRYALL, need, venv};

/// The number before a word of the summary.
fn count(text: &str, word: &str) -> usize {
    let line = text.lines().rfind(|line| line.contains("tryall: ") && line.contains(" s"));
    let words: Vec<_> = line.unwrap_or_default().split([' ', ',', ';']).collect();
    let at = words.iter().position(|it| *it == word);
    at.map_or(0, |at| words[at - 1].parse().unwrap())
}

/// Runs a step in an empty directory. Returns its output.
fn step(machine: &Machine, source: &Path, words: &[&str]) -> String {
    let build = source.join("build");
    let _ = fs::remove_dir_all(&build);
    fs::create_dir(&build).unwrap();
    let mut command = machine.command(TRYALL);
    let output = command.args(words).current_dir(&build).output().unwrap();
    let text = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap()).concat();
    assert!(output.status.success(), "{text}");
    text
}

#[test]
fn a_configure_step_of_cmake_finds_what_another_machine_has_learned() {
    let source = tempfile::tempdir().unwrap();
    let list = "cmake_minimum_required(VERSION 3.20)\nproject(shared C)\n\
                include(CheckFunctionExists)\ninclude(CheckIncludeFile)\n\
                check_function_exists(fork HAVE_FORK)\n\
                check_function_exists(frok HAVE_FROK)\n\
                check_include_file(unistd.h HAVE_UNISTD_H)\n";
    fs::write(source.path().join("CMakeLists.txt"), list).unwrap();
    let ninja = format!("-DCMAKE_MAKE_PROGRAM={}", venv("ninja").display());
    let cmake = venv("cmake");
    let words = ["cmake", "--cmake", cmake.to_str().unwrap(), "..", "-G", "Ninja", &ninja];
    let fake = Fake::start();
    let alone = step(&Machine::new(""), source.path(), &words);
    let first = step(&Machine::writing(&fake.url), source.path(), &words);
    assert_eq!(count(&first, "stored"), count(&alone, "stored"), "{first}");
    wait_until("the pack is sent", || fake.count() == 1);
    // The first check was CMake's own.
    let before = fake.thing();
    step(&Machine::writing(&fake.url), source.path(), &words);
    wait_until("the pack is sent again", || fake.thing() != before);
    let cache = || {
        let text = fs::read_to_string(source.path().join("build/CMakeCache.txt")).unwrap();
        text.lines().filter(|line| line.starts_with("HAVE_")).map(str::to_owned).collect::<Vec<_>>()
    };
    let known = cache();
    assert_eq!(known, ["HAVE_FORK:INTERNAL=1", "HAVE_FROK:INTERNAL=", "HAVE_UNISTD_H:INTERNAL=1"]);
    // Another machine, where the project has changed.
    fs::write(source.path().join("CMakeLists.txt"), format!("# new\n{list}")).unwrap();
    let second = step(&Machine::new(&fake.url), source.path(), &words);
    assert_eq!(cache(), known);
    assert_eq!(count(&second, "stored"), 3, "{second}");
    assert_eq!(count(&second, "asked"), 0, "{second}");
    assert!(second.contains(&format!("came from {}", fake.url)), "{second}");
}

#[test]
fn a_command_finds_what_another_machine_has_learned() {
    need("cc");
    let source = tempfile::tempdir().unwrap();
    let script = "PACKAGE_NAME='shared'\n\
                  for name in fork frok; do\n\
                  echo \"int $name(void); int main(void) { return $name(); }\" > t.c\n\
                  cc t.c -o t 2>/dev/null && echo $name >> found\n\
                  done\nexit 0\n";
    fs::write(source.path().join("configure"), script).unwrap();
    let words = ["run", "--", "sh", "../configure"];
    let fake = Fake::start();
    let first = step(&Machine::writing(&fake.url), source.path(), &words);
    assert_eq!((count(&first, "stored"), count(&first, "asked")), (0, 2), "{first}");
    wait_until("the pack is sent", || fake.count() == 1);
    let second = step(&Machine::new(&fake.url), source.path(), &words);
    assert_eq!((count(&second, "stored"), count(&second, "asked")), (2, 0), "{second}");
    assert_eq!(fs::read_to_string(source.path().join("build/found")).unwrap(), "fork\n");
}
