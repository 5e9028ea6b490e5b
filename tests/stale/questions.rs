//! The questions, each with what it looks at.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::world::World;

/// A question, and what its answer may rest on.
pub struct Question {
    /// The check, with its toolchain.
    pub check: Value,
    /// Whether `tryall` keeps the answer itself, and not only a program.
    pub is_kept: bool,
    /// The paths, relative to the root of the world, and the variables as `env:NAME`. A path that ends
    /// in a slash stands for all below it. `env:*` stands for all variables, and `same:*` says that the
    /// times of files count.
    looks_at: Vec<String>,
}

impl Question {
    /// Whether its source is there, if it is a file: without it, the whole request is refused.
    pub fn can_be_asked(&self) -> bool {
        self.check["file"].as_str().is_none_or(|file| Path::new(file).is_file())
    }

    /// Whether a change of this path or variable may matter. A change of a directory changes
    /// everything below.
    pub fn looks_at(&self, changed: &str) -> bool {
        let changed = match changed.strip_prefix("same:") {
            // Unknown programs, which may read all variables, may compare times, too.
            Some(_) if !self.looks_at.iter().any(|it| it == "env:*" || it == "same:*") => {
                return false;
            }
            Some(path) => path,
            None => changed,
        };
        self.looks_at.iter().any(|path| match path.strip_suffix('/') {
            _ if path == "env:*" => changed.starts_with("env:"),
            Some(dir) => is_below(changed, dir) || is_below(dir, changed),
            None => is_below(path, changed),
        })
    }
}

/// Whether a path is another one or below it.
fn is_below(path: &str, dir: &str) -> bool {
    path.strip_prefix(dir).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The variables that compilers read.
const OF_COMPILERS: [&str; 8] = [
    "CPATH",
    "C_INCLUDE_PATH",
    "LIBRARY_PATH",
    "GCC_EXEC_PREFIX",
    "COMPILER_PATH",
    "PATH",
    "LANG",
    "SOURCE_DATE_EPOCH",
];

/// The places that compilers look at because of variables.
const OF_VARIABLES: [&str; 5] = ["path1/", "tools2/", "cp1", "cp2", "lp1"];

/// The toolchains, with what each looks at.
fn toolchains(world: &World) -> Vec<(&'static str, Value, Vec<String>)> {
    let family = &world.family;
    let path = |relative: &str| world.path(relative).display().to_string();
    let cc = family.cc.as_str();
    let c = |command: &str, args: &[String]| json!({"language": "c", "command": [command], "args": args});
    let of =
        |paths: &[&str]| -> Vec<String> { paths.iter().map(|path| (*path).to_string()).collect() };
    let specs = match family.is_gcc() {
        true => vec![format!("-specs={}", path("etc/specs"))],
        false => vec!["--config".into(), path("etc/specs")],
    };
    let explicit = json!({
        "language": "c",
        "compile": [cc, "{args}", "-o", "{object}", "-c", "{source}"],
        "link": [cc, "{object}", "-o", "{program}", "{link_args}"],
    });
    // Otherwise compilers speak English.
    let translated = json!({"language": "c", "command": [cc], "env": {"LC_ALL": ""}});
    let mut all = vec![
        ("plain", c(cc, &[]), of(&[])),
        ("cxx", json!({"language": "c++", "command": [family.cxx]}), of(&[])),
        ("linked", c(&path("bin/cc"), &[]), of(&["bin/cc", family.copy, &family.beside_copy])),
        ("wrapped", c(&path("bin/mpicc"), &[]), of(&["bin/mpicc", "etc/mpi.conf", "env:*"])),
        ("slow", c(&path("bin/slowcc"), &[]), of(&["env:*"])),
        ("prefixed", c(cc, &[format!("-B{}", path("tools/"))]), of(&["tools/"])),
        ("specs", c(cc, &specs), of(&["etc/specs"])),
        ("copy", c(&path(family.copy), &[]), of(&[family.copy, &family.beside_copy])),
        ("plugin", c(cc, &[format!("-fplugin={}", path("plug/p.so"))]), of(&["plug/p.so"])),
        ("sysroot", c(cc, &[format!("--sysroot={}", path("sys"))]), of(&["sys/"])),
        ("args", c(cc, &[format!("@{}", path("etc/args"))]), of(&["etc/args", "d2/b.h"])),
        ("explicit", explicit, of(&["env:LC_ALL", "env:LANGUAGE"])),
        ("translated", translated, of(&["env:LANGUAGE"])),
    ];
    if family.is_gcc() {
        let looks_at = [family.copy, &family.beside_copy, &family.plugin_of_copy()];
        all.push(("named", c(&path(family.copy), &["-fplugin=p".into()]), of(&looks_at)));
        all.push(("f", json!({"language": "fortran", "command": ["gfortran"]}), of(&[])));
    }
    for (_, _, looks_at) in &mut all {
        looks_at.extend(OF_VARIABLES.map(str::to_string));
        looks_at.extend(OF_COMPILERS.map(|name| format!("env:{name}")));
    }
    all
}

/// The toolchains of a request.
pub fn toolchains_of_request(world: &World) -> Map<String, Value> {
    toolchains(world).into_iter().map(|(name, given, _)| (name.into(), given)).collect()
}

/// What a header of this name may be found as, and the directories on the way.
fn header(name: &str) -> Vec<String> {
    let dirs = ["d0", "d1", "d2", "d3", "d3real", "cp1", "cp2"];
    dirs.iter().flat_map(|dir| [format!("{dir}/{name}"), format!("{dir}/{name}.gch")]).collect()
}

/// What a library may be found as.
fn library(names: &[&str]) -> Vec<String> {
    let dirs = ["lib0", "lib1", "lib2"];
    let names = names.iter().flat_map(|name| [format!("lib{name}.so"), format!("lib{name}.a")]);
    names.flat_map(|name| dirs.map(|dir| format!("{dir}/{name}"))).collect()
}

struct Writer<'a> {
    world: &'a World,
    questions: Vec<Question>,
}

