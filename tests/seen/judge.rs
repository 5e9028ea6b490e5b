//! Runs a command under strace and under the recorder, and compares what both have seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::sources;

/// A command to judge.
#[derive(Debug, Clone)]
pub struct Case {
    words: Vec<String>,
    env: Vec<(String, String)>,
    /// A text in the reason why not everything is seen. Without it, everything must be.
    gap: Option<&'static str>,
    /// A shell command that prepares the directory.
    before: Option<String>,
}

/// A command in shell syntax.
pub fn case(command: &str) -> Case {
    let words = shlex::split(command).unwrap_or_else(|| panic!("not shell syntax: {command}"));
    Case { words, env: Vec::new(), gap: None, before: None }
}

impl Case {
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    pub fn gap(mut self, text: &'static str) -> Self {
        self.gap = Some(text);
        self
    }

    pub fn before(mut self, command: &str) -> Self {
        self.before = Some(command.into());
        self
    }

    /// The command in a new directory, with an environment that does not depend on the caller.
    fn command(&self, dir: &Path, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(words).current_dir(dir).stdin(Stdio::null());
        let path = "/usr/local/bin:/usr/bin:/bin";
        command.env_clear().env("PATH", path).env("LC_ALL", "C").env("HOME", "/nonexistent");
        command.env("TMPDIR", dir);
        let dir = dir.to_str().expect("a plain name");
        command.envs(self.env.iter().map(|(name, value)| (name, value.replace("@DIR@", dir))));
        command
    }

    fn prepare(&self, dir: &Path) {
        let _ = fs::remove_dir_all(dir);
        sources::write(dir);
        if let Some(before) = &self.before {
            let ended = self.command(dir, "/bin/sh", &["-ec", before]).output().unwrap();
            assert!(ended.status.success(), "{before}: {ended:?}");
        }
    }
}

/// A path that strace saw, whether something was there, and how the look may have been recorded.
type Seen = BTreeSet<(String, bool, Looks)>;

/// Names of looks in the report. All that a look depends on must depend on one of these, too.
type Looks = &'static [&'static str];

const FOLLOWS: Looks = &["Follow", "List"];
const LINK: Looks = &["Link"];
const LIST: Looks = &["List"];
const ANY: Looks = &["Follow", "Link", "List"];

/// Judges all cases, and panics with everything that differs.
pub fn judge(name: &str, cases: &[Case]) {
    let base = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("seen").join(name);
    let mut wrong = String::new();
    for case in cases {
        if let Err(why) = judge_one(&base, case) {
            wrong += &format!(
                "{}\n{why}\n",
                shlex::try_join(case.words.iter().map(String::as_str)).unwrap()
            );
        }
    }
    let _ = fs::remove_dir_all(&base);
    println!("{name}: {} commands", cases.len());
    assert!(wrong.is_empty(), "{wrong}");
}

fn judge_one(base: &Path, case: &Case) -> Result<(), String> {
    let dir = base.join("dir");
    let program = which::which_in(&case.words[0], Some("/usr/local/bin:/usr/bin:/bin"), &dir);
    let program = match &case.words[0] {
        word if word.starts_with("./") => dir.join(&word[2..]),
        word => program.map_err(|_| format!("{word} is missing; tests/install installs it"))?,
    };
    let given = case.words[1..].iter().map(|word| word.replace("@DIR@", dir.to_str().unwrap()));
    let given = Vec::from_iter(given);
    let mut words = vec![program.to_str().unwrap()];
    words.extend(given.iter().map(String::as_str));

    case.prepare(&dir);
    let (traced, status) = traced(base, case, &dir, &words);

    case.prepare(&dir);
    let directory = ["seen", "--dir", dir.to_str().unwrap(), "--"];
    let all = [&directory[..], &words].concat();
    let ended = case.command(&dir, env!("CARGO_BIN_EXE_tryall"), &all).output().unwrap();
    let report: Value = serde_json::from_slice(&ended.stdout)
        .map_err(|error| format!("no report: {error}: {ended:?}"))?;
    compare(case, &dir, &traced, status, &report)
}

