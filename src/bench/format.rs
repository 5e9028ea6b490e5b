//! Formats numbers and names for tables and plots.

use super::result::{Bench, Report, Row, Spread};

/// The benches of one suite and one compiler, at several widths.
pub(super) type Group<'a> = Vec<&'a Bench>;

/// Groups benches, in order of appearance.
pub(super) fn groups(report: &Report) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for bench in &report.benches {
        let same = |group: &&mut Group<'_>| {
            group[0].suite == bench.suite && group[0].compiler == bench.compiler
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(bench),
            None => groups.push(vec![bench]),
        }
    }
    groups
}

/// Whether a group has enough widths for a curve.
pub(super) fn several_widths(group: &Group<'_>) -> bool {
    group.iter().any(|bench| bench.jobs != group[0].jobs)
}

/// The names of all rows of a group, in order of appearance.
pub(super) fn row_names<'a>(group: &Group<'a>) -> Vec<&'a str> {
    let mut names = Vec::new();
    for row in group.iter().flat_map(|bench| &bench.rows) {
        if !names.contains(&row.name.as_str()) {
            names.push(&row.name);
        }
    }
    names
}

/// The subject of a bench: `fortran with gfortran`.
pub(super) fn subject(bench: &Bench) -> String {
    plain(&format!("{} with {}", bench.suite, command(&bench.compiler)))
}

/// The size of a bench: `16 checks x 8, 2 jobs on 2 cores, 5 rounds`.
pub(super) fn amount(bench: &Bench, cores: usize, times: char) -> String {
    let rounds = bench.rows.iter().map(|row| row.rounds.len()).max().unwrap_or(0);
    format!(
        "{} {times} {}, {} on {}, {}",
        count(bench.checks, "check"),
        bench.repeat,
        count(bench.jobs, "job"),
        count(cores, "core"),
        count(rounds, "round"),
    )
}

/// The machine and the version of tryall, in one line.
pub(super) fn machine(report: &Report) -> String {
    let machine = &report.machine;
    let processor = machine.processor.as_ref().map_or(String::new(), |model| format!("{model}, "));
    let cores = count(machine.cores, "core");
    plain(&format!("{}, {processor}{cores}; tryall {}", machine.system, report.tryall))
}

/// A number and a noun.
pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// A command in shell syntax.
pub(super) fn command(words: &[String]) -> String {
    // shlex also quotes words that need no quotes, such as `1,2,4`.
    let safe = |word: &str| {
        let harmless = |c: char| c.is_ascii_alphanumeric() || "_-+=:,./@%".contains(c);
        !word.is_empty() && word.chars().all(harmless)
    };
    let quoted = words.iter().map(|word| match shlex::try_quote(word) {
        Ok(quoted) if !safe(word) => quoted.into_owned(),
        _ => word.clone(),
    });
    plain(&quoted.collect::<Vec<_>>().join(" "))
}

