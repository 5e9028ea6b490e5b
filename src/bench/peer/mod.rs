//! Peers: other programs that answer the same checks. Each runs as a user would run it, from an
//! empty build directory.
//!
//! A peer runs every check of a plan `repeat` times. Checks that it cannot express, for example
//! because of an argument that its language cannot represent, are omitted and have no answer.

mod cmake;
mod meson;
mod python;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::compiler::dialect::Stage;
use crate::compiler::value;
use crate::plan::Plan;
use crate::plan::ids::CheckId;
use crate::plan::question::{CallerSource, Question, Subject};
use crate::plan::toolchain::Toolchain;
use crate::protocol::language::Language;
use crate::source::{self, Form, Source};

/// A program that answers compiler checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Peer {
    /// CMake's own check modules, one call after another, with Ninja.
    Cmake,
    /// Meson's compiler methods.
    Meson,
    /// A loop around `asyncio.create_subprocess_exec` that runs the plan's commands.
    Python,
}

/// An installed peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its version, such as `cmake 4.4.4, ninja 1.13.0`.
    pub version: String,
}

/// The file of answers in a build directory.
const ANSWERS: &str = "answers";
/// The file of the toolchains' own variables, in a project.
const ENVIRONMENT: &str = "environment";
/// The prefix of the names of build directories.
const BUILD: &str = "build-";

/// Variables that would change the project's flags and compilers.
const NOT_INHERITED: [&str; 18] = [
    "CC",
    "CXX",
    "FC",
    "OBJC",
    "OBJCXX",
    "CPPFLAGS",
    "CFLAGS",
    "CXXFLAGS",
    "FFLAGS",
    "FCFLAGS",
    "OBJCFLAGS",
    "OBJCXXFLAGS",
    "LDFLAGS",
    "MAKEFLAGS",
    "CMAKE_TOOLCHAIN_FILE",
    "CMAKE_C_COMPILER_LAUNCHER",
    "CMAKE_CXX_COMPILER_LAUNCHER",
    "CMAKE_Fortran_COMPILER_LAUNCHER",
];

impl Peer {
    /// All peers, in the order of the table.
    pub(crate) const ALL: [Peer; 3] = [Peer::Cmake, Peer::Meson, Peer::Python];

    /// Its name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Peer::Cmake => "cmake",
            Peer::Meson => "meson",
            Peer::Python => "python asyncio",
        }
    }

    /// The programs that it needs. Meson, too, fails without Ninja.
    fn programs(self) -> &'static [&'static str] {
        match self {
            Peer::Cmake => &["cmake", "ninja"],
            Peer::Meson => &["meson", "ninja"],
            Peer::Python => &["python3"],
        }
    }

    /// Finds it on PATH and returns its version, or why it cannot be used.
    pub(crate) fn find(self) -> Result<Found, String> {
        self.find_on(std::env::var_os("PATH").as_deref().unwrap_or_default())
    }

    /// Finds it on a search path.
    pub(crate) fn find_on(self, path: &OsStr) -> Result<Found, String> {
        let versions: Result<Vec<_>, _> =
            self.programs().iter().map(|program| version(program, path)).collect();
        Ok(Found { version: versions?.join(", ") })
    }

    /// Writes a project that runs every check of the plan `repeat` times. Returns the number of
    /// checks.
    ///
    /// [`io::ErrorKind::Unsupported`] means that the peer cannot run this plan.
    pub(crate) fn project(self, dir: &Path, plan: &Plan, repeat: usize) -> io::Result<usize> {
        std::fs::write(dir.join(ENVIRONMENT), environment(plan)?)?;
        match self {
            Peer::Cmake => cmake::project(dir, plan, repeat),
            Peer::Meson => meson::project(dir, plan, repeat),
            Peer::Python => python::project(dir, plan, repeat),
        }
    }

    /// The command that runs a project, in a new build directory. `jobs` limits the Python loop;
    /// CMake and Meson run one check after another.
    pub(crate) fn command(self, dir: &Path, jobs: usize) -> io::Result<Command> {
        let build = fresh_build(dir)?;
        let mut command = Command::new(self.programs()[0]);
        match self {
            Peer::Cmake => {
                command.arg("-S").arg(dir).arg("-B").arg(build).args(["-G", "Ninja", "-C"]);
                command.arg(dir.join(cmake::CACHE));
            }
            Peer::Meson => {
                command.arg("setup").arg(build).arg(dir).arg("--native-file");
                command.arg(dir.join(meson::NATIVE));
            }
            Peer::Python => {
                command.arg(dir.join(python::SCRIPT)).arg(jobs.to_string()).arg(build);
            }
        }
        for name in NOT_INHERITED {
            command.env_remove(name);
        }
        let environment = std::fs::read_to_string(dir.join(ENVIRONMENT))?;
        command.envs(environment.split_terminator('\0').filter_map(|both| both.split_once('=')));
        command.stdin(Stdio::null());
        Ok(command)
    }
}

