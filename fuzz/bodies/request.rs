//! Requests: any input is accepted, or refused with a location in it.

use std::rc::Rc;

use crate::batch::unity::source::Unit;
use crate::batch::unity::{self, eligibility};
use crate::plan::toolchain::Environment;
use crate::plan::{self, Origin, Plan};
use crate::protocol::parse::parse;
use crate::protocol::{BadRequest, Location};
use crate::source::form;

/// The plan of a request.
pub(crate) fn planned(text: &str) -> Result<Plan, BadRequest> {
    let (request, text) = parse(text.as_bytes())?;
    let base = std::path::PathBuf::from("/");
    let origin = |index| Origin {
        option: None,
        path: Location::root().key("checks").index(index),
        base: Rc::new(base.clone()),
    };
    let environment = Environment { env: Vec::new(), dir: base.clone() };
    plan::plan(plan::Input {
        origins: (0..request.checks.len()).map(origin).collect(),
        request,
        text: Some(text),
        base: &base,
        timeout: None,
        environment: &environment,
    })
}

/// The location of an error is inside the text, which includes the end of the text or of a line.
fn assert_inside(bytes: &[u8], complaint: &BadRequest) {
    let (Some(line), Some(column)) = (complaint.line, complaint.column) else {
        assert_eq!((complaint.line, complaint.column), (None, None));
        return;
    };
    let text = String::from_utf8_lossy(bytes);
    let there = text.split('\n').nth(line - 1).unwrap_or_else(|| panic!("{complaint} in {text:?}"));
    assert!((1..=there.chars().count() + 1).contains(&column), "{complaint} in {text:?}");
}

/// Parses a request, plans it and generates its sources.
pub fn look(bytes: &[u8]) {
    if let Err(complaint) = parse(bytes) {
        assert!(!complaint.message.is_empty());
        assert_inside(bytes, &complaint);
        return;
    }
    match planned(std::str::from_utf8(bytes).unwrap()) {
        Err(complaint) => assert_inside(bytes, &complaint),
        Ok(plan) => {
            for question in &plan.questions {
                form(question, plan.toolchains[question.toolchain].language);
            }
            let candidates = eligibility::candidates(&plan);
            let (batches, _) = unity::batches(&plan, candidates, 2, 0);
            for (number, unit) in batches.into_iter().flat_map(|batch| batch.units).enumerate() {
                Unit::new(&plan, number, unit);
            }
        }
    }
}
