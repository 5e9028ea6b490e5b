//! Compilers with the options of build systems and their checks.

use crate::judge::{Case, case, judge};

/// What every C compiler is asked. `@` stands for its command. Nothing links into `/dev/null`:
/// some linkers remove their output first, and root may.
const C: [&str; 30] = [
    "@ x.c -o x",
    "@ -c x.c -o x.o",
    "@ -S x.c -o x.s2",
    "@ -E x.c -o x.i",
    "@ -c -O2 -g -Wall -Wextra x.c",
    "@ -std=c99 -pedantic -c x.c",
    "@ -fsyntax-only x.c",
    "@ math.c -lm -o math",
    "@ math.c -o math -lno_such_library",
    "@ x.c -o x -lpthread -ldl",
    "@ -L/no/such/dir -L/usr/lib x.c -o x",
    "@ -I/no/such/dir -isystem /no/such/system -c x.c",
    "@ -I. -Iinclude -Iinclude/../include -c own_header.c",
    "@ bad.c -o x",
    "@ undefined.c -o x",
    "@ no_header.c -c",
    "@ has.c -o x",
    "@ -include stdint.h -c x.c",
    "@ -include no_such.h -c x.c",
    "@ -fPIC -shared x.c -o libx.so",
    "@ -static x.c -o x",
    "@ -M x.c",
    "@ -MD -MF x.d -c x.c",
    "@ -x c /dev/null -c -o null.o",
    "@ -no-such-option -c x.c",
    "@ no_such_file.c -o x",
    "@ --version",
    "@ -v x.c -o x",
    "@ -c x.s -o s.o",
    "@ -Wl,--no-such-option x.c",
];

/// What GCC and clang are asked besides.
const MORE: [&str; 27] = [
    "@ -print-search-dirs",
    "@ -print-file-name=libc.so",
    "@ -print-prog-name=ld",
    "@ -dumpmachine",
    "@ -dM -E -x c /dev/null",
    "@ -### x.c",
    "@ -save-temps -c x.c",
    "@ -pipe x.c -o x",
    "@ @response",
    "@ @no_such_response",
    "@ -m32 x.c -o x",
    "@ -c x.S",
    "@ --sysroot=/no/such/root x.c -o x",
    "@ --sysroot=/ x.c -o x",
    "@ -flto x.c -o x",
    "@ -flto -c x.c",
    "@ -B/no/such/dir x.c -o x",
    "@ -B. x.c -o x",
    "@ -nostdinc -c x.c",
    "@ -nostdlib x.c -o x",
    "@ -fsanitize=address x.c -o x",
    "@ -fopenmp x.c -o x",
    "@ -Wl,-rpath,/no/such/dir x.c -o x",
    "@ -Wl,--as-needed,-t x.c -o x",
    "@ -Wl,-T,no_such_script x.c -o x",
    "@ -x c-header own.h -o own.h.gch",
    "@ -fprofile-generate x.c -o x",
];

/// What the compiler for Windows is asked besides.
const WINDOWS: [&str; 6] = [
    "@ -flto x.c -o x",
    "@ -flto -c x.c",
    "@ -Wl,-t math.c -o math -lm",
    "@ -mwindows x.c -o x -lws2_32",
    "@ @response",
    "@ @no_such_response",
];

const CXX: [&str; 14] = [
    "@ x.cc -o x",
    "@ -c x.cc",
    "@ -std=c++17 -O2 -c x.cc",
    "@ -E x.cc",
    "@ -fsyntax-only x.cc",
    "@ bad.cc -o x",
    "@ -x c++ x.c -o x",
    "@ -shared -fPIC x.cc -o libx.so",
    "@ -stdlib=libc++ x.cc",
    "@ -I/no/such/dir -c x.cc",
    "@ -x c++-header own.h -o own.h.gch",
    "@ -MMD -c x.cc",
    "@ x.cc -o x -lno_such_library",
    "@ -v x.cc -o x",
];

const FORTRAN: [&str; 14] = [
    "@ x.f90 -o x",
    "@ -c x.f90",
    "@ -c module.f90",
    "@ -c use.f90",
    "@ use.f90 -o x",
    "@ -c no_module.f90",
    "@ bad.f90 -o x",
    "@ -I/no/such/dir -c use.f90",
    "@ -cpp -c x.f90",
    "@ -O2 -c x.f90",
    "@ x.f90 -lno_such_library",
    "@ -shared -fPIC x.f90 -o libx.so",
    "@ -E -cpp x.f90",
    "@ --version",
];

fn cases(command: &str, all: &[&[&str]], but: &[&str]) -> Vec<Case> {
    let lines = all.iter().copied().flatten().filter(|line| !but.contains(line));
    lines.map(|line| case(&line.replacen('@', command, 1))).collect()
}

#[test]
fn gcc() {
    judge("gcc", &cases("gcc", &[&C, &MORE], &[]));
}

#[test]
fn clang() {
    judge("clang", &cases("clang", &[&C, &MORE], &[]));
}

#[test]
fn gxx() {
    judge("g++", &cases("g++", &[&CXX], &[]));
}

#[test]
fn clangxx() {
    judge("clang++", &cases("clang++", &[&CXX], &[]));
}

#[test]
fn gfortran() {
    judge("gfortran", &cases("gfortran", &[&FORTRAN], &[]));
}

#[test]
fn flang() {
    // Its preprocessor asks for the time before it knows whether the source does.
    let with_cpp = FORTRAN.iter().filter(|line| line.contains("-cpp"));
    let with_cpp = Vec::from_iter(with_cpp.copied());
    let mut all = cases("flang-new-16", &[&FORTRAN], &with_cpp);
    all.extend(cases("flang-new-16", &[&with_cpp], &[]).into_iter().map(|case| case.gap("time")));
    judge("flang", &all);
}

#[test]
fn tcc() {
    judge("tcc", &cases("tcc", &[&C], &[]));
}

#[test]
fn cross() {
    judge("aarch64", &cases("aarch64-linux-gnu-gcc", &[&C, &MORE], &[]));
}

#[test]
fn mingw() {
    judge("mingw", &cases("x86_64-w64-mingw32-gcc", &[&C, &WINDOWS], &[]));
}
