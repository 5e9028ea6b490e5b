//! Runs one command to its end, with a time limit and a bound on the output that is kept.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::exec::trace::Span;
use crate::os::{self, Group, Pipes, Reaper, Start};

/// The time between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_millis(500);

/// How long output is still read after a command has ended while other processes hold its pipes
/// open, for example the `tee` of a shell script that does not wait for it. A process that holds
/// them longer and is idle is a daemon, and has nothing more to say about this check.
const LINGER: Duration = Duration::from_millis(200);

/// How long to wait for a process after SIGKILL before giving up on it.
const KILL_WAIT: Duration = Duration::from_secs(5);

/// How often a start that failed for lack of descriptors or processes is retried, and the pause
/// before the first retry. The pauses double: 2 s in all.
const START_RETRIES: u32 = 11;
const START_PAUSE: Duration = Duration::from_millis(1);

/// How many bytes to keep of the start, and of the end, of the output about one source.
const KEPT_AT_EACH_END: usize = 512 << 10;

/// The most sources for which the limit on the output grows.
const MAX_SOURCES: usize = 16;

/// How a command ended.
#[derive(Debug)]
pub(crate) enum Exit {
    /// By itself, with this exit status.
    Code(i32),
    /// By a signal.
    Signal(i32),
    /// By its time limit.
    TimedOut,
    /// Not at all: it could not be started.
    NotStarted(io::Error),
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// How it ended.
    pub exit: Exit,
    /// Its standard output, including standard error if the output mode is merged.
    pub stdout: Captured,
    /// Its standard error, unless it is part of `stdout`.
    pub stderr: Captured,
}

/// What all commands of a run cost.
#[derive(Debug, Default)]
pub(crate) struct Cost {
    /// How many were started.
    pub processes: Cell<u64>,
    /// Their CPU time.
    pub cpu: Cell<Duration>,
}

/// Runs all commands of a batch.
#[derive(Debug)]
pub(crate) struct Runner {
    reaper: Option<Rc<Reaper>>,
    stopping: watch::Sender<bool>,
    /// The cost so far.
    pub cost: Cost,
    /// When each command ran, if that is recorded.
    spans: Option<RefCell<Vec<Span>>>,
}

impl Runner {
    /// A runner whose commands are killed by this reaper if this program is killed.
    pub(crate) fn new(reaper: Option<Rc<Reaper>>) -> Self {
        let (stopping, _) = watch::channel(false);
        Runner { reaper, stopping, cost: Cost::default(), spans: None }
    }

    /// A runner that also records when each command runs.
    pub(crate) fn recording(mut self) -> Self {
        self.spans = Some(RefCell::default());
        self
    }

    /// When each command ran; empty unless recorded.
    pub(crate) fn recorded(&self) -> Vec<Span> {
        self.spans.as_ref().map(RefCell::take).unwrap_or_default()
    }

    fn record(&self, argv: &[OsString], start: SystemTime) {
        let Some(spans) = &self.spans else { return };
        let seconds = |time: SystemTime| {
            time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
        };
        let words: Vec<_> = argv.iter().map(|word| word.to_string_lossy()).collect();
        let (start, end) = (seconds(start), seconds(SystemTime::now()));
        spans.borrow_mut().push(Span { row: "tryall".into(), id: words.join(" "), start, end });
    }

    /// Stops all running commands, as if their time limits had expired.
    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Whether [`Runner::stop`] was called.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Runs a command to its end or until the deadline.
    pub(crate) async fn run(&self, start: Start<'_>, deadline: Instant) -> Finished {
        self.run_over(1, start, deadline).await
    }

