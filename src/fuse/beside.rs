//! Sources that are compiled beside each other: by one command, each as it would be alone.
//!
//! A compiler's driver that is given several sources with `-c` runs the same compiler proper, with
//! the same arguments, over one after the other. Nothing is shared but the driver itself, and the
//! start of it is all that is saved. So this serves every source, whatever is in it, that the
//! units of [`super::unit`] cannot take: headers that must compile, sources of the caller's, and
//! parts that had nobody to share a unit with.
//!
//! # Why the answers are the single ones
//!
//! * A yes is an object file of the source, without an error. A driver writes one only if the source
//!   has compiled, and no file of its name was there before.
//! * A no is a missing object file, together with an error that the messages tell of this source,
//!   and nothing in them that is the machine's trouble and not the source's. The messages come in
//!   the order of the sources; where a source is mentioned again after a later one, or the first
//!   words are about none, they prove nothing.
//! * Whatever could tell a source that it has neighbours is kept out: other names of files in its
//!   text, modules, options that name an output or a file. Fortran writes modules, and is kept out.
//!   So is a text that numbers its lines anew: without that, the first words of every message name
//!   the source, or the stack of includes that ends at it. What an assembler says names neither, and
//!   so makes no answer of a source without an object file. Where words can make a no of a yes, all
//!   sources are such that an assembler has nothing to say ([`is_closed`]).
//!   The names of the files are as long as that of a single source, and `__FILE__` is in none.

use std::collections::HashMap;
use std::ffi::OsString;

use super::{grouped, guard};
use crate::assembly::skeleton;
use crate::dialect::{STEM, Stage};
use crate::language::Language;
use crate::plan::Plan;
use crate::plan::question::{Code, Question, Subject};
use crate::source::{self, words::identifiers};
use crate::toolchain::Toolchain;
use crate::value;

/// So many are compiled by one command at most: with more, the last core would wait for it.
pub const MOST: usize = 16;

/// Which questions of a plan may be compiled beside others.
pub fn candidates(plan: &Plan) -> Vec<bool> {
    let fit: Vec<_> = plan.toolchains.iter().map(toolchain_fits).collect();
    let fits = |question: &Question| {
        let toolchain = &plan.toolchains[question.toolchain];
        fit[question.toolchain] && question_fits(question, toolchain)
    };
    plan.questions.iter().map(fits).collect()
}

/// Groups of questions that share a command, of about equal size, and those that have nobody or
/// are few enough to run at once.
pub fn groups(plan: &Plan, questions: Vec<usize>, width: usize) -> (Vec<Vec<usize>>, Vec<usize>) {
    let alike = grouped(questions.into_iter().map(|index| {
        let question = &plan.questions[index];
        let toolchain = &plan.toolchains[question.toolchain];
        // Whoever gives commands in full may give each check a toolchain of its own.
        let compile = toolchain.commands.as_ref().map(|commands| &commands.compile);
        let own = compile.is_none().then_some(question.toolchain);
        let command = (own, compile, &toolchain.env, toolchain.language);
        ((command, &question.args, seen_definitions(question)), index)
    }));
    let (mut groups, mut alone) = (Vec::new(), Vec::new());
    for group in alike {
        if group.len() <= width {
            alone.extend(group);
            continue;
        }
        for group in by_code(plan, group) {
            // As many for each core, or the last runs beside an idle one.
            let count = group.len().div_ceil(MOST).next_multiple_of(width);
            let size = group.len().div_ceil(count);
            for row in group.chunks(size) {
                let (told_apart, others) = told_apart(plan, row);
                groups.extend((!told_apart.is_empty()).then_some(told_apart));
                alone.extend(others);
            }
        }
    }
    alone.sort_unstable();
    (groups, alone)
}

/// With fewer, sources of the same code have no group of their own.
const FEWEST_OF_A_CODE: usize = 6;

