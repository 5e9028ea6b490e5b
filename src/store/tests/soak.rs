//! Twenty processes on one store, killed at random.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

use super::*;
use crate::tests::random::Random;

/// Small, so that segments are merged and removed all the time.
const SMALL: u64 = 1 << 20;

/// No file is larger: a process writes what it has once that is more than an eighth of the bound.
const LARGEST: u64 = SMALL / 4;

const PROCESSES: usize = 20;
const QUESTIONS: usize = 400;
const FILES: usize = 25;

/// Names the directory in the processes of the test.
const DIRECTORY: &str = "TRYALL_TEST_SOAK";

/// How long the test takes, in seconds.
const SECONDS: &str = "TRYALL_SOAK_SECONDS";

/// The file that the answer to a question is in. A length as unusual as its contents stands for
/// what a stamp cannot show: two changes between two ticks of the clock.
fn file(dir: &Path, question: usize) -> PathBuf {
    dir.join(format!("{}.h", question % FILES))
}

fn change(dir: &Path, random: &mut Random) {
    let number = random.below(1_000_000);
    let temporary = dir.join(format!("{}-{number}", std::process::id()));
    fs::write(&temporary, format!("{number} {}", "x".repeat(number % 4001))).unwrap();
    fs::rename(temporary, file(dir, random.below(FILES))).unwrap();
}

/// What one process does until it is killed: asks, answers what is not known, and at times changes
/// the world.
fn work(dir: &Path) {
    let mut random = Random::seeded(std::process::id().into());
    let until = Instant::now() + Duration::from_secs(5);
    while Instant::now() < until {
        let mut run = Run::at(&dir.join("store"), SMALL);
        for _ in 0..random.below(60) {
            let question = random.below(QUESTIONS);
            ask(&mut run, &file(dir, question), question as u64);
        }
        run.store.commit();
        assert_eq!(run.store.trouble(), None);
        match random.below(100) {
            0..3 => change(dir, &mut random),
            3 => run.store.trim(SMALL / 2).unwrap(),
            _ => {}
        }
    }
}

fn ask(run: &mut Run, file: &Path, question: u64) {
    let look = |run: &mut Run| run.see(file, Look::Follow);
    let before = look(run);
    let found = run.find(question);
    let contents = fs::read_to_string(file).unwrap();
    if look(run) != before {
        return; // Changed meanwhile: nobody can tell.
    }
    let right = format!("{question} {contents}");
    match found {
        Some(found) => assert_eq!(found, right, "a wrong answer"),
        // What was there when it was read: the file may change before it is kept.
        None => run.keep_seen(question, &right, Seen { sights: vec![before], ..Seen::default() }),
    }
}

#[test]
#[ignore = "part of the next test"]
fn one_process() {
    if let Some(dir) = std::env::var_os(DIRECTORY) {
        work(Path::new(&dir));
    }
}

#[test]
#[ignore = "takes 8 seconds"]
fn processes_are_killed_and_the_store_stays_right() {
    let seconds = std::env::var(SECONDS).map_or(8, |seconds| seconds.parse().unwrap());
    let room = Room::new();
    let dir = room.dir.path();
    let mut random = Random::seeded(seconds);
    for question in 0..FILES {
        fs::write(file(dir, question), format!("first {question}")).unwrap();
    }
    let start = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::tests::soak::one_process", "--ignored"])
            .env(DIRECTORY, dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let mut processes: Vec<Child> = (0..PROCESSES).map(|_| start()).collect();
    let until = Instant::now() + Duration::from_secs(seconds);
    let (mut killed, mut ended, mut most) = (0_usize, 0, 0);
    while Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5 + random.below(60) as u64));
        for process in &mut processes {
            if process.try_wait().unwrap().is_some() {
                ended += 1;
                assert_right(std::mem::replace(process, start()));
            }
        }
        let mut victim = std::mem::replace(&mut processes[random.below(PROCESSES)], start());
        killed += usize::from(victim.kill().is_ok());
        victim.wait().unwrap();
        let (segments, temporary) = while_stopped(&processes, || sizes(&room));
        assert!(segments <= SMALL, "{segments} bytes");
        most = segments.max(most);
        // Beside the bound there is only what is being written, or was by killed processes, and the
        // mark of a merge.
        assert!(temporary.len() <= PROCESSES + killed + 1, "{} temporary files", temporary.len());
        assert!(temporary.iter().all(|bytes| *bytes <= LARGEST), "{temporary:?}");
        make_old(&room, Duration::from_secs(5));
    }
    processes.into_iter().for_each(assert_right);
    let stats = room.run().store.stats();
    println!("{killed} processes killed, {ended} ended, at most {most} bytes, {stats:?}");

    make_old(&room, Duration::ZERO);
    let mut run = room.run_with(SMALL);
    let known = (0..QUESTIONS).filter(|question| run.find(*question as u64).is_some()).count();
    assert!(known > QUESTIONS / 4, "only {known} answers are left");
    for question in 0..QUESTIONS {
        ask(&mut run, &file(dir, question), question as u64);
    }
    run.store.commit();
    run.store.trim(SMALL).unwrap();
    assert_eq!(run.store.trouble(), None);
    assert_eq!(run.store.stats().damaged, 0, "a file appears complete or not at all");
    let (segments, temporary) = sizes(&room);
    assert!(segments <= SMALL && temporary.is_empty(), "{segments} bytes, {temporary:?}");
}

/// Does something while no process of the test writes.
fn while_stopped<T>(processes: &[Child], measure: impl FnOnce() -> T) -> T {
    let pids = || processes.iter().map(|process| Pid::from_raw(process.id().cast_signed()));
    let send = |signal| pids().for_each(|pid| kill(pid, signal).expect("it was not waited for"));
    send(Signal::SIGSTOP);
    let stops = WaitPidFlag::WSTOPPED | WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
    for pid in pids() {
        waitid(Id::Pid(pid), stops).expect("it was not waited for");
    }
    let measured = measure();
    send(Signal::SIGCONT);
    measured
}

/// The bytes of all segments together, and of each temporary file.
fn sizes(room: &Room) -> (u64, Vec<u64>) {
    let (mut segments, mut temporary) = (0, Vec::new());
    for entry in fs::read_dir(room.files()).into_iter().flatten().flatten() {
        let bytes = entry.metadata().unwrap().len();
        match is_temporary(&entry.path()) {
            true => temporary.push(bytes),
            false => segments += bytes,
        }
    }
    (segments, temporary)
}

fn is_temporary(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tmp")
}

/// Makes temporary files an hour older that have reached an age: time passes quickly in this test.
fn make_old(room: &Room, age: Duration) {
    for entry in fs::read_dir(room.files()).into_iter().flatten().flatten() {
        if is_temporary(&entry.path())
            && let Ok(file) = fs::File::options().write(true).open(entry.path())
            && let modified = file.metadata().unwrap().modified().unwrap()
            && modified.elapsed().is_ok_and(|elapsed| elapsed >= age)
        {
            file.set_modified(SystemTime::now() - Duration::from_secs(3700)).unwrap();
        }
    }
}

/// A process that was not killed found no wrong answer.
fn assert_right(process: Child) {
    let ended = process.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
}
