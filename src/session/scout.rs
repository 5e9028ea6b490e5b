//! The scout: a second CMake that runs ahead of the real one, in a sandbox, to foresee its calls.
//!
//! Its calls are answered at once: from the store, or with a guess. A wrong guess costs time and never
//! changes an answer, because the real CMake asks for itself. What the scout has asked is asked of the
//! compiler in batches, while the real CMake is still on its way.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::sync::Notify;
use tokio::task::spawn_local;

use super::answer::{self, Program};
use super::ask::{Ask, Command};
use super::asking::{Asker, Found};
use super::call::Call;
use super::guess::{self, Flags, Places, Repeated};
use super::names;
use super::question::{Question, Reading};
use super::recipes::{Cmake, Lesson, Recipes};
use super::record::Record;
use super::turns::{Hold, Turns};
use crate::check::Outcome;
use crate::compiler::verdict::Verdict;
use crate::os::{self, OutputMode, Sandbox, Start};

/// The largest address space of a process of the scout, in bytes.
const MEMORY: u64 = 4 << 30;

/// The largest file that it may write, in bytes.
const FILE_SIZE: u64 = 256 << 20;

/// The least free space, in bytes, with which there is a scout: the compilers of the real CMake need it
/// first.
const MIN_FREE: u64 = 256 << 20;

/// How often the scout may go, each time with the answers to what it has asked before.
const ROUNDS: usize = 6;

/// In how many rounds the scout starts again at once when a flag is refused that it took to be taken.
/// After that, it first collects further flags up to the end of the script.
const EARLY_ROUNDS: usize = 2;

/// How long the scout may have asked nothing before what it has asked is asked of the compiler.
const PAUSE: Duration = Duration::from_millis(15);

/// A scout, as it is to start.
pub(super) struct Scout {
    /// What is known of CMake.
    pub cmake: Rc<Cmake>,
    /// The arguments of the real CMake.
    pub args: Vec<String>,
    /// The top of the source tree.
    pub source: PathBuf,
    /// The real build directory.
    pub build: PathBuf,
    /// The directory that the scout has for itself. It must not exist yet.
    pub dir: PathBuf,
    /// The environment with which the real CMake was started.
    pub first_environment: Rc<Vec<(OsString, OsString)>>,
    /// The environment of the real CMake when its session began, on which its questions are based.
    pub environment: Rc<Vec<(OsString, OsString)>>,
    /// Asks the store and the compiler.
    pub asker: Rc<Asker>,
    /// The commands.
    pub recipes: Rc<Recipes>,
    /// What the project was answered last time.
    pub record: Rc<RefCell<Record>>,
    /// Compilers that may read or do anything, such as scripts. They never run ahead.
    pub readers: Rc<RefCell<HashSet<String>>>,
}

/// What the scout has asked, and is not asked of the compiler yet.
#[derive(Default)]
struct Waiting {
    questions: RefCell<Vec<Question>>,
    arrived: Notify,
    is_asking: Cell<bool>,
    has_ended: Cell<bool>,
}

impl Waiting {
    /// Waits until everything has been asked.
    async fn is_idle(&self) {
        while self.is_asking.get() || !self.questions.borrow().is_empty() {
            tokio::time::sleep(PAUSE / 4).await;
        }
    }
}

impl Scout {
    /// Goes ahead until there is nothing more to foresee. Ends when it is dropped.
    pub(super) async fn go(self) -> io::Result<()> {
        if !self.dir.parent().is_some_and(|base| os::has_free(base, MIN_FREE)) {
            return Ok(());
        }
        std::fs::create_dir(&self.dir)?;
        let waiting = Rc::new(Waiting::default());
        let products = self.dir.join("products");
        std::fs::create_dir(&products)?;
        // What is spawned ends with this.
        let asking = ask_in_batches(self.asker.clone(), waiting.clone(), products);
        let Ends(asking) = &mut Ends(spawn_local(asking));
        let mut knowledge = Knowledge::default();
        for round in 0..ROUNDS {
            let dir = self.dir.join(round.to_string());
            let stops_early = round < EARLY_ROUNDS;
            let Round { guesses, is_misled } =
                self.round(&dir, &waiting, &mut knowledge, stops_early).await?;
            if is_misled {
                continue;
            }
            waiting.is_idle().await;
            if !self.correct(&guesses) {
                break;
            }
        }
        waiting.has_ended.set(true);
        waiting.arrived.notify_one();
        let _ = asking.await;
        Ok(())
    }

