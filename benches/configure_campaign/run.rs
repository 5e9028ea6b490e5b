//! One project, configured in all ways, each with CMake alone and with tryall in the same directory.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::cmake_harness::{
    Configured, Difference, differences, differences_in_order, key, listed, path_with_ninja,
};
use crate::list::Project;
use crate::result::Compared;
use crate::source::Source;
use crate::summary::Summary;
use crate::support::{root, venv};

/// A way to configure.
pub struct Way {
    pub name: &'static str,
    /// The run of CMake alone that it is compared with.
    pub stock: &'static str,
    arguments: &'static [&'static str],
    /// A toolchain file of tests/support/campaign.
    toolchain: Option<&'static str>,
    /// Whether the project's store is emptied before.
    is_cold: bool,
}

/// All ways, in the order in which they run: those after `cold` find what it left in the store.
pub const WAYS: [Way; 6] = [
    Way { name: "cold", is_cold: true, ..PLAIN },
    Way { name: "warm", ..PLAIN },
    Way {
        name: "flags",
        stock: "flags",
        arguments: &["-DCMAKE_C_FLAGS=-O1 -DNDEBUG", "-DCMAKE_CXX_FLAGS=-O1 -DNDEBUG"],
        ..PLAIN
    },
    Way {
        name: "clang",
        stock: "clang",
        arguments: &["-DCMAKE_C_COMPILER=clang", "-DCMAKE_CXX_COMPILER=clang++"],
        ..PLAIN
    },
    Way { name: "toolchain", stock: "toolchain", toolchain: Some("toolchain.cmake"), ..PLAIN },
    Way { name: "cross", stock: "cross", toolchain: Some("cross.cmake"), ..PLAIN },
];

const PLAIN: Way =
    Way { name: "", stock: "plain", arguments: &[], toolchain: None, is_cold: false };

/// How projects are run, apart from the project and the way.
pub struct Runner {
    cmake: PathBuf,
    tryall: PathBuf,
    include: bool,
    generator: String,
    /// Identifies the program, which contains its CMake code.
    program: u64,
}

impl Runner {
    pub fn new(tryall: &Path, include: bool, generator: &str) -> Runner {
        let tryall = tryall.canonicalize().expect("the program is there");
        let mut hasher = DefaultHasher::new();
        fs::read(&tryall).unwrap().hash(&mut hasher);
        let (program, generator) = (hasher.finish(), generator.into());
        Runner { cmake: venv("cmake"), tryall, include, generator, program }
    }

    /// Identifies everything that a comparison depends on.
    pub fn stamp(&self, project: &Project) -> String {
        let stock = self.key(project, "");
        format!("{stock} {:016x} {}", self.program, self.include)
    }

    /// Identifies everything that a run of CMake alone depends on.
    fn key(&self, project: &Project, stock: &str) -> String {
        let ways = WAYS.iter().map(|way| {
            (way.arguments, way.toolchain.map(|name| fs::read(toolchain(name)).unwrap()))
        });
        let more = (project, ways.collect::<Vec<_>>(), which::which("clang").ok());
        format!("{}-{stock}", key(&project.name, &self.cmake, &self.generator, more))
    }

    fn kept(&self, project: &Project, stock: &str) -> PathBuf {
        let name = self.key(project, stock) + ".json";
        root().join("target/campaign/stock").join(name)
    }

    pub fn is_without_stock(&self, project: &Project, way: &Way) -> bool {
        !self.kept(project, way.stock).exists()
    }

    /// Prepares the sources of a project.
    pub fn start<'a>(&'a self, project: &'a Project, again: bool) -> Run<'a> {
        let place = root().join("target/campaign/work").join(&project.name);
        let source = Source::new(project.pristine(), place.join("source"));
        if again {
            for way in &WAYS {
                let _ = fs::remove_file(self.kept(project, way.stock));
            }
        }
        Run { runner: self, project, source, build: place.join("build") }
    }
}

fn toolchain(name: &str) -> PathBuf {
    root().join("tests/support/campaign").join(name)
}

/// What CMake alone does.
#[derive(Serialize, Deserialize)]
pub struct Stock {
    pub configured: Configured,
    /// What differs between two runs of CMake alone, and is not compared.
    pub unstable: BTreeSet<String>,
}

impl Stock {
    /// Notes what differs in another run.
    fn learn(&mut self, other: &Configured) {
        self.unstable.extend(compare(&self.configured, other).iter().map(title));
    }
}

/// Everything that differs.
fn compare(stock: &Configured, ours: &Configured) -> Vec<Difference> {
    let mut all = differences(stock, ours);
    all.extend(differences_in_order(stock, ours));
    all
}

/// What a difference is about.
fn title(difference: &Difference) -> String {
    format!("{:?} {}", difference.place, difference.name)
}

