//! A compiler's command line, as far as it must be understood: which words are paths of files that it is
//! given, and which files it may leave.
//!
//! A mistake here costs time and no answer. What the command reads is recorded, whatever stands here,
//! except for the files that are named here as its inputs, and their contents belong to the question.
//! A file that it writes and that is not named here is a gap.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::compiler::options::Argument;

/// What a command is given and may leave.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Command {
    /// Files that it reads.
    pub inputs: Vec<Place>,
    /// Files that it may write.
    pub outputs: Vec<Place>,
    /// Files that it may write and that no word names; relative.
    pub implied: Vec<OsString>,
    /// Whether it reads standard input.
    pub reads_stdin: bool,
    /// Whether no option asks for the name of a file or directory in a form in which it cannot be found
    /// again, such as compressed debug information.
    pub is_plain: bool,
}

/// A path in a command: the end of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The number of the word; the program is the first.
    pub word: usize,
    /// Where in the word it begins.
    pub start: usize,
}

/// Beginnings of options with whose commands nothing is done, and why.
const REFUSED: [(&str, &str); 14] = [
    ("@", "response file"),
    ("-save-temps", "temporary files are kept"),
    ("--save-temps", "temporary files are kept"),
    ("-dump", "other names of outputs"),
    ("-aux-info", "other outputs"),
    ("-wrapper", "wrapper"),
    ("-fplugin", "plugin"),
    ("-time", "asks for the time"),
    ("-ftime-", "asks for the time"),
    ("-fmem-report", "asks for memory"),
    ("-Q", "asks for the time"),
    ("-freport-bug", "repeats failures"),
    ("--output", "other spelling of -o"),
    ("-fmodule", "modules"),
];

/// Beginnings that begin like a refused option and are harmless.
const QUERIES: [&str; 5] =
    ["-dumpmachine", "-dumpversion", "-dumpfullversion", "-dumpspecs", "-Qunused-arguments"];

/// Beginnings of options with which names of files may be in products in any form, or are written
/// with other characters.
const TELLING: [&str; 12] = [
    "-g",
    "-M",
    "-flto",
    "-fprofile",
    "-ftest-coverage",
    "--coverage",
    "-coverage",
    "-fsanitize",
    "-Wa,",
    "-Wp,",
    "-X",
    "--debug",
];

/// What is done with the inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Link,
    Compile,
    Assembly,
    /// To standard output, unless told otherwise.
    Text,
}

impl Command {
    /// Reads a command line. The first word is the program. Fails with the reason why nothing is to be
    /// done with it.
    pub(super) fn read(words: &[OsString]) -> Result<Command, &'static str> {
        let mut command = Command { is_plain: true, ..Command::default() };
        let mut mode = Mode::Link;
        let (mut output, mut lists_files, mut names_list) = (None, false, false);
        let mut at = 1;
        while at < words.len() {
            let word = words[at].to_str().ok_or("not in UTF-8")?;
            let place = |start| Place { word: at, start };
            let next = || (at + 1 < words.len()).then_some(Place { word: at + 1, start: 0 });
            let is_query = QUERIES.iter().any(|query| word.starts_with(query));
            let refused = REFUSED.iter().find(|(start, _)| word.starts_with(start));
            if let Some((_, why)) = refused.filter(|_| !is_query) {
                return Err(why);
            }
            if word.contains("/dev/") && word != "/dev/null" || word.contains("/proc/") {
                return Err("special file");
            }
            command.is_plain &= !is_telling(word);
            match word {
                "-E" | "-M" | "-MM" | "-fsyntax-only" => mode = Mode::Text,
                "-S" if mode != Mode::Text => mode = Mode::Assembly,
                "-c" if mode == Mode::Link => mode = Mode::Compile,
                _ => {}
            }
            lists_files |= word.starts_with("-MD") || word.starts_with("-MMD");
            match word {
                "-" => command.reads_stdin = true,
                "-o" => {
                    output = Some(next().ok_or("-o without a file")?);
                    at += 1;
                }
                "-MF" => {
                    command.outputs.push(next().ok_or("-MF without a file")?);
                    names_list = true;
                    at += 1;
                }
                _ if word.starts_with("-o") => output = Some(place(2)),
                _ if !word.starts_with('-') => command.inputs.push(place(0)),
                _ => {
                    if let Some(start) = listed_by_preprocessor(word) {
                        command.outputs.push(place(start));
                    }
                    at += usize::from(Argument::of(word).takes_next());
                }
            }
            at += 1;
        }
        command.add_outputs(words, mode, output)?;
        if lists_files && !names_list {
            command.add_lists(words, output);
        }
        Ok(command)
    }

    fn add_outputs(
        &mut self,
        words: &[OsString],
        mode: Mode,
        output: Option<Place>,
    ) -> Result<(), &'static str> {
        match output {
            Some(place) if place.of(words) == "-" => {
                return match mode {
                    Mode::Text | Mode::Assembly => Ok(()),
                    _ => Err("-o -"),
                };
            }
            Some(place) => self.outputs.push(place),
            None => self.implied = self.default_outputs(words, mode),
        }
        Ok(())
    }

    fn default_outputs(&self, words: &[OsString], mode: Mode) -> Vec<OsString> {
        let extension = match mode {
            Mode::Text => return Vec::new(),
            Mode::Link => return vec!["a.out".into()],
            Mode::Compile => "o",
            Mode::Assembly => "s",
        };
        let names = self.inputs.iter().map(|place| place.of(words));
        let names = names.chain(self.reads_stdin.then_some(OsStr::new("-")));
        names.filter_map(|name| in_current_dir(name, extension)).collect()
    }

    /// Adds the lists of files that `-MD` writes under a name of its own. It depends on the version of
    /// the compiler.
    fn add_lists(&mut self, words: &[OsString], output: Option<Place>) {
        let output = output.map(|place| place.of(words)).filter(|output| *output != "/dev/null");
        let mut lists = Vec::new();
        lists.extend(output.map(|output| Path::new(output).with_extension("d").into_os_string()));
        for place in &self.inputs {
            let Some(list) = in_current_dir(place.of(words), "d") else { continue };
            let mut joined = match output {
                Some(output) => Path::new(output).with_extension("").into_os_string(),
                None => "a".into(),
            };
            joined.push("-");
            joined.push(&list);
            lists.extend([list, joined]);
        }
        lists.sort_unstable();
        lists.dedup();
        self.implied.append(&mut lists);
    }
}

