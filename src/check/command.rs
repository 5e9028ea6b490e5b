//! The compiler command of a question.

use std::ffi::{OsStr, OsString};

use crate::compiler::diagnostics::positive_form;
use crate::compiler::dialect::{Added, Stage};
use crate::plan::question::{Question, Subject};
use crate::plan::toolchain::Toolchain;

/// The command that drives the compiler as far as a stage, and the file that it writes into the
/// current directory, if it writes one.
pub(crate) fn command_line(
    toolchain: &Toolchain,
    question: &Question,
    stage: Stage,
    file: &OsStr,
) -> (Vec<OsString>, Option<String>) {
    let mut args = [toolchain.args.as_slice(), &question.args].concat();
    if let Subject::CompilerFlag(flags) | Subject::LinkerFlag(flags) = &question.subject {
        for flag in flags {
            args.extend(flag.to_str().and_then(positive_form).map(OsString::from));
            args.push(flag.clone());
        }
    }
    let library = match &question.subject {
        Subject::Library { library, .. } => Some(library.as_str()),
        _ => None,
    };
    let link_args = [question.link_args.as_slice(), &toolchain.link_args].concat();
    let added = Added { args: &args, library, link_args: &link_args };
    let (arguments, product) = toolchain.dialect.arguments(stage, file, added);
    ([toolchain.command.clone(), arguments].concat(), product)
}
