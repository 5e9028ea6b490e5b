//! Sources in C, C++ and their Objective variants. All our own names start with `tryall_`, or with
//! `TRYALL_` if they are macros: any other name may be a macro of a header, or what the check asks
//! for.

use std::fmt::Write;

use super::words::{Directive, directives, words};
use super::{Before, Comparison};
use crate::compiler::value;
use crate::protocol::language::Language;

/// The headers and the prefix.
pub(crate) fn start(before: Before<'_>) -> String {
    let mut text = String::new();
    for header in before.headers {
        writeln!(text, "#include <{header}>").expect("writing to a string succeeds");
    }
    text + &before.prefix_lines()
}

/// Holds for GCC and Clang only. Other compilers define their macros too, but print other messages,
/// and some truncate enumerators to an `int`.
pub(crate) const GCC_OR_CLANG: &str = "defined __GNUC__ && !(defined __INTEL_COMPILER || defined __INTEL_LLVM_COMPILER \
    || defined __NVCOMPILER || defined __PGI || defined __NVCC__ || defined __CUDACC__ \
    || defined __SUNPRO_C || defined __SUNPRO_CC || defined __TINYC__ || defined __ibmxl__ \
    || defined _CRAYC || defined __OPEN64__ || defined __PATHCC__ || defined __COMPCERT__ \
    || defined __LCC__ || defined __EDG__ || defined __ARMCC_VERSION \
    || defined __FCC_version__ || defined __TI_COMPILER_VERSION__)";

/// Makes an undeclared name an error. For an undeclared function of the C library, Clang only warns
/// and declares it itself, whereas GCC rejects it.
pub(crate) const UNDECLARED_IS_AN_ERROR: &str = "\
#if defined __clang__ && !defined __cplusplus
#pragma clang diagnostic error \"-Wimplicit-function-declaration\"
#endif
";

/// Warnings about the text around a question, which `-Werror` would turn into a no. The first two
/// disable the warning about unknown names of warnings, so a compiler ignores the others that it
/// does not know. Warnings about the caller's own words stay enabled. `tests/kinds/warnings.rs`
/// tries every warning flag that the compilers list.
pub(crate) const OUR_WARNINGS: [&str; 17] = [
    "-Wpragmas",
    "-Wunknown-warning-option",
    "-Wabi-tag",
    "-Wconditionally-supported",
    "-Wdeprecated-declarations",
    "-Wdisabled-macro-expansion",
    "-Wframe-larger-than=",
    "-Winvalid-offsetof",
    "-Wold-style-cast",
    "-Wpadded",
    "-Wredundant-decls",
    "-Wredundant-tags",
    "-Wstack-usage=",
    "-Wtemplates",
    "-Wunreachable-code",
    "-Wunsafe-buffer-usage",
    "-Wzero-as-null-pointer-constant",
];

/// Warnings that cannot be about the caller's words if these are only a name: C has no cast from an
/// object's address to a function's, and declaring a function with another type is the method of
/// the check.
pub(crate) const WARNINGS_BESIDE_A_NAME: [&str; 7] = [
    "-Wpedantic",
    "-Wc++98-compat-pedantic",
    "-Wcast-function-type-strict",
    "-Wbuiltin-declaration-mismatch",
    "-Wincompatible-library-redeclaration",
    "-Wreserved-identifier",
    "-Wreserved-id-macro",
];

/// Disables [`OUR_WARNINGS`] and `others`. It follows the headers and the prefix.
pub(crate) fn only_the_question(others: &[&str]) -> String {
    let mut text = String::from("#if defined __GNUC__\n");
    for name in OUR_WARNINGS.iter().chain(others) {
        writeln!(text, "#pragma GCC diagnostic ignored \"{name}\"")
            .expect("writing to a string succeeds");
    }
    text + "#endif\n"
}

/// The text before a question about what the headers and the prefix declare.
pub(crate) fn question(before: Before<'_>) -> String {
    start(before) + &only_the_question(&[])
}

