//! Sources in C, C++ and their Objective variants. All names in them start with `tryall_`, in
//! upper case for macros: any other may be a macro of a header, or be what is asked for.

use std::fmt::Write;

use super::words::{Directive, directives, words};
use super::{Before, Comparison};
use crate::compiler::language::Language;
use crate::compiler::value;

/// The headers and the prefix.
pub(crate) fn start(before: Before<'_>) -> String {
    let mut text = String::new();
    for header in before.headers {
        writeln!(text, "#include <{header}>").expect("writing to a string succeeds");
    }
    text + &before.prefix_lines()
}

/// What holds for GCC and Clang only. Other compilers take themselves for one of them: their messages are
/// others, and some cut enumerators to an `int`.
pub(crate) const GCC_OR_CLANG: &str = "defined __GNUC__ && !(defined __INTEL_COMPILER || defined __INTEL_LLVM_COMPILER \
    || defined __NVCOMPILER || defined __PGI || defined __NVCC__ || defined __CUDACC__ \
    || defined __SUNPRO_C || defined __SUNPRO_CC || defined __TINYC__ || defined __ibmxl__ \
    || defined _CRAYC || defined __OPEN64__ || defined __PATHCC__ || defined __COMPCERT__ \
    || defined __LCC__ || defined __EDG__ || defined __ARMCC_VERSION \
    || defined __FCC_version__ || defined __TI_COMPILER_VERSION__)";

/// Makes what is not declared an error. Clang takes a function of the C library that it knows for
/// declared, with a warning, where GCC refuses it.
pub(crate) const UNDECLARED_IS_AN_ERROR: &str = "\
#if defined __clang__ && !defined __cplusplus
#pragma clang diagnostic error \"-Wimplicit-function-declaration\"
#endif
";

/// Warnings about the text around a question, which `-Werror` would turn into a no. A compiler skips
/// the names that it does not know, because the first two turn off its complaint about them. What
/// compilers say about the caller's own words stays. `tests/suite/warnings.rs` tries every warning
/// flag that the compilers list.
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

/// Where the only word of the caller's is a name, these warnings cannot be about it: C has no cast from
/// an object's address to a function's, and declaring a function as another one is the method.
pub(crate) const WARNINGS_BESIDE_A_NAME: [&str; 7] = [
    "-Wpedantic",
    "-Wc++98-compat-pedantic",
    "-Wcast-function-type-strict",
    "-Wbuiltin-declaration-mismatch",
    "-Wincompatible-library-redeclaration",
    "-Wreserved-identifier",
    "-Wreserved-id-macro",
];

/// Turns off [`OUR_WARNINGS`] and others. It stands behind the headers and the prefix.
pub(crate) fn only_the_question(others: &[&str]) -> String {
    let mut text = String::from("#if defined __GNUC__\n");
    for name in OUR_WARNINGS.iter().chain(others) {
        writeln!(text, "#pragma GCC diagnostic ignored \"{name}\"").expect("writing to a string succeeds");
    }
    text + "#endif\n"
}

/// What stands before a question about what the headers and the prefix have.
pub(crate) fn question(before: Before<'_>) -> String {
    start(before) + &only_the_question(&[])
}

/// A program that asks nothing more.
pub(crate) fn program(before: Before<'_>, main: &str) -> String {
    start(before) + main
}

/// Whether a header compiles: AC_CHECK_HEADER, check_include_file, `check_header`.
pub(crate) fn header(before: Before<'_>, header: &str) -> String {
    format!("{}#include <{header}>\nint main(void) {{ return 0; }}\n", start(before))
}

/// By what [`value::was_preprocessed`] tells. It stands last, because of a long output the middle
/// is dropped.
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

/// Whether a header is there: `has_header`. Only compilers without `__has_include` have to
/// read the header for it.
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

/// Whether a macro, function or variable is there: check_symbol_exists. A macro is enough;
/// of anything else the address must link. An enumerator has none, and is asked for with
/// `compute_int`.
///
/// The address goes through an integer into a volatile variable: CMake's own cast to `int *`
/// is refused under `-pedantic-errors` when the symbol is a function. What is no plain name, such
/// as `std::fopen`, can be no macro.
pub(crate) fn symbol(before: Before<'_>, symbol: &str) -> String {
    question(before) + &symbol_body("main", symbol)
}

