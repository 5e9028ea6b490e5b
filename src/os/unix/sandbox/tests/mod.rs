//! Whether nothing happens outside the sandbox, and everything inside. The programs in the sandbox
//! are shells, CMake, git, and this test program itself, which is started again for that.

mod acts;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use landlock::ABI;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;

use super::super::{Group, OutputMode, Pipes, Reaper, Start};
use super::{Sandbox, files};
use acts::{Act, Targets};

/// Versions that differ in what the filter has to cover. A kernel treats rights that a program does
/// not know of as older kernels do, so these are tested on a new one.
fn versions() -> impl Iterator<Item = ABI> {
    let version = files::landlock_version().unwrap_or(ABI::Unsupported);
    [ABI::V1, ABI::V2, ABI::V3, ABI::V6].into_iter().filter(move |tested| *tested <= version)
}

/// The newest of them; `None` if there is no sandbox here, and so nothing to test.
fn newest() -> Option<ABI> {
    versions().last()
}

const THIS: &str = "os::unix::sandbox::tests::acts_when_asked";

struct Scene {
    outside: TempDir,
    scratch: TempDir,
}

struct Ran {
    status: Result<i32, i32>,
    output: String,
}

impl Scene {
    fn new() -> Self {
        let scene =
            Scene { outside: tempfile::tempdir().unwrap(), scratch: tempfile::tempdir().unwrap() };
        fs::write(scene.outside().join("file"), "as it was").unwrap();
        fs::create_dir(scene.outside().join("empty")).unwrap();
        scene
    }

    fn outside(&self) -> &Path {
        self.outside.path()
    }

    fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    fn targets(&self, victim: libc::pid_t) -> Targets {
        Targets { outside: self.outside().into(), scratch: self.scratch().into(), victim }
    }

    /// The environment of the commands: that of the test, and where things are.
    fn env(&self, more: &[(&str, String)]) -> Vec<(OsString, OsString)> {
        let place = |name: &str, path: &Path| (name.into(), path.into());
        let more = more.iter().map(|(name, value)| (name.into(), value.into()));
        std::env::vars_os()
            .chain([place("OUTSIDE", self.outside()), place("SCRATCH", self.scratch())])
            .chain(more)
            .collect()
    }

    fn start(&self, version: ABI, argv: &[&str], env: &[(&str, String)]) -> (Group, Pipes) {
        self.try_start(version, argv, env, None).unwrap()
    }

    fn try_start(
        &self,
        version: ABI,
        argv: &[&str],
        env: &[(&str, String)],
        reaper: Option<&Rc<Reaper>>,
    ) -> io::Result<(Group, Pipes)> {
        let (memory, file_size) = (MEMORY, FILE_SIZE);
        let sandbox = Sandbox { writable: self.scratch(), memory, file_size };
        let program = which::which(argv[0]).unwrap();
        let start = Start {
            program: &program,
            argv: &argv.iter().map(Into::into).collect::<Vec<_>>(),
            env: &self.env(env),
            dir: self.scratch(),
            check_dir: self.scratch(),
            mode: OutputMode::Merged,
        };
        sandbox.start_with(version, start, reaper)
    }

    fn run(&self, version: ABI, argv: &[&str], env: &[(&str, String)]) -> Ran {
        in_runtime(async {
            let (mut group, mut pipes) = self.start(version, argv, env);
            group.leader_exited().await;
            let status = group.reap().status;
            let mut output = Vec::new();
            // Everything that held the pipe is gone, or this never ends.
            pipes.stdout.read_to_end(&mut output).await.unwrap();
            Ran { status, output: String::from_utf8_lossy(&output).into() }
        })
    }

    fn sh(&self, version: ABI, script: &str) -> Ran {
        self.run(version, &["sh", "-c", script], &[])
    }

