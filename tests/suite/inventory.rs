//! Object files that are known to link, because the linker has found all their symbols before; and
//! object files that only look as if they were known to link.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::*;

/// Five links, after which the command's libraries are known.
const FIRST: [&str; 5] = [
    "int main(void) { return 0; }",
    "int main(void) { return 1; }",
    "int main(void) { return 2; }",
    "int main(void) { return 3; }",
    "char getpid(void); int main(void) { return getpid(); }",
];

fn request(compiler: &str, flags: &[&str], links: Option<&Path>, sources: &[&str]) -> Value {
    need(compiler);
    let compile = [&[compiler], flags, &["-w", "-o", "{object}", "-c", "{source}"]].concat();
    let link = [&[compiler], flags, &["{object}", "-o", "{program}"]].concat();
    let checks = sources
        .iter()
        .enumerate()
        .map(|(n, source)| json!({"id": format!("c{n}"), "kind": "links", "source": source}));
    let mut request = json!({
        "jobs": 1,
        "toolchains": {"c": {"compile": compile, "link": link}},
        "checks": checks.collect::<Vec<_>>(),
    });
    if let Some(links) = links {
        request["known_links"] = json!(links);
    }
    request
}

/// Runs checks with and without known links, asserts that nothing differs, and returns the sources
/// whose link was known.
fn known(compiler: &str, flags: &[&str], sources: &[&str]) -> Vec<bool> {
    let dir = tempfile::tempdir().unwrap();
    let all = [&FIRST, sources].concat();
    let with = check(&request(compiler, flags, Some(&dir.path().join("links")), &all));
    let without = check(&request(compiler, flags, None, &all));
    let mut known = Vec::new();
    for (n, source) in all.iter().enumerate() {
        let id = format!("c{n}");
        let [with, without] = [&with, &without].map(|ran| ran.result(&id));
        for field in ["status", "output", "exit_code", "command", "reason"] {
            assert_eq!(with[field], without[field], "{field} of {source}");
        }
        known.push(with["steps"][1]["known"] == true);
    }
    assert_eq!(known[..5], [false, false, false, false, true], "{with:?}");
    known.split_off(5)
}

fn calls(name: &str) -> String {
    format!("char {name}(void);\nint main(void) {{ return {name}(); }}")
}

const COMPILERS: [&str; 2] = ["gcc", "clang"];

#[test]
fn objects_that_use_known_names_are_known_to_link() {
    let called = ["fork", "malloc", "strchr", "pthread_create", "dlopen"].map(calls);
    let addressed = "#include <unistd.h>\n\
                     int main(int argc, char **argv) { return ((int *)(&fork))[argc]; }";
    let sizes = "char size[] = {'4', '2'}; static int of[2];\n\
                 int main(int argc, char **argv) { return size[argc] + of[argc]; }";
    let mut sources: Vec<_> = called.iter().map(String::as_str).collect();
    sources.extend([addressed, sizes]);
    for compiler in COMPILERS {
        for flags in [&[][..], &["-O2", "-g"], &["-ffunction-sections", "-Wl,--gc-sections"]] {
            let known = known(compiler, flags, &sources);
            assert!(known.iter().all(|known| *known), "{compiler} {flags:?}: {known:?}");
        }
    }
}

#[test]
fn objects_that_could_cause_linker_warnings_are_linked() {
    let called = [
        // The linker warns about it.
        "gets",
        // From a static library.
        "atexit",
        "pthread_atfork",
        // Not functions.
        "environ",
        "stdout",
        "errno",
        // Of another library, of an older version only, and of none.
        "sin",
        "sys_errlist",
        "nowhere",
        // Defined by the linker itself or by the startup files.
        "_end",
        "_start",
        "main2",
    ]
    .map(calls);
    let texts = [
        // Symbols that every program or the library defines.
        "int _start; int main(void) { return 0; }",
        "int environ; int main(void) { return 0; }",
        "int write; int main(void) { return 0; }",
        "int stat(void) { return 0; } int main(void) { return stat(); }",
        // Not a program.
        "int not_main(void) { return 0; }",
        "static int main(void) { return 0; }",
        // A thread-local variable.
        "extern __thread int errno; int main(void) { return errno; }",
        "__thread int mine; int main(void) { return mine; }",
        // Special sections, relocations and symbols.
        "__asm__(\".section .init_array,\\\"aw\\\"\\n.quad nowhere\\n.text\"); int main(void) { return 0; }",
        "__asm__(\".section .gnu.warning.fork,\\\"\\\"\\n.string \\\"do not\\\"\\n.text\"); int fork(void); int main(void) { return fork(); }",
        "__asm__(\".section .note.GNU-stack,\\\"x\\\",@progbits\\n.text\"); int main(void) { return 0; }",
        "__asm__(\".symver mine, fork@GLIBC_9\"); int mine(void); int main(void) { return mine(); }",
        "__asm__(\".quad fork\"); int main(void) { return 0; }",
        "__asm__(\".quad main + 0x7fffffffff\"); int main(void) { return 0; }",
        "__asm__(\".long main\"); int main(void) { return 0; }",
        "__asm__(\".section .eh_frame,\\\"a\\\",@progbits\\n.byte 1\\n.text\"); int main(void) { return 0; }",
        "__asm__(\".section .note.gnu.property,\\\"a\\\",@note\\n.long 1,2,3\\n.text\"); int main(void) { return 0; }",
        "int mine(void) __attribute__((weak)); int main(void) { return mine ? mine() : 0; }",
        "int mine(void) __attribute__((visibility(\"hidden\"))); int main(void) { return mine(); }",
        "static int f(void) { return 0; } static void *pick(void) { return f; }\n\
         int mine(void) __attribute__((ifunc(\"pick\"))); int main(void) { return mine(); }",
        "int common[1 << 28]; int main(void) { return common[3]; }",
        "char large[0x90000000]; char more[9]; int main(int n, char **v) { return more[n] + large[n]; }",
        "int odd __attribute__((aligned(65536))); int main(void) { return odd; }",
        "int odd __attribute__((section(\"of_mine\"))) = 3; int main(void) { return odd; }",
    ];
    let mut sources: Vec<_> = called.iter().map(String::as_str).collect();
    sources.extend(texts);
    for compiler in COMPILERS {
        let known = known(compiler, &[], &sources);
        for (source, known) in std::iter::zip(&sources, known) {
            assert!(!known, "{compiler}: {source}");
        }
    }
}

