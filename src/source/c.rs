//! Sources in C, C++ and their Objective variants. All names in them start with `tryall_`, in
//! upper case for macros: any other may be a macro of a header, or be what is asked for.

use std::fmt::Write;

use super::{Before, Comparison};
use crate::language::Language;
use crate::value;

/// The headers and the prefix.
pub fn start(before: Before<'_>) -> String {
    let mut text = String::new();
    for header in before.headers {
        writeln!(text, "#include <{header}>").expect("strings take all");
    }
    text + &before.prefix_lines()
}

/// Makes what is not declared an error. Clang takes a function of the C library that it knows for
/// declared, with a warning, where GCC refuses it.
const UNDECLARED_IS_AN_ERROR: &str = "\
#if defined __clang__ && !defined __cplusplus
#pragma clang diagnostic error \"-Wimplicit-function-declaration\"
#endif
";

/// Silences what compilers say of the questions' own words, which -Werror would turn into a
/// no: that what is asked for is deprecated, and that a cast is C's. It stands behind the headers
/// and the prefix.
const ONLY_THE_QUESTION: &str = "\
#if defined __GNUC__
#pragma GCC diagnostic ignored \"-Wdeprecated-declarations\"
#ifdef __cplusplus
#pragma GCC diagnostic ignored \"-Winvalid-offsetof\"
#pragma GCC diagnostic ignored \"-Wold-style-cast\"
#endif
#endif
";

/// What stands before a question about what the headers and the prefix have.
pub(super) fn question(before: Before<'_>) -> String {
    start(before) + ONLY_THE_QUESTION
}

/// A program that asks nothing more.
pub fn program(before: Before<'_>, main: &str) -> String {
    start(before) + main
}

/// Whether a header compiles: AC_CHECK_HEADER, check_include_file, `check_header`.
pub fn header(before: Before<'_>, header: &str) -> String {
    format!("{}#include <{header}>\nint main(void) {{ return 0; }}\n", start(before))
}

