//! The files that may change, each with contents of the same length.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::world::Family;

/// A file that may be there, with one of several contents.
pub struct Slot {
    /// Its path, relative to the root of the world.
    pub path: String,
    /// What it may contain, all of the same length.
    pub variants: Vec<Vec<u8>>,
    /// Its permissions.
    pub mode: u32,
    /// Whether it is there at first.
    pub is_there: bool,
}

/// The directories with headers. At first there is no `d0`, and `d3` is a link to `d3real`.
const HEADER_DIRS: [&str; 6] = ["d0", "d1", "d2", "d3", "cp1", "cp2"];

/// The headers, the directory in which each is at first, and their contents. `@` is a character that
/// no source may contain.
const HEADERS: [(&str, &str, &[&str]); 9] = [
    (
        "a.h",
        "d2",
        &[
            "#include <b.h>\n#define A_VALUE 1\n",
            "#include <b.h>\n#include <opt.h>\n#define A_VALUE 2\n",
            "#error a\n",
            "",
        ],
    ),
    (
        "b.h",
        "d2",
        &[
            "#define B_VALUE 1\nstruct b { int one; };\ntypedef int b_t;\nint b_func(void);\nextern int b_var;\n",
            "#define B_VALUE 2\nstruct b { long one; long two; };\ntypedef struct b b_t;\nvoid b_func(int);\n",
            "struct b { char two; };\nextern int b_var;\n",
            "#error b\n",
        ],
    ),
    ("opt.h", "", &["#define OPT 1\n", "#define OPT 2\n", "@\n"]),
    ("deep/x.h", "d3", &["#include \"../b.h\"\n", "#include \"y.h\"\n", "extern int x;\n"]),
    (
        "next.h",
        "d1",
        &[
            "#include_next <next.h>\n#define NEXT_AGAIN\n",
            "#define NEXT 5\n",
            "#if __has_include_next(<next.h>)\n#define NEXT 6\n#endif\n",
        ],
    ),
    (
        "cond.h",
        "d1",
        &[
            "#include <b.h>\n#if B_VALUE == 2\n#define COND 1\n#else\n#error cond\n#endif\n",
            "#define COND 2\n",
        ],
    ),
    ("force.h", "d2", &["#define FORCE 1\n", "#error force\n", "#include <opt.h>\n"]),
    (
        "once.h",
        "d1",
        &[
            "#pragma once\nstruct once { int one; };\n",
            "#pragma once\nstruct once { long one; };\n",
            "#define ONCE\n",
        ],
    ),
    ("cp.h", "cp1", &["#define CP 1\n", "#define CP 2\n", "@\n"]),
];

/// Everything that may change in the world of a compiler. `root` is its directory, where `pool`
/// holds what the contents are made from.
pub fn slots(root: &Path, family: &Family) -> Vec<Slot> {
    let mut slots = Vec::new();
    for (name, at_first, variants) in HEADERS {
        for dir in HEADER_DIRS {
            slots.push(text(&format!("{dir}/{name}"), dir == at_first, variants));
        }
    }
    libraries(root, &mut slots);
    texts(root, family, &mut slots);
    scripts(root, family, &mut slots);
    precompiled(root, family, &mut slots);
    if family.is_gcc() {
        of_gcc(root, family, &mut slots);
    }
    slots
}

/// A text file, whose contents are padded with blank lines.
fn text(path: &str, is_there: bool, variants: &[impl AsRef<str>]) -> Slot {
    let longest = variants.iter().map(|text| text.as_ref().len()).max().unwrap_or(0);
    let padded = |text: &str| format!("{text:\n<longest$}").into_bytes();
    let variants = variants.iter().map(|text| padded(text.as_ref())).collect();
    Slot { path: path.into(), variants, mode: 0o644, is_there }
}

fn script(path: &str, is_there: bool, variants: &[impl AsRef<str>]) -> Slot {
    Slot { mode: 0o755, ..text(path, is_there, variants) }
}

/// A binary file, whose contents are padded with zeros.
fn binary(path: &str, is_there: bool, mut variants: Vec<Vec<u8>>) -> Slot {
    let longest = variants.iter().map(Vec::len).max().unwrap_or(0);
    variants.iter_mut().for_each(|bytes| bytes.resize(longest, 0));
    Slot { path: path.into(), variants, mode: 0o644, is_there }
}

