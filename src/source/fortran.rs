//! Sources in Fortran that are right in free and in fixed form: which one a compiler expects depends on
//! its arguments. A prefix is for `use` statements, headers for INCLUDE lines.

use super::{Before, Comparison};
use crate::compiler::value;

/// The headers and the prefix, as they stand before a source that the request gives.
pub(super) fn start(before: Before<'_>) -> String {
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
pub(super) fn program(before: Before<'_>, main: &str) -> String {
    match (before.prefix, before.headers) {
        ("", []) => main.into(),
        _ => main_program(&specification(before), &[]),
    }
}

/// Whether a file can be included, such as mpif.h.
pub(super) fn header(before: Before<'_>, header: &str) -> String {
    main_program(&(specification(before) + &include(header)), &[])
}

/// Whether an external procedure links: check_fortran_function_exists.
pub(super) fn function(before: Before<'_>, function: &str) -> String {
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
pub(super) fn type_exists(before: Before<'_>, name: &str) -> String {
    let component = statement(&format!("{name} :: tryall_component"));
    question(before, &(statement("type tryall_type") + &component + &statement("end type")))
}

/// The bytes of a variable of a type.
pub(super) fn size(before: Before<'_>, name: &str) -> String {
    // Saved: of a large one that is not, gfortran's -Wall says that it is moved from the stack.
    let variable = statement(&format!("{name} :: tryall_a"));
    let variable = variable + &statement("save :: tryall_a");
    integer_text(before, &variable, "storage_size(tryall_a)/8")
}

/// An integer constant expression, read off the object file.
pub(super) fn integer(before: Before<'_>, expression: &str) -> String {
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
const ANY_VALUE: &str = "integer,parameter::tryall_h=tryall_k";

/// The value in the form that [`crate::value`] reads. The shift by nothing takes integers only; a
/// mere definition would convert a real number. Nor may the expression be converted to a
/// smaller kind, which some compilers do in silence.
///
/// Only what Fortran 95 has in constant expressions stands here, so no `merge`: (1 + sign(1, x)) / 2 is 1
/// where x is not negative, and else 0. Each statement fits into a line of both forms if the expression has
/// at most 30 characters, and then the length of lines that the arguments ask for does not matter.
fn integer_text(before: Before<'_>, declarations: &str, expression: &str) -> String {
    let mut statements = vec![
        "integer tryall_o".into(),
        format!("parameter(tryall_o=kind(ishft({expression},0)))"),
        // The kind: its own, or a wide one.
        "integer,parameter::tryall_w=selected_int_kind(18)".into(),
        "integer,parameter::tryall_p=range(1_tryall_o)-1".into(),
        "integer,parameter::tryall_q=tryall_p-range(1_tryall_w)".into(),
        "integer,parameter::tryall_r=(1+sign(1,tryall_q))/2".into(),
        "integer,parameter::tryall_s=tryall_w*(1-tryall_r)".into(),
        "integer,parameter::tryall_k=tryall_o*tryall_r+tryall_s".into(),
        "integer(tryall_k) tryall_v".into(),
        format!("parameter(tryall_v=ishft({expression},0))"),
        ANY_VALUE.into(),
        // Of a negative number the complement.
        "integer(tryall_k),parameter::tryall_m=min(tryall_v,-1_tryall_k)".into(),
        "integer(tryall_h),parameter::tryall_b=max(tryall_v,not(tryall_m))".into(),
        "integer(tryall_k),parameter::tryall_n=sign(1_tryall_k,tryall_v)".into(),
        "integer,parameter::tryall_f=(1+int(tryall_n))/2".into(),
        format!(
            "integer,parameter::tryall_g={complement}-tryall_f*{difference}",
            complement = u32::from(value::COMPLEMENT),
            difference = u32::from(value::COMPLEMENT) - u32::from('+'),
        ),
        format!("character(*),parameter::tryall_t0='{}'//achar(tryall_g)", value::OPEN),
        format!("integer(tryall_k),parameter::tryall_z=ishft(tryall_b,-{})", 4 * value::DIGITS),
        "integer,parameter::tryall_y=int(min(tryall_z,1_tryall_k))".into(),
        "character(*),parameter::tryall_t1=tryall_t0//achar(97+25*tryall_y)".into(),
    ];
    for (place, digit) in (0..value::DIGITS).rev().enumerate() {
        // Not by division, of which gfortran's -Wall says that it truncates.
        let (before, after) = (place + 1, place + 2);
        let bits = format!("int(ibits(tryall_b,{},4))", 4 * digit);
        statements.push(format!("integer,parameter::tryall_d{digit}={bits}"));
        statements.push(format!(
            "character(*),parameter::tryall_t{after}=tryall_t{before}//achar(97+tryall_d{digit})"
        ));
    }
    let (last, length) = (value::DIGITS + 1, value::OPEN.len() + 2 + value::DIGITS + 1);
    statements.push(format!("character(*),parameter::tryall_u=tryall_t{last}//'{}'", value::CLOSE));
    statements.push(format!("character({length}),save::tryall_text=tryall_u"));
    statements.push("print *, tryall_text".into());
    let statements: String = statements.iter().map(|text| statement(text)).collect();
    question(before, &(declarations.to_string() + &statements))
        + &main_program(
            &statement("use tryall_module, only: tryall_question"),
            &["call tryall_question()"],
        )
}

/// An [`integer`] source that compiles only if the comparison holds: the kind of an integer
/// must exist.
pub(super) fn comparison(integer: &str, comparison: Comparison) -> String {
    let condition = match comparison {
        Comparison::Impossible => "tryall_v /= tryall_v".into(),
        Comparison::NotNegative => "tryall_v >= 0".into(),
        Comparison::AtMost(number) => format!("tryall_v <= {number}_tryall_k"),
        Comparison::Is(number) => format!("tryall_v == {number}_tryall_k"),
    };
    let holds = format!("integer,parameter::tryall_h=merge(tryall_k,-1,{condition})");
    integer.replacen(&statement(ANY_VALUE), &statement(&holds), 1)
}
