//! Replies: what CMake is to set, to run, or to find out by itself.

use std::io;
use std::path::{Path, PathBuf};

use super::ask::{Ask, Command};
use super::call::{Call, Given};
use super::insertions::Insertions;
use super::recipe;
use super::recipes::Cmake;
use super::reply::{self, Script};
use super::surroundings::is_temporary;
use crate::check::Outcome;
use crate::compiler::diagnostics::without_escapes;
use crate::compiler::verdict::Verdict;
use crate::os;
use crate::protocol::response::How;

/// Starts the word with a program's own arguments, which may look like anything.
pub(super) const MORE: &str = "more:";

/// How a program that was built is to run.
#[derive(Debug, Clone, Copy)]
pub(super) enum Program<'a> {
    /// Now, from this path.
    Runs(&'a Path),
    /// Not at all: it is taken to succeed.
    IsTakenToSucceed,
}

/// The reply that sets what CMake itself would.
pub(super) fn answer(
    ask: &Ask,
    call: &Call,
    cmake: &Cmake,
    outcome: &Outcome,
    program: Option<Program<'_>>,
) -> String {
    let mut script = Script::default();
    script.set("_tryall_todo", "nothing");
    script.set("_tryall_ran", "");
    let compiled = if outcome.verdict == Verdict::Yes { "TRUE" } else { "FALSE" };
    let uncovers = !ask.is_new("0126");
    if !ask.variable("CMAKE_POLICY_WARNING_CMP0126").is_empty() {
        // The script does not run under the caller's policies, of which there is nothing to warn.
        script.set("CMAKE_POLICY_WARNING_CMP0126", "FALSE");
    }
    script.set("_tryall_compiled", compiled);
    if call.no_cache {
        script.set_for_caller(&call.result, compiled);
    } else {
        script.set_cache(&call.result, compiled, "Result of TRY_COMPILE", uncovers);
    }
    let output = output_of(ask, cmake, outcome);
    let compile_output = call.output("COMPILE_OUTPUT_VARIABLE");
    let whole_output = call.output("OUTPUT_VARIABLE");
    if let Some(variable) = compile_output.or(whole_output) {
        script.set_for_caller(variable, &output);
    }
    if let Some(variable) = call.output("COPY_FILE_ERROR") {
        script.set_for_caller(variable, "");
    }
    if let Given::Path(path) = &call.source
        && !is_temporary(path)
    {
        script.depend_on(path);
    }
    if let (Some(variable), Some(program), "TRUE") = (&call.run_result, program, compiled) {
        run(&mut script, ask, call, cmake, (variable, program), &output);
    }
    if ask.is_verified {
        script.set("_tryall_shown", &output);
    }
    if !call.no_log && cmake.version >= (3, 26) {
        script.log(&log(call, outcome, compiled), call.run_result.is_some() && compiled == "TRUE");
    }
    if let Some(dir) = call.binary_dir.as_ref().filter(|_| !ask.is_verified) {
        empty(&Path::new(dir).join("CMakeFiles/CMakeTmp"));
    }
    script.into_text()
}

/// What the log of the configure step tells: the answer, the commands with what they said, and the source.
fn log(call: &Call, outcome: &Outcome, compiled: &str) -> String {
    let how = if outcome.how == How::Stored { "from its store" } else { "by the compiler" };
    let mut text = format!("{}: {compiled}, answered by tryall, {how}\n", call.result);
    for step in &outcome.steps {
        let words = step.command.iter().map(String::as_str);
        let command = shlex::try_join(words).unwrap_or_else(|_| step.command.join(" "));
        text.push_str(&format!("$ {command}\n{}", step.output));
        if step.exit_code != Some(0) {
            let code = step.exit_code.map_or("none".into(), |code| code.to_string());
            text.push_str(&format!("exit code {code}\n"));
        }
    }
    if let Some(source) = &outcome.source {
        text.push_str(&format!("source:\n{source}"));
    }
    text
}

