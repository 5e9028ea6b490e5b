//! What is known about the programs that compilers consist of.

use std::ffi::OsStr;
use std::path::Path;

use crate::bytes::contains;
use crate::os::Stamp;

/// Programs of one origin that read the environment only through `getenv`, or hand it on to programs
/// that are seen themselves. What else they do with it (such as to measure it when memory is short)
/// does not change what they answer.
struct Family {
    /// What marks them. Wrappers often have their names.
    mark: Mark,
    /// Their names, without the target's prefix and the version's suffix.
    names: &'static [&'static str],
}

/// What tells a program from another one of the same name.
enum Mark {
    /// A text that is in it.
    Text(&'static [u8]),
    /// It loads a library whose name begins like one of these.
    Library(&'static [&'static [u8]]),
}

#[rustfmt::skip]
const READ_BY_NAME: [Family; 4] = [
    // GCC's drivers and what they start. The text is the variable by which they tell others what they are.
    Family {
        mark: Mark::Text(b"COLLECT_GCC"),
        names: &[
            "gcc", "g++", "cc", "c++", "gfortran", "gdc", "cpp", "cc1", "cc1plus", "cc1obj", "cc1objplus", "f951",
            "lto1", "lto-wrapper", "collect2",
        ],
    },
    Family {
        mark: Mark::Text(b"GNU Binutils"),
        names: &["as", "ld", "ld.bfd", "ld.gold", "gold", "ar", "nm", "ranlib", "objcopy", "strip"],
    },
    Family {
        mark: Mark::Library(&[b"libLLVM", b"libclang-cpp"]),
        names: &["clang", "clang++", "flang", "flang-new", "lld", "ld.lld"],
    },
    Family { mark: Mark::Text(b"tcc version"), names: &["tcc"] },
];

/// A program of so many bytes needs no mark: no wrapper is that large.
const TOO_LARGE_FOR_A_WRAPPER: u64 = 8 << 20;

/// Whether this program certainly reads the environment only by name.
///
/// Any other program may look at all of it, through `environ` or the third argument of `main`.
pub(super) fn reads_by_name(executable: &OsStr, size: u64, needed: &[Vec<u8>]) -> bool {
    let name = Path::new(executable).file_name().unwrap_or_default().to_string_lossy();
    let Some((family, _)) = known(&name) else { return false };
    let loads = |start: &&[u8]| needed.iter().any(|name| name.starts_with(start));
    size >= TOO_LARGE_FOR_A_WRAPPER
        || match family.mark {
            Mark::Text(mark) => contains(&std::fs::read(executable).unwrap_or_default(), mark),
            Mark::Library(starts) => starts.iter().any(loads),
        }
}

/// Whether a program is called like one of these.
pub(crate) fn is_compiler(path: &OsStr) -> bool {
    let name = Path::new(path).file_name().unwrap_or_default();
    known(&name.to_string_lossy()).is_some()
}

/// Shells look at the clock when they start, in case a script asks them for the time.
const SHELLS: [&str; 6] = ["bash", "dash", "sh", "ksh", "mksh", "zsh"];

/// Whether a program is a shell.
pub(super) fn is_shell(executable: &OsStr) -> bool {
    let name = Path::new(executable).file_name();
    name.is_some_and(|name| SHELLS.iter().any(|shell| name == *shell))
}

/// Whether the text of a script asks its shell for what is different at every moment.
pub(super) fn asks_its_shell(script: &OsStr) -> bool {
    // `$SECONDS` and `$EPOCHSECONDS`, `$EPOCHREALTIME`, `$RANDOM` and `$SRANDOM`; `printf '%(...)T'`.
    let words = [&b"SECONDS"[..], b"EPOCHREALTIME", b"RANDOM", b"%("];
    let text = std::fs::read(script).unwrap_or_default();
    words.iter().any(|word| contains(&text, word))
}

/// Programs that compile and link by starting others.
const COMPILE_AND_LINK: [&str; 10] =
    ["gcc", "g++", "cc", "c++", "gfortran", "clang", "clang++", "flang", "flang-new", "tcc"];

/// Whether a program of this name compiles and links, with a target or a version in the name or without.
pub(crate) fn compiles_and_links(name: &str) -> bool {
    known(name).is_some_and(|(_, known)| COMPILE_AND_LINK.contains(&known))
}

