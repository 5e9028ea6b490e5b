//! Asks again what the store has an answer to.

use std::ffi::OsString;
use std::path::Path;

use crate::check::asked::Asked;
use crate::check::recall::lasting_variables;
use crate::engine::Options;
use crate::plan::toolchain::{self, Environment};
use crate::protocol::{Check, Request, VERSION};
use crate::store::Variables;

/// The request that asks checks again, which have one toolchain.
pub(crate) fn request(asked: &[&Asked]) -> Request {
    const TOOLCHAIN: &str = "stored";
    let toolchain = asked[0].toolchain.clone();
    let checks = asked.iter().enumerate().map(|(place, asked)| Check {
        id: place.to_string(),
        toolchain: Some(TOOLCHAIN.into()),
        ..asked.check.clone()
    });
    let checks = checks.collect();
    Request {
        version: VERSION,
        toolchains: [(TOOLCHAIN.into(), toolchain)].into(),
        checks,
        ..Request::default()
    }
}

/// The options for that, in the directory that relative paths of the checks start from.
pub(crate) fn options(base: &Path) -> Options {
    Options { base: Some(base.into()), ..Options::default() }
}

/// The variables of the commands that would answer a check in an environment. `None` if it cannot be asked.
pub(crate) fn variables(asked: &Asked, env: Vec<(OsString, OsString)>) -> Option<Variables> {
    let environment = Environment { env, dir: std::env::current_dir().ok()? };
    let Asked { toolchain, base, .. } = asked;
    let resolved = toolchain::resolve(toolchain.language?, Some(toolchain), base, &environment);
    Some(lasting_variables(&resolved.ok()?))
}
