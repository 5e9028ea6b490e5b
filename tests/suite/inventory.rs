//! Object files that are known to link, because the linker has found all their symbols before; and
//! object files that only look as if they were known to link.

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

fn request(compiler: &str, flags: &[&str], sources: &[&str]) -> Value {
    need(compiler);
    let compile = [&[compiler], flags, &["-w", "-o", "{object}", "-c", "{source}"]].concat();
    let link = [&[compiler], flags, &["{object}", "-o", "{program}"]].concat();
    let checks = sources
        .iter()
        .enumerate()
        .map(|(n, source)| json!({"id": format!("c{n}"), "kind": "links", "source": source}));
    json!({
        "jobs": 1,
        "toolchains": {"c": {"compile": compile, "link": link}},
        "checks": checks.collect::<Vec<_>>(),
    })
}

/// Runs checks with and without known links, asserts that nothing differs, and returns the sources
/// whose link was known.
fn known(compiler: &str, flags: &[&str], sources: &[&str]) -> Vec<bool> {
    let all = [&FIRST, sources].concat();
    let with = check(&request(compiler, flags, &all));
    let without = check_apart(&request(compiler, flags, &all));
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
        let source = calls("fork");
        let all = [&FIRST[..], &[&source]].concat();
        let ran = check(&request("gcc", &flags, &all));
        let steps = ran.result("c3")["steps"].clone();
        assert_eq!(steps[1]["known"], Value::Null, "{flags:?}: {steps}");
    }
}

/// Links one source with several toolchains, and returns which of the links were known.
fn known_with(toolchains: Vec<Value>) -> Vec<bool> {
    need("gcc");
    let count = toolchains.len();
    let toolchains = toolchains.into_iter().enumerate();
    let toolchains: serde_json::Map<_, _> =
        toolchains.map(|(n, toolchain)| (format!("t{n}"), toolchain)).collect();
    let checks = (0..count).map(|n| {
        json!({"id": format!("c{n}"), "kind": "links", "source": FIRST[0],
               "toolchain": format!("t{n}")})
    });
    let checks: Vec<_> = checks.collect();
    let ran = check(&json!({"jobs": 1, "toolchains": toolchains, "checks": checks}));
    let is_known = |n| ran.result(&format!("c{n}"))["steps"][1]["known"] == true;
    (0..count).map(is_known).collect()
}

#[test]
fn a_warning_option_does_not_change_the_link() {
    let with = |compile: &str, link: &str| {
        json!({"compile": ["gcc", compile, "-w", "-o", "{object}", "-c", "{source}"],
               "link": ["gcc", link, "{object}", "-o", "{program}"]})
    };
    let flags = ["-Wall", "-Wshadow", "-Wl,--as-needed", "-O2"];
    let mut toolchains: Vec<_> = flags.iter().map(|flag| with(flag, flag)).collect();
    // The compiler has not seen this option.
    toolchains.push(with("-Wall", "-Wshadow"));
    assert_eq!(known_with(toolchains), [false, true, false, false, false]);
}

#[test]
fn the_environment_changes_the_link_but_the_language_does_not() {
    let with = |name: &str, value: &str| {
        json!({"compile": ["gcc", "-o", "{object}", "-c", "{source}"], "env": {name: value},
               "link": ["gcc", "{object}", "-o", "{program}"]})
    };
    let toolchains = [("LC_ALL", "C"), ("LANG", "C.UTF-8"), ("LIBRARY_PATH", "/nowhere")]
        .map(|(n, v)| with(n, v));
    assert_eq!(known_with(toolchains.into()), [false, true, false]);
}

#[test]
fn a_data_only_product_is_the_object_file_of_a_known_link() {
    let dir = tempfile::tempdir().unwrap();
    let source =
        "char text[] = \"INFO:size[00042]\"; int main(int n, char **v) { return text[n]; }";
    let all = [&FIRST[..], &[source, source]].concat();
    for (flags, is_program) in [(&[][..], false), (&["-flto"], true)] {
        let mut request = request("gcc", flags, &all);
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
