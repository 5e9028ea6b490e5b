//! Resolves toolchains: finds the compiler, adds the flags of the environment, and makes paths
//! absolute.

use std::ffi::{OsStr, OsString};
use std::path::{Path as FilePath, PathBuf};

use crate::compiler::dialect::Dialect;
use crate::os::{self, FileIdentity};
use crate::plan::absolute_paths::{absolute_args, absolute_command};
use crate::plan::template::{Template, TemplateKind};
use crate::protocol;
use crate::protocol::code::{Code, Reason};
use crate::protocol::language::Language;

/// A toolchain ready to run.
#[derive(Debug, Clone)]
pub(crate) struct Toolchain {
    /// Its language.
    pub language: Language,
    /// The syntax of the compiler's command line.
    pub dialect: Dialect,
    /// The explicit commands, if the request gives them. Then `command`, `args` and `link_args` are
    /// empty.
    pub commands: Option<Commands>,
    /// The launcher and the compiler, as on a command line.
    pub command: Vec<OsString>,
    /// The path of the first program in the command, or why it was not found.
    pub program: Result<PathBuf, Reason>,
    /// Arguments of every compile.
    pub args: Vec<OsString>,
    /// Arguments at the end of every link.
    pub link_args: Vec<OsString>,
    /// The arguments of the probe, before its source and at the end of its link.
    pub trial_args: [Vec<OsString>; 2],
    /// The command that runs programs, with the path of the emulator or why it was not found.
    pub emulator: Option<(Vec<OsString>, Result<PathBuf, Reason>)>,
    /// The compiler's environment.
    pub env: Vec<(OsString, OsString)>,
    /// The environment of the programs of checks.
    pub program_env: Vec<(OsString, OsString)>,
    /// Whether the compiler's own temporary files may go into the check's directory.
    pub private_temp: bool,
    /// The environment variables and the commands that the request gives.
    given: protocol::Toolchain,
    /// The compiler, launchers and linkers, with their identity when they were found.
    programs: Vec<(PathBuf, FileIdentity)>,
}

impl Toolchain {
    /// The first of its programs that was replaced. Answers of another program do not count. A
    /// program that is gone was the right one as long as it could be started.
    pub(crate) fn replaced(&self) -> Option<&FilePath> {
        let is_another = |(path, identity): &&(PathBuf, FileIdentity)| {
            os::file_identity(path).is_some_and(|now| now != *identity)
        };
        self.programs.iter().find(is_another).map(|(path, _)| path.as_path())
    }

    /// The first of its programs that no longer exists.
    pub(crate) fn missing(&self) -> Option<&FilePath> {
        self.programs.iter().map(|(path, _)| path.as_path()).find(|path| !path.exists())
    }

    /// The `PATH` on which the compiler looks for programs, if it is set.
    pub(crate) fn path(&self) -> Option<&OsStr> {
        self.variable("PATH").filter(|path| !path.is_empty())
    }

    /// The value of a variable in the environment of its commands.
    pub(crate) fn variable(&self, name: &str) -> Option<&OsStr> {
        let found = self.env.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_os_str())
    }

    /// Whether the request sets a variable for the commands.
    pub(crate) fn sets(&self, variable: &str) -> bool {
        self.given.env.contains_key(variable)
    }

    /// The toolchain as a request that depends on no variable of the environment for its compiler
    /// and flags. `None` if it has words that are not UTF-8.
    pub(crate) fn as_given(&self) -> Option<protocol::Toolchain> {
        let texts = |words: &[OsString]| -> Option<Vec<String>> {
            words.iter().map(|word| word.to_str().map(String::from)).collect()
        };
        let env = self.given.env.clone();
        let common =
            protocol::Toolchain { language: Some(self.language), env, ..Default::default() };
        if self.commands.is_some() {
            let (compile, link) = (self.given.compile.clone(), self.given.link.clone());
            return Some(protocol::Toolchain { compile, link, ..common });
        }
        let command = Some(texts(&self.command)?);
        let (args, link_args) = (texts(&self.args)?, texts(&self.link_args)?);
        Some(protocol::Toolchain { command, args, link_args, ..common })
    }

    /// The first program of its commands that hands compiles on, or answers from a cache of its own,
    /// even under the name of a compiler.
    pub(crate) fn launcher(&self) -> Option<String> {
        let explicit = self.commands.iter().flat_map(|commands| {
            let link = commands.link.iter().flat_map(|(link, _)| link.fixed_words());
            commands.compile.fixed_words().chain(link)
        });
        let words = self.command.iter().map(OsString::as_os_str).chain(explicit);
        let programs = self.programs.iter().filter_map(|(path, _)| path.canonicalize().ok());
        let mut all = words.map(OsString::from).chain(programs.map(OsString::from));
        all.find(|word| is_server(word) || is_one_of(word, &CACHES))
            .map(|word| word.to_string_lossy().into_owned())
    }

    /// Changes when one of its programs is replaced.
    pub(crate) fn identity(&self) -> String {
        format!("{:?}", self.programs)
    }
}