/// A program with the headers and the prefix, and nothing else.
pub(crate) fn program(before: Before<'_>, main: &str) -> String {
    start(before) + main
}

/// Tests whether a header compiles: AC_CHECK_HEADER, check_include_file, `check_header`.
pub(crate) fn header(before: Before<'_>, header: &str) -> String {
    format!("{}#include <{header}>\nint main(void) {{ return 0; }}\n", start(before))
}

/// The end of a preprocessed source, which [`value::was_preprocessed`] looks for. It comes last,
/// because a long output loses its middle.
pub(crate) fn sentinels() -> String {
    let (name, expansion) = value::SENTINEL_MACRO;
    format!(
        "#define {name} {expansion}\n\
         #if 0\n\
         {}\n\
         #endif\n\
         {name}\n",
        value::SENTINEL_SKIPPED
    )
}

/// Tests whether a header exists: `has_header`. Only compilers without `__has_include` must read
/// the header for that.
pub(crate) fn header_presence(before: Before<'_>, header: &str) -> String {
    let start = start(before);
    format!(
        "{start}\
         #ifdef __has_include\n\
         #if !__has_include(<{header}>)\n\
         #error \"the header is not there\"\n\
         #endif\n\
         #else\n\
         #include <{header}>\n\
         #endif\n\
         {}",
        sentinels()
    )
}

/// Tests whether a macro, function or variable exists: check_symbol_exists. A macro suffices; the
/// address of anything else must link. An enumerator has no address; use `compute_int` for it.
///
/// The address goes through an integer into a volatile variable, because `-pedantic-errors` rejects
/// CMake's own cast to `int *` for a function. A symbol that is not a plain name, such as
/// `std::fopen`, cannot be a macro.
pub(crate) fn symbol(before: Before<'_>, symbol: &str) -> String {
    question(before) + &symbol_body("main", symbol)
}

/// Whether a symbol is a plain name, and so may be a macro.
pub(crate) fn is_plain(symbol: &str) -> bool {
    symbol.chars().all(|c| c == '_' || c == '$' || c.is_alphanumeric())
}

/// The test of a symbol in a function called `name`.
pub(crate) fn symbol_body(name: &str, symbol: &str) -> String {
    let (unless_macro, end) = if is_plain(symbol) {
        (format!("#ifndef {symbol}\n"), "#endif\n")
    } else {
        (String::new(), "")
    };
    format!(
        "{unless_macro}\
         #if defined __SIZE_TYPE__\n\
         #define TRYALL_TYPEDEF __extension__ typedef __SIZE_TYPE__\n\
         #elif defined _WIN64\n\
         #define TRYALL_TYPEDEF typedef unsigned long long\n\
         #else\n\
         #define TRYALL_TYPEDEF typedef unsigned long\n\
         #endif\n\
         {end}\
         {UNDECLARED_IS_AN_ERROR}\
         int {name}(void)\n\
         {{\n\
         {unless_macro}\
         \x20 TRYALL_TYPEDEF tryall_word;\n\
         \x20 volatile tryall_word tryall_address = (tryall_word)&({symbol});\n\
         \x20 (void)tryall_address;\n\
         {end}\
         \x20 return 0;\n\
         }}\n"
    )
}

/// Tests whether a function links: AC_CHECK_FUNC and Meson's `has_function`, which agree except for
/// Meson's fallback to builtins. CMake's check_function_exists differs in one respect: it accepts
/// glibc's stubs, which always fail.
///
/// With headers, this uses the function's own prototype, as Meson does: a platform's headers may
/// say that a function of its library is not available for this deployment target.
pub(crate) fn function(before: Before<'_>, function: &str) -> String {
    let start = function_start(before);
    if has_headers(&self::start(before)) {
        return start + &function_by_prototype("main", function);
    }
    // <limits.h> defines the __stub macros and declares almost nothing. `#define` gives another
    // name to whatever it or the prefix declares, and hides a macro of that name. Clang may warn
    // that the macro's name is reserved.
    let other = format!(
        "#if defined __clang__\n\
         #pragma clang diagnostic push\n\
         #pragma clang diagnostic ignored \"-Wreserved-id-macro\"\n\
         #endif\n\
         #define {function} tryall_not_{function}\n\
         #if defined __clang__\n\
         #pragma clang diagnostic pop\n\
         #endif\n"
    );
    other + &undefined_before_definitions(&start, function) + &function_alone("main", function)
}

