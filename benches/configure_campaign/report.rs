//! The table of all results, as Markdown and as JSON.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::json;

use crate::cmake_harness::path_with_ninja;
use crate::list::Project;
use crate::result::{Compared, Result};
use crate::run::WAYS;
use crate::support::root;

/// How many lines of differences are shown for each way of a project.
const SHOWN: usize = 10;

pub struct Table {
    markdown: String,
    json: String,
}

impl Table {
    pub fn of(results: &[(&Project, Option<Result>)]) -> Table {
        let compared: Vec<_> = results
            .iter()
            .filter_map(|(project, result)| Some((*project, result.as_ref()?)))
            .collect();
        let mut text = String::new();
        head(&mut text);
        for (project, result) in &compared {
            row(&mut text, project, result);
        }
        text.push('\n');
        figures(&mut text, &compared);
        remarks(&mut text, results);
        let projects: serde_json::Map<_, _> = compared
            .iter()
            .map(|(project, result)| (project.name.clone(), json!(result)))
            .collect();
        let json = json!({ "machine": machine(), "projects": projects });
        Table { markdown: text, json: format!("{json:#}\n") }
    }

    /// Writes campaign.md and campaign.json.
    pub fn write(&self, directory: &Path) {
        fs::create_dir_all(directory).unwrap();
        fs::write(directory.join("campaign.md"), &self.markdown).unwrap();
        fs::write(directory.join("campaign.json"), &self.json).unwrap();
        println!("{}", directory.join("campaign.md").display());
    }
}

fn machine() -> serde_json::Value {
    let first_line = |program: &str| {
        let path = which::which_in(program, Some(path_with_ninja()), root()).ok()?;
        let said = std::process::Command::new(path).arg("--version").output().ok()?.stdout;
        Some(String::from_utf8_lossy(&said).lines().next()?.to_owned())
    };
    let tools = ["cmake", "ninja", "gcc", "clang", "gfortran"];
    json!({
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "tools": tools.map(first_line),
    })
}

fn head(text: &mut String) {
    text.push_str(
        "Seconds of CMake alone and with tryall (empty store; fresh directory and the same store; \
         other flags and the same store), then how many times faster each way is. `checks` are \
         those in CMake's log. Of these were `stored` in the warm way, and `foreseen`, `asked` and \
         left `to CMake` in the cold one.\n\n",
    );
    let columns = [
        "project",
        "version",
        "checks",
        "stored",
        "foreseen",
        "asked",
        "to CMake",
        "stock",
        "cold",
        "warm",
        "flags",
        "cold ×",
        "warm ×",
        "flags ×",
        "clang ×",
        "toolchain ×",
        "differences",
    ];
    writeln!(text, "| {} |", columns.join(" | ")).unwrap();
    writeln!(text, "|{}", " --- |".repeat(columns.len())).unwrap();
}

fn row(text: &mut String, project: &Project, result: &Result) {
    let way = |name: &str| result.ways.get(name);
    let seconds = |seconds: Option<f64>| seconds.map_or("–".into(), |it| format!("{it:.2}"));
    let times = |name| seconds(way(name).map(|way| way.seconds));
    let ratio = |name| seconds(way(name).map(Compared::ratio));
    let count = |name, count: fn(&crate::summary::Summary) -> u32| match way(name) {
        Some(Compared { summary: Some(summary), .. }) => count(summary).to_string(),
        _ => "–".into(),
    };
    let differing: Vec<_> = WAYS
        .iter()
        .filter_map(|known| Some((known.name, way(known.name)?.differences.len())))
        .filter(|(_, differences)| *differences > 0)
        .map(|(name, differences)| format!("{name}: {differences}"))
        .collect();
    let cells = [
        project.package_and_version().0.into(),
        result.version.clone(),
        result.checks.to_string(),
        count("warm", |it| it.stored),
        count("cold", |it| it.foreseen),
        count("cold", |it| it.asked),
        count("cold", |it| it.by_cmake),
        seconds(result.stock.get("plain").copied()),
        times("cold"),
        times("warm"),
        times("flags"),
        ratio("cold"),
        ratio("warm"),
        ratio("flags"),
        ratio("clang"),
        ratio("toolchain"),
        if differing.is_empty() { "0".into() } else { differing.join(", ") },
    ];
    writeln!(text, "| {} |", cells.join(" | ")).unwrap();
}

