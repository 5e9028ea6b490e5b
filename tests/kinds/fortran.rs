//! The kinds of Fortran, with gfortran and, as far as possible, with Flang.

use crate::support::*;
use crate::table::*;
use serde_json::{Value, json};

const BOTH: [Compiler; 2] = [GFORTRAN, FLANG];

fn sizeof(name: &str, prefix: &str) -> Value {
    json!({"kind": "sizeof", "type": name, "prefix": prefix})
}

fn compute(expression: &str, prefix: &str) -> Value {
    json!({"kind": "compute_int", "expression": expression, "prefix": prefix})
}

fn type_named(name: &str, prefix: &str) -> Value {
    json!({"kind": "type", "type": name, "prefix": prefix})
}

fn flag(flag: &str) -> Value {
    json!({"kind": "compiler_flag", "flags": [flag]})
}

/// GCC's flags in every combination; Flang 16 knows none of them.
fn assert_both_answer(rows: &[Row]) {
    assert_answers(&[GFORTRAN], rows);
    assert_plain_answers(FLANG, rows);
}

const DERIVED: &str = "type pair\n integer :: a\n real(8) :: b\nend type\n";
const INTEROPERABLE: &str = "use iso_c_binding";

#[test]
fn sizes_and_types() {
    assert_both_answer(&[
        is(sizeof("integer", ""), 4),
        is(sizeof("integer(8)", ""), 8),
        is(sizeof("integer(1)", ""), 1),
        is(sizeof("real(16)", ""), 16),
        is(sizeof("double precision", ""), 8),
        is(sizeof("complex(8)", ""), 16),
        is(sizeof("character(len=7)", ""), 7),
        is(sizeof("character(len=100000)", ""), 100_000),
        is(sizeof("type(c_ptr)", INTEROPERABLE), 8),
        is(sizeof("integer(c_short)", INTEROPERABLE), 2),
        is(sizeof("integer(c_short)", "use iso_c_binding\nimplicit none\n"), 2),
        is(sizeof("type(pair)", DERIVED), 16),
        no(sizeof("integer(9)", "")),
        no(sizeof("type(pair)", "")),
        no(sizeof("type(c_ptr)", "use iso_c_binding_of_tryall")),
        yes(type_named("integer(16)", "")),
        yes(type_named("type(c_ptr)", INTEROPERABLE)),
        yes(type_named("type(pair)", &format!("implicit none\n{DERIVED}"))),
        no(type_named("type(c_ptr)", "")),
        no(type_named("integer(9)", "")),
        no(type_named("integer(not_declared)", "")),
    ]);
    // The type depends on the flags, so the flags are used.
    let mut wide = sizeof("integer", "");
    wide["args"] = json!(["-fdefault-integer-8"]);
    assert_both_answer(&[is(wide, 8)]);
}

#[test]
fn integers() {
    let long = format!("{}selected_int_kind(9)", "1 + 1 - 1 + ".repeat(40));
    let long_type = format!("integer(kind={}8)", "0 + ".repeat(60));
    assert_both_answer(&[
        is(compute("0", ""), 0),
        is(compute("-7", ""), -7),
        is(compute("15", ""), 15),
        is(compute("selected_real_kind(33)", ""), 16),
        is(compute("selected_real_kind(99)", ""), -1),
        is(compute("huge(1)", ""), i32::MAX),
        is(compute("huge(1_8)", ""), i64::MAX),
        // One less than the standard's range, as -pedantic reports.
        is(compute("-huge(1_8) - 1_8", ""), i64::MIN).not_neutral(),
        is(compute("-huge(1_8)", ""), -i64::MAX),
        is(compute("bit_size(0)", ""), 32),
        is(compute("ichar('a')", ""), 97),
        is(compute("merge(1, 2, .false.)", ""), 2),
        is(compute("c_int", INTEROPERABLE), 4),
        is(compute("n", "integer, parameter :: n = 3"), 3),
        is(compute("n", "implicit none\ninteger, parameter :: n = 3"), 3),
        // Longer than a line may be.
        is(compute(&long, ""), 44),
        is(sizeof(&long_type, ""), 8),
        yes(type_named(&long_type, "")),
        // Undeclared names are integers by their first letter, but not constants.
        no(compute("n", "")),
        no(compute("n(3)", "")),
        no(compute("x", "")),
        no(compute("n", "integer :: n")),
        no(compute("1.5", "")),
        no(compute(".true.", "")),
        no(compute("'text'", "")),
        no(compute("3 +", "")),
        no(compute("1 / 0", "")),
        // Without implicit none it would have a kind.
        no(compute("kind(not_declared)", "")),
        no(compute("kind(not_declared)", INTEROPERABLE)),
        no(compute("kind(not_declared)", DERIVED)),
        no(sizeof("integer(kind(not_declared))", "")),
        no(type_named("integer(kind(not_declared))", "")),
    ]);
}

