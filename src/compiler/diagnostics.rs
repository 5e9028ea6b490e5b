//! The messages of compilers that decide verdicts: those that blame something other than the
//! source, and those that reject a flag. Messages that prove shared answers are in the evidence of
//! each technique (`batch/unity/evidence.rs`, `batch/variants`, `check/links/inventory.rs`,
//! `compiler/linker_trace.rs`).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex_lite::Regex;

use super::causes::Cause;
use crate::os::Limit;

/// Messages of compilers that could not judge the source, and their causes. If an output contains
/// several, the first in this table is the cause: a compiler on a full disk also reports a crash.
/// The messages come from GCC, Clang, Flang, binutils, LLD, tcc, and the launchers named here.
static TROUBLES: [(Cause, &[&str]); 17] = [
    (Cause::Quota, &["Disk quota exceeded"]),
    (Cause::DiskFull, &["No space left on device"]),
    (Cause::Limit(Limit::FileSize), &["File size limit exceeded", "File too large"]),
    (Cause::Limit(Limit::CpuTime), &["CPU time limit exceeded"]),
    (Cause::Limit(Limit::OpenFiles), &["Too many open files"]),
    (Cause::Limit(Limit::Processes), &["Resource temporarily unavailable"]),
    (
        Cause::Unwritable,
        &[
            "Read-only file system",
            "Input/output error",
            "Stale file handle",
            "tcc: error: could not write",
            "cannot open output file",
        ],
    ),
    (
        Cause::Memory,
        &[
            "Cannot allocate memory",
            "virtual memory exhausted",
            "out of memory",
            "memory exhausted",
            "failed to map segment from shared object",
            "instance of 'std::bad_alloc'",
        ],
    ),
    (
        Cause::NoBinutils,
        &[
            "cannot execute 'as'",
            "cannot execute \u{2018}as\u{2019}",
            "Executable \"ld\" doesn't exist",
            "Executable \"as\" doesn't exist",
        ],
    ),
    (Cause::Killed, &["Killed signal terminated program", "unable to execute command: Killed"]),
    (
        Cause::Crash,
        &[
            "internal compiler error",
            "PLEASE submit a bug report",
            "PLEASE ATTACH THE FOLLOWING FILES TO THE BUG REPORT",
            "frontend command failed",
            "fatal error: error in backend",
            "Please submit a full bug report",
            "compilation aborted due to internal error",
            "catastrophic error: **Internal compiler error",
        ],
    ),
    (
        Cause::Killed,
        &["signal terminated program", "terminated with signal", "failed due to signal"],
    ),
    (
        Cause::NotStarted,
        &[
            "unable to execute command",
            "cannot execute '",
            "cannot execute `",
            "cannot execute \u{2018}",
            "cannot exec '",
            "failed to exec",
            "error while loading shared libraries",
            "ld returned 126 exit status",
            "ld returned 127 exit status",
        ],
    ),
    (Cause::Busy, &["Text file busy"]),
    (Cause::LinkerFailed, &["ld: internal error", "BFD internal error"]),
    (Cause::NoLicense, &["could not be checked out", "License checkout failed"]),
    (Cause::Launcher, &["ccache: error:", "sccache: error:", "ICECC[", "distcc["]),
];

/// Messages that follow a location in the source, but are not about the source.
const TROUBLES_AT_A_LOCATION: [&str; 5] = [
    "internal compiler error",
    "fatal error: error writing",
    "fatal error: error closing",
    "fatal error: error in backend",
    "Fatal error: can't",
];

/// Why a compiler that failed did not judge the source, and the line that says so; `None` if it
/// seems to have judged. A missing linker is not included: the toolchain has one, as its probe
/// shows, so the question must have asked for another one.
pub(crate) fn trouble(output: &str, source: &str) -> Option<(Cause, String)> {
    let output = without_escapes(output);
    let source: HashSet<&str> = source.lines().map(str::trim).collect();
    let is_about_source = |line: &str| {
        let is_trouble = |message: &str| {
            TROUBLES_AT_A_LOCATION.iter().any(|trouble| message.starts_with(trouble))
        };
        quotes_source(line, &source)
            || message_after_location(line).is_some_and(|it| !is_trouble(it))
    };
    let lines: Vec<_> = output.lines().filter(|line| !is_about_source(line)).collect();
    TROUBLES.iter().find_map(|(cause, texts)| {
        let says = |line: &&&str| texts.iter().any(|text| line.contains(text));
        lines.iter().find(says).map(|line| (*cause, line.to_string()))
    })
}

/// The line that reports that the compiler has no linker at all. A toolchain's probe looks for it.
pub(crate) fn missing_linker_line(output: &str) -> Option<&str> {
    output.lines().find(|line| line.contains("cannot find 'ld'"))
}

