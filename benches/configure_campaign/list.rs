//! The projects of tests/campaign.json.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::cmake_harness::listed;
use crate::support::{read, root};

/// A project, which tests/fetch downloads.
#[derive(Deserialize, Hash)]
pub struct Project {
    #[serde(skip)]
    pub name: String,
    /// Origin, package, version and hash: see tests/fetch.
    pub from: String,
    /// The directory of its CMakeLists.txt.
    #[serde(default)]
    directory: String,
    /// What it needs to be configured with nothing but the compilers of tests/install, and options
    /// that add checks. Those of tests/projects.json have their options there.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Why CMake alone fails. The errors must be the same.
    pub fails: Option<String>,
}

impl Project {
    /// Its sources as downloaded, which nothing writes to.
    pub fn pristine(&self) -> PathBuf {
        root().join("target/projects").join(&self.name)
    }

    /// The CMakeLists.txt below a copy of the sources.
    pub fn directory_in(&self, sources: &std::path::Path) -> PathBuf {
        if self.directory.is_empty() { sources.into() } else { sources.join(&self.directory) }
    }

    /// The package and version that its name consists of.
    pub fn package_and_version(&self) -> (&str, &str) {
        let digit = |(at, _): &(usize, &str)| self.name.as_bytes()[at + 1].is_ascii_digit();
        match self.name.match_indices('-').find(digit) {
            Some((at, _)) => (&self.name[..at], &self.name[at + 1..]),
            None => (&self.name, ""),
        }
    }
}

/// All projects, in the order of their names.
pub fn all() -> Vec<Project> {
    let projects: BTreeMap<String, Project> =
        serde_json::from_str(&read("tests/campaign.json")).expect("tests/campaign.json is valid");
    let with_name = |(name, mut project): (String, Project)| {
        if let Some(options) = listed().projects.get(&name) {
            project.arguments.clone_from(options);
        }
        Project { name, ..project }
    };
    projects.into_iter().map(with_name).collect()
}

/// The projects with these names, or all.
pub fn chosen<'a>(all: &'a [Project], names: &[String]) -> Result<Vec<&'a Project>, String> {
    let is = |project: &Project, name: &str| {
        project.name == name || project.package_and_version().0 == name
    };
    if let Some(name) = names.iter().find(|name| !all.iter().any(|project| is(project, name))) {
        return Err(format!("no project `{name}` in tests/campaign.json"));
    }
    let is_chosen =
        |project: &&Project| names.is_empty() || names.iter().any(|name| is(project, name));
    Ok(all.iter().filter(is_chosen).collect())
}
