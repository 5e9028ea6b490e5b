//! Properties of generated sources: no accepted fragment escapes its place.

use std::cell::Cell;

use super::requests::cases;
use crate::fuzz_bodies::sources;
use proptest::prelude::*;
use proptest::sample::select;

/// Text made of pieces that could break out of a fragment's place.
pub(super) fn any_fragment() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "a", "b_1", "0", "1", " ", "\t", "\n", "\r", "(", ")", "[", "]", "{", "}", "<", ">", "\"",
        "'", "\\", "/", "//", "/*", "*/", "*", ";", ",", ".", "#", "%", ":", "<%", "%>", "<:",
        ":>", "?", "??/", "??)", "R", "u8R", "\"(", ")\"", "!", "&", "$", "@", "é", "\u{2028}",
        "\0", "sizeof", "'a'", "\"b\"",
    ]);
    let whole = select(vec![
        "R\"(\" ( \")\" )",
        "1'0) + (2'0",
        "integer :: a !",
        "1 + &",
        "a / * b",
        "sizeof(\"a)b\")",
        "a<:0",
    ]);
    prop_oneof![
        1 => whole.prop_map(String::from),
        8 => prop::collection::vec(pieces, 1..9).prop_map(|pieces| pieces.concat()),
        2 => any::<String>(),
    ]
}

/// Accepted fragments cannot escape, in any source that contains them.
#[test]
fn accepted_fragments_stay_in_place() {
    let accepted = Cell::new([0; 3]);
    let mut runner = proptest::test_runner::TestRunner::new(cases(3000));
    let outcome = runner.run(&any_fragment(), |text| {
        let (now, before) = (sources::look(&text), accepted.get());
        accepted.set([0, 1, 2].map(|which| before[which] + now[which]));
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(accepted.get().iter().all(|&count| count > 150), "too few are tried: {accepted:?}");
}
