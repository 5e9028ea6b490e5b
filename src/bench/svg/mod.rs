//! A benchmark as an SVG plot, with a light and a dark colour scheme.

mod bars;
mod curves;
mod draw;

use super::format::{command, groups, machine, several_widths, subject};
use super::result::{Report, RowKind};
use draw::fitted;
use draw::{Anchor, Canvas, escaped, wrapped};

const WIDTH: f64 = 720.0;
const LEFT: f64 = 16.0;
const RIGHT: f64 = WIDTH - 16.0;
/// Size of names and values.
const TEXT: f64 = 13.0;

const TITLE: &str = "Compiler checks, one after another and concurrently";

/// The light scheme is the default, for renderers without colour schemes. The background is
/// transparent.
const STYLE: &str = include_str!("style.css");

/// The picture.
pub(crate) fn svg(report: &Report) -> String {
    let mut canvas = Canvas::default();
    canvas.text(LEFT, 22.0, Anchor::Start, "title", TITLE);
    canvas.text(LEFT, 43.0, Anchor::Start, "small", &fitted(&machine(report), 12.0, RIGHT - LEFT));
    let mut y = legend(&mut canvas, 66.0, report) + 14.0;
    for group in groups(report) {
        if several_widths(&group) {
            y = bars::panel(&mut canvas, y, group[0], report.machine.cores) + 22.0;
            y = curves::panel(&mut canvas, y, &group) + 22.0;
        } else {
            for bench in group {
                y = bars::panel(&mut canvas, y, bench, report.machine.cores) + 22.0;
            }
        }
    }
    let mut footer = Vec::new();
    if report.interrupted {
        footer.push("Interrupted: only the results up to that point are shown.".to_string());
    }
    footer.extend(wrapped(&command(&report.command), 11.5, RIGHT - LEFT));
    for line in footer {
        canvas.text(LEFT, y, Anchor::Start, "command", &line);
        y += 16.0;
    }
    let height = y.ceil();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"bench-title bench-desc\">\n\
         <title id=\"bench-title\">{}</title>\n<desc id=\"bench-desc\">{}</desc>\n\
         <style>\n{STYLE}</style>\n{PATTERN}\n{}</svg>\n",
        escaped(TITLE),
        escaped(&description(report)),
        canvas.into_body(),
    )
}

/// The hatching of peers, which distinguishes them without colour.
const PATTERN: &str = "<defs><pattern id=\"bench-hatch\" width=\"6\" height=\"6\" \
     patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
     <rect width=\"6\" height=\"6\" class=\"hatch-ground\"/>\
     <rect width=\"2.5\" height=\"6\" class=\"hatch-line\"/></pattern></defs>";

/// A panel's title and notes. Returns where it ends.
fn heading(canvas: &mut Canvas, top: f64, title: &str, about: &[String]) -> f64 {
    let title = fitted(title, 15.0, RIGHT - LEFT);
    canvas.text(LEFT, top + 8.0, Anchor::Start, "heading", &title);
    let mut y = top + 8.0;
    for line in about {
        y += 18.0;
        canvas.text(LEFT, y, Anchor::Start, "small", &fitted(line, 12.0, RIGHT - LEFT));
    }
    y + 10.0
}

/// The legend of the bars and lines in use. Returns where it ends.
fn legend(canvas: &mut Canvas, top: f64, report: &Report) -> f64 {
    let rows = || report.benches.iter().flat_map(|bench| &bench.rows);
    let kinds = [
        (RowKind::Strategy, "strategy", "technique, same commands"),
        (RowKind::Engine, "engine", "tryall, may run fewer commands"),
        (RowKind::Peer, "peer", "another program"),
    ];
    let kinds = kinds.into_iter().filter(|(kind, ..)| rows().any(|row| row.kind == *kind));
    let lines = [
        ("limit", "limit: CPU time of the commands / cores"),
        ("whisker", "fastest to slowest round"),
    ];
    let entries = kinds.map(|(_, class, text)| (class, text)).chain(lines);
    let (mut x, mut y) = (LEFT, top);
    for (class, text) in entries {
        let needed = 24.0 + draw::width(text, 12.0);
        if x > LEFT && x + needed > RIGHT {
            (x, y) = (LEFT, y + 20.0);
        }
        match class {
            "limit" => canvas.line((x + 8.0, y - 7.0), (x + 8.0, y + 7.0), class),
            "whisker" => {
                canvas.line((x, y), (x + 16.0, y), class);
                for end in [x, x + 16.0] {
                    canvas.line((end, y - 4.0), (end, y + 4.0), class);
                }
            }
            _ => canvas.bar(x, y - 6.0, 16.0, 12.0, class),
        }
        canvas.text(x + 22.0, y, Anchor::Start, "small", text);
        x += needed + 16.0;
    }
    y + 12.0
}

/// The results as text, for screen readers.
fn description(report: &Report) -> String {
    let benches = report.benches.iter().map(|bench| {
        let rows: Vec<_> = bench.rows.iter().map(|row| bars::description_of(bench, row)).collect();
        format!("{}, -j{}: {}.", subject(bench), bench.jobs, rows.join("; "))
    });
    benches.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
