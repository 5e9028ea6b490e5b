//! Values that a compiler accepts but that nobody can mean, such as the header `<stdio.h>` or the
//! library `libm.so`. The answer would always be no, so each is refused, with what to write
//! instead. [`super::fragment`] defines what a value may contain at all.

use super::{Check, Fault, Kind, Toolchain};
use crate::compiler::options::Argument;

/// What is wrong, and what to write instead. The caller knows the field.
pub(crate) type Slip = Result<(), String>;

type Rule = fn(&str) -> Slip;

/// Fails for the first slip in a check. Arguments of explicit commands are as final as the commands
/// themselves, and so are not examined.
pub(crate) fn of_check(check: &Check, has_explicit_commands: bool) -> Result<(), Fault> {
    let rules: [(&str, &Option<String>, Rule); 7] = [
        ("header", &check.header, header),
        ("symbol", &check.symbol, symbol),
        ("function", &check.function, function),
        ("library", &check.library, library),
        ("type", &check.type_name, type_name),
        ("member", &check.member, member),
        ("expression", &check.expression, expression),
    ];
    for (field, value, rule) in rules {
        value.as_deref().map_or(Ok(()), rule).map_err(|slip| Fault::of_value(field, slip))?;
    }
    each("headers", &check.headers, header)?;
    if has_explicit_commands {
        return Ok(());
    }
    each("include_dirs", &check.include_dirs, include_dir)?;
    let flags = check.flags.as_deref().unwrap_or_default();
    if matches!(check.kind, Kind::CompilerFlag | Kind::LinkerFlag) {
        each("flags", &flags[..flags.len().min(1)], first_flag)?;
    }
    for (field, words) in
        [("args", check.args.as_slice()), ("link_args", &check.link_args), ("flags", flags)]
    {
        each(field, words, argument)?;
    }
    Ok(())
}

/// Fails for the first slip in the arguments of a toolchain.
pub(crate) fn of_toolchain(toolchain: &Toolchain) -> Result<(), Fault> {
    each("args", &toolchain.args, argument)?;
    each("link_args", &toolchain.link_args, argument)
}

fn each(field: &'static str, values: &[String], rule: Rule) -> Result<(), Fault> {
    for (index, value) in values.iter().enumerate() {
        rule(value).map_err(|slip| Fault::of_element(field, index, slip))?;
    }
    Ok(())
}

/// Accepts the name of one header, without `#include`, quotes or brackets.
pub(crate) fn header(text: &str) -> Slip {
    let quotes = |c: char| "<>\"'".contains(c) || c.is_whitespace();
    let bare = text.trim().trim_start_matches("#include").trim_matches(quotes);
    if bare != text && !bare.contains(quotes) && !bare.is_empty() {
        return Err(format!("{text:?} is more than the header's name; write {bare:?}"));
    }
    if text.contains('\\') {
        return Err(format!("{text:?} contains a backslash; write {:?}", text.replace('\\', "/")));
    }
    let mut names = text.split(|c: char| c == ',' || c == ';' || c.is_whitespace());
    let has_extension = |name: &str| name.contains('.');
    if names.clone().filter(|name| !name.is_empty()).count() > 1 && names.all(has_extension) {
        return Err(format!("{text:?} names several headers; give each on its own"));
    }
    Ok(())
}

/// Accepts a function's name, without the rest of a call or declaration.
pub(crate) fn function(text: &str) -> Slip {
    if text.contains("::") {
        let remedy = "a function outside of namespaces; ask for it as a \"symbol\"";
        return Err(format!("{text:?} is not {remedy}"));
    }
    without_call(text)
}

/// Accepts a symbol's name. An overload in C++ may have its parameters after it.
pub(crate) fn symbol(text: &str) -> Slip {
    let is_plain = |word: &str| word.chars().all(|c| c.is_alphanumeric() || "_.,/".contains(c));
    let is_operator = text.trim_start().starts_with("operator");
    if !is_operator && text.split_whitespace().count() > 1 && text.split_whitespace().all(is_plain)
    {
        return Err(format!(
            "{text:?} is more than one name; give each on its own, and put headers into \"headers\""
        ));
    }
    if !is_operator && text.trim_end().ends_with("()") { without_call(text) } else { Ok(()) }
}

