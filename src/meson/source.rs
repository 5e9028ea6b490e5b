//! The sources that Meson's methods compile. The engine terminates the last line, as Meson does
//! since 1.6.
//!
//! Names and indentation are Meson's, because answers can depend on them: a header may declare the
//! same names, and with `-Werror` warnings such as `-Wshadow` and `-Wtraditional` are a no.

use super::version::Version;

/// Appends indented lines to a prefix.
fn append(prefix: &str, lines: &str) -> String {
    lines.lines().fold(prefix.to_string(), |text, line| text + "\n        " + line)
}

/// Whether the header exists. Meson uses quotes for `__has_include`.
pub(crate) fn has_header(prefix: &str, header: &str) -> String {
    append(
        prefix,
        &format!(
            "#ifdef __has_include\n\
             #if !__has_include(\"{header}\")\n\
             #error \"the header does not exist\"\n\
             #endif\n\
             #else\n\
             #include <{header}>\n\
             #endif"
        ),
    )
}

/// Whether the header compiles.
pub(crate) fn check_header(prefix: &str, header: &str) -> String {
    append(prefix, &format!("#include <{header}>"))
}

/// Whether GNU Fortran's preprocessor, which has no `__has_include`, finds the header.
pub(crate) fn has_fortran_header(prefix: &str, header: &str) -> String {
    format!("{prefix}\n#include <{header}>")
}

/// Whether the header defines a macro with this name, or declares it as an expression.
pub(crate) fn has_header_symbol(prefix: &str, header: &str, symbol: &str) -> String {
    append(
        prefix,
        &format!(
            "#include <{header}>\n\
             int main(void) {{\n\
             #ifndef {symbol}\n\
             {symbol};\n\
             #endif\n\
             return 0;\n\
             }}"
        ),
    )
}

/// For C++: whether the symbol is a class or a template.
pub(crate) fn has_class(prefix: &str, header: &str, symbol: &str) -> String {
    append(prefix, &format!("#include <{header}>\nusing {symbol};\nint main(void) {{ return 0; }}"))
}

/// Whether Meson assumes that a prefix declares the function.
fn has_includes(prefix: &str) -> bool {
    prefix.contains("#include")
}

/// Fails for functions that glibc implements only as a stub.
pub(crate) fn stub(function: &str) -> String {
    format!(
        "#if defined __stub_{function} || defined __stub___{function}\n\
         #error \"the function is a stub that always fails\"\n\
         #endif"
    )
}

/// Whether the function links, with its own prototype if the prefix has includes, else with a fake
/// one. `<limits.h>` defines glibc's `__stub_` macros.
pub(crate) fn has_function(prefix: &str, function: &str) -> String {
    let stub = stub(function);
    if has_includes(prefix) {
        let with_stub = append(&format!("{prefix}\n#include <limits.h>\n"), &stub);
        let main = format!(
            "void *a = (void*) &{function};\n\
             long long b = (long long) a;\n\
             return (int) b;\n\
             }}"
        );
        return append(&format!("{with_stub}\nint main(void) {{"), &main);
    }
    let start = append("", &format!("#define {function} meson_disable_define_of_{function}"));
    append(
        &format!("{start}\n        {prefix}"),
        &format!(
            "#include <limits.h>\n\
             #undef {function}\n\
             #ifdef __cplusplus\n\
             extern \"C\"\n\
             #endif\n\
             char {function} (void);\n\
             {stub}\n\
             int main(void) {{\n\
             return {function} ();\n\
             }}"
        ),
    )
}

/// Whether the function is a compiler builtin. If the prefix has includes, it must also be a macro,
/// like alloca().
pub(crate) fn has_builtin(prefix: &str, function: &str) -> String {
    let is_builtin = function.starts_with("__builtin_");
    let builtin = if is_builtin { function.to_string() } else { format!("__builtin_{function}") };
    let [no_includes, is_builtin] = [!has_includes(prefix), is_builtin].map(u8::from);
    append(
        prefix,
        &format!(
            "int main(void) {{\n\
             #if !{no_includes} && !defined({function}) && !{is_builtin}\n\
             #error \"the headers do not have it\"\n\
             #endif\n\
             #ifdef __has_builtin\n\
             #if !__has_builtin({builtin})\n\
             #error \"the compiler has no such builtin\"\n\
             #endif\n\
             #elif ! defined({function})\n\
             {builtin};\n\
             #endif\n\
             return 0;\n\
             }}"
        ),
    )
}

