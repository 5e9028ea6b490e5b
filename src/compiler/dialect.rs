//! How a compiler is told what to do. Of a Unix compiler only `-c`, `-o`, `-E`, `-I` and `-l` are
//! assumed, which every one of them knows, so that no compiler has to be recognised.
//!
//! MSVC would be a second dialect: `/c`, `/Fo`, `/Fe`, `/E`, `/I`, `/link`.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// How far a compiler is driven. Each needs more time than the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// The preprocessor only.
    Preprocess,
    /// To an object file.
    Compile,
    /// To a program.
    Link,
    /// The program is run.
    Run,
}

/// The base name of every file that a check writes; each check is alone in its directory.
pub(crate) const STEM: &str = "conftest";

/// The language of a compiler's command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Dialect {
    /// That of every compiler on Unix, and of GCC and Clang everywhere.
    #[default]
    Unix,
}

/// What a question adds to the toolchain's command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Added<'a> {
    /// Before the source.
    pub args: &'a [OsString],
    /// A library to link with, as after `-l` or as a path with a slash.
    pub library: Option<&'a str>,
    /// Behind the source and the library.
    pub link_args: &'a [OsString],
}

impl Dialect {
    /// The argument that adds a directory of headers.
    pub(crate) fn include_dir(self, dir: &Path) -> OsString {
        let Dialect::Unix = self;
        let mut option = OsString::from("-I");
        option.push(dir);
        option
    }

    /// The file that a stage writes into the current directory, if any.
    pub(crate) fn product(self, stage: Stage) -> Option<String> {
        let Dialect::Unix = self;
        match stage {
            Stage::Preprocess => None,
            Stage::Compile => Some(format!("{STEM}.o")),
            // A name that is right for every system, as Meson found; MinGW would append it.
            Stage::Link | Stage::Run => Some(format!("{STEM}.exe")),
        }
    }

    /// The arguments that drive a compiler as far as a stage needs, and the file that it then
    /// writes into the current directory, if any. What the preprocessor writes goes to standard
    /// output: not every compiler obeys `-o` there.
    pub(crate) fn arguments(
        self,
        stage: Stage,
        file: &OsStr,
        added: Added<'_>,
    ) -> (Vec<OsString>, Option<String>) {
        let Dialect::Unix = self;
        let mut arguments = added.args.to_vec();
        let Some(product) = self.product(stage) else {
            arguments.extend(["-E".into(), file.into()]);
            return (arguments, None);
        };
        if stage == Stage::Compile {
            arguments.push("-c".into());
        }
        arguments.extend([file.into(), "-o".into(), OsString::from(&product)]);
        if stage >= Stage::Link {
            arguments.extend(added.library.map(|library| {
                if library.contains('/') { library.into() } else { format!("-l{library}").into() }
            }));
            arguments.extend_from_slice(added.link_args);
        }
        (arguments, Some(product))
    }
}
