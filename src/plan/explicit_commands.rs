//! What belongs to toolchains whose commands the request gives in full, and to their checks.

use crate::plan::template::{List, TemplateKind, Template};
use crate::plan::toolchain::Commands;
use crate::protocol::code::Code;
use crate::protocol::{self, Check, Fault, Kind};

/// What is wrong with the commands of a toolchain, and in which field.
pub(super) fn validate(
    toolchain: &protocol::Toolchain,
) -> Result<(), (Code, &'static str, String)> {
    let Some(compile) = &toolchain.compile else {
        return match &toolchain.link {
            Some(_) => {
                let message = "it needs a \"compile\" that makes the object file";
                Err((Code::MissingField, "link", message.into()))
            }
            None => Ok(()),
        };
    };
    let others = [
        ("command", toolchain.command.is_some()),
        ("args", !toolchain.args.is_empty()),
        ("link_args", !toolchain.link_args.is_empty()),
        ("launcher", !toolchain.launcher.is_empty()),
    ];
    if let Some((field, _)) = others.into_iter().find(|(_, given)| *given) {
        let message =
            "\"compile\" and \"link\" are the commands in full; put it there, or leave them out";
        return Err((Code::ConflictingFields, field, message.into()));
    }
    let invalid = |field| move |message| (Code::InvalidValue, field, message);
    Template::parse(compile, TemplateKind::Compile).map_err(invalid("compile"))?;
    if let Some(link) = &toolchain.link {
        Template::parse(link, TemplateKind::Link).map_err(invalid("link"))?;
    }
    Ok(())
}

/// Whether a check can be asked with the commands of its toolchain: they go no further than they
/// go, and have a place for what it brings.
pub(super) fn fits(check: &Check, commands: &Commands) -> Result<(), Fault> {
    let kind = check.kind.name();
    if !matches!(check.kind, Kind::Compiles | Kind::Links | Kind::Runs) {
        let message = format!(
            "{:?}: a toolchain with \"compile\" serves the kinds compiles, links and runs, and kind \
             {kind:?} needs a compiler's \"command\"",
            check.id
        );
        return Err(Fault::of(Code::ConflictingFields, "kind", message));
    }
    let link = commands.link.as_ref().map(|(link, _)| link);
    if link.is_none() && check.kind != Kind::Compiles {
        let message = format!("{:?}: kind {kind:?} needs a \"link\" in its toolchain", check.id);
        return Err(Fault::of(Code::MissingField, "kind", message));
    }
    let definitions = check.definitions.as_deref().unwrap_or_default();
    for (field, given, list, place) in [
        ("definitions", definitions, List::Definitions, "{definitions} in \"compile\""),
        ("include_dirs", &check.include_dirs, List::Args, "{args} in \"compile\""),
        ("args", &check.args, List::Args, "{args} in \"compile\""),
        ("link_args", &check.link_args, List::LinkArgs, "{link_args} in \"link\""),
    ] {
        let template = if list == List::LinkArgs { link } else { Some(&commands.compile) };
        if !given.is_empty() && !template.is_some_and(|template| template.accepts(list)) {
            let message = format!("the toolchain has no place for it; put {place}");
            return Err(Fault::of(Code::ConflictingFields, field, message));
        }
    }
    Ok(())
}