/// Lines after which a name is not a macro. `-Wunused-macros` counts the `#ifdef` as a use.
pub(crate) fn undefined(name: &str) -> String {
    format!("#ifdef {name}\n#undef {name}\n#endif\n")
}

/// A text that never defines a macro a second time, because no pragma disables GCC's warning about
/// that.
pub(crate) fn undefined_before_definitions(text: &str, name: &str) -> String {
    let mut out = text.to_string();
    for directive in directives(text).iter().rev() {
        if directive.after("define").and_then(|rest| words(rest).next()) == Some(name) {
            out.insert_str(directive.start, &undefined(name));
        }
    }
    out
}

/// The text before a function that nothing declares.
pub(crate) fn function_start(before: Before<'_>) -> String {
    start(before) + "#include <limits.h>\n"
}

/// Lines that do not compile if glibc's function is a stub that always fails.
pub(crate) fn unless_stub(function: &str) -> String {
    format!(
        "#if defined __stub_{function} || defined __stub___{function}\n\
         #error \"the function is a stub that always fails\"\n\
         #endif\n"
    )
}

/// The test of a function that the headers declare, in a function called `name`.
pub(crate) fn function_by_prototype(name: &str, function: &str) -> String {
    format!(
        "{}\
         {}\
         {UNDECLARED_IS_AN_ERROR}\
         static void (*volatile tryall_of_{name})(void);\n\
         int {name}(void) {{ tryall_of_{name} = (void (*)(void))&{function}; return 0; }}\n",
        unless_stub(function),
        only_the_question(&WARNINGS_BESIDE_A_NAME)
    )
}

/// The test of a function that nothing declares, in a function called `name`.
pub(crate) fn function_alone(name: &str, function: &str) -> String {
    format!(
        "{}{}{}\
         #ifdef __cplusplus\n\
         extern \"C\"\n\
         #endif\n\
         char {function}(void);\n\
         int {name}(void) {{ return {function}(); }}\n",
        only_the_question(&WARNINGS_BESIDE_A_NAME),
        undefined(function),
        unless_stub(function)
    )
}

/// Whether a text includes any header. The prefix may do so too.
pub(crate) fn has_headers(text: &str) -> bool {
    let names = ["include", "include_next", "import"];
    let includes = |directive: &Directive| names.iter().any(|name| directive.after(name).is_some());
    directives(text).iter().any(includes)
}

/// Tests whether a type is complete: AC_CHECK_TYPE, `has_type`. `sizeof` alone would accept a
/// variable, so the name must also stand where only a type can. That cannot be a parameter of a
/// function type in general: an abstract class cannot be one, GCC warns about a struct without a
/// name, and some compilers take a lone name there for a parameter of an old-style definition.
pub(crate) fn type_exists(before: Before<'_>, name: &str) -> String {
    format!("{}{TYPE_START}{}", question(before), type_body("main", name))
}

/// The text before the test of a type.
pub(crate) const TYPE_START: &str = "\
#ifdef __cplusplus
template <class tryall_class> struct tryall_of { };
#endif
";

/// The test of a type in a function called `main`. Each use of the type has its own scope, because
/// the type may declare enumerators or tags.
pub(crate) fn type_body(main: &str, name: &str) -> String {
    format!(
        "int {main}(void)\n\
         {{\n\
         \x20 {{ (void)sizeof({name}); }}\n\
         #ifdef __cplusplus\n\
         \x20 (void)sizeof(tryall_of< {name} >);\n\
         #elif defined __GNUC__\n\
         \x20 {{ (void)__builtin_types_compatible_p({name}, int); }}\n\
         #else\n\
         \x20 {{ (void)sizeof(int (*)(int, {name})); }}\n\
         #endif\n\
         \x20 return 0;\n\
         }}\n"
    )
}

