//! Build directories with unusual names, with the shell, CMake and Meson.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::batch::*;
use crate::call::Workspace;
use crate::cmake::{Configure, in_its_place, project};
use crate::support::*;
use crate::table::{Fault, Row};

const PART: &str = "caller";

const SPACES: &[u8] = b" a  b";
const QUOTES: &[u8] = b"a'b\"c\\d";
const NEWLINES: &[u8] = b"a\nb\r\nc";
/// The part of the name that CMake supports.
const QUOTE: &[u8] = b"a'b";
const SYNTAX: &[u8] = b"$(x)`x`&|*?[x]{y}${z}@z@#%;";
const SOME_SYNTAX: &[u8] = b"$x`x`&|*?[x]{y}@z@#%";
const NO_TEXT: &[u8] = b"caf\xe9 \xff\xfe";

/// Their part of the table.
pub const FAULTS: &[Fault] = &[
    Fault::new(PART, "directory with spaces", "shell", |row| shell(row, SPACES)),
    Fault::new(PART, "directory with quotes", "shell", |row| shell(row, QUOTES)),
    Fault::new(PART, "directory with newlines", "shell", |row| shell(row, NEWLINES)),
    Fault::new(PART, "directory with syntax of shells and CMake", "shell", |row| {
        shell(row, SYNTAX);
    }),
    Fault::new(PART, "directory that is not UTF-8", "shell", |row| shell(row, NO_TEXT)),
    Fault::new(PART, "directory of 3,900 to 4,100 characters", "shell", long_shell),
    Fault::new(PART, "directory with spaces", "CMake", |row| cmake(row, SPACES)),
    Fault::new(PART, "directory with quotes", "CMake", |row| {
        cmake(row, QUOTES);
        cmake(row, QUOTE);
    }),
    Fault::new(PART, "directory with newlines", "CMake", |row| cmake(row, NEWLINES)),
    Fault::new(PART, "directory with syntax of shells and CMake", "CMake", |row| {
        cmake(row, SYNTAX);
        cmake(row, SOME_SYNTAX);
    }),
    Fault::new(PART, "directory that is not UTF-8", "CMake", |row| cmake(row, NO_TEXT)),
    Fault::new(PART, "directory of 300 and 3,800 characters", "CMake", long_cmake),
    Fault::new(PART, "directory with spaces and quotes", "Meson", |row| {
        meson(row, SPACES);
        meson(row, QUOTES);
    }),
    Fault::new(PART, "directory with newlines", "Meson", |row| meson(row, NEWLINES)),
    Fault::new(PART, "directory with syntax of shells and CMake", "Meson", |row| {
        meson(row, SYNTAX);
    }),
    Fault::new(PART, "directory that is not UTF-8", "Meson", |row| meson(row, NO_TEXT)),
    Fault::new(PART, "tryall killed", "Meson", meson_killed),
];

fn shell(row: &mut Row, name: &[u8]) {
    let workspace = Workspace::new();
    let place = workspace.work().join(OsStr::from_bytes(name));
    fs::create_dir_all(&place).unwrap();
    shell_in(row, &workspace, &place);
}

fn shell_in(row: &mut Row, workspace: &Workspace, place: &std::path::Path) {
    let temp = place.join("tmp");
    fs::create_dir(&temp).unwrap();
    fs::write(place.join("request.json"), small_request(&need("gcc")).to_string()).unwrap();
    for file in ["request.json".into(), place.join("request.json")] {
        let mut call = workspace.call(TRYALL);
        call.command.arg("check").arg(file).args(["--output", "answers.json"]);
        call.command.current_dir(place).env("TMPDIR", &temp);
        let mut ended = call.run(b"");
        ended.stdout = fs::read(place.join("answers.json")).unwrap_or(ended.stdout);
        row.look(workspace, &ended, right_of_small());
        let _ = fs::remove_file(place.join("answers.json"));
        row.left.extend(
            fs::read_dir(&temp).unwrap().flatten().map(|it| it.path().display().to_string()),
        );
    }
}

/// A directory whose path has this many characters, created step by step because system calls
/// reject longer paths.
fn long(workspace: &Workspace, characters: usize) -> PathBuf {
    let mut place = workspace.work();
    while place.as_os_str().len() < characters {
        let more = (characters - place.as_os_str().len()).saturating_sub(1).clamp(1, 200);
        place.push("x".repeat(more));
    }
    fs::create_dir_all(&place).unwrap();
    place
}

fn long_shell(row: &mut Row) {
    for characters in [3900, 4000, 4050, 4060] {
        let workspace = Workspace::new();
        let place = long(&workspace, characters);
        shell_in(row, &workspace, &place);
    }
}

fn cmake(row: &mut Row, name: &[u8]) {
    let workspace = Workspace::new();
    let build = workspace.work().join(OsStr::from_bytes(name));
    cmake_in(row, &workspace, build);
}

