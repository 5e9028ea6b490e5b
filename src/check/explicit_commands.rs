//! Compiles and links with the explicit commands of a toolchain.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::check::links::Link;
use crate::check::{Attempt, CheckRun, Command, Outcome, reported_argv};
use crate::compiler::dialect::Stage;
use crate::compiler::object_file;
use crate::compiler::value;
use crate::compiler::verdict::Verdict;
use crate::os::OutputMode;
use crate::plan::template::{Filling, Template};
use crate::plan::toolchain::Commands;
use crate::protocol::response::Step;
use crate::source::Source;

impl CheckRun<'_> {
    /// Compiles a file, and links the result if the question needs it. The last command that ran
    /// decides.
    pub(crate) async fn explicit_commands(
        &self,
        commands: &Commands,
        file: &OsStr,
        source: Option<Source>,
    ) -> Outcome {
        let compiled = self
            .run_template(&commands.compile, self.program, "the compiler", Stage::Compile, file)
            .await;
        let steps = vec![step(&compiled)];
        self.link_explicitly(commands, file, Outcome { steps, ..compiled.outcome(source) }).await
    }

    /// Links the object file, if it compiled and the question needs it.
    async fn link_explicitly(
        &self,
        commands: &Commands,
        file: &OsStr,
        mut outcome: Outcome,
    ) -> Outcome {
        if outcome.verdict != Verdict::Yes || self.question.subject.stage() < Stage::Link {
            return outcome;
        }
        let (link, program) = commands.link.as_ref().expect("the plan requires a link command");
        let program = match program {
            Ok(program) => program,
            Err(why) => {
                outcome.verdict = Verdict::Error(why.clone());
                return outcome;
            }
        };
        let known = self.link_to_look_up(link, &commands.compile, file);
        if let Some(link_ahead) = &known
            && (self.knows(link_ahead) || self.inventory_suffices(link_ahead, link, program).await)
        {
            let step = self.skipped_link_step(link, file);
            outcome.command = step.command.clone();
            outcome.output.clear();
            outcome.steps.push(step);
            return outcome;
        }
        let linked = self.run_template(link, program, "the linker", Stage::Link, file).await;
        outcome.steps.push(step(&linked));
        if let Some(link) = known
            && linked.verdict == Verdict::Yes
            && linked.messages.is_empty()
        {
            self.learn(link);
        }
        outcome.verdict = linked.verdict;
        outcome.command = linked.command;
        outcome.exit_code = linked.exit_code;
        outcome.output = linked.messages;
        outcome.cut |= linked.cut;
        outcome
    }

    /// Runs the compile or the link command of the toolchain.
    pub(crate) async fn run_template(
        &self,
        template: &Template,
        program: &Path,
        what: &str,
        stage: Stage,
        file: &OsStr,
    ) -> Attempt {
        let argv = self.argv(template, file);
        let product = self.product_path(stage);
        let object =
            self.toolchain.dialect.product(Stage::Compile).expect("a compile writes a file");
        let reads = if stage == Stage::Link { object.into() } else { file.to_owned() };
        let mode = OutputMode::Merged;
        let command = Command { what, program, argv, reads: vec![reads], product, mode };
        self.attempt(command, file).await
    }

    /// A command of the toolchain with its placeholders filled in.
    pub(crate) fn argv(&self, template: &Template, file: &OsStr) -> Vec<OsString> {
        let name = |stage| self.toolchain.dialect.product(stage).map(OsString::from);
        template.fill(Filling {
            source: file,
            object: &name(Stage::Compile).expect("a compile writes a file"),
            program: &name(Stage::Link).expect("a link writes a file"),
            definitions: &self.question.definitions,
            args: &self.question.args,
            link_args: &self.question.link_args,
        })
    }

    /// The link of this question, if nobody needs its program and known links can answer for it.
    fn link_to_look_up(
        &self,
        template: &Template,
        compile: &Template,
        file: &OsStr,
    ) -> Option<Link> {
        let is_wanted = self.question.product.is_some();
        if self.question.subject.stage() > Stage::Link
            || is_wanted && !self.question.product_is_data
        {
            return None;
        }
        let object = value::read_product(&self.product_path(Stage::Compile)?)?;
        if is_wanted && object_file::wants(&object).is_none() {
            // The object file has no data, for example because of link-time optimization.
            return None;
        }
        self.link_of(template, compile, file, &object)
    }

    /// The link of an object file, if known links can answer for it.
    pub(crate) fn link_of(
        &self,
        template: &Template,
        compile: &Template,
        file: &OsStr,
        object: &[u8],
    ) -> Option<Link> {
        let programs = self.toolchain.identity();
        let [argv, compiled_by] = [template, compile].map(|command| self.argv(command, file));
        Link::new(&argv, &self.toolchain.env, &programs, object, &compiled_by)
    }

    /// The reported step of a link that did not run because it is known to succeed.
    pub(crate) fn skipped_link_step(&self, template: &Template, file: &OsStr) -> Step {
        let command = reported_argv(&self.argv(template, file));
        Step { command, exit_code: Some(0), output: String::new(), known: true }
    }
}

fn step(attempt: &Attempt) -> Step {
    Step {
        command: attempt.command.clone(),
        exit_code: attempt.exit_code,
        output: attempt.messages.clone(),
        known: false,
    }
}
