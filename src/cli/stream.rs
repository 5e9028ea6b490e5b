//! Results that are written while the batch runs.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::os;

/// Lines on their way to the reader. A thread of its own writes them, so that a reader who is
/// slow, or stuck, stops nobody else.
pub(super) struct Stream {
    lines: Sender<Vec<u8>>,
    end: Receiver<io::Result<()>>,
}

impl Stream {
    /// Starts the thread.
    pub(super) fn start(mut out: impl Write + Send + 'static) -> io::Result<Self> {
        let (lines, queue) = channel::<Vec<u8>>();
        let (ended, end) = channel();
        let write = move || {
            os::leave_signals_to_others();
            let mut write_line = |line: Vec<u8>| out.write_all(&line).and_then(|()| out.flush());
            // Nobody may be left who wants to know.
            let _ = ended.send(queue.into_iter().try_for_each(&mut write_line));
        };
        thread::Builder::new().name("results".into()).spawn(write)?;
        Ok(Stream { lines, end })
    }

    /// Sends a line, and waits for nothing.
    pub(super) fn send(&self, line: Vec<u8>) {
        // After a failure nobody takes it.
        let _ = self.lines.send(line);
    }

    /// Why lines could not be written. It is told once.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.end.try_recv().ok()?.err()
    }

    /// Waits until every line is written.
    pub(super) fn finish(self) -> io::Result<()> {
        drop(self.lines);
        self.end.recv().expect("the thread tells how it ended")
    }

    /// Waits until every line is written, or for this long.
    pub(super) fn finish_within(self, time: Duration) {
        drop(self.lines);
        let _ = self.end.recv_timeout(time);
    }
}
