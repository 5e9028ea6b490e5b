//! Which questions may be in a chain.

use std::ffi::OsString;

use super::Text;
use crate::batch::linked::source;
use crate::plan::Plan;
use crate::plan::ids::{QuestionId, Table};
use crate::plan::question::Question;

/// Options that would make a message of the shared source differ from those of its parts: errors out of
/// warnings, warnings in headers of the system, what ends only with the source, and what contradicts
/// the options that a chain adds.
const UNFIT: [&str; 9] = [
    "-Werror",
    "-pedantic-errors",
    "-Wsystem-headers",
    "-fopenmp",
    "-fopenacc",
    "-fgnu-tm",
    "-ftoplevel-reorder",
    "-fno-toplevel-reorder",
    "-fsection-anchors",
];

/// Whether each question of a plan may be in a chain.
pub(crate) fn candidates(plan: &Plan, fit: &Table<QuestionId, bool>) -> Table<QuestionId, bool> {
    let fits = |(question, fits): (&Question, &bool)| {
        let toolchain = &plan.toolchains[question.toolchain];
        let commands = toolchain.commands.as_ref();
        let fixed = commands.into_iter().flat_map(|commands| commands.compile.fixed_words());
        *fits
            && question.product.is_none()
            && question.fail_patterns.is_empty()
            && question.headers.is_empty()
            && question.prefix.is_empty()
            && words_fit(&question.args)
            && words_fit(&question.definitions)
            && words_fit(&fixed.map(OsString::from).collect::<Vec<_>>())
            && source(question).is_some_and(|source| Text::of(source).is_some())
    };
    std::iter::zip(&plan.questions, fit.iter()).map(fits).collect()
}

fn words_fit(words: &[OsString]) -> bool {
    words.iter().all(|word| {
        let word = word.to_string_lossy();
        !UNFIT.iter().any(|unfit| word.starts_with(unfit))
    })
}
