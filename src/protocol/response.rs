//! The response: its types as they are serialized.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::code::Code;
use crate::protocol::{BadRequest, VERSION};

/// The output for a request.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Response {
    /// The request ran.
    Answered(Answers),
    /// The request is invalid, or the checks could not run.
    Refused(Refusal),
}

/// The answers to a request.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// The version of the protocol.
    #[schemars(extend("const" = VERSION))]
    pub version: u32,
    /// The results, in the order of the request.
    pub results: Vec<Answer>,
    /// Counts and costs.
    pub summary: Summary,
}

/// Why there are no results: the request is invalid, or nothing could run.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// The version of the protocol.
    #[schemars(extend("const" = VERSION))]
    pub version: u32,
    /// What is wrong, and where.
    pub error: BadRequest,
}

/// The result of a check.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The check's id.
    pub id: String,
    /// Whether there is an answer, and which.
    pub status: Status,
    /// The value, for kinds that have one.
    pub value: Option<Value>,
    /// How the answer was found.
    pub how: How,
    /// From the start of the check's first command to the end of its last, in milliseconds. 0 if
    /// the answer was in the store.
    pub duration_ms: f64,
    /// The compiler command that decided. It ran in a directory that contained `source` under the
    /// file name in the command.
    pub command: Vec<String>,
    /// The exit status of the command that decided, or for `runs` that of the program. `null` if it
    /// did not end by itself.
    pub exit_code: Option<i32>,
    /// The output of the command, including standard error.
    pub output: String,
    /// Whether the middle is missing from `output`, from a program's `stdout`, or from a step's
    /// output.
    pub output_truncated: bool,
    /// For `error`, what happened and what to do. For `skipped`, the need that was not met. For a
    /// duplicate, the check that asked first. For `no`, what the exit status does not show.
    pub reason: Option<String>,
    /// The reason for programs. A duplicate has the code of the check that asked first, which is
    /// `null` for a yes.
    pub code: Option<Code>,
    /// The source that was compiled; `null` for a file of the caller.
    pub source: Option<String>,
    /// With explicit commands: the commands that ran, in order (compile, link, program). Otherwise
    /// absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

impl Answer {
    /// The status and the value, for messages that compare answers.
    pub(crate) fn status_and_value(&self) -> String {
        match &self.value {
            Some(value) => {
                let value = serde_json::to_string(value).unwrap_or_default();
                format!("{} {value}", self.status.name())
            }
            None => self.status.name().into(),
        }
    }
}

/// One command of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The command.
    pub command: Vec<String>,
    /// The exit status; `null` if the command did not end by itself.
    pub exit_code: Option<i32>,
    /// The output, including standard error. For a program, without what `stdout` of the value
    /// contains.
    pub output: String,
    /// Whether the command did not run because the same link is known to succeed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub known: bool,
}

/// The status of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The compiler answered yes.
    Yes,
    /// The compiler answered no.
    No,
    /// There is no answer.
    Error,
    /// A check in `needs` did not answer yes.
    Skipped,
}

impl Status {
    /// The name in the protocol.
    pub fn name(self) -> &'static str {
        match self {
            Status::Yes => "yes",
            Status::No => "no",
            Status::Error => "error",
            Status::Skipped => "skipped",
        }
    }
}

/// How an answer was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// By commands of its own.
    Run,
    /// By a command that it shared with other checks.
    Fused,
    /// By another check that asks the same. `reason` names it.
    Duplicate,
    /// In the store: an earlier run got it from the compiler, and everything that it rests on is
    /// unchanged.
    Stored,
}

/// The value of a result, for kinds that have one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Value {
    /// For `sizeof`, `alignment` and `compute_int`: from -2^63 to 2^64-1.
    Integer(#[schemars(with = "i128")] serde_json::Number),
    /// For `define` and `endian`.
    Text(String),
    /// For `runs`.
    Program {
        /// The exit status; `null` if a signal ended the program.
        exit_status: Option<i32>,
        /// The program's standard output.
        stdout: String,
        /// The number of the signal that ended the program; absent if none did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signal: Option<i32>,
    },
}

/// Counts and costs of a request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Results with status yes.
    pub yes: usize,
    /// Results with status no.
    pub no: usize,
    /// Results with status error.
    pub error: usize,
    /// Results with status skipped.
    pub skipped: usize,
    /// Results that were in the store.
    pub stored: usize,
    /// How many commands were started, including those that probe toolchains.
    pub processes: u64,
    /// Time from the start of the first command to the end of the last, in milliseconds.
    pub wall_ms: f64,
    /// CPU time of all commands, in milliseconds.
    pub cpu_ms: f64,
    /// How many commands could run at once.
    pub jobs: usize,
}

impl Summary {
    /// Counts a result.
    pub(crate) fn count(&mut self, answer: &Answer) {
        self.stored += usize::from(answer.how == How::Stored);
        *match answer.status {
            Status::Yes => &mut self.yes,
            Status::No => &mut self.no,
            Status::Error => &mut self.error,
            Status::Skipped => &mut self.skipped,
        } += 1;
    }
}
