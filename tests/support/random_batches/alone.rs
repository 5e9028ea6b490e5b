//! Runs batches and single checks, and compares their answers.
//!
//! The answer of a single check depends only on the check, its toolchain and the compiler, so it is
//! cached under these, without the check's id. Every cached answer was computed with `--no-fuse` in
//! this run; nothing is kept between runs. Timings are not cached.

use std::collections::HashMap;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};

use super::{Batch, pools, with_ballast};

/// The results of a request.
pub struct Asked {
    /// The results, in the order of the checks.
    pub results: Vec<Value>,
    /// The number of compiler commands.
    pub commands: u64,
}

/// The answers of single checks.
pub struct Alone<'a> {
    tryall: &'a str,
    versions: HashMap<&'static str, String>,
    /// The results, by [`Alone::key`].
    answers: HashMap<String, Value>,
    /// The number of compiler commands that they took.
    pub commands: u64,
}

/// The result of comparing a batch.
#[derive(Default)]
pub struct Compared {
    /// The number of answers.
    pub answers: usize,
    /// The number of answers that shared a command.
    pub fused: usize,
    /// Differences, with everything needed to reproduce them.
    pub differences: Vec<String>,
}

/// Runs a batch normally, with additional checks at its end that are ignored.
pub fn together(tryall: &str, batch: &Batch) -> Result<Asked, String> {
    let asked = ask(tryall, &with_ballast(&batch.request), &[batch.jobs])?;
    let results = asked.results.into_iter().take(checks_of(batch).len()).collect();
    Ok(Asked { results, ..asked })
}

impl<'a> Alone<'a> {
    /// Starts with an empty cache.
    pub fn new(tryall: &'a str) -> Self {
        let version = |(_, compiler): &(_, &'static str)| {
            let ran = Command::new(compiler).arg("--version").output();
            let ran = ran.unwrap_or_else(|error| panic!("{compiler} is missing: {error}"));
            (*compiler, String::from_utf8_lossy(&ran.stdout).into_owned())
        };
        let versions = pools::COMPILERS.iter().map(version).collect();
        Alone { tryall, versions, answers: HashMap::new(), commands: 0 }
    }

    /// The number of cached answers.
    pub fn known(&self) -> usize {
        self.answers.len()
    }

    fn key(&self, batch: &Batch, check: &Value) -> String {
        let check = numbered(check, 0);
        let toolchain = &batch.request["toolchains"][check["toolchain"].as_str().unwrap_or("")];
        format!("{}{toolchain}{check}", self.versions[batch.compiler])
    }

    /// Runs, without sharing and in one request, the checks of these batches that shared commands
    /// and are not cached.
    pub fn learn(&mut self, asked: &[(Batch, Asked)]) -> Result<(), String> {
        let (mut keys, mut checks, mut toolchains) = (Vec::new(), Vec::new(), Map::new());
        self.answers.retain(|key, _| !key.contains("__DATE__") && !key.contains("__TIME"));
        let mut seen = std::collections::HashSet::new();
        for (batch, asked) in asked {
            for (check, result) in std::iter::zip(checks_of(batch), &asked.results) {
                let key = self.key(batch, check);
                if result["how"] == "run"
                    || self.answers.contains_key(&key)
                    || !seen.insert(key.clone())
                {
                    continue;
                }
                toolchains.extend(batch.request["toolchains"].as_object().expect("it is").clone());
                checks.push(numbered(check, keys.len()));
                keys.push(key);
            }
        }
        for (key, result) in std::iter::zip(keys, self.ask(toolchains, checks)?) {
            self.answers.insert(key, result);
        }
        Ok(())
    }

    /// Compares the answers of a batch with the cached ones.
    pub fn compare(&self, batch: &Batch, asked: &Asked) -> Compared {
        let mut compared = Compared { answers: asked.results.len(), ..Compared::default() };
        for (check, result) in std::iter::zip(checks_of(batch), &asked.results) {
            compared.fused += usize::from(result["how"] == "fused");
            if let Some(rightly) = skipped(check, result, asked) {
                if !rightly {
                    compared.differences.push(format!("{check} was skipped: {}", batch.request));
                }
                continue;
            }
            if let Some(alone) = self.answers.get(&self.key(batch, check)) {
                compared.differences.extend(difference(batch, check, ("together", result), alone));
            }
        }
        compared
    }