/// Parts those that have the same code as others behind their headers, which need not all be
/// assembled ([`crate::assembly`]), from the rest.
fn by_code(plan: &Plan, group: Vec<usize>) -> Vec<Vec<usize>> {
    let code = |&index: &usize| {
        let question = &plan.questions[index];
        let form = source::form(question, plan.toolchains[question.toolchain].language);
        form.source().map(|source| skeleton(&source.text))
    };
    let codes: HashMap<usize, _> = group.iter().map(|index| (*index, code(index))).collect();
    let mut times = HashMap::new();
    codes.values().for_each(|code| *times.entry(code).or_insert(0) += 1);
    let (same, mut rest): (Vec<usize>, Vec<usize>) =
        group.into_iter().partition(|index| times[&codes[index]] >= FEWEST_OF_A_CODE);
    // Those with patterns first, and then those that may stand beside them.
    rest.sort_by_key(|&index| {
        let question = &plan.questions[index];
        (question.fail_patterns.is_empty(), !is_closed(plan, question))
    });
    [same, rest].into_iter().filter(|part| !part.is_empty()).collect()
}

/// A row without those whose patterns might find what was said of others, and these.
fn told_apart(plan: &Plan, row: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let all_are_closed = row.iter().all(|&index| is_closed(plan, &plan.questions[index]));
    row.iter().partition(|index| all_are_closed || plan.questions[**index].fail_patterns.is_empty())
}

/// Whether all that is said of a source names it: nothing but its own text is compiled, and nothing of
/// that is handed on to an assembler, whose words (`.print`) may be any.
fn is_closed(plan: &Plan, question: &Question) -> bool {
    let is_open = |text: &str| {
        hides_words(text)
            || ["import", "asm", "R\"", "embed"].iter().any(|word| text.contains(word))
    };
    let toolchain = &plan.toolchains[question.toolchain];
    let args = [&toolchain.args, &question.args, &question.definitions];
    let text = match &question.subject {
        Subject::Source { code: Code::Text { source, .. }, .. } => source,
        _ => return false,
    };
    question.headers.is_empty()
        && toolchain.commands.is_none()
        && !is_open(text)
        && !is_open(&question.prefix)
        && !args.into_iter().flatten().any(|arg| arg.to_string_lossy().contains("asm"))
}

/// Whether there may be words in a source that its text does not show: in what it includes, or put
/// together.
fn hides_words(text: &str) -> bool {
    ["include", "##", "%:", "??", "\\"].iter().any(|word| text.contains(word))
}

/// The definitions of the command line that a question's source can see. CMake's modules give each
/// source one of its own, which it seldom names. A header might name it, or a word that is put
/// together; what is no plain name is not looked into.
pub fn seen_definitions(question: &Question) -> Vec<OsString> {
    let text = match &question.subject {
        Subject::Source { code: Code::Text { source, .. }, .. } => source.as_str(),
        _ => return question.definitions.clone(),
    };
    let sees_all = !question.headers.is_empty() || !question.prefix.is_empty() || hides_words(text);
    let is_seen = |definition: &&OsString| {
        let name = definition.to_str().and_then(|definition| definition.strip_prefix("-D"));
        name.is_none_or(|name| {
            let is_plain = identifiers(name).next() == Some(name)
                && name.starts_with(|c: char| c.is_ascii_uppercase());
            !is_plain || text.contains(name)
        })
    };
    question.definitions.iter().filter(|seen| sees_all || is_seen(seen)).cloned().collect()
}

fn toolchain_fits(toolchain: &Toolchain) -> bool {
    let is_c = matches!(toolchain.language, Language::C | Language::Cxx);
    let command = match &toolchain.commands {
        Some(commands) => match commands.compile.without_files() {
            Some(template) => template.fixed_words().skip(1).map(Into::into).collect(),
            None => return false,
        },
        None => [toolchain.command.get(1..).unwrap_or_default(), &toolchain.args].concat(),
    };
    is_c && toolchain.program.is_ok()
        // A launcher, or an interpreter, would be told of several sources at once.
        && toolchain.private_temp
        && speaks_english(toolchain)
        && args_fit(&command)
}

/// Whether the messages come in the language in which they are known.
fn speaks_english(toolchain: &Toolchain) -> bool {
    let value = |name: &str| {
        let found = toolchain.env.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.to_string_lossy().into_owned())
            .filter(|value| !value.is_empty())
    };
    let locale = value("LC_ALL").or_else(|| value("LC_MESSAGES")).or_else(|| value("LANG"));
    locale.is_none_or(|locale| locale == "POSIX" || locale == "C" || locale.starts_with("C."))
        && value("CCC_OVERRIDE_OPTIONS").is_none()
}

