//! Commands that the request gives explicitly, with placeholders for what a check adds.
//!
//! All other words stay as they are, byte for byte: the caller has taken the command from a working
//! build, and the check must run that command and no other.

use std::ffi::{OsStr, OsString};

/// Which of a toolchain's two commands a template is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TemplateKind {
    /// The command that compiles the source to the object file.
    Compile,
    /// The command that links the object file to the program.
    Link,
}

/// A file of a check. Its placeholder may be part of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum File {
    Source,
    Object,
    Program,
}

/// A list of a check. Its placeholder must be a whole word, and is replaced by the words of the
/// list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum List {
    /// `definitions`.
    Definitions,
    /// `include_dirs` and `args`.
    Args,
    /// `link_args`.
    LinkArgs,
}

const FILES: [(&str, File); 3] =
    [("{source}", File::Source), ("{object}", File::Object), ("{program}", File::Program)];

const LISTS: [(&str, List); 3] =
    [("{definitions}", List::Definitions), ("{args}", List::Args), ("{link_args}", List::LinkArgs)];

impl TemplateKind {
    /// The files that the command must mention. It must not mention others.
    fn files(self) -> [File; 2] {
        match self {
            TemplateKind::Compile => [File::Source, File::Object],
            TemplateKind::Link => [File::Object, File::Program],
        }
    }

    /// Whether the command may contain the placeholder of a list.
    fn takes(self, list: List) -> bool {
        list == List::Definitions || (list == List::LinkArgs) == (self == TemplateKind::Link)
    }
}

/// A command with placeholders.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Template(Vec<Word>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Word {
    List(List),
    Pieces(Vec<Piece>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Piece {
    Text(OsString),
    File(File),
}

/// The replacements for the placeholders. A command only uses those whose placeholders it contains.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filling<'a> {
    /// The name of the source.
    pub source: &'a OsStr,
    /// The name of the object file.
    pub object: &'a OsStr,
    /// The name of the program.
    pub program: &'a OsStr,
    /// The words of `{definitions}`.
    pub definitions: &'a [OsString],
    /// The words of `{args}`.
    pub args: &'a [OsString],
    /// The words of `{link_args}`.
    pub link_args: &'a [OsString],
}

impl Template {
    /// Parses a command, or says what is wrong with it.
    pub(crate) fn parse(words: &[String], kind: TemplateKind) -> Result<Self, String> {
        let parsed: Vec<_> = words.iter().map(|word| parse_word(word)).collect();
        let program = words.first().map_or("", String::as_str);
        match parsed.first() {
            None => return Err("it is empty; remove it if there is no such command".into()),
            Some(Word::Pieces(pieces)) if is_program(pieces) => {}
            Some(_) => {
                return Err(format!(
                    "it starts with {program:?}, which is not the name of a program"
                ));
            }
        }
        if program.contains('/') && !program.starts_with('/') {
            return Err(format!(
                "{program:?} is a relative path, and the command runs in a directory of its own; \
                 give an absolute path, or a name on PATH"
            ));
        }
        let template = Template(parsed);
        for (name, file) in FILES {
            let wanted = kind.files().contains(&file);
            match (template.mentions(file), wanted) {
                (false, true) => return Err(format!("{name} is missing")),
                (true, false) => return Err(format!("{name} has no meaning here")),
                _ => {}
            }
        }
        match LISTS.iter().find(|(_, list)| !kind.takes(*list) && template.accepts(*list)) {
            Some((name, _)) => Err(format!("{name} has no meaning here")),
            None => Ok(template),
        }
    }

    /// Whether the command mentions a file.
    fn mentions(&self, file: File) -> bool {
        self.0.iter().any(|word| match word {
            Word::Pieces(pieces) => pieces.contains(&Piece::File(file)),
            Word::List(_) => false,
        })
    }

    /// Whether the command contains the placeholder of a list.
    pub(crate) fn accepts(&self, list: List) -> bool {
        self.0.contains(&Word::List(list))
    }

    /// The words of the command that contain no placeholders.
    pub(crate) fn fixed_words(&self) -> impl Iterator<Item = &OsStr> {
        self.0.iter().filter_map(|word| match word {
            Word::Pieces(pieces) => match &pieces[..] {
                [Piece::Text(text)] => Some(text.as_os_str()),
                _ => None,
            },
            Word::List(_) => None,
        })
    }

