//! Which sources may share a file with variants that differ in one word, and which diagnostics belong
//! to each.
//!
//! A source must not be able to notice the others. So it may not name files or modules, its options
//! may not name an output or a file, and it may not renumber its lines. Every diagnostic then begins
//! with the name of its source, or with the stack of includes that ends at it. The generated file
//! names have the length of a single source's name, and no source contains `__FILE__`.

use std::ffi::OsString;

use crate::batch::unity::eligibility::numbers_lines_anew;
use crate::compiler::dialect::{STEM, Stage};
use crate::compiler::options::{self, Argument, SOURCE, Takes};
use crate::plan::Plan;
use crate::plan::ids::{QuestionId, Table};
use crate::plan::question::{CallerSource, Question, Subject};
use crate::plan::toolchain::Toolchain;
use crate::protocol::language::Language;

/// Whether each question of a plan links a C source by explicit commands and cannot notice other
/// sources.
pub(crate) fn fits(plan: &Plan) -> Table<QuestionId, bool> {
    let fit = plan.toolchains.map(toolchain_fits);
    let fits = |question: &Question| fit[question.toolchain] && question_fits(question);
    plan.questions.map(fits)
}

fn toolchain_fits(toolchain: &Toolchain) -> bool {
    let Some(commands) = &toolchain.commands else { return false };
    // These two only say where the files stand in the command.
    let words =
        commands.compile.fixed_words().skip(1).filter(|word| *word != "-c" && *word != "-o");
    let words: Vec<_> = words.map(Into::into).collect();
    toolchain.language == Language::C
        && toolchain.program.is_ok()
        // A launcher or an interpreter may not expect several sources.
        && toolchain.private_temp
        && speaks_english(toolchain)
        && args_fit(&words)
}

/// Whether the compiler's messages are in English.
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

fn question_fits(question: &Question) -> bool {
    let Subject::Source { stage, code: CallerSource::Text { source, extension }, .. } =
        &question.subject
    else {
        return false;
    };
    *stage == Stage::Link
        && extension.as_deref().is_none_or(|extension| extension == "c")
        && text_fits(source)
        && text_fits(&question.prefix)
        && args_fit(&question.args)
        && args_fit(&question.definitions)
}

/// Whether a text can neither learn its own file name nor name another file.
fn text_fits(text: &str) -> bool {
    names_no_files(text) && !text.contains("import ") && !numbers_lines_anew(text)
}

fn names_no_files(text: &str) -> bool {
    const OF_FILES: [&str; 5] = ["__FILE", "__BASE_FILE__", "__TIMESTAMP__", STEM, STEMS];
    !OF_FILES.iter().any(|word| text.contains(word))
}

/// Whether arguments change only what a source means: not where output goes, how many files there are,
/// or what else runs.
fn args_fit(args: &[OsString]) -> bool {
    let fits = |(argument, value): &(Argument<'_>, Option<&str>)| {
        argument.is(SOURCE)
            && value.is_some_and(|value| {
                // The shared file is compiled in another directory than the caller's.
                let is_found = argument.takes != Takes::Directory || value.starts_with('/');
                is_found && names_no_files(value)
            })
    };
    options::read(args).is_some_and(|args| args.iter().all(fits))
}

/// The beginning of every stem.
pub(crate) const STEMS: &str = "confte";

/// The stem of the file name of the variant at this place. It is as long as [`STEM`].
pub(crate) fn stem(place: usize) -> String {
    format!("{STEMS}{place:02}")
}

/// Splits a compiler's output into blocks, each with the place of the file name that it is about. `None`
/// if a block names no file.
pub(crate) fn blocks(output: &str, names: &[String]) -> Option<Vec<(usize, String)>> {
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
    fn messages_are_told_apart_only_where_each_names_its_source() {
        let names = ["confte00.c".to_string(), "confte01.c".to_string()];
        let of = |output: &str| blocks(output, &names);
        let told = of("In file included from /x.h:1,\n                 from confte00.c:1:\n\
                       /y.h:3:2: error: no\nIn file included from confte01.c:2:\n/z.h:1: error: x\n")
        .unwrap();
        let places: Vec<_> = told.iter().map(|(place, _)| *place).collect();
        assert_eq!(places, [0, 1]);
        assert!(told[0].1.contains("/y.h") && !told[0].1.contains("/z.h"), "{told:?}");
        assert!(told[1].1.contains("/z.h"), "{told:?}");
        assert_eq!(of("").unwrap(), []);
        for odd in
            ["cc1: error: unknown\n", "confte00.c:1: error: x\nIn file included from /x.h:1,\n"]
        {
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
