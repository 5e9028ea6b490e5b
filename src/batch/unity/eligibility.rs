//! Which questions may share a unity source: only those that the arguments in [`super`] cover.

use std::ffi::OsString;

use crate::batch::unity::part::{self, BETWEEN_WORDS, DecidedBy};
use crate::compiler::options::{self, MESSAGES, PLAIN, SOURCE, Takes};
use crate::plan::Plan;
use crate::plan::ids::QuestionId;
use crate::plan::question::{Question, Subject};
use crate::plan::toolchain::Toolchain;
use crate::protocol::fragment;
use crate::protocol::language::Language;
use crate::source::words::{numbers_lines_anew, words};

use super::Candidate;

/// The candidate of a question whose toolchain fits, if it has one.
pub(crate) fn candidate(plan: &Plan, id: QuestionId) -> Option<Candidate> {
    let question = &plan.questions[id];
    if !question_fits(question) {
        return None;
    }
    let toolchain = &plan.toolchains[question.toolchain];
    let part = part::part(question, toolchain.language)?;
    let links = matches!(part.decided_by, DecidedBy::Links { .. });
    let bare_link = question.link_args.is_empty() && toolchain.link_args.is_empty();
    (!links || bare_link).then_some(Candidate { question: id, part })
}

/// All candidates of a plan.
#[cfg(any(test, fuzzing))]
pub(crate) fn candidates(plan: &Plan) -> Vec<Candidate> {
    let fits = |id: &QuestionId| toolchain_fits(&plan.toolchains[plan.questions[*id].toolchain]);
    plan.questions.ids().filter(fits).filter_map(|id| candidate(plan, id)).collect()
}

/// Whether a question's part may share a unit with others.
pub(crate) fn shares_units(plan: &Plan, question: QuestionId) -> bool {
    let question = &plan.questions[question];
    let in_cxx = plan.toolchains[question.toolchain].language == Language::Cxx;
    let declared =
        !matches!(question.subject, Subject::Function(_)) || !question.headers.is_empty();
    !(in_cxx && declared)
}

/// Whether questions of a toolchain may share units.
pub(crate) fn toolchain_fits(toolchain: &Toolchain) -> bool {
    matches!(toolchain.language, Language::C | Language::Cxx)
        && toolchain.commands.is_none()
        && toolchain.program.is_ok()
        // A launcher or an interpreter may not expect several sources in one command.
        && toolchain.private_temp
        && args_fit(toolchain.command.get(1..).unwrap_or_default())
        && args_fit(&toolchain.args)
        && toolchain.variable("LC_ALL").is_some_and(|locale| locale == "C" || locale == "POSIX")
        // This variable edits Clang's arguments.
        && toolchain.variable("CCC_OVERRIDE_OPTIONS").is_none()
}

fn question_fits(question: &Question) -> bool {
    question.fail_patterns.is_empty()
        && question.product.is_none()
        && question.definitions.is_empty()
        && args_fit(&question.args)
        && prefix_fits(&question.prefix)
        && match &question.subject {
            Subject::Function(name) => function_fits(name),
            Subject::Symbol(name)
            | Subject::Type(name)
            | Subject::Sizeof(name)
            | Subject::Alignment(name) => words_fit(name),
            Subject::Prototype { function, return_type, arguments } => {
                prototype_fits(return_type, function)
                    && arguments.iter().all(|argument| words_fit(argument))
            }
            Subject::ComputeInt(expression) => words_fit(expression),
            Subject::Member { of, member } => words_fit(of) && words_fit(member),
            Subject::Endian => true,
            _ => false,
        }
}

/// Whether words stay inside their part and cannot refer to the names around it.
fn words_fit(text: &str) -> bool {
    let has_ours = text.to_ascii_lowercase().contains("tryall");
    // A single question stands in `main`; a part does not.
    let position_words = ["main", "__func__", "__FUNCTION__", "__PRETTY_FUNCTION__", "_Pragma"];
    text.is_ascii()
        && text.len() < 1000
        && !has_ours
        && !text.contains(['{', '}', '"', '\'', '#', '\\', ';', '$'])
        && !words(text).any(|word| position_words.contains(&word))
}

/// Whether the expansion of a question's words stays inside its part.
pub(crate) fn stays_in_place(subject: &Subject, expanded: &str) -> bool {
    let words: Vec<_> = expanded.split(BETWEEN_WORDS).collect();
    let is_prototype = matches!(subject, Subject::Prototype { .. });
    words.iter().all(|words| words_fit(words) && fragment::expression(words, Language::C).is_ok())
        && (!is_prototype || words.len() == 3 && prototype_fits(words[0], words[1]))
}

/// Whether a prototype consists of a plain name and a type that declares nothing else. Specifiers
/// that mean something else in a block than at file scope do not fit.
fn prototype_fits(return_type: &str, function: &str) -> bool {
    const SPECIFIERS: [&str; 10] = [
        "typedef",
        "extern",
        "static",
        "auto",
        "register",
        "inline",
        "thread",
        "_Noreturn",
        "constexpr",
        "attribute",
    ];
    let plain = |c: char| c == '_' || c.is_ascii_alphanumeric();
    words_fit(return_type)
        && words_fit(function)
        && return_type.chars().all(|c| plain(c) || c == ' ' || c == '*')
        && function.chars().all(plain)
        && !SPECIFIERS.iter().any(|specifier| return_type.contains(specifier))
}

