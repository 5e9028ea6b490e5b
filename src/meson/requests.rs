//! Request files in a Meson batch: tryall's own kinds of checks. They use Meson's compiler and
//! options unless the file names a toolchain.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path as FilePath;
use std::rc::Rc;

use crate::compiler::dialect::Stage;
use crate::plan::absolute_paths::{absolute_args, absolute_command};
use crate::protocol::code::Code;
use crate::protocol::language::Language;
use crate::protocol::{BadRequest, Check, Location, Request, Toolchain, parse};

use super::arguments::arguments;
use super::compose::{Composed, Entry, Reading, Subject, compiler};
use super::version::Version;
use super::words::MesonBatch;

/// Adds the checks of a file.
pub(crate) fn add(
    file: &FilePath,
    of: usize,
    batch: &MesonBatch,
    version: &Version,
    to: &mut Composed,
) -> Result<(), BadRequest> {
    let cannot = |error| {
        let message = format!(
            "cannot read the request {}: {error}; write files('...'), so that Meson finds it",
            file.display()
        );
        BadRequest::whole(Code::RequestUnreadable, message)
    };
    let bytes = std::fs::read(file).map_err(cannot)?;
    let (request, text) = parse::parse(&bytes)?;
    let first = to.request.checks.len();
    let renamed = |name: &str| format!("{name} ({first})");
    let ids: HashMap<_, _> =
        request.checks.iter().map(|check| (check.id.clone(), renamed(&check.id))).collect();
    let path = std::path::absolute(file).map_err(cannot)?;
    let dir = Rc::new(path.parent().unwrap_or(FilePath::new("/")).to_path_buf());
    for (index, check) in request.checks.iter().enumerate() {
        let place = Location::root().key("checks").index(index);
        let toolchain = match toolchain(check, &request) {
            Some(own) => own,
            None if check.language.unwrap_or_default() != batch.language => {
                let message = format!(
                    "the language of check {:?} differs from the language of its batch; set \
                     \"language\" in both, or give the request a toolchain",
                    check.id
                );
                let place = place.key("language");
                return Err(BadRequest::at(Code::ConflictingFields, message, &place, Some(text)));
            }
            None => String::new(),
        };
        let mut composed = check.clone();
        composed.id = renamed(&check.id);
        composed.toolchain = Some(renamed(&toolchain));
        for need in &mut composed.needs {
            // The planner reports unknown ids.
            *need = ids.get(need).unwrap_or(need).clone();
        }
        composed.timeout = check.timeout.or(request.timeout);
        to.entries.push(Entry {
            batch: of,
            subject: Subject::RequestCheck(check.id.clone()),
            reading: Reading::RequestCheck { kind: check.kind, required: check.required },
            check: to.request.checks.len(),
            alternative: None,
        });
        to.request.checks.push(composed);
        to.origins.push((place, Some(dir.clone())));
    }
    let mut of_meson = compiler(batch, version);
    of_meson.args = arguments(batch, version, Stage::Preprocess, &own(batch));
    of_meson.link_args = batch.option_link_args.clone();
    for (name, toolchain) in request.toolchains {
        let language = toolchain.language.or(Language::from_name(&name));
        let at = Location::root().key("toolchains").key(&name);
        let toolchain = anchored_toolchain(toolchain, &dir)
            .map_err(|message| BadRequest::at(Code::InvalidValue, message, &at, Some(text)))?;
        to.request.toolchains.insert(renamed(&name), Toolchain { language, ..toolchain });
    }
    to.request.toolchains.insert(renamed(""), of_meson);
    Ok(())
}

/// Makes the paths of a request file's toolchain absolute: they are relative to the file, unlike
/// the paths in Meson's arguments.
fn anchored_toolchain(given: Toolchain, dir: &FilePath) -> Result<Toolchain, String> {
    let texts = |words: Vec<OsString>| {
        let text = |word: OsString| {
            word.into_string().map_err(|word| format!("the path {} is not UTF-8", word.display()))
        };
        words.into_iter().map(text).collect::<Result<Vec<_>, _>>()
    };
    let command = |words: &[String]| match words {
        [] => Ok(Vec::new()),
        words => texts(absolute_command(words, dir)),
    };
    Ok(Toolchain {
        command: given.command.as_deref().map(command).transpose()?,
        args: texts(absolute_args(&given.args, dir))?,
        link_args: texts(absolute_args(&given.link_args, dir))?,
        emulator: command(&given.emulator)?,
        launcher: command(&given.launcher)?,
        ..given
    })
}

fn own(batch: &MesonBatch) -> Vec<String> {
    [batch.builtin_args.as_slice(), &batch.args].concat()
}

/// The toolchain that a check names, or the request's toolchain for its language.
fn toolchain(check: &Check, request: &Request) -> Option<String> {
    let language = check.language.unwrap_or_default();
    let of_language = |name: &&String| Language::from_name(name) == Some(language);
    check.toolchain.clone().or_else(|| request.toolchains.keys().find(of_language).cloned())
}
