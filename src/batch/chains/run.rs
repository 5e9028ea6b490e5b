//! Compiles a chain as one source.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::functions::are_defined_where_declared;
use super::{Chain, MIN_LINKS, main_at, shared_source};
use crate::batch::BatchOutcome;
use crate::batch::ledger::{self, Ledger};
use crate::batch::linked::{self, source, source_name};
use crate::check::context::Context;
use crate::check::{CheckRun, Outcome};
use crate::compiler::dialect::Stage;
use crate::compiler::object_file;
use crate::compiler::value;
use crate::compiler::verdict::Verdict;
use crate::plan::ids::QuestionId;
use crate::plan::question::Question;
use crate::protocol::response::How;

/// The options that a chain adds: keep unused variables, list headers that are not of the system, all
/// functions, and what the assembler gets.
const MORE_ARGS: [&str; 7] = [
    "-fno-toplevel-reorder",
    "-MMD",
    "-MF",
    "headers",
    "-aux-info",
    "functions",
    "-Wa,-al=listing",
];

/// What GCC writes before and behind what a source has for the assembler.
const FOR_ASSEMBLER: &str = "#APP";

/// How often a chain, and then what remains of it, is compiled.
const ROUNDS: usize = 4;

/// What a shared compile has shown.
enum Shown<T> {
    /// What it was to show.
    Proof(T),
    /// That so many of the longest sources have an error.
    Errors(usize),
    /// Nothing.
    Nothing,
}

/// Answers the questions of a chain with one compile, as far as that proves the answers.
pub(crate) async fn answer(context: &Context, ledger: &Ledger, chain: Chain) -> BatchOutcome {
    let mut answered = Vec::new();
    let mut members = &chain.questions[..];
    let mut likely = false;
    for _ in 0..ROUNDS {
        let staked = if likely { 0 } else { ledger.stake(1).await };
        if !likely && staked == 0 || members.len() < MIN_LINKS {
            ledger.settle(staked, 0, 0);
            break;
        }
        let shown = prove(context, members, &mut answered).await;
        let gained = answered.iter().filter(|(_, outcome)| outcome.how == How::Fused).count();
        ledger.settle(staked, 1, gained);
        let Some(Shown::Errors(count)) = shown else { break };
        likely = ledger::is_likely(members.len() - count, members.len());
        members = &members[count..];
    }
    let is_open = |question: &_| answered.iter().all(|(done, _)| done != question);
    let alone = chain.questions.iter().copied().filter(is_open).collect();
    BatchOutcome { answered, alone, again: Vec::new() }
}

/// Adds the answers of a chain, if they are proved.
async fn prove(
    context: &Context,
    members: &[QuestionId],
    answered: &mut Vec<(QuestionId, Outcome)>,
) -> Option<Shown<()>> {
    let started = Instant::now();
    let questions: Vec<_> = members.iter().map(|&it| &context.plan.questions[it]).collect();
    let timeout = questions.iter().map(|question| question.timeout).min()?;
    let mut shared = Question { timeout, ..questions[0].clone() };
    shared.args.extend(MORE_ARGS.map(Into::into));
    let run = CheckRun::begin(context, &shared)?;
    let commands = run.toolchain.commands.as_ref()?;
    let object = match compile(&run, &questions).await? {
        Shown::Proof(object) => object,
        Shown::Errors(count) => return Some(Shown::Errors(count)),
        Shown::Nothing => return None,
    };

    let mut wants = object_file::wants(&object)?;
    let mains: BTreeSet<_> = (0..members.len()).map(main_at).collect();
    if wants.defines != mains || object_file::has_local_names(&object)? {
        return None;
    }
    wants.defines = BTreeSet::from([main_at(0)]);
    // The options of a chain are not in the command that links.
    let alone = CheckRun::begin(context, questions[0])?;
    let inventory = linked::inventory(&alone, commands, &object, members, answered).await?;
    if !inventory.suffices(&wants) {
        return None;
    }
    run.rests_also_on(alone.seen().as_deref());
    for (&member, question) in std::iter::zip(members, questions) {
        if answered.iter().all(|(done, _)| *done != member) {
            let own = CheckRun::begin(context, question)?;
            let mut outcome = linked::yes(&own, commands, "")?;
            outcome.duration = started.elapsed();
            outcome.seen = run.seen();
            answered.push((member, outcome));
        }
    }
    Some(Shown::Proof(()))
}

/// The object file of the shared source, if nothing is to be said about it.
async fn compile(run: &CheckRun<'_>, questions: &[&Question]) -> Option<Shown<Vec<u8>>> {
    let sources: Vec<_> = questions.iter().map(|it| source(it)).collect::<Option<_>>()?;
    let name = source_name();
    let dir = run.dir.path();
    let (text, starts) = shared_source(&sources)?;
    std::fs::write(dir.join(&name), text).ok()?;
    let template = &run.toolchain.commands.as_ref()?.compile;
    let argv = run.argv(template, name.as_ref());
    MORE_ARGS.iter().all(|more| argv.iter().any(|word| word == more)).then_some(())?;
    let attempt = run
        .run_template(template, run.program, "the compiler", Stage::Compile, name.as_ref())
        .await;
    if attempt.verdict == Verdict::No {
        let line = line_of_message(&attempt.messages, &name)?;
        return Some(match starts.iter().rposition(|&start| line >= start) {
            // All that are longer have the same error.
            Some(index) if index > 0 => Shown::Errors(starts.len() - index),
            _ => Shown::Nothing,
        });
    }
    if attempt.verdict != Verdict::Yes || attempt.cut || !attempt.messages.is_empty() {
        return None;
    }
    let headers = std::fs::read_to_string(dir.join("headers")).ok()?;
    if !headers.trim_end().ends_with(&format!(": {name}")) {
        return None;
    }
    let functions = std::fs::read_to_string(dir.join("functions")).ok()?;
    let mains = (0..sources.len()).rev().map(main_at).collect();
    are_defined_where_declared(&functions, mains).filter(|are| *are)?;
    let listing = std::fs::read(dir.join("listing")).ok()?;
    let listing = String::from_utf8_lossy(&listing);
    if !listing.contains(&main_at(0)) || listing.contains(FOR_ASSEMBLER) {
        return None;
    }
    value::read_product(&run.product_path(Stage::Compile)?).map(Shown::Proof)
}

/// The line of the source that the first message is about, or that includes what it is about.
fn line_of_message(messages: &str, name: &str) -> Option<usize> {
    let (_, rest) = messages.split_once(&format!("{name}:"))?;
    rest.split([':', ',']).next()?.parse().ok()
}
