//! Signals at random moments.

use std::time::{Duration, SystemTime};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::batch::*;
use crate::call::{Ended, Workspace, wait};
use crate::support::*;
use crate::table::{Fault, Row};

/// Their part of the table.
pub const FAULTS: &[Fault] = &[
    Fault::new("caller", "INT, TERM, HUP and KILL at random moments", "shell", |row| {
        kills(row, 30);
    }),
    Fault::long("caller", "INT, TERM, HUP and KILL at random moments", "shell", |row| {
        kills(row, 1000);
    }),
];

/// xorshift64*: the same moments for the same seed.
pub struct Random(u64);

impl Random {
    /// `HOSTILE_SEED`, or a random seed, which is reported.
    pub fn new() -> (Self, u64) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let given = std::env::var("HOSTILE_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or(u64::from(now.subsec_nanos()) ^ now.as_secs());
        (Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1), seed)
    }

    /// A number below a bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}

const SIGNALS: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGKILL];

fn kills(row: &mut Row, count: usize) {
    let (mut random, seed) = Random::new();
    let real = small_request(&need("gcc"));
    let right = right_for(&real);
    let mut ended_by = 0;
    for _ in 0..count {
        let workspace = Workspace::new();
        // Half of the compilers have children, some of which ignore signals.
        let is_fake = random.below(2) == 0;
        let (request, right) =
            if is_fake { (fake(&workspace), fake_right()) } else { (real.clone(), right.clone()) };
        let format = ["json", "ndjson", "keyval"][random.below(3) as usize];
        let output = workspace.work().join("out");
        let mut call = workspace.check(&["-j3", "--format", format]);
        let to_file = random.below(3) == 0;
        if to_file {
            call.command.arg("--output").arg(&output);
        }
        let signal = SIGNALS[random.below(4) as usize];
        let child = call.start(request.to_string().as_bytes());
        std::thread::sleep(Duration::from_micros(random.below(400_000)));
        crate::processes::signal(&child, signal);
        let mut ended = wait(child, call.bound);
        row.ended(&workspace, &ended);
        if workspace.end_daemons(&workspace.own("pids")) > 0 {
            row.left.push(format!("children of compilers after {signal}, seed {seed}"));
        }
        if to_file {
            ended.stdout = std::fs::read(&output).unwrap_or_default();
            let _ = std::fs::remove_file(&output);
        }
        let beside: Vec<_> = std::fs::read_dir(workspace.work()).unwrap().flatten().collect();
        if !beside.is_empty() {
            row.left.push(format!("{beside:?} after {signal}, seed {seed}"));
        }
        let was_killed =
            ended.signal() == Some(signal as i32) || ended.code() == Some(128 + signal as i32);
        ended_by += usize::from(was_killed);
        if !was_killed && ended.code() != Some(0) {
            row.wrong.push(format!("{signal}, seed {seed}: {ended:?}"));
        }
        if let Err(why) = what_was_said(row, format, &ended, &right, was_killed) {
            row.wrong.push(format!("{signal}, {format}, seed {seed}: {why} in {ended:?}"));
        }
    }
    row.refused = ended_by;
    row.note = format!("seed {seed}; {ended_by} ended by the signal, the others were done");
}

/// A truncated answer does not count; complete answers are right.
fn what_was_said(
    row: &mut Row,
    format: &str,
    ended: &Ended,
    right: &Answers,
    was_killed: bool,
) -> Result<(), String> {
    let text = String::from_utf8_lossy(&ended.stdout);
    let mut seen = 0;
    let mut look = |row: &mut Row, id: &str, answer: (String, Value)| {
        seen += 1;
        match right.get(id) {
            Some(expected) => row.compare_one(id, Some(&answer), expected),
            None => row.wrong.push(format!("{id} was not asked")),
        }
    };
    match format {
        "json" if text.is_empty() => {}
        "json" => match answers(text.as_bytes()) {
            Ok(answers) => answers.into_iter().for_each(|(id, answer)| look(row, &id, answer)),
            // The reader can see that it is incomplete.
            Err(_) if was_killed => return Ok(()),
            Err(why) => return Err(why),
        },
        "ndjson" => {
            for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
                let line: Value = serde_json::from_str(line).map_err(|why| why.to_string())?;
                if let Some(id) = line["id"].as_str() {
                    let status = line["status"].as_str().unwrap_or_default().to_owned();
                    look(row, id, (status, line["value"].clone()));
                }
            }
        }
        _ => seen = text.lines().count(),
    }
    if was_killed || seen >= right.len() { Ok(()) } else { Err(format!("{seen} answers")) }
}

fn fake(workspace: &Workspace) -> Value {
    let pids = format!("--fake-fork={}", workspace.own("pids").display());
    let stray = format!("--fake-stray={}", workspace.own("pids").display());
    let checks: Vec<_> = (0..20)
        .map(|n| {
            let more: &[&str] = match n % 5 {
                0 => &[&pids, "--fake-deaf"],
                1 => &[&stray],
                2 => &[&pids],
                _ => &[],
            };
            json!({"id": format!("N{n}"), "kind": "runs", "source": format!("{n}"), "args": more})
        })
        .collect();
    json!({"toolchains": {"c": {"command": [fakecc()], "args": ["--fake-slow=10"]}}, "checks": checks})
}

fn fake_right() -> Answers {
    let value = json!({"exit_status": 0, "stdout": "hello\n"});
    (0..20).map(|n| (format!("N{n}"), ("yes".into(), value.clone()))).collect()
}
