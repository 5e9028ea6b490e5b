//! A benchmark as a table, in the terminal and as GitHub Markdown.

use super::format::{
    Decimals, Group, amount, command, count, groups, machine, plain, processes, row_names, sane,
    several_widths, subject, why_missing,
};
use super::result::{Bench, Limit, Report, Row, RowKind, Spread};

/// A line of a table.
enum Line {
    /// A name and its numbers.
    Figures(String, Vec<String>, Option<RowKind>),
    /// A name, and words in place of numbers.
    Words(String, String),
}

/// Headings and lines, independent of the output format.
struct Table {
    heads: Vec<String>,
    lines: Vec<Line>,
}

const ENGINE: &str = "may run fewer commands than the others: it runs equal checks once";
const PEER: &str = "another program that runs the same checks in its own way";
const LIMIT: &str = "CPU time of the commands, spread over the cores that the jobs can use";

/// The table for a terminal, with colours if supported.
pub(crate) fn terminal(report: &Report, colour: bool) -> String {
    let paint = |code: &str, text: &str| match colour {
        true => format!("\x1b[{code}m{text}\x1b[0m"),
        false => text.to_string(),
    };
    let mut text = String::new();
    for group in groups(report) {
        for bench in &group {
            text += &paint("1", &subject(bench));
            text += &format!(": {}\n", plain(&bench.compiler_version));
            text += &format!("{}\n\n", amount(bench, report.machine.cores, 'x'));
            text += &aligned(&rows_of(bench), &paint);
            text.push('\n');
            for warning in &bench.warnings {
                text += &format!("{} {}\n", paint("1;33", "warning:"), plain(warning));
            }
            if !bench.warnings.is_empty() {
                text.push('\n');
            }
        }
        if several_widths(&group) {
            text += &paint("1", &subject(group[0]));
            text += ": median wall time in seconds by width\n\n";
            text += &aligned(&scaling(&group), &paint);
            text.push('\n');
        }
    }
    let notes = notes(report);
    let width = notes.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, about) in notes {
        text += &format!("{name:width$}  {about}\n");
    }
    if report.interrupted {
        text += &format!("\n{} {INTERRUPTED}\n", paint("1;33", "interrupted:"));
    }
    text
}

/// The table in GitHub's Markdown, with the command line that created it.
pub(crate) fn markdown(report: &Report) -> String {
    let mut text = String::new();
    for group in groups(report) {
        for bench in &group {
            text += &format!("### {}\n\n", escaped(&subject(bench)));
            text += &format!("{}  \n", escaped(&plain(&bench.compiler_version)));
            text += &format!("{}\n\n", amount(bench, report.machine.cores, '×'));
            text += &piped(&rows_of(bench));
            text.push('\n');
            for warning in &bench.warnings {
                text += &format!("> **Warning:** {}\n\n", escaped(&plain(warning)));
            }
        }
        if several_widths(&group) {
            let subject = escaped(&subject(group[0]));
            text += &format!("### {subject}: median wall time in seconds by width\n\n");
            text += &piped(&scaling(&group));
            text.push('\n');
        }
    }
    for (name, about) in notes(report) {
        text += &format!("- {}: {}\n", escaped(&name), escaped(&about));
    }
    if report.interrupted {
        text += &format!("\n**Interrupted:** {INTERRUPTED}\n");
    }
    text += &format!("\nMeasured on {}, with\n\n", escaped(&machine(report)));
    text + &format!("```sh\n{}\n```\n", command(&report.command))
}

const INTERRUPTED: &str = "only the results up to that point are shown";

