//! Answers shims: what is in the store, and what comes into it.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use super::counts::Counts;
use super::files::Given;
use super::place::{Kept, Own};
use super::shim::precompiled;
use super::wire::{Answer, Pwd, Reply, Report, Request, Watching};
use crate::compiler::causes::CommandContext;
use crate::compiler::verdict::{self, Verdict};
use crate::deps::locale;
use crate::deps::recorder::{Recorder, Watch, Watched};
use crate::deps::sight::{Gap, Seen, Sight, SightId};
use crate::deps::world::World;
use crate::os::{self, Found, Look};
use crate::plan::toolchain::is_launcher;
use crate::store::{Evidence, Key, Store, Variables};

/// A variable of the environment.
type Variable = (Vec<u8>, Vec<u8>);

/// What answers the shims of a run.
#[derive(Debug)]
pub(super) struct Desk {
    store: Store,
    world: World,
    recorder: Option<Recorder>,
    /// Whether stored answers are compared with the compiler's.
    compares: bool,
    /// Which files this process sees.
    sees: (u64, u64, Vec<u8>),
    /// Programs that cannot be watched.
    unseen: HashSet<Vec<u8>>,
    /// Whether programs are launchers, such as a compiler's name that is a link to ccache.
    launchers: HashMap<Vec<u8>, bool>,
    /// Figures for the summary.
    pub(super) counts: Counts,
}

/// What comes after the reply.
#[derive(Debug)]
pub(super) enum Next {
    /// Nothing.
    Done,
    /// The report of a command that is being watched.
    Report(Box<Running>),
    /// The result of a comparison, and the command.
    Comparison(String),
}

/// A command that is being watched.
#[derive(Debug)]
pub(super) struct Running {
    request: Request,
    env: Variables,
    watch: Watch,
    started: Instant,
}

/// The keys of a request.
struct Keys {
    /// In this directory.
    here: Key,
    /// In all directories, if the answer may be the same there.
    anywhere: Option<Key>,
}

impl Desk {
    /// With a store. `compares`: the compiler runs even if the store has an answer, and both are compared.
    pub(super) fn new(store: Store, compares: bool) -> Desk {
        Desk {
            store,
            world: World::default(),
            recorder: Recorder::new(),
            compares,
            sees: os::sees_same_files(),
            unseen: HashSet::new(),
            launchers: HashMap::new(),
            counts: Counts::default(),
        }
    }

    /// Writes what is new to the store. Returns what the user should know if that fails.
    pub(super) fn commit(&mut self) -> Option<String> {
        self.store.commit();
        self.store.complaint()
    }

    /// Begins to fetch what other machines know of a step.
    pub(super) fn begin_step(&mut self, name: impl FnOnce() -> Option<Key>) {
        self.store.begin_step(name);
    }

    /// Gives to other machines what this run has used, after everything is committed. Returns what they
    /// have given, for the user.
    pub(super) fn share(&mut self) -> Option<String> {
        self.store.share(&mut self.world);
        self.store.given()
    }

    /// Replies to a shim.
    pub(super) fn reply(&mut self, request: Request) -> (Reply, Next) {
        let pass = |desk: &mut Self, why: &str| {
            desk.counts.pass(why);
            (Reply::Become, Next::Done)
        };
        if let Some(why) = self.reason_to_pass(&request) {
            return pass(self, why);
        }
        let env = Variables::new(request.variables());
        self.world.next_moment();
        if let Some(answer) = self.find(&request, &env) {
            if self.compares {
                return (Reply::Compare(answer), Next::Comparison(request.label()));
            }
            self.counts.stored += 1;
            return (Reply::Serve(answer), Next::Done);
        }
        // What the system says must not be newer than what the command hears.
        env.ask_system();
        match self.watch(&request) {
            Ok((variables, watch)) => {
                let started = Instant::now();
                let running = Running { request, env, watch, started };
                (Reply::Watch(variables), Next::Report(Box::new(running)))
            }
            Err(why) => pass(self, why),
        }
    }

