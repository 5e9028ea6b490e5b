//! Whether a no is about the question, or about arguments that the compiler refuses.
//!
//! A toolchain is probed with its own arguments only. A check may add others, and if the compiler
//! refuses them, every answer is no. So a no with such arguments is held back until another check
//! with the same arguments answers yes, or until an empty program has been compiled with them, once for
//! all checks that have them. If nothing is wrong, this costs no command.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::QuestionState;
use crate::check::Outcome;
use crate::check::context::Context;
use crate::check::{probe, toolchain_probe};
use crate::compiler::dialect::Stage;
use crate::compiler::options::{self, Takes};
use crate::compiler::verdict::Verdict;
use crate::plan::Plan;
use crate::plan::PlannedCheck;
use crate::plan::ids::{CheckId, QuestionId, Table, ToolchainId, id};
use crate::plan::question::{Question, Subject};
use crate::protocol::code::{Code, Reason};
use crate::protocol::fragment;
use crate::protocol::response::How;

id! {
    /// A trial, in the order in which checks first have its arguments.
    TrialId
}

/// What a trial needs to run: the arguments, and the first question that has them.
pub(super) struct Call {
    arguments: Arguments,
    question: QuestionId,
}

/// Arguments, and the stage that they are used for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Arguments {
    toolchain: ToolchainId,
    stage: Stage,
    args: Vec<OsString>,
    link_args: Vec<OsString>,
}

/// What is known about arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Unknown,
    /// The trial is running.
    Running,
    /// A check, or the empty program, has succeeded with them.
    Good,
    /// The empty program has failed, and why.
    Bad(Reason),
}

#[derive(Debug)]
struct Trial {
    arguments: Arguments,
    state: State,
    /// The questions with these arguments.
    questions: Vec<QuestionId>,
    /// Negative outcomes that wait for the trial.
    held: Vec<(QuestionId, Outcome)>,
}

/// The trials of a run.
#[derive(Debug, Default)]
pub(super) struct ArgumentTrials {
    trials: Table<TrialId, Trial>,
    /// For each question, the trial that its no waits for, and the trials that its yes makes
    /// unnecessary.
    of_question: HashMap<QuestionId, (TrialId, Vec<TrialId>)>,
    /// The refusals that were reported.
    reported: HashSet<String>,
}

impl ArgumentTrials {
    pub(super) fn new(context: &Context) -> Self {
        let mut trials = ArgumentTrials::default();
        let mut known = HashMap::new();
        for (check, given) in std::iter::zip(&context.plan.checks, &context.plan.given) {
            let question = &context.plan.questions[check.question];
            // The arguments of a source in a request belong to the question. Those on the command line are
            // for all checks there.
            let are_part_of_question =
                matches!(question.subject, Subject::Source { .. }) && given.origin.option.is_none();
            let is_known = trials.of_question.contains_key(&check.question);
            if are_part_of_question || is_known || !probe::is_probed(context, question.toolchain) {
                continue;
            }
            let ids: Vec<_> = all_arguments(question)
                .into_iter()
                .filter(Arguments::may_be_refused)
                .map(|arguments| {
                    *known.entry(arguments.clone()).or_insert_with(|| {
                        let (state, questions, held) = (State::Unknown, Vec::new(), Vec::new());
                        trials.trials.push(Trial { arguments, state, questions, held })
                    })
                })
                .collect();
            if let Some(&last) = ids.last() {
                trials.trials[last].questions.push(check.question);
                trials.of_question.insert(check.question, (last, ids));
            }
        }
        trials
    }

    /// Takes an outcome, and returns the outcomes that count from now on.
    pub(super) fn judge(
        &mut self,
        question: QuestionId,
        outcome: Outcome,
    ) -> Vec<(QuestionId, Outcome)> {
        let Some((own, all)) = self.of_question.get(&question) else {
            return vec![(question, outcome)];
        };
        let mut counting = Vec::new();
        match (&outcome.verdict, &self.trials[*own].state) {
            (Verdict::Yes, _) => {
                for &trial in all {
                    self.trials[trial].state = State::Good;
                    counting.append(&mut self.trials[trial].held);
                }
                counting.push((question, outcome));
            }
            (Verdict::No, State::Unknown | State::Running) => {
                self.trials[*own].held.push((question, outcome));
            }
            (Verdict::No, State::Bad(why)) => {
                let verdict = Verdict::Error(why.clone());
                // The store holds no errors.
                let how = if outcome.how == How::Stored { How::Run } else { outcome.how };
                counting.push((question, Outcome { verdict, value: None, how, ..outcome }));
            }
            _ => counting.push((question, outcome)),
        }
        counting
    }

