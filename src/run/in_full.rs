//! Compiles and links by commands that the request gives in full.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::asking::{Asking, Attempt, Command, Outcome};
use crate::dialect::Stage;
use crate::judge::Verdict;
use crate::os::Wires;
use crate::response::Step;
use crate::source::Source;
use crate::template::{Filling, Template};
use crate::toolchain::Commands;

impl Asking<'_> {
    /// Compiles a file and links what that has made, unless the question goes no further. The
    /// last command decides.
    pub(super) async fn in_full(
        &self,
        commands: &Commands,
        file: &OsStr,
        source: Option<Source>,
    ) -> Outcome {
        let compiled =
            self.by(&commands.compile, self.program, "the compiler", Stage::Compile, file).await;
        let steps = vec![step(&compiled)];
        let mut outcome = Outcome { steps, ..compiled.outcome(source) };
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
        let linked = self.by(link, program, "the linker", Stage::Link, file).await;
        outcome.steps.push(step(&linked));
        outcome.verdict = linked.verdict;
        outcome.command = linked.command;
        outcome.exit_code = linked.exit_code;
        outcome.output = linked.messages;
        outcome.cut |= linked.cut;
        outcome
    }

    /// Runs one of the two commands.
    async fn by(
        &self,
        template: &Template,
        program: &Path,
        what: &str,
        stage: Stage,
        file: &OsStr,
    ) -> Attempt {
        let name = |stage| self.toolchain.dialect.product(stage).map(OsString::from);
        let argv = template.fill(Filling {
            source: file,
            object: &name(Stage::Compile).expect("it is a file"),
            program: &name(Stage::Link).expect("it is a file"),
            definitions: &self.question.definitions,
            args: &self.question.args,
            link_args: &self.question.link_args,
        });
        let product = self.written(stage);
        self.attempt(Command { what, program, argv, product, wires: Wires::Merged }, file).await
    }
}

fn step(attempt: &Attempt) -> Step {
    Step {
        command: attempt.command.clone(),
        exit_code: attempt.exit_code,
        output: attempt.messages.clone(),
    }
}