/// What MinGW adds to the names of its compilers, for their kinds of threads.
const THREADS: [&str; 2] = ["-win32", "-posix"];

/// The entry of the table for the name of a file, such as `x86_64-linux-gnu-gcc-12`.
fn known(name: &str) -> Option<(&'static Family, &'static str)> {
    let name = THREADS.iter().find_map(|threads| name.strip_suffix(threads)).unwrap_or(name);
    let is_version = |c: char| c.is_ascii_digit() || c == '.';
    let bare = name.trim_end_matches(is_version);
    let bare = if bare.len() < name.len() { bare.strip_suffix('-').unwrap_or(bare) } else { name };
    // `cc1` and `collect2` end in a digit that is no version.
    let is_it = |(_, known): &(_, &str)| {
        let ends = |name: &str| {
            let prefix = name.strip_suffix(known);
            prefix.is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('-'))
        };
        ends(name) || ends(bare)
    };
    let all =
        READ_BY_NAME.iter().flat_map(|family| family.names.iter().map(move |it| (family, *it)));
    all.filter(is_it).max_by_key(|(_, known)| known.len())
}

/// Environment variables that the C library reads when a program asks for its locale, unless
/// `LC_ALL` says which.
#[rustfmt::skip]
pub(super) const OF_LANGUAGE: [&str; 15] = [
    "LANG", "LANGUAGE", "LC_ADDRESS", "LC_COLLATE", "LC_CTYPE", "LC_IDENTIFICATION",
    "LC_MEASUREMENT", "LC_MESSAGES", "LC_MONETARY", "LC_NAME", "LC_NUMERIC", "LC_PAPER",
    "LC_TELEPHONE", "LC_TIME", "OUTPUT_CHARSET",
];

/// Environment variables that the loader and the C library read themselves, in every program.
#[rustfmt::skip]
pub(super) const ALWAYS_READ: [&str; 38] = [
    "GCONV_PATH", "GETCONF_DIR", "GLIBC_TUNABLES", "LC_ALL", "LD_ASSUME_KERNEL", "LD_AUDIT",
    "LD_BIND_NOT", "LD_BIND_NOW", "LD_DEBUG", "LD_DEBUG_OUTPUT", "LD_DYNAMIC_WEAK",
    "LD_HWCAP_MASK", "LD_LIBRARY_PATH", "LD_ORIGIN_PATH", "LD_POINTER_GUARD",
    "LD_PREFER_MAP_32BIT_EXEC", "LD_PRELOAD", "LD_PROFILE", "LD_PROFILE_OUTPUT", "LD_SHOW_AUXV",
    "LD_TRACE_LOADED_OBJECTS", "LD_USE_LOAD_BIAS", "LD_VERBOSE", "LD_WARN", "LOCPATH",
    "MALLOC_ARENA_MAX", "MALLOC_ARENA_TEST", "MALLOC_CHECK_", "MALLOC_MMAP_MAX_",
    "MALLOC_MMAP_THRESHOLD_", "MALLOC_PERTURB_", "MALLOC_TCACHE_COUNT", "MALLOC_TOP_PAD_",
    "MALLOC_TRIM_THRESHOLD_", "NLSPATH", "POSIXLY_CORRECT", "TZ", "TZDIR",
];

/// What a file of `/proc` or `/sys` can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    /// Nothing that an answer could depend on: it is about the process itself.
    Harmless,
    /// How many processors and how much memory there are. Compilers and linkers only decide with
    /// it how many threads to start and how much memory to use.
    Machine,
    /// The environment.
    Environment,
    /// An open file, which whoever started the command may have opened.
    Descriptor,
    /// Something else.
    Unknown,
}

