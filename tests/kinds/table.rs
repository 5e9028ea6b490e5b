//! Tables of checks and expected answers, run with many compilers.

use crate::support::*;
use serde_json::{Value, json};

/// The expected answer of a check.
#[derive(Debug, Clone)]
pub enum Expected {
    Yes,
    No,
    /// Yes, with this value.
    Is(Value),
}

/// A check without an id, and its answer.
#[derive(Debug, Clone)]
pub struct Row {
    pub check: Value,
    pub expected: Expected,
    /// Whether warnings, optimization and older standards do not affect the answer.
    pub neutral: bool,
}

pub fn yes(check: Value) -> Row {
    Row { check, expected: Expected::Yes, neutral: true }
}

pub fn no(check: Value) -> Row {
    Row { check, expected: Expected::No, neutral: true }
}

pub fn is(check: Value, value: impl Into<Value>) -> Row {
    Row { check, expected: Expected::Is(value.into()), neutral: true }
}

impl Row {
    /// For checks that depend on the standard or on warnings.
    pub fn not_neutral(mut self) -> Self {
        self.neutral = false;
        self
    }
}

/// A compiler, and arguments for all of its checks.
#[derive(Debug, Clone, Copy)]
pub struct Compiler {
    pub command: &'static [&'static str],
    pub language: &'static str,
}

pub const GCC: Compiler = Compiler { command: &["gcc"], language: "c" };
pub const GXX: Compiler = Compiler { command: &["g++"], language: "c++" };
pub const CLANG: Compiler = Compiler { command: &["clang"], language: "c" };
pub const CLANGXX: Compiler = Compiler { command: &["clang++"], language: "c++" };

pub const GFORTRAN: Compiler = Compiler { command: &["gfortran"], language: "fortran" };
pub const FLANG: Compiler = Compiler { command: &["flang-new-16"], language: "fortran" };

pub const C: &[Compiler] = &[GCC, CLANG];
pub const CXX: &[Compiler] = &[GXX, CLANGXX];
pub const C_AND_CXX: &[Compiler] = &[GCC, GXX, CLANG, CLANGXX];

impl Compiler {
    /// Arguments that do not affect neutral checks. Of these, only optimization, which is the second, could
    /// turn a no into a yes. Excludes link-time optimization in C++, which
    /// is the same as in C and slow.
    fn variants(&self) -> [&'static [&'static str]; 4] {
        let old = match self.language {
            "c" | "objc" => &["-std=c89"],
            "c++" => &["-std=c++98"],
            "fortran" => &["-std=f2008"],
            other => panic!("no older standard of {other}"),
        };
        let optimized: &[&str] = match self.language {
            "c++" => &["-O2"],
            _ => &["-O2", "-flto"],
        };
        [&[], optimized, &["-g3", "-Wall", "-Wextra", "-pedantic", "-Werror"], old]
    }
}

/// Runs the rows with the compilers, and neutral rows also with variants of the arguments: each compiler
/// meets one of them in a row, another one in the next, and other compilers meet the others.
pub fn assert_answers(compilers: &[Compiler], rows: &[Row]) {
    let mut questions = Vec::new();
    for (of_compiler, compiler) in compilers.iter().enumerate() {
        let [plain, optimized, warning, old] = compiler.variants();
        for (of_row, row) in rows.iter().enumerate() {
            let turn = of_compiler + of_row;
            let variant = match (row.neutral, &row.expected) {
                (false, _) => None,
                (true, Expected::No) => [Some(optimized), None][turn % 2],
                (true, _) => Some([optimized, warning, old][turn % 3]),
            };
            let arguments = std::iter::once(plain).chain(variant);
            questions.extend(arguments.map(|arguments| (*compiler, arguments, row)));
        }
    }
    assert_all(&questions);
}

/// Runs the rows with one compiler, without variants.
pub fn assert_plain_answers(compiler: Compiler, rows: &[Row]) {
    let nothing: &[&str] = &[];
    assert_all(&rows.iter().map(|row| (compiler, nothing, row)).collect::<Vec<_>>());
}

fn assert_all(questions: &[(Compiler, &[&str], &Row)]) {
    let mut toolchains = serde_json::Map::new();
    let mut checks = Vec::new();
    for (index, (compiler, variant, row)) in questions.iter().enumerate() {
        need(compiler.command[0]);
        let name = compiler.command.join(" ");
        let toolchain = json!({"language": compiler.language, "command": compiler.command});
        toolchains.insert(name.clone(), toolchain);
        let mut check = row.check.clone();
        check["id"] = format!("{index} {name} {variant:?} {}", row.check).into();
        check["toolchain"] = name.into();
        let mut args = check["args"].as_array().cloned().unwrap_or_default();
        args.extend(variant.iter().map(|&arg| arg.into()));
        check["args"] = args.into();
        checks.push(check);
    }
    let request = json!({"timeout": PATIENCE, "toolchains": toolchains, "checks": checks});
    let ran = check(&request);
    let answers = ran.json();
    let results = answers["results"].as_array().unwrap_or_else(|| panic!("{answers}"));
    assert_eq!(results.len(), questions.len());
    let wrong: Vec<_> = std::iter::zip(results, questions)
        .filter(|(result, (_, _, row))| !fits(result, &row.expected))
        .map(|(result, (_, _, row))| describe(result, &row.expected))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), results.len(), wrong.join("\n"));
}

fn fits(result: &Value, expected: &Expected) -> bool {
    match expected {
        Expected::Yes => result["status"] == "yes",
        Expected::No => result["status"] == "no" && result["value"].is_null(),
        Expected::Is(value) => result["status"] == "yes" && result["value"] == *value,
    }
}

fn describe(result: &Value, expected: &Expected) -> String {
    let text = |field: &str| {
        let text = result[field].as_str().unwrap_or_default();
        text.lines().take(8).map(|line| format!("\n    {line}")).collect::<String>()
    };
    format!(
        "* {}\n  expected {expected:?}, got {} with {}{}{}",
        result["id"].as_str().unwrap(),
        result["status"],
        result["value"].to_string().chars().take(200).collect::<String>(),
        text("reason"),
        text("output"),
    )
}
