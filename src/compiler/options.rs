//! What the options of compilers do: one table that answers every question about the arguments of
//! checks. An option that is not in the table may do anything.
//!
//! The spellings are those of GCC and Clang. An argument belongs to the row with the longest
//! spelling that the argument begins with.

use std::ffi::OsString;

/// What follows an option's spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nothing: the spelling is the whole argument.
    Nothing,
    /// The rest of the argument. If it contains `/`, `,` or `@`, it may name a file.
    Rest,
    /// The rest of the argument: words between commas.
    Words,
    /// A macro, attached or in the next argument.
    Macro,
    /// A directory that is searched, attached or in the next argument.
    Directory,
    /// A file that is included, attached or in the next argument.
    IncludedFile,
    /// A library's name, attached or in the next argument.
    Library,
    /// The path of a file or directory that is read, attached, behind `=`, or in the next argument.
    Path,
    /// A file that is written next to the output, in the next argument.
    Output,
    /// Text that is not an input path, attached or in the next argument.
    Text,
    /// An option of another program, in the next argument.
    Stream,
    /// Options of another program, between commas.
    List,
}

/// Facts about an option, as a set.
pub(crate) type Facts = u8;

/// Affects only the meaning of the source and the generated code, not which files are read, written or
/// run.
pub(crate) const SOURCE: Facts = 1;
/// Leaves all messages unchanged: turns none into an error, and hides or reformats none.
pub(crate) const MESSAGES: Facts = 1 << 1;
/// Keeps code and link plain: no link-time optimization, sanitizers or profiling.
pub(crate) const PLAIN: Facts = 1 << 2;
/// Names no other file when one object file is linked.
pub(crate) const LINK: Facts = 1 << 3;
/// Concerns only how a source is read; a link of object files ignores it.
pub(crate) const UNLINKED: Facts = 1 << 4;

const NONE: Facts = 0;
const ALL: Facts = SOURCE | MESSAGES | PLAIN | LINK;
/// Options that enable a warning.
const WARNS: Facts = ALL | UNLINKED;
/// Options that hide warnings or turn them into errors.
const JUDGES_WARNINGS: Facts = SOURCE | LINK | UNLINKED;

