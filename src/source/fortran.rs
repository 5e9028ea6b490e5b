//! Sources in free-form Fortran. A prefix is for `use` statements, headers for INCLUDE lines.

use std::fmt::Write;

use super::Before;
use crate::value;

/// The headers and the prefix, as they stand before a source that the request gives.
pub fn start(before: Before<'_>) -> String {
    includes(before) + &before.prefix_lines()
}

fn includes(before: Before<'_>) -> String {
    before.headers.iter().map(|header| include(header)).collect()
}

fn include(header: &str) -> String {
    format!("include '{}'\n", header.replace('\'', "''"))
}

/// The specification part of a program unit: `use` must come first. There is no `implicit none`
/// behind it: a prefix may have one of its own, or define a type, after which none may stand.
fn specification(before: Before<'_>) -> String {
    before.prefix_lines() + &includes(before)
}

/// A program that asks nothing more.
pub fn program(before: Before<'_>, main: &str) -> String {
    match (before.prefix, before.headers) {
        ("", []) => main.into(),
        _ => format!("program tryall\n{}end program\n", specification(before)),
    }
}

/// Whether a file can be included, such as mpif.h.
pub fn header(before: Before<'_>, header: &str) -> String {
    format!("program tryall\n{}{}end program\n", specification(before), include(header))
}

/// Whether an external procedure links: check_fortran_function_exists.
pub fn function(before: Before<'_>, function: &str) -> String {
    format!(
        "program tryall\n{}external {function}\ncall {function}()\nend program\n",
        specification(before)
    )
}

/// Whether a type can be declared: in a module, where nobody complains of an unused variable.
pub fn type_exists(before: Before<'_>, name: &str) -> String {
    format!(
        "module tryall_module\n{}{} :: tryall_variable\nend module\n",
        specification(before),
        lines(name)
    )
}

/// The bytes of a variable of a type.
pub fn size(before: Before<'_>, name: &str) -> String {
    integer_text(
        &format!("{}{} :: tryall_variable\n", specification(before), lines(name)),
        "storage_size(tryall_variable) / 8",
    )
}

/// An integer constant expression, read off the object file.
pub fn integer(before: Before<'_>, expression: &str) -> String {
    integer_text(&specification(before), expression)
}

/// Text that fits into lines, which may have 132 columns. A line may be broken anywhere, even in
/// the middle of a name.
fn lines(text: &str) -> String {
    let chars: Vec<_> = text.chars().collect();
    chars.chunks(100).map(String::from_iter).collect::<Vec<_>>().join("&\n&")
}

/// Where [`comparison`] puts itself.
const VALUE_STARTS: &str = "character(len=1), parameter :: tryall_start = ' '\n";

/// The value in the form that [`crate::value`] reads, in a variable of a module, which is an
/// external symbol and so is kept. The shift by nothing takes integers only; a mere definition
/// would convert a real number.
fn integer_text(specification: &str, expression: &str) -> String {
    let mut text = format!(
        "module tryall_module\n\
         {specification}\
         integer, parameter :: tryall_kind = selected_int_kind(18)\n\
         integer(tryall_kind), parameter :: tryall_value = ishft( &\n\
         {} &\n\
         , 0)\n\
         {VALUE_STARTS}\
         integer(tryall_kind), parameter :: tryall_bits = &\n\
         merge(tryall_value, not(min(tryall_value, -1_tryall_kind)), tryall_value >= 0)\n\
         character(len={length}) :: tryall_text = '{open}' // &\n\
         merge('+', '{complement}', tryall_value >= 0) // 'a' // &\n",
        lines(expression),
        complement = value::COMPLEMENT,
        open = value::OPEN,
        length = value::OPEN.len() + 2 + value::DIGITS + 1,
    );
    for digit in (0..value::DIGITS).rev() {
        // Not by division, of which gfortran's -Wall says that it truncates.
        writeln!(text, "achar(97 + ibits(tryall_bits, {}, 4)) // &", 4 * digit)
            .expect("strings take all");
    }
    write!(
        text,
        "'{}'\nend module\nprogram tryall\nuse tryall_module\nprint *, tryall_text\nend program\n",
        value::CLOSE
    )
    .expect("strings take all");
    text
}

/// An [`integer`] source that compiles only if the comparison holds: the kind of an integer
/// must exist.
pub fn comparison(integer: &str, comparison: &str) -> String {
    let condition = format!(
        "integer(merge(tryall_kind, -1, tryall_value {comparison})) :: tryall_holds\n{VALUE_STARTS}"
    );
    integer.replacen(VALUE_STARTS, &condition, 1)
}
