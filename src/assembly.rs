//! Assembly that has been assembled before.
//!
//! GCC compiles to assembly, and has another program make the object file of it. Behind most headers
//! of a configure step stands the same empty `main`, which comes to the same assembly each time; to
//! assemble it again is a fifth of such a compile. So sources that are likely to come to the same are
//! compiled with `-S`, and each text is assembled once.
//!
//! # Why the answers are the single ones
//!
//! * With `-c`, GCC's driver runs the compiler proper as with `-S`, and then the assembler over what
//!   that has written. Only objects that say so themselves (`.comment`) tell that a compiler is GCC;
//!   Clang assembles by itself, and would have nothing to gain.
//! * A text is known only after the same program has assembled it, with the same arguments and
//!   environment, to an object file and without a word. All but the name of the source is compared
//!   byte for byte, and that name is put back where the single command would have had it.
//! * Arguments are of kinds that tell the assembler nothing ([`tells_nothing`]): with `-g` the driver
//!   tells it more of a file of assembly than of its own.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::elf;

/// What is known in a run.
#[derive(Debug, Default)]
pub struct Assembled {
    /// Whether each program is GCC, where an object file has told.
    is_gcc: RefCell<HashMap<PathBuf, bool>>,
    objects: RefCell<HashMap<Text, Rc<[u8]>>>,
    /// Held by who assembles, so that what others need, too, is there when it is their turn.
    pub turn: tokio::sync::Mutex<()>,
    /// Of the sources that were compiled.
    skeletons: RefCell<HashSet<u64>>,
}

/// A text, and who assembles it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Text {
    /// The command without files, and its environment.
    pub command: (Vec<OsString>, Vec<(OsString, OsString)>),
    /// The assembly.
    pub text: Vec<u8>,
}

impl Assembled {
    /// Looks at an object file, if the compiler that made it is not known yet.
    pub fn learn_compiler(&self, program: &Path, object: impl FnOnce() -> Option<Vec<u8>>) {
        let mut is_gcc = self.is_gcc.borrow_mut();
        if !is_gcc.contains_key(program)
            && let Some(object) = object()
        {
            is_gcc.insert(program.into(), elf::is_by_gcc(&object));
        }
    }

    /// Whether so many of these sources are likely to come to what others come to that it is worth a
    /// second command.
    pub fn is_worth_it<'a>(&self, program: &Path, sources: impl Iterator<Item = &'a str>) -> bool {
        let mut known = self.skeletons.borrow_mut();
        let repeated = sources.filter(|source| !known.insert(skeleton(source))).count();
        repeated >= FEWEST && self.is_gcc.borrow().get(program) == Some(&true)
    }

    /// What a text has been assembled to.
    pub fn object(&self, text: &Text) -> Option<Rc<[u8]>> {
        self.objects.borrow().get(text).cloned()
    }

    /// Remembers what a text has been assembled to, without a word.
    pub fn learn(&self, text: Text, object: &[u8]) {
        self.objects.borrow_mut().insert(text, object.into());
    }
}

/// A start of the driver is worth half an assembler.
const FEWEST: usize = 2;

/// A digest of a source without its `#include` lines: what is behind them most often comes to the
/// same.
pub fn skeleton(source: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    let is_code = |line: &&str| !line.trim_start().starts_with("#include") && !line.is_empty();
    source.lines().filter(is_code).for_each(|line| line.hash(&mut hasher));
    hasher.finish()
}

/// Whether an argument is about the source and the code, and tells the assembler nothing. Debug
/// information does, and so do machines, link-time optimization, and what is handed on.
pub fn tells_nothing(arg: &str) -> bool {
    const STARTS: [&str; 6] = ["-D", "-U", "-I", "-O", "-std=", "-fstack-protector"];
    const WHOLE: [&str; 22] = [
        "-ansi",
        "-pedantic",
        "-pedantic-errors",
        "-w",
        "-pthread",
        "-isystem",
        "-fPIC",
        "-fpic",
        "-fPIE",
        "-fpie",
        "-fcommon",
        "-fno-common",
        "-fvisibility=hidden",
        "-fvisibility=default",
        "-fstack-clash-protection",
        "-fno-strict-aliasing",
        "-fno-omit-frame-pointer",
        "-ffunction-sections",
        "-fdata-sections",
        "-fno-builtin",
        "-fdiagnostics-color",
        "-fdiagnostics-color=always",
    ];
    let is_warning = arg.starts_with("-W") && arg.len() > 2 && !arg.contains(',');
    // What follows `-isystem`, `-D` and the like by itself.
    let is_value = !arg.starts_with('-');
    is_value
        || is_warning
        || WHOLE.contains(&arg)
        || STARTS.iter().any(|start| arg.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_assembler_is_told_is_kept_out() {
        for good in ["-Wall", "-DX=1", "-I/x", "-isystem", "/x", "-O2", "-fPIC", "-std=gnu11"] {
            assert!(tells_nothing(good), "{good}");
        }
        for bad in [
            "-g",
            "-g3",
            "-ggdb",
            "-m32",
            "-march=native",
            "-mavx2",
            "-flto",
            "-pipe",
            "-Wa,-x",
            "-Wp,-x",
            "-W",
            "-fverbose-asm",
            "-fsanitize=address",
            "-fno-ident",
            "--param=x",
            "-x",
            "-save-temps",
        ] {
            assert!(!tells_nothing(bad), "{bad}");
        }
    }

    #[test]
    fn sources_that_differ_in_headers_only_are_worth_it_with_gcc() {
        let (assembled, program) = (Assembled::default(), Path::new("/usr/bin/cc"));
        let main = "int main(void) { return 0; }\n";
        let behind = |header: &str| format!("#include <{header}>\n{main}");
        let texts = ["a.h", "b.h", "c.h"].map(behind);
        let texts = || texts.iter().map(String::as_str);
        assert!(!assembled.is_worth_it(program, texts()), "nobody knows that this is GCC");
        assembled.is_gcc.borrow_mut().insert(program.into(), true);
        assert!(!assembled.is_worth_it(program, ["int x;", "int y;", main].into_iter()));
        assert!(assembled.is_worth_it(program, texts()));
        assembled.is_gcc.borrow_mut().insert(program.into(), false);
        assert!(!assembled.is_worth_it(program, texts()));
    }
}
