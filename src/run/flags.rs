//! Tries flags together.

use tokio::time::Instant;

use super::Context;
use super::asking::{Asking, Outcome, shown};
use super::command::command_line;
use super::fused::Fused;
use crate::dialect::Stage;
use crate::fuse::unit;
use crate::judge::Verdict;
use crate::plan::question::{Question, Subject};
use crate::source::{self, Form, Source};

/// How often flags are tried without those that the compiler has named: GCC's driver speaks of some,
/// and the compiler proper of others when it has started.
const ROUNDS: usize = 3;

/// Answers for the flags that the compiler takes together without a word.
pub async fn answer(context: &Context, questions: Vec<usize>) -> Fused {
    let mut fused = Fused::default();
    let probe = &context.probes[context.plan.questions[questions[0]].toolchain];
    if probe.failure(Stage::Compile).await.is_some() {
        fused.alone = questions;
        return fused;
    }
    let mut left = questions;
    for _ in 0..ROUNDS {
        let Some((outcome, named)) = compile(context, &left).await else { break };
        if outcome.verdict == Verdict::Yes && outcome.output.is_empty() {
            for index in std::mem::take(&mut left) {
                match outcome_of(context, index, &outcome) {
                    Some(outcome) => fused.answered.push((index, outcome)),
                    None => fused.alone.push(index),
                }
            }
            break;
        }
        let (out, rest): (Vec<_>, Vec<_>) = left.iter().partition(|index| named.contains(index));
        if out.is_empty() || rest.len() < 2 {
            break;
        }
        fused.alone.extend(out);
        left = rest;
    }
    fused.alone.extend(left);
    fused.lost = usize::from(fused.answered.is_empty());
    fused
}

/// What the compiler makes of all of these flags, and of which it speaks.
async fn compile(context: &Context, questions: &[usize]) -> Option<(Outcome, Vec<usize>)> {
    let plan = &context.plan;
    let flags = |index: usize| match &plan.questions[index].subject {
        Subject::CompilerFlag(flags) => flags.as_slice(),
        _ => unreachable!("only flags are tried"),
    };
    let first = &plan.questions[*questions.first()?];
    let all: Vec<_> = questions.iter().flat_map(|&index| flags(index)).cloned().collect();
    let timeouts = questions.iter().map(|&index| plan.questions[index].timeout);
    let timeout = timeouts.min()?;
    let question = Question { subject: Subject::CompilerFlag(all), timeout, ..first.clone() };
    let toolchain = &plan.toolchains[question.toolchain];
    let mut source = source_of(context, &question)?;
    source.text += &unit::only_known_compilers();
    let started = Instant::now();
    let asking = Asking {
        context,
        question: &question,
        toolchain,
        program: toolchain.program.as_ref().ok()?,
        room: context.scratch.as_ref().ok()?.room().ok()?,
        deadline: started + timeout,
    };
    let mut outcome = asking.compiled(source).await?;
    outcome.duration = started.elapsed();
    let named = |index: &usize| {
        flags(*index).iter().any(|flag| outcome.output.contains(&*flag.to_string_lossy()))
    };
    let named = questions.iter().copied().filter(named).collect();
    Some((outcome, named))
}

/// The answer for one of them, with the command that asks it alone.
fn outcome_of(context: &Context, index: usize, together: &Outcome) -> Option<Outcome> {
    let question = &context.plan.questions[index];
    let toolchain = &context.plan.toolchains[question.toolchain];
    let source = source_of(context, question)?;
    let command = command_line(toolchain, question, Stage::Compile, source.name().as_ref()).0;
    Some(Outcome {
        command: shown(&command),
        source: Some(source.text),
        fused: true,
        ..together.clone()
    })
}

fn source_of(context: &Context, question: &Question) -> Option<Source> {
    match source::form(question, context.plan.toolchains[question.toolchain].language) {
        Form::Verdict(source) => Some(source),
        _ => None,
    }
}