/// By what [`value::was_preprocessed`] tells. It stands last, because of a long output the middle
/// is dropped.
pub(super) fn sentinels() -> String {
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
pub fn header_presence(before: Before<'_>, header: &str) -> String {
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
pub fn symbol(before: Before<'_>, symbol: &str) -> String {
    question(before) + &symbol_body("main", symbol)
}

/// Whether a symbol is a name and nothing more, and so may be a macro.
pub(super) fn is_plain(symbol: &str) -> bool {
    symbol.chars().all(|c| c == '_' || c == '$' || c.is_alphanumeric())
}

/// The part that asks, in a function of this name.
pub(super) fn symbol_body(name: &str, symbol: &str) -> String {
    let (unless_macro, end) = if is_plain(symbol) {
        (format!("#ifndef {symbol}\n"), "#endif\n")
    } else {
        (String::new(), "")
    };
    format!(
        "{unless_macro}\
         #if defined __SIZE_TYPE__\n\
         #define TRYALL_WORD __SIZE_TYPE__\n\
         #elif defined _WIN64\n\
         #define TRYALL_WORD unsigned long long\n\
         #else\n\
         #define TRYALL_WORD unsigned long\n\
         #endif\n\
         {end}\
         {UNDECLARED_IS_AN_ERROR}\
         int {name}(void)\n\
         {{\n\
         {unless_macro}\
         \x20 typedef TRYALL_WORD tryall_word;\n\
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
pub fn function(before: Before<'_>, function: &str) -> String {
    let start = function_start(before);
    if has_headers(&self::start(before)) {
        return start + &function_by_prototype("main", function);
    }
    // <limits.h> gives the __stub macros and declares next to nothing. What it or the prefix
    // does declare, and any macro of the name, goes to another name.
    format!("#define {function} tryall_not_{function}\n{start}{}", function_alone("main", function))
}

pub(super) fn function_start(before: Before<'_>) -> String {
    start(before) + "#include <limits.h>\n"
}

fn unless_stub(function: &str) -> String {
    format!(
        "#if defined __stub_{function} || defined __stub___{function}\n\
         #error \"the function is a stub that always fails\"\n\
         #endif\n"
    )
}

/// The part that asks for a function that the headers declare, in a function of this name.
pub(super) fn function_by_prototype(name: &str, function: &str) -> String {
    format!(
        "{}\
         {ONLY_THE_QUESTION}\
         {UNDECLARED_IS_AN_ERROR}\
         static void (*volatile tryall_of_{name})(void);\n\
         int {name}(void) {{ tryall_of_{name} = (void (*)(void))&{function}; return 0; }}\n",
        unless_stub(function)
    )
}

/// The part that asks for a function that nothing declares, in a function of this name.
pub(super) fn function_alone(name: &str, function: &str) -> String {
    format!(
        "#undef {function}\n\
         {}\
         #if defined __clang__\n\
         #pragma clang diagnostic ignored \"-Wincompatible-library-redeclaration\"\n\
         #elif defined __GNUC__ && __GNUC__ >= 8\n\
         #pragma GCC diagnostic ignored \"-Wbuiltin-declaration-mismatch\"\n\
         #endif\n\
         #ifdef __cplusplus\n\
         extern \"C\"\n\
         #endif\n\
         char {function}(void);\n\
         int {name}(void) {{ return {function}(); }}\n",
        unless_stub(function)
    )
}

/// Whether a text includes any header, as the prefix may too.
pub(super) fn has_headers(text: &str) -> bool {
    let directives = text.lines().filter_map(|line| line.trim_start().strip_prefix('#'));
    directives
        .map(str::trim_start)
        .any(|name| ["include", "import"].iter().any(|d| name.starts_with(d)))
}

/// Whether a type is complete: AC_CHECK_TYPE, `has_type`. `sizeof` alone would take a variable
/// for a type, and so the name must stand where only a type can. As a parameter of a function
/// type an abstract class cannot, GCC complains of a struct without a name, and some compilers
/// take a lone name there for a parameter of an old-style definition.
pub fn type_exists(before: Before<'_>, name: &str) -> String {
    format!("{}{TYPE_START}{}", question(before), type_body("main", name))
}

pub(super) const TYPE_START: &str = "\
#ifdef __cplusplus
template <class tryall_class> struct tryall_of { };
#endif
";

/// The part that asks, in a function of this name.
pub(super) fn type_body(main: &str, name: &str) -> String {
    format!(
        "int {main}(void)\n\
         {{\n\
         \x20 (void)sizeof({name});\n\
         #ifdef __cplusplus\n\
         \x20 (void)sizeof(tryall_of< {name} >);\n\
         #elif defined __GNUC__\n\
         \x20 (void)__builtin_types_compatible_p({name}, int);\n\
         #else\n\
         \x20 (void)sizeof(int (*)(int, {name}));\n\
         #endif\n\
         \x20 return 0;\n\
         }}\n"
    )
}

/// Whether a member is there: AC_CHECK_MEMBER, `has_member`, and check_struct_has_member but
/// for bit-fields, which have no size and are members all the same.
pub fn member(before: Before<'_>, of: &str, member: &str) -> String {
    question(before) + &member_body("main", of, member)
}

/// The part that asks, in a function of this name.
pub(super) fn member_body(name: &str, of: &str, member: &str) -> String {
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
pub fn prototype(
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

pub(super) fn arguments(arguments: &[String]) -> String {
    if arguments.is_empty() { "void".into() } else { arguments.join(", ") }
}

/// The part that asks for a prototype, in a function of this name and in a block, at whose end it is
/// forgotten. `extern`, which all declarations of functions are, keeps a return type that is none
/// from making a call of it.
pub(super) fn prototype_body(
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
pub fn define(before: Before<'_>, name: &str) -> String {
    let (open, close) = value::EXPANSION_MARKS;
    let sentinels = sentinels();
    format!("{}#ifdef {name}\n{open} {name} {close}\n#endif\n{sentinels}", start(before))
}

/// Where [`comparison`] puts itself: the last line before the value.
const VALUE_STARTS: &str = "extern char tryall_text[];\n";

/// An integer that can be read off the object file: check_type_size's way, which needs no
/// program to be run, for any integer constant expression.
///
/// The value is written in base 16 with letters for digits, from quotients and remainders
/// only: no cast and no shift, so that an integer of any width is right. The first letter
/// after the sign is `a` only if 16 digits are enough.
pub fn integer(before: Before<'_>, expression: &str) -> String {
    integer_text(&question(before), expression)
}

fn integer_text(start: &str, expression: &str) -> String {
    let mut text = format!("{start}#define TRYALL_VALUE ({expression})\n{}", digit_macros());
    text.push_str(MUST_BE_CONSTANT);
    text.push_str(VALUE_STARTS);
    writeln!(text, "char tryall_text[] = {};", letters(value::OPEN)).expect("strings take all");
    // The program must use the text, or a linker that optimizes drops it.
    text.push_str(
        "int main(int tryall_argc, char **tryall_argv)\n\
         {\n\
         \x20 (void)tryall_argv;\n\
         \x20 return tryall_text[tryall_argc];\n\
         }\n",
    );
    text
}

/// Only a constant can be an enumerator; without it C++ would compute the text at run time.
const MUST_BE_CONSTANT: &str = "enum { tryall_constant = TRYALL_NOT_NEGATIVE ? 1 : 0 };\n";

/// What takes `TRYALL_VALUE` apart.
pub(super) fn digit_macros() -> String {
    let mut text = String::from(
        "#define TRYALL_NOT_NEGATIVE (TRYALL_VALUE > 0 || TRYALL_VALUE == 0)\n\
         #define TRYALL_DIGIT(tryall_quotient) \\\n\
         \x20 (char)('a' + (TRYALL_NOT_NEGATIVE ? (tryall_quotient) % 16 : -((tryall_quotient) % 16)))\n\
         #define TRYALL_BEYOND(tryall_quotient) ((tryall_quotient) == 0 ? 'a' : 'z')\n\
         #define TRYALL_Q0 TRYALL_VALUE\n",
    );
    for digit in 1..=value::DIGITS {
        writeln!(text, "#define TRYALL_Q{digit} TRYALL_Q{} / 16", digit - 1)
            .expect("strings take all");
    }
    text
}

/// The letters of `TRYALL_VALUE` as an initializer, behind those that open it.
fn letters(open: &str) -> String {
    let mut text = String::from("{");
    for letter in open.chars() {
        write!(text, " '{letter}',").expect("strings take all");
    }
    write!(text, "\n  TRYALL_NOT_NEGATIVE ? '+' : '-', TRYALL_BEYOND(TRYALL_Q{}),", value::DIGITS)
        .expect("strings take all");
    for digit in (0..value::DIGITS).rev() {
        write!(text, "\n  TRYALL_DIGIT(TRYALL_Q{digit}),").expect("strings take all");
    }
    write!(text, "\n  '{}', 0\n}}", value::CLOSE).expect("strings take all");
    text
}

/// The part that asks for an integer in a function of this name, whose text is opened by other
/// letters: in a block, where what an expression declares stays, as do the declarations before it.
pub(super) fn integer_body(name: &str, declarations: &str, expression: &str, open: &str) -> String {
    format!(
        "#undef TRYALL_VALUE\n\
         #define TRYALL_VALUE ({expression})\n\
         int {name}(int tryall_argc, char **tryall_argv)\n\
         {{\n\
         {declarations}\
         \x20 {MUST_BE_CONSTANT}\
         \x20 static char tryall_text[] = {};\n\
         \x20 (void)tryall_argv;\n\
         \x20 return tryall_text[tryall_argc];\n\
         }}\n",
        letters(open)
    )
}

/// The alignment in a struct: AC_CHECK_ALIGNOF, `alignment`. Not `alignof`, which on some
/// machines tells what a variable on its own would prefer.
pub fn alignment(before: Before<'_>, name: &str) -> String {
    let start = alignment_start(before) + &alignment_declarations(name);
    integer_text(&start, ALIGNMENT)
}

/// What stands before the question for an alignment.
pub(super) fn alignment_start(before: Before<'_>) -> String {
    question(before) + "#include <stddef.h>\n"
}

const ALIGNMENT: &str = "offsetof(struct tryall_struct, tryall_member)";

fn alignment_declarations(name: &str) -> String {
    format!(
        "#if defined __GNUC__ || defined __TINYC__\n\
         struct tryall_struct {{ char tryall_before; __typeof__({name}) tryall_member; }};\n\
         #else\n\
         struct tryall_struct {{ char tryall_before; {name} tryall_member; }};\n\
         #endif\n\
         enum {{\n\
         \x20 tryall_is_a_type = sizeof(int (*)({name})),\n\
         \x20 tryall_is_no_old_style_parameter = sizeof(int (*)(int, {name}))\n\
         }};\n"
    )
}

/// The part that asks for an alignment in a function of this name.
pub(super) fn alignment_body(name: &str, of: &str, open: &str) -> String {
    integer_body(name, &alignment_declarations(of), ALIGNMENT, open)
}

/// What compiles only if a type has a constant size, beside the part of this name: in a function, a
/// member's type may depend on variables, which it may not outside.
pub(super) fn constant_size(name: &str, of: &str) -> String {
    format!(
        "int tryall_size_in_{name}(void);\n\
         int tryall_size_in_{name}(void) {{ enum {{ tryall_size = sizeof({of}) }}; return tryall_size; }}\n"
    )
}

/// An [`integer`] source that compiles only if the comparison holds.
pub fn comparison(integer: &str, comparison: Comparison) -> String {
    let condition = match comparison {
        Comparison::Impossible => "TRYALL_VALUE != TRYALL_VALUE".into(),
        Comparison::NotNegative => "TRYALL_NOT_NEGATIVE".into(),
        Comparison::AtMost(number) => format!("TRYALL_VALUE <= {number}"),
        Comparison::Is(number) => format!("TRYALL_VALUE == {number}"),
    };
    let condition = format!("extern char tryall_holds[({condition}) ? 1 : -1];\n{VALUE_STARTS}");
    integer.replacen(VALUE_STARTS, &condition, 1)
}

/// The byte order, which can be read off the object file: AC_C_BIGENDIAN, test_big_endian.
/// Each array spells its text on a machine of its own order only.
pub fn byte_order(before: Before<'_>) -> String {
    start(before) + &byte_order_body("main")
}

/// The part that asks, in a function of this name. Its arrays have names of their own: a source has
/// no second one.
pub(super) fn byte_order_body(name: &str) -> String {
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
