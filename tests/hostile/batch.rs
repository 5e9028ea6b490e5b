//! The checks to run under every fault, and their right answers, taken from a run without faults.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::call::{Ended, Workspace};
use crate::support::*;
use crate::table::Row;

/// A word in the sources that a compiler misbehaves on.
pub const WORD: &str = "FAULT";

/// Answers by id: status and value.
pub type Answers = BTreeMap<String, (String, Value)>;

/// Checks of every kind, with a yes and a no each.
fn questions() -> Vec<Value> {
    vec![
        json!({"id": "HEADER", "kind": "header", "header": "stdio.h"}),
        json!({"id": "NO_HEADER", "kind": "header", "header": "no/such.h"}),
        json!({"id": "PRESENT", "kind": "header", "header": "unistd.h", "stage": "preprocess"}),
        json!({"id": "FUNCTION", "kind": "function", "function": "fork"}),
        json!({"id": "NO_FUNCTION", "kind": "function", "function": "no_such_function"}),
        json!({"id": "SYMBOL", "kind": "symbol", "symbol": "printf", "headers": ["stdio.h"]}),
        json!({"id": "NO_SYMBOL", "kind": "symbol", "symbol": "nope", "headers": ["stdio.h"]}),
        json!({"id": "TYPE", "kind": "type", "type": "FILE", "headers": ["stdio.h"]}),
        json!({"id": "NO_TYPE", "kind": "type", "type": "nope", "headers": ["stdio.h"]}),
        json!({"id": "MEMBER", "kind": "member", "type": "struct tm", "member": "tm_sec",
               "headers": ["time.h"]}),
        json!({"id": "SIZE", "kind": "sizeof", "type": "long"}),
        json!({"id": "NUMBER", "kind": "compute_int", "expression": "6 * 7"}),
        json!({"id": "MACRO", "kind": "define", "name": "__CHAR_BIT__"}),
        json!({"id": "LIBRARY", "kind": "library", "library": "m", "function": "cos"}),
        json!({"id": "NO_LIBRARY", "kind": "library", "library": "no_such_library"}),
        json!({"id": "FLAG", "kind": "compiler_flag", "flags": ["-Wall"]}),
        json!({"id": "NO_FLAG", "kind": "compiler_flag", "flags": ["-Wno-such-warning"]}),
        json!({"id": "ORDER", "kind": "endian"}),
        json!({"id": "REJECTED", "kind": "compiles", "source": "no C\n"}),
        json!({"id": "LINKED", "kind": "links", "source": "int main(void) { return 0; }\n"}),
        json!({"id": "RUNS", "kind": "runs", "source":
               "#include <stdio.h>\nint main(void) { puts(\"ran\"); return 0; }\n"}),
        json!({"id": "RUNS_NOT", "kind": "runs", "source": "int main(void) { return 3; }\n"}),
    ]
}

/// The ids of the small request, which is fast and has one check of each sort.
const FEW: [&str; 7] =
    ["NO_HEADER", "FUNCTION", "NO_FUNCTION", "SIZE", "REJECTED", "LINKED", "RUNS"];

/// Checks with the word in their sources, and a few plain ones. One of them needs another.
pub fn checks() -> Vec<Value> {
    let mut checks = Vec::new();
    for (suffix, prefix) in [("", String::new()), ("_F", format!("/* {WORD} */\n"))] {
        for mut check in questions() {
            let id = check["id"].as_str().unwrap().to_owned();
            if suffix.is_empty() && !FEW.contains(&id.as_str()) {
                continue;
            }
            if id == "MEMBER" {
                check["needs"] = json!([format!("TYPE{suffix}")]);
            }
            check["id"] = json!(id + suffix);
            check["prefix"] = json!(prefix);
            checks.push(check);
        }
    }
    checks
}

/// The request for a compiler.
pub fn request(compiler: &str) -> Value {
    json!({"toolchains": {"c": {"command": [compiler]}}, "checks": checks()})
}

/// A smaller request, in which half of the sources contain the word.
pub fn small_request(compiler: &str) -> Value {
    let mut request = request(compiler);
    let is_kept =
        |check: &Value| FEW.contains(&check["id"].as_str().unwrap().trim_end_matches("_F"));
    request["checks"].as_array_mut().unwrap().retain(is_kept);
    request
}

