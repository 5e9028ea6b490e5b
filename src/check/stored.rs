//! The form in which the store keeps an outcome.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::check::Outcome;
use crate::check::asked::Asked;
use crate::check::files::write_file;
use crate::compiler::verdict::Verdict;
use crate::plan::question::Question;
use crate::protocol::code::Reason;
use crate::protocol::response::{How, Step, Value};

/// An outcome in the store, without its texts.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    yes: bool,
    value: Option<Value>,
    remark: Option<Reason>,
    command: Vec<String>,
    exit_code: Option<i32>,
    cut: bool,
    has_source: bool,
    steps: Vec<Step>,
    /// The permissions of the product, if there is one.
    product_mode: Option<u32>,
}

/// A file that a check produced for its caller.
#[derive(Debug, Clone)]
pub(crate) struct Product {
    /// Its contents.
    pub(crate) bytes: Rc<[u8]>,
    /// Its permissions.
    pub(crate) mode: u32,
}

/// The most bytes of a product that are kept.
const LARGEST_PRODUCT: u64 = 3 << 20;

impl Product {
    /// Reads a product. `None` if it is too large to be kept, or cannot be read.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok().filter(|it| it.len() <= LARGEST_PRODUCT)?;
        let bytes = std::fs::read(path).ok()?.into();
        Some(Product { bytes, mode: metadata.permissions().mode() & 0o777 })
    }
}

/// What the store keeps of an outcome that is a yes or a no. `None` if the product is not at hand.
///
/// In this order: the outcome and the check in JSON, the output, and the source, each after its
/// length; then the product.
pub(super) fn payload(
    outcome: &Outcome,
    question: &Question,
    asked: Option<&Asked>,
) -> Option<Vec<u8>> {
    let yes = outcome.verdict == Verdict::Yes;
    let product = match (yes && question.product.is_some(), &outcome.product) {
        (true, None) => return None,
        (true, Some(product)) => Some(product),
        (false, _) => None,
    };
    let kept = Kept {
        yes,
        value: outcome.value.clone(),
        remark: outcome.remark.clone(),
        command: outcome.command.clone(),
        exit_code: outcome.exit_code,
        cut: outcome.cut,
        has_source: outcome.source.is_some(),
        steps: outcome.steps.clone(),
        product_mode: product.map(|product| product.mode),
    };
    let kept = serde_json::to_vec(&kept).expect("all parts have a JSON form");
    let asked = asked.and_then(Asked::to_bytes).unwrap_or_default();
    let source = outcome.source.as_deref().unwrap_or_default();
    let mut payload = Vec::new();
    for text in [&kept[..], &asked, outcome.output.as_bytes(), source.as_bytes()] {
        payload.extend_from_slice(&u32::try_from(text.len()).ok()?.to_le_bytes());
        payload.extend_from_slice(text);
    }
    payload.extend_from_slice(product.map_or(&[], |product| &product.bytes));
    Some(payload)
}

/// The four texts of a payload, and the product.
fn split(payload: &[u8]) -> Option<([&[u8]; 4], &[u8])> {
    let mut rest = payload;
    let mut texts = [&[][..]; 4];
    for text in &mut texts {
        let (length, after) = rest.split_first_chunk()?;
        (*text, rest) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    }
    Some((texts, rest))
}

/// The check that a payload answers, and the answer. `None` for what no check has asked.
pub(crate) fn check(payload: &[u8]) -> Option<(Asked, Outcome)> {
    let ([_, asked, ..], _) = split(payload)?;
    Some((Asked::from_bytes(asked)?, read(payload)?.0))
}

/// The outcome that a payload holds, with its product where the question wants it. `None` if the
/// payload is not one of ours, or the product cannot be written: asking the compiler reports why.
pub(super) fn outcome(payload: &[u8], question: &Question) -> Option<Outcome> {
    let (outcome, product) = read(payload)?;
    if let (Verdict::Yes, Some(path)) = (&outcome.verdict, &question.product) {
        let (bytes, mode) = product?;
        write_file(path, bytes, mode).ok()?;
    }
    Some(outcome)
}

/// A file with its permissions.
type File<'a> = (&'a [u8], u32);

fn read(payload: &[u8]) -> Option<(Outcome, Option<File<'_>>)> {
    let ([kept, _, output, source], bytes) = split(payload)?;
    let kept: Kept = serde_json::from_slice(kept).ok()?;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    let product = kept.product_mode.map(|mode| (bytes, mode));
    let verdict = if kept.yes { Verdict::Yes } else { Verdict::No };
    let outcome = Outcome {
        value: kept.value,
        remark: kept.remark,
        command: kept.command,
        exit_code: kept.exit_code,
        output: text(output)?,
        cut: kept.cut,
        source: if kept.has_source { Some(text(source)?) } else { None },
        steps: kept.steps,
        how: How::Stored,
        ..Outcome::of(verdict)
    };
    Some((outcome, product))
}