/// A row: the spelling, what follows it, and what is known about it.
type Row = (&'static str, Takes, Facts);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    // Macros.
    ("-D", Takes::Macro, ALL | UNLINKED),
    ("-U", Takes::Macro, ALL | UNLINKED),
    // Directories that are searched.
    ("-I", Takes::Directory, SOURCE | MESSAGES | PLAIN),
    ("-isystem", Takes::Directory, SOURCE | MESSAGES | PLAIN),
    ("-L", Takes::Directory, NONE),
    ("-B", Takes::Path, NONE),
    ("-F", Takes::Path, NONE),
    ("-J", Takes::Path, NONE),
    ("-cxx-isystem", Takes::Path, NONE),
    ("-stdlib++-isystem", Takes::Path, NONE),
    ("-isystem-after", Takes::Path, NONE),
    ("-isysroot", Takes::Path, NONE),
    ("-iquote", Takes::Path, NONE),
    ("-idirafter", Takes::Path, NONE),
    ("-iframework", Takes::Path, NONE),
    ("-iprefix", Takes::Path, NONE),
    ("-rpath", Takes::Path, NONE),
    ("-rpath-link", Takes::Path, NONE),
    ("--include-directory", Takes::Path, NONE),
    ("--include-directory-after", Takes::Path, NONE),
    ("--include-prefix", Takes::Path, NONE),
    ("--library-path", Takes::Path, NONE),
    ("--library-directory", Takes::Path, NONE),
    ("--rpath", Takes::Path, NONE),
    ("--rpath-link", Takes::Path, NONE),
    ("--sysroot", Takes::Path, NONE),
    // Files that are read.
    ("-include", Takes::IncludedFile, NONE),
    ("-imacros", Takes::IncludedFile, NONE),
    ("-include-pch", Takes::Path, NONE),
    ("-specs", Takes::Path, NONE),
    ("-T", Takes::Path, NONE),
    ("--include", Takes::Path, NONE),
    ("--imacros", Takes::Path, NONE),
    ("--specs", Takes::Path, NONE),
    ("--version-script", Takes::Path, NONE),
    ("--dynamic-list", Takes::Path, NONE),
    ("--retain-symbols-file", Takes::Path, NONE),
    ("--just-symbols", Takes::Path, NONE),
    ("--script", Takes::Path, NONE),
    // Files that are written.
    ("-MF", Takes::Output, NONE),
    ("-aux-info", Takes::Output, NONE),
    ("-dumpdir", Takes::Output, NONE),
    // Not a path: tryall would make it absolute, and the compiler would overwrite it.
    ("-o", Takes::Text, LINK),
    // Libraries and other words of the link.
    ("-l", Takes::Library, NONE),
    ("-framework", Takes::Library, NONE),
    ("-u", Takes::Text, NONE),
    ("-z", Takes::Text, NONE),
    ("-e", Takes::Text, NONE),
    ("-h", Takes::Text, NONE),
    ("-s", Takes::Nothing, LINK),
    ("-pie", Takes::Nothing, LINK),
    ("-no-pie", Takes::Nothing, LINK),
    ("-rdynamic", Takes::Nothing, SOURCE | LINK),
    ("-pthread", Takes::Nothing, ALL),
    // Other programs.
    ("-Xlinker", Takes::Stream, NONE),
    ("-Xpreprocessor", Takes::Stream, NONE),
    ("-Xassembler", Takes::Stream, NONE),
    ("-Xclang", Takes::Stream, NONE),
    ("-Wl,", Takes::List, NONE),
    ("-Wp,", Takes::List, NONE),
    ("-Wa,", Takes::List, NONE),
    ("-mllvm", Takes::Text, NONE),
    // Languages, targets and modes.
    ("-std=", Takes::Rest, ALL),
    ("-ansi", Takes::Nothing, ALL),
    ("-pipe", Takes::Nothing, ALL),
    ("-x", Takes::Text, NONE),
    ("-target", Takes::Text, NONE),
    ("-arch", Takes::Text, NONE),
    ("-A", Takes::Text, NONE),
    ("-MT", Takes::Text, NONE),
    ("-MQ", Takes::Text, NONE),
    ("--param", Takes::Text, NONE),
    // Code.
    ("-O", Takes::Rest, ALL),
    ("-g", Takes::Nothing, ALL),
    ("-g0", Takes::Nothing, ALL),
    ("-g1", Takes::Nothing, ALL),
    ("-g2", Takes::Nothing, ALL),
    ("-g3", Takes::Nothing, ALL),
    ("-ggdb", Takes::Nothing, SOURCE | MESSAGES | PLAIN),
    ("-ggdb0", Takes::Nothing, MESSAGES | PLAIN | SOURCE),
    ("-ggdb1", Takes::Nothing, MESSAGES | PLAIN | SOURCE),
    ("-ggdb2", Takes::Nothing, MESSAGES | PLAIN | SOURCE),
    ("-ggdb3", Takes::Nothing, MESSAGES | PLAIN | SOURCE),
    ("-gdwarf", Takes::Rest, SOURCE | MESSAGES | PLAIN),
    ("-m", Takes::Rest, SOURCE | LINK),
    ("-m32", Takes::Nothing, ALL),
    ("-m64", Takes::Nothing, ALL),
    ("-mx32", Takes::Nothing, ALL),
    ("-mavx", Takes::Rest, ALL),
    ("-msse", Takes::Rest, ALL),
    ("-march=", Takes::Rest, ALL),
    ("-mtune=", Takes::Rest, ALL),
    ("-mcpu=", Takes::Rest, ALL),
    ("-f", Takes::Words, SOURCE),
    ("-fPIC", Takes::Nothing, ALL),
    ("-fPIE", Takes::Nothing, ALL),
    ("-fpic", Takes::Nothing, ALL),
    ("-fpie", Takes::Nothing, ALL),
    ("-fcommon", Takes::Nothing, SOURCE | MESSAGES | PLAIN),
    ("-fno-common", Takes::Nothing, ALL),
    ("-fno-strict", Takes::Rest, SOURCE | MESSAGES | PLAIN),
    ("-fno-strict-aliasing", Takes::Nothing, ALL),
    ("-fno-omit-frame", Takes::Rest, SOURCE | MESSAGES | PLAIN),
    ("-fvisibility=", Takes::Rest, SOURCE | MESSAGES | PLAIN),
    ("-fvisibility=hidden", Takes::Nothing, ALL),
    ("-fstack-protector", Takes::Rest, SOURCE | MESSAGES | PLAIN),
    ("-fstack-protector-strong", Takes::Nothing, ALL),
    ("-ffunction-sections", Takes::Nothing, SOURCE | LINK),
    ("-fdata-sections", Takes::Nothing, SOURCE | LINK),
    ("-fno-builtin", Takes::Nothing, SOURCE | LINK),
    // Code generation that reads or writes other files or modules.
    ("-fprofile", Takes::Rest, NONE),
    ("-fno-profile", Takes::Rest, NONE),
    ("-fplugin", Takes::Rest, NONE),
    ("-fdump", Takes::Rest, NONE),
    ("-fmodule", Takes::Rest, NONE),
    ("-fno-module", Takes::Rest, NONE),
    ("-fpch", Takes::Rest, NONE),
    ("-fauto-profile", Takes::Rest, NONE),
    ("-fcallgraph", Takes::Rest, NONE),
    ("-fcompare-debug", Takes::Rest, NONE),
    ("-fpreprocessed", Takes::Rest, NONE),
    ("-fsyntax-only", Takes::Rest, NONE),
    // Messages. Colour codes surround the words that are searched for; they do not split them.
    ("-fdiagnostics", Takes::Rest, NONE),
    ("-fno-diagnostics", Takes::Rest, NONE),
    ("-fdiagnostics-color", Takes::Nothing, SOURCE),
    ("-fdiagnostics-color=always", Takes::Nothing, SOURCE | LINK),
    ("-fdiagnostics-color=never", Takes::Nothing, SOURCE | LINK),
    ("-fcolor-diagnostics", Takes::Nothing, SOURCE | LINK),
    ("-Qunused-arguments", Takes::Nothing, SOURCE | LINK),
    ("-pedantic", Takes::Nothing, ALL),
    ("-pedantic-errors", Takes::Nothing, SOURCE),
    ("-w", Takes::Nothing, SOURCE | LINK),
    // The old name of -Wextra.
    ("-W", Takes::Nothing, ALL),
    ("-W", Takes::Rest, WARNS),
    ("-Wno-", Takes::Rest, JUDGES_WARNINGS),
    ("-Werror", Takes::Rest, JUDGES_WARNINGS),
    ("-Wfatal", Takes::Rest, JUDGES_WARNINGS),
    ("-Wsystem-headers", Takes::Rest, JUDGES_WARNINGS),
];

