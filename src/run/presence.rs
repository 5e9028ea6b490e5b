//! Looks for many headers, or for what many macros expand to, by one run of the preprocessor.

use tokio::time::Instant;

use super::Context;
use super::asking::{Asking, Outcome};
use super::fused::Fused;
use crate::code::{Code, Reason};
use crate::dialect::Stage;
use crate::fuse::guard;
use crate::judge::Verdict;
use crate::plan::question::Subject;
use crate::response::Value;
use crate::source::Source;
use crate::source::part::{self, HEADER_WORDS, KNOWN_HEADERS};
use crate::value;

/// Answers for the headers that are absent, for all that need only be there, and for macros.
pub async fn look(context: &Context, questions: Vec<usize>) -> Fused {
    let mut fused = Fused::default();
    let subject = |index: usize| &context.plan.questions[index].subject;
    let (headers, macros): (Vec<_>, Vec<_>) =
        questions.into_iter().partition(|&index| matches!(subject(index), Subject::Header { .. }));
    let told = tell(context, &headers, &macros).await;
    let first = headers.first().or(macros.first()).expect("somebody asks");
    let probe = &context.probes[context.plan.questions[*first].toolchain];
    let works = probe.failure(Stage::Compile).await.is_none();
    let Some(Told { there, expansions, outcome }) = told.filter(|_| works) else {
        fused.alone = [headers, macros].concat();
        context.ledger.lose(1);
        return fused;
    };
    for (&index, there) in std::iter::zip(&headers, there) {
        let only_there = guard::must_only_be_there(&context.plan.questions[index]);
        let (verdict, remark) = match there {
            Some(true) if only_there => (Verdict::Yes, None),
            Some(false) => {
                (Verdict::No, Some(Reason::new(Code::NotFound, "the header is not there")))
            }
            _ => {
                fused.alone.push(index);
                continue;
            }
        };
        fused.answered.push((index, Outcome { verdict, remark, ..outcome.clone() }));
    }
    for (&index, expansion) in std::iter::zip(&macros, expansions) {
        let outcome = match expansion {
            Some(Some(expansion)) => {
                Outcome { value: Some(Value::Text(expansion)), ..outcome.clone() }
            }
            Some(None) => {
                let remark = Some(value::not_defined());
                Outcome { verdict: Verdict::No, remark, ..outcome.clone() }
            }
            None => {
                fused.alone.push(index);
                continue;
            }
        };
        fused.answered.push((index, outcome));
    }
    context.ledger.lose(usize::from(fused.answered.is_empty()));
    fused
}

/// What one run of the preprocessor tells.
struct Told {
    /// Whether each header is there.
    there: Vec<Option<bool>>,
    /// What each macro expands to, if it is one.
    expansions: Vec<Option<Option<String>>>,
    outcome: Outcome,
}

/// What the preprocessor tells of all of these.
async fn tell(context: &Context, headers: &[usize], macros: &[usize]) -> Option<Told> {
    let plan = &context.plan;
    let name = |index: &usize| match &plan.questions[*index].subject {
        Subject::Header { header, .. } => header.as_str(),
        Subject::Define(name) => name.as_str(),
        _ => unreachable!("only headers and macros are looked for"),
    };
    let questions = || headers.iter().chain(macros).map(|&index| &plan.questions[index]);
    let first = questions().next()?;
    let text = part::look(first, headers.iter().map(name), macros.iter().map(name));
    let started = Instant::now();
    let timeout = questions().map(|question| question.timeout).min()?;
    let asking = Asking { deadline: started + timeout, ..Asking::begin(context, first)? };
    let extension = asking.toolchain.language.extension(true).into();
    let source = Source { text, extension };
    let (preprocessed, mut outcome) = asking.preprocess(source).await?;
    if outcome.verdict != Verdict::Yes || !value::was_preprocessed(&preprocessed) {
        return None;
    }
    outcome.fused = true;
    outcome.duration = started.elapsed();
    let there = found(&preprocessed, headers.len());
    Some(Told { there, expansions: value::expansions(&preprocessed, macros.len()), outcome })
}

/// Whether each of so many headers is there, where that is told.
fn found(preprocessed: &str, count: usize) -> Vec<Option<bool>> {
    let told = |place: usize| {
        let [there, absent] = HEADER_WORDS.map(|word| {
            let word = format!("{word}{place}");
            preprocessed.split_whitespace().any(|other| other == word)
        });
        (there != absent).then_some(there)
    };
    if [told(0), told(1)] != [Some(true), Some(false)] {
        return vec![None; count];
    }
    (0..count).map(|place| told(place + KNOWN_HEADERS.len())).collect()
}
