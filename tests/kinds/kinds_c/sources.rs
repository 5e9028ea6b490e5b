//! The caller's own sources: preprocessed, compiled, linked and run.

use crate::support::*;
use crate::table::*;
use serde_json::{Value, json};

fn ask(kind: &str, source: &str) -> Value {
    json!({"kind": kind, "source": source})
}

/// The result of a source's program.
fn ran(exit_status: i32, stdout: &str) -> Value {
    json!({"exit_status": exit_status, "stdout": stdout})
}

#[test]
fn each_kind_reaches_its_stage() {
    let refused = "#error \"here\"\n";
    let unparsable = "int x = ;\n";
    let unresolved = "int tested(void); int main(void) { return tested(); }\n";
    let failing = "int main(void) { return 3; }\n";
    let good = "int main(void) { return 0; }\n";
    // The column of the first no for each source.
    let sources = [(refused, 0), (unparsable, 1), (unresolved, 2), (failing, 3), (good, 4)];
    let mut rows = Vec::new();
    for (stage, kind) in ["preprocesses", "compiles", "links", "runs"].into_iter().enumerate() {
        for (source, fails_at) in sources {
            let check = ask(kind, source);
            match (stage < fails_at, kind) {
                (true, "runs") => rows.push(is(check, ran(0, ""))),
                (true, _) => rows.push(yes(check)),
                // A program that ran has an exit status.
                (false, _) if source == failing => {}
                (false, _) => rows.push(no(check)),
            }
        }
    }
    assert_answers(C_AND_CXX, &rows);
    for compiler in C_AND_CXX {
        let checks =
            json!([{"id": "A", "kind": "runs", "source": failing, "language": compiler.language}]);
        let result = check_with(compiler.language, compiler.command, checks).result("A");
        assert_eq!(result["status"], "no", "{result}");
        assert_eq!(result["exit_code"], 3, "{result}");
        assert_eq!(result["value"], ran(3, ""), "{result}");
    }
}

#[test]
fn headers_and_prefix_precede_the_source() {
    let mut check = ask("runs", "int main(void) { printf(\"%d\\n\", TESTED); return 0; }");
    check["headers"] = json!(["stdio.h"]);
    check["prefix"] = json!("#define TESTED 7");
    let without = ask("compiles", "int main(void) { return TESTED; }");
    let mut with_header = ask("links", "int main(void) { puts(\"\"); return EOF; }");
    with_header["headers"] = json!(["stdio.h"]);
    let mut missing = with_header.clone();
    missing["headers"] = json!(["stdio.h", "not_there.h"]);
    assert_answers(
        C_AND_CXX,
        &[is(check, ran(0, "7\n")), no(without), yes(with_header), no(missing)],
    );
}

#[test]
fn a_program_gets_its_arguments_and_its_output_is_captured() {
    let source = "#include <stdio.h>\n\
                  int main(int argc, char **argv)\n\
                  {\n\
                    int i;\n\
                    for (i = 1; i < argc; i++) printf(\"<%s>\", argv[i]);\n\
                    fprintf(stderr, \"an aside\\n\");\n\
                    return 0;\n\
                  }\n";
    let mut check = ask("runs", source);
    check["run_args"] = json!(["one", "two words", "", "$HOME", "caf\u{e9}"]);
    let heard = is(check.clone(), ran(0, "<one><two words><><$HOME><caf\u{e9}>"));
    check["fail_patterns"] = json!(["an asi.e"]);
    let mut other = check.clone();
    other["fail_patterns"] = json!(["an asteroid"]);
    assert_answers(C_AND_CXX, &[heard, yes(other)]);
    let mut told = check.clone();
    told["id"] = "A".into();
    let result = check_with("c", &["gcc"], json!([told])).result("A");
    assert_eq!(result["status"], "no", "{result}");
    assert!(result["reason"].as_str().unwrap().contains("fail pattern"), "{result}");
}

#[test]
fn patterns_turn_a_success_into_a_no() {
    let mut warned = ask("compiles", "int tested(void) { int unused; return 0; }\n");
    warned["args"] = json!(["-Wunused-variable"]);
    warned["fail_patterns"] = json!(["unused variable .unused."]);
    let mut other = warned.clone();
    other["fail_patterns"] = json!(["used variable .other."]);
    assert_answers(C_AND_CXX, &[no(warned), yes(other).not_neutral()]);
}

#[test]
fn a_file_can_include_its_neighbours() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("sub")).unwrap();
    write(&dir.path().join("sub"), "part.h", "#define PART 5\n");
    let text = "#include \"part.h\"\n#include <stdio.h>\n\
                int main(void) { printf(\"%d\", PART); return 0; }\n";
    for compiler in C_AND_CXX {
        let name = if compiler.language == "c" { "sub/tested.c" } else { "sub/tested.cpp" };
        let file = write(dir.path(), name, text);
        let absolute = json!({"kind": "runs", "file": file});
        assert_answers(&[*compiler], &[is(absolute, ran(0, "5"))]);

        // It is found relative to the request.
        let request = json!({
            "toolchains": {"t": {"language": compiler.language, "command": compiler.command}},
            "checks": [
                {"id": "A", "toolchain": "t", "kind": "runs", "file": name},
                {"id": "B", "toolchain": "t", "kind": "preprocesses", "file": name},
            ],
        });
        let request = write(dir.path(), "batch.json", &request.to_string());
        let ran = Call::new(["check".as_ref(), request.as_os_str()]).run();
        assert_eq!(ran.result("A")["value"]["stdout"], "5", "{ran:?}");
        assert_eq!(ran.answer("B"), "yes", "{ran:?}");
    }
}

#[test]
fn an_extension_selects_the_language() {
    let cxx = "template <class T> struct tested { T x; };\n";
    let with = |extension: &str, source: &str| json!({"kind": "compiles", "extension": extension, "source": source});
    let assembler = "\t.globl tested\ntested:\n\tret\n";
    assert_plain_answers(
        GCC,
        &[yes(with("cpp", cxx)), no(with("c", cxx)), no(ask("compiles", cxx))],
    );
    assert_plain_answers(CLANG, &[yes(with("cpp", cxx)), no(with("c", cxx))]);
    for compiler in [GCC, CLANG] {
        assert_plain_answers(compiler, &[yes(with("s", assembler)), no(with("c", assembler))]);
        // A capital letter enables the preprocessor.
        let capital = format!("#define RETURN ret\n{}", assembler.replace("ret", "RETURN"));
        assert_plain_answers(compiler, &[yes(with("S", &capital)), no(with("s", &capital))]);
    }
}
