//! Runs commands, measures what they use, and prints figures with their limits.

use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The program.
pub const TRYALL: &str = env!("CARGO_BIN_EXE_tryall");

/// The resources that a finished command used.
#[derive(Clone, Copy, Default)]
pub struct Used {
    /// The time that passed.
    pub wall: Duration,
    /// CPU time of the command and of all children that it waited for.
    pub cpu: Duration,
    /// Memory of the largest of these processes, in KiB.
    pub memory: i64,
}

/// Runs a command and returns its resource usage.
#[allow(clippy::zombie_processes, reason = "wait4 waits for it")]
pub fn run(command: &mut Command) -> (Used, String) {
    let started = Instant::now();
    let mut child = command.spawn().expect("the command starts");
    let output =
        child.stdout.take().map(|out| io::read_to_string(out).expect("UTF-8")).unwrap_or_default();
    let mut status = 0;
    // SAFETY: all zeros is a valid rusage.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    let pid = i32::try_from(child.id()).expect("process ids are positive");
    // SAFETY: both pointers point to live variables. No other code waits for this child.
    assert_eq!(unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) }, pid);
    let time = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    let cpu = time(usage.ru_utime) + time(usage.ru_stime);
    (Used { wall: started.elapsed(), cpu, memory: usage.ru_maxrss }, output)
}

/// Runs tryall with more environment variables. Returns what it used, and its response.
pub fn tryall(args: &[&str], env: &[(&str, &str)]) -> (Used, Value) {
    let (used, output) = run(Command::new(TRYALL)
        .args(args)
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null()));
    (used, serde_json::from_str(&output).unwrap_or(Value::Null))
}

/// Prints median, minimum and maximum. Returns whether the median is within the limit.
pub fn report(what: &str, values: &mut [f64], most: Option<f64>, unit: &str) -> bool {
    values.sort_by(f64::total_cmp);
    let (least, median, largest) = (values[0], values[values.len() / 2], values[values.len() - 1]);
    let good = most.is_none_or(|most| median <= most);
    let verdict = match most {
        None => String::new(),
        Some(most) => format!("  at most {most}{unit}: {}", if good { "met" } else { "MISSED" }),
    };
    println!("{what}: {median:.2}{unit} ({least:.2} to {largest:.2}){verdict}");
    good
}
