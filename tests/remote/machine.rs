//! A machine: a store of its own, and what is installed there.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::TRYALL;

/// What is installed, and asked about. All machines see it under the same path.
pub struct World {
    dir: tempfile::TempDir,
}

/// A machine with an empty store.
pub struct Machine {
    dir: tempfile::TempDir,
    env: Vec<(String, String)>,
}

/// How long machines wait for servers, in milliseconds: this one may be busy.
pub const PATIENT: &str = "60000";

/// What a run of `tryall check` has said.
#[derive(Debug)]
pub struct Ran {
    /// Status and value by id.
    pub answers: BTreeMap<String, String>,
    pub stored: u64,
    pub stderr: String,
}

impl World {
    /// With a header.
    pub fn new(header: &str) -> World {
        let world = World { dir: tempfile::tempdir().unwrap() };
        world.install(header);
        let checks = json!({"checks": [
            {"id": "ONE", "kind": "header", "header": "one.h", "include_dirs": [world.include()]},
            {"id": "VALUE", "kind": "compute_int", "expression": "ONE", "headers": ["one.h"],
             "include_dirs": [world.include()]},
            {"id": "MISSING", "kind": "header", "header": "two.h", "include_dirs": [world.include()]},
            {"id": "FORK", "kind": "function", "function": "fork"},
        ]});
        fs::write(world.dir.path().join("checks.json"), checks.to_string()).unwrap();
        world
    }

    fn include(&self) -> PathBuf {
        self.dir.path().join("include")
    }

    /// Installs the header anew: inode and times are others.
    pub fn install(&self, header: &str) {
        let _ = fs::remove_dir_all(self.include());
        fs::create_dir(self.include()).unwrap();
        fs::write(self.include().join("one.h"), header).unwrap();
    }

    /// Installs another header.
    pub fn add(&self, name: &str) {
        fs::write(self.include().join(name), "").unwrap();
    }
}

impl Machine {
    /// Which asks a remote store.
    pub fn new(url: &str) -> Machine {
        let machine = Machine { dir: tempfile::tempdir().unwrap(), env: Vec::new() };
        machine.with("TRYALL_REMOTE", url).with("TRYALL_REMOTE_WAIT", PATIENT)
    }

    /// Which writes to it, too.
    pub fn writing(url: &str) -> Machine {
        Machine::new(url).with("TRYALL_REMOTE_MODE", "rw")
    }

    /// With a variable.
    pub fn with(mut self, name: &str, value: &str) -> Machine {
        self.env.push((name.into(), value.into()));
        self
    }

    /// A command in its environment.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command.env("TRYALL_STORE", self.dir.path().join("store")).env("HOME", self.dir.path());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Its home directory.
    pub fn home(&self) -> PathBuf {
        self.dir.path().into()
    }

    /// Makes the checks of a world.
    pub fn check(&self, world: &World) -> Ran {
        let mut command = self.command(TRYALL);
        command.args(["check", "--format", "json"]).arg(world.dir.path().join("checks.json"));
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{stderr}");
        let response: Value = serde_json::from_slice(&output.stdout).unwrap();
        let answer = |it: &Value| {
            let (status, value) = (it["status"].as_str().unwrap(), &it["value"]);
            (it["id"].as_str().unwrap().to_owned(), format!("{status} {value}"))
        };
        Ran {
            answers: response["results"].as_array().unwrap().iter().map(answer).collect(),
            stored: response["summary"]["stored"].as_u64().unwrap(),
            stderr,
        }
    }

    /// What `tryall store stats` says of the remote store.
    pub fn remote(&self) -> String {
        let output = self.command(TRYALL).args(["store", "stats"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text.lines().find(|line| line.starts_with("remote"));
        line.unwrap_or_else(|| panic!("{text}")).to_owned()
    }
}

/// All checks of a world.
pub const ALL: u64 = 4;

/// The answers in a world, by a machine without any store.
pub fn truth(world: &World) -> BTreeMap<String, String> {
    let ran = Machine::new("").with("TRYALL_STORE", "off").check(world);
    assert_eq!(ran.stored, 0);
    ran.answers
}