/// Text as one line without control characters: version strings of other programs may contain
/// escape sequences.
pub(super) fn plain(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Why a row has no results, if so.
pub(super) fn why_missing(row: &Row) -> Option<String> {
    match &row.missing {
        Some(why) => Some(format!("not measured: {}", plain(why))),
        None if row.rounds.is_empty() => Some("not measured: no round was finished".into()),
        None => None,
    }
}

/// The number of processes of a round, if known.
pub(super) fn processes(row: &Row) -> Option<u64> {
    let mut known: Vec<_> = row.rounds.iter().filter_map(|round| round.processes).collect();
    known.sort_unstable();
    known.get(known.len() / 2).copied()
}

/// A number that can be drawn and compared: zero replaces NaN and infinity.
pub(super) fn sane(figure: f64) -> f64 {
    if figure.is_finite() && figure > 0.0 { figure } else { 0.0 }
}

/// A number with this many significant digits.
pub(super) fn significant(figure: f64, digits: i32) -> String {
    let figure = sane(figure);
    if figure == 0.0 {
        return "0".into();
    }
    if !(1e-6..1e7).contains(&figure) {
        return format!("{figure:.1e}");
    }
    let decimals = (digits - 1 - figure.log10().floor() as i32).clamp(0, 9) as usize;
    format!("{figure:.decimals$}")
}

/// The format of a column, which aligns decimal points.
pub(super) struct Decimals {
    count: usize,
    width: usize,
    /// Whether any row has a range.
    spread: bool,
}

impl Decimals {
    /// At least two significant digits of the smallest number, and two decimals.
    pub(super) fn of(spreads: impl Iterator<Item = Spread>, limit: f64) -> Self {
        let spreads: Vec<_> = spreads.collect();
        let figures = spreads.iter().map(|spread| spread.median).chain([limit]).map(sane);
        let least = figures.filter(|figure| *figure > 0.0).fold(f64::INFINITY, f64::min);
        let count = (1.0 - sane(least).log10().floor()).clamp(2.0, 6.0) as usize;
        Decimals::fixed(count, spreads.into_iter())
    }

    /// This many decimals.
    pub(super) fn fixed(count: usize, spreads: impl Iterator<Item = Spread>) -> Self {
        let (mut most, mut spread) = (0.0, false);
        for figures in spreads {
            most = sane(figures.max).max(most);
            spread |= figures.min < figures.max;
        }
        Decimals { count, width: format!("{most:.count$}").len(), spread }
    }

    /// One number, or a dash.
    pub(super) fn single(&self, figure: f64) -> String {
        match sane(figure) {
            0.0 => "-".into(),
            figure => format!("{figure:.*}", self.count),
        }
    }

    /// The range of a row, or spaces if it has none.
    pub(super) fn spread(&self, spread: Spread, unit: &str) -> String {
        let Spread { median, min, max } = spread;
        let (count, width) = (self.count, self.width);
        let middle = format!("{}{unit}", self.single(median));
        if !self.spread {
            return middle;
        }
        let ends = format!(" ({:>width$.count$} to {:>width$.count$})", sane(min), sane(max));
        if min < max { middle + &ends } else { middle + &" ".repeat(ends.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn numbers_keep_significant_digits() {
        assert_eq!(significant(2.2149, 3), "2.21");
        assert_eq!(significant(1234.5, 3), "1234");
        assert_eq!(significant(0.001_234, 3), "0.00123");
        assert_eq!(significant(2.5e-9, 3), "2.5e-9");
        assert_eq!(significant(f64::NAN, 3), "0");
        assert_eq!(significant(f64::INFINITY, 3), "0");
    }

    #[test]
    fn widths_of_one_compiler_form_a_group() {
        let report = sample::report(vec![
            sample::nine_rows("gfortran", 1, 4.0),
            sample::nine_rows("gcc", 1, 4.0),
            sample::nine_rows("gfortran", 2, 4.0),
        ]);
        let groups = groups(&report);
        assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
        assert!(several_widths(&groups[0]) && !several_widths(&groups[1]));
    }

    #[test]
    fn a_row_without_a_finished_round_says_so() {
        let mut row = sample::nine_rows("gcc", 1, 4.0).rows.remove(0);
        assert_eq!(why_missing(&row), None);
        row.rounds.clear();
        assert_eq!(why_missing(&row).as_deref(), Some("not measured: no round was finished"));
    }

    #[test]
    fn commands_are_quoted_only_if_necessary() {
        let words = ["tryall", "bench", "--jobs", "1,2", "gcc -O2", ""].map(String::from);
        assert_eq!(command(&words), "tryall bench --jobs 1,2 'gcc -O2' ''");
    }

    #[test]
    fn escape_sequences_of_a_compiler_are_removed() {
        assert_eq!(plain("gcc \x1b[1m12\r\n"), "gcc  [1m12");
    }
}