    /// Notes the answers to questions, because the same variables may ask again with other flags. Returns
    /// whether a guess was wrong.
    fn correct(&self, guesses: &[(Question, Verdict)]) -> bool {
        self.asker.memory.look_again();
        let mut found = Vec::new();
        let mut is_wrong = false;
        for (question, guess) in guesses {
            let Some(outcome) = self.asker.stored_at_last_look(question, None) else { continue };
            is_wrong |= outcome.verdict != *guess;
            found.push((&*question.call.result, outcome.verdict));
        }
        self.record.borrow_mut().find(&found);
        is_wrong
    }

    /// Runs the scout once, or until a flag is refused if it `stops_early`.
    async fn round(
        &self,
        dir: &Path,
        waiting: &Waiting,
        knowledge: &mut Knowledge,
        stops_early: bool,
    ) -> io::Result<Round> {
        let (build, door) = (dir.join("build"), dir.join("door"));
        self.prepare(&build)?;
        std::fs::create_dir(&door)?;
        std::fs::write(door.join("names.cmake"), names::script())?;
        let mut turns = Turns::new(&door, Hold::Pipe)?;
        let argv: Vec<OsString> =
            self.command_line(&build, &door).into_iter().map(OsString::from).collect();
        let sandbox = Sandbox { writable: dir, memory: MEMORY, file_size: FILE_SIZE };
        let start = Start {
            program: &self.cmake.program,
            argv: &argv,
            env: &self.first_environment,
            dir: &self.cmake.dir,
            check_dir: dir,
            mode: OutputMode::Merged,
        };
        let (mut group, pipes) = sandbox.start(start, self.asker.reaper.as_ref())?;
        let ignoring = Ends(spawn_local(ignore(pipes.stdout)));
        let mut desk = GuessDesk {
            scout: self,
            build,
            door,
            lesson: None,
            round: Round::default(),
            held: Vec::new(),
            repeated: Repeated::default(),
            knowledge,
        };
        while !(desk.round.is_misled && stops_early) {
            tokio::select! {
                () = group.leader_exited() => break,
                text = turns.next() => {
                    let reply = desk.reply(&String::from_utf8_lossy(&text?), waiting).await;
                    turns.reply(&reply)?;
                }
            }
        }
        group.reap();
        drop(ignoring);
        if desk.knowledge.flags.has_unknown() {
            desk.try_flags(waiting).await;
        }
        Ok(desk.round)
    }

    /// Makes the build directory, with what the real CMake has found out about the system and the
    /// compilers.
    fn prepare(&self, build: &Path) -> io::Result<()> {
        let place = Path::new("CMakeFiles").join(&self.cmake.version_text);
        let (from, to) = (self.build.join(&place), build.join(&place));
        std::fs::create_dir_all(&to)?;
        for entry in std::fs::read_dir(from)? {
            let entry = entry?;
            if entry.path().extension().is_some_and(|extension| extension == "cmake") {
                std::fs::copy(entry.path(), to.join(entry.file_name()))?;
            }
        }
        Ok(())
    }

    /// The command line of the scout.
    fn command_line(&self, build: &Path, door: &Path) -> Vec<String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut argv = vec![text(&self.cmake.program), "-S".into(), text(&self.source)];
        argv.extend(["-B".into(), text(build)]);
        argv.extend(kept_arguments(&self.args));
        argv.push("-DCMAKE_PLATFORM_INFO_INITIALIZED:INTERNAL=1".into());
        argv.push(format!("-D_TRYALL_SCOUT:INTERNAL={}", text(door)));
        argv
    }
}

/// The arguments of CMake that also count in another build directory.
fn kept_arguments(args: &[String]) -> Vec<String> {
    const WITH_VALUE: [&str; 9] =
        ["-C", "-D", "-U", "-G", "-T", "-A", "--preset", "--toolchain", "--install-prefix"];
    let mut kept = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if ["-S", "-B", "-H"].contains(&arg.as_str()) {
            args.next();
        } else if WITH_VALUE.contains(&arg.as_str()) {
            kept.push(arg.clone());
            kept.extend(args.next().cloned());
        } else if WITH_VALUE.iter().any(|option| arg.starts_with(option)) || arg.starts_with("-W") {
            kept.push(arg.clone());
        }
    }
    kept
}

