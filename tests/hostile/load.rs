//! Twenty concurrent batches under a limit on processes.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::batch::*;
use crate::call::Workspace;
use crate::sandbox::Cgroup;
use crate::support::*;
use crate::table::{Fault, Row};

/// Their part of the table.
pub const FAULTS: &[Fault] = &[
    Fault::new("load", "20 batches at once, 4 s, at most 130 processes", "shell", |row| {
        load(row, Duration::from_secs(4));
    }),
    Fault::long("load", "20 batches at once, 5 minutes, at most 130 processes", "shell", |row| {
        load(row, Duration::from_secs(300));
    }),
];

/// Twenty times the program, its reaper, and two compilers of four processes each exceed the limit.
const PROCESSES: u64 = 130;

/// Each batch has different checks, to detect mixed-up answers.
fn numbered(number: u64) -> (Value, Answers) {
    let mut request = small_request(&need("gcc"));
    let checks = request["checks"].as_array_mut().unwrap();
    for check in checks.iter_mut() {
        let prefix = check["prefix"].as_str().unwrap();
        check["prefix"] = json!(format!("{prefix}/* {number} */\n"));
    }
    checks.push(
        json!({"id": "NUMBER", "kind": "compute_int", "expression": format!("{number} + 1")}),
    );
    let source =
        format!("#include <stdio.h>\nint main(void) {{ printf(\"{number}\"); return 0; }}\n");
    checks.push(json!({"id": "SAYS", "kind": "runs", "source": source}));
    let ids: Vec<_> = checks.iter().map(|check| check["id"].as_str().unwrap()).collect();
    let known = right().iter().filter(|(id, _)| ids.contains(&id.as_str()));
    let mut right: Answers = known.map(|(id, answer)| (id.clone(), answer.clone())).collect();
    right.insert("NUMBER".into(), ("yes".into(), json!(number + 1)));
    let says = json!({"exit_status": 0, "stdout": number.to_string()});
    right.insert("SAYS".into(), ("yes".into(), says));
    (request, right)
}

fn load(row: &mut Row, time: Duration) {
    // Get the right answers without the limit.
    right();
    let limits = [("pids", "pids.max", "pids.max", PROCESSES)];
    let group = Cgroup::new(&limits).unwrap_or_else(|why| panic!("run this as root: {why}"));
    let (next, processes, memory) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let done = AtomicBool::new(false);
    let end = Instant::now() + time;
    let rows: Vec<Row> = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                processes
                    .fetch_max(group.read("pids.current").unwrap_or_default(), Ordering::Relaxed);
                let own: u64 =
                    tools(&group).into_iter().map(crate::input::high_water).max().unwrap_or(0);
                memory.fetch_max(own, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        let workers: Vec<_> = (0..20)
            .map(|worker| {
                let (group, next) = (&group, &next);
                scope.spawn(move || {
                    let mut row = Row::default();
                    while Instant::now() < end {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let (request, right) = numbered(number);
                        let workspace = Workspace::new();
                        let args: &[&str] =
                            if worker % 2 == 0 { &["-j2"] } else { &["-j2", "--no-fuse"] };
                        let mut call = workspace.check(args);
                        group.hold(&mut call.command);
                        let ended = call.ask(&request);
                        row.look(&workspace, &ended, &right);
                    }
                    row
                })
            })
            .collect();
        let rows = workers.into_iter().map(|worker| worker.join().unwrap()).collect();
        done.store(true, Ordering::Relaxed);
        rows
    });
    for one in rows {
        row.times += one.times;
        row.right += one.right;
        row.error += one.error;
        row.refused += one.refused;
        row.wrong.extend(one.wrong);
        row.hangs.extend(one.hangs);
        row.left.extend(one.left);
    }
    row.note = format!(
        "pids.max of a control group; at most {} processes, {} MB in one tryall",
        processes.into_inner(),
        memory.into_inner() >> 10,
    );
}

/// The running tryall processes of a group.
fn tools(group: &Cgroup) -> Vec<u32> {
    let file = group.file("cgroup.procs");
    let text = fs::read_to_string(file).unwrap_or_default();
    let is_tool = |pid: &u32| {
        fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|program| program.as_os_str() == TRYALL)
    };
    text.lines().filter_map(|line| line.parse().ok()).filter(is_tool).collect()
}