/// Tests whether a member exists: AC_CHECK_MEMBER, `has_member`, and check_struct_has_member except
/// for bit-fields, which have no size but are members.
pub(crate) fn member(before: Before<'_>, of: &str, member: &str) -> String {
    question(before) + &member_body("main", of, member)
}

/// The test of a member in a function called `name`.
pub(crate) fn member_body(name: &str, of: &str, member: &str) -> String {
    format!(
        "int {name}(int tryall_argc, char **tryall_argv)\n\
         {{\n\
         \x20 (void)tryall_argc;\n\
         \x20 (void)(({of} *)(void *)tryall_argv)->{member};\n\
         \x20 return 0;\n\
         }}\n"
    )
}

/// Tests whether the headers declare a function like this: check_prototype_definition. In C, a
/// different declaration is an error. In C++ it would be an overload, so a pointer selects the
/// function.
pub(crate) fn prototype(
    before: Before<'_>,
    language: Language,
    function: &str,
    return_type: &str,
    arguments: &[String],
) -> String {
    let start = question(before);
    let arguments = self::arguments(arguments);
    if language.is_cxx() {
        return format!(
            "{start}int main(void) {{ {return_type} (*tryall_pointer)({arguments}) = &{function}; \
             (void)tryall_pointer; return 0; }}\n"
        );
    }
    // The parentheses prevent a macro with parameters from replacing the function.
    format!(
        "{start}\
         void tryall_declared(void);\n\
         void tryall_declared(void) {{ (void)&{function}; }}\n\
         {return_type} ({function})({arguments});\n\
         int main(void) {{ tryall_declared(); return 0; }}\n"
    )
}

/// The parameter list for these types.
pub(crate) fn arguments(arguments: &[String]) -> String {
    if arguments.is_empty() { "void".into() } else { arguments.join(", ") }
}

/// The test of a prototype in a function called `name`. The prototype is in a block, which limits
/// its scope. All declarations of functions are `extern`; the keyword prevents a return type that
/// is not a type from turning the declaration into a call.
pub(crate) fn prototype_body(
    name: &str,
    function: &str,
    return_type: &str,
    arguments: &[String],
) -> String {
    format!(
        "int {name}(void)\n\
         {{\n\
         \x20 (void)&{function};\n\
         \x20 {{\n\
         \x20   extern {return_type} ({function})({});\n\
         \x20 }}\n\
         \x20 return 0;\n\
         }}\n",
        self::arguments(arguments)
    )
}

/// Expands a macro: `get_define`, AC_EGREP_CPP.
pub(crate) fn define(before: Before<'_>, name: &str) -> String {
    let (open, close) = value::EXPANSION_MARKS;
    let sentinels = sentinels();
    format!("{}#ifdef {name}\n{open} {name} {close}\n#endif\n{sentinels}", start(before))
}

/// The last line before the value, before which [`comparison`] inserts its own.
pub(crate) const VALUE_STARTS: &str = "extern char tryall_text[];\n";

/// An integer constant expression whose value can be read from the object file. This is the method
/// of check_type_size, which does not run a program.
pub(crate) fn integer(before: Before<'_>, expression: &str) -> String {
    integer_text(&question(before), expression)
}

/// The source for an integer after the text `start`.
pub(crate) fn integer_text(start: &str, expression: &str) -> String {
    // The program must use the text, or an optimizing linker drops it.
    format!(
        "{start}{}{}{VALUE_STARTS}\
         char tryall_text[] = {};\n\
         int main(int tryall_argc, char **tryall_argv)\n\
         {{\n\
         \x20 (void)tryall_argv;\n\
         \x20 return tryall_text[tryall_argc];\n\
         }}\n",
        constant("main", expression),
        digits(expression),
        letters(value::OPEN)
    )
}