fn libraries(root: &Path, slots: &mut Vec<Slot>) {
    let pool = root.join("pool");
    let wanted = "int b_var; int foo(void) { return 1; }\n";
    let other = "int foo_other(void) { return 1; }\n";
    let shared = vec![shared(&pool, "foo", wanted, &[]), shared(&pool, "foo", other, &[])];
    let archives = vec![archive(&pool, wanted), archive(&pool, other), b"!<arch>\n".to_vec()];
    for dir in ["lib0", "lib1", "lib2"] {
        let mut variants = shared.clone();
        variants.push(b"not a library".to_vec());
        variants.push(b"INPUT ( libreal.a )\n".to_vec());
        slots.push(binary(&format!("{dir}/libfoo.so"), dir == "lib2", variants));
        slots.push(binary(&format!("{dir}/libfoo.a"), dir == "lib1", archives.clone()));
        let scripts =
            ["GROUP ( libreal.a )\n", "INPUT ( -lfoo )\n", "INPUT ( /no/such.o )\n", "nonsense\n"];
        slots.push(text(&format!("{dir}/libscript.so"), dir == "lib2", &scripts));
        slots.push(binary(&format!("{dir}/libreal.a"), dir == "lib2", archives.clone()));
    }
    for dir in ["lp1", "lp2"] {
        slots.push(binary(&format!("{dir}/libfoolp.a"), dir == "lp1", archives.clone()));
    }
    let dep = shared_with_dep(&pool);
    slots.push(binary("rt/libdep.so", true, dep));
    let bar = "int dep(void);\nint bar(void) { return dep(); }\n";
    let [near, far] = [&["-L.", "-ldep"][..], &[]].map(|args| {
        let source = if args.is_empty() { "int bar(void) { return 1; }\n" } else { bar };
        self::shared(&pool, "bar", source, args)
    });
    slots.push(binary("lib1/libbar.so", true, vec![near, far]));
    let crt = of_compiler("gcc", "-print-file-name=crt1.o");
    let crt = fs::read(crt).expect("there is a file crt1.o");
    slots.push(binary("tools/crt1.o", true, vec![crt, b"not an object".to_vec()]));
}

fn texts(root: &Path, family: &Family, slots: &mut Vec<Slot>) {
    let include = format!("-DARGS=2 -I{}", root.join("d2").display());
    slots.push(text("etc/args", true, &["-DARGS=1", &include, "-DARGS=3 -no-such-flag", ""]));
    let maps = ["V { global: main; local: *; };\n", "V { nonsense\n", "V { local: *; };\n"];
    slots.push(text("etc/map", true, &maps));
    let flags = ["MPI_FLAGS=-DMPI=1\n", "MPI_FLAGS=-DMPI=2\n", "echo no license >&2; exit 1\n"];
    slots.push(text("etc/mpi.conf", true, &flags));
    let sources = [
        "#include \"local.h\"\nint a[LOCAL];\nint main(void) { return 0; }\n",
        "#include <b.h>\nint a[B_VALUE];\nint main(void) { return 0; }\n",
        "const char *file = __FILE__;\nint main(void) { return 0; }\n",
        "no C\n",
    ];
    slots.push(text("src/source.c", true, &sources));
    slots.push(text(
        "src/local.h",
        true,
        &["#define LOCAL 1\n", "#include <opt.h>\n#define LOCAL OPT\n"],
    ));
    let headers = ["#define SYS 1\n", "#define SYS 2\n#include <opt.h>\n"];
    slots.push(text("sys/usr/include/sysonly.h", true, &headers));
    let specs: [&str; 3] = match family.is_gcc() {
        true => ["*cpp:\n+ -DSPECS=1\n\n", "*cpp:\n+ -DSPECS=2\n\n", "nonsense\n"],
        false => ["-DSPECS=1\n", "-DSPECS=2\n", "-fno-such-flag\n"],
    };
    slots.push(text("etc/specs", true, &specs));
    slots.push(text(&family.beside_copy, false, &specs));
    let pool = root.join("pool");
    let plugin = |refuses: u8| {
        let source = format!(
            "int plugin_is_GPL_compatible;\nint plugin_init(void *a, void *b)\n\
             {{ (void)a; (void)b; return {refuses}; }}\n"
        );
        shared(&pool, "plugin", &source, &[])
    };
    let plugins = vec![plugin(0), plugin(1), b"not a library".to_vec()];
    if family.is_gcc() {
        slots.push(binary(&family.plugin_of_copy(), false, plugins.clone()));
    }
    slots.push(binary("plug/p.so", true, plugins));
}

fn scripts(root: &Path, family: &Family, slots: &mut Vec<Slot>) {
    let (cc, conf) = (&family.cc, root.join("etc/mpi.conf"));
    let wrapper = |more: &str| {
        format!("#!/bin/sh\n. {}\nexec {cc} $MPI_FLAGS $MPI_EXTRA {more} \"$@\"\n", conf.display())
    };
    slots.push(script("bin/mpicc", true, &[wrapper(""), wrapper("-DWRAPPED=1")]));
    let started = |program: &str, more: &str| format!("#!/bin/sh\nexec {program} {more} \"$@\"\n");
    let fails = "#!/bin/sh\necho 'cannot do this' >&2\nexit 1\n".to_string();
    let compiler = which::which(cc).expect("the compiler was found before").display().to_string();
    let pathed = [started(&compiler, ""), started(&compiler, "-DPATHED=1")];
    slots.push(script(&format!("path1/{cc}"), false, &pathed));
    for (dir, tool, more) in
        [("tools", "as", "--fatal-warnings"), ("tools", "ld", "--no-undefined")]
    {
        let real = of_compiler("gcc", &format!("-print-prog-name={tool}"));
        let real = which::which(real).expect("gcc has it").display().to_string();
        let variants = [started(&real, ""), started(&real, more), fails.clone()];
        for dir in [dir, "tools2", "path1"] {
            slots.push(script(&format!("{dir}/{tool}"), false, &variants));
        }
    }
}

