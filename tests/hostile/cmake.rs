//! An unmodified CMake project, configured under a fault: the results must be those of CMake alone,
//! or the configure step must fail.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;

use crate::batch::WORD;
use crate::call::{Call, Ended, Workspace};
use crate::sandbox;
use crate::support::*;
use crate::table::Row;

/// The variables that the project's checks set.
const VARIABLES: [&str; 18] = [
    "HAVE_STDIO",
    "HAVE_NOPE",
    "HAVE_FORK",
    "HAVE_NO_SUCH",
    "SIZE_LONG",
    "F_COMPILES",
    "F_REJECTED",
    "F_RUNS",
    "F_RUNS_EXITCODE",
    "F_RUNS_NOT",
    "HAVE_PRINTF",
    "HAS_WALL",
    "HAS_NOT",
    "HAVE_M",
    "LATER",
    "LATER_NOT",
    "F_LATER",
    "LAST",
];

const MODULES: &str = "include(CheckIncludeFile)\ninclude(CheckFunctionExists)\n\
    include(CheckTypeSize)\ninclude(CheckCSourceCompiles)\ninclude(CheckCSourceRuns)\n\
    include(CheckSymbolExists)\ninclude(CheckCCompilerFlag)\ninclude(CheckLibraryExists)\n\
    include(CheckStructHasMember)\n";

/// A project that runs checks in three batches, with the row's own code between the first two.
pub fn project(workspace: &Workspace, between: &str) -> PathBuf {
    let source = workspace.own("source");
    fs::create_dir_all(&source).unwrap();
    let word = format!("/* {WORD} */");
    let text = format!(
        "cmake_minimum_required(VERSION 3.16)\nproject(p C)\n{MODULES}\
         check_function_exists(getpid WARM)\ncheck_c_source_runs(\"int main(void) {{ return 0; }}\" WARM_RUNS)\n\
         if(WARM)\nendif()\n\
         check_include_file(stdio.h HAVE_STDIO)\ncheck_include_file(no/such.h HAVE_NOPE)\n\
         check_function_exists(fork HAVE_FORK)\ncheck_function_exists(no_such HAVE_NO_SUCH)\n\
         check_type_size(long SIZE_LONG)\n\
         check_c_source_compiles(\"{word} int main(void) {{ return 0; }}\" F_COMPILES)\n\
         check_c_source_compiles(\"{word} no C\" F_REJECTED)\n\
         check_c_source_runs(\"{word} int main(void) {{ return 0; }}\" F_RUNS)\n\
         check_c_source_runs(\"{word} int main(void) {{ return 3; }}\" F_RUNS_NOT)\n\
         check_symbol_exists(printf stdio.h HAVE_PRINTF)\n\
         check_c_compiler_flag(-Wall HAS_WALL)\ncheck_c_compiler_flag(-fno-such-flag HAS_NOT)\n\
         check_library_exists(m cos \"\" HAVE_M)\n\
         message(\"${{HAVE_STDIO}}\")\n{between}\n\
         check_struct_has_member(\"struct tm\" tm_sec time.h LATER)\n\
         check_function_exists(no_such_either LATER_NOT)\n\
         check_c_source_compiles(\"{word} int main(void) {{ return 1; }}\" F_LATER)\n\
         message(\"${{LATER}}\")\ncheck_function_exists(getuid LAST)\n"
    );
    fs::write(source.join("CMakeLists.txt"), text).unwrap();
    source
}

/// The result of a configure step.
pub struct Configured {
    pub ended: Ended,
    pub values: BTreeMap<String, String>,
}

impl Configured {
    pub fn succeeded(&self) -> bool {
        self.ended.code() == Some(0)
    }

    /// The number of checks answered by tryall.
    pub fn by_tryall(&self) -> u32 {
        let text = String::from_utf8_lossy(&self.ended.stdout);
        let line = text.lines().find_map(|line| line.strip_prefix("-- tryall: "));
        line.and_then(|line| line.split(' ').next()?.parse().ok()).unwrap_or_default()
    }
}

/// A configure step to run.
pub struct Configure<'a> {
    pub workspace: &'a Workspace,
    pub source: &'a Path,
    pub build: &'a Path,
    /// With this program, or with CMake alone.
    pub tryall: Option<&'a Path>,
    pub compiler: &'a Path,
    pub env: Vec<(String, String)>,
    pub args: Vec<String>,
}

