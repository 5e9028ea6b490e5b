//! A bench as horizontal bars.

use super::super::format::{amount, plain, processes, sane, significant, subject, why_missing};
use super::super::result::{Bench, Row, RowKind};
use super::draw::{Anchor, Canvas, fitted, step, tick, width};
use super::{LEFT, RIGHT, TEXT, heading};

const ROW: f64 = 26.0;
const BAR: f64 = 16.0;

/// Draws a bench below this height. Returns where it ends.
pub(super) fn panel(canvas: &mut Canvas, top: f64, bench: &Bench, cores: usize) -> f64 {
    let about = [plain(&bench.compiler_version), measured(bench, cores)];
    let top = heading(canvas, top, &subject(bench), &about) + 26.0;
    let names = bench.rows.iter().map(|row| width(&plain(&row.name), TEXT));
    let left = LEFT + names.fold(40.0, f64::max).min(180.0) + 10.0;
    let bottom = top + ROW * bench.rows.len() as f64 + 4.0;
    let scale = scale(bench, left);
    let at = |seconds: f64| left + sane(seconds) * scale;
    let limit = at(bench.limit.wall_s);

    // Text positions (from, to, height), which lines must not cross.
    let mut labels = Vec::new();
    for (index, row) in bench.rows.iter().enumerate() {
        let y = top + ROW * (index as f64 + 0.5) + 2.0;
        let (start, text) = match why_missing(row) {
            Some(why) => (left + 6.0, fitted(&why, TEXT, RIGHT - left - 6.0)),
            None => (at(row.wall_s.max.max(row.wall_s.median)) + 8.0, value(bench, row)),
        };
        labels.push((start, start + width(&text, TEXT), y, text));
    }
    let gaps = |x: f64| -> Vec<_> {
        let crossed = labels.iter().filter(|label| label.0 - 3.0 < x && x < label.1 + 3.0);
        crossed.map(|label| (label.2 - 9.0, label.2 + 9.0)).collect()
    };

    axis(canvas, (left, bottom), top, scale, gaps);
    for (row, (start, _, y, text)) in bench.rows.iter().zip(&labels) {
        canvas.open(&description_of(bench, row));
        let name = fitted(&row.name, TEXT, left - LEFT - 10.0);
        let class = if row.kind == RowKind::Engine { "name engine-name" } else { "name" };
        canvas.text(left - 10.0, *y, Anchor::End, class, &name);
        if why_missing(row).is_some() {
            canvas.text(*start, *y, Anchor::Start, "missing", text);
        } else {
            bar(canvas, row, *y, at);
            canvas.text(*start, *y, Anchor::Start, "value", text);
        }
        canvas.close();
    }
    if bench.limit.wall_s > 0.0 && limit <= RIGHT {
        canvas.vertical(limit, top - 6.0, bottom, &gaps(limit), "limit");
        let text = format!("limit {} s", significant(bench.limit.wall_s, 3));
        let half = width(&text, TEXT) / 2.0;
        let x = limit.clamp(left + half, RIGHT - half);
        canvas.text(x, top - 15.0, Anchor::Middle, "limit-name", &text);
    }
    canvas.line((left, top), (left, bottom), "base");
    bottom + 26.0
}

fn bar(canvas: &mut Canvas, row: &Row, y: f64, at: impl Fn(f64) -> f64) {
    let class = match row.kind {
        RowKind::Strategy => "strategy",
        RowKind::Engine => "engine",
        RowKind::Peer => "peer",
    };
    let wall = row.wall_s;
    let (left, end) = (at(0.0), at(wall.median));
    canvas.bar(left, y - BAR / 2.0, (end - left).max(1.0), BAR, class);
    let (min, max) = (at(wall.min.min(wall.median)), at(wall.max.max(wall.median)));
    if min < max {
        canvas.line((min, y), (max, y), "whisker");
        for x in [min, max] {
            canvas.line((x, y - 4.0), (x, y + 4.0), "whisker");
        }
    }
}

/// Pixels per second, such that every bar has room for its label on its right.
fn scale(bench: &Bench, left: f64) -> f64 {
    let rows = bench.rows.iter().filter(|row| why_missing(row).is_none());
    let widest = rows.map(|row| {
        let room = RIGHT - left - 12.0 - width(&value(bench, row), TEXT);
        room.max(20.0) / sane(row.wall_s.max.max(row.wall_s.median))
    });
    let limit = (RIGHT - left - 30.0) / sane(bench.limit.wall_s);
    let scale = widest.chain([limit]).fold(f64::INFINITY, f64::min);
    if scale.is_finite() { scale } else { RIGHT - left }
}

/// The label of a bar: `2.21 s, 1.9×`.
fn value(bench: &Bench, row: &Row) -> String {
    let seconds = format!("{} s", significant(row.wall_s.median, 3));
    let first = bench.rows.first().is_some_and(|first| std::ptr::eq(first, row));
    if first || sane(row.speedup.median) == 0.0 {
        return seconds;
    }
    format!("{seconds}, {}×", significant(row.speedup.median, 2))
}

/// The size of the bench, and the meaning of the numbers at the bars.
fn measured(bench: &Bench, cores: usize) -> String {
    let over = bench.rows.first().map(|row| format!(" and speed-up over {}", plain(&row.name)));
    format!("{}; median wall time{}", amount(bench, cores, '×'), over.unwrap_or_default())
}

/// All data of a row as text.
pub(super) fn description_of(bench: &Bench, row: &Row) -> String {
    let name = plain(&row.name);
    if let Some(why) = why_missing(row) {
        return format!("{name}: {why}");
    }
    let [min, max] = [row.wall_s.min, row.wall_s.max].map(|wall| significant(wall, 3));
    let started = processes(row).map_or(String::new(), |number| format!(", {number} processes"));
    format!("{name}: {} ({min} to {max} s){started}; {}", value(bench, row), plain(&row.about))
}

/// Ticks along the bottom.
fn axis(
    canvas: &mut Canvas,
    (left, bottom): (f64, f64),
    top: f64,
    scale: f64,
    gaps: impl Fn(f64) -> Vec<(f64, f64)>,
) {
    let end = (RIGHT - left) / scale;
    // Six labels of large numbers would not fit.
    let mut most = 7;
    let mut step_s = step(end, most);
    while most > 1 && width(&format!("{} s", tick(end, step_s)), 11.0) + 16.0 > step_s * scale {
        most -= 1;
        step_s = step(end, most);
    }
    let mut number = 0.0;
    while number * step_s * scale <= RIGHT - left {
        let x = left + number * step_s * scale;
        let label = match number {
            0.0 => "0".to_string(),
            _ => format!("{} s", tick(number * step_s, step_s)),
        };
        if number > 0.0 {
            canvas.vertical(x, top, bottom, &gaps(x), "grid");
        }
        let half = width(&label, 11.0) / 2.0;
        canvas.text(x.min(RIGHT - half), bottom + 12.0, Anchor::Middle, "tick", &label);
        number += 1.0;
    }
}
