//! Scripts in the manner of Autoconf.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::stage::{Stage, assert_same, files};

/// Writes config.h and config.status from what compilers say, with a log.
const CONFIGURE: &str = r##"#!/bin/sh
exec 5>config.log
echo "PATH: $PATH" >&5
: ${CC=gcc} ${CFLAGS=-g -O2}
ac_try () { # source, command
    cat >conftest.c <<END
/* confdefs.h */
`cat confdefs.h`
$1
END
    rm -f conftest.o conftest
    echo "configure: $2" >&5
    eval "$2" >&5 2>conftest.err
    ac_status=$?
    cat conftest.err >&5
    echo "configure: \$? = $ac_status" >&5
    return $ac_status
}
ac_define () {
    echo "#define $1 $2" >>confdefs.h
}
: >confdefs.h
$CC --version >&5 2>&1
$CC -v >&5 2>&1
$CC -V >&5 2>&1
echo 'int main(void) { return 0; }' >conftest.c
$CC $CFLAGS conftest.c >&5 2>&1
test -x a.out && ./a.out && echo "checking whether $CC works... yes"
rm -f a.out
for ac_header in unistd.h sys/epoll.h no_such.h; do
    name=HAVE_`echo $ac_header | tr 'a-z./' 'A-Z__'`
    if ac_try "#include <$ac_header>" "$CC -c $CFLAGS conftest.c" && test -s conftest.o; then
        ac_define $name 1
    fi
    ac_try "#include <$ac_header>" "$CC -E conftest.c >conftest.i"
done
for ac_func in fork strlcpy nosuch epoll_create1; do
    if ac_try "char $ac_func (void); int main (void) { return $ac_func (); }" \
        "$CC -o conftest $CFLAGS conftest.c -lm" && test -x conftest; then
        ac_define HAVE_`echo $ac_func | tr a-z A-Z` 1
    fi
done
ac_try '#include <stdio.h>
int main (void) { FILE *f = fopen ("conftest.val", "w"); fprintf (f, "%d\n", (int) sizeof (long)); return 0; }' \
    "$CC -o conftest $CFLAGS conftest.c" && ./conftest && ac_define SIZEOF_LONG `cat conftest.val`
ac_try 'int f (void) { return 1; }' "$CC -c $CFLAGS -MD -MP -MF conftest.Tpo -MT conftest.o -o conftest.o conftest.c" &&
    grep -q conftest.o conftest.Tpo && echo "dependency style... gcc3"
mkdir conftestdir
(cd conftestdir; echo 'int g;' >x.c; $CC -c x.c -o ../conftest2.o)
mv confdefs.h config.h
echo "CC='$CC' CFLAGS='$CFLAGS' found `command -v $CC`" >config.status
rm -rf conftest* a.out
"##;

#[test]
fn the_same_files_and_logs_are_written() {
    for (arguments, moves) in
        [("", false), ("CC=/usr/bin/gcc", false), ("CC=clang", false), ("CFLAGS=-O2", true)]
    {
        let stage = Stage::new();
        let source = stage.work("source");
        fs::write(source.join("configure"), CONFIGURE).unwrap();
        fs::set_permissions(source.join("configure"), fs::Permissions::from_mode(0o755)).unwrap();
        let script = format!("env {arguments} ../source/configure");
        let stock = |name: &str| {
            let work = stage.work(name);
            let output = stage.alone(&script, &work);
            assert!(output.status.success(), "{output:?}");
            (files(&work), output.stdout)
        };
        let under = |name: &str| {
            let work = stage.work(name);
            let ended = stage.run(&script, &work);
            (files(&work), ended.output.stdout.clone(), ended)
        };
        let (left, said) = stock("build");
        assert!(left["config.h"].1.windows(9).any(|text| text == b"HAVE_FORK"), "{left:?}");
        for warm in [false, true] {
            let (files, out, ended) = under("build");
            assert_same(&left, &files, arguments);
            assert_eq!(said, out);
            assert_eq!(ended.passed, 0, "{}", ended.summary);
            assert_eq!(ended.asked == 0, warm, "{arguments}: {}", ended.summary);
        }
        // In another directory, what holds no path of the first one is not asked again.
        let (left, _) = stock("build-2");
        let (files, _, ended) = under("build-2");
        assert_same(&left, &files, arguments);
        if moves {
            assert!(ended.asked <= 2, "{}", ended.summary);
        }
        stage.assert_clean();
    }
}