fn without_call(text: &str) -> Slip {
    match text.split_once('(') {
        Some((name, _)) if super::fragment::identifier(name.trim()).is_ok() => {
            Err(format!("{text:?} is more than the name; write {:?}", name.trim()))
        }
        _ => Ok(()),
    }
}

/// Accepts a library's name as after `-l`, or a path. GNU ld's `-l:libx.a` names a file.
pub(crate) fn library(text: &str) -> Slip {
    let is_other_flag = text.starts_with('-') && !text.starts_with("-l");
    if text.contains('/') || text.starts_with(':') || is_other_flag {
        return Ok(());
    }
    let name = text.strip_prefix("-l").unwrap_or(text).trim();
    let endings = [".so", ".a", ".la", ".dylib", ".dll", ".tbd"];
    let bare = match name.find(".so.") {
        Some(version) => Some(&name[..version]),
        None => endings.iter().find_map(|ending| name.strip_suffix(ending)),
    };
    let bare = bare.map_or(name, |file| file.strip_prefix("lib").unwrap_or(file));
    if bare.contains(|c: char| c == ',' || c.is_whitespace()) {
        return Err(format!("{text:?} names several libraries; give each on its own"));
    }
    if bare == text || bare.is_empty() {
        return Ok(());
    }
    Err(format!("{text:?} is not a library's name as after -l; write {bare:?}, or the full path"))
}

/// Accepts a type, but not its size.
pub(crate) fn type_name(text: &str) -> Slip {
    let inner = text.trim().strip_prefix("sizeof").and_then(|rest| {
        rest.trim_start().strip_prefix('(')?.strip_suffix(')').filter(|it| !it.contains(['(', ')']))
    });
    match inner {
        Some(inner) => Err(format!("{text:?} is a size, not a type; write {:?}", inner.trim())),
        None => Ok(()),
    }
}

/// Accepts a member without its struct.
pub(crate) fn member(text: &str) -> Slip {
    let bare = text.trim_start().trim_start_matches("->").trim_start_matches('.');
    if bare != text.trim_start() && !bare.is_empty() {
        return Err(format!("{text:?} is more than the member; write {bare:?}"));
    }
    let keywords = ["struct ", "union ", "class "];
    match text.split_once('.') {
        Some((of, member)) if keywords.iter().any(|it| text.trim_start().starts_with(it)) => {
            Err(format!("{text:?} includes the type; write {of:?} as the type and {member:?} here"))
        }
        _ => Ok(()),
    }
}

/// Accepts an expression, but not half of a comparison.
pub(crate) fn expression(text: &str) -> Slip {
    match text.trim_start().starts_with('=') {
        true => Err(format!("{text:?} starts with an equals sign, which no expression does")),
        false => Ok(()),
    }
}

/// Accepts a directory without the flag before it.
pub(crate) fn include_dir(text: &str) -> Slip {
    let dir = ["-isystem", "-I"].iter().find_map(|flag| text.strip_prefix(flag));
    match dir {
        Some(dir) => {
            Err(format!("{text:?} is a flag, not a directory; write {:?}", dir.trim_start()))
        }
        None => Ok(()),
    }
}

/// Accepts one argument of a compiler, but not several that a shell would have split.
pub(crate) fn argument(text: &str) -> Slip {
    let mut words = text.split_whitespace();
    let Some(first) = words.next() else { return Ok(()) };
    let takes_any_text = first.starts_with("-D") || first.starts_with("--") && first.contains('=');
    if !first.starts_with('-') || takes_any_text || text.contains(['"', '\'', '\\']) {
        return Ok(());
    }
    let is_flag = |word: &str| {
        let name = word.strip_prefix('-').map(|name| name.trim_start_matches('-'));
        name.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
    };
    // The value of such a flag would start with a space.
    let takes_value = Argument::of(first).takes_next();
    let is_split = words.clone().any(is_flag);
    if is_split || words.next().is_some() && takes_value {
        let words: Vec<_> = text.split_whitespace().map(|word| format!("{word:?}")).collect();
        return Err(format!(
            "{text:?} is one argument with spaces in it; give each word on its own: {}",
            words.join(", ")
        ));
    }
    Ok(())
}

