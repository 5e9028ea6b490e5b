//! Sources in Fortran that are right in free and in fixed form: which one a compiler expects depends on
//! its arguments. A prefix is for `use` statements, headers for INCLUDE lines.

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
    // Neither form lets it go on in a second line.
    format!("      include '{}'\n", header.replace('\'', "''"))
}

/// The specification part of a program unit: `use` must come first. There is no `implicit none`
/// behind it: a prefix or a file may have one of its own, or declare something, after which none
/// may stand.
fn specification(before: Before<'_>) -> String {
    before.prefix_lines() + &includes(before)
}

/// A main program with these statements behind the specification part.
fn main_program(specification: &str, statements: &[&str]) -> String {
    statement("program tryall")
        + specification
        + &statements.iter().map(|text| statement(text)).collect::<String>()
        + &statement("end program")
}

/// A program that asks nothing more.
pub fn program(before: Before<'_>, main: &str) -> String {
    match (before.prefix, before.headers) {
        ("", []) => main.into(),
        _ => main_program(&specification(before), &[]),
    }
}

/// Whether a file can be included, such as mpif.h.
pub fn header(before: Before<'_>, header: &str) -> String {
    main_program(&(specification(before) + &include(header)), &[])
}

/// Whether an external procedure links: check_fortran_function_exists.
pub fn function(before: Before<'_>, function: &str) -> String {
    let (external, call) = (format!("external {function}"), format!("call {function}()"));
    main_program(&specification(before), &[&external, &call])
}

/// A module with a question in its only procedure. That has an `implicit none` of its own, without
/// which `kind(not_declared)` would be that of an integer or real number, by the first letter; and
/// all that the headers and the prefix have. A procedure of a module is an external symbol, and
/// so is kept.
fn question(before: Before<'_>, statements: &str) -> String {
    statement("module tryall_module")
        + &specification(before)
        + &statement("public :: tryall_question")
        + &statement("contains")
        + &statement("subroutine tryall_question()")
        + &statement("implicit none")
        + statements
        + &statement("end subroutine")
        + &statement("end module")
}

/// Whether a type can be declared: as that of a component, of which nobody says that it is not
/// used.
pub fn type_exists(before: Before<'_>, name: &str) -> String {
    let component = statement(&format!("{name} :: tryall_component"));
    question(before, &(statement("type tryall_type") + &component + &statement("end type")))
}

/// The bytes of a variable of a type.
pub fn size(before: Before<'_>, name: &str) -> String {
    // Saved: of a large one that is not, gfortran's -Wall says that it is moved from the stack.
    let variable = statement(&format!("{name} :: tryall_variable"));
    let variable = variable + &statement("save :: tryall_variable");
    integer_text(before, &variable, "storage_size(tryall_variable) / 8")
}

/// An integer constant expression, read off the object file.
pub fn integer(before: Before<'_>, expression: &str) -> String {
    integer_text(before, "", expression)
}

/// The lines of a statement. Columns 7 to 72 are those that both forms read. A full line that goes on
/// has an ampersand behind them, which fixed form ignores, and the next line one in column 6, with which
/// both forms continue right where the line before ended, even in the middle of a name.
fn statement(text: &str) -> String {
    let chars: Vec<_> = text.chars().collect();
    let lines: Vec<_> = chars.chunks(66).map(String::from_iter).collect();
    format!("      {}\n", lines.join("&\n     &"))
}

/// What [`comparison`] changes: a kind that the source uses.
const ANY_VALUE: &str = "integer, parameter :: tryall_holds = tryall_kind";

/// The value in the form that [`crate::value`] reads. The shift by nothing takes integers only; a
/// mere definition would convert a real number. Nor may the expression be converted to a
/// smaller kind, which some compilers do in silence.
fn integer_text(before: Before<'_>, declarations: &str, expression: &str) -> String {
    let expression = format!("ishft({expression}, 0)");
    let mut letters = format!(
        "character(len={length}), save :: tryall_text = '{open}' // \
         merge('+', '{complement}', tryall_value >= 0) // \
         merge('a', 'z', ishft(tryall_bits, -{bits}) == 0)",
        complement = value::COMPLEMENT,
        open = value::OPEN,
        length = value::OPEN.len() + 2 + value::DIGITS + 1,
        bits = 4 * value::DIGITS,
    );
    for digit in (0..value::DIGITS).rev() {
        // Not by division, of which gfortran's -Wall says that it truncates.
        write!(letters, " // achar(97 + ibits(tryall_bits, {}, 4))", 4 * digit)
            .expect("strings take all");
    }
    write!(letters, " // '{}'", value::CLOSE).expect("strings take all");
    let statements = [
        &format!("integer, parameter :: tryall_own = kind({expression})"),
        "integer, parameter :: tryall_wide = selected_int_kind(18)",
        "integer, parameter :: tryall_kind = \
         merge(tryall_own, tryall_wide, range(1_tryall_own) > range(1_tryall_wide))",
        &format!("integer(tryall_kind), parameter :: tryall_value = {expression}"),
        ANY_VALUE,
        "integer(tryall_holds), parameter :: tryall_bits = \
         merge(tryall_value, not(min(tryall_value, -1_tryall_kind)), tryall_value >= 0)",
        &letters,
        "print *, tryall_text",
    ];
    let statements: String = statements.iter().map(|text| statement(text)).collect();
    question(before, &(declarations.to_string() + &statements))
        + &main_program(&statement("use tryall_module"), &["call tryall_question()"])
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
    let holds = format!("integer, parameter :: tryall_holds = merge(tryall_kind, -1, {condition})");
    integer.replacen(&statement(ANY_VALUE), &statement(&holds), 1)
}
