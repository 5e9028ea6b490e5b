//! Output of compilers and linkers: no output may crash the program, and messages that appear
//! regardless of the check must not affect its answer.

use std::sync::OnceLock;

use crate::batch::unity::source::Unit;
use crate::batch::unity::{Candidate, eligibility, evidence};
use crate::compiler::diagnostics::{positive_form, says_unknown_flag, trouble, without_escapes};

use super::request::planned;

/// Tests messages, optionally followed by NUL and a source.
pub fn look(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (output, source) = text.split_once('\0').unwrap_or((&text, ""));
    let _ = trouble(output, source);
    let _ = says_unknown_flag(output, source);
    let plain = without_escapes(output);
    assert_eq!(trouble(output, &plain), None, "these are the source's own words: {output:?}");
    assert!(!says_unknown_flag(output, output), "matches every flag: {output:?}");
    if let Some(positive) = positive_form(output) {
        assert!(positive.starts_with("-W") && output.starts_with("-Wno-"));
    }

    let units = units();
    if let Some(said) = evidence::diagnostics_by_unit(output, &units.iter().collect::<Vec<_>>()) {
        assert_eq!(said.len(), units.len());
        let kept: usize = said.iter().map(|said| said.output.len()).sum();
        assert!(kept <= output.len() + 1, "output that was not in the input: {said:?}");
    }
    if let Some(linked) = evidence::parse_link_output(output) {
        for unit in units {
            let _ = linked.is_sound(unit);
            for candidate in 0..unit.candidates.len() {
                let verdict = linked.verdict(unit, candidate);
                let is_silent = linked.is_silent_on(unit, candidate);
                assert!(verdict.is_none() || !is_silent, "a verdict on what was not mentioned");
            }
        }
    }
}

/// Two unity sources with several checks each.
fn units() -> &'static [Unit] {
    static UNITS: OnceLock<Vec<Unit>> = OnceLock::new();
    UNITS.get_or_init(|| {
        let checks: Vec<_> = ["fork", "vfork", "nope", "getpid"]
            .iter()
            .map(|name| format!(r#"{{"id": "{name}", "kind": "function", "function": "{name}"}}"#))
            .collect();
        let toolchain = r#"{"command": ["/bin/true"], "env": {"LC_ALL": "C"}}"#;
        let text =
            format!(r#"{{"toolchains": {{"c": {toolchain}}}, "checks": [{}]}}"#, checks.join(","));
        let plan = planned(&text).expect("a good request");
        let candidates: Vec<Candidate> = eligibility::candidates(&plan);
        assert_eq!(candidates.len(), 4, "all can share a batch");
        let (first, second) = candidates.split_at(2);
        vec![Unit::new(&plan, 0, first.to_vec()), Unit::new(&plan, 1, second.to_vec())]
    })
}
