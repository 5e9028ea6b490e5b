//! Commands whose environment, configuration files or wrappers decide what they look at.

use crate::judge::{case, judge};

#[test]
fn variables() {
    let mut cases = Vec::new();
    for compiler in ["gcc", "clang"] {
        for (name, value) in [
            ("CPATH", "/no/such/dir:/usr/include/linux"),
            ("C_INCLUDE_PATH", "/no/such/dir"),
            ("LIBRARY_PATH", "/no/such/dir:/usr/lib"),
            ("COMPILER_PATH", "/no/such/dir"),
            ("GCC_EXEC_PREFIX", "/no/such/prefix/"),
            ("LD_LIBRARY_PATH", "/no/such/dir:/usr/share:/usr/lib"),
            ("LD_RUN_PATH", "/no/such/dir"),
            ("TMPDIR", "/tmp"),
            ("TMPDIR", "/no/such/dir"),
            ("SOURCE_DATE_EPOCH", "0"),
            ("PATH", "/no/such/dir:/usr/bin"),
            ("PATH", "/no/such/dir"),
            ("CCC_OVERRIDE_OPTIONS", "+-I/no/such/dir"),
            ("MAKEFLAGS", "-j4"),
        ] {
            // clang tries random names there, which differ in each run.
            if (compiler, name, value) != ("clang", "TMPDIR", "/no/such/dir") {
                cases.push(case(&format!("{compiler} x.c -o x")).env(name, value));
            }
        }
    }
    judge("variables", &cases);
}

#[test]
fn configuration() {
    let specs = "gcc -dumpspecs > specs; mkdir root; mkdir -p root/usr/include";
    let configured = "echo '-I/no/such/dir' > clang.cfg";
    judge(
        "configuration",
        &[
            case("gcc -specs=specs x.c -o x").before(specs),
            case("gcc -specs=@DIR@/specs x.c -o x").before(specs),
            case("gcc -specs=no_such_specs x.c -o x"),
            case("gcc --sysroot=root x.c -o x").before(specs),
            case("gcc --sysroot=@DIR@/root x.c -o x").before(specs),
            case("clang --config ./clang.cfg x.c -o x").before(configured),
            case("clang --config @DIR@/clang.cfg x.c -o x").before(configured),
            case("clang --config no_such.cfg x.c -o x"),
            case("clang -target aarch64-linux-gnu x.c -o x"),
            case("clang -target no-such-target x.c -o x"),
            case("clang --gcc-toolchain=/no/such/dir x.c -o x"),
            case("clang -resource-dir /no/such/dir -c x.c"),
            case("clang -include-pch own.pch -c x.c").before("clang -x c-header own.h -o own.pch"),
            case("gcc -include own.h -c x.c").before("gcc own.h -o own.h.gch"),
            case("gcc -flto=2 x.c math.c -o x -r"),
            // Make asks for the time.
            case("gcc -flto=jobserver x.c -o x").gap("time"),
            case("gcc -fuse-linker-plugin -flto x.c -o x"),
            case("gcc -ftime-report -c x.c"),
            case("gcc -c -gsplit-dwarf -g x.c"),
            case("gcc --coverage x.c -o x"),
            case("gcc -fdiagnostics-format=json bad.c"),
            case("gcc -wrapper /usr/bin/env x.c -o x"),
            case("gcc -imacros own.h -iprefix /no/such/ -iwithprefix dir -c x.c"),
            case("gcc -idirafter /no/such/after -iquote /no/such/quote -c x.c"),
            case("gcc -fwrapv -ffile-prefix-map=/a=/b -c x.c"),
            case("gcc date.c -c").gap("time"),
            case("clang date.c -c").gap("time"),
        ],
    );
}

#[test]
fn wrappers() {
    let mut cases = Vec::new();
    for wrapper in ["./sh-gcc", "./env-gcc", "./bash-gcc", "./mpicc"] {
        for rest in ["x.c -o x", "-c x.c", "-c no_header.c", "--version"] {
            cases.push(case(&format!("{wrapper} {rest}")));
        }
    }
    for command in [
        "sh -c 'gcc x.c -o x'",
        "sh -c 'gcc -c x.c && gcc x.o -o x && rm x.o'",
        "sh -c 'gcc -c x.c > /dev/null 2>&1 || exit 3'",
        "sh -c 'for f in /usr/include/std*.h; do echo $f; done'",
        "sh -c 'test -e /no/such/file || test -d /usr/include && cat /usr/include/stdio.h'",
        "sh -c 'cd /usr && ls'",
        "sh -c 'no_such_program'",
        "env gcc -c x.c",
        "env CC=gcc sh -c '$CC -c x.c'",
        "nice gcc x.c -o x",
        "grep -r no_such_text /usr/include/linux/netfilter",
        "sed -n 1p /usr/include/stdio.h",
        "c99 x.c -o x",
        "c89 -c bad.c",
        "gcc-nm --version",
        "uname -a",
        "bash -c 'for f in /usr/include/std*.h; do test -e $f.no || gcc -c x.c; done'",
        "bash -c 'cd /usr; [[ -d include ]] && no_such_program; hash -r; type gcc'",
    ] {
        cases.push(case(command));
    }
    for command in [
        "./python-gcc -c x.c",
        "./perl-gcc x.c -o x",
        "./perl-gcc -c no_header.c",
        "make -f /dev/null",
        "perl -e 'print -e q(/no/such/file); print -s q(/usr/include/stdio.h)'",
        "find /usr/include/linux -name no_such",
    ] {
        cases.push(case(command).gap("time"));
    }
    judge("wrappers", &cases);
}