/// The answers of a project's last command, in no particular order: the id of each check and
/// whether it is a yes. Checks that were skipped because of their needs are missing.
pub(crate) fn answers(dir: &Path) -> io::Result<Vec<(String, bool)>> {
    let builds = (0..).map(|number| build(dir, number)).take_while(|build| build.exists());
    let last = builds.last().unwrap_or(build(dir, 0));
    let text = std::fs::read_to_string(last.join(ANSWERS))?;
    let answer = |line: &str| match line.rsplit_once(' ') {
        Some((id, "yes")) => Ok((id.to_string(), true)),
        Some((id, "no")) => Ok((id.to_string(), false)),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, format!("no answer: {line:?}"))),
    };
    text.lines().filter(|line| !line.is_empty()).map(answer).collect()
}

fn build(dir: &Path, number: usize) -> PathBuf {
    dir.join(format!("{BUILD}{number}"))
}

/// Creates a new build directory.
fn fresh_build(dir: &Path) -> io::Result<PathBuf> {
    let fresh = (0..).map(|number| build(dir, number)).find(|build| !build.exists());
    let fresh = fresh.expect("numbers do not end");
    std::fs::create_dir(&fresh)?;
    Ok(fresh)
}

/// A program's name and version. All programs print the version on the first line, most of them
/// after their name.
fn version(program: &str, path: &OsStr) -> Result<String, String> {
    let file = which::which_in_global(program, Some(path))
        .ok()
        .and_then(|mut files| files.next())
        .ok_or_else(|| format!("{program} is not on PATH"))?;
    let output = Command::new(file).arg("--version").stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{program} cannot be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let first = text.lines().next().unwrap_or_default();
    let number = first.split(' ').find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    match number {
        Some(number) if output.status.success() => Ok(format!("{program} {number}")),
        _ => Err(format!("{program} --version does not print a version")),
    }
}

/// The environment variables of the request's toolchains, each terminated by a NUL byte.
fn environment(plan: &Plan) -> io::Result<String> {
    let mut own: Vec<(&str, &str)> = Vec::new();
    for (name, value) in plan.toolchains.iter().flat_map(|toolchain| &toolchain.program_env) {
        if std::env::var_os(name).as_ref() == Some(value) {
            continue;
        }
        let (name, value) = (utf8(name)?, utf8(value)?);
        match own.iter().find(|(known, _)| *known == name) {
            None => own.push((name, value)),
            Some((_, known)) if *known == value => {}
            Some(_) => {
                return Err(unsupported(format!("{name} differs between the toolchains")));
            }
        }
    }
    Ok(own.iter().map(|(name, value)| format!("{name}={value}\0")).collect())
}

/// Checks that CMake and Meson support the toolchains: one per language, for this machine.
fn one_for_each_language(plan: &Plan) -> io::Result<()> {
    for (place, toolchain) in plan.toolchains.iter().enumerate() {
        if let Err(why) = &toolchain.program {
            return Err(unsupported(why.text.clone()));
        }
        if toolchain.emulator.is_some() {
            return Err(unsupported("a toolchain with an emulator would need a cross build"));
        }
        if plan.toolchains.iter().take(place).any(|other| other.language == toolchain.language) {
            let name = toolchain.language.name();
            return Err(unsupported(format!("a project has one compiler for {name}, not several")));
        }
    }
    Ok(())
}

fn unsupported(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, why.into())
}

fn utf8(text: &OsStr) -> io::Result<&str> {
    text.to_str().ok_or_else(|| unsupported(format!("{} is not UTF-8", text.display())))
}

fn all_utf8(texts: &[OsString]) -> io::Result<Vec<&str>> {
    texts.iter().map(|text| utf8(text)).collect()
}

/// All checks in the order of the request, except that the needs of a check precede it.
fn order(plan: &Plan) -> Vec<CheckId> {
    let mut done = plan.checks.map(|_| false);
    let mut order = Vec::with_capacity(plan.checks.len());
    let mut path = Vec::new();
    for start in plan.checks.ids() {
        path.push(start);
        while let Some(&at) = path.last() {
            let mut needs = plan.checks[at].needs.iter();
            if done[at] {
                path.pop();
            } else if let Some(&need) = needs.find(|&&need| !done[need]) {
                path.push(need);
            } else {
                done[at] = true;
                order.push(at);
            }
        }
    }
    order
}

