//! Checks from command-line options, such as `--header unistd.h --sizeof 'long long'`. Each option
//! stands for one kind. The default ids are the usual names (Autoconf's, where it has a rule).

use std::rc::Rc;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::{BadRequest, Check, HeaderStage, Kind, Location, fragment};
use crate::protocol::code::Code;
use crate::protocol::language::Language;

/// An option that defines a check.
struct Flag {
    option: &'static str,
    value: &'static str,
    help: &'static str,
    build: fn(&str, Language) -> Result<Built, String>,
}

/// A check without the fields that all options share, and its default id (`None` if the user must
/// choose it).
struct Built {
    id: Option<String>,
    check: Check,
}

fn built(
    id: impl Into<Option<String>>,
    kind: Kind,
    fill: impl FnOnce(&mut Check),
) -> Result<Built, String> {
    let mut check = Check::new(String::new(), kind);
    fill(&mut check);
    Ok(Built { id: id.into(), check })
}

/// The value name of options whose check has its source in a file.
const FILE: &str = "FILE";

static FLAGS: [Flag; 19] = [
    Flag {
        option: "header",
        value: "HEADER",
        help: "Does the header compile? [sets HAVE_SYS_EPOLL_H]",
        build: |text, _| built(have(text), Kind::Header, |check| check.header = Some(text.into())),
    },
    Flag {
        option: "header-presence",
        value: "HEADER",
        help: "Does the header exist, whether or not it compiles?",
        build: |text, _| {
            built(have(text), Kind::Header, |check| {
                check.header = Some(text.into());
                check.stage = Some(HeaderStage::Preprocess);
            })
        },
    },
    Flag {
        option: "function",
        value: "FUNCTION",
        help: "Does the function link? [sets HAVE_FORK]",
        build: |text, _| {
            built(have(text), Kind::Function, |check| check.function = Some(text.into()))
        },
    },
    Flag {
        option: "symbol",
        value: "NAME@HEADER",
        help: "Does the header provide this macro, function or variable? [sets HAVE_EPOLL_CREATE1]",
        build: |text, _| built(have(text), Kind::Symbol, |check| check.symbol = Some(text.into())),
    },
    Flag {
        option: "library",
        value: "LIBRARY[:FUNCTION]",
        help: "Does the library link, and does it contain the function? [sets HAVE_LIBM]",
        build: |text, _| {
            // A file name starts with a colon, too.
            let from = usize::from(text.starts_with(':'));
            let (library, function) = match text[from..].find(':').map(|at| from + at) {
                Some(end) => (&text[..end], Some(text[end + 1..].to_string())),
                None => (text, None),
            };
            built(have(&format!("lib{library}")), Kind::Library, |check| {
                check.library = Some(library.into());
                check.function = function;
            })
        },
    },
    Flag {
        option: "type",
        value: "TYPE",
        help: "Is this a complete type? [sets HAVE_SSIZE_T]",
        build: |text, _| built(have(text), Kind::Type, |check| check.type_name = Some(text.into())),
    },
    Flag {
        option: "member",
        value: "TYPE.MEMBER",
        help: "Does the struct have this member? [sets HAVE_STRUCT_STAT_ST_MTIM]",
        build: |text, _| {
            let (of, member) = text
                .split_once('.')
                .ok_or("expected TYPE.MEMBER, such as 'struct stat.st_mtim'")?;
            built(have(text), Kind::Member, |check| {
                check.type_name = Some(of.into());
                check.member = Some(member.into());
            })
        },
    },
    Flag {
        option: "sizeof",
        value: "TYPE",
        help: "How large is the type, in bytes? [sets SIZEOF_VOID_P]",
        build: |text, _| {
            built(format!("SIZEOF_{}", macro_name(text)), Kind::Sizeof, |check| {
                check.type_name = Some(text.into());
            })
        },
    },
    Flag {
        option: "alignment",
        value: "TYPE",
        help: "What is the alignment of the type in a struct, in bytes? [sets ALIGNOF_DOUBLE]",
        build: |text, _| {
            built(format!("ALIGNOF_{}", macro_name(text)), Kind::Alignment, |check| {
                check.type_name = Some(text.into());
            })
        },
    },
    Flag {
        option: "compute-int",
        value: "ID=EXPRESSION",
        help: "What is the value of this integer constant expression?",
        build: |text, _| {
            built(None, Kind::ComputeInt, |check| check.expression = Some(text.into()))
        },
    },
    Flag {
        option: "define",
        value: "MACRO",
        help: "What does the macro expand to? [sets VALUE_GLIBC_MINOR for __GLIBC_MINOR__]",
        build: |text, _| {
            let id = format!("VALUE_{}", macro_name(text.trim_matches('_')));
            built(id, Kind::Define, |check| check.name = Some(text.into()))
        },
    },
    Flag {
        option: "prototype",
        value: "DECLARATION",
        help: "Is the function declared like this? [sets HAVE_PROTOTYPE_TIME for 'time_t time(time_t *)@time.h']",
        build: prototype,
    },
    Flag {
        option: "compiler-flag",
        value: "FLAG",
        help: "Does the compiler know the flag? [sets HAVE_CFLAG_WALL for --compiler-flag=-Wall]",
        build: |text, language| {
            let flags = match language {
                Language::Cxx | Language::ObjCxx => "CXXFLAG",
                Language::Fortran => "FCFLAG",
                Language::C | Language::ObjC => "CFLAG",
            };
            built(format!("HAVE_{flags}_{}", flag_name(text)), Kind::CompilerFlag, |check| {
                check.flags = Some(vec![text.into()]);
            })
        },
    },
    Flag {
        option: "linker-flag",
        value: "FLAG",
        help: "Does the linker know the flag? [sets HAVE_LDFLAG_WL_AS_NEEDED]",
        build: |text, _| {
            built(format!("HAVE_LDFLAG_{}", flag_name(text)), Kind::LinkerFlag, |check| {
                check.flags = Some(vec![text.into()]);
            })
        },
    },
    Flag {
        option: "endian",
        value: "ID",
        help: "What is the byte order of the target machine? [sets WORDS_BIGENDIAN without an ID]",
        build: |_, _| built(String::from("WORDS_BIGENDIAN"), Kind::Endian, |_| {}),
    },
    Flag {
        option: "preprocesses",
        value: FILE,
        help: "Does the file preprocess? [sets HAVE_FOO for foo.c]",
        build: |text, _| source_file(text, Kind::Preprocesses),
    },
    Flag {
        option: "compiles",
        value: FILE,
        help: "Does the file compile?",
        build: |text, _| source_file(text, Kind::Compiles),
    },
    Flag {
        option: "links",
        value: FILE,
        help: "Does the file compile and link?",
        build: |text, _| source_file(text, Kind::Links),
    },
    Flag {
        option: "runs",
        value: FILE,
        help: "Does the file's program exit with status 0?",
        build: |text, _| source_file(text, Kind::Runs),
    },
];

