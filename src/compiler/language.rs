//! The languages: their names, the environment variables that configure their compilers,
//! and the smallest program of each. The one place that knows any of these.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// A language that checks are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize)]
pub enum Language {
    /// C.
    #[default]
    #[serde(rename = "c")]
    C,
    /// C++.
    #[serde(rename = "c++")]
    Cxx,
    /// Fortran.
    #[serde(rename = "fortran")]
    Fortran,
    /// Objective-C.
    #[serde(rename = "objc")]
    ObjC,
    /// Objective-C++.
    #[serde(rename = "objc++")]
    ObjCxx,
}

/// What sets one language apart from another for a driver of compilers.
struct Traits {
    /// The protocol's name, then the names that CMake and Meson use.
    names: &'static [&'static str],
    /// Variables that hold the compiler's command, in order of precedence.
    command: &'static [&'static str],
    /// Variables that hold compile flags, all of which apply (Make's implicit rules).
    flags: &'static [&'static str],
    /// Variables of which the first that is set applies, after `flags`.
    flags_first_of: &'static [&'static str],
    /// The command when no variable names one.
    default_command: &'static str,
    /// Extension of a source that is compiled, and of one that is preprocessed.
    extension: &'static str,
    preprocessed_extension: &'static str,
    /// A program that every working toolchain compiles and links.
    empty_program: &'static str,
}

const C_MAIN: &str = "int main(void) { return 0; }\n";
// Without the guard a C compiler would pass for an Objective-C one: some drivers only
// warn about the extension.
const OBJC_MAIN: &str = "#ifndef __OBJC__\n#error \"not an Objective-C compiler\"\n#endif\n\
                         int main(void) { return 0; }\n";

static TABLE: [(Language, Traits); 5] = [
    (
        Language::C,
        Traits {
            names: &["c"],
            command: &["CC"],
            flags: &["CPPFLAGS", "CFLAGS"],
            flags_first_of: &[],
            default_command: "cc",
            extension: "c",
            preprocessed_extension: "c",
            empty_program: C_MAIN,
        },
    ),
    (
        Language::Cxx,
        Traits {
            names: &["c++", "cxx", "cpp"],
            command: &["CXX"],
            flags: &["CPPFLAGS", "CXXFLAGS"],
            flags_first_of: &[],
            default_command: "c++",
            extension: "cpp",
            preprocessed_extension: "cpp",
            empty_program: "int main() { return 0; }\n",
        },
    ),
    (
        Language::Fortran,
        Traits {
            names: &["fortran"],
            command: &["FC"],
            flags: &[],
            // CMake and Meson read FFLAGS; Autoconf's AC_PROG_FC reads FCFLAGS.
            flags_first_of: &["FFLAGS", "FCFLAGS"],
            default_command: "gfortran",
            extension: "f90",
            // By convention of every Fortran compiler, a capital F asks for the preprocessor.
            preprocessed_extension: "F90",
            // Right in free and in fixed form.
            empty_program: "      program tryall\n      end program\n",
        },
    ),
    (
        Language::ObjC,
        Traits {
            names: &["objc"],
            command: &["OBJC", "CC"],
            flags: &["CPPFLAGS"],
            flags_first_of: &["OBJCFLAGS", "CFLAGS"],
            default_command: "cc",
            extension: "m",
            preprocessed_extension: "m",
            empty_program: OBJC_MAIN,
        },
    ),
    (
        Language::ObjCxx,
        Traits {
            names: &["objc++", "objcxx", "objcpp"],
            command: &["OBJCXX", "CXX"],
            flags: &["CPPFLAGS"],
            flags_first_of: &["OBJCXXFLAGS", "CXXFLAGS"],
            default_command: "c++",
            extension: "mm",
            preprocessed_extension: "mm",
            empty_program: OBJC_MAIN,
        },
    ),
];

impl Language {
    fn traits(self) -> &'static Traits {
        let (_, traits) = TABLE.iter().find(|(language, _)| *language == self).expect("all stand");
        traits
    }

    /// The language of this name; CMake's and Meson's spellings are understood too.
    pub fn from_name(name: &str) -> Option<Self> {
        TABLE.iter().find(|(_, traits)| traits.names.contains(&name)).map(|(language, _)| *language)
    }

    /// All languages.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(language, _)| *language)
    }

    /// Every name that [`Language::from_name`] understands.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().flat_map(|(_, traits)| traits.names.iter().copied())
    }

    /// The protocol's name.
    pub fn name(self) -> &'static str {
        self.traits().names[0]
    }

    /// Environment variables that hold the compiler's command, in order of precedence.
    pub fn command_variables(self) -> &'static [&'static str] {
        self.traits().command
    }

    /// The compiler when the environment names none.
    pub fn default_command(self) -> &'static str {
        self.traits().default_command
    }

    /// The environment's compile flags, through a reader of its variables.
    pub fn flag_variables<T>(self, read: impl Fn(&'static str) -> Option<T>) -> Vec<T> {
        let traits = self.traits();
        let all = traits.flags.iter().filter_map(|name| read(name));
        all.chain(traits.flags_first_of.iter().find_map(|name| read(name))).collect()
    }

    /// File name extension, without the dot, of a source for this language.
    pub fn extension(self, preprocessed_only: bool) -> &'static str {
        let traits = self.traits();
        if preprocessed_only { traits.preprocessed_extension } else { traits.extension }
    }

    /// The smallest program, which shows whether a toolchain works at all.
    pub fn empty_program(self) -> &'static str {
        self.traits().empty_program
    }

    /// Whether overloads and `extern "C"` exist.
    pub fn is_cxx(self) -> bool {
        matches!(self, Language::Cxx | Language::ObjCxx)
    }
}

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        Language::from_name(&name).ok_or_else(|| {
            let names = Language::names().collect::<Vec<_>>().join(", ");
            serde::de::Error::custom(format!("unknown language {name:?}, known are {names}"))
        })
    }
}

impl JsonSchema for Language {
    fn schema_name() -> Cow<'static, str> {
        "Language".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A language that checks are written in.",
            "type": "string",
            "enum": Language::names().collect::<Vec<_>>(),
        })
    }
}
