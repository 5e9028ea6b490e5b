//! Standard error: messages, and a progress bar if it is a terminal.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write, stderr};

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use crate::protocol::response::{Answer, Status};

/// Prints a message with the program's name. Unlike `eprintln!`, it does not panic if standard
/// error is closed.
pub(super) fn tell(text: &str) {
    let _ = writeln!(stderr(), "tryall: {text}");
}

/// Redraws per second, at most.
const REFRESH_RATE: u8 = 20;

/// Columns needed for the bar with counts, and for the counts alone.
const WIDE: u16 = 56;
const NARROW: u16 = 28;

/// A progress bar, hidden unless standard error is a terminal. The counts follow the bar, then as
/// much of the message as fits: a line wider than the terminal would wrap and leave a remnant.
pub(super) fn bar(steps: usize, counts: &str) -> ProgressBar {
    let terminal = Terminal(Term::buffered_stderr());
    let template = match terminal.width() {
        WIDE.. => format!("{{spinner}} [{{bar:20}}] {counts}  {{wide_msg}}"),
        NARROW.. => format!("{{spinner}} {counts}"),
        _ => "{spinner}".into(),
    };
    let has_escapes = std::env::var_os("TERM").is_some_and(|term| term != "dumb");
    let target = match stderr().is_terminal() && has_escapes {
        true => ProgressDrawTarget::term_like_with_hz(Box::new(terminal), REFRESH_RATE),
        false => ProgressDrawTarget::hidden(),
    };
    let style = ProgressStyle::with_template(&template).expect("valid").progress_chars("=> ");
    ProgressBar::with_draw_target(Some(steps as u64), target).with_style(style)
}

/// A terminal with room left for the `^C` that it echoes. After a full line, `^C` would wrap, and
/// the wrong line would be cleared.
#[derive(Debug)]
struct Terminal(Term);

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        self.0.size().1.saturating_sub(3)
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The bar of a batch.
pub(super) struct Progress {
    bar: ProgressBar,
    errors: Cell<usize>,
}

impl Progress {
    /// A bar for this many checks.
    pub(super) fn new(checks: usize) -> Self {
        let bar = bar(checks, "{pos}/{len} checks, {elapsed}");
        Progress { bar, errors: Cell::new(0) }
    }

    /// Counts an answered check.
    pub(super) fn answered(&self, answer: &Answer) {
        if answer.status == Status::Error {
            self.errors.set(self.errors.get() + 1);
        }
        self.bar.set_message(match self.errors.get() {
            0 => answer.id.clone(),
            1 => format!("(1 error) {}", answer.id),
            errors => format!("({errors} errors) {}", answer.id),
        });
        self.bar.inc(1);
    }

    /// Prints a message without disturbing the bar.
    pub(super) fn tell(&self, text: &str) {
        self.bar.suspend(|| tell(text));
    }

    /// Removes the bar.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
