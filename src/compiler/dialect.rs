//! How to drive a compiler. Of a Unix compiler, only `-c`, `-o`, `-E`, `-I` and `-l` are assumed.
//! Every one of them knows these options, so this program need not recognize any compiler.
//!
//! MSVC would be a second dialect: `/c`, `/Fo`, `/Fe`, `/E`, `/I`, `/link`.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// How far to drive a compiler. Each stage takes longer than the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Preprocess only.
    Preprocess,
    /// Compile to an object file.
    Compile,
    /// Link a program.
    Link,
    /// Run the program.
    Run,
}

/// The base name of every file that a check writes. Each check has a directory to itself.
pub(crate) const STEM: &str = "conftest";

/// The syntax of a compiler's command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Dialect {
    /// The syntax of every compiler on Unix, and of GCC and Clang everywhere.
    #[default]
    Unix,
}

/// What a question adds to the toolchain's command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Added<'a> {
    /// Arguments before the source.
    pub args: &'a [OsString],
    /// A library to link with, either a name as after `-l`, or a path with a slash.
    pub library: Option<&'a str>,
    /// Arguments after the source and the library.
    pub link_args: &'a [OsString],
}

impl Dialect {
    /// The argument that adds a directory to the include path.
    pub(crate) fn include_dir(self, dir: &Path) -> OsString {
        let Dialect::Unix = self;
        let mut option = OsString::from("-I");
        option.push(dir);
        option
    }

    /// The file that a stage writes into the current directory, if it writes one.
    pub(crate) fn product(self, stage: Stage) -> Option<String> {
        let Dialect::Unix = self;
        match stage {
            Stage::Preprocess => None,
            Stage::Compile => Some(format!("{STEM}.o")),
            // This name suits every system, as Meson found. MinGW would append the extension.
            Stage::Link | Stage::Run => Some(format!("{STEM}.exe")),
        }
    }

    /// The arguments that drive a compiler as far as a stage, and the file that it writes into the
    /// current directory, if it writes one. The preprocessor writes to standard output, because not
    /// every compiler obeys `-o` there.
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