    /// Runs every check of a batch alone, even cached ones, and compares both with the results.
    pub fn afresh(&mut self, batch: &Batch, asked: &Asked) -> Result<Vec<String>, String> {
        let checks = checks_of(batch);
        let toolchains = batch.request["toolchains"].as_object().expect("it is");
        let numbered = checks.iter().enumerate().map(|(number, check)| numbered(check, number));
        let alone = self.ask(toolchains.clone(), numbered.collect())?;
        let mut differences = Vec::new();
        for ((check, result), alone) in std::iter::zip(checks, &asked.results).zip(&alone) {
            if result["status"] == "skipped" {
                continue;
            }
            differences.extend(difference(batch, check, ("together", result), alone));
            if let Some(known) = self.answers.get(&self.key(batch, check)) {
                differences.extend(difference(batch, check, ("remembered", known), alone));
            }
        }
        Ok(differences)
    }

    fn ask(
        &mut self,
        toolchains: Map<String, Value>,
        checks: Vec<Value>,
    ) -> Result<Vec<Value>, String> {
        if checks.is_empty() {
            return Ok(Vec::new());
        }
        let request = json!({"toolchains": toolchains, "checks": checks});
        let asked = ask(self.tryall, &request, &["-j2", "--no-fuse"])?;
        self.commands += asked.commands;
        match asked.results.iter().find(|result| result["how"] == "fused") {
            Some(shared) => Err(format!("asked alone, and yet shared: {shared:#}")),
            None => Ok(asked.results),
        }
    }
}

fn checks_of(batch: &Batch) -> &[Value] {
    batch.request["checks"].as_array().expect("there are checks")
}

/// A check with another id and without needs.
fn numbered(check: &Value, number: usize) -> Value {
    let mut check = check.clone();
    check["id"] = json!(number.to_string());
    check.as_object_mut().expect("it is one").remove("needs");
    check
}

/// Whether a check was skipped, and whether the check that it needs is missing.
fn skipped(check: &Value, result: &Value, asked: &Asked) -> Option<bool> {
    let needs = check["needs"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_met = |need: &Value| {
        asked.results.iter().any(|result| result["id"] == *need && result["status"] == "yes")
    };
    (result["status"] == "skipped").then(|| !needs.iter().all(is_met))
}

fn difference(
    batch: &Batch,
    check: &Value,
    (name, result): (&str, &Value),
    alone: &Value,
) -> Option<String> {
    let differs = (&result["status"], &result["value"]) != (&alone["status"], &alone["value"]);
    differs.then(|| {
        format!(
            "{}: {check}\n{name}: {result:#}\nalone: {alone:#}\nrequest ({}): {}",
            batch.compiler, batch.jobs, batch.request
        )
    })
}

fn ask(tryall: &str, request: &Value, args: &[&str]) -> Result<Asked, String> {
    let mut command = Command::new(tryall);
    command.args(["check", "-"]).args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
    // Don't use the caller's jobserver tokens.
    command.env_remove("MAKEFLAGS").env_remove("CARGO_MAKEFLAGS");
    let mut child = command.stderr(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
    let mut stdin = child.stdin.take().expect("it is a pipe");
    stdin.write_all(request.to_string().as_bytes()).map_err(|error| error.to_string())?;
    drop(stdin);
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let mut response: Value = serde_json::from_slice(&output.stdout).map_err(|error| {
        format!("{error}: {}\n{request}", String::from_utf8_lossy(&output.stderr))
    })?;
    let commands = response["summary"]["processes"].as_u64().unwrap_or_default();
    match response["results"].take() {
        Value::Array(results) => Ok(Asked { results, commands }),
        _ => Err(format!("{response}\n{request}")),
    }
}