impl Writer<'_> {
    /// Adds a question. `$` stands for the root of the world.
    fn ask(&mut self, toolchain: &str, check: Value, looks_at: &[Vec<String>]) {
        let text = check.to_string().replace('$', self.world.root().to_str().unwrap());
        let mut check: Value = serde_json::from_str(&text).expect("a path needs no escapes");
        let id =
            format!("{}_{toolchain}_{}", check["kind"].as_str().unwrap(), self.questions.len());
        check["id"] = json!(id);
        check["toolchain"] = json!(toolchain);
        let of_toolchain = toolchains(self.world).into_iter().find(|it| it.0 == toolchain);
        let mut looks_at = looks_at.concat();
        looks_at.extend(of_toolchain.expect("it is listed").2);
        // A plugin might ask for the time.
        let is_kept = check["kind"] != "runs" && !["plugin", "named"].contains(&toolchain);
        self.questions.push(Question { check, is_kept, looks_at });
    }
}

/// All questions of a world.
pub fn questions(world: &World) -> Vec<Question> {
    let mut writer = Writer { world, questions: Vec::new() };
    of_headers(&mut writer);
    of_sources(&mut writer);
    of_libraries(&mut writer);
    of_toolchains(&mut writer);
    if world.family.is_gcc() {
        of_gcc_alone(&mut writer);
    }
    writer.questions
}

/// A check with the include directories.
fn with_headers(mut check: Value) -> Value {
    check["include_dirs"] = json!(["$/d0", "$/d1", "$/d2", "$/d3"]);
    check
}

/// A check with the library directories, and these arguments after them.
fn with_libraries(mut check: Value, args: &[&str]) -> Value {
    let dirs = ["-L$/lib0", "-L$/lib1", "-L$/lib2"];
    check["link_args"] = json!([&dirs[..], args].concat());
    check
}

fn of_headers(writer: &mut Writer) {
    let b = || vec![header("b.h")];
    let ab = || vec![header("a.h"), header("b.h"), header("opt.h")];
    for toolchain in ["plain", "cxx", "slow"] {
        let check = json!({"kind": "header", "header": "a.h"});
        writer.ask(toolchain, with_headers(check), &ab());
        let check = json!({"kind": "compute_int", "expression": "B_VALUE", "headers": ["b.h"]});
        writer.ask(toolchain, with_headers(check), &b());
    }
    let found = |name: &str| json!({"kind": "header", "header": name, "stage": "preprocess"});
    writer.ask("plain", with_headers(found("b.h")), &b());
    writer.ask("plain", with_headers(found("opt.h")), &[header("opt.h")]);
    let deep = [header("deep/x.h"), header("deep/y.h"), header("b.h")];
    let check = json!({"kind": "header", "header": "deep/x.h"});
    writer.ask("plain", with_headers(check), &deep);
    for check in [
        json!({"kind": "symbol", "symbol": "B_VALUE"}),
        json!({"kind": "type", "type": "b_t"}),
        json!({"kind": "member", "type": "struct b", "member": "one"}),
        json!({"kind": "sizeof", "type": "struct b"}),
        json!({"kind": "alignment", "type": "struct b"}),
        json!({"kind": "define", "name": "B_VALUE"}),
        json!({"kind": "prototype", "function": "b_func", "return_type": "int", "arguments": []}),
    ] {
        let mut check = with_headers(check);
        check["headers"] = json!(["b.h"]);
        writer.ask("plain", check.clone(), &b());
        if check["kind"] == "sizeof" || check["kind"] == "member" {
            writer.ask("cxx", check, &b());
        }
    }
    let check = json!({"kind": "define", "name": "CP", "headers": ["cp.h"]});
    let variables = vec!["cp1/".into(), "cp2/".into(), "d0/".into()];
    writer.ask("plain", check, &[variables]);
}