/// With commands in full, a link is a step by itself.
fn question_fits(question: &Question, toolchain: &Toolchain) -> bool {
    let stage = question.subject.stage();
    let links = toolchain.commands.is_some() && stage == Stage::Link;
    let plain = toolchain.language.extension(false);
    let is_plain = match &question.subject {
        Subject::Source { code: Code::Text { source, extension }, .. } => {
            extension.as_ref().is_none_or(|extension| extension == plain) && text_fits(source)
        }
        Subject::Source { .. } | Subject::CompilerFlag(_) => false,
        _ => !guard::must_only_be_there(question),
    };
    is_plain
        && (stage == Stage::Compile || links)
        && text_fits(&question.prefix)
        && args_fit(&question.args)
        && args_fit(&question.definitions)
}

/// Whether a text cannot tell in which file it stands, and cannot name another.
fn text_fits(text: &str) -> bool {
    names_no_files(text) && !text.contains("import ") && !guard::numbers_lines_anew(text)
}

fn names_no_files(text: &str) -> bool {
    const OF_FILES: [&str; 5] = ["__FILE", "__BASE_FILE__", "__TIMESTAMP__", STEM, STEMS];
    !OF_FILES.iter().any(|word| text.contains(word))
}

/// Options that change what a source means, and nothing else: where output goes, how many files
/// there are, and what else is run stays as it is.
fn args_fit(args: &[OsString]) -> bool {
    const WHOLE: [&str; 7] =
        ["-ansi", "-pedantic", "-pedantic-errors", "-pipe", "-pthread", "-w", "-rdynamic"];
    const STARTS: [&str; 5] = ["-D", "-U", "-I", "-O", "-std="];
    // Colours stand around the words that are looked for, and not in them.
    const COLOURS: [&str; 4] = [
        "-fdiagnostics-color",
        "-fdiagnostics-color=always",
        "-fdiagnostics-color=never",
        "-fcolor-diagnostics",
    ];
    const FILES_AND_MODULES: [&str; 11] = [
        "profile",
        "plugin",
        "dump",
        "module",
        "pch",
        "auto-profile",
        "callgraph",
        "diagnostics",
        "compare-debug",
        "preprocessed",
        "syntax-only",
    ];
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let Some(arg) = arg.to_str().filter(|arg| names_no_files(arg)) else { return false };
        if ["-D", "-U", "-I", "-isystem"].contains(&arg) {
            // The sources stand where the compiler runs.
            let is_dir = matches!(arg, "-I" | "-isystem");
            let fits = |value: &str| names_no_files(value) && (!is_dir || value.starts_with('/'));
            if !args.next().and_then(|value| value.to_str()).is_some_and(fits) {
                return false;
            }
            continue;
        }
        if arg.strip_prefix("-I").is_some_and(|dir| !dir.starts_with('/')) {
            return false;
        }
        let of_code = |start: &str| arg.strip_prefix(start).filter(|rest| !rest.is_empty());
        let fits = WHOLE.contains(&arg)
            || COLOURS.contains(&arg)
            || STARTS.iter().any(|start| arg.starts_with(start))
            || of_code("-W").is_some_and(|rest| !rest.contains(','))
            || of_code("-f").is_some_and(|rest| {
                !rest.contains('/')
                    && !FILES_AND_MODULES
                        .iter()
                        .any(|start| rest.trim_start_matches("no-").starts_with(start))
            })
            || of_code("-m").is_some_and(|rest| rest != "llvm" && !rest.contains(['/', ',']))
            || ["-g", "-g0", "-g1", "-g2", "-g3", "-ggdb"].contains(&arg);
        if !fits {
            return false;
        }
    }
    true
}

/// With which the stems of all of them begin.
pub const STEMS: &str = "confte";

/// The stem of a source, as long as that of a single one.
pub fn stem(place: usize) -> String {
    format!("{STEMS}{place:02}")
}