    /// Does acts in the sandbox. Returns the names of those that did not fail.
    fn act(&self, version: ABI, acts: &[Act], victim: libc::pid_t) -> Vec<String> {
        let this = std::env::current_exe().unwrap();
        let argv = [this.to_str().unwrap(), "--ignored", "--nocapture", "--exact", THIS];
        let kinds = [acts::FILES, acts::SIGNALS, acts::PROCESSES, acts::REFUSED];
        let kind = kinds.iter().position(|kind| std::ptr::eq(*kind, acts)).unwrap();
        let env = [("ACT", kind.to_string()), ("VICTIM", victim.to_string())];
        let ran = self.run(version, &argv, &env);
        assert_eq!(ran.output.matches("act: ").count(), acts.len(), "{}", ran.output);
        let done = ran.output.lines().filter_map(|line| line.strip_prefix("act: done: "));
        done.map(Into::into).collect()
    }
}

const MEMORY: u64 = 2 << 30;
const FILE_SIZE: u64 = 8 << 20;

fn in_runtime<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(120), future).await.expect("ends in time")
    })
}

/// This is what runs in the sandbox.
#[test]
#[ignore = "started by other tests"]
fn acts_when_asked() {
    let Ok(kind) = std::env::var("ACT") else { return };
    let path = |name| PathBuf::from(std::env::var_os(name).unwrap());
    let victim = std::env::var("VICTIM").unwrap().parse().unwrap();
    let targets = Targets { outside: path("OUTSIDE"), scratch: path("SCRATCH"), victim };
    let kinds = [acts::FILES, acts::SIGNALS, acts::PROCESSES, acts::REFUSED];
    println!();
    for (name, act) in kinds[kind.parse::<usize>().unwrap()] {
        match act(&targets) {
            Ok(()) => println!("act: done: {name}"),
            Err(error) => println!("act: {error}: {name}"),
        }
    }
}

