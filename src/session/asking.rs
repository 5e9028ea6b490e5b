//! Asks the store and the compiler.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::question::{Question, batches};
use super::refusal::Refusal;
use crate::check::context::{Context, Observer, Silent};
use crate::check::recall::Memory;
use crate::check::{self, Outcome};
use crate::exec::process::Runner;
use crate::exec::scratch::Scratch;
use crate::exec::slots::{Slots, cores};
use crate::os::Reaper;
use crate::plan::toolchain::Environment;
use crate::plan::{self, Origin, Plan};
use crate::protocol::code::Reason;
use crate::protocol::response::{Answer, How};
use crate::protocol::{Check, Request, Toolchain, VERSION};
use crate::schedule;
use crate::store::Key;

/// What asks, for a whole session.
pub(super) struct Asker {
    /// The store.
    pub memory: Rc<Memory>,
    /// The directory for temporary files.
    pub scratch: Rc<Result<Scratch, Reason>>,
    /// Kills commands if this program is killed.
    pub reaper: Option<Rc<Reaper>>,
    /// The directory that relative paths start from: CMake's.
    pub dir: PathBuf,
    /// The questions that were asked ahead, or are still being asked.
    pub foreseen: RefCell<HashMap<Key, watch::Receiver<How>>>,
}

/// An outcome.
pub(super) struct Found {
    /// It.
    pub outcome: Outcome,
    /// How the question was answered that was asked ahead in this session, if it was.
    pub foreseen: Option<How>,
    /// The key in the store.
    pub key: Option<Key>,
}

impl Asker {
    /// The outcome of a question, now. `product` is where its program is to be.
    pub(super) async fn outcome(
        &self,
        question: &Question,
        product: Option<&Path>,
    ) -> Result<Found, Refusal> {
        let product = product.filter(|_| question.can_link);
        let context = self.context_of(question, product).ok_or(Refusal::NoAnswer)?;
        let plan = &context.plan;
        let check = plan.checks.ids().next().ok_or(Refusal::NoAnswer)?;
        let asked = &plan.questions[plan.checks[check].question];
        let recall = context.recall.as_ref().ok_or(Refusal::NoAnswer)?;
        self.memory.look_again();
        let key = recall.key_of(plan, asked);
        let running = key.and_then(|key| self.foreseen.borrow().get(&key).cloned());
        let mut foreseen = None;
        if let Some(mut running) = running {
            // The sender goes when it is answered.
            let _ = running.changed().await;
            foreseen = Some(*running.borrow());
            self.memory.look_again();
        }
        if let Some(outcome) = recall.find_with_seen(plan, asked) {
            return Ok(Found { outcome, foreseen, key });
        }
        let outcome = check::outcome(&context, asked).await;
        recall.keep_check(plan, check, &outcome);
        Ok(Found { outcome, foreseen: None, key })
    }

    /// The outcome of a question, if it is in the store and holds now.
    pub(super) fn stored(&self, question: &Question, product: Option<&Path>) -> Option<Outcome> {
        self.memory.look_again();
        self.stored_at_last_look(question, product)
    }

    /// The same, if it held when the files were last looked at. Many questions can have one look.
    pub(super) fn stored_at_last_look(
        &self,
        question: &Question,
        product: Option<&Path>,
    ) -> Option<Outcome> {
        let context = self.context_of(question, product)?;
        let asked = context.plan.questions.iter().next()?;
        context.recall.as_ref()?.find(&context.plan, asked)
    }

    /// What runs this one question; nothing, if no plan can be made of it.
    fn context_of(&self, question: &Question, product: Option<&Path>) -> Option<Context> {
        let check = Check {
            toolchain: Some("t".into()),
            product: product.map(|path| path.to_string_lossy().into_owned()),
            ..question.check.clone()
        };
        let toolchains = BTreeMap::from([("t".into(), question.toolchain.clone())]);
        let plan = self.plan(toolchains, vec![check], question.environment.clone())?;
        Some(self.context(plan, Rc::new(Silent)))
    }

    /// Asks questions ahead, and puts the answers into the store. Files are written to `dir`.
    pub(super) async fn ask_ahead(self: &Rc<Self>, questions: &[Question], dir: &Path) {
        self.memory.look_again();
        let mut runs = JoinSet::new();
        for (toolchains, mut checks, environment) in batches(questions) {
            for check in &mut checks {
                let index: usize = check.id.parse().expect("it is a position");
                let call = &questions[index].call;
                if call.copy_file.is_some() || call.run_result.is_some() {
                    let product = dir.join(format!("{}.product", check.id));
                    check.product = Some(product.to_string_lossy().into_owned());
                }
            }
            let Some(plan) = self.plan(toolchains, checks, environment) else { continue };
            let observer = Rc::new(Answered::default());
            let context = Rc::new(self.context(plan, observer.clone()));
            self.announce(&context, &observer);
            let options = schedule::Options { share: true, verify: false };
            // Whatever was not answered is asked when its time comes: then nobody must wait for it.
            runs.spawn_local(async move {
                schedule::run(context, Slots::fixed(cores()), options).await;
                observer.0.borrow_mut().clear();
            });
        }
        // Those that wait for others wait for them only.
        while runs.join_next().await.is_some() {}
    }

    /// Notes which questions are being asked ahead.
    fn announce(&self, context: &Context, observer: &Answered) {
        let Some(recall) = &context.recall else { return };
        let plan = &context.plan;
        for check in plan.checks.iter() {
            let Some(key) = recall.key_of(plan, &plan.questions[check.question]) else { continue };
            let (sender, receiver) = watch::channel(How::Run);
            observer.0.borrow_mut().insert(check.id.clone(), sender);
            self.foreseen.borrow_mut().insert(key, receiver);
        }
    }

    fn context(&self, plan: Plan, observer: Rc<dyn Observer>) -> Context {
        let runner = Runner::new(self.reaper.clone());
        Context::new(plan, runner, self.scratch.clone(), observer, Some(self.memory.clone()))
    }

    fn plan(
        &self,
        toolchains: BTreeMap<String, Toolchain>,
        checks: Vec<Check>,
        env: Vec<(OsString, OsString)>,
    ) -> Option<Plan> {
        let request = Request { version: VERSION, toolchains, checks, ..Request::default() };
        let base = Rc::new(self.dir.clone());
        let origins = Origin::of_request(&request, &base);
        let environment = &Environment { env, dir: self.dir.clone() };
        let input =
            plan::Input { request, origins, text: None, base: &base, timeout: None, environment };
        plan::plan(input).ok()
    }
}

/// Tells those who wait for an answer that it is in the store.
#[derive(Default)]
struct Answered(RefCell<HashMap<String, watch::Sender<How>>>);

impl Observer for Answered {
    fn answered(&self, answer: &Answer) {
        if let Some(sender) = self.0.borrow_mut().remove(&answer.id) {
            sender.send_replace(answer.how);
        }
    }

    fn notice(&self, _: &str) {}
}
