//! The results of a benchmark: the types of `--export-json`, the source of all tables and plots.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A whole benchmark.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Report {
    /// The version of this format.
    pub version: u32,
    /// The version of tryall.
    pub tryall: String,
    /// The command line that made it.
    pub command: Vec<String>,
    /// Where it ran.
    pub machine: Machine,
    /// One for each compiler and width, in the order of the command line.
    pub benches: Vec<Bench>,
    /// Whether it was interrupted before all rounds were done.
    pub interrupted: bool,
}

/// The machine.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Machine {
    /// Operating system and architecture.
    pub system: String,
    /// The processor's model, if known.
    pub processor: Option<String>,
    /// Cores that affinity and cgroup leave to this process.
    pub cores: usize,
}

/// The rounds of one suite with one compiler at one width.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bench {
    /// The suite: `fortran`, `posix` or a file.
    pub suite: String,
    /// The compiler's command.
    pub compiler: Vec<String>,
    /// The first line of its version.
    pub compiler_version: String,
    /// Checks in the suite.
    pub checks: usize,
    /// Repetitions of each check in a round.
    pub repeat: usize,
    /// The number of commands that may run at once.
    pub jobs: usize,
    /// The commands of one repetition, in order.
    pub commands: Vec<CommandLine>,
    /// One for each strategy and peer. The others are compared with the first.
    pub rows: Vec<Row>,
    /// The limit that no strategy can beat.
    pub limit: Limit,
    /// Reasons why the results are less reliable, each with a remedy.
    pub warnings: Vec<String>,
}

/// A command and the check that it belongs to.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandLine {
    /// The check.
    pub id: String,
    /// Its arguments.
    pub command: Vec<String>,
}

/// The CPU time of the commands, spread evenly over the cores that `jobs` can use.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limit {
    /// CPU time of the bare commands: the median of all rounds of the strategy in which they took
    /// least, in seconds.
    pub cpu_s: f64,
    /// That divided by the cores.
    pub wall_s: f64,
}

/// The kind of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RowKind {
    /// A technique that runs exactly the same commands as the other techniques.
    Strategy,
    /// tryall with all optimizations, which may run fewer commands.
    Engine,
    /// Another program that runs the same checks in its own way.
    Peer,
}

/// One strategy or peer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// Its name, such as `threads`.
    pub name: String,
    /// Its kind.
    pub kind: RowKind,
    /// What it does, or the version of a peer.
    pub about: String,
    /// Why there are no results; `null` if there are.
    pub missing: Option<String>,
    /// Every round, in order.
    pub rounds: Vec<Round>,
    /// Wall time in seconds.
    pub wall_s: Spread,
    /// CPU time of all processes in seconds.
    pub cpu_s: Spread,
    /// Wall time of `serial` divided by that of this row, round by round.
    pub speedup: Spread,
    /// The limit's wall time divided by this row's median.
    pub share_of_limit: f64,
}

/// One round of one row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Round {
    /// Wall time in seconds.
    pub wall_s: f64,
    /// CPU time of all processes in seconds.
    pub cpu_s: f64,
    /// The number of processes started, if known.
    pub processes: Option<u64>,
}

/// Median and range of several values. All zero if there are none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spread {
    /// The median.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Computes the spread of these values.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut figures: Vec<_> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let middle = figures.len() / 2;
        let (Some(&min), Some(&max)) = (figures.first(), figures.last()) else {
            return Spread::default();
        };
        let median = match figures.len() % 2 {
            1 => figures[middle],
            _ => f64::midpoint(figures[middle - 1], figures[middle]),
        };
        Spread { median, min, max }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_is_the_mean_of_the_middle_two() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Spread { median: 2.0, min: 1.0, max: 3.0 });
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 3.0]).median, 2.5);
        assert_eq!(Spread::of([]), Spread::default());
    }
}
