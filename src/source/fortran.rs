//! Sources in Fortran that are valid in free and in fixed form, because the arguments decide which
//! form a compiler expects. The prefix is for `use` statements; headers become INCLUDE lines.

use super::{Before, Comparison};
use crate::compiler::value;

/// The headers and the prefix, before a source of the caller.
pub(super) fn start(before: Before<'_>) -> String {
    includes(before) + &before.prefix_lines()
}

fn includes(before: Before<'_>) -> String {
    before.headers.iter().map(|header| include(header)).collect()
}

fn include(header: &str) -> String {
    // Neither form lets an INCLUDE line continue on a second line.
    format!("      include '{}'\n", header.replace('\'', "''"))
}

/// The specification part of a program unit, in which `use` must come first. It does not end with
/// `implicit none`: the prefix or an included file may contain that already, or declare something,
/// and then no `implicit none` may follow.
fn specification(before: Before<'_>) -> String {
    before.prefix_lines() + &includes(before)
}

/// A main program with this specification part and these statements.
fn main_program(specification: &str, statements: &[&str]) -> String {
    statement("program tryall")
        + specification
        + &statements.iter().map(|text| statement(text)).collect::<String>()
        + &statement("end program")
}

/// A program with the headers and the prefix, and nothing else.
pub(super) fn program(before: Before<'_>, main: &str) -> String {
    match (before.prefix, before.headers) {
        ("", []) => main.into(),
        _ => main_program(&specification(before), &[]),
    }
}

/// Tests whether a file such as mpif.h can be included.
pub(super) fn header(before: Before<'_>, header: &str) -> String {
    main_program(&(specification(before) + &include(header)), &[])
}

/// Tests whether an external procedure links: check_fortran_function_exists.
pub(super) fn function(before: Before<'_>, function: &str) -> String {
    let (external, call) = (format!("external {function}"), format!("call {function}()"));
    main_program(&specification(before), &[&external, &call])
}

/// A module whose only procedure contains the question. The procedure has its own `implicit none`,
/// because `kind(not_declared)` would otherwise be the kind of an integer or a real, depending on
/// the first letter. It sees everything that the headers and the prefix declare. A module procedure
/// is an external symbol, so compilers keep it.
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

/// Tests whether a type can be declared. It is the type of a component, because compilers do not
/// warn about unused components.
pub(super) fn type_exists(before: Before<'_>, name: &str) -> String {
    let component = statement(&format!("{name} :: tryall_component"));
    question(before, &(statement("type tryall_type") + &component + &statement("end type")))
}

/// The size in bytes of a variable of a type.
pub(super) fn size(before: Before<'_>, name: &str) -> String {
    // Saved, because gfortran's -Wall warns that it moves a large unsaved variable from the stack.
    let variable = statement(&format!("{name} :: tryall_a"));
    let variable = variable + &statement("save :: tryall_a");
    integer_text(before, &variable, "storage_size(tryall_a)/8")
}

/// An integer constant expression, whose value is in the object file.
pub(super) fn integer(before: Before<'_>, expression: &str) -> String {
    integer_text(before, "", expression)
}

/// The lines of a statement. Both forms read columns 7 to 72. A full line that continues has an
/// ampersand in column 73, which fixed form ignores, and the next line has one in column 6. With
/// these, both forms continue exactly where the previous line ended, even in the middle of a name.
fn statement(text: &str) -> String {
    let chars: Vec<_> = text.chars().collect();
    let lines: Vec<_> = chars.chunks(66).map(String::from_iter).collect();
    format!("      {}\n", lines.join("&\n     &"))
}

/// The line that [`comparison`] replaces. It defines a kind that the source uses.
const ANY_VALUE: &str = "integer,parameter::tryall_h=tryall_k";

/// Writes the value in the format that [`value`] reads. `ishft` by zero accepts integers only; a
/// plain parameter would convert a real number. The expression must not be converted to a smaller
/// kind either, which some compilers do silently.
///
/// Uses only what Fortran 95 allows in constant expressions, so not `merge`: (1 + sign(1, x)) / 2
/// is 1 if x is not negative, and otherwise 0. If the expression has at most 30 characters, each
/// statement fits into one line of both forms, and the line length that the arguments select does
/// not matter.
fn integer_text(before: Before<'_>, declarations: &str, expression: &str) -> String {
    let mut statements = vec![
        "integer tryall_o".into(),
        format!("parameter(tryall_o=kind(ishft({expression},0)))"),
        // The kind of the value: that of the expression, or a wider one.
        "integer,parameter::tryall_w=selected_int_kind(18)".into(),
        "integer,parameter::tryall_p=range(1_tryall_o)-1".into(),
        "integer,parameter::tryall_q=tryall_p-range(1_tryall_w)".into(),
        "integer,parameter::tryall_r=(1+sign(1,tryall_q))/2".into(),
        "integer,parameter::tryall_s=tryall_w*(1-tryall_r)".into(),
        "integer,parameter::tryall_k=tryall_o*tryall_r+tryall_s".into(),
        "integer(tryall_k) tryall_v".into(),
        format!("parameter(tryall_v=ishft({expression},0))"),
        ANY_VALUE.into(),
        // For a negative number, the complement.
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
        // Not by division, because gfortran's -Wall warns that it truncates.
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

/// An [`integer`] source that compiles only if the comparison holds, because the kind of an integer
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
