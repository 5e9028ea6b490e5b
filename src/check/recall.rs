//! Recalls answers from the store, and keeps new ones.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::check::asked::Asked;
use crate::check::caller_file::{self, CallerFile};
use crate::check::probe::EMPTY_PROGRAM;
use crate::check::{CheckRun, Outcome, stored};
use crate::compiler::dialect::Stage;
use crate::compiler::verdict::Verdict;
use crate::deps::recorder::{Recorder, Watch, Watched};
use crate::deps::sight::{Gap, Seen, Sight};
use crate::deps::world::World;
use crate::exec::process::Finished;
use crate::os::{self, Digest, Look, Start};
use crate::plan::ids::{CheckId, ToolchainId};
use crate::plan::question::Question;
use crate::plan::toolchain::Toolchain;
use crate::plan::{Plan, PlannedCheck};
use crate::protocol::response::How;
use crate::source::words;
use crate::store::{Evidence, Key, Store, Stored, Variables};

/// The store, and what sees the files that commands look at. It may serve several runs.
#[derive(Debug)]
pub(crate) struct Memory {
    store: RefCell<Store>,
    world: RefCell<World>,
    recorder: Option<Recorder>,
}

impl Memory {
    /// What remembers in a store.
    pub(crate) fn new(store: Store) -> Self {
        let (store, world) = (RefCell::new(store), RefCell::default());
        Memory { store, world, recorder: Recorder::new() }
    }

    /// Writes what is new to the store. Returns what the user should know if that fails.
    pub(crate) fn commit(&self) -> Option<String> {
        let mut store = self.store.borrow_mut();
        store.commit();
        store.complaint()
    }

    /// Begins to fetch what other machines know of a step. There may be threads from now on.
    pub(crate) fn begin_step(&self, name: impl FnOnce() -> Option<Key>) {
        self.store.borrow_mut().begin_step(name);
    }

    /// Gives to other machines what this process has used, after everything is committed.
    pub(crate) fn share(&self) {
        self.store.borrow_mut().share(&mut self.world.borrow_mut());
    }

    /// How many answers have come from other machines, if any have, for people.
    pub(crate) fn given(&self) -> Option<String> {
        self.store.borrow().given()
    }

    /// Words that were kept, if the files on which they rest are unchanged: of a command that CMake uses, or
    /// of the record of a project.
    pub(crate) fn recipe(&self, key: &str) -> Option<Vec<String>> {
        let key = Key::of(RECIPE, key);
        let env = Variables::default();
        let stored = self.store.borrow_mut().find(&key, &mut self.world.borrow_mut(), &env)?;
        serde_json::from_slice(&stored.payload).ok()
    }

    /// Keeps such words. They rest on files and directories.
    pub(crate) fn keep_recipe(&self, key: &str, words: &[String], rests_on: &[PathBuf]) {
        let Some(recorder) = &self.recorder else { return };
        let look = |path: &PathBuf| {
            let look = if path.is_dir() { Look::List } else { Look::Follow };
            let path: Rc<OsStr> = path.as_os_str().into();
            recorder.id(Sight { found: os::look(&path, look), path, look, contents: None })
        };
        let mut sights: Vec<_> = rests_on.iter().map(look).collect();
        sights.sort_unstable();
        sights.dedup();
        let seen = Rc::new(Seen { sights, ..Seen::default() });
        let payload = serde_json::to_vec(words).expect("words are JSON");
        let (key, env) = (Key::of(RECIPE, key), Variables::default());
        let (mut store, mut world) = (self.store.borrow_mut(), self.world.borrow_mut());
        let sights = &recorder.sights();
        let evidence = Evidence { seen: &seen, sights, world: &mut world };
        store.keep(key, RECIPE, payload.into(), evidence, &env);
    }

    /// How a program ended, if everything that this rests on is unchanged. `env` is the environment that
    /// it would have.
    pub(crate) fn find_run(&self, key: &Key, env: &Variables) -> Option<Rc<[u8]>> {
        let found = self.store.borrow_mut().find(key, &mut self.world.borrow_mut(), env);
        found.map(|stored| stored.payload.clone())
    }

    /// Begins to watch a program with this environment, whose own directories are these. `None` if it
    /// cannot be watched.
    pub(crate) fn watch(
        &self,
        program: &Path,
        env: &mut Vec<(OsString, OsString)>,
        own: &[&Path],
    ) -> Option<Watch> {
        self.recorder.as_ref()?.watch(program, env, own).ok()
    }

