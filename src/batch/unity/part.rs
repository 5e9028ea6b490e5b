//! Questions as parts of a shared source: each part repeats the text of the question's own source
//! in a function of its own. [`crate::batch::unity`] explains the conditions.

use crate::compiler::value;
use crate::plan::ids::QuestionId;
use crate::plan::question::{Question, Subject};
use crate::protocol::language::Language;
use crate::source::{Before, c};

/// The part of a question in a shared source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// The text before the part. Only parts with the same text here can share a source.
    pub before: String,
    /// How many lines of `before` also start the question's own source.
    pub common_lines: usize,
    /// What decides the question.
    pub decided_by: DecidedBy,
}

/// What decides a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DecidedBy {
    /// Whether the part compiles.
    Compiles,
    /// An integer in the object file.
    Integer,
    /// The byte order in the object file.
    ByteOrder,
    /// Whether a name links.
    Links {
        /// The name.
        name: String,
        /// Whether a macro with this name also means yes.
        may_be_macro: bool,
    },
}

/// The part of a question; `None` if the question cannot share a source.
pub(crate) fn part(question: &Question, language: Language) -> Option<Part> {
    let before = Before { headers: &question.headers, prefix: &question.prefix };
    let start = c::start(before);
    let lines = |text: &str| text.lines().count();
    let declared = || c::question(before) + c::TYPE_START;
    Some(match &question.subject {
        Subject::Function(name) => {
            let has_headers = c::has_headers(&start);
            if !has_headers && !start.is_empty() {
                // Alone, `#define` gives whatever the prefix declares another name.
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

/// The text of a part in a function called `name`: the declaration of the function, and the lines
/// that the question's own source also contains. `number` marks the integer of the part.
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
        _ => unreachable!("such a question has no part"),
    };
    let declaration =
        format!("#ifdef __cplusplus\nextern \"C\"\n#endif\nint {name}({parameters});\n");
    (declaration, body)
}

/// Separates the words of a part that are examined one by one.
pub(crate) const BETWEEN_WORDS: &str = " tryall_words_between ";

/// The words of a part that may be macros of a header; `None` if the part has no such words.
pub(crate) fn words(question: &Question) -> Option<String> {
    let before = Before { headers: &question.headers, prefix: &question.prefix };
    match &question.subject {
        Subject::Function(name) => c::has_headers(&c::start(before)).then(|| name.clone()),
        // The source uses a plain name only if that name is not a macro.
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
