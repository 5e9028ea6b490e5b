//! Commands that the request gives in full, with placeholders for what a check brings.
//!
//! A word stays as it is, byte for byte: whoever gives a command in full has read it off a build
//! that works, and it is to be that command and no other.

use std::ffi::{OsStr, OsString};

/// Which of a toolchain's two commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TemplateKind {
    /// From the source to the object file.
    Compile,
    /// From the object file to the program.
    Link,
}

/// A file of a check. Its placeholder may stand in a word with other text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum File {
    Source,
    Object,
    Program,
}

/// A list of a check. Its placeholder is a word of its own, in place of which its words stand.
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
    /// The files that the command must name. It can name no others.
    fn files(self) -> [File; 2] {
        match self {
            TemplateKind::Compile => [File::Source, File::Object],
            TemplateKind::Link => [File::Object, File::Program],
        }
    }

    /// The lists that it may take.
    fn takes(self, list: List) -> bool {
        (list == List::LinkArgs) == (self == TemplateKind::Link)
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

/// What a check puts in place of the placeholders. A command asks only for what it has a place
/// for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filling<'a> {
    /// The source.
    pub source: &'a OsStr,
    /// The object file.
    pub object: &'a OsStr,
    /// The program.
    pub program: &'a OsStr,
    /// The words of `{definitions}`.
    pub definitions: &'a [OsString],
    /// The words of `{args}`.
    pub args: &'a [OsString],
    /// The words of `{link_args}`.
    pub link_args: &'a [OsString],
}

impl Template {
    /// Reads a command, or says what is wrong with it.
    pub(crate) fn parse(words: &[String], kind: TemplateKind) -> Result<Self, String> {
        let parsed: Vec<_> = words.iter().map(|word| parse_word(word)).collect();
        let program = words.first().map_or("", String::as_str);
        match parsed.first() {
            None => return Err("it is empty; leave it out if there is no such command".into()),
            Some(Word::Pieces(pieces)) if is_program(pieces) => {}
            Some(_) => return Err(format!("it starts with {program:?}, which names no program")),
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
                (false, true) => return Err(format!("{name} does not stand in it")),
                (true, false) => return Err(format!("{name} has no meaning in it")),
                _ => {}
            }
        }
        match LISTS.iter().find(|(_, list)| !kind.takes(*list) && template.accepts(*list)) {
            Some((name, _)) => Err(format!("{name} has no meaning in it")),
            None => Ok(template),
        }
    }

    fn mentions(&self, file: File) -> bool {
        self.0.iter().any(|word| match word {
            Word::Pieces(pieces) => pieces.contains(&Piece::File(file)),
            Word::List(_) => false,
        })
    }

    /// Whether a list's placeholder stands in the command.
    pub(crate) fn accepts(&self, list: List) -> bool {
        self.0.contains(&Word::List(list))
    }

    /// The words that are the same for all checks, as far as they are without placeholders.
    pub(crate) fn fixed_words(&self) -> impl Iterator<Item = &OsStr> {
        self.0.iter().filter_map(|word| match word {
            Word::Pieces(pieces) => match &pieces[..] {
                [Piece::Text(text)] => Some(text.as_os_str()),
                _ => None,
            },
            Word::List(_) => None,
        })
    }

    /// The command of a check. What is put in is not searched for placeholders again.
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
    // An empty word is a word, too.
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
    fn what_is_put_in_is_not_searched_again() {
        let args = ["{object}".into(), "".into(), "-I {args}".into()];
        let argv =
            filled("cc {definitions} {args} -MF{object}.d {x} {} -o{object} {source}", &args);
        let expected =
            ["cc", "{object}", "", "-I {args}", "-MFa.o.d", "{x}", "{}", "-oa.o", "{object}.c"];
        assert_eq!(argv, expected);
    }

    #[test]
    fn words_that_only_look_like_placeholders_stay() {
        let text = "cc  -DX={args} {{source}{object}} {sources} {object";
        assert_eq!(
            filled(text, &["-O2".into()]),
            ["cc", "", "-DX={args}", "{{object}.ca.o}", "{sources}", "{object"]
        );
    }

    #[test]
    fn commands_that_cannot_work_are_refused() {
        for (kind, text, why) in [
            (TemplateKind::Compile, "", "names no program"),
            (TemplateKind::Compile, "{source} {object}", "names no program"),
            (TemplateKind::Compile, "{args} {source} {object}", "names no program"),
            (TemplateKind::Compile, "bin/cc {source} {object}", "relative path"),
            (TemplateKind::Compile, "cc {source}", "{object} does not stand"),
            (TemplateKind::Compile, "cc {object}", "{source} does not stand"),
            (TemplateKind::Compile, "cc {source} {object} {program}", "{program} has no meaning"),
            (TemplateKind::Compile, "cc {source} {object} {link_args}", "{link_args} has no meaning"),
            (TemplateKind::Link, "cc {object}", "{program} does not stand"),
            (TemplateKind::Link, "cc {program}", "{object} does not stand"),
            (TemplateKind::Link, "cc {object} {program} -x{source}", "{source} has no meaning"),
            (TemplateKind::Link, "cc {object} {program} {args}", "{args} has no meaning"),
            (TemplateKind::Link, "cc {object} {program} {definitions}", "{definitions} has no meaning"),
        ] {
            let refusal = Template::parse(&words(text), kind).unwrap_err();
            assert!(refusal.contains(why), "{text}: {refusal}");
        }
        assert!(Template::parse(&[], TemplateKind::Link).unwrap_err().contains("empty"));
    }
}