/// The message after `FILE:LINE:` or `FILE:LINE:COLUMN:`. It is about the source there, and may
/// repeat any text of it, such as that of an #error, an attribute, or the name of a missing header.
fn message_after_location(line: &str) -> Option<&str> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (_, rest) = line.split_once(':')?;
    let (_, rest) = rest.split_once(':').filter(|(number, _)| is_number(number))?;
    let message = match rest.split_once(':') {
        Some((column, message)) if is_number(column) => message,
        _ => rest,
    };
    Some(message.trim_start())
}

/// Whether a line of a compiler's output repeats a line of the source, with or without a margin.
fn quotes_source(line: &str, source: &HashSet<&str>) -> bool {
    let line = line.trim();
    let margin = line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    margin.starts_with('|') || source.contains(line)
}

/// Messages about a flag that a compiler does not know or ignores, although it exits with 0. The
/// patterns come from CMake (CheckCompilerFlagCommonPatterns) and Meson (the errors that it enables
/// for Clang).
static UNKNOWN_FLAG: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        // GCC, NAG
        r"[Uu]nrecogni[sz]ed .*option",
        r"command[ -]line option .* is valid for .* but not for",
        r"-Werror=.* argument .* is not valid for",
        r"switch .* is no longer supported",
        // Clang, Flang
        r"unknown (warning |argument)?.*option",
        r"unknown argument",
        r"argument unused during compilation",
        r"-Wunused-command-line-argument",
        r"optimization flag .* (is )?not supported",
        r"unsupported option",
        // Intel, MSVC
        r"ignoring unknown option",
        r"ignoring option .*argument (is of wrong type|required)",
        r"option.* not supported",
        r"invalid argument .*option",
        r"warning D9002",
        // NVIDIA (formerly PGI), Cray, IBM, Sun, HP, Fujitsu, Open64, Borland
        r"[Uu]nknown (option|switch|flag)",
        r"File with unknown suffix passed to linker",
        r"An invalid option .*appears on the command line",
        r"command option .* (is not recognized|contains an incorrect subargument)",
        r"Option .* is not recognized",
        r"[Ww]arning: ([Oo]ption|illegal option|[Ii]nvalid suboption)",
        r"Incorrect command line option",
        r"not supported in this configuration\. ignored",
        r"WARNING: (unknown flag:|invalid compiler option)",
        // Linkers
        r"warning: .*-z .* ignored",
        r"unknown -z value",
    ]
    .iter()
    .map(|pattern| Regex::new(pattern).expect("the patterns are valid"))
    .collect()
});

/// Whether the output says that a flag is unknown or unused. Lines that the toolchain's own flags
/// cause for an empty program (`baseline`) do not count, as often as they occur there.
pub(crate) fn says_unknown_flag(output: &str, baseline: &str) -> bool {
    let mut expected: HashMap<&str, usize> = HashMap::new();
    baseline.lines().for_each(|line| *expected.entry(line).or_default() += 1);
    let mut is_expected = |line: &str| match expected.get_mut(line) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    };
    let nothing = HashSet::new();
    let mut lines =
        output.lines().filter(|line| !is_expected(line) && !quotes_source(line, &nothing));
    lines.any(|line| {
        let line = without_escapes(line);
        UNKNOWN_FLAG.iter().any(|pattern| pattern.is_match(&line))
    })
}

/// Text without terminal escapes. Some compilers colour their messages even in a pipe.
pub(crate) fn without_escapes(text: &str) -> Cow<'_, str> {
    if !text.contains('\x1b') {
        return text.into();
    }
    static ESCAPE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("\x1b\\[[0-9;:?]*[A-Za-z]|\x1b\\][^\x07\x1b]*(\x07|\x1b\\\\)").expect("valid")
    });
    ESCAPE.replace_all(text, "")
}

/// The positive form of a flag that disables a warning. Compilers that accept any `-Wno-` reject
/// the positive form of an unknown one (the rule is Meson's `_has_multi_arguments`).
pub(crate) fn positive_form(flag: &str) -> Option<String> {
    let warning = flag.strip_prefix("-Wno-")?;
    // These have no positive form, or one with another meaning.
    if warning.starts_with("attributes=") || warning.starts_with("error") {
        return None;
    }
    let takes_a_size = [
        "alloc-size-larger-than",
        "alloca-larger-than",
        "larger-than",
        "frame-larger-than",
        "stack-usage",
        "vla-larger-than",
    ];
    let size = if takes_a_size.contains(&warning) { "=1000" } else { "" };
    Some(format!("-W{warning}{size}"))
}

/// Clang's message when it stops at its error limit.
pub(crate) const STOPPED_AT_LIMIT: &str =
    "fatal error: too many errors emitted, stopping now [-ferror-limit=]";

/// The line of the output that best explains why a command failed: the first error, rather than the
/// driver's summary of the linker's messages.
pub(crate) fn telling_line(output: &str) -> Option<&str> {
    const SUMMARIES: [&str; 3] = ["ld returned", "linker command failed", "warning:"];
    let is_telling = |line: &&str| !SUMMARIES.iter().any(|summary| line.contains(summary));
    let telling = || output.lines().filter(is_telling);
    let error = telling().find(|line| line.contains("error"));
    error.or_else(|| telling().next()).or_else(|| output.lines().next())
}

