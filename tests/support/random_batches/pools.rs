//! The building blocks of random batches.

pub const COMPILERS: [(&str, &str); 4] =
    [("c", "gcc"), ("c", "clang"), ("c++", "g++"), ("c++", "clang++")];

pub const ARGS: [&[&str]; 6] = [
    &[],
    &[],
    &["-D_GNU_SOURCE"],
    &["-O2", "-Wall", "-Wextra"],
    &["-std=c11", "-g"],
    &["-fPIC", "-pedantic"],
];

/// Arguments that affect diagnostics or linking.
pub const ODD_ARGS: [&[&str]; 16] = [
    &["-Werror"],
    &["-Wall", "-Werror", "-O2"],
    &["-flto"],
    &["-O3", "-flto", "-ffat-lto-objects"],
    &["-static"],
    &["-fsanitize=address"],
    &["-nostdlib"],
    &["-w"],
    &["-std=gnu89"],
    &["-Wfatal-errors", "-Wmissing-prototypes"],
    &["-fno-builtin", "-pthread"],
    &["-shared", "-fPIC"],
    &["-O2", "-ffunction-sections", "-Wl,--gc-sections"],
    &["-Dfork=getpid", "-UNULL", "-Dint=long"],
    &["-DX=\"confte01.c\""],
    &["-DX=__FILE__", "-DPLACE=__LINE__"],
];

/// Return types of prototypes, and arguments.
pub const RETURNS: [&str; 8] =
    ["int", "int", "void", "char *", "size_t", "own_t", "typedef int", "struct later *"];
pub const ARGUMENTS: [&[&str]; 7] = [
    &[],
    &["void *"],
    &["const char *"],
    &["int"],
    &["double"],
    &["void *", "const void *", "size_t"],
    &["const char *", "struct stat *"],
];

pub const SURROUNDINGS: [(&[&str], &str); 11] = [
    (&[], ""),
    (&[], ""),
    (&["stdio.h"], ""),
    (&["stdlib.h", "string.h"], ""),
    (&["sys/types.h", "sys/stat.h"], ""),
    (&["math.h"], ""),
    (&["pthread.h", "errno.h"], ""),
    (&["no/such.h"], ""),
    (&[], "struct own { int x; char y[3]; };\ntypedef struct own own_t;\nextern int own_var;\n"),
    (&["stdio.h"], "#define own_t FILE\n#define PLACE __LINE__\n#pragma GCC poison getc\n"),
    (&["time.h"], "static inline int own(void) { return 1; }\n#pragma weak nope\n"),
];

pub const NAMES: [&str; 72] = [
    "fork",
    "getpid",
    "nope",
    "missing",
    "strlcpy",
    "pledge",
    "memcpy",
    "abort",
    "exit",
    "atexit",
    "gets",
    "stdout",
    "environ",
    "errno",
    "EOF",
    "unix",
    "int",
    "main",
    "own",
    "own_t",
    "own_var",
    "stat",
    "fstat",
    "lstat64",
    "cos",
    "isnan",
    "signgam",
    "pthread_create",
    "sched_yield",
    "etext",
    "_exit",
    "_Exit",
    "__fork",
    "FILE",
    "printf",
    "putchar_unlocked",
    "getc",
    "lchmod",
    "gtty",
    "kqueue",
    "timegm",
    "setjmp",
    "alloca",
    "strnlen",
    "odd_function",
    "odd_variable",
    "odd_inline",
    "odd_defined",
    "linux",
    "assert",
    "while",
    "inline",
    "restrict",
    "defined",
    "include",
    "pragma",
    "GCC",
    "NULL",
    "__func__",
    "__builtin_memcpy",
    "__stub_gtty",
    "sigreturn",
    "_start",
    "_end",
    "_GLOBAL_OFFSET_TABLE_",
    "a$b",
    "conftest0",
    "undeclared",
    "SEEK_SET",
    "SIGINT",
    "vfork",
    "getpid_",
];

pub const TYPES: [&str; 34] = [
    "int",
    "long",
    "long long",
    "nope",
    "struct nope",
    "struct nope *",
    "FILE",
    "size_t",
    "off_t",
    "struct stat",
    "struct own",
    "own_t",
    "pthread_t",
    "void",
    "void *",
    "char[3]",
    "int (*)(int)",
    "struct tm",
    "unsigned",
    "div_t",
    "time_t",
    "char[PLACE]",
    "struct timespec",
    "double",
    "struct odd",
    "odd_type",
    "struct later { int x; }",
    "struct later",
    "struct later *",
    "enum { odd_one = 3 }",
    "__typeof__(undeclared(1))",
    "wchar_t",
    "turns",
    "char[ODD]",
];

pub const HEADERS: [&str; 20] = [
    "stdio.h",
    "unistd.h",
    "nope.h",
    "no/such.h",
    "net/if_arp.h",
    "sys/kd.h",
    "linux/if_pppox.h",
    "resolv.h",
    "assert.h",
    "tgmath.h",
    "immintrin.h",
    "float.h",
    "linux/btrfs.h",
    "rpc/rpc.h",
    "complex.h",
    "sys/event.h",
    "limits.h",
    "windows.h",
    ".",
    "/usr/include/stdio.h",
];

pub const MEMBERS: [&str; 7] = ["x", "y", "st_size", "tm_gmtoff", "nope", "tv_nsec", "x.y"];