/// Arguments after the source: those of the check, then those of the toolchain.
fn link_args(toolchain: &Toolchain, question: &Question) -> Vec<OsString> {
    [question.link_args.as_slice(), &toolchain.link_args].concat()
}

/// A source that compiles, links or runs if and only if the answer is yes, and the directory of its
/// file, if any.
fn code(question: &Question, language: Language) -> io::Result<(Source, Option<PathBuf>)> {
    let source = match source::form(question, language) {
        Form::Verdict(source) | Form::Integer(source) | Form::ByteOrder(source) => source,
        Form::Presence(mut source) => {
            // The text after the question is only for the preprocessor.
            let sentinels = format!("#define {}", value::SENTINEL_MACRO.0);
            source.text.truncate(source.text.find(&sentinels).unwrap_or(source.text.len()));
            source.text += language.empty_program();
            source
        }
        Form::Expansion(source) => {
            let Subject::Define(name) = &question.subject else { return Ok((source, None)) };
            let text = format!("#ifndef {name}\n#error \"it is not defined\"\n#endif\n");
            let mut defined = question.clone();
            defined.subject = Subject::Source {
                stage: Stage::Preprocess,
                code: CallerSource::Text {
                    source: text + language.empty_program(),
                    extension: None,
                },
                run_args: Vec::new(),
                merge_output: false,
                run_dir: None,
            };
            return code(&defined, language);
        }
        Form::File(path) => {
            let text = std::fs::read_to_string(&path)?;
            let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
            return Ok((Source { text, extension }, path.parent().map(Path::to_path_buf)));
        }
    };
    Ok((source, None))
}

/// Whether a source seems to have a main program.
fn has_main(source: &str, language: Language) -> bool {
    match language {
        Language::Fortran => {
            let last = source.lines().rev().find(|line| !line.trim().is_empty());
            let last = last.unwrap_or_default().trim().to_ascii_lowercase();
            last == "end" || last.starts_with("end program") || last.starts_with("endprogram")
        }
        _ => source.contains("main"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PlannedCheck;
    use crate::plan::ids::{Id, QuestionId, Table};
    use crate::protocol::Kind;

    /// The order of checks with the given needs.
    fn order_of(needs: &[&[usize]]) -> Vec<usize> {
        let check = |needs: &&[usize]| PlannedCheck {
            id: String::new(),
            kind: Kind::Endian,
            question: QuestionId::at(0),
            needs: needs.iter().map(|&need| CheckId::at(need)).collect(),
            alternative_to: None,
            required: false,
        };
        let plan = Plan {
            toolchains: Table::default(),
            questions: Table::default(),
            checks: needs.iter().map(check).collect(),
            given: Table::default(),
            patterns: Default::default(),
        };
        order(&plan).into_iter().map(Id::place).collect()
    }

    #[test]
    fn needed_checks_come_first() {
        assert_eq!(order_of(&[&[], &[], &[]]), [0, 1, 2]);
        assert_eq!(order_of(&[&[2], &[0, 2], &[3], &[]]), [3, 2, 0, 1]);
    }

    #[test]
    fn missing_programs_are_named() {
        let empty = tempfile::tempdir().unwrap();
        for (peer, missing) in Peer::ALL.into_iter().zip(["cmake", "meson", "python3"]) {
            let why = peer.find_on(empty.path().as_os_str()).unwrap_err();
            assert_eq!(why, format!("{missing} is not on PATH"));
        }
    }

    #[test]
    fn main_programs_are_recognized() {
        for source in ["print *, 1\nend\n", "PROGRAM x\nEND PROGRAM x\n\n"] {
            assert!(has_main(source, Language::Fortran), "{source}");
        }
        assert!(!has_main("module m\nend module\n", Language::Fortran));
        assert!(!has_main("int x;\n", Language::C));
    }

    #[test]
    fn answers_are_those_of_the_last_command() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(ENVIRONMENT), "X=a=b\0").unwrap();
        for text in ["A no\n", "A yes\na b no\n"] {
            let command = Peer::Python.command(dir.path(), 2).unwrap();
            let build = command.get_args().last().unwrap();
            assert!(std::fs::read_dir(build).unwrap().next().is_none(), "{build:?} is fresh");
            assert!(answers(dir.path()).is_err(), "nothing has run in it yet");
            std::fs::write(Path::new(build).join(ANSWERS), text).unwrap();
            let given = |name: &str| command.get_envs().find(|(key, _)| *key == name).unwrap().1;
            assert_eq!(given("X"), Some(OsStr::new("a=b")));
            assert_eq!(given("CFLAGS"), None);
        }
        let expected = [("A".into(), true), ("a b".into(), false)];
        assert_eq!(answers(dir.path()).unwrap(), expected);
    }
}
