//! Looks for many headers, or for what many macros expand to, by one run of the preprocessor.

use tokio::time::Instant;

use super::Context;
use super::asking::{Asking, Outcome};
use super::fused::Fused;
use crate::dialect::Stage;
use crate::fuse::guard;
use crate::judge::Verdict;
use crate::plan::question::{Question, Subject};
use crate::response::Value;
use crate::source::Source;
use crate::source::part::{self, HEADER_WORDS, KNOWN_HEADERS};
use crate::value;

/// Answers for macros.
pub async fn expand(context: &Context, questions: Vec<usize>) -> Fused {
    let mut fused = Fused::default();
    let found = expansions(context, &questions).await;
    let probe = &context.probes[context.plan.questions[questions[0]].toolchain];
    let works = probe.failure(Stage::Compile).await.is_none();
    for (place, &index) in questions.iter().enumerate() {
        let expansion = found.as_ref().filter(|_| works);
        match expansion.and_then(|(found, outcome)| Some((found[place].clone()?, outcome))) {
            Some((Some(expansion), outcome)) => {
                let value = Some(Value::Text(expansion));
                fused.answered.push((index, Outcome { value, ..outcome.clone() }));
            }
            Some((None, outcome)) => {
                let remark = Some(value::NOT_DEFINED.into());
                let outcome = Outcome { verdict: Verdict::No, remark, ..outcome.clone() };
                fused.answered.push((index, outcome));
            }
            None => fused.alone.push(index),
        }
    }
    fused.lost = usize::from(fused.answered.is_empty());
    fused
}

/// What each macro expands to, where that is told, and the run that tells.
async fn expansions(
    context: &Context,
    questions: &[usize],
) -> Option<(Vec<Option<Option<String>>>, Outcome)> {
    let names = questions.iter().map(|&index| match &context.plan.questions[index].subject {
        Subject::Define(name) => name.as_str(),
        _ => unreachable!("only macros are expanded"),
    });
    let text = part::defines(&context.plan.questions[*questions.first()?], names);
    let (preprocessed, outcome) = preprocess(context, questions, text).await?;
    Some((value::expansions(&preprocessed, questions.len()), outcome))
}

/// What the preprocessor makes of a text that stands for all these questions.
async fn preprocess(
    context: &Context,
    questions: &[usize],
    text: String,
) -> Option<(String, Outcome)> {
    let plan = &context.plan;
    let first = &plan.questions[*questions.first()?];
    let toolchain = &plan.toolchains[first.toolchain];
    let source = Source { text, extension: toolchain.language.extension(true).into() };
    let started = Instant::now();
    let timeout = questions.iter().map(|&index| plan.questions[index].timeout).min()?;
    let asking = Asking {
        context,
        question: first,
        toolchain,
        program: toolchain.program.as_ref().ok()?,
        room: context.scratch.as_ref().ok()?.room().ok()?,
        deadline: started + timeout,
    };
    let (preprocessed, mut outcome) = asking.preprocess(source).await?;
    if outcome.verdict != Verdict::Yes || !value::was_preprocessed(&preprocessed) {
        return None;
    }
    outcome.fused = true;
    outcome.duration = started.elapsed();
    Some((preprocessed, outcome))
}

/// Answers for the headers that are absent, and for all that need only be there.
pub async fn look(context: &Context, questions: Vec<usize>) -> Fused {
    let mut fused = Fused::default();
    let found = found(context, &questions).await;
    let probe = &context.probes[context.plan.questions[questions[0]].toolchain];
    let failure = probe.failure(Stage::Compile).await;
    for (place, &index) in questions.iter().enumerate() {
        let there = found.as_ref().and_then(|(found, _)| found[place]);
        let only_there = guard::must_only_be_there(&context.plan.questions[index]);
        let verdict = match there {
            _ if failure.is_some() => None,
            Some(true) if only_there => Some(Verdict::Yes),
            Some(false) => Some(Verdict::No),
            _ => None,
        };
        match (verdict, &found) {
            (Some(verdict), Some((_, outcome))) => {
                let remark = (verdict == Verdict::No).then(|| "the header is not there".into());
                fused.answered.push((index, Outcome { verdict, remark, ..outcome.clone() }));
            }
            _ => fused.alone.push(index),
        }
    }
    fused.lost = usize::from(fused.answered.is_empty());
    fused
}

/// Whether each header is there, where that is told, and the run that tells.
async fn found(context: &Context, questions: &[usize]) -> Option<(Vec<Option<bool>>, Outcome)> {
    let plan = &context.plan;
    let question = |index: &usize| -> &Question { &plan.questions[*index] };
    let headers = questions.iter().map(|index| match &question(index).subject {
        Subject::Header { header, .. } => header.as_str(),
        _ => unreachable!("only headers are looked for"),
    });
    let text = part::headers(question(questions.first()?), headers);
    let (preprocessed, outcome) = preprocess(context, questions, text).await?;
    let told = |place: usize| {
        let [there, absent] = HEADER_WORDS.map(|word| {
            let word = format!("{word}{place}");
            preprocessed.split_whitespace().any(|other| other == word)
        });
        (there != absent).then_some(there)
    };
    if [told(0), told(1)] != [Some(true), Some(false)] {
        return None;
    }
    let known = KNOWN_HEADERS.len();
    Some(((0..questions.len()).map(|place| told(place + known)).collect(), outcome))
}
