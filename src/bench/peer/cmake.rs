//! A CMake project that calls the check modules one after another. If no module supports a check,
//! it calls `check_source_compiles` with tryall's own source.

use std::fmt::Write;
use std::io;
use std::path::Path;

use super::{all_utf8, code, has_main, link_args, one_for_each_language, order, unsupported, utf8};
use crate::compiler::dialect::Stage;
use crate::plan::Plan;
use crate::plan::ids::CheckId;
use crate::plan::question::{Question, Subject};
use crate::protocol::HeaderStage;
use crate::protocol::language::Language;

/// The cache script that sets the compilers.
pub(super) const CACHE: &str = "compilers.cmake";

const START: &str = "\
include(CheckCompilerFlag)
include(CheckFortranFunctionExists)
include(CheckFunctionExists)
include(CheckIncludeFile)
include(CheckIncludeFileCXX)
include(CheckIncludeFiles)
include(CheckLibraryExists)
include(CheckLinkerFlag)
include(CheckCXXSymbolExists)
include(CheckPrototypeDefinition)
include(CheckSourceCompiles)
include(CheckSourceRuns)
include(CheckStructHasMember)
include(CheckSymbolExists)
include(CheckTypeSize)
include(TestBigEndian)

set(answers \"\")
function(answer id variable)
  if(NOT DEFINED ${variable})
    return()
  endif()
  if(${variable})
    set(answers \"${answers}${id} yes\\n\" PARENT_SCOPE)
  else()
    set(answers \"${answers}${id} no\\n\" PARENT_SCOPE)
  endif()
endfunction()
";

/// Writes the project.
pub(super) fn project(dir: &Path, plan: &Plan, repeat: usize) -> io::Result<usize> {
    one_for_each_language(plan)?;
    let languages: Vec<_> = plan.toolchains.iter().map(|t| name(t.language)).collect();
    let mut text = format!(
        "cmake_minimum_required(VERSION 3.19...4.0)\nproject(checks LANGUAGES {})\n{START}",
        languages.join(" ")
    );
    let order = order(plan);
    let mut asked = 0;
    for repetition in 0..repeat {
        for &id in &order {
            let planned = &plan.checks[id];
            let variable = format!("CHECK_{repetition}_{id}");
            let Some(check) = check(plan, &plan.questions[planned.question], &variable)? else {
                continue;
            };
            asked += 1;
            writeln!(text, "\n# {}", planned.id).expect("strings take all");
            let needs: Vec<_> =
                planned.needs.iter().map(|need| answer_of(plan, *need, repetition)).collect();
            if needs.is_empty() {
                text.push_str(&check);
            } else {
                write!(text, "if({})\n{check}endif()\n", needs.join(" AND "))
                    .expect("strings take all");
            }
            if repetition == 0 {
                let variable = answer_of(plan, id, repetition);
                writeln!(text, "answer({} {variable})", quoted(&planned.id))
                    .expect("strings take all");
            }
        }
    }
    text.push_str("\nfile(WRITE ${CMAKE_BINARY_DIR}/answers \"${answers}\")\n");
    std::fs::write(dir.join("CMakeLists.txt"), text)?;
    std::fs::write(dir.join(CACHE), compilers(plan)?)?;
    Ok(asked)
}

/// CMake's name of a language.
fn name(language: Language) -> &'static str {
    match language {
        Language::C => "C",
        Language::Cxx => "CXX",
        Language::Fortran => "Fortran",
        Language::ObjC => "OBJC",
        Language::ObjCxx => "OBJCXX",
    }
}

/// The compilers and their flags, as cache entries.
fn compilers(plan: &Plan) -> io::Result<String> {
    let mut text = String::new();
    for toolchain in &plan.toolchains {
        let name = name(toolchain.language);
        let command = all_utf8(&toolchain.command)?;
        if command.iter().any(|word| word.contains(';')) {
            return Err(unsupported("a compiler's command with a semicolon"));
        }
        let flags = shell(&all_utf8(&toolchain.args)?)?;
        for (what, value) in [("COMPILER", command.join(";")), ("FLAGS", flags)] {
            writeln!(text, "set(CMAKE_{name}_{what} {} CACHE STRING \"\")", quoted(&value))
                .expect("strings take all");
        }
    }
    Ok(text)
}

/// The variable that is true if a check is a yes.
fn answer_of(plan: &Plan, id: CheckId, repetition: usize) -> String {
    let question = &plan.questions[plan.checks[id].question];
    let language = plan.toolchains[question.toolchain].language;
    let variable = format!("CHECK_{repetition}_{id}");
    let sized = matches!(question.subject, Subject::Type(_) | Subject::Sizeof(_));
    if sized && fits_modules(question, language) {
        return format!("HAVE_{variable}");
    }
    if matches!(question.subject, Subject::Endian) && fits_modules(question, language) {
        return format!("{variable}_KNOWN");
    }
    variable
}

/// Whether any module can run the check: they support headers but no other prefix, no patterns, and
/// only C and C++.
fn fits_modules(question: &Question, language: Language) -> bool {
    let words: Vec<&str> = match &question.subject {
        Subject::Header { header, .. } => vec![header],
        Subject::Symbol(word) | Subject::Type(word) | Subject::Sizeof(word) => vec![word],
        Subject::Library { library, .. } => vec![library],
        Subject::Member { of, member } => vec![of, member],
        Subject::Prototype { return_type, arguments, .. } => {
            arguments.iter().chain([return_type]).map(String::as_str).collect()
        }
        _ => Vec::new(),
    };
    // Some modules are macros, which evaluate their arguments twice.
    let plain = |word: &str| !word.contains(['"', '\\', ';', '$', '@', '#', '[', ']']);
    matches!(language, Language::C | Language::Cxx)
        && question.prefix.is_empty()
        && question.fail_patterns.is_empty()
        && question.headers.iter().map(String::as_str).chain(words).all(plain)
}

/// The call for a check, with lines before and after that set and unset its variables. `None` if
/// CMake cannot run the check.
fn check(plan: &Plan, question: &Question, variable: &str) -> io::Result<Option<String>> {
    let toolchain = &plan.toolchains[question.toolchain];
    let language = toolchain.language;
    let call = match by_module(question, language, variable) {
        Some(call) => Call { text: call, ..Call::default() },
        None => match by_source(question, language, variable)? {
            Some(call) => call,
            None => return Ok(None),
        },
    };

    let own_definitions = !matches!(question.subject, Subject::CompilerFlag(_));
    let own_link_options = !matches!(question.subject, Subject::LinkerFlag(_));
    let mut definitions = Vec::new();
    let mut includes = call.includes;
    let mut flags = Vec::new();
    for arg in all_utf8(&question.args)?.into_iter().chain(call.flags.iter().map(String::as_str)) {
        match (arg.strip_prefix("-I"), arg.strip_prefix("-D")) {
            (Some(dir), _) if !dir.is_empty() => includes.push(dir.into()),
            (_, Some(definition)) if own_definitions && !definition.is_empty() => {
                definitions.push(arg.to_string());
            }
            _ => flags.push(arg),
        }
    }
    let mut libraries = call.libraries;
    let mut link_options = Vec::new();
    // For a static library they would go to ar.
    let link_args = if call.archive { Vec::new() } else { link_args(toolchain, question) };
    for arg in all_utf8(&link_args)? {
        if arg.starts_with("-l") || !arg.starts_with('-') && arg.contains('/') || !own_link_options
        {
            libraries.push(arg.into());
        } else {
            link_options.push(arg.into());
        }
    }

    let mut settings = vec![
        ("CMAKE_REQUIRED_DEFINITIONS", definitions),
        ("CMAKE_REQUIRED_INCLUDES", includes),
        ("CMAKE_REQUIRED_LIBRARIES", libraries),
        ("CMAKE_REQUIRED_LINK_OPTIONS", link_options),
        ("CMAKE_REQUIRED_FLAGS", Vec::new()),
        ("CMAKE_EXTRA_INCLUDE_FILES", Vec::new()),
        ("CMAKE_TRY_COMPILE_TARGET_TYPE", Vec::new()),
    ];
    if !flags.is_empty() {
        settings[4].1 = vec![shell(&flags)?];
    }
    if matches!(question.subject, Subject::Type(_) | Subject::Sizeof(_)) {
        settings[5].1 = question.headers.clone();
    }
    if call.archive {
        settings[6].1 = vec!["STATIC_LIBRARY".into()];
    }
    settings.retain(|(_, values)| !values.is_empty());
    if settings.iter().flat_map(|(_, values)| values).any(|value| value.contains(';')) {
        return Ok(None);
    }
    let mut text = String::new();
    for (name, values) in &settings {
        let values: Vec<_> = values.iter().map(|value| quoted(value)).collect();
        writeln!(text, "set({name} {})", values.join(" ")).expect("strings take all");
    }
    text.push_str(&call.text);
    for (name, _) in &settings {
        writeln!(text, "unset({name})").expect("strings take all");
    }
    Ok(Some(text))
}

/// A call and its variables.
#[derive(Default)]
struct Call {
    text: String,
    includes: Vec<String>,
    libraries: Vec<String>,
    flags: Vec<String>,
    /// Whether to build a static library, because there is no program to link.
    archive: bool,
}

/// The call of the module for a kind, if one supports the check.
fn by_module(question: &Question, language: Language, variable: &str) -> Option<String> {
    if let (Subject::Function(function), Language::Fortran) = (&question.subject, language)
        && [&question.prefix, &question.headers.concat()].iter().all(|text| text.is_empty())
        && question.args.is_empty()
        && question.fail_patterns.is_empty()
    {
        return Some(format!("check_fortran_function_exists({function} {variable})\n"));
    }
    let name = name(language);
    if let (Subject::CompilerFlag(flags), true) | (Subject::LinkerFlag(flags), true) =
        (&question.subject, question.fail_patterns.is_empty())
    {
        let kind = if question.subject.stage() == Stage::Link { "linker" } else { "compiler" };
        let flags = flags.iter().map(|flag| flag.to_str()).collect::<Option<Vec<_>>>()?;
        let plain = |flag: &&str| !flag.contains([';', ' ', '"', '\\', '$', '\'']);
        let bare = question.headers.is_empty() && question.prefix.is_empty();
        return (bare && flags.iter().all(plain)).then(|| {
            format!("check_{kind}_flag({name} {} {variable})\n", quoted(&flags.join(";")))
        });
    }
    if !fits_modules(question, language) {
        return None;
    }
    let is_c = language == Language::C;
    let headers = quoted(&question.headers.join(";"));
    let no_headers = question.headers.is_empty();
    let cxx = if is_c { "" } else { "_cxx" };
    let call = match &question.subject {
        Subject::Header { header, stage: HeaderStage::Compile } if no_headers => {
            format!("check_include_file{cxx}({} {variable})", quoted(header))
        }
        Subject::Header { header, stage: HeaderStage::Compile } => {
            let all = [&question.headers.join(";"), header.as_str()].join(";");
            format!("check_include_files({} {variable} LANGUAGE {name})", quoted(&all))
        }
        Subject::Symbol(symbol) => {
            format!("check{cxx}_symbol_exists({} {headers} {variable})", quoted(symbol))
        }
        Subject::Function(function) if !no_headers => {
            format!("check{cxx}_symbol_exists({function} {headers} {variable})")
        }
        // If both languages are enabled, these two use C.
        Subject::Function(function) if is_c => {
            format!("check_function_exists({function} {variable})")
        }
        Subject::Library { library, function: Some(function) } if is_c && no_headers => {
            format!("check_library_exists({} {function} \"\" {variable})", quoted(library))
        }
        // BUILTIN_TYPES_ONLY avoids three additional headers.
        Subject::Type(of) | Subject::Sizeof(of) => {
            format!("check_type_size({} {variable} BUILTIN_TYPES_ONLY LANGUAGE {name})", quoted(of))
        }
        Subject::Member { of, member } => {
            let (of, member) = (quoted(of), quoted(member));
            format!("check_struct_has_member({of} {member} {headers} {variable} LANGUAGE {name})")
        }
        Subject::Prototype { function, return_type, arguments } if is_c => {
            let (definition, value) = definition(function, return_type, arguments)?;
            let definition = quoted(&definition);
            format!(
                "check_prototype_definition({function} {definition} {value} {headers} {variable})"
            )
        }
        Subject::Endian => format!("test_big_endian({variable})\nset({variable}_KNOWN TRUE)"),
        _ => return None,
    };
    Some(call + "\n")
}

/// A function's definition and return value for check_prototype_definition, which needs parameter
/// names. `None` for types that the name does not simply follow.
fn definition(function: &str, return_type: &str, arguments: &[String]) -> Option<(String, String)> {
    let wrapped = |of: &str| of.contains(['(', '[']);
    if wrapped(return_type) || arguments.iter().any(|of| wrapped(of)) {
        return None;
    }
    let named = |(index, of): (usize, &String)| match of.as_str() {
        "..." => of.clone(),
        _ => format!("{of} argument{index}"),
    };
    let named: Vec<_> = arguments.iter().enumerate().map(named).collect();
    let named = if named.is_empty() { "void".into() } else { named.join(", ") };
    let value = match return_type {
        "void" => "\"\"".into(),
        _ if return_type.ends_with('*') => "NULL".into(),
        // The type does not matter: the program never runs.
        _ => quoted(&format!("*({return_type} *)0")),
    };
    Some((format!("{return_type} {function}({named})"), value))
}

/// A call that compiles the check's source. `None` if CMake cannot run the check.
fn by_source(question: &Question, language: Language, variable: &str) -> io::Result<Option<Call>> {
    let (source, beside) = code(question, language)?;
    let mut call = Call::default();
    if let Some(dir) = &beside {
        call.includes.push(utf8(dir.as_os_str())?.into());
    }
    match &question.subject {
        Subject::Library { library, .. } => call.libraries.push(library.clone()),
        Subject::CompilerFlag(flags) | Subject::LinkerFlag(flags) => {
            call.flags = all_utf8(flags)?.into_iter().map(String::from).collect();
        }
        Subject::Source { run_args, .. } if !run_args.is_empty() => return Ok(None),
        _ => {}
    }
    let stage = question.subject.stage();
    let verb = if stage == Stage::Run { "runs" } else { "compiles" };
    // As in real projects: a source with a main program is linked, too.
    call.archive = stage < Stage::Link && !has_main(&source.text, language);
    let name = name(language);
    call.text = format!("check_source_{verb}({name} {} {variable}", bracketed(&source.text));
    // CMake's default extension for Fortran enables the preprocessor.
    if source.extension != language.extension(false) || language == Language::Fortran {
        write!(call.text, " SRC_EXT {}", source.extension).expect("strings take all");
    }
    for pattern in &question.fail_patterns {
        write!(call.text, " FAIL_REGEX {}", bracketed(pattern)).expect("strings take all");
    }
    if stage == Stage::Run && !question.fail_patterns.is_empty() {
        // FAIL_REGEX only applies to the compiler's output.
        return Ok(None);
    }
    call.text.push_str(")\n");
    Ok(Some(call))
}

/// Arguments as one string in shell syntax.
fn shell(words: &[&str]) -> io::Result<String> {
    shlex::try_join(words.iter().copied()).map_err(|error| unsupported(error.to_string()))
}

/// A value as one argument.
fn quoted(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "_-+./=".contains(c);
    match text {
        "" => "\"\"".into(),
        _ if text.chars().all(bare) => text.into(),
        _ if text.chars().any(|c| "\"\\$".contains(c)) || text.contains('\n') => bracketed(text),
        _ => format!("\"{text}\""),
    }
}

/// A text as a bracket argument with a delimiter that does not occur in it.
fn bracketed(text: &str) -> String {
    let level = (1..).find(|level| !text.contains(&format!("]{}", "=".repeat(*level))));
    let sign = "=".repeat(level.expect("a text ends"));
    format!("[{sign}[\n{text}]{sign}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bracket_arguments_end_at_the_end_of_the_text() {
        assert_eq!(bracketed("a]]"), "[=[\na]]]=]");
        assert_eq!(bracketed("a]=]b]=="), "[===[\na]=]b]==]===]");
        assert_eq!(quoted("sys/stat.h"), "sys/stat.h");
        assert_eq!(quoted("a;b c"), "\"a;b c\"");
        assert_eq!(quoted("${x}"), "[=[\n${x}]=]");
    }

    #[test]
    fn definitions_have_parameter_names() {
        let arguments = ["int".into(), "char *".into(), "...".into()];
        assert_eq!(
            definition("f", "char *", &arguments),
            Some(("char * f(int argument0, char * argument1, ...)".into(), "NULL".into()))
        );
        assert_eq!(definition("f", "void", &[]), Some(("void f(void)".into(), "\"\"".into())));
        assert_eq!(definition("f", "void", &["void (*)(int)".into()]), None);
    }
}
