//! Answers the calls of the real CMake.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use tokio::task::{JoinHandle, spawn_local};

use super::answer::{self, Program};
use super::ask::{Ask, Command};
use super::asking::{Asker, Found};
use super::counts::Counts;
use super::names;
use super::note::{Noting, Way};
use super::question::{Question, Reading};
use super::recipes::{Cmake, Lesson, Recipes};
use super::record::Record;
use super::refusal::Refusal;
use super::scout::Scout;
use crate::check::Outcome;
use crate::compiler::verdict::Verdict;
use crate::os;
use crate::protocol::response::How;
use crate::why::log::Log;

/// Answers the calls of the real CMake, one after the other.
pub(super) struct Desk {
    /// What is known of CMake.
    pub cmake: Rc<Cmake>,
    /// The directory of the session.
    pub dir: PathBuf,
    /// The directory that a scout may make.
    pub scout_dir: PathBuf,
    /// CMake's environment when the session began.
    pub environment: Rc<Vec<(OsString, OsString)>>,
    /// The environment with which CMake was started.
    pub first_environment: Rc<Vec<(OsString, OsString)>>,
    /// Asks the store and the compiler.
    pub asker: Rc<Asker>,
    /// The commands.
    pub recipes: Rc<Recipes>,
    /// What this project was answered last time, and is answered now; once it has asked.
    pub record: Option<Rc<RefCell<Record>>>,
    /// What the output of the next call teaches.
    pub lesson: Option<Lesson>,
    /// Compilers that read more of the environment than CMake has told.
    pub readers: Rc<RefCell<HashSet<String>>>,
    /// Variables that CMake has been asked for.
    pub more_names: HashSet<String>,
    /// What happened so far.
    pub counts: Counts,
    /// The same for `tryall why`.
    pub log: Log,
    /// How the present call was answered.
    pub way: Option<Way>,
    /// Calls that are not in the log yet.
    pub unlogged: Vec<Noting>,
    /// Whether CMake is to keep its test projects: `--debug-trycompile`.
    pub keeps_projects: bool,
    /// Whether anything is asked that CMake does not ask for: not with `TRYALL_SCOUT=off`, nor on one
    /// processor.
    pub goes_ahead: bool,
    /// The arguments of CMake, until a scout has them. `None` also if there is to be no scout.
    pub args: Option<Vec<String>>,
    /// The scout, once it is sent.
    pub scout: Option<JoinHandle<()>>,
}

/// How many questions must not have been in the store before a scout is sent. Starting it takes as long
/// as one or two of them.
const PATIENCE: usize = 2;

/// What of the environment the commands behind an outcome have read.
enum Reads {
    /// Nothing that CMake has not told.
    Known,
    /// Also these variables.
    More(Vec<String>),
    /// Nobody knows.
    Whole,
}

impl Desk {
    /// The reply to a text from CMake.
    pub(super) async fn reply(&mut self, text: &[u8]) -> String {
        let read = String::from_utf8_lossy(text);
        let ask = match (Ask::parse(&read), read) {
            (Some(ask), Cow::Borrowed(_)) => ask,
            (ask, _) => {
                self.counts.leave(Refusal::Text);
                self.lesson = None;
                if let Some(ask) = ask.filter(Ask::is_call) {
                    self.unlogged.push(Noting::new(ask, Way::Left(Refusal::Text)));
                }
                return answer::nothing();
            }
        };
        let reply = match ask.command {
            Command::Learn => {
                if let (Some(lesson), [output]) = (self.lesson.take(), &ask.args[..]) {
                    if let Some(noting) = self.unlogged.last_mut() {
                        noting.output = Some(output.clone());
                    }
                    let learned_from = lesson.ask.clone();
                    self.recipes.learn(output, lesson);
                    self.ask_afterwards(&learned_from);
                }
                answer::nothing()
            }
            Command::Summary => {
                if let Some(scout) = self.scout.take() {
                    scout.abort();
                }
                if let Some(record) = &self.record {
                    record.borrow().keep(&self.asker.memory, &self.cmake);
                }
                let memory = &self.asker.memory;
                self.counts.summary([memory.commit(), memory.given()].into_iter().flatten())
            }
            Command::TryCompile if ask.is_detection() => {
                self.answer(&ask).await.unwrap_or_else(|why| self.leave(why))
            }
            Command::TryCompile | Command::TryRun => {
                if self.record.is_none() {
                    let record = Record::of(&ask, &self.asker.memory);
                    self.record = Some(Rc::new(RefCell::new(record)));
                }
                self.send_scout(&ask);
                let begin = Instant::now();
                let reply = match self.answer(&ask).await {
                    Ok(reply) => reply,
                    Err(why) => {
                        self.counts.leave(why);
                        self.leave(why)
                    }
                };
                self.counts.waited += begin.elapsed();
                reply
            }
        };
        if let Some(way) = self.way.take() {
            self.unlogged.push(Noting::new(ask, way));
        }
        reply
    }

