//! Compiles a group of variants as one file.

use std::collections::BTreeSet;

use tokio::time::Instant;

use crate::batch::BatchOutcome;
use crate::batch::ledger::{self, Ledger};
use crate::batch::linked::{self, source, source_name};
use crate::batch::variants::evidence::{blocks, stem};
use crate::batch::variants::{self, MIN_VARIANTS, VariantGroup};
use crate::check::context::Context;
use crate::check::{CheckRun, Outcome};
use crate::compiler::diagnostics::STOPPED_AT_LIMIT;
use crate::compiler::dialect::Stage;
use crate::compiler::object_file::{self, Wants};
use crate::compiler::value;
use crate::compiler::verdict::Verdict;
use crate::plan::ids::QuestionId;
use crate::plan::question::{Question, Variant};
use crate::plan::toolchain::Commands;
use crate::protocol::response::How;

/// How often a group, and then what remains of it, is compiled.
const ROUNDS: usize = 4;

/// Answers the questions of a group with one compile, as far as that proves the answers.
pub(crate) async fn answer(
    context: &Context,
    ledger: &Ledger,
    group: VariantGroup,
) -> BatchOutcome {
    let mut answered = Vec::new();
    let timeouts = group.questions.iter().map(|&index| context.plan.questions[index].timeout);
    let first = &context.plan.questions[group.questions[0]];
    let shared = Question {
        definitions: group.definitions().to_vec(),
        product: None,
        timeout: timeouts.min().unwrap_or(first.timeout),
        ..first.clone()
    };
    if let Some(run) = VariantsRun::new(context, ledger, &group, &shared) {
        // If this ends early, the remaining questions run alone.
        let _ = run.answer(group.questions.clone(), &mut answered).await;
        let seen = run.run.seen();
        let is_shared = |(_, outcome): &&mut (_, Outcome)| outcome.how == How::Fused;
        for (_, outcome) in answered.iter_mut().filter(is_shared) {
            outcome.seen.clone_from(&seen);
        }
    }
    let is_open = |question: &QuestionId| answered.iter().all(|(done, _)| done != question);
    let alone = group.questions.into_iter().filter(is_open).collect();
    BatchOutcome { answered, alone, again: Vec::new() }
}

/// A group that runs.
struct VariantsRun<'a> {
    run: CheckRun<'a>,
    ledger: &'a Ledger,
    commands: &'a Commands,
    group: &'a VariantGroup,
    started: Instant,
}

/// The result of compiling the shared source.
struct Compiled {
    /// The object file, if the source compiled.
    object: Option<Vec<u8>>,
    /// Whether each variant has an error.
    has_error: Vec<bool>,
    /// The diagnostics of each variant as they read alone; `None` if that cannot be reconstructed.
    diagnostics: Vec<Option<String>>,
    /// Whether the compiler stopped at its error limit.
    is_stopped: bool,
}

/// The variants of a group without an answer.
struct Remaining {
    members: Vec<QuestionId>,
    /// Whether the compiler stopped before it reported all errors.
    is_stopped: bool,
}

impl<'a> VariantsRun<'a> {
    fn new(
        context: &'a Context,
        ledger: &'a Ledger,
        group: &'a VariantGroup,
        question: &'a Question,
    ) -> Option<Self> {
        let started = Instant::now();
        let sources = group.questions.len();
        let run = CheckRun { sources, ..CheckRun::begin(context, question)? };
        let commands = run.toolchain.commands.as_ref()?;
        Some(VariantsRun { run, ledger, commands, group, started })
    }

