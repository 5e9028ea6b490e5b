//! What this program does when it is started in the place of a compiler.
//!
//! It asks the server of its run, and does what the compiler would do. In every case of doubt, and
//! whenever anything fails, it becomes the compiler.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, PipeReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, ExitCode, ExitStatus};
use std::time::Duration;

use super::command::Command;
use super::files::{After, Before, Given, Mark};
use super::shims::{self, Door};
use super::stdin::Stdin;
use super::wire::{self, Answer, Call, Input, Pwd, Reply, Report, Request, Surroundings, Watching};
use crate::deps::loader;
use crate::os;

/// How long a shim waits for the server. One that does not reply within this time hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// The most bytes of output that are kept.
const MOST_OUTPUT: usize = 4 << 20;

/// Acts in the place of a compiler. `None` if this process was started as itself.
pub(crate) fn main() -> Option<ExitCode> {
    let program = std::env::var_os(shims::PROGRAM)?;
    Some(ExitCode::from(Shim::new(program.into()).act()))
}

/// A call of a compiler.
struct Shim {
    door: Option<Door>,
    program: PathBuf,
    words: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
}

impl Shim {
    fn new(program: PathBuf) -> Shim {
        let door = std::env::var_os(shims::RUN).map(Door::new);
        let env =
            std::env::vars_os().filter(|(name, _)| name != shims::PROGRAM && name != shims::RUN);
        Shim { door, program, words: std::env::args_os().collect(), env: env.collect() }
    }

    /// Does what the compiler would do, and returns its exit status.
    fn act(&self) -> u8 {
        let mut stdin = Stdin::Untouched;
        match self.asked(&mut stdin) {
            Ok(status) => status,
            Err(why) => {
                if let Some(why) = why {
                    self.tell(&Call::Passed(why.into()));
                }
                self.become_program(&stdin)
            }
        }
    }

    /// Becomes the compiler, with what was read of standard input.
    fn become_program(&self, stdin: &Stdin) -> u8 {
        if let Ok(Some(pipe)) = stdin.pipe() {
            let _ = nix::unistd::dup2_stdin(pipe);
        }
        let words = self.words.iter().map(OsString::as_os_str);
        let error = os::become_command(&self.program, words, self.env.iter().cloned());
        eprintln!("{}: {error}", self.program.display());
        126
    }

    /// Tells the server something, if there is one.
    fn tell(&self, call: &Call) {
        if let Some(door) = &self.door
            && let Ok(mut server) = connect(door)
        {
            let _ = wire::write(&mut server, call);
        }
    }

