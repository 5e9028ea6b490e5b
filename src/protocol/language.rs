//! The only module that knows the languages: their names, the environment variables that configure
//! their compilers, and their smallest programs.

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

/// How this program treats a language.
struct Traits {
    /// The protocol's name, then the names that CMake and Meson use.
    names: &'static [&'static str],
    /// Variables with the compiler's command. The first that is set applies.
    command: &'static [&'static str],
    /// Variables with compile flags, all of which apply (as in Make's implicit rules).
    flags: &'static [&'static str],
    /// More variables with compile flags, of which only the first that is set applies.
    flags_first_of: &'static [&'static str],
    /// The compiler if no variable names one.
    default_command: &'static str,
    /// The file name extension of a source that is compiled, and of one that is only preprocessed.
    extension: &'static str,
    preprocessed_extension: &'static str,
    /// A program that every working toolchain compiles and links.
    empty_program: &'static str,
}

const C_MAIN: &str = "int main(void) { return 0; }\n";
// Without this guard, a C compiler would pass for an Objective-C compiler, because some drivers
// only warn about the extension.
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
            // By convention of all Fortran compilers, a capital F invokes the preprocessor.
            preprocessed_extension: "F90",
            // Valid in free and in fixed form.
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
        let (_, traits) =
            TABLE.iter().find(|(language, _)| *language == self).expect("every language is listed");
        traits
    }

    /// The language with this name. Accepts the spellings of CMake and Meson too.
    pub fn from_name(name: &str) -> Option<Self> {
        TABLE.iter().find(|(_, traits)| traits.names.contains(&name)).map(|(language, _)| *language)
    }

    /// All languages.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(language, _)| *language)
    }

    /// Every name that [`Language::from_name`] accepts.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().flat_map(|(_, traits)| traits.names.iter().copied())
    }

    /// The name in the protocol.
    pub fn name(self) -> &'static str {
        self.traits().names[0]
    }

    /// The environment variables with the compiler's command. The first that is set applies.
    pub(crate) fn command_variables(self) -> &'static [&'static str] {
        self.traits().command
    }

    /// The compiler if the environment names none.
    pub(crate) fn default_command(self) -> &'static str {
        self.traits().default_command
    }

    /// The compile flags of the environment, given a function that reads a variable.
    pub(crate) fn flag_variables<T>(self, read: impl Fn(&'static str) -> Option<T>) -> Vec<T> {
        let traits = self.traits();
        let all = traits.flags.iter().filter_map(|name| read(name));
        all.chain(traits.flags_first_of.iter().find_map(|name| read(name))).collect()
    }

    /// The file name extension of a source in this language, without the dot.
    pub(crate) fn extension(self, preprocessed_only: bool) -> &'static str {
        let traits = self.traits();
        if preprocessed_only { traits.preprocessed_extension } else { traits.extension }
    }

    /// The smallest program. If it does not compile and link, the toolchain does not work.
    pub(crate) fn empty_program(self) -> &'static str {
        self.traits().empty_program
    }

    /// Whether the language has overloads and `extern "C"`.
    pub fn is_cxx(self) -> bool {
        matches!(self, Language::Cxx | Language::ObjCxx)
    }
}

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        Language::from_name(&name).ok_or_else(|| {
            let names = Language::names().collect::<Vec<_>>().join(", ");
            serde::de::Error::custom(format!("unknown language {name:?}; known: {names}"))
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
