//! Flags that are tried together.
//!
//! # Why a yes is the single one
//!
//! One compile of an empty program with all flags that succeeds without a word: GCC and Clang have
//! complained of none. They look at each option as they read it, whichever others there are, and
//! say that they do not know it, or that it is for another language. What could keep such a
//! complaint back is one of the options themselves, and those that can are kept out:
//!
//! * what turns warnings off (`-w`, `-Wno-…`), such as `-Wno-unknown-warning-option`;
//! * what is an option to something else (`-Wl,`, `-Wp,`, `-Wa,`) or has a value;
//! * what needs another: GCC ignores `-Wformat-security` without `-Wformat`, and says so only
//!   then. All of these are about formats.
//!
//! So only plain `-W` options are tried together. All others (`-f`, `-m`, `-std=`) may be refused,
//! replaced or ignored because of each other.
//!
//! # Why a no is the single one
//!
//! Only that of an option that the compiler says it does not know, in a line of its own, where no other
//! line is of another kind ([`refused`]). It looks for each in its list, and what turns that off is
//! kept out. GCC's driver stops then, and so says nothing of the others; Clang goes on.
//!
//! Whichever other flags the compiler names, or all, are asked alone.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex_lite::Regex;

use crate::plan::Plan;
use crate::plan::question::{Code, Question, Subject};

use super::evidence::is_count;
use super::{beside, grouped, guard};

/// Flags of a plan that can be tried together, by their questions.
pub fn groups(plan: &Plan) -> Vec<Vec<usize>> {
    let mut groups = guard::alike(plan, |subject| match subject {
        Subject::CompilerFlag(flags) => {
            flags.iter().all(|flag| flag.to_str().is_some_and(stands_by_itself))
        }
        _ => false,
    });
    groups.extend(sources(plan));
    groups.retain(|group| group.len() > 1);
    groups
}

/// Empty programs of the caller's that differ only in such flags, as CMake's modules try them: by
/// commands in full, with a definition that nothing in them can see.
fn sources(plan: &Plan) -> Vec<Vec<usize>> {
    let may_be_beside = beside::candidates(plan);
    let keyed = guard::at_once(plan).into_iter().filter_map(|index| {
        let question = &plan.questions[index];
        let toolchain = &plan.toolchains[question.toolchain];
        let commands = toolchain.commands.as_ref()?;
        let (flags, others): (Vec<_>, Vec<_>) =
            question.args.iter().partition(|arg| arg.to_str().is_some_and(stands_by_itself));
        let fits = may_be_beside[index]
            && !flags.is_empty()
            && is_empty_program(question)
            && question.product.is_none()
            && question.fail_patterns.is_empty()
            && beside::seen_definitions(question).is_empty();
        let link = commands.link.as_ref().map(|(template, _)| template);
        let command = (&commands.compile, link, &toolchain.env, toolchain.language, others);
        fits.then_some(((command, &question.link_args, &question.subject), index))
    });
    grouped(keyed)
}

fn is_empty_program(question: &Question) -> bool {
    let Subject::Source { code: Code::Text { source, .. }, .. } = &question.subject else {
        return false;
    };
    let text: String = source.split_whitespace().collect();
    question.headers.is_empty()
        && question.prefix.is_empty()
        && ["intmain(void){return0;}", "intmain(){return0;}"].contains(&text.as_str())
}

/// The flags that a question tries.
pub fn tried(question: &Question) -> impl Iterator<Item = &str> {
    let flags = match &question.subject {
        Subject::CompilerFlag(flags) => flags,
        _ => &question.args,
    };
    flags.iter().filter_map(|flag| flag.to_str()).filter(|flag| stands_by_itself(flag))
}

/// Whether compilers say of an option what they say, whichever others there are.
fn stands_by_itself(flag: &str) -> bool {
    flag.starts_with("-W")
        && guard::warning_fits(flag)
        && !flag.contains('=')
        && !flag.contains("format")
}

/// The options that a compiler says it does not know; `None` if it says anything else.
pub fn refused(output: &str) -> Option<HashSet<&str>> {
    static UNKNOWN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"^(?:\S+: error: unrecognized command-line option|warning: unknown warning option) '(-W[a-z0-9+-]+)'(?:; did you mean '[^']+'\?)?(?: \[-Wunknown-warning-option\])?$",
        )
        .expect("the pattern is valid")
    });
    let mut options = HashSet::new();
    for line in output.lines().filter(|line| !is_count(line)) {
        options.insert(UNKNOWN.captures(line)?.get(1)?.as_str());
    }
    Some(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_about_unknown_options_are_taken() {
        let gcc = "cc: error: unrecognized command-line option '-Wa-b'; did you mean '-Wx'?\n\
                   cc: error: unrecognized command-line option '-Wc'\n";
        let clang = "warning: unknown warning option '-Wa-b'; did you mean '-Wx'? [-Wunknown-warning-option]\n\
                     warning: unknown warning option '-Wc' [-Wunknown-warning-option]\n\
                     2 warnings generated.\n";
        for output in [gcc, clang] {
            assert_eq!(refused(output), Some(HashSet::from(["-Wa-b", "-Wc"])));
        }
        for other in [
            "cc1: warning: command-line option '-Wc' is valid for C++ but not for C\n",
            "conftest.c:1:1: error: unrecognized command-line option '-Wc'\nx\n",
            "cc: error: unrecognized command-line option '-fc'\n",
        ] {
            assert_eq!(refused(&[gcc, other].concat()), None, "{other}");
        }
    }

    #[test]
    fn only_plain_warnings_stand_by_themselves() {
        for good in ["-Wall", "-Wextra", "-Wc++-compat", "-Wno", "-Wundef", "-Wpedantic"] {
            assert!(stands_by_itself(good), "{good}");
        }
        for bad in [
            "-W",
            "-w",
            "-Wno-all",
            "-Werror",
            "-Werror=all",
            "-Wfatal-errors",
            "-Wformat",
            "-Wformat-security",
            "-Wmissing-format-attribute",
            "-Wsuggest-attribute=format",
            "-Wformat=2",
            "-Wstack-usage=5",
            "-Wl,--as-needed",
            "-Wsystem-headers",
            "-O2",
            "-std=c11",
            "-fPIC",
            "-pedantic",
            "all",
        ] {
            assert!(!stands_by_itself(bad), "{bad}");
        }
    }
}
