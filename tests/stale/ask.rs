//! Asks questions, with the store or without, and compares the answers.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use regex_lite::Regex;
use serde_json::{Value, json};

use crate::questions::{Question, toolchains_of_request};
use crate::support::TRYALL;
use crate::world::World;

/// How questions are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// With the store, each question alone.
    Apart,
    /// With another store, and shared commands.
    Shared,
    /// Without a store: the compiler's own answers.
    Judge,
}

/// Answers by id.
pub type Answers = BTreeMap<String, Value>;

/// A batch that was asked and not yet answered.
pub struct Asked(Child);

/// Asks some questions.
pub fn begin(world: &World, questions: &[&Question], mode: Mode) -> Asked {
    let checks: Vec<_> = questions.iter().map(|question| &question.check).collect();
    let request =
        json!({"timeout": 300, "toolchains": toolchains_of_request(world), "checks": checks});
    let mut command = Command::new(TRYALL);
    command.args(["check", "-", "-j2"]).current_dir(world.path("work"));
    command.env_clear().envs(&world.env).env("TRYALL_STORE", store(world, mode));
    match mode {
        Mode::Apart => command.arg("--no-fuse"),
        Mode::Shared => &mut command,
        Mode::Judge => command.args(["--no-fuse", "--no-store"]),
    };
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // SAFETY: it only makes system calls.
    unsafe { command.pre_exec(obey_permissions) };
    let mut child = command.spawn().unwrap();
    let written = child.stdin.take().unwrap().write_all(request.to_string().as_bytes());
    written.expect("a request is read to its end");
    Asked(child)
}

/// The most memory that a compiler may take, in bytes. Some damaged inputs make compilers take all.
const MOST_MEMORY: u64 = 4 << 30;

/// From the next program on, permissions hold for root as well, and memory is limited.
fn obey_permissions() -> std::io::Result<()> {
    nix::sys::resource::setrlimit(
        nix::sys::resource::Resource::RLIMIT_AS,
        MOST_MEMORY,
        MOST_MEMORY,
    )?;
    const CAP_DAC_OVERRIDE: libc::c_ulong = 1;
    const CAP_DAC_READ_SEARCH: libc::c_ulong = 2;
    for capability in [CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH] {
        // SAFETY: it takes numbers only. Whoever has no capabilities cannot drop them, either.
        unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
    }
    Ok(())
}

impl Asked {
    /// Whether it has ended.
    pub fn is_answered(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// The answers.
    pub fn answers(self) -> Answers {
        let output = self.0.wait_with_output().unwrap();
        let response: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|why| panic!("{why}: {output:?}"));
        let results = response["results"].as_array().unwrap_or_else(|| panic!("{output:?}"));
        let id = |result: &Value| result["id"].as_str().unwrap().to_string();
        results.iter().map(|result| (id(result), result.clone())).collect()
    }
}

/// Asks some questions and waits for the answers.
pub fn ask(world: &World, questions: &[&Question], mode: Mode) -> Answers {
    if questions.is_empty() {
        return Answers::new();
    }
    // A full pipe would stop the program, but a thread of the standard library empties both.
    begin(world, questions, mode).answers()
}

/// Why the latest answer with an id was not found when it was asked for.
pub fn why_missed(world: &World, id: &str, mode: Mode) -> String {
    let mut command = Command::new(TRYALL);
    command.args(["why", id]).env_clear().envs(&world.env);
    let output = command.env("TRYALL_STORE", store(world, mode)).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().take(12).collect::<Vec<_>>().join("\n")
}

/// The store of a mode.
fn store(world: &World, mode: Mode) -> PathBuf {
    world.path(if mode == Mode::Shared { "store-shared" } else { "store" })
}

/// The fields in which an answer differs from the compiler's.
pub fn differences(world: &World, mode: Mode, is: &Value, right: &Value) -> Vec<&'static str> {
    let fields: &[&str] = match mode {
        // A shared command and its output are not those of the check alone.
        Mode::Shared => &["status", "value", "code"],
        // Errors come from whichever command failed first, and are never kept.
        _ if right["status"] == "error" => &["status", "code"],
        _ => &["status", "value", "code", "reason", "exit_code", "command", "output", "source"],
    };
    let differs =
        |field: &&&'static str| masked(world, &is[**field]) != masked(world, &right[**field]);
    fields.iter().filter(differs).copied().collect()
}

/// A part of an answer without the names of temporary files.
fn masked(world: &World, part: &Value) -> String {
    let root = regex_lite::escape(world.root().to_str().unwrap());
    let pattern =
        format!(r#"{root}/tmp[23]?/[^\s:'"`)]*|\b(cc[A-Za-z0-9]{{6}}|conftest-[0-9a-f]{{6}})\b"#);
    Regex::new(&pattern).unwrap().replace_all(&part.to_string(), "<temporary>").into_owned()
}
