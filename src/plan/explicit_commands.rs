//! Validates toolchains with explicit commands, and the checks that use them.

use crate::plan::template::{List, Template, TemplateKind};
use crate::plan::toolchain::Commands;
use crate::protocol::code::Code;
use crate::protocol::{self, Check, Fault, Kind};

/// Validates the commands of a toolchain. The error names the code, the field and the problem.
pub(super) fn validate(
    toolchain: &protocol::Toolchain,
) -> Result<(), (Code, &'static str, String)> {
    let Some(compile) = &toolchain.compile else {
        return match &toolchain.link {
            Some(_) => {
                let message = "it also needs a \"compile\" that produces the object file";
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
            "\"compile\" and \"link\" are complete commands; put its words there, or remove it";
        return Err((Code::ConflictingFields, field, message.into()));
    }
    let invalid = |field| move |message| (Code::InvalidValue, field, message);
    Template::parse(compile, TemplateKind::Compile).map_err(invalid("compile"))?;
    if let Some(link) = &toolchain.link {
        Template::parse(link, TemplateKind::Link).map_err(invalid("link"))?;
    }
    Ok(())
}

/// Whether a check can run with the commands of its toolchain: its kind is supported, and the
/// commands have a placeholder for each of its lists.
pub(super) fn fits(check: &Check, commands: &Commands) -> Result<(), Fault> {
    let kind = check.kind.name();
    if !matches!(check.kind, Kind::Compiles | Kind::Links | Kind::Runs) {
        let message = format!(
            "{:?}: a toolchain with \"compile\" supports the kinds compiles, links and runs; kind \
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
            let message = format!("the toolchain has no placeholder for it; put {place}");
            return Err(Fault::of(Code::ConflictingFields, field, message));
        }
    }
    Ok(())
}