/// The right answers to the request.
pub fn right() -> &'static Answers {
    static RIGHT: OnceLock<Answers> = OnceLock::new();
    RIGHT.get_or_init(|| right_for(&request(&need("gcc"))))
}

/// The right answers to the small request.
pub fn right_of_small() -> &'static Answers {
    static RIGHT: OnceLock<Answers> = OnceLock::new();
    RIGHT.get_or_init(|| right_for(&small_request(&need("gcc"))))
}

/// The right answers to a request.
pub fn right_for(request: &Value) -> Answers {
    let workspace = Workspace::new();
    let ended = workspace.check(&[]).run(request.to_string().as_bytes());
    let answers = answers(&ended.stdout).unwrap_or_else(|why| panic!("{why} in {ended:?}"));
    assert!(answers.values().all(|(status, _)| status != "error"), "no healthy run: {ended:?}");
    answers
}

/// The answers in a response. Errors have a code.
pub fn answers(stdout: &[u8]) -> Result<Answers, String> {
    let response: Value = serde_json::from_slice(stdout).map_err(|why| why.to_string())?;
    let results = response["results"].as_array().ok_or("no results")?;
    let is_none = |result: &&Value| result["status"] == "error" || result["status"] == "skipped";
    if let Some(result) = results.iter().filter(is_none).find(|result| !result["code"].is_string())
    {
        return Err(format!("no code: {result}"));
    }
    Ok(results.iter().map(answer).collect())
}

fn answer(result: &Value) -> (String, (String, Value)) {
    let text = |name: &str| result[name].as_str().unwrap_or_default().to_owned();
    (text("id"), (text("status"), result["value"].clone()))
}

impl Row {
    /// Checks the complete answers of a run under the fault.
    pub fn look(&mut self, workspace: &Workspace, ended: &Ended, right: &Answers) {
        self.ended(workspace, ended);
        let response: Value = serde_json::from_slice(&ended.stdout).unwrap_or_default();
        let is_refusal = ["message", "code"].iter().all(|it| response["error"][*it].is_string());
        match ended.code() {
            Some(2) => {
                if !is_refusal {
                    self.wrong.push(format!("a refusal without a word: {ended:?}"));
                }
                self.refused += 1;
            }
            // Nothing could be run.
            Some(3) if is_refusal => self.refused += 1,
            Some(3) if ended.stdout.is_empty() => {
                if ended.stderr.is_empty() {
                    self.wrong.push("nothing could be run, and nothing is said".into());
                }
                self.refused += 1;
            }
            Some(0 | 1 | 3) => match answers(&ended.stdout) {
                Ok(answers) => self.compare(&answers, right, ended.code()),
                Err(why) => self.wrong.push(format!("{why} in {ended:?}")),
            },
            _ if ended.hung => {}
            _ => self.wrong.push(format!("ended otherwise: {ended:?}")),
        }
    }

    /// Compares all answers.
    pub fn compare(&mut self, answers: &Answers, right: &Answers, code: Option<i32>) {
        let errors = self.error;
        for (id, expected) in right {
            self.compare_one(id, answers.get(id), expected);
        }
        let made_up = answers.keys().filter(|id| !right.contains_key(*id));
        self.wrong.extend(made_up.map(|id| format!("{id} was not asked")));
        let says_so = code == Some(3);
        let has_errors = answers.values().any(|(status, _)| status == "error");
        if says_so != has_errors {
            self.wrong.push(format!("status {code:?} with {} errors", self.error - errors));
        }
    }

    /// Compares one answer.
    pub fn compare_one(
        &mut self,
        id: &str,
        answer: Option<&(String, Value)>,
        expected: &(String, Value),
    ) {
        match answer {
            None => self.wrong.push(format!("{id} has no answer")),
            Some(answer) if answer == expected => self.right += 1,
            // A check that needs an error is skipped, which is not an answer either.
            Some((status, Value::Null)) if status == "error" || status == "skipped" => {
                self.error += 1;
            }
            Some(answer) => self.wrong.push(format!("{id} is {answer:?} and not {expected:?}")),
        }
    }
}