fn of_sources(writer: &mut Writer) {
    let of = |kind: &str, source: &str| with_headers(json!({"kind": kind, "source": source}));
    let opt = "#if __has_include(<opt.h>)\n#include <opt.h>\n#endif\nint a[OPT];\n";
    let next = "#include <next.h>\nint a[NEXT];\n";
    let cond = "#include <cond.h>\nint a[COND];\n";
    let no_opt = "#if __has_include(<opt.h>)\n#error it is there\n#endif\nint a;\n";
    writer.ask("plain", of("compiles", opt), &[header("opt.h")]);
    writer.ask("plain", of("compiles", no_opt), &[header("opt.h")]);
    writer.ask("plain", of("compiles", next), &[header("next.h")]);
    writer.ask("plain", of("compiles", cond), &[header("cond.h"), header("b.h")]);
    writer.ask("cxx", of("compiles", cond), &[header("cond.h"), header("b.h")]);
    let a = "#include <a.h>\n";
    let ab = [header("a.h"), header("b.h"), header("opt.h")];
    writer.ask("plain", of("preprocesses", a), &ab);
    let mut check = of("compiles", "int a[FORCE];\n");
    check["args"] = json!(["-include", "force.h"]);
    writer.ask("plain", check, &[header("force.h"), header("opt.h")]);
    for header in ["<once.h>", "\"$/d1/once.h\""] {
        let once = format!("#include <once.h>\n#include {header}\n#include \"$/d2/once.h\"\n");
        writer.ask("plain", of("compiles", &once), &[self::header("once.h")]);
    }
    let prints = "#include <stdio.h>\n#include <b.h>\nint main(void) { printf(\"%d\", B_VALUE); return 0; }\n";
    writer.ask("plain", of("runs", prints), &[header("b.h")]);
    writer.ask(
        "explicit",
        json!({"kind": "compiles", "args": ["-I$/d1", "-I$/d2"], "source": a}),
        &ab,
    );
    writer.ask(
        "plain",
        json!({"kind": "compiler_flag", "flags": ["-include$/d2/force.h"]}),
        &[header("force.h"), header("opt.h")],
    );
    let mut check = of("compiles", "int a[1 / (PRE - 1)];\n");
    check["args"] = json!(["-include", "$/pre/p.h"]);
    let precompiled = ["pre/p.h", "pre/p.h.gch", "pre/p.h.pch", "same:*"].map(str::to_string);
    writer.ask("plain", check, &[precompiled.into()]);
    writer.ask("plain", json!({"kind": "compiler_flag", "flags": ["-Wall"]}), &[]);
    writer.ask("plain", json!({"kind": "compiler_flag", "flags": ["-Wno-such-thing"]}), &[]);
    writer.ask("plain", json!({"kind": "endian"}), &[]);
    let sources = vec!["src/source.c".into(), "src/local.h".into(), "src/local.h.gch".into()];
    let of_file = [sources, header("b.h"), header("opt.h"), header("local.h")];
    writer.ask(
        "plain",
        with_headers(json!({"kind": "compiles", "file": "$/src/source.c"})),
        &of_file,
    );
    let check = json!({"kind": "links", "file": "$/src/source.c", "args": ["-I$/d1", "-I$/d2"]});
    writer.ask("explicit", check, &of_file);
    writer.ask("plain", json!({"kind": "sizeof", "type": "long"}), &[]);
}

