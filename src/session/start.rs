//! Starts the process of a session, and what CMake starts beside it.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use super::answer::MORE;
use super::reply::Script;
use super::serve::Caller;
use crate::os;

/// Starts a session for the process that has started this one. Returns the session's directory once
/// calls can come.
pub(crate) fn start(caller: &Caller) -> Result<String, String> {
    let text = |error: io::Error| error.to_string();
    let program = std::env::current_exe().map_err(text)?;
    let mut command = Command::new(program);
    command.args(["session", "serve"]).arg(caller.process.to_string());
    command.arg(&caller.program).arg(&caller.root).arg(&caller.version).arg(&caller.place);
    command.current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(text)?;
    let mut line = String::new();
    let stdout = child.stdout.take().expect("it is piped");
    BufReader::new(stdout).read_line(&mut line).map_err(text)?;
    if line.ends_with('\n') {
        return Ok(line.trim_end().to_owned());
    }
    let mut why = String::new();
    let _ = child.stderr.take().expect("it is piped").read_to_string(&mut why);
    Err(why.trim_end().to_owned())
}

/// Runs a program as CMake's `try_run` does, and writes a script for CMake with what it wrote. The status
/// is that of the program. If the program cannot be started, the script says why.
///
/// CMake's own `execute_process` changes what a program writes: it removes bytes that are zero, and
/// carriage returns.
pub(crate) fn run(
    script: &Path,
    is_merged: bool,
    more_args: &str,
    command: &[OsString],
) -> io::Result<ExitStatus> {
    let more_args = more_args.strip_prefix(MORE).ok_or(io::ErrorKind::InvalidInput)?;
    let ended = captured(is_merged, more_args, command);
    let mut text = Script::default();
    match &ended {
        Ok((_, stdout, stderr)) => {
            // CMake takes long to read a long argument.
            for (name, output) in [("_tryall_stdout", stdout), ("_tryall_stderr", stderr)] {
                if output.contains(&b'\r') {
                    // `file(READ)` would drop these.
                    text.set_bytes(name, output);
                    continue;
                }
                let path = script.with_extension(name);
                let bytes: Vec<_> =
                    output.iter().map(|byte| if *byte == 0 { b' ' } else { *byte }).collect();
                std::fs::write(&path, bytes)?;
                text.call("file", &["READ", &path.to_string_lossy(), name]);
            }
        }
        Err(error) => text.set("_tryall_failure", &failure(error)),
    }
    std::fs::write(script, text.into_bytes())?;
    ended.map(|(status, ..)| status)
}

/// What CMake says of a program that cannot be started.
fn failure(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// How a program ended, and what it wrote to standard output and standard error, or to both.
fn captured(
    is_merged: bool,
    more_args: &str,
    command: &[OsString],
) -> io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let (program, args) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(args).args(more_args.split_whitespace());
    if !is_merged {
        let output =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?.wait_with_output()?;
        return Ok((output.status, output.stdout, output.stderr));
    }
    let (mut reader, writer) = io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let child = command.spawn();
    // It holds the other ends of the pipe.
    drop(command);
    let mut child = child?;
    let mut output = Vec::new();
    reader.read_to_end(&mut output)?;
    Ok((child.wait()?, output, Vec::new()))
}

/// Ends this process as another one ended.
pub(crate) fn end_like(status: ExitStatus) -> ExitCode {
    if let Some(signal) = status.signal() {
        os::end_by_signal(signal);
    }
    ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// Writes the environment of this process, each variable ended by a zero.
pub(crate) fn write_environment(path: &Path) -> io::Result<()> {
    let mut bytes = Vec::new();
    for (name, value) in std::env::vars_os() {
        bytes.extend_from_slice(os::bytes_of(&name));
        bytes.push(b'=');
        bytes.extend_from_slice(os::bytes_of(&value));
        bytes.push(0);
    }
    std::fs::write(path, bytes)
}