    /// A trial that no check will make unnecessary: outcomes wait for it, and no other question with these
    /// arguments is open.
    pub(super) fn due(&self, questions: &Table<QuestionId, QuestionState>) -> Option<TrialId> {
        let is_open = |&&id: &&QuestionId| matches!(questions[id], QuestionState::Open { .. });
        let is_due = |trial: &Trial| {
            trial.state == State::Unknown
                && !trial.held.is_empty()
                && trial.questions.iter().filter(is_open).count() <= trial.held.len()
        };
        self.trials.enumerate().find(|(_, trial)| is_due(trial)).map(|(id, _)| id)
    }

    /// Starts a trial that is due.
    pub(super) fn start(&mut self, id: TrialId) -> Call {
        let trial = &mut self.trials[id];
        trial.state = State::Running;
        Call { arguments: trial.arguments.clone(), question: trial.held[0].0 }
    }

    /// Whether a refusal has not been reported before. Compiling and linking may fail alike.
    pub(super) fn is_news(&mut self, refusal: &Refusal) -> bool {
        self.reported.insert(refusal.why.clone())
    }

    /// Takes the result of a trial, and returns the outcomes that waited for it.
    pub(super) fn settle(
        &mut self,
        id: TrialId,
        refusal: Option<Refusal>,
    ) -> Vec<(QuestionId, Outcome)> {
        let trial = &mut self.trials[id];
        if trial.state == State::Running {
            trial.state = refusal.map_or(State::Good, |refusal| State::Bad(refusal.reason));
        }
        std::mem::take(&mut trial.held)
    }
}

/// The arguments of a question when it compiles and, if it links, when it links.
fn all_arguments(question: &Question) -> Vec<Arguments> {
    let at = |stage, args, link_args| Arguments {
        toolchain: question.toolchain,
        stage,
        args,
        link_args,
    };
    let stage = question.subject.stage();
    let mut all = vec![at(stage.min(Stage::Compile), question.args.clone(), Vec::new())];
    if stage >= Stage::Link {
        // A missing library is an answer, not a refused argument.
        let [args, link_args] = [&question.args, &question.link_args].map(|it| no_libraries(it));
        all.push(at(Stage::Link, args, link_args));
    }
    all
}

impl Arguments {
    /// Whether a compiler may refuse any of them: all but macros, directories and libraries.
    fn may_be_refused(&self) -> bool {
        let is_harmless = |(argument, value): &(options::Argument<'_>, Option<&str>)| {
            let value = value.unwrap_or_default();
            let name = value.split('=').next().unwrap_or_default();
            match argument.takes {
                Takes::Macro => fragment::identifier(name).is_ok(),
                Takes::Directory | Takes::Library => !value.is_empty(),
                _ => false,
            }
        };
        let all = [self.args.as_slice(), &self.link_args].concat();
        !options::read(&all).is_some_and(|args| args.iter().all(is_harmless))
    }

    /// The place of the argument that a compiler complains about in this line, as far as it can be found.
    fn place(&self, plan: &Plan, question: QuestionId, line: &str) -> String {
        let asks = |(_, check): &(CheckId, &PlannedCheck)| check.question == question;
        let first = plan.checks.enumerate().find(asks).map(|(id, _)| id);
        let given = &plan.given[first.expect("a check has asked it")];
        let question = &plan.questions[question];
        let is_named = |arg: &&OsString| {
            let arg = arg.to_string_lossy();
            let parts = arg.split(',').skip(1).filter(|part| part.len() > 2);
            std::iter::once(arg.as_ref()).chain(parts).any(|part| line.contains(part))
        };
        let own = &question.args[given.include_dirs..];
        // Clang also names -Werror, which turns its warning about another argument into an error.
        let is_quoted = |arg: &OsString| line.contains(&format!("'{}'", arg.to_string_lossy()));
        for (field, args) in [("args", own), ("link_args", &question.link_args)] {
            let named = args.iter().enumerate().filter(|(_, arg)| is_named(arg));
            let likely = named.max_by_key(|(_, arg)| (is_quoted(arg), arg.len()));
            if let Some((position, _)) = likely {
                return given.origin.of_field(field, Some(position)).to_string();
            }
        }
        let field = if own.is_empty() { "link_args" } else { "args" };
        let args = if own.is_empty() { &question.link_args } else { own };
        let only = (args.len() == 1).then_some(0);
        given.origin.of_field(field, only).to_string()
    }
}

