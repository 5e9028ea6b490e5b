//! What is kept of each project, in target/campaign/results.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::list::Project;
use crate::run::Stock;
use crate::summary::Summary;
use crate::support::root;

/// The results of a project.
#[derive(Default, Serialize, Deserialize)]
pub struct Result {
    pub version: String,
    pub from: String,
    pub fails: Option<String>,
    /// The checks in CMake's log, which are fewer where CMake ends before.
    pub checks: usize,
    /// The exit status of CMake alone.
    pub status: Option<i32>,
    /// Seconds of CMake alone.
    pub stock: BTreeMap<String, f64>,
    /// What is not compared, because two runs of CMake alone differ in it.
    pub unstable: Vec<String>,
    pub ways: BTreeMap<String, Compared>,
}

/// How tryall's run compares with that of CMake alone.
#[derive(Serialize, Deserialize)]
pub struct Compared {
    /// Identifies the program, the project and the machine.
    pub stamp: String,
    /// Seconds of CMake alone.
    pub stock: f64,
    /// Seconds of tryall.
    pub seconds: f64,
    pub summary: Option<Summary>,
    pub differences: Vec<String>,
    /// Differences that two runs of CMake alone have, too.
    pub unstable: Vec<String>,
}

impl Compared {
    pub fn ratio(&self) -> f64 {
        self.stock / self.seconds
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Compared { stock, seconds, differences, .. } = self;
        write!(f, "{stock:6.2} s, with tryall {seconds:6.2} s: {:.2} times; ", self.ratio())?;
        match &self.summary {
            Some(Summary { checks, by_cmake, .. }) => {
                write!(f, "{checks} checks, {by_cmake} to CMake; ")?;
            }
            None => write!(f, "no summary; ")?,
        }
        write!(f, "{} differences", differences.len())?;
        differences.iter().take(5).try_for_each(|difference| write!(f, "\n        {difference}"))
    }
}

impl Result {
    pub fn new(project: &Project) -> Result {
        Result {
            version: project.package_and_version().1.into(),
            from: project.from.clone(),
            fails: project.fails.clone(),
            ..Result::default()
        }
    }

    /// The results of earlier runs, of the project as it is listed now.
    pub fn load(project: &Project) -> Option<Result> {
        let text = fs::read(path(project)).ok()?;
        let result: Result = serde_json::from_slice(&text).ok()?;
        (result.from == project.from).then_some(result)
    }

    pub fn save(&self, project: &Project) {
        let path = path(project);
        let directory = path.parent().expect("it is below target");
        fs::create_dir_all(directory).unwrap();
        let new = tempfile::NamedTempFile::new_in(directory).unwrap();
        serde_json::to_writer_pretty(&new, self).unwrap();
        new.persist(&path).unwrap();
    }

    /// Whether a way has run with this program.
    pub fn has(&self, way: &str, stamp: &str) -> bool {
        self.ways.get(way).is_some_and(|compared| compared.stamp == stamp)
    }

    /// Notes what CMake alone did.
    pub fn stock_of(&mut self, name: &str, stock: &Stock) {
        self.stock.insert(name.into(), stock.configured.seconds);
        if name == "plain" {
            self.checks = stock.configured.checks;
            self.status = stock.configured.status;
            self.unstable = stock.unstable.iter().cloned().collect();
        }
    }

    /// Whether all ways were compared, and nothing differs.
    pub fn is_equal(&self) -> bool {
        !self.ways.is_empty() && self.ways.values().all(|way| way.differences.is_empty())
    }
}

fn path(project: &Project) -> PathBuf {
    root().join("target/campaign/results").join(&project.name).with_added_extension("json")
}