impl Place {
    /// The path.
    pub(super) fn of(self, words: &[OsString]) -> &OsStr {
        let word = words[self.word].to_str().unwrap_or_default();
        OsStr::new(&word[self.start..])
    }
}

/// The name of a file with another extension, in the current directory.
fn in_current_dir(path: &OsStr, extension: &str) -> Option<OsString> {
    Some(Path::new(Path::new(path).file_name()?).with_extension(extension).into_os_string())
}

fn is_telling(word: &str) -> bool {
    word != "-g0" && TELLING.iter().any(|start| word.starts_with(start))
}

/// Where in `-Wp,-MD,FILE` the file begins.
fn listed_by_preprocessor(word: &str) -> Option<usize> {
    let start = ["-Wp,-MD,", "-Wp,-MMD,"].iter().find(|start| word.starts_with(**start))?;
    (!word[start.len()..].contains(',')).then_some(start.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    /// Inputs, outputs and implied outputs of a command line.
    fn read(line: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
        let words = words(line);
        let command = Command::read(&words).unwrap();
        let texts = |places: &[Place]| {
            places.iter().map(|place| place.of(&words).to_str().unwrap().to_owned()).collect()
        };
        let implied = command.implied.iter().map(|it| it.to_str().unwrap().to_owned()).collect();
        (texts(&command.inputs), texts(&command.outputs), implied)
    }

    #[test]
    fn inputs_and_outputs_are_found() {
        for (line, inputs, outputs, implied) in [
            ("cc x.c", "x.c", "", "a.out"),
            ("cc -c d/x.c y.c", "d/x.c y.c", "", "x.o y.o"),
            ("cc -S x.c", "x.c", "", "x.s"),
            ("cc -E x.c", "x.c", "", ""),
            ("cc -E -c x.c -o y", "x.c", "y", ""),
            ("cc -I d -D M -include h.h x.c -oy -lm", "x.c", "y", ""),
            ("cc -MT x.o -MD -MP -MF x.Tpo -c -o x.o x.c", "x.c", "x.Tpo x.o", ""),
            ("cc -Wp,-MMD,x.d -c -o x.o x.c", "x.c", "x.d x.o", ""),
            ("cc -MD -c x.c", "x.c", "", "x.o a-x.d x.d"),
            ("cc --version", "", "", "a.out"),
            ("cc -E -x c -", "", "", ""),
        ] {
            let split = |text: &str| -> Vec<String> {
                text.split(' ').filter(|it| !it.is_empty()).map(str::to_owned).collect()
            };
            assert_eq!(read(line), (split(inputs), split(outputs), split(implied)), "{line}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for line in
            ["cc @x", "cc -save-temps x.c", "cc -c x.c -o -", "cc x.c -o", "cc -ftime-report x.c"]
        {
            assert!(Command::read(&words(line)).is_err(), "{line}");
        }
        assert!(Command::read(&words("cc -dumpmachine")).is_ok());
        assert!(Command::read(&words("cc -E x.c -o -")).is_ok());
    }

    #[test]
    fn options_that_tell_names_are_known() {
        for (line, is_plain) in [
            ("cc -O2 x.c", true),
            ("cc -g0 x.c", true),
            ("cc -g -O2 x.c", false),
            ("cc -flto x.c", false),
        ] {
            assert_eq!(Command::read(&words(line)).unwrap().is_plain, is_plain, "{line}");
        }
    }
}