    /// Asks the server, and does what it says. Fails if the compiler must run, with the reason if the
    /// server does not know it.
    fn asked(&self, stdin: &mut Stdin) -> Result<u8, Option<&'static str>> {
        let door = self.door.as_ref().ok_or(None)?;
        let command = Command::read(&self.words)?;
        let request = self.request(&command, stdin)?;
        let mut server = connect(door).map_err(|_| None)?;
        let outputs: Vec<_> = request
            .outputs
            .iter()
            .map(|(path, _)| PathBuf::from(os::from_bytes(path.clone())))
            .collect();
        wire::write(&mut server, &Call::Ask(Box::new(request))).map_err(|_| None)?;
        match wire::read(&mut server).map_err(|_| None)? {
            Reply::Become => Err(None),
            Reply::Serve(answer) => self.serve(&answer, &outputs, stdin),
            Reply::Compare(answer) => self.compare(&answer, &outputs, stdin, server),
            Reply::Watch(variables) => self.watch(&command, &variables, &outputs, stdin, server),
        }
    }

    /// All that the command is given.
    fn request(&self, command: &Command, stdin: &mut Stdin) -> Result<Request, &'static str> {
        if (0..3).any(os::was_closed) {
            return Err("closed stream");
        }
        if io::stderr().is_terminal() {
            return Err("messages to a terminal");
        }
        if self.env.iter().any(|(name, value)| loader::loads_libraries(name, value)) {
            return Err("LD_PRELOAD");
        }
        let is_joined = os::are_one_file(io::stdout().as_fd(), io::stderr().as_fd());
        let is_joined = is_joined.ok_or("outputs to the same file")?;
        let dir = std::env::current_dir().map_err(|_| "no current directory")?;
        let input = |path: &OsStr| {
            let path = absolute(&dir, path);
            if std::fs::symlink_metadata(precompiled(&path)).is_ok() {
                return Err("precompiled header");
            }
            Ok(Input { given: Given::read(&path)?, path: bytes(path) })
        };
        let inputs = command.inputs.iter().map(|place| input(place.of(&self.words)));
        let inputs: Result<Vec<_>, &str> = inputs.collect();
        let outputs = command.outputs.iter().map(|place| place.of(&self.words).to_owned());
        let outputs = outputs.chain(command.implied.iter().cloned());
        let output = |path: OsString| {
            let path = absolute(&dir, &path);
            Ok((bytes(&path), Before::look(&path)?))
        };
        let outputs = outputs.filter(|path| path != "/dev/null").map(output);
        let outputs: Result<Vec<_>, &str> = outputs.collect();
        let (inputs, outputs) = (inputs?, outputs?);
        if outputs.iter().any(|(output, _)| inputs.iter().any(|input| input.path == *output)) {
            return Err("output in the place of an input");
        }
        let places = command.inputs.iter().chain(&command.outputs);
        let places = places.map(|place| (place.word as u32, place.start as u32)).collect();
        let given = if command.reads_stdin { Some(stdin.take()?) } else { None };
        let surroundings = Surroundings {
            permissions: os::permissions(),
            limits: os::limits(),
            world: os::sees_same_files(),
        };
        Ok(Request {
            program: bytes(&self.program),
            words: self.words.iter().map(bytes).collect(),
            pwd: pwd(&dir),
            dir: bytes(&dir),
            env: self.env.iter().map(|(name, value)| (bytes(name), bytes(value))).collect(),
            inputs,
            outputs,
            stdin: given,
            is_joined,
            is_plain: command.is_plain,
            places,
            surroundings,
        })
    }

    /// Does what the compiler would do.
    fn serve(
        &self,
        answer: &Answer,
        outputs: &[PathBuf],
        stdin: &Stdin,
    ) -> Result<u8, Option<&'static str>> {
        // A program may write to a terminal in another rhythm, if it writes at all.
        if !answer.out.is_empty() && io::stdout().is_terminal() {
            return Err(None);
        }
        for (after, path) in answer.after.iter().zip(outputs) {
            after.put(path).map_err(|_| None)?;
        }
        stdin.skip();
        put_out(&answer.out, &answer.err);
        Ok(status_of(answer.status))
    }

    /// Runs the compiler, watched by the server, which keeps the answer.
    fn watch(
        &self,
        command: &Command,
        variables: &[(Vec<u8>, Vec<u8>)],
        outputs: &[PathBuf],
        stdin: &Stdin,
        mut server: UnixStream,
    ) -> Result<u8, Option<&'static str>> {
        let done = self.run(variables, outputs, stdin)?;
        let dir = std::env::current_dir().unwrap_or_default();
        let inputs = command.inputs.iter().map(|place| absolute(&dir, place.of(&self.words)));
        let inputs = inputs.map(|path| Given::read(&path).ok()).collect();
        let answer = done.answer().filter(|it| it.out.is_empty() || !io::stdout().is_terminal());
        let messages = if answer.is_none() { done.err.clone() } else { Vec::new() };
        let told = wire::write(&mut server, &Report { answer, messages, inputs });
        // If the server is gone, its library was perhaps gone before.
        match told.and_then(|()| wire::read(&mut server)) {
            Ok(Watching::Harmless) => Ok(done.end()),
            _ => Err(None),
        }
    }

    /// Runs the compiler, and tells the server what is different.
    fn compare(
        &self,
        stored: &Answer,
        outputs: &[PathBuf],
        stdin: &Stdin,
        mut server: UnixStream,
    ) -> Result<u8, Option<&'static str>> {
        let done = self.run(&[], outputs, stdin)?;
        let difference = match done.answer() {
            Some(answer) => stored.difference(&answer, outputs),
            None => Some("an end that is not kept".into()),
        };
        let _ = wire::write(&mut server, &difference);
        Ok(done.end())
    }

    /// Runs the compiler, and takes what it writes.
    fn run(
        &self,
        variables: &[(Vec<u8>, Vec<u8>)],
        outputs: &[PathBuf],
        stdin: &Stdin,
    ) -> Result<Done, Option<&'static str>> {
        let marks: Vec<_> = outputs.iter().map(|path| Mark::of(path)).collect();
        let is_joined = os::are_one_file(io::stdout().as_fd(), io::stderr().as_fd()) == Some(true);
        let (out, err, child) =
            self.start(variables, stdin, is_joined).map_err(|_| Some("could not be started"))?;
        let (out, err, status) = collect(out, err, child).map_err(|_| None)?;
        let after = outputs.iter().zip(&marks).map(|(path, mark)| After::look(path, mark));
        Ok(Done { status, out, err, after: after.collect() })
    }

    /// Starts the compiler with its outputs in pipes.
    fn start(
        &self,
        variables: &[(Vec<u8>, Vec<u8>)],
        stdin: &Stdin,
        is_joined: bool,
    ) -> io::Result<(PipeReader, Option<PipeReader>, Child)> {
        let (out, out_writer) = io::pipe()?;
        let mut process = Process::new(&self.program);
        process.arg0(&self.words[0]).args(&self.words[1..]).env_clear();
        process.envs(self.env.iter().map(|(name, value)| (name, value)));
        let text = |bytes: &Vec<u8>| os::from_bytes(bytes.clone());
        process.envs(variables.iter().map(|(name, value)| (text(name), text(value))));
        if let Some(pipe) = stdin.pipe()? {
            process.stdin(pipe);
        }
        let err = if is_joined {
            process.stderr(out_writer.try_clone()?);
            None
        } else {
            let (err, writer) = io::pipe()?;
            process.stderr(writer);
            Some(err)
        };
        process.stdout(out_writer);
        let before = nix::sys::signal::SigSet::thread_get_mask()?;
        let prepare = move || {
            os::die_with_parent();
            os::restore_pipe_signal();
            before.thread_set_mask().map_err(io::Error::from)
        };
        // SAFETY: it only makes system calls.
        unsafe { process.pre_exec(prepare) };
        let child = process.spawn()?;
        Ok((out, err, child))
    }
}