/// What a path says if it is below `/proc` or `/sys`, or names an open file.
pub(super) fn special(path: &[u8]) -> Option<Special> {
    // Standard input is empty, and the others are for output.
    let streams = [
        &b"/dev/stdin"[..],
        b"/dev/stdout",
        b"/dev/stderr",
        b"/dev/tty",
        b"/dev/fd/0",
        b"/dev/fd/1",
        b"/dev/fd/2",
    ];
    if streams.contains(&path) {
        return Some(Special::Harmless);
    }
    if path.starts_with(b"/dev/fd/") {
        return Some(Special::Descriptor);
    }
    let is_below =
        |dir: &[u8]| path.strip_prefix(dir).is_some_and(|rest| rest.first() == Some(&b'/'));
    if is_below(b"/sys") {
        let is_machine = is_below(b"/sys/devices/system/cpu") || is_below(b"/sys/fs/cgroup");
        return Some(if is_machine { Special::Machine } else { Special::Unknown });
    }
    let rest = path.strip_prefix(b"/proc/")?;
    // Another process is not the command's own business, and by its number each is another.
    let Some(own) = rest.strip_prefix(b"self/") else {
        let is_machine =
            [&b"cpuinfo"[..], b"meminfo", b"stat", b"sys/vm/overcommit_memory"].contains(&rest);
        return Some(match rest {
            // Read by libselinux, in most programs of a shell script.
            b"self" | b"filesystems" => Special::Harmless,
            _ if is_machine => Special::Machine,
            _ => Special::Unknown,
        });
    };
    let first = own.split(|byte| *byte == b'/').next().unwrap_or_default();
    Some(match first {
        b"exe" | b"maps" | b"status" | b"stat" | b"statm" | b"cmdline" | b"auxv" | b"comm"
        | b"limits" => Special::Harmless,
        b"fd" if own != b"fd" => Special::Descriptor,
        b"fd" => Special::Harmless,
        b"cgroup" | b"mountinfo" => Special::Machine,
        b"environ" => Special::Environment,
        _ => Special::Unknown,
    })
}

/// Whether a path is a device that is the same on every machine.
pub(super) fn is_common_device(path: &[u8], stamp: &Stamp) -> bool {
    let name = path.strip_prefix(b"/dev/").unwrap_or_default();
    stamp.is_device() && [&b"null"[..], b"zero", b"full", b"random", b"urandom"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compilers_are_known_under_all_their_names() {
        for (name, entry) in [
            ("gcc", Some("gcc")),
            ("x86_64-linux-gnu-gcc-12", Some("gcc")),
            ("aarch64-linux-gnu-g++-12.2", Some("g++")),
            ("x86_64-w64-mingw32-gcc-win32", Some("gcc")),
            ("x86_64-w64-mingw32-g++-12-posix", Some("g++")),
            ("cc1plus", Some("cc1plus")),
            ("clang-14", Some("clang")),
            ("clang++", Some("clang++")),
            ("flang-new-16", Some("flang-new")),
            ("x86_64-linux-gnu-ld.bfd", Some("ld.bfd")),
            ("ccache", None),
            ("mygcc", None),
            ("python3.11", None),
        ] {
            assert_eq!(known(name).map(|(_, known)| known), entry, "{name}");
        }
    }

    #[test]
    fn a_small_clang_without_llvm_is_a_wrapper() {
        let needed = vec![b"libclang-cpp.so.14".to_vec()];
        assert!(reads_by_name(OsStr::new("/usr/lib/llvm-14/bin/clang"), 100_000, &needed));
        assert!(reads_by_name(OsStr::new("/opt/llvm/bin/clang-20"), 120_000_000, &[]));
        assert!(!reads_by_name(OsStr::new("/home/me/bin/clang"), 16_000, &[]));
    }

    #[test]
    fn special_files_are_told_apart() {
        for (path, expected) in [
            ("/proc/self/maps", Some(Special::Harmless)),
            ("/proc/self/fd/4", Some(Special::Descriptor)),
            ("/proc/123/cmdline", Some(Special::Unknown)),
            ("/dev/fd/1", Some(Special::Harmless)),
            ("/dev/fd/9", Some(Special::Descriptor)),
            ("/proc/self/task/1/root/etc", Some(Special::Unknown)),
            ("/proc/self/environ", Some(Special::Environment)),
            ("/proc/meminfo", Some(Special::Machine)),
            ("/proc/version", Some(Special::Unknown)),
            ("/sys/devices/system/cpu/online", Some(Special::Machine)),
            ("/process/x", None),
            ("/usr/include/stdio.h", None),
        ] {
            assert_eq!(special(path.as_bytes()), expected, "{path}");
        }
    }
}