/// A header with a precompiled one beside it. Clang refuses that if the header has another time, as
/// after it was made again with the same contents; GCC does not ask.
fn precompiled(root: &Path, family: &Family, slots: &mut Vec<Slot>) {
    let header = root.join("pre/p.h");
    let product = root.join(format!("pre/p.h.{}", if family.is_gcc() { "gch" } else { "pch" }));
    fs::create_dir_all(root.join("pre")).unwrap();
    let texts = ["#define PRE 2\n", "#define PRE 1\n"];
    let variants = texts.map(|text| {
        fs::write(&header, text).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        File::options().append(true).open(&header).unwrap().set_modified(time).unwrap();
        run(Command::new(&family.cc).args(["-x", "c-header"]).arg(&header).arg("-o").arg(&product));
        fs::read(&product).unwrap()
    });
    // Both are there already, and the header as old as it has to be.
    slots.push(text("pre/p.h", false, &texts));
    let product = product.strip_prefix(root).expect("it is below").to_str().expect("a plain name");
    slots.push(binary(product, false, variants.into()));
}

fn of_gcc(root: &Path, family: &Family, slots: &mut Vec<Slot>) {
    let pool = root.join("pool");
    let cc1 = of_compiler(&family.cc, "-print-prog-name=cc1");
    let started = |more: &str| format!("#!/bin/sh\nexec {cc1} {more} \"$@\"\n");
    slots.push(script("tools/cc1", false, &[started(""), started("-DTOOL=3")]));
    // A precompiled header is used instead of the header beside it, whatever that contains.
    let precompiled = |value: u8| {
        let header = pool.join("b.h");
        fs::write(&header, format!("#define B_VALUE {value}\nstruct b {{ int one; }};\n")).unwrap();
        let product = pool.join("b.h.gch");
        run(Command::new(&family.cc).args(["-x", "c-header"]).arg(&header).arg("-o").arg(&product));
        fs::read(product).unwrap()
    };
    slots.push(binary("d1/b.h.gch", false, vec![precompiled(7), precompiled(8), b"gpch".to_vec()]));
    let declarations = ["integer :: included\n", "integer :: another\n", "nonsense (\n"];
    for dir in ["d1", "d2"] {
        slots.push(text(&format!("{dir}/declared.fi"), dir == "d2", &declarations));
    }
    let module = |name: &str| {
        let source = pool.join("m.f90");
        fs::write(&source, format!("module m\n integer :: {name}\nend module\n")).unwrap();
        let mut command = Command::new("gfortran");
        run(command.arg("-c").arg(&source).args(["-o", "m.o"]).current_dir(&pool));
        fs::read(pool.join("m.mod")).unwrap()
    };
    slots.push(binary("d2/m.mod", true, vec![module("one"), module("two")]));
}

/// A program or a file that a compiler names.
pub fn of_compiler(compiler: &str, question: &str) -> String {
    let output = Command::new(compiler).arg(question).output().expect("the compiler starts");
    String::from_utf8(output.stdout).expect("a path").trim().into()
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|why| panic!("{command:?}: {why}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
}

/// A shared library with this source, made in the pool.
fn shared(pool: &Path, name: &str, source: &str, args: &[&str]) -> Vec<u8> {
    let file = format!("lib{name}.so");
    fs::write(pool.join("source.c"), source).unwrap();
    let mut command = Command::new("gcc");
    command.args(["-shared", "-fPIC", "source.c", "-o", &file]);
    run(command.arg(format!("-Wl,-soname,{file}")).args(args).current_dir(pool));
    fs::read(pool.join(file)).unwrap()
}

/// A library that another one needs: once with what that one needs, once without. The first remains
/// in the pool.
fn shared_with_dep(pool: &Path) -> Vec<Vec<u8>> {
    let without = shared(pool, "dep", "int other(void) { return 1; }\n", &[]);
    let with = shared(pool, "dep", "int dep(void) { return 1; }\n", &[]);
    vec![with, without]
}

/// An archive with one member of this source.
fn archive(pool: &Path, source: &str) -> Vec<u8> {
    fs::write(pool.join("source.c"), source).unwrap();
    run(Command::new("gcc").args(["-c", "source.c", "-o", "member.o"]).current_dir(pool));
    let file = pool.join("libmade.a");
    let _ = fs::remove_file(&file);
    run(Command::new("ar").args(["rcD", "libmade.a", "member.o"]).current_dir(pool));
    fs::read(file).unwrap()
}
