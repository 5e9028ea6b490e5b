//! Which sources may share a file with variants that differ in one word.
//!
//! A source must not be able to notice the others. So it may not name files or modules, its options
//! may not name an output or a file, and it may not renumber its lines. The generated
//! file names have the length of a single source's name, and no source contains `__FILE__`.

use std::ffi::OsString;

use super::evidence::STEMS;
use crate::compiler::dialect::{STEM, Stage};
use crate::compiler::options::{self, SOURCE};
use crate::deps::locale;
use crate::plan::Plan;
use crate::plan::ids::{QuestionId, Table};
use crate::plan::question::{CallerSource, Question, Subject};
use crate::plan::toolchain::Toolchain;
use crate::protocol::language::Language;
use crate::source::words::numbers_lines_anew;

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
        // A launcher or an interpreter may change the command.
        && toolchain.private_temp
        && speaks_english(toolchain)
        && args_fit(&words)
}

/// Whether the compiler's messages are in English.
fn speaks_english(toolchain: &Toolchain) -> bool {
    let value = |name: &str| {
        toolchain.variable(name).filter(|value| !value.is_empty()).map(|it| it.to_string_lossy())
    };
    let locale = locale::of_messages(value);
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

/// Whether arguments change only what a source means: not where output goes, which files are read, or
/// what else runs.
fn args_fit(args: &[OsString]) -> bool {
    options::fit(args, SOURCE, |_, value| names_no_files(value))
}

#[cfg(test)]
mod tests {
    use super::*;

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