/// Asks what the scout has asked of the compiler, as soon as the scout pauses.
async fn ask_in_batches(asker: Rc<Asker>, waiting: Rc<Waiting>, dir: PathBuf) {
    loop {
        let more = tokio::time::timeout(PAUSE, waiting.arrived.notified()).await;
        if more.is_ok() && !waiting.has_ended.get() {
            continue;
        }
        let questions = std::mem::take(&mut *waiting.questions.borrow_mut());
        if questions.is_empty() {
            if waiting.has_ended.get() {
                return;
            }
            continue;
        }
        waiting.is_asking.set(true);
        asker.ask_ahead(&questions, &dir).await;
        waiting.is_asking.set(false);
    }
}

async fn ignore(mut output: pipe::Receiver) {
    let mut buffer = vec![0; 1 << 16];
    while output.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
}

/// A task that ends when this is dropped.
struct Ends(tokio::task::JoinHandle<()>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What guesses are based on.
#[derive(Default)]
struct Knowledge {
    flags: Flags,
    places: Option<Places>,
}

/// What a round has brought.
#[derive(Default)]
struct Round {
    /// The questions that it has asked, and its guesses.
    guesses: Vec<(Question, Verdict)>,
    /// Whether a flag that it took to be taken is refused, so that what followed was another question.
    is_misled: bool,
}

/// Answers the calls of a scout.
struct GuessDesk<'a> {
    scout: &'a Scout,
    /// The scout's build directory.
    build: PathBuf,
    /// The directory of its replies.
    door: PathBuf,
    lesson: Option<Lesson>,
    round: Round,
    /// Questions and guesses behind flags of which nothing is known.
    held: Vec<(Question, Verdict)>,
    /// What was asked more than once in this round.
    repeated: Repeated,
    /// What is known, from this round and before.
    knowledge: &'a mut Knowledge,
}