/// Compiles only if an expression is constant, because an enumerator must be. C++ would compute
/// [`letters`] at run time. The compiler prints its warnings about the expression here, because
/// [`digits`] suppresses them. The function limits the scope of what the expression declares.
pub(crate) fn constant(name: &str, expression: &str) -> String {
    format!(
        "int tryall_constant_in_{name}(void);\n\
         int tryall_constant_in_{name}(void)\n\
         {{\n\
         \x20 enum {{ tryall_constant = ({expression}) == 0 ? 1 : 0 }};\n\
         \x20 return tryall_constant;\n\
         }}\n"
    )
}

/// Names for a value and its digits in base 16. Uses division only, without casts and shifts, so
/// that it is right for integers of any width. As enumerators, the names contain the expression
/// only once, which matters because it may declare something. Under `__extension__`, GCC and Clang
/// silently accept enumerators of any width. Other compilers, such as TinyCC, silently truncate
/// them to an `int`, so there the names are macros.
pub(crate) fn digits(expression: &str) -> String {
    let names = digit_names(expression);
    let macros: String =
        names.iter().map(|(name, is)| format!("#define tryall_{name} {is}\n")).collect();
    format!("#if {GCC_OR_CLANG}\n{}#else\n{macros}#endif\n", enumerators(&names))
}

fn enumerators(names: &[(String, String)]) -> String {
    let enumerators: Vec<_> =
        names.iter().map(|(name, is)| format!("\x20 tryall_{name} = {is}")).collect();
    format!("__extension__ enum {{\n{}\n}};\n", enumerators.join(",\n"))
}

/// The names of a value and its digits, and what they stand for.
fn digit_names(expression: &str) -> Vec<(String, String)> {
    let mut names = vec![
        ("value".into(), format!("({expression})")),
        ("sign".into(), "(tryall_value > 0 || tryall_value == 0 ? 1 : -1)".into()),
        ("q0".into(), "tryall_value".into()),
    ];
    for digit in 0..value::DIGITS {
        names.push((format!("d{digit}"), format!("(tryall_q{digit} % 16 * tryall_sign)")));
        names.push((format!("q{}", digit + 1), format!("(tryall_q{digit} / 16)")));
    }
    names
}

/// The initializer that spells `tryall_value` after the text `open`. The letter after the sign is
/// `a` only if 16 digits suffice.
pub(crate) fn letters(open: &str) -> String {
    let mut text = String::from("{");
    for letter in open.chars() {
        write!(text, " '{letter}',").expect("writing to a string succeeds");
    }
    write!(
        text,
        "\n  tryall_sign > 0 ? '+' : '-',\n  tryall_q{} == 0 ? 'a' : 'z',\n ",
        value::DIGITS
    )
    .expect("writing to a string succeeds");
    for digit in (0..value::DIGITS).rev() {
        write!(text, " 'a' + tryall_d{digit},").expect("writing to a string succeeds");
    }
    write!(text, "\n  '{}', 0\n}}", value::CLOSE).expect("writing to a string succeeds");
    text
}

/// The test of an integer in a function called `name`, whose text starts with `open`. Everything is
/// in a block, which limits the scope of what the expression and `declarations` declare. Only for
/// sources that no other compiler than GCC and Clang accepts.
pub(crate) fn integer_body(name: &str, declarations: &str, expression: &str, open: &str) -> String {
    format!(
        "{}\
         int {name}(int tryall_argc, char **tryall_argv)\n\
         {{\n\
         {declarations}\
         {}\
         \x20 static char tryall_text[] = {};\n\
         \x20 (void)tryall_argv;\n\
         \x20 return tryall_text[tryall_argc];\n\
         }}\n",
        if declarations.is_empty() { constant(name, expression) } else { String::new() },
        enumerators(&digit_names(expression)),
        letters(open)
    )
}

