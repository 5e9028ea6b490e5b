//! The wall time of one suite and compiler, as curves over the width.

use super::super::format::{
    Group, count, plain, row_names, sane, significant, subject, why_missing,
};
use super::super::result::{Row, RowKind};
use super::draw::{Anchor, Canvas, fitted, step, tick, width};
use super::{LEFT, RIGHT, TEXT, heading};

/// Height of a label and its distance to the next.
const LABEL: f64 = 17.0;
/// Line styles, as many as there are classes in the style sheet.
const COLOURS: usize = 8;

/// How a line looks.
#[derive(Clone, Copy, PartialEq)]
enum Style {
    Engine,
    Limit,
    /// The style with this number, modulo the number of styles.
    Turn(usize),
}

impl Style {
    fn class(self) -> String {
        match self {
            Style::Engine => "line-engine".into(),
            Style::Limit => "limit".into(),
            Style::Turn(number) => format!("line-{}", number % COLOURS),
        }
    }
}

/// A line of the plot.
struct Curve {
    name: String,
    style: Style,
    points: Vec<(f64, f64)>,
    last: f64,
}

/// Draws a group below this height. Returns where it ends.
pub(super) fn panel(canvas: &mut Canvas, top: f64, group: &Group<'_>) -> f64 {
    let title = format!("{}: wall time by width", subject(group[0]));
    let top = heading(canvas, top, &title, &[]) + 14.0;
    let mut widths: Vec<_> = group.iter().map(|bench| bench.jobs.max(1)).collect();
    widths.sort_unstable();
    let (first, last) = (widths[0] as f64, widths[widths.len() - 1] as f64);

    let names = row_names(group);
    let longest = names.iter().map(|name| width(&plain(name), TEXT)).fold(60.0, f64::max);
    let label_x = RIGHT - longest.min(170.0) - width(", 00000 s", TEXT);
    let most = group.iter().flat_map(|bench| {
        let rows = bench.rows.iter().filter(|row| why_missing(row).is_none());
        rows.map(|row| row.wall_s.median).chain([bench.limit.wall_s])
    });
    let most = most.map(sane).fold(0.0, f64::max);
    let step_s = step(most, 5);
    let ceiling = (most / step_s).ceil().max(1.0) * step_s;
    let tick_width = width(&format!("{} s", tick(ceiling, step_s)), 11.0);
    let (left, right) = (LEFT + tick_width + 10.0, label_x - 40.0);
    let bottom = top + (LABEL * (names.len() + 1) as f64).max(220.0);

    let x_at = |jobs: usize| {
        let part = (jobs.max(1) as f64 / first).ln() / (last / first).ln();
        left + 10.0 + part * (right - left - 20.0)
    };
    let y_at = |seconds: f64| bottom - sane(seconds) / ceiling * (bottom - top);

    let mut number = 0.0;
    while number * step_s <= ceiling * 1.001 {
        let y = y_at(number * step_s);
        canvas.line((left, y), (right, y), if number == 0.0 { "base" } else { "grid" });
        let label = match number {
            0.0 => "0".to_string(),
            _ => format!("{} s", tick(number * step_s, step_s)),
        };
        canvas.text(left - 8.0, y, Anchor::End, "tick", &label);
        number += 1.0;
    }
    ticks_of_widths(canvas, &widths, bottom, x_at);

    // The engine has its own colour. The others cycle through the styles; missing ones are counted,
    // so that a strategy has the same style in all panels.
    let (mut curves, mut turn) = (Vec::new(), 0);
    for name in names {
        let rows = rows_named(group, name);
        let engine = rows.iter().any(|(_, row)| row.kind == RowKind::Engine);
        curves.extend(curve(
            rows,
            if engine { Style::Engine } else { Style::Turn(turn) },
            x_at,
            y_at,
        ));
        turn += usize::from(!engine);
    }
    let limits = group.iter().filter(|bench| bench.limit.wall_s > 0.0);
    let mut limits: Vec<_> =
        limits.map(|b| (x_at(b.jobs), y_at(b.limit.wall_s), b.limit.wall_s)).collect();
    limits.sort_by(|one, other| one.0.total_cmp(&other.0));
    if let Some(&(_, _, last)) = limits.last() {
        let points = limits.iter().map(|&(x, y, _)| (x, y)).collect();
        curves.push(Curve { name: "limit".into(), style: Style::Limit, points, last });
    }

    let places = spread(curves.iter().map(|curve| curve.points[curve.points.len() - 1].1), bottom);
    for (curve, label_y) in curves.iter().zip(places) {
        draw(canvas, curve, label_x, label_y);
    }
    bottom + 34.0
}

