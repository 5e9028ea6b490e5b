//! Why the session leaves a call to CMake.

/// Why a call is left to CMake. The summary counts these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Refusal {
    /// CMake itself finds out about a compiler.
    Internal,
    /// Arguments that are not understood, or not used like this by this version.
    Arguments,
    /// A whole project.
    Project,
    /// More than one source.
    Sources,
    /// A source that cannot be read.
    Source,
    /// A language that is not known, or not tested yet.
    Language,
    /// A program for another machine that nothing can run.
    Foreign,
    /// A kind of result that is neither a program nor a library.
    TargetType,
    /// A policy of which CMake would warn.
    PolicyWarning,
    /// The commands are not known yet.
    First,
    /// CMake's commands could not be read from its output.
    Commands,
    /// The compiler gave no answer.
    NoAnswer,
    /// A target's properties are expressions that read others.
    Expressions,
    /// A path that depends on the directory of CMake's test project.
    Relative,
    /// Which environment the compiler reads is not certain.
    Environment,
    /// The test projects are to be kept for the user to see.
    Kept,
    /// A text that could not be read.
    Text,
}

impl Refusal {
    /// The reason, for the summary.
    pub(super) fn text(self) -> &'static str {
        match self {
            Refusal::Internal => "compiler detection",
            Refusal::Arguments => "arguments",
            Refusal::Project => "whole projects",
            Refusal::Sources => "several sources",
            Refusal::Source => "unreadable sources",
            Refusal::Language => "other languages",
            Refusal::Foreign => "programs for another machine",
            Refusal::TargetType => "other kinds of targets",
            Refusal::PolicyWarning => "policy warnings",
            Refusal::First => "the first in new surroundings",
            Refusal::Commands => "commands not understood",
            Refusal::NoAnswer => "no answer",
            Refusal::Expressions => "generator expressions of targets",
            Refusal::Relative => "relative directories",
            Refusal::Environment => "unknown environment",
            Refusal::Kept => "--debug-trycompile",
            Refusal::Text => "unreadable calls",
        }
    }

    /// The same with an explanation, for `tryall why`.
    pub(super) fn explained(self) -> String {
        let explanation = match self {
            Refusal::Internal => "CMake examines a compiler with it",
            Refusal::Arguments => {
                "tryall does not know this combination of them, or CMake rejects it"
            }
            Refusal::Project => "it builds a project, not a source",
            Refusal::Sources => "it has more than one, or none",
            Refusal::Source => "its source is missing, or has a relative path",
            Refusal::Language => {
                "tryall answers C, C++, Fortran, Objective-C, Objective-C++ and assembler in .S files"
            }
            Refusal::Foreign => "CMAKE_CROSSCOMPILING_EMULATOR is not set",
            Refusal::TargetType => {
                "CMAKE_TRY_COMPILE_TARGET_TYPE asks for neither a program nor a static library \
                 without link options"
            }
            Refusal::PolicyWarning => "CMake may warn about a policy",
            Refusal::First => "tryall read the commands off CMake's output",
            Refusal::Commands => "there are unexpected words in CMake's commands",
            Refusal::NoAnswer => "the compiler crashed, say, or wrote too much",
            Refusal::Expressions => "they read other properties",
            Refusal::Relative => "a path depends on the directory of CMake's test project",
            Refusal::Environment => "it could not be read",
            Refusal::Kept => "CMake keeps its test projects",
            Refusal::Text => {
                "arguments or variables are not UTF-8, or contain the control character 30"
            }
        };
        format!("{}: {explanation}", self.text())
    }
}