/// Adds what runs a program and sets what came of it.
fn run(
    script: &mut Script,
    ask: &Ask,
    call: &Call,
    cmake: &Cmake,
    (variable, program): (&str, Program<'_>),
    output: &str,
) {
    let merged = call.output("RUN_OUTPUT_VARIABLE").or(call.output("OUTPUT_VARIABLE"));
    let dir = call.working_directory.as_ref().map(|dir| cmake.dir.join(dir));
    let dir = dir.unwrap_or_else(|| cmake.dir.clone()).to_string_lossy().into_owned();
    let emulator = ask.variable("CMAKE_CROSSCOMPILING_EMULATOR");
    let mut words: Vec<String> =
        emulator.split(';').filter(|it| !it.is_empty()).map(str::to_owned).collect();
    match program {
        Program::Runs(path) => {
            words.push(path.to_string_lossy().into_owned());
            let mode = if merged.is_some() { "merged" } else { "parted" };
            let scratch = test_project(path).to_string_lossy().into_owned();
            let mut args =
                vec![mode.to_owned(), scratch, dir, format!("{MORE}{}", call.run_args.join(" "))];
            args.extend(words);
            script.call("_tryall_run", &args);
        }
        Program::IsTakenToSucceed => {
            script.set("_tryall_ran", "0");
            script.set("_tryall_stdout", "");
            script.set("_tryall_stderr", "");
        }
    }
    if call.no_cache {
        script.hand_on(variable, "_tryall_ran");
    } else {
        let help =
            if cmake.version < (3, 25) { "Result of TRY_RUN" } else { "Result of try_run()" };
        script.set_cache(variable, "\"${_tryall_ran}\"", help, !ask.is_new("0126"));
    }
    if let Some(variable) = call.output("OUTPUT_VARIABLE") {
        let text = reply::quoted(output);
        script.line(format_args!("set(_tryall_output {text})"));
        script.line(format_args!("string(APPEND _tryall_output \"${{_tryall_stdout}}\")"));
        script.hand_on(variable, "_tryall_output");
    }
    for (keyword, from) in [
        ("RUN_OUTPUT_VARIABLE", "_tryall_stdout"),
        ("RUN_OUTPUT_STDOUT_VARIABLE", "_tryall_stdout"),
        ("RUN_OUTPUT_STDERR_VARIABLE", "_tryall_stderr"),
    ] {
        if let Some(variable) = call.output(keyword) {
            script.hand_on(variable, from);
        }
    }
}

/// The directory that stands for the test project of a program. With several configurations, the program
/// lies in one below it.
pub(super) fn test_project(program: &Path) -> &Path {
    let is_project = |dir: &&Path| {
        dir.file_name().is_some_and(|name| name.to_string_lossy().starts_with("TryCompile-"))
    };
    program.ancestors().find(is_project).expect("it is in one")
}

fn is_ninja(ask: &Ask) -> bool {
    ask.variable("CMAKE_GENERATOR").starts_with("Ninja")
}

/// Whether the build tool shows commands that succeed. Before 3.26, CMake did not ask Ninja to.
fn shows_commands(ask: &Ask, cmake: &Cmake) -> bool {
    !is_ninja(ask) || cmake.version >= (3, 26)
}

/// What the build tool would have written.
fn output_of(ask: &Ask, cmake: &Cmake, outcome: &Outcome) -> String {
    let make = ask.variable("CMAKE_MAKE_PROGRAM");
    let (is_ninja, shows_commands) = (is_ninja(ask), shows_commands(ask, cmake));
    let is_coloured =
        ask.environment.get("CLICOLOR_FORCE").is_some_and(|it| !it.is_empty() && it != "0");
    let mut text = format!("Run Build Command(s): {make} (by tryall)\n");
    let count = outcome.steps.len().max(1);
    for (index, step) in outcome.steps.iter().enumerate() {
        let words = step.command.iter().map(String::as_str);
        let command = shlex::try_join(words).unwrap_or_else(|_| step.command.join(" "));
        let counted = if is_ninja { format!("[{}/{count}] ", index + 1) } else { String::new() };
        if step.exit_code != Some(0) {
            text.push_str(&format!("{counted}FAILED: \n{command}\n"));
        } else if shows_commands {
            text.push_str(&format!("{counted}{command}\n"));
        }
        // Ninja strips colours, because its own output is no terminal.
        let messages = if is_ninja && !is_coloured {
            without_escapes(&step.output)
        } else {
            step.output.as_str().into()
        };
        text.push_str(&messages);
    }
    text
}

/// The reply that has CMake answer and show its commands. `dir` is the directory of the replies.
pub(super) fn lesson(
    ask: &Ask,
    call: &Call,
    insertions: &Insertions,
    cmake: &Cmake,
    dir: &Path,
) -> String {
    let command = match ask.command {
        Command::TryRun => "__try_run",
        _ => "__try_compile",
    };
    let mut args = recipe::marked(&ask.args, call, insertions, dir);
    let keyword = match ask.command {
        Command::TryRun if call.output("OUTPUT_VARIABLE").is_none() => "COMPILE_OUTPUT_VARIABLE",
        _ => "OUTPUT_VARIABLE",
    };
    let variable = match call.output(keyword) {
        Some(variable) => variable.to_owned(),
        None => {
            args.extend([keyword.to_owned(), "_tryall_output".to_owned()]);
            "_tryall_output".to_owned()
        }
    };
    let mut script = Script::default();
    script.set("_tryall_todo", "learn");
    script.set("_tryall_code", &reply::call(command, &args));
    script.set("_tryall_learn_from", &variable);
    if is_ninja(ask) && !shows_commands(ask, cmake) {
        match verbose_ninja(dir, ask.variable("CMAKE_MAKE_PROGRAM")) {
            Ok(path) => script.call("_tryall_show_commands", &[path.to_string_lossy()]),
            Err(_) => return nothing(),
        }
    }
    script.into_text()
}

/// The name of the script in the directory of the session.
pub(super) const VERBOSE_NINJA: &str = "verbose-ninja";

/// A script that runs Ninja and has it show its commands.
fn verbose_ninja(dir: &Path, ninja: &str) -> io::Result<PathBuf> {
    let path = dir.join(VERBOSE_NINJA);
    let ninja = shlex::try_quote(ninja).map_err(io::Error::other)?;
    os::write_program(&path, &format!("#!/bin/sh\nexec {ninja} -v \"$@\"\n"))?;
    Ok(path)
}

/// The reply that asks for more of the environment: for these variables, or for all.
pub(super) fn environment(names: &[String]) -> String {
    let mut script = Script::default();
    script.set("_tryall_todo", "again");
    if names.is_empty() {
        script.set("_tryall_whole_environment", "TRUE");
    } else {
        script.call("_tryall_ask_for_variables", names);
    }
    script.into_text()
}

/// The reply that leaves a call to CMake.
pub(super) fn nothing() -> String {
    String::new()
}

/// Empties the directory of CMake's test projects, as every call that names its place does.
fn empty(dir: &Path) {
    let Ok(entries) = std::fs::read_dir(dir) else {
        let _ = std::fs::create_dir_all(dir);
        return;
    };
    for entry in entries.flatten() {
        // Files that a file server keeps for somebody.
        if entry.file_name().to_string_lossy().starts_with(".nfs") {
            continue;
        }
        let is_dir = entry.file_type().is_ok_and(|it| it.is_dir());
        let _ = if is_dir {
            std::fs::remove_dir_all(entry.path())
        } else {
            std::fs::remove_file(entry.path())
        };
    }
}