fn compare(
    case: &Case,
    dir: &Path,
    traced: &Seen,
    status: Option<i32>,
    report: &Value,
) -> Result<(), String> {
    let gap = report["gap"].as_str();
    if report["exit"].as_i64() != status.map(i64::from) {
        return Err(format!("  exit status {status:?} under strace, {} recorded", report["exit"]));
    }
    match (case.gap, gap) {
        (Some(expected), Some(gap)) if gap.contains(expected) => return Ok(()),
        (None, None) => {}
        _ => return Err(format!("  gap: {gap:?}, expected {:?}", case.gap)),
    }
    let mut recorded = BTreeMap::<_, Vec<_>>::new();
    let mut listed = BTreeSet::new();
    for sight in report["paths"].as_array().unwrap() {
        let [path, look] = ["path", "look"].map(|field| sight[field].as_str().unwrap());
        recorded.entry(path).or_default().push((look, sight["found"] != "Nothing"));
        match look {
            "List" => listed.extend(fs::canonicalize(path)),
            // Where there is no link, nothing is followed.
            "Link"
                if sight["found"]["Stamp"]["mode"].as_u64().is_some_and(|mode| !is_link(mode)) =>
            {
                recorded.entry(path).or_default().push(("Follow", true));
            }
            _ => {}
        }
    }
    let variables = report["variables"].as_array().unwrap();
    let asks_for_user = variables.iter().any(|name| name == "user=");
    let mut missing = String::new();
    for (path, is_there, looks) in traced {
        let is_of_user = asks_for_user && OF_USERS.contains(&path.as_str());
        if is_of_user || is_left_out(path, dir) {
            continue;
        }
        let absent_above = || {
            let mut above = Path::new(path).ancestors().skip(1);
            let recorded = |path: &Path| recorded.get(path.to_str().unwrap());
            above.any(|path| recorded(path).is_some_and(|all| all.iter().any(|it| !it.1)))
        };
        // `realpath` asks for "DIR/" before it follows "..".
        let bare = path.trim_end_matches('/');
        let found = recorded.get(path.as_str()).or_else(|| recorded.get(bare));
        let fits = |(look, was_there): &(&str, bool)| was_there == is_there && looks.contains(look);
        // strace knows a listed directory by its descriptor.
        let is_listed = *looks == LIST && listed.contains(Path::new(path));
        if !is_listed
            && !found.is_some_and(|found| found.iter().any(fits))
            && (found.is_some() || *is_there || !absent_above())
        {
            missing += &format!("  {path}: {is_there}, {looks:?}; recorded {found:?}\n");
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(missing) }
}

/// Whether the mode of a file says that it is a symbolic link.
fn is_link(mode: u64) -> bool {
    mode & 0o170_000 == 0o120_000
}

/// What the C library looks at to find the user's entry. The entry itself is recorded.
const OF_USERS: [&str; 5] =
    ["/etc/nsswitch.conf", "/etc/passwd", "/", "/var/run/nscd/socket", "/run/nscd/socket"];

/// Paths that the recorder leaves out, or that only strace's run looks at.
fn is_left_out(path: &str, dir: &Path) -> bool {
    let dir = dir.to_str().unwrap();
    let is_own = path == dir || path.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'));
    // Links on the way to the command's own directory.
    let leads_there = Path::new(dir).ancestors().any(|above| above == Path::new(path));
    // Devices that are the same everywhere, and files without useful times.
    let is_device = ["/dev/null", "/dev/urandom", "/dev/tty"].contains(&path);
    let is_special = ["/proc/", "/sys/", "/dev/fd/"].iter().any(|dir| path.starts_with(dir));
    is_own || leads_there || is_device || is_special || path.is_empty()
}

/// Runs the command under strace. Returns the paths, and the command's exit status.
fn traced(base: &Path, case: &Case, dir: &Path, words: &[&str]) -> (Seen, Option<i32>) {
    let logs = base.join("strace");
    let _ = fs::remove_dir_all(&logs);
    fs::create_dir_all(&logs).unwrap();
    let prefix = logs.join("log");
    let options = [
        "-ff",
        "-qq",
        "-y",
        "-s",
        "8192",
        "-e",
        "trace=%file,getdents64",
        "-e",
        "signal=none",
        "-o",
        prefix.to_str().unwrap(),
        "--",
    ];
    let all = [&options[..], words].concat();
    let strace = which::which("strace").expect("tests/install installs strace");
    let ended = case.command(dir, strace.to_str().unwrap(), &all).output().unwrap();
    let mut seen = Seen::new();
    let mut made = BTreeSet::new();
    for log in fs::read_dir(&logs).unwrap() {
        let text = fs::read(log.unwrap().path()).unwrap();
        for line in String::from_utf8_lossy(&text).lines() {
            read(line, dir, &mut seen, &mut made);
        }
    }
    // What the command made itself, what is in it, and links on the way there.
    let is_about_made = |path: &str| {
        let path = Path::new(path);
        made.iter().any(|made| path.starts_with(made) || Path::new(made).starts_with(path))
    };
    seen.retain(|(path, ..)| !is_about_made(path));
    (seen, ended.status.code())
}

/// Reads a line such as `openat(AT_FDCWD</dir>, "x", O_RDONLY) = -1 ENOENT (No such file...)`.
fn read(line: &str, dir: &Path, seen: &mut Seen, made: &mut BTreeSet<String>) {
    let Some((call, rest)) = line.split_once('(') else { return };
    let Some((arguments, result)) = rest.rsplit_once(" = ") else { return };
    let arguments = arguments.trim_end();
    let arguments = arguments.strip_suffix(')').unwrap_or(arguments);
    let is_there = match result.split(' ').nth(1) {
        _ if !result.starts_with('-') => true,
        Some("ENOENT") => false,
        _ => true,
    };
    let looks = match call {
        "getdents64" => {
            let descriptor = arguments.split_once('<').and_then(|(_, path)| path.split_once('>'));
            seen.extend(descriptor.map(|(path, _)| (path.into(), true, LIST)));
            return;
        }
        "lstat" | "readlink" | "readlinkat" | "lgetxattr" => LINK,
        _ if arguments.contains("AT_SYMLINK_NOFOLLOW") => LINK,
        // These fail at a link, or are about the name.
        "unlink" | "unlinkat" | "rmdir" | "rename" | "renameat" | "renameat2" => ANY,
        _ if arguments.contains("O_NOFOLLOW") || !is_there => ANY,
        _ => FOLLOWS,
    };
    // A path relative to a directory's descriptor, or to the current directory.
    let mut base = dir.to_path_buf();
    for (index, argument) in arguments_of(arguments).into_iter().enumerate() {
        if let Some(path) = argument.strip_prefix('"') {
            let is_text = matches!(call, "readlink" | "getcwd" | "symlink") && index > 0
                || call == "readlinkat" && index > 1
                || call == "execve" && index > 0
                || call == "getcwd";
            let path = path.trim_end_matches('"');
            if is_text || path.is_empty() {
                continue;
            }
            let path = spelled(&base, path);
            let makes = arguments.contains("O_EXCL") || call.starts_with("mkdir");
            if makes && !result.starts_with('-') {
                made.insert(path.clone());
            }
            seen.insert((path, is_there, looks));
        } else if let Some((_, path)) = argument.split_once('<') {
            base = PathBuf::from(path.trim_end_matches('>'));
        }
    }
}

/// An absolute path, as the recorder spells it.
fn spelled(base: &Path, path: &str) -> String {
    if path.starts_with('/') {
        return path.into();
    }
    let mut path = path;
    while let Some(rest) = path.strip_prefix("./") {
        path = rest.trim_start_matches('/');
    }
    match path {
        "." => base.to_str().unwrap().into(),
        _ => format!("{}/{path}", base.to_str().unwrap()),
    }
}

/// Splits arguments at commas outside of quotes and brackets.
fn arguments_of(text: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let (mut begin, mut depth, mut is_quoted, mut is_escaped) = (0, 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '[' | '{' if !is_quoted => depth += 1,
            ']' | '}' if !is_quoted => depth -= 1,
            ',' if !is_quoted && depth == 0 => {
                all.push(text[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    all.push(text[begin..].trim());
    all
}
