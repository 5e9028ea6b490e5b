//! Properties of every plot, tested with difficult reports.

use super::super::format::{significant, why_missing};
use super::super::result::{Report, RowKind, Spread};
use super::super::sample::{nine_rows, report};
use super::*;

/// An SVG element: its name, attributes and text.
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
}

impl Element {
    fn get(&self, name: &str) -> &str {
        let found = self.attributes.iter().find(|attribute| attribute.0 == name);
        found.map_or("", |attribute| &attribute.1)
    }

    fn number(&self, name: &str) -> f64 {
        self.get(name).parse().unwrap_or_else(|_| panic!("{} has no {name}", self.name))
    }

    /// The approximate bounds of a text: left, top, right, bottom.
    fn area(&self) -> [f64; 4] {
        let (size, weight) = match self.get("class").split(' ').next_back().unwrap() {
            "title" => (18.0, 1.1),
            "heading" => (15.0, 1.1),
            "small" => (12.0, 1.0),
            "tick" | "command" => (11.0, 1.0),
            _ => (13.0, 1.0),
        };
        let width = draw::width(&self.text, size) * weight;
        let left = match self.get("text-anchor") {
            "end" => self.number("x") - width,
            "middle" => self.number("x") - width / 2.0,
            _ => self.number("x"),
        };
        let base = self.number("y");
        [left, base - 0.75 * size, left + width, base + 0.2 * size]
    }
}

/// Parses all elements and checks the XML: balanced tags, quoted and unique attributes, and escaped
/// text.
fn elements(xml: &str) -> Vec<Element> {
    let (mut elements, mut open): (Vec<Element>, Vec<usize>) = Default::default();
    let mut rest = xml.trim_end();
    while let Some(start) = rest.find('<') {
        let text = &rest[..start];
        assert!(!text.contains('>') || text.contains('{'), "bare > in {text:?}");
        if let Some(&inner) = open.last() {
            elements[inner].text += &unescaped(text);
        } else {
            assert_eq!(text, "", "text outside of the root");
        }
        let end = start + rest[start..].find('>').expect("tag without an end");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let inner = open.pop().expect("one end too many");
            assert_eq!(elements[inner].name, name);
            continue;
        }
        let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, mut list) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut attributes: Vec<(String, String)> = Vec::new();
        while let Some((name, value)) = list.trim_start().split_once("=\"") {
            let (value, after) = value.split_once('"').expect("value without an end");
            assert!(attributes.iter().all(|other| other.0 != name), "{name} twice in {tag}");
            attributes.push((name.into(), unescaped(value)));
            list = after;
        }
        assert_eq!(list.trim(), "", "{tag}");
        if !empty {
            open.push(elements.len());
        }
        elements.push(Element { name: name.into(), attributes, text: String::new() });
    }
    assert!(open.is_empty() && rest.is_empty(), "not closed: {rest}");
    elements
}

