//! A suite of checks with one compiler.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::task::{Task, tasks};
use crate::engine::{Options, plan_of};
use crate::plan::Plan;
use crate::plan::toolchain::{Environment, is_launcher};
use crate::protocol::language::Language;
use crate::protocol::{Request, parse};

const FORTRAN: &str = include_str!("../../examples/fortran.json");
const POSIX: &str = include_str!("../../examples/posix.json");

/// A suite and its compiler.
pub(crate) struct Suite {
    /// `fortran`, `posix` or a file's name.
    pub name: String,
    /// The compiler's command.
    pub compiler: Vec<String>,
    /// The first line of the compiler's `--version` output.
    pub version: String,
    /// The checks of one repetition.
    pub plan: Plan,
    /// The commands of one repetition.
    pub tasks: Vec<Task>,
    /// Where relative paths of the request start.
    pub dir: PathBuf,
    request: Request,
}

/// The language of a compiler, judged by its name.
pub(crate) fn language_of(compiler: &str) -> Language {
    let name = Path::new(compiler).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let is = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    if is(&["fortran", "flang", "ifort", "ifx", "nagfor", "f77", "f90", "f95", "xlf"]) {
        Language::Fortran
    } else if is(&["++", "cxx", "icpx"]) {
        Language::Cxx
    } else {
        Language::C
    }
}

/// The default compilers: those of the environment, else the installed ones.
pub(crate) fn default_compilers(environment: &Environment) -> Vec<String> {
    let from_env = ["FC", "CC"].iter().filter_map(|name| {
        let value = environment.env.iter().find(|(key, _)| key == name)?.1.to_str()?;
        (!value.trim().is_empty()).then(|| value.to_string())
    });
    let from_env: Vec<_> = from_env.collect();
    if !from_env.is_empty() {
        return from_env;
    }
    let known =
        ["gfortran", "flang-new", "flang-new-16", "flang", "ifx", "nvfortran", "gcc", "clang"];
    known.iter().filter(|name| which::which(name).is_ok()).map(|name| name.to_string()).collect()
}

impl Suite {
    /// Loads a suite by name, or the default suite for the compiler's language.
    pub(crate) fn load(name: Option<&str>, compiler: &str) -> Result<Self, String> {
        let command = shlex::split(compiler).filter(|words| !words.is_empty());
        let command = command.ok_or_else(|| format!("{compiler:?} is not a command"))?;
        let language = language_of(
            command.iter().find(|word| !is_launcher(word.as_ref())).unwrap_or(&command[0]),
        );
        let own = if language == Language::Fortran { "fortran" } else { "posix" };
        let name = name.unwrap_or(own);
        let (text, dir) = match name {
            "fortran" => (FORTRAN.to_string(), PathBuf::from(".")),
            "posix" => (POSIX.to_string(), PathBuf::from(".")),
            file => {
                let text = std::fs::read_to_string(file).map_err(|error| {
                    format!("{file}: {error}; a suite is fortran, posix or a request file")
                })?;
                (text, Path::new(".").join(Path::new(file).parent().unwrap_or(Path::new(""))))
            }
        };
        let (mut request, _) =
            parse::parse(text.as_bytes()).map_err(|error| format!("{name}: {error}"))?;
        let toolchain = match name {
            "fortran" => Language::Fortran,
            _ => language,
        };
        let toolchain = request.toolchains.entry(toolchain.name().into()).or_default();
        toolchain.command = Some(command.clone());
        let options = Options { base: Some(dir.clone()), ..Options::default() };
        let (plan, _) =
            plan_of(request.clone(), &options).map_err(|error| format!("{name}: {error}"))?;
        let tasks = tasks(&plan)?;
        Ok(Suite {
            name: name.into(),
            version: version(&command),
            compiler: command,
            plan,
            tasks,
            dir,
            request,
        })
    }

    /// The commands of all repetitions.
    pub(crate) fn repeated_tasks(&self, repeat: usize) -> Vec<Task> {
        (0..repeat).flat_map(|_| self.tasks.iter().cloned()).collect()
    }

    /// The request of one repetition.
    pub(crate) fn request(&self) -> &Request {
        &self.request
    }

    /// The request of all repetitions, with distinct ids.
    pub(crate) fn repeated_request(&self, repeat: usize) -> Request {
        let mut request = self.request.clone();
        let named = |repetition: usize, id: &String| format!("{id}_{repetition}");
        let all = (0..repeat).flat_map(|repetition| {
            self.request.checks.iter().map(move |check| {
                let mut check = check.clone();
                check.id = named(repetition, &check.id);
                let others = check.needs.iter_mut().chain(&mut check.alternative_to);
                others.for_each(|id| *id = named(repetition, id));
                check
            })
        });
        request.checks = all.collect();
        request
    }
}

/// The first line of `--version`; empty if the compiler does not support the option.
fn version(command: &[String]) -> String {
    let output = Command::new(&command[0])
        .args(&command[1..])
        .arg("--version")
        .stdin(Stdio::null())
        .output();
    let Ok(output) = output else { return String::new() };
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().into()
}
