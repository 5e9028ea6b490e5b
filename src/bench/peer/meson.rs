//! A Meson project that calls the compiler methods one after another. If no method supports a
//! check, it calls `compiles` or `links` with tryall's own source.

use std::fmt::Write;
use std::io;
use std::path::Path;

use super::{all_utf8, code, link_args, one_for_each_language, order, utf8};
use crate::compiler::dialect::Stage;
use crate::plan::question::{Question, Subject};
use crate::plan::{Plan, PlannedCheck};
use crate::protocol::HeaderStage;
use crate::protocol::language::Language;

/// The machine file that sets the compilers.
pub(super) const NATIVE: &str = "native.ini";

/// Writes the project.
pub(super) fn project(dir: &Path, plan: &Plan, repeat: usize) -> io::Result<usize> {
    one_for_each_language(plan)?;
    let names: Vec<_> = plan.toolchains.iter().map(|t| name(t.language)).collect();
    let mut text = String::from("project('checks'");
    for name in &names {
        write!(text, ", '{name}'").expect("strings take all");
    }
    text.push_str(")\nanswers = []\n");
    for name in &names {
        writeln!(text, "compiler_{name} = meson.get_compiler('{name}')").expect("strings take all");
    }

    let order = order(plan);
    let mut asked = 0;
    for repetition in 0..repeat {
        for &id in &order {
            let planned = &plan.checks[id];
            let variable = format!("check_{repetition}_{id}");
            writeln!(text, "\n# {}\n{variable} = false", planned.id).expect("strings take all");
            let Some(check) = check(dir, plan, planned, &variable)? else { continue };
            asked += 1;
            let needs: Vec<_> =
                planned.needs.iter().map(|need| format!("check_{repetition}_{need}")).collect();
            if !needs.is_empty() {
                writeln!(text, "if {}", needs.join(" and ")).expect("strings take all");
            }
            text.push_str(&check);
            if repetition == 0 {
                let id = quoted(&format!("{} ", planned.id));
                writeln!(text, "answers += {id} + ({variable} ? 'yes' : 'no')")
                    .expect("strings take all");
            }
            if !needs.is_empty() {
                text.push_str("endif\n");
            }
        }
    }
    text.push_str(
        "\nconfigure_file(\n  input: 'answers.in',\n  output: 'answers',\n  \
         configuration: {'answers': '\\n'.join(answers)},\n)\n",
    );
    std::fs::write(dir.join("meson.build"), text)?;
    std::fs::write(dir.join("answers.in"), "@answers@\n")?;
    std::fs::write(dir.join(NATIVE), native(plan)?)?;
    Ok(asked)
}

/// Meson's name of a language.
fn name(language: Language) -> &'static str {
    match language {
        Language::C => "c",
        Language::Cxx => "cpp",
        Language::Fortran => "fortran",
        Language::ObjC => "objc",
        Language::ObjCxx => "objcpp",
    }
}

fn native(plan: &Plan) -> io::Result<String> {
    let (mut binaries, mut options) = (String::new(), String::new());
    for toolchain in &plan.toolchains {
        let name = name(toolchain.language);
        let command = list(&all_utf8(&toolchain.command)?);
        writeln!(binaries, "{name} = {command}").expect("strings take all");
        let args = list(&all_utf8(&toolchain.args)?);
        writeln!(options, "{name}_args = {args}").expect("strings take all");
    }
    Ok(format!("[binaries]\n{binaries}\n[built-in options]\n{options}"))
}

/// The lines that set a variable to the answer of a check. `None` if Meson cannot run the check.
fn check(
    dir: &Path,
    plan: &Plan,
    planned: &PlannedCheck,
    variable: &str,
) -> io::Result<Option<String>> {
    let question = &plan.questions[planned.question];
    let toolchain = &plan.toolchains[question.toolchain];
    let check = MesonCheck {
        question,
        language: toolchain.language,
        compiler: format!("compiler_{}", name(toolchain.language)),
        args: all_utf8(&question.args)?.into_iter().map(String::from).collect(),
        link_args: all_utf8(&link_args(toolchain, question))?
            .into_iter()
            .map(String::from)
            .collect(),
        variable,
        // These methods abort Meson if the type does not exist, so real scripts check first.
        known: !planned.needs.is_empty()
            || question.headers.is_empty() && question.prefix.is_empty(),
    };
    Ok(match check.by_method()? {
        Some(lines) => Some(lines),
        None => check.by_source(dir)?,
    })
}

struct MesonCheck<'a> {
    question: &'a Question,
    language: Language,
    compiler: String,
    args: Vec<String>,
    link_args: Vec<String>,
    variable: &'a str,
    /// Whether the headers exist.
    known: bool,
}