/// A project, while it runs.
pub struct Run<'a> {
    runner: &'a Runner,
    project: &'a Project,
    source: Source,
    build: PathBuf,
}

impl Run<'_> {
    /// What CMake alone does: configured once, and kept. The plain way is configured twice, and the
    /// shorter time counts, because the first also reads the sources from the disk.
    pub fn stock(&mut self, way: &Way) -> Stock {
        let path = self.runner.kept(self.project, way.stock);
        if let Ok(text) = fs::read(&path) {
            return serde_json::from_slice(&text).expect("it was written by this program");
        }
        let configured = self.configure(way, None);
        let mut stock = Stock { configured, unstable: BTreeSet::new() };
        if way.stock == "plain" {
            let again = self.configure(way, None);
            stock.learn(&again);
            stock.configured.seconds = stock.configured.seconds.min(again.seconds);
        }
        self.keep(way, &stock);
        stock
    }

    fn keep(&self, way: &Way, stock: &Stock) {
        let path = self.runner.kept(self.project, way.stock);
        let directory = path.parent().expect("it is below target");
        fs::create_dir_all(directory).unwrap();
        let new = tempfile::NamedTempFile::new_in(directory).unwrap();
        serde_json::to_writer(&new, stock).unwrap();
        new.persist(&path).unwrap();
    }

    /// Configures with tryall, and compares. If something differs, CMake alone runs once more: what
    /// it, too, does differently now, depends on the day or on chance.
    pub fn compare(&mut self, way: &Way, mut stock: Stock) -> Compared {
        let store = root().join("target/campaign/store").join(&self.project.name);
        if way.is_cold {
            let _ = fs::remove_dir_all(&store);
        }
        let ours = self.configure(way, Some(&store));
        let found = compare(&stock.configured, &ours);
        let is_known = |stock: &Stock, found: &Difference| stock.unstable.contains(&title(found));
        if found.iter().any(|found| !is_known(&stock, found)) {
            let now = self.configure(way, None);
            stock.learn(&now);
            self.keep(way, &stock);
        }
        let (unstable, differences): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|found| is_known(&stock, found));
        Compared {
            stamp: self.runner.stamp(self.project),
            stock: stock.configured.seconds,
            seconds: ours.seconds,
            summary: Summary::of(&ours.stdout),
            differences: differences.iter().map(ToString::to_string).collect(),
            unstable: unstable.iter().map(title).collect(),
        }
    }

    fn configure(&mut self, way: &Way, store: Option<&Path>) -> Configured {
        let runner = self.runner;
        // CMake's package registry is in the home directory: each run has an empty one.
        let home = self.build.with_file_name("home");
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(&home).unwrap();
        let mut command = match store {
            Some(_) if !runner.include => Command::new(&runner.tryall),
            _ => Command::new(&runner.cmake),
        };
        if store.is_some() && !runner.include {
            command.arg("cmake");
        }
        command
            .args(["-G", &runner.generator, "-S"])
            .arg(self.project.directory_in(&self.source.copy))
            .arg("-B")
            .arg(&self.build)
            .args(&self.project.arguments)
            .args(way.arguments);
        if let Some(name) = way.toolchain {
            command.arg(format!("-DCMAKE_TOOLCHAIN_FILE={}", toolchain(name).display()));
        }
        if store.is_some() && runner.include {
            let drop_in = root().join("cmake/TryallDropIn.cmake");
            command.arg(format!("-DCMAKE_PROJECT_INCLUDE={}", drop_in.display()));
            command.arg(format!("-DTRYALL_EXECUTABLE={}", runner.tryall.display()));
        }
        command
            // Some checks run programs that write to CMake's working directory.
            .current_dir(&self.build)
            .env_clear()
            .env("PATH", path_with_ninja())
            .env("HOME", &home)
            // tryall's CMake modules, which need not be written again for each project.
            .env("XDG_DATA_HOME", root().join("target/campaign/data"))
            .env("TRYALL_STORE", store.map_or_else(|| "off".as_ref(), |store| store.as_os_str()))
            // No project may fetch anything: answers of the network are not the same twice.
            .env("GIT_ALLOW_PROTOCOL", "file")
            .envs(["http_proxy", "https_proxy"].map(|name| (name, "http://127.0.0.1:9")))
            // Projects that ask git or the clock for their version.
            .env("GIT_CEILING_DIRECTORIES", root().join("target/campaign/work"))
            .env("SOURCE_DATE_EPOCH", "1700000000")
            .envs(&listed().environment);
        let mut configured = Configured::by(&mut command, &self.build);
        configured.files.extend(self.source.changes());
        configured
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.build.with_file_name("home"));
    }
}