    /// Why nothing is done with a request.
    fn reason_to_pass(&mut self, request: &Request) -> Option<&'static str> {
        if request.surroundings.world != self.sees {
            return Some("other files under the same paths");
        }
        if request.says(|says| says.time) {
            return Some("source that asks for the time");
        }
        if self.unseen.contains(&request.program) {
            return Some("cannot be watched");
        }
        let is_link_to_launcher = |program: &Vec<u8>| {
            let target = std::fs::canonicalize(OsStr::from_bytes(program)).unwrap_or_default();
            is_launcher(target.as_os_str())
        };
        let program = request.program.clone();
        let known = self.launchers.entry(program).or_insert_with_key(is_link_to_launcher);
        known.then_some("launcher")
    }

    /// The answer in the store, if it still holds.
    fn find(&mut self, request: &Request, env: &Variables) -> Option<Answer> {
        let keys = request.keys();
        [keys.anywhere, Some(keys.here)].into_iter().flatten().find_map(|key| {
            let stored = self.store.find(&key, &mut self.world, env)?;
            postcard::from_bytes::<Kept>(&stored.payload).ok()?.answer(request)
        })
    }

    /// Begins to watch a command: with these variables. Fails with the reason why it cannot be watched.
    fn watch(&self, request: &Request) -> Result<(Vec<Variable>, Watch), &'static str> {
        const CANNOT: &str = "cannot be watched";
        let recorder = self.recorder.as_ref().ok_or(CANNOT)?;
        let paths = request.inputs.iter().map(|input| &input.path);
        let paths = paths.chain(request.outputs.iter().map(|(path, _)| path));
        // Their contents belong to the question, so looks at them do not count.
        let own: Vec<_> = paths.flat_map(|path| spellings(path_of(path))).collect();
        let own: Vec<_> = own.iter().map(|path| &**path).collect();
        let mut env = request.variables();
        let watch =
            recorder.watch(path_of(&request.program), &mut env, &own).map_err(|_| CANNOT)?;
        let given = request.variables();
        let is_new = |variable: &(OsString, OsString)| !given.contains(variable);
        let variables = env.into_iter().filter(is_new);
        let bytes = |text: OsString| text.as_bytes().to_vec();
        Ok((variables.map(|(name, value)| (bytes(name), bytes(value))).collect(), watch))
    }

    /// Takes the report of a command, and keeps what it did if that can be found again.
    pub(super) fn take(&mut self, running: Running, report: Report) -> Watching {
        let Running { request, env, watch, started } = running;
        let Some(recorder) = &self.recorder else { return Watching::Harmless };
        let Watched { seen, is_disturbed } = watch.seen(recorder);
        let texts =
            report.answer.iter().flat_map(|it| [&it.out, &it.err]).chain([&report.messages]);
        let mentions = |text: &Vec<u8>| recorder.is_mentioned_in(&String::from_utf8_lossy(text));
        if is_disturbed || texts.into_iter().any(mentions) {
            self.unseen.insert(request.program.clone());
            self.counts.pass("cannot be watched");
            return Watching::Disturbing;
        }
        self.counts.asked += 1;
        self.counts.waited += started.elapsed();
        let Some(answer) = report.answer else { return Watching::Harmless };
        let is_same = |(input, now): (&super::wire::Input, &Option<Given>)| {
            now.as_ref() == Some(&input.given)
        };
        let is_unchanged = report.inputs.len() == request.inputs.len()
            && request.inputs.iter().zip(&report.inputs).all(is_same);
        let why_not = if is_unchanged {
            request.reason_not_to_keep(&answer)
        } else {
            Some("its input changed")
        };
        self.keep(&request, &env, &answer, seen, why_not);
        Watching::Harmless
    }

    fn keep(
        &mut self,
        request: &Request,
        env: &Variables,
        answer: &Answer,
        seen: Seen,
        why_not: Option<&str>,
    ) {
        let Some(recorder) = &self.recorder else { return };
        let (keys, label) = (request.keys(), request.label());
        if let Some(why) = why_not.or(seen.gap.as_ref().map(|Gap(why)| &**why)) {
            return self.store.keep_not(keys.here, &label, why);
        }
        let seen = request.without_own_looks(seen, recorder);
        let anywhere = keys.anywhere.and_then(|key| {
            let (seen, own) = request.seen_anywhere(&seen, recorder)?;
            let kept = Kept::anywhere(answer, request, request.value_of("PWD"), own)?;
            Some((key, kept, seen))
        });
        let (key, kept, seen) = anywhere.unwrap_or((keys.here, Kept::here(answer), seen));
        let Ok(payload) = postcard::to_stdvec(&kept) else { return };
        let sights = recorder.sights();
        let evidence = Evidence { seen: &Rc::new(seen), sights: &sights, world: &mut self.world };
        self.store.keep(key, &label, payload.into(), evidence, env);
    }
}

impl Request {
    /// Its environment.
    fn variables(&self) -> Vec<(OsString, OsString)> {
        let text = |bytes: &Vec<u8>| os::from_bytes(bytes.clone());
        self.env.iter().map(|(name, value)| (text(name), text(value))).collect()
    }

    /// The value of a variable.
    fn value_of(&self, name: &str) -> Option<&[u8]> {
        let variable = self.env.iter().find(|(other, _)| other == name.as_bytes());
        variable.map(|(_, value)| &**value)
    }

    /// Whether one of its texts says something.
    fn says(&self, what: impl Fn(super::files::Says) -> bool) -> bool {
        let given = self.inputs.iter().map(|input| &input.given).chain(&self.stdin);
        given.into_iter().any(|given| what(given.says()))
    }

    /// Its name for people: the command.
    fn label(&self) -> String {
        let words = self.words.iter().map(|word| String::from_utf8_lossy(word).into_owned());
        let words = Vec::from_iter(words);
        shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default()
    }

