//! Sources in free-form Fortran. A prefix is for `use` statements, headers for INCLUDE lines.

use std::fmt::Write;

use super::{Before, Comparison};
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
/// behind it: a prefix or a file may have one of its own, or declare something, after which none
/// may stand.
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

/// A module with a question in its only procedure. That has an `implicit none` of its own, without
/// which `kind(not_declared)` would be that of an integer or real number, by the first letter; and
/// all that the headers and the prefix have. A procedure of a module is an external symbol, and
/// so is kept.
fn question(before: Before<'_>, statements: &str) -> String {
    format!(
        "module tryall_module\n\
         {}\
         public :: tryall_question\n\
         contains\n\
         subroutine tryall_question()\n\
         implicit none\n\
         {statements}\
         end subroutine\n\
         end module\n",
        specification(before)
    )
}

/// Whether a type can be declared: as that of a component, of which nobody says that it is not
/// used.
pub fn type_exists(before: Before<'_>, name: &str) -> String {
    question(before, &format!("type tryall_type\n{} :: tryall_component\nend type\n", lines(name)))
}

/// The bytes of a variable of a type.
pub fn size(before: Before<'_>, name: &str) -> String {
    // Saved: of a large one that is not, gfortran's -Wall says that it is moved from the stack.
    let variable = format!("{} :: tryall_variable\nsave :: tryall_variable\n", lines(name));
    integer_text(before, &variable, "storage_size(tryall_variable) / 8")
}

/// An integer constant expression, read off the object file.
pub fn integer(before: Before<'_>, expression: &str) -> String {
    integer_text(before, "", expression)
}

/// Text that fits into lines, which may have 132 columns. A line may be broken anywhere, even in
/// the middle of a name.
fn lines(text: &str) -> String {
    let chars: Vec<_> = text.chars().collect();
    chars.chunks(100).map(String::from_iter).collect::<Vec<_>>().join("&\n&")
}

/// What [`comparison`] changes: a kind that the source uses.
const ANY_VALUE: &str = "integer, parameter :: tryall_holds = tryall_kind\n";

/// The value in the form that [`crate::value`] reads. The shift by nothing takes integers only; a
/// mere definition would convert a real number. Nor may the expression be converted to a
/// smaller kind, which some compilers do in silence.
fn integer_text(before: Before<'_>, declarations: &str, expression: &str) -> String {
    let expression = format!("ishft( &\n{} &\n, 0)", lines(expression));
    let mut text = format!(
        "{declarations}\
         integer, parameter :: tryall_own = kind({expression})\n\
         integer, parameter :: tryall_wide = selected_int_kind(18)\n\
         integer, parameter :: tryall_kind = &\n\
         merge(tryall_own, tryall_wide, range(1_tryall_own) > range(1_tryall_wide))\n\
         integer(tryall_kind), parameter :: tryall_value = {expression}\n\
         {ANY_VALUE}\
         integer(tryall_holds), parameter :: tryall_bits = &\n\
         merge(tryall_value, not(min(tryall_value, -1_tryall_kind)), tryall_value >= 0)\n\
         character(len={length}), save :: tryall_text = '{open}' // &\n\
         merge('+', '{complement}', tryall_value >= 0) // &\n\
         merge('a', 'z', ishft(tryall_bits, -{bits}) == 0) // &\n",
        complement = value::COMPLEMENT,
        open = value::OPEN,
        length = value::OPEN.len() + 2 + value::DIGITS + 1,
        bits = 4 * value::DIGITS,
    );
    for digit in (0..value::DIGITS).rev() {
        // Not by division, of which gfortran's -Wall says that it truncates.
        writeln!(text, "achar(97 + ibits(tryall_bits, {}, 4)) // &", 4 * digit)
            .expect("strings take all");
    }
    writeln!(text, "'{}'\nprint *, tryall_text", value::CLOSE).expect("strings take all");
    question(before, &text)
        + "program tryall\nuse tryall_module\ncall tryall_question()\nend program\n"
}

/// An [`integer`] source that compiles only if the comparison holds: the kind of an integer
/// must exist.
pub fn comparison(integer: &str, comparison: Comparison) -> String {
    let condition = match comparison {
        Comparison::Impossible => "tryall_value /= tryall_value".into(),
        Comparison::NotNegative => "tryall_value >= 0".into(),
        Comparison::AtMost(number) => format!("tryall_value <= {number}_tryall_kind"),
        Comparison::Is(number) => format!("tryall_value == {number}_tryall_kind"),
    };
    let holds =
        format!("integer, parameter :: tryall_holds = merge(tryall_kind, -1, {condition})\n");
    integer.replacen(ANY_VALUE, &holds, 1)
}
