//! What people see, on standard error: messages, and a progress bar where a terminal is.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write, stderr};

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use crate::protocol::response::{Answer, Status};

/// Tells people something, under the program's name. `eprintln!` would end the program where
/// nobody reads standard error.
pub fn tell(text: &str) {
    let _ = writeln!(stderr(), "tryall: {text}");
}

/// How often a bar is drawn in a second at most.
const REFRESH_RATE: u8 = 20;

/// Columns for the bar and the counts, and for the counts alone.
const WIDE: u16 = 56;
const NARROW: u16 = 28;

/// A bar of so many steps, hidden unless standard error is a terminal. These counts stand behind it,
/// and as much of the message as there is room for: a line that is longer than the terminal is wide
/// wraps, and a part of it stays there.
pub fn bar(steps: usize, counts: &str) -> ProgressBar {
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

/// A terminal with room left for the `^C` that it shows itself: behind a full line that would begin
/// another one, which is then cleared in place of the bar.
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
pub struct Progress {
    bar: ProgressBar,
    errors: Cell<usize>,
}

impl Progress {
    /// A bar for this many checks, hidden unless standard error is a terminal.
    pub fn new(checks: usize) -> Self {
        let bar = bar(checks, "{pos}/{len} checks, {elapsed}");
        Progress { bar, errors: Cell::new(0) }
    }

    /// One check more is answered.
    pub fn answered(&self, answer: &Answer) {
        if answer.status == Status::Error {
            self.errors.set(self.errors.get() + 1);
        }
        self.bar.set_message(match self.errors.get() {
            0 => answer.id.clone(),
            errors => format!("({errors} in error) {}", answer.id),
        });
        self.bar.inc(1);
    }

    /// Tells people something without tearing the bar.
    pub fn tell(&self, text: &str) {
        self.bar.suspend(|| tell(text));
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
