//! Cross compilers: compiled checks have answers; programs need an emulator.

use crate::support::*;
use crate::table::*;
use serde_json::{Value, json};

const ARM: Compiler = Compiler { command: &["aarch64-linux-gnu-gcc"], language: "c" };
const WINDOWS: Compiler = Compiler { command: &["x86_64-w64-mingw32-gcc"], language: "c" };
const ARM_CLANG: Compiler =
    Compiler { command: &["clang", "--target=aarch64-linux-gnu"], language: "c" };

fn sizeof(name: &str) -> Value {
    json!({"kind": "sizeof", "type": name})
}

fn alignment(name: &str) -> Value {
    json!({"kind": "alignment", "type": name})
}

fn compute(expression: &str) -> Value {
    json!({"kind": "compute_int", "expression": expression})
}

#[test]
fn values_are_those_of_the_target() {
    // These differ from x86-64, or come from the other system's headers.
    let rows = [
        is(compute("(char)-1"), 255),
        is(compute("-7"), -7),
        is(sizeof("long double"), 16),
        is(compute("__LDBL_MANT_DIG__"), 113),
        is(alignment("long double"), 16),
        is(sizeof("char[4097]"), 4097),
        is(json!({"kind": "define", "name": "__aarch64__"}), "1"),
        no(json!({"kind": "define", "name": "__x86_64__"})),
        is(json!({"kind": "endian"}), "little"),
        yes(json!({"kind": "compiler_flag", "flags": ["-mgeneral-regs-only"]})).not_neutral(),
        no(json!({"kind": "compiler_flag", "flags": ["-mno-red-zone"]})),
    ];
    assert_answers(&[ARM], &rows);
    assert_plain_answers(ARM_CLANG, &rows[..9]);
    assert_answers(
        &[ARM],
        &[
            yes(json!({"kind": "function", "function": "fork"})),
            yes(json!({"kind": "header", "header": "sys/epoll.h"})),
            is(json!({"kind": "sizeof", "type": "struct stat", "headers": ["sys/stat.h"]}), 128),
        ],
    );
    let mut big = json!({"kind": "endian"});
    big["args"] = json!(["-mbig-endian"]);
    assert_plain_answers(ARM, &[is(big.clone(), "big"), is(sizeof("long"), 8)]);
    let mut negative = compute("-2");
    negative["args"] = json!(["-mbig-endian"]);
    assert_plain_answers(ARM, &[is(negative.clone(), -2)]);
    assert_plain_answers(ARM_CLANG, &[is(big, "big"), is(negative, -2)]);
}

/// Only a compiler: no linker, no library, and an object file without a readable value.
#[test]
fn values_are_found_without_a_linker() {
    let alone: Compiler =
        Compiler { command: &["clang", "--target=aarch64-none-elf"], language: "c" };
    let rows = [
        is(sizeof("long double"), 16),
        is(sizeof("char[3]"), 3),
        is(sizeof("char[1 << 20]"), 1 << 20),
        is(compute("0"), 0),
        no(sizeof("struct tested")),
    ];
    assert_plain_answers(alone, &rows);
    let hidden: Vec<_> = rows
        .into_iter()
        .map(|mut row| {
            row.check["args"] = json!(["-flto"]);
            row
        })
        .collect();
    assert_plain_answers(alone, &hidden);
    // A value that can be neither read nor bisected is an error, not a wrong value.
    let ran = check_with(
        "c",
        alone.command,
        json!([
            {"id": "NEGATIVE", "kind": "compute_int", "expression": "-5", "args": ["-flto"]},
            {"id": "LARGE", "kind": "compute_int", "expression": "~0ull", "args": ["-flto"]},
            {"id": "ENDIAN", "kind": "endian", "args": ["-flto"]},
        ]),
    );
    for (id, value) in
        [("NEGATIVE", json!(-5)), ("LARGE", json!(u64::MAX)), ("ENDIAN", json!("little"))]
    {
        let result = ran.result(id);
        assert!(result["status"] == "error" || result["value"] == value, "{result}");
    }
}

const HELLO: &str = "#include <stdio.h>\n\
                     int main(int argc, char **argv) { (void)argv; printf(\"%d\", argc); return 0; }\n";

/// Whether the system itself can run the other machine's programs.
fn is_registered(emulator: &str) -> bool {
    std::path::Path::new("/proc/sys/fs/binfmt_misc").join(emulator).exists()
}

