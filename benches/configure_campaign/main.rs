//! Configures many real projects with CMake alone and with tryall, and compares everything that is
//! left behind: tests/campaign describes it, and passes its arguments on.

#[path = "../../tests/drop_in/cmake_harness.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod cmake_harness;
#[path = "../../tests/support/summary.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod summary;
#[path = "../../tests/suite/support.rs"]
#[allow(dead_code, reason = "the suite uses all of it")]
mod support;

mod list;
mod report;
mod result;
mod run;
mod source;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use list::Project;
use result::Result;
use run::{Runner, WAYS};

/// The arguments of tests/campaign.
#[derive(Parser)]
struct Arguments {
    /// Projects of tests/campaign.json, with or without their version: these run again; without
    /// any, those run that have no result of this tryall yet
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Only these ways, with commas between them; `cross` runs only if it is named
    #[arg(long, value_delimiter = ',', default_value = "cold,warm,flags,clang,toolchain")]
    ways: Vec<String>,
    /// The program, instead of the one that cargo has just built
    #[arg(long, default_value = support::TRYALL)]
    tryall: PathBuf,
    /// Include cmake/TryallDropIn.cmake instead of running `tryall cmake`
    #[arg(long)]
    include: bool,
    /// A CMake generator
    #[arg(long, default_value = "Ninja")]
    generator: String,
    /// Configure with CMake alone again, too: times of both are then taken one after the other
    #[arg(long)]
    again: bool,
    /// Only configure with CMake alone
    #[arg(long)]
    stock: bool,
    /// Run nothing: only write the table, with everything that differs on standard output
    #[arg(long)]
    report: bool,
    /// Write the table to benches/results, too
    #[arg(long)]
    publish: bool,
    /// Print the projects, and whether they are there
    #[arg(long)]
    list: bool,
    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let all = list::all();
    let chosen = match list::chosen(&all, &arguments.names) {
        Ok(chosen) => chosen,
        Err(why) => return refuse(&why),
    };
    let known = |way: &&String| WAYS.iter().any(|known| known.name == way.as_str());
    if let Some(way) = arguments.ways.iter().find(|way| !known(way)) {
        let known: Vec<_> = WAYS.iter().map(|way| way.name).collect();
        return refuse(&format!("no way `{way}`; there are {}", known.join(", ")));
    }
    if arguments.list {
        for project in &chosen {
            let missing = if project.pristine().exists() { "" } else { "  (not fetched)" };
            println!("{}  {}{missing}", project.name, project.from);
        }
        return ExitCode::SUCCESS;
    }
    if !arguments.report {
        configure(&arguments, &chosen);
    }

    // A table of all results, also of earlier runs.
    let results: Vec<_> = all.iter().map(|project| (project, Result::load(project))).collect();
    let table = report::Table::of(&results);
    table.write(&support::root().join("target/campaign"));
    if arguments.publish {
        table.write(&support::root().join("benches/results"));
    }
    let of_these: Vec<_> = results
        .into_iter()
        .filter(|(project, _)| chosen.iter().any(|chosen| chosen.name == project.name))
        .collect();
    report::print_end(&of_these);
    let equal = of_these.iter().all(|(_, result)| result.as_ref().is_some_and(Result::is_equal));
    if equal { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("tests/campaign: {why}");
    ExitCode::from(2)
}

/// Runs what is missing, one project at a time: their times would disturb each other.
fn configure(arguments: &Arguments, chosen: &[&Project]) {
    let runner = Runner::new(&arguments.tryall, arguments.include, &arguments.generator);
    for (place, project) in chosen.iter().enumerate() {
        let title = format!("[{}/{}] {}", place + 1, chosen.len(), project.name);
        if !project.pristine().exists() {
            println!("{title}: not fetched");
            continue;
        }
        let mut result = Result::load(project)
            .filter(|_| !arguments.again)
            .unwrap_or_else(|| Result::new(project));
        let mut wanted: Vec<_> =
            WAYS.iter().filter(|way| arguments.ways.iter().any(|name| name == way.name)).collect();
        if arguments.stock {
            wanted.retain(|way| arguments.again || runner.is_without_stock(project, way));
            wanted.dedup_by_key(|way| way.stock);
        } else if arguments.names.is_empty() {
            wanted.retain(|way| !result.has(way.name, &runner.stamp(project)));
        }
        if wanted.is_empty() {
            continue;
        }
        println!("{title}");
        let mut run = runner.start(project, arguments.again);
        for way in wanted {
            let stock = run.stock(way);
            result.stock_of(way.stock, &stock);
            if arguments.stock {
                let seconds = stock.configured.seconds;
                println!(
                    "    {:9} {seconds:6.2} s, {} checks, status {:?}",
                    way.stock, stock.configured.checks, stock.configured.status
                );
            } else {
                let compared = run.compare(way, stock);
                println!("    {:9} {compared}", way.name);
                result.ways.insert(way.name.into(), compared);
            }
            result.save(project);
        }
    }
}