    /// What a program has looked at that has ended, and whether it may have done something else because
    /// it was watched.
    pub(crate) fn watched(&self, watch: Watch, finished: &Finished) -> Option<(Seen, bool)> {
        let recorder = self.recorder.as_ref()?;
        let Watched { seen, is_disturbed } = watch.seen(recorder);
        let is_mentioned = is_mentioned(recorder, finished);
        Some((seen, is_disturbed || is_mentioned))
    }

    /// Keeps how a program ended, unless it may have looked at more than was seen.
    pub(crate) fn keep_run(
        &self,
        key: Key,
        label: &str,
        payload: Rc<[u8]>,
        seen: &Rc<Seen>,
        env: &Variables,
    ) {
        let Some(recorder) = &self.recorder else { return };
        let (sights, mut world) = (recorder.sights(), self.world.borrow_mut());
        let evidence = Evidence { seen, sights: &sights, world: &mut world };
        self.store.borrow_mut().keep(key, label, payload, evidence, env);
    }

    /// Notes why it is not kept how a program ended.
    pub(crate) fn keep_no_run(&self, key: Key, label: &str, why: &str) {
        self.store.borrow_mut().keep_not(key, label, why);
    }

    /// From now on, what may have changed is looked at again.
    pub(crate) fn look_again(&self) {
        self.world.borrow_mut().next_moment();
    }
}

/// What a run recalls and keeps.
#[derive(Debug)]
pub(crate) struct Recall {
    memory: Rc<Memory>,
    /// The directory of the run, whose files are the commands' own.
    scratch: PathBuf,
    distrusted: Cell<bool>,
    variables: RefCell<HashMap<ToolchainId, Rc<Variables>>>,
    /// Why the commands of each toolchain cannot be seen, if so.
    unseen: RefCell<HashMap<ToolchainId, Option<Gap>>>,
}

impl Recall {
    /// `scratch` holds the files of the commands themselves.
    pub(crate) fn new(memory: Rc<Memory>, scratch: &Path) -> Self {
        Recall {
            memory,
            scratch: scratch.into(),
            distrusted: Cell::new(false),
            variables: RefCell::default(),
            unseen: RefCell::default(),
        }
    }

    /// From now on, no answer is taken from the store, and none is kept.
    pub(crate) fn distrust(&self) {
        self.distrusted.set(true);
    }

    /// The stored outcome of a question, if everything that it rests on is unchanged.
    pub(crate) fn find(&self, plan: &Plan, question: &Question) -> Option<Outcome> {
        let key = self.key_now(plan, question)?;
        stored::outcome(&self.stored(plan, question.toolchain, &key)?.payload, question)
    }

    /// The same, with what it rests on.
    pub(crate) fn find_with_seen(&self, plan: &Plan, question: &Question) -> Option<Outcome> {
        let key = self.key_now(plan, question)?;
        let (payload, seen) = self.find_fact(plan, question.toolchain, &key)?;
        Some(Outcome { seen: Some(seen), ..stored::outcome(&payload, question)? })
    }

    /// The key of a question. `None` if its answer is never kept.
    pub(crate) fn key_of(&self, plan: &Plan, question: &Question) -> Option<Key> {
        self.key_now(plan, question)
    }

    fn stored(&self, plan: &Plan, toolchain: ToolchainId, key: &Key) -> Option<Rc<Stored>> {
        let env = self.variables(plan, toolchain);
        self.memory.store.borrow_mut().find(key, &mut self.memory.world.borrow_mut(), &env)
    }

    /// Keeps the outcome of the question that a check asks, or the reason why it is not kept.
    pub(crate) fn keep_check(&self, plan: &Plan, check: CheckId, outcome: &Outcome) {
        let PlannedCheck { id, question, .. } = &plan.checks[check];
        let asked = Asked::of(plan, check);
        self.keep_asked(plan, &plan.questions[*question], id, asked.as_ref(), outcome);
    }

    /// Keeps the outcome of building the program of a question.
    pub(crate) fn keep_program(
        &self,
        plan: &Plan,
        question: &Question,
        built: &Question,
        outcome: &Outcome,
    ) {
        let asks = |(_, check): &(CheckId, &PlannedCheck)| {
            std::ptr::eq(&raw const plan.questions[check.question], question)
        };
        let Some((id, check)) = plan.checks.enumerate().find(asks) else { return };
        let asked = Asked::of(plan, id).map(Asked::built);
        self.keep_asked(plan, built, &check.id, asked.as_ref(), outcome);
    }

    /// Keeps the outcome of a question that no check asks. `label` is its name for people.
    pub(crate) fn keep(&self, plan: &Plan, question: &Question, label: &str, outcome: &Outcome) {
        self.keep_asked(plan, question, label, None, outcome);
    }

