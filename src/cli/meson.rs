//! `tryall meson`: what Meson's wrapper runs. See [`crate::meson`].

use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;

use clap::Args;

use super::CheckArgs;
use super::check::{finish, refuse};
use super::execute::Prepared;
use crate::meson::{compose, words};
use crate::plan::{self, Origin};
use crate::report::Format;
use crate::request::BadRequest;
use crate::slots::Inherited;
use crate::toolchain::Surroundings;

/// What `tryall meson` takes.
#[derive(Args)]
pub struct MesonArgs {
    /// KEY:VALUE, as src/meson/words.rs tells
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "WORD")]
    words: Vec<String>,
}

/// Runs the command.
pub fn run(given: &MesonArgs, inherited: Inherited) -> ExitCode {
    let args = CheckArgs { format: Format::Meson, ..CheckArgs::default() };
    match prepare(&given.words) {
        Ok(prepared) => finish(&args, prepared, inherited),
        Err(error) => refuse(&args, &error),
    }
}

fn prepare(given: &[String]) -> Result<Prepared, BadRequest> {
    let surroundings = Surroundings::of_process().map_err(|error| {
        BadRequest::whole(format!("the current directory cannot be used: {error}"))
    })?;
    let composed = compose::compose(&words::read(given)?)?;
    // Meson's compilers run in such a directory, which relative paths start from.
    let base = match std::env::var_os("MESON_BUILD_ROOT") {
        Some(build) => PathBuf::from(build).join("meson-private/tmp"),
        None => surroundings.dir.clone(),
    };
    let base = Rc::new(base);
    let origins = composed.origins.into_iter();
    let origins = origins
        .map(|(path, dir)| Origin { path, base: dir.unwrap_or_else(|| base.clone()) })
        .collect();
    let plan = plan::plan(plan::Input {
        request: composed.request,
        origins,
        text: None,
        base: &base,
        timeout: None,
        surroundings: &surroundings,
    })?;
    Ok(Prepared { plan, jobs: None, entries: Some(composed.entries) })
}
