//! Runs the program that a question linked.

use std::ffi::OsString;
use std::time::Duration;

use tokio::time::sleep;

use crate::check::context::Context;
use crate::check::stored::Product;
use crate::check::{CheckRun, Outcome, exit_code, reported_argv};
use crate::compiler::dialect::Stage;
use crate::compiler::verdict::{self, Verdict};
use crate::exec::process::{Exit, Finished};
use crate::os::{self, OutputMode, Start};
use crate::plan::question::{Question, Subject};
use crate::plan::toolchain;
use crate::protocol::code::{Code, Reason};
use crate::protocol::response::{How, Step, Value};

/// How often a program is started again while another process has it open for writing, and the
/// pause before the first retry. The pauses double: 2 s in all.
const BUSY_RETRIES: u32 = 11;
const BUSY_PAUSE: Duration = Duration::from_millis(1);

impl CheckRun<'_> {
    /// The question whether the program of a question that runs one can be built. `None` for other
    /// questions.
    fn built(&self) -> Option<Question> {
        let Subject::Source { stage: Stage::Run, code, .. } = &self.question.subject else {
            return None;
        };
        let subject = Subject::Source {
            stage: Stage::Link,
            code: code.clone(),
            run_args: Vec::new(),
            merge_output: false,
            run_dir: None,
        };
        let (product, fail_patterns) = (self.product_path(Stage::Run), Vec::new());
        Some(Question { subject, product, fail_patterns, ..self.question.clone() })
    }

    /// The stored outcome of building the program, which then is where the compiler would have put
    /// it.
    pub(super) fn recalled_program(&self) -> Option<Outcome> {
        let Context { plan, recall, .. } = self.context;
        let outcome = recall.as_ref()?.find(plan, &self.built()?)?;
        let how = if outcome.verdict == Verdict::Yes { How::Run } else { How::Stored };
        Some(Outcome { how, ..outcome })
    }

    /// Keeps the program that was built.
    pub(super) fn keep_program(&self, outcome: &mut Outcome) {
        let Context { plan, recall, .. } = self.context;
        if let (Some(recall), Some(built)) = (recall, self.built()) {
            outcome.seen = self.seen();
            outcome.product = built.product.as_deref().and_then(Product::read);
            recall.keep_program(plan, self.question, &built, outcome);
            outcome.product = None;
        }
    }

    /// Runs the program and stores its verdict in the outcome.
    pub(crate) async fn run_program(&self, outcome: &mut Outcome) {
        let Subject::Source { run_args, merge_output, run_dir, .. } = &self.question.subject else {
            unreachable!("only sources are run")
        };
        let program = self.product_path(Stage::Run).expect("a link writes a file");
        let (mut argv, file) = match &self.toolchain.emulator {
            Some((_, Err(why))) => {
                outcome.verdict = Verdict::Error(why.clone());
                return;
            }
            Some((command, Ok(file))) => (command.clone(), file.as_path()),
            None => (Vec::new(), program.as_path()),
        };
        argv.push(program.clone().into());
        argv.extend(run_args.iter().map(OsString::from));
        let mut env = self.toolchain.program_env.clone();
        toolchain::set(&mut env, "TMPDIR", self.dir.path());
        let mode = if *merge_output { OutputMode::Merged } else { OutputMode::Apart };
        let dir = run_dir.as_deref().unwrap_or(self.dir.path());
        let check_dir = self.dir.path();
        let start = Start { program: file, argv: &argv, env: &env, dir, check_dir, mode };
        // Programs that share a directory run one at a time.
        let _alone = match run_dir {
            Some(_) => Some(self.context.shared_dirs.lock().await),
            None => None,
        };
        let finished = self.run_when_not_busy(start).await;
        let timeout = self.question.timeout;
        let emulator = self.toolchain.emulator.is_some().then_some(file);
        let (stdout, errors) = (finished.stdout.text(), finished.stderr.text());
        // An emulator writes its own messages to standard error, wherever that goes.
        let emulator_output = if *merge_output { &stdout } else { &errors };
        outcome.verdict = verdict::program(
            &finished.exit,
            emulator,
            emulator_output,
            timeout,
            self.command_context(),
        );
        outcome.exit_code = exit_code(&finished);
        outcome.output += &errors;
        outcome.cut |= finished.stderr.is_cut() || finished.stdout.is_cut();
        let signal = match finished.exit {
            Exit::Signal(signal) => Some(signal),
            _ => None,
        };
        if let (Some(signal), Verdict::No) = (signal, &outcome.verdict) {
            let text = format!("the program was ended by {}", os::describe_signal(signal));
            outcome.remark = Some(Reason::new(Code::ProgramCrashed, text));
        }
        if matches!(finished.exit, Exit::Code(_) | Exit::Signal(_)) {
            let exit_status = outcome.exit_code;
            outcome.value = Some(Value::Program { exit_status, stdout, signal });
        }
        if self.toolchain.commands.is_some() {
            let exit_code = outcome.exit_code;
            outcome.steps.push(Step {
                command: reported_argv(&argv),
                exit_code,
                output: errors,
                known: false,
            });
        }
    }

    /// Runs a program, and retries while it is busy. A process that was forked at the wrong moment
    /// may still have the new program open for writing, and the system then refuses to run it
    /// (ETXTBSY).
    async fn run_when_not_busy(&self, start: Start<'_>) -> Finished {
        for retry in 0..BUSY_RETRIES {
            let finished = self.context.runner.run(start, self.deadline).await;
            match &finished.exit {
                Exit::NotStarted(error) if os::is_text_busy(error) => {}
                _ => return finished,
            }
            sleep(BUSY_PAUSE * 2u32.pow(retry)).await;
        }
        self.context.runner.run(start, self.deadline).await
    }
}
