//! Tries flags together.

use std::ffi::OsString;

use tokio::time::Instant;

use super::Context;
use super::asking::{Asking, Outcome, UNKNOWN_FLAG, shown};
use super::command::command_line;
use super::fused::Fused;
use crate::dialect::Stage;
use crate::fuse::{flags, unit};
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
        let Some((mut outcome, named)) = compile(context, &left).await else { break };
        if let Some(no) = flags::refused(&outcome.output)
            && !no.is_empty()
            && !matches!(outcome.verdict, Verdict::Error(_))
            && probe.output(Stage::Compile).await.is_empty()
        {
            let is_out = |&index: &usize| {
                let flags = flags_of(context, index).iter();
                flags.filter_map(|flag| flag.to_str()).any(|flag| no.contains(flag))
            };
            let (out, rest): (Vec<_>, Vec<_>) = left.into_iter().partition(is_out);
            for index in out {
                match refused(context, index, &outcome) {
                    Some(outcome) => fused.answered.push((index, outcome)),
                    None => fused.alone.push(index),
                }
            }
            left = rest;
            if outcome.verdict == Verdict::No {
                if left.len() < 2 {
                    break;
                }
                continue;
            }
            // It has said nothing of the others.
            outcome.output.clear();
        }
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
    let flags = |index| flags_of(context, index);
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

/// The answer for one with an option that the compiler does not know.
fn refused(context: &Context, index: usize, together: &Outcome) -> Option<Outcome> {
    let outcome = outcome_of(context, index, together)?;
    let is_own = |line: &&str| {
        let flags = flags_of(context, index).iter().filter_map(|flag| flag.to_str());
        flags.into_iter().any(|flag| line.contains(&format!("option '{flag}'")))
    };
    let lines = outcome.output.lines().filter(is_own);
    let output = lines.map(|line| format!("{line}\n")).collect();
    let remark = (outcome.verdict == Verdict::Yes).then(|| UNKNOWN_FLAG.into());
    Some(Outcome { verdict: Verdict::No, remark, output, ..outcome })
}

fn flags_of(context: &Context, index: usize) -> &[OsString] {
    match &context.plan.questions[index].subject {
        Subject::CompilerFlag(flags) => flags,
        _ => unreachable!("only flags are tried"),
    }
}

fn source_of(context: &Context, question: &Question) -> Option<Source> {
    match source::form(question, context.plan.toolchains[question.toolchain].language) {
        Form::Verdict(source) => Some(source),
        _ => None,
    }
}