    fn keep_asked(
        &self,
        plan: &Plan,
        question: &Question,
        label: &str,
        asked: Option<&Asked>,
        outcome: &Outcome,
    ) {
        if outcome.how == How::Stored || matches!(outcome.verdict, Verdict::Error(_)) {
            return;
        }
        let toolchain = &plan.toolchains[question.toolchain];
        let file = match caller_file::path(question).map(CallerFile::read) {
            // It is being written, and nobody will look for this.
            Some(None) => return,
            file => file.flatten(),
        };
        let contents = file.as_ref().map(|file| file.contents);
        let Some(key) = self.key(toolchain, question, contents) else { return };
        let kept = match (reason_not_to_keep(question, file.as_ref()), &outcome.seen) {
            (Some(why), _) => Err(why),
            (None, None) => Err("what its commands read was not seen".into()),
            (None, Some(seen)) => Ok(seen),
        };
        let mut store = self.memory.store.borrow_mut();
        match (kept, &self.memory.recorder) {
            (Ok(seen), Some(recorder)) => {
                let Some(payload) = stored::payload(outcome, question, asked) else {
                    return store.keep_not(key, label, "its product is too large");
                };
                let env = self.variables(plan, question.toolchain);
                let (sights, mut world) = (recorder.sights(), self.memory.world.borrow_mut());
                let evidence = Evidence { seen, sights: &sights, world: &mut world };
                store.keep(key, label, payload.into(), evidence, &env);
            }
            (Ok(_), None) => store.keep_not(key, label, CANNOT_SEE),
            (Err(why), _) => store.keep_not(key, label, &why),
        }
    }

    /// What earlier commands of a toolchain have shown, and what they looked at.
    pub(crate) fn find_fact(
        &self,
        plan: &Plan,
        toolchain: ToolchainId,
        key: &Key,
    ) -> Option<(Rc<[u8]>, Rc<Seen>)> {
        let recorder = self.memory.recorder.as_ref()?;
        let stored = self.stored(plan, toolchain, key)?;
        let mut world = self.memory.world.borrow_mut();
        let mut store = self.memory.store.borrow_mut();
        let seen = store.seen(&stored, &mut world, |sight| recorder.id(sight))?;
        Some((stored.payload.clone(), Rc::new(seen)))
    }

    /// Keeps what commands of a toolchain have shown, unless they may have looked at more.
    pub(crate) fn keep_fact(
        &self,
        plan: &Plan,
        toolchain: ToolchainId,
        key: Key,
        fact: &[u8],
        seen: &Rc<Seen>,
    ) {
        let Some(recorder) = self.memory.recorder.as_ref().filter(|_| seen.gap.is_none()) else {
            return;
        };
        let env = self.variables(plan, toolchain);
        let (sights, mut world) = (recorder.sights(), self.memory.world.borrow_mut());
        let mut store = self.memory.store.borrow_mut();
        let evidence = Evidence { seen, sights: &sights, world: &mut world };
        store.keep(key, FACT, fact.into(), evidence, &env);
    }

    /// Begins to watch a command with this environment. Fails with the reason why it cannot be
    /// watched.
    pub(crate) fn watch(
        &self,
        (id, toolchain): (ToolchainId, &Toolchain),
        program: &Path,
        env: &mut Vec<(OsString, OsString)>,
    ) -> Result<(&Recorder, Watch), Gap> {
        let launcher = || {
            let launcher = toolchain.launcher()?;
            Some(Gap(format!(
                "{launcher} may hand the command to others, or answer from a cache of its own"
            )))
        };
        // A server that a launcher starts would keep our library.
        if let Some(gap) = self.unseen.borrow_mut().entry(id).or_insert_with(launcher) {
            return Err(gap.clone());
        }
        let recorder = self.memory.recorder.as_ref().ok_or_else(|| Gap(CANNOT_SEE.into()))?;
        // What the system says must not be newer than what the command hears.
        self.variables_of(id, toolchain).ask_system();
        let watch = recorder.watch(program, env, &[&self.scratch]);
        Ok((recorder, watch.map_err(|error| Gap(format!("{CANNOT_SEE}: {error}")))?))
    }

    /// The key of a question that is asked now.
    fn key_now(&self, plan: &Plan, question: &Question) -> Option<Key> {
        let digest = |path| caller_file::digest(path, &mut self.memory.world.borrow_mut());
        let contents = caller_file::path(question).map(digest);
        self.key(&plan.toolchains[question.toolchain], question, contents)
    }

