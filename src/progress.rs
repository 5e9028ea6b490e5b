//! What people see, on standard error: messages, and a progress bar where a terminal is.

use std::cell::Cell;
use std::io::{IsTerminal, Write, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::response::{Answer, Status};

/// Tells people something, under the program's name. `eprintln!` would end the program where
/// nobody reads standard error.
pub fn tell(text: &str) {
    let _ = writeln!(stderr(), "tryall: {text}");
}

/// A bar of so many steps, hidden unless standard error is a terminal.
pub fn bar(steps: usize, template: &str) -> ProgressBar {
    let target = if stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let style = ProgressStyle::with_template(template).expect("valid").progress_chars("=> ");
    ProgressBar::with_draw_target(Some(steps as u64), target).with_style(style)
}

/// The bar of a batch.
pub struct Progress {
    bar: ProgressBar,
    errors: Cell<usize>,
}

impl Progress {
    /// A bar for this many checks, hidden unless standard error is a terminal.
    pub fn new(checks: usize) -> Self {
        let bar = bar(checks, "{spinner} [{bar:40}] {pos}/{len} checks, {elapsed}  {msg}");
        Progress { bar, errors: Cell::new(0) }
    }

    /// One check more is answered.
    pub fn answered(&self, answer: &Answer) {
        if answer.status == Status::Error {
            self.errors.set(self.errors.get() + 1);
        }
        self.bar.set_message(match self.errors.get() {
            0 => answer.id.clone(),
            errors => format!("{} ({errors} in error)", answer.id),
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
