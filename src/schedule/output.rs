//! Limits how much output the answers report.

/// Limits the size of each reported output, and of all outputs of a run together.
pub(crate) struct OutputBudget {
    left: usize,
}

impl Default for OutputBudget {
    fn default() -> Self {
        OutputBudget { left: 16 << 20 }
    }
}

impl OutputBudget {
    /// The most bytes of one output, and the most once the budget is used up.
    const MAX_BYTES: usize = 64 << 10;
    const MIN_BYTES: usize = 2 << 10;

    /// Cuts an output to its limit. Returns the text, and whether its middle is missing.
    pub(crate) fn cut(&mut self, output: String) -> (String, bool) {
        let allowed = self.left.clamp(Self::MIN_BYTES, Self::MAX_BYTES);
        let (cut, truncated) = without_middle(output, allowed);
        self.left = self.left.saturating_sub(cut.len());
        (cut, truncated)
    }
}

/// A text without its middle, unless it has at most `allowed` bytes. Returns whether it was cut.
fn without_middle(text: String, allowed: usize) -> (String, bool) {
    if text.len() <= allowed {
        return (text, false);
    }
    let head = text.floor_char_boundary(allowed / 2);
    let tail = text.ceil_char_boundary(text.len() - allowed / 2);
    let mark = crate::exec::process::cut_mark(cut_before(&text[head..tail]) + (tail - head) as u64);
    (format!("{}{mark}{}", &text[..head], &text[tail..]), true)
}

/// How many bytes were cut from a text when it was read, less the length of the mark in their
/// place.
fn cut_before(text: &str) -> u64 {
    let count = || -> Option<u64> {
        let (before, _) = text.split_once(crate::exec::process::CUT_MARK)?;
        before.rsplit_once(' ')?.1.parse().ok()
    };
    count()
        .map_or(0, |bytes| bytes.saturating_sub(crate::exec::process::cut_mark(bytes).len() as u64))
}
