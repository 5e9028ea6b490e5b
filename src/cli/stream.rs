//! Writes results while the batch runs.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::os;

/// Writes lines on a separate thread, so that a slow or stuck reader does not block the batch.
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
            // The receiver may be gone.
            let _ = ended.send(queue.into_iter().try_for_each(&mut write_line));
        };
        thread::Builder::new().name("results".into()).spawn(write)?;
        Ok(Stream { lines, end })
    }

    /// Queues a line without blocking.
    pub(super) fn send(&self, line: Vec<u8>) {
        // The thread ends after a failure; `failure` reports it.
        let _ = self.lines.send(line);
    }

    /// The error that ended the thread, if any; returned once.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.end.try_recv().ok()?.err()
    }

    /// Waits until every line is written.
    pub(super) fn finish(self) -> io::Result<()> {
        drop(self.lines);
        self.end.recv().expect("the thread reports how it ended")
    }

    /// Waits until every line is written, but no longer than `time`.
    pub(super) fn finish_within(self, time: Duration) {
        drop(self.lines);
        let _ = self.end.recv_timeout(time);
    }
}
