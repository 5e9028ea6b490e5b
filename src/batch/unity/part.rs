//! Questions as parts of one source that asks several of them: the same words as in the source of
//! each alone, in a function of its own. What must hold for that is told in [`crate::fuse`].

use crate::compiler::language::Language;
use crate::compiler::value;
use crate::plan::ids::QuestionId;
use crate::plan::question::{Question, Subject};
use crate::source::{Before, c};

/// How a question fits into a shared source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// What stands before it. Only parts with the same text here can share a source.
    pub before: String,
    /// How many lines of that stand in the question's own source, too, at the same place.
    pub common_lines: usize,
    /// What decides.
    pub decided_by: DecidedBy,
}

/// What decides a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DecidedBy {
    /// Whether it compiles.
    Compiles,
    /// The integer in the object file.
    Integer,
    /// The byte order in the object file.
    ByteOrder,
    /// Whether this name links. `may_be_macro`: a macro of this name is enough.
    Links {
        /// The name.
        name: String,
        /// Whether a macro of this name is a yes.
        may_be_macro: bool,
    },
}

/// The part of a question; `None` if it has none.
pub(crate) fn part(question: &Question, language: Language) -> Option<Part> {
    let before = Before { headers: &question.headers, prefix: &question.prefix };
    let start = c::start(before);
    let lines = |text: &str| text.lines().count();
    let declared = || c::question(before) + c::TYPE_START;
    Some(match &question.subject {
        Subject::Function(name) => {
            let has_headers = c::has_headers(&start);
            if !has_headers && !start.is_empty() {
                // Alone, what the prefix declares goes to another name.
                return None;
            }
            Part {
                before: c::function_start(before),
                common_lines: if has_headers { lines(&start) } else { 0 },
                decided_by: DecidedBy::Links { name: name.clone(), may_be_macro: false },
            }
        }
        Subject::Symbol(name) => Part {
            before: declared(),
            common_lines: lines(&start),
            decided_by: DecidedBy::Links { name: name.clone(), may_be_macro: true },
        },
        Subject::Type(_) | Subject::Member { .. } if language == Language::C => Part {
            before: declared(),
            common_lines: lines(&start),
            decided_by: DecidedBy::Compiles,
        },
        Subject::Sizeof(_) | Subject::ComputeInt(_) if language == Language::C => {
            Part { before: declared(), common_lines: lines(&start), decided_by: DecidedBy::Integer }
        }
        Subject::Alignment(_) if language == Language::C => Part {
            before: c::alignment_start(before),
            common_lines: lines(&start),
            decided_by: DecidedBy::Integer,
        },
        Subject::Prototype { .. } if language == Language::C => Part {
            before: declared(),
            common_lines: lines(&start),
            decided_by: DecidedBy::Compiles,
        },
        Subject::Endian if language == Language::C => Part {
            before: declared(),
            common_lines: lines(&start),
            decided_by: DecidedBy::ByteOrder,
        },
        _ => return None,
    })
}

/// The text of a part, in a function of this name and with this number: the declaration of the
/// function, and what stands in the question's own source as well.
pub(crate) fn text(question: &Question, name: &str, number: QuestionId) -> (String, String) {
    let before = Before { headers: &question.headers, prefix: &question.prefix };
    let with_arguments = "int tryall_argc, char **tryall_argv";
    let open = value::open_numbered(number);
    let (parameters, body) = match &question.subject {
        Subject::Function(function) if c::has_headers(&c::start(before)) => {
            ("void", c::function_by_prototype(name, function))
        }
        Subject::Function(function) => ("void", c::function_alone(name, function)),
        Subject::Symbol(symbol) => ("void", c::symbol_body(name, symbol)),
        Subject::Type(of) => ("void", c::type_body(name, of)),
        Subject::Member { of, member } => (with_arguments, c::member_body(name, of, member)),
        Subject::Sizeof(of) => {
            (with_arguments, c::integer_body(name, "", &format!("sizeof({of})"), &open))
        }
        Subject::ComputeInt(expression) => {
            (with_arguments, c::integer_body(name, "", expression, &open))
        }
        Subject::Alignment(of) => (with_arguments, c::alignment_body(name, of, &open)),
        Subject::Prototype { function, return_type, arguments } => {
            ("void", c::prototype_body(name, function, return_type, arguments))
        }
        Subject::Endian => (with_arguments, c::byte_order_body(name)),
        _ => unreachable!("it is no part"),
    };
    let declaration =
        format!("#ifdef __cplusplus\nextern \"C\"\n#endif\nint {name}({parameters});\n");
    (declaration, body)
}

/// Stands between the words of a part that are looked at each for itself.
pub(crate) const BETWEEN_WORDS: &str = " tryall_words_between ";

/// The words in the text of a part that may be macros of a header. `None` if there are none.
pub(crate) fn words(question: &Question) -> Option<String> {
    let before = Before { headers: &question.headers, prefix: &question.prefix };
    match &question.subject {
        Subject::Function(name) => c::has_headers(&c::start(before)).then(|| name.clone()),
        // A plain name stands there only if it is no macro.
        Subject::Symbol(name) if c::is_plain(name) => Some("__SIZE_TYPE__".into()),
        Subject::Symbol(name) => Some(format!("__SIZE_TYPE__ {name}")),
        Subject::Type(name) | Subject::Sizeof(name) => Some(name.clone()),
        Subject::Alignment(name) => Some([name, "offsetof(struct s, m)"].join(BETWEEN_WORDS)),
        Subject::Prototype { function, return_type, arguments } => {
            let arguments = format!("({})", c::arguments(arguments));
            Some([return_type, function, &arguments].map(String::as_str).join(BETWEEN_WORDS))
        }
        Subject::ComputeInt(expression) => Some(expression.clone()),
        Subject::Member { of, member } => Some(format!("{of} * {member}")),
        _ => None,
    }
}
