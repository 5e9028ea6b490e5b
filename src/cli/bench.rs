//! `tryall bench`: runs the benchmark and writes the results.

use std::io::{IsTerminal, stdout};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use clap::Args;
use indicatif::ProgressBar;

use super::output;
use crate::bench::peer::Peer;
use crate::bench::strategy::Strategy;
use crate::bench::suite::{Suite, default_compilers};
use crate::bench::{self, Failure, Plan, table};
use crate::cli::progress::{self, tell};
use crate::exec::slots::cores;
use crate::os;
use crate::plan::toolchain::Environment;

/// Arguments of `tryall bench`.
#[derive(Args)]
pub(super) struct BenchArgs {
    /// Compilers, each in shell syntax [default: FC and CC, else the ones installed]
    compilers: Vec<String>,

    /// Repeat each check N times in a round [default: 8 for the Fortran suite, else 1]
    #[arg(short = 'n', long, value_name = "N", value_parser = super::count)]
    repeat: Option<NonZeroUsize>,
    /// Measured rounds, after one warm-up round
    #[arg(long, value_name = "N", default_value = "5", value_parser = super::count)]
    rounds: NonZeroUsize,
    /// fortran, posix, or a request file [default: the compiler's language decides]
    #[arg(long, value_name = "SUITE")]
    suite: Option<String>,
    /// Run N commands at once; several numbers, as in 1,2,4,8, show scaling [default: cores]
    #[arg(short, long, value_name = "N,...", value_delimiter = ',')]
    jobs: Vec<NonZeroUsize>,
    /// Strategies to measure, always with serial [default: all]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_enum)]
    strategies: Vec<Strategy>,
    /// Other programs to compare with [default: all installed]
    #[arg(
        long,
        value_name = "NAME,...",
        value_delimiter = ',',
        value_enum,
        conflicts_with = "no_peers"
    )]
    peers: Vec<Peer>,
    /// Measure no other programs
    #[arg(long)]
    no_peers: bool,
    /// Write all results as JSON, with the times of every round
    #[arg(long, value_name = "FILE")]
    export_json: Option<PathBuf>,
    /// Write the tables as Markdown
    #[arg(long, value_name = "FILE")]
    export_markdown: Option<PathBuf>,
    /// Write a plot as SVG
    #[arg(long, value_name = "FILE")]
    export_svg: Option<PathBuf>,
    /// Write a trace of the first measured round for the Chrome or Perfetto viewer
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(args: &BenchArgs) -> ExitCode {
    let plan = match plan(args) {
        Ok(plan) => plan,
        Err(why) => {
            tell(&why);
            return ExitCode::from(2);
        }
    };
    let stopped = stop_on_signal();
    let progress = Bar::new(&plan);
    let measured = bench::run(&plan, &progress, &stopped.flag);
    progress.0.finish_and_clear();
    let (report, spans) = match measured {
        Ok(measured) => measured,
        Err(failure) => {
            tell(&failure.to_string());
            return ExitCode::from(match failure {
                Failure::Difference { .. } => 3,
                Failure::Io(_) => 1,
            });
        }
    };
    let json = || serde_json::to_string_pretty(&report).expect("a report is JSON") + "\n";
    let trace = || crate::exec::trace::chrome_trace(&spans).to_string();
    let exports: [(&Option<PathBuf>, &dyn Fn() -> String); 4] = [
        (&args.export_json, &json),
        (&args.export_markdown, &|| table::markdown(&report)),
        (&args.export_svg, &|| bench::svg::svg(&report)),
        (&args.trace, &trace),
    ];
    for (path, text) in exports {
        if let Some(path) = path
            && let Err(error) = export(path, &text())
        {
            tell(&format!("{}: {error}", path.display()));
            return ExitCode::from(1);
        }
    }
    let printed = output::print(table::terminal(&report, stdout().is_terminal()).as_bytes());
    match stopped.signal.load(Ordering::Relaxed) {
        0 => printed,
        signal => output::ended_by(signal),
    }
}

fn export(path: &Path, text: &str) -> std::io::Result<()> {
    match output::is_stdout(path) {
        true => output::write(text.as_bytes()),
        false => output::replace(path, text.as_bytes()),
    }
}

fn plan(args: &BenchArgs) -> Result<Plan, String> {
    let environment = Environment::of_process().map_err(|error| error.to_string())?;
    let compilers = match args.compilers.as_slice() {
        [] => default_compilers(&environment),
        given => given.to_vec(),
    };
    if compilers.is_empty() {
        return Err("no compiler found; name one, or set CC or FC".into());
    }
    let suites = compilers.iter().map(|compiler| Suite::load(args.suite.as_deref(), compiler));
    let suites = suites.collect::<Result<_, _>>()?;
    let widths = match args.jobs.as_slice() {
        [] => vec![cores()],
        given => given.iter().map(|jobs| jobs.get()).collect(),
    };
    let chosen = |strategy: &Strategy| {
        *strategy == Strategy::Serial
            || args.strategies.is_empty()
            || args.strategies.contains(strategy)
    };
    Ok(Plan {
        suites,
        repeat: args.repeat.map(NonZeroUsize::get),
        rounds: args.rounds.get(),
        widths,
        strategies: Strategy::ALL.into_iter().filter(chosen).collect(),
        peers: match args.peers.as_slice() {
            _ if args.no_peers => Vec::new(),
            [] => Peer::ALL.to_vec(),
            given => given.to_vec(),
        },
        command: std::env::args().collect(),
    })
}

/// Whether a signal stopped the benchmark, and which one.
struct Stopped {
    flag: Arc<AtomicBool>,
    signal: Arc<AtomicI32>,
}

/// Waits for a signal on its own thread, because the measurements block the main thread.
fn stop_on_signal() -> Stopped {
    let stopped = Stopped { flag: Arc::default(), signal: Arc::default() };
    let (flag, number) = (stopped.flag.clone(), stopped.signal.clone());
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return;
        };
        if let Ok(signal) = runtime.block_on(os::interrupted()) {
            number.store(signal, Ordering::Relaxed);
            flag.store(true, Ordering::Relaxed);
        }
    });
    stopped
}

/// A progress bar with the estimated time left.
struct Bar(ProgressBar);

impl Bar {
    fn new(plan: &Plan) -> Self {
        Bar(progress::bar(plan.steps(), "{elapsed} elapsed, {eta} left"))
    }
}

impl bench::Progress for Bar {
    fn begin(&self, what: &str) {
        self.0.set_message(what.to_string());
    }

    fn advance(&self) {
        self.0.inc(1);
    }
}
