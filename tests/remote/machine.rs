//! A machine: a store of its own, and what is installed there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
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
    /// What stands in the place of the headers, if not those of the world.
    headers: Option<PathBuf>,
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
        World::asking(header, &[json!({"id": "FORK", "kind": "function", "function": "fork"})])
    }

    /// With a header, and without the one question that all worlds have in common.
    pub fn without_function(header: &str) -> World {
        World::asking(header, &[])
    }

    fn asking(header: &str, more: &[Value]) -> World {
        let world = World { dir: tempfile::tempdir().unwrap() };
        world.install(header);
        let dirs = [world.include()];
        let mut checks = vec![
            json!({"id": "ONE", "kind": "header", "header": "one.h", "include_dirs": dirs}),
            json!({"id": "VALUE", "kind": "compute_int", "expression": "ONE", "headers": ["one.h"],
                   "include_dirs": dirs}),
            json!({"id": "MISSING", "kind": "header", "header": "two.h", "include_dirs": dirs}),
        ];
        checks.extend_from_slice(more);
        let request = json!({"checks": checks}).to_string();
        fs::write(world.dir.path().join("checks.json"), request).unwrap();
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
        let machine = Machine { dir: tempfile::tempdir().unwrap(), env: Vec::new(), headers: None };
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

    /// With other headers at the same place: those in a directory. It has mounts of its own.
    pub fn with_headers(mut self, headers: &Path) -> Machine {
        self.headers = Some(headers.into());
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
        let mut command = match &self.headers {
            None => self.command(TRYALL),
            Some(headers) => {
                let script = "mount --bind \"$1\" \"$2\" && shift 2 && exec \"$@\"";
                let mut command = self.command("unshare");
                command.args(["-rm", "sh", "-c", script, "sh"]);
                command.arg(headers).arg(world.include()).arg(TRYALL);
                command
            }
        };
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

    /// What `tryall store stats` says of the remote store: of it now, and of its last use.
    pub fn remote(&self) -> String {
        let output = self.command(TRYALL).args(["store", "stats"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let at = text.find("\nremote").unwrap_or_else(|| panic!("{text}"));
        text[at..].to_owned()
    }
}

/// All checks of a world.
pub const ALL: u64 = 4;

/// The answers in a world, by a machine without any store.
pub fn truth(world: &World) -> BTreeMap<String, String> {
    truth_for(Machine::new(""), world)
}

/// The answers in a world, by a machine like this without any store.
pub fn truth_for(machine: Machine, world: &World) -> BTreeMap<String, String> {
    let ran = machine.with("TRYALL_REMOTE", "off").with("TRYALL_STORE", "off").check(world);
    assert_eq!(ran.stored, 0);
    ran.answers
}