impl GuessDesk<'_> {
    async fn reply(&mut self, text: &str, waiting: &Waiting) -> String {
        let Some(ask) = Ask::parse(text) else { return answer::nothing() };
        // What the real CMake would ask.
        let real =
            text.replace(&*self.build.to_string_lossy(), &self.scout.build.to_string_lossy());
        let Some(mut real) = Ask::parse(&real) else { return answer::nothing() };
        real.stands_for = Some((self.build.clone(), self.scout.build.clone()));
        // It may have found out about a language before the real CMake.
        let place = "CMAKE_PLATFORM_INFO_DIR";
        real.variables.insert(place.into(), ask.variable(place).into());
        for name in names::OF_SANDBOX {
            let value = self.scout.first_environment.iter().find(|(other, _)| other == name);
            let value = value.map_or(String::new(), |(_, it)| it.to_string_lossy().into_owned());
            real.environment.insert((*name).to_owned(), value);
        }
        match ask.command {
            Command::Learn => {
                if let (Some(lesson), [output]) = (self.lesson.take(), &real.args[..]) {
                    self.scout.recipes.learn(output, lesson);
                }
                answer::nothing()
            }
            Command::Summary => answer::nothing(),
            Command::TryCompile | Command::TryRun => self.guess(&ask, &real, waiting).await,
        }
    }

    async fn guess(&mut self, ask: &Ask, real: &Ask, waiting: &Waiting) -> String {
        let Scout { cmake, recipes, environment, asker, .. } = self.scout;
        let call = match (Call::read(ask, cmake.version), &ask.args[..]) {
            (Ok(call), _) => call,
            // Whatever it builds, it does not run here.
            (Err(_), [run_result, result, ..]) if ask.command == Command::TryRun => {
                let (run_result, result) = (Some(run_result.clone()), result.clone());
                let call = Call { run_result, result, ..Call::default() };
                let program = Some(Program::IsTakenToSucceed);
                return answer::answer(ask, &call, cmake, &Outcome::of(Verdict::Yes), program);
            }
            (Err(_), _) => return answer::nothing(),
        };
        let program = call.run_result.as_ref().map(|_| Program::IsTakenToSucceed);
        let question = match Question::read(real, cmake, recipes, environment) {
            Ok(Reading::Question(question)) => question,
            // Programs never run ahead.
            Ok(Reading::Unknown(lesson)) if program.is_none() => {
                let insertions = &lesson.ways[0].0;
                let reply = answer::lesson(ask, &call, insertions, cmake, &self.door);
                self.lesson = Some(*lesson);
                return reply;
            }
            Err(_) if program.is_none() => return answer::nothing(),
            _ => return answer::answer(ask, &call, cmake, &Outcome::of(Verdict::Yes), program),
        };
        let copy = call.copy_file.as_ref().map(|copy| cmake.dir.join(copy));
        let copy = copy.filter(|copy| copy.starts_with(&self.build));
        if let Some(dir) = copy.as_deref().and_then(Path::parent) {
            let _ = std::fs::create_dir_all(dir);
        }
        let outcome = match asker.stored(&question, copy.as_deref()) {
            Some(known) => known,
            // The real one has not come to this compiler yet.
            None if real.is_detection() => return answer::nothing(),
            None => {
                let verdict = self.verdict(ask, *question, waiting).await;
                if let (Verdict::Yes, Some(copy)) = (&verdict, &copy) {
                    let _ = std::fs::write(copy, guess::product(&call));
                }
                Outcome::of(verdict)
            }
        };
        answer::answer(ask, &call, cmake, &outcome, program)
    }

    /// The guess for a question that is not in the store. It will be asked of the compiler.
    async fn verdict(&mut self, ask: &Ask, question: Question, waiting: &Waiting) -> Verdict {
        // Behind a flag of which nothing is known, too much may be another question.
        let is_certain = !self.knowledge.flags.has_unknown();
        let recorded = self.scout.record.borrow().verdict(&question.call.result);
        let of_flags =
            if recorded.is_none() { self.knowledge.flags.verdict(&question) } else { None };
        // A flag of which the compiler only warns is taken, and changes all that follows.
        if of_flags == Some(Verdict::No)
            && is_certain
            && let Ok(Found { outcome, .. }) = self.scout.asker.outcome(&question, None).await
        {
            return outcome.verdict;
        }
        let verdict = match recorded.or(of_flags) {
            Some(verdict) => verdict,
            None => {
                if !is_certain && !self.round.is_misled {
                    // Flags are asked for one after the other: now all of them are there.
                    self.try_flags(waiting).await;
                }
                self.likely_verdict(ask, &question).await
            }
        };
        if is_certain {
            self.ask_ahead(question, verdict.clone(), waiting);
        } else {
            self.held.push((question, verdict.clone()));
            if !self.knowledge.flags.has_unknown() {
                self.release(waiting);
            }
        }
        verdict
    }

    /// The guess for a question that is not about flags.
    async fn likely_verdict(&mut self, ask: &Ask, question: &Question) -> Verdict {
        let first = match self.round.is_misled || self.knowledge.flags.has_unknown() {
            true => None,
            false => self.repeated.verdict(&self.scout.asker, question).await,
        };
        let dir = Path::new(ask.variable("CMAKE_PLATFORM_INFO_DIR"));
        let places = self.knowledge.places.get_or_insert_with(|| Places::of(dir));
        first.unwrap_or_else(|| places.verdict(question))
    }

    /// Tries the flags of which nothing is known.
    async fn try_flags(&mut self, waiting: &Waiting) {
        let all_are_taken = self.knowledge.flags.try_unknown(&self.scout.asker).await;
        self.round.is_misled |= !all_are_taken;
        self.release(waiting);
    }

    /// Asks what was held back, unless that was behind a flag that is refused.
    fn release(&mut self, waiting: &Waiting) {
        for (question, verdict) in std::mem::take(&mut self.held) {
            self.ask_ahead(question, verdict, waiting);
        }
    }

    /// Has a question asked of the compiler.
    fn ask_ahead(&mut self, question: Question, guess: Verdict, waiting: &Waiting) {
        if self.round.is_misled || self.scout.readers.borrow().contains(question.compiler()) {
            return;
        }
        self.round.guesses.push((question.clone(), guess));
        waiting.questions.borrow_mut().push(question);
        waiting.arrived.notify_one();
    }
}
