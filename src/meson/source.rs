//! The sources that Meson's methods compile, in our words: the compiler is asked the same.

use super::version::Version;

/// Whether the header is there. Quotes, as Meson has them.
pub fn has_header(prefix: &str, header: &str) -> String {
    format!(
        "{prefix}\n\
         #ifdef __has_include\n\
         # if !__has_include(\"{header}\")\n\
         #  error \"the header is not there\"\n\
         # endif\n\
         #else\n\
         # include <{header}>\n\
         #endif\n"
    )
}

/// Whether the header compiles.
pub fn check_header(prefix: &str, header: &str) -> String {
    format!("{prefix}\n#include <{header}>\n")
}

/// Whether the header has a macro of the name, or else something that can be evaluated.
pub fn has_header_symbol(prefix: &str, header: &str, symbol: &str) -> String {
    format!(
        "{prefix}\n\
         #include <{header}>\n\
         int main(void) {{\n\
         #ifndef {symbol}\n\
         {symbol};\n\
         #endif\n\
         return 0;\n\
         }}\n"
    )
}

/// For C++: whether it is a class or a template.
pub fn has_class(prefix: &str, header: &str, symbol: &str) -> String {
    format!("{prefix}\n#include <{header}>\nusing {symbol};\nint main(void) {{ return 0; }}\n")
}

/// Whether a prefix brings a prototype, as far as Meson looks.
fn has_includes(prefix: &str) -> bool {
    prefix.contains("#include")
}

/// Turns a stub into an error.
pub fn stub(function: &str) -> String {
    format!(
        "#if defined __stub_{function} || defined __stub___{function}\n\
         #error \"the function is a stub that always fails\"\n\
         #endif\n"
    )
}

/// Whether the function links, with its own prototype if there is one, else with a false one.
/// `<limits.h>` tells of functions that glibc has only as stubs.
pub fn has_function(prefix: &str, function: &str) -> String {
    let stub = stub(function);
    if has_includes(prefix) {
        return format!(
            "{prefix}\n\
             #include <limits.h>\n\
             {stub}\
             int main(void) {{\n\
             void *tryall_pointer = (void*) &{function};\n\
             long long tryall_number = (long long) tryall_pointer;\n\
             return (int) tryall_number;\n\
             }}\n"
        );
    }
    format!(
        "#define {function} tryall_not_{function}\n\
         {prefix}\n\
         #include <limits.h>\n\
         #undef {function}\n\
         #ifdef __cplusplus\n\
         extern \"C\"\n\
         #endif\n\
         char {function} (void);\n\
         {stub}\
         int main(void) {{ return {function} (); }}\n"
    )
}

/// Whether the function is one of the compiler's own. If headers came before, it counts only if
/// they make a macro of it, as alloca() is one.
pub fn has_builtin(prefix: &str, function: &str) -> String {
    let is_builtin = function.starts_with("__builtin_");
    let builtin = if is_builtin { function.to_string() } else { format!("__builtin_{function}") };
    let must_be_macro = match has_includes(prefix) && !is_builtin {
        true => format!("#ifndef {function}\n#error \"the headers do not have it\"\n#endif\n"),
        false => String::new(),
    };
    format!(
        "{prefix}\n\
         int main(void) {{\n\
         {must_be_macro}\
         #ifdef __has_builtin\n\
         #if !__has_builtin({builtin})\n\
         #error \"the compiler has no such builtin\"\n\
         #endif\n\
         #elif !defined({function})\n\
         {builtin};\n\
         #endif\n\
         return 0;\n\
         }}\n"
    )
}

/// Whether it has a size.
pub fn has_type(prefix: &str, name: &str) -> String {
    format!("{prefix}\nvoid tryall_function(void) {{ {} }}\n", type_body(name))
}

/// The statement that asks for a size.
pub fn type_body(name: &str) -> String {
    format!("(void) sizeof({name});")
}

/// Whether a variable of the type has the member.
pub fn has_member(prefix: &str, of: &str, member: &str) -> String {
    format!("{prefix}\nvoid tryall_function(void) {{\n{}\n}}\n", member_body(of, member))
}

/// The statements that ask for a member.
pub fn member_body(of: &str, member: &str) -> String {
    format!("{of} tryall_variable;\n(void) ( tryall_variable.{member} );\n(void) tryall_variable;")
}

/// The prefix and the headers of a program that prints a number.
pub fn printing(version: &Version, prefix: &str) -> String {
    match version.prefix_goes_first() {
        true => format!("{prefix}\n#include <stddef.h>\n#include <stdio.h>\n"),
        false => format!("#include <stdio.h>\n{prefix}\n"),
    }
}

/// Prints an integer.
pub fn print_integer(version: &Version, prefix: &str, expression: &str) -> String {
    let start = printing(version, prefix);
    format!("{start}int main(void) {{ printf(\"%ld\\n\", (long)({expression})); return 0; }}\n")
}

/// The prefix and the headers of a program that prints alignments.
pub fn printing_alignments(version: &Version, prefix: &str) -> String {
    match version.prefix_goes_first() {
        true => format!("{prefix}\n#include <stdio.h>\n#include <stddef.h>\n"),
        false => format!("#include <stdio.h>\n#include <stddef.h>\n{prefix}\n"),
    }
}

/// Prints an alignment.
pub fn print_alignment(version: &Version, prefix: &str, name: &str) -> String {
    let start = printing_alignments(version, prefix);
    let of = structure(name);
    format!("{start}{of}int main(void) {{ printf(\"%d\", (int){OFFSET}); return 0; }}\n")
}

fn structure(name: &str) -> String {
    format!("struct tryall_struct {{ char tryall_first; {name} tryall_second; }};\n")
}

const OFFSET: &str = "offsetof(struct tryall_struct, tryall_second)";

/// What stands before a constant that is read without running anything, when cross-compiling.
pub fn before_constant(version: &Version, prefix: &str) -> String {
    match version.prefix_goes_first() {
        true => format!("{prefix}\n#include <stddef.h>\n"),
        false => format!("#include <stdio.h>\n{prefix}\n"),
    }
}

/// The same for an alignment, and the constant.
pub fn alignment_constant(version: &Version, prefix: &str, name: &str) -> (String, &'static str) {
    let of = structure(name);
    let before = match version.prefix_goes_first() {
        true => format!("{prefix}\n#include <stddef.h>\n{of}#include <stddef.h>\n"),
        false => format!("#include <stdio.h>\n#include <stddef.h>\n{prefix}\n{of}"),
    };
    (before, OFFSET)
}

/// Whether there can be a variable of the type, which Meson asks before its size when
/// cross-compiling.
pub fn variable(version: &Version, prefix: &str, name: &str) -> String {
    let before = before_constant(version, prefix);
    format!("{before}int main(void) {{\n{name} tryall_variable;\nreturn 0;\n}}\n")
}

/// For arguments of the compiler.
pub const DECLARATION: &str = "extern int i;\nint i;\n";

/// For arguments of the linker.
pub const PROGRAM: &str = "int main(void) { return 0; }\n";

/// For both in Fortran.
pub const FORTRAN_PROGRAM: &str = "stop; end program\n";