/// The alignment of a type in a struct: AC_CHECK_ALIGNOF, `alignment`. Does not use `alignof`,
/// because on some machines that is the preferred alignment of a variable on its own.
pub(crate) fn alignment(before: Before<'_>, name: &str) -> String {
    let start = alignment_start(before) + &is_a_type("main", name) + &alignment_struct(name);
    integer_text(&start, ALIGNMENT)
}

/// The text before the test of an alignment.
pub(crate) fn alignment_start(before: Before<'_>) -> String {
    question(before) + "#include <stddef.h>\n"
}

/// The alignment of the type in [`alignment_struct`].
pub(crate) const ALIGNMENT: &str = "offsetof(struct tryall_struct, tryall_member)";

/// A struct with a member of this type.
pub(crate) fn alignment_struct(name: &str) -> String {
    format!(
        "#if defined __GNUC__ || defined __TINYC__\n\
         struct tryall_struct {{ char tryall_before; __typeof__({name}) tryall_member; }};\n\
         #else\n\
         struct tryall_struct {{ char tryall_before; {name} tryall_member; }};\n\
         #endif\n"
    )
}

/// Compiles only if `name` is a type. Where `__typeof__` exists, the struct would also accept an
/// expression. The function limits the scope of what the type declares.
pub(crate) fn is_a_type(function: &str, name: &str) -> String {
    format!(
        "int tryall_type_in_{function}(void);\n\
         int tryall_type_in_{function}(void)\n\
         {{\n\
         #if (defined __GNUC__ || defined __TINYC__) && !defined __cplusplus\n\
         \x20 return __builtin_types_compatible_p({name}, int);\n\
         #else\n\
         \x20 return (int)(sizeof(int (*)({name})) - sizeof(int (*)(int, {name})));\n\
         #endif\n\
         }}\n"
    )
}

/// The test of an alignment in a function called `name`. In a function, a member's type may depend
/// on variables, which it may not at file scope, so its size must be constant too.
pub(crate) fn alignment_body(name: &str, of: &str, open: &str) -> String {
    constant(name, &format!("sizeof({of})"))
        + &is_a_type(name, of)
        + &integer_body(name, &alignment_struct(of), ALIGNMENT, open)
}

/// An [`integer`] source that compiles only if the comparison holds.
pub(crate) fn comparison(integer: &str, comparison: Comparison) -> String {
    let condition = match comparison {
        Comparison::Impossible => "tryall_value != tryall_value".into(),
        Comparison::NotNegative => "tryall_sign > 0".into(),
        Comparison::AtMost(number) => format!("tryall_value <= {number}"),
        Comparison::Is(number) => format!("tryall_value == {number}"),
    };
    let condition = format!("extern char tryall_holds[({condition}) ? 1 : -1];\n{VALUE_STARTS}");
    integer.replacen(VALUE_STARTS, &condition, 1)
}

/// The byte order, which can be read from the object file: AC_C_BIGENDIAN, test_big_endian. Each
/// array spells its text only on a machine with its own byte order.
pub(crate) fn byte_order(before: Before<'_>) -> String {
    question(before) + &byte_order_body("main")
}

/// The test of the byte order in a function called `name`. The names of its arrays are not unique,
/// because a source contains only one such test.
pub(crate) fn byte_order_body(name: &str) -> String {
    let array = |name: &str, text: &str, word: fn([u8; 2]) -> u16| {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        let words: Vec<_> = bytes
            .chunks_exact(2)
            .map(|pair| format!("0x{:04x}", word([pair[0], pair[1]])))
            .collect();
        format!(
            "extern unsigned short {name}[];\nunsigned short {name}[] = {{ {}, 0 }};\n",
            words.join(", ")
        )
    };
    let [little, big] = value::BYTE_ORDER_TEXTS;
    format!(
        "{}{}int {name}(int tryall_argc, char **tryall_argv)\n\
         {{\n\
         \x20 (void)tryall_argv;\n\
         \x20 return tryall_big[tryall_argc] != tryall_little[tryall_argc];\n\
         }}\n",
        array("tryall_big", big, u16::from_be_bytes),
        array("tryall_little", little, u16::from_le_bytes)
    )
}