fn rows_of(bench: &Bench) -> Table {
    let first = bench.rows.first();
    let over = first.map_or(String::new(), |row| format!(" over {}", plain(&row.name)));
    let heads = ["", "wall s (min to max)", "CPU s", "processes", &format!("speed-up{over}")];
    let heads = heads.into_iter().chain(["of the limit"]).map(String::from).collect();

    let limit = bench.limit;
    let walls = Decimals::of(bench.rows.iter().map(|row| row.wall_s), limit.wall_s);
    let cpus = Decimals::of(bench.rows.iter().map(|row| row.cpu_s), limit.cpu_s);
    let speedups = Decimals::fixed(2, bench.rows.iter().map(|row| row.speedup));
    let figures = |row: &Row| match why_missing(row) {
        Some(why) => Line::Words(marked(row), why),
        None => Line::Figures(
            marked(row),
            vec![
                walls.spread(row.wall_s, ""),
                cpus.single(row.cpu_s.median),
                processes(row).map_or("-".into(), |number| number.to_string()),
                speedups.spread(row.speedup, "x"),
                format!("{:.0} %", 100.0 * sane(row.share_of_limit)),
            ],
            Some(row.kind),
        ),
    };
    let mut lines: Vec<_> = bench.rows.iter().map(figures).collect();
    lines.push(limit_line(limit, first, &walls, &cpus, &speedups));
    Table { heads, lines }
}

fn limit_line(
    limit: Limit,
    first: Option<&Row>,
    walls: &Decimals,
    cpus: &Decimals,
    speedups: &Decimals,
) -> Line {
    if sane(limit.wall_s) == 0.0 {
        return Line::Words("limit".into(), "not known: no round was finished".into());
    }
    let alone = |figure: f64| Spread { median: figure, min: figure, max: figure };
    let speedup = sane(first.map_or(0.0, |row| row.wall_s.median / limit.wall_s));
    let speedup = match speedup {
        0.0 => "-".into(),
        _ => speedups.spread(alone(speedup), "x"),
    };
    let wall = walls.spread(alone(limit.wall_s), "");
    let cells = vec![wall, cpus.single(limit.cpu_s), "-".into(), speedup, "100 %".into()];
    Line::Figures("limit".into(), cells, None)
}

/// Strategies as rows, widths as columns.
fn scaling(group: &Group<'_>) -> Table {
    let heads = group.iter().map(|bench| count(bench.jobs, "job"));
    let heads = [String::new()].into_iter().chain(heads).collect();
    let all = group.iter().flat_map(|bench| bench.rows.iter().map(|row| row.wall_s));
    let least = group.iter().map(|bench| bench.limit.wall_s).fold(f64::INFINITY, f64::min);
    let walls = Decimals::of(all, least);
    let line = |name: &str| {
        let rows = group.iter().map(|bench| bench.rows.iter().find(|row| row.name == name));
        let rows: Vec<_> = rows.collect();
        let cells =
            rows.iter().map(|row| row.map_or("-".into(), |r| walls.single(r.wall_s.median)));
        let kind = rows.iter().flatten().next().map(|row| row.kind);
        let name = rows.iter().flatten().next().map_or(plain(name), |row| marked(row));
        Line::Figures(name, cells.collect(), kind)
    };
    let mut lines: Vec<_> = row_names(group).into_iter().map(line).collect();
    let limits = group.iter().map(|bench| walls.single(bench.limit.wall_s)).collect();
    lines.push(Line::Figures("limit".into(), limits, None));
    Table { heads, lines }
}

/// A name with its footnote mark.
fn marked(row: &Row) -> String {
    let name = plain(&row.name);
    match row.kind {
        RowKind::Strategy => name,
        RowKind::Engine => format!("{name} *"),
        RowKind::Peer => format!("{name} +"),
    }
}

