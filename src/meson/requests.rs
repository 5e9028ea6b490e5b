//! Request files among Meson's lists: tryall's own kinds of checks, asked with Meson's compiler
//! and options where the file names none.

use std::collections::HashMap;
use std::path::Path as FilePath;
use std::rc::Rc;

use crate::dialect::Stage;
use crate::language::Language;
use crate::request::{BadRequest, Check, Path, Request, parse};

use super::arguments::arguments;
use super::compose::{Composed, Entry, Reading, Subject, compiler};
use super::version::Version;
use super::words::Batch;

/// Adds the checks of a file.
pub fn add(
    file: &FilePath,
    of: usize,
    batch: &Batch,
    version: &Version,
    to: &mut Composed,
) -> Result<(), BadRequest> {
    let cannot = |error| {
        BadRequest::whole(format!("the request {} cannot be read: {error}", file.display()))
    };
    let bytes = std::fs::read(file).map_err(cannot)?;
    let (request, text) = parse::parse(&bytes)?;
    let first = to.request.checks.len();
    let renamed = |name: &str| format!("{name} ({first})");
    let ids: HashMap<_, _> =
        request.checks.iter().map(|check| (check.id.clone(), renamed(&check.id))).collect();
    let dir = Rc::new(file.parent().unwrap_or(FilePath::new("")).to_path_buf());
    for (index, check) in request.checks.iter().enumerate() {
        let place = Path::root().key("checks").index(index);
        let toolchain = match toolchain(check, &request) {
            Some(own) => own,
            None if check.language.unwrap_or_default() != batch.language => {
                let message = format!(
                    "the check {:?} is in another language than its batch; say \"language\" in \
                     both, or give the request a toolchain",
                    check.id
                );
                return Err(BadRequest::at(message, &place.key("language"), Some(text)));
            }
            None => String::new(),
        };
        let mut composed = check.clone();
        composed.id = renamed(&check.id);
        composed.toolchain = Some(renamed(&toolchain));
        for need in &mut composed.needs {
            // One that is not there is found out when the plan is made.
            *need = ids.get(need).unwrap_or(need).clone();
        }
        composed.timeout = check.timeout.or(request.timeout);
        to.entries.push(Entry {
            batch: of,
            subject: Subject::Own(check.id.clone()),
            reading: Reading::Own,
            check: to.request.checks.len(),
            alternative: None,
        });
        to.request.checks.push(composed);
        to.origins.push((place, Some(dir.clone())));
    }
    let mut of_meson = compiler(batch, version);
    of_meson.args = arguments(batch, version, Stage::Preprocess, &own(batch));
    of_meson.link_args = batch.option_link_args.clone();
    let theirs = request.toolchains.into_iter();
    to.request.toolchains.extend(theirs.map(|(name, toolchain)| {
        let language = toolchain.language.or(Language::from_name(&name));
        (renamed(&name), crate::request::Toolchain { language, ..toolchain })
    }));
    to.request.toolchains.insert(renamed(""), of_meson);
    Ok(())
}

fn own(batch: &Batch) -> Vec<String> {
    [batch.builtin_args.as_slice(), &batch.args].concat()
}

/// The toolchain that a check names, or that the request has for its language.
fn toolchain(check: &Check, request: &Request) -> Option<String> {
    let language = check.language.unwrap_or_default();
    let of_language = |name: &&String| Language::from_name(name) == Some(language);
    check.toolchain.clone().or_else(|| request.toolchains.keys().find(of_language).cloned())
}