fn of_libraries(writer: &mut Writer) {
    let of_libfoo = || vec![library(&["foo", "real"])];
    let of_foo = json!({"kind": "function", "function": "foo"});
    for toolchain in ["plain", "cxx"] {
        writer.ask(toolchain, with_libraries(of_foo.clone(), &["-lfoo"]), &of_libfoo());
    }
    let check = json!({"kind": "library", "library": "foo", "function": "foo"});
    writer.ask("plain", with_libraries(check, &[]), &of_libfoo());
    let check = json!({"kind": "library", "library": "script", "function": "foo"});
    writer.ask("plain", with_libraries(check, &[]), &[library(&["script", "foo", "real"])]);
    let bar = || vec![library(&["bar"]), vec!["rt/".into()]];
    let check = json!({"kind": "library", "library": "bar"});
    writer.ask("plain", with_libraries(check.clone(), &[]), &bar());
    writer.ask("plain", with_libraries(check, &["-Wl,-rpath-link,$/rt"]), &bar());
    let source = "int bar(void);\nint main(void) { return bar(); }\n";
    let check = json!({"kind": "links", "source": source});
    writer.ask("plain", with_libraries(check.clone(), &["-lbar", "-Wl,-rpath,$/rt"]), &bar());
    writer.ask("explicit", with_libraries(check, &["-lbar", "-Wl,-rpath,$/rt"]), &bar());
    let source = "int foo(void);\nint main(void) { return foo(); }\n";
    let check = json!({"kind": "links", "source": source, "link_args": ["$/lib1/libfoo.a"]});
    writer.ask("plain", check, &of_libfoo());
    let check = json!({"kind": "runs", "source": source});
    writer.ask("explicit", with_libraries(check, &["-Wl,-Bstatic,-lfoo,-Bdynamic"]), &of_libfoo());
    let mut check = json!({"kind": "symbol", "symbol": "b_var", "headers": ["b.h"]});
    check = with_libraries(with_headers(check), &["-lfoo"]);
    writer.ask("plain", check, &[header("b.h"), library(&["foo", "real"])]);
    let check = json!({"kind": "library", "library": "foolp", "function": "foo"});
    writer.ask("plain", check, &[vec!["lp1/".into(), "lp2/".into()]]);
    writer.ask("plain", json!({"kind": "library", "library": "m", "function": "cos"}), &[]);
    writer.ask("plain", json!({"kind": "function", "function": "fork"}), &[]);
    writer.ask("cxx", json!({"kind": "function", "function": "no_such_function"}), &[]);
    let map = json!({"kind": "linker_flag", "flags": ["-Wl,--version-script=$/etc/map"]});
    writer.ask("plain", map, &[vec!["etc/map".into()]]);
    writer.ask(
        "plain",
        json!({"kind": "linker_flag", "flags": ["-Wl,-rpath,$/rt"]}),
        &[vec!["rt".into()]],
    );
}

fn of_toolchains(writer: &mut Writer) {
    let main = json!({"kind": "links", "source": "int main(void) { return 0; }\n"});
    let size = json!({"kind": "sizeof", "type": "long"});
    let value = |name: &str| json!({"kind": "compute_int", "expression": name});
    writer.ask("linked", value("B_VALUE + 0"), &[]);
    writer.ask("linked", main.clone(), &[]);
    let check = json!({"kind": "define", "name": "__VERSION__"});
    writer.ask("linked", check, &[]);
    writer.ask("wrapped", value("MPI"), &[]);
    writer.ask("wrapped", json!({"kind": "define", "name": "EXTRA"}), &[]);
    writer.ask("wrapped", main.clone(), &[]);
    writer.ask("prefixed", main.clone(), &[]);
    writer.ask("prefixed", size.clone(), &[]);
    writer.ask("prefixed", json!({"kind": "define", "name": "TOOL"}), &[]);
    writer.ask("specs", value("SPECS"), &[]);
    writer.ask("copy", value("SPECS"), &[]);
    writer.ask("copy", main.clone(), &[]);
    writer.ask("plugin", size, &[]);
    writer.ask("plugin", json!({"kind": "compiles", "source": "int a;\n"}), &[]);
    let check = json!({"kind": "header", "header": "sysonly.h"});
    writer.ask("sysroot", check, &[header("opt.h")]);
    writer.ask("args", value("ARGS"), &[]);
    writer.ask("args", json!({"kind": "header", "header": "b.h"}), &[header("b.h")]);
    writer.ask("plain", json!({"kind": "define", "name": "PATHED"}), &[]);
    writer.ask("explicit", main, &[]);
    writer.ask("translated", json!({"kind": "header", "header": "no/such.h"}), &[]);
    writer.ask("translated", with_headers(value("B_VALUE")), &[header("b.h")]);
    let check = json!({"kind": "library", "library": "no_such", "function": "foo"});
    writer.ask("translated", check, &[]);
}

fn of_gcc_alone(writer: &mut Writer) {
    writer.ask("named", json!({"kind": "compiles", "source": "int a;\n"}), &[]);
    let dirs = json!(["$/d1", "$/d2"]);
    let check = json!({"kind": "header", "header": "declared.fi", "include_dirs": dirs});
    writer.ask("f", check, &[header("declared.fi")]);
    let source = "program p\n use m, only: one\n print *, one\nend program\n";
    let check = json!({"kind": "compiles", "source": source, "include_dirs": dirs});
    writer.ask("f", check, &[header("m.mod")]);
    writer.ask("f", json!({"kind": "function", "function": "no_such"}), &[]);
}