#[test]
fn integers_have_the_range_of_their_kinds() {
    assert_both_answer(&[
        is(compute("2_16**63", ""), 1u64 << 63),
        is(compute("2_16**64 - 1", ""), u64::MAX),
        is(compute("-2_16**63", ""), i64::MIN),
        is(compute("int(-7, 16)", ""), -7),
        is(compute("-7_1", ""), -7),
        is(compute("huge(1_2)", ""), i16::MAX),
    ]);
    for compiler in BOTH {
        let beyond = ["huge(1_16)", "-huge(1_16)", "2_16**64", "-2_16**63 - 1"];
        let checks: Vec<_> = beyond
            .iter()
            .map(|expression| {
                let mut check = compute(expression, "");
                check["id"] = json!(expression);
                check["language"] = "fortran".into();
                check
            })
            .collect();
        let ran = check_with("fortran", compiler.command, checks.into());
        for id in beyond {
            let result = ran.result(id);
            assert_eq!(result["status"], "error", "{compiler:?} {result}");
            assert_eq!(result["reason"], "the value does not fit into 64 bits", "{result}");
        }
    }
}

#[test]
fn expansions_of_macros() {
    let ask = |prefix: &str| json!({"kind": "define", "name": "TESTED", "prefix": prefix});
    let with_args = json!({"kind": "define", "name": "TESTED", "args": ["-DTESTED='a b'"]});
    let rows = [
        is(ask("#define TESTED 1 + 2"), "1 + 2"),
        is(ask("#define TESTED"), ""),
        is(with_args, "'a b'"),
        no(ask("")),
        no(ask("#define TESTED 1\n#undef TESTED")),
    ];
    assert_both_answer(&rows);
    let own = |name: &str| json!({"kind": "define", "name": name});
    assert_answers(&[GFORTRAN], &[is(own("__GFORTRAN__"), "1"), no(own("__flang__"))]);
    assert_plain_answers(FLANG, &[is(own("__flang__"), "1"), no(own("__GFORTRAN__"))]);
}

#[test]
fn headers_are_files_for_include_lines() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "good.inc", "integer, parameter :: included = 3\n");
    write(dir.path(), "bad.inc", "this is no Fortran\n");
    let ask = |header: &str, stage: &str| json!({"kind": "header", "header": header, "stage": stage, "include_dirs": [dir.path()]});
    let mut value = compute("included + 1", "");
    value["headers"] = json!(["good.inc"]);
    value["include_dirs"] = json!([dir.path()]);
    assert_both_answer(&[
        // -Wall warns about unused declarations in an included file.
        yes(ask("good.inc", "compile")).not_neutral(),
        no(ask("bad.inc", "compile")),
        no(ask("not_there.inc", "compile")),
        yes(ask("good.inc", "preprocess")),
        yes(ask("bad.inc", "preprocess")),
        no(ask("not_there.inc", "preprocess")),
        is(value, 4),
    ]);
}