/// What a command has done.
struct Done {
    status: ExitStatus,
    out: Vec<u8>,
    err: Vec<u8>,
    /// `None` if that cannot be kept.
    after: Option<Vec<After>>,
}

impl Done {
    /// The answer, if it can be kept.
    fn answer(&self) -> Option<Answer> {
        let status = self.status.code()?;
        let is_small = self.out.len() + self.err.len() <= MOST_OUTPUT;
        let after = self.after.clone().filter(|_| is_small)?;
        Some(Answer { status, out: self.out.clone(), err: self.err.clone(), after })
    }

    /// Ends as the command did. Returns the exit status.
    fn end(&self) -> u8 {
        put_out(&self.out, &self.err);
        if let Some(signal) = self.status.signal() {
            os::end_by_signal(signal);
        }
        status_of(self.status.code().unwrap_or(1))
    }
}

/// Reads both outputs to their ends, and waits for the process.
fn collect(
    out: PipeReader,
    err: Option<PipeReader>,
    mut child: Child,
) -> io::Result<(Vec<u8>, Vec<u8>, ExitStatus)> {
    let read = |mut pipe: PipeReader| {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).map(|_| bytes)
    };
    let (out, err) = match err {
        None => (read(out)?, Vec::new()),
        Some(err) => {
            let other = std::thread::spawn(move || read(err));
            let out = read(out)?;
            (out, other.join().map_err(|_| io::ErrorKind::Other)??)
        }
    };
    Ok((out, err, child.wait()?))
}

/// Writes both outputs.
fn put_out(out: &[u8], err: &[u8]) {
    // The caller may have closed the other end, as it may while the compiler writes.
    let _ = io::stdout().write_all(out).and_then(|()| io::stdout().flush());
    let _ = io::stderr().write_all(err);
}

fn connect(door: &Door) -> io::Result<UnixStream> {
    let server = UnixStream::connect(door.socket())?;
    server.set_read_timeout(Some(PATIENCE))?;
    server.set_write_timeout(Some(PATIENCE))?;
    Ok(server)
}

fn status_of(status: i32) -> u8 {
    u8::try_from(status).unwrap_or(1)
}

/// A path as a program that is in a directory spells it in full.
fn absolute(dir: &Path, path: &OsStr) -> PathBuf {
    let mut rest = path.as_bytes();
    while let Some(after) = rest.strip_prefix(b"./") {
        rest = after;
        while let Some(after) = rest.strip_prefix(b"/") {
            rest = after;
        }
    }
    dir.join(OsStr::from_bytes(rest))
}

/// Where GCC looks for a precompiled form of a file, before it reads the file.
pub(super) fn precompiled(path: &Path) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(".gch");
    path.into()
}

fn bytes(text: impl AsRef<OsStr>) -> Vec<u8> {
    text.as_ref().as_bytes().to_vec()
}

/// What `PWD` says of the current directory.
fn pwd(dir: &Path) -> Pwd {
    let Some(pwd) = std::env::var_os("PWD").filter(|pwd| Path::new(pwd).is_absolute()) else {
        return Pwd::Unset;
    };
    let identity =
        |path: &Path| std::fs::metadata(path).ok().map(|it| (it.dev(), it.ino(), it.is_dir()));
    match (identity(Path::new(&pwd)), identity(dir)) {
        (None, _) | (Some((.., false)), _) => Pwd::Nothing,
        (one, other) if one == other => Pwd::Current,
        _ => Pwd::Other,
    }
}
