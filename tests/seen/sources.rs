//! The files that the commands work on.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const FILES: [(&str, &str); 19] = [
    ("x.c", "#include <stdio.h>\nint main(void) { puts(\"\"); return 0; }\n"),
    ("math.c", "#include <math.h>\nint main(int n, char **v) { return (int)sin(n) + !v; }\n"),
    ("bad.c", "int main(void) { return nothing; }\n"),
    ("undefined.c", "int nowhere(void);\nint main(void) { return nowhere(); }\n"),
    ("no_header.c", "#include <no/such/header.h>\nint x;\n"),
    ("own_header.c", "#include \"own.h\"\nint main(void) { return OWN; }\n"),
    ("own.h", "#define OWN 0\n"),
    (
        "has.c",
        "#if __has_include(<no/such.h>) || !__has_include(<sys/epoll.h>)\n#error\n#endif\nint main(void) { return 0; }\n",
    ),
    ("date.c", "const char *date = __DATE__ __TIME__;\n"),
    (
        "x.cc",
        "#include <string>\n#include <vector>\nint main() { return std::vector<std::string>().size(); }\n",
    ),
    ("bad.cc", "#include <no_such_header>\nint main() {}\n"),
    ("x.f90", "program x\n  print *, 1\nend program\n"),
    ("module.f90", "module m\n  integer, parameter :: one = 1\nend module\n"),
    (
        "use.f90",
        "program x\n  use iso_c_binding\n  use iso_fortran_env\n  print *, 1_c_int\nend program\n",
    ),
    ("no_module.f90", "program x\n  use no_such_module\nend program\n"),
    ("bad.f90", "program x\n  call nowhere()\nend program\n"),
    ("x.s", ".globl x\nx:\n"),
    ("x.S", "#include <no_such.h>\n"),
    ("response", "-I/no/such/dir -O1 x.c -o x\n"),
];

/// Writes all files into a new directory.
pub fn write(dir: &Path) {
    fs::create_dir_all(dir).unwrap();
    for (name, text) in FILES {
        fs::write(dir.join(name), text).unwrap();
    }
    for (name, text) in [
        ("sh-gcc", "#!/bin/sh\nexec gcc \"$@\"\n"),
        ("env-gcc", "#!/usr/bin/env sh\nexec gcc -O1 \"$@\"\n"),
        ("bash-gcc", "#!/bin/bash\nexec gcc \"$@\"\n"),
        (
            "mpicc",
            "#!/bin/bash\nCC=${OMPI_CC:-gcc}\n[ -n \"$MPI_SHOW\" ] && echo \"$CC\"\n\
             dir=$(cd \"$(dirname \"$0\")\" && pwd)\n[[ -f /no/such/conf ]] && . /no/such/conf\n\
             for arg in \"$@\"; do case $arg in -c) compile=1;; esac; done\n\
             $CC \"$@\" -I\"$dir/no_include\" ${compile:+-DX}\n",
        ),
        (
            "python-gcc",
            "#!/usr/bin/python3 -S\nimport os, sys\nos.execvp('gcc', ['gcc'] + sys.argv[1:])\n",
        ),
        ("perl-gcc", "#!/usr/bin/perl\nexec 'gcc', @ARGV;\n"),
    ] {
        let path = dir.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}