/// Whether a symbol is a name and nothing more, and so may be a macro.
pub(crate) fn is_plain(symbol: &str) -> bool {
    symbol.chars().all(|c| c == '_' || c == '$' || c.is_alphanumeric())
}

/// The part that asks, in a function of this name.
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

/// Whether a function links: AC_CHECK_FUNC and Meson's `has_function`, which agree but for
/// Meson's fallback to builtins. CMake's check_function_exists differs in one thing: it takes
/// glibc's stubs, which always fail, for functions.
///
/// With headers, the function's own prototype is used, as Meson does: a platform's headers
/// may say that a function of its library is not for this deployment target.
pub(crate) fn function(before: Before<'_>, function: &str) -> String {
    let start = function_start(before);
    if has_headers(&self::start(before)) {
        return start + &function_by_prototype("main", function);
    }
    // <limits.h> gives the __stub macros and declares next to nothing. What it or the prefix
    // does declare, and any macro of the name, goes to another name.
    // With Clang, names of macros may be reserved.
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

/// Lines behind which this is no macro. To look whether it is one counts as a use of it, for
/// `-Wunused-macros`.
pub(crate) fn undefined(name: &str) -> String {
    format!("#ifdef {name}\n#undef {name}\n#endif\n")
}

/// A text in which this macro is never defined a second time: no pragma keeps GCC from warning of that.
pub(crate) fn undefined_before_definitions(text: &str, name: &str) -> String {
    let mut out = text.to_string();
    for directive in directives(text).iter().rev() {
        if directive.after("define").and_then(|rest| words(rest).next()) == Some(name) {
            out.insert_str(directive.start, &undefined(name));
        }
    }
    out
}

pub(crate) fn function_start(before: Before<'_>) -> String {
    start(before) + "#include <limits.h>\n"
}

pub(crate) fn unless_stub(function: &str) -> String {
    format!(
        "#if defined __stub_{function} || defined __stub___{function}\n\
         #error \"the function is a stub that always fails\"\n\
         #endif\n"
    )
}

/// The part that asks for a function that the headers declare, in a function of this name.
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

/// The part that asks for a function that nothing declares, in a function of this name.
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

/// Whether a text includes any header, as the prefix may too.
pub(crate) fn has_headers(text: &str) -> bool {
    let names = ["include", "include_next", "import"];
    let includes = |directive: &Directive| names.iter().any(|name| directive.after(name).is_some());
    directives(text).iter().any(includes)
}

/// Whether a type is complete: AC_CHECK_TYPE, `has_type`. `sizeof` alone would take a variable
/// for a type, and so the name must stand where only a type can. As a parameter of a function
/// type an abstract class cannot, GCC complains of a struct without a name, and some compilers
/// take a lone name there for a parameter of an old-style definition.
pub(crate) fn type_exists(before: Before<'_>, name: &str) -> String {
    format!("{}{TYPE_START}{}", question(before), type_body("main", name))
}

pub(crate) const TYPE_START: &str = "\
#ifdef __cplusplus
template <class tryall_class> struct tryall_of { };
#endif
";

/// The part that asks, in a function of this name. Each use of the type has a scope of its own: the
/// type may declare enumerators or tags.
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

/// Whether a member is there: AC_CHECK_MEMBER, `has_member`, and check_struct_has_member but
/// for bit-fields, which have no size and are members all the same.
pub(crate) fn member(before: Before<'_>, of: &str, member: &str) -> String {
    question(before) + &member_body("main", of, member)
}

/// The part that asks, in a function of this name.
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

/// Whether the headers declare a function as said: check_prototype_definition. C has another
/// declaration contradict; in C++ that would be an overload, so a pointer chooses one.
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
    // The parentheses keep a macro with parameters from standing in for the function.
    format!(
        "{start}\
         void tryall_declared(void);\n\
         void tryall_declared(void) {{ (void)&{function}; }}\n\
         {return_type} ({function})({arguments});\n\
         int main(void) {{ tryall_declared(); return 0; }}\n"
    )
}

pub(crate) fn arguments(arguments: &[String]) -> String {
    if arguments.is_empty() { "void".into() } else { arguments.join(", ") }
}

/// The part that asks for a prototype, in a function of this name and in a block, at whose end it is
/// forgotten. `extern`, which all declarations of functions are, keeps a return type that is none
/// from making a call of it.
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