/// Existing files with their identities.
fn identified<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> Vec<(PathBuf, FileIdentity)> {
    let file = |path: &'a PathBuf| Some((path.clone(), os::file_identity(path)?));
    files.into_iter().filter_map(file).collect()
}

/// The explicit commands of a toolchain. The toolchain's `program` is that of `compile`.
#[derive(Debug, Clone)]
pub(crate) struct Commands {
    /// Compiles the source to the object file.
    pub compile: Template,
    /// Links the object file to the program; with the path of the linker, or why it was not found.
    pub link: Option<(Template, Result<PathBuf, Reason>)>,
}

/// What toolchains inherit from this process.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    /// The environment variables.
    pub env: Vec<(OsString, OsString)>,
    /// The current directory.
    pub dir: PathBuf,
}

impl Environment {
    /// The environment of this process.
    pub(crate) fn of_process() -> std::io::Result<Self> {
        Ok(Environment { env: std::env::vars_os().collect(), dir: std::env::current_dir()? })
    }

    fn variable(&self, name: &str) -> Option<&OsStr> {
        let found = self.env.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_os_str()).filter(|value| !value.is_empty())
    }

    /// The words of a variable, split as a shell would.
    fn words(&self, name: &str) -> Result<Option<Vec<String>>, Reason> {
        let Some(value) = self.variable(name) else { return Ok(None) };
        let cannot = |why: String| {
            Reason::new(Code::InvalidEnvironment, format!("the environment's {name} {why}"))
        };
        let value = value.to_str().ok_or_else(|| cannot("is not UTF-8".into()))?;
        let words =
            shlex::split(value).ok_or_else(|| cannot(format!("has an unclosed quote: {value}")))?;
        Ok(Some(words).filter(|words| !words.is_empty()))
    }
}

/// Launchers that hand compiles to a server. The server may outlive the check, and would keep using
/// the check's directory for temporary files.
const SERVERS: [&str; 7] = ["sccache", "icecc", "distcc", "buildcache", "recc", "goma", "pump"];

/// Launchers without a server that answer from a cache.
const CACHES: [&str; 1] = ["ccache"];

/// Launchers that do neither.
const OTHER_LAUNCHERS: [&str; 1] = ["env"];

/// Make's variables. tryall manages the slots itself; a compiler that reads these would wait for
/// tokens of its own.
const MAKE_VARIABLES: [&str; 4] = ["MAKEFLAGS", "CARGO_MAKEFLAGS", "MFLAGS", "MAKELEVEL"];

/// What a shell notes about itself. It says nothing about the check's directory.
const SHELL_VARIABLES: [&str; 2] = ["OLDPWD", "_"];