    /// Runs a command that compiles several sources. The limit on its output is that of one source
    /// times the number of sources.
    pub(crate) async fn run_over(
        &self,
        sources: usize,
        start: Start<'_>,
        deadline: Instant,
    ) -> Finished {
        let (argv, begin) = (start.argv, SystemTime::now());
        let (mut group, mut pipes) = match self.start(start, deadline).await {
            Ok(started) => started,
            Err(error) => return Finished::without_output(Exit::NotStarted(error)),
        };
        self.cost.processes.set(self.cost.processes.get() + 1);

        let mut stdout = Captured::of(sources);
        let mut stderr = Captured::of(sources);
        let mut reader = Reader::new(async {
            match &mut pipes.stderr {
                Some(pipe) => {
                    tokio::join!(drain(&mut pipes.stdout, &mut stdout), drain(pipe, &mut stderr));
                }
                None => drain(&mut pipes.stdout, &mut stdout).await,
            }
        });

        let mut stopping = self.stopping.subscribe();
        let in_time = tokio::select! {
            biased;
            () = reader.read_during(group.leader_exited()) => true,
            // If this program was stopped or not scheduled until now, the command may have ended
            // meanwhile. Then assume that it ended in time.
            () = sleep_until(deadline) => group.has_exited(),
            _ = stopping.wait_for(|stopping| *stopping) => false,
        };
        let is_gone = in_time || end(&mut group, &mut reader).await;
        if !in_time {
            os::kill_strays(start.check_dir);
        }
        if !is_gone {
            group.abandon();
            drop(reader);
            return Finished { exit: Exit::TimedOut, stdout, stderr };
        }
        let is_held = self.pipes_are_held(&mut reader, start, deadline).await;
        let ended = group.reap();
        if is_held {
            // The process that holds the pipes has left the group.
            os::kill_strays(start.check_dir);
        }
        // Everything that the group wrote before it died is already in the pipes.
        let _ = timeout(Duration::from_millis(1), reader.finish()).await;
        drop(reader);

        self.cost.cpu.set(self.cost.cpu.get() + ended.cpu);
        self.record(argv, begin);
        let exit = match ended.status {
            _ if !in_time => Exit::TimedOut,
            Ok(code) => Exit::Code(code),
            Err(signal) => Exit::Signal(signal),
        };
        Finished { exit, stdout, stderr }
    }

    /// Reads the rest of a command's output after its leader has ended. Returns whether another
    /// process still holds the pipes open.
    async fn pipes_are_held(
        &self,
        reader: &mut Reader<impl Future<Output = ()>>,
        start: Start<'_>,
        deadline: Instant,
    ) -> bool {
        loop {
            if timeout(LINGER, reader.finish()).await.is_ok() {
                return false;
            }
            // On a busy machine, the process that holds the pipes may not have been scheduled yet.
            if Instant::now() >= deadline || self.is_stopping() || !os::is_busy(start.check_dir) {
                return true;
            }
        }
    }

    /// Starts a command, and retries while a resource is short that other processes may release.
    async fn start(&self, start: Start<'_>, deadline: Instant) -> io::Result<(Group, Pipes)> {
        let mut stopping = self.stopping.subscribe();
        for retry in 0..START_RETRIES {
            let error = match os::start(start, self.reaper.as_ref()) {
                Err(error) if os::is_short_of_resources(&error) => error,
                started => return started,
            };
            let retry_at = Instant::now() + START_PAUSE * 2u32.pow(retry);
            let stopped = timeout_at(retry_at.min(deadline), stopping.wait_for(|is| *is)).await;
            if stopped.is_ok() || retry_at >= deadline {
                return Err(error);
            }
        }
        os::start(start, self.reaper.as_ref())
    }
}

/// Ends a group whose time is up. Returns whether its leader is gone.
async fn end(group: &mut Group, reader: &mut Reader<impl Future<Output = ()>>) -> bool {
    group.terminate();
    if timeout(GRACE, reader.read_during(group.leader_exited())).await.is_ok() {
        return true;
    }
    group.kill();
    timeout(KILL_WAIT, group.leader_exited()).await.is_ok()
}

/// Reads a command's output while this program waits for something else. Otherwise a full pipe
/// would block the command.
struct Reader<F> {
    reading: Pin<Box<F>>,
    done: bool,
}

impl<F: Future<Output = ()>> Reader<F> {
    fn new(reading: F) -> Self {
        Reader { reading: Box::pin(reading), done: false }
    }

    /// Reads until all writers have closed the pipe.
    async fn finish(&mut self) {
        if !self.done {
            self.reading.as_mut().await;
            self.done = true;
        }
    }