    /// Sends a scout ahead, once so much was not in the store that it should pay.
    fn send_scout(&mut self, ask: &Ask) {
        let unknown = self.counts.asked + self.counts.left.get(&Refusal::First).unwrap_or(&0);
        if unknown < PATIENCE || !self.goes_ahead || ask.is_verified {
            return;
        }
        let Some(args) = self.args.take() else { return };
        let build = PathBuf::from(ask.variable("CMAKE_BINARY_DIR"));
        if build.join("CMakeCache.txt").exists() {
            // Most of it is known from the last configure step.
            return;
        }
        let scout = Scout {
            cmake: self.cmake.clone(),
            args,
            source: ask.variable("CMAKE_HOME_DIRECTORY").into(),
            build,
            dir: self.scout_dir.clone(),
            first_environment: self.first_environment.clone(),
            environment: self.environment.clone(),
            asker: self.asker.clone(),
            recipes: self.recipes.clone(),
            record: self.record.clone().unwrap_or_default(),
            readers: self.readers.clone(),
        };
        self.scout = Some(spawn_local(async move {
            // Without a sandbox there is no scout.
            let _ = scout.go().await;
        }));
    }

    async fn answer(&mut self, ask: &Ask) -> Result<String, Refusal> {
        if self.keeps_projects {
            return Err(Refusal::Kept);
        }
        if ask.is_detection() && ask.is_verified {
            return Err(Refusal::Internal);
        }
        let question = match Question::read(ask, &self.cmake, &self.recipes, &self.environment)? {
            Reading::Question(question) => *question,
            Reading::Unknown(lesson) => return Ok(self.learn(*lesson)),
        };
        if self.readers.borrow().contains(question.compiler()) && ask.whole_environment.is_none() {
            return Ok(answer::environment(&[]));
        }
        let program = question.call.run_result.as_ref().map(|_| self.new_program(ask));
        let copy = question.call.copy_file.as_ref().map(|copy| self.cmake.dir.join(copy));
        if copy.as_deref().is_some_and(os::has_other_names) {
            // CMake puts a file of its own there.
            return Err(Refusal::Arguments);
        }
        let product = program.as_deref().or(copy.as_deref());
        if let Some(dir) = product.and_then(Path::parent).filter(|_| question.can_link) {
            std::fs::create_dir_all(dir).map_err(|_| Refusal::NoAnswer)?;
        }
        let found = self.asker.outcome(&question, product).await?;
        let outcome = &found.outcome;
        if let Some(program) = program.as_deref().filter(|_| outcome.verdict != Verdict::Yes) {
            // It is of no use any more.
            let _ = std::fs::remove_dir_all(answer::test_project(program));
        }
        match self.reads(ask, outcome) {
            Reads::Known => (),
            Reads::More(names) => {
                self.more_names.extend(names.iter().cloned());
                return Ok(answer::environment(&names));
            }
            Reads::Whole => {
                self.readers.borrow_mut().insert(question.compiler().to_owned());
                return Ok(answer::environment(&[]));
            }
        }
        if outcome.cut || matches!(outcome.verdict, Verdict::Error(_)) {
            return Err(Refusal::NoAnswer);
        }
        if !question.can_link && outcome.verdict == Verdict::Yes {
            let Question { call, ways, .. } = question;
            return Ok(self.learn(Lesson { ask: ask.clone(), call, ways }));
        }
        if !ask.is_detection() {
            self.note(&question, &found);
        }
        let program = program.as_deref().map(Program::Runs);
        let reply = answer::answer(ask, &question.call, &self.cmake, outcome, program);
        self.way = Some(Way::Answered(Box::new((question, found))));
        Ok(reply)
    }

    /// Leaves a call to CMake.
    fn leave(&mut self, why: Refusal) -> String {
        self.way = Some(Way::Left(why));
        answer::nothing()
    }

    /// Writes to the log what is to be in it. Of a call that CMake answers, the output may still come.
    pub(super) fn write_log(&mut self) {
        if self.lesson.is_none() {
            let noted = self.unlogged.drain(..).map(|it| it.noted(&self.first_environment));
            noted.for_each(|noted| self.log.add(noted));
        }
    }