    fn keys(&self) -> Keys {
        let inputs: Vec<_> = self.inputs.iter().map(|input| &input.given).collect();
        let outputs: Vec<_> = self.outputs.iter().map(|(_, before)| before).collect();
        let super::wire::Surroundings { permissions, limits, world: _ } = &self.surroundings;
        let given = (&self.program, inputs, outputs, &self.stdin, self.is_joined, self.pwd);
        let all = (given, permissions, limits);
        let here = Key::of("run here", (&all, &self.words, &self.dir));
        let may_be_anywhere = self.is_plain && !self.says(|says| says.place);
        let words = may_be_anywhere.then(|| self.words_without_dirs()).flatten();
        let anywhere = words.map(|words| Key::of("run", (&all, words)));
        Keys { here, anywhere }
    }

    /// Why an answer is not kept, whatever was seen.
    fn reason_not_to_keep(&self, answer: &Answer) -> Option<&'static str> {
        if os::is_full(path_of(&self.dir)) || os::is_full(&std::env::temp_dir()) {
            return Some("the disk is full");
        }
        if answer.status == 0 {
            return None;
        }
        if !self.speaks_english() {
            return Some("it failed in a language in which reasons are not understood");
        }
        let (temp, messages) = (std::env::temp_dir(), [&answer.out[..], &answer.err].concat());
        let messages = String::from_utf8_lossy(&messages);
        let path = self.value_of("PATH").map(OsStr::from_bytes);
        let context = CommandContext { check_dir: path_of(&self.dir), temp: &temp, path };
        match verdict::failed("the compiler", answer.status, &messages, true, "", context) {
            Verdict::Error(_) => Some("it did not judge its input"),
            _ => None,
        }
    }

    /// Whether messages are in English, as far as the environment decides.
    fn speaks_english(&self) -> bool {
        let set = |name: &str| self.value_of(name).filter(|value| !value.is_empty());
        let Some(locale) = locale::of_messages(set) else { return true };
        let is_plain = locale == b"C" || locale == b"POSIX" || locale.starts_with(b"C.");
        is_plain
            || locale.starts_with(b"en") && set("LANGUAGE").is_none_or(|it| it.starts_with(b"en"))
    }

    /// What was seen without looks that belong to the question: at the current directory, which no link
    /// leads to, at what `PWD` names, and at precompiled forms of inputs, of which there are none.
    fn without_own_looks(&self, seen: Seen, recorder: &Recorder) -> Seen {
        // Another program than a compiler may compare anything.
        if seen.whole_environment {
            return seen;
        }
        let sights = recorder.sights();
        let pwd = self.value_of("PWD").filter(|_| self.pwd != Pwd::Unset);
        let precompiled = self.inputs.iter().map(|input| precompiled(path_of(&input.path)));
        let precompiled = Vec::from_iter(precompiled);
        let passes = |id: &SightId| {
            let Sight { path, look, found, .. } = sights.get(*id);
            if *found == Found::Nothing && precompiled.iter().any(|it| it == Path::new(&**path)) {
                return true;
            }
            let path = path.as_bytes();
            let path = path.strip_suffix(b"/.").or(path.strip_suffix(b"/")).unwrap_or(path);
            match look {
                Look::Follow => path == self.dir || Some(path) == pwd,
                Look::Link => {
                    Path::new(OsStr::from_bytes(&self.dir)).starts_with(OsStr::from_bytes(path))
                }
                _ => false,
            }
        };
        let kept = seen.sights.iter().copied().filter(|id| !passes(id)).collect();
        Seen { sights: kept, ..seen }
    }

    /// What was seen, as it would be in other directories: what is the same there, and what is in the
    /// directories of the command. `None` if something would be elsewhere and not mean the same.
    fn seen_anywhere(&self, seen: &Seen, recorder: &Recorder) -> Option<(Seen, Vec<Own>)> {
        let dirs = self.dirs();
        if seen.whole_environment || dirs.iter().any(|dir| dir.len() <= 1) {
            return None;
        }
        let pwd = self.value_of("PWD").filter(|_| self.pwd == Pwd::Current);
        let all = recorder.sights();
        let (mut sights, mut owns) = (Vec::new(), Vec::new());
        for id in &seen.sights {
            let sight = all.get(*id);
            let path = sight.path.as_bytes();
            let mut near = dirs.iter().copied().chain(pwd);
            if near.any(|dir| path.starts_with(dir)) {
                owns.push(Own::of(sight, &dirs)?);
            } else if sight.look == Look::Link && dirs.iter().any(|dir| dir.starts_with(path)) {
                return None;
            } else {
                sights.push(*id);
            }
        }
        let variables = seen.variables.iter().filter(|name| *name != "PWD").cloned().collect();
        Some((Seen { sights, variables, ..seen.clone() }, owns))
    }
}

/// A path as it is given, and without `..` and links on the way to the file.
fn spellings(path: &Path) -> Vec<PathBuf> {
    let plain = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    let mut all = vec![path.to_owned()];
    all.extend(plain().filter(|plain| plain != path));
    all
}

fn path_of(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}