/// The descriptions of all rows and marks, once for all benches.
fn notes(report: &Report) -> Vec<(String, String)> {
    let rows = || report.benches.iter().flat_map(|bench| &bench.rows);
    let mut notes: Vec<(String, String)> = Vec::new();
    for row in rows() {
        let note = (marked(row), plain(&row.about));
        if !note.1.is_empty() && !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes.push(("limit".into(), LIMIT.into()));
    for (kind, mark, about) in [(RowKind::Engine, "*", ENGINE), (RowKind::Peer, "+", PEER)] {
        if rows().any(|row| row.kind == kind) {
            notes.push((mark.into(), about.into()));
        }
    }
    notes
}

/// The table in right-aligned columns. Words may extend past them.
fn aligned(table: &Table, paint: &impl Fn(&str, &str) -> String) -> String {
    let heads = table.heads.iter().collect();
    let cells = table.lines.iter().map(|line| match line {
        Line::Figures(name, cells, _) => [name].into_iter().chain(cells).collect(),
        Line::Words(name, _) => vec![name],
    });
    let rows: Vec<Vec<&String>> = [heads].into_iter().chain(cells).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..table.heads.len()).map(width).collect();
    let mut text = String::new();
    for (row, line) in rows.iter().zip([None].into_iter().chain(table.lines.iter().map(Some))) {
        let figures = row[1..].iter().zip(&widths[1..]);
        let figures: String = figures.map(|(cell, width)| format!("  {cell:>width$}")).collect();
        let (code, behind) = match line {
            Some(Line::Figures(_, _, Some(RowKind::Engine))) => (Some("1;32"), figures),
            Some(Line::Figures(_, _, Some(_))) => (None, figures),
            Some(Line::Figures(_, _, None)) => (Some("36"), figures),
            Some(Line::Words(_, words)) => (Some("2"), format!("  {words}")),
            None => (Some("2"), figures),
        };
        let line = format!("{:width$}{behind}", row[0], width = widths[0]);
        text += &code.map_or(line.trim_end().into(), |code| paint(code, line.trim_end()));
        text.push('\n');
    }
    text
}

/// The table in GitHub's Markdown.
fn piped(table: &Table) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let columns = table.heads.len();
    let mut text = line(table.heads.iter().map(|head| escaped(head)).collect());
    text += &line((0..columns).map(|n| if n == 0 { ":--" } else { "--:" }.into()).collect());
    for row in &table.lines {
        let cells = match row {
            Line::Figures(name, cells, _) => [name].into_iter().chain(cells),
            Line::Words(name, words) => [name].into_iter().chain(std::slice::from_ref(words)),
        };
        let mut cells: Vec<_> = cells.map(|cell| escaped(&tight(cell))).collect();
        cells.resize(columns, String::new());
        text += &line(cells);
    }
    text
}

/// Removes the spaces that align columns.
fn tight(cell: &str) -> String {
    cell.split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "(")
}