/// Accepts the first of the flags that a check tests. A word that does not look like a flag is a
/// file name.
pub(crate) fn first_flag(text: &str) -> Slip {
    let is_name = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    match is_name && !text.contains(['/', '.']) && !text.contains(char::is_whitespace) {
        true => Err(format!("{text:?} is a file to the compiler, not a flag; write \"-{text}\"")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_all(rule: fn(&str) -> Slip, refused: &[(&str, &str)], taken: &[&str]) {
        for (text, instead) in refused {
            let message = rule(text).expect_err(text);
            assert!(message.contains(instead), "{text}: {message}");
        }
        for text in taken {
            assert_eq!(rule(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn names_must_stand_alone() {
        assert_all(
            header,
            &[
                ("<stdio.h>", "write \"stdio.h\""),
                ("\"sys/stat.h\"", "write \"sys/stat.h\""),
                ("#include <vector>", "write \"vector\""),
                (" stdio.h", "write \"stdio.h\""),
                ("stdio.h,stdlib.h", "each on its own"),
                ("stdio.h stdlib.h", "each on its own"),
            ],
            &["stdio.h", "vector", "boost/a b.hpp", "c++config.h", "a>b", ""],
        );
        assert_all(
            function,
            &[
                ("fork()", "write \"fork\""),
                ("puts(\"x\")", "write \"puts\""),
                ("std::sort", "\"symbol\""),
            ],
            &["fork", "a-b", ""],
        );
        assert_all(
            symbol,
            &[
                ("fork()", "write \"fork\""),
                ("fork unistd.h", "more than one name"),
                ("EOF, NULL", "more than one name"),
            ],
            &["fork", "std::sort", "basename(char *)", "operator new", "operator()", "f<int, int>"],
        );
        assert_all(
            member,
            &[
                (".st_mtim", "write \"st_mtim\""),
                ("->st_mtim", "write \"st_mtim\""),
                ("struct stat.st_mtim", "\"struct stat\" as the type and \"st_mtim\""),
            ],
            &["st_mtim", "st_mtim.tv_nsec", "a[0]"],
        );
        assert_all(
            type_name,
            &[("sizeof(int)", "write \"int\""), ("sizeof (struct stat)", "write \"struct stat\"")],
            &["int", "((struct stat *)0)->st_mtim", "char[sizeof(int)]", "sizeof_t"],
        );
        assert_all(expression, &[("=1", "equals sign")], &["1 == 2", "sizeof(int)"]);
    }

    #[test]
    fn libraries_are_named_as_after_dash_l() {
        assert_all(
            library,
            &[
                ("-lm", "write \"m\""),
                ("libm.so", "write \"m\""),
                ("libm.so.6", "write \"m\""),
                ("libz.a", "write \"z\""),
                ("libSystem.dylib", "write \"System\""),
                ("m.so", "write \"m\""),
                ("m rt", "each on its own"),
                ("-lm -lrt", "each on its own"),
                ("m,rt", "each on its own"),
            ],
            &["m", "stdc++", "lua5.3", ":libm.so", "/usr/lib/libm.so", "./libx.a", "lib", ""],
        );
    }

    #[test]
    fn each_argument_is_one_word() {
        assert_all(
            argument,
            &[
                ("-Wall -Wextra", "\"-Wall\", \"-Wextra\""),
                ("-Ia -Ib", "\"-Ia\", \"-Ib\""),
                ("-Wl,-z,now -Wl,--as-needed", "each word"),
                ("-I include", "\"-I\", \"include\""),
                ("-l m", "each word"),
            ],
            &[
                "-Wall",
                "-DX=1 + 2",
                "-DX=a -b",
                "--run=kill -KILL",
                "-DX=\"a -b\"",
                "-Wl,-rpath,/a b",
                "-I/a b",
                "a -b.c",
                "",
                " ",
            ],
        );
        assert_all(
            first_flag,
            &[("Wall", "write \"-Wall\""), ("std=c11", "write \"-std=c11\"")],
            &["-Wall", "--param", "+O2", "/W4", "@flags", "lib/x.a", "x.o", ""],
        );
        assert_all(
            include_dir,
            &[("-Iinclude", "write \"include\""), ("-isystem /a", "write \"/a\"")],
            &["include", "-", "./-Ix"],
        );
    }
}