impl<'a> Configure<'a> {
    pub fn new(workspace: &'a Workspace, source: &'a Path, build: &'a Path) -> Self {
        Configure {
            workspace,
            source,
            build,
            tryall: None,
            compiler: Path::new("/usr/bin/gcc"),
            env: Vec::new(),
            args: Vec::new(),
        }
    }

    pub fn with(self, tryall: &'a Path) -> Self {
        Configure { tryall: Some(tryall), ..self }
    }

    pub fn call(&self) -> Call {
        let mut call = self.workspace.call(venv("cmake"));
        call.command.args(["-G", "Ninja", "-S"]).arg(self.source).arg("-B").arg(self.build);
        if let Some(tryall) = self.tryall {
            let drop_in = root().join("cmake/TryallDropIn.cmake");
            call.command.arg(format!("-DCMAKE_PROJECT_INCLUDE={}", drop_in.display()));
            call.command.arg(format!("-DTRYALL_EXECUTABLE={}", tryall.display()));
        }
        let rest = std::env::var_os("PATH").unwrap();
        let dirs = std::env::split_paths(&rest).filter(|dir| !dir.join("tryall").exists());
        let path = [tools()].into_iter().chain(dirs);
        call.command.args(&self.args).env("PATH", std::env::join_paths(path).unwrap());
        call.command.env("CC", self.compiler).envs(self.env.iter().cloned());
        call.command.current_dir(self.workspace.own(""));
        call
    }

    pub fn start(&self) -> Child {
        self.call().start(b"")
    }

    pub fn run(&self) -> Configured {
        let ended = self.call().run(b"");
        Configured { ended, values: values(self.build) }
    }

    /// Configures from scratch.
    pub fn anew(&self) -> Configured {
        let _ = fs::remove_dir_all(self.build);
        self.run()
    }
}

/// The project's variables in the cache.
pub fn values(build: &Path) -> BTreeMap<String, String> {
    let bytes = fs::read(build.join("CMakeCache.txt")).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let entries = text.lines().filter_map(|line| line.split_once(':'));
    let asked = entries.filter(|(name, _)| VARIABLES.contains(name));
    asked.map(|(name, rest)| (name.into(), rest.split_once('=').unwrap().1.into())).collect()
}

/// The right values.
pub fn right() -> BTreeMap<String, String> {
    let workspace = Workspace::new();
    let source = project(&workspace, "");
    let build = workspace.own("build");
    let stock = Configure::new(&workspace, &source, &build).run();
    assert!(stock.succeeded() && stock.values.len() == VARIABLES.len(), "{:?}", stock.ended);
    stock.values
}

impl Row {
    /// Checks a configure step under a fault. A value may also be the one that CMake alone produces
    /// under the same fault.
    pub fn configured(
        &mut self,
        workspace: &Workspace,
        ours: &Configured,
        right: &BTreeMap<String, String>,
        stock: Option<&Configured>,
    ) {
        self.ended(workspace, &ours.ended);
        let before = self.wrong.len();
        if !ours.succeeded() {
            // A failed step is repeated before its cache is used.
            self.refused += 1;
        }
        for (name, expected) in right {
            let alone = stock.and_then(|stock| stock.values.get(name));
            match ours.values.get(name) {
                Some(value) if value == expected => self.right += 1,
                Some(value) if alone == Some(value) => self.error += 1,
                _ if !ours.succeeded() => self.error += 1,
                None if stock.is_some_and(|stock| !stock.values.contains_key(name)) => {
                    self.error += 1;
                }
                value => self.wrong.push(format!("{name} is {value:?} and not {expected:?}")),
            }
        }
        if self.wrong.len() > before {
            self.wrong.push(
                String::from_utf8_lossy(&ours.ended.stdout).into_owned() + &ours.ended.stderr,
            );
        }
    }
}

/// A program that replaces tryall.
pub fn in_its_place(workspace: &Workspace, script: &str) -> PathBuf {
    let path = workspace.own("tryall");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    sandbox::open_to_all(&path, 0o755);
    path
}
