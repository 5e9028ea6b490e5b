//! The table of faults: what was tried, how often, and with what results.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// A fault to inject.
#[derive(Clone, Copy)]
pub struct Fault {
    /// The part of the system that is at fault.
    pub part: &'static str,
    /// The fault's name.
    pub name: &'static str,
    /// The command that runs under it.
    pub door: &'static str,
    /// Whether it takes minutes.
    pub long: bool,
    /// Injects the fault.
    pub make: fn(&mut Row),
}

impl Fault {
    /// A fault that takes seconds.
    pub const fn new(
        part: &'static str,
        name: &'static str,
        door: &'static str,
        make: fn(&mut Row),
    ) -> Self {
        Fault { part, name, door, long: false, make }
    }

    /// A fault for the second command.
    pub const fn long(
        part: &'static str,
        name: &'static str,
        door: &'static str,
        make: fn(&mut Row),
    ) -> Self {
        Fault { part, name, door, long: true, make }
    }
}

/// The results of a fault.
#[derive(Default)]
pub struct Row {
    /// How often it was injected.
    pub times: usize,
    /// Answers that equal those of a run without faults.
    pub right: usize,
    /// Answers that are errors.
    pub error: usize,
    /// Calls that reported that they could not run, or that a signal ended.
    pub refused: usize,
    /// Wrong or missing answers.
    pub wrong: Vec<String>,
    /// Runs that did not end.
    pub hangs: Vec<String>,
    /// Leftovers.
    pub left: Vec<String>,
    /// Remarks.
    pub note: String,
    /// Why the fault could not be injected.
    impossible: Option<String>,
    seconds: f64,
}

impl Row {
    fn of(fault: &Fault) -> Self {
        let mut row = Row::default();
        let started = Instant::now();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (fault.make)(&mut row))) {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).into()));
            row.impossible = Some(text.unwrap_or_default());
        }
        row.seconds = started.elapsed().as_secs_f64();
        if row.times == 0 && row.impossible.is_none() {
            row.impossible = Some("nothing was run".into());
        }
        row
    }

    fn holds(&self) -> bool {
        self.impossible.is_none()
            && self.wrong.is_empty()
            && self.hangs.is_empty()
            && self.left.is_empty()
    }
}

/// Injects the faults, as many at once as two cores can take: some of them only wait.
pub fn run(faults: &[Fault]) -> ExitCode {
    let next = AtomicUsize::new(0);
    let rows: Vec<_> = faults.iter().map(|_| Mutex::new(None)).collect();
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..4.min(faults.len()) {
            scope.spawn(|| {
                while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let at = faults.iter().position(|other| std::ptr::eq(other, fault)).unwrap();
                    *rows[at].lock().unwrap() = Some(Row::of(fault));
                }
            });
        }
    });
    let rows: Vec<_> = rows.into_iter().map(|row| row.into_inner().unwrap().unwrap()).collect();
    print(faults, &rows);
    println!("in {:.0} s", started.elapsed().as_secs_f64());
    let all_hold = rows.iter().all(Row::holds);
    if all_hold { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print(faults: &[Fault], rows: &[Row]) {
    println!(
        "\n| fault | run | times | right | error | refused | wrong | hangs | left | s | note |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for (fault, row) in std::iter::zip(faults, rows) {
        let Row { times, right, error, refused, wrong, hangs, left, note, seconds, .. } = row;
        let (wrong, hangs, left) = (wrong.len(), hangs.len(), left.len());
        println!(
            "| {}: {} | {} | {times} | {right} | {error} | {refused} | {wrong} | {hangs} | {left} | {seconds:.1} | {note} |",
            fault.part, fault.name, fault.door
        );
    }
    let sum = |count: fn(&Row) -> usize| rows.iter().map(count).sum::<usize>();
    println!(
        "\n{} faults, tried {} times: {} right answers, {} errors, {} refusals; wrong answers {}, hangs {}, leftovers {}",
        faults.len(),
        sum(|row| row.times),
        sum(|row| row.right),
        sum(|row| row.error),
        sum(|row| row.refused),
        sum(|row| row.wrong.len()),
        sum(|row| row.hangs.len()),
        sum(|row| row.left.len()),
    );
    for (fault, row) in std::iter::zip(faults, rows).filter(|(_, row)| !row.holds()) {
        let name = format!("{}: {}", fault.part, fault.name);
        let told = |what: &str, all: &[String]| {
            for one in all.iter().take(10) {
                println!("{name}: {what}: {one}");
            }
        };
        told("WRONG", &row.wrong);
        told("HANG", &row.hangs);
        told("LEFT", &row.left);
        told("CANNOT BE SET UP", row.impossible.as_slice());
    }
}