/// What a macro expands to: `get_define`, AC_EGREP_CPP.
pub(crate) fn define(before: Before<'_>, name: &str) -> String {
    let (open, close) = value::EXPANSION_MARKS;
    let sentinels = sentinels();
    format!("{}#ifdef {name}\n{open} {name} {close}\n#endif\n{sentinels}", start(before))
}

/// Where [`comparison`] puts itself: the last line before the value.
pub(crate) const VALUE_STARTS: &str = "extern char tryall_text[];\n";

/// An integer that can be read off the object file: check_type_size's way, which needs no
/// program to be run, for any integer constant expression.
pub(crate) fn integer(before: Before<'_>, expression: &str) -> String {
    integer_text(&question(before), expression)
}

pub(crate) fn integer_text(start: &str, expression: &str) -> String {
    // The program must use the text, or a linker that optimizes drops it.
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

/// Compiles only if an expression is a constant, as an enumerator is; C++ would compute [`letters`] at
/// run time. Here the compiler says what it has to say about the expression, which it does not in
/// [`digits`]. The function keeps what the expression declares to itself.
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

/// Names for a value and its digits in base 16, made by division only: no cast and no shift, so that
/// an integer of any width is right. As enumerators they hold the expression once, which may declare
/// something. GCC and Clang take values of any width for that, under `__extension__` in silence. TinyCC, for
/// one, cuts them to an `int` in silence, so elsewhere the names are macros.
pub(crate) fn digits(expression: &str) -> String {
    let mut names = vec![
        ("value".into(), format!("({expression})")),
        ("sign".into(), "(tryall_value > 0 || tryall_value == 0 ? 1 : -1)".into()),
        ("q0".into(), "tryall_value".into()),
    ];
    for digit in 0..value::DIGITS {
        names.push((format!("d{digit}"), format!("(tryall_q{digit} % 16 * tryall_sign)")));
        names.push((format!("q{}", digit + 1), format!("(tryall_q{digit} / 16)")));
    }
    let enumerators: Vec<_> =
        names.iter().map(|(name, is)| format!("\x20 tryall_{name} = {is}")).collect();
    let macros: String =
        names.iter().map(|(name, is)| format!("#define tryall_{name} {is}\n")).collect();
    format!(
        "#if {GCC_OR_CLANG}\n\
         __extension__ enum {{\n{}\n}};\n\
         #else\n{macros}#endif\n",
        enumerators.join(",\n")
    )
}

/// The letters of `tryall_value` as an initializer, behind those that open it. The first letter after
/// the sign is `a` only if 16 digits are enough.
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

/// The part that asks for an integer in a function of this name, whose text is opened by other
/// letters: in a block, where what an expression declares stays, as do the declarations before it.
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
        digits(expression),
        letters(open)
    )
}

/// The alignment in a struct: AC_CHECK_ALIGNOF, `alignment`. Not `alignof`, which on some
/// machines tells what a variable on its own would prefer.
pub(crate) fn alignment(before: Before<'_>, name: &str) -> String {
    let start = alignment_start(before) + &is_a_type("main", name) + &alignment_struct(name);
    integer_text(&start, ALIGNMENT)
}

/// What stands before the question for an alignment.
pub(crate) fn alignment_start(before: Before<'_>) -> String {
    question(before) + "#include <stddef.h>\n"
}

pub(crate) const ALIGNMENT: &str = "offsetof(struct tryall_struct, tryall_member)";

pub(crate) fn alignment_struct(name: &str) -> String {
    format!(
        "#if defined __GNUC__ || defined __TINYC__\n\
         struct tryall_struct {{ char tryall_before; __typeof__({name}) tryall_member; }};\n\
         #else\n\
         struct tryall_struct {{ char tryall_before; {name} tryall_member; }};\n\
         #endif\n"
    )
}

/// Compiles only if this names a type and not an expression, which has a struct's member, too, where
/// `__typeof__` is. A function keeps what the type declares to itself.
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

/// The part that asks for an alignment in a function of this name. In a function, a member's type may
/// depend on variables, which it may not outside: so its size must be a constant, too.
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

/// The byte order, which can be read off the object file: AC_C_BIGENDIAN, test_big_endian.
/// Each array spells its text on a machine of its own order only.
pub(crate) fn byte_order(before: Before<'_>) -> String {
    question(before) + &byte_order_body("main")
}

/// The part that asks, in a function of this name. Its arrays have names of their own: a source has
/// no second one.
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