fn long_cmake(row: &mut Row) {
    // With 4,000 characters, CMake tries for minutes to remove a directory whose name has become
    // too long.
    for characters in [300, 3800] {
        let workspace = Workspace::new();
        let build = long(&workspace, characters);
        cmake_in(row, &workspace, build);
    }
}

fn cmake_in(row: &mut Row, workspace: &Workspace, build: PathBuf) {
    let source = project(workspace, "");
    let tryall = PathBuf::from(TRYALL);
    let stock = Configure::new(workspace, &source, &build).anew();
    let ours = Configure::new(workspace, &source, &build).with(&tryall).anew();
    row.ended(workspace, &ours.ended);
    if !ours.succeeded() {
        row.refused += 1;
    }
    if stock.succeeded() != ours.succeeded() || stock.values != ours.values {
        row.wrong.push(format!(
            "{:?} and not {:?}: {:?} and not {:?}",
            ours.values, stock.values, ours.ended, stock.ended
        ));
    } else {
        row.right += stock.values.len();
    }
    if !row.note.is_empty() {
        row.note += "; ";
    }
    row.note += &match stock.succeeded() {
        true => format!("{} checks by tryall", ours.by_tryall()),
        false => "CMake itself cannot".into(),
    };
}

const MESON_BUILD: &str = "project('p', 'c')
tryall_stock = get_option('stock')
tryall_headers = ['stdio.h', 'no/such.h']
tryall_functions = ['fork', 'no_such']
tryall_sizes = ['long', 'no_such_t']
tryall_compiles = ['GOOD=int x;', 'BAD=no C']
tryall_runs = ['RUNS=int main(void) { return 0; }', 'RUNS_NOT=int main(void) { return 3; }']
subdir('tryall')
foreach name, value : tryall_answers
  message('answer', name, value)
endforeach
";

fn meson_project(workspace: &Workspace) -> PathBuf {
    let source = workspace.own("source");
    fs::create_dir_all(&source).unwrap();
    fs::write(source.join("meson.build"), MESON_BUILD).unwrap();
    fs::write(source.join("meson_options.txt"), "option('stock', type: 'boolean', value: false)\n")
        .unwrap();
    for dir in ["", "items", "nearest", "stock"] {
        let [from, to] =
            [root().join("meson/tryall"), source.join("tryall")].map(|at| at.join(dir));
        fs::create_dir_all(&to).unwrap();
        fs::copy(from.join("meson.build"), to.join("meson.build")).unwrap();
    }
    source
}

/// Meson's output about the answers, with the tryall in this directory.
fn meson_in(
    workspace: &Workspace,
    build: &std::path::Path,
    programs: &std::path::Path,
    stock: bool,
) -> (crate::call::Ended, Vec<String>) {
    let mut call = workspace.call(venv("meson"));
    let _ = fs::remove_dir_all(build);
    let rest = std::env::var_os("PATH").unwrap();
    let path = [programs.to_owned(), tools()];
    let path = path.into_iter().chain(std::env::split_paths(&rest));
    call.command.env("PATH", std::env::join_paths(path).unwrap()).env("CC", need("gcc"));
    call.command
        .arg("setup")
        .arg(format!("-Dstock={stock}"))
        .arg(build)
        .arg(meson_project(workspace));
    let ended = call.run(b"");
    let text = String::from_utf8_lossy(&ended.stdout).into_owned();
    let answers = text.lines().filter(|line| line.starts_with("Message: answer"));
    let answers = answers.map(str::to_owned).collect();
    (ended, answers)
}

fn meson(row: &mut Row, name: &[u8]) {
    let workspace = Workspace::new();
    let build = workspace.work().join(OsStr::from_bytes(name));
    let programs = std::path::Path::new(TRYALL).parent().unwrap();
    let (stock, expected) = meson_in(&workspace, &build, programs, true);
    let (ours, answers) = meson_in(&workspace, &build, programs, false);
    row.ended(&workspace, &ours);
    if ours.code() != Some(0) {
        row.refused += 1;
    }
    if stock.code() != ours.code() || expected != answers {
        row.wrong.push(format!("{ours:?} and not {stock:?}"));
    } else {
        row.right += answers.len();
    }
    if stock.code() != Some(0) {
        row.note = "Meson itself cannot".into();
    }
}

fn meson_killed(row: &mut Row) {
    for pause in ["0.001", "0.03", "0.08"] {
        let workspace = Workspace::new();
        // On a busy machine it may have ended earlier.
        let script =
            format!("'{TRYALL}' \"$@\" &\nsleep {pause}\nkill -KILL $!\nwait $!\nexit 137");
        let program = in_its_place(&workspace, &script);
        let build = workspace.work().join("build");
        let (ours, answers) = meson_in(&workspace, &build, program.parent().unwrap(), false);
        row.ended(&workspace, &ours);
        row.refused += 1;
        if ours.code() == Some(0) || !answers.is_empty() {
            row.wrong.push(format!("answers of a program that was killed: {ours:?}"));
        }
    }
}
