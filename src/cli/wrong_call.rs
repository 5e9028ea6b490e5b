//! Suggests a correct command line when clap rejects one.

use std::ffi::OsString;
use std::path::Path;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};

use super::Cli;
use crate::protocol::nearest::nearest;

/// Adds a suggestion to clap's error.
pub(super) fn explained(mut error: clap::Error, words: &[OsString]) -> clap::Error {
    let Some(ContextValue::String(word)) = error.get(match error.kind() {
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        _ => return error,
    }) else {
        return error;
    };
    let word = word.clone();
    if error.kind() == ErrorKind::InvalidSubcommand {
        let program = Cli::command();
        let names =
            program.get_subcommands().filter(|it| !it.is_hide_set()).map(|it| it.get_name());
        if let Some(meant) = nearest(&word, names) {
            // clap lists the least similar name first.
            let meant = ContextValue::Strings(vec![meant.into()]);
            error.insert(ContextKind::SuggestedSubcommand, meant);
            return error;
        }
        // clap's remaining suggestions are hidden commands.
        error.remove(ContextKind::SuggestedSubcommand);
        if !Path::new(&word).exists() && !word.contains(['.', '/']) {
            return error;
        }
    }
    let as_check =
        [&["tryall".into(), "check".into()], words.get(1..).unwrap_or_default()].concat();
    let first_is_refused =
        words.get(1).is_some_and(|first| first.to_string_lossy().starts_with(&word));
    let is_check = match Cli::try_parse_from(&as_check) {
        Ok(_) => true,
        Err(other) => other.kind() != ErrorKind::UnknownArgument,
    };
    if first_is_refused && is_check {
        let shown = as_check.iter().map(|word| word.to_string_lossy());
        let shown = shlex::try_join(shown.collect::<Vec<_>>().iter().map(AsRef::as_ref));
        let tip = format!("to run checks, put 'check' first: '{}'", shown.unwrap_or_default());
        let tip = StyledStr::from(tip);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    error
}
