//! The campaign: changes the world, asks, compares, and counts.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::ask::{Answers, Mode, ask, begin, differences, why_missed};
use crate::change::{Change, Changer};
use crate::questions::{Question, questions};
use crate::random::Random;
use crate::world::{Family, World};

/// How many questions are asked after a change.
const SAMPLE: usize = 6;

/// How many questions are asked most of the time. They change slowly.
const USUAL: usize = 16;

/// How long a file is written again and again, at most.
const RESTLESS: Duration = Duration::from_secs(10);

/// After so many changes, all answers are judged.
const JUDGE_ALL: usize = 20;

/// What a campaign has counted.
#[derive(Debug, Default)]
pub struct Figures {
    pub changes: usize,
    /// How many of them were mounts.
    pub mounts: usize,
    pub asked: usize,
    pub stored: usize,
    pub judged: usize,
    pub differences: usize,
    /// Answers of questions that nothing has touched since they were answered, alone and shared.
    pub untouched: [usize; 2],
    /// How many of these were found.
    pub found: [usize; 2],
    /// Answers that were found although something was touched: it is again as it was, or did not
    /// matter.
    pub found_again: usize,
}

impl Figures {
    pub fn to_json(&self) -> Value {
        json!({
            "changes": self.changes, "mounts": self.mounts, "asked": self.asked, "stored": self.stored,
            "judged": self.judged, "differences": self.differences,
            "untouched": self.untouched, "found": self.found, "found_again": self.found_again,
        })
    }

    /// Adds the figures of another campaign.
    pub fn add(&mut self, other: &Value) {
        let number = |value: &Value| usize::try_from(value.as_u64().unwrap_or(0)).unwrap();
        self.changes += number(&other["changes"]);
        self.mounts += number(&other["mounts"]);
        self.asked += number(&other["asked"]);
        self.stored += number(&other["stored"]);
        self.judged += number(&other["judged"]);
        self.differences += number(&other["differences"]);
        self.found_again += number(&other["found_again"]);
        for mode in 0..2 {
            self.untouched[mode] += number(&other["untouched"][mode]);
            self.found[mode] += number(&other["found"][mode]);
        }
    }

    /// The share of answers that were found where nothing had changed, in percent.
    pub fn precision(&self, mode: usize) -> f64 {
        100.0 * self.found[mode] as f64 / self.untouched[mode].max(1) as f64
    }
}

struct Campaign {
    seed: u64,
    world: World,
    changer: Changer,
    questions: Vec<Question>,
    /// For each question and mode, whether it was answered and nothing was touched since.
    untouched: Vec<[bool; 2]>,
    /// The questions that are asked most of the time.
    usual: Vec<usize>,
    /// The changes so far, for people.
    history: Vec<String>,
    figures: Figures,
    /// The answers that were not found although nothing was touched, and how often.
    misses: BTreeMap<String, usize>,
}

/// Makes changes until there were enough or the time is up.
pub fn run(compiler: &str, seed: u64, changes: usize, time: Duration, may_mount: bool) -> Figures {
    let world = World::new(Family::named(compiler));
    let questions = questions(&world);
    let untouched = vec![[false; 2]; questions.len()];
    let mut campaign = Campaign {
        seed,
        world,
        changer: Changer::new(Random::seeded(seed), may_mount),
        questions,
        untouched,
        usual: Vec::new(),
        history: Vec::new(),
        figures: Figures::default(),
        misses: BTreeMap::new(),
    };
    for _ in 0..USUAL {
        let question = campaign.changer.below(campaign.questions.len());
        campaign.usual.push(question);
    }
    let until = Instant::now() + time;
    while campaign.figures.changes < changes && Instant::now() < until {
        campaign.step();
    }
    if std::env::var_os("STALE_MISSES").is_some() {
        eprintln!("{:#?}", campaign.misses);
    }
    if campaign.figures.differences > 0 && std::env::var_os("STALE_KEEP").is_some() {
        eprintln!("kept: {}", campaign.world.keep().display());
    }
    campaign.figures.mounts = campaign.changer.mounts;
    campaign.figures
}

impl Campaign {
    fn step(&mut self) {
        self.figures.changes += 1;
        let judges_all = self.figures.changes.is_multiple_of(JUDGE_ALL);
        let mode = if self.changer.below(4) == 0 { Mode::Shared } else { Mode::Apart };
        let sample = self.sample();
        let is_restless = self.changer.below(20) == 0;
        if is_restless {
            self.change_meanwhile(&sample, mode);
        } else {
            let (mut change, done) = self.changer.change(&mut self.world);
            if let Err(why) = done {
                change.what += &format!(" (failed: {why})");
            }
            self.note(change);
        }
        self.ask(&sample, mode, judges_all || is_restless);
        // Ask some again at once: a world at rest is the most common one.
        if self.changer.below(8) == 0 {
            self.ask(&sample, mode, true);
        }
    }