/// Like mpif.h; some files also contain implicit none.
#[test]
fn files_and_prefixes_may_contain_declarations_and_implicit_none() {
    let dir = tempfile::tempdir().unwrap();
    let declarations = "integer, parameter :: answer = 42\ninteger shared, others(3)\n\
                        common /block/ shared, others\nexternal elsewhere\n";
    write(dir.path(), "declares.inc", declarations);
    write(dir.path(), "strict.inc", &format!("implicit none\n{declarations}"));
    let mut rows = Vec::new();
    for (file, prefix) in [
        ("declares.inc", ""),
        ("declares.inc", "implicit none\n"),
        ("declares.inc", INTEROPERABLE),
        ("declares.inc", "use iso_c_binding\nimplicit none"),
        ("declares.inc", "use iso_c_binding ! implicit none\n"),
        ("declares.inc", DERIVED),
        ("declares.inc", &format!("implicit none\n{DERIVED}")),
        ("declares.inc", "private\n"),
        ("strict.inc", ""),
        ("strict.inc", INTEROPERABLE),
    ] {
        let ask = |mut check: Value| {
            check["headers"] = json!([file]);
            check["include_dirs"] = json!([dir.path()]);
            check
        };
        rows.extend([
            is(ask(compute("answer", prefix)), 42),
            is(ask(sizeof("character(len=answer)", prefix)), 42),
            yes(ask(type_named("character(len=answer)", prefix))),
            no(ask(compute("not_declared", prefix))),
            no(ask(compute("kind(not_declared)", prefix))),
            no(ask(sizeof("type(not_declared)", prefix))),
            no(ask(type_named("integer(kind(not_declared))", prefix))),
        ]);
    }
    for compiler in BOTH {
        assert_plain_answers(compiler, &rows);
    }
}

#[test]
fn functions_and_libraries() {
    need("ar");
    let dir = tempfile::tempdir().unwrap();
    let text = "subroutine tryall_part()\nend subroutine\n";
    let source = write(dir.path(), "part.f90", text);
    let run = |program: &str, args: &[&str]| {
        let mut command = std::process::Command::new(need(program));
        assert!(command.args(args).current_dir(dir.path()).status().unwrap().success(), "{args:?}");
    };
    run("gfortran", &["-c", source.to_str().unwrap()]);
    run("ar", &["rc", "libpart.a", "part.o"]);
    let archive = dir.path().join("libpart.a");
    let function = |name: &str| json!({"kind": "function", "function": name});
    let library = |library: &str, name: &str| json!({"kind": "library", "library": library, "function": name});
    let found = |mut check: Value| {
        check["link_args"] = json!([format!("-L{}", dir.path().display()), "-lpart"]);
        check
    };
    assert_answers(
        &[GFORTRAN],
        &[
            no(function("tryall_part")),
            yes(found(function("tryall_part"))),
            no(found(function("tryall_other_part"))),
            yes(library(archive.to_str().unwrap(), "tryall_part")),
            no(library(archive.to_str().unwrap(), "tryall_other_part")),
            no(library("m", "tryall_part")),
            yes(json!({"kind": "library", "library": "m"})),
            no(json!({"kind": "library", "library": "tryall_not_there"})),
        ],
    );
}

#[test]
fn flags() {
    let linker_flag = |flag: &str| json!({"kind": "linker_flag", "flags": [flag]});
    assert_answers(
        &[GFORTRAN],
        &[
            yes(flag("-Wall")),
            yes(flag("-Wno-unused")),
            yes(flag("-ffree-line-length-none")),
            yes(flag("-fbacktrace")),
            yes(flag("-std=f2018")).not_neutral(),
            no(flag("-fbogus")),
            no(flag("-Wbogus")),
            no(flag("-Wno-bogus")),
            // A warning option of another language.
            no(flag("-Wstrict-prototypes")),
            yes(linker_flag("-Wl,--as-needed")),
            yes(linker_flag("-Wl,-z,now")),
            no(linker_flag("-Wl,--bogus")),
            no(linker_flag("-Wl,-z,bogus")),
        ],
    );
    assert_plain_answers(
        FLANG,
        &[
            yes(flag("-Werror")),
            yes(flag("-fdefault-real-8")),
            yes(flag("-fopenmp")),
            no(flag("-fbogus")),
            no(flag("-Wbogus")),
            // Accepted, but reported as having no effect.
            no(flag("-ffree-line-length-none")),
        ],
    );
}

