//! Linkers, archives, plugins and other tools that compilers start.

use crate::judge::{case, judge};

#[test]
fn linkers() {
    let mut cases = Vec::new();
    for compiler in ["gcc", "clang", "g++"] {
        let source = if compiler == "g++" { "x.cc" } else { "x.c" };
        for linker in ["bfd", "gold", "lld", "no_such_linker"] {
            for rest in [
                "-o x",
                "-o x -lno_such_library",
                "-shared -fPIC -o libx.so",
                "-flto -o x",
                "-Wl,-t -o x",
            ] {
                // LTO by GCC needs a linker with GCC's plugin.
                if linker == "lld" && rest.contains("flto") && compiler != "clang" {
                    continue;
                }
                cases.push(case(&format!("{compiler} -fuse-ld={linker} {source} {rest}")));
            }
        }
    }
    for linker in ["gold", "lld"] {
        for rest in ["-o x", "-o x -lno_such_library", "-shared -fPIC -Wl,-t -o libx.so"] {
            cases.push(case(&format!("clang++ -fuse-ld={linker} x.cc {rest}")));
            cases.push(case(&format!("aarch64-linux-gnu-gcc -fuse-ld={linker} x.c {rest}")));
        }
        cases.push(case(&format!("clang++ -fuse-ld={linker} -flto x.cc -o x")));
    }
    judge("linkers", &cases);
}

#[test]
fn tools() {
    let object = |command: &str| {
        case(command).before(
            "gcc -c x.c -o x.o; gcc -fPIC -shared math.c -o libm2.so -Wl,--undefined=sin -lm",
        )
    };
    judge(
        "tools",
        &[
            object("ar rcs libx.a x.o"),
            object("ranlib x.o"),
            object("nm x.o"),
            object("gcc-ar rcs libx.a x.o"),
            object("ld x.o -o x"),
            object("ld.gold x.o -o x -lc"),
            object("ld.lld x.o -o x -lc -L/usr/lib/x86_64-linux-gnu"),
            object("ld --verbose"),
            object("gcc x.o -L. -lm2 -o x"),
            object("strip x.o"),
            case("as x.s -o x.o"),
            case("cpp x.c"),
        ],
    );
}

#[test]
fn plugins() {
    let plugin = "printf '#include <stdio.h>\\nint plugin_is_GPL_compatible;\\n\
        int plugin_init(void *a, void *b) { fopen(\"/etc/hostname\", \"r\"); return 0; }\\n' > plugin.c
        gcc -shared -fPIC plugin.c -o plugin.so";
    // A program with the mark of GCC's, which asks for the time.
    let cc1 = |call: &str, link: &str| {
        format!(
            "printf 'int other(void) {{ return 0; }}\\n' > other.c; gcc -shared -fPIC other.c -o libother.so
            printf '#include <dlfcn.h>\\n#include <time.h>\\nint other(void); char mark[] = \"COLLECT_GCC\";\\n\
            int main(void) {{ {call}; return time(0) == 0; }}\\n' > own.c; mkdir -p gcc/bin; gcc own.c -o gcc/bin/cc1 {link}"
        )
    };
    judge(
        "plugins",
        &[
            // The plugin may do so, too.
            case("gcc -fplugin=./plugin.so -c x.c").before(plugin).gap("asks for the time"),
            case("gcc -fplugin=@DIR@/plugin.so -c x.c").before(plugin).gap("asks for the time"),
            case("gcc -fplugin=no_such_plugin -c x.c"),
            // As compilers of Nix and Spack do, whose libraries are in directories of their own.
            case("./gcc/bin/cc1").before(&cc1("other()", "-L. -lother -Wl,-rpath,$PWD")),
            case("./gcc/bin/cc1")
                .before(&cc1("dlopen(\"./libother.so\", 1)", ""))
                .gap("asks for the time"),
            case("clang -fplugin=./no_such_plugin.so -c x.c"),
            case("clang -fplugin=./plugin.so -c x.c").before(plugin),
        ],
    );
}
