//! Commands that look at more than can be seen. Each must be noticed.

use crate::judge::{case, judge};

#[test]
fn gaps() {
    let program = |code: &str, options: &str| {
        format!(
            "printf '%s' '#define _GNU_SOURCE\n#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\n{code}' > own.c; gcc -w own.c -o own {options}"
        )
    };
    let of = |code: &str| case("./own").before(&program(code, ""));
    judge(
        "gaps",
        &[
            case("./own").before(&program("int main(void) { return 0; }", "-static")).gap("was not seen"),
            case("sh -c ./own").before(&program("int main(void) { return 0; }", "-static")).gap("was not seen"),
            // A program that takes its place is seen.
            case("./own").before(&program("int main(void) { return execlp(\"gcc\", \"gcc\", \"-c\", \"x.c\", NULL); }", "-static")).gap("was not seen"),
            case("sh -c ./own").before(&program("int main(void) { return execlp(\"gcc\", \"gcc\", \"-c\", \"x.c\", NULL); }", "-static")).gap("was not seen"),
            case("./own").before("musl-gcc -w x.c -o own").gap("was not seen"),
            case("env -i /usr/bin/gcc -c x.c").gap("was not seen"),
            case("env -u LD_PRELOAD gcc -c x.c").gap("was not seen"),
            case("gcc -march=native -c x.c").gap("processor"),
            case("gcc -c ../x.c").gap("relative path"),
            case("gcc -I.. -c x.c").gap("relative path"),
            case("gcc -c x.c").env("LC_ALL", "en_US.UTF-8").env("LOCPATH", "/no/such/dir").gap("LOCPATH"),
            case("gcc -c x.c").env("LC_ALL", "french").gap("unusual name"),
            case("gcc -c x.c").env("LC_ALL", "no/locale").gap("unusual name"),
            case("sh -c 'echo > @DIR@-left'").gap("writes"),
            case("sh -c 'mkdir @DIR@-made; rmdir @DIR@-made'"),
            case("sh -c ./script").before("printf '#!/no/such/interpreter' > script; chmod +x script").gap("could not look"),
            case("sh -c 'ln -s /etc/passwd link; cat link'").gap("symlink"),
            case("sh -c 'cat /proc/version'").gap("/proc/version"),
            case("sh -c 'cat /proc/meminfo'").gap("/proc/meminfo"),
            case("sh -c 'cat /proc/$PPID/cmdline'").gap("/proc/"),
            case("sh -c 'cat /proc/self/comm'"),
            case("sh -c 'stat -f -c %f .'").gap("how full"),
            case("sh -c 'kill -0 1'").gap("whether a process"),
            case("sh -c ./script").before("printf '#!/bin/bash\\necho $SECONDS' > script; chmod +x script").gap("the time"),
            case("sh -c ./script").before("printf '#!/bin/bash\\necho $HOME' > script; chmod +x script"),
            of("#include <sys/socket.h>\n#include <netinet/in.h>\nint main(void) { struct sockaddr_in a = {.sin_family = AF_INET}; connect(socket(AF_INET, SOCK_STREAM, 0), &a, sizeof a); return 0; }").gap("another process"),
            of("#include <fcntl.h>\n#include <sys/syscall.h>\nint main(void) { return syscall(SYS_openat, AT_FDCWD, \"/etc/passwd\", 0) < 0; }").gap("syscall"),
            of("#include <iconv.h>\nint main(void) { return iconv_open(\"UTF-8\", \"LATIN1\") == 0; }").gap("iconv_open"),
            of("#include <pwd.h>\nint main(void) { return !getpwuid(getuid() + 1); }").gap("getpwuid"),
            of("#include <libintl.h>\nint main(void) { return !bind_textdomain_codeset(\"x\", \"LATIN1\"); }").gap("bind_textdomain_codeset"),
            of("#include <libintl.h>\n#include <locale.h>\nint main(void) { return !dcgettext(\"x\", \"y\", LC_TIME); }").gap("dcgettext"),
            of("#include <time.h>\nint main(void) { return !time(0); }").gap("the time"),
            of("#include <time.h>\nint main(void) { struct timespec t; return !timespec_get(&t, TIME_UTC); }").gap("the time"),
            of("#include <time.h>\nint main(void) { struct timespec t; return clock_gettime(CLOCK_TAI, &t); }").gap("the time"),
            of("#include <time.h>\nint main(void) { struct timespec t; return clock_gettime(CLOCK_BOOTTIME, &t); }").gap("the time"),
            of("#include <time.h>\nint main(void) { return clock() == 9; }"),
            of("#include <time.h>\n#include <sys/syscall.h>\nint main(void) { struct timespec t; return syscall(SYS_clock_gettime, CLOCK_REALTIME, &t); }").gap("the time"),
            of("#include <sys/timex.h>\nint main(void) { struct timex t = {0}; return adjtimex(&t) < 0; }").gap("adjtimex"),
            of("#include <sys/timex.h>\nint main(void) { struct ntptimeval t; return ntp_gettime(&t) < 0; }").gap("ntp_gettime"),
            of("#include <sys/sysinfo.h>\nint main(void) { struct sysinfo s; return sysinfo(&s); }").gap("how busy"),
            // Not what they are called.
            case("gcc -B. x.o -o x").before(&format!("gcc -c x.c; {}; mv own ld", program("#include <time.h>\nint main(void) { return !time(0); }", ""))).gap("the time"),
            of("int main(void) { return sethostname(\"\", -1); }").gap("sethostname"),
            of("#include <glob.h>\nint main(void) { glob_t g; return glob(\"/etc/*/*\", 0, 0, &g); }").gap("glob"),
            of("#include <dlfcn.h>\nint main(void) { return !dlopen(\"libz.so.1\", RTLD_NOW); }").gap("name alone"),
            of("#include <sys/resource.h>\nint main(void) { struct rlimit r = {3, 3}; setrlimit(RLIMIT_NOFILE, &r); return fopen(\"/etc/passwd\", \"r\") != 0; }").gap("could not look at"),
        ],
    );
}

