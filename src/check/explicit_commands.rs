//! Compiles and links by commands that the request gives in full.

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
    /// Compiles a file and links what that has made, unless the question goes no further. The
    /// last command decides.
    pub(crate) async fn explicit_commands(
        &self,
        commands: &Commands,
        file: &OsStr,
        source: Option<Source>,
    ) -> Outcome {
        let compiled =
            self.run_template(&commands.compile, self.program, "the compiler", Stage::Compile, file).await;
        let steps = vec![step(&compiled)];
        self.link_explicitly(commands, file, Outcome { steps, ..compiled.outcome(source) }).await
    }

    /// KnownLinks what was compiled, if it was and the question goes so far.
    async fn link_explicitly(
        &self,
        commands: &Commands,
        file: &OsStr,
        mut outcome: Outcome,
    ) -> Outcome {
        if outcome.verdict != Verdict::Yes || self.question.subject.stage() < Stage::Link {
            return outcome;
        }
        let (link, program) = commands.link.as_ref().expect("the plan has looked for it");
        let program = match program {
            Ok(program) => program,
            Err(why) => {
                outcome.verdict = Verdict::Error(why.clone());
                return outcome;
            }
        };
        let known = self.link_to_look_up(link, &commands.compile, file);
        if let Some(link_ahead) = &known
            && (self.context.links.knows(link_ahead)
                || self.inventory_suffices(link_ahead, link, program).await)
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
            self.context.links.learn(link);
        }
        outcome.verdict = linked.verdict;
        outcome.command = linked.command;
        outcome.exit_code = linked.exit_code;
        outcome.output = linked.messages;
        outcome.cut |= linked.cut;
        outcome
    }

    /// Runs one of the two commands.
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
        let object = self.toolchain.dialect.product(Stage::Compile).expect("it is a file");
        let reads = if stage == Stage::Link { object.into() } else { file.to_owned() };
        let mode = OutputMode::Merged;
        let command = Command { what, program, argv, reads: vec![reads], product, mode };
        self.attempt(command, file).await
    }

    /// A command of this question.
    pub(crate) fn argv(&self, template: &Template, file: &OsStr) -> Vec<OsString> {
        let name = |stage| self.toolchain.dialect.product(stage).map(OsString::from);
        template.fill(Filling {
            source: file,
            object: &name(Stage::Compile).expect("it is a file"),
            program: &name(Stage::Link).expect("it is a file"),
            definitions: &self.question.definitions,
            args: &self.question.args,
            link_args: &self.question.link_args,
        })
    }

    /// The link that is ahead, if its program is wanted by nobody and something can be known of
    /// it.
    fn link_to_look_up(&self, template: &Template, compile: &Template, file: &OsStr) -> Option<Link> {
        let is_wanted = self.question.product.is_some();
        if self.question.subject.stage() > Stage::Link
            || is_wanted && !self.question.product_is_data
        {
            return None;
        }
        let object = value::read_product(&self.product_path(Stage::Compile)?)?;
        if is_wanted && object_file::wants(&object).is_none() {
            // With link-time optimization, say, there is no data in it.
            return None;
        }
        self.link_of(template, compile, file, &object)
    }

    /// The link of an object file, if something can be known of it.
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

    /// The step of a link that is known to work, which is not run.
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
