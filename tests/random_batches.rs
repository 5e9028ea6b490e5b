//! The answers of random batches are those that each check has alone.

#[path = "support/random_batches/mod.rs"]
mod random_batches;

use std::path::Path;

use random_batches::Batches;
use random_batches::alone::{Alone, together};

const TRYALL: &str = env!("CARGO_BIN_EXE_tryall");

/// More of them, with `cargo bench --bench campaign -- BATCHES`.
#[test]
fn random_batches_have_the_answers_that_each_check_has_alone() {
    let mut batches = Batches::new(7, Path::new(env!("CARGO_TARGET_TMPDIR")));
    let mut alone = Alone::new(TRYALL);
    let (mut answers, mut fused) = (0, 0);
    for number in 0..15 {
        let batch = batches.next();
        let asked = together(TRYALL, &batch).unwrap();
        let asked = [(batch, asked)];
        alone.learn(&asked).unwrap();
        let [(batch, asked)] = asked;
        let compared = alone.compare(&batch, &asked);
        assert!(compared.differences.is_empty(), "{}", compared.differences.join("\n"));
        answers += compared.answers;
        fused += compared.fused;
        if number == 14 {
            let differences = alone.afresh(&batch, &asked).unwrap();
            assert!(differences.is_empty(), "{}", differences.join("\n"));
        }
    }
    assert!(fused * 4 > answers, "only {fused} of {answers} are fused");
    assert!(alone.known() > 50 && alone.commands > 50, "little is known: {}", alone.known());
}
