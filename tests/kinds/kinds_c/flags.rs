//! Flags of compilers and linkers.

use crate::support::*;
use crate::table::*;
use serde_json::{Value, json};

fn flag(flags: &[&str]) -> Value {
    json!({"kind": "compiler_flag", "flags": flags})
}

fn linker_flag(flags: &[&str]) -> Value {
    json!({"kind": "linker_flag", "flags": flags})
}

#[test]
fn flags_of_compilers() {
    assert_answers(
        C_AND_CXX,
        &[
            yes(flag(&["-Wall"])),
            yes(flag(&["-Wextra", "-Wshadow"])),
            yes(flag(&["-O2"])),
            yes(flag(&["-fPIC"])),
            yes(flag(&["-DTRYALL=1"])),
            yes(flag(&["-Werror=return-type"])),
            yes(flag(&["-fvisibility=hidden"])),
            yes(flag(&["-march=native"])),
            yes(flag(&["-Wno-unused"])),
            yes(flag(&["-Wno-error=unused"])),
            yes(flag(&["-Wframe-larger-than=1000"])),
            yes(flag(&["-Wno-frame-larger-than"])),
            yes(flag(&["-Wno-vla-larger-than"])).not_neutral(),
            no(flag(&["-Wbogus"])),
            // GCC accepts any -Wno- flag unless the positive form is tested.
            no(flag(&["-Wno-bogus"])),
            no(flag(&["-Werror=bogus"])),
            no(flag(&["-fbogus"])),
            no(flag(&["-mbogus"])),
            no(flag(&["--bogus"])),
            no(flag(&["-std=bogus"])),
            no(flag(&["-O2", "-fbogus"])),
            no(flag(&["-Wno-unused", "-Wno-bogus"])),
        ]
        .into_iter()
        // Clang 14 does not know this one.
        .filter(|row| row.check["flags"][0] != "-Wno-vla-larger-than")
        .collect::<Vec<_>>(),
    );
    assert_answers(
        C,
        &[yes(flag(&["-std=c11"])).not_neutral(), yes(flag(&["-Wstrict-prototypes"]))],
    );
    assert_answers(
        CXX,
        &[yes(flag(&["-std=c++11"])).not_neutral(), yes(flag(&["-Woverloaded-virtual"]))],
    );
    // GCC warns about a flag of the other language.
    assert_answers(&[GCC], &[no(flag(&["-Woverloaded-virtual"])), no(flag(&["-fno-rtti"]))]);
    assert_answers(&[GXX], &[no(flag(&["-Wstrict-prototypes"])), no(flag(&["-std=c11"]))]);
    assert_answers(&[CLANGXX], &[no(flag(&["-std=c11"]))]);
    assert_answers(
        &[GCC, GXX],
        &[yes(flag(&["-Wno-vla-larger-than"])), yes(flag(&["-Wlogical-op"]))],
    );
    assert_answers(
        &[CLANG, CLANGXX],
        &[no(flag(&["-Wno-vla-larger-than"])), no(flag(&["-Wlogical-op"]))],
    );
    assert_answers(&[CLANG, CLANGXX], &[yes(flag(&["-Weverything"])).not_neutral()]);
}

#[test]
fn flags_of_linkers() {
    assert_answers(
        C_AND_CXX,
        &[
            yes(linker_flag(&["-Wl,--as-needed"])),
            yes(linker_flag(&["-Wl,-z,now"])),
            yes(linker_flag(&["-Wl,-z,relro", "-Wl,-O1"])),
            yes(linker_flag(&["-static-libgcc"])),
            yes(linker_flag(&["-Wl,--no-undefined"])),
            no(linker_flag(&["-Wl,--bogus"])),
            no(linker_flag(&["-Wl,-z,bogus"])),
            no(linker_flag(&["-Wl,--as-needed", "-Wl,--bogus"])),
            no(linker_flag(&["-fuse-ld=bogus"])),
            no(linker_flag(&["-Wl,--version-script=/not/there.map"])),
        ],
    );
}

/// A toolchain whose own arguments cause the same warnings as unknown flags.
#[test]
fn warnings_about_toolchain_flags_do_not_affect_the_tested_flag() {
    for (command, own, complaint) in [
        ("clang", vec!["-Wl,--as-needed"], "-Wunused-command-line-argument"),
        ("clang", vec!["-Wbogus"], "unknown warning option"),
        ("gcc", vec!["-fno-rtti"], "is valid for C++"),
    ] {
        let ran = check(&json!({
            "toolchains": {"c": {"command": [need(command)], "args": own}},
            "checks": [
                {"id": "PLAIN", "kind": "compiles", "source": "int x;\n"},
                {"id": "YES", "kind": "compiler_flag", "flags": ["-Wall"]},
                {"id": "YES_TOO", "kind": "compiler_flag", "flags": ["-Wno-unused"]},
                {"id": "NO", "kind": "compiler_flag", "flags": ["-Wno-other-bogus"]},
                {"id": "NO_TOO", "kind": "compiler_flag", "flags": ["-fbogus"]},
                {"id": "LINKER", "kind": "linker_flag", "flags": ["-Wl,-z,now"]},
                {"id": "LINKER_NO", "kind": "linker_flag", "flags": ["-Wl,-z,bogus"]},
            ],
        }));
        let heard = ran.result("PLAIN")["output"].to_string();
        assert!(heard.contains(complaint), "{command} does not complain of {own:?}: {heard}");
        for (id, expected) in [
            ("YES", "yes"),
            ("YES_TOO", "yes"),
            ("NO", "no"),
            ("NO_TOO", "no"),
            ("LINKER", "yes"),
            ("LINKER_NO", "no"),
        ] {
            assert_eq!(ran.answer(id), expected, "{command} {own:?} {id}: {ran:?}");
        }
    }
}

/// The same for arguments of the check.
#[test]
fn an_unused_flag_is_a_no() {
    let clang = check_with(
        "c",
        &[&need("clang")],
        json!([
            {"id": "UNUSED", "kind": "compiler_flag", "flags": ["-Wl,--as-needed"]},
            {"id": "USED", "kind": "linker_flag", "flags": ["-Wl,--as-needed"]},
            {"id": "PTHREAD", "kind": "compiler_flag", "flags": ["-pthread"]},
        ]),
    );
    assert_eq!(clang.answer("UNUSED"), "no");
    assert_eq!(clang.answer("USED"), "yes");
    assert_eq!(clang.answer("PTHREAD"), "yes");
    let reason = clang.result("UNUSED")["reason"].to_string();
    assert!(reason.contains("unknown or unused"), "{reason}");
}