/// Linker options in a `-Wl,` list that name no file. `-z` with its keyword is accepted too.
const PLAIN_LINKER_OPTIONS: [&str; 9] = [
    "--as-needed",
    "--no-as-needed",
    "--gc-sections",
    "--no-undefined",
    "-O1",
    "-O2",
    "--build-id",
    "-Bsymbolic",
    "--hash-style=gnu",
];

/// A parsed argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Argument<'a> {
    /// The spelling of its option, or the whole argument if the option is unknown.
    pub(crate) spelling: &'a str,
    /// What follows the option.
    pub(crate) takes: Takes,
    /// The rest of the argument.
    pub(crate) attached: &'a str,
    facts: Facts,
}

impl<'a> Argument<'a> {
    /// Looks up an argument. Unknown arguments take no value.
    pub(crate) fn of(arg: &'a str) -> Self {
        let matches = |(spelling, takes, _): &&Row| match takes {
            Takes::Nothing | Takes::Output | Takes::Stream => arg == *spelling,
            _ => arg.starts_with(spelling),
        };
        // Of two rows with the same spelling, the first counts.
        let longest =
            TABLE.iter().rev().filter(matches).max_by_key(|(spelling, ..)| spelling.len());
        let Some((spelling, takes, facts)) = longest else {
            return Argument { spelling: arg, takes: Takes::Nothing, attached: "", facts: NONE };
        };
        Argument { spelling, takes: *takes, attached: &arg[spelling.len()..], facts: *facts }
    }

    /// Whether its value is the next argument.
    pub(crate) fn takes_next(&self) -> bool {
        match self.takes {
            Takes::Nothing | Takes::Rest | Takes::Words | Takes::List => false,
            _ => self.attached.is_empty(),
        }
    }

