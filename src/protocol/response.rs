//! The response: the types of the protocol as they stand on the wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::code::Code;
use crate::protocol::{BadRequest, VERSION};

/// What is printed for a request.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Response {
    /// The request was run.
    Answered(Answers),
    /// The request is unusable, or the checks could not be run.
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

/// Why there are no results: the request is unusable, or nothing could be run.
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
    /// The answer, or that there is none.
    pub status: Status,
    /// What the kind asks for beyond yes and no.
    pub value: Option<Value>,
    /// How the answer was had.
    pub how: How,
    /// From the start of the check's first command to the end of its last, in milliseconds.
    pub duration_ms: f64,
    /// The compiler command whose outcome decided. It ran in a directory that held `source`
    /// under the name that the command gives.
    pub command: Vec<String>,
    /// The exit status of the command that decided; of the program for `runs`. `null` if none
    /// ended by itself.
    pub exit_code: Option<i32>,
    /// What the command wrote, standard error included.
    pub output: String,
    /// Whether the middle of `output`, of a program's `stdout` or of a step's output is missing.
    pub output_truncated: bool,
    /// For `error` what happened and what to do; for `skipped` the need that was not met; for
    /// a duplicate the check that asked first; for `no` what the exit status does not say.
    pub reason: Option<String>,
    /// The same for programs. A duplicate has that of the check that asked first, which is `null` for
    /// a yes.
    pub code: Option<Code>,
    /// The source that was compiled; `null` for a file of the caller's.
    pub source: Option<String>,
    /// With a toolchain whose commands are given in full: what was run, in order (compile, link,
    /// the program), as far as it went. Otherwise it is not there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

impl Answer {
    /// The status and the value, for messages that compare answers.
    pub fn status_and_value(&self) -> String {
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
    /// Its exit status; `null` if it did not end by itself.
    pub exit_code: Option<i32>,
    /// What it wrote, standard error included; of a program, without what stands in `stdout` of
    /// the value.
    pub output: String,
    /// Whether it was not run, because the same link is known to work.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub known: bool,
}

/// The heart of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The compiler says yes.
    Yes,
    /// The compiler says no.
    No,
    /// No answer was had.
    Error,
    /// Something in `needs` was not yes.
    Skipped,
}

impl Status {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Status::Yes => "yes",
            Status::No => "no",
            Status::Error => "error",
            Status::Skipped => "skipped",
        }
    }
}

/// How an answer was had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// By commands of its own.
    Run,
    /// By a compile that it shared with other checks.
    Fused,
    /// It is the same question as another check's, which `reason` names.
    Duplicate,
    /// It was kept from before and still holds.
    Stored,
}

/// What a kind asks for beyond yes and no.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Value {
    /// Of `sizeof`, `alignment` and `compute_int`. From -2^63 to 2^64-1.
    Integer(#[schemars(with = "i128")] serde_json::Number),
    /// Of `define` and `endian`.
    Text(String),
    /// Of `runs`.
    Program {
        /// The exit status; `null` if a signal ended the program.
        exit_status: Option<i32>,
        /// The program's standard output.
        stdout: String,
        /// The number of the signal that ended the program; not there if none did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signal: Option<i32>,
    },
}

/// Counts and costs of a batch.
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
    /// Commands that were started, those included that try a toolchain before its checks.
    pub processes: u64,
    /// Time from the start of the first to the end of the last, in milliseconds.
    pub wall_ms: f64,
    /// CPU time of all commands, in milliseconds.
    pub cpu_ms: f64,
    /// How many could run at once.
    pub jobs: usize,
}

impl Summary {
    /// Counts a result.
    pub fn count(&mut self, status: Status) {
        *match status {
            Status::Yes => &mut self.yes,
            Status::No => &mut self.no,
            Status::Error => &mut self.error,
            Status::Skipped => &mut self.skipped,
        } += 1;
    }
}
