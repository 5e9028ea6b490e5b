//! What is measured: a suite of checks with one compiler.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

use serde_json::{Value, json};

use super::task::{Task, tasks};
use crate::compiler::language::Language;
use crate::plan::toolchain::{Surroundings, is_launcher};
use crate::plan::{self, Origin, Plan};
use crate::protocol::parse;

const FORTRAN: &str = include_str!("../../examples/fortran.json");
const POSIX: &str = include_str!("../../examples/posix.json");

/// A suite with the compiler that it is measured with.
pub struct Suite {
    /// `fortran`, `posix` or a file's name.
    pub name: String,
    /// The compiler's command.
    pub compiler: Vec<String>,
    /// The first line of what it says of its version.
    pub version: String,
    /// The checks, once.
    pub plan: Plan,
    /// The commands, once.
    pub tasks: Vec<Task>,
    /// Where relative paths of the request start.
    pub dir: PathBuf,
    request: Value,
}

/// The language that a compiler is for, by its name.
pub fn language_of(compiler: &str) -> Language {
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

/// The compilers when none are named: the environment's, else those that are found.
pub fn default_compilers(surroundings: &Surroundings) -> Vec<String> {
    let from_env = ["FC", "CC"].iter().filter_map(|name| {
        let value = surroundings.env.iter().find(|(key, _)| key == name)?.1.to_str()?;
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
    /// A suite by its name, or the one that suits the compiler's language.
    pub fn load(name: Option<&str>, compiler: &str) -> Result<Self, String> {
        let command = shlex::split(compiler).filter(|words| !words.is_empty());
        let command = command.ok_or_else(|| format!("{compiler:?} is no command"))?;
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
        let mut request: Value =
            serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
        let toolchain = match name {
            "fortran" => Language::Fortran,
            _ => language,
        };
        request["toolchains"][toolchain.name()]["command"] = json!(command);
        let plan = plan_of(&request, &dir).map_err(|error| format!("{name}: {error}"))?;
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

    /// The commands, as often as they are to be repeated.
    pub fn repeated_tasks(&self, repeat: usize) -> Vec<Task> {
        (0..repeat).flat_map(|_| self.tasks.iter().cloned()).collect()
    }

    /// The request, once.
    pub fn request(&self) -> &Value {
        &self.request
    }

    /// The request, as often as it is to be repeated, under names of their own.
    pub fn repeated_request(&self, repeat: usize) -> Value {
        let mut request = self.request.clone();
        let checks = self.request["checks"].as_array().cloned().unwrap_or_default();
        let named = |repetition: usize, id: &Value| {
            json!(format!("{}_{repetition}", id.as_str().unwrap_or_default()))
        };
        let all = (0..repeat).flat_map(|repetition| {
            checks.iter().map(move |check| {
                let mut check = check.clone();
                check["id"] = named(repetition, &check["id"]);
                for need in
                    check.get_mut("needs").and_then(Value::as_array_mut).into_iter().flatten()
                {
                    *need = named(repetition, need);
                }
                check
            })
        });
        request["checks"] = all.collect();
        request
    }
}

fn plan_of(request: &Value, dir: &Path) -> Result<Plan, String> {
    let surroundings = Surroundings::of_process().map_err(|error| error.to_string())?;
    let text = request.to_string();
    let (request, text) = parse::parse(text.as_bytes()).map_err(|error| error.to_string())?;
    let base = Rc::new(surroundings.dir.join(dir));
    let origins = Origin::of_request(&request, &base);
    let input = plan::Input {
        request,
        origins,
        text: Some(text),
        base: &base,
        timeout: None,
        surroundings: &surroundings,
    };
    plan::plan(input).map_err(|error| error.to_string())
}

/// What a compiler says of itself. One that does not know the question has no version.
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