    /// Whether it names no other file when one object file is linked.
    pub(crate) fn is_plain_in_link(&self) -> bool {
        if self.spelling != "-Wl," {
            return self.is(LINK) && !self.attached.contains(['/', '@']);
        }
        let mut words = self.attached.split(',');
        while let Some(word) = words.next() {
            let is_keyword = word == "-z" && words.next().is_some_and(|word| !word.contains('/'));
            if !is_keyword && !PLAIN_LINKER_OPTIONS.contains(&word) {
                return false;
            }
        }
        true
    }

    /// Whether all these facts hold.
    pub(crate) fn is(&self, facts: Facts) -> bool {
        let may_name_a_file = match self.takes {
            Takes::Rest => self.attached.contains(['/', ',', '@']),
            Takes::Words => self.attached.contains('/'),
            _ => false,
        };
        self.facts & facts == facts && !may_name_a_file
    }
}

/// Pairs each argument with its option's value; `None` as the value if it is missing. `None` if an
/// argument is not UTF-8.
pub(crate) fn read(args: &[OsString]) -> Option<Vec<(Argument<'_>, Option<&str>)>> {
    let texts = args.iter().map(|arg| arg.to_str()).collect::<Option<Vec<_>>>()?;
    let (mut read, mut texts) = (Vec::with_capacity(texts.len()), texts.into_iter());
    while let Some(text) = texts.next() {
        let argument = Argument::of(text);
        let value = if argument.takes_next() { texts.next() } else { Some(argument.attached) };
        read.push((argument, value));
    }
    Some(read)
}

/// Whether these facts hold for all arguments of a check, and no value is missing or refused by
/// `value_fits`. Directories must be absolute, because shared sources are compiled in a
/// directory other than the caller's.
pub(crate) fn fit(
    args: &[OsString],
    facts: Facts,
    value_fits: impl Fn(&Argument<'_>, &str) -> bool,
) -> bool {
    let fits = |(argument, value): &(Argument<'_>, Option<&str>)| {
        argument.is(facts)
            && value.is_some_and(|value| {
                let is_found = argument.takes != Takes::Directory || value.starts_with('/');
                is_found && value_fits(argument, value)
            })
    };
    read(args).is_some_and(|args| args.iter().all(fits))
}

/// Whether arguments include a file in the source, or may include one.
pub(crate) fn include_a_file(args: &[OsString]) -> bool {
    args.iter().any(|arg| {
        let arg = arg.to_string_lossy();
        arg.starts_with('@') || Argument::of(&arg).takes == Takes::IncludedFile
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_spelling_decides() {
        for (arg, spelling, attached) in [
            ("-isystem-after", "-isystem-after", ""),
            ("-isystem/x", "-isystem", "/x"),
            ("-include-pch", "-include-pch", ""),
            ("-Wl,-z,now", "-Wl,", "-z,now"),
            ("-Wall", "-W", "all"),
            ("-W", "-W", ""),
            ("-mllvm", "-mllvm", ""),
            ("-m32", "-m32", ""),
            ("-m3dnow", "-m", "3dnow"),
            ("-Ofast", "-O", "fast"),
            ("-gsplit-dwarf", "-gsplit-dwarf", ""),
            ("x.c", "x.c", ""),
        ] {
            let argument = Argument::of(arg);
            assert_eq!((argument.spelling, argument.attached), (spelling, attached), "{arg}");
        }
        assert!(Argument::of("-W").is(SOURCE | MESSAGES | PLAIN));
    }

    #[test]
    fn values_stand_in_the_same_argument_or_in_the_next() {
        let args = ["-I", "a", "-Ib", "-DX=1", "-Wall", "-o"].map(OsString::from);
        let values: Vec<_> = read(&args).unwrap().iter().map(|(_, value)| *value).collect();
        assert_eq!(values, [Some("a"), Some("b"), Some("X=1"), Some("all"), None]);
    }

    #[test]
    fn an_argument_that_may_name_a_file_has_no_facts() {
        for arg in ["-fsanitize=address,undefined", "-march=native", "-std=c11"] {
            assert!(Argument::of(arg).is(SOURCE), "{arg}");
        }
        for arg in ["-fsanitize-blacklist=/x", "-mfoo=/x", "-mfoo,x", "-Wx,y", "-std=/x"] {
            assert!(!Argument::of(arg).is(SOURCE), "{arg}");
        }
    }
}