#[test]
fn foreign_programs_run_only_in_an_emulator() {
    need("qemu-aarch64");
    need(ARM.command[0]);
    let failing = "int main(void) { return 3; }\n";
    let aborting = "#include <stdlib.h>\nint main(void) { abort(); }\n";
    let toolchain =
        |emulator: Value| json!({"language": "c", "command": ARM.command, "emulator": emulator});
    let ran = check(&json!({
        "toolchains": {
            "with": toolchain(json!(["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"])),
            "without": toolchain(json!([])),
            "missing": toolchain(json!(["qemu-of-tryall"])),
            "here": {"language": "c", "command": ["gcc"], "emulator": ["env"]},
        },
        "checks": [
            {"id": "WITH", "toolchain": "with", "kind": "runs", "source": HELLO, "run_args": ["a", "b"]},
            {"id": "FAILS", "toolchain": "with", "kind": "runs", "source": failing},
            {"id": "ABORTS", "toolchain": "with", "kind": "runs", "source": aborting},
            {"id": "WITHOUT", "toolchain": "without", "kind": "runs", "source": HELLO},
            {"id": "LINKS", "toolchain": "without", "kind": "links", "source": HELLO},
            {"id": "MISSING", "toolchain": "missing", "kind": "runs", "source": HELLO},
            {"id": "MISSING_LINKS", "toolchain": "missing", "kind": "links", "source": HELLO},
            {"id": "UNCOMPILED", "toolchain": "without", "kind": "runs", "source": "no program\n"},
            {"id": "HERE", "toolchain": "here", "kind": "runs", "source": HELLO},
        ],
    }));
    assert_eq!(ran.result("WITH")["value"], json!({"exit_status": 0, "stdout": "3"}), "{ran:?}");
    assert_eq!(ran.result("FAILS")["value"]["exit_status"], 3, "{ran:?}");
    if is_registered("qemu-aarch64") {
        assert_ne!(ran.answer("WITHOUT"), "no", "{ran:?}");
    } else {
        assert_eq!(ran.answer("WITHOUT"), "error", "{ran:?}");
        let reason = ran.result("WITHOUT")["reason"].to_string();
        assert!(reason.contains("for another machine") && reason.contains("emulator"), "{reason}");
    }
    let reason = ran.result("MISSING")["reason"].to_string();
    assert!(reason.contains("qemu-of-tryall is not on PATH"), "{reason}");
    for (id, expected) in [
        ("WITH", "yes"),
        ("FAILS", "no"),
        ("ABORTS", "no"),
        ("LINKS", "yes"),
        ("MISSING", "error"),
        ("MISSING_LINKS", "yes"),
        ("UNCOMPILED", "no"),
        ("HERE", "yes"),
    ] {
        assert_eq!(ran.answer(id), expected, "{id}: {ran:?}");
    }
    assert_eq!(ran.code(), 3);
}

#[test]
fn windows() {
    let function = |function: &str, headers: &[&str]| json!({"kind": "function", "function": function, "headers": headers});
    let header = |header: &str| json!({"kind": "header", "header": header});
    let symbol =
        |symbol: &str| json!({"kind": "symbol", "symbol": symbol, "headers": ["windows.h"]});
    // Checks with windows.h run once, because it is large and the variants are GCC's everywhere.
    assert_answers(
        &[WINDOWS],
        &[
            is(sizeof("long"), 4),
            is(sizeof("void *"), 8),
            is(alignment("double"), 8),
            is(compute("-7"), -7),
            is(json!({"kind": "endian"}), "little"),
            is(json!({"kind": "define", "name": "_WIN64"}), "1"),
            is(json!({"kind": "sizeof", "type": "wchar_t", "headers": ["stddef.h"]}), 2),
            yes(header("windows.h")).not_neutral(),
            yes(header("unistd.h")),
            no(header("sys/epoll.h")),
            no(function("fork", &[])),
            yes(function("printf", &[])),
            yes(function("printf", &["stdio.h"])),
            yes(function("CreateFileA", &["windows.h"])).not_neutral(),
            no(function("CreateFileOfTryall", &["windows.h"])).not_neutral(),
            yes(symbol("CreateFileA")).not_neutral(),
            yes(symbol("INVALID_HANDLE_VALUE")).not_neutral(),
            yes(json!({"kind": "type", "type": "HANDLE", "headers": ["windows.h"]})).not_neutral(),
            yes(json!({"kind": "library", "library": "ws2_32", "function": "WSAStartup"})),
            no(json!({"kind": "library", "library": "ws3_33", "function": "WSAStartup"})),
            yes(json!({"kind": "links", "source": HELLO})),
        ],
    );
    let ran = check_with(
        "c",
        WINDOWS.command,
        json!([
            {"id": "RUNS", "kind": "runs", "source": HELLO},
            {"id": "LINKS", "kind": "links", "source": HELLO},
        ]),
    );
    assert_eq!(ran.answer("LINKS"), "yes", "{ran:?}");
    if !is_registered("wine") {
        assert_eq!(ran.answer("RUNS"), "error", "{ran:?}");
        assert!(ran.result("RUNS")["reason"].to_string().contains("emulator"), "{ran:?}");
    }
}
