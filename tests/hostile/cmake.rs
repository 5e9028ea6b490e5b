//! Faults below a CMake project that knows nothing of tryall: what it is left with must be what
//! CMake alone would leave it with, or the configure step fails.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use crate::batch::WORD;
use crate::call::{Ended, Room, wait};
use crate::kills::Random;
use crate::support::*;
use crate::table::{Fault, Row};
use crate::world::{self, Disk};

const fn fault(part: &'static str, name: &'static str, make: fn(&mut Row)) -> Fault {
    Fault::new(part, name, "CMake", make)
}

/// Their part of the table.
pub const FAULTS: &[Fault] = &[
    fault("compiler", "crashes, dies, lies or truncates, once each time", once),
    fault("compiler", "deleted while the batch runs", |row| swapped(row, "delete")),
    fault("compiler", "replaced while the batch runs", |row| swapped(row, "replace")),
    fault("machine", "disk of the build directory full", full),
    fault("machine", "temporary disk full", temporary_full),
    fault("caller", "tryall killed in the middle of each batch", killed),
    fault("caller", "tryall missing in the middle of the configure step", missing),
    fault("caller", "CMake and all below it killed at random, then asked again", all_killed),
    fault("caller", "two configure steps at once in one build directory", two),
];

/// The variables that the project's checks set.
const VARIABLES: [&str; 18] = [
    "HAVE_STDIO",
    "HAVE_NOPE",
    "HAVE_FORK",
    "HAVE_NO_SUCH",
    "SIZE_LONG",
    "F_COMPILES",
    "F_REJECTED",
    "F_RUNS",
    "F_RUNS_EXITCODE",
    "F_RUNS_NOT",
    "HAVE_PRINTF",
    "HAS_WALL",
    "HAS_NOT",
    "HAVE_M",
    "LATER",
    "LATER_NOT",
    "F_LATER",
    "LAST",
];

const MODULES: &str = "include(CheckIncludeFile)\ninclude(CheckFunctionExists)\n\
    include(CheckTypeSize)\ninclude(CheckCSourceCompiles)\ninclude(CheckCSourceRuns)\n\
    include(CheckSymbolExists)\ninclude(CheckCCompilerFlag)\ninclude(CheckLibraryExists)\n\
    include(CheckStructHasMember)\n";

/// A project that asks in three batches, with what a row adds between the first two.
pub fn project(room: &Room, between: &str) -> PathBuf {
    let source = room.own("source");
    fs::create_dir_all(&source).unwrap();
    let word = format!("/* {WORD} */");
    let text = format!(
        "cmake_minimum_required(VERSION 3.16)\nproject(p C)\n{MODULES}\
         check_function_exists(getpid WARM)\ncheck_c_source_runs(\"int main(void) {{ return 0; }}\" WARM_RUNS)\n\
         if(WARM)\nendif()\n\
         check_include_file(stdio.h HAVE_STDIO)\ncheck_include_file(no/such.h HAVE_NOPE)\n\
         check_function_exists(fork HAVE_FORK)\ncheck_function_exists(no_such HAVE_NO_SUCH)\n\
         check_type_size(long SIZE_LONG)\n\
         check_c_source_compiles(\"{word} int main(void) {{ return 0; }}\" F_COMPILES)\n\
         check_c_source_compiles(\"{word} no C\" F_REJECTED)\n\
         check_c_source_runs(\"{word} int main(void) {{ return 0; }}\" F_RUNS)\n\
         check_c_source_runs(\"{word} int main(void) {{ return 3; }}\" F_RUNS_NOT)\n\
         check_symbol_exists(printf stdio.h HAVE_PRINTF)\n\
         check_c_compiler_flag(-Wall HAS_WALL)\ncheck_c_compiler_flag(-fno-such-flag HAS_NOT)\n\
         check_library_exists(m cos \"\" HAVE_M)\n\
         message(\"${{HAVE_STDIO}}\")\n{between}\n\
         check_struct_has_member(\"struct tm\" tm_sec time.h LATER)\n\
         check_function_exists(no_such_either LATER_NOT)\n\
         check_c_source_compiles(\"{word} int main(void) {{ return 1; }}\" F_LATER)\n\
         message(\"${{LATER}}\")\ncheck_function_exists(getuid LAST)\n"
    );
    fs::write(source.join("CMakeLists.txt"), text).unwrap();
    source
}

/// What a configure step came to.
pub struct Configured {
    pub ended: Ended,
    pub values: BTreeMap<String, String>,
}

impl Configured {
    pub fn succeeded(&self) -> bool {
        self.ended.code() == Some(0)
    }