/// Medians and the slowest, for each way.
fn figures(text: &mut String, compared: &[(&Project, &Result)]) {
    for way in &WAYS {
        let mut ratios: Vec<_> = compared
            .iter()
            .filter_map(|(project, result)| {
                Some((result.ways.get(way.name)?.ratio(), project.name.as_str()))
            })
            .collect();
        ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
        if ratios.is_empty() {
            continue;
        }
        let slowest: Vec<_> =
            ratios.iter().take(3).map(|(ratio, name)| format!("{name} {ratio:.2}")).collect();
        let ways = compared.iter().filter_map(|(_, result)| result.ways.get(way.name));
        let (mut checks, mut by_cmake, mut differing) = (0, 0, 0);
        for way in ways {
            if let Some(summary) = &way.summary {
                checks += summary.checks;
                by_cmake += summary.by_cmake;
            }
            differing += usize::from(!way.differences.is_empty());
        }
        writeln!(
            text,
            "* {}: {} projects, median {:.2} times, slowest {}; {by_cmake} of {checks} checks to \
             CMake ({:.1} %); {differing} projects differ",
            way.name,
            ratios.len(),
            ratios[ratios.len() / 2].0,
            slowest.join(", "),
            100.0 * f64::from(by_cmake) / f64::from(checks.max(1)),
        )
        .unwrap();
    }
}

/// What differs, what could not be compared, and why.
fn remarks(text: &mut String, results: &[(&Project, Option<Result>)]) {
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            writeln!(text, "\n{title}\n").unwrap();
            lines.iter().for_each(|line| writeln!(text, "* {line}").unwrap());
        }
    };
    let compared = || results.iter().filter_map(|(project, it)| Some((project, it.as_ref()?)));
    let differing = compared().flat_map(|(project, result)| {
        result.ways.iter().flat_map(move |(way, compared)| {
            let shown = compared.differences.iter().take(SHOWN);
            shown.map(move |difference| {
                let line = difference.replace('\n', " ").replace('`', "'");
                format!("{}, {way}: `{line}`", project.name)
            })
        })
    });
    section("Differences, at most ten for each way:", differing.collect());
    let failing =
        compared().filter(|(_, result)| result.status != Some(0)).map(|(project, result)| {
            let why = result.fails.as_deref().unwrap_or("NOT EXPECTED");
            format!("{}: {why}", project.name)
        });
    section("CMake alone fails, and tryall must fail in the same way:", failing.collect());
    let unstable = compared().flat_map(|(project, result)| {
        let of_ways = result.ways.values().flat_map(|way| &way.unstable);
        let names: std::collections::BTreeSet<_> = result.unstable.iter().chain(of_ways).collect();
        names.into_iter().map(|name| format!("{}: `{name}`", project.name))
    });
    section(
        "Not compared, because it differs between two runs of CMake alone:",
        unstable.collect(),
    );
    let programs: std::collections::BTreeSet<_> = compared()
        .flat_map(|(_, result)| result.ways.values())
        .filter_map(|way| way.stamp.split(' ').nth(1))
        .collect();
    let mixed = (programs.len() > 1).then(|| {
        format!("The results are of {} builds of tryall: run the campaign", programs.len())
    });
    section("Not of one build:", mixed.into_iter().collect());
    let missing = |why: &str, is_fetched| {
        let missing = results.iter().filter(|(project, result)| {
            result.is_none() && project.pristine().exists() == is_fetched
        });
        let names: Vec<_> = missing.map(|(project, _)| project.name.as_str()).collect();
        (!names.is_empty()).then(|| format!("{why}: {}", names.join(", ")))
    };
    let missing = [missing("could not be fetched", false), missing("not run yet", true)];
    section("Without a result:", missing.into_iter().flatten().collect());
}

/// Prints a line that says how a run ended.
pub fn print_end(results: &[(&Project, Option<Result>)]) {
    let differing: Vec<_> = results
        .iter()
        .filter(|(_, result)| {
            let compared = result.iter().flat_map(|result| result.ways.values());
            compared.into_iter().any(|way| !way.differences.is_empty())
        })
        .map(|(project, _)| project.name.as_str())
        .collect();
    let compared =
        results.iter().filter(|(_, result)| result.as_ref().is_some_and(|it| !it.ways.is_empty()));
    println!(
        "{} of {} projects compared, {} differ{}{}",
        compared.count(),
        results.len(),
        differing.len(),
        if differing.is_empty() { "" } else { ": " },
        differing.join(", ")
    );
}
