//! Tries flags together.

use std::collections::HashSet;
use std::ffi::OsString;

use tokio::time::Instant;

use super::Context;
use super::asking::{Asking, Outcome, shown, unknown_flag};
use super::command::command_line;
use super::fused::Fused;
use super::ledger;
use crate::dialect::Stage;
use crate::fuse::{flags, unit};
use crate::judge::Verdict;
use crate::plan::question::{Question, Subject};
use crate::source::{self, Form, Source};
use crate::toolchain::Commands;
use crate::value;

/// How often flags are tried without those that the compiler has named: GCC's driver speaks of some,
/// and the compiler proper of others when it has started.
const ROUNDS: usize = 3;

/// Answers for the flags that the compiler takes together without a word.
pub async fn answer(context: &Context, questions: Vec<usize>) -> Fused {
    let mut fused = Fused::default();
    let toolchain = context.plan.questions[questions[0]].toolchain;
    let is_tried = super::probe::is_tried(context, toolchain);
    let probe = &context.probes[toolchain];
    let says_nothing = !is_tried || probe.output(Stage::Compile).await.is_empty();
    if is_tried && probe.failure(Stage::Compile).await.is_some() {
        fused.alone = questions;
        return fused;
    }
    let mut left = questions;
    let mut likely = false;
    for _ in 0..ROUNDS {
        if left.len() < 2 {
            break;
        }
        let staked = if likely { 0 } else { context.ledger.stake(1).await };
        if !likely && staked == 0 {
            break;
        }
        let (answered, before) = (fused.answered.len(), left.len());
        let goes_on = try_once(context, &mut left, says_nothing, &mut fused).await;
        context.ledger.settle(staked, 1, fused.answered.len() - answered);
        if !goes_on {
            break;
        }
        likely = ledger::is_likely(left.len(), before);
    }
    fused.alone.extend(left);
    fused
}

/// Tries the flags of all that are left, and keeps those that are to be tried again. Whether any are.
async fn try_once(
    context: &Context,
    left: &mut Vec<usize>,
    says_nothing: bool,
    fused: &mut Fused,
) -> bool {
    let names_any = |index: usize, names: &dyn Fn(&str) -> bool| {
        flags::tried(&context.plan.questions[index]).any(names)
    };
    let Some(mut tried) = tried(context, left).await else { return false };
    if let Some(refused) = tried.refused().filter(|_| says_nothing) {
        let is_out = |index: &mut usize| names_any(*index, &|flag| refused.contains(flag));
        for index in left.extract_if(.., is_out) {
            fused.take(index, tried.refused_outcome(context, index).await);
        }
        if tried.outcome.verdict == Verdict::No {
            return true;
        }
        // It has said nothing of the others.
        tried.outcome.output.clear();
    }
    let output = &tried.outcome.output;
    if tried.outcome.verdict == Verdict::Yes && output.is_empty() {
        for index in std::mem::take(left) {
            fused.take(index, tried.outcome_of(context, index).await);
        }
        return false;
    }
    let before = fused.alone.len();
    fused
        .alone
        .extend(left.extract_if(.., |index| names_any(*index, &|flag| output.contains(flag))));
    fused.alone.len() > before
}

/// What the compiler makes of many flags.
struct Tried {
    outcome: Outcome,
    /// The object file, where a command in full has made one.
    object: Vec<u8>,
}

/// Tries the flags of all of these.
async fn tried(context: &Context, questions: &[usize]) -> Option<Tried> {
    let plan = &context.plan;
    let first = &plan.questions[*questions.first()?];
    let timeout = questions.iter().map(|&index| plan.questions[index].timeout).min()?;
    let mut question = Question { timeout, ..first.clone() };
    let all = questions.iter().flat_map(|&index| flags::tried(&plan.questions[index]));
    let all = all.map(OsString::from);
    match &mut question.subject {
        Subject::CompilerFlag(flags) => *flags = all.collect(),
        _ => question.args.extend(all),
    }
    let started = Instant::now();
    let asking = Asking::begin(context, &question)?;
    let mut source = source_of(context, &question)?;
    let mut tried = if let Some(commands) = &asking.toolchain.commands {
        asking.compiled_in_full(commands, &source).await?
    } else {
        source.text += &unit::only_known_compilers();
        Tried { outcome: asking.compiled(source).await?, object: Vec::new() }
    };
    tried.outcome.duration = started.elapsed();
    Some(tried)
}

impl Asking<'_> {
    async fn compiled_in_full(&self, commands: &Commands, source: &Source) -> Option<Tried> {
        let name = self.write(source).ok()?;
        let compile = &commands.compile;
        let attempt = self.by(compile, self.program, "the compiler", Stage::Compile, &name).await;
        let object = attempt.product.as_ref().and_then(|product| value::product(product));
        let is_whole = !attempt.cut && (attempt.verdict != Verdict::Yes || object.is_some());
        let outcome = attempt.outcome(Some(source.clone()));
        is_whole.then(|| Tried { outcome, object: object.unwrap_or_default() })
    }
}

impl Tried {
    /// The flags that the compiler says it does not know, if it says nothing else, and if that is what
    /// each is told alone.
    fn refused(&self) -> Option<HashSet<String>> {
        let refused = flags::refused(&self.outcome.output)?;
        let counts = self.object.is_empty() && !matches!(self.outcome.verdict, Verdict::Error(_));
        (counts && !refused.is_empty()).then(|| refused.into_iter().map(String::from).collect())
    }

    /// The answer for one of them, with the command that asks it alone.
    async fn outcome_of(&self, context: &Context, index: usize) -> Option<Outcome> {
        let asking = Asking::begin(context, &context.plan.questions[index])?;
        let (name, outcome) = self.outcome_alone(&asking)?;
        let Some(commands) = &asking.toolchain.commands else { return Some(outcome) };
        std::fs::write(asking.written(Stage::Compile)?, &self.object).ok()?;
        Some(asking.in_full_from(commands, &name, outcome).await)
    }

    /// The answer for one with an option that the compiler does not know.
    async fn refused_outcome(&self, context: &Context, index: usize) -> Option<Outcome> {
        let asking = Asking::begin(context, &context.plan.questions[index])?;
        let (name, outcome) = self.outcome_alone(&asking)?;
        let is_own = |line: &&str| {
            flags::tried(asking.question).any(|flag| line.contains(&format!("option '{flag}'")))
        };
        let lines = outcome.output.lines().filter(is_own);
        let output: String = lines.map(|line| format!("{line}\n")).collect();
        let remark = (outcome.verdict == Verdict::Yes).then(unknown_flag);
        let outcome = Outcome { verdict: Verdict::No, remark, output, ..outcome };
        match &asking.toolchain.commands {
            Some(commands) => Some(asking.in_full_from(commands, &name, outcome).await),
            None => Some(outcome),
        }
    }

    /// What was found, as that of one of them, and the name of its source.
    fn outcome_alone(&self, asking: &Asking<'_>) -> Option<(OsString, Outcome)> {
        let Asking { context, question, toolchain, .. } = asking;
        let source = source_of(context, question)?;
        let name = asking.write(&source).ok()?;
        let command = command_line(toolchain, question, Stage::Compile, &name).0;
        let outcome = Outcome {
            command: shown(&command),
            source: Some(source.text),
            fused: true,
            ..self.outcome.clone()
        };
        Some((name, outcome))
    }
}

fn source_of(context: &Context, question: &Question) -> Option<Source> {
    match source::form(question, context.plan.toolchains[question.toolchain].language) {
        Form::Verdict(source) => Some(source),
        _ => None,
    }
}