/// Unescapes text.
fn unescaped(text: &str) -> String {
    for part in text.split('&').skip(1) {
        let known = ["amp;", "lt;", "gt;", "quot;"].iter().any(|name| part.starts_with(name));
        assert!(known, "bare & in {text:?}");
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&amp;", "&")
}

fn three_compilers() -> Report {
    let compilers = [("gfortran", 4.12), ("flang-new-16", 23.4), ("gcc", 2.3)];
    report(compilers.map(|(compiler, serial)| nine_rows(compiler, 2, serial)).to_vec())
}

fn widths() -> Report {
    report([1, 2, 4, 8].map(|jobs| nine_rows("gfortran", jobs, 4.12)).to_vec())
}

/// A report with extreme names and numbers.
fn extremes() -> Report {
    let mut report = report(vec![
        nine_rows("gfortran", 2, 4123.0),
        nine_rows("gcc", 2, 0.0123),
        nine_rows("flang-new-16", 1, 1e300),
        nine_rows("flang-new-16", 64, 1e-12),
    ]);
    report.interrupted = true;
    report.command = vec!["tryall <&> bench ".repeat(20)];
    report.machine.processor = Some("A <Very> Long & \"Strange\" Processor ".repeat(5));
    let [first, second, ..] = &mut report.benches[..] else { unreachable!() };
    first.compiler_version = "<cc> & \"co\" \x1b[1m".repeat(20);
    first.rows[1].name = "a-<very>-&-\"long\"-name-of-a-strategy".repeat(2);
    first.rows[3].wall_s = Spread { median: 0.5, min: 0.4, max: 0.6 };
    first.rows[4].wall_s = Spread { median: 900.0, min: 1.0, max: 90_000.0 };
    first.rows[7].missing = Some("a reason <that> goes on & on ".repeat(9));
    second.rows[2].wall_s = Spread { median: f64::NAN, min: f64::NAN, max: f64::INFINITY };
    second.rows[3].speedup.median = f64::INFINITY;
    second.rows[5].rounds.clear();
    second.limit.wall_s = f64::NAN;
    report
}

fn all() -> [Report; 5] {
    let mut nothing = report(vec![nine_rows("gcc", 2, 4.0)]);
    for row in &mut nothing.benches[0].rows {
        row.rounds.clear();
        row.wall_s = Spread::default();
    }
    [three_compilers(), widths(), extremes(), nothing, report(Vec::new())]
}

#[test]
fn every_plot_is_well_formed_and_has_finite_numbers() {
    for report in all() {
        let text = svg(&report);
        let elements = elements(&text);
        assert_eq!(elements[0].name, "svg");
        assert_eq!(elements[0].get("role"), "img");
        assert!(!text.contains("NaN") && !text.contains("inf\"") && !text.contains('\x1b'));
        for (name, value) in elements.iter().skip(1).flat_map(|element| &element.attributes) {
            if ["x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "d", "points"].contains(&&**name) {
                let letters: &[_] = &['M', 'h', 'v', 'q', 'z', ' ', ','];
                for number in value.split(letters).filter(|number| !number.is_empty()) {
                    let number: f64 = number.parse().unwrap_or_else(|_| panic!("{value}"));
                    assert!(number.abs() < 1e5, "{name}={value}");
                }
            }
        }
    }
}

#[test]
fn every_row_has_a_name_and_results_or_a_reason() {
    for report in [three_compilers(), widths()] {
        let elements = elements(&svg(&report));
        let texts = || elements.iter().filter(|element| element.name == "text");
        let first_widths = report.benches.iter().filter(|bench| bench.jobs == 2 || bench.jobs == 1);
        for bench in first_widths.take(if report.benches[0].jobs == 1 { 1 } else { 3 }) {
            for (index, row) in bench.rows.iter().enumerate() {
                assert!(texts().any(|text| text.text == row.name), "{}", row.name);
                let seconds = format!("{} s", significant(row.wall_s.median, 3));
                let value = match (why_missing(row), index) {
                    (Some(why), _) => why,
                    (None, 0) => seconds,
                    _ => format!("{seconds}, {}×", significant(row.speedup.median, 2)),
                };
                assert!(texts().any(|text| text.text == value), "{value}");
            }
            let limit = format!("limit {} s", significant(bench.limit.wall_s, 3));
            assert!(texts().any(|text| text.text == limit), "{limit}");
        }
    }
}

#[test]
fn truncated_text_is_complete_in_the_description() {
    let report = extremes();
    let elements = elements(&svg(&report));
    let described = &elements.iter().find(|element| element.name == "desc").unwrap().text;
    for row in report.benches.iter().flat_map(|bench| &bench.rows) {
        assert!(described.contains(&row.name), "{}", row.name);
        if let Some(why) = &row.missing {
            assert!(described.contains(why.trim()), "{why}");
        }
    }
}

#[test]
fn no_text_overlaps_another_or_leaves_the_plot() {
    for report in all() {
        let elements = elements(&svg(&report));
        let height = elements[0].number("height");
        let texts: Vec<_> = elements.iter().filter(|element| element.name == "text").collect();
        for (index, text) in texts.iter().enumerate() {
            let [left, top, right, bottom] = text.area();
            let inside = left >= 0.0 && right <= WIDTH && top >= 0.0 && bottom <= height;
            assert!(inside, "{:?} at {:?}", text.text, text.area());
            for other in &texts[index + 1..] {
                let [l, t, r, b] = other.area();
                let apart = right <= l || r <= left || bottom <= t || b <= top;
                assert!(apart, "{:?} on {:?}", text.text, other.text);
            }
        }
    }
}

#[test]
fn no_vertical_line_crosses_a_label() {
    for report in all() {
        let elements = elements(&svg(&report));
        let values = |class: &str| ["value", "missing", "limit-name"].contains(&class);
        let values = || elements.iter().filter(|element| values(element.get("class")));
        for line in elements.iter().filter(|element| element.name == "line") {
            let (x, top, bottom) = (line.number("x1"), line.number("y1"), line.number("y2"));
            // A whisker's ends are upright too, and must end where its label begins.
            for value in values().filter(|_| x == line.number("x2")) {
                let [l, t, r, b] = value.area();
                let apart = x <= l || r <= x || bottom <= t || b <= top;
                assert!(apart, "{} through {:?}", line.get("class"), value.text);
            }
        }
    }
}

#[test]
fn whiskers_span_the_rounds_and_stay_within_the_plot() {
    for report in all() {
        for element in elements(&svg(&report)) {
            if element.get("class") == "whisker" {
                assert!((LEFT..=RIGHT).contains(&element.number("x1")));
                assert!((LEFT..=RIGHT).contains(&element.number("x2")));
            }
        }
    }
    // One bench, so that figures and places can be matched: places are to figures as the
    // others are, from the axis on.
    let report = report(vec![nine_rows("gfortran", 2, 4.0)]);
    let elements = elements(&svg(&report));
    let axis = elements.iter().find(|element| element.get("class") == "base").unwrap().number("x1");
    let spans = elements.iter().filter(|element| {
        element.get("class") == "whisker" && element.number("x2") - element.number("x1") > 0.0
    });
    // The first one is in the legend.
    let spans: Vec<_> = spans.skip(1).map(|line| (line.number("x1"), line.number("x2"))).collect();
    let rows = report.benches[0].rows.iter().filter(|row| row.missing.is_none());
    let rows: Vec<_> = rows.map(|row| row.wall_s).collect();
    assert_eq!(spans.len(), rows.len());
    let pixels = (spans[0].1 - axis) / rows[0].max;
    for ((from, to), wall) in spans.into_iter().zip(rows) {
        assert!((from - axis - wall.min * pixels).abs() < 0.3, "{from} is not {}", wall.min);
        assert!((to - axis - wall.max * pixels).abs() < 0.3, "{to} is not {}", wall.max);
    }
}

#[test]
fn the_legend_contains_only_used_entries() {
    let mut report = three_compilers();
    let has = |report: &Report, class: &str| {
        elements(&svg(report)).iter().any(|e| e.name == "path" && e.get("class") == class)
    };
    for class in ["strategy", "engine", "peer"] {
        assert!(has(&report, class), "{class}");
    }
    for bench in &mut report.benches {
        bench.rows.retain(|row| row.kind == RowKind::Strategy);
    }
    assert!(has(&report, "strategy") && !has(&report, "engine") && !has(&report, "peer"));
}

#[test]
fn several_widths_make_one_panel_of_bars_and_one_of_curves() {
    let elements = elements(&svg(&widths()));
    let headings = elements.iter().filter(|element| element.get("class") == "heading");
    let headings: Vec<_> = headings.map(|heading| heading.text.as_str()).collect();
    assert_eq!(headings, ["fortran with gfortran", "fortran with gfortran: wall time by width"]);
    let curves: Vec<_> = elements.iter().filter(|element| element.name == "polyline").collect();
    // Eight rows with figures, and the limit.
    assert_eq!(curves.len(), 9);
    let classes: std::collections::BTreeSet<_> = curves.iter().map(|c| c.get("class")).collect();
    assert_eq!(classes.len(), 9, "two curves look alike");
    for curve in curves {
        assert_eq!(curve.get("points").split(' ').count(), 4);
    }
    for label in ["async, 2.10 s", "limit, 2.00 s", "1 job", "8 jobs"] {
        assert!(elements.iter().any(|e| e.name == "text" && e.text == label), "{label}");
    }
}