/// Whether the type has a size.
pub(crate) fn has_type(version: &Version, prefix: &str, name: &str) -> String {
    append(prefix, &format!("void bar(void) {{\n{}\n}}", type_body(version, name)))
}

/// The statement of [`has_type`].
pub(crate) fn type_body(version: &Version, name: &str) -> String {
    match version.discards_values() {
        true => format!("(void) sizeof({name});"),
        false => format!("sizeof({name});"),
    }
}

/// Whether a variable of the type has the member.
pub(crate) fn has_member(version: &Version, prefix: &str, of: &str, member: &str) -> String {
    append(prefix, &format!("void bar(void) {{\n{}\n}}", member_body(version, of, member)))
}

/// The statements of [`has_member`].
pub(crate) fn member_body(version: &Version, of: &str, member: &str) -> String {
    match version.discards_values() {
        true => format!("{of} foo;\n(void) ( foo.{member} );\n(void) foo;"),
        false => format!("{of} foo;\nfoo.{member};"),
    }
}

/// A prefix and standard headers, in the order of the release.
fn with_headers(version: &Version, prefix: &str, headers: &str) -> String {
    match version.prefix_comes_first() {
        true => append(prefix, headers),
        false => format!("{headers}\n        {prefix}"),
    }
}

/// The prefix and headers of a program that prints a number.
pub(crate) fn printing(version: &Version, prefix: &str) -> String {
    let headers = match version.includes_stddef() {
        true => "#include<stddef.h>\n#include<stdio.h>",
        false => "#include<stdio.h>",
    };
    with_headers(version, prefix, headers)
}

/// Prints an integer.
pub(crate) fn print_integer(version: &Version, prefix: &str, expression: &str) -> String {
    append(
        &printing(version, prefix),
        &format!("int main(void) {{\nprintf(\"%ld\\n\", (long)({expression}));\nreturn 0;\n}}"),
    )
}

/// The prefix and headers of a program that prints alignments.
pub(crate) fn printing_alignments(version: &Version, prefix: &str) -> String {
    with_headers(version, prefix, "#include <stdio.h>\n#include <stddef.h>")
}

/// Prints an alignment.
pub(crate) fn print_alignment(version: &Version, prefix: &str, name: &str) -> String {
    append(
        &printing_alignments(version, prefix),
        &format!(
            "{}\nint main(void) {{\nprintf(\"%d\", (int){OFFSET});\nreturn 0;\n}}",
            structure(name)
        ),
    )
}

fn structure(name: &str) -> String {
    format!("struct tmp {{\nchar c;\n{name} target;\n}};")
}

const OFFSET: &str = "offsetof(struct tmp, target)";

/// The prefix and headers for a constant that is determined by compiling, when cross-compiling.
pub(crate) fn before_constant(version: &Version, prefix: &str) -> String {
    let header = match version.includes_stddef() {
        true => "#include <stddef.h>",
        false => "#include <stdio.h>",
    };
    with_headers(version, prefix, header)
}

/// The same for an alignment, and the constant expression.
pub(crate) fn alignment_constant(
    version: &Version,
    prefix: &str,
    name: &str,
) -> (String, &'static str) {
    let with_struct =
        append(&with_headers(version, prefix, "#include <stddef.h>"), &structure(name));
    (before_constant(version, &with_struct), OFFSET)
}

/// Whether a variable of the type compiles. When cross-compiling, Meson checks this before the
/// size.
pub(crate) fn variable(version: &Version, prefix: &str, name: &str) -> String {
    append(
        &before_constant(version, prefix),
        &format!("int main(void) {{\n{name} something;\nreturn 0;\n}}"),
    )
}

/// Identifiers in the sources of types, members and alignments. Names in a header may clash with
/// them.
pub(crate) const NAMES: [&str; 5] = ["bar", "foo", "tmp", "c", "target"];

/// The source for compiler arguments.
pub(crate) const DECLARATION: &str = "extern int i;\nint i;\n";

/// The source for linker arguments.
pub(crate) const PROGRAM: &str = "int main(void) { return 0; }\n";

/// The source for both in Fortran.
pub(crate) const FORTRAN_PROGRAM: &str = "stop; end program";