    /// How many checks went through tryall.
    pub fn by_tryall(&self) -> u32 {
        let text = String::from_utf8_lossy(&self.ended.stdout);
        let line = text.lines().find_map(|line| line.strip_prefix("-- tryall: "));
        line.and_then(|line| line.split(' ').next()?.parse().ok()).unwrap_or_default()
    }
}

/// A configure step that is about to run.
pub struct Configure<'a> {
    pub room: &'a Room,
    pub source: &'a Path,
    pub build: &'a Path,
    /// With this program, or CMake alone.
    pub tryall: Option<&'a Path>,
    pub compiler: &'a Path,
    pub env: Vec<(String, String)>,
    pub args: Vec<String>,
    pub bound: Duration,
}

impl<'a> Configure<'a> {
    pub fn new(room: &'a Room, source: &'a Path, build: &'a Path) -> Self {
        Configure {
            room,
            source,
            build,
            tryall: None,
            compiler: Path::new("/usr/bin/gcc"),
            env: Vec::new(),
            args: Vec::new(),
            bound: Duration::from_secs(100),
        }
    }

    pub fn with(self, tryall: &'a Path) -> Self {
        Configure { tryall: Some(tryall), ..self }
    }

    fn call(&self) -> crate::call::Call {
        let mut call = self.room.call(venv("cmake"));
        call.command.args(["-G", "Ninja", "-S"]).arg(self.source).arg("-B").arg(self.build);
        if let Some(tryall) = self.tryall {
            let drop_in = root().join("cmake/TryallDropIn.cmake");
            call.command.arg(format!("-DCMAKE_PROJECT_INCLUDE={}", drop_in.display()));
            call.command.arg(format!("-DTRYALL_EXECUTABLE={}", tryall.display()));
        }
        let rest = std::env::var_os("PATH").unwrap();
        let dirs = std::env::split_paths(&rest).filter(|dir| !dir.join("tryall").exists());
        let path = [root().join("target/venv/bin")].into_iter().chain(dirs);
        call.command.args(&self.args).env("PATH", std::env::join_paths(path).unwrap());
        call.command.env("CC", self.compiler).envs(self.env.iter().cloned());
        call.command.current_dir(self.room.own(""));
        call.bound = self.bound;
        call
    }

    pub fn start(&self) -> Child {
        self.call().start(b"")
    }

    pub fn run(&self) -> Configured {
        let ended = self.call().run(b"");
        Configured { ended, values: values(self.build) }
    }

    /// From nothing.
    pub fn anew(&self) -> Configured {
        let _ = fs::remove_dir_all(self.build);
        self.run()
    }
}

/// What the cache says of the project's variables.
pub fn values(build: &Path) -> BTreeMap<String, String> {
    let bytes = fs::read(build.join("CMakeCache.txt")).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let entries = text.lines().filter_map(|line| line.split_once(':'));
    let asked = entries.filter(|(name, _)| VARIABLES.contains(name));
    asked.map(|(name, rest)| (name.into(), rest.split_once('=').unwrap().1.into())).collect()
}

/// The right values.
fn right() -> BTreeMap<String, String> {
    let room = Room::new();
    let source = project(&room, "");
    let build = room.own("build");
    let stock = Configure::new(&room, &source, &build).run();
    assert!(stock.succeeded() && stock.values.len() == VARIABLES.len(), "{:?}", stock.ended);
    stock.values
}

impl Row {
    /// Looks at a configure step under a fault. A value may also be that which CMake alone leaves
    /// under the same fault.
    pub fn configured(
        &mut self,
        room: &Room,
        ours: &Configured,
        right: &BTreeMap<String, String>,
        stock: Option<&Configured>,
    ) {
        self.ended(room, &ours.ended);
        let before = self.wrong.len();
        if !ours.succeeded() {
            // Whoever reads the cache of a step that has failed starts it again.
            self.refused += 1;
        }
        for (name, expected) in right {
            let alone = stock.and_then(|stock| stock.values.get(name));
            match ours.values.get(name) {
                Some(value) if value == expected => self.right += 1,
                Some(value) if alone == Some(value) => self.error += 1,
                _ if !ours.succeeded() => self.error += 1,
                None if stock.is_some_and(|stock| !stock.values.contains_key(name)) => {
                    self.error += 1;
                }
                value => self.wrong.push(format!("{name} is {value:?} and not {expected:?}")),
            }
        }
        if self.wrong.len() > before {
            self.wrong.push(
                String::from_utf8_lossy(&ours.ended.stdout).into_owned() + &ours.ended.stderr,
            );
        }
    }
}

