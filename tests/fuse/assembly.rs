//! Sources that come to the same assembly, which is assembled once.

use super::*;

const ALIKE: usize = 12;

/// Headers of a directory, all of which must compile.
fn headers(dir: &Path, texts: &[&str]) -> Value {
    let header = |(n, text): (usize, &&str)| {
        write(dir, &format!("h{n}.h"), text);
        json!({"id": n.to_string(), "kind": "header", "header": format!("h{n}.h"), "args": ["-I", dir]})
    };
    texts.iter().enumerate().map(header).collect()
}

fn processes(compiler: &str, checks: &Value) -> u64 {
    let toolchain = json!({"command": [need(compiler)]});
    let (call, stdin) = Call::check(&json!({"toolchains": {"c": toolchain}, "checks": checks}));
    call.arg("-j2").run_with(&stdin).json()["summary"]["processes"].as_u64().unwrap()
}

#[test]
fn one_text_is_assembled_for_all() {
    let dir = tempfile::tempdir().unwrap();
    let checks = headers(dir.path(), &["struct s { int x; };\n"; ALIKE]);
    // One tries the toolchain, two compile, and one assembles for both.
    assert_eq!(processes("gcc", &checks), 4);
    assert_eq!(processes("clang", &checks), 3, "Clang assembles by itself");
    let mut optimized = checks;
    for check in optimized.as_array_mut().unwrap() {
        check["args"].as_array_mut().unwrap().push(json!("-g"));
    }
    assert_eq!(processes("gcc", &optimized), 3, "the assembler is told more with -g");
}

#[test]
fn an_assembler_has_its_say() {
    let mut texts = vec!["struct s { int x; };\n"; ALIKE];
    texts.extend([
        "__asm__(\".no_such_directive\");\n",
        "__asm__(\".error \\\"no\\\"\");\n",
        "__asm__(\".warning \\\"careful\\\"\");\n",
        "__asm__(\".file \\\"confte00.c\\\"\");\n",
        "int data = 1;\n",
        "int data = 2;\n",
        "static int unused;\n",
        "#error no\n",
        "#include <no/such.h>\n",
        "const char *name = __FILE__;\n",
    ]);
    for (language, compiler) in COMPILERS {
        let dir = tempfile::tempdir().unwrap();
        let results = same_with(language, compiler, headers(dir.path(), &texts));
        let expected = ["no", "no", "yes", "yes", "yes", "yes", "yes", "no", "no", "yes"];
        for (n, expected) in expected.iter().enumerate() {
            let result = &results[&(ALIKE + n).to_string()];
            assert_eq!(result["status"], *expected, "{compiler}: {}", texts[ALIKE + n]);
        }
        assert_eq!(results["0"]["how"], "fused", "{compiler}");
    }
}

#[test]
fn answers_are_told_as_those_of_the_single_command() {
    let dir = tempfile::tempdir().unwrap();
    let mut texts = vec!["#warning careful\n"; ALIKE];
    texts.extend(["#error no\n", "int main(int);\n"]);
    let checks = headers(dir.path(), &texts);
    let request = json!({"toolchains": {"c": {"command": [need("gcc")]}}, "checks": checks});
    let results = same(&request);
    assert_eq!(fused(&results), texts.len(), "{results:#?}");
    let alone = check_apart(&request);
    for (id, result) in &results {
        for field in ["output", "command", "source", "exit_code", "reason"] {
            assert_eq!(result[field], alone.result(id)[field], "{field} of {id}");
        }
    }
}
