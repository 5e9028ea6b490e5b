//! Configures a project in all ways, and compares.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::configured::Difference;
use crate::dropin::{self, Configured};
use crate::project::{Files, Project};
use crate::support::{TRYALL, write};

/// How a project is configured.
#[derive(Debug, Clone)]
pub struct Setup {
    pub cmake: PathBuf,
    pub generator: &'static str,
    /// By `tryall cmake`; otherwise with arguments for CMake that load the drop-in.
    pub by_tryall: bool,
    /// After the change.
    pub again: Again,
}

/// How a project is configured after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// From scratch.
    Fresh,
    /// In the same build directory.
    Same,
    /// By CMake in the same build directory, as a build tool does.
    Plain,
}

/// When tryall configures a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Cold,
    Warm,
    Changed,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Way::Cold => "with an empty store",
            Way::Warm => "with a full store",
            Way::Changed => "after the change",
        })
    }
}

/// What came of a project.
#[derive(Debug, Default)]
pub struct Outcome {
    pub checks: u32,
    pub by_tryall: u32,
    /// Whether CMake itself failed.
    pub failed: bool,
    /// The first way with differences.
    pub different: Option<(Way, Vec<Difference>)>,
}

impl Outcome {
    /// Whether something differs in the same way and places, or some of them.
    pub fn is_like(&self, other: &Outcome) -> bool {
        let [(way, ours), (others_way, others)] =
            match [&self.different, &other.different].map(Option::as_ref) {
                [Some(ours), Some(others)] => [ours, others],
                _ => return false,
            };
        way == others_way
            && ours.iter().any(|it| others.iter().any(|other| it.place == other.place))
    }
}

/// The directories of a project.
struct Stage<'a> {
    setup: &'a Setup,
    project: dropin::Project,
}

impl Stage<'_> {
    /// Writes the files of the project that are not as they should be.
    fn write(&self, files: &Files) {
        let source = self.project.source();
        for (name, text) in files {
            let path = source.join(name);
            if fs::read_to_string(&path).ok().as_ref() != Some(text) {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                write(source, name, text);
            }
        }
    }

    fn configure(&self, files: &Files, with_tryall: bool) -> Configured {
        let Setup { cmake, generator, by_tryall, .. } = self.setup;
        let lines = |name| files.get(name).into_iter().flat_map(|it: &String| it.lines());
        let mut args: Vec<String> = lines("arguments").map(str::to_owned).collect();
        let mut command = Command::new(cmake);
        if with_tryall && *by_tryall {
            command = Command::new(TRYALL);
            command.args(["cmake", "--cmake"]).arg(cmake);
        } else if with_tryall {
            args.extend(dropin::drop_in_args());
        }
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let mut configured = self.project.run(command, generator, &args, |command| {
            command.env("FC", "gfortran");
            command.env("XDG_DATA_HOME", self.project.store().with_file_name("data"));
            command.envs(lines("environment").filter_map(|line| line.split_once('=')));
        });
        // Programs contain the names of CMake's test projects.
        let copies = configured.whole.files.iter_mut().filter(|(name, _)| name.contains("copy"));
        copies.for_each(|(_, text)| text.truncate("not text".len()));
        let left = self.project.scratch().to_string();
        configured.whole.files.insert("(in CMakeScratch)".into(), left);
        configured
    }

    fn remove_build(&self) {
        let _ = fs::remove_dir_all(self.project.build());
    }
}

/// Configures a project, up to the first way with differences.
pub fn outcome(project: &Project, setup: &Setup) -> Outcome {
    let stage = Stage { setup, project: dropin::Project::of("") };
    let build = stage.project.build().to_owned();
    let stocks = build.with_file_name("stock");
    let (before, after) = (project.before(), project.after());
    stage.write(&before);
    let stock = stage.configure(&before, false);
    fs::rename(&build, &stocks).unwrap();
    let mut outcome = Outcome { failed: !stock.succeeded, ..Outcome::default() };
    let mut compare = |way, stock: &Configured, ours: &Configured| {
        outcome.checks += ours.summary().checks;
        outcome.by_tryall += ours.by_tryall();
        let differences = stock.differences(ours);
        let is_different = !differences.is_empty();
        outcome.different = is_different.then_some((way, differences));
        is_different
    };
    for way in [Way::Cold, Way::Warm] {
        stage.remove_build();
        let ours = stage.configure(&before, true);
        if compare(way, &stock, &ours) {
            return outcome;
        }
    }
    if before != after {
        stage.write(&after);
        if setup.again == Again::Fresh {
            stage.remove_build();
            let _ = fs::remove_dir_all(&stocks);
        }
        let ours = stage.configure(&after, setup.again != Again::Plain);
        stage.remove_build();
        if stocks.exists() {
            fs::rename(&stocks, &build).unwrap();
        }
        let stock = stage.configure(&after, false);
        compare(Way::Changed, &stock, &ours);
    }
    outcome
}
