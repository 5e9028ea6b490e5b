//! `tryall meson`: the command that the Meson wrapper runs. See [`crate::meson`].

use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;

use clap::Args;

use super::CheckArgs;
use super::check::{failed, refuse};
use super::execute::{self, Prepared};
use super::output;
use crate::engine::no_directory;
use crate::exec::slots::Inherited;
use crate::meson::compose::Composed;
use crate::meson::rounds::Rounds;
use crate::meson::{answers, words};
use crate::plan::toolchain::Environment;
use crate::plan::{self, Origin, Plan};
use crate::protocol::BadRequest;
use crate::report::Format;

/// Arguments of `tryall meson`.
#[derive(Args)]
pub(super) struct MesonArgs {
    /// KEY:VALUE, as described in src/meson/words.rs
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "WORD")]
    words: Vec<String>,
}

/// Runs the command. Errors of single checks are part of its output; the exit status is then 0.
pub(super) fn run(given: &MesonArgs, inherited: &Inherited) -> ExitCode {
    let rounds = match all_rounds(given, inherited) {
        Ok(Ok(rounds)) => rounds,
        Ok(Err(status)) => return status,
        Err(error) => {
            return refuse(&as_check(), &error);
        }
    };
    let mut written = Vec::new();
    answers::write(rounds, &mut written).expect("memory takes all");
    output::print(&written)
}

/// Options of `tryall check` that report failures in the wrapper's format.
fn as_check() -> CheckArgs {
    CheckArgs { format: Format::Meson, ..CheckArgs::default() }
}

fn all_rounds(
    given: &MesonArgs,
    inherited: &Inherited,
) -> Result<Result<Rounds, ExitCode>, BadRequest> {
    let mut rounds = Rounds::new(words::parse(&given.words)?);
    while let Some((mut composed, running)) = rounds.next_round()? {
        let plan = plan(&mut composed)?;
        let answers = match execute::answers(Prepared { plan, jobs: None }, inherited) {
            Ok(Ok(answers)) => answers,
            Ok(Err(status)) => return Ok(Err(status)),
            Err(failure) => return Ok(Err(failed(&as_check(), &failure))),
        };
        rounds.settle(&composed, running, &answers);
    }
    Ok(Ok(rounds))
}

fn plan(composed: &mut Composed) -> Result<Plan, BadRequest> {
    let environment = Environment::of_process().map_err(no_directory)?;
    // Meson runs its compilers in such a directory, so relative paths start there.
    let base = match std::env::var_os("MESON_BUILD_ROOT") {
        Some(build) => PathBuf::from(build).join("meson-private/tmp"),
        None => environment.dir.clone(),
    };
    let base = Rc::new(base);
    let origins = std::mem::take(&mut composed.origins).into_iter();
    let origins = origins
        .map(|(path, dir)| Origin { path, base: dir.unwrap_or_else(|| base.clone()), option: None })
        .collect();
    plan::plan(plan::Input {
        request: std::mem::take(&mut composed.request),
        origins,
        text: None,
        base: &base,
        timeout: None,
        environment: &environment,
    })
}