/// The compiler misbehaves a few times and then no more: CMake asks again what had no answer.
fn once(row: &mut Row) {
    let right = right();
    let all: [&[&str]; 5] = [
        &["crash"],
        &["signal=9"],
        &["lie"],
        &["real", "truncate=60"],
        &["say=conftest.c: No space left on device", "status=1"],
    ];
    for requests in all {
        let room = Room::new();
        let source = project(&room, "");
        let (build, budget) = (room.work().join("build"), room.own("budget"));
        fs::create_dir(&budget).unwrap();
        for n in 0..3 {
            fs::write(budget.join(n.to_string()), "").unwrap();
        }
        let (fake, tryall) = (PathBuf::from(fakecc()), PathBuf::from(TRYALL));
        let mut configure = Configure::new(&room, &source, &build).with(&tryall);
        configure.compiler = &fake;
        configure.env = vec![
            ("FAKE_REAL".into(), "/usr/bin/gcc".into()),
            ("FAKE_REQUESTS".into(), requests.join("\n")),
            ("FAKE_WHEN".into(), WORD.into()),
            ("FAKE_BUDGET".into(), budget.display().to_string()),
        ];
        let ours = configure.run();
        row.configured(&room, &ours, &right, None);
        if fs::read_dir(&budget).unwrap().count() == 3 || !ours.succeeded() {
            row.wrong.push(format!("{requests:?}: nothing has happened: {:?}", ours.ended));
        }
    }
}

/// A source deletes the compiler, or puts another one in its place.
fn swapped(row: &mut Row, how: &str) {
    let right = right();
    let room = Room::new();
    let source = project(&room, "");
    let build = room.work().join("build");
    let compiler = room.own("cc");
    let tryall = PathBuf::from(TRYALL);
    let other = "printf '#!/bin/sh\\necho \"error: nope\"\\nexit 1\\n' >\"$0.new\"\nchmod +x \"$0.new\"\nmv \"$0.new\" \"$0\"";
    let act = if how == "delete" { "rm -f \"$0\"" } else { other };
    let text = format!(
        "#!/bin/sh\nfor word; do\n  case $word in *.c) if grep -q {WORD} \"$word\"; then\n{act}\nfi;; esac\ndone\nexec gcc \"$@\"\n"
    );
    let run = |tryall: Option<&Path>| {
        fs::write(&compiler, &text).unwrap();
        world::open_to_all(&compiler, 0o755);
        let mut configure = Configure::new(&room, &source, &build);
        configure.tryall = tryall;
        configure.compiler = &compiler;
        configure.anew()
    };
    let stock = run(None);
    for _ in 0..2 {
        let ours = run(Some(&tryall));
        row.configured(&room, &ours, &right, Some(&stock));
    }
}

fn full(row: &mut Row) {
    let right = right();
    let tryall = PathBuf::from(TRYALL);
    for kilobytes in [220, 400, 700] {
        let room = Room::new();
        let source = project(&room, "");
        let build = room.work().join("build");
        let disk = || Disk::new(&build, &format!("size={kilobytes}k"));
        let stock = {
            let _disk = disk();
            Configure::new(&room, &source, &build).run()
        };
        let _disk = disk();
        let ours = Configure::new(&room, &source, &build).with(&tryall).run();
        row.configured(&room, &ours, &right, Some(&stock));
    }
}

fn temporary_full(row: &mut Row) {
    let right = right();
    let tryall = PathBuf::from(TRYALL);
    for options in ["size=24k", "size=1m,nr_inodes=3"] {
        let room = Room::new();
        let source = project(&room, "");
        let build = room.work().join("build");
        let _disk = Disk::new(&room.tmp(), options);
        let stock = Configure::new(&room, &source, &build).run();
        let ours = Configure::new(&room, &source, &build).with(&tryall).anew();
        // GCC leaves some of its own when the disk is full. Below tryall it has another directory.
        for entry in fs::read_dir(room.tmp()).unwrap().flatten() {
            if entry.file_name().to_string_lossy().starts_with("cc") {
                let _ = fs::remove_file(entry.path());
            }
        }
        row.configured(&room, &ours, &right, Some(&stock));
    }
}

/// A program that stands in tryall's place.
pub fn in_its_place(room: &Room, script: &str) -> PathBuf {
    let path = room.own("tryall");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    world::open_to_all(&path, 0o755);
    path
}

fn killed(row: &mut Row) {
    let right = right();
    for (signal, milliseconds) in [("KILL", "0.01"), ("TERM", "0.05")] {
        for what in ["$!", "$$"] {
            let room = Room::new();
            let source = project(&room, "");
            let build = room.work().join("build");
            let script = format!(
                "'{TRYALL}' \"$@\" &\nsleep {milliseconds}\nkill -{signal} {what}\nwait $!\nexit $?"
            );
            let program = in_its_place(&room, &script);
            let ours = Configure::new(&room, &source, &build).with(&program).run();
            row.configured(&room, &ours, &right, None);
            if !ours.succeeded() {
                row.wrong.push(format!("CMake could have gone on: {:?}", ours.ended));
            }
        }
    }
}