    /// Some questions, most of them from those that were asked lately.
    fn sample(&mut self) -> Vec<usize> {
        let mut sample: Vec<_> = (0..SAMPLE)
            .map(|_| match self.changer.below(8) {
                0 => self.changer.below(self.questions.len()),
                _ => self.usual[self.changer.below(USUAL)],
            })
            .collect();
        let (replaced, by) = (self.changer.below(USUAL), self.changer.below(self.questions.len()));
        self.usual[replaced] = by;
        sample.sort_unstable();
        sample.dedup();
        sample
    }

    /// Those of a sample that can be asked now.
    fn asked(&self, sample: &[usize]) -> Vec<usize> {
        sample.iter().copied().filter(|at| self.questions[*at].can_be_asked()).collect()
    }

    /// Changes a file while a batch runs. Its answers may be those of before or after.
    fn change_meanwhile(&mut self, sample: &[usize], mode: Mode) {
        let asked = self.asked(sample);
        let asked: Vec<_> = asked.iter().map(|at| &self.questions[*at]).collect();
        if asked.is_empty() {
            return;
        }
        let mut batch = begin(&self.world, &asked, mode);
        // Its output may have to wait for this process.
        let until = Instant::now() + RESTLESS;
        let is_over = || batch.is_answered() || Instant::now() > until;
        let change = self.changer.restless(&self.world, is_over);
        drop(batch.answers());
        self.note(change);
    }

    fn note(&mut self, change: Change) {
        for (question, untouched) in std::iter::zip(&self.questions, &mut self.untouched) {
            if change.touched.iter().any(|path| question.looks_at(path)) {
                *untouched = [false; 2];
            }
        }
        self.history.push(change.what);
    }

    fn ask(&mut self, sample: &[usize], mode: Mode, judges_all: bool) {
        let sample = self.asked(sample);
        let asked: Vec<_> = sample.iter().map(|at| &self.questions[*at]).collect();
        let answers = ask(&self.world, &asked, mode);
        let id = |question: &Question| question.check["id"].as_str().unwrap().to_string();
        let is_stored = |id: &str| answers[id]["how"] == "stored";
        // Whatever the compiler has just answered needs no judge, but of programs only a part is new.
        let needs_judge =
            |question: &&&Question| judges_all || is_stored(&id(question)) || !question.is_kept;
        let judged: Vec<_> = asked.iter().filter(needs_judge).copied().collect();
        let right = ask(&self.world, &judged, Mode::Judge);
        self.figures.asked += asked.len();
        self.figures.judged += right.len();
        let mut wrong = Vec::new();
        for question in &judged {
            let id = id(question);
            let fields = differences(&self.world, mode, &answers[&id], &right[&id]);
            if !fields.is_empty() {
                wrong.push((*question, fields));
            }
        }
        for (question, fields) in &wrong {
            self.report(question, fields, mode, &answers, &right);
        }
        self.figures.differences += wrong.len();
        let column = usize::from(mode == Mode::Shared);
        for at in &sample {
            let question = &self.questions[*at];
            let (id, untouched) = (id(question), &mut self.untouched[*at][column]);
            let is_answer = ["yes", "no"].iter().any(|status| answers[&id]["status"] == *status);
            let is_stored = is_stored(&id);
            self.figures.stored += usize::from(is_stored);
            if question.is_kept && is_answer {
                if *untouched {
                    self.figures.untouched[column] += 1;
                    self.figures.found[column] += usize::from(is_stored);
                    if !is_stored && std::env::var_os("STALE_MISSES").is_some() {
                        let why = why_missed(&self.world, &id, mode);
                        *self.misses.entry(format!("{id} {mode:?}: {why}")).or_default() += 1;
                    }
                } else {
                    self.figures.found_again += usize::from(is_stored);
                }
            }
            *untouched = is_answer;
        }
    }

    fn report(
        &self,
        question: &Question,
        fields: &[&str],
        mode: Mode,
        answers: &Answers,
        right: &Answers,
    ) {
        let id = question.check["id"].as_str().unwrap();
        let last = self.history.len().saturating_sub(6);
        eprintln!(
            "DIFFERENCE in {fields:?}: seed {}, change {}, {mode:?}\n  changes: {:#?}\n  check: {}\n  \
             answer: {}\n  the compiler's: {}\n  asked again: {}\n  the compiler again: {}",
            self.seed,
            self.figures.changes,
            &self.history[last..],
            question.check,
            shown(&answers[id]),
            shown(&right[id]),
            shown(&ask(&self.world, &[question], mode)[id]),
            shown(&ask(&self.world, &[question], Mode::Judge)[id]),
        );
    }
}

/// An answer without its source, which is long.
fn shown(answer: &Value) -> Value {
    let mut answer = answer.clone();
    answer.as_object_mut().expect("answers are objects").remove("source");
    answer
}
