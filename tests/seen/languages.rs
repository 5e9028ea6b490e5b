//! Commands in other languages than English, whose locales and messages the C library reads.

use std::process::Command;

use crate::judge::{case, judge};

/// The locales that must be there.
const LOCALES: [&str; 3] = ["en_US.utf8", "de_DE.utf8", "de_DE.iso88591"];

fn need_locales() {
    let listed = Command::new("locale").arg("-a").output().unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    for locale in LOCALES {
        let is_there = listed.lines().any(|line| line == locale);
        assert!(is_there, "the locale {locale} is missing; tests/install makes it");
    }
}

#[test]
fn languages() {
    need_locales();
    let mut cases = Vec::new();
    for locale in ["C.UTF-8", "en_US.UTF-8", "de_DE.utf8", "de_DE.UTF-8", "xx_YY.UTF-8", "xx"] {
        for command in [
            "gcc x.c -o x",
            "gcc -c bad.c",
            "gcc undefined.c -o x",
            "gcc x.c -o x -lno_such_library",
            "gcc --help=warnings",
            "g++ x.cc -o x",
            "g++ -c bad.cc",
            "gfortran -c bad.f90",
            "clang x.c -o x",
            "as no_such.s",
            "ld --no-such-option",
            "ld.gold no_such.o",
            "nm no_such.o",
            "make no_such_target",
            "./sh-gcc -c bad.c",
            "./bash-gcc undefined.c -o x",
            "bash -c 'echo $\"file not found\"; cd /no/such; gcc bad.c'",
        ] {
            cases.push(case(command).env("LC_ALL", "").env("LANG", locale));
        }
    }
    judge("languages", &cases);
}

#[test]
fn choices() {
    need_locales();
    let german = |command: &str| case(command).env("LC_ALL", "").env("LANG", "de_DE.UTF-8");
    let each =
        "bash -c 'for l in de_DE.UTF-8 no_NO.UTF-8 C; do LC_ALL=$l; LC_ALL=$l gcc bad.c; done'";
    let own = "printf '%s' '#include <locale.h>\n#include <libintl.h>\n#include <stdio.h>\n\
        int main(void) { setlocale(LC_ALL, \"LC_CTYPE=C.UTF-8;LC_MESSAGES=de_DE.UTF-8\");\n\
        newlocale(LC_ALL_MASK, \"fr_FR@euro\", 0); bindtextdomain(\"ld\", \"/no/such/dir\");\n\
        puts(dgettext(\"gcc-12\", \"x\")); perror(dcgettext(\"no\", \"x\", LC_MESSAGES)); return 0; }' > own.c
        gcc -O1 -w own.c -o own";
    let relative = own.replace("/no/such/dir", "no/such/dir");
    judge(
        "choices",
        &[
            german("gcc bad.c").env("LANGUAGE", "fr:de"),
            german("ld --no-such-option").env("LANGUAGE", "de:xx_YY.UTF-8@q:fr"),
            german("as no_such.s").env("LANGUAGE", "de:fr"),
            german("gcc bad.c").env("LANGUAGE", "C:de"),
            german("gcc bad.c").env("LC_MESSAGES", "C"),
            german("gcc bad.c").env("LC_CTYPE", "C"),
            german("gcc bad.c").env("LC_CTYPE", "xx_YY").env("LC_TIME", "en_US.UTF-8"),
            german("gcc bad.c").env("LC_ALL", "en_US.UTF-8"),
            german(each),
            german("./own").before(own),
            german("./own").before(&relative).gap("unusual place"),
            german("bash -c 'TEXTDOMAIN=ld; TEXTDOMAINDIR=/no/such; echo $\"x\"'"),
            // Their messages are converted by a library.
            german("gcc bad.c").env("LC_ALL", "de_DE.ISO-8859-1").gap("another library"),
            german("bash -c 'cd /no/such; exec gcc -c x.c'")
                .env("LC_ALL", "de_DE.ISO-8859-1")
                .gap("another library"),
            german("gcc bad.c").env("OUTPUT_CHARSET", "LATIN1").gap("OUTPUT_CHARSET"),
            german("gcc bad.c").env("GCONV_PATH", "/no/such").gap("GCONV_PATH"),
            german("gcc bad.c").env("LANGUAGE", "../x").gap("unusual name"),
        ],
    );
}