/// The arguments that name no library.
fn no_libraries(args: &[OsString]) -> Vec<OsString> {
    let mut left = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let text = arg.to_string_lossy();
        let argument = options::Argument::of(&text);
        let names_library = match argument.takes {
            Takes::Library => true,
            // Whatever it hands to the linker may name a library.
            Takes::Stream => argument.spelling == "-Xlinker",
            Takes::List => argument.attached.split(',').any(is_library),
            _ => is_library(&text),
        };
        if !names_library {
            left.push(arg.clone());
        } else if argument.takes_next() {
            args.next();
        }
    }
    left
}

/// Whether a word names a library by option or file name.
fn is_library(word: &str) -> bool {
    let extension = Path::new(word).extension();
    let endings = ["a", "so", "o", "dylib", "tbd", "lib"];
    let ends = extension.is_some_and(|it| endings.iter().any(|ending| it == OsStr::new(ending)));
    word.starts_with("-l") || !word.starts_with('-') && (ends || word.contains(".so."))
}

/// Arguments with which the empty program has failed.
#[derive(Debug)]
pub(super) struct Refusal {
    /// In the compiler's words.
    why: String,
    /// The reason for the checks with these arguments.
    reason: Reason,
    /// The notice for the user.
    pub(super) notice: String,
}

/// Compiles or links the empty program with the arguments.
pub(super) async fn refusal(context: &Context, call: Call) -> Option<Refusal> {
    let Call { arguments, question } = call;
    let plan = &context.plan;
    let timeout = plan.questions[question].timeout;
    let Arguments { toolchain, stage, args, link_args } = arguments.clone();
    let trial = Question {
        args,
        link_args,
        timeout,
        ..probe::empty_program(&plan.toolchains[toolchain], toolchain, stage)
    };
    let outcome = probe::recalled_outcome(context, &trial).await;
    let Reason { code, text: why } =
        toolchain_probe::failure_reason(&outcome, Code::ArgumentsRefused)?;
    let verb = match stage {
        Stage::Preprocess => "preprocess",
        Stage::Compile => "compile",
        Stage::Link | Stage::Run => "link",
    };
    let place = arguments.place(plan, question, &why);
    let reason = format!(
        "with these arguments the compiler cannot {verb} an empty program: {why}; correct {place}"
    );
    let notice = probe::notice(&reason, &outcome);
    Some(Refusal { why, reason: Reason::new(code, reason), notice })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ids::Id;

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn libraries_are_no_arguments_of_the_empty_program() {
        for (args, left) in [
            ("-lm -pthread -l rt", "-pthread"),
            ("-L/x /x/libz.a libz.so.1 -Wl,-z,now", "-L/x -Wl,-z,now"),
            ("-Wl,--push-state,-lz,--pop-state -framework Cocoa -static", "-static"),
        ] {
            assert_eq!(no_libraries(&words(args)), words(left), "{args}");
        }
    }

    #[test]
    fn macros_and_directories_are_never_refused() {
        let of = |args: &str| {
            let (args, link_args) = (words(args), Vec::new());
            Arguments { toolchain: ToolchainId::at(0), stage: Stage::Compile, args, link_args }
                .may_be_refused()
        };
        for harmless in ["", "-I/x -DX -DY=1 -UZ", "-lm -L/x", "-I x -D Y -isystem z"] {
            assert!(!of(harmless), "{harmless}");
        }
        for other in ["-std=c42", "-D", "-D1X", "-D 1X", "-I", "-DX -Werror", "x.o"] {
            assert!(of(other), "{other}");
        }
    }
}