/// Everything in a directory, with the time of the last change of whatever kind.
fn snapshot(dir: &Path) -> BTreeMap<PathBuf, String> {
    let mut seen = BTreeMap::new();
    let mut pending = vec![dir.to_owned()];
    while let Some(path) = pending.pop() {
        let meta = fs::symlink_metadata(&path).unwrap();
        let time = (meta.ctime(), meta.ctime_nsec());
        let text = format!("{:o} {} {} {time:?}", meta.mode(), meta.size(), meta.ino());
        if meta.is_dir() {
            pending.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        seen.insert(path, text);
    }
    seen
}

/// A process that does nothing, in a group of its own.
struct Victim(Child);

impl Victim {
    fn new() -> Self {
        let mut sleep = Command::new("sleep");
        Victim(sleep.arg("600").stdout(Stdio::null()).process_group(0).spawn().unwrap())
    }

    fn pid(&self) -> libc::pid_t {
        self.0.id().cast_signed()
    }

    fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// Its limits, priority, policy and processors.
    fn settings(&self) -> String {
        let read = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", self.pid())).unwrap();
        let stat = read("stat");
        let fields: Vec<_> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        let status = read("status");
        let processors = status.lines().find(|line| line.starts_with("Cpus_allowed:")).unwrap();
        format!("{} {} {} {processors} {}", fields[15], fields[16], fields[38], read("limits"))
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn files_elsewhere_stay_as_they_are() {
    for (name, act) in acts::FILES {
        let scene = Scene::new();
        let before = snapshot(scene.outside());
        // The clock of the file system may stand still for some milliseconds.
        std::thread::sleep(Duration::from_millis(12));
        let done = act(&scene.targets(0));
        let can = done.as_ref().map_err(io::Error::raw_os_error).err().flatten();
        // Not every file system has flags and attributes, and only root makes devices.
        if !matches!(can, Some(libc::ENOTTY | libc::EOPNOTSUPP | libc::EPERM)) {
            assert_ne!(before, snapshot(scene.outside()), "{name}: {done:?}");
        }
    }
    for version in versions() {
        let scene = Scene::new();
        let before = snapshot(scene.outside());
        std::thread::sleep(Duration::from_millis(12));
        let done = scene.act(version, acts::FILES, 0);
        assert_eq!(before, snapshot(scene.outside()), "{version:?}: {done:?}");
        let pretended = ["chmod", "fchmod", "chown", "set times", "utimes", "set an attribute"];
        assert_eq!(done, pretended, "{version:?}");
    }
}

#[test]
fn other_processes_get_no_signals() {
    for (name, act) in acts::SIGNALS {
        let (scene, mut victim) = (Scene::new(), Victim::new());
        act(&scene.targets(victim.pid())).unwrap();
        let end = Instant::now() + Duration::from_secs(10);
        while !victim.has_ended() {
            assert!(Instant::now() < end, "{name}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    for version in versions() {
        let (scene, mut victim) = (Scene::new(), Victim::new());
        let done = scene.act(version, acts::SIGNALS, victim.pid());
        std::thread::sleep(Duration::from_millis(50));
        assert!(!victim.has_ended(), "{version:?}: {done:?}");
        assert!(done.is_empty(), "{version:?}: {done:?}");
    }
}

#[test]
fn processes_inside_get_signals() {
    let Some(version @ ABI::V6) = newest() else { return };
    let script = "sleep 100 & kill $!; wait $!; test $? = 143 && timeout 0.1 sleep 9; test $? = 124 && kill 0";
    assert_eq!(Scene::new().sh(version, script).status, Ok(0));
}

#[test]
fn other_processes_are_left_alone() {
    for (name, act) in acts::PROCESSES {
        let (scene, victim) = (Scene::new(), Victim::new());
        let before = victim.settings();
        act(&scene.targets(victim.pid())).unwrap();
        assert_ne!(before, victim.settings(), "{name}");
    }
    for version in versions() {
        let (scene, victim) = (Scene::new(), Victim::new());
        let before = victim.settings();
        scene.act(version, acts::PROCESSES, victim.pid());
        assert_eq!(before, victim.settings());
    }
}

#[test]
fn what_would_last_or_give_rights_is_refused() {
    for version in versions() {
        let (scene, victim) = (Scene::new(), Victim::new());
        let done = scene.act(version, acts::REFUSED, victim.pid());
        assert!(done.is_empty(), "{version:?}: {done:?}");
        let ran = scene.sh(version, "grep -E 'Cap(Inh|Prm|Eff|Amb)|NoNewPrivs' /proc/self/status");
        let only_reading = ["0000000000000000", "0000000000000002", "1"];
        assert_eq!(ran.output.lines().count(), 5);
        for line in ran.output.lines() {
            assert!(only_reading.contains(&line.split('\t').nth(1).unwrap()), "{line}");
        }
    }
}

#[test]
fn scripts_change_nothing_elsewhere() {
    let home = std::env::var("HOME").unwrap_or("/".into());
    let mark = format!("tryall-sandbox-{}", std::process::id());
    for version in versions() {
        let scene = Scene::new();
        let git = |arguments: &[&str]| {
            let mut git = Command::new("git");
            git.current_dir(scene.outside()).args(["-c", "user.name=x", "-c", "user.email=x@x"]);
            assert!(git.args(arguments).output().unwrap().status.success());
        };
        git(&["init", "-q"]);
        git(&["add", "file"]);
        git(&["commit", "-q", "-m", "x"]);
        // The index no longer has the file's time. `git status` would correct it.
        fs::write(scene.outside().join("file"), "as it was").unwrap();
        let list = scene.outside().join("CMakeLists.txt");
        fs::write(
            list,
            r#"
            set(here ${CMAKE_CURRENT_LIST_DIR})
            file(LOCK ${here}/lock RESULT_VARIABLE result)
            file(LOCK ${here} DIRECTORY RESULT_VARIABLE result)
            file(TOUCH ${here}/file)
            file(MAKE_DIRECTORY ${here}/build)
            configure_file(${here}/file ${here}/configured)
            "#,
        )
        .unwrap();
        let before = snapshot(scene.outside());
        std::thread::sleep(Duration::from_millis(12));
        let script = format!(
            r#"
            cd "$OUTSIDE"
            echo x > new; echo x >> file; true > file; truncate -s 0 file
            mkdir build; touch file; touch new; rm -rf file; mv file other; cp -p file copy
            ln file "$SCRATCH/hard"; ln -sf file link; mkfifo pipe; chmod 777 file; rmdir empty
            sed -i s/as/is/ file; dd if=/dev/zero of=file count=1; install -m 755 file installed
            tar cf archive.tar file
            echo x > '{home}/{mark}'; mkdir '{home}/{mark}.d'; echo x > '/tmp/{mark}'
            echo x > '/dev/shm/{mark}'; echo x > '/var/tmp/{mark}'
            git status; git add file; git add -A; git commit -m x --allow-empty; git gc; git tag x
            git config x.y z; git stash
            cmake -P CMakeLists.txt
            true
            "#
        );
        let ran = scene.sh(version, &script);
        assert_eq!(ran.status, Ok(0), "{}", ran.output);
        assert_eq!(before, snapshot(scene.outside()), "{version:?}: {}", ran.output);
        for dir in [home.as_str(), "/tmp", "/dev/shm", "/var/tmp"] {
            assert!(!Path::new(dir).join(&mark).exists(), "{dir}");
        }
    }
}

#[test]
fn nothing_is_sent() {
    let scene = Scene::new();
    let path = |name| scene.outside().join(name);
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let stream = UnixListener::bind(path("stream")).unwrap();
    let datagram = UnixDatagram::bind(path("datagram")).unwrap();
    let name = format!("tryall-sandbox-{}", std::process::id());
    let hidden = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    tcp.set_nonblocking(true).unwrap();
    udp.set_nonblocking(true).unwrap();
    stream.set_nonblocking(true).unwrap();
    datagram.set_nonblocking(true).unwrap();
    hidden.set_nonblocking(true).unwrap();
    let ports = [tcp.local_addr().unwrap().port(), udp.local_addr().unwrap().port()];
    let env = [("PORTS", format!("{} {}", ports[0], ports[1])), ("NAME", name)];
    let this = std::env::current_exe().unwrap();
    let one = "os::unix::sandbox::tests::sends_when_asked";
    let argv = [this.to_str().unwrap(), "--ignored", "--nocapture", "--exact", one];
    for version in versions() {
        let ran = scene.run(version, &argv, &env);
        assert_eq!(ran.status, Ok(0), "{}", ran.output);
        assert_eq!(ran.output.matches("refused").count(), 8, "{}", ran.output);
        let blocks = |result: io::Result<()>| {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::WouldBlock, "{version:?}");
        };
        blocks(tcp.accept().map(drop));
        blocks(udp.recv(&mut [0]).map(drop));
        blocks(stream.accept().map(drop));
        blocks(datagram.recv(&mut [0]).map(drop));
        blocks(hidden.accept().map(drop));
    }
}

#[test]
#[ignore = "started by another test"]
fn sends_when_asked() {
    let Ok(ports) = std::env::var("PORTS") else { return };
    let ports: Vec<u16> = ports.split(' ').map(|port| port.parse().unwrap()).collect();
    let outside = PathBuf::from(std::env::var_os("OUTSIDE").unwrap());
    let name = SocketAddr::from_abstract_name(std::env::var("NAME").unwrap()).unwrap();
    let local = "127.0.0.1";
    let refused =
        |result: io::Result<()>| println!("{}", if result.is_err() { "refused" } else { "sent" });
    refused(std::net::TcpStream::connect((local, ports[0])).map(drop));
    refused(TcpListener::bind((local, 0)).map(drop));
    refused(UdpSocket::bind((local, 0)).map(|udp| drop(udp.send_to(b"x", (local, ports[1])))));
    refused(std::os::unix::net::UnixStream::connect(outside.join("stream")).map(drop));
    refused(std::os::unix::net::UnixStream::connect_addr(&name).map(drop));
    refused(
        UnixDatagram::unbound().and_then(|it| it.send_to(b"x", outside.join("datagram"))).map(drop),
    );
    refused(
        UnixDatagram::pair()
            .and_then(|(it, _)| it.send_to(b"x", outside.join("datagram")))
            .map(drop),
    );
    refused(
        UnixListener::bind_addr(&SocketAddr::from_abstract_name("tryall-y").unwrap()).map(drop),
    );
    // This is how programs talk to their own children.
    let (mut one, mut other) = std::os::unix::net::UnixStream::pair().unwrap();
    io::Write::write_all(&mut one, b"x").unwrap();
    io::Read::read_exact(&mut other, &mut [0]).unwrap();
}

#[test]
fn locks_are_not_held() {
    for version in versions() {
        let scene = Scene::new();
        let file = fs::File::options().write(true).open(scene.outside().join("file")).unwrap();
        in_runtime(async {
            let this = std::env::current_exe().unwrap();
            let one = "os::unix::sandbox::tests::locks_when_asked";
            let argv = [this.to_str().unwrap(), "--ignored", "--exact", one];
            let (_group, _pipes) = scene.start(version, &argv, &[("LOCK", "1".into())]);
            wait_for("is ready", || scene.scratch().join("ready").exists());
            file.try_lock().unwrap();
            set_lock(&file, libc::F_SETLK, libc::F_WRLCK).unwrap();
        });
    }
}

#[test]
#[ignore = "started by another test"]
fn locks_when_asked() {
    if std::env::var_os("LOCK").is_none() {
        return;
    }
    let path = |name| PathBuf::from(std::env::var_os(name).unwrap());
    let file = fs::File::open(path("OUTSIDE").join("file")).unwrap();
    file.lock().unwrap();
    set_lock(&file, libc::F_SETLKW, libc::F_RDLCK).unwrap();
    set_lock(&file, libc::F_OFD_SETLK, libc::F_RDLCK).unwrap();
    fs::write(path("SCRATCH").join("ready"), "").unwrap();
    std::thread::sleep(Duration::from_secs(100));
}

fn set_lock(file: &fs::File, operation: libc::c_int, kind: libc::c_int) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    // SAFETY: all zeros is a valid lock.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = kind as libc::c_short;
    // SAFETY: the file is open, and the argument is a live variable.
    match unsafe { libc::fcntl(file.as_raw_fd(), operation, &raw const lock) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Starts daemons in every way that a shell has, which write to `beat` until they end.
const DAEMONS: &str = r#"
    beat='while :; do echo x >> "$SCRATCH/beat"; sleep 0.01; done'
    (setsid sh -c "$beat" < /dev/null > /dev/null 2>&1 &)
    (nohup sh -c "$beat" < /dev/null > /dev/null 2>&1 &)
    (set -m; sh -c "(trap '' HUP TERM INT; $beat) > /dev/null 2>&1 &")
    timeout 1000 sh -c "$beat" > /dev/null 2>&1 &
    while ! test -s "$SCRATCH/beat"; do sleep 0.01; done
    sleep 0.1"#;

/// The processes that were started for a scene. A zombie has no environment.
fn processes_of(scratch: &Path) -> Vec<String> {
    let mark = format!("SCRATCH={}", scratch.display());
    let is_of = |pid: &String| {
        let text = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        text.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    };
    let entries = fs::read_dir("/proc").unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).filter(is_of).collect()
}

#[test]
fn daemons_end_with_the_command() {
    for version in versions() {
        let scene = Scene::new();
        in_runtime(async {
            let (mut group, _pipes) = scene.start(version, &["sh", "-c", DAEMONS], &[]);
            group.leader_exited().await;
            assert!(processes_of(scene.scratch()).len() >= 4);
            group.reap();
        });
        wait_for("all end", || processes_of(scene.scratch()).is_empty());
        assert!(scene.scratch().join("beat").exists());
    }
}

#[test]
fn daemons_end_with_the_handle() {
    let Some(version) = newest() else { return };
    let scene = Scene::new();
    in_runtime(async {
        let script = format!("{DAEMONS}; sleep 1000");
        let started = scene.start(version, &["sh", "-c", &script], &[]);
        wait_for("the daemons run", || processes_of(scene.scratch()).len() >= 5);
        drop(started);
    });
    wait_for("all end", || processes_of(scene.scratch()).is_empty());
}

#[test]
fn daemons_end_if_this_program_is_killed() {
    if newest().is_none() {
        return;
    }
    let scene = Scene::new();
    let one = "os::unix::sandbox::tests::keeps_daemons_when_asked";
    let mut this = Command::new(std::env::current_exe().unwrap());
    this.args(["--ignored", "--exact", "--test-threads=1", one]).stdout(Stdio::null());
    let dir = scene.scratch().join("kept");
    let mut program = this.env("KEPT", &dir).spawn().unwrap();
    wait_for("the daemons run", || processes_of(&dir).len() >= 5);
    kill(Pid::from_raw(program.id().cast_signed()), Signal::SIGKILL).unwrap();
    program.wait().unwrap();
    wait_for("all end", || processes_of(&dir).is_empty() && !dir.exists());
}

/// Runs alone, and so without other threads, which the reaper needs.
#[test]
#[ignore = "started by another test"]
fn keeps_daemons_when_asked() {
    let Some(dir) = std::env::var_os("KEPT").map(PathBuf::from) else { return };
    let reaper = Rc::new(Reaper::new(&dir).unwrap());
    fs::create_dir(&dir).unwrap();
    let script = format!("{DAEMONS}; sleep 1000");
    let env: Vec<_> = std::env::vars_os().chain([("SCRATCH".into(), dir.clone().into())]).collect();
    let start = Start {
        program: Path::new("/bin/sh"),
        argv: &["sh".into(), "-c".into(), script.into()],
        env: &env,
        dir: &dir,
        check_dir: &dir,
        mode: OutputMode::Merged,
    };
    in_runtime(async {
        let sandbox = Sandbox { writable: &dir, memory: MEMORY, file_size: FILE_SIZE };
        let _running = sandbox.start(start, Some(&reaper)).unwrap();
        tokio::time::sleep(Duration::from_secs(100)).await;
    });
}

#[test]
fn memory_and_files_are_limited() {
    let Some(version) = newest() else { return };
    let scene = Scene::new();
    let ran = scene.sh(version, "head -c 16M /dev/zero > big; ulimit -v; ulimit -c; nice");
    assert_eq!(fs::metadata(scene.scratch().join("big")).unwrap().len(), FILE_SIZE);
    let (memory, nice) = (MEMORY >> 10, 10.max(nice_value() + 10).min(19));
    assert!(ran.output.ends_with(&format!("{memory}\n0\n{nice}\n")), "{}", ran.output);
    // `tail` keeps a line in memory until it ends.
    let ran = scene.sh(version, "head -c 3G /dev/zero | tail -n 1 | wc -c");
    assert!(!ran.output.contains("3221225472"), "{}", ran.output);
    let ran = scene.sh(version, "ulimit -v unlimited");
    assert_ne!(ran.status, Ok(0));
}

fn nice_value() -> i32 {
    // SAFETY: takes numbers.
    unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
}

#[test]
fn nothing_is_inherited() {
    let Some(version) = newest() else { return };
    let scene = Scene::new();
    // As a make that did not mark its pipe.
    let (reader, _writer) = io::pipe().unwrap();
    nix::fcntl::fcntl(&reader, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();
    let env = [("MAKEFLAGS", "--jobserver-auth=3,4".into()), ("TMPDIR", "/tmp".into())];
    let script = "ls /proc/$$/fd; readlink /proc/$$/fd/0; echo $MAKEFLAGS; mktemp -u";
    let ran = scene.run(version, &["bash", "-c", script], &env);
    let temporary = format!("{}/tmp/tmp.", scene.scratch().display());
    let (start, end) = ran.output.split_once(&temporary).expect(&ran.output);
    // bash keeps the highest descriptor for itself.
    assert_eq!(start.replace("255\n", ""), "0\n1\n2\n/dev/null\n\n");
    assert_eq!(end.lines().count(), 1);
}

#[test]
fn ordinary_scripts_work() {
    let script = r#"
        set -e
        echo x > /dev/null; head -c 4 /dev/zero > zeros; head -c 4 /dev/urandom | wc -c
        echo out > /dev/stdout; echo err > /dev/stderr
        echo x > a; chmod 600 a; cp -p a b; mv b c; ln a d; ln -s a e; mkdir -p f/g; mv a f/h
        tar cf archive.tar c e f; mkdir unpacked; tar xf archive.tar -C unpacked
        cmp c unpacked/f/h
        mkfifo pipe; (echo through > pipe &); cat pipe
        echo $(echo piped | sed s/p/P/) ; cat <<'EOF'
here
EOF
        git init -q repository; cd repository; git -c user.name=x -c user.email=x@x \
            commit -q --allow-empty -m x; git status --short; cd ..
        file=$(mktemp); echo temporary > "$file"; cat "$file"
        touch -d 2001-01-01 c; truncate -s 2 zeros; wc -c < zeros
        rm -r f unpacked; ls"#;
    for version in versions() {
        // Before version 2, files cannot be moved between directories.
        let script = match version {
            ABI::V1 => script.replace("mv a f/h", "cp a f/h"),
            _ => script.into(),
        };
        let ran = Scene::new().sh(version, &script);
        assert_eq!(ran.status, Ok(0), "{version:?}: {}", ran.output);
        assert!(ran.output.contains("through\nPiped\nhere\ntemporary\n2\n"), "{}", ran.output);
    }
}

#[test]
fn cmake_configures_as_elsewhere() {
    let scene = Scene::new();
    let list = r#"
        cmake_minimum_required(VERSION 3.20)
        project(small C)
        include(CheckFunctionExists)
        include(CheckIncludeFile)
        include(CheckCSourceRuns)
        include(CheckTypeSize)
        check_function_exists(fork HAVE_FORK)
        check_function_exists(no_such_function HAVE_NONE)
        check_include_file(unistd.h HAVE_UNISTD_H)
        check_type_size(long SIZE)
        find_package(Threads)
        configure_file(in out COPYONLY)
        file(COPY in DESTINATION copied)
        file(GENERATE OUTPUT generated CONTENT x)
        execute_process(COMMAND ${CMAKE_COMMAND} -E echo hello OUTPUT_VARIABLE said)
        set(SAID "${said}" CACHE STRING "")
        file(LOCK ${CMAKE_BINARY_DIR}/lock)
        add_executable(small small.c)
    "#;
    fs::write(scene.outside().join("CMakeLists.txt"), list).unwrap();
    fs::write(scene.outside().join("in"), "x").unwrap();
    fs::write(scene.outside().join("small.c"), "int main(void) { return 0; }").unwrap();
    let build = scene.scratch().join("build");
    let cache = |build: &Path| {
        let text = fs::read_to_string(build.join("CMakeCache.txt")).unwrap();
        fs::remove_dir_all(build).unwrap();
        text
    };
    let (source, there) = (scene.outside().to_str().unwrap(), build.to_str().unwrap());
    let argv = ["cmake", "-S", source, "-B", there];
    let output = Command::new(argv[0]).args(&argv[1..]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let expected = cache(&build);
    for version in versions() {
        let before = snapshot(scene.outside());
        let ran = scene.run(version, &argv, &[]);
        assert_eq!(ran.status, Ok(0), "{}", ran.output);
        assert_eq!(cache(&build), expected, "{version:?}");
        assert_eq!(before, snapshot(scene.outside()));
    }
}

#[test]
fn a_command_that_cannot_start_is_an_error() {
    if newest().is_none() {
        return;
    }
    let scene = Scene::new();
    in_runtime(async {
        let missing = Sandbox { writable: Path::new("/nowhere"), memory: MEMORY, file_size: 1 };
        let start = Start {
            program: Path::new("/nowhere"),
            argv: &["x".into()],
            env: &[],
            dir: scene.scratch(),
            check_dir: scene.scratch(),
            mode: OutputMode::Apart,
        };
        assert!(missing.start(start, None).is_err());
        let sandbox = Sandbox { writable: scene.scratch(), ..missing };
        assert_eq!(sandbox.start(start, None).unwrap_err().kind(), ErrorKind::NotFound);
    });
}
