//! Draws text, lines and boxes as SVG, and estimates the width of text.

use std::fmt::Write;

use super::super::format::{plain, sane};

/// The alignment of a text at its point.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    /// To its right.
    Start,
    /// Around it.
    Middle,
    /// To its left.
    End,
}

/// The drawing so far.
#[derive(Default)]
pub(super) struct Canvas {
    body: String,
}

impl Canvas {
    /// All of it.
    pub(super) fn into_body(self) -> String {
        self.body
    }

    /// One line of text, with its middle at this height.
    pub(super) fn text(&mut self, x: f64, y: f64, anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        // Digits and capitals are about 0.7 em high.
        let (x, y) = (number(x), number(y + 4.3));
        let text = escaped(text);
        self.put(format_args!("<text x=\"{x}\" y=\"{y}\"{anchor} class=\"{class}\">{text}</text>"));
    }

    /// A line.
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(number);
        self.put(format_args!(
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" class=\"{class}\"/>"
        ));
    }

    /// A vertical line with gaps, where text is.
    pub(super) fn vertical(
        &mut self,
        x: f64,
        top: f64,
        bottom: f64,
        gaps: &[(f64, f64)],
        class: &str,
    ) {
        let mut gaps = gaps.to_vec();
        gaps.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut y = top;
        for (from, to) in gaps {
            if from > y {
                self.line((x, y), (x, from.min(bottom)), class);
            }
            y = y.max(to);
        }
        if y < bottom {
            self.line((x, y), (x, bottom), class);
        }
    }

    /// A line through these points.
    pub(super) fn polyline(&mut self, points: &[(f64, f64)], class: &str) {
        let points: Vec<_> =
            points.iter().map(|(x, y)| format!("{},{}", number(*x), number(*y))).collect();
        let points = points.join(" ");
        self.put(format_args!("<polyline points=\"{points}\" class=\"{class}\"/>"));
    }

    /// A closed shape of these points.
    pub(super) fn polygon(&mut self, points: &[(f64, f64)], class: &str) {
        let points: Vec<_> =
            points.iter().map(|(x, y)| format!("{},{}", number(*x), number(*y))).collect();
        let points = points.join(" ");
        self.put(format_args!("<polygon points=\"{points}\" class=\"{class}\"/>"));
    }

    /// A disc.
    pub(super) fn circle(&mut self, x: f64, y: f64, radius: f64, class: &str) {
        let [x, y, r] = [x, y, radius].map(number);
        self.put(format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" class=\"{class}\"/>"));
    }

    /// A bar, rounded at its right end.
    pub(super) fn bar(&mut self, left: f64, top: f64, width: f64, height: f64, class: &str) {
        let round = 3.0_f64.min(width / 2.0);
        let [x, y, h, v, r, straight] =
            [left, top, width - round, height - 2.0 * round, round, height].map(number);
        self.put(format_args!(
            "<path d=\"M{x} {y}h{h}q{r} 0 {r} {r}v{v}q0 {r} -{r} {r}h-{h}v-{straight}z\" \
             class=\"{class}\"/>"
        ));
    }

    /// Opens a group with a title for screen readers.
    pub(super) fn open(&mut self, title: &str) {
        let title = escaped(title);
        self.put(format_args!("<g><title>{title}</title>"));
    }

    /// Closes the last group.
    pub(super) fn close(&mut self) {
        self.put(format_args!("</g>"));
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.body, "{element}");
    }
}

/// A coordinate to a tenth of a pixel.
fn number(figure: f64) -> String {
    let text = format!("{:.1}", if figure.is_finite() { figure } else { 0.0 });
    text.strip_suffix(".0").unwrap_or(&text).into()
}

/// Escapes text for XML and removes characters that XML does not allow.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in plain(text).chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\u{fffe}' | '\u{ffff}' => {}
            _ => escaped.push(character),
        }
    }
    escaped
}