    /// Notes an answer in the record and in the figures.
    fn note(&mut self, question: &Question, Found { outcome, foreseen, .. }: &Found) {
        if let Some(record) = &self.record {
            record.borrow_mut().note(&question.call.result, &outcome.verdict);
        }
        match outcome.how {
            How::Stored if foreseen.is_some() => self.counts.foreseen += 1,
            How::Stored => self.counts.stored += 1,
            _ => self.counts.asked += 1,
        }
    }

    /// Has CMake answer, and learns from it.
    fn learn(&mut self, lesson: Lesson) -> String {
        let is_detection = lesson.ask.is_detection();
        self.counts.leave(if is_detection { Refusal::Internal } else { Refusal::First });
        self.way = Some(Way::Shown(lesson.call.clone().into()));
        let insertions = &lesson.ways[0].0;
        let reply = answer::lesson(&lesson.ask, &lesson.call, insertions, &self.cmake, &self.dir);
        self.lesson = Some(lesson);
        reply
    }

    /// Asks what CMake has just answered by itself, so that the next build directory finds it in the store.
    /// Nobody waits for it, and it ends with CMake.
    fn ask_afterwards(&self, ask: &Ask) {
        if !self.goes_ahead || ask.is_verified {
            return;
        }
        let read = Question::read(ask, &self.cmake, &self.recipes, &self.environment);
        let Ok(Reading::Question(question)) = read else { return };
        if self.readers.borrow().contains(question.compiler()) {
            return;
        }
        let (asker, dir) = (self.asker.clone(), self.dir.join("afterwards"));
        spawn_local(async move {
            if std::fs::create_dir_all(&dir).is_ok() {
                asker.ask_ahead(&[*question], &dir).await;
            }
        });
    }

    /// Puts Ninja back into CMake's cache if a lesson was the end of CMake: an error in the test project is
    /// fatal, and leaves the script there that stood in its place.
    pub(super) fn put_ninja_back(&mut self) {
        let Some(lesson) = self.lesson.take() else { return };
        let ninja = lesson.ask.variable("CMAKE_MAKE_PROGRAM");
        let value = |program: &str| format!("={program}\n");
        let script = self.dir.join(answer::VERBOSE_NINJA);
        let Some(cache) = self.dir.ancestors().nth(2).map(|build| build.join("CMakeCache.txt"))
        else {
            return;
        };
        let text = std::fs::read_to_string(&cache).unwrap_or_default();
        let right = text.replace(&value(&script.to_string_lossy()), &value(ninja));
        // Nobody would read a complaint.
        if right != text {
            let new = self.dir.join("CMakeCache.txt");
            let _ = std::fs::write(&new, right).and_then(|()| std::fs::rename(new, cache));
        }
    }

    /// Whether the commands behind an outcome have read nothing of the environment that CMake has not
    /// told.
    fn reads(&self, ask: &Ask, outcome: &Outcome) -> Reads {
        if ask.whole_environment.is_some() {
            return Reads::Known;
        }
        let seen =
            outcome.seen.as_ref().filter(|seen| seen.gap.is_none() && !seen.whole_environment);
        let Some(seen) = seen else { return Reads::Whole };
        let is_told =
            |name: &str| ask.environment.contains_key(name) || names::OF_ENGINE.contains(&name);
        let names = seen.variables.iter().map(|name| name.to_str());
        let untold: Option<Vec<_>> = names
            .filter(|name| !name.is_some_and(is_told))
            .map(|name| name.map(str::to_owned))
            .collect();
        let is_new = |name: &String| names::is_variable(name) && !self.more_names.contains(name);
        match untold {
            Some(names) if names.is_empty() => Reads::Known,
            Some(names) if names.iter().all(is_new) => Reads::More(names),
            _ => Reads::Whole,
        }
    }

    /// A path for a program that is to run, where CMake would have it.
    fn new_program(&self, ask: &Ask) -> PathBuf {
        let scratch = Path::new(ask.variable("CMAKE_BINARY_DIR")).join("CMakeFiles/CMakeScratch");
        let project = scratch.join(format!("TryCompile-{}", std::process::id()));
        let configuration = match ask.variable("CMAKE_TRY_COMPILE_CONFIGURATION") {
            _ if !ask.has_configurations() => "",
            "" => "Debug",
            configuration => configuration,
        };
        project.join(configuration).join("cmTC_00000")
    }
}