/// Resolves the toolchain of a language from the request, or else from the environment. `base` is
/// the directory that relative paths of the request start from.
///
/// Fails if the request or an environment variable is invalid. A missing compiler is not a failure
/// here: its checks end in `error`.
pub(crate) fn resolve(
    language: Language,
    given: Option<&protocol::Toolchain>,
    base: &FilePath,
    environment: &Environment,
) -> Result<Toolchain, Reason> {
    let nothing = protocol::Toolchain::default();
    let given = given.unwrap_or(&nothing);
    let env = variables(given, environment);
    let emulator = (!given.emulator.is_empty()).then(|| {
        let command = absolute_command(&given.emulator, base);
        let file = find(&command[0], &env, Tool::Emulator);
        (command, file)
    });
    if let Some(compile) = &given.compile {
        return with_explicit_commands(language, given, compile, env, emulator);
    }

    let mut args = Vec::new();
    let mut link_args = absolute_args(&given.link_args, base);
    let command = match &given.command {
        Some(command) => absolute_command(command, base),
        None => {
            for words in language.flag_variables(|name| environment.words(name).transpose()) {
                args.extend(absolute_args(&words?, &environment.dir));
            }
            let linker_flags = environment.words("LDFLAGS")?.unwrap_or_default();
            // Put these before the toolchain's own libraries, because -L must precede -l.
            link_args.splice(0..0, absolute_args(&linker_flags, &environment.dir));
            absolute_command(&environment_command(language, environment)?, &environment.dir)
        }
    };
    args.extend(absolute_args(&given.args, base));

    let command = [absolute_command(&given.launcher, base), command].concat();
    let private_temp = has_private_temp(given, command.iter().map(OsString::as_os_str));
    let mut compiler_env = env.clone();
    if !given.env.contains_key("LC_ALL") {
        // This program reads the messages, and knows them in this locale.
        set(&mut compiler_env, "LC_ALL", "C");
    }
    let program = find(&command[0], &env, Tool::Compiler);
    let launched = command.iter().zip(&command[1..]).take_while(|(word, _)| is_launcher(word));
    let launched: Vec<_> =
        launched.filter_map(|(_, next)| find(next, &env, Tool::Compiler).ok()).collect();
    Ok(Toolchain {
        language,
        dialect: Dialect::default(),
        commands: None,
        programs: identified(program.iter().chain(&launched)),
        program,
        command,
        args,
        link_args,
        trial_args: [&given.trial_args, &given.trial_link_args]
            .map(|args| absolute_args(args, base)),
        emulator,
        env: compiler_env,
        program_env: env,
        private_temp,
        given: given.clone(),
    })
}

/// A toolchain with explicit commands. Nothing is added to them, and only `TMPDIR` to their
/// environment.
fn with_explicit_commands(
    language: Language,
    given: &protocol::Toolchain,
    compile: &[String],
    env: Vec<(OsString, OsString)>,
    emulator: Option<(Vec<OsString>, Result<PathBuf, Reason>)>,
) -> Result<Toolchain, Reason> {
    let read = |words: &[String], kind, tool| -> Result<_, Reason> {
        let template =
            Template::parse(words, kind).map_err(|why| Reason::new(Code::InvalidValue, why))?;
        Ok((template, find(OsStr::new(&words[0]), &env, tool)))
    };
    let (compile, program) = read(compile, TemplateKind::Compile, Tool::Compiler)?;
    let link = given
        .link
        .as_ref()
        .map(|words| read(words, TemplateKind::Link, Tool::Linker))
        .transpose()?;
    let commands = Commands { compile, link };
    let linked = commands.link.iter().flat_map(|(link, _)| link.fixed_words());
    let private_temp = has_private_temp(given, commands.compile.fixed_words().chain(linked));
    let linker = commands.link.iter().filter_map(|(_, linker)| linker.as_ref().ok());
    Ok(Toolchain {
        language,
        dialect: Dialect::default(),
        programs: identified(program.iter().chain(linker)),
        commands: Some(commands),
        command: Vec::new(),
        program,
        args: Vec::new(),
        link_args: Vec::new(),
        trial_args: Default::default(),
        emulator,
        env: env.clone(),
        program_env: env,
        private_temp,
        given: given.clone(),
    })
}

/// The compiler that the environment names, or the default of the language.
fn environment_command(
    language: Language,
    environment: &Environment,
) -> Result<Vec<String>, Reason> {
    for name in language.command_variables() {
        if let Some(words) = environment.words(name)? {
            return Ok(words);
        }
    }
    Ok(vec![language.default_command().into()])
}

