//! Compiles sources beside each other, by one command.

use std::ffi::OsString;
use std::rc::Rc;

use tokio::time::Instant;

use super::Context;
use super::asking::{Asking, Attempt, Command, Outcome, shown};
use super::command::command_line;
use super::fused::Fused;
use crate::dialect::{STEM, Stage};
use crate::fuse::beside;
use crate::judge::{self, Verdict};
use crate::os::Wires;
use crate::plan::question::Question;
use crate::process::Captured;
use crate::response::Value;
use crate::source::{self, Form, Source};
use crate::value::{self, Found};

/// Answers what can be answered by one compile of all; the rest is asked alone.
pub async fn answer(context: &Context, questions: Vec<usize>) -> Fused {
    let mut fused = Fused::default();
    let toolchain = context.plan.questions[questions[0]].toolchain;
    let is_tried = super::probe::is_tried(context, toolchain);
    let works = !is_tried || context.probes[toolchain].failure(Stage::Compile).await.is_none();
    let first = &context.plan.questions[questions[0]];
    let shared = Question { definitions: beside::seen_definitions(first), ..first.clone() };
    let together = works.then(|| Together::new(context, &questions, &shared)).flatten();
    let compiled = match &together {
        Some(together) => together.compile().await.unwrap_or_default(),
        None => Vec::new(),
    };
    for (place, &question) in questions.iter().enumerate() {
        let outcome = match (&together, compiled.get(place)) {
            (Some(together), Some(compiled)) => together.outcome(place, compiled).await,
            _ => None,
        };
        fused.take(question, outcome);
    }
    context.rows.lose(fused.alone.len());
    fused
}

pub(super) struct Together<'a> {
    pub(super) asking: Asking<'a>,
    questions: Vec<&'a Question>,
    forms: Vec<Form>,
    started: Instant,
}

/// What came of one source.
struct Compiled {
    object: Rc<[u8]>,
    said: String,
    /// Whether the middle of it is missing, as it would be alone.
    cut: bool,
    code: i32,
}

impl<'a> Together<'a> {
    fn new(context: &'a Context, indices: &[usize], question: &'a Question) -> Option<Self> {
        let questions: Vec<_> =
            indices.iter().map(|&index| &context.plan.questions[index]).collect();
        let toolchain = &context.plan.toolchains[question.toolchain];
        let forms: Vec<_> =
            questions.iter().map(|question| source::form(question, toolchain.language)).collect();
        forms.iter().all(|form| form.source().is_some()).then_some(())?;
        let started = Instant::now();
        let deadline = started + questions.iter().map(|question| question.timeout).min()?;
        let sources = questions.len();
        let asking = Asking { deadline, sources, ..Asking::begin(context, question)? };
        Some(Together { asking, questions, forms, started })
    }

