//! The progress bar in terminals of several widths: it stays on one line and is removed completely.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::processes::*;
use crate::support::*;
use serde_json::{Value, json};

/// Emulates a terminal of this width and returns the lines that it shows. Supports what a progress
/// bar needs: wrapping, carriage returns, line feeds, moving up and down, and clearing a line.
fn screen(written: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<Vec<char>> = vec![Vec::new()];
    let (mut line, mut column) = (0usize, 0usize);
    let mut chars = written.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => column = 0,
            '\n' => line += 1,
            '\x1b' => {
                assert_eq!(chars.next(), Some('['), "{written:?}");
                let mut number = String::new();
                while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                    number.push(digit);
                }
                let count = number.parse().unwrap_or(1);
                match chars.next() {
                    Some('A') => line = line.saturating_sub(count),
                    Some('B') => line += count,
                    Some('K') if count == 2 => lines[line].clear(),
                    other => panic!("{other:?} in {written:?}"),
                }
            }
            c if c.is_control() => {}
            c => {
                let width = console::measure_text_width(&c.to_string());
                if column + width > columns {
                    (line, column) = (line + 1, 0);
                }
                while lines.len() <= line {
                    lines.push(Vec::new());
                }
                let text = &mut lines[line];
                text.resize(text.len().max(column + width), ' ');
                text[column..column + width].fill('\0');
                if width > 0 {
                    text[column] = c;
                }
                column += width;
            }
        }
        while lines.len() <= line {
            lines.push(Vec::new());
        }
    }
    let shown = |line: Vec<char>| line.into_iter().collect::<String>().trim_end().to_string();
    lines.into_iter().map(shown).filter(|line| !line.is_empty()).collect()
}

/// Checks with these ids, with a compiler that takes some time and writes a log.
fn request(id: &str, log: &Path) -> Value {
    let checks: Vec<_> = (0..6)
        .map(|n| json!({"id": format!("{id}{n}"), "kind": "compiles", "source": n.to_string()}))
        .collect();
    let args = [format!("--fake-log={}", log.display()), "--fake-slow=100".into()];
    json!({"jobs": 1, "toolchains": {"c": {"command": [fakecc()], "args": args}}, "checks": checks})
}

/// The output to a terminal of this width. Presses Ctrl-C after this many compilers have started,
/// if given.
fn on_terminal(id: &str, columns: usize, interrupt_at: Option<usize>) -> String {
    need("script");
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    write(dir.path(), "request.json", &request(id, &log).to_string());
    let script = format!(
        "stty cols {columns} rows 24; exec '{TRYALL}' check request.json --no-fuse > results"
    );
    let mut child = Command::new("script")
        .args(["-qec", &script, "/dev/null"])
        .env("TERM", "xterm")
        .env("TMPDIR", dir.path())
        .current_dir(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut terminal = child.stdin.take().unwrap();
    if let Some(count) = interrupt_at {
        assert!(comes_true(|| starts(&log) >= count));
        terminal.write_all(b"\x03").unwrap();
    }
    let mut written = String::new();
    child.stdout.take().unwrap().read_to_string(&mut written).unwrap();
    child.wait().unwrap();
    written
}

const IDS: [&str; 4] = [
    "HAVE_A",
    "HAVE_A_VERY_LONG_NAME_OF_WHICH_ONLY_THE_BEGINNING_FITS_INTO_ANY_TERMINAL_THAT_PEOPLE_USE_",
    "検査検査検査検査検査検査検査検査検査検査検査検査検査検査検査",
    "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}",
];

#[test]
fn the_bar_is_removed_for_all_names_and_widths() {
    for id in IDS {
        for columns in [10, 30, 59, 60, 80, 200] {
            let written = on_terminal(id, columns, None);
            assert!(written.contains("\r\u{1b}[2K"), "no bar: {written:?}");
            assert!(!written.contains('\n') && !written.contains("\u{1b}[1A"), "{written:?}");
            assert_eq!(screen(&written, columns), [""; 0], "{columns} {written:?}");
        }
    }
}

#[test]
fn the_bar_is_removed_on_interrupt() {
    for (id, columns) in [(IDS[0], 80), (IDS[1], 80), (IDS[2], 70), (IDS[1], 40)] {
        let written = on_terminal(id, columns, Some(4));
        assert!(written.contains("^C"), "{written:?}");
        let shown = screen(&written, columns);
        // The terminal may have echoed it where there was no bar.
        let is_left = shown.iter().any(|line| line != "^C");
        assert!(!is_left, "{columns} {shown:?} {written:?}");
    }
}
