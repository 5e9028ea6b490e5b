//! A check in the form in which the store keeps it, so that it can be asked again.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::plan::Plan;
use crate::plan::ids::CheckId;
use crate::protocol::{Check, Kind, Toolchain};

/// A check with what its answer depends on besides the environment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// The directory that relative paths of the check start from.
    pub(crate) base: PathBuf,
    /// Its toolchain.
    pub(crate) toolchain: Toolchain,
    /// The check, without needs and product.
    pub(crate) check: Check,
}

impl Asked {
    /// The check of a plan. `None` if it cannot be written down.
    pub(crate) fn of(plan: &Plan, id: CheckId) -> Option<Self> {
        let given = &plan.given[id];
        let toolchain =
            plan.toolchains[plan.questions[plan.checks[id].question].toolchain].as_given()?;
        let check = Check {
            toolchain: None,
            language: None,
            needs: Vec::new(),
            product: None,
            product_is_data: None,
            ..given.check.clone()
        };
        Some(Asked { base: given.origin.base.to_path_buf(), toolchain, check })
    }

    /// The check whether the program of this one can be built.
    pub(super) fn built(self) -> Self {
        let check = Check {
            kind: Kind::Links,
            run_args: None,
            merge_output: None,
            run_dir: None,
            fail_patterns: Vec::new(),
            ..self.check
        };
        Asked { check, ..self }
    }

    /// The check as JSON, without the fields that were not given.
    pub(super) fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut value = serde_json::to_value(self).ok()?;
        for part in ["toolchain", "check"] {
            if let Value::Object(fields) = &mut value[part] {
                fields.retain(|_, value| !value.is_null());
            }
        }
        serde_json::to_vec(&value).ok()
    }

    /// The check that [`Asked::to_bytes`] has written.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}