/// The environment for a toolchain's commands, with an absolute `PATH` and without make's
/// variables.
fn variables(given: &protocol::Toolchain, environment: &Environment) -> Vec<(OsString, OsString)> {
    let mut env = environment.env.clone();
    env.retain(|(name, _)| !MAKE_VARIABLES.iter().chain(&SHELL_VARIABLES).any(|it| name == it));
    if let Some((_, path)) = env.iter_mut().find(|(name, _)| name == "PATH") {
        // An empty entry means the current directory, too.
        let entries = std::env::split_paths(path).map(|entry| environment.dir.join(entry));
        if let Ok(absolute) = std::env::join_paths(entries) {
            *path = absolute;
        }
    }
    for (name, value) in &given.env {
        set(&mut env, name, value);
    }
    env
}

/// Sets a variable in an environment.
pub(crate) fn set(env: &mut Vec<(OsString, OsString)>, name: &str, value: impl Into<OsString>) {
    env.retain(|(key, _)| key != name);
    env.push((name.into(), value.into()));
}

/// Whether the compiler's temporary files may go into the check's directory.
fn has_private_temp<'a>(
    given: &protocol::Toolchain,
    mut words: impl Iterator<Item = &'a OsStr>,
) -> bool {
    !given.env.contains_key("TMPDIR") && !words.any(is_server)
}

fn is_server(word: &OsStr) -> bool {
    is_one_of(word, &SERVERS)
}

/// Whether a word of a command is a program that starts the compiler.
pub(crate) fn is_launcher(word: &OsStr) -> bool {
    is_server(word) || is_one_of(word, &CACHES) || is_one_of(word, &OTHER_LAUNCHERS)
}

fn is_one_of(word: &OsStr, names: &[&str]) -> bool {
    FilePath::new(word).file_stem().is_some_and(|stem| names.iter().any(|name| stem == *name))
}

/// The role of a command.
#[derive(Clone, Copy)]
enum Tool {
    Compiler,
    Linker,
    Emulator,
}

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Tool::Compiler => "compiler",
            Tool::Linker => "linker",
            Tool::Emulator => "emulator",
        }
    }

    /// The code if the program does not exist.
    fn missing(self) -> Code {
        match self {
            Tool::Compiler => Code::CompilerMissing,
            Tool::Linker => Code::LinkerMissing,
            Tool::Emulator => Code::EmulatorFailed,
        }
    }

    /// The code if the program exists but cannot be run.
    fn not_started(self) -> Code {
        match self {
            Tool::Compiler | Tool::Linker => Code::CompilerNotStarted,
            Tool::Emulator => Code::EmulatorFailed,
        }
    }
}

/// The path of a command's program.
fn find(word: &OsStr, env: &[(OsString, OsString)], tool: Tool) -> Result<PathBuf, Reason> {
    let (shown, what) = (word.to_string_lossy(), tool.name());
    let path = env.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_os_str());
    let has_path = path.is_some_and(|path| !path.is_empty());
    // Without PATH, search where the C library does. All entries are absolute, as is a word with a
    // slash, so the current directory does not matter.
    let path = path.unwrap_or(OsStr::new("/bin:/usr/bin"));
    which::which_in(word, Some(path), "/").map_err(|_| {
        let file = FilePath::new(word);
        let words: Vec<_> = shown.split_whitespace().collect();
        let mut code = tool.missing();
        let text = if words.len() > 1 && !file.exists() {
            format!(
                "the {what} {shown:?} does not exist; if these are several words, give each one \
                 separately: {words:?}"
            )
        } else if !file.is_absolute() && !has_path {
            format!("the {what} {shown} is not in {path:?}, and PATH is not set; set it, or name the {what} by its path")
        } else if !file.is_absolute() {
            format!("the {what} {shown} is not on PATH; install it or name another one")
        } else if file.is_dir() {
            format!("the {what} {shown} is a directory; name the program in it")
        } else if file.exists() {
            code = tool.not_started();
            let noexec = file.parent().is_some_and(os::is_noexec);
            let remedy = if noexec { "remount its file system without noexec" } else { "set its permissions" };
            format!("the {what} {shown} is not executable; {remedy} or name another one")
        } else {
            format!("the {what} {shown} does not exist; install it or name another one")
        };
        Reason::new(code, text)
    })
}