/// Functions that compilers do not call, one by one.
#[test]
fn functions() {
    let program = |code: &str| {
        format!(
            "printf '%s' '#define _GNU_SOURCE\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\n#include <fcntl.h>\n#include <dirent.h>\n#include <spawn.h>\n#include <sys/stat.h>\n#include <sys/vfs.h>\n#include <sys/xattr.h>\nchar b[9999]; char *none[2] = {{\"x\"}}; extern char **environ;\nint main(void) {{ {code}; return 0; }}' > own.c; gcc -w -O2 -D_FORTIFY_SOURCE=2 own.c -o own"
        )
    };
    let codes = [
        "open(\"/etc/passwd\", 0)",
        "open64(\"/no/such\", O_RDONLY | O_CLOEXEC)",
        "openat(open(\"/etc\", O_DIRECTORY), \"passwd\", 0)",
        "openat(open(\"/etc\", O_PATH), \"no_such\", 0)",
        "fopen(\"/etc/passwd\", \"r\")",
        "fopen64(\"/no/such\", \"re\")",
        "freopen(\"/etc/passwd\", \"r\", stdin)",
        "struct stat s; stat(\"/etc\", &s)",
        "struct stat s; lstat(\"/etc/mtab\", &s)",
        "struct stat s; fstatat(open(\"/usr\", 0), \"lib\", &s, AT_SYMLINK_NOFOLLOW)",
        "struct stat s; fstatat(3, \"\", &s, AT_EMPTY_PATH)",
        "struct statx s; statx(AT_FDCWD, \"/etc/passwd\", 0, STATX_BASIC_STATS, &s)",
        "access(\"/etc/shadow\", W_OK)",
        "eaccess(\"/no/such\", F_OK)",
        "faccessat(AT_FDCWD, \"/etc\", X_OK, 0)",
        "readlink(\"/etc/mtab\", b, 99)",
        "readlinkat(AT_FDCWD, \"/etc/passwd\", b, 99)",
        "realpath(\"/usr/bin/../lib/./gcc\", 0)",
        "realpath(\"/bin/cc\", b)",
        "realpath(\"/no/such\", b)",
        "realpath(\"/etc/passwd/x\", b)",
        "free(canonicalize_file_name(\"/usr/bin/cc\"))",
        "opendir(\"/etc\")",
        "opendir(\"/no/such\")",
        "fdopendir(open(\"/etc\", 0))",
        "chdir(\"/etc\"); open(\"passwd\", 0); open(\"no_such\", 0)",
        "chdir(\"/no/such\")",
        "fchdir(open(\"/usr\", 0)); open(\"lib/no_such\", 0); open(\"./include/../lib\", 0)",
        "struct statfs s; statfs(\"/no/such\", &s)",
        "getxattr(\"/etc/passwd\", \"user.x\", b, 9)",
        "execl(\"/bin/true\", \"true\", (char *)0)",
        "execl(\"/no/such\", \"true\", (char *)0)",
        "execlp(\"true\", \"true\", (char *)0)",
        "execlp(\"no_such_program\", \"x\", (char *)0)",
        "execle(\"/bin/true\", \"true\", (char *)0, environ)",
        "execv(\"/bin/true\", none)",
        "execvp(\"true\", none)",
        "execvpe(\"true\", none, environ)",
        "execve(\"/bin/true\", none, environ)",
        "execve(\"/etc/passwd\", none, environ)",
        "if (!vfork()) { execvp(\"true\", none); _exit(1); }",
        "if (!vfork()) { execvp(\"no_such\", none); _exit(1); }",
        "if (!fork()) { execvp(\"true\", none); _exit(1); }",
        "int p; posix_spawn(&p, \"/bin/true\", 0, 0, none, environ); sleep(1)",
        "int p; posix_spawn(&p, \"/no/such\", 0, 0, none, environ)",
        "int p; posix_spawnp(&p, \"true\", 0, 0, none, environ); sleep(1)",
        "int p; posix_spawnp(&p, \"no_such\", 0, 0, none, environ)",
        "system(\"true; test -e /no/such\")",
        "fgets(b, 9, popen(\"cat /etc/passwd\", \"r\"))",
        "fgets(b, 9, popen(\"no_such_program\", \"r\"))",
        "int d = mkstemp(strcpy(b, \"/tmp/seenXXXXXX\")); write(d, b, 9); close(d); fopen(b, \"r\"); unlink(b)",
        "int d = mkostemps(strcpy(b, \"/tmp/seenXXXXXX.c\"), 2, O_CLOEXEC); unlink(b)",
        "mkdtemp(strcpy(b, \"/tmp/seenXXXXXX\")); chdir(b); fopen(\"x\", \"w\"); unlink(\"x\"); rmdir(b)",
        "unlink(\"/no/such/file\")",
        "rename(\"/no/such/file\", \"/no/such/other\")",
        "tmpfile()",
    ];
    let cases: Vec<_> = codes.map(|code| case("./own").before(&program(code))).into();
    judge("functions", &cases);
}