    fn question(&self, index: QuestionId) -> &'a Question {
        &self.run.context.plan.questions[index]
    }

    fn variant(&self, index: QuestionId) -> Option<&'a Variant> {
        self.question(index).variant.as_ref()
    }

    /// Answers these variants. `None` if some remain without an answer.
    async fn answer(
        &self,
        mut members: Vec<QuestionId>,
        answered: &mut Vec<(QuestionId, Outcome)>,
    ) -> Option<()> {
        let ledger = self.ledger;
        let mut likely = false;
        for _ in 0..ROUNDS {
            if members.len() < MIN_VARIANTS {
                return None;
            }
            let staked = if likely { 0 } else { ledger.stake(1).await };
            if !likely && staked == 0 {
                return None;
            }
            // Variants that ran alone are no gain.
            let shared = |answered: &[(QuestionId, Outcome)]| {
                answered.iter().filter(|(_, outcome)| outcome.how == How::Fused).count()
            };
            let (before, count) = (shared(answered), members.len());
            let rest = self.answer_or_narrow(members, answered).await;
            ledger.settle(staked, 1, shared(answered) - before);
            let Remaining { members: left, is_stopped } = rest?;
            members = left;
            if members.is_empty() {
                return Some(());
            }
            likely = !is_stopped && ledger::is_likely(members.len(), count);
        }
        None
    }

    /// Answers all of these variants, or returns those to compile again without the failed ones.
    /// `None` if it is not known which ones failed.
    async fn answer_or_narrow(
        &self,
        mut members: Vec<QuestionId>,
        answered: &mut Vec<(QuestionId, Outcome)>,
    ) -> Option<Remaining> {
        let Compiled { object, has_error, diagnostics, is_stopped } =
            self.compile(&members).await?;
        let excluded: Vec<bool> = if let Some(object) = object {
            let wants = self.wants(&members, &object)?;
            let (run, commands) = (&self.run, self.commands);
            let inventory = linked::inventory(run, commands, &object, &members, answered).await?;
            let missing: Vec<_> = inventory.missing(&wants).collect();
            if missing.is_empty() && inventory.suffices(&wants) {
                self.record_answers(&members, &object, &diagnostics, answered).await;
                return Some(Remaining { members: Vec::new(), is_stopped });
            }
            let is_missing = |variant: &Variant| missing.contains(&&variant.word);
            members.iter().map(|&m| self.variant(m).is_some_and(is_missing)).collect()
        } else {
            has_error
        };
        excluded.contains(&true).then_some(())?;
        let mut excluded = excluded.into_iter();
        members.retain(|_| excluded.next() == Some(false));
        Some(Remaining { members, is_stopped })
    }

    /// Compiles the shared source of these variants. `None` if the diagnostics cannot be assigned
    /// to the variants.
    async fn compile(&self, members: &[QuestionId]) -> Option<Compiled> {
        let variants = members.iter().map(|&member| self.variant(member));
        let variants: Vec<_> = variants.collect::<Option<_>>()?;
        let text = self.group.shared_source(variants.iter().copied());
        let name = source_name();
        let dir = self.run.dir.path();
        std::fs::write(dir.join(&name), text).ok()?;
        let names: Vec<_> = (0..members.len()).map(|place| format!("{}.c", stem(place))).collect();
        for (&member, name) in std::iter::zip(members, &names) {
            // Compilers quote lines of this file.
            std::fs::write(dir.join(name), source(self.question(member))?).ok()?;
        }
        let (compile, program) = (&self.commands.compile, self.run.program);
        let attempt = self
            .run
            .run_template(compile, program, "the compiler", Stage::Compile, name.as_ref())
            .await;
        if attempt.cut || matches!(attempt.verdict, Verdict::Error(_)) {
            return None;
        }
        let blocks = blocks(&attempt.messages, &names)?;
        if blocks.iter().any(|(_, text)| self.group.is_about_common_text(text)) {
            return None;
        }
        let (mut has_error, mut diagnostics) = (Vec::new(), Vec::new());
        for (place, variant) in variants.into_iter().enumerate() {
            let own: Vec<_> = blocks.iter().filter(|(of, _)| *of == place).collect();
            has_error.push(own.iter().any(|(_, text)| text.contains("error: ")));
            // Alone, messages of later passes would follow the first ones without a new headline.
            diagnostics.push(match own.as_slice() {
                [] => Some(String::new()),
                [(_, text)] => {
                    let text = text.replace(&names[place], &name);
                    self.group.diagnostics_as_alone(variant, place, text)
                }
                _ => None,
            });
        }
        let object = match attempt.verdict {
            Verdict::Yes => Some(value::read_product(&self.run.product_path(Stage::Compile)?)?),
            _ => None,
        };
        // An error together with an object file is too strange to interpret, and so is neither.
        let is_strange = object.is_none() != has_error.contains(&true);
        let is_stopped = attempt.messages.contains(STOPPED_AT_LIMIT);
        (!is_strange).then_some(Compiled { object, has_error, diagnostics, is_stopped })
    }

    /// What the object file of any one variant wants at most, and what that of the first one
    /// defines. `None` if the shared object file does not define the same names for each variant.
    fn wants(&self, members: &[QuestionId], object: &[u8]) -> Option<Wants> {
        let mut wants = object_file::wants(object)?;
        let own_names = &self.variant(members[0])?.own_names;
        // In some versions of a text a name is static, and so is not among these.
        let defined = own_names.iter().filter(|name| wants.defines.contains(*name));
        let defined: BTreeSet<_> = defined.cloned().collect();
        for (place, &member) in members.iter().enumerate().skip(1) {
            for (name, own) in variants::names_at(self.variant(member)?, place) {
                if wants.defines.remove(&own) != defined.contains(name) {
                    return None;
                }
            }
        }
        (wants.defines == defined).then_some(wants)
    }

    /// Records the answers of variants whose shared source compiled and wants nothing that is
    /// missing.
    async fn record_answers(
        &self,
        members: &[QuestionId],
        object: &[u8],
        diagnostics: &[Option<String>],
        answered: &mut Vec<(QuestionId, Outcome)>,
    ) {
        for (place, (&member, diagnostics)) in std::iter::zip(members, diagnostics).enumerate() {
            let Some(diagnostics) = diagnostics else { continue };
            if answered.iter().all(|(done, _)| *done != member) {
                let outcome = self.outcome(place, member, object, diagnostics).await;
                answered.extend(outcome.map(|outcome| (member, outcome)));
            }
        }
    }

    /// The outcome of a variant, which is yes; `None` if its product cannot be made.
    async fn outcome(
        &self,
        place: usize,
        member: QuestionId,
        object: &[u8],
        diagnostics: &str,
    ) -> Option<Outcome> {
        let context = self.run.context;
        let question = self.question(member);
        let deadline = self.started + question.timeout;
        let run = CheckRun { deadline, ..CheckRun::begin(context, question)? };
        let mut outcome = linked::yes(&run, self.commands, diagnostics)?;
        outcome.duration = self.started.elapsed();
        if question.product.is_some() {
            let names = variants::names_at(question.variant.as_ref()?, place);
            let data: Vec<_> =
                names.filter_map(|(_, own)| object_file::data(object, &own)).collect();
            (!data.is_empty()).then_some(())?;
            std::fs::write(run.product_path(Stage::Compile)?, data.concat()).ok()?;
            run.finish(&mut outcome).await;
        }
        Some(outcome)
    }
}