fn missing(row: &mut Row) {
    let right = right();
    for becomes in ["", "file(WRITE \"${GONE}\" rubbish)"] {
        let room = Room::new();
        let source = project(&room, &format!("file(REMOVE \"${{GONE}}\")\n{becomes}"));
        let build = room.work().join("build");
        let program = room.own("tryall");
        fs::copy(TRYALL, &program).unwrap();
        let mut configure = Configure::new(&room, &source, &build).with(&program);
        configure.args = vec![format!("-DGONE={}", program.display())];
        let ours = configure.run();
        row.configured(&room, &ours, &right, None);
        if !ours.succeeded() {
            row.wrong.push(format!("CMake could have gone on: {:?}", ours.ended));
        }
    }
}

fn all_killed(row: &mut Row) {
    let right = right();
    let (mut random, seed) = Random::new();
    let tryall = PathBuf::from(TRYALL);
    for round in 0..4 {
        let room = Room::new();
        let source = project(&room, "");
        let build = room.work().join("build");
        let configure = Configure::new(&room, &source, &build).with(&tryall);
        let child = configure.start();
        std::thread::sleep(Duration::from_millis(300 + random.below(1500)));
        for pid in crate::processes::with_in_environment(room.path()) {
            let _ = nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(pid),
                nix::sys::signal::Signal::SIGKILL,
            );
        }
        wait(child, Duration::from_secs(20));
        // The guard has gone with the rest.
        for entry in fs::read_dir(room.tmp()).unwrap().flatten() {
            let path = entry.path();
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
        let mut again = Configure::new(&room, &source, &build);
        again.tryall = (round % 2 == 0).then_some(&tryall);
        if again.tryall.is_none() {
            again.args = vec!["-UCMAKE_PROJECT_INCLUDE".into()];
        }
        let ours = again.run();
        row.configured(&room, &ours, &right, None);
        if !ours.succeeded() {
            row.wrong.push(format!("CMake does not go on: {:?}", ours.ended));
        }
    }
    row.note = format!("seed {seed}; what is in TMPDIR stays when the guard is killed as well");
}

/// Two projects that ask other things under the same numbers.
fn two(row: &mut Row) {
    let tryall = PathBuf::from(TRYALL);
    let questions = |yes: bool| {
        let asked = |n: usize| {
            let source = if yes { "int main(void) { return 0; }" } else { "no C" };
            format!("check_c_source_compiles(\"{source} /* {n} */\" ASKED_{n})\n")
        };
        let asked: String = (0..12).map(asked).collect();
        let sum = "foreach(n RANGE 11)\n  if(ASKED_${n})\n    math(EXPR sum \"${sum} + 1\")\n  endif()\nendforeach()\n";
        format!(
            "{asked}set(sum 0)\n{sum}foreach(n RANGE 11)\n  unset(ASKED_${{n}} CACHE)\nendforeach()\n"
        )
    };
    for round in 0..2 {
        let room = Room::new();
        let build = room.work().join("build");
        let sources = [true, false].map(|yes| {
            let source = room.own(if yes { "yes" } else { "no" });
            fs::create_dir_all(&source).unwrap();
            let text = format!(
                "cmake_minimum_required(VERSION 3.16)\nproject(p C)\ninclude(CheckCSourceCompiles)\n\
                 check_c_source_compiles(\"int main(void) {{ return 0; }}\" WARM)\nif(WARM)\nendif()\n\
                 {}message(\"sum ${{sum}}\")\n{}message(\"sum ${{sum}}\")\n{}message(\"sum ${{sum}}\")\n",
                questions(yes),
                questions(yes),
                questions(yes)
            );
            fs::write(source.join("CMakeLists.txt"), text).unwrap();
            source
        });
        // CMake refuses a cache of another source directory, so that the second comes first here.
        let _ = round;
        let configured = std::thread::scope(|scope| {
            let both = sources.each_ref().map(|source| {
                let configure = Configure::new(&room, source, &build).with(&tryall);
                let mut call = configure.call();
                scope.spawn(move || call.run_now())
            });
            both.map(|one| one.join().unwrap())
        });
        for (ended, expected) in std::iter::zip(configured, ["sum 12", "sum 0"]) {
            let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), ended.stderr);
            let sums: Vec<_> = said.lines().filter(|line| line.starts_with("sum ")).collect();
            row.ended(&room, &ended);
            if ended.code() != Some(0) {
                row.refused += 1;
            }
            for sum in sums {
                if sum == expected {
                    row.right += 12;
                } else {
                    row.wrong.push(format!("{sum} and not {expected}: {said}"));
                }
            }
        }
    }
}