fn ticks_of_widths(
    canvas: &mut Canvas,
    widths: &[usize],
    bottom: f64,
    x_at: impl Fn(usize) -> f64,
) {
    let mut free_from = f64::NEG_INFINITY;
    for &jobs in widths {
        let x = x_at(jobs);
        canvas.line((x, bottom), (x, bottom + 4.0), "base");
        let label = count(jobs, "job");
        let half = width(&label, 11.0) / 2.0;
        if x - half > free_from {
            canvas.text(x, bottom + 14.0, Anchor::Middle, "tick", &label);
            free_from = x + half + 4.0;
        }
    }
}

/// The results with this name, ordered by width.
fn rows_named<'a>(group: &Group<'a>, name: &str) -> Vec<(usize, &'a Row)> {
    let named = group.iter().filter_map(|bench| {
        let row = bench.rows.iter().find(|row| row.name == name)?;
        why_missing(row).is_none().then_some((bench.jobs, row))
    });
    let mut named: Vec<_> = named.collect();
    named.sort_by_key(|(jobs, _)| *jobs);
    named
}

/// The line of a row, if it has results at any width.
fn curve(
    rows: Vec<(usize, &Row)>,
    style: Style,
    x_at: impl Fn(usize) -> f64,
    y_at: impl Fn(f64) -> f64,
) -> Option<Curve> {
    let (_, last) = rows.last()?;
    let points = rows.iter().map(|(jobs, row)| (x_at(*jobs), y_at(row.wall_s.median))).collect();
    Some(Curve { name: plain(&last.name), style, points, last: last.wall_s.median })
}

/// Heights of the labels, as close to their lines as possible without overlapping.
fn spread(wanted: impl Iterator<Item = f64>, bottom: f64) -> Vec<f64> {
    let mut places: Vec<_> = wanted.enumerate().collect();
    places.sort_by(|one, other| one.1.total_cmp(&other.1));
    for index in 1..places.len() {
        places[index].1 = places[index].1.max(places[index - 1].1 + LABEL);
    }
    let mut floor = bottom;
    for place in places.iter_mut().rev() {
        place.1 = place.1.min(floor);
        floor = place.1 - LABEL;
    }
    places.sort_by_key(|(index, _)| *index);
    places.into_iter().map(|(_, y)| y).collect()
}

fn draw(canvas: &mut Canvas, curve: &Curve, label_x: f64, label_y: f64) {
    let value = format!(", {} s", significant(curve.last, 3));
    canvas.open(&format!("{}{value}", curve.name));
    canvas.polyline(&curve.points, &format!("curve {}", curve.style.class()));
    for point in &curve.points {
        mark(canvas, *point, curve.style);
    }
    let end = curve.points[curve.points.len() - 1];
    canvas.line((end.0 + 6.0, end.1), (label_x - 17.0, label_y), "leader");
    let class = if curve.style == Style::Engine { "value engine-name" } else { "value" };
    let name = fitted(&curve.name, TEXT, RIGHT - label_x - width(&value, TEXT));
    canvas.text(label_x, label_y, Anchor::Start, class, &format!("{name}{value}"));
    if curve.style == Style::Limit {
        canvas.line((label_x - 15.0, label_y), (label_x - 4.0, label_y), "limit");
    } else {
        mark(canvas, (label_x - 9.0, label_y), curve.style);
    }
    canvas.close();
}

/// Markers of different shapes, for readers who cannot distinguish the colours.
fn mark(canvas: &mut Canvas, (x, y): (f64, f64), style: Style) {
    let outline: &[(f64, f64)] = match style {
        Style::Limit => return,
        Style::Engine => return canvas.circle(x, y, 5.0, "mark line-engine"),
        Style::Turn(number) => match number % 5 {
            0 => return canvas.circle(x, y, 4.0, &format!("mark {}", style.class())),
            1 => &[(-3.5, -3.5), (3.5, -3.5), (3.5, 3.5), (-3.5, 3.5)],
            2 => &[(0.0, -5.0), (5.0, 3.5), (-5.0, 3.5)],
            3 => &[(0.0, -5.0), (5.0, 0.0), (0.0, 5.0), (-5.0, 0.0)],
            _ => &[(0.0, 5.0), (5.0, -3.5), (-5.0, -3.5)],
        },
    };
    let outline: Vec<_> = outline.iter().map(|(dx, dy)| (x + dx, y + dy)).collect();
    canvas.polygon(&outline, &format!("mark {}", style.class()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_do_not_overlap_and_stay_within_the_plot() {
        assert_eq!(spread([50.0, 10.0].into_iter(), 200.0), [50.0, 10.0]);
        let upper = spread([12.0, 10.0, 11.0].into_iter(), 200.0);
        assert_eq!(upper, [10.0 + 2.0 * LABEL, 10.0, 10.0 + LABEL]);
        let lower = spread([200.0, 199.0, 20.0].into_iter(), 200.0);
        assert_eq!(lower, [200.0, 200.0 - LABEL, 20.0]);
    }
}