/// Escapes text for Markdown.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '<' => escaped += "&lt;",
            '&' => escaped += "&amp;",
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '>' | '#' | '|' | '~' | '@' | '+' => {
                escaped.extend(['\\', character]);
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn hard_names() -> Report {
        let mut report = sample::report(vec![sample::nine_rows("gfortran", 2, 4.1)]);
        report.benches[0].rows[1].name = "a|b_<c>*".into();
        report.benches[0].compiler_version = "\x1b[1mcc\x1b[0m 1".into();
        report
    }

    #[test]
    fn columns_are_aligned_with_their_headings() {
        let text = terminal(&sample::report(vec![sample::nine_rows("gfortran", 2, 11.0)]), false);
        let lines: Vec<_> = text.lines().collect();
        let head = lines.iter().position(|line| line.contains("processes")).unwrap();
        let end = |line: &str, word: &str| line.find(word).unwrap() + word.len();
        let (serial, engine) = (lines[head + 1], lines[head + 6]);
        assert!(serial.starts_with("serial ") && engine.starts_with("tryall * "), "{text}");
        for line in [serial, engine] {
            assert_eq!(end(line, "128"), end(lines[head], "processes"), "{text}");
            assert_eq!(end(line, "%"), end(lines[head], "of the limit"), "{text}");
        }
        assert!(serial.contains("11.00 (10.67 to 11.66)"), "{text}");
        assert!(engine.contains(" 1.16 ( 1.12 to  1.22)"), "{text}");
        assert!(serial.contains("1.00x"), "{text}");
    }

    #[test]
    fn a_row_without_results_has_a_reason() {
        let report = sample::report(vec![sample::nine_rows("gfortran", 2, 4.1)]);
        assert!(terminal(&report, false).contains("meson +"));
        assert!(terminal(&report, false).contains("  not measured: meson is not on PATH\n"));
        assert!(markdown(&report).contains("| meson \\+ | not measured: meson is not on PATH |"));
    }

    #[test]
    fn the_limit_is_a_row_and_marks_are_explained() {
        let report = sample::report(vec![sample::nine_rows("gfortran", 2, 4.0)]);
        for text in [terminal(&report, false), tight(&markdown(&report))] {
            for expected in ["1.94", "3.88", "2.06x", "100 %", ENGINE, PEER, LIMIT] {
                assert!(text.contains(expected), "{expected} is missing in\n{text}");
            }
        }
        let mut strategies = report;
        strategies.benches[0].rows.truncate(5);
        assert!(!terminal(&strategies, false).contains(ENGINE));
        assert!(!terminal(&strategies, false).contains(PEER));
    }

    #[test]
    fn widths_have_a_separate_table() {
        let widths = [1, 2, 4].map(|jobs| sample::nine_rows("gfortran", jobs, 4.0));
        let text = terminal(&sample::report(widths.to_vec()), false);
        let mut lines = text.lines().skip_while(|line| !line.contains("by width")).skip(2);
        let words = |line: &str| line.split_whitespace().map(String::from).collect::<Vec<_>>();
        assert_eq!(words(lines.next().unwrap()), ["1", "job", "2", "jobs", "4", "jobs"]);
        assert_eq!(words(lines.next().unwrap()), ["serial", "4.00", "4.00", "4.00"]);
        assert_eq!(words(lines.next().unwrap()), ["threads", "4.20", "2.10", "2.10"]);
        let one = sample::report(vec![sample::nine_rows("gfortran", 2, 4.0)]);
        assert!(!terminal(&one, false).contains("by width"));
    }

    #[test]
    fn warnings_follow_the_table() {
        let mut report = sample::report(vec![sample::nine_rows("gcc", 2, 4.0)]);
        report.benches[0].warnings.push("the machine is noisy: close other programs".into());
        let text = terminal(&report, false);
        assert!(text.contains("\nwarning: the machine is noisy: close other programs\n"), "{text}");
        assert!(markdown(&report).contains("**Warning:** the machine is noisy"));
    }

    #[test]
    fn colours_are_optional_and_do_not_change_the_text() {
        let report = hard_names();
        let plain = terminal(&report, false);
        assert!(!plain.contains('\x1b'), "{plain:?}");
        let mut coloured = terminal(&report, true);
        assert!(coloured.contains("\x1b[1m"));
        for code in ["0", "1", "2", "36", "1;32", "1;33"] {
            coloured = coloured.replace(&format!("\x1b[{code}m"), "");
        }
        assert_eq!(coloured, plain);
    }

    #[test]
    fn every_row_of_a_markdown_table_has_all_columns() {
        let report = hard_names();
        let text = markdown(&report);
        assert!(text.contains("a\\|b\\_&lt;c\\>\\*"), "{text}");
        let rows: Vec<_> = text.lines().filter(|line| line.starts_with('|')).collect();
        assert_eq!(rows.len(), 2 + 9 + 1);
        for row in rows {
            assert_eq!(row.replace("\\|", "").matches('|').count(), 7, "{row}");
        }
        assert!(text.contains("```sh\ntryall bench -n 8 gfortran flang-new-16 gcc\n```"));
        assert!(text.contains("Measured on linux x86\\_64, Intel"), "{text}");
    }

    #[test]
    fn missing_results_are_neither_zero_nor_infinite() {
        let mut report = sample::report(vec![sample::nine_rows("gcc", 2, 4.0)]);
        report.interrupted = true;
        let bench = &mut report.benches[0];
        bench.limit = Limit::default();
        for row in &mut bench.rows {
            row.rounds.clear();
            (row.wall_s, row.cpu_s, row.speedup) = Default::default();
            row.share_of_limit = f64::NAN;
        }
        for text in [terminal(&report, false), markdown(&report)] {
            assert_eq!(text.matches("no round was finished").count(), 9, "{text}");
            assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
            assert!(text.contains("nterrupted:"));
        }
    }
}