/// The given options that define checks, in the order of the command line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given(Vec<(usize, String)>);

impl Args for Given {
    fn augment_args(command: Command) -> Command {
        command.args(FLAGS.iter().map(|flag| {
            let arg = Arg::new(flag.option)
                .long(flag.option)
                .value_name(flag.value)
                .help(flag.help)
                .help_heading("Checks")
                .action(ArgAction::Append)
                .allow_hyphen_values(flag.option.ends_with("-flag"));
            if flag.option == "endian" {
                arg.num_args(0..=1).default_missing_value("")
            } else {
                arg
            }
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Given::augment_args(command)
    }
}

impl FromArgMatches for Given {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut found = Vec::new();
        for (which, flag) in FLAGS.iter().enumerate() {
            let values = matches.get_many::<String>(flag.option).into_iter().flatten();
            let places = matches.indices_of(flag.option).into_iter().flatten();
            found.extend(std::iter::zip(places, values).map(|(place, text)| (place, which, text)));
        }
        found.sort_by_key(|(place, ..)| *place);
        Ok(Given(found.into_iter().map(|(_, which, text)| (which, text.clone())).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Given::from_arg_matches(matches)?;
        Ok(())
    }
}

/// What all checks of a command line share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shared {
    /// The language.
    pub language: Option<Language>,
    /// The toolchain.
    pub toolchain: Option<String>,
    /// Headers that precede those after an `@`.
    pub headers: Vec<String>,
    /// Text after the headers.
    pub prefix: String,
    /// Compiler arguments.
    pub args: Vec<String>,
    /// Linker arguments.
    pub link_args: Vec<String>,
    /// Include directories.
    pub include_dirs: Vec<String>,
    /// Patterns that turn a yes into a no.
    pub fail_patterns: Vec<String>,
    /// Whether all checks must answer yes.
    pub required: bool,
}

/// Where a check is on the command line.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    option: &'static str,
    /// The value of the option, without the id.
    text: String,
    id: Option<String>,
    shared: Rc<Shared>,
}

impl Place {
    /// The location of the check's own option.
    pub(crate) fn path(&self) -> Location {
        let id = self.id.as_ref().map_or(String::new(), |id| match self.text.is_empty() {
            true => id.clone(),
            false => format!("{id}="),
        });
        option(self.option, &(id + &self.text))
    }

    /// The location of the option that set a field of the check, or an element of that field.
    pub(crate) fn of_field(&self, field: &str, element: Option<usize>) -> Location {
        let shared = &self.shared;
        let language = shared.language.map(|language| language.name().to_string());
        let (name, given) = match field {
            "toolchain" => ("toolchain", shared.toolchain.as_ref()),
            "language" => ("language", language.as_ref()),
            "prefix" => ("prefix", Some(&shared.prefix)),
            "headers" => ("include", element.and_then(|it| shared.headers.get(it))),
            "args" => ("arg", element.and_then(|it| shared.args.get(it))),
            "link_args" => ("link-arg", element.and_then(|it| shared.link_args.get(it))),
            "include_dirs" => ("include-dir", element.and_then(|it| shared.include_dirs.get(it))),
            "fail_patterns" => {
                ("fail-pattern", element.and_then(|it| shared.fail_patterns.get(it)))
            }
            _ => ("", None),
        };
        given.map_or_else(|| self.path(), |text| option(name, text))
    }

    /// The check's option with a placeholder for another id.
    pub(crate) fn renamed(&self) -> String {
        // If the id was omitted, the text may start with the equals sign that followed it.
        let text = self.text.trim_start_matches('=');
        let equals = if text.is_empty() { "" } else { "=" };
        option(self.option, &format!("NAME{equals}{text}")).to_string()
    }
}

fn option(name: &str, text: &str) -> Location {
    Location::flag(format!("--{name} {text}").trim_end())
}

/// The checks of a command line, each with its place.
pub(crate) fn checks(given: &Given, shared: Shared) -> Result<Vec<(Place, Check)>, BadRequest> {
    let shared = Rc::new(shared);
    given.0.iter().map(|(which, text)| one(&FLAGS[*which], text, &shared)).collect()
}

fn one(flag: &Flag, text: &str, shared: &Rc<Shared>) -> Result<(Place, Check), BadRequest> {
    // The first word of a comparison, or of a flag without its dash, is not an id.
    let is_named = |id: &str, text: &str| {
        let is_flag = !text.starts_with(|c: char| c.is_ascii_alphanumeric());
        fragment::identifier(id).is_ok()
            && !text.starts_with('=')
            && (is_flag || !flag.option.ends_with("-flag"))
    };
    let (given_id, text) = match text.split_once('=') {
        Some((id, text)) if is_named(id, text) => (Some(id), text),
        _ if flag.option == "endian" && !text.is_empty() => (Some(text), ""),
        _ => (None, text),
    };
    let place = Place {
        option: flag.option,
        text: text.into(),
        id: given_id.map(String::from),
        shared: shared.clone(),
    };
    // Flags and file names may contain an @ themselves.
    let has_headers =
        !flag.option.ends_with("-flag") && !text.starts_with('@') && flag.value != FILE;
    let (subject, headers) = match text.split_once('@') {
        Some((subject, headers)) if has_headers => (subject, headers),
        _ => (text, ""),
    };
    let at = |message: String| BadRequest::at(Code::InvalidOption, message, &place.path(), None);
    if let Some((_, more)) = headers.split_once('@') {
        let headers = headers.replace('@', ",");
        return Err(at(format!("{more:?} follows a second @; write {subject}@{headers}")));
    }
    let language = shared.language.unwrap_or_default();
    let Built { id, mut check } = (flag.build)(subject, language).map_err(at)?;
    check.id = match given_id.map(String::from).or(id) {
        Some(id) => id,
        None => {
            let message = format!("put a name for the answer before it: {}", place.renamed());
            return Err(at(message));
        }
    };
    check.language = shared.language;
    check.toolchain = shared.toolchain.clone();
    check.headers = shared.headers.clone();
    check.headers.extend(headers.split(',').filter(|header| !header.is_empty()).map(String::from));
    check.prefix = shared.prefix.clone();
    check.args = shared.args.clone();
    check.link_args = shared.link_args.clone();
    check.include_dirs = shared.include_dirs.clone();
    check.fail_patterns = shared.fail_patterns.clone();
    check.required = shared.required;
    Ok((place, check))
}

/// Autoconf's AS_TR_CPP: upper case, with P for a star and an underscore for all other characters
/// that are neither letters nor digits.
fn macro_name(text: &str) -> String {
    let letter = |c: char| match c {
        '*' => 'P',
        c if c.is_ascii_alphanumeric() => c.to_ascii_uppercase(),
        _ => '_',
    };
    text.chars().map(letter).collect()
}

fn have(text: &str) -> String {
    format!("HAVE_{}", macro_name(text))
}

/// Like [`macro_name`], but without leading, trailing and repeated underscores.
fn flag_name(text: &str) -> String {
    macro_name(text).split('_').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_")
}

fn source_file(text: &str, kind: Kind) -> Result<Built, String> {
    let stem = std::path::Path::new(text).file_stem().unwrap_or_default().to_string_lossy();
    built(have(&stem), kind, |check| check.file = Some(text.into()))
}

/// Parses `RETURN FUNCTION(ARGUMENTS)`.
fn prototype(text: &str, _: Language) -> Result<Built, String> {
    let wanted = "expected a declaration, such as 'time_t time(time_t *)'";
    let (start, arguments) =
        text.trim().strip_suffix(')').and_then(|t| t.split_once('(')).ok_or(wanted)?;
    let start = start.trim_end();
    let name_starts =
        start.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').ok_or(wanted)? + 1;
    let (return_type, function) = start.split_at(name_starts);
    let arguments = match arguments.trim() {
        "" | "void" => Vec::new(),
        arguments => split_at_commas(arguments),
    };
    built(have(&format!("prototype_{function}")), Kind::Prototype, |check| {
        check.function = Some(function.into());
        check.return_type = Some(return_type.trim().into());
        check.arguments = Some(arguments);
    })
}

/// Splits at the commas outside of brackets.
fn split_at_commas(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for c in text.chars() {
        match c {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' | '>' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("there is always a part").push(c);
    }
    parts.iter().map(|part| part.trim().into()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Vec<Check>, String> {
        let command = Given::augment_args(Command::new("test").no_binary_name(true));
        let matches = command.try_get_matches_from(args).map_err(|error| error.to_string())?;
        let given = Given::from_arg_matches(&matches).unwrap();
        let checks = checks(&given, Shared::default()).map_err(|error| error.to_string())?;
        Ok(checks.into_iter().map(|(_, check)| check).collect())
    }

    #[test]
    fn default_ids_are_the_usual_names() {
        for (args, id) in [
            (["--header", "sys/epoll.h"], "HAVE_SYS_EPOLL_H"),
            (["--sizeof", "void *"], "SIZEOF_VOID_P"),
            (["--sizeof", "long long"], "SIZEOF_LONG_LONG"),
            (["--member", "struct stat.st_mtim@sys/stat.h"], "HAVE_STRUCT_STAT_ST_MTIM"),
            (["--library", "m:cos"], "HAVE_LIBM"),
            (["--compiler-flag", "-Wno-unused"], "HAVE_CFLAG_WNO_UNUSED"),
            (["--linker-flag", "-Wl,--as-needed"], "HAVE_LDFLAG_WL_AS_NEEDED"),
            (["--compiler-flag", "HAVE_C11=-std=c11"], "HAVE_C11"),
            (["--compiles", "build/has/acl-get.c"], "HAVE_ACL_GET"),
            (["--define", "__GLIBC_MINOR__@limits.h"], "VALUE_GLIBC_MINOR"),
            (["--prototype", "time_t time(time_t *)@time.h"], "HAVE_PROTOTYPE_TIME"),
            (["--endian", "BIG"], "BIG"),
        ] {
            assert_eq!(parse(&args).unwrap()[0].id, id);
        }
        assert_eq!(parse(&["--endian"]).unwrap()[0].id, "WORDS_BIGENDIAN");
    }

    #[test]
    fn values_of_options_reach_their_check() {
        let symbol = &parse(&["--symbol", "stat@sys/types.h,sys/stat.h"]).unwrap()[0];
        assert_eq!(symbol.symbol.as_deref(), Some("stat"));
        assert_eq!(symbol.headers, ["sys/types.h", "sys/stat.h"]);
        let prototype = &parse(&["--prototype", "char *f(int (*)(int, int), char[2])"]).unwrap()[0];
        assert_eq!(prototype.return_type.as_deref(), Some("char *"));
        assert_eq!(prototype.function.as_deref(), Some("f"));
        assert_eq!(prototype.arguments.as_deref().unwrap(), ["int (*)(int, int)", "char[2]"]);
        assert!(parse(&["--compute-int", "1+1"]).is_err());
        assert!(parse(&["--member", "struct stat"]).is_err());
    }

    #[test]
    fn checks_keep_the_order_of_the_command_line() {
        let args = ["--sizeof", "int", "--header", "a.h", "--sizeof", "long", "--function", "f"];
        let ids: Vec<_> = parse(&args).unwrap().into_iter().map(|check| check.id).collect();
        assert_eq!(ids, ["SIZEOF_INT", "HAVE_A_H", "SIZEOF_LONG", "HAVE_F"]);
    }
}