    /// The key of a question whose source file has these contents. `None` if its answer is never
    /// kept.
    fn key(
        &self,
        toolchain: &Toolchain,
        question: &Question,
        contents: Option<Option<Digest>>,
    ) -> Option<Key> {
        if question.subject.stage() == Stage::Run || self.distrusted.get() {
            return None;
        }
        let program = toolchain.program.as_ref().ok()?;
        // Neither the time limit nor the name of the copy changes an answer.
        let Question {
            toolchain: _,
            subject,
            headers,
            prefix,
            args: own_args,
            link_args: own_link_args,
            definitions,
            product,
            product_is_data,
            variant,
            fail_patterns,
            timeout: _,
        } = question;
        let texts = (subject, contents, headers, prefix, own_args, own_link_args, definitions);
        let asked = (texts, product.is_some(), product_is_data, variant, fail_patterns);
        let Toolchain { language, commands, command, args, link_args, private_temp, .. } =
            toolchain;
        let commands = commands.as_ref().map(|commands| {
            let link = commands.link.as_ref();
            (&commands.compile, link.map(|(link, program)| (link, program.as_ref().ok())))
        });
        let toolchain = (language, commands, command, program, args, link_args, private_temp);
        Some(Key::of("question", (toolchain, asked)))
    }

    fn variables(&self, plan: &Plan, id: ToolchainId) -> Rc<Variables> {
        self.variables_of(id, &plan.toolchains[id])
    }

    fn variables_of(&self, id: ToolchainId, toolchain: &Toolchain) -> Rc<Variables> {
        let variables = || Rc::new(lasting_variables(toolchain));
        self.variables.borrow_mut().entry(id).or_insert_with(variables).clone()
    }

    /// From now on, commands of this toolchain run unwatched.
    pub(crate) fn give_up_watching(&self, toolchain: ToolchainId, gap: Gap) {
        self.unseen.borrow_mut().insert(toolchain, Some(gap));
    }
}

/// The label and the kind of commands that CMake uses.
const RECIPE: &str = "(recipe)";

/// The label of facts about links, which answer no check themselves.
const FACT: &str = "(link)";

/// The labels of what is kept and answers no check by itself.
pub(crate) const PARTS: [&str; 3] = [RECIPE, FACT, EMPTY_PROGRAM];

const CANNOT_SEE: &str = "what a command reads cannot be seen on this system";

/// The environment of a toolchain's commands, without the variables that differ for each command.
pub(crate) fn lasting_variables(toolchain: &Toolchain) -> Variables {
    let lasts = |(name, _): &&(OsString, OsString)| {
        (name != "PWD" || toolchain.sets("PWD")) && (name != "TMPDIR" || !toolchain.private_temp)
    };
    Variables::new(toolchain.env.iter().filter(lasts).map(|(name, value)| (name, value)))
}

/// Why the answer to a question is not kept, whatever was seen.
fn reason_not_to_keep(question: &Question, file: Option<&CallerFile>) -> Option<String> {
    let mut texts = question.texts().chain(file.map(|file| (&*file.text).into()));
    let word = texts.find_map(|text| words::of_time_or_place(&text));
    word.map(|word| format!("its source contains {word}"))
}

/// Whether the output of a command mentions the library that watches it.
fn is_mentioned(recorder: &Recorder, finished: &Finished) -> bool {
    let output = [&finished.stdout, &finished.stderr];
    output.iter().any(|it| recorder.is_mentioned_in(&it.text()))
}

impl CheckRun<'_> {
    /// Runs a command, and notes what it looks at. `product` is the file that it produces.
    pub(super) async fn watched(&self, start: Start<'_>, product: Option<&Path>) -> Finished {
        let Some(recall) = &self.context.recall else { return self.run(start, product).await };
        let toolchain = self.question.toolchain;
        let mut env = start.env.to_vec();
        let gap = match recall.watch((toolchain, self.toolchain), start.program, &mut env) {
            Ok((recorder, watch)) => {
                let finished = self.run(Start { env: &env, ..start }, product).await;
                let Watched { seen, is_disturbed } = watch.seen(recorder);
                if !is_disturbed && !is_mentioned(recorder, &finished) {
                    self.seen.borrow_mut().add(&seen);
                    return finished;
                }
                // Watching may have changed what the command did.
                let gap = seen.gap.unwrap_or_else(|| Gap(CANNOT_SEE.into()));
                recall.give_up_watching(toolchain, gap.clone());
                gap
            }
            Err(gap) => gap,
        };
        self.seen.borrow_mut().add(&Seen { gap: Some(gap), ..Seen::default() });
        self.run(start, product).await
    }

    async fn run(&self, start: Start<'_>, product: Option<&Path>) -> Finished {
        if let Some(product) = product {
            // Remove the output of an earlier command, so that it cannot pass for this one's.
            let _ = std::fs::remove_file(product);
        }
        self.context.runner.run_over(self.sources, start, self.deadline).await
    }
}