impl MesonCheck<'_> {
    /// A definition that makes the check unique, so that Meson's cache does not answer it.
    fn distinct(&self) -> String {
        format!("-DTRYALL_{}", self.variable)
    }

    /// The arguments for the stage of the check.
    fn arguments(&self) -> String {
        let mut all: Vec<_> = self.args.iter().map(String::as_str).collect();
        let distinct = self.distinct();
        all.push(&distinct);
        if self.question.subject.stage() >= Stage::Link {
            all.extend(self.link_args.iter().map(String::as_str));
        }
        list(&all)
    }

    /// The keyword arguments of most methods, with these headers.
    fn keywords(&self, headers: &[String]) -> String {
        let mut prefix: String =
            headers.iter().map(|header| format!("#include <{header}>\n")).collect();
        prefix.push_str(&self.question.prefix);
        let args = self.arguments();
        match prefix.as_str() {
            "" => format!("args: {args}"),
            _ => format!("prefix: {}, args: {args}", quoted(&prefix)),
        }
    }

    /// The call of the method for a kind, if one supports the check.
    fn by_method(&self) -> io::Result<Option<String>> {
        let MesonCheck { question, compiler, variable, .. } = self;
        if !question.fail_patterns.is_empty() {
            return Ok(None);
        }
        if let Subject::CompilerFlag(flags) | Subject::LinkerFlag(flags) = &question.subject {
            if !question.headers.is_empty() || !question.prefix.is_empty() {
                return Ok(None);
            }
            let distinct = self.distinct();
            let mut all: Vec<&str> = self.args.iter().map(String::as_str).collect();
            all.push(&distinct);
            all.extend(all_utf8(flags)?);
            let link = if question.subject.stage() == Stage::Link { "link_" } else { "" };
            if !link.is_empty() {
                all.extend(self.link_args.iter().map(String::as_str));
            }
            let all = all.iter().map(|flag| quoted(flag)).collect::<Vec<_>>().join(", ");
            return Ok(Some(format!("{variable} = {compiler}.has_multi_{link}arguments({all})\n")));
        }
        if self.language == Language::Fortran {
            // All methods generate C, except these two and those that take a source.
            return Ok(None);
        }
        let keywords = self.keywords(&question.headers);
        let call = |method: &str, subject: &str| {
            format!("{compiler}.{method}({}, {keywords})", quoted(subject))
        };
        let value = match &question.subject {
            Subject::Header { header, stage: HeaderStage::Compile } => call("check_header", header),
            Subject::Header { header, stage: HeaderStage::Preprocess } => {
                call("has_header", header)
            }
            Subject::Symbol(symbol) if is_identifier(symbol) && question.prefix.is_empty() => {
                let Some((last, before)) = question.headers.split_last() else { return Ok(None) };
                let (last, symbol) = (quoted(last), quoted(symbol));
                let keywords = self.keywords(before);
                format!("{compiler}.has_header_symbol({last}, {symbol}, {keywords})")
            }
            Subject::Function(function) => call("has_function", function),
            Subject::Library { library, function: Some(function) } if !library.contains('/') => {
                let library = quoted(library);
                let has = call("has_function", function);
                let has = has.strip_suffix(')').expect("a call ends with a parenthesis");
                return Ok(Some(format!(
                    "library = {compiler}.find_library({library}, required: false)\n\
                     {variable} = library.found() and {has}, dependencies: library)\n"
                )));
            }
            Subject::Type(of) => call("has_type", of),
            Subject::Member { of, member } => {
                let (of, member) = (quoted(of), quoted(member));
                format!("{compiler}.has_member({of}, {member}, {keywords})")
            }
            Subject::Sizeof(of) => format!("{} != -1", call("sizeof", of)),
            Subject::Alignment(of) if self.known => format!("{} > 0", call("alignment", of)),
            Subject::Alignment(of) => {
                format!("{} and {} > 0", call("has_type", of), call("alignment", of))
            }
            Subject::ComputeInt(of) => format!("{} != -1", call("compute_int", of)),
            Subject::Define(macro_name) if self.known => call("has_define", macro_name),
            Subject::Endian => "host_machine.endian() in ['little', 'big']".into(),
            _ => return Ok(None),
        };
        Ok(Some(format!("{variable} = {value}\n")))
    }

    /// A call that compiles, links or runs the check's source.
    fn by_source(&self, dir: &Path) -> io::Result<Option<String>> {
        let MesonCheck { question, compiler, variable, .. } = self;
        let (source, beside) = code(question, self.language)?;
        let stage = question.subject.stage();
        let mut args = self.args.clone();
        args.push(self.distinct());
        if let Some(beside) = &beside {
            args.push(format!("-I{}", utf8(beside.as_os_str())?));
        }
        match &question.subject {
            Subject::Library { library, .. } if library.contains('/') => args.push(library.clone()),
            Subject::Library { library, .. } => args.push(format!("-l{library}")),
            Subject::CompilerFlag(flags) | Subject::LinkerFlag(flags) => {
                args.extend(all_utf8(flags)?.into_iter().map(String::from));
            }
            Subject::Source { run_args, .. } if !run_args.is_empty() => return Ok(None),
            _ => {}
        }
        if stage >= Stage::Link {
            args.extend_from_slice(&self.link_args);
        }
        // Meson writes a string to a file with the language's default extension.
        let text = if source.extension == self.language.extension(false) {
            quoted(&source.text)
        } else {
            let file = format!("{variable}.{}", source.extension);
            std::fs::write(dir.join(&file), &source.text)?;
            format!("files({})", quoted(&file))
        };
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let mut arguments = format!("{text}, args: {}", list(&args));
        if !question.fail_patterns.is_empty() {
            // Meson has no patterns; their purpose is to find warnings.
            arguments.push_str(", werror: true");
        }
        let value = match stage {
            Stage::Run => {
                return Ok(Some(format!(
                    "run = {compiler}.run({arguments})\n\
                     {variable} = run.compiled() and run.returncode() == 0\n"
                )));
            }
            Stage::Link => format!("{compiler}.links({arguments})"),
            Stage::Compile | Stage::Preprocess => format!("{compiler}.compiles({arguments})"),
        };
        Ok(Some(format!("{variable} = {value}\n")))
    }
}

fn is_identifier(text: &str) -> bool {
    text.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}

/// A string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    for c in text.chars() {
        match c {
            '\'' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c => quoted.push(c),
        }
    }
    quoted + "'"
}

/// A list of strings.
fn list(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    format!("[{}]", words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_keep_every_character() {
        assert_eq!(quoted("it's\n\\n"), r"'it\'s\n\\n'");
        assert_eq!(list(&["-DX='a'", "b"]), r"['-DX=\'a\'', 'b']");
    }
}