#[test]
fn sources_reach_the_stage_of_their_kind() {
    let ask = |kind: &str, source: &str| json!({"kind": kind, "source": source});
    let good = "program tested\nprint '(a)', 'hello'\nend program\n";
    let unresolved = "program tested\nexternal nowhere\ncall nowhere()\nend program\n";
    let unparsable = "program tested\nnot a statement\nend program\n";
    let refused = "#error \"here\"\nend\n";
    let preprocessed = json!({"kind": "compiles", "extension": "F90",
                              "source": "#define TESTED integer\nTESTED :: x\nx = 1\nend\n"});
    let mut unprocessed = preprocessed.clone();
    unprocessed["extension"] = "f90".into();
    let fixed = "C     a comment\n      PROGRAM TESTED\n      INTEGER I\n      DO 10 I = 1, 3\n   10 CONTINUE\n      END\n";
    let both = [
        yes(ask("preprocesses", good)),
        yes(ask("preprocesses", unparsable)),
        no(ask("preprocesses", refused)),
        yes(ask("compiles", good)),
        yes(ask("compiles", unresolved)),
        no(ask("compiles", unparsable)),
        yes(preprocessed),
        yes(json!({"kind": "compiles", "extension": "f", "source": fixed})),
        no(ask("compiles", fixed)),
    ];
    for compiler in BOTH {
        assert_plain_answers(compiler, &both);
    }
    let mut with_prefix = ask("runs", "print '(i0)', included\nend program\n");
    with_prefix["prefix"] = json!("program tested\ninteger, parameter :: included = 3\n");
    assert_answers(
        &[GFORTRAN],
        &[
            yes(ask("compiles", "block\n real :: a\n a = 0.\nend block\nend\n")),
            // Flang preprocesses files with any extension.
            no(unprocessed),
            yes(ask("links", good)),
            no(ask("links", unresolved)),
            is(ask("runs", good), json!({"exit_status": 0, "stdout": "hello\n"})),
            is(with_prefix, json!({"exit_status": 0, "stdout": "3\n"})),
        ],
    );
    let stopped = check_with(
        "fortran",
        &["gfortran"],
        json!([
            {"id": "A", "kind": "runs", "language": "fortran", "source": "stop 3\nend\n"},
        ]),
    );
    assert_eq!(stopped.answer("A"), "no", "{stopped:?}");
    assert_eq!(stopped.result("A")["value"]["exit_status"], 3, "{stopped:?}");
}