/// The approximate width of a text in a wide font, since fonts differ between systems.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let ems = text.chars().map(|character| match character {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 0.36,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '-' | '/' => 0.45,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '…' => 1.0,
        'A'..='Z' | '×' | '+' | '<' | '>' | '=' | '&' => 0.8,
        ' '..='~' => 0.65,
        _ => 1.0,
    });
    ems.sum::<f64>() * size
}

/// Truncates a text to a width.
pub(super) fn fitted(text: &str, size: f64, room: f64) -> String {
    let text = plain(text);
    if width(&text, size) <= room {
        return text;
    }
    let mut fitted = text;
    while fitted.pop().is_some() && width(&fitted, size) + size > room {}
    format!("{}…", fitted.trim_end())
}

/// Wraps monospaced text.
pub(super) fn wrapped(text: &str, size: f64, room: f64) -> Vec<String> {
    // Wide fonts of this kind are 0.62 em a character.
    let most = (room / (0.62 * size)) as usize;
    let mut lines: Vec<String> = Vec::new();
    for word in plain(text).split_whitespace() {
        let length = word.chars().count();
        match lines.last_mut().filter(|line| line.chars().count() + 1 + length <= most) {
            Some(line) => *line = format!("{line} {word}"),
            None if length > most => {
                lines.push(word.chars().take(most.saturating_sub(1)).chain(['…']).collect());
            }
            None => lines.push(word.into()),
        }
    }
    lines
}

/// A round step between ticks that yields no more than the given number of ticks.
pub(super) fn step(end: f64, most: usize) -> f64 {
    let least = sane(end) / most.max(1) as f64;
    if least == 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(least.log10().floor());
    let round = [1.0, 2.0, 5.0].into_iter().map(|factor| factor * power);
    round.into_iter().find(|step| *step >= least).unwrap_or(10.0 * power)
}

/// A tick's label: as many digits as its step needs.
pub(super) fn tick(figure: f64, step: f64) -> String {
    let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
    if !(1e-6..1e7).contains(&figure) {
        format!("{figure:e}")
    } else {
        format!("{figure:.decimals$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_between_ticks_are_round() {
        assert_eq!(step(4.3, 6), 1.0);
        assert_eq!(step(7.0, 6), 2.0);
        assert_eq!(step(29.0, 6), 5.0);
        assert!((step(0.045, 5) - 0.01).abs() < 1e-12);
        assert_eq!(step(0.0, 5), 1.0);
        assert_eq!(tick(0.15, 0.05), "0.15");
        assert_eq!(tick(1500.0, 500.0), "1500");
    }

    #[test]
    fn text_that_does_not_fit_is_truncated() {
        assert_eq!(fitted("short", 13.0, 100.0), "short");
        let cut = fitted("a name that is much too long", 13.0, 100.0);
        assert!(cut.ends_with('…') && width(&cut, 13.0) <= 100.0, "{cut}");
        let lines = wrapped("a name that is much too long", 13.0, 100.0);
        assert!(lines.len() > 1 && lines.join(" ") == "a name that is much too long");
        assert!(lines.iter().all(|line| width(line, 13.0) <= 100.0), "{lines:?}");
    }

    #[test]
    fn a_vertical_line_has_gaps_for_text() {
        let mut canvas = Canvas::default();
        canvas.vertical(5.0, 0.0, 100.0, &[(60.0, 70.0), (20.0, 30.0), (25.0, 40.0)], "limit");
        let body = canvas.into_body();
        let ends: Vec<_> = body
            .lines()
            .map(|line| {
                let of = |name| line.split(name).nth(1).unwrap().split('"').nth(1).unwrap();
                (of(" y1="), of(" y2="))
            })
            .collect();
        assert_eq!(ends, [("0", "20"), ("40", "60"), ("70", "100")]);
    }

    #[test]
    fn xml_is_escaped_and_forbidden_characters_are_removed() {
        assert_eq!(escaped("<a & \"b\">\u{1b}x\u{ffff}"), "&lt;a &amp; &quot;b&quot;&gt; x");
    }
}