    /// The command of a check. Placeholders in the replacements are not expanded.
    pub(crate) fn fill(&self, filling: Filling<'_>) -> Vec<OsString> {
        let mut argv = Vec::with_capacity(self.0.len() + filling.args.len());
        for word in &self.0 {
            match word {
                Word::List(List::Definitions) => argv.extend_from_slice(filling.definitions),
                Word::List(List::Args) => argv.extend_from_slice(filling.args),
                Word::List(List::LinkArgs) => argv.extend_from_slice(filling.link_args),
                Word::Pieces(pieces) => {
                    let mut whole = OsString::new();
                    for piece in pieces {
                        whole.push(match piece {
                            Piece::Text(text) => text,
                            Piece::File(File::Source) => filling.source,
                            Piece::File(File::Object) => filling.object,
                            Piece::File(File::Program) => filling.program,
                        });
                    }
                    argv.push(whole);
                }
            }
        }
        argv
    }
}

/// Whether a word can name the program of a command.
fn is_program(pieces: &[Piece]) -> bool {
    matches!(pieces, [Piece::Text(text)] if !text.is_empty())
}

fn parse_word(word: &str) -> Word {
    if let Some((_, list)) = LISTS.iter().find(|(name, _)| *name == word) {
        return Word::List(*list);
    }
    let mut pieces = Vec::new();
    let mut rest = word;
    loop {
        let found = FILES.iter().filter_map(|(name, file)| Some((rest.find(name)?, *name, *file)));
        let Some((at, name, file)) = found.min_by_key(|(at, ..)| *at) else { break };
        if at > 0 {
            pieces.push(Piece::Text(rest[..at].into()));
        }
        pieces.push(Piece::File(file));
        rest = &rest[at + name.len()..];
    }
    // An empty word stays an empty word.
    if !rest.is_empty() || word.is_empty() {
        pieces.push(Piece::Text(rest.into()));
    }
    Word::Pieces(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(String::from).collect()
    }

    fn filled(text: &str, args: &[OsString]) -> Vec<String> {
        let template = Template::parse(&words(text), TemplateKind::Compile).unwrap();
        let filling = Filling {
            source: "{object}.c".as_ref(),
            object: "a.o".as_ref(),
            program: "a.exe".as_ref(),
            definitions: &[],
            args,
            link_args: &[],
        };
        let argv = template.fill(filling).into_iter();
        argv.map(|word| word.into_string().unwrap()).collect()
    }

    #[test]
    fn replacements_are_not_expanded_again() {
        let args = ["{object}".into(), "".into(), "-I {args}".into()];
        let argv =
            filled("cc {definitions} {args} -MF{object}.d {x} {} -o{object} {source}", &args);
        let expected =
            ["cc", "{object}", "", "-I {args}", "-MFa.o.d", "{x}", "{}", "-oa.o", "{object}.c"];
        assert_eq!(argv, expected);
    }

    #[test]
    fn words_that_only_resemble_placeholders_stay() {
        let text = "cc  -DX={args} {{source}{object}} {sources} {object";
        assert_eq!(
            filled(text, &["-O2".into()]),
            ["cc", "", "-DX={args}", "{{object}.ca.o}", "{sources}", "{object"]
        );
    }

    #[test]
    fn commands_that_cannot_work_are_refused() {
        for (kind, text, why) in [
            (TemplateKind::Compile, "", "name of a program"),
            (TemplateKind::Compile, "{source} {object}", "name of a program"),
            (TemplateKind::Compile, "{args} {source} {object}", "name of a program"),
            (TemplateKind::Compile, "bin/cc {source} {object}", "relative path"),
            (TemplateKind::Compile, "cc {source}", "{object} is missing"),
            (TemplateKind::Compile, "cc {object}", "{source} is missing"),
            (TemplateKind::Compile, "cc {source} {object} {program}", "{program} has no meaning"),
            (
                TemplateKind::Compile,
                "cc {source} {object} {link_args}",
                "{link_args} has no meaning",
            ),
            (TemplateKind::Link, "cc {object}", "{program} is missing"),
            (TemplateKind::Link, "cc {program}", "{object} is missing"),
            (TemplateKind::Link, "cc {object} {program} -x{source}", "{source} has no meaning"),
            (TemplateKind::Link, "cc {object} {program} {args}", "{args} has no meaning"),
            (TemplateKind::Link, "cc {object} {program} {args}", "{args} has no meaning"),
        ] {
            let refusal = Template::parse(&words(text), kind).unwrap_err();
            assert!(refusal.contains(why), "{text}: {refusal}");
        }
        assert!(Template::parse(&[], TemplateKind::Link).unwrap_err().contains("empty"));
    }
}