    /// Reads until `other` completes.
    async fn read_during<T>(&mut self, other: impl Future<Output = T>) -> T {
        tokio::pin!(other);
        loop {
            tokio::select! {
                biased;
                value = &mut other => return value,
                () = self.finish(), if !self.done => {}
            }
        }
    }
}

/// Reads a pipe until its end.
async fn drain(pipe: &mut (impl AsyncRead + Unpin), into: &mut Captured) {
    let mut buffer = vec![0; 16 << 10];
    // Treat a read error as the end of the pipe.
    while let Ok(1..) = pipe.read(&mut buffer).await.inspect(|&read| into.push(&buffer[..read])) {}
}

impl Finished {
    fn without_output(exit: Exit) -> Self {
        Finished { exit, stdout: Captured::of(1), stderr: Captured::of(1) }
    }
}

/// The output of a command. If it is long, its middle is dropped.
#[derive(Debug)]
pub(crate) struct Captured {
    kept_at_each_end: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    dropped: u64,
}

impl Captured {
    /// Empty output, with the limit for this many sources.
    fn of(sources: usize) -> Self {
        let kept_at_each_end = KEPT_AT_EACH_END * sources.clamp(1, MAX_SOURCES);
        Captured { kept_at_each_end, head: Vec::new(), tail: VecDeque::new(), dropped: 0 }
    }

    fn push(&mut self, bytes: &[u8]) {
        let to_head = bytes.len().min(self.kept_at_each_end - self.head.len());
        let (head, rest) = bytes.split_at(to_head);
        self.head.extend_from_slice(head);
        self.tail.extend(rest);
        let excess = self.tail.len().saturating_sub(self.kept_at_each_end);
        self.tail.drain(..excess);
        self.dropped += excess as u64;
    }

    /// Whether the middle was dropped.
    pub(crate) fn is_cut(&self) -> bool {
        self.dropped > 0
    }

    /// All of the output, unless it was cut.
    pub(crate) fn whole(&self) -> Option<Vec<u8>> {
        (self.dropped == 0).then(|| self.head.iter().chain(&self.tail).copied().collect())
    }

    /// The output as text. Replaces invalid UTF-8, and marks the place of a dropped middle.
    pub(crate) fn text(&self) -> String {
        let tail = Vec::from_iter(self.tail.iter().copied());
        if self.dropped == 0 {
            return String::from_utf8_lossy(&[self.head.as_slice(), &tail].concat()).into_owned();
        }
        let (head, tail) = (String::from_utf8_lossy(&self.head), String::from_utf8_lossy(&tail));
        format!("{head}{}{tail}", cut_mark(self.dropped))
    }
}

/// The end of the mark that replaces dropped output.
pub(crate) const CUT_MARK: &str = " bytes cut ...]\n";

/// The mark that replaces this many dropped bytes of output.
pub(crate) fn cut_mark(bytes: u64) -> String {
    format!("\n[... {bytes}{CUT_MARK}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_both_ends_of_a_flood() {
        let mut captured = Captured::of(1);
        for piece in 0..300 {
            captured.push(&[b'a' + (piece % 26) as u8; 10_000]);
        }
        let kept = captured.text();
        assert!(captured.is_cut());
        assert!(kept.starts_with("aaa") && kept.ends_with(char::from(b'a' + (299 % 26) as u8)));
        let dropped = 3_000_000 - 2 * KEPT_AT_EACH_END;
        assert!(kept.contains(&format!("[... {dropped} bytes cut ...]")));
    }

    #[test]
    fn keeps_as_much_of_each_source_as_of_one_alone() {
        let mut captured = Captured::of(3);
        captured.push(&vec![b'a'; 3 * 2 * KEPT_AT_EACH_END]);
        assert!(!captured.is_cut());
        captured.push(b"b");
        assert!(captured.is_cut());
    }

    #[test]
    fn keeps_all_of_what_is_short() {
        let mut captured = Captured::of(1);
        captured.push(b"one ");
        captured.push(b"two\xff");
        assert_eq!((captured.text().as_str(), captured.is_cut()), ("one two\u{fffd}", false));
    }
}