/// Words in the parts of functions. A part must not `#undef` them for a header.
const WORDS_OF_PARTS: [&str; 14] = [
    "main",
    "int",
    "char",
    "void",
    "return",
    "extern",
    "static",
    "volatile",
    "defined",
    "typedef",
    "pragma",
    "diagnostic",
    "ignored",
    "clang",
];

/// Whether a name is an identifier that neither the compiler's headers nor keywords may use:
/// reserved names begin with two underscores, or with one and a capital letter.
fn function_fits(name: &str) -> bool {
    let mut letters = name.chars();
    let reserved = letters.next() == Some('_')
        && letters.next().is_none_or(|second| second == '_' || second.is_ascii_uppercase());
    words_fit(name) && !reserved && name != "GCC" && !WORDS_OF_PARTS.contains(&name)
}

/// Whether a prefix is empty or ends with a complete declaration or directive. An open one would
/// continue with other text than in the question's own source.
fn prefix_fits(prefix: &str) -> bool {
    let text = prefix.trim_end();
    let last = text.lines().next_back().unwrap_or_default();
    let ended = text.is_empty()
        || text.ends_with([';', '}'])
        || last.starts_with('#') && !last.ends_with('\\') && !last.contains("/*");
    let hidden = ["\\\n", "\\\r", "_Pragma", "/*", "//", "R\""];
    ended
        && !numbers_lines_anew(text)
        && !hidden.iter().any(|spelling| text.contains(spelling))
        && !text.to_ascii_lowercase().contains("tryall")
}

/// Whether arguments leave diagnostics, their destination and the link alone.
fn args_fit(args: &[OsString]) -> bool {
    options::fit(args, SOURCE | MESSAGES | PLAIN, |argument, value| {
        argument.takes != Takes::Macro || macro_fits(value)
    })
}

/// Whether a macro of the command line leaves the words of generated sources alone.
fn macro_fits(definition: &str) -> bool {
    let name = definition.split(['=', '(']).next().unwrap_or_default();
    !WORDS_OF_PARTS.contains(&name) && !definition.to_ascii_lowercase().contains("tryall")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_arguments_that_leave_messages_and_links_alone_fit() {
        let fits = |text: &str| args_fit(&text.split(' ').map(OsString::from).collect::<Vec<_>>());
        for good in [
            "-O2 -g -std=gnu11 -Wall -Wextra",
            "-D_GNU_SOURCE -DX=1 -U Y",
            "-I /a -isystem /b",
            "-fPIC -pthread -m32 -mavx2 -march=native",
        ] {
            assert!(fits(good), "{good}");
        }
        for bad in [
            "x.o",
            "libx.a",
            "libx.so",
            "x.ld",
            "@args",
            "-lx",
            "-L/x",
            "-Wl,--whole-archive",
            "-Wp,-w",
            "-Wa,-x",
            "-static",
            "-shared",
            "-T",
            "-nostdlib",
            "-flto",
            "-flto=auto",
            "-fsanitize=address",
            "-Werror",
            "-Werror=all",
            "-Wfatal-errors",
            "-Wno-all",
            "-w",
            "-fmax-errors=1",
            "-E",
            "-M",
            "-MD",
            "-S",
            "-c",
            "-fsyntax-only",
            "-x",
            "-xc++",
            "-include",
            "-imacros",
            "-fdiagnostics-format=json",
            "-fuse-ld=lld",
            "-o",
            "-v",
            "-pedantic-errors",
            "-Dmain=x",
            "-Dtryall_x",
            "-D",
            "-I.",
            "-I include",
            "-isystem ../include",
            "-dM",
            "-fplugin=x.so",
            "-save-temps",
            "-specs=x",
            "-B/x",
            "-fopenmp",
            "-Q",
            "-ftime-report",
            "--coverage",
            "-finstrument-functions",
            "-fwhole-program",
            "-ffunction-sections",
            "-gsplit-dwarf",
        ] {
            assert!(!fits(bad), "{bad}");
        }
    }

    #[test]
    fn names_that_are_not_only_names_do_not_fit() {
        for good in ["fork", "_exit", "getaddrinfo"] {
            assert!(function_fits(good), "{good}");
        }
        for bad in ["__fpurge", "_Exit", "_", "main", "int", "defined", "tryall_part_1", "a$b", "é"]
        {
            assert!(!function_fits(bad), "{bad}");
        }
        for bad in
            ["struct { int a; }", "sizeof(__func__)", "_Pragma(\"once\")", "TRYALL_Q0", "(main)"]
        {
            assert!(!words_fit(bad), "{bad}");
        }
        for good in ["", "struct x { int y; };\n", "int x;", "#define A 1\n"] {
            assert!(prefix_fits(good), "{good:?}");
        }
        for bad in [
            "static",
            "int x = ",
            "#define A \\\n",
            "__attribute__((x))",
            "#if 1 /*",
            "# line 7",
            "#7",
            "%:line 7",
        ] {
            assert!(!prefix_fits(bad), "{bad:?}");
        }
    }
}
