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
//! A no is never taken: whichever flags the compiler names, or all, are asked alone.

use crate::plan::Plan;
use crate::plan::question::Subject;

use super::guard;

/// Flags of a plan that can be tried together, by their questions.
pub fn groups(plan: &Plan) -> Vec<Vec<usize>> {
    let mut groups = guard::alike(plan, |subject| match subject {
        Subject::CompilerFlag(flags) => {
            flags.iter().all(|flag| flag.to_str().is_some_and(stands_by_itself))
        }
        _ => false,
    });
    groups.retain(|group| group.len() > 1);
    groups
}

/// Whether compilers say of an option what they say, whichever others there are.
fn stands_by_itself(flag: &str) -> bool {
    flag.starts_with("-W")
        && guard::warning_fits(flag)
        && !flag.contains('=')
        && !flag.contains("format")
}

#[cfg(test)]
mod tests {
    use super::*;

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