/// Compilers write module files into the current directory.
#[test]
fn modules_of_different_checks_do_not_collide() {
    need("gfortran");
    let mut checks = Vec::new();
    for number in 0..24 {
        let source = format!(
            "module same\ninteger, parameter :: number = {number}\nend module\n\
             program tested\nuse same\nprint '(i0)', number\nend program\n"
        );
        checks.push(json!({"id": format!("RUNS{number}"), "kind": "runs", "language": "fortran", "source": source}));
        // Fails if it finds the module of another check.
        let source = format!("use same\nif (number == {number}) print *, number\nend\n");
        checks.push(json!({"id": format!("USES{number}"), "kind": "compiles", "language": "fortran", "source": source}));
        checks.push(json!({"id": format!("COMPUTES{number}"), "kind": "compute_int",
                           "language": "fortran", "expression": number.to_string()}));
    }
    let request = json!({
        "jobs": 8,
        "toolchains": {"fortran": {"command": ["gfortran"]}},
        "checks": checks,
    });
    let dir = tempfile::tempdir().unwrap();
    let (call, stdin) = Call::check(&request);
    let ran = call.dir(dir.path()).run_with(&stdin);
    for number in 0..24 {
        let stdout = ran.result(&format!("RUNS{number}"))["value"]["stdout"].clone();
        assert_eq!(stdout, format!("{number}\n"), "{ran:?}");
        assert_eq!(ran.answer(&format!("USES{number}")), "no", "{ran:?}");
        assert_eq!(ran.result(&format!("COMPUTES{number}"))["value"], number, "{ran:?}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "modules were left behind");
}

/// A library's module is found in the directory that the caller specifies.
#[test]
fn a_module_directory_belongs_to_the_caller() {
    let dir = tempfile::tempdir().unwrap();
    let source = write(dir.path(), "library.f90", "module library\ninteger :: x\nend module\n");
    let mut command = std::process::Command::new(need("gfortran"));
    command.args(["-c", source.to_str().unwrap()]).current_dir(dir.path());
    assert!(command.status().unwrap().success());
    let ask = |args: Value| json!({"kind": "compiles", "source": "use library\nx = 1\nend\n", "args": args});
    let mut listed = ask(json!([]));
    listed["include_dirs"] = json!([dir.path()]);
    assert_plain_answers(
        GFORTRAN,
        &[
            no(ask(json!([]))),
            yes(ask(json!([format!("-I{}", dir.path().display())]))),
            yes(listed),
        ],
    );
}

/// If Flang has no runtime to link with, the result is an error.
#[test]
fn flang_without_its_runtime_answers_no_link_checks() {
    let dir = tempfile::tempdir().unwrap();
    let source = write(dir.path(), "tested.f90", "end\n");
    let mut command = std::process::Command::new(need("flang-new-16"));
    command.arg(source).arg("-o").arg(dir.path().join("tested"));
    let has_runtime = command.output().unwrap().status.success();
    let ran = check_with(
        "fortran",
        FLANG.command,
        json!([
            {"id": "COMPILES", "kind": "compiles", "language": "fortran", "source": "end\n"},
            {"id": "LINKS", "kind": "links", "language": "fortran", "source": "end\n"},
            {"id": "RUNS", "kind": "runs", "language": "fortran", "source": "end\n"},
            {"id": "FUNCTION", "kind": "function", "language": "fortran", "function": "not_there"},
            {"id": "FLAG", "kind": "linker_flag", "language": "fortran", "flags": ["-Wl,--bogus"]},
        ]),
    );
    assert_eq!(ran.answer("COMPILES"), "yes", "{ran:?}");
    for (id, with_runtime) in
        [("LINKS", "yes"), ("RUNS", "yes"), ("FUNCTION", "no"), ("FLAG", "no")]
    {
        let result = ran.result(id);
        if has_runtime {
            assert_eq!(result["status"], with_runtime, "{result}");
            continue;
        }
        assert_eq!(result["status"], "error", "{result}");
        let reason = result["reason"].as_str().unwrap();
        assert!(reason.starts_with("the toolchain cannot link an empty program: "), "{reason}");
        assert!(reason.contains("Fortran_main"), "{reason}");
        assert!(ran.stderr.contains("Fortran_main"), "{}", ran.stderr);
    }
    assert_eq!(ran.code(), if has_runtime { 0 } else { 3 });
}

#[test]
fn kinds_that_fortran_lacks_are_refused() {
    for (kind, fields) in [
        ("member", json!({"type": "type(pair)", "member": "a"})),
        ("symbol", json!({"symbol": "x"})),
        ("alignment", json!({"type": "integer"})),
        ("prototype", json!({"function": "x", "return_type": "integer", "arguments": []})),
        ("endian", json!({})),
    ] {
        let mut checks = json!([
            {"id": "GOOD", "kind": "type", "language": "fortran", "type": "integer"},
            {"id": "BAD", "kind": kind, "language": "fortran"},
        ]);
        for (field, value) in fields.as_object().unwrap() {
            checks[1][field] = value.clone();
        }
        let refusal = check_with("fortran", &["gfortran"], checks).refusal();
        assert_eq!(refusal["path"], "checks[1].kind", "{refusal}");
        let message = refusal["message"].as_str().unwrap();
        assert_eq!(message, format!("kind {kind:?} has no meaning in Fortran"));
    }
}

/// The source form depends on the compiler's arguments, and every kind supports both.
#[test]
fn every_kind_works_in_fixed_form() {
    let long_type = format!("integer, dimension({}1)", "1 * ".repeat(40));
    let long_number = format!("1_8{}", " + 1_8".repeat(50));
    let long_text = format!("len('{}')", "a b".repeat(60));
    let interoperable = "      use iso_c_binding";
    let rows = [
        // Statements begin in column 7, which is valid in both forms.
        yes(json!({"kind": "compiles", "source": "      x=1\n      end\n"})),
        yes(json!({"kind": "links", "source": "      end\n"})),
        yes(json!({"kind": "library", "library": "m", "prefix": interoperable})),
        no(json!({"kind": "function", "function": "tryst"})),
        no(json!({"kind": "header", "header": "tryst.h"})),
        yes(type_named("type(c_ptr)", interoperable)),
        no(type_named("type(tryst)", "")),
        yes(type_named(&long_type, "")),
        is(sizeof("complex(8)", ""), 16),
        is(sizeof(&long_type, ""), 4),
        is(compute("c_int", interoperable), 4),
        is(compute("-huge(1_8)", ""), -i64::MAX),
        is(compute(&long_number, ""), 51),
        is(compute(&long_text, ""), 180),
        yes(flag("-O1")),
    ];
    // Flang 16 has no runtime and cannot link.
    let needs_no_link = |row: &&Row| {
        !["links", "library", "function"].contains(&row.check["kind"].as_str().unwrap())
    };
    let of_flang: Vec<_> = rows.iter().filter(needs_no_link).cloned().collect();
    for (compiler, rows) in [(GFORTRAN, &rows[..]), (FLANG, &of_flang)] {
        for args in [&["-ffixed-form"][..], &["-ffree-form"]] {
            let with_args = |row: &Row| {
                let mut row = row.clone();
                row.check["args"] = json!(args);
                row
            };
            assert_plain_answers(compiler, &rows.iter().map(with_args).collect::<Vec<_>>());
        }
    }
    // Text that fits on one line is not split, whatever the limit is.
    let odd = |args: Value, row: Row| {
        let mut row = row;
        row.check["args"] = args;
        row
    };
    for args in [
        json!(["-ffixed-form", "-ffixed-line-length-132"]),
        json!(["-ffixed-form", "-ffixed-line-length-none"]),
        json!(["-ffree-line-length-72"]),
        json!(["-Wuse-without-only", "-Wall", "-Wextra", "-Werror"]),
    ] {
        assert_plain_answers(
            GFORTRAN,
            &[
                odd(args.clone(), is(sizeof("complex(8)", ""), 16)),
                odd(args.clone(), is(compute("selected_int_kind(18)", ""), 8)),
                odd(args.clone(), is(compute("-huge(1_8)", ""), -i64::MAX)),
                odd(args.clone(), yes(type_named("integer(8)", ""))),
            ],
        );
    }
    assert_plain_answers(GFORTRAN, &[odd(json!(["-std=f95"]), is(compute("1+2", ""), 3))]);
    // The toolchain probe uses the same form.
    let ran = check(&json!({
        "toolchains": {"fortran": {"command": ["gfortran", "-ffixed-form", "-Wall", "-Werror"]}},
        "checks": [{"id": "ID", "language": "fortran", "kind": "sizeof", "type": "real(8)"}],
    }));
    assert_eq!(ran.result("ID")["value"], 8, "{ran:?}");
}