    pub(super) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.forms.iter().filter_map(Form::source)
    }

    fn names(&self) -> Vec<String> {
        let sources = self.sources().enumerate();
        sources
            .map(|(place, source)| format!("{}.{}", beside::stem(place), source.extension))
            .collect()
    }

    /// Compiles all. `None` if it cannot be told what was said of which.
    async fn compile(&self) -> Option<Vec<Compiled>> {
        let names = self.names();
        let room = self.asking.room.path();
        for (name, form) in std::iter::zip(&names, &self.forms) {
            std::fs::write(room.join(name), &form.source()?.text).ok()?;
        }
        let to_assembly = self.go_by_assembly();
        let attempt = self.run(if to_assembly { "-S" } else { "-c" }, &names).await?;
        let said = beside::portions(&attempt.messages, &names)?;
        let code = attempt.exit_code?;
        let objects: Vec<Rc<[u8]>> = match to_assembly {
            true => self.assembled(&names).await?,
            false => {
                names.iter().enumerate().map(|(place, name)| self.object(place, name)).collect()
            }
        };
        let compiled = std::iter::zip(std::iter::zip(names, said), objects);
        let compiled = compiled.map(|((name, said), object)| {
            let said = Captured::of_text(&said.replace(&name, &self.own_name(&name)));
            Compiled { object, cut: said.is_cut(), said: said.text(), code }
        });
        let compiled: Vec<_> = compiled.collect();
        // Either all object files are there, or the command says that it failed. An assembler may
        // have had words for some.
        let all = compiled.iter().all(|compiled| !compiled.object.is_empty());
        (all == (code == 0) || to_assembly && code == 0).then_some(compiled)
    }

    /// The object file of a source, as it would be alone.
    fn object(&self, place: usize, name: &str) -> Rc<[u8]> {
        let object = self.asking.room.path().join(format!("{}.o", beside::stem(place)));
        let object = value::product(&object).unwrap_or_default();
        self.asking
            .context
            .assembled
            .learn_compiler(self.asking.program, || Some(object.clone()).filter(|o| !o.is_empty()));
        beside::as_alone(object, name, &self.own_name(name)).into()
    }

    /// The name of a source where it is alone.
    pub(super) fn own_name(&self, name: &str) -> String {
        format!("{STEM}.{}", name.rsplit('.').next().unwrap_or_default())
    }

    /// The command without its files.
    pub(super) fn command(&self) -> Option<Vec<OsString>> {
        let Asking { question, toolchain, .. } = &self.asking;
        Some(match &toolchain.commands {
            // It has no place for a file.
            Some(commands) => self.asking.filled(&commands.compile.without_files()?, "".as_ref()),
            None => [&toolchain.command[..], &toolchain.args, &question.args].concat(),
        })
    }

    /// Runs it over these files, as far as an option tells.
    pub(super) async fn run(&self, option: &str, names: &[String]) -> Option<Attempt> {
        let mut argv = self.command()?;
        argv.push(option.into());
        argv.extend(names.iter().map(OsString::from));
        let (what, program) = ("the compiler", self.asking.program);
        let reads = names.iter().map(OsString::from).collect();
        let command = Command { what, program, argv, reads, product: None, wires: Wires::Merged };
        let attempt = self.asking.attempt(command, names[0].as_ref()).await;
        (!attempt.cut && !matches!(attempt.verdict, Verdict::Error(_))).then_some(attempt)
    }

    /// The answer to a question, if it is certain.
    async fn outcome(&self, place: usize, compiled: &Compiled) -> Option<Outcome> {
        let context = self.asking.context;
        let (question, form) = (self.questions[place], &self.forms[place]);
        let source = form.source()?;
        let name = OsString::from(format!("{STEM}.{}", source.extension));
        let has_error = compiled.said.contains("error: ");
        let verdict = match compiled.object.is_empty() {
            false if !has_error => Verdict::Yes,
            true if has_error => {
                let around = self.asking.around();
                judge::failed("", compiled.code, &compiled.said, true, &source.text, around)
            }
            _ => return None,
        };
        if matches!(verdict, Verdict::Error(_)) {
            return None;
        }
        let exit_code = Some(if verdict == Verdict::Yes { 0 } else { compiled.code });
        let mut outcome = Outcome {
            verdict,
            exit_code,
            output: compiled.said.clone(),
            cut: compiled.cut,
            source: Some(source.text.clone()),
            fused: true,
            ..Outcome::of(Verdict::No)
        };
        let deadline = self.started + question.timeout;
        // By the question's own toolchain: it may link in another way.
        let asking = Asking { deadline, ..Asking::begin(context, question)? };
        let toolchain = asking.toolchain;
        if outcome.verdict == Verdict::Yes {
            std::fs::write(asking.room.path().join(&name), &source.text).ok()?;
            std::fs::write(asking.written(Stage::Compile)?, &compiled.object).ok()?;
        }
        match &toolchain.commands {
            Some(commands) => {
                outcome = asking.in_full_from(commands, &name, outcome).await;
                // Where debug information is compressed, the name is still in it.
                let own = format!("{}.{}", beside::stem(place), source.extension);
                let given = name.to_string_lossy();
                let outputs = outcome.steps.iter_mut().map(|step| &mut step.output);
                for output in outputs.chain([&mut outcome.output]) {
                    *output = output.replace(&own, &given);
                }
                asking.finish(&mut outcome).await;
            }
            None => {
                outcome.command =
                    shown(&command_line(toolchain, question, Stage::Compile, &name).0);
                if outcome.verdict == Verdict::Yes {
                    outcome.value = value(form, &compiled.object)?;
                    asking.finish(&mut outcome).await;
                }
            }
        }
        outcome.duration = self.started.elapsed();
        Some(outcome)
    }
}

/// What an object file says beyond yes; `None` if other ways would have to find it.
#[allow(clippy::option_option, reason = "no value is wanted, or none was found")]
fn value(form: &Form, object: &[u8]) -> Option<Option<Value>> {
    match form {
        Form::Integer(_) => match value::integer(object) {
            Found::One(number) => {
                Some(Some(Value::Integer(serde_json::Number::from_i128(number)?)))
            }
            _ => None,
        },
        Form::ByteOrder(_) => match value::byte_order(object) {
            Found::One(order) => Some(Some(Value::Text(order.into()))),
            _ => None,
        },
        _ => Some(None),
    }
}