/// An object file as it would be alone: it holds the name of its source, which is as long there. So
/// those of sources that come to the same are equal, and one link tells of all of them.
pub fn as_alone(mut object: Vec<u8>, name: &str, own: &str) -> Vec<u8> {
    let [name, own] = [name, own].map(|name| [name.as_bytes(), b"\0"].concat());
    for at in value::positions(&object, &name).collect::<Vec<_>>() {
        object[at..at + name.len()].copy_from_slice(&own);
    }
    object
}

/// What a compiler has said of each of its sources, in their order. `None` if some of it cannot be
/// told apart.
pub fn portions(output: &str, names: &[String]) -> Option<Vec<String>> {
    let mut portions = vec![String::new(); names.len()];
    let mut last = 0;
    for (place, text) in blocks(output, names)? {
        (place >= last).then_some(())?;
        last = place;
        portions[place].push_str(&text);
    }
    Some(portions)
}

/// The parts of what a compiler has said, one after the other, each with the place of the name that
/// it is about. `None` if there is any that names none of them before.
pub fn blocks(output: &str, names: &[String]) -> Option<Vec<(usize, String)>> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    // The first lines of a stack of includes, which names the source at its end.
    let mut pending = String::new();
    for line in output.lines() {
        let mentioned = names.iter().position(|name| line.contains(name.as_str()));
        pending.push_str(line);
        pending.push('\n');
        match mentioned {
            Some(place) if blocks.last().is_none_or(|(last, _)| *last != place) => {
                blocks.push((place, String::new()));
            }
            Some(_) => {}
            None if line.starts_with("In file included from") => continue,
            None if pending.starts_with("In file included from") && line.starts_with(' ') => {
                continue;
            }
            None => {}
        }
        blocks.last_mut()?.1.push_str(&std::mem::take(&mut pending));
    }
    pending.is_empty().then_some(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart_only_where_the_order_is_plain() {
        let names = ["confte00.c".to_string(), "confte01.c".to_string()];
        let of = |output: &str| portions(output, &names);
        let told = of("In file included from /x.h:1,\n                 from confte00.c:1:\n\
                       /y.h:3:2: error: no\nIn file included from confte01.c:2:\n/z.h:1: error: x\n")
        .unwrap();
        assert!(told[0].contains("/y.h") && !told[0].contains("/z.h"), "{told:?}");
        assert!(told[1].contains("/z.h"), "{told:?}");
        assert_eq!(of("").unwrap(), ["", ""]);
        for odd in [
            "cc1: error: unknown\n",
            "confte01.c:1: error: x\nconfte00.c:1: error: x\n",
            "confte00.c:1: error: x\nIn file included from /x.h:1,\n",
        ] {
            assert!(of(odd).is_none(), "{odd}");
        }
    }

    #[test]
    fn options_that_name_files_or_outputs_do_not_fit() {
        let fits = |text: &str| args_fit(&text.split(' ').map(OsString::from).collect::<Vec<_>>());
        for good in [
            "-Wall -Werror -Wno-x -w -fPIC -fno-builtin -ffunction-sections -m32 -march=native",
            "-fdiagnostics-color=always -D X -DX=1 -I /a -isystem /b -g -O2 -std=c99 -fsanitize=address -flto",
        ] {
            assert!(fits(good), "{good}");
        }
        for bad in [
            "-o x",
            "-E",
            "-S",
            "-c",
            "-M",
            "-MD",
            "-save-temps",
            "@x",
            "x.c",
            "x.o",
            "-x c",
            "-D",
            "-Wp,-MD,x",
            "-Wa,-al=x",
            "-fprofile-generate",
            "-fno-profile-use",
            "-fplugin=x",
            "-fdump-tree-all",
            "-fmodules",
            "-fdiagnostics-format=json",
            "-include x",
            "-specs=x",
            "-B/x",
            "-wrapper x",
            "-gsplit-dwarf",
            "--coverage",
            "-mllvm",
            "-fsyntax-only",
            "-fauto-profile=/x",
            "-working-directory=/x",
            "-dumpbase",
            "-###",
            "-v",
            "-pg",
            "-I.",
            "-I ..",
            "-isystem include",
            "-DX=__FILE__",
            "-D X=__BASE_FILE__",
            "-DX=\"confte01.c\"",
        ] {
            assert!(!fits(bad), "{bad}");
        }
    }
}