#[test]
fn with_lto_or_other_code_no_link_is_known() {
    for flags in [["-flto"], ["-m32"], ["-static"], ["-fsanitize=address"]] {
        let dir = tempfile::tempdir().unwrap();
        let source = calls("fork");
        let all = [&FIRST[..], &[&source]].concat();
        let ran = check(&request("gcc", &flags, Some(dir.path()), &all));
        let steps = ran.result("c3")["steps"].clone();
        assert_eq!(steps[1]["known"], Value::Null, "{flags:?}: {steps}");
    }
}

#[test]
fn a_warning_option_does_not_change_the_link() {
    let dir = tempfile::tempdir().unwrap();
    let ask = |flag: &str| {
        let ran = check(&request("gcc", &[flag], Some(dir.path()), &FIRST[..1]));
        ran.result("c0")["steps"][1]["known"] == true
    };
    assert!(!ask("-Wall"));
    assert!(ask("-Wshadow"));
    assert!(!ask("-Wl,--as-needed"));
    assert!(!ask("-O2"));
    let mut request = request("gcc", &["-Wshadow"], Some(dir.path()), &FIRST[..1]);
    request["toolchains"]["c"]["compile"][1] = json!("-Wall");
    // The result of this link is unknown.
    assert_eq!(check(&request).result("c0")["steps"][1]["known"], Value::Null);
}

#[test]
fn the_environment_changes_the_link_but_the_language_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let ask = |name: &str, value: &str| {
        let mut request = request("gcc", &[], Some(dir.path()), &FIRST[..1]);
        request["toolchains"]["c"]["env"] = json!({name: value});
        check(&request).result("c0")["steps"][1]["known"] == true
    };
    assert!(!ask("LC_ALL", "C"));
    assert!(ask("LANG", "C.UTF-8"));
    assert!(!ask("LIBRARY_PATH", "/nowhere"));
}

#[test]
fn a_data_only_product_is_the_object_file_of_a_known_link() {
    let dir = tempfile::tempdir().unwrap();
    let source =
        "char text[] = \"INFO:size[00042]\"; int main(int n, char **v) { return text[n]; }";
    let all = [&FIRST[..], &[source, source]].concat();
    for (flags, is_program) in [(&[][..], false), (&["-flto"], true)] {
        let mut request = request("gcc", flags, Some(&dir.path().join("links")), &all);
        for (n, is_data) in [(5, true), (6, false)] {
            request["checks"][n]["product"] = json!(dir.path().join(n.to_string()));
            if is_data {
                request["checks"][n]["product_is_data"] = json!(true);
            }
        }
        let ran = check(&request);
        assert_eq!(ran.code(), 0, "{ran:?}");
        for (n, is_program) in [("5", is_program), ("6", true)] {
            let product = std::fs::read(dir.path().join(n)).unwrap();
            assert!(product.windows(16).any(|part| part == b"INFO:size[00042]"), "{flags:?}");
            let kind = product[16];
            // ET_REL is 1.
            assert_eq!(kind != 1, is_program, "{flags:?} {n}");
        }
    }
}

#[test]
fn an_incomplete_inventory_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let source = calls("fork");
    let all = [&FIRST[..], &[&source]].concat();
    assert_eq!(check(&request("gcc", &[], Some(dir.path()), &all)).code(), 0);
    let files = || std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
    let inventory = files().find(|path| path.to_string_lossy().ends_with("-inventory")).unwrap();
    let whole = std::fs::read(&inventory).unwrap();
    let other = calls("vfork");
    for cut in [0, 10, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&inventory, &whole[..cut]).unwrap();
        let ran = check(&request("gcc", &[], Some(dir.path()), &[&other]));
        assert_eq!(ran.answer("c0"), "yes");
        // It was recorded again.
        assert!(std::fs::read(&inventory).unwrap() == whole, "{cut}");
    }
}