/// Whether the compiler rejects one of its arguments, by the error lines of its output.
pub(crate) fn has_unknown_argument(output: &str) -> bool {
    let mut errors = output.lines().filter(|line| line.contains("error:"));
    errors.any(|line| says_unknown_flag(line, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_failures_from_verdicts() {
        const PROCESSES: Cause = Cause::Limit(Limit::Processes);
        const UNWRITABLE: Cause = Cause::Unwritable;
        const SOURCE: &str = "int main(void)\n{\n  puts(\"Too many open files\"), nope;\n}\n";
        for (output, expected) in [
            ("conftest.c:1:1: internal compiler error: Segmentation fault", Cause::Crash),
            ("gcc: internal compiler error: Aborted signal terminated program as", Cause::Crash),
            ("gcc: fatal error: Killed signal terminated program cc1", Cause::Killed),
            (
                "gcc: fatal error: cannot execute \u{2018}cc1obj\u{2019}: execvp: No such file",
                Cause::NotStarted,
            ),
            ("gcc: fatal error: cannot execute 'as': execvp: No such file", Cause::NoBinutils),
            (
                "/tmp/ccX.s: Fatal error: can't write 2 bytes: No space left on device",
                Cause::DiskFull,
            ),
            ("/tmp/ccX.s: Fatal error: can't close: Disk quota exceeded", Cause::Quota),
            (
                "PLEASE submit a bug report to https://x\n\
                 clang: error: unable to execute command: Killed",
                Cause::Killed,
            ),
            (
                "gcc: internal compiler error: File size limit exceeded signal terminated program \
                 as\nPlease submit a full bug report",
                Cause::Limit(Limit::FileSize),
            ),
            (
                "PLEASE submit a bug report to https://x\n\
                 clang: error: unable to execute command: CPU time limit exceeded",
                Cause::Limit(Limit::CpuTime),
            ),
            (
                "PLEASE submit a bug report to https://x\n\
                 LLVM ERROR: IO failure on output stream: No space left on device",
                Cause::DiskFull,
            ),
            (
                "clang: error while loading shared libraries: libLLVM.so: failed to map segment \
                 from shared object",
                Cause::Memory,
            ),
            ("/usr/bin/ld: final link failed: File too large", Cause::Limit(Limit::FileSize)),
            ("gcc: fatal error: fork: Resource temporarily unavailable", PROCESSES),
            ("cc1: error while loading shared libraries: libmpc.so.3", Cause::NotStarted),
            ("clang: error: unable to make temporary file: Read-only file system", UNWRITABLE),
            ("tcc: error: could not write 'conftest.o'", UNWRITABLE),
            (
                "conftest.c:3: fatal error: error writing to x.s: No space left on device",
                Cause::DiskFull,
            ),
        ] {
            let found = trouble(output, SOURCE).map(|(cause, _)| cause);
            assert_eq!(found, Some(expected), "{output}");
        }
        for output in [
            "conftest.c:1:10: fatal error: x.h: No such file or directory",
            "/usr/bin/ld: cannot find -lx: No such file or directory",
            "conftest.c:2:2: error: #error \"No space left on device\"",
            "    2 | char *s = \"internal compiler error\";",
            "  puts(\"Too many open files\"), nope;",
            "conftest.c:1:2: error: \"internal compiler error\"",
            "conftest.c:1:10: fatal error: out of memory: No such file or directory",
            "conftest.c:1:16: error: static_assert failed \"No space left on device\"",
            "collect2: fatal error: cannot find 'ld'",
            "conftest.cpp:(.text+0x9): undefined reference to `std::bad_alloc::what() const'",
            "error: loc(\"conftest.f90\":6:1): not yet implemented: SYNC ALL runtime",
            "",
        ] {
            assert_eq!(trouble(output, SOURCE), None, "{output}");
        }
    }

    #[test]
    fn unknown_flags_are_found_unless_the_toolchain_causes_the_message() {
        let unused = "clang: warning: argument unused during compilation: '-pthread' [-Wunused-command-line-argument]";
        assert!(says_unknown_flag(unused, ""));
        assert!(!says_unknown_flag(unused, unused));
        assert!(says_unknown_flag(
            "\x1b[1mcc1: \x1b[35mwarning:\x1b[0m command-line option '-Wx' is valid for C++ but not for C",
            ""
        ));
        assert!(!says_unknown_flag("conftest.c:1:1: warning: unused variable 'x' [-Wunused]", ""));
    }

    #[test]
    fn positive_forms() {
        assert_eq!(positive_form("-Wno-bogus").as_deref(), Some("-Wbogus"));
        assert_eq!(
            positive_form("-Wno-frame-larger-than").as_deref(),
            Some("-Wframe-larger-than=1000")
        );
        assert_eq!(positive_form("-Wno-attributes=x"), None);
        assert_eq!(positive_form("-Wno-error=x"), None);
        assert_eq!(positive_form("-Wall"), None);
    }
}