pub const EXPRESSIONS: [&str; 21] = [
    "1",
    "-1",
    "EOF",
    "PLACE",
    "sizeof(int) * 3",
    "1 / 0",
    "nope",
    "CLOCK_MONOTONIC",
    "0x7fffffff",
    "18446744073709551615u",
    "ODD",
    "sizeof(struct later)",
    "odd_one",
    "sizeof(undeclared(1))",
    "sizeof(tryall_argc)",
    "__LINE__",
    "sizeof(enum { odd_one = 3 })",
    "-9223372036854775807 - 1",
    "fork",
    "(turns)1",
    "(ODD) + 1",
];

/// The weights of the compilers: unity sources are for C, and Clang takes twice as long.
pub const SHARES: [usize; 8] = [0, 0, 0, 1, 1, 2, 2, 3];

pub const CXX_ARGS: [&[&str]; 6] = [
    &[],
    &[],
    &["-D_GNU_SOURCE"],
    &["-O2", "-Wall", "-Wextra"],
    &["-std=c++11", "-g"],
    &["-fPIC", "-pedantic"],
];

/// The number of names that real projects check.
pub const PLAIN_NAMES: usize = 44;

/// Texts of headers and prefixes that do more than declare.
pub const ODD: [&str; 45] = [
    "#define __attribute__ )(\n",
    "#define extern )(\n#define main )(\n",
    "struct odd { int x; };\ntypedef struct odd odd_type;\nextern int odd_variable;\n\
     #define ODD 7\n",
    "int odd_function(void) { return 0; }\nint odd_variable = 1;\n",
    "int odd_variable;\n",
    "static inline int odd_inline(void) { return 0; }\n\
     static int odd_function(void) { return 1; }\n",
    "#pragma GCC poison fork nope odd_function\n",
    "#pragma GCC poison int\n",
    "#define int long\n",
    "#define static\n#define volatile\n#define const\n",
    "#define sizeof(x) 3\n#define __attribute__(x)\n",
    "#define char short\n#define void int\n",
    "#define main other_main\n",
    "int x; /* never closed\n",
    "struct unclosed {\n",
    "int unclosed(void) {\n",
    "#if 0\n",
    "static\n",
    "__attribute__((alias(\"zz\")))\n",
    "#error no such thing\n",
    "#warning only said\nstruct odd { int x; };\n",
    "#line 3 \"conftest0.c\"\nint odd_function(void);\n#warning here\n",
    "#line 1\nextern int odd_function(void);\n",
    "#pragma GCC diagnostic error \"-Wall\"\n#pragma GCC diagnostic ignored \"-Wimplicit\"\n",
    "#pragma pack(1)\nstruct odd { char x; double z; };\n#pragma GCC diagnostic push\n",
    "__asm__(\".globl odd_defined\\nodd_defined: .long 0\\n\");\n\
     int getpid(void) __asm__(\"getppid\");\n",
    "extern int fork(void) __attribute__((visibility(\"hidden\")));\n\
     #pragma GCC visibility push(hidden)\nextern int nope(void);\n",
    "#define fork nope\n#define nope getpid\n#define getpid() 3\n",
    "#define __stub_getpid\n#define __stub___fork\n",
    "#undef __GNUC__\n#undef __SIZE_TYPE__\n",
    "enum { fork, nope = 3 };\ntypedef int getpid;\n",
    "__asm__(\".symver fork,fork@GLIBC_2.2.5\\n.weak nope\\n.hidden getpid\\n\");\n",
    "#pragma GCC diagnostic ignored \"-Wimplicit-function-declaration\"\n\
     #pragma GCC diagnostic error \"-Wundef\"\n",
    "#pragma push_macro(\"ODD\")\n#define ODD 5\nint unclosed = (\n",
    "#pragma GCC optimize(\"O3\")\n#pragma redefine_extname fork getppid\nextern int fork(void);\n",
    "static int fork(void);\nextern int nope[3];\nvoid getpid(int, ...);\n",
    "#define ODD 1\n#pragma push_macro(\"ODD\")\n#undef ODD\n#define ODD 2\n\
     #define turns _Pragma(\"pop_macro(\\\"ODD\\\")\") int\n",
    "#define turns int)0); } struct later { int x; }; int opens(char **tryall_argv) { \
     (void)((struct later\n",
    "#define getpid fork; } extern int nope(void); int opens(void) {\nint fork(void);\n",
    "#define static extern int vfork(void); static\n\
     #define return extern int nope(void); return\nint fork(void);\n",
    "#define __builtin_types_compatible_p(a, b) 1; } struct later { int x; }; int \
     odd(void) { (void)1\n",
    "#define opens f (\n#define f(x) x\n#define turns ) f (\n#define ODD 1, 2\n",
    "extern int getpid(void);\nextern int nope(void);\n\
     #define getpid *_Generic((char (*)[__LINE__ > 18 ? 2 : 1])0, \\\n\
     char (*)[2]: &getpid, default: &nope)\n",
    "unsigned\n",
    "extern int odd_function(void);\nconst\n",
];

/// Checks for C++ only.
pub const CXX_SURROUNDINGS: [(&[&str], &str); 3] = [
    (&["cstdlib"], ""),
    (
        &["cstdlib"],
        "namespace space { int inner(int); int twice(); int twice(int); }\n\
         extern \"C\" int fork(); template <class T> T made(T);\n\
         struct cls { static int member(); int field; };\n",
    ),
    (&["cstddef"], "int mangled(int); class own { int x; public: int y; };\n"),
];

pub const CXX_SYMBOLS: [&str; 10] = [
    "std::malloc",
    "std::abs",
    "std::nope",
    "space::inner",
    "space::twice",
    "made",
    "made<int>",
    "cls::member",
    "mangled",
    "cls",
];

pub const CXX_TYPES: [&str; 6] =
    ["cls", "std::size_t", "own", "decltype(nope)", "std::div_t", "std::nope<int>"];
